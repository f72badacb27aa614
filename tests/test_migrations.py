"""Histories made by every older program are brought up to date, whole and at once, and nothing in them changes."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from monitor.store.connection import Store, StoreError
from monitor.store.migrations import MIGRATIONS
from tests.conftest import ROOT
from tests.schemas import make

FROZEN = sorted(make.FOLDER.glob("*.sql"))
STEPS = len(MIGRATIONS.pending(Database(memory=True)))


def thaw(frozen: Path, path: Path) -> Path:
    """The history that a frozen file holds, as a file of its own."""
    with closing(sqlite3.connect(path)) as conn:
        make.thaw(frozen, conn)
        conn.execute("pragma journal_mode = wal").fetchall()
    return path


def rows(conn: sqlite3.Connection, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
    names = ", ".join(f'"{column}"' for column in columns)
    return sorted(conn.execute(f'select {names} from "{table}"').fetchall(), key=repr)


def recorded(path: Path, like: dict[str, list[str]] | None = None) -> dict[str, tuple[list[str], list[Any]]]:
    """What each table holds; only in the given tables and columns, if any are given."""
    with closing(sqlite3.connect(path)) as conn:
        columns = like or {
            table: [row[1] for row in conn.execute(f'pragma table_info("{table}")')] for table in make.tables(conn)
        }
        return {table: (names, rows(conn, table, names)) for table, names in columns.items()}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    path = tmp_path_factory.mktemp("fresh") / "presence.db"
    Store(path).close()
    with closing(sqlite3.connect(path)) as conn:
        return make.schema(conn)


def test_every_migration_but_the_newest_has_its_frozen_file() -> None:
    steps = [step.name for step in MIGRATIONS.pending(Database(memory=True))]
    missing = [step for step in steps[:-1] if not make.frozen_file(step).exists()]
    assert missing == [], "run python -m tests.schemas.make"
    assert {frozen.name for frozen in FROZEN} <= {make.frozen_file(step).name for step in steps}


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda frozen: frozen.stem)
def test_an_older_history_becomes_what_a_new_one_is(
    frozen: Path, tmp_path: Path, fresh: dict[tuple[str, str], str]
) -> None:
    path = thaw(frozen, tmp_path / "presence.db")
    before = recorded(path)
    Store(path).close()
    with closing(sqlite3.connect(path)) as conn:
        assert make.schema(conn) == fresh
        assert conn.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert conn.execute("pragma foreign_key_check").fetchall() == []
        views = [name for kind, name in fresh if kind == "view"]
        for view in views:
            conn.execute(f"select * from [{view}]").fetchall()  # each can be read
        assert conn.execute("select count(*) from texts_fts where texts_fts match 'ada'").fetchone()[0] > 0
    steps = before.pop("_sqlite_migrations")[1]
    before.pop("_monitor_views")
    after = recorded(path, {table: names for table, (names, _) in before.items()})
    assert after == before
    assert sum(len(held) for _, held in before.values()) > 40
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("select count(*) from _sqlite_migrations").fetchone()[0] == STEPS >= len(steps)


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda frozen: frozen.stem)
def test_an_older_history_is_added_to(frozen: Path, tmp_path: Path) -> None:
    path = thaw(frozen, tmp_path / "presence.db")
    before = recorded(path)["readings"][1]
    make.fill(path)  # the same again, as a second attempt at each slot
    assert len(recorded(path)["readings"][1]) > len(before)
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("select count(*) from daily_ranks").fetchone() == (3,)
        assert conn.execute("select sum(views) from site_views").fetchone() == (10,)


STEP = """
import os, signal, sys, time
from pathlib import Path
from monitor.store import migrations
from monitor.store.connection import Store

@migrations.MIGRATIONS(name="999_slow")
def slow(db):
    db.execute("create table slow (x integer) strict")
    db.execute("insert into slow values (1)")
    if sys.argv[2] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.2)

Store(Path(sys.argv[1])).close()
"""


def step(path: Path, end: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", STEP, str(path), end], cwd=ROOT)


def test_several_may_bring_it_up_to_date_at_once(tmp_path: Path) -> None:
    path = thaw(FROZEN[0], tmp_path / "presence.db")
    processes = [step(path, "") for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("select count(*) from slow").fetchone() == (1,)
        names = conn.execute("select count(*) from _sqlite_migrations").fetchone()
        assert names == (STEPS + 1,)


def test_a_kill_in_the_middle_leaves_it_as_it_was(tmp_path: Path) -> None:
    path = thaw(FROZEN[0], tmp_path / "presence.db")
    before = recorded(path)
    assert step(path, "die").wait(60) == -signal.SIGKILL
    assert recorded(path) == before
    assert step(path, "").wait(60) == 0
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("select count(*) from slow").fetchone() == (1,)


def test_a_history_of_a_newer_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = thaw(FROZEN[-1], tmp_path / "presence.db")
    with closing(sqlite3.connect(path)) as conn:
        conn.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) values ('monitor', '999_later', '')"
        )
        conn.execute("create view later as select 1 as x")
        conn.execute("update _monitor_views set text_hash = 'later'")
        conn.commit()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer Monitor than this one: update Monitor") as caught:
        Store(path)
    assert caught.value.exit_code == 65
    assert path.read_bytes() == before
