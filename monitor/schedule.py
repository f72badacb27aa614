"""The scheduler: APScheduler says "look now", the plan says what is due, the pool makes the attempts.

APScheduler keeps its jobs in memory only; what is due is derived from the database at each look, so that a kill at
any moment neither loses nor repeats a reading. The heartbeat has a thread of its own, since a clock set back stalls
every APScheduler job until the wall clock catches up (apscheduler issue 794 and others).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from monitor.attempt import Attempts
from monitor.config import Configured, Settings, read_span
from monitor.model import Outcome, Reading, Trigger
from monitor.plan import Due, Miss, first_again, plan, slots
from monitor.reasons import advice
from monitor.store import captures, readings, sources, state
from monitor.store.connection import Store, StoreError
from monitor.times import to_text

LOOK_SECONDS = 20
BEAT_SECONDS = 15
JUMP_SECONDS = 5.0
WORKERS = 4

log = logging.getLogger("monitor")
Say = Callable[[str], None]


class Runner:
    """Takes the readings of one config into one history until it is stopped."""

    def __init__(self, settings: Settings, store: Store, attempts: Attempts, say: Say) -> None:
        self.settings, self.store, self.attempts, self.say = settings, store, attempts, say
        self.clock = attempts.clock
        self.ids = sources.sync(store, settings, self.clock())
        self.alive = state.last_beat(store)
        self.asked: dict[str, datetime] = {}
        self.asleep: list[tuple[datetime, datetime]] = []
        self.next_tries: dict[str, str] = {}  # for the pages: when each source is asked next, UTC text
        self._under_way: set[str] = set()
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="attempt")
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._beater = threading.Thread(target=self._beat_forever, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin: the first readings of new sources at once, then by schedule."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._schedule()
        self._scheduler.start()
        self._beater.start()

    @property
    def busy(self) -> bool:
        """Whether an attempt is under way."""
        return bool(self._under_way)

    def stop(self) -> None:
        """End: no new work; what is under way is cut off by its own deadline, and is asked again at the next start."""
        self._stop.set()
        self._scheduler.shutdown(wait=False)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _schedule(self) -> None:
        self._scheduler.add_job(
            self.look,
            "interval",
            seconds=LOOK_SECONDS,
            id="look",
            next_run_time=self.clock(),
            replace_existing=True,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        self._scheduler.add_job(
            self.prune,
            "interval",
            days=1,
            id="prune",
            next_run_time=self.clock() + timedelta(minutes=5),
            replace_existing=True,
            misfire_grace_time=None,
        )

    def look(self) -> None:
        """Store what was missed, and submit what is due and not under way."""
        now = self.clock()
        try:
            for configured in self.settings.sources:
                if self._first_is_due(configured, now):
                    self._submit(configured, None, now)
            free = [s for s in self.settings.sources if s.name not in self._under_way]
            watched = [state.watched(self.store, s, self.ids[s.name], now, self.asked.get(s.name)) for s in free]
            planned = plan(watched, now, self.alive, self.asleep)
            by_name = {s.name: s for s in free}
            for miss in planned.missed:
                self._save_miss(by_name[miss.name], miss, now)
            for due in planned.due:
                self._submit(by_name[due.name], due, now)
            self._tell_next(planned.next_at)
            self.alive = now
        except StoreError as error:
            self.say(str(error))

    def _tell_next(self, next_at: Mapping[str, datetime | None]) -> None:
        for name, at in next_at.items():
            soonest = state.next_asked(self.store, self.ids[name], name, at)
            if soonest:
                self.next_tries[name] = to_text(soonest)
            else:
                self.next_tries.pop(name, None)

    def prune(self) -> None:
        """Let old captures go."""
        try:
            captures.prune(self.store, self.clock(), read_span(self.settings.store.keep_captures))
        except StoreError as error:
            self.say(str(error))

    def _first_is_due(self, configured: Configured, now: datetime) -> bool:
        if configured.name in self._under_way:
            return False
        source_id = self.ids[configured.name]
        if state.never_read(self.store, source_id):
            return True
        tries = state.first_attempts(self.store, source_id)
        at = first_again(configured.name, tries)
        return at is not None and at <= now and not configured.source.history

    def _submit(self, configured: Configured, due: Due | None, now: datetime) -> None:
        with self._turn:
            if configured.name in self._under_way or self._stop.is_set():
                return
            self._under_way.add(configured.name)
        if due and configured.source.history:
            self.asked[configured.name] = due.slot
        slot = due.slot if due else now
        day = due.day if due else now.astimezone(configured.zone).date()
        self._pool.submit(self._attempt, configured, slot, day, Trigger.SCHEDULE if due else Trigger.MANUAL)

    def _attempt(self, configured: Configured, slot: datetime, day: date, trigger: Trigger) -> None:
        try:
            if trigger is Trigger.SCHEDULE and self._too_late(configured, slot, day):
                return  # it waited past its time; the next look says so
            for _, reading in self.attempts.make(configured, self.ids[configured.name], slot, day, trigger):
                self.say(told(configured.name, reading))
                if self._stop.is_set():
                    break
        except StoreError as error:
            self.say(f"{configured.name}: {error}")
        except Exception:  # the edge: a fault of ours is loud, and stops no other source
            log.exception("%s: a fault of Monitor's, please report it", configured.name)
        finally:
            with self._turn:
                self._under_way.discard(configured.name)

    def _too_late(self, configured: Configured, slot: datetime, day: date) -> bool:
        """Whether a slot that waited for a free worker may no longer be served."""
        now = self.clock()
        later = slots(configured.schedule, configured.name, configured.zone, slot, now)
        return not configured.source.history and (
            now.astimezone(configured.zone).date() != day or next(later, None) is not None
        )

    def _save_miss(self, configured: Configured, miss: Miss, now: datetime) -> None:
        reading = Reading(
            slot=miss.slot,
            day=miss.day,
            trigger=Trigger.SCHEDULE,
            started_at=now,
            finished_at=now,
            outcome=Outcome.MISSED,
            reason=miss.reason,
            advice=advice(miss.reason, name=configured.name),
            parser=configured.source.parser,
        )
        readings.save(self.store, self.ids[configured.name], reading)

    def _beat_forever(self) -> None:
        wall, steady = self.clock(), time.monotonic()
        while not self._stop.wait(BEAT_SECONDS):
            now, tick = self.clock(), time.monotonic()
            jump = (now - wall).total_seconds() - (tick - steady)
            if abs(jump) > JUMP_SECONDS:
                self._jumped(wall, now, jump)
            wall, steady = now, tick
            try:
                state.beat(self.store, now)
            except StoreError as error:
                self.say(str(error))

    def _jumped(self, before: datetime, now: datetime, jump: float) -> None:
        self.say(f"the clock moved by {jump:+.0f} s: looking again at what is due")
        if jump > 0:
            self.asleep.append((before, now))
        self._schedule()


def told(name: str, reading: Reading) -> str:
    """A reading in one line for the terminal."""
    match reading.outcome:
        case Outcome.OK if reading.depth is not None:
            return f"{name}: ok, {reading.depth} results seen"
        case Outcome.OK:
            return f"{name}: ok, {len(reading.records)} numbers read"
        case Outcome.EMPTY:
            return f"{name}: empty, the source says that there is nothing"
    return f"{name}: {reading.outcome} ({reading.reason}). {reading.advice}"
