"""W3C extended log files: IIS and CloudFront. The line `#Fields:` says what stands where, and may come again."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from monitor.sources.page_views.formats.line import Line, day_in
from monitor.sources.page_views.formats.structured import NoAgent

HEADER = b"#Fields:"
_PIECE = re.compile(rb'"[^"]*+"|[^ ]++')
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}")


def fields_of(header: bytes) -> tuple[str, ...]:
    """The names of a `#Fields:` line, in lower case; empty for any other line."""
    if not header.startswith(HEADER):
        return ()
    return tuple(name.decode("latin-1").lower() for name in header[len(HEADER) :].split())


def fields_in(head: bytes) -> tuple[str, ...]:
    """The names in the newest whole `#Fields:` line of a file's beginning."""
    found: tuple[str, ...] = ()
    for line in head.split(b"\n")[:-1]:
        found = fields_of(line) or found
    return found


def read(line: bytes, fields: tuple[str, ...]) -> Line | None:
    """A line's fields by the header in force; None for one that does not fit it.

    Times are UTC. IIS writes blanks in the agent as `+`; CloudFront parts by tabs and percent-encodes the agent twice.
    Raises NoAgent where the header has no `cs(User-Agent)`.
    """
    line = line.strip(b"\0\r")
    tabs = b"\t" in line
    pieces = line.split(b"\t") if tabs else _PIECE.findall(line)
    if len(pieces) != len(fields):
        return None
    got = {name: piece for name, piece in zip(fields, pieces, strict=True) if piece != b"-"}
    day = day_in(f"{got.get('date', b'').decode('latin-1')} {got.get('time', b'').decode('latin-1')}")
    method, path, status = (got.get(name, b"") for name in ("cs-method", "cs-uri-stem", "sc-status"))
    if day is None or not method.isalpha() or not path or not status.isdigit():
        return None
    if "cs(user-agent)" not in fields:
        raise NoAgent
    query = got.get("cs-uri-query", b"")
    return Line(
        day,
        method + b" " + path + (b"?" + query if query else b""),
        status.zfill(3),
        _unpacked(got.get("cs(referer)", b""), tabs),
        _unpacked(got.get("cs(user-agent)", b""), tabs),
        got.get("c-ip", b""),
        got.get("x-host-header") or got.get("cs-host") or got.get("cs(host)", b""),
        got.get("sc-content-type", b"").partition(b"%")[0],
        b"prefetch" in (got.get("cs(sec-purpose)", b"") + got.get("cs(purpose)", b"")).lower(),
    )


def _unpacked(value: bytes, tabs: bool) -> bytes:
    if not tabs:
        return value.replace(b"+", b" ")
    once = unquote_to_bytes(value)
    return unquote_to_bytes(once) if _PERCENT.search(once) else once
