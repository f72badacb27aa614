"""How a refusal shows when it is no status: in the final address, in a firewall's header, in a page's own form.

Headers and addresses are looked at before the parse. The marks in a page count only after no result was found in it,
for words like these stand on good pages too; they are parts of the page, never text that a person reads.

Sources: Cloudflare, "Detect a Challenge Page response" (cf-mitigated); AWS WAF, "CAPTCHA and challenge actions"
(x-amzn-waf-action); SearXNG's Yandex engine (x-yandex-captcha); saved pages for the rest.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from urllib.parse import urlsplit

from monitor.model import Capture

_HEADERS = MappingProxyType(
    {
        ("cf-mitigated", "challenge"): "challenge",
        ("x-amzn-waf-action", "challenge"): "challenge",
        ("x-amzn-waf-action", "captcha"): "captcha",
        ("x-yandex-captcha", "captcha"): "captcha",
    }
)
_CAPTCHA_PATHS = ("/sorry/", "/showcaptcha", "/sp/captcha")
_MARKS = MappingProxyType(
    {
        "consent": re.compile(rb"<form\b[^>]*\baction\s*=\s*[\"']?(?:https?:)?//consent\.", re.I),
        "captcha": re.compile(
            rb"\bdata-sitekey\s*=|\bclass\s*=\s*[\"'][^\"']*\b(?:g-recaptcha|h-captcha|cf-turnstile)\b"
            rb"|\bid\s*=\s*[\"']px-captcha[\"']|\bsrc\s*=\s*[\"'](?:https?:)?//[\w.-]*captcha-delivery\.com/",
            re.I,
        ),
        "challenge": re.compile(rb"/cdn-cgi/challenge-platform/|\b_cf_chl_opt\b|\bAwsWafIntegration\b"),
    }
)


def by_address(capture: Capture) -> str:
    """`captcha` or `consent` when the answer came from where engines send those they doubt; else nothing."""
    where = urlsplit(capture.url or capture.asked)
    if any(mark in where.path for mark in _CAPTCHA_PATHS) or "wappass" in where.netloc:
        return "captcha"
    return "consent" if where.netloc.startswith("consent.") else ""


def by_headers(capture: Capture) -> str:
    """`captcha` or `challenge` by a firewall's own word; else nothing."""
    headers = {name.lower(): value.strip().lower() for name, value in capture.headers.items()}
    return next((reason for (name, value), reason in _HEADERS.items() if headers.get(name) == value), "")


def by_marks(body: bytes) -> str:
    """What a page asks for that showed no result: `consent`, `captcha`, `challenge`, or nothing."""
    return next((reason for reason, mark in _MARKS.items() if mark.search(body)), "")
