"""JSON lines: nginx with keys of the owner's choice, Caddy, Traefik."""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import Any

from monitor.sources.page_views.formats.line import Line, day_in

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
    for text in (line, _HIGH.sub(rb"\\udc\1", _LOW.sub(rb"\\u00\1", line))):
        try:
            said = json.loads(text.decode("utf-8", "surrogateescape"), strict=False)
        except (ValueError, RecursionError):
            continue
        return said if isinstance(said, dict) else None
    return None


def _flat(said: dict[str, Any]) -> Line | None:
    keys = {key.lower().replace("-", "_"): value for key, value in said.items()}
    got = {field: _first(keys, names) for field, names in _NAMES.items()}
    day = day_in((got["time"] or b"").decode("latin-1"))
    request = got["request"]
    if request is None and got["uri"] is not None and got["method"] is not None:
        query = got["query"]
        more = b"?" + query if query and query != b"-" and b"?" not in got["uri"] else b""
        request = got["method"] + b" " + got["uri"] + more
    status = got["status"]
    if day is None or request is None or status is None or not (status.isdigit() or status == b""):
        return None
    if got["agent"] is None:
        raise NoAgent
    return Line(
        day,
        request,
        status,
        got["referer"] or b"",
        got["agent"],
        got["address"] or b"",
        got["host"] or b"",
        got["media"] or b"",
        b"prefetch" in (got["ahead"] or b"").lower(),
    )


def _first(keys: dict[str, Any], names: tuple[str, ...]) -> bytes | None:
    """The first of these keys that holds text or a number; empty text only where no other does."""
    empty = None
    for name in names:
        value = _bytes(keys.get(name))
        if value:
            return value
        empty = value if empty is None else empty
    return empty


def _bytes(value: object) -> bytes | None:
    if isinstance(value, float):
        return f"{value:.3f}".encode()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value).encode() if abs(value) < 10**18 else None
    if not isinstance(value, str):
        return None
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair, written as \ud800
        return value.encode("utf-8", "replace")


def _caddy(said: dict[str, Any], request: dict[str, Any]) -> Line | None:
    """Caddy: `ts` in seconds since 1970 (UTC); `client_ip` came with 2.7, before it there is `remote_ip` alone."""
    sent, answered = _headers(request.get("headers")), _headers(said.get("resp_headers"))
    day = day_in((_bytes(said.get("ts")) or b"").decode("latin-1"))
    method, uri, status = (_bytes(value) for value in (request.get("method"), request.get("uri"), said.get("status")))
    if day is None or method is None or uri is None or status is None or not status.isdigit():
        return None
    if not isinstance(request.get("headers"), dict):
        raise NoAgent
    purpose = sent.get("sec-purpose", b"") + sent.get("purpose", b"") + sent.get("x-moz", b"")
    return Line(
        day,
        method + b" " + uri,
        status,
        sent.get("referer", b""),
        sent.get("user-agent", b""),
        _bytes(request.get("client_ip")) or _bytes(request.get("remote_ip")) or b"",
        _bytes(request.get("host")) or b"",
        answered.get("content-type", b""),
        b"prefetch" in purpose.lower(),
    )


def _headers(said: object) -> dict[str, bytes]:
    """Headers by lower-case name; each is a list, of which the first counts."""
    found = {}
    for name, values in said.items() if isinstance(said, dict) else ():
        value = values[0] if isinstance(values, list) and values else values
        if (text := _bytes(value)) is not None:
            found[name.lower()] = text
    return found
