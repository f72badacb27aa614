"""Attempts: whether a slot is served already, one attempt, and how it is stored."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from monitor.ahead import ahead
from monitor.attempt.asking import Asking, Fetcher, MailReader, Sleep, account_of, fetcher_of, host_of, mail_reader_of
from monitor.attempt.news import unchanged
from monitor.attempt.progress import read_so_far
from monitor.attempt.saved_pages import take_in
from monitor.attempt.tasks import task_of
from monitor.collect import Ask, Clock, ParseBatches, Task, collect
from monitor.config import Configured, Settings
from monitor.fetch import files, whole
from monitor.model import Batch, Context, Files, Http, Mail, Measure, Outcome, Reading, Trigger
from monitor.reasons import advice
from monitor.store import contacts, hosts, readings, visitors
from monitor.store.connection import Store, StoreError, only_one
from monitor.store.logs import Stale
from monitor.store.spool import Spool, Stored
from monitor.times import utc_now

TURN_SECONDS = 30.0  # a log is read by one process at a time: how long another one waits for its turn
LEAST_FREE = 50_000_000  # bytes: with less room on the disk of the history, nothing is asked
MOST_SECONDS = 60.0  # for one attempt at a history; a batch begun is stored
MOST_TURNS = 3  # how often one begins anew where another process was faster

log = logging.getLogger("monitor")


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
    mail_reader: MailReader = mail_reader_of
    parse_batches: ParseBatches = ahead
    spool: Spool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spool", Spool(self.store))
        self.catch_up()

    @property
    def _asking(self) -> Asking:
        return Asking(self.settings, self.store, self.clock, self.sleep, self.fetcher, self.mail_reader)

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
            self._asking.remember(stored.reading)
        return replayed.stored, replayed.trouble

    def _alone(
        self, configured: Configured, source_id: int, slot: datetime, day: date, trigger: Trigger
    ) -> Iterator[tuple[int, Reading]]:
        if configured.source.kind == "saved_page":
            yield from self._saved_pages(configured, source_id, slot, day, trigger)
        elif configured.source.history:
            make = self._exposure if configured.source.kind == "exposure" else self._make
            busy = f"{configured.name} is just being read by another monitor: try again in a minute."
            with only_one(self.store.path, f"source-{source_id}", busy=busy, seconds=TURN_SECONDS):
                yield from make(configured, source_id, slot, day, trigger)
        else:
            yield from self._make(configured, source_id, slot, day, trigger)

    def asking(self, configured: Configured) -> Ask:
        """How a source is asked: politely, and without a reading. Only when its host may be asked again is kept."""
        return self._asking.pages(configured)

    def took(self, reading: Reading) -> None:
        """Remember of an attempt that is not stored how the host took it."""
        self._asking.remember(reading)

    def forget_refusals(self, configured: Configured) -> None:
        """Let the hosts of a source be asked although they refused: only ever by the owner's own hand."""
        ctx = Context(now=self.clock(), day=self.clock().date())
        for request in configured.source.requests(ctx):
            if isinstance(request, Http):
                hosts.clear(self.store, host_of(request))
            elif isinstance(request, Mail) and request.way == "imap":
                hosts.clear(self.store, account_of(request))

    def read_so_far(self, configured: Configured, source_id: int) -> dict[str, tuple[int, int]]:
        """How many bytes of each of a log's files are read, and how many there are, by name."""
        return read_so_far(self.settings, self.store, configured, source_id, self.clock())

    def _make(
        self, configured: Configured, source_id: int, slot: datetime, day: date, trigger: Trigger
    ) -> Iterator[tuple[int, Reading]]:
        """Make the attempt; begin anew where another process read on in the meantime: what it stored stands."""
        for _ in range(MOST_TURNS):
            asked = Task(configured.name, configured.source, slot, day, trigger, parse_batches=self.parse_batches)
            task = task_of(self.store, configured, source_id, asked)
            try:
                yield from self._read(configured, source_id, task)
                return
            except Stale as stale:
                log.info("%s: another process read %s first", configured.name, stale)

    def _read(self, configured: Configured, source_id: int, task: Task) -> Iterator[tuple[int, Reading]]:
        bounded = configured.source.history and not configured.source.keep
        until, well = self.steady() + self.most_seconds, True
        with closing(self._collect(configured, task)) as made:
            for reading in made:
                well = well and reading.outcome in (Outcome.OK, Outcome.EMPTY)
                if not unchanged(self.store, configured, source_id, reading):
                    reading_id = self._save(configured, source_id, reading)
                    if not configured.source.history:
                        self._asking.remember(reading)
                    yield reading_id, reading
                if bounded and self.steady() > until:
                    return  # there may be more: the next attempt reads on
        if bounded and configured.source.measure is Measure.PAGE_VIEWS:
            visitors.close(self.store, source_id, task.day)
        elif bounded and well:
            contacts.looked(self.store, source_id, self.clock())

    def _saved_pages(
        self, configured: Configured, source_id: int, slot: datetime, day: date, trigger: Trigger
    ) -> Iterator[tuple[int, Reading]]:
        blank = self._blank(Task(configured.name, configured.source, slot, day, trigger))
        done = yield from take_in(self.settings, self.store, self.clock, configured, blank)
        if done and (done[1] or not unchanged(self.store, configured, source_id, done[0])):
            yield self._save(configured, source_id, done[0]), done[0]

    def _exposure(
        self, configured: Configured, source_id: int, slot: datetime, day: date, trigger: Trigger
    ) -> Iterator[tuple[int, Reading]]:
        from monitor.attempt.exposing import looks  # with phonenumbers: 0.1 s

        until = self.steady() + self.most_seconds
        task = Task(configured.name, configured.source, slot, day, trigger)
        blank = self._blank(task)
        made = looks(self._asking, configured, source_id, blank, lambda: self.steady() <= until)
        if self.free(self.store.path.parent) < LEAST_FREE:
            made = self._collect(configured, task)
        with closing(made) as readings_made:
            for reading in readings_made:
                if reading.records or not unchanged(self.store, configured, source_id, reading):
                    yield self._save(configured, source_id, reading), reading

    def _collect(self, configured: Configured, task: Task) -> Generator[Reading, None, None]:
        if self.free(self.store.path.parent) >= LEAST_FREE:
            asking = self._asking
            yield from collect(task, asking.pages(configured), self._files, self.clock, asking.mail(configured))
        else:
            yield replace(self._blank(task), reason="disk", advice=advice("disk", name=task.name))

    def _blank(self, task: Task) -> Reading:
        """A reading of nothing yet."""
        now = self.clock()
        return Reading(
            slot=task.slot,
            day=task.day,
            trigger=task.trigger,
            started_at=now,
            finished_at=now,
            outcome=Outcome.MISSED,
            parser=task.source.parser,
        )

    def _save(self, configured: Configured, source_id: int, reading: Reading) -> int:
        try:
            return readings.save(self.store, source_id, reading)
        except StoreError as error:
            if configured.source.history:
                raise
            where = self.spool.put(source_id, configured.name, reading)
            raise StoreError(f"{error} {where}", error.exit_code) from error

    def _files(self, request: Files) -> Iterator[Batch]:
        read = whole.read if request.whole else files.read
        return read(request, self.settings.base)
