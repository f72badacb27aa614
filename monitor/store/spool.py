"""Readings that could not be written, waiting beside the database: nothing that was read is lost for want of room.

One file per reading in `<stem>-spool/`, written whole (a new file, fsync, rename, fsync of the folder) and the owner's
alone. Its name sorts by the end of the reading and ends in a hash of the content, so that the same reading is the same
file, and a file cut short or changed is known. The reading's note, written in the same transaction as the reading,
names that file: a kill between the two steps "stored" and "removed" stores it no second time.

Where not even such a file can be written, the reading is held in memory, and that is said.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from monitor.model import Reading, Trigger
from monitor.store import readings, record_text
from monitor.store.connection import Store, StoreError
from monitor.times import to_text

FORMAT = 1
MOST = 200
MOST_BYTES = 50_000_000
MOST_HELD = 20  # in memory
LEFTOVER_SECONDS = 3600  # a half-written file this old belongs to no one
REFUSED = ".refused"
WRONG = (ValueError, TypeError, OverflowError, LookupError, sqlite3.Error)
"""What a waiting reading may do that another try does not mend."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A reading that waited and now stands in the history."""

    reading_id: int
    source_id: int
    source: str
    reading: Reading

    def serves(self, source_id: int, slot: datetime, trigger: Trigger) -> bool:
        """Whether it is what an attempt at this slot would have given; one by hand serves any by hand."""
        same = (self.source_id, self.reading.trigger) == (source_id, trigger)
        return same and (trigger is Trigger.MANUAL or self.reading.slot == slot)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the waiting readings: those stored, the files set aside, and what keeps the rest waiting."""

    stored: tuple[Stored, ...] = ()
    refused: tuple[Path, ...] = ()
    trouble: StoreError | None = None


class Spool:
    """The waiting readings of one history; safe to share between threads, and between processes.

    When full, the oldest stay and the newest is refused: what waits is evidence already promised.
    """

    def __init__(
        self, store: Store, *, most: int = MOST, most_bytes: int = MOST_BYTES, most_held: int = MOST_HELD
    ) -> None:
        self.store = store
        self.folder = store.path.with_name(f"{store.path.stem}-spool")
        self.most, self.most_bytes, self.most_held = most, most_bytes, most_held
        self._held: dict[str, bytes] = {}
        self._turn = threading.RLock()

    def put(self, source_id: int, source: str, reading: Reading) -> str:
        """Let a reading wait; returns the sentence that says where, or that there was no place for it."""
        name, content = _written(source_id, source, reading)
        with self._turn:
            if self._holds_most(len(content)):
                return f"{self.folder} is full ({len(self._names())} readings wait), so this reading is not kept."
            try:
                self._write(name, content)
            except OSError as error:
                return self._hold(name, content, error)
        return f"The reading waits in {self.folder} and is stored as soon as that can be done."

    def _hold(self, name: str, content: bytes, error: OSError) -> str:
        why = error.strerror or str(error)
        if len(self._held) >= self.most_held:
            return f"Nor can {self.folder} be written ({why}), so this reading is not kept."
        self._held[name] = content
        return f"Nor can {self.folder} be written ({why}): the reading is held in memory, until Monitor ends."

    @property
    def is_full(self) -> bool:
        """Whether a reading more would find no place."""
        return self._holds_most(0) or len(self._held) >= self.most_held

    def _holds_most(self, more: int) -> bool:
        sizes = list(self._sizes())
        return len(sizes) >= self.most or sum(sizes) + more > self.most_bytes

    def waits(self, source_id: int, slot: datetime, trigger: Trigger) -> bool:
        """Whether a reading for this slot waits; for one by hand, whether any by hand of this source does."""
        asked = _mark(source_id, slot, trigger)
        return any(asked in name for name in self._names())

    def replay(self) -> Replayed:
        """Store what waits, oldest first, up to the first that still cannot be stored. Each is stored exactly once."""
        stored: list[Stored] = []
        refused: list[Path] = []
        with self._turn:
            self._tidy()
            for name in self._names():
                try:
                    content = self._content(name)
                    if content is not None:
                        stored.append(self._store(name, content))
                except StoreError as trouble:
                    return Replayed(tuple(stored), tuple(refused), trouble)
                except WRONG:
                    refused.append(self._set_aside(name))
                else:
                    self._remove(name)
        return Replayed(tuple(stored), tuple(refused))

    def _store(self, name: str, content: bytes) -> Stored:
        source_id, source, reading = _read(name, content)
        note = f"stored late, from the spool: {name}"
        reading = replace(reading, note=f"{reading.note}\n{note}".lstrip("\n"))
        with self.store.write() as db:
            if not db.execute("select 1 from sources where id = ? and name = ?", [source_id, source]).fetchone():
                raise ValueError("this history does not know the source")
            reading_id = _stored_before(db, source_id, reading)
            if reading_id is None:
                reading_id = readings.save(self.store, source_id, reading)
        return Stored(reading_id, source_id, source, reading)

    def _names(self) -> list[str]:
        """The names of all that waits, oldest first."""
        try:
            found = {entry.name for entry in self.folder.iterdir() if entry.suffix == ".json"}
        except OSError:
            found = set()
        return sorted(found | set(self._held))

    def _sizes(self) -> Iterator[int]:
        for name in self._names():
            with contextlib.suppress(FileNotFoundError):  # another process has just stored it
                yield len(self._held[name]) if name in self._held else (self.folder / name).stat().st_size

    def _content(self, name: str) -> bytes | None:
        """What waits under a name; None when another process has stored it meanwhile."""
        if name in self._held:
            return self._held[name]
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self.folder / name} cannot be read ({error.strerror}).", 74) from error

    def _remove(self, name: str) -> None:
        self._held.pop(name, None)
        with contextlib.suppress(OSError):  # then it is known as stored the next time
            (self.folder / name).unlink(missing_ok=True)

    def _set_aside(self, name: str) -> Path:
        aside = self.folder / f"{name}{REFUSED}"
        with contextlib.suppress(OSError):
            if name in self._held:
                self._write(aside.name, self._held[name])
            else:
                (self.folder / name).rename(aside)
        self._held.pop(name, None)
        return aside

    def _tidy(self) -> None:
        """Put into files what was held in memory, if that can be done now; remove what a kill left half-written."""
        with contextlib.suppress(OSError):
            for name, content in list(self._held.items()):
                self._write(name, content)
                del self._held[name]
        with contextlib.suppress(OSError):
            for half in self.folder.glob(".*.new"):
                if time.time() - half.stat().st_mtime > LEFTOVER_SECONDS:
                    half.unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        """The whole file under its name, or no file. Raises OSError."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        half = self.folder / f".{name}.{os.getpid()}.new"
        try:
            with open(half, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            half.replace(self.folder / name)
        except OSError:
            half.unlink(missing_ok=True)
            raise
        _sync_folder(self.folder)


def _written(source_id: int, source: str, reading: Reading) -> tuple[str, bytes]:
    """The name and the content of a waiting reading."""
    said = {"format": FORMAT, "source_id": source_id, "source": source, "reading": record_text.to_json(reading)}
    content = json.dumps(said, separators=(",", ":")).encode("ascii")
    ended = reading.finished_at.astimezone(UTC)
    mark = _mark(source_id, reading.slot, reading.trigger, exact=True)
    return f"{ended:%Y%m%dT%H%M%S.%fZ}{mark}{hashlib.sha256(content).hexdigest()[:16]}.json", content


def _mark(source_id: int, slot: datetime, trigger: Trigger, *, exact: bool = False) -> str:
    """The part of a name that says what the reading serves; a reading by hand serves no slot."""
    start = f"_{source_id}-{trigger}-"
    return f"{start}{slot.astimezone(UTC):%Y%m%dT%H%M%SZ}_" if exact or trigger is not Trigger.MANUAL else start


def _read(name: str, content: bytes) -> tuple[int, str, Reading]:
    """The source's id and name, and the reading. Raises ValueError on what this program has not written so."""
    if not name.endswith(f"{hashlib.sha256(content).hexdigest()[:16]}.json"):
        raise ValueError("the file is not as it was written")
    said: Any = json.loads(content)
    if said["format"] != FORMAT:
        raise ValueError("another format")
    return int(said["source_id"]), str(said["source"]), record_text.from_json(said["reading"])


def _stored_before(db: Database, source_id: int, reading: Reading) -> int | None:
    found = db.execute(
        "select id from readings where source_id = ? and slot = ? and note = ?",
        [source_id, to_text(reading.slot), reading.note],
    ).fetchone()
    return int(found[0]) if found else None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
