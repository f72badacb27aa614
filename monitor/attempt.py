"""One attempt put into practice: ask politely, store what came, and say so. Used by `run`, `check` and `reread`."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from monitor.collect import Clock, Enough, Task, collect
from monitor.config import Configured, Settings, read_span
from monitor.fetch import files, rotation, whole
from monitor.labels import whose
from monitor.model import (
    Batch,
    Context,
    Exchange,
    FetchFailed,
    Files,
    Http,
    LogCursor,
    Measure,
    NotAsked,
    Outcome,
    Reading,
    Result,
    Trigger,
)
from monitor.politeness import Go, Refuse, read_retry_after
from monitor.reasons import advice
from monitor.store import hosts, logs, numbers, readings, sources, state, visitors
from monitor.store.connection import Store, StoreError, only_one
from monitor.store.spool import Spool, Stored
from monitor.times import to_text, utc_now

if TYPE_CHECKING:
    from monitor.fetch.http import HttpFetcher

TURN_SECONDS = 30.0  # a log is read by one process at a time: how long another one waits for its turn
LEAST_FREE = 50_000_000  # bytes: with less room on the disk of the history, nothing is asked
MOST_SECONDS = 60.0  # for one attempt at a history; a batch begun is stored

log = logging.getLogger("monitor")
Sleep = Callable[[float], None]
Fetcher = Callable[[Settings], "HttpFetcher"]


def host_of(request: Http) -> str:
    """The host (with its port) that a request is polite to."""
    return (urlsplit(request.url).netloc or request.url).casefold()


def fetcher_of(settings: Settings) -> HttpFetcher:
    """How this config's sources are asked."""
    from monitor.fetch.http import HttpFetcher  # 7 MB, 70 ms: who reads logs needs nothing of it

    ca_file = settings.base / settings.fetch.ca_file if settings.fetch.ca_file else None
    return HttpFetcher(base=settings.base, environ=os.environ, ca_file=ca_file)


def so_far(cursor: LogCursor, size: int) -> int:
    """The bytes that are read of a file of this size."""
    return size if cursor.done and cursor.size == size else min(cursor.offset, size)


def free_bytes(folder: Path) -> int:
    """The room on the disk that holds a folder, for this user."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True)
class Attempts:
    """Makes attempts for one config and one history; the clock, the waiting, the asking and the room are arguments.

    Readings that could not be stored the last time are stored first, as far as that can be done. A long history (old
    logs) is read for `most_seconds` at a time, by the `steady` clock: the next attempt carries on from there.
    """

    settings: Settings
    store: Store
    clock: Clock = utc_now
    sleep: Sleep = time.sleep
    fetcher: Fetcher = fetcher_of
    free: Callable[[Path], int] = free_bytes
    most_seconds: float = MOST_SECONDS
    steady: Callable[[], float] = time.monotonic
    spool: Spool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spool", Spool(self.store))
        self.catch_up()

    @property
    def _spacing(self) -> timedelta:
        return read_span(self.settings.fetch.spacing)

    def make(
        self, configured: Configured, source_id: int, slot: datetime, day: date, trigger: Trigger
    ) -> Iterator[tuple[int, Reading]]:
        """Make one attempt; yields each stored reading with its id. A history source may yield none or several.

        Raises StoreError when the history cannot be written. A reading taken by then waits in the spool and serves its
        slot all the same; for a source with history nothing is lost, since its cursor has not moved.
        """
        self.store.check_weekly()
        late, trouble = self.catch_up()
        if self.spool.waits(source_id, slot, trigger):
            if trouble and trigger is Trigger.MANUAL:
                raise trouble
            return  # it was told when it began to wait
        served = [r for r in late if r.serves(source_id, slot, trigger)]
        if served:
            yield from ((stored.reading_id, stored.reading) for stored in served)
            return
        if trouble and (trouble.exit_code == 65 or self.spool.is_full):
            raise trouble
        yield from self._alone(configured, source_id, slot, day, trigger)

    def catch_up(self) -> tuple[tuple[Stored, ...], StoreError | None]:
        """Store what waits in the spool: what was stored now, and what keeps the rest waiting."""
        replayed = self.spool.replay()
        for path in replayed.refused:
            log.warning("A waiting reading is not as it was written, and was set aside: %s", path)
        for stored in replayed.stored:
            log.info("%s: a reading that waited is stored now", stored.source)
            self._remember(stored.reading)
        return replayed.stored, replayed.trouble

    def _alone(
        self, configured: Configured, source_id: int, slot: datetime, day: date, trigger: Trigger
    ) -> Iterator[tuple[int, Reading]]:
        if configured.source.kind == "saved_page":
            yield from self._saved_pages(configured, source_id, slot, day, trigger)
        elif configured.source.history:
            busy = f"{configured.name} is just being read by another monitor: try again in a minute."
            with only_one(self.store.path, f"source-{source_id}", busy=busy, seconds=TURN_SECONDS):
                yield from self._make(configured, source_id, slot, day, trigger)
        else:
            yield from self._make(configured, source_id, slot, day, trigger)

    def forget_refusals(self, configured: Configured) -> None:
        """Let the hosts of a source be asked although they refused: only ever by the owner's own hand."""
        ctx = Context(now=self.clock(), day=self.clock().date())
        for request in configured.source.requests(ctx):
            if isinstance(request, Http):
                hosts.clear(self.store, host_of(request))

    def read_so_far(self, configured: Configured, source_id: int) -> dict[str, tuple[int, int]]:
        """How many bytes of each of a log's files are read, and how many there are, by name.

        Empty for what is no log, or cannot be listed (the attempt says why). Of a packed file that is not read to its
        end the bytes count as they are unpacked, its size at most.
        """
        if not configured.source.history:
            return {}
        now = self.clock()
        requests = configured.source.requests(Context(now=now, day=now.date()))
        try:
            found = [file for one in requests if isinstance(one, Files) for file in self._listed(one)]
        except FetchFailed:
            return {}
        known = {(one.dev, one.ino): one for one in logs.cursors(self.store, source_id)}
        read = ((file, known.get((file.dev, file.ino))) for file in found)
        return {file.name: (so_far(cursor, file.size) if cursor else 0, file.size) for file, cursor in read}

    def _listed(self, request: Files) -> tuple[rotation.Found, ...]:
        return rotation.listing(request.pattern, self.settings.base)

    def _make(
        self, configured: Configured, source_id: int, slot: datetime, day: date, trigger: Trigger
    ) -> Iterator[tuple[int, Reading]]:
        cursors = logs.cursors(self.store, source_id) if configured.source.history else ()
        enough = self._enough(configured, source_id, day)
        covered = numbers.covered(self.store, source_id) if configured.source.measure is Measure.PAGE_VIEWS else None
        task = Task(configured.name, configured.source, slot, day, trigger, cursors, enough=enough, covered=covered)
        logged = configured.source.history and not configured.source.keep
        if logged:
            task = replace(task, visitor_key=visitors.keys(self.store, source_id))
        until = self.steady() + self.most_seconds
        for reading in self._collect(configured, task):
            if self._unchanged(configured, source_id, reading):
                continue
            reading_id = self._save(configured, source_id, reading)
            if not configured.source.history:
                self._remember(reading)
            yield reading_id, reading
            if logged and self.steady() > until:
                return  # there may be more: the next attempt reads on
        if logged:
            visitors.close(self.store, source_id, day)

    def _saved_pages(
        self,
        configured: Configured,
        source_id: int,
        slot: datetime,
        day: date,
        trigger: Trigger,
    ) -> Iterator[tuple[int, Reading]]:
        """Take in what is new in the folder: a reading per page, and one of the folder where there was news."""
        from monitor.importing import Importer, ImportRefused  # with the parsers of pages: 10 MB, 0.1 s
        from monitor.sources.search.saved_page import SavedPage

        source = cast(SavedPage, configured.source)
        now = self.clock()
        taken, refused = 0, []
        folder = self.settings.base / source.folder
        try:
            for done in Importer(self.settings, self.store, self.clock).folder(folder):
                if isinstance(done, ImportRefused):
                    refused.append(str(done))
                elif done.reading and done.reading_id:
                    taken += 1
                    yield done.reading_id, done.reading
        except OSError:
            refused.append(f"The folder {source.folder} cannot be read: make it, or set folder of {configured.name}.")
        if not taken and not refused:
            return
        reading = Reading(
            slot=slot,
            day=day,
            trigger=trigger,
            started_at=now,
            finished_at=max(now, self.clock()),
            outcome=Outcome.CHANGED if refused else Outcome.OK,
            reason="layout_unknown" if refused else "",
            advice=" ".join(refused)[:600],
            parser=source.parser,
            note=f"{taken} pages taken in",
        )
        if taken or not self._unchanged(configured, source_id, reading):
            yield self._save(configured, source_id, reading), reading

    def _enough(self, configured: Configured, source_id: int, day: date) -> Enough:
        """Whether what was seen will do: page 2 is for when nothing of the owner's is on page 1, and not daily."""
        last = state.last_further(self.store, source_id)
        if configured.control or (last and day - last < configured.further):
            return lambda records: True
        mine = [label for label in sources.all_labels(self.store.db) if label.whose == "mine"]
        return lambda records: any(isinstance(r, Result) and r.url and whose(r.url, mine) for r in records)

    def _collect(self, configured: Configured, task: Task) -> Iterator[Reading]:
        if self.free(self.store.path.parent) >= LEAST_FREE:
            return collect(task, self._ask(configured), self._files, self.clock)
        now = self.clock()
        missed = Reading(
            slot=task.slot,
            day=task.day,
            trigger=task.trigger,
            started_at=now,
            finished_at=now,
            outcome=Outcome.MISSED,
            reason="disk",
            advice=advice("disk", name=task.name),
            parser=task.source.parser,
        )
        return iter((missed,))

    def _save(self, configured: Configured, source_id: int, reading: Reading) -> int:
        try:
            return readings.save(self.store, source_id, reading)
        except StoreError as error:
            if configured.source.history:
                raise
            where = self.spool.put(source_id, configured.name, reading)
            raise StoreError(f"{error} {where}", error.exit_code) from error

    def _remember(self, reading: Reading) -> None:
        """Remember how the host took it. That may fail without harm to the reading: the next write says why."""
        if not reading.exchanges:
            return
        exchange = reading.exchanges[-1]
        refused = reading.outcome is Outcome.BLOCKED
        host = urlsplit(exchange.asked).netloc.casefold()
        retry_after = asked_back(exchange, reading.finished_at) if refused else None
        with contextlib.suppress(StoreError):
            hosts.release(self.store, host, self.clock(), self._spacing, reading.outcome, retry_after)

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
        read = whole.read if request.whole else files.read
        return read(request, self.settings.base)

    def _ask(self, configured: Configured) -> Callable[[Http, int], Exchange]:
        spacing = self._spacing
        fetcher = cache(lambda: self.fetcher(self.settings))
        obey = self.settings.fetch.robots == "obey" and configured.source.measure is Measure.SEARCH

        def ask(request: Http, n: int) -> Exchange:
            if obey and n == 1:
                from monitor.fetch import robots  # with all of urllib

                if not robots.allowed(request.url, politely):
                    raise NotAsked("robots")
            return politely(request, n)

        def politely(request: Http, n: int) -> Exchange:
            fetch, host = fetcher(), host_of(request)
            self._wait_for(host, timedelta(seconds=fetch.deadline), spacing, configured)
            retry_after = None
            sent = True
            try:
                exchange = fetch(request, n)
                if exchange.status in (403, 429, 503):
                    retry_after = asked_back(exchange, self.clock())
                return exchange
            except NotAsked:
                sent = False
                raise
            finally:  # how it ended is only known after the parse: `_make` says it
                with contextlib.suppress(StoreError):  # the answer is not lost for that; the lease ends by itself
                    if not sent:
                        hosts.give_back(self.store, host, configured.cost)
                    else:
                        hosts.release(self.store, host, self.clock(), spacing, Outcome.FAILED, retry_after)

        return ask

    def _wait_for(self, host: str, deadline: timedelta, spacing: timedelta, configured: Configured) -> None:
        while True:
            now = self.clock()
            verdict = hosts.claim(self.store, host, now, deadline, spacing, configured.budget, configured.cost)
            if isinstance(verdict, Go):
                return
            if isinstance(verdict, Refuse):
                spent = f"{configured.budget} calls, more from " if verdict.reason == "budget" else ""
                raise NotAsked(verdict.reason, spent + to_text(verdict.until), verdict.until)
            self.sleep(min(1.0, max(0.01, (verdict.until - now).total_seconds())))


def asked_back(exchange: Exchange, now: datetime) -> datetime | None:
    """When a host that refused wants to be asked again, by its own word.

    Retry-After, else GitHub's x-ratelimit-reset (seconds since 1970) when x-ratelimit-remaining is 0 ("Rate limits for
    the REST API"). Other hosts write spans or lists there; a span is long past, and says nothing.
    """
    headers = exchange.headers
    if at := read_retry_after(headers.get("retry-after", ""), headers.get("date", ""), now):
        return at
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining", "").strip() != "0" or not re.fullmatch(r"[0-9]{9,11}", reset):
        return None
    return datetime.fromtimestamp(int(reset), UTC)
