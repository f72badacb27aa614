"""Killed at any instant: nothing recorded is lost, nothing counts twice, and the next run carries on."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import PAGES, ROOT
from tests.made import NOW
from tests.replay import Answer, Replay

DAYS = 12
SOURCES = 3
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

# A monitor that lives through DAYS invented days, one after the other, going on where the history stands. With a
# crash point it kills itself there, once, on the fourth call.
CHILD = """
import os, signal, sys
from datetime import datetime, timedelta
from pathlib import Path
from monitor import attempt, config, plan
from monitor.attempt import Attempts
from monitor.fetch import files
from monitor.model import Outcome, Reading, Trigger
from monitor.store import logs, numbers, readings, sources, state
from monitor.store.connection import Store
from monitor.times import from_text

folder, start, days, point = Path(sys.argv[1]), from_text(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
calls = 0

def die_at(module, name, after):
    kept = getattr(module, name)
    def wrapper(*args, **kwargs):
        global calls
        calls += 1
        if calls >= 4 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = kept(*args, **kwargs)
        if calls >= 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(module, name, wrapper)

POINTS = {
    "after_fetch": (readings, "save", False),
    "after_bodies": (readings, "insert_reading", False),
    "in_transaction": (readings, "_insert_results", True),
    "before_commit": (numbers, "save_page_views", True),
    "after_commit": (readings, "save", True),
}
if point in POINTS:
    die_at(*POINTS[point])

settings = config.read(folder / "config.toml")
with Store(settings.database) as store:
    held = store.rows("select max(day) as day from readings where \\"trigger\\" = 'schedule'")[0]["day"]
    done = (datetime.fromisoformat(held + "T00:00:00+00:00") - start.replace(hour=0, minute=0)).days if held else 0
    for day in range(max(0, done), days):
        now = start + timedelta(days=day)
        slept = []  # a killed child leaves a host taken for a while: waiting moves the invented clock
        clock = lambda: now + timedelta(seconds=sum(slept))
        made = Attempts(settings, store, clock=clock, sleep=slept.append)
        ids = sources.sync(store, settings, start - timedelta(days=1))
        known = {s.name: s for s in settings.sources}
        planned = plan.plan([state.watched(store, s, ids[s.name], now) for s in settings.sources], now, None)
        for due in planned.due:
            for _ in made.make(known[due.name], ids[due.name], due.slot, due.day, Trigger.SCHEDULE):
                print(due.name, due.day, flush=True)
print("done", flush=True)
"""


def config(server: str) -> str:
    block = '[[search]]\nkind = "duckduckgo"\nname = "s{}"\nurl = "{}/html/"\n'
    queries = "".join(block.format(n, server) for n in range(SOURCES))
    log = '[[page_views]]\nkind = "access_log"\nfiles = "access.log*"\nevery = "1d"\n'
    return f'[owner]\nname = "Jane Example"\ntimezone = "UTC"\n[fetch]\nspacing = "0s"\n{queries}{log}'


def live(folder: Path, point: str = "", kill_after: float | None = None) -> int:
    start = (NOW - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), start, str(DAYS), point],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if kill_after is not None:
            time.sleep(kill_after)
            child.send_signal(signal.SIGKILL)
        _, errors = child.communicate(timeout=120)
    finally:
        child.kill()
    assert "Traceback" not in errors, errors
    return child.returncode


def prepare(folder: Path, server: str) -> None:
    (folder / "config.toml").write_text(config(server))
    lines = (
        f'192.0.2.1 - - [{1 + n % 20:02}/Nov/2026:10:00:00 +0000] "GET /page-{n}/ HTTP/1.1" 200 512 "-" "{FIREFOX}"\n'
        for n in range(4000)
    )
    (folder / "access.log").write_text("".join(lines))


def verify(folder: Path) -> None:
    """Every slot read exactly once, every page whole, every line counted once, the files sound."""
    assert live(folder) == 0
    with closing(sqlite3.connect(folder / "presence.db")) as conn:
        ask = lambda sql: conn.execute(sql).fetchall()  # noqa: E731
        searches = "(select id from sources where measure = 'search') "
        slots = ask(
            "select source_id, slot, count(*), sum(outcome = 'ok') from readings"
            f" where source_id in {searches} group by 1, 2"
        )
        assert len(slots) == SOURCES * DAYS
        assert {row[2:] for row in slots} == {(1, 1)}
        per_reading = ask(
            f"select count(x.reading_id) from readings r left join results x on x.reading_id = r.id"
            f" where r.source_id in {searches} group by r.id"
        )
        assert len(set(per_reading)) == 1
        assert per_reading[0][0] > 0
        assert ask("select sum(views) from site_views") == [(4000,)]
        assert ask("select count(*), min(views), max(views) from page_views") == [(4000, 1, 1)]
        assert ask("pragma integrity_check") == [("ok",)]
        assert ask("pragma foreign_key_check") == []
        conn.execute("attach ? as kept", [str(folder / "presence-captures.db")])
        missing = ask("select count(*) from captures c left join kept.bodies b using (id) where b.id is null")
        assert missing == [(0,)]


@pytest.fixture
def served(tmp_path: Path) -> Replay:
    page = Answer(200, (PAGES / "duckduckgo" / "ok.html").read_bytes(), {"Content-Type": "text/html"})
    return Replay({"/html/": page})


@pytest.mark.parametrize("point", ["after_fetch", "after_bodies", "in_transaction", "before_commit", "after_commit"])
def test_a_kill_at_a_named_point(tmp_path: Path, served: Replay, point: str) -> None:
    with served as server:
        prepare(tmp_path, server.url)
        assert live(tmp_path, point) == -signal.SIGKILL
        assert live(tmp_path, point) == -signal.SIGKILL
        verify(tmp_path)


def kills(folder: Path, served: Replay, number: int, seed: int) -> None:
    rng = random.Random(seed)
    with served as server:
        prepare(folder, server.url)
        for _ in range(number):
            live(folder, kill_after=rng.uniform(0.3, 1.3))
        verify(folder)


def test_ten_kills_at_random_moments(tmp_path: Path, served: Replay) -> None:
    kills(tmp_path, served, 10, seed=7)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_fifty_kills_at_random_moments(tmp_path: Path, served: Replay, seed: int) -> None:
    kills(tmp_path, served, 50, seed)
