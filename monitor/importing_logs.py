"""Log files given at the command line, into the source that reads that log: every line once, whoever comes first.

They go through the same reader and the same cursors as the files that the source finds itself. So a file that is
imported twice, or that the source's own pattern matches later, counts once; and one that is cut short by a kill goes on
where it stood when it is imported again.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from monitor.ahead import ahead
from monitor.collect import Clock, Task, collect
from monitor.config import Configured, Settings
from monitor.fetch import files
from monitor.fetch.rotation import Found, listing, opened
from monitor.fetch.unpack import PACKED
from monitor.importing import ENDINGS, ImportRefused
from monitor.model import (
    Batch,
    Capture,
    Context,
    Exchange,
    FetchFailed,
    Files,
    Http,
    LayoutChanged,
    LogCursor,
    Outcome,
    Reading,
    SiteViews,
    Source,
    Trigger,
)
from monitor.sources.page_views.access_log import AccessLog
from monitor.store import logs, readings, visitors
from monitor.store.connection import Store, only_one
from monitor.store.log_days import close_days

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # lines bring their own day


@dataclass(slots=True)
class ImportedLog:
    """What was taken of a file; without `lines` it was there before."""

    name: str
    source: str
    lines: int = 0
    views: int = 0
    first: date | None = None
    last: date | None = None
    refused: str = ""  # why not all of it was taken

    def add(self, reading: Reading) -> None:
        """Count a reading that was stored."""
        for record in reading.records:
            if isinstance(record, SiteViews):
                self.views += record.views
                self.first = min(self.first or record.day, record.day)
                self.last = max(self.last or record.day, record.day)
        if reading.batch:
            body = reading.batch.capture.body
            self.lines += body.count(b"\n") + (not body.endswith(b"\n") if body else 0)


def is_log(path: Path, settings: Settings) -> bool:
    """Whether a file is a log: packed, or its first lines are read by a source that reads logs.

    A file that cannot be read is none; taking it as a page says why.
    """
    if path.suffix.casefold() in ENDINGS:
        return False
    try:
        with path.open("rb") as file:
            head = file.read(64 * 1024)
    except OSError:
        return False
    lines = head[: head.rfind(b"\n") + 1] or head
    mine = [one.source for one in access_logs(settings)]
    return head.startswith(PACKED) or any(_reads(source, lines) for source in (AccessLog(), *mine))


def access_logs(settings: Settings) -> list[Configured]:
    """The configured sources that read access logs."""
    return [one for one in settings.sources if isinstance(one.source, AccessLog)]


def source_for_logs(settings: Settings, name: str = "") -> Configured:
    """The source that log files go to: the one named, or the only one. Raises ImportRefused."""
    known = access_logs(settings)
    names = ", ".join(one.name for one in known)
    if not known:
        raise ImportRefused('No source reads access logs: add [[page_views]] with kind = "access_log" to the config.')
    if name:
        known = [one for one in known if one.name == name]
        if not known:
            raise ImportRefused(f"No source called {name} reads access logs: there is {names}.")
    if len(known) > 1:
        raise ImportRefused(f"Several sources read access logs: say which with --source ({names}).")
    return known[0]


@dataclass(frozen=True)
class LogImporter:
    """Takes log files into one source of one history."""

    settings: Settings
    store: Store
    clock: Clock
    configured: Configured
    source_id: int

    def files(self, paths: Sequence[Path]) -> Iterator[ImportedLog | ImportRefused]:
        """Take the files, the oldest first; what cannot be taken is given as the refusal.

        Raises StoreError when the history cannot be written, or the running monitor is reading this source just now.
        """
        with only_one(self.store.path, f"source-{self.source_id}"):
            spans = []
            for path in sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name)):
                try:
                    done = self._file(path)
                except ImportRefused as refused:
                    yield refused
                    continue
                if done.first and done.last:
                    spans.append((done.first, done.last))
                yield done
            close_days(self.store, self.source_id, spans)
            visitors.close(self.store, self.source_id, self._today)

    @property
    def _today(self) -> date:
        return self.clock().astimezone(self.configured.zone).date()

    def _file(self, path: Path) -> ImportedLog:
        found = self._found(path)
        done = ImportedLog(path.name, self.configured.name)
        batch = self._read(path, done, logs.cursors(self.store, self.source_id))
        if batch and not batch.after.done and _is_packed(path):  # it ends too early: read again, it is given up
            self._read(path, done, self._as_read(batch.after))
        if not done.lines and not done.refused and (batch is None or not batch.before) and not _has_line(found):
            raise ImportRefused(f"{path.name} has no whole line that could be read: nothing was taken.")
        if done.refused and not done.lines:
            raise ImportRefused(f"{path.name}: {done.refused}")
        return done

    def _found(self, path: Path) -> Found:
        """The file as listed. Raises ImportRefused for one that is empty, or a copy of what the source reads."""
        try:
            (found,) = listing(glob.escape(str(path.resolve())), self.settings.base)
        except (FetchFailed, ValueError) as failed:
            raise ImportRefused(f"{path} cannot be read: nothing was taken.") from failed
        if not found.size:
            raise ImportRefused(f"{path.name} is empty: nothing was taken.")
        if other := self._longer(found):
            raise ImportRefused(f"{path.name} is the beginning of {other}, which {self.configured.name} reads itself.")
        return found

    def _longer(self, found: Found) -> str:
        """Of a file too short to be known by its content: the name of the source's own file that begins with it."""
        start = _head(found)
        if not start or len(start) >= files.HEAD:
            return ""
        asked = self.configured.source.requests(Context(now=self.clock(), day=self._today))
        try:
            own = [file for one in asked if isinstance(one, Files) for file in listing(one.pattern, self.settings.base)]
        except FetchFailed:
            return ""
        others = [file for file in own if (file.dev, file.ino) != (found.dev, found.ino)]
        return next((file.name for file in others if _head(file).startswith(start)), "")

    def _read(self, path: Path, done: ImportedLog, cursors: tuple[LogCursor, ...]) -> Batch | None:
        """Read what is new of a file and store it; gives the last batch as it was read."""
        last: list[Batch] = []
        open_ids = {one.id for one in cursors if not one.done}

        def read(request: Files) -> Iterator[Batch]:
            for batch in files.read(request, self.settings.base):
                if not _says_lost(batch):  # the source's other logs are not asked for, so none is missing
                    last[:] = [batch]
                    yield _shelved(batch, open_ids)

        now = self.clock()
        source = replace(self.configured.source, files=glob.escape(str(path.resolve())))  # type: ignore[type-var]
        task = Task(self.configured.name, source, now, self._today, Trigger.IMPORT, cursors)
        task = replace(task, visitor_key=visitors.keys(self.store, self.source_id), parse_batches=ahead)
        for reading in collect(task, _no_answer, read, self.clock):
            self._keep(reading, done)
        return last[0] if last else None

    def _keep(self, reading: Reading, done: ImportedLog) -> None:
        if reading.outcome is not Outcome.OK:
            done.refused = reading.advice
            if not done.lines:
                return  # a file of which nothing was taken leaves no trace
        elif reading.batch and not reading.batch.capture.body and not reading.batch.gaps:
            return
        try:
            readings.save(self.store, self.source_id, reading)
        except logs.Stale as stale:
            raise ImportRefused(f"{done.name} was being read by another monitor: import it again.") from stale
        done.add(reading)

    def _as_read(self, after: LogCursor) -> tuple[LogCursor, ...]:
        """The stored cursors, with that of a file as it was read and not as it was shelved."""
        known = logs.cursors(self.store, self.source_id)
        same = (after.dev, after.ino, after.offset, after.tail_hash)
        return tuple(
            replace(after, id=one.id) if (one.dev, one.ino, one.offset, one.tail_hash) == same else one for one in known
        )


def _says_lost(batch: Batch) -> bool:
    """Whether this only says that the log of a cursor is not among the files asked for."""
    before = batch.before
    return before is not None and batch.after == replace(before, done=True, size=before.offset)


def _shelved(batch: Batch, open_ids: set[int | None]) -> Batch:
    """The batch with its cursor put away: the source does not miss the file, and knows it should it meet it.

    The size is that of what was read, so that the file is looked into once more if it is met. A cursor that the
    source itself was reading by stays as it is.
    """
    after = batch.after
    if after.done or (batch.before and batch.before.id in open_ids and batch.before.id is not None):
        return batch
    return replace(batch, after=replace(after, done=True, size=after.offset))


def _no_answer(request: Http, n: int) -> Exchange:
    """A log needs no host."""
    raise AssertionError(f"nobody asks for {request}")


def _reads(source: Source, lines: bytes) -> bool:
    capture = Capture(lines, media_type="text/plain", head=lines[: files.HEAD], place="the first lines")
    ctx = Context(now=_LONG_AGO, day=_LONG_AGO.date())
    try:
        return bool(source.parse(capture, ctx).records)
    except LayoutChanged:
        return False


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(6).startswith(PACKED)


def _head(file: Found, length: int = files.HEAD) -> bytes:
    try:
        with opened(file) as content:
            return content.head(length) if content else b""
    except FetchFailed:
        return b""


def _has_line(file: Found) -> bool:
    return b"\n" in _head(file, 64 * 1024)
