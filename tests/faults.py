"""A server that misbehaves in every way we know, and the table of what Monitor makes of each.

    with Faults(folder) as server:
        ...  # ask http://dripping-body.faults.example:PORT or https://..., looked up by `resolver`

One port speaks HTTP and TLS; the host's name says which fault is wanted. docs/faults.md is made from the same table.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from monitor.fetch.guard import SocketAddress
from tests.fault_table import TABLE
from tests.fault_words import DOMAIN, Fault, Talk, answer

PUBLIC = "93.184.215.14"  # what rebound.example is looked up as; the tests lead it to this machine


def resolver(host: str, port: int) -> list[SocketAddress]:
    """A look-up that knows the table's names and every spelling of an address."""
    name = host.rstrip(".").lower()
    if name == f"no-such-name.{DOMAIN}":
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if name in ("rebound.example", "two-faced.example"):
        return [(PUBLIC, port), ("127.0.0.1", port)][: 2 if name == "two-faced.example" else 1]
    if name.endswith(f".{DOMAIN}") or name in ("localhost", "inside.example"):
        return [("127.0.0.1", port)]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [entry[4] for entry in found]  # type: ignore[misc]


@dataclass(frozen=True)
class Asked:
    """A request as it came in, and the number of the connection it came on."""

    host: str
    path: str
    connection: int


class Faults:
    """The server, running while the `with` block does."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[Asked] = []
        self.ca_file = folder / "ca.pem"
        self._contexts = _contexts(self.ca_file)
        self._over, self._open, self._connections = threading.Event(), ExitStack(), 0
        self._server = self._open.enter_context(socket.create_server(("127.0.0.1", 0), backlog=50))
        full = self._open.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        with socket.create_server(("127.0.0.1", 0)) as closed:
            ports = {"open": self._server, "full": full, "closed": closed}
            self.ports = {name: sock.getsockname()[1] for name, sock in ports.items()}
        for _ in range(3):  # a queue that is full answers no more
            waiting = self._open.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._open.close()

    def config(self, scheme: str, faults: tuple[Fault, ...]) -> str:
        """The config whose sources are the faults, named after them."""
        blocks = []
        for fault in faults:
            url = f"{scheme}://{fault.host}:{self.ports[fault.port]}"
            said = {
                "duckduckgo": f'[[search]]\nkind = "duckduckgo"\nurl = "{url}/html/"\n',
                "brave": f'[[search]]\nkind = "brave"\npages = 1\nurl = "{url}/brave"\n',
                "github": f'[[profiles]]\nkind = "github"\nuser = "zoe"\nurl = "{url}"\n',
            }[fault.kind]
            blocks.append(f'{said}name = "{fault.name}"\n')
        return (
            '[owner]\nname = "Zoë Müller"\ntimezone = "UTC"\n[labels]\nmine = ["2.example"]\n'
            '[fetch]\nspacing = "0s"\nca_file = "ca.pem"\n' + "\n".join(blocks)
        )

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._server.accept()
            except OSError:
                return
            self._connections += 1
            threading.Thread(target=self._serve, args=(sock, self._connections), daemon=True).start()

    def _serve(self, sock: socket.socket, connection: int) -> None:
        with ExitStack() as closing, suppress(OSError):
            closing.enter_context(sock)
            first = sock.recv(4096, socket.MSG_PEEK)
            secure = first[:1] == b"\x16"
            if secure:
                fault = _named(first)
                if fault and fault.below_tls:
                    sock.recv(65_536)
                    fault.speak(Talk(sock, "", "", 0, self._over))
                    return
                context = self._contexts[fault.certificate if fault else "good"]
                sock = closing.enter_context(context.wrap_socket(sock, server_side=True))
            for head in _requests(sock):
                path = head.split(b" ")[1].decode("latin-1")
                host = re.search(rb"\r\nHost: ([^\r]*)", head, re.I)
                name = host[1].decode() if host else ""
                self.asked.append(Asked(name.partition(":")[0], path, connection))
                fault = _named(name.encode())
                scheme = "https" if secure else "http"
                if fault is None:  # where a redirect led to
                    sock.sendall(answer(200, b"<p>Before you go on"))
                    return
                talk = Talk(sock, path, f"{scheme}://{name}", self.ports["open"], self._over)
                if not fault.speak(talk):
                    return


def _requests(sock: socket.socket) -> Iterator[bytes]:
    """The head of each request on a connection; its body is read, or closing would reset the connection."""
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            more = sock.recv(65_536)
            if not more:
                return
            data += more
        head, _, data = data.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head, re.I)
        while length and len(data) < int(length[1]):
            data += sock.recv(65_536)
        data = data[int(length[1]) :] if length else data
        yield head


def _named(text: bytes) -> Fault | None:
    """The fault whose host is named: in a TLS hello the name stands in the clear."""
    found = re.search(rb"([a-z0-9-]+)\.faults\.example", text)
    return next((fault for fault in TABLE if found and fault.name == found[1].decode()), None)


def _contexts(ca_file: Path) -> dict[str, ssl.SSLContext]:
    import trustme

    ours, unknown = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(ca_file)
    names = [f"*.{DOMAIN}"]
    leaves: dict[str, Any] = {
        "good": ours.issue_cert(*names),
        "unknown": unknown.issue_cert(*names),
        "elsewhere": ours.issue_cert("elsewhere.example"),
        "expired": ours.issue_cert(*names, not_after=datetime(2020, 1, 1, tzinfo=UTC)),
    }
    contexts = {name: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for name in leaves}
    for name, context in contexts.items():
        leaves[name].configure_cert(context)
    return contexts
