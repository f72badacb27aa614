"""A real nginx: what it was asked is what is counted, while its log is rotated and packed between the readings."""

from __future__ import annotations

import gzip
import http.client
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.fetch.files import read
from monitor.model import Context, LogCursor, NotCounted, PageViews, Referrer, SiteViews
from monitor.sources.page_views.access_log import AccessLog
from tests.conftest import part

PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CONF = """
daemon off; {user} pid {at}/pid; error_log {at}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log {at}/logs/access.log combined;
  client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3; uwsgi_temp_path {at}/t4;
  scgi_temp_path {at}/t5; default_type text/html;
  server {{ listen 127.0.0.1:{port}; root {at}/site; location = /old {{ return 301 /about.html; }} }}
}}
"""


@dataclass
class Nginx:
    """A running nginx with its logs in `logs`."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    asked: int = 0

    def ask(self, path: str, agent: str = PERSON, method: str = "GET", times: int = 1, **headers: str) -> None:
        for _ in range(times):
            self.asked += 1  # no two lines alike: in life the time of day sees to that, here a second is a long time
            unique = f"{path}{'&' if '?' in path else '?'}n={self.asked}"
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            connection.request(method, unique, headers={"User-Agent": agent, **headers})
            connection.getresponse().read()
            connection.close()

    def raw(self, request: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(request)
            connection.recv(1000)

    def reopen(self) -> None:
        log = self.folder / "logs" / "access.log"
        self.process.send_signal(signal.SIGUSR1)
        wait_for(log.exists)


def wait_for(what: object) -> None:
    deadline = time.monotonic() + 10
    while not what():  # type: ignore[operator]
        assert time.monotonic() < deadline, "nginx did not do it within 10 s"
        time.sleep(0.01)


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    program = part("nginx", "nginx-light")
    site = tmp_path / "site"
    (site / "hello").mkdir(parents=True)
    (tmp_path / "logs").mkdir()
    for name in ("index.html", "about.html", "hello/index.html", "style.css", "feed.xml", "wp-login.php"):
        (site / name).write_text("small")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    conf = tmp_path / "nginx.conf"
    conf.write_text(CONF.format(at=tmp_path, port=port, user="user root;" if os.geteuid() == 0 else ""))
    process = subprocess.Popen([program, "-c", str(conf), "-e", str(tmp_path / "error.log")])
    try:
        wait_for(lambda: process.poll() is not None or answers(port))
        assert process.poll() is None, (tmp_path / "error.log").read_text()
        yield Nginx(tmp_path, port, process)
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(10)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Reader:
    """Reads on with the cursors of before, and adds up."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.source = folder, AccessLog(files="logs/access.log*")
        self.cursors: dict[int, LogCursor] = {}
        self.numbers: Counter[str] = Counter()
        self.gaps = 0

    def look(self) -> None:
        now = datetime.now(UTC)
        ctx = Context(now=now, day=now.date(), cursors=tuple(self.cursors.values()))
        for request in self.source.requests(ctx):
            for batch in read(request, self.folder):  # type: ignore[arg-type]
                row = batch.after.id or len(self.cursors) + 1
                self.cursors[row] = replace(batch.after, id=row)
                self.gaps += len(batch.gaps)
                for record in self.source.parse(batch.capture, ctx).records:
                    match record:
                        case SiteViews(_, views, feed_views=feeds):
                            self.numbers["all"] += views
                            self.numbers["feeds"] += feeds or 0
                        case PageViews(_, path, views):
                            self.numbers[path] += views
                        case Referrer(_, host, _, views):
                            self.numbers[f"from {host}"] += views
                        case NotCounted(_, reason, lines):
                            self.numbers[f"not {reason}"] += lines


def visit(nginx: Nginx) -> None:
    """Thirteen page views and one of each thing that is none."""
    nginx.ask("/", times=5)
    nginx.ask("/hello/?utm_campaign=x", times=3, Referer="https://www.linkedin.com/feed/")
    nginx.ask("/hello/index.html", times=2, Referer="https://lnkd.in/abc")
    nginx.ask("/about.html", agent='a "quoted" reader\xe9', times=2)
    nginx.ask("/?p=7")
    nginx.ask("/", agent=BOT)
    nginx.ask("/feed.xml", agent="Feedly/1.0")
    nginx.ask("/style.css")
    nginx.ask("/wp-login.php")
    nginx.ask("/old")
    nginx.ask("/nothing/here")
    nginx.ask("/", method="HEAD")
    nginx.raw(b"\x16\x03\x01\x02\x00\x01\r\n\r\n")


def test_page_views_agree_with_what_was_asked(nginx: Nginx) -> None:
    reader, logs = Reader(nginx.folder), nginx.folder / "logs"
    rounds = 4
    visit(nginx)
    reader.look()
    visit(nginx)
    (logs / "access.log").rename(logs / "access.log.1")
    reader.look()
    nginx.ask("/late")  # nginx still writes to the renamed file
    nginx.ask("/hello/")
    nginx.reopen()
    visit(nginx)
    (logs / "access.log.1.gz").write_bytes(gzip.compress((logs / "access.log.1").read_bytes()))
    (logs / "access.log.1").unlink()
    reader.look()
    (logs / "access.log.1.gz").rename(logs / "access.log.2.gz")
    (logs / "access.log").rename(logs / "access.log.1")
    nginx.reopen()
    visit(nginx)
    reader.look()
    reader.look()
    assert reader.gaps == 0
    assert reader.numbers == {
        "all": 13 * rounds + 1,
        "feeds": rounds,
        "/": 5 * rounds,
        "/hello/": 5 * rounds + 1,
        "/about.html": 2 * rounds,
        "/?p=7": rounds,
        "from linkedin.com": 5 * rounds,
        "from -": 8 * rounds + 1,
        "not bot": rounds,
        "not feed": rounds,
        "not not_a_page": rounds,
        "not noise": rounds,
        "not status": 2 * rounds + 1,
        "not method": 2 * rounds,
    }
