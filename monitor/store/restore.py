"""Putting a backup in the place of the present history, which is moved aside and never deleted.

The order makes a kill harmless at every instant: the backup is copied beside its place and checked; captures come
first, as the backup's and the present ones together, so that they serve the old history and the new one alike; the
present history's write-ahead log is written into it, it gets its second name, and one rename puts the new one in its
place. A log must never meet another database than its own: SQLite would replay it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from monitor.store import copies
from monitor.store.backup import INSTANT, captures_path, instant_text
from monitor.store.connection import APPLICATION_ID, StoreError, explain, only_one
from monitor.store.copies import ENDINGS
from monitor.store.local_key import path_of
from monitor.store.trouble import backups_of

SHM_OPEN_BYTE = 128  # every connection in WAL mode holds a shared lock on it (SQLite's os_unix.c, UNIX_SHM_DMS)
ASIDE = ".before-restore-"


class Restored(NamedTuple):
    """What stands now: days, readings and the newest one's end (UTC text, None without any).

    `captures` is the file the captures came from, None where the present ones were left in place; `missing` counts
    those named as kept that are not at hand; `aside` is where the former history is, None where there was none.
    """

    days: int
    readings: int
    newest: str | None
    captures: Path | None
    missing: int
    aside: Path | None


def captures_beside(file: Path) -> Path:
    """The captures that belong to a backup, to a history set aside or to any other history, by its name."""
    if dated := re.fullmatch(rf"(.+)-({INSTANT})\.db", file.name, re.ASCII):
        return file.with_name(f"{dated[1]}-captures-{dated[2]}.db")
    name, aside, instant = file.name.partition(ASIDE)
    return file.with_name(f"{Path(name).stem}-captures.db{aside}{instant}")


def key_beside(file: Path) -> Path:
    """The key that belongs to a backup, to a history set aside or to any other history, by its name."""
    name, aside, instant = file.name.partition(ASIDE)
    return file.with_name(f"{path_of(Path(name)).name}{aside}{instant}")


def restore(file: Path, database: Path, now: datetime, *, with_captures: bool = True) -> Restored:
    """Put a backup in the place of the history; a damaged one, or none, may be there.

    Raises StoreError: 65 the backup is damaged or none of ours, 74 disk, 75 a program has the history open, 77
    permission. What is at the history's place is then what was there before.
    """
    place, captures = _behind_link(database), _behind_link(captures_path(database))
    if not file.exists():
        raise StoreError(f"There is no file {file}: name a backup, as those in {backups_of(database)}.", 74)
    if _same(file, place):
        raise StoreError(f"{file} is the history itself: name a backup.", 2)
    beside = captures_beside(file)
    bodies = beside if with_captures and beside.exists() and not _same(beside, captures) else None
    new, new_captures = Path(f"{place}.restoring"), Path(f"{captures}.restoring")
    try:
        with only_one(database, "run"), only_one(database, "backup"):
            try:
                _take(file, new)
                _check_history(new, file)
                if bodies:
                    _take(bodies, new_captures, " Add --without-captures to do without them.")
                with copies.held(database):
                    aside = _put(new, place, new_captures if bodies else None, captures, key_beside(file), now)
            finally:
                copies.discard(new)
                copies.discard(new_captures)
            return _said(place, captures, bodies, aside)
    except (sqlite3.Error, OSError) as error:
        raise explain(error, database) from error


def _behind_link(path: Path) -> Path:
    """The file itself: a rename onto a symbolic link would replace the link."""
    return path.resolve() if path.is_symlink() else path


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)


def _take(file: Path, new: Path, hint: str = "") -> None:
    """Copy a file of the backup beside its place and check the copy: what was checked is then what is used."""
    copies.discard(new)  # of a restore that was killed
    with contextlib.ExitStack() as stack:
        try:
            conn = stack.enter_context(copies.reading(file))
        except sqlite3.DatabaseError as error:
            raise _unfit(file, str(error), hint) if copies.is_damage(error) else explain(error, file) from error
        copies.copy(conn, new)
    if problem := copies.damage(new):
        raise _unfit(file, problem, hint)


def _check_history(new: Path, file: Path) -> None:
    with copies.reading(new) as conn:
        if conn.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
            raise _unfit(file, "it is no history of Monitor's")
        if broken := conn.execute("pragma foreign_key_check").fetchall():
            raise _unfit(file, f"{len(broken)} of its rows lead nowhere, the first in {broken[0][0]}")


def _unfit(file: Path, problem: str, hint: str = "") -> StoreError:
    return StoreError(f"{file} cannot be restored ({problem}): take another backup; nothing was changed.{hint}", 65)


def _put(new: Path, place: Path, new_captures: Path | None, captures: Path, key: Path, now: datetime) -> Path | None:
    """Set the present files aside and the new ones in their place; returns where the history went, if there was one."""
    for path in (place, captures):
        _nobody_has(path)
    while any(_aside(path, now).exists() for path in (place, captures)):
        now += timedelta(seconds=1)
    _check_ours(place)
    _settle(place)
    if new_captures:
        if _settle(captures):
            _add_bodies(new_captures, captures)
        _replace(new_captures, captures, _aside(captures, now))
    aside = _aside(place, now) if place.exists() else None
    _put_key(key, path_of(place), now)
    _replace(new, place, _aside(place, now))
    if new_captures:
        _trim(captures, place)
    return aside


def _put_key(key: Path, present: Path, now: datetime) -> None:
    """Put the backup's key in its place, if it has another one. A kill after it is told: that key is not its own."""
    if key.exists() and not (present.exists() and present.read_bytes() == key.read_bytes()):
        copies.copy_key(present, _aside(present, now))
        copies.copy_key(key, present)


def _aside(path: Path, now: datetime) -> Path:
    return Path(f"{path}{ASIDE}{instant_text(now)}")


def _nobody_has(path: Path) -> None:
    """Refuse while another process has the database open: on closing it would delete the new one's log by its name."""
    with contextlib.suppress(FileNotFoundError):
        handle = os.open(f"{path}-shm", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, SHM_OPEN_BYTE)
        except (BlockingIOError, PermissionError):
            raise _open_elsewhere(path) from None
        finally:
            os.close(handle)


def _open_elsewhere(path: Path) -> StoreError:
    return StoreError(f"Another program has {path} open: close it, then restore again; nothing was changed.", 75)


def _check_ours(place: Path) -> None:
    """Refuse to go over another program's database; one that cannot be read or is empty may be gone over."""
    with contextlib.suppress(sqlite3.DatabaseError, FileNotFoundError):
        if place.stat().st_size:
            with copies.reading(place) as conn:
                if conn.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
                    raise StoreError(f"{place} is another program's database: set [store] path to a new name.", 65)


def _settle(path: Path) -> bool:
    """Write a sound database's log into it, so that it is whole without it; a damaged one is left as it lies.

    Returns whether it is there and sound.
    """
    if not path.exists() or path.stat().st_size == 0:
        return False
    try:
        if copies.damage(path):
            return False
    except sqlite3.OperationalError:  # not even to be opened: a directory, or a journal that cannot be read
        return False
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as conn:
        (busy, *_) = conn.execute("pragma wal_checkpoint(truncate)").fetchone()
    if busy:
        raise _open_elsewhere(path)
    return True


def _add_bodies(new: Path, present: Path) -> None:
    """Add the present captures to the new ones: until the rename of the history both histories need theirs."""
    with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as conn:
        conn.execute("attach ? as present", [str(present)])
        if conn.execute("select 1 from present.sqlite_master where name = 'bodies'").fetchall():
            conn.execute("insert or ignore into bodies (id, body) select id, body from present.bodies")
    copies.sync(new)


def _trim(captures: Path, place: Path) -> None:
    """Let go what the restored history does not name; it is still in the captures set aside."""
    with (
        contextlib.suppress(sqlite3.OperationalError),  # a full disk: what stays too long is harmless
        contextlib.closing(sqlite3.connect(captures, isolation_level=None)) as conn,
    ):
        conn.execute("pragma journal_mode = wal").fetchall()  # a kill then leaves a log, which readers can read
        conn.execute("attach ? as history", [str(place)])
        conn.execute("delete from bodies where id not in (select id from history.captures where pruned_at is null)")


def _replace(new: Path, place: Path, aside: Path) -> None:
    if place.exists():
        try:
            os.link(place, aside)
        except OSError:  # a disk without second names
            shutil.copy2(place, aside)
            copies.sync(aside)
    for ending in ENDINGS:
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{place}{ending}", f"{aside}{ending}")
    copies.sync(place.parent)
    new.replace(place)
    copies.sync(place.parent)


def _said(place: Path, captures: Path, bodies: Path | None, aside: Path | None) -> Restored:
    with copies.reading(place) as conn:
        days, readings, newest = conn.execute(
            "select count(distinct day), count(*), max(finished_at) from readings"
        ).fetchone()
        missing = copies.missing(conn, captures)
    return Restored(days, readings, newest, bodies, missing, aside)
