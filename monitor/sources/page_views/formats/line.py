"""What every log format is read into: one line of a log, and the day it names."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLF = re.compile(r"\[?(\d\d)/([A-Z][a-z][a-z])/(\d{4}):\d\d:\d\d:\d\d")
_ISO = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ]\d\d:\d\d|\Z)")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}(?:\.\d+)?|\d{16}")
_URL = re.compile(rb"([A-Z]+) (?:https?|wss?)://([^/?# ]*)([/?#]?[^ ]*)(.*)", re.DOTALL)


class Line(NamedTuple):
    """One request as logged. Bytes are as the visitor sent them; what the format does not name is empty."""

    day: date
    request: bytes  # "GET /path?query HTTP/1.1"; the protocol may be missing
    status: bytes
    referer: bytes
    agent: bytes
    address: bytes = b""
    host: bytes = b""
    media: bytes = b""  # the answer's Content-Type
    ahead: bool = False  # fetched ahead of a click (prefetch)


def day_in(text: str) -> date | None:
    """The day a time names, None where it names none: `22/Nov/2026:21:17:54`, ISO 8601, or seconds since 1970 (UTC).

    A time with an offset gives the day as written. Milliseconds and microseconds since 1970 are known by their length.

    >>> day_in("22/Nov/2026:21:17:54 +0000"), day_in("1795382274.727"), day_in("22 Nov")
    (datetime.date(2026, 11, 22), datetime.date(2026, 11, 22), None)
    """
    if day := _iso_day(text[:16]):
        return day
    try:
        if fits := _CLF.match(text):
            return date(int(fits[3]), _MONTHS.index(fits[2]) + 1, int(fits[1]))
        if _EPOCH.fullmatch(text):
            whole = len(text.partition(".")[0])
            seconds = float(text) / (1 if whole < 12 else 1e3 if whole < 16 else 1e6)
            return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).date()
    except (ValueError, OverflowError):
        return None
    return None


@lru_cache(maxsize=4096)
def _iso_day(minute: str) -> date | None:
    try:
        return date(int(fits[1]), int(fits[2]), int(fits[3])) if (fits := _ISO.match(minute)) else None
    except ValueError:
        return None


def from_url(line: Line) -> Line:
    """A load balancer logs `GET https://example.org:443/path HTTP/1.1`: the same line, with the host apart."""
    fits = _URL.match(line.request)
    if not fits:
        return line
    target = fits[3] if fits[3].startswith(b"/") else b"/" + fits[3]
    return line._replace(request=fits[1] + b" " + target + fits[4], host=fits[2])


def readable(line: Line) -> Line:
    """A request in plain UTF-8 (JSON, IIS) as browsers send it, percent-encoded: so its path has one name only."""
    if line.request.isascii():
        return line
    try:
        text = line.request.decode()
    except UnicodeDecodeError:
        return line
    return line._replace(request=b"".join(c.encode() if c.isascii() else quote(c).encode() for c in text))


def plain_host(host: bytes) -> str:
    """A host as compared: lower case, without port and `www.`.

    >>> plain_host(b"WWW.Example.org:443")
    'example.org'
    """
    text = host.decode("latin-1").strip().lower()
    name = text.partition("]")[0] + "]" if text.startswith("[") else text.partition(":")[0]
    return name.removesuffix(".").removeprefix("www.")
