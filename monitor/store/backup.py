"""Backups: whole copies of the history, its kept captures and its key, checked before they get a good name.

Both files are copied as they stood at one and the same instant: the write lock is held while a read transaction begins
on each, and let go before the copying. Otherwise a reading stored between the two copies would lack its captures, or
`prune` would take away captures that the copied history still names. Readers do not block a writer in WAL mode.

The copy is SQLite's backup API in a single step: in several, every write of another process begins it anew, and it may
never end; a plain `cp` of a file that is written to comes out malformed.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from monitor.store.connection import APPLICATION_ID, StoreError, explain, only_one
from monitor.store.copies import ENDINGS, copy, copy_key, damage, discard, held, is_damage, missing, reading, sync
from monitor.store.local_key import path_of
from monitor.store.trouble import backups_of

KEEP = ((7, "%Y-%m-%d"), (4, "%G-W%V"), (12, "%Y-%m"))  # so many days, weeks and months, in UTC: the newest of each
KEEP_ALL = timedelta(days=1)
INSTANT = r"\d{4}-\d\d-\d\dT\d{6}Z"


class Backup(NamedTuple):
    """A backup made: its files (captures is None without them), the readings in it, and what stood in its way.

    `missing` counts captures that the history names as kept and its file of captures does not hold; `removed` names
    the files of older backups that were let go.
    """

    path: Path
    captures: Path | None
    readings: int
    missing: int
    removed: tuple[str, ...]


def instant_text(at: datetime) -> str:
    """An instant as it stands in a file's name, `2026-11-23T063000Z`: no colons, which some disks refuse."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")


def instant_of(name: str, stem: str) -> datetime | None:
    """The instant in the name of a backup of `<stem>.db`; None for any other name."""
    found = re.fullmatch(rf"{re.escape(stem)}-({INSTANT})\.db", name, re.ASCII)
    if not found:
        return None
    try:
        return datetime.strptime(found[1], "%Y-%m-%dT%H%M%S%z")
    except ValueError:  # a thirteenth month is no name of ours
        return None


def kept(instants: Iterable[datetime], now: datetime) -> set[datetime]:
    """The backups to keep: the newest of each of the last 7 days, 4 weeks and 12 months that have one.

    All of the last 24 hours stay too, and any later than now (a clock was wrong). The newest always stays.
    """
    known = set(instants)
    keep = {at for at in known if at > now - KEEP_ALL}
    for most, period in KEEP:
        newest: dict[str, datetime] = {}
        for at in sorted((at for at in known if at <= now), reverse=True):
            newest.setdefault(at.astimezone(UTC).strftime(period), at)
        keep |= set(list(newest.values())[:most])
    return keep


def removable(names: Iterable[str], stem: str, now: datetime) -> set[str]:
    """The names that may go: backups of `<stem>.db` that are not kept, and captures without their history.

    A kill between the two renames of a backup leaves such captures. Names that are not ours are never among them.
    """
    names = set(names)
    histories = {name: at for name in names if (at := instant_of(name, stem))}
    captures = {name: at for name in names if (at := instant_of(name, f"{stem}-captures"))}
    keys = {name: at for name in names if name.endswith(".key") and (at := instant_of(f"{name[:-4]}.db", stem))}
    keep = kept(histories.values(), now)
    return {name for name, at in (histories | captures | keys).items() if at not in keep}


def captures_path(database: Path) -> Path:
    """The file of kept captures that goes with a database."""
    return database.with_name(f"{database.stem}-captures.db")


def keep_backups(database: Path, now: datetime, folder: Path | None = None, *, with_captures: bool = True) -> Backup:
    """Make a backup and let old ones go; may be called while a monitor runs, and from within it.

    Raises StoreError: 65 the history is damaged, 74 disk or nothing to back up, 75 another backup is being made, 77
    permission. Whatever happens, no half backup gets a good name, and old ones go only once the new one stands.
    """
    target = folder or backups_of(database)
    if not database.exists():
        raise StoreError(f"There is no history at {database} yet: begin one with `monitor run`.", 74)
    if folder and not folder.is_dir():
        raise StoreError(f"There is no folder {folder}: make it, or mount the disk it is on.", 74)
    try:
        target.mkdir(mode=0o700, exist_ok=True)
        with only_one(database, "backup"):
            _sweep(target, database.stem)
            made = _make(database, target, now, with_captures)
            removed = sorted(removable((p.name for p in target.iterdir() if p.is_file()), database.stem, now))
            for name in removed:
                (target / name).unlink(missing_ok=True)
    except (sqlite3.Error, OSError) as error:
        if isinstance(error, sqlite3.DatabaseError) and is_damage(error):
            raise _damaged(database, target, str(error)) from error
        raise explain(error, target) from error
    return made._replace(removed=tuple(removed))


def newest_backup(folder: Path, stem: str) -> Path | None:
    """The newest backup of `<stem>.db` in a folder, or None."""
    names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    found = max((name for name in names if instant_of(name, stem)), default=None)
    return folder / found if found else None


def _sweep(folder: Path, stem: str) -> None:
    """Remove what a killed backup left under its temporary name."""
    endings = "|".join(ENDINGS)
    left = re.compile(rf"{re.escape(stem)}-(captures-)?{INSTANT}\.db\.part({endings})?", re.ASCII)
    for path in folder.iterdir():
        if left.fullmatch(path.name):
            path.unlink()


def _make(database: Path, folder: Path, now: datetime, with_captures: bool) -> Backup:
    path = _free_name(folder, database.stem, now)
    captures = folder / f"{database.stem}-captures-{path.stem[len(database.stem) + 1 :]}.db"
    part, captures_part = Path(f"{path}.part"), Path(f"{captures}.part")
    standing = False
    with _snapshots(database, with_captures) as (history, bodies):
        try:
            copy(history, part)
            _compare(history, part, database, folder)
            if bodies:
                copy(bodies, captures_part)
                _compare(bodies, captures_part, captures_path(database), folder)
            made = Backup(path, captures if bodies else None, *_said(part, captures_part if bodies else None), ())
            if bodies:  # first, so that a history under a good name never lacks its captures
                captures_part.replace(captures)
            copy_key(path_of(database), path_of(path))  # before the history too: without it, nobody is met again
            sync(folder)
            part.replace(path)
            standing = True
            sync(folder)
        finally:
            discard(part)
            discard(captures_part)
            if not standing:
                captures.unlink(missing_ok=True)
                path_of(path).unlink(missing_ok=True)
    return made


def _free_name(folder: Path, stem: str, at: datetime) -> Path:
    while (path := folder / f"{stem}-{instant_text(at)}.db").exists():
        at += timedelta(seconds=1)
    return path


@contextlib.contextmanager
def _snapshots(database: Path, with_captures: bool) -> Iterator[tuple[sqlite3.Connection, sqlite3.Connection | None]]:
    """Read transactions on the history and its captures that see both at the same instant."""
    captures = captures_path(database)
    with contextlib.ExitStack() as stack:
        with held(database):
            history = stack.enter_context(reading(database))
            if history.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
                raise StoreError(f"{database} is no history of Monitor's: set [store] path to the right file.", 65)
            bodies = stack.enter_context(reading(captures)) if with_captures and captures.exists() else None
        yield history, bodies


def _said(part: Path, captures: Path | None) -> tuple[int, int]:
    """The readings in a copy, and how many captures are missing from the copy of its captures."""
    with reading(part) as conn:
        return conn.execute("select count(*) from readings").fetchone()[0], missing(conn, captures) if captures else 0


def _compare(source: sqlite3.Connection, copied: Path, path: Path, folder: Path) -> None:
    """Raise unless the copy is sound and has every row. The source is still in the transaction that was copied."""
    if problem := damage(copied):
        raise _damaged(path, folder, problem)
    with reading(copied) as conn:
        there, here = _counts(source), _counts(conn)
    if there != here:
        raise StoreError(f"The copy of {path} in {folder} came out unlike it: check that disk; no backup was made.", 74)


def _counts(conn: sqlite3.Connection) -> dict[str, int]:
    names = [name for (name,) in conn.execute("select name from sqlite_master where type = 'table'")]
    return {name: conn.execute(f"select count(*) from [{name}]").fetchone()[0] for name in names}  # noqa: S608


def _damaged(path: Path, folder: Path, what: str) -> StoreError:
    newest = newest_backup(folder, path.stem)
    if path.stem.endswith("-captures"):
        step = "back up the numbers alone with `monitor backup --without-captures`"
    elif newest:
        step = f"put the newest one back with `monitor restore {newest}`"
    else:
        step = "copy it away before anything else"
    return StoreError(f"{path} is damaged ({what}): no backup was made of it; {step}.", 65)
