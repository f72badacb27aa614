from __future__ import annotations

import pytest

from monitor.model import Capture
from monitor.refusal import by_address, by_headers, by_marks
from tests.conftest import PAGES


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b'<form method="post" action="https://consent.google.com/save">', "consent"),
        (b"<FORM ACTION=//consent.example.org/v2>", "consent"),
        (b'<div class="x g-recaptcha" id=a>', "captcha"),
        (b"<div data-sitekey=1>", "captcha"),
        (b'<div id="px-captcha">', "captcha"),
        (b'<script src="https://ct.captcha-delivery.com/c.js">', "captcha"),
        (b'<script src="/cdn-cgi/challenge-platform/h/b/orchestrate">', "challenge"),
        (b"<script>window._cf_chl_opt={}", "challenge"),
        (b"<script>AwsWafIntegration.checkForceRefresh()", "challenge"),
        (b"<p>captcha, consent and challenge are words; https://consent.example.org is a link</p>", ""),
        (b'<a href="https://consent.example.org/">', ""),
        (b"", ""),
    ],
)
def test_marks_are_parts_of_a_page_and_never_its_words(page: bytes, reason: str) -> None:
    assert by_marks(page) == reason


@pytest.mark.parametrize("name", ["ok.html", "lite.html", "empty.html", "page2.html", "changed.html"])
def test_a_page_that_asks_for_nothing_has_no_mark(name: str) -> None:
    assert by_marks((PAGES / "duckduckgo" / name).read_bytes()) == ""


def test_headers_and_addresses() -> None:
    assert by_headers(Capture(b"", headers={"CF-Mitigated": " Challenge "})) == "challenge"
    assert by_headers(Capture(b"", headers={"x-amzn-waf-action": "count"})) == ""
    assert by_address(Capture(b"", url="https://engine.example/sorry/index?continue=x")) == "captcha"
    assert by_address(Capture(b"", url="https://engine.example/search?q=/sorry/")) == ""
    assert by_address(Capture(b"", asked="https://consent.engine.example/m")) == "consent"
