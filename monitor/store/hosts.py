"""What each host may be asked and when: rows that every process reads and writes, so that two are as polite as one."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlite_utils import Database

from monitor.model import Outcome
from monitor.politeness import Go, HostState, Refuse, Wait, answered, asked, may_ask, not_asked
from monitor.store.connection import Store
from monitor.times import from_text, to_text

_COLUMNS = ("next_at", "not_before", "blocked_in_row", "open_until", "month", "calls", "cost")


def claim(
    store: Store,
    host: str,
    now: datetime,
    deadline: timedelta,
    spacing: timedelta,
    budget: int | None = None,
    cost: int = 0,
) -> Go | Wait | Refuse:
    """Take the host for one request, or say until when it may not be asked. Taking it is a lease: a kill frees it.

    `budget` is the most calls of this month, `cost` that of one, in millionths of a dollar; both are counted before the
    call.
    """
    with store.write() as db:
        state = _state(db, host)
        verdict = may_ask(state, now, spacing, budget)
        if isinstance(verdict, Go):
            _save(db, asked(state, now, deadline, spacing, cost))
        return verdict


def release(
    store: Store, host: str, now: datetime, spacing: timedelta, outcome: Outcome, retry_after: datetime | None
) -> None:
    """Give the host back after an answer, and remember how it ended."""
    with store.write() as db:
        _save(db, answered(_state(db, host), now, spacing, outcome, retry_after))


def give_back(store: Store, host: str, cost: int = 0) -> None:
    """Give the host back unasked: no call is counted."""
    with store.write() as db:
        _save(db, not_asked(_state(db, host), cost))


def clear(store: Store, host: str) -> None:
    """Forget a host's refusals: the owner's own hand asks again (`check --force`)."""
    with store.write() as db:
        db.execute("update hosts set not_before = null, open_until = null, blocked_in_row = 0 where host = ?", [host])


def _state(db: Database, host: str) -> HostState:
    row = db.execute(f"select {', '.join(_COLUMNS)} from hosts where host = ?", [host]).fetchone()  # noqa: S608
    if row is None:
        return HostState(host)
    next_at, not_before, blocked_in_row, open_until, month, calls, cost = row
    return HostState(host, _at(next_at), _at(not_before), blocked_in_row, _at(open_until), month, calls, cost)


def _at(text: str | None) -> datetime | None:
    return from_text(text) if text else None


def _save(db: Database, state: HostState) -> None:
    values = [getattr(state, name) for name in _COLUMNS]
    texts = [to_text(v, fine=True) if isinstance(v, datetime) else v for v in values]
    sets = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
    db.execute(
        f"insert into hosts (host, {', '.join(_COLUMNS)}) values (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        f" on conflict (host) do update set {sets}",
        [state.host, *texts],
    )
