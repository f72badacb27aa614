"""`monitor check` as the reader of a log that is written, rotated and packed meanwhile, and killed at any instant.

Each request has a number in its path, so that the history itself says which was lost and which counted twice.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from monitor.attempt import Attempts
from monitor.cli import main
from monitor.fetch import files
from monitor.model import Trigger
from monitor.store import sources
from monitor.store.connection import Store
from tests.conftest import part
from tests.made import DAY, NOW, settings
from tests.test_files import Server
from tests.test_nginx import Nginx, nginx, wait_for

__all__ = ["nginx"]  # a fixture

CONFIG = '[owner]\nname = "Ada Example"\ntimezone = "UTC"\n[[page_views]]\nkind = "access_log"\nfiles = "{}"\n'
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
FORK = multiprocessing.get_context("fork")
PATIENCE = 60  # seconds, for what is over in well under one


def check(folder: Path, batch: int) -> None:
    """The process of one `monitor check`, with batches so small that there are several."""
    files.read.__kwdefaults__["max_bytes"] = batch
    sys.argv = ["monitor", "--config", str(folder / "config.toml"), "check"]
    code = 99  # a fault of ours
    with (folder / "said").open("a") as said, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            said.flush()
            os._exit(code)


class Reader:
    """Runs `monitor check` again and again on one history; some runs are killed."""

    def __init__(self, folder: Path, pattern: str = "access.log*") -> None:
        self.folder = folder
        self.kills = 0
        (folder / "config.toml").write_text(CONFIG.format(pattern))

    def look(self, batch: int = 4096, killed_after: float | None = None) -> None:
        process = FORK.Process(target=check, args=(self.folder, batch))
        process.start()
        process.join(PATIENCE if killed_after is None else killed_after)
        if killed_after is not None and process.is_alive():
            process.kill()
            process.join(PATIENCE)
            self.kills += process.exitcode == -signal.SIGKILL
            return
        assert process.exitcode in (0, 1), (self.folder / "said").read_text()[-2000:]  # 1: a file half packed

    def counted(self) -> dict[str, int]:
        with closing(sqlite3.connect(self.folder / "presence.db")) as conn:
            rows = "select path, sum(views) from page_views join paths on id = path_id group by path"
            paths = dict(conn.execute(rows).fetchall())
            assert conn.execute("select sum(views) from site_views").fetchone() == (sum(paths.values()),)
            assert conn.execute("select * from log_gaps").fetchall() == []
            assert conn.execute("pragma quick_check").fetchall() == [("ok",)]
        return paths


class Web(Server):
    """A server whose lines are page views, each of a path of its own."""

    def write(self, lines: int, half: bool = False) -> None:
        for _ in range(lines):
            self.finish()
            number = next(self.numbers)
            head = f"192.0.2.{number % 250} - - [22/Nov/2026:10:00:{number % 60:02} +0000]"
            filler = "y" * self.rng.randrange(150)
            self.pending = f'{head} "GET /{number} HTTP/1.1" 200 {number} "-" "{AGENT} {filler}"\n'.encode()
            cut = self.rng.randrange(len(self.pending)) if half else 0
            self.file.write(self.pending[:cut])
            self.pending = self.pending[cut:]
        if half:
            self.read()
        else:
            self.finish()


def torture(folder: Path, seed: int, steps: int, longest: float = 0.15) -> Reader:
    """Write, rotate, read and kill in an order that the seed chooses; then every request must stand there once."""
    rng = random.Random(seed)
    reader = Reader(folder)

    def look() -> None:
        killed_after = rng.uniform(0, longest) if rng.random() < 0.5 else None
        reader.look(rng.choice((1024, 4096, 1 << 20)), killed_after)

    server = Web(folder, rng, look)
    server.write(1)
    for _ in range(steps):
        server.write(rng.randrange(80), half=rng.random() < 0.2)
        if rng.random() < 0.6:
            look()
        if rng.random() < 0.5:
            server.rotate()
    server.finish()
    for _ in range(3):
        reader.look()
    counted, asked = Counter(reader.counted()), Counter(f"/{n}" for n in range(next(server.numbers)))
    assert (asked - counted, counted - asked) == (Counter(), Counter()), "lost, and counted twice"
    return reader


def test_every_request_is_counted_once(tmp_path: Path) -> None:
    kills = 0
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        kills += torture(folder, seed, steps=10).kills
    assert kills, "no reader was killed: the test tests nothing"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 130))
def test_every_request_is_counted_once_for_long(tmp_path: Path, seed: int) -> None:
    torture(tmp_path, seed, steps=60)


ROTATIONS = (
    "create",
    "create\ncompress",
    "create\ncompress\ndelaycompress",
    "copytruncate",
    "copytruncate\ncompress",
    "create\ndateext",
    "create\ndateext\ncompress\ndelaycompress",
)


@pytest.mark.parametrize("how", ROTATIONS, ids=[how.replace("\n", ", ") for how in ROTATIONS])
def test_logrotate_turns_the_log_of_nginx(nginx: Nginx, how: str) -> None:
    rotate = logrotate(nginx, how)
    reader, rng = Reader(nginx.folder, "logs/access.log*"), random.Random(how)
    asked = 0
    for turn in range(4):
        for _ in range(rng.randrange(1, 12)):
            nginx.ask(f"/?p={asked}", agent=AGENT)
            asked += 1
        if rng.random() < 0.7:
            reader.look(1024, rng.uniform(0, 0.1) if turn == 1 else None)
        rotate()
    nginx.ask(f"/?p={asked}", agent=AGENT)
    for _ in range(3):
        reader.look()
    assert Counter(reader.counted()) == Counter(f"/?p={n}" for n in range(asked + 1))


def logrotate(nginx: Nginx, how: str) -> Callable[[], None]:
    """Debian's logrotate, set up for the log of a running nginx."""
    program = part("logrotate", "logrotate")
    conf, log, pid = nginx.folder / "logrotate.conf", nginx.folder / "logs" / "access.log", nginx.folder / "pid"
    reopen = "" if "copytruncate" in how else f"\npostrotate\nkill -USR1 $(cat {pid})\nendscript"
    conf.write_text(f"{log} {{\nrotate 20\nmissingok\n{how}{reopen}\n}}\n")
    conf.chmod(0o644)

    days = count(20260101)

    def turn() -> None:
        for dated in log.parent.glob(f"access.log-{time.strftime('%Y%m%d')}*"):  # of yesterday, as it were
            dated.rename(log.with_name(f"access.log-{next(days)}{dated.suffix if dated.suffix == '.gz' else ''}"))
        command = [program, "-f", "-s", str(nginx.folder / "logrotate.state"), str(conf)]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
        wait_for(log.exists)

    return turn


def test_a_long_history_is_read_in_bounded_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(files.read.__kwdefaults__, "max_bytes", 4096)
    made = settings(tmp_path, '[[page_views]]\nkind = "access_log"\n')
    server = Web(tmp_path, random.Random(1), lambda: None)
    server.write(40)
    ticks = count(0, 50)  # each look at the steady clock is 50 s after the last
    with Store(made.database) as store:
        attempts = Attempts(made, store, steady=lambda: float(next(ticks)))
        source, ids = made.sources[0], sources.sync(store, made, NOW)
        rounds = [len(list(attempts.make(source, ids[source.name], NOW, DAY, Trigger.SCHEDULE))) for _ in range(3)]
        (views,) = store.db.execute("select sum(views) from site_views").fetchone()
    assert rounds == [2, 1, 0], "what a tick left, the next one reads"
    assert views == 40


def test_an_interrupted_check_keeps_what_it_read(tmp_path: Path) -> None:
    server = Web(tmp_path, random.Random(2), lambda: None)
    server.write(600)
    reader = Reader(tmp_path)
    process = FORK.Process(target=check, args=(tmp_path, 4096))
    process.start()
    wait_for(lambda: (tmp_path / "said").exists() and (tmp_path / "said").read_text().count("\n") > 2)
    os.kill(process.pid or 0, signal.SIGINT)
    process.join(PATIENCE)
    assert process.exitcode in (0, 130), (tmp_path / "said").read_text()
    reader.look()
    assert Counter(reader.counted()) == Counter(f"/{n}" for n in range(600))
