"""The history's files, looked at without a trace: not even the index of a write-ahead log is touched.

`mode=ro` alone makes a `-wal` and a `-shm` beside a file that has none, and rewrites the `-shm` after a kill (tried on
SQLite 3.40). So a file without a write-ahead log is opened as immutable, and one with it with its index read-only
(`readonly_shm`, an option of SQLite's unix file system).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlite_utils import Database

from monitor.doctor.finding import Finding, fine, look, many, size, wrong
from monitor.politeness import HostState
from monitor.store import migrations
from monitor.store.connection import APPLICATION_ID
from monitor.store.trouble import explain
from monitor.times import from_text

WAL_LARGE = 64 * 2**20
Rows = list[tuple[Any, ...]]
PATIENCE = 20.0
"""Seconds that each check of a whole file may take."""


def captures_of(path: Path) -> Path:
    """The file of kept captures beside a history."""
    return path.with_name(f"{path.stem}-captures.db")


def connect(path: Path, *, wait: float = 1.0) -> sqlite3.Connection:
    """A connection that changes no byte of any file. Raises sqlite3.Error."""
    wal, index = Path(f"{path}-wal"), Path(f"{path}-shm")
    logged = wal.exists() and wal.stat().st_size > 0 and index.exists()
    how = "mode=ro&readonly_shm=1" if logged or Path(f"{path}-journal").exists() else "immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=wait, isolation_level=None)


def rows(path: Path, sql: str, *args: object) -> Rows:
    """The rows of a query. Raises sqlite3.Error."""
    with closing(connect(path)) as conn:
        return conn.execute(sql, args).fetchall()


# --- may it be read at all -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class History:
    """The history as far as it can be read. One that `exists` may be damaged or locked, and so not `readable`.

    Another program's file, or an empty one, is no history: none exists.
    """

    path: Path
    exists: bool
    readable: bool
    finding: Finding

    def rows(self, sql: str, *args: object) -> Rows:
        """The rows of a query; none where the history cannot be read (that was told by its finding)."""
        if not self.readable:
            return []
        try:
            return rows(self.path, sql, *args)
        except sqlite3.Error:  # an older schema, or damage where `quick_check` tells of it
            return []

    def newest(self) -> datetime | None:
        """The newest instant that a reading or a heartbeat names."""
        found = self.rows("select max(finished_at) from readings") + self.rows("select max(beat_at) from heartbeat")
        return max((from_text(at) for (at,) in found if at), default=None)

    def host(self, name: str) -> HostState | None:
        """When a host may be asked; None where there is a history and it cannot be read from it."""
        sql = "select next_at, not_before, blocked_in_row, open_until, month, calls from hosts where host = ?"
        if not self.readable:
            return None if self.exists else HostState(name)
        try:
            found = rows(self.path, sql, name)
        except sqlite3.Error:
            return None
        for next_at, not_before, blocked_in_row, open_until, month, calls in found:
            at = (from_text(text) if text else None for text in (next_at, not_before, open_until))
            return HostState(name, next(at), next(at), blocked_in_row, next(at), month, calls)
        return HostState(name)


def opened(path: Path) -> History:
    """Look at the first bytes of the file and at its schema; says what it is."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
        if refused := _no_history(path, head):
            ours, finding = refused
            return History(path, ours, False, finding)
        ((tables,),) = rows(path, "select count(*) from sqlite_master")
    except FileNotFoundError:
        return _unmade(path)
    except IsADirectoryError:
        return History(path, False, False, wrong("history", f"{path} is a folder", "set [store] path to a file"))
    except (OSError, sqlite3.Error) as error:
        return History(path, True, False, _explained(error, path))
    if head[18] == 2:
        return History(path, True, True, fine("history", f"{path}, {tables} tables, views and indexes, in WAL mode"))
    finding = look("history", f"{path} is not in WAL mode", "another program changed that; monitor run sets it again")
    return History(path, True, True, finding)


def _no_history(path: Path, head: bytes) -> tuple[bool, Finding] | None:
    """Why a file with these first 100 bytes is no history that can be read, and whether it may have been one of ours.

    The places of the bytes: sqlite.org, "Database File Format".
    """
    if not head:
        step = "remove it to begin a new history, or restore a backup"
        return False, wrong("history", f"{path} is an empty file", step)
    if not head.startswith(b"SQLite format 3\0") or len(head) < 100:
        step = "put the newest backup in its place: monitor restore FILE"
        return True, wrong("history", f"{path} is damaged, or no database at all", step)
    if int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        return False, wrong("history", f"{path} is another program's database", "set [store] path to a new name")
    return None


def _unmade(path: Path) -> History:
    folder = path.parent
    if not folder.is_dir():
        finding = wrong("history", f"there is no folder {folder}", f"mkdir -p {folder}, or change [store] path")
    elif not os.access(folder, os.W_OK | os.X_OK):
        finding = wrong("history", f"this user may not write to {folder}", "give write permission, or run as its owner")
    else:
        finding = fine("history", f"{path} does not exist yet", "`monitor run` begins it")
    return History(path, False, False, finding)


def _explained(error: sqlite3.Error | OSError, path: Path) -> Finding:
    if isinstance(error, OSError):
        return wrong("history", f"{path} cannot be read ({error.strerror})", f"give this user the right to read {path}")
    return wrong("history", "cannot be read", str(explain(error, path)))


# --- what is in it -------------------------------------------------------------------------------------------------


def integrity(path: Path, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic) -> Iterator[Finding]:
    """SQLite's own check of a file and of its foreign keys, each for at most `patience` seconds."""
    for pragma, what, good in (
        ("quick_check", "integrity", "no damage"),
        ("foreign_key_check", "foreign keys", "every one leads somewhere"),
    ):
        name = f"{what} of {path.name}"
        try:
            found = _limited(path, pragma, patience, clock)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                said = f"nothing wrong in the first {patience:g} s, then stopped for its size"
                yield fine(name, said, f"for the whole: sqlite3 {path} 'pragma {pragma}'")
            else:
                yield _explained(error, path)
            continue
        if [tuple(row) for row in found] in ([], [("ok",)]):
            yield fine(name, good)
        else:
            said = f"damaged: {' '.join(str(part) for part in found[0])} ({len(found)} such)"
            yield wrong(
                name, said, f"stop Monitor, and put the newest backup of {path.name} in its place: monitor restore FILE"
            )


def _limited(path: Path, pragma: str, patience: float, clock: Callable[[], float]) -> Rows:
    until = clock() + patience
    with closing(connect(path)) as conn:
        conn.set_progress_handler(lambda: clock() > until, 10_000)
        found = conn.execute(f"pragma {pragma}").fetchall()
    grown = Path(f"{path}-wal")
    if found not in ([], [("ok",)]) and grown.exists():  # a monitor may have begun to write meanwhile: look again
        with closing(connect(path)) as conn:
            conn.set_progress_handler(lambda: clock() > until + patience, 10_000)
            return conn.execute(f"pragma {pragma}").fetchall()
    return found


def schema(history: History) -> Finding:
    """Whether tables and views are those of this version; made once in memory, and compared."""
    steps = "select name from _sqlite_migrations where migration_set = 'monitor' order by name"
    objects = r"select type || ' ' || name, sql from sqlite_master where sql <> '' and name not like '\_%' escape '\'"
    mark = "select text_hash from _monitor_views"
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        try:
            migrations.apply(Database(conn, execute_plugins=False))
        except sqlite3.Error as error:
            return wrong("schema", f"this SQLite cannot make it ({error})", "install Python with a newer SQLite")
        want_steps, want, want_mark = (conn.execute(sql).fetchall() for sql in (steps, objects, mark))
    have_steps = history.rows(steps)
    have: dict[str, str] = dict(history.rows(objects))
    if unknown := sorted({name for (name,) in have_steps} - {name for (name,) in want_steps}):
        said = f"it was changed by a newer Monitor ({', '.join(unknown)})"
        return wrong("schema", said, "update Monitor; do not run this version on it")
    if pending := sorted({name for (name,) in want_steps} - {name for (name,) in have_steps}):
        return look(
            "schema", f"{many(len(pending), 'step')} behind ({', '.join(pending)})", "done when `monitor run` starts"
        )
    stale = history.rows(mark) != want_mark
    hidden = tuple(f"{name}_" for name, sql in want if sql.lower().startswith("create virtual"))  # SQLite's own tables
    differing = sorted(
        name
        for name, sql in want
        if have.get(name) != sql and not name.startswith(hidden) and not (stale and name.startswith("view "))
    )
    if differing:
        said = f"changed by another program: {', '.join(differing)}"
        return wrong("schema", said, "put the newest backup in its place, or report it")
    if stale:
        return look("schema", "the views are those of another version", "made anew when `monitor run` starts")
    return fine("schema", f"up to date ({want_steps[-1][0]})")


def sizes(path: Path) -> Iterator[Finding]:
    """How large the files are, and whether a write-ahead log is not folded in any more."""
    shown = []
    for file in (path, captures_of(path)):
        if file.exists():
            shown.append(f"{file.name} {size(file.stat().st_size)}")
        wal = Path(f"{file}-wal")
        length = wal.stat().st_size if wal.exists() else 0
        if length > WAL_LARGE:
            step = f"end programs that keep a long query open on {file.name}, then start Monitor again"
            yield look("write-ahead log", f"{wal.name} has grown to {size(length)}", step)
        if length and not Path(f"{file}-shm").exists():
            said = f"{wal.name} has no index beside it, so what it holds was not looked at"
            yield look("write-ahead log", said, "it is taken up when `monitor run` starts")
    yield fine("sizes", ", ".join(shown))
