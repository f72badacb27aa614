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
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial

from apscheduler.schedulers.background import BackgroundScheduler

from monitor.attempt import Attempts
from monitor.config import Configured, Settings, read_span
from monitor.config_errors import ConfigError
from monitor.heartbeat import Clocks, Heartbeat
from monitor.model import Outcome, Reading, Trigger
from monitor.outage import Network, Standing, told
from monitor.plan import Due, Miss, first_again, plan, slots
from monitor.reasons import advice
from monitor.reload import changed, reread_config, with_settings
from monitor.service import Notifier, PingFailed, ping
from monitor.store import captures, readings, sources, state
from monitor.store.connection import Store, StoreError
from monitor.times import to_text

LOOK_SECONDS = 20
BEAT_SECONDS = 15.0
ALIVE_SECONDS = 90.0
"""Without a look for so long, systemd is no longer told that all is well."""
PING_SECONDS = 3600.0
WORKERS = 4
DAMAGED = 65
MOST_SLEEPS = 100

log = logging.getLogger("monitor")
Say = Callable[[str], None]


class Runner:
    """Takes the readings of one config into one history until it is stopped.

    `say` writes a line for the owner and must not raise; `steady` is a clock in seconds that nobody sets; `notify`
    tells systemd.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        attempts: Attempts,
        say: Say,
        *,
        notify: Notifier | None = None,
        pool: Executor | None = None,
        steady: Callable[[], float] = time.monotonic,
        give_up: Callable[[], object] = lambda: None,
    ) -> None:
        self.settings, self.store, self.attempts, self.say = settings, store, attempts, say
        self.clock, self.steady, self.notify = attempts.clock, steady, notify or Notifier()
        self.exit_code, self.give_up = 0, give_up
        self.ids = sources.sync(store, settings, self.clock())
        self.alive = state.last_beat(store)
        self.asked: dict[str, datetime] = {}
        self.asleep: list[tuple[datetime, datetime]] = []
        self.next_tries: dict[str, str] = {}  # for the pages: when each source is asked next, UTC text
        self.network = Network()
        self._standing = Standing()
        self._clocks = Clocks(self.clock(), steady())
        self._looked_at, self._fine, self._ready = steady(), False, False
        self._pinged_at: float | None = None
        self._under_way: set[str] = set()
        self._looking = threading.Lock()
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._pool = pool or ThreadPoolExecutor(WORKERS, thread_name_prefix="attempt")
        self._scheduler = BackgroundScheduler(timezone="UTC")
        beat_seconds = min(BEAT_SECONDS, self.notify.watchdog / 2) if self.notify.watchdog else BEAT_SECONDS
        self._heartbeat = Heartbeat(self._beat, beat_seconds)

    # --- beginning and ending --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin: the first readings of new sources at once, then by schedule."""
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._schedule()
        self._scheduler.start()
        self._heartbeat.start()

    @property
    def busy(self) -> bool:
        """Whether an attempt is under way."""
        return bool(self._under_way)

    def stop(self) -> None:
        """End: no new work; what is under way is cut off by its own deadline, and is asked again at the next start."""
        self._stop.set()
        self.notify("STOPPING=1")
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # it complains of its own pool's end
        self._heartbeat.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._safely("stop", lambda: state.beat(self.store, self.clock(), state.STOPPED))

    def reload_soon(self) -> None:
        """Have the config read again. A signal handler may call this."""
        self._heartbeat.ask(self.reload)

    def _schedule(self) -> None:
        """Make the jobs anew, the first look at once: a job's next time is a wall clock's, and clocks are set."""
        now, once = self.clock(), {"replace_existing": True, "coalesce": True, "misfire_grace_time": None}
        self._scheduler.add_job(self.look, "interval", seconds=LOOK_SECONDS, id="look", next_run_time=now, **once)
        soon = now + timedelta(minutes=5)
        self._scheduler.add_job(self.prune, "interval", days=1, id="prune", next_run_time=soon, **once)

    def _safely(self, where: str, work: Callable[[], object]) -> bool:
        """Do something that must not end the loop; whether it went well. Each trouble is told once while it stands.

        It stands until the work goes well; work that returns False has shown nothing either way.
        """
        try:
            shown = work() is not False
        except (StoreError, PingFailed) as error:
            if not self._stop.is_set() and self._standing.begins(where, str(error)):
                self.say(str(error))
            if getattr(error, "exit_code", 0) == DAMAGED and not self.exit_code:
                self.exit_code = DAMAGED  # nothing can be stored or believed any more
                self.give_up()
            return False
        except Exception as error:  # the edge: a fault of ours is loud, and stops no other source
            if self._standing.begins(where, repr(error)):
                log.exception("%s: a fault of Monitor's, please report it", where)
            return False
        if shown and self._standing.over(where) and where == "heartbeat":
            self.say("The history can be written again.")
        return True

    # --- looking ---------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Store what was missed, and submit what is due and not under way."""
        if self._stop.is_set():
            return
        with self._looking:
            self._fine = self._safely("look", self._look)
            self._looked_at = self.steady()
        if not self._ready:
            self._ready = True
            self.notify("READY=1")
        self._settle()

    def _look(self) -> None:
        self.attempts.catch_up()  # a reading that waits must come before its slot is taken for missed
        now = self.clock()
        self._notice(now, self.steady())  # before the heartbeat may have seen that this machine slept
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

    def _tell_next(self, next_at: Mapping[str, datetime | None]) -> None:
        for name, at in next_at.items():
            soonest = state.next_asked(self.store, self.ids[name], name, at)
            if soonest:
                self.next_tries[name] = to_text(soonest)
            else:
                self.next_tries.pop(name, None)

    def prune(self) -> None:
        """Let old captures go."""
        keep = read_span(self.settings.store.keep_captures)
        self._safely("prune", partial(captures.prune, self.store, self.clock(), keep))

    def _first_is_due(self, configured: Configured, now: datetime) -> bool:
        if configured.name in self._under_way:
            return False
        source_id = self.ids[configured.name]
        if state.never_read(self.store, source_id):
            return True
        tries = state.first_attempts(self.store, source_id)
        at = first_again(configured.name, tries)
        return at is not None and at <= now and not configured.source.history

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

    # --- attempts --------------------------------------------------------------------------------------------------

    def _submit(self, configured: Configured, due: Due | None, now: datetime) -> None:
        with self._turn:
            if configured.name in self._under_way or self._stop.is_set():
                return
            self._under_way.add(configured.name)
        if due and configured.source.history:
            self.asked[configured.name] = due.slot
        slot = due.slot if due else now
        day = due.day if due else now.astimezone(configured.zone).date()
        trigger = Trigger.SCHEDULE if due else Trigger.MANUAL
        self._pool.submit(self._attempt, configured, self.ids[configured.name], slot, day, trigger)

    def _attempt(self, configured: Configured, source_id: int, slot: datetime, day: date, trigger: Trigger) -> None:
        try:
            self._safely(configured.name, lambda: self._make(configured, source_id, slot, day, trigger))
        finally:
            with self._turn:
                self._under_way.discard(configured.name)
            self._settle()

    def _make(self, configured: Configured, source_id: int, slot: datetime, day: date, trigger: Trigger) -> bool:
        """Make an attempt; whether a reading came of it."""
        if self.ids.get(configured.name) != source_id:
            return False  # the config was read again while this waited, and this source is no more
        if trigger is Trigger.SCHEDULE and self._too_late(configured, slot, day):
            return False  # it waited past its time; the next look says so
        came = False
        for _, reading in self.attempts.make(configured, source_id, slot, day, trigger):
            came = True
            with self._turn:
                lines = self.network.heard(configured.name, reading, told(configured.name, reading))
            self._say_all(lines)
            if self._stop.is_set():
                break
        return came

    def _settle(self) -> None:
        """Tell what was held back until it was known whether all fail together, once nothing is under way."""
        with self._turn:
            lines = [] if self._under_way or self._looking.locked() else self.network.settled()
        self._say_all(lines)

    def _say_all(self, lines: list[str]) -> None:
        for line in lines:
            self.say(line)

    def _too_late(self, configured: Configured, slot: datetime, day: date) -> bool:
        """Whether a slot that waited for a free worker may no longer be served."""
        now = self.clock()
        later = slots(configured.schedule, configured.name, configured.zone, slot, now)
        return not configured.source.history and (
            now.astimezone(configured.zone).date() != day or next(later, None) is not None
        )

    # --- the heartbeat ---------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        self._safely("heartbeat", lambda: self.beat_once(self.clock(), self.steady()))

    def beat_once(self, now: datetime, tick: float) -> None:
        """Say that we are alive, notice a clock that jumped, and ping; `tick` is the steady clock's. Raises StoreError.

        Systemd hears of it only while looks still happen, the ping's address only while they also go well.
        """
        self._notice(now, tick)
        looking = self._ready and tick - self._looked_at < ALIVE_SECONDS
        if looking and self.notify.watchdog:
            self.notify("WATCHDOG=1")
        state.beat(self.store, now, "no network" if self.network.down else "")
        where = self.settings.service.ping
        if where is not None and looking and self._fine and self._ping_is_due(tick):
            self._pinged_at = tick
            fetch = self.attempts.fetcher(self.settings)
            self._pool.submit(self._safely, "ping", partial(ping, where, self.settings.base, fetch))

    def _ping_is_due(self, tick: float) -> bool:
        if self._stop.is_set() or (self._pinged_at is not None and tick - self._pinged_at < PING_SECONDS):
            return False
        health = self.store.rows("select outcome from source_health")
        return not health or any(row["outcome"] in ("ok", "empty") for row in health)

    def _notice(self, now: datetime, tick: float) -> None:
        """Where the wall clock jumped, remember the sleep and look anew: a clock set back would stall every job."""
        jumped = self._clocks.moved(now, tick)
        if jumped is None or self._stop.is_set():
            return
        before, seconds = jumped
        if seconds > 0:
            self.asleep = [*self.asleep[1 - MOST_SLEEPS :], (before, now)]
        why = "this machine slept, or its clock was set" if seconds > 0 else "it was set back"
        self.say(f"The clock moved by {seconds:+.0f} s ({why}): looking again at what is due.")
        self._schedule()

    # --- a changed config ------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Read the config again: new sources begin, removed ones retire, labels follow. A broken file is left alone."""
        self.notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._safely("reload", self._reload)
        self.notify("READY=1")

    def _reload(self) -> None:
        try:
            new, lines = reread_config(self.settings)
        except ConfigError as error:
            self.say(f"{error}\nThe settings of before stay in force.")
            return
        with self._looking:
            ids, old = sources.sync(self.store, new, self.clock()), self.ids
            self.settings, self.ids, self.attempts = new, ids, with_settings(self.attempts, new)
            for name in old:
                if ids.get(name) != old[name]:
                    self.asked.pop(name, None)
                    self.next_tries.pop(name, None)
        self._say_all([*lines, changed(new, old, ids)])
        self._schedule()
