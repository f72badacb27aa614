"""The limits of a fetch that a library does not keep: total time, and which addresses may be asked.

`timeout=` of requests limits each wait on the socket, not the whole ("timeout is not a time limit on the entire
response download", requests documentation, Quickstart). A server that sends a byte now and then holds such a client
for ever, in the headers as in the body and the TLS handshake.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Self

from monitor.model import FetchFailed

Clock = Callable[[], float]
SocketAddress = tuple[str, int] | tuple[str, int, int, int]
Resolver = Callable[[str, int], list[SocketAddress]]

_GLOBAL_UNICAST = IPv6Network("2000::/3")  # IANA IPv6 address space
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address


def system_resolver(host: str, port: int) -> list[SocketAddress]:
    """The addresses of a host by the system's resolver, in its order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [address for family, _, _, _, address in found if family in (socket.AF_INET, socket.AF_INET6)]  # type: ignore[misc]


def is_public(text: str) -> bool:
    """Whether an address is global unicast, looking through IPv4 addresses wrapped in IPv6 ones.

    >>> is_public("93.184.215.14"), is_public("100.64.0.1"), is_public("::ffff:127.0.0.1"), is_public("224.0.0.1")
    (True, False, False, False)
    """
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        inner = _inside(address)
        if inner is None:
            return address in _GLOBAL_UNICAST and address.is_global
        address = inner
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inside(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


class Watchdog:
    """Ends a fetch at its deadline (in seconds) by shutting down its sockets, whatever they wait for.

    It holds a `dup()` of each socket, because wrapping a socket in TLS detaches the one that was wrapped. To the reader
    a shutdown looks like the peer's end of data, so `expired` is asked after every step.
    """

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._clock, self._end = clock, clock() + seconds
        self._lock, self._held, self._fired = threading.Lock(), list[socket.socket](), False
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            while self._held:
                self._held.pop().close()

    @property
    def left(self) -> float:
        """Seconds until the deadline, never below zero."""
        return max(0.0, self._end - self._clock())

    @property
    def expired(self) -> bool:
        """Whether the deadline has passed."""
        return self._fired or self.left == 0

    def hold(self, sock: socket.socket) -> None:
        """Watch this socket too."""
        with self._lock:
            self._held.append(sock.dup())
            if self._fired:
                _shut(sock)

    def _cut(self) -> None:
        with self._lock:
            self._fired = True
            for sock in self._held:
                _shut(sock)


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the peer was faster


@dataclass(frozen=True)
class Dialer:
    """Connects to a host within the limits: looked up once, checked, connected, and checked again on the peer.

    `may_be_private` holds the hosts, in lower case, that the owner named and that may therefore stand at home.
    """

    watchdog: Watchdog
    connect: float
    may_be_private: frozenset[str]
    resolver: Resolver = system_resolver

    def __call__(self, host: str, port: int) -> socket.socket:
        """A connected socket. Raises `FetchFailed`: dns, forbidden_address, connection or timeout."""
        if self.watchdog.expired:
            raise FetchFailed("timeout", "before connecting")
        addresses = self._look_up(host, port)
        for address in addresses:
            self._check(host, address[0])
        trouble: OSError | None = None
        for address in addresses:
            if self.watchdog.expired:
                break
            try:
                sock = self._open(address)
            except OSError as error:
                trouble = error
                continue
            self._check_peer(host, sock)
            return sock
        late = trouble is None or isinstance(trouble, TimeoutError)
        raise FetchFailed("timeout" if late else "connection", "connecting" if late else said(trouble))

    def _look_up(self, host: str, port: int) -> list[SocketAddress]:
        """Ask the resolver in a thread of its own: the system's look-up knows no time limit."""
        answers: queue.SimpleQueue[list[SocketAddress] | OSError | UnicodeError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self.resolver(host, port))
            except (OSError, UnicodeError) as error:  # UnicodeError: a label of more than 63 letters
                answers.put(error)

        threading.Thread(target=ask, name="look-up", daemon=True).start()
        try:
            found = answers.get(timeout=self.watchdog.left)
        except queue.Empty:
            found = []
        if not isinstance(found, list) or not found:
            raise FetchFailed("dns", said(found) if isinstance(found, OSError) else "no answer")
        return found

    def _open(self, address: SocketAddress) -> socket.socket:
        sock = socket.socket(socket.AF_INET6 if len(address) == 4 else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.settimeout(max(0.001, min(self.connect, self.watchdog.left)))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.watchdog.hold(sock)
        except OSError:
            sock.close()
            raise
        return sock

    def _check_peer(self, host: str, sock: socket.socket) -> None:
        try:
            self._check(host, sock.getpeername()[0])
        except (OSError, FetchFailed) as error:
            sock.close()
            raise error if isinstance(error, FetchFailed) else FetchFailed("connection", said(error)) from None

    def _check(self, host: str, address: str) -> None:
        if plain_host(host) not in self.may_be_private and not is_public(address):
            raise FetchFailed("forbidden_address", address)


def plain_host(host: str) -> str:
    """A host's name for comparing: lower case, without brackets and the root's dot."""
    return host.strip("[]").rstrip(".").lower()


def said(error: OSError | None) -> str:
    """The system's own words for an error; they name no URL."""
    return (error.strerror if error else None) or type(error).__name__
