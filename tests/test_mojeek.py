"""Mojeek's plain results page; its interface is tested with the others (test_search_apis.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import urls
from monitor.model import Blocked, Capture, Context, LayoutChanged, Parsed, Result
from monitor.sources.search.mojeek import Mojeek
from tests.conftest import PAGES

Cases = Callable[[str], Path]
CTX = Context(now=datetime(2026, 1, 2, tzinfo=UTC), day=date(2026, 1, 2))
JANE = Mojeek(("Jane Example",))
OK = (PAGES / "mojeek" / "ok.html").read_bytes()


def read(body: bytes) -> Parsed:
    return JANE.parse(Capture(body, media_type="text/html", charset="utf-8"), CTX)


def test_a_page_in_its_order() -> None:
    found = [record for record in read(OK).records if isinstance(record, Result)]
    assert [(r.position, r.url, r.title) for r in found] == [
        (1, "https://example.org/about", "Jane Example"),
        (2, "", "No address"),
        (3, "https://code.example/jane", "jane"),
    ]
    assert found[0].snippet == "The pages of Jane Example."


def test_a_suggestion_alters_no_query() -> None:
    assert read(OK).altered == ""


def test_a_captcha_is_seen_on_a_page_without_results_only() -> None:
    with pytest.raises(Blocked) as seen:
        read((PAGES / "mojeek" / "captcha.html").read_bytes())
    assert seen.value.reason == "captcha"
    assert read(OK.replace(b"</ul>", b'</ul><script src="/js/altcha.js"></script>')).records


def test_a_captcha_instead_of_an_answer_to_a_key() -> None:
    with pytest.raises(Blocked):
        replace(JANE, key=None).parse(Capture((PAGES / "mojeek" / "captcha.html").read_bytes()), CTX)


@pytest.mark.parametrize(
    "body",
    [
        (PAGES / "mojeek" / "changed.html").read_bytes(),
        OK[:-30],
        OK.replace(b"results-standard", b"results-new"),
        OK.replace(b"https://", b"javascript:"),
        b"",
        b"\xff\xfe\0",
        b"No pages found",
    ],
)
def test_what_is_not_known_is_never_nothing(body: bytes) -> None:
    with pytest.raises(LayoutChanged):
        read(body)


def test_a_further_page_follows_a_full_one() -> None:
    row = b'<li><a class="ob" href="https://example.org/%d"></a><h2><a href="https://example.org/%d">Jane</a></h2></li>'
    rows = b"".join(row % (n, n) for n in range(10))
    body = b'<html><ul class="results-standard">' + rows + b"</ul></html>"
    following = replace(JANE, pages=2).parse(Capture(body), CTX).next
    assert following is not None
    assert dict(following.params) == {"q": "Jane Example", "safe": "1", "s": "11"}
    assert replace(JANE, pages=2).parse(Capture(OK), CTX).next is None


def test_the_captured_captcha(cases: Cases) -> None:
    with pytest.raises(Blocked) as seen:
        read(cases("search/mojeek/scraplingserver_mojeek_captcha.html").read_bytes())
    assert seen.value.reason == "captcha"


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(OK)), st.integers(0, 80), st.binary(max_size=8)), max_size=3),
    st.none() | st.integers(0, len(OK)),
)
def test_broken_bytes_give_a_page_a_refusal_or_a_change(edits: list[tuple[int, int, bytes]], end: int | None) -> None:
    body = bytearray(OK)
    for start, length, new in edits:
        body[start : start + length] = new
    try:
        parsed = read(bytes(body[:end]))
    except (Blocked, LayoutChanged):
        return
    found = [record for record in parsed.records if isinstance(record, Result)]
    assert [r.position for r in found] == list(range(1, len(found) + 1))
    assert found
    assert all(r.url == "" or urls.is_link(r.url) for r in found)
