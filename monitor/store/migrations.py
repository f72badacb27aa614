"""The schema, step by step. A step never changes once released; the next one adds to it.

Views hold no data: they are dropped and made anew whenever their text changes.
"""

from __future__ import annotations

import hashlib
import sqlite3
from importlib.resources import files

from sqlite_utils import Database, Migrations

from monitor.labels import host_of

MIGRATIONS = Migrations("monitor")


@MIGRATIONS(name="001_tables")
def _tables(db: Database) -> None:
    _run(db, _text("001_tables.sql"))


@MIGRATIONS(name="002_schedule")
def _schedule(db: Database) -> None:
    _run(db, _text("002_schedule.sql"))


@MIGRATIONS(name="003_search")
def _search(db: Database) -> None:
    _run(db, _text("003_search.sql"))
    for label_id, pattern in db.execute("select id, pattern from labels").fetchall():
        db.execute("update labels set host = ? where id = ?", [host_of(pattern), label_id])


@MIGRATIONS(name="004_visitors")
def _visitors(db: Database) -> None:
    _run(db, _text("004_visitors.sql"))


@MIGRATIONS(name="005_path_totals")
def _path_totals(db: Database) -> None:
    _run(db, _text("005_path_totals.sql"))


@MIGRATIONS(name="006_referrer_totals")
def _referrer_totals(db: Database) -> None:
    _run(db, _text("006_referrer_totals.sql"))


@MIGRATIONS(name="007_contacts")
def _contacts(db: Database) -> None:
    _drop_views(db)  # a table that a view names cannot be exchanged
    _run(db, _text("007_contacts.sql"))


@MIGRATIONS(name="008_exposure")
def _exposure(db: Database) -> None:
    _run(db, _text("008_exposure.sql"))


@MIGRATIONS(name="009_ranks")
def _ranks(db: Database) -> None:
    _run(db, _text("009_ranks.sql"))


def is_newer(db: Database) -> bool:
    """Whether the history has been through a step that this program does not know."""
    known = {step.name for step in MIGRATIONS.pending(Database(memory=True))}
    return any(step.name not in known for step in MIGRATIONS.applied(db))


def apply(db: Database) -> None:
    """Bring the schema up to date. Call it inside a write: two processes may start at the same moment."""
    MIGRATIONS.apply(db)
    views = _text("views.sql")
    mark = f"views {hashlib.sha256(views.encode()).hexdigest()[:16]}"
    db.execute("create table if not exists _monitor_views (text_hash text primary key) strict")
    if db.execute("select text_hash from _monitor_views").fetchall() == [(mark,)]:
        return
    _drop_views(db)
    _run(db, views)
    db.execute("insert into _monitor_views values (?)", [mark])


def _drop_views(db: Database) -> None:
    for (name,) in db.execute("select name from sqlite_master where type = 'view'").fetchall():
        db.execute(f"drop view [{name}]")
    db.execute("create table if not exists _monitor_views (text_hash text primary key) strict")
    db.execute("delete from _monitor_views")


def _text(name: str) -> str:
    return files("monitor.store").joinpath("sql", name).read_text(encoding="utf-8")


def _run(db: Database, script: str) -> None:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""
