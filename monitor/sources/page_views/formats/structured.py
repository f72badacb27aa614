"""JSON lines: nginx with keys of the owner's choice, Caddy, Traefik."""

from __future__ import annotations

import json
import re
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from monitor.sources.page_views.formats.line import Line, day_in

_JSON = json.JSONDecoder(strict=False)
LONGEST = 256 * 1024  # bytes of a line that is unpacked as JSON

_NAMES = MappingProxyType(  # field: the keys it usually has, best first, in lower case with - as _
    {
        "time": (
            *("time_iso8601", "time_local", "startlocal", "timestamp", "@timestamp", "time", "date", "datetime"),
            *("startutc", "msec", "ts", "time_msec"),
        ),
        "request": ("request", "request_line"),
        "method": ("request_method", "method", "requestmethod", "verb", "http_method"),
        "uri": ("request_uri", "uri", "requestpath", "path", "url"),
        "query": ("args", "query_string", "query"),
        "status": ("status", "downstreamstatus", "status_code", "response_status", "http_status"),
        "referer": (
            *("http_referer", "http_referrer", "referer", "referrer", "request_referer", "ref"),
            "request_headers_referer",
        ),
        "agent": (
            *("http_user_agent", "user_agent", "useragent", "ua", "agent", "request_user_agent"),
            "request_headers_user_agent",
        ),
        "host": ("host", "http_host", "server_name", "vhost", "requesthost", "virtual_host"),
        "media": ("sent_http_content_type", "content_type", "ct", "downstream_content_type", "origin_content_type"),
        "ahead": (
            *("http_sec_purpose", "sec_purpose", "http_purpose", "purpose", "http_x_moz"),
            *("request_sec_purpose", "request_purpose", "request_x_moz"),
        ),
        "address": (
            *("remote_addr", "clienthost", "client_ip", "remote_ip", "ip", "client", "remote", "client_addr"),
            *("remote_address", "clientaddr"),
        ),
    }
)
_LOW, _HIGH = re.compile(rb"\\x([0-7][0-9A-Fa-f])"), re.compile(rb"\\x([89A-Fa-f][0-9A-Fa-f])")


_SENT = ("referer", "user-agent", "sec-purpose", "purpose", "x-moz")
_DAY_0 = date(1970, 1, 1).toordinal()


class NoAgent(Exception):
    """A line that is understood, but names no agent: no program could be told from a person."""


def read(line: bytes) -> Line | None:
    r"""The fields of a JSON line; None for one that is no request.

    nginx writes a raw byte that is no UTF-8 as it is, and `\x22` where `escape=json` was forgotten: both are read.
    Raises NoAgent where the line is a request, but no key holds the agent.
    """
    said = _unpacked(line)
    if said is None:
        return None
    if isinstance(said.get("request"), dict):
        return _caddy(said, said["request"])
    return _flat(said)


def _unpacked(line: bytes) -> dict[str, Any] | None:
    line = line.strip(b"\0\r\t ")
    if len(line) > LONGEST:
        return None
    said = _read(line)
    return _read(_HIGH.sub(rb"\\udc\1", _LOW.sub(rb"\\u00\1", line))) if said is None else said or None


def _read(line: bytes) -> dict[str, Any] | None:
    """A line's object, an empty one for JSON that is none; None for what is no JSON."""
    try:
        said = _JSON.decode(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else {}


class _Keys(NamedTuple):
    """The keys of a line that hold each field, best first."""

    time: tuple[str, ...]
    request: tuple[str, ...]
    method: tuple[str, ...]
    uri: tuple[str, ...]
    query: tuple[str, ...]
    status: tuple[str, ...]
    referer: tuple[str, ...]
    agent: tuple[str, ...]
    host: tuple[str, ...]
    media: tuple[str, ...]
    ahead: tuple[str, ...]
    address: tuple[str, ...]


@lru_cache(maxsize=256)
def _fields(keys: tuple[str, ...]) -> _Keys:
    plain = {key.lower().replace("-", "_"): key for key in keys}
    return _Keys(**{field: tuple(plain[name] for name in names if name in plain) for field, names in _NAMES.items()})


def _flat(said: dict[str, Any]) -> Line | None:
    keys = _fields(tuple(said))
    day = day_in((_first(said, keys.time) or b"").decode("latin-1"))
    request, status = _first(said, keys.request), _first(said, keys.status)
    if request is None:
        request = _request(_first(said, keys.method), _first(said, keys.uri), _first(said, keys.query))
    if day is None or request is None or status is None or not (status.isdigit() or status == b""):
        return None
    if (agent := _first(said, keys.agent)) is None:
        raise NoAgent
    return Line(
        day,
        request,
        status,
        _first(said, keys.referer) or b"",
        agent,
        _first(said, keys.address) or b"",
        _first(said, keys.host) or b"",
        _first(said, keys.media) or b"",
        b"prefetch" in (_first(said, keys.ahead) or b"").lower(),
    )


def _request(method: bytes | None, uri: bytes | None, query: bytes | None) -> bytes | None:
    if method is None or uri is None:
        return None
    more = b"?" + query if query and query != b"-" and b"?" not in uri else b""
    return method + b" " + uri + more


def _first(said: dict[str, Any], names: tuple[str, ...]) -> bytes | None:
    """The first of these keys that holds text or a number; empty text only where no other does."""
    empty = None
    for name in names:
        value = _bytes(said[name])
        if value:
            return value
        empty = value if empty is None else empty
    return empty


def _bytes(value: object) -> bytes | None:
    if isinstance(value, str):
        try:
            return value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # half of a pair, written as \ud800
            return value.encode("utf-8", "replace")
    if isinstance(value, float):
        return b"%.3f" % value
    if isinstance(value, int) and not isinstance(value, bool):
        return b"%d" % value if abs(value) < 10**18 else None
    return None


def _caddy(said: dict[str, Any], request: dict[str, Any]) -> Line | None:
    """Caddy: `ts` in seconds since 1970 (UTC); `client_ip` came with 2.7, before it there is `remote_ip` alone."""
    day = _day(said.get("ts"))
    method, uri, status = (_bytes(value) for value in (request.get("method"), request.get("uri"), said.get("status")))
    if day is None or method is None or uri is None or status is None or not status.isdigit():
        return None
    if not isinstance(request.get("headers"), dict):
        raise NoAgent
    sent, answered = request["headers"], said.get("resp_headers")
    names = _header_names(tuple(sent))
    ahead = b"".join(_header(sent, one) for one in names[2:])
    typed = (
        _header(answered, _header_names(tuple(answered), ("content-type",))[0]) if isinstance(answered, dict) else b""
    )
    return Line(
        day,
        method + b" " + uri,
        status,
        _header(sent, names[0]),
        _header(sent, names[1]),
        _bytes(request.get("client_ip")) or _bytes(request.get("remote_ip")) or b"",
        _bytes(request.get("host")) or b"",
        typed,
        b"prefetch" in ahead.lower(),
    )


def _day(seconds: object) -> date | None:
    """The day of an instant in seconds since 1970."""
    if isinstance(seconds, float) and 1e8 <= (rounded := round(seconds, 3)) < 1e10:  # as `day_in` takes its text
        return date.fromordinal(_DAY_0 + int(rounded // 86_400))
    return day_in((_bytes(seconds) or b"").decode("latin-1"))


@lru_cache(maxsize=256)
def _header_names(keys: tuple[str, ...], wanted: tuple[str, ...] = _SENT) -> tuple[tuple[str, ...], ...]:
    """How the headers that are wanted are written here; of several the last counts."""
    return tuple(tuple(key for key in reversed(keys) if key.lower() == name) for name in wanted)


def _header(headers: dict[str, Any], names: tuple[str, ...]) -> bytes:
    """A header's text; each is a list, of which the first counts."""
    for name in names:
        values = headers[name]
        text = _bytes(values[0] if isinstance(values, list) and values else values)
        if text is not None:
            return text
    return b""
