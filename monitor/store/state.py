"""What the planner and `status` need to know of the past."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import Any

from monitor.config import Configured
from monitor.model import Outcome
from monitor.plan import SKEW, Attempt, Watched, first_again
from monitor.store.connection import Store
from monitor.times import from_text, to_text

MOST_FIRST = 8  # readings: more than these, and a source without any success is past its beginning


def watched(
    store: Store, configured: Configured, source_id: int, now: datetime, asked: datetime | None = None
) -> Watched:
    """A source as the planner sees it: since when it is watched, and the attempts at its newest slots.

    `asked` is the slot at which a source with history was last asked by this process: it writes nothing without news.
    """
    asked = asked if asked and asked <= now else None  # a clock set back: that slot has not come yet
    (added,) = store.rows("select added_at from sources where id = ?", (source_id,))
    (newest,) = store.rows(
        "select max(slot) as slot from readings"
        " where source_id = ? and \"trigger\" = 'schedule' and slot <= ? and finished_at <= ?",
        (source_id, to_text(now), to_text(now + SKEW)),
    )
    attempts = store.rows(
        "select slot, day, attempt, outcome, reason, finished_at from readings"
        " where source_id = ? and slot >= ? and \"trigger\" = 'schedule' order by slot, attempt",
        (source_id, newest["slot"] or ""),
    )
    last = from_text(newest["slot"]) if newest["slot"] else None
    return Watched(
        name=configured.name,
        schedule=configured.schedule,
        zone=configured.zone,
        history=configured.source.history,
        since=from_text(added["added_at"]),
        last_slot=max(filter(None, (last, asked)), default=None),
        attempts=tuple(_attempt(row) for row in attempts if not asked or from_text(row["slot"]) >= asked),
    )


def _attempt(row: dict[str, Any]) -> Attempt:
    return Attempt(
        slot=from_text(row["slot"]),
        day=date.fromisoformat(row["day"]),
        attempt=row["attempt"],
        outcome=Outcome(row["outcome"]),
        reason=row["reason"],
        finished_at=from_text(row["finished_at"]),
    )


def first_attempts(store: Store, source_id: int) -> tuple[Attempt, ...]:
    """The attempts of a source that nothing was ever read from; empty once anything was, or nothing was tried."""
    rows = store.rows(
        "select slot, day, attempt, outcome, reason, finished_at from readings where source_id = ? order by id",
        (source_id,),
    )
    read = any(row["outcome"] in ("ok", "empty") for row in rows)
    return () if read or len(rows) > MOST_FIRST else tuple(_attempt(row) for row in rows)


def next_asked(store: Store, source_id: int, name: str, planned: datetime | None) -> datetime | None:
    """When a source is asked next: by its slots, or sooner where its first reading at once did not succeed."""
    again = first_again(name, first_attempts(store, source_id))
    return min(filter(None, (planned, again)), default=None)


def never_read(store: Store, source_id: int) -> bool:
    """Whether no attempt at this source was ever made."""
    return not store.rows("select 1 from readings where source_id = ? limit 1", (source_id,))


def newest(store: Store, source_id: int) -> dict[str, Any] | None:
    """The newest reading of a source, or None."""
    rows = store.rows("select * from readings where source_id = ? order by id desc limit 1", (source_id,))
    return rows[0] if rows else None


def refused_today(store: Store, source_id: int, day: date) -> dict[str, Any] | None:
    """The reading of this day that was refused, or None."""
    rows = store.rows(
        "select * from readings where source_id = ? and day = ? and outcome = 'blocked' order by id desc limit 1",
        (source_id, day.isoformat()),
    )
    return rows[0] if rows else None


def last_beat(store: Store) -> datetime | None:
    """When a monitor was last known to be alive."""
    rows = store.rows("select beat_at from heartbeat where id = 1")
    return from_text(rows[0]["beat_at"]) if rows else None


def beat(store: Store, now: datetime, note: str = "") -> None:
    """Say that this process is alive."""
    with store.write() as db:
        db.execute(
            "insert into heartbeat (id, pid, started_at, beat_at, note) values (1, ?, ?, ?, ?)"
            " on conflict (id) do update set beat_at = excluded.beat_at, note = excluded.note,"
            "  started_at = case when pid = excluded.pid then started_at else excluded.started_at end,"
            "  pid = excluded.pid",
            [os.getpid(), to_text(now), to_text(now), note],
        )
