"""How requests connects for us: by our dialer, with the owner's own authorities, and reading no line without end.

A connection serves one hop and is never used again: each has the watchdog's and the dialer's eyes on it from its
first packet.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from monitor.fetch.guard import Dialer
from monitor.model import FetchFailed

MOST_LINES = 524_288  # bytes of status line, headers, chunk sizes and trailers; browsers take 256 KiB of headers

Dial = Callable[[str, int], socket.socket]


class _Bounded:
    """The stream of an answer, from which neither endless lines nor an unmeasured rest can be read.

    http.client limits a header line to 64 KiB and their number to 100, which together may be 6 MB and several times
    that when parsed; and a chunk that says it is -1 bytes long would be read to the end of the stream, in one piece.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._left = stream, MOST_LINES

    def readline(self, limit: int = -1) -> bytes:
        """One line, `limit` bytes of it at most. Raises `FetchFailed("too_large")`."""
        line = self._stream.readline(min(limit, self._left + 1) if limit >= 0 else self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise FetchFailed("too_large", f"headers over {MOST_LINES} bytes")
        return line

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes. Raises `FetchFailed("truncated")` for a size that is none."""
        if size is None or size < 0:
            raise FetchFailed("truncated", "a piece of no length")
        return self._stream.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Answer(http.client.HTTPResponse):
    """http.client's answer over a bounded stream."""

    def __init__(self, sock: socket.socket, *args: Any, **settings: Any) -> None:
        super().__init__(sock, *args, **settings)
        self.fp: Any = _Bounded(self.fp)


class _Plain(HTTPConnection):
    """urllib3's connection, with our way to connect."""

    response_class = _Answer

    def __init__(self, dial: Dial, **settings: Any) -> None:
        super().__init__(**settings)
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        return self._dial(self._dns_host, self.port)


class _Tls(HTTPSConnection):
    """The same over TLS."""

    response_class = _Answer

    def __init__(self, dial: Dial, context: ssl.SSLContext | None, **settings: Any) -> None:
        super().__init__(**(settings | {"ssl_context": context} if context else settings))
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        return self._dial(self._dns_host, self.port)


class Adapter(HTTPAdapter):
    """requests' adapter for one hop: a pool of its own whose connection is made by our dialer.

    `ca_file` holds certificates that are trusted beside the usual ones. Sending raises `FetchFailed("tls")` when it
    cannot be read.
    """

    def __init__(self, dialer: Dialer, ca_file: Path | None = None) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self._dialer, self._ca_file = dialer, ca_file

    def get_connection_with_tls_context(self, request, verify, proxies=None, cert=None):  # type: ignore[no-untyped-def]
        """The pool for a request, as requests makes it, but for the class of its connections."""
        pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
        if pool.scheme == "https":
            pool.ConnectionCls = partial(_Tls, self._dialer, trusting(self._ca_file) if self._ca_file else None)
        else:
            pool.ConnectionCls = partial(_Plain, self._dialer)
        return pool


def trusting(ca_file: Path) -> ssl.SSLContext:
    """A context that trusts the file's certificates; requests adds the usual authorities to it.

    Raises `FetchFailed("tls")` when the file cannot be read.
    """
    context = create_urllib3_context()
    try:
        context.load_verify_locations(cafile=ca_file)
    except OSError:  # ssl.SSLError is one
        raise FetchFailed("tls", f"no certificate can be read from the ca_file {ca_file.name}") from None
    return context
