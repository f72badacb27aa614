"""Freeze the schema of each migration that has no frozen file yet: `python -m tests.schemas.make`.

The newest is made by the program with a few invented rows, one before it from the frozen file before that. A frozen
file is never made again: it is what an owner has, and the tests bring each of them up to date.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlite_utils import Database

from monitor.model import (
    Batch,
    Capture,
    Contact,
    Count,
    LogCursor,
    NotCounted,
    Outcome,
    PageViews,
    Reading,
    Referrer,
    SiteViews,
    Trigger,
)
from monitor.store import hosts, readings, sources, state, typed
from monitor.store.connection import Store
from monitor.store.migrations import MIGRATIONS
from tests.made import DAY, DUCK, GITHUB, NOW, reading, settings

FOLDER = Path(__file__).parent
LOG = '[[page_views]]\nkind = "access_log"\n'


def main() -> None:
    """Write the files that are missing."""
    steps = [step.name for step in MIGRATIONS.pending(Database(memory=True))]
    for n, step in enumerate(steps):
        frozen = frozen_file(step)
        if frozen.exists():
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "presence.db"
            if step == steps[-1]:
                fill(path)
            with closing(sqlite3.connect(path)) as conn:
                if step != steps[-1]:
                    thaw(frozen_file(steps[n - 1]), conn)
                    MIGRATIONS.apply(Database(conn), stop_before=steps[n + 1])
                frozen.write_text("".join(f"{line}\n" for line in dump(conn)))
        print(f"wrote {frozen}")


def frozen_file(step: str) -> Path:
    """Where the schema of a step is frozen."""
    return FOLDER / f"0{step[:3]}.sql"


def thaw(frozen: Path, conn: sqlite3.Connection) -> None:
    """Make the history that a frozen file holds."""
    conn.executescript(f"begin;{frozen.read_text()}commit;")


def fill(path: Path) -> None:
    """A small history of an invented person: something in every table that the store can fill."""
    config = settings(path.parent, DUCK + GITHUB + LOG)
    with Store(path, clock=lambda: NOW) as store:
        ids = list(sources.sync(store, config, NOW).values())
        sources.relabel(store, "ada.example", "mine", NOW)
        for n in range(3):
            urls = ["http://x.example/", f"http://ada.example/{n}", "ad:http://shop.example/"]
            readings.save(store, ids[0], reading(*urls, at=NOW + timedelta(days=n), body=f"page {n}"))
        refused = reading(at=NOW + timedelta(days=3), outcome=Outcome.BLOCKED, reason="captcha", body="no")
        readings.save(store, ids[0], refused)
        for n, followers in enumerate((41, 42)):
            count = Count("github/ada", "followers", "now", DAY, followers)
            readings.save(store, ids[1], reading(at=NOW + timedelta(hours=n), counts=[count], body=f"{followers}"))
        readings.save(store, ids[2], _log_reading())
        typed.add_contact(store, Contact(None, DAY, "call", "old resume", "a remark"), NOW, "Australia/Sydney")
        typed.add_event(store, DAY, "new job", "http://ada.example/job", "", NOW, "Australia/Sydney")
        hosts.claim(store, "duckduckgo.example", NOW, timedelta(seconds=30), timedelta(seconds=10))
        state.beat(store, NOW)


def _log_reading() -> Reading:
    after = LogCursor("access.log", 1, 2, 512, 3, offset=512, head_len=10, head_hash="aa", tail_hash="bb")
    records = (
        PageViews(DAY, "/post/", 5),
        SiteViews(DAY, 5, 3, 1),
        Referrer(DAY, "LinkedIn", "social", 2),
        NotCounted(DAY, "crawler", 7),
    )
    made = replace(reading(body=""), trigger=Trigger.SCHEDULE, records=records, increments=True, rule="1", depth=None)
    return replace(made, batch=Batch(Capture(b"lines", place="access.log 0-512"), None, after))


def schema(conn: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """The text of every table, index, trigger and view that is not SQLite's own, without its layout."""
    rows = conn.execute("select type, name, sql from sqlite_master where sql is not null and name not like 'sqlite_%'")
    return {(kind, name): re.sub(r"\s+", " ", sql) for kind, name, sql in rows}


def tables(conn: sqlite3.Connection) -> list[str]:
    """The tables that hold what was recorded; the full-text index follows from them."""
    rows = conn.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
    return [name for (name,) in rows if not name.startswith("texts_fts")]


def dump(conn: sqlite3.Connection) -> Iterator[str]:
    """The database as SQL. The full-text index is filled by its triggers, all other triggers come after the rows."""
    yield "-- Frozen by tests/schemas/make.py; never edited."
    yield f"pragma application_id = {conn.execute('pragma application_id').fetchone()[0]};"
    made = "select type, name, sql from sqlite_master where sql is not null and name not like 'sqlite_%' order by rowid"
    late = []
    for kind, name, sql in conn.execute(made).fetchall():
        if kind == "trigger" and not name.startswith("texts_"):
            late.append(f"{sql};")
        elif not name.startswith("texts_fts_"):
            yield f"{sql};"
    for table in tables(conn):
        columns = [row[1] for row in conn.execute(f'pragma table_info("{table}")')]
        values = " || ', ' || ".join(f'quote("{column}")' for column in columns)
        for (row,) in conn.execute(f'select {values} from "{table}"').fetchall():
            yield f'insert into "{table}" values ({row});'
    yield from late


if __name__ == "__main__":
    main()
