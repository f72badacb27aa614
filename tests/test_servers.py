"""Real web servers, each writing its own log: what they were asked is what is counted, to the last line."""

from __future__ import annotations

import gzip
import http.client
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.conftest import part
from tests.test_nginx import BOT, PERSON, Reader, answers

MODULES = Path("/usr/lib/apache2/modules")

APACHE = """
ServerName 127.0.0.1
ServerRoot {at}
{modules}
Listen 127.0.0.1:{port}
PidFile {at}/pid
DefaultRuntimeDir {at}
ErrorLog {at}/error.log
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
CustomLog {at}/logs/access.log combined
DocumentRoot {at}/site
DirectoryIndex index.html
TypesConfig /dev/null
<Directory {at}/site>
  Require all granted
</Directory>
"""
CADDY = """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{port} {{
  root * {at}/site
  file_server
  log {{
    output file {at}/logs/access.log {{
      roll_disabled
    }}
    format json
  }}
}}
"""
NGINX = """
daemon off; {user} pid {at}/pid; error_log {at}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  log_format vhost '$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent"';
  access_log {at}/logs/access.log {format};
  client_body_temp_path {at}/t1; proxy_temp_path {at}/t2; fastcgi_temp_path {at}/t3; uwsgi_temp_path {at}/t4;
  scgi_temp_path {at}/t5; default_type text/html;
  server {{ listen 127.0.0.1:{port}; root {at}/site; }}
}}
"""
LOGROTATE = """
{at}/logs/access.log {{
  rotate 9
  size 1
  {more}
  missingok
  nocreate
  postrotate
    kill -USR1 $(cat {at}/pid)
  endscript
}}
"""


@dataclass
class Server:
    """A running server with its log in `logs`."""

    folder: Path
    port: int
    asked: int = 0

    def ask(self, path: str, agent: str = PERSON, method: str = "GET", times: int = 1, **headers: str) -> None:
        for _ in range(times):
            self.asked += 1  # no two lines alike
            unique = f"{path}{'&' if '?' in path else '?'}n={self.asked}"
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            connection.request(method, unique, headers={"User-Agent": agent, **headers})
            connection.getresponse().read()
            connection.close()

    def visit(self) -> None:
        """Twelve page views and one of each thing that is none."""
        self.ask("/", times=5)
        self.ask("/hello/?utm_campaign=x", times=3, Referer="https://www.linkedin.com/feed/")
        self.ask("/hello/index.html", Referer="https://lnkd.in/abc")
        self.ask("/about.html", agent='a "quoted" \\ reader', times=2)
        self.ask("/caf%C3%A9.html")
        self.ask("/", agent=BOT)
        self.ask("/feed.xml", agent="Feedly/1.0")
        self.ask("/style.css")
        self.ask("/wp-login.php")
        self.ask("/nothing/here")
        self.ask("/", method="HEAD")

    @property
    def log(self) -> Path:
        return self.folder / "logs" / "access.log"

    def written(self, lines: int) -> None:
        """Wait until the log holds this many lines: a server may write them a moment after it answered."""
        wait_for(lambda: self.log.exists() and self.log.read_bytes().count(b"\n") >= lines, "write its log")


EXPECTED = {
    "all": 12,
    "feeds": 1,
    "/": 5,
    "/hello/": 4,
    "/about.html": 2,
    "/café.html": 1,
    "from linkedin.com": 4,
    "from -": 8,
    "not bot": 1,
    "not feed": 1,
    "not not_a_page": 1,
    "not noise": 1,
    "not status": 1,
    "not method": 1,
}
LINES = 18


def wait_for(done: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline, f"the server did not {what} within 20 s"
        time.sleep(0.01)


def site(folder: Path) -> int:
    """Make the pages, and find a port."""
    (folder / "site" / "hello").mkdir(parents=True)
    (folder / "logs").mkdir()
    pages = ("index.html", "about.html", "café.html", "hello/index.html", "style.css", "feed.xml", "wp-login.php")
    for name in pages:
        (folder / "site" / name).write_text("small")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[Server]:
    """The server, in the foreground, until the block ends."""
    environ = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environ, start_new_session=True)
    try:
        wait_for(lambda: process.poll() is not None or answers(port), "start")
        said = [path.read_text() for path in (folder / "output", folder / "error.log") if path.exists()]
        assert process.poll() is None, said
        yield Server(folder, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def counted(reader: Reader) -> dict[str, int]:
    """What it adds up to after one more look."""
    reader.look()
    return dict(reader.numbers)


def test_apache_s_own_log_agrees_with_what_it_was_asked(tmp_path: Path) -> None:
    program, port = part("apache2", "apache2"), site(tmp_path)
    names = ("mpm_event", "authz_core", "dir", "mime")
    modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in names)
    conf = tmp_path / "apache.conf"
    conf.write_text(APACHE.format(at=tmp_path, port=port, modules=modules))
    with running([program, "-f", str(conf), "-D", "FOREGROUND"], tmp_path, port) as server:
        server.visit()
        server.written(LINES)
    assert counted(Reader(tmp_path)) == EXPECTED


def test_caddy_s_own_json_agrees_with_what_it_was_asked(tmp_path: Path) -> None:
    program, port = part("caddy", "caddy"), site(tmp_path)
    conf = tmp_path / "Caddyfile"
    conf.write_text(CADDY.format(at=tmp_path, port=port))
    with running([program, "run", "--config", str(conf), "--adapter", "caddyfile"], tmp_path, port) as server:
        server.visit()
        server.written(LINES)
    assert counted(Reader(tmp_path)) == EXPECTED


def test_a_log_of_several_sites_counts_the_one_it_is_told_of(tmp_path: Path) -> None:
    program, port = part("nginx", "nginx-light"), site(tmp_path)
    with running(nginx(program, tmp_path, port, "vhost"), tmp_path, port) as server:
        server.visit()
        server.ask("/", times=3, Host="other.example.org")
        server.written(LINES + 3)
    reader = Reader(tmp_path)
    reader.source = replace(reader.source, vhosts=("127.0.0.1",))
    assert counted(reader) == EXPECTED | {"not other_host": 3}
    assert counted(Reader(tmp_path)) == EXPECTED | {"all": 15, "/": 8, "from -": 11}  # nobody said which


def test_logrotate_between_readings_loses_and_doubles_nothing(tmp_path: Path) -> None:
    program, rotate, port = part("nginx", "nginx-light"), part("logrotate", "logrotate"), site(tmp_path)
    conf = tmp_path / "rotate.conf"
    conf.write_text(LOGROTATE.format(at=tmp_path, more="compress\n  delaycompress"))
    conf.chmod(0o600)
    (tmp_path / "logs").chmod(0o700)
    rounds = 4
    with running(nginx(program, tmp_path, port, "combined"), tmp_path, port) as server:
        reader = Reader(tmp_path)
        for n in range(rounds):
            server.visit()
            server.written(LINES)
            if n % 2:
                reader.look()
            command = [rotate, "-f", "-s", str(tmp_path / "state"), str(conf)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
            wait_for(server.log.exists, "open its log again")
        found = counted(reader)
        reader.look()
    assert [gzip.decompress(path.read_bytes()).count(b"\n") for path in (tmp_path / "logs").glob("*.gz")] == [18] * 3
    assert found == {name: number * rounds for name, number in EXPECTED.items()}
    assert (reader.numbers, reader.gaps) == (Counter(found), 0)


def nginx(program: str, folder: Path, port: int, log_format: str) -> list[str]:
    """Write nginx's configuration; gives the command."""
    conf = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    conf.write_text(NGINX.format(at=folder, port=port, user=user, format=log_format))
    return [program, "-c", str(conf), "-e", str(folder / "error.log")]
