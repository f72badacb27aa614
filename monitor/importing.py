"""Saved pages into the history: the same readings as any source's, from bytes that the owner brought.

A file is known by what stands in it (importing_kinds); what is in no row of that table is taken for a results page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.collect import Clock, Task, collect
from monitor.config import Configured, Settings
from monitor.importing_kinds import kind_of, loaded, named
from monitor.model import (
    Batch,
    Blocked,
    Capture,
    Exchange,
    Files,
    Http,
    LayoutChanged,
    Measure,
    Reading,
    Source,
    Trigger,
    slug,
)
from monitor.plan import read_schedule
from monitor.sources.search.pages import Page, is_further, read_page
from monitor.sources.search.saved_page import ImportedPage
from monitor.store import readings
from monitor.store.connection import Store
from monitor.store.sources import row_id

MOST = 30_000_000  # bytes: the largest saved page ever seen is a tenth of it
ENDINGS = (".html", ".htm", ".mht", ".mhtml", ".xhtml")


class ImportRefused(Exception):
    """A file that is not taken: one sentence with the next step."""

    exit_code = 1


@dataclass(slots=True)
class ImportedFile:
    """What became of one file of an export, row by row. `state` is found, absent, or why it was not read."""

    name: str
    state: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    elsewhere: int = 0  # contacts that another source told of
    older: int = 0  # numbers of which a newer export has spoken
    own: int = 0  # begun by the owner
    sponsored: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)  # the line, and why


@dataclass(frozen=True, slots=True)
class Imported:
    """A page or an export that is in the history now; `reading` is None when it was there before."""

    name: str
    series: str
    reading_id: int | None
    reading: Reading | None
    files: tuple[ImportedFile, ...] = ()


@dataclass(frozen=True)
class Importer:
    """Takes saved pages into one history."""

    settings: Settings
    store: Store
    clock: Clock

    def file(self, path: Path, query: str = "", at: datetime | None = None) -> Imported:
        """Take one file; `query` and `at` fill in, or overrule, what the page says.

        Raises ImportRefused for a file that is none, too large, no results page of an engine known, or one whose query
        nobody says.
        """
        if kind := kind_of(path):
            done: Imported = loaded(kind.take)(self, path, at)
            return done
        body = whole(path)
        capture = Capture(body, "text/html", asked=path.name, url=path.name)
        known = self.known(capture.id)
        if known:
            return Imported(path.name, known, None, None)
        page = _page(path, body)
        if is_further(page):
            raise ImportRefused(
                f"{path.name} is not the first page of results, so its places are no ranks: save page 1."
            )
        asked = self._spelling(query or page.query)
        if not asked:
            raise ImportRefused(f"{path.name} does not say what was searched for: add --query.")
        when = at or page.saved_at or datetime.fromtimestamp(path.stat().st_mtime, UTC)
        source = ImportedPage.of(page, asked)
        source_id, name = self._source(source)
        reading = self._reading(name, source, page, path, body, min(when, self.clock()))
        return Imported(path.name, name, readings.save(self.store, source_id, reading), reading)

    def folder(self, folder: Path) -> Iterator[Imported | ImportRefused]:
        """Take every page of a folder, oldest first; what cannot be taken is given as the refusal."""
        pages = [path for path in folder.iterdir() if path.suffix.casefold() in ENDINGS and path.is_file()]
        for path in sorted(pages, key=lambda path: (path.stat().st_mtime, path.name)):
            try:
                yield self.file(path)
            except ImportRefused as refused:
                yield refused

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the owner's days are counted."""
        return ZoneInfo(self.settings.owner.timezone)

    def known(self, capture_id: str) -> str:
        """The series that holds this very file already; empty where none does."""
        rows = self.store.rows(
            "select s.name from exchanges e join readings r on r.id = e.reading_id join sources s on s.id = r.source_id"
            " where e.capture_id = ? and r.\"trigger\" = 'import' and r.outcome in ('ok', 'empty', 'suspect') limit 1",
            (capture_id,),
        )
        return str(rows[0]["name"]) if rows else ""

    def _spelling(self, query: str) -> str:
        """The query as the owner writes it, so that "ada example" goes on the series of "Ada Example"."""
        mine = [self.settings.owner.name, *self.settings.owner.aliases]
        asked = [source.source.series().query for source in self.settings.sources]
        return next((known for known in [*mine, *asked] if known.casefold() == query.casefold()), query)

    def _source(self, source: ImportedPage) -> tuple[int, str]:
        parts = [source.engine, slug(source.query), source.locale.casefold(), source.device]
        row = {
            "name": "/".join(["import", *filter(None, parts)]),
            "measure": str(source.measure),
            "kind": source.kind,
            "engine": source.engine,
            "provider": source.provider,
            "query": source.query,
            "locale": source.locale,
            "device": source.device,
            "day_zone": self.settings.owner.timezone,
            "settings": json.dumps({"subject": ""}),
        }
        with self.store.write() as db:
            return row_id(db, row, self.clock()), row["name"]

    def _reading(self, name: str, source: ImportedPage, page: Page, path: Path, body: bytes, at: datetime) -> Reading:
        asked = page.url or path.name
        capture = Capture(body, "text/html", asked=asked, url=asked)
        times = iter((at,))
        configured = configured_of(name, source, self.settings.owner.timezone)
        task = Task(name, source, at, at.astimezone(configured.zone).date(), Trigger.IMPORT)

        def answer(request: Http, n: int) -> Exchange:
            return Exchange(n=n, asked=asked, ms=0, status=200, url=asked, capture=capture)

        (reading,) = collect(task, answer, no_files, lambda: next(times, self.clock()))
        return reading


def configured_of(name: str, source: Source, timezone: str) -> Configured:
    """An imported series in the form that rereading wants; it is never due."""
    return Configured(name, "import", source, read_schedule("1d", None), timezone)


def imported(store: Store) -> list[tuple[Configured, int]]:
    """The imported series of the history, each with its row id."""
    rows = store.rows("select * from sources where kind = 'import' and retired_at is null order by name")
    made = [(row, _series(row)) for row in rows]
    return [(configured_of(row["name"], source, row["day_zone"]), row["id"]) for row, source in made if source]


def _series(row: dict[str, Any]) -> Source | None:
    """The source that an imported series is read again with; None where none of its bytes are kept."""
    if row["measure"] != Measure.SEARCH:
        settings = json.loads(row["settings"])
        kind = named(settings.get("file", ""))
        source: Source | None = loaded(kind.series)(settings["subject"]) if kind and kind.series else None
        return source
    return ImportedPage(row["engine"], row["provider"], row["query"], row["locale"], row["device"])


def no_files(request: Files) -> Iterator[Batch]:
    """A saved page needs no further file."""
    raise AssertionError(f"nobody asks for {request}")


def whole(path: Path) -> bytes:
    """The bytes of a file. Raises ImportRefused where it cannot be read, or is larger than any page."""
    try:
        if path.stat().st_size > MOST:
            raise ImportRefused(f"{path.name} is larger than any page: nothing was taken.")
        return path.read_bytes()
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror}.") from error


def _page(path: Path, body: bytes) -> Page:
    try:
        return read_page(body)
    except Blocked as refused:
        whose = getattr(refused, "engine", "") or "the engine"
        raise ImportRefused(
            f"{path.name} is a refusal of {whose} ({refused.reason}), no results page: search again in the browser."
        ) from refused
    except LayoutChanged as changed:
        whose = getattr(changed, "engine", "")
        of = f"of {whose} " if whose else ""
        raise ImportRefused(
            f"{path.name} is no results page {of}that is understood ({changed.reason}): save it as a complete page."
        ) from changed
