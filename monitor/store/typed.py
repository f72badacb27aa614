"""What the owner types: counts, contacts and events. Equals of all other numbers, and marked as typed."""

from __future__ import annotations

import json
from datetime import date, datetime

from sqlite_utils import Database

from monitor.model import Contact, Count, Measure, Outcome, Reading, Trigger
from monitor.store import contacts, numbers
from monitor.store.connection import Store
from monitor.store.readings import insert_reading
from monitor.store.sources import row_id

CONTACT_KINDS = ("inmail", "request", "message", "mail", "call")


def add_count(store: Store, count: Count, now: datetime, zone: str) -> int:
    """Store a typed number; returns its reading. The same number typed again revises the first."""
    with store.write() as db:
        source_id, reading_id = _reading(db, count.day, now, zone)
        numbers.save_counts(db, source_id, reading_id, [count])
        return reading_id


def add_contact(store: Store, contact: Contact, now: datetime, zone: str) -> int:
    """Store a typed contact; returns its reading."""
    with store.write() as db:
        source_id, reading_id = _reading(db, contact.day, now, zone)
        contacts.save_contacts(db, source_id, reading_id, [contact])
        return reading_id


def add_event(store: Store, day: date, title: str, url: str, note: str, now: datetime, zone: str) -> int:
    """Store a dated remark; returns its reading."""
    with store.write() as db:
        _, reading_id = _reading(db, day, now, zone)
        row = {"day": day.isoformat(), "title": title, "url": url, "note": note, "reading_id": reading_id}
        db.table("events").insert(row)
        return reading_id


def undo(store: Store) -> str:
    """Take back the last thing typed; a number that it changed stands again. Returns what went, "" for nothing."""
    with store.write() as db:
        found = db.execute("select max(id) from readings where \"trigger\" = 'typed'").fetchone()[0]
        if found is None:
            return ""
        said = _take_back(db, int(found))
        db.execute("delete from readings where id = ?", [found])
        return said


def _take_back(db: Database, reading_id: int) -> str:
    said = "a number that was typed twice"
    for table, name in (("events", "title"), ("contacts", "kind || ' from ' || origin")):
        for what, day in db.execute(f"select {name}, day from {table} where reading_id = ?", [reading_id]).fetchall():  # noqa: S608
            said = f"{table.rstrip('s')} {what} on {day}"
            db.execute(f"delete from {table} where reading_id = ?", [reading_id])  # noqa: S608
    count = db.execute(
        "select profile, metric, window, day, value from counts where reading_id = ?", [reading_id]
    ).fetchone()
    if count:
        said = f"{count[0]} {count[1]} ({count[2]}) on {count[3]}: {count[4]}"
        _restore(db, reading_id)
    return said


def _restore(db: Database, reading_id: int) -> None:
    revised = db.execute(
        "select id, old, old_reading_id from revisions where reading_id = ? and table_name = 'counts'", [reading_id]
    ).fetchone()
    if revised and revised[2]:
        db.execute("update counts set value = ?, reading_id = ? where reading_id = ?", [*revised[1:], reading_id])
    else:
        db.execute("delete from counts where reading_id = ?", [reading_id])
    db.execute("delete from revisions where reading_id = ?", [reading_id])


def _reading(db: Database, day: date, now: datetime, zone: str) -> tuple[int, int]:
    identity = {
        "name": "by hand",
        "measure": str(Measure.TYPED),
        "kind": "typed",
        "engine": "",
        "provider": "",
        "query": "",
        "locale": "",
        "device": "",
        "day_zone": zone,
        "settings": json.dumps({"subject": ""}),
    }
    source_id = row_id(db, identity, now)
    reading = Reading(
        slot=now, day=day, trigger=Trigger.TYPED, started_at=now, finished_at=now, outcome=Outcome.OK, parser=0
    )
    return source_id, insert_reading(db, source_id, reading)
