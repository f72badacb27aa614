"""Whole databases copied and looked over: what making a backup and restoring one have in common."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from monitor.store.connection import LOCK_SECONDS
from monitor.store.lock import WriteLock

ENDINGS = ("-wal", "-shm", "-journal")


@contextlib.contextmanager
def held(database: Path) -> Iterator[None]:
    """Hold the history's write lock: no Monitor opens it or writes to it meanwhile. Raises StoreError(75)."""
    lock = WriteLock(database.with_name(f"{database.name}.lock"), LOCK_SECONDS)
    try:
        with lock.held():
            yield
    finally:
        lock.close()


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection in a read transaction: it sees one instant, changes nothing and checkpoints nothing."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=LOCK_SECONDS, isolation_level=None)) as conn:
        conn.execute("begin")
        conn.execute("select count(*) from sqlite_master").fetchone()
        yield conn


def copy(source: sqlite3.Connection, target: Path) -> None:
    """Copy all of a database into a new file that only its owner may read, and onto the disk.

    The copy is out of WAL mode, so that it is one file and can be read from a disk that cannot be written.
    """
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as conn:
        conn.execute("pragma synchronous = off")  # it is put on the disk as a whole, below
        source.backup(conn)
        conn.execute("pragma journal_mode = delete").fetchall()
    sync(target)


def damage(path: Path) -> str:
    """What makes a database file unsound, or ""."""
    try:
        with reading(path) as conn:
            (found,) = conn.execute("pragma quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return str(error)
        raise
    return "" if found == "ok" else " ".join(str(found).split())


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether an error says that the file itself is not sound."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def missing(history: sqlite3.Connection, captures: Path) -> int:
    """How many captures a history names as kept and its file of captures does not hold: all, where it is unreadable."""
    there = set()
    with contextlib.suppress(sqlite3.DatabaseError), reading(captures) as conn:
        there = {row[0] for row in conn.execute("select id from bodies")}
    named = history.execute(
        "select id from captures where pruned_at is null and id in (select capture_id from exchanges)"
    )
    return sum(row[0] not in there for row in named)


def sync(path: Path) -> None:
    """Put a file, or the names in a folder, onto the disk. Network folders that know no such thing are passed over."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        if not path.is_dir() or error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def discard(path: Path) -> None:
    """Remove a temporary copy with all that SQLite may have put beside it."""
    for ending in ("", *ENDINGS):
        Path(f"{path}{ending}").unlink(missing_ok=True)


def copy_key(source: Path, target: Path) -> None:
    """Copy a key, if there is one, whole or not at all, into a file that only its owner may read."""
    try:
        key = source.read_bytes()
    except FileNotFoundError:
        return
    part = Path(f"{target}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)
