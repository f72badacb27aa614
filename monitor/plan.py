"""What is due now, what was missed, and when each source is asked next: a pure function of schedule, readings and now.

A slot is the nominal moment a reading is due. The rules are docs/design.md section 5: a slot of a source without
history is served on its own local day and before the next slot, or it ends `missed`; a source with history owes days,
so it is asked whenever a slot has come since the last try and never misses one. The store says what has been read;
nothing is remembered here, so that a restart neither repeats nor hides a reading. Jitter is hashed, never drawn.

Instants are aware UTC datetimes; days are local days of the source's own zone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from monitor.model import Outcome

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

RETRIES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
"""How long after the end of the first try a slot is tried again, each within a hashed fifth."""

RETRIED_MISSES = frozenset({"key_missing", "breaker", "budget", "not_before", "disk"})
"""Reasons of `missed` that may pass while the slot is still open; `off` and `asleep` close it."""

SKEW = timedelta(minutes=1)
"""How far in the future a reading may seem to have ended: time daemons step a clock back by seconds every so often."""

MOST_MISSED = 5_000
"""How many missed slots one plan names, so that years off with a short schedule do not make one huge write."""

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": DAY}
_EVERY = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_AT = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


# --- schedules and their slots -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often, as `every` (a number and its unit) or as a local time of day `at`; made by `read_schedule`."""

    number: int
    unit: str
    at: time | None = None

    @property
    def period(self) -> timedelta:
        """The nominal time between two slots (a local day may be 23 or 25 hours long)."""
        return self.number * _UNITS[self.unit]


@dataclass(frozen=True, slots=True)
class Slot:
    """The nominal moment a reading is due, and the local day it stands for."""

    at: datetime
    day: date


def read_schedule(every: str | None, at: str | None) -> Schedule:
    """Read `every = "10m" | "6h" | "1d"` or `at = "06:30"` (local, daily); from one minute to 366 days.

    Raises ValueError with a sentence for the owner.

    >>> read_schedule("6h", None).period
    datetime.timedelta(seconds=21600)
    """
    if (every is None) == (at is None):
        raise ValueError('a schedule is either every = "1d" or at = "06:30", one of the two')
    if at is not None:
        if not (found := _AT.fullmatch(at)):
            raise ValueError("at is a time of day: 06:30")
        return Schedule(1, "d", time(int(found[1]), int(found[2])))
    if not (found := _EVERY.fullmatch(every or "")):
        raise ValueError("every is a number and a unit: 10m, 6h, 1d")
    schedule = Schedule(int(found[1]), found[2])
    if schedule.period > 366 * DAY:
        raise ValueError("every is at most 366d")
    return schedule


def slots(schedule: Schedule, name: str, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[Slot]:
    """The slots later than `after` and not later than `until`, in order; lazily, starting right at `after`.

    Days: one slot per local day that exists (Pacific/Apia had no 2011-12-30), at the wall time `at` or at a minute
    between 06:00 and 09:00 hashed from the name; `2d` takes days with an even ordinal, and so on. Minutes and hours:
    multiples since 1970 in UTC, hours with a minute hashed from the name, so that sources do not go off together.
    """
    if schedule.unit != "d":
        offset = timedelta(minutes=_hashed(name, 60)) if schedule.unit == "h" else timedelta()
        start = EPOCH + offset
        for n in count((after - start) // schedule.period + 1):
            at = start + n * schedule.period
            if at > until:
                return
            yield Slot(at, at.astimezone(zone).date())
    minute = _hashed(name, 180)
    wall = schedule.at or time(6 + minute // 60, minute % 60)
    first = after.astimezone(zone).toordinal() - 1
    first += -first % schedule.number
    for ordinal in range(first, until.astimezone(zone).toordinal() + 2, schedule.number):
        slot = _on(date.fromordinal(ordinal), wall, zone)
        if slot and after < slot.at <= until:
            yield slot


def _on(day: date, wall: time, zone: ZoneInfo) -> Slot | None:
    """The slot of a local day: a repeated wall time the first time, a skipped one by as much later as was skipped.

    Where that falls on the next day (a gap over midnight) it is as much earlier; None for a day that does not exist.
    """
    for fold in (0, 1):
        at = datetime.combine(day, wall.replace(fold=fold), zone).astimezone(UTC)
        if at.astimezone(zone).date() == day:
            return Slot(at, day)
    return None


def _hashed(text: str, below: int) -> int:
    """A number from 0 to below `below`, the same on every machine and after every restart."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % below


# --- what is known of a source -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attempt:
    """A scheduled reading as far as planning cares."""

    slot: datetime
    day: date
    attempt: int
    outcome: Outcome
    reason: str
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class Watched:
    """A source and what the store knows of it.

    `since` is when it was added; no slot up to then is owed. `last_slot` is the newest scheduled slot not later than
    now with a reading that ended by now, and `attempts` are the scheduled readings of that slot and of all later ones
    (later ones exist only after a clock was wrong). A source with history may write no reading when there is no news:
    for it, `last_slot` is the newest slot at which it was asked.
    """

    name: str
    schedule: Schedule
    zone: ZoneInfo
    history: bool
    since: datetime
    last_slot: datetime | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """A reading to take now, under this slot, day and attempt number."""

    name: str
    slot: datetime
    day: date
    attempt: int


@dataclass(frozen=True, slots=True)
class Miss:
    """A slot that passed unasked, to be stored as `missed` with reason `off` or `asleep`."""

    name: str
    slot: datetime
    day: date
    attempt: int
    reason: Literal["off", "asleep"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, oldest first, and when each source is asked next (now, if it is due or has more missed slots)."""

    due: tuple[Due, ...]
    missed: tuple[Miss, ...]
    next_at: Mapping[str, datetime | None]


# --- the plan ------------------------------------------------------------------------------------------------------


def plan(
    watched: Sequence[Watched],
    now: datetime,
    last_alive: datetime | None,
    asleep: Sequence[tuple[datetime, datetime]] = (),
) -> Plan:
    """Say what is due at `now`, which slots have passed unasked, and when each source is asked next.

    `last_alive` is the newest heartbeat before this start or before a clock jump, `asleep` the spans in which this
    machine slept. A reading under way is not in the store yet: leaving out its source is the caller's part, and so is
    a source's very first reading. The missed slots must be stored before the due ones are read, for the newest reading
    tells where the next plan begins; where a source has more of them than fit, the oldest are named and it is not due.
    """
    due: list[Due] = []
    missed: list[Miss] = []
    next_at: dict[str, datetime | None] = {}
    share = max(1, MOST_MISSED // max(1, len(watched)))
    for source in watched:
        over = [] if source.history else list(islice(_passed(source, now, last_alive), share + 1))
        for slot in over[:share]:
            reason = _why(slot, _end(source, slot), last_alive, asleep)
            missed.append(Miss(source.name, slot.at, slot.day, 1, reason))
        if len(over) > share:
            next_at[source.name] = now
            continue
        slot_due = _due(source, now)
        if isinstance(slot_due, Due):
            due.append(slot_due)
            next_at[source.name] = now
        else:
            next_at[source.name] = slot_due
    due.sort(key=lambda d: (d.slot, d.name))
    missed.sort(key=lambda m: (m.slot, m.name))
    return Plan(tuple(due), tuple(missed), MappingProxyType(next_at))


def _passed(source: Watched, now: datetime, last_alive: datetime | None) -> Iterator[Slot]:
    """The slots owed so far that may no longer be served and have no reading at all, oldest first."""
    read = {a.slot for a in source.attempts}
    today = now.astimezone(source.zone).date()
    newest = _newest(source, now)
    floor = _floor(source, now, last_alive, newest)
    for slot in slots(source.schedule, source.name, source.zone, floor, now):
        if slot.at not in read and (slot != newest or slot.day < today):
            yield slot


def _due(source: Watched, now: datetime) -> Due | datetime | None:
    """The reading due now, or else the moment of the next one."""
    slot = _newest(source, now)
    following = next(_following(source, max(now, source.since)), None)
    later = following.at if following else None
    if slot is None or slot.at <= source.since:
        return later
    if source.last_slot is not None and slot.at < source.last_slot <= now:  # the schedule has changed since
        return later
    if not source.history and slot.day != now.astimezone(source.zone).date():
        return later
    tries = [a for a in source.attempts if a.slot == slot.at]
    at = _try_at(source, slot, [a for a in tries if a.finished_at <= now + SKEW], now)
    if at is None or (later and at >= later):
        return later
    if at <= now:
        return Due(source.name, slot.at, slot.day, 1 + max((a.attempt for a in tries), default=0))
    return at if source.history or at.astimezone(source.zone).date() == slot.day else later


def _try_at(source: Watched, slot: Slot, tries: Sequence[Attempt], now: datetime) -> datetime | None:
    """When an open slot is to be tried (again); None when it is served, refused, or tried often enough."""
    if not tries:
        return None if source.history and source.last_slot == slot.at else now
    if len(tries) > len(RETRIES) or not all(_retried(a) for a in tries):
        return None
    factor = 0.8 + 0.4 * _hashed(f"{source.name} {slot.at.isoformat()} {len(tries)}", 1001) / 1000
    ended = sorted(a.finished_at for a in tries)
    return max(ended[0] + factor * RETRIES[len(tries) - 1], ended[-1] + factor * RETRIES[0])


def _retried(attempt: Attempt) -> bool:
    """Whether such an outcome may be tried again in its slot. A refusal may not: the polite answer is to stop."""
    if attempt.outcome is Outcome.MISSED:
        return attempt.reason in RETRIED_MISSES
    return attempt.outcome is Outcome.FAILED


def _floor(source: Watched, now: datetime, last_alive: datetime | None, newest: Slot | None) -> datetime:
    """The moment after which slots are owed: normally the newest slot with a reading.

    If that is no slot of this schedule, the schedule has changed: while Monitor still ran by the old one, the slots
    of the new one did not exist and none was missed.
    """
    last = source.last_slot
    if last is None:
        return source.since
    if last > now:  # a clock was wrong, and what was read until now is not known
        return max(source.since, newest.at if newest else now)
    just_before = last - timedelta(microseconds=1)
    if last_alive and not any(slots(source.schedule, source.name, source.zone, just_before, last)):
        last = max(last, last_alive)
    return max(source.since, last)


def _newest(source: Watched, now: datetime) -> Slot | None:
    """The newest slot not later than now."""
    back = source.schedule.period * 2 + 2 * DAY if source.schedule.unit == "d" else source.schedule.period
    return max(
        slots(source.schedule, source.name, source.zone, now - back, now), key=lambda slot: slot.at, default=None
    )


def _following(source: Watched, after: datetime) -> Iterator[Slot]:
    """The slots after a moment; at least one."""
    return slots(source.schedule, source.name, source.zone, after, after + source.schedule.period * 2 + 2 * DAY)


def _end(source: Watched, slot: Slot) -> datetime:
    """The moment until which a slot may be served: the next slot, or the end of its local day."""
    following = next(_following(source, slot.at), None)
    midnight = datetime.combine(slot.day + DAY, time(), source.zone).astimezone(UTC)
    return min(following.at, midnight) if following else midnight


def _why(
    slot: Slot, end: datetime, last_alive: datetime | None, asleep: Sequence[tuple[datetime, datetime]]
) -> Literal["off", "asleep"]:
    """`asleep` when the slot came in sleep, or Monitor was alive when it came and slept later; else `off`."""
    alive = last_alive is not None and last_alive >= slot.at
    for start, stop in asleep:
        if start <= slot.at < stop or (alive and start < end and stop > slot.at):
            return "asleep"
    return "off"


def first_again(name: str, tries: Sequence[Attempt]) -> datetime | None:
    """When a source that nothing was ever read from is asked again after its first reading at once; None: by its slots.

    The same waits as inside a slot, and like there never after a refusal.
    """
    if not tries or len(tries) > len(RETRIES) or not all(_retried(a) for a in tries):
        return None
    factor = 0.8 + 0.4 * _hashed(f"{name} first {len(tries)}", 1001) / 1000
    return max(tries[0].finished_at + factor * RETRIES[len(tries) - 1], tries[-1].finished_at + factor * RETRIES[0])
