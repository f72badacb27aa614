"""What to say when the history cannot be used: one plain sentence, the next step, and the exit code."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

NO_ROOM = 1_000_000  # bytes: with less free, an input or output error of SQLite means a full disk

_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_OURS = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH}
_VAGUE = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class StoreError(Exception):
    """The history cannot be used: one plain sentence with the next step, and the exit code that goes with it."""

    def __init__(self, said: str, exit_code: int) -> None:
        super().__init__(said)
        self.exit_code = exit_code


def is_ours(error: sqlite3.Error | OSError) -> bool:
    """Whether an error says nothing about the file: what was to be written, or the statement, was wrong."""
    if isinstance(error, (sqlite3.ProgrammingError, sqlite3.InterfaceError, sqlite3.DataError)):
        return True
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF in _OURS


def explain(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    """The sentence and exit code (65, 74 or 77) for an error of SQLite or of the file system."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # the primary code of an extended one
    number = error.errno if isinstance(error, OSError) else None
    if code in _DAMAGED:
        return damaged(path, str(error))
    no_room = code == sqlite3.SQLITE_FULL or number in _NO_ROOM or (code in _VAGUE and _is_full(path))
    refused = code in _READ_ONLY or number in (errno.EACCES, errno.EPERM, errno.EROFS)
    cases = (
        (no_room, "The disk that holds {} is full: make room; nothing recorded is lost.", 74),
        (refused, "{} cannot be written: give this user write permission on it and on its folder.", 77),
        (number == errno.ENOENT, "The folder of {} does not exist: make it, or set [store] path to another.", 74),
        (code == sqlite3.SQLITE_CANTOPEN, "{} cannot be opened: check that it is a file in a folder of yours.", 77),
        (code in _LOCKED, "{} is locked by another program: close it and try again.", 74),
        (code == sqlite3.SQLITE_IOERR, "{} cannot be read or written ({why}): check the disk, quota and limits.", 74),
        (True, "{} cannot be used: {why}.", 74),
    )
    said, exit_code = next((said, exit_code) for applies, said, exit_code in cases if applies)
    return StoreError(said.format(path, why=error), exit_code)


def damaged(path: Path, seen: str) -> StoreError:
    """The sentence for a damaged file; it names the newest backup where there is one. Exit code 65."""
    newest = newest_backup(path)
    aside = f"stop Monitor, move it and {path.name}-wal aside"
    if newest:
        return StoreError(
            f"{path} is damaged ({seen}): stop Monitor, then put the newest backup in its place with"
            f" `monitor restore {newest}`.",
            65,
        )
    return StoreError(
        f"{path} is damaged ({seen}) and {backups_of(path)} holds no backup: {aside},"
        " and save what can be read of it with `sqlite3 DAMAGED .recover`.",
        65,
    )


def backups_of(path: Path) -> Path:
    """The folder that holds the backups of a history (and of its kept captures): `<stem>-backups` beside it."""
    return path.with_name(f"{path.stem.removesuffix('-captures')}-backups")


def newest_backup(path: Path) -> Path | None:
    """The newest backup of this very file, by the time it was written; None without any that can be seen."""
    wanted = path.stem.endswith("-captures")
    try:
        found = [
            (entry.stat().st_mtime_ns, entry)
            for entry in backups_of(path).iterdir()
            if entry.suffix == ".db" and entry.stat().st_size and ("-captures" in entry.name) == wanted
        ]
    except OSError:
        return None
    return max(found)[1] if found else None


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < NO_ROOM
    except OSError:
        return False
