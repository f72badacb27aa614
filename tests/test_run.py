"""`monitor run` as a process and what signals do to it: a changed config, an end in order, an end at once."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from monitor.cli.run import LAST_SECONDS
from tests.conftest import PAGES, ROOT
from tests.replay import Answer, Replay

DUCK = (PAGES / "duckduckgo" / "ok.html").read_bytes()
HEAD = '[owner]\nname = "Jane Example"\n[fetch]\nspacing = "0s"\n[web]\nport = 0\n'
BLOCK = '[[search]]\nkind = "duckduckgo"\nname = "{}"\nurl = "{}/html/"\n'


def until(ready: Callable[[], Any], seconds: float = 30, what: Callable[[], object] = lambda: "") -> Any:
    """What `ready` gives once it gives anything, or a bound that only a hang reaches."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := ready():
            return found
        time.sleep(0.02)
    raise AssertionError(f"in vain: {what()}")


class Running:
    """A `monitor run` and what it said."""

    def __init__(self, folder: Path, *args: str, code: str = "", **environ: str) -> None:
        self.folder, self.out = folder, folder / "said.txt"
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, *(("-c", code) if code else ("-m", "monitor", "run", *args))],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.out.read_text()

    def says(self, pattern: str) -> re.Match[str]:
        found: re.Match[str] = until(lambda: re.search(pattern, self.said), what=lambda: self.said)
        return found

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.folder / 'presence.db'}?mode=ro", uri=True)) as conn:
            return conn.execute(sql).fetchall()

    def ends(self, seconds: float = 20) -> int:
        return self.process.wait(seconds)


@contextmanager
def running(folder: Path, *args: str, code: str = "", **environ: str) -> Iterator[Running]:
    monitor = Running(folder, *args, code=code, **environ)
    try:
        yield monitor
    finally:
        if monitor.process.poll() is None:
            monitor.process.kill()
        monitor.process.wait(10)


@pytest.fixture
def server() -> Iterator[Replay]:
    with Replay({"/html/": Answer(200, DUCK, {"Content-Type": "text/html"})}) as server:
        yield server


def test_hang_up_reads_the_config_again(tmp_path: Path, server: Replay) -> None:
    path = tmp_path / "config.toml"
    path.write_text(HEAD + BLOCK.format("one", server.url))
    with running(tmp_path) as monitor:
        monitor.says("one: ok")
        path.write_text(HEAD + '[labels]\nmine = ["example.org"]\n' + BLOCK.format("two", server.url))
        monitor.process.send_signal(signal.SIGHUP)
        monitor.says("read again: 1 sources; new: two; retired: one")
        monitor.says("two: ok")
        assert monitor.rows("select name from sources where retired_at is null") == [("two",)]
        assert monitor.rows("select count(*) > 0 from daily_ranks") == [(1,)]
        assert len(server.requests) == 2

        path.write_text(HEAD + BLOCK.format("two", server.url) + 'evry = "1d"\n')
        refused = subprocess.run(
            [sys.executable, "-m", "monitor", "check"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert refused.returncode == 78
        monitor.process.send_signal(signal.SIGHUP)
        monitor.says("The settings of before stay in force")
        assert refused.stderr.strip() in monitor.said
        assert "evry" in refused.stderr
        assert monitor.rows("select name from sources where retired_at is null") == [("two",)]
        monitor.process.terminate()
        assert monitor.ends() == 0
    assert "Traceback" not in monitor.said


@pytest.mark.parametrize("args", [(), ("--no-web",)])
def test_a_second_signal_ends_it_at_once(tmp_path: Path, args: tuple[str, ...]) -> None:
    """Without it the stop would wait for the answer that drips. The web server does not take it for the first one."""
    with Replay({"/html/": Answer(200, DUCK, drip=0.2)}) as server:
        (tmp_path / "config.toml").write_text(HEAD + BLOCK.format("one", server.url))
        with running(tmp_path, *args) as monitor:
            until(lambda: server.requests)
            if not args:
                monitor.says("Open http")
            monitor.process.send_signal(signal.SIGTERM)
            monitor.process.send_signal(signal.SIGINT)
            assert monitor.ends() == 70
            assert "Ended at once" in monitor.said
        assert "Traceback" not in monitor.said
        assert monitor.rows("pragma integrity_check") == [("ok",)]
        assert monitor.rows("select count(*) from readings") == [(0,)]


HANGS = """
import asyncio, sys
from monitor.cli import main
from monitor.web import serve

async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    print("the web server runs", flush=True)
    await receive()
    print("the web server hangs", flush=True)
    await asyncio.sleep(3600)

kept = serve.server
serve.server = lambda datasette, host, port: kept(app, host, port)
sys.argv = ["monitor", "run"]
main()
"""


def test_a_second_signal_ends_a_web_server_that_hangs(tmp_path: Path) -> None:
    """Its own handlers would only take note of it."""
    (tmp_path / "config.toml").write_text(HEAD)
    with running(tmp_path, code=HANGS) as monitor:
        monitor.says("the web server runs")
        monitor.process.send_signal(signal.SIGTERM)
        monitor.says("the web server hangs")
        monitor.process.send_signal(signal.SIGTERM)
        assert monitor.ends() == 70


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("args", [(), ("--no-web",)])
def test_one_signal_ends_it_in_order(
    tmp_path: Path, server: Replay, number: signal.Signals, args: tuple[str, ...]
) -> None:
    (tmp_path / "config.toml").write_text(HEAD + BLOCK.format("one", server.url))
    with running(tmp_path, *args) as monitor:
        monitor.says("one: ok")
        if not args:
            monitor.says("Open http")
        monitor.process.send_signal(number)
        assert monitor.ends() == 0
    assert monitor.said.splitlines()[-1] == "Stopped."
    assert not list(tmp_path.glob("*-wal"))


def test_an_end_that_hangs_is_cut_short() -> None:
    code = (
        "import os, signal, time\nfrom monitor.cli.run import _Signals\n"
        "_Signals(last_seconds=1)\nos.kill(os.getpid(), signal.SIGTERM)\n"
        "end = time.monotonic() + 60\nwhile time.monotonic() < end: time.sleep(1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "Ended at once" in done.stderr
    assert LAST_SECONDS == 40


def test_a_window_that_is_closed_ends_it(tmp_path: Path, server: Replay) -> None:
    """Without a terminal SIGHUP means a reload; from one that is gone it means: end, and leave the port to the next."""
    (tmp_path / "config.toml").write_text(HEAD + BLOCK.format("one", server.url))
    window, inside = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "run", "--no-web"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    os.close(inside)
    try:
        os.set_blocking(window, False)
        said = b""

        def read() -> bool:
            nonlocal said
            with contextlib.suppress(BlockingIOError):
                said += os.read(window, 4096)
            return b"one: ok" in said

        until(read, what=lambda: said)
        os.close(window)
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def test_nobody_reading_its_lines_is_no_reason_to_stop(tmp_path: Path, server: Replay) -> None:
    (tmp_path / "config.toml").write_text(HEAD + BLOCK.format("one", server.url))
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "run", "--no-web"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "Monitor watches" in process.stdout.readline()
        process.stdout.close()
        (tmp_path / "config.toml").write_text(HEAD + BLOCK.format("two", server.url))

        def reads_two() -> bool:
            with closing(sqlite3.connect(f"file:{tmp_path / 'presence.db'}?mode=ro", uri=True)) as conn:
                sql = "select count(*) from readings r join sources s on s.id = r.source_id where s.name = 'two'"
                return bool(conn.execute(sql).fetchone()[0])

        process.send_signal(signal.SIGHUP)
        until(reads_two)
        process.terminate()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
