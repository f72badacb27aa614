"""What a misbehaving host says, and what a fault is: the words in which tests/fault_table.py is written."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from typing import Literal

from monitor.reasons import advice
from tests.made import NOW

DOMAIN = "faults.example"
WHO = "Zoë Müller"
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Talk:
    """A request that came in: what was asked, and the socket to answer on. `port` is that of the server."""

    sock: socket.socket
    path: str
    url: str
    port: int
    over: threading.Event

    def drip(self, start: bytes, drop: bytes, seconds: float = 0.03) -> None:
        """Send `start`, then `drop` for ever: every wait is short, the whole is endless."""
        self.sock.sendall(start)
        while not self.over.wait(seconds):
            self.sock.sendall(drop)

    def reset(self) -> None:
        """Close so that the other side sees a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Speak = Callable[[Talk], object]  # what is said; true when the connection stays open for another request


@dataclass(frozen=True)
class Fault:
    """One fault, and how it must end: outcome, reason, the sentence's detail, when the host may be asked again.

    `scheme` is empty when it is tried over HTTP and TLS. `blamed` is the host that the sentence names, when it is not
    the one asked. `title` is what must be read where the page is read all the same.
    """

    name: str
    happens: str
    outcome: str
    reason: str
    speak: Speak
    detail: str = ""
    kind: Literal["duckduckgo", "brave", "github"] = "duckduckgo"
    scheme: Literal["", "http", "https"] = ""
    port: Literal["open", "closed", "full"] = "open"
    certificate: Literal["good", "unknown", "elsewhere", "expired"] = "good"
    below_tls: bool = False
    blamed: str = ""
    not_before: timedelta | None = None
    title: str = ""

    @property
    def host(self) -> str:
        """Its host: one each, for the breaker counts by host."""
        return f"{self.name}.{DOMAIN}"

    @property
    def told(self) -> str:
        """The sentence that the owner reads."""
        return advice(self.reason, host=self.blamed or self.host, detail=self.detail, name=self.name)


# --- what is said --------------------------------------------------------------------------------------------------


def answer(status: int = 200, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """A whole answer; `length` may lie."""
    lines = [f"HTTP/1.1 {status} So", *headers]
    if not any(line.lower().startswith("transfer-encoding") for line in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def says(data: bytes) -> Speak:
    """Say this and close."""
    return lambda talk: talk.sock.sendall(data)


def drips(start: bytes, drop: bytes, seconds: float = 0.03) -> Speak:
    """Say `start`, then `drop` for ever."""
    return lambda talk: talk.drip(start, drop, seconds)


def leads(location: str, status: int = 302) -> Speak:
    """Redirect, `{port}` filled in."""
    return lambda talk: talk.sock.sendall(answer(status, b"", f"Location: {location.format(port=talk.port)}"))


def nothing(talk: Talk) -> None:
    """Close without a word."""


def only_listens(talk: Talk) -> None:
    talk.over.wait()


def resets(talk: Talk) -> None:
    talk.reset()


def resets_midway(talk: Talk) -> None:
    talk.sock.sendall(answer(200, b"<html>half", length=1000))
    talk.over.wait(0.2)  # a reset takes what the other side has not read yet: let it read the half
    talk.reset()


def circle(talk: Talk) -> None:
    talk.sock.sendall(answer(302, b"", f"Location: {'/html/' if talk.path == '/there' else '/there'}"))


def ever_new(talk: Talk) -> None:
    talk.sock.sendall(answer(302, b"", f"Location: {talk.path}x"))


def slow_redirects(talk: Talk) -> None:
    talk.over.wait(0.2)
    ever_new(talk)


def kept_then_drips(talk: Talk) -> bool:
    if talk.path == "/there":
        talk.drip(b"HTTP/1.1 200 OK\r\nX-A: ", b"a")
    talk.sock.sendall(answer(302, b"", "Location: /there", "Connection: keep-alive", "Keep-Alive: timeout=60"))
    return True


def kept_then_good(talk: Talk) -> bool:
    if talk.path == "/there":
        talk.sock.sendall(answer(200, page().encode(), HTML))
    else:
        talk.sock.sendall(answer(302, b"", "Location: /there", "Connection: keep-alive"))
    return True


def to_captcha(talk: Talk) -> None:
    sent = answer(200, b"<p>prove it") if talk.path == "/sorry/index" else answer(302, b"", "Location: /sorry/index")
    talk.sock.sendall(sent)


HTML = "Content-Type: text/html; charset=utf-8"
PLAIN = "Content-Type: text/html"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
GZIP = "Content-Encoding: gzip"


def page(head: str = "", more: str = "", who: str = WHO) -> str:
    """A page of five results about somebody."""
    results = "".join(
        f'<div class="result"><h2><a class="result__a" href="https://{n}.example/zoe">{who} {n}</a></h2></div>'
        for n in range(1, 6)
    )
    return f'<!DOCTYPE html>\n<html><head>{head}</head><body><input name="q">{results}{more}</body></html>'


def brave() -> bytes:
    found = [{"type": "search_result", "url": f"https://{n}.example/zoe", "title": f"{WHO} {n}"} for n in range(1, 6)]
    whole = {"type": "search", "query": {"original": WHO}, "web": {"type": "search", "results": found}}
    return json.dumps(whole, ensure_ascii=False).encode()


def bomb(megabytes: int) -> bytes:
    """One gzip stream of zeros, whose end is never reached: it is made of one megabyte, packed once."""
    engine = zlib.compressobj(9, wbits=-15)
    one = engine.compress(bytes(2**20)) + engine.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + one * megabytes


def http_date(ahead: timedelta) -> str:
    return format_datetime(NOW + ahead, usegmt=True)


PACKED = gzip.compress(page().encode())
BOMB = answer(200, bomb(1024), HTML, GZIP)
BOMB_IN_REDIRECT = answer(302, bomb(1024), GZIP, "Location: /there")
LONG_HEADERS = b"HTTP/1.1 200 OK\r\n" + (b"X-A: " + b"a" * 65_000 + b"\r\n") * 99 + b"\r\n"
MANY_HEADERS = b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\n"
MANY_TAGS = answer(200, b"<p>x" * 500_000, HTML)
NO_WORD_OF_THE_WEB = bytes(range(1, 256)) * 20
CAPTCHA = b'<html><body><h1>Are you a person?</h1><div class="h-captcha" data-sitekey="0"></div></body></html>'
CHALLENGE = b'<html><body><form id="challenge-form" action="//duckduckgo.com/anomaly.js"></form></body></html>'
CONSENT = b'<html><body><form action="https://consent.faults.example/save" method="POST"></form></body></html>'
SCRIPTED = b"<html><body><noscript>Please enable JavaScript</noscript></body></html>"
LIMITED = (
    "X-RateLimit-Remaining: 0",
    f"X-RateLimit-Reset: {int((NOW + 0.75 * HOUR).timestamp())}",
)
MESSAGE = b'{"message": "API rate limit exceeded"}'
