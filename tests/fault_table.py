"""Every way we know in which a host misbehaves, and how a reading of it must end. docs/faults.md is made from it."""

from __future__ import annotations

import gzip
from datetime import timedelta

from tests.fault_words import (
    BOMB,
    CAPTCHA,
    CHALLENGE,
    CHUNKED,
    CONSENT,
    DOMAIN,
    GZIP,
    HOUR,
    HTML,
    JSON,
    LIMITED,
    LONG_HEADERS,
    MANY_HEADERS,
    MANY_TAGS,
    MESSAGE,
    NO_WORD_OF_THE_WEB,
    PACKED,
    PLAIN,
    SCRIPTED,
    WHO,
    Fault,
    answer,
    brave,
    circle,
    drips,
    ever_new,
    http_date,
    kept_then_drips,
    kept_then_good,
    leads,
    nothing,
    only_listens,
    page,
    resets,
    resets_midway,
    says,
    slow_redirects,
    to_captcha,
)

NETWORK = (
    Fault("no-such-name", "the name cannot be looked up", "failed", "dns", nothing),
    Fault(
        "redirect-to-no-name",
        "a redirect to a name that cannot be looked up",
        "failed",
        "dns",
        leads(f"http://no-such-name.{DOMAIN}:{{port}}/"),
        blamed=f"no-such-name.{DOMAIN}",
    ),
    Fault("refused", "the connection is refused", "failed", "connection", nothing, port="closed"),
    Fault("no-room", "the connection is never made", "failed", "timeout", nothing, port="full"),
    Fault("reset", "the connection is reset", "failed", "connection", resets),
    Fault("closed", "the connection is closed without a word", "failed", "connection", nothing),
    Fault("reset-midway", "the connection is reset amid the page", "failed", "truncated", resets_midway),
)


SLOW = (
    Fault("silent", "no answer comes", "failed", "timeout", only_listens),
    Fault(
        "dripping-headers",
        "headers come a byte at a time, for ever",
        "failed",
        "timeout",
        drips(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    ),
    Fault(
        "dripping-body",
        "the page comes a byte at a time",
        "failed",
        "timeout",
        drips(answer(200, b"", HTML, length=100000), b"a"),
    ),
    Fault(
        "dripping-chunks",
        "the page comes in chunks of a byte, for ever",
        "failed",
        "timeout",
        drips(answer(200, b"", HTML, CHUNKED), b"1\r\na\r\n"),
    ),
    Fault(
        "dripping-gzip",
        "a packed page comes a byte at a time",
        "failed",
        "timeout",
        drips(answer(200, PACKED[:-40], HTML, GZIP, length=100000), b""),
    ),
    Fault(
        "dripping-handshake",
        "the TLS handshake comes a byte at a time",
        "failed",
        "timeout",
        drips(b"\x16\x03\x03@\x00\x02\x00?\xfc\x03\x03", b"\x00"),
        scheme="https",
        below_tls=True,
    ),
    Fault("dripping-when-kept", "a redirect keeps the connection, then it drips", "failed", "timeout", kept_then_drips),
    Fault("slow-redirects", "redirects, each a little slow", "failed", "timeout", slow_redirects),
)


LARGE = (
    Fault(
        "endless-body", "a page without end", "failed", "too_large", drips(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65536, 0)
    ),
    Fault(
        "endless-chunks",
        "chunks without end",
        "failed",
        "too_large",
        drips(answer(200, b"", CHUNKED), b"10000\r\n" + b"a" * 65536 + b"\r\n", 0),
    ),
    Fault(
        "said-too-long",
        "a page said to be longer than the limit",
        "failed",
        "too_large",
        drips(answer(200, b"", HTML, length=5000001), b""),
    ),
    Fault("bomb", "1 MB of gzip that holds 1 GiB", "failed", "too_large", says(BOMB)),
    Fault(
        "behind-gzip",
        "a small packed page, and bytes without end behind it",
        "failed",
        "too_large",
        drips(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + PACKED, bytes(65536), 0),
    ),
    Fault("long-headers", "6 MB of headers, 99 of them", "failed", "too_large", says(LONG_HEADERS)),
    Fault("many-headers", "100,000 headers", "failed", "too_large", says(MANY_HEADERS)),
    Fault(
        "endless-header",
        "a header without end",
        "failed",
        "too_large",
        drips(b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 65536, 0),
    ),
    Fault(
        "endless-100s",
        '"100 Continue" for ever',
        "failed",
        "too_large",
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, 0),
    ),
    Fault(
        "endless-trailers",
        "headers after the page, for ever",
        "failed",
        "too_large",
        drips(answer(200, b"0\r\n", HTML, CHUNKED), b"X-A: b\r\n" * 8000, 0),
    ),
    Fault("many-tags", "a page of half a million tags", "changed", "layout_unknown", says(MANY_TAGS)),
)


BROKEN = (
    Fault(
        "short",
        "a page shorter than its Content-Length",
        "failed",
        "truncated",
        says(answer(200, page().encode()[:500], HTML, length=5000)),
    ),
    Fault(
        "cut-chunk",
        "a page cut within a chunk",
        "failed",
        "truncated",
        says(answer(200, b"fff\r\n" + page().encode()[:500], HTML, CHUNKED)),
    ),
    Fault(
        "no-last-chunk",
        "chunks that stop without the last one",
        "failed",
        "truncated",
        says(answer(200, b"5\r\n<html\r\n", HTML, CHUNKED)),
    ),
    Fault(
        "junk-chunk",
        "a chunk whose length is no number",
        "failed",
        "truncated",
        says(answer(200, b"nonsense\r\n", HTML, CHUNKED)),
    ),
    Fault(
        "negative-chunk",
        "a chunk of -1 bytes, and then bytes without end",
        "failed",
        "truncated",
        drips(answer(200, b"-1\r\n", HTML, CHUNKED), b"a" * 65536, 0),
    ),
    Fault(
        "endless-chunk-line",
        "a chunk whose length has no end",
        "failed",
        "truncated",
        drips(answer(200, b"", HTML, CHUNKED), b"1" * 65536, 0),
    ),
    Fault("cut-gzip", "a packed page cut off", "failed", "truncated", says(answer(200, PACKED[:-20], HTML, GZIP))),
    Fault(
        "junk-gzip",
        "packed by its header, and not packed",
        "failed",
        "bad_encoding",
        says(answer(200, page().encode(), HTML, GZIP)),
    ),
    Fault(
        "damaged-gzip",
        "a packed page with another checksum",
        "failed",
        "bad_encoding",
        says(answer(200, PACKED[:-8] + b"12345678", HTML, GZIP)),
    ),
    Fault(
        "unasked-encoding",
        "packed in a way that was not asked for (br)",
        "failed",
        "bad_encoding",
        says(answer(200, PACKED, HTML, "Content-Encoding: br")),
    ),
    Fault("http-0-9", "a page without a status line (HTTP/0.9)", "failed", "bad_answer", says(page().encode())),
    Fault("not-http", "another protocol", "failed", "bad_answer", says(b"SSH-2.0-OpenSSH_9.2\r\n")),
    Fault("odd-status", "a status that is no number", "failed", "bad_answer", says(b"HTTP/1.1 OK 200\r\n\r\n")),
    Fault(
        "two-lengths",
        "two different Content-Lengths",
        "failed",
        "bad_answer",
        says(answer(200, page().encode(), HTML, "Content-Length: 5")),
    ),
)


TLS = (
    Fault(
        "unknown-authority",
        "a certificate of an authority not known",
        "failed",
        "tls",
        nothing,
        detail="unable to get local issuer certificate",
        scheme="https",
        certificate="unknown",
    ),
    Fault(
        "wrong-host",
        "a certificate of another host",
        "failed",
        "tls",
        nothing,
        detail=f"Hostname mismatch, certificate is not valid for 'wrong-host.{DOMAIN}'.",
        scheme="https",
        certificate="elsewhere",
    ),
    Fault(
        "expired",
        "a certificate that has expired",
        "failed",
        "tls",
        nothing,
        detail="certificate has expired",
        scheme="https",
        certificate="expired",
    ),
    Fault(
        "no-tls",
        "a host that does not speak TLS",
        "failed",
        "tls",
        says(answer(400)),
        detail="it does not speak TLS",
        scheme="https",
        below_tls=True,
    ),
)


_SPELLED = {
    "localhost": "127.0.0.1",
    "127.0.0.1": "127.0.0.1",
    "127.1": "127.0.0.1",
    "2130706433": "127.0.0.1",
    "0x7f000001": "127.0.0.1",
    "0177.0.0.1": "127.0.0.1",
    "[::1]": "::1",
    "[::ffff:127.0.0.1]": "::ffff:127.0.0.1",
    "[64:ff9b::7f00:1]": "64:ff9b::7f00:1",
    "0.0.0.0": "0.0.0.0",
    "169.254.169.254": "169.254.169.254",
    "100.64.0.1": "100.64.0.1",
    "10.0.0.1": "10.0.0.1",
    "INSIDE.example.": "127.0.0.1",
    "someone@inside.example": "127.0.0.1",
}


_INSIDE = {
    "INSIDE.example.": "a redirect to a name that is looked up as 127.0.0.1",
    "someone@inside.example": "the same, with a user before the name",
}


REDIRECTS = (
    Fault("circle", "redirects in a circle", "failed", "redirect", circle, detail="in a circle"),
    Fault("ever-new", "redirects without end", "failed", "redirect", ever_new, detail="too many in a row"),
    Fault("nowhere", "a redirect that names no place", "failed", "redirect", says(answer(302)), detail="status 302"),
    *(
        Fault(
            f"inside-{n}",
            _INSIDE.get(host, f"a redirect to `http://{host}/`"),
            "failed",
            "forbidden_address",
            leads(f"http://{host}:{{port}}/secret"),
            detail=address,
        )
        for n, (host, address) in enumerate(_SPELLED.items(), 1)
    ),
    Fault(
        "two-faced",
        "a redirect to a name with a public and a private address",
        "failed",
        "forbidden_address",
        leads("http://two-faced.example:{port}/secret"),
        detail="127.0.0.1",
    ),
    Fault(
        "rebound",
        "a redirect to a public address behind which this machine answers",
        "failed",
        "forbidden_address",
        leads("http://rebound.example:{port}/secret"),
        detail="127.0.0.1",
    ),
    *(
        Fault(
            f"off-the-web-{n}",
            f"a redirect to `{location}`",
            "failed",
            "redirect",
            leads(location),
            detail="to something that is no address of the web",
        )
        for n, location in enumerate(("file:///etc/passwd", "gopher://127.0.0.1/", "http://[::1", "javascript:0"), 1)
    ),
)


def _limited(name: str, happens: str, header: str, not_before: timedelta | None, *more: str) -> Fault:
    headers = [f"Retry-After: {header}"] if header else []
    speak = says(answer(429, b"slow down", *headers, *more))
    return Fault(name, happens, "blocked", "rate_limited", speak, not_before=not_before)


REFUSALS = (
    _limited("limited", "429", "", None),
    _limited("limited-seconds", "429, Retry-After in seconds", "3600", HOUR),
    _limited("limited-date", "429, Retry-After as a date", http_date(HOUR), HOUR),
    _limited(
        "limited-clock",
        "429, Retry-After as a date by a clock a year ahead",
        http_date(timedelta(365) + HOUR),
        HOUR,
        f"Date: {http_date(timedelta(365))}",
    ),
    _limited("limited-huge", "429, Retry-After of 30,000 years", "999999999999", timedelta(7)),
    _limited("limited-negative", "429, Retry-After below zero", "-60", None),
    _limited("limited-past", "429, Retry-After in the past", http_date(-HOUR), None),
    _limited("limited-garbage", "429, Retry-After that says nothing", "soon", None),
    Fault(
        "github-limit",
        "403 of GitHub with nothing left until a time",
        "blocked",
        "rate_limited",
        says(answer(403, MESSAGE, JSON, *LIMITED)),
        kind="github",
        not_before=0.75 * HOUR,
    ),
    Fault("denied", "403", "blocked", "denied", says(answer(403, b"no")), detail="status 403"),
    Fault(
        "wrong-key",
        "401 of an interface",
        "blocked",
        "denied",
        says(answer(401, b"{}", JSON)),
        detail="status 401",
        kind="brave",
    ),
    Fault(
        "cloudflare",
        "403 with the header `cf-mitigated: challenge`",
        "blocked",
        "challenge",
        says(answer(403, b"Just a moment...", HTML, "cf-mitigated: challenge")),
    ),
    Fault(
        "cloudflare-200",
        "the same with status 200, before an interface",
        "blocked",
        "challenge",
        says(answer(200, b"Just a moment...", HTML, "CF-Mitigated: challenge")),
        kind="github",
    ),
    Fault(
        "waf",
        "405 with the header `x-amzn-waf-action: captcha`",
        "blocked",
        "captcha",
        says(answer(405, b"", HTML, "x-amzn-waf-action: captcha")),
    ),
    Fault(
        "yandex",
        "200 with the header `x-yandex-captcha: captcha`",
        "blocked",
        "captcha",
        says(answer(200, page().encode(), HTML, "X-Yandex-Captcha: captcha")),
    ),
    Fault("captcha", "a captcha with status 200", "blocked", "captcha", says(answer(200, CAPTCHA, HTML))),
    Fault(
        "captcha-for-json",
        "a captcha with status 200, before an interface",
        "blocked",
        "captcha",
        says(answer(200, CAPTCHA, HTML)),
        kind="brave",
    ),
    Fault("to-captcha", "a redirect to a captcha", "blocked", "captcha", to_captcha),
    Fault("challenge", "DuckDuckGo's 202", "blocked", "challenge", says(answer(202, CHALLENGE, HTML))),
    Fault("challenge-200", "the same page with status 200", "blocked", "challenge", says(answer(200, CHALLENGE, HTML))),
    Fault(
        "to-consent",
        "a redirect to a page that asks for consent",
        "blocked",
        "consent",
        leads(f"http://consent.{DOMAIN}:{{port}}/m?continue=1"),
    ),
    Fault("consent-page", "a page that asks for consent", "blocked", "consent", says(answer(200, CONSENT, HTML))),
)


PAGES = (
    Fault("empty", "an empty page", "failed", "empty_answer", says(answer(200, b"", HTML)), detail="status 200"),
    Fault(
        "blank",
        "a page of blanks",
        "failed",
        "empty_answer",
        says(answer(200, b" \r\n\r\n", HTML)),
        detail="status 200",
    ),
    Fault("status-204", "204", "failed", "empty_answer", says(answer(204)), detail="status 204"),
    Fault(
        "empty-json",
        "204 of an interface",
        "failed",
        "empty_answer",
        says(answer(204)),
        detail="status 204",
        kind="github",
    ),
    Fault(
        "cut-json",
        "half of an interface's answer",
        "changed",
        "layout_unknown",
        says(answer(200, brave()[:200], JSON)),
        kind="brave",
    ),
    Fault(
        "cut-count",
        "half of a profile",
        "changed",
        "layout_unknown",
        says(answer(200, b'{"login": "zoe", "followers": 4', JSON)),
        kind="github",
    ),
    Fault(
        "other-json",
        "a profile without its name",
        "changed",
        "layout_unknown",
        says(answer(200, b'{"followers": 4}', JSON)),
        kind="github",
    ),
    Fault(
        "html-for-json",
        "a web page instead of an interface's answer",
        "changed",
        "layout_unknown",
        says(answer(200, page().encode(), HTML)),
        kind="brave",
    ),
    Fault(
        "cut-page",
        "half a page, without a word of its length",
        "changed",
        "layout_unknown",
        says(b"HTTP/1.1 200 OK\r\n\r\n" + page().encode()[:400]),
    ),
    Fault(
        "cut-by-length",
        "a page longer than its Content-Length",
        "changed",
        "layout_unknown",
        says(answer(200, page().encode(), HTML, length=400)),
    ),
    Fault(
        "packed-unsaid",
        "a packed page that does not say so",
        "changed",
        "layout_unknown",
        says(answer(200, PACKED, HTML)),
    ),
    Fault("noise", "bytes that are no text", "changed", "layout_unknown", says(answer(200, NO_WORD_OF_THE_WEB, HTML))),
    Fault("scripted", "a page that needs JavaScript", "changed", "js_required", says(answer(200, SCRIPTED, HTML))),
    Fault("not-found", "404", "failed", "not_found", says(answer(404, b"no such page")), detail="status 404"),
    Fault("own-fault", "500", "failed", "server_error", says(answer(500, b"oops")), detail="status 500"),
    Fault(
        "down",
        "503, Retry-After in seconds",
        "failed",
        "server_error",
        says(answer(503, b"", "Retry-After: 3600")),
        detail="status 503",
        not_before=HOUR,
    ),
)


def _read(name: str, happens: str, body: bytes, *headers: str, title: str = WHO) -> Fault:
    return Fault(name, happens, "ok", "", says(answer(200, body, *headers)), title=title)


_LATIN_META = '<meta charset="iso-8859-1">'


_BAD_BYTE = page(more="<p>ÿ</p>").encode().replace("ÿ".encode(), b"\xff")


READ = (
    _read("plain", "a good page", page().encode(), HTML),
    Fault("kept", "a redirect on a connection that is kept", "ok", "", kept_then_good, title=WHO),
    _read("latin-said-utf-8", "Latin-1, said to be UTF-8", page().encode("latin-1"), HTML),
    _read("utf-8-said-latin", "UTF-8, said to be Latin-1", page().encode(), "Content-Type: text/html; charset=latin1"),
    _read("utf-8-unsaid", "UTF-8, with no word of it", page().encode(), PLAIN),
    _read("no-type", "UTF-8, without a Content-Type", page().encode()),
    _read("latin-unsaid", "Latin-1, with no word of it", page().encode("latin-1"), PLAIN),
    _read("latin-in-page", "Latin-1 by the page's own word", page(_LATIN_META).encode("latin-1"), PLAIN),
    _read("page-lies", "UTF-8, Latin-1 by the page's own word", page(_LATIN_META).encode(), PLAIN),
    _read("mark", "a byte order mark", b"\xef\xbb\xbf" + page().encode(), PLAIN),
    _read(
        "mark-wins", "a byte order mark, said to be Latin-1", b"\xef\xbb\xbf" + page().encode(), f"{PLAIN}; charset=l1"
    ),
    _read("utf-16", "UTF-16 by its byte order mark", page().encode("utf-16"), PLAIN),
    _read("bad-byte", "UTF-8 with a byte that is none", _BAD_BYTE, HTML),
    _read("no-charset", "a charset that does not exist", page().encode(), f"{PLAIN}; charset=utf-99"),
    _read("gb18030", "GB 18030 by the header", page().encode("gb18030"), f"{PLAIN}; charset=gb18030"),
    _read("nul-in-header", "a NUL in the headers", page().encode(), HTML, "ETag: a\x00b", "X-RateLimit-Used: 1\x002"),
    _read("nul-in-name", "a NUL in the name of a header", page().encode(), HTML, "X-RateLimit-\0: 1"),
    _read(
        "packed",
        "packed, in two gzip members",
        gzip.compress(page().encode()[:300]) + gzip.compress(page().encode()[300:]),
        HTML,
        GZIP,
    ),
)

SECTIONS = {
    "The network": NETWORK,
    "Time": SLOW,
    "Size": LARGE,
    "Broken answers": BROKEN,
    "TLS": TLS,
    "Redirects": REDIRECTS,
    "Refusals": REFUSALS,
    "Answers that hold no number": PAGES,
    "Read all the same": READ,
}
TABLE = tuple(fault for section in SECTIONS.values() for fault in section)
