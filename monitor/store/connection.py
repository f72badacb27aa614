"""The database file: opening, the one way to write, and what to say when it cannot be used.

Every write goes through `Store.write`: a short file lock, `BEGIN IMMEDIATE`, commit, and our own checkpoint while the
lock is held. Automatic checkpoints are off, since SQLite before 3.51.3 can damage a WAL file when two connections
write and checkpoint at the same instant ("WAL reset bug", sqlite.org/wal.html); one lock means never two at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database

from monitor.store import migrations

APPLICATION_ID = 0x4D4F4E49  # "MONI"
CHECKPOINT_BYTES = 1 << 20
LOCK_SECONDS = 30.0


class StoreError(Exception):
    """The history cannot be used: one plain sentence with the next step, and the exit code that goes with it."""

    def __init__(self, said: str, exit_code: int) -> None:
        super().__init__(said)
        self.exit_code = exit_code


def explain(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    """The sentence and exit code (65, 74 or 77) for an error of SQLite or of the file system."""
    text = str(error)
    if isinstance(error, PermissionError) or "readonly" in text or "attempt to write" in text:
        return StoreError(f"{path} cannot be written: give this user write permission on it and on its folder.", 77)
    if "unable to open" in text:
        return StoreError(f"{path} cannot be opened: check that its folder exists and may be written.", 77)
    if "locked" in text or "busy" in text:
        return StoreError(f"{path} is locked by another program: close it and try again.", 74)
    if "full" in text or "No space" in text:
        return StoreError(f"The disk that holds {path} is full: make room; nothing recorded is lost.", 74)
    if isinstance(error, sqlite3.DatabaseError) and ("malformed" in text or "not a database" in text):
        return StoreError(f"{path} is damaged ({text}): move it aside and put the newest backup in its place.", 65)
    return StoreError(f"{path} cannot be used: {text}.", 74)


class Store:
    """The history: one writing connection to the database and one to the kept captures.

    Use as a context manager. Safe to share between threads: writes take turns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.captures_path = path.with_name(f"{path.stem}-captures.db")
        self._turn = threading.RLock()
        try:
            self._lock_file = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with self._locked():
                _check_file(path) if path.exists() else _begin(path)
                self.conn = _connect(path)
                self.bodies = _connect(self.captures_path)
                self.db = Database(self.conn, execute_plugins=False)
                self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise explain(error, path) from error
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Checkpoint and close; the lock is held so that no other process writes meanwhile. Closing twice is fine."""
        if not self._open:
            return
        self._open = False
        with contextlib.suppress(sqlite3.Error), self._locked():
            for conn in (self.conn, self.bodies):
                conn.close()
        os.close(self._lock_file)

    def _prepare(self) -> None:
        with self._transaction(self.bodies):
            self.bodies.execute("create table if not exists bodies (id text primary key, body blob not null) strict")
        with self._transaction(self.conn):
            migrations.apply(self.db)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._turn:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    @contextlib.contextmanager
    def _transaction(self, conn: sqlite3.Connection) -> Iterator[None]:
        if conn.in_transaction:  # already inside a write: part of it
            yield
            return
        conn.execute("begin immediate")
        try:
            yield
        except BaseException:
            if conn.in_transaction:
                conn.execute("rollback")
            raise
        conn.execute("commit")
        if (wal := Path(f"{self._file_of(conn)}-wal")).exists() and wal.stat().st_size > CHECKPOINT_BYTES:
            conn.execute("pragma wal_checkpoint(passive)").fetchall()

    def _file_of(self, conn: sqlite3.Connection) -> Path:
        return self.captures_path if conn is self.bodies else self.path

    @contextlib.contextmanager
    def write(self) -> Iterator[Database]:
        """One transaction: all of the block or nothing of it. Raises StoreError when the file cannot be written."""
        try:
            with self._locked(), self._transaction(self.conn):
                yield self.db
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as error:
            raise explain(error, self.path) from error

    @contextlib.contextmanager
    def write_bodies(self) -> Iterator[sqlite3.Connection]:
        """One transaction in the file of kept captures. Raises StoreError."""
        try:
            with self._locked(), self._transaction(self.bodies):
                yield self.bodies
        except (sqlite3.Error, OSError) as error:
            raise explain(error, self.captures_path) from error

    def rows(self, sql: str, args: tuple[object, ...] | dict[str, object] = ()) -> list[dict[str, Any]]:
        """The rows of a query, as dicts. Raises StoreError."""
        try:
            with self._turn:
                cursor = self.conn.execute(sql, args)
                names = [column[0] for column in cursor.description]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except sqlite3.Error as error:
            raise explain(error, self.path) from error


def _check_file(path: Path) -> None:
    if path.stat().st_size == 0:
        raise StoreError(f"{path} is an empty file: remove it to begin a new history, or restore a backup.", 65)
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
        if conn.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
            raise StoreError(f"{path} is another program's database: set [store] path to a new name.", 65)


def _begin(path: Path) -> None:
    """Make a new history beside its place and move it there whole: a kill leaves no half-made file.

    A write-ahead log that lost its database is moved aside, or SQLite would replay it into the new one.
    """
    for ending in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{ending}", f"{path}{ending}.old")
    new = path.with_name(f"{path.name}.new")
    for ending in ("", "-wal", "-shm"):
        Path(f"{new}{ending}").unlink(missing_ok=True)
    conn = _connect(new)
    conn.execute(f"pragma application_id = {APPLICATION_ID}")
    conn.execute("begin immediate")
    migrations.apply(Database(conn, execute_plugins=False))
    conn.execute("commit")
    conn.close()
    new.replace(path)


def _connect(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # the owner's alone, and so its -wal and -shm
    conn = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False)
    conn.execute("pragma foreign_keys = on")
    conn.execute("pragma journal_mode = wal").fetchall()
    conn.execute("pragma synchronous = full")
    conn.execute("pragma wal_autocheckpoint = 0").fetchall()
    return conn


@contextlib.contextmanager
def only_one(path: Path, what: str) -> Iterator[None]:
    """Hold `<database>.<what>.lock` for the block, or raise StoreError(75) when another process holds it."""
    lock = path.with_name(f"{path.name}.{what}.lock")
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise explain(error, path) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise StoreError(f"Another monitor is at work on {path}: stop it first, or use that one.", 75) from None
    try:
        yield
    finally:
        os.close(handle)
