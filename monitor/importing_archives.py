"""What LinkedIn gives its member as files, into the history: the export (ZIP, folder or one CSV) and the analytics.

One archive is one reading in one transaction: a kill leaves all of it or nothing. An export holds other people's names
and letters, so that none of it is kept: its evidence is the file's name, its SHA-256 and the member. A workbook of
analytics holds the owner's numbers alone, and is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from monitor.fetch.zipped import ZipRefused, is_zip, members, sha256_of
from monitor.importing import Imported, ImportedFile, Importer, ImportRefused
from monitor.model import Capture, Contact, Count, Exchange, Outcome, Reading, Record, Trigger
from monitor.sources.contacts.linkedin_export import Given, Said, read
from monitor.sources.contacts.linkedin_table import (
    HeaderUnknown,
    OtherOrder,
    Table,
    file_of,
    read_table,
    usual_files,
)
from monitor.store import readings
from monitor.store.connection import Store, only_one
from monitor.store.local_key import hasher
from monitor.store.sources import row_id

EXPORT, ANALYTICS = "import/linkedin-export", "import/linkedin-analytics"
PARSER = 1
MOST_CSV = 250_000_000  # bytes
MOST_XLSX = 20_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NAMED_DAY = re.compile(r"LinkedInDataExport_(\d\d)-(\d\d)-(\d{4})", re.IGNORECASE)
_TOLD = 20  # lines named one by one


@dataclass(frozen=True, slots=True)
class _Piece:
    """One file of an export as found: its usual name, how it is told as evidence, when it was written, its bytes."""

    name: str
    asked: str
    written: datetime | None
    body: bytes


def is_export_folder(path: Path) -> bool:
    """Whether a folder holds files of LinkedIn's export."""
    return path.is_dir() and any(file_of(file.name) for file in path.iterdir())


def take_export(importer: Importer, path: Path, at: datetime | None = None) -> Imported:
    """Take an export: an archive, a folder or one CSV; `at` overrules when it was made.

    Raises ImportRefused, and StoreError when the history cannot be written.
    """
    return _told_plainly(_Archives(importer).export, path, at)


def take_analytics(importer: Importer, path: Path, at: datetime | None = None) -> Imported:
    """Take a workbook of analytics. Raises as `take_export` does."""
    return _told_plainly(_Archives(importer).workbook, path, at)


def _told_plainly(take: Callable[[Path, datetime | None], Imported], path: Path, at: datetime | None) -> Imported:
    try:
        return take(path, at)
    except ZipRefused as refused:
        raise ImportRefused(f"{path.name} {refused}.") from refused
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror}.") from error


@dataclass(frozen=True)
class _Archives:
    """Takes LinkedIn's files into one history."""

    importer: Importer

    @property
    def store(self) -> Store:
        return self.importer.store

    @property
    def _today(self) -> date:
        return self.importer.clock().astimezone(self.importer.zone).date()

    def export(self, path: Path, at: datetime | None) -> Imported:
        """Take an export in one reading."""
        pieces = _pieces(path)
        day = self._day(at or _named_day(path.name) or _newest(pieces))
        source_id = self._source(EXPORT, "contacts")
        with only_one(self.store.path, f"source-{source_id}"):
            if pieces and all(self._known(source_id, piece.asked) for piece in pieces):
                return Imported(path.name, EXPORT, None, None)
            said, states = self._read(pieces, day, whole=path.is_dir() or is_zip(path))
            if not said:
                raise ImportRefused(_why_nothing(path, pieces, states))
            older = {name: self._take_out_older(source_id, one, day) for name, one in said.items()}
            asked = [piece.asked for piece in pieces if piece.name in said]
            exchanges = tuple(Exchange(n, text, 0) for n, text in enumerate(asked, 1))
            records = tuple(record for one in said.values() for record in one.records)
            reading = self._reading(day, exchanges, records, _note(said))
            reading_id = readings.save(self.store, source_id, reading)
        files = [self._told(reading_id, name, state, said.get(name), older.get(name, 0)) for name, state in states]
        return Imported(path.name, EXPORT, reading_id, reading, tuple(files))

    def _read(
        self, pieces: Sequence[_Piece], day: date, *, whole: bool
    ) -> tuple[dict[str, Said], list[tuple[str, str]]]:
        """What each file says, and the state of each by its usual name."""
        tables: dict[str, list[Table]] = {}
        states = dict.fromkeys(usual_files(), "absent") if whole else {}
        for piece in pieces:
            try:
                table = read_table(piece.body)
                tables.setdefault(piece.name, []).append(table)
                states[piece.name] = "found"
            except HeaderUnknown:
                states[piece.name] = "header unknown"
        owner = self.importer.settings.owner
        given = Given(day, self._today, self.importer.zone, (owner.name, *owner.aliases), hasher(self.store))
        invitations = [table for found in tables.values() for table in found if table.kind == "invitations"]
        said: dict[str, Said] = {}
        for name, found in tables.items():
            try:
                said[name] = read({"": found, "invitations": invitations}, given)
            except OtherOrder as order:
                states[name] = f"dates unknown ({order}: another program has been at it; take the file as it came)"
        return said, list(states.items())

    def workbook(self, path: Path, at: datetime | None) -> Imported:
        """Take a workbook in one reading, and keep it."""
        from monitor.fetch import workbook
        from monitor.sources.contacts import linkedin_xlsx

        if path.stat().st_size > MOST_XLSX:
            raise ImportRefused(f"{path.name} is larger than any analytics export: nothing was taken.")
        body = path.read_bytes()
        capture = Capture(body, XLSX, asked=path.name, url=path.name)
        source_id = self._source(ANALYTICS, "profile")
        with only_one(self.store.path, f"source-{source_id}"):
            sheets = [(sheet.name, sheet.rows) for sheet in workbook.read(body)]
            try:
                found = linkedin_xlsx.read(sheets, path.name, self._today)
            except linkedin_xlsx.NotUnderstood as refused:
                raise ImportRefused(f"{path.name} {refused}.") from refused
            day = self._day(at or found.last or _written(path))
            if self._kept(source_id, capture.id):
                return Imported(path.name, ANALYTICS, None, None)
            said = Said(len(found.records), list(found.records))
            said.rejected = [(line, f"{sheet}: {why}") for sheet, line, why in found.rejected]
            older = self._take_out_older(source_id, said, day)
            exchange = Exchange(1, path.name, 0, url=path.name, capture=capture)
            reading = self._reading(day, (exchange,), tuple(said.records), _note({path.name: said}))
            reading_id = readings.save(self.store, source_id, reading)
        told = self._told(reading_id, path.name, "found", said, older)
        return Imported(path.name, ANALYTICS, reading_id, reading, (told,))

    def _day(self, made: datetime | date | None) -> date:
        """The owner's day on which a file was made; never one that has not come."""
        if isinstance(made, datetime):
            made = (made.astimezone(self.importer.zone) if made.tzinfo else made).date()
        return min(made or self._today, self._today)

    def _source(self, name: str, measure: str) -> int:
        empty = dict.fromkeys(("query", "locale", "device"), "")
        row = {"name": name, "measure": measure, "kind": "import", "engine": "", "provider": "linkedin", **empty}
        settings = {"subject": "linkedin", "file": name.removeprefix("import/"), "way": "export"}
        row |= {"day_zone": self.importer.settings.owner.timezone, "settings": json.dumps(settings)}
        with self.store.write() as db:
            return row_id(db, row, self.importer.clock())

    def _known(self, source_id: int, asked: str) -> bool:
        sql = (
            "select 1 from exchanges e join readings r on r.id = e.reading_id"
            " where r.source_id = ? and r.parser >= ? and substr(e.url_asked, -length(?)) = ?"
        )
        mark = asked[asked.index("sha256:") :]
        return bool(self.store.rows(sql, (source_id, PARSER, mark, mark)))

    def _kept(self, source_id: int, capture_id: str) -> bool:
        sql = (
            "select 1 from exchanges e join readings r on r.id = e.reading_id"
            " where r.source_id = ? and r.parser >= ? and e.capture_id = ?"
        )
        return bool(self.store.rows(sql, (source_id, PARSER, capture_id)))

    def _take_out_older(self, source_id: int, said: Said, day: date) -> int:
        """Take out numbers of which a newer export has spoken; gives how many."""
        rows = self.store.rows(
            "select c.metric, c.window, c.day from counts c join readings r on r.id = c.reading_id"
            " where c.source_id = ? and r.day > ?",
            (source_id, day.isoformat()),
        )
        spoken = {(row["metric"], row["window"], row["day"]) for row in rows}
        before = len(said.records)
        said.records[:] = [
            record
            for record in said.records
            if not (isinstance(record, Count) and (record.metric, record.window, record.day.isoformat()) in spoken)
        ]
        return before - len(said.records)

    def _reading(self, day: date, exchanges: tuple[Exchange, ...], records: tuple[Record, ...], note: str) -> Reading:
        now = self.importer.clock()
        slot = datetime.combine(day, time(12), self.importer.zone).astimezone(UTC)
        return Reading(
            slot=slot,
            day=day,
            trigger=Trigger.IMPORT,
            started_at=now,
            finished_at=now,
            outcome=Outcome.OK if records else Outcome.EMPTY,
            reason="" if records else "no_results",
            parser=PARSER,
            exchanges=exchanges,
            records=records,
            note=note,
        )

    def _told(self, reading_id: int, name: str, state: str, said: Said | None, older: int) -> ImportedFile:
        """What the reading stored of one file: what was new, what it changed, and what was there before."""
        told = ImportedFile(name, state)
        if said is None:
            return told
        told.rows, told.own, told.sponsored, told.older = said.rows, said.own, said.sponsored, older
        told.rejected = said.rejected
        seen = self._seen(reading_id)
        for record in said.records:
            key = record.message_key if isinstance(record, Contact) else (record.metric, record.window, record.day)
            became = seen.pop(key, "same")  # a row that stands twice in a file is new once
            setattr(told, became, getattr(told, became) + 1)
        return told

    def _seen(self, reading_id: int) -> dict[object, str]:
        seen: dict[object, str] = {}
        for row in self.store.rows(
            "select s.message_key, c.reading_id = s.reading_id as new from contact_sightings s"
            " join contacts c on c.id = s.contact_id where s.reading_id = ?",
            (reading_id,),
        ):
            seen[row["message_key"]] = "new" if row["new"] else "elsewhere"
        for row in self.store.rows(
            "select metric, window, day, exists (select 1 from revisions v where v.reading_id = c.reading_id"
            " and v.table_name = 'counts' and v.day = c.day"
            " and v.key = c.source_id || char(9) || c.profile || char(9) || c.metric || char(9) || c.window) as changed"
            " from counts c where c.reading_id = ?",
            (reading_id,),
        ):
            key = (row["metric"], row["window"], date.fromisoformat(row["day"]))
            seen[key] = "changed" if row["changed"] else "new"
        return seen


def _pieces(path: Path) -> list[_Piece]:
    """The files of an export that are read, by name; of an archive only those at the top of it."""
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file() and file_of(file.name))
        return [_piece(file, file_of(file.name), f"{path.name}/{file.name}") for file in files]
    if path.suffix.casefold() != ".zip" and not is_zip(path):
        return [_piece(path, file_of(path.name) or path.name, path.name)]
    found = members(path, lambda name: bool(file_of(name)))
    top = min((member.name.count("/") for member in found), default=0)
    mark = sha256_of(path)
    return [
        _Piece(file_of(member.name), f"{path.name} {member.name} sha256:{mark}", member.written, member.body)
        for member in found
        if member.name.count("/") == top
    ]


def _piece(file: Path, name: str, told: str) -> _Piece:
    if file.stat().st_size > MOST_CSV:
        raise ZipRefused(f"holds {file.name}, larger than {MOST_CSV // 1_000_000} MB: nothing was taken")
    return _Piece(name, f"{told} sha256:{sha256_of(file)}", _written(file), file.read_bytes())


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _named_day(name: str) -> date | None:
    """The day in the name that LinkedIn gives: Complete_LinkedInDataExport_11-20-2026.zip."""
    found = _NAMED_DAY.search(name)
    try:
        return date(int(found[3]), int(found[1]), int(found[2])) if found else None
    except ValueError:
        return None


def _newest(pieces: Iterable[_Piece]) -> datetime | None:
    written = [piece.written for piece in pieces if piece.written]
    return max(written, key=lambda at: at.timestamp(), default=None)


def _why_nothing(path: Path, pieces: Sequence[_Piece], states: Iterable[tuple[str, str]]) -> str:
    if not pieces:
        return f"{path.name} holds none of the files that are read ({', '.join(usual_files())}): nothing was taken."
    wrong = "; ".join(f"{name}: {state}" for name, state in states if state != "absent")
    return f"{path.name}: nothing was taken ({wrong})."


def _note(said: Mapping[str, Said]) -> str:
    """What was left out, with its counts and lines, as it is kept beside the numbers."""
    lines = []
    for name, one in said.items():
        left = f"{name}: {one.rows} rows, {one.own} own, {one.sponsored} sponsored, {len(one.rejected)} rejected"
        rejected = "".join(f"; line {line} {why}" for line, why in one.rejected[:_TOLD])
        lines.append(left + rejected)
    return "\n".join(lines)
