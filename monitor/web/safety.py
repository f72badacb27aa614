r"""ASGI wrapper: who may ask, and what a browser may do with the answer.

Datasette answers any Host header, so that a web page could read an unprotected 127.0.0.1 instance by DNS rebinding;
and 0.65 redirects `/\host/` to another site (simonw/datasette issue #2680). Both are refused here. The headers keep
every page from asking any other host (`Content-Security-Policy`) and from telling where it was left for.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from datasette.version import __version__

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def core_scripts(version: str) -> str:
    """What a page of ours must allow of Datasette's own scripts: nothing on 0.65, whose frame has none we keep.

    The frame of 1.0 loads its menu and its search from files, and says its version in one inline line.

    >>> core_scripts("0.65.5")
    ''
    """
    if version.startswith("0."):
        return ""
    line = sha256(f"window.datasetteVersion = '{version}';".encode()).digest()
    return f" script-src 'self' 'sha256-{b64encode(line).decode()}'; connect-src 'self';"


HOME_POLICY = (
    f"default-src 'none';{core_scripts(__version__)} style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# Datasette's own table, row and query pages hold inline scripts and styles (simonw/datasette issue #1362).
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What a page of ours may say itself: the kept page forbids more, and is framed by the page of its reading.
OWN = frozenset({"content-security-policy", "x-frame-options", "cross-origin-opener-policy"})
HEADERS = MappingProxyType(
    {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "x-frame-options": "DENY",
        "x-robots-tag": "noindex",
        "cache-control": "private, no-cache",
    }
)


def host_name(header: str) -> str:
    """The name in a Host header, without port, brackets, letter case and final dot.

    >>> host_name("LOCALHOST:8001"), host_name("[::1]:8001"), host_name("example.org.")
    ('localhost', '::1', 'example.org')
    """
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].removesuffix(".")


def refusal(scope: Scope, allowed: Iterable[str]) -> str:
    """Why this request is refused, in a sentence for the owner; empty when it is not."""
    hosts = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == b"host"]
    name = host_name(hosts[0]) if len(hosts) == 1 else ""
    if not name:
        return "This request does not name one host, so it is not answered."
    if name not in LOOPBACK and name not in {host_name(host) for host in allowed}:
        shown = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "-.:_"))[:253]
        return (
            f"Monitor does not answer under the name {shown}. If that is its name, write this into config.toml "
            f'and start it again:\n\n[web]\nallowed_hosts = ["{shown}"]\n'
        )
    raw = scope.get("raw_path") or scope.get("path", "").encode()
    if b"\\" in raw or "\\" in scope.get("path", ""):  # as sent, and as %5C
        return "A path with a backslash is not answered."
    return ""


def wrap(
    app: App, active: Callable[[], Awaitable[bool]], allowed: Callable[[], Iterable[str]], home: str, ours: str
) -> App:
    """The app behind the checks.

    `active` says whether a database of ours is served; `home` is the home page's path, `ours` the beginning of those of
    the pages behind it: all of them without a script.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not await active():
            await app(scope, receive, send)
            return
        why = refusal(scope, allowed())
        if why:
            await _refuse(why, send)
            return
        own = OWN if scope["path"].startswith(ours) else frozenset()
        policy = HOME_POLICY if scope["path"] == home or own else POLICY

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": protected(message.get("headers", ()), policy, own)}
            await send(message)

        await app(scope, receive, with_headers)

    return guarded


def protected(
    headers: Iterable[tuple[bytes, bytes]], policy: str, own: frozenset[str] = frozenset()
) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with ours in place; a stricter `no-store` of Datasette's stays, and what is `own`."""
    ours = {**HEADERS, "content-security-policy": policy}
    kept = []
    for key, value in headers:
        name = key.decode("latin-1").lower()
        if name in own or (name == "cache-control" and b"no-store" in value):
            ours.pop(name, None)
            kept.append((key, value))
        elif name not in ours:
            kept.append((key, value))
    return kept + [(key.encode(), value.encode()) for key, value in ours.items()]


async def _refuse(why: str, send: Send) -> None:
    body = why.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": protected(headers, HOME_POLICY)})
    await send({"type": "http.response.body", "body": body})
