"""One attempt put into practice: ask politely, store what came, and say so. Used by `run`, `check` and `reread`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from monitor.collect import Clock, Task, collect
from monitor.config import Configured, Settings, read_span
from monitor.fetch import files, robots
from monitor.fetch.http import HttpFetcher
from monitor.model import Batch, Context, Exchange, Files, Http, Measure, NotAsked, Outcome, Reading, Trigger
from monitor.politeness import Go, Refuse, read_retry_after
from monitor.store import hosts, logs, readings, state
from monitor.store.connection import Store, only_one
from monitor.times import to_text, utc_now

Sleep = Callable[[float], None]


def host_of(request: Http) -> str:
    """The host (with its port) that a request is polite to."""
    return (urlsplit(request.url).netloc or request.url).casefold()


@dataclass(frozen=True)
class Attempts:
    """Makes attempts for one config and one history; the clock and the waiting are arguments."""

    settings: Settings
    store: Store
    clock: Clock = utc_now
    sleep: Sleep = time.sleep

    @property
    def _spacing(self) -> timedelta:
        return read_span(self.settings.fetch.spacing)

    def make(
        self, configured: Configured, source_id: int, slot: datetime, day: date, trigger: Trigger
    ) -> Iterator[tuple[int, Reading]]:
        """Make one attempt; yields each stored reading with its id. A history source may yield none or several."""
        if configured.source.history:
            with only_one(self.store.path, f"source-{source_id}"):
                yield from self._make(configured, source_id, slot, day, trigger)
        else:
            yield from self._make(configured, source_id, slot, day, trigger)

    def forget_refusals(self, configured: Configured) -> None:
        """Let the hosts of a source be asked although they refused: only ever by the owner's own hand."""
        ctx = Context(now=self.clock(), day=self.clock().date())
        for request in configured.source.requests(ctx):
            if isinstance(request, Http):
                hosts.clear(self.store, host_of(request))

    def _make(
        self, configured: Configured, source_id: int, slot: datetime, day: date, trigger: Trigger
    ) -> Iterator[tuple[int, Reading]]:
        cursors = logs.cursors(self.store, source_id) if configured.source.history else ()
        task = Task(configured.name, configured.source, slot, day, trigger, cursors)
        for reading in collect(task, self._ask(configured), self._files, self.clock):
            if self._unchanged(configured, source_id, reading):
                continue
            if reading.exchanges and not configured.source.history:
                host = urlsplit(reading.exchanges[-1].asked).netloc.casefold()
                hosts.release(self.store, host, self.clock(), self._spacing, reading.outcome, None)
            yield readings.save(self.store, source_id, reading), reading

    def _unchanged(self, configured: Configured, source_id: int, reading: Reading) -> bool:
        """Whether a tick of a history source brought nothing new, and so writes no reading."""
        if not configured.source.history:
            return False
        if reading.batch is not None:
            if reading.batch.capture.body or reading.batch.gaps:
                return False
            logs.save_quietly(self.store, source_id, reading.batch, reading.finished_at)
            return True
        last = state.newest(self.store, source_id)
        said = (str(reading.outcome), reading.reason, reading.advice, reading.day.isoformat())
        return last is not None and said == (last["outcome"], last["reason"], last["advice"], last["day"])

    def _files(self, request: Files) -> Iterator[Batch]:
        return files.read(request, self.settings.base)

    def _ask(self, configured: Configured) -> Callable[[Http, int], Exchange]:
        spacing = self._spacing
        fetch = HttpFetcher(base=self.settings.base, environ=os.environ)
        deadline = timedelta(seconds=fetch.deadline)
        obey = self.settings.fetch.robots == "obey" and configured.source.measure is Measure.SEARCH

        def ask(request: Http, n: int) -> Exchange:
            if obey and n == 1 and not robots.allowed(request.url, politely):
                raise NotAsked("robots")
            return politely(request, n)

        def politely(request: Http, n: int) -> Exchange:
            host = host_of(request)
            self._wait_for(host, deadline, spacing)
            retry_after = None
            try:
                exchange = fetch(request, n)
                if exchange.status in (403, 429, 503):
                    headers = exchange.headers
                    retry_after = read_retry_after(
                        headers.get("retry-after", ""), headers.get("date", ""), self.clock()
                    )
                return exchange
            finally:  # how it ended is only known after the parse: `_make` says it
                hosts.release(self.store, host, self.clock(), spacing, Outcome.FAILED, retry_after)

        return ask

    def _wait_for(self, host: str, deadline: timedelta, spacing: timedelta) -> None:
        while True:
            now = self.clock()
            verdict = hosts.claim(self.store, host, now, deadline, spacing)
            if isinstance(verdict, Go):
                return
            if isinstance(verdict, Refuse):
                raise NotAsked(verdict.reason, to_text(verdict.until), verdict.until)
            self.sleep(min(1.0, max(0.01, (verdict.until - now).total_seconds())))
