"""A monitor that lives on an invented clock: the real Runner over a real Store, asked sources that answer at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from monitor.attempt import Attempts
from monitor.config import Configured, Settings
from monitor.fetch.http import HttpFetcher
from monitor.model import Exchange, FetchFailed, Http
from monitor.plan import read_schedule
from monitor.schedule import Runner
from monitor.service import Notifier
from monitor.store.connection import Store
from tests.made import Toy, exchange, settings

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Direct(Executor):
    """Does the work when it is handed in."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def toy(name: str, schedule: str, zone: str = "Australia/Sydney", host: str = "") -> Configured:
    """A source asked by a schedule ("1h" or "06:30"), each at a host of its own."""
    read = read_schedule(None, schedule) if ":" in schedule else read_schedule(schedule, None)
    return Configured(name, "toy", Toy(url=f"http://{host or name}.example/"), read, zone)


class World:
    """A machine with a clock, a network, and a monitor that may be switched off and on."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self.settings, self.now, self.tick = settings, now, 1000.0
        self.said: list[str] = []
        self.notified: list[str] = []
        self.asked: list[str] = []
        self.answer: Callable[[str], str | Exception] = lambda url: "http://a.example/ http://b.example/"
        self.notify = cast("Notifier", _Notify(self.notified))

    # what the runner is given

    def clock(self) -> datetime:
        return self.now

    def steady(self) -> float:
        return self.tick

    def sleep(self, seconds: float) -> None:
        self.pass_time(timedelta(seconds=seconds))

    def fetcher(self, settings: Settings) -> HttpFetcher:
        return cast("HttpFetcher", _Fetch(self))

    # life

    def on(self) -> Runner:
        self.store = Store(self.settings.database)
        for conn in (self.store.conn, self.store.bodies):
            conn.execute("pragma synchronous = off")  # nobody pulls the plug of an invented machine
        attempts = Attempts(self.settings, self.store, self.clock, self.sleep, self.fetcher)
        self.runner = Runner(
            self.settings, self.store, attempts, self.said.append, notify=self.notify, pool=Direct(), steady=self.steady
        )
        return self.runner

    def off(self) -> None:
        self.runner.stop()
        self.store.close()

    def pass_time(self, span: timedelta) -> None:
        self.now += span
        self.tick += span.total_seconds()

    def beat(self) -> None:
        self.runner.beat_once(self.now, self.tick)

    def live(self, span: timedelta, step: timedelta = 10 * MINUTE) -> None:
        """Look and beat every `step`."""
        end = self.now + span
        while self.now < end:
            self.runner.look()
            self.beat()
            self.pass_time(min(step, end - self.now))
        self.runner.look()

    def rows(self, sql: str, *args: object) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.store.rows(sql, args)]

    def outcomes(self, name: str) -> dict[str, list[str]]:
        """The outcomes (or, of a missed slot, its reason) by slot of a source's scheduled readings."""
        found: dict[str, list[str]] = {}
        for slot, said in self.rows(
            "select r.slot, iif(r.outcome = 'missed', r.reason, r.outcome) from readings r"
            " join sources s on s.id = r.source_id where s.name = ? and r.\"trigger\" = 'schedule'"
            " order by r.slot, r.attempt",
            name,
        ):
            found.setdefault(slot, []).append(said)
        return found


class _Notify:
    watchdog = 30.0

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def __call__(self, *lines: str) -> None:
        self._told.append(lines[0])


class _Fetch:
    deadline = 30.0

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, request: Http, n: int = 1) -> Exchange:
        self._world.asked.append(request.url)
        answer = self._world.answer(request.url)
        if isinstance(answer, FetchFailed):
            raise FetchFailed(answer.reason, answer.detail, Exchange(n, request.url, 1, url=request.url))
        if isinstance(answer, Exception):
            raise answer
        return exchange(answer, n=n, url=request.url)


def world(folder: Path, now: datetime, *sources: Configured) -> World:
    """A world whose monitor has these sources."""
    return World(replace(settings(folder, '[fetch]\nspacing = "0s"\n'), sources=sources), now)
