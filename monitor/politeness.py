"""May this host be asked now, and if not, why. Pure: rows of the table `hosts` in, rows out; all instants aware UTC.

Spacing keeps requests to one host apart, also across processes: a request takes a lease before it is sent. A host that
refuses three times in a row is left alone for 1 day, then 2, 4, 8, at most 14. What a host itself asks for
(Retry-After) is kept to, up to 7 days. It is never slept for: the instants stand in the row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

from monitor.model import Outcome

BLOCKS_BEFORE_BREAK = 3
LONGEST_BREAK = timedelta(days=14)
LONGEST_RETRY_AFTER = timedelta(days=7)
LONGEST_LEASE = timedelta(minutes=10)  # more than any deadline
_CLOCK_SLACK = timedelta(days=1)  # a clock set back by less changes no break


@dataclass(frozen=True, slots=True)
class HostState:
    """A row of `hosts`: `next_at` for spacing, `not_before` by the host's own word, `open_until` of the breaker.

    `calls` counts requests in `month` ("2026-11", UTC), `cost` what they cost, in millionths of a dollar.
    """

    host: str
    next_at: datetime | None = None
    not_before: datetime | None = None
    blocked_in_row: int = 0
    open_until: datetime | None = None
    month: str = ""
    calls: int = 0
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Go:
    """Ask now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask at `until`, soon: another request to this host is too near."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not ask before `until`; the reason is one of reasons.py's for `missed`."""

    reason: Literal["breaker", "not_before", "budget"]
    until: datetime


def may_ask(state: HostState, now: datetime, spacing: timedelta, budget: int | None = None) -> Go | Wait | Refuse:
    """Whether this host may be asked now. `budget` is the most calls in a calendar month (UTC), None for no limit."""
    state = believable(state, now, spacing)
    if state.open_until and state.open_until > now:
        return Refuse("breaker", state.open_until)
    if state.not_before and state.not_before > now:
        return Refuse("not_before", state.not_before)
    if budget is not None and _calls(state, now) >= budget:
        return Refuse("budget", _next_month(now))
    if state.next_at and state.next_at > now:
        return Wait(state.next_at)
    return Go()


def asked(state: HostState, now: datetime, deadline: timedelta, spacing: timedelta, cost: int = 0) -> HostState:
    """The row to write before a request is sent: a lease until it must have ended, and one call more.

    If the process dies meanwhile, the host is free again when the lease is over.
    """
    state = believable(state, now, spacing)
    lease = now + min(deadline, LONGEST_LEASE) + spacing
    spent = state.cost if _calls(state, now) else 0
    return replace(state, next_at=lease, month=_month(now), calls=_calls(state, now) + 1, cost=spent + cost)


def not_asked(state: HostState, cost: int = 0) -> HostState:
    """The row to write when nothing was sent after all (a key is missing): the lease is over, the call was none."""
    return replace(state, next_at=None, calls=max(0, state.calls - 1), cost=max(0, state.cost - cost))


def answered(
    state: HostState, now: datetime, spacing: timedelta, outcome: Outcome, retry_after: datetime | None = None
) -> HostState:
    """The row to write when a request has ended.

    `blocked` counts towards the breaker and from the third in a row opens it; `ok` and `empty` close it and forget;
    any other outcome says nothing about being welcome and leaves the count.
    """
    state = replace(believable(state, now, spacing), next_at=now + spacing)
    if outcome in (Outcome.OK, Outcome.EMPTY):
        state = replace(state, blocked_in_row=0, open_until=None, not_before=None)
    if outcome is Outcome.BLOCKED:
        blocked = state.blocked_in_row + 1
        state = replace(state, blocked_in_row=blocked, open_until=_break_until(blocked, now))
    if retry_after is not None and retry_after > now:
        state = replace(state, not_before=min(retry_after, now + LONGEST_RETRY_AFTER))
    return state


def believable(state: HostState, now: datetime, spacing: timedelta) -> HostState:
    """The row without instants further ahead than any of ours can be.

    They were written while the clock was wrong, and would silence the host until that date comes. One request too
    early is the lesser harm; the count of refusals stays, so that a host that still refuses is left alone again.
    """

    def unless_beyond(at: datetime | None, longest: timedelta) -> datetime | None:
        return None if at and at > now + longest else at

    return replace(
        state,
        next_at=unless_beyond(state.next_at, LONGEST_LEASE + spacing),
        not_before=unless_beyond(state.not_before, LONGEST_RETRY_AFTER + _CLOCK_SLACK),
        open_until=unless_beyond(state.open_until, LONGEST_BREAK + _CLOCK_SLACK),
    )


def read_retry_after(value: str, date_header: str, now: datetime) -> datetime | None:
    """The instant that a Retry-After header means, at most 7 days ahead; None for none, garbage or the past.

    Seconds count from now. A date is taken relative to the answer's Date header, so that the host's clock need not be
    right (RFC 9110, 10.2.3; the same idea in lemon24/reader).

    >>> now = datetime(2026, 11, 22, 8, tzinfo=UTC)
    >>> read_retry_after("90", "", now).isoformat(), read_retry_after("-1", "", now)
    ('2026-11-22T08:01:30+00:00', None)
    """
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return now + min(timedelta(seconds=int(text.lstrip("0")[:9] or "0")), LONGEST_RETRY_AFTER)
    at = _http_date(text)
    if at is None:
        return None
    ahead = at - (_http_date(date_header.strip()) or now)
    return now + min(ahead, LONGEST_RETRY_AFTER) if ahead >= timedelta(0) else None


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _break_until(blocked_in_row: int, now: datetime) -> datetime | None:
    if blocked_in_row < BLOCKS_BEFORE_BREAK:
        return None
    doublings = min(blocked_in_row - BLOCKS_BEFORE_BREAK, 10)
    return now + min(timedelta(days=2**doublings), LONGEST_BREAK)


def _month(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m}"


def _next_month(now: datetime) -> datetime:
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def _calls(state: HostState, now: datetime) -> int:
    return state.calls if state.month == _month(now) else 0
