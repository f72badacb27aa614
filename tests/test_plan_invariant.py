"""The promise of the planner, tried on invented lives: no slot is lost, doubled, or read on another day.

A simulated monitor keeps nothing but its list of readings. It is switched off, killed, put to sleep, and its clock is
set wrong and right again, around the nights on which clocks change; readings fail, are refused or are lost in a crash.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import event, given, settings
from hypothesis import strategies as st

from monitor.model import Outcome
from monitor.plan import RETRIES, Attempt, Watched, plan, read_schedule, slots

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

NIGHTS = [
    ("Australia/Sydney", datetime(2026, 4, 3, 20, tzinfo=UTC)),
    ("Australia/Sydney", datetime(2026, 10, 2, 20, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 3, 20, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 2, 20, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 7, 9, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, 9, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 28, 4, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 4, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 28, 12, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 3, 4, tzinfo=UTC)),  # midnight itself is skipped
    ("America/Nuuk", datetime(2024, 3, 29, 12, tzinfo=UTC)),  # the last hour of a day is skipped
    ("UTC", datetime(2026, 12, 30, 12, tzinfo=UTC)),
]

SCHEDULES = ["1d", "2d", "6h", "1h", "45m", "02:30", "00:00", "00:30", "23:30", "06:30"]

OUTCOMES = [
    *[(Outcome.OK, "")] * 6,
    (Outcome.EMPTY, "no_results"),
    *[(Outcome.FAILED, "timeout")] * 3,
    (Outcome.BLOCKED, "captcha"),
    (Outcome.CHANGED, "layout_unknown"),
    (Outcome.SUSPECT, "decoy"),
    (Outcome.MISSED, "key_missing"),
    (Outcome.MISSED, "breaker"),
]


@dataclass(frozen=True)
class Row:
    """A stored reading."""

    name: str
    started_at: datetime
    attempt: Attempt


@dataclass
class Life:
    """A machine, its clock, and a monitor that remembers nothing but its rows."""

    now: datetime
    zone: ZoneInfo
    schedules: dict[str, str]
    chance: random.Random
    crashes: bool = False
    rows: list[Row] = field(default_factory=list)
    asleep: list[tuple[datetime, datetime]] = field(default_factory=list)
    last_alive: datetime | None = None

    def __post_init__(self) -> None:
        self.since = self.now

    def watched(self) -> list[Watched]:
        return [self._watched(name) for name in self.schedules]

    def _watched(self, name: str) -> Watched:
        text = self.schedules[name]
        schedule = read_schedule(None, text) if ":" in text else read_schedule(text, None)
        mine = [row.attempt for row in self.rows if row.name == name]
        known = [a.slot for a in mine if a.slot <= self.now and a.finished_at <= self.now]
        last = max(known, default=None)
        attempts = tuple(a for a in mine if last is None or a.slot >= last)
        return Watched(name, schedule, self.zone, False, self.since, last, attempts)

    def look(self) -> datetime:
        """Carry out the plan until nothing is left to do; the moment of the next look."""
        while True:
            made = plan(self.watched(), self.now, self.last_alive, self.asleep)
            for miss in made.missed:
                self._store(miss.name, self.now, miss.slot, miss.day, miss.attempt, Outcome.MISSED, miss.reason)
            if not made.due:
                if not made.missed:
                    return min(at for at in made.next_at.values() if at)
                continue
            for due in made.due:
                started = self.now
                self.now += self.chance.choice([0, 2, 40]) * SECOND
                if self.crashes and self.chance.random() < 0.15:
                    continue  # killed before the reading was stored
                outcome, reason = self.chance.choice(OUTCOMES)
                self._store(due.name, started, due.slot, due.day, due.attempt, outcome, reason)

    def _store(
        self, name: str, started: datetime, slot: datetime, day: date, attempt: int, outcome: Outcome, reason: str
    ) -> None:
        assert (name, slot, attempt) not in {(r.name, r.attempt.slot, r.attempt.attempt) for r in self.rows[-500:]}
        self.rows.append(Row(name, started, Attempt(slot, day, attempt, outcome, reason, self.now)))

    def live(self, span: timedelta, late: timedelta) -> None:
        """Run for a while, looking when the plan says, or a little later."""
        end = self.now + span
        while self.now < end:
            following = self.look()
            assert following > self.now
            self.last_alive = self.now
            self.now = min(max(following + self.chance.random() * late, self.now + SECOND), max(end, self.now))
        self.last_alive = self.now

    def off(self, span: timedelta) -> None:
        self.now += span

    def sleep(self, span: timedelta) -> None:
        self.asleep.append((self.now, self.now + span))
        self.now += span

    def step_clock(self, by: timedelta) -> None:
        self.now += by


minutes = st.integers(1, 3 * 24 * 60).map(lambda n: n * MINUTE)
steps = st.one_of(
    st.tuples(st.just("live"), minutes),
    st.tuples(st.just("live"), minutes),
    st.tuples(st.just("off"), minutes),
    st.tuples(st.just("sleep"), minutes),
)
clock_steps = st.tuples(st.just("step_clock"), st.integers(-2 * 24 * 60, 2 * 24 * 60).map(lambda n: n * MINUTE))


def lived(night, schedules, chance, events, *, crashes=False, late=timedelta(0)) -> Life:
    zone, start = night
    life = Life(start, ZoneInfo(zone), {f"source {s}": s for s in schedules}, chance, crashes)
    for kind, span in events:
        if kind == "live":
            life.live(span, late)
        else:
            getattr(life, kind)(span)
    life.now = max([life.now, *(row.attempt.finished_at for row in life.rows)])  # the clock is right again
    life.look()
    return life


def rows_of(life: Life, name: str) -> dict[datetime, list[Row]]:
    found: dict[datetime, list[Row]] = {}
    for row in life.rows:
        if row.name == name:
            found.setdefault(row.attempt.slot, []).append(row)
    return found


def assert_promise(life: Life) -> None:
    for source in life.watched():
        by_slot = rows_of(life, source.name)
        owed = list(slots(source.schedule, source.name, source.zone, life.since, life.now))
        assert [slot.at for slot in owed] == sorted(by_slot), "slots since the first look = slots with a reading"
        for slot in owed:
            rows = by_slot[slot.at]
            assert [row.attempt.attempt for row in rows] == list(range(1, len(rows) + 1))
            assert {row.attempt.day for row in rows} == {slot.day}
            assert_each_read_in_its_time(source, rows)
            assert_no_second_answer(rows)


def assert_each_read_in_its_time(source: Watched, rows: list[Row]) -> None:
    for row in rows:
        if row.attempt.reason in ("off", "asleep"):
            continue
        started, slot = row.started_at, row.attempt.slot
        # A look serves its sources one after the other, each within a minute here: the plan was made a little before.
        began = started - 5 * MINUTE
        assert row.attempt.day in (started.astimezone(source.zone).date(), began.astimezone(source.zone).date())
        assert slot <= started
        following = next(slots(source.schedule, source.name, source.zone, slot, started + 10 * DAY))
        assert began < following.at


def assert_no_second_answer(rows: list[Row]) -> None:
    """After an answer or a refusal the slot is left alone, unless the clock then turned out to be wrong."""
    for n, earlier in enumerate(rows):
        attempt = earlier.attempt
        retried = attempt.outcome is Outcome.FAILED or attempt.reason in ("key_missing", "breaker")
        for later in rows[n + 1 :]:
            clock_went_back = attempt.finished_at > later.started_at
            assert retried or clock_went_back


lives = {
    "night": st.sampled_from(NIGHTS),
    "schedules": st.lists(st.sampled_from(SCHEDULES), min_size=1, max_size=3, unique=True),
    "chance": st.randoms(use_true_random=False),
}


@settings(max_examples=150, deadline=None)
@given(**lives, events=st.lists(steps, min_size=1, max_size=8), crashes=st.booleans())
def test_no_slot_is_lost_doubled_or_read_on_another_day(night, schedules, chance, events, crashes):
    life = lived(night, schedules, chance, events, crashes=crashes, late=3 * MINUTE)
    event(f"misses: {any(row.attempt.outcome is Outcome.MISSED for row in life.rows)}")
    assert_promise(life)


@settings(max_examples=150, deadline=None)
@given(**lives, events=st.lists(st.one_of(steps, clock_steps), min_size=2, max_size=10), crashes=st.booleans())
def test_a_wrong_clock_loses_no_slot_either(night, schedules, chance, events, crashes):
    life = lived(night, schedules, chance, events, crashes=crashes, late=3 * MINUTE)
    event(
        f"clock went back: {any(a.started_at > b.started_at for a, b in zip(life.rows, life.rows[1:], strict=False))}"
    )
    assert_promise(life)


@settings(max_examples=60, deadline=None)
@given(**lives, span=st.integers(1, 12).map(lambda n: n * 12 * HOUR))
def test_left_running_it_misses_nothing_and_tries_four_times_at_most(night, schedules, chance, span):
    life = lived(night, schedules, chance, [("live", span)])
    assert_promise(life)
    for source in life.watched():
        by_slot = rows_of(life, source.name)
        came = list(slots(source.schedule, source.name, source.zone, life.since, life.now))
        assert [slot.at for slot in came] == sorted(by_slot)
        for rows in by_slot.values():
            assert all(row.attempt.reason not in ("off", "asleep") for row in rows)
            assert len(rows) <= 1 + len(RETRIES)


@settings(max_examples=200, deadline=None)
@given(
    night=st.sampled_from(NIGHTS),
    text=st.sampled_from(SCHEDULES),
    name=st.text(max_size=8),
    days=st.integers(0, 40),
)
def test_slots_are_distinct_in_order_and_on_their_own_day(night, text, name, days):
    zone, start = ZoneInfo(night[0]), night[1] - 10 * DAY
    schedule = read_schedule(None, text) if ":" in text else read_schedule(text, None)
    found = list(slots(schedule, name, zone, start, start + days * DAY))
    assert all(a.at < b.at for a, b in pairwise(found))
    assert all(slot.at.astimezone(zone).date() == slot.day for slot in found)
    # A span gives the same slots whole as in two parts.
    middle = start + days * DAY / 2
    parts = [slots(schedule, name, zone, start, middle), slots(schedule, name, zone, middle, start + days * DAY)]
    assert [slot for part in parts for slot in part] == found
    if schedule.period == DAY:
        instants = [start + n * 10 * MINUTE for n in range(days * 144)]
        local_days = {instant.astimezone(zone).date() for instant in instants[144:-144]}
        assert local_days <= {slot.day for slot in found}
