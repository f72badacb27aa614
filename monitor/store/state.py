"""What the planner and `status` need to know of the past."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from monitor.model import Outcome
from monitor.plan import SKEW, Attempt, Schedule, Watched, first_again, read_schedule
from monitor.store.reader import HasRows
from monitor.times import from_text, to_text

if TYPE_CHECKING:
    from monitor.config import Configured
    from monitor.store.connection import Store

MOST_FIRST = 8  # readings: more than these, and a source without any success is past its beginning


def schedule_text(schedule: Schedule) -> str:
    """A schedule as `sources.schedule` holds it: "every 1d" or "at 06:30"."""
    return f"at {schedule.at:%H:%M}" if schedule.at else f"every {schedule.number}{schedule.unit}"


def schedule_of(text: str) -> Schedule:
    """The schedule that `schedule_text` wrote; daily where none is known yet."""
    word, _, said = text.partition(" ")
    return read_schedule(None, said) if word == "at" else read_schedule(said or "1d", None)


def watched(
    store: HasRows, configured: Configured, source_id: int, now: datetime, asked: datetime | None = None
) -> Watched:
    """A source as the planner sees it: since when it is watched, and the attempts at its newest slots.

    `asked` is the slot at which a source with history was last asked by this process: it writes nothing without news.
    """
    (row,) = store.rows("select added_at from sources where id = ?", (source_id,))
    as_configured = (configured.name, configured.schedule, configured.zone, configured.source.history)
    return _watched(store, source_id, *as_configured, from_text(row["added_at"]), now, asked)


def all_watched(store: HasRows, now: datetime) -> dict[int, Watched]:
    """Every current source as the planner sees it, by its id, from what the last run wrote of its config."""
    rows = store.rows(
        "select s.id, s.name, s.schedule, s.history, s.added_at,"
        " iif(s.day_zone in ('log', 'owner'), o.timezone, s.day_zone) as zone"
        " from sources s join owner o where s.retired_at is null and s.measure <> 'typed'"
    )
    return {
        row["id"]: _watched(
            store,
            row["id"],
            row["name"],
            schedule_of(row["schedule"]),
            ZoneInfo(row["zone"]),
            bool(row["history"]),
            from_text(row["added_at"]),
            now,
        )
        for row in rows
    }


def _watched(
    store: HasRows,
    source_id: int,
    name: str,
    schedule: Schedule,
    zone: ZoneInfo,
    history: bool,
    since: datetime,
    now: datetime,
    asked: datetime | None = None,
) -> Watched:
    asked = asked if asked and asked <= now else None  # a clock set back: that slot has not come yet
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
        name=name,
        schedule=schedule,
        zone=zone,
        history=history,
        since=since,
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


def first_attempts(store: HasRows, source_id: int) -> tuple[Attempt, ...]:
    """The attempts of a source that nothing was ever read from; empty once anything was, or nothing was tried."""
    rows = store.rows(
        "select slot, day, attempt, outcome, reason, finished_at from readings where source_id = ? order by id limit ?",
        (source_id, MOST_FIRST + 1),
    )
    read = any(row["outcome"] in ("ok", "empty") for row in rows)
    return () if read or len(rows) > MOST_FIRST else tuple(_attempt(row) for row in rows)


def next_asked(store: HasRows, source_id: int, name: str, planned: datetime | None) -> datetime | None:
    """When a source is asked next: by its slots, or sooner where its first reading at once did not succeed."""
    again = first_again(name, first_attempts(store, source_id))
    return min(filter(None, (planned, again)), default=None)


def last_further(store: HasRows, source_id: int) -> date | None:
    """The newest day on which a further page than the first was read of a source."""
    (row,) = store.rows(
        "select max(r.day) as day from readings r join exchanges e on e.reading_id = r.id and e.n > 1"
        " where r.source_id = ? and r.outcome in ('ok', 'empty') and e.capture_id is not null",
        (source_id,),
    )
    return date.fromisoformat(row["day"]) if row["day"] else None


def never_read(store: HasRows, source_id: int) -> bool:
    """Whether no attempt at this source was ever made."""
    return not store.rows("select 1 from readings where source_id = ? limit 1", (source_id,))


def newest(store: HasRows, source_id: int) -> dict[str, Any] | None:
    """The newest reading of a source, or None."""
    rows = store.rows("select * from readings where source_id = ? order by id desc limit 1", (source_id,))
    return rows[0] if rows else None


def refused_today(store: HasRows, source_id: int, day: date) -> dict[str, Any] | None:
    """The reading of this day that was refused, or None."""
    rows = store.rows(
        "select * from readings where source_id = ? and day = ? and outcome = 'blocked' order by id desc limit 1",
        (source_id, day.isoformat()),
    )
    return rows[0] if rows else None


def host_of(store: HasRows, source_id: int) -> str:
    """The host (with its port) that a source last asked; empty where it has asked none, or reads files."""
    rows = store.rows(
        "select e.url_asked from readings r join exchanges e on e.reading_id = r.id"
        " where r.source_id = ? order by r.day desc, r.started_at desc, r.id desc, e.n desc limit 1",
        (source_id,),
    )
    return urlsplit(rows[0]["url_asked"]).netloc.casefold() if rows else ""


def hosts(store: HasRows, now: datetime) -> dict[str, dict[str, Any]]:
    """What each host was asked this month, and until when it is left alone, with its reason: breaker or not_before."""
    found = {}
    for row in store.rows("select * from hosts order by host"):
        reason, until = _left_alone(row, now)
        found[row["host"]] = {
            "host": row["host"],
            "calls_this_month": row["calls"] if row["month"] == f"{now:%Y-%m}" else 0,
            "cost_this_month": row["cost"] / 1e6 if row["month"] == f"{now:%Y-%m}" else 0,
            "blocked_in_row": row["blocked_in_row"],
            "reason": reason,
            "left_alone_until": to_text(until) if until else None,
        }
    return found


def _left_alone(row: dict[str, Any], now: datetime) -> tuple[str, datetime | None]:
    open_until, not_before = (from_text(row[name]) if row[name] else None for name in ("open_until", "not_before"))
    if not any(at and at > now for at in (open_until, not_before)):
        return "", None
    from monitor.politeness import HostState, Refuse, may_ask  # costs a third of a quick look, and is seldom needed

    state = HostState(row["host"], not_before=not_before, open_until=open_until)
    verdict = may_ask(state, now, timedelta())
    return (verdict.reason, verdict.until) if isinstance(verdict, Refuse) else ("", None)


def trouble_since(store: HasRows, source_id: int, good_reading_id: int | None) -> datetime | None:
    """When the first reading after the last good one ended; None when there is none."""
    (row,) = store.rows(
        "select min(finished_at) as at from readings where source_id = ? and id > ? and \"trigger\" <> 'reread'",
        (source_id, good_reading_id or 0),
    )
    return from_text(row["at"]) if row["at"] else None


STOPPED = "stopped"  # the heartbeat's last note after an orderly end


def last_beat(store: HasRows) -> datetime | None:
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
