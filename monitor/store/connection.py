"""The database file: opening, and the one way to write.

Every write goes through `Store.write`: a short file lock, `BEGIN IMMEDIATE`, commit, and our own checkpoint while the
lock is held. Automatic checkpoints are off, since SQLite before 3.51.3 can damage a WAL file when two connections
write and checkpoint at the same instant ("WAL reset bug", sqlite.org/wal.html); one lock means never two at once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database

from monitor.store import migrations, soundness
from monitor.store.lock import WriteLock, only_one
from monitor.store.trouble import StoreError, explain, is_ours
from monitor.times import utc_now

__all__ = ["APPLICATION_ID", "Store", "StoreError", "explain", "only_one"]

APPLICATION_ID = 0x4D4F4E49  # "MONI"
CHECKPOINT_BYTES = 4 << 20  # as SQLite itself would: 1,000 pages
LOCK_SECONDS = 30.0
CLOSE_MS = 500  # how long the last checkpoint waits for readers


class Store:
    """The history: one writing connection to the database and one to the kept captures.

    Use as a context manager. Safe to share between threads: writes take turns. `lock_seconds` bounds the wait for
    another program that writes. The files are checked for damage when they were not left in good order, and weekly.
    """

    def __init__(self, path: Path, *, lock_seconds: float = LOCK_SECONDS, clock: Callable[[], datetime] = utc_now):
        self.path = path
        self.captures_path = path.with_name(f"{path.stem}-captures.db")
        self.clock = clock
        self._damage: StoreError | None = None
        self._inside: set[int] = set()
        with contextlib.ExitStack() as on_failure:
            try:
                self._lock = WriteLock(path.with_name(f"{path.name}.lock"), lock_seconds)
                on_failure.callback(self._lock.close)
                with self._lock.held():
                    if path.exists():
                        _check_file(path)
                    self._mark = soundness.OpenMark(path, (path, self.captures_path), clock())
                    on_failure.callback(self._mark.close)
                if self._mark.due:  # before anything is written, and outside the lock: a large file takes its time
                    self._check()
                with self._lock.held():
                    if not path.exists():
                        _begin(path)
                    self.conn = on_failure.enter_context(contextlib.closing(_connect(path, lock_seconds)))
                    self.bodies = on_failure.enter_context(contextlib.closing(self._connect_bodies(lock_seconds)))
                    self.db = Database(self.conn, execute_plugins=False)
                    self._prepare()
            except (sqlite3.Error, OSError) as error:
                raise explain(error, path) from error
            on_failure.pop_all()
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
        try:
            with self._lock.held():
                self._close(checkpoint=True)
        except StoreError:  # the one that holds the lock has the history open too: closing ours checkpoints nothing
            self._close(checkpoint=False)
        self._lock.close()

    def _close(self, *, checkpoint: bool) -> None:
        for conn in (self.conn, self.bodies):
            with contextlib.suppress(sqlite3.Error):
                if checkpoint:  # an empty log says that this was an orderly end, whoever else still reads
                    conn.execute(f"pragma busy_timeout = {CLOSE_MS}").fetchall()
                    conn.execute("pragma wal_checkpoint(truncate)").fetchall()
            conn.close()
        self._mark.close()

    def check_weekly(self) -> None:
        """Read the files over for damage if that was last done a week ago. Raises StoreError(65) when they are."""
        if self._mark.is_old(self.clock()):
            self._check()

    def _check(self) -> None:
        try:
            for path in (self.path, self.captures_path):
                if path.exists():
                    soundness.check(path)
        except StoreError as error:
            raise self._remembered(error) from error
        self._mark.checked(self.clock())

    def _connect_bodies(self, lock_seconds: float) -> sqlite3.Connection:
        try:
            conn = _connect(self.captures_path, lock_seconds)
            conn.execute("create table if not exists bodies (id text primary key, body blob not null) strict")
        except (sqlite3.Error, OSError) as error:
            raise explain(error, self.captures_path) from error
        return conn

    def _prepare(self) -> None:
        if migrations.is_newer(self.db):
            raise StoreError(f"{self.path} was written by a newer Monitor than this one: update Monitor.", 65)
        with self._transaction(self.conn):
            migrations.apply(self.db)

    @contextlib.contextmanager
    def _transaction(self, conn: sqlite3.Connection) -> Iterator[None]:
        if id(conn) in self._inside:  # already inside a write: part of it
            yield
            return
        if conn.in_transaction:  # a rollback failed, on a disk that failed
            conn.execute("rollback")
        conn.execute("begin immediate")
        self._inside.add(id(conn))
        try:
            yield
            conn.execute("commit")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                if conn.in_transaction:
                    conn.execute("rollback")
            raise
        finally:
            self._inside.discard(id(conn))
        self._checkpoint(conn)

    def _checkpoint(self, conn: sqlite3.Connection) -> None:
        """Move a long log into the database. What was committed stands, whether or not there is room for that now."""
        wal = Path(f"{self._file_of(conn)}-wal")
        with contextlib.suppress(sqlite3.Error, OSError):
            if wal.stat().st_size > CHECKPOINT_BYTES:
                conn.execute("pragma wal_checkpoint(passive)").fetchall()

    def _file_of(self, conn: sqlite3.Connection) -> Path:
        return self.captures_path if conn is self.bodies else self.path

    @contextlib.contextmanager
    def write(self) -> Iterator[Database]:
        """One transaction: all of the block or nothing of it. Raises StoreError when the file cannot be written."""
        with self._writing(self.conn):
            yield self.db

    @contextlib.contextmanager
    def write_bodies(self) -> Iterator[sqlite3.Connection]:
        """One transaction in the file of kept captures. Raises StoreError."""
        with self._writing(self.bodies):
            yield self.bodies

    @contextlib.contextmanager
    def _writing(self, conn: sqlite3.Connection) -> Iterator[None]:
        if self._damage:
            raise self._damage
        if not self._open:
            raise StoreError(f"{self.path} is closed already, for Monitor is ending.", 74)
        try:
            with self._lock.held(), self._transaction(conn):
                yield
        except (sqlite3.Error, OSError) as error:
            if is_ours(error):
                raise
            raise self._remembered(explain(error, self._file_of(conn))) from error

    def _remembered(self, error: StoreError) -> StoreError:
        """The same error; a damaged file is not written to any more."""
        if error.exit_code == 65:
            self._damage = error
            self._mark.doubt()
        return error

    def rows(self, sql: str, args: tuple[object, ...] | dict[str, object] = ()) -> list[dict[str, Any]]:
        """The rows of a query, as dicts. Raises StoreError."""
        try:
            with self._lock.turn:
                cursor = self.conn.execute(sql, args)
                names = [column[0] for column in cursor.description]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except sqlite3.Error as error:
            raise self._remembered(explain(error, self.path)) from error


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise StoreError(f"{path} is a folder: set [store] path to a file.", 77)
    if path.stat().st_size == 0:
        raise StoreError(f"{path} is an empty file: remove it to begin a new history, or restore a backup.", 65)
    with contextlib.closing(soundness.look_at(path)) as conn:
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
    conn = _connect(new, LOCK_SECONDS)
    conn.execute(f"pragma application_id = {APPLICATION_ID}")
    conn.execute("begin immediate")
    migrations.apply(Database(conn, execute_plugins=False))
    conn.execute("commit")
    conn.close()
    new.replace(path)


def _connect(path: Path, lock_seconds: float) -> sqlite3.Connection:
    # The owner's alone, and so its -wal and -shm. An existing file is not touched: closing a descriptor of it would
    # drop the locks that SQLite holds for another connection of this process ("How To Corrupt", sqlite.org).
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    if not os.access(path, os.W_OK):  # SQLite would say so only at the first write
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    conn = sqlite3.connect(path, timeout=lock_seconds, isolation_level=None, check_same_thread=False)
    try:
        conn.execute("pragma foreign_keys = on")
        conn.execute("pragma journal_mode = wal").fetchall()
        conn.execute("pragma synchronous = full")
        conn.execute("pragma wal_autocheckpoint = 0").fetchall()
        # A log that was once long would stay so on disk, and be checkpointed, with two syncs, at every commit.
        conn.execute(f"pragma journal_size_limit = {CHECKPOINT_BYTES}").fetchall()
    except sqlite3.Error:
        conn.close()
        raise
    return conn
