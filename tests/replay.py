"""A loopback web server that replays canned answers, for tests and by hand: `python -m tests.replay DIR PORT`.

    with Replay({"/search": Answer.html("<p>hello</p>"), "/api": [Answer(429), Answer.json({"views": 1})]}) as server:
        ...  # ask server.url + "/search"; server.requests says what was asked

A folder holds `routes.json`, a list of {"path", "method", "match", "status", "file", "headers", "drop", "drip"}: the
first entry whose path, method and `match` (fields of the query or the form) fit is served; all but `path` may be left
out.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Answer:
    """What is sent back. `drop` closes the connection without a word; `drip` waits that many seconds before each byte.

    A `Content-Length` of its own may promise more than there is: the connection is then closed after the body.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    drip: float = 0.0

    @classmethod
    def html(cls, text: str, status: int = 200, **headers: str) -> Self:
        return cls(status, text.encode(), {"Content-Type": "text/html; charset=utf-8", **headers})

    @classmethod
    def json(cls, data: object, status: int = 200, **headers: str) -> Self:
        return cls(status, json.dumps(data).encode(), {"Content-Type": "application/json", **headers})

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> Self:
        return cls(status, b"", {"Location": location})


@dataclass(frozen=True)
class Asked:
    """A request as it came in: header names in lower case, `at` in seconds of the monotonic clock."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float


Route = Answer | Sequence[Answer] | Callable[[Asked], Answer]


class Replay:
    """The server, running while the `with` block does. A list of answers is served in turn; its last one repeats."""

    def __init__(self, routes: Mapping[str, Route] | Path, port: int = 0) -> None:
        self.routes = dict(read_folder(routes) if isinstance(routes, Path) else routes)
        self.requests: list[Asked] = []
        self.stopping = threading.Event()
        self._served: dict[str, int] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), self)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def asked(self, path: str) -> list[Asked]:
        """The requests for one path."""
        return [request for request in self.requests if request.path == path]

    def answer(self, request: Asked) -> Answer:
        with self._lock:
            self.requests.append(request)
            turn = self._served[request.path] = self._served.get(request.path, -1) + 1
        route = self.routes.get(request.path, Answer(404, b"no such route"))
        if isinstance(route, Answer):
            return route
        return route(request) if callable(route) else route[min(turn, len(route) - 1)]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], replay: Replay) -> None:
        super().__init__(address, _Handler)
        self.replay = replay

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1]
        if not isinstance(error, ConnectionError):  # a client that gave up is what many tests are about
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        replay, parts = self.server.replay, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        self._send(
            replay.answer(
                Asked(
                    method=self.command,
                    path=parts.path,
                    query=_fields(parts.query),
                    form=_fields(body.decode("utf-8", "replace")) if is_form else {},
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=body,
                    at=time.monotonic(),
                )
            )
        )

    def do_POST(self) -> None:
        self.do_GET()

    def _send(self, answer: Answer) -> None:
        if answer.drop:
            self.close_connection = True
            return
        headers = {name.lower(): (name, value) for name, value in answer.headers.items()}
        self.send_response_only(answer.status)
        for name, value in {"date": ("Date", self.date_time_string()), **headers}.values():
            self.send_header(name, value)
        if "content-length" in headers:
            self.close_connection = headers["content-length"][1] != str(len(answer.body))
        elif answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self._send_body(answer)

    def _send_body(self, answer: Answer) -> None:
        if not answer.drip:
            self.wfile.write(answer.body)
            return
        for byte in answer.body:
            if self.server.replay.stopping.wait(answer.drip):
                self.close_connection = True
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        return


def _fields(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def read_folder(folder: Path) -> dict[str, Route]:
    """The routes of a folder. Raises ValueError for an entry that is not understood or a file outside the folder."""
    known = {"path", "method", "match", "status", "file", "headers", "drop", "drip"}
    entries: dict[str, list[tuple[Mapping[str, Any], Answer]]] = {}
    for entry in json.loads((folder / "routes.json").read_text(encoding="utf-8")):
        if "path" not in entry or (unknown := set(entry) - known):
            trouble = "has no path" if "path" not in entry else f"has unknown keys {sorted(unknown)}"
            raise ValueError(f"routes.json: {entry} {trouble}")
        entries.setdefault(entry["path"], []).append((entry, _answer(folder, entry)))
    return {path: _choice(listed) for path, listed in entries.items()}


def _answer(folder: Path, entry: Mapping[str, Any]) -> Answer:
    body = b""
    if "file" in entry:
        file = (folder / entry["file"]).resolve()
        if not file.is_relative_to(folder.resolve()):
            raise ValueError(f"routes.json: {entry['file']} is outside the folder")
        body = file.read_bytes()
    return Answer(
        status=entry.get("status", 200),
        body=body,
        headers=entry.get("headers", {}),
        drop=entry.get("drop", False),
        drip=entry.get("drip", 0.0),
    )


def _choice(listed: Sequence[tuple[Mapping[str, Any], Answer]]) -> Callable[[Asked], Answer]:
    def choose(request: Asked) -> Answer:
        fields = {**request.query, **request.form}
        for entry, answer in listed:
            if (
                entry.get("method", request.method) == request.method
                and entry.get("match", {}).items() <= fields.items()
            ):
                return answer
        return Answer(404, b"no such route")

    return choose


def main(arguments: Sequence[str]) -> int:
    """Serve a folder until interrupted."""
    if len(arguments) != 2 or not arguments[1].isdecimal():
        print("usage: python -m tests.replay DIR PORT", file=sys.stderr)
        return 2
    with Replay(Path(arguments[0]), int(arguments[1])) as server:
        print(server.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
