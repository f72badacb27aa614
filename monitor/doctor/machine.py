"""What the machine says: who is at work, room, kind of file system, permissions, time zones, versions."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import sqlite3
import sys
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from monitor.config import Settings
from monitor.doctor import judge_machine as judge
from monitor.doctor.finding import Finding
from monitor.doctor.history import History, captures_of
from monitor.doctor.judge_machine import AtWork, Node
from monitor.fetch.secrets import resolve
from monitor.model import NotAsked, Secret
from monitor.store.lock import holder_of, is_taken
from monitor.times import from_text

TOLD = ("apscheduler", "datasette", "sqlite-utils")
LOOKS = 10  # at the writer's lock, before it counts as held for good
BETWEEN_LOOKS = 0.1


# --- versions ------------------------------------------------------------------------------------------------------


def versions() -> Iterator[Finding]:
    """SQLite's, Python's and the libraries' versions."""
    with closing(sqlite3.connect(":memory:")) as conn:
        options = [option for (option,) in conn.execute("pragma compile_options").fetchall()]
    yield from judge.sqlite(sqlite3.sqlite_version_info, options)
    try:
        wanted = importlib.metadata.requires("presence-monitor") or []
    except importlib.metadata.PackageNotFoundError:  # run from its folder
        wanted = []
    wanted = [line for line in wanted if ";" not in line]  # no extras
    installed = {(one.metadata["Name"] or "").lower(): one.version for one in importlib.metadata.distributions()}
    yield from judge.libraries(sys.version_info[:3], wanted, installed, TOLD)


def zones(settings: Settings) -> Finding:
    """Whether the zones in use load, and from where."""
    unknown = set()
    for zone in {settings.owner.timezone, *(source.day_zone for source in settings.sources)}:
        try:
            zoneinfo.ZoneInfo(zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            unknown.add(zone)
    try:
        package = importlib.metadata.version("tzdata")
    except importlib.metadata.PackageNotFoundError:
        package = ""
    return judge.zones(settings.owner.timezone, unknown, _system_zones(), package)


def _system_zones() -> str:
    for folder in zoneinfo.TZPATH:
        data = Path(folder, "tzdata.zi")
        if data.is_file():
            first, _, _ = data.read_text(encoding="utf-8", errors="replace").partition("\n")
            return first.removeprefix("# version ") if first.startswith("# version ") else "of unknown version"
        if Path(folder, "UTC").exists():
            return "of unknown version"
    return ""


# --- disk and permissions ------------------------------------------------------------------------------------------


def room(path: Path) -> Iterator[Finding]:
    """Free room and the kind of file system where the history is, or will be."""
    folder = path.parent.resolve()
    while not folder.exists():
        folder = folder.parent
    info = os.statvfs(folder)
    yield judge.disk(str(folder), info.f_bavail * info.f_frsize)
    mounts = Path("/proc/mounts")
    yield judge.file_system(folder, mounts.read_text(errors="replace") if mounts.exists() else "")


def permissions(settings: Settings, secrets: frozenset[Secret]) -> Iterator[Finding]:
    """Whether keys in files and the history are the owner's alone, and no other user may change what is read."""
    me = os.geteuid()
    keys = _nodes(settings.base / secret.file for secret in secrets if secret.file)
    yield from judge.private("key files", keys, me)
    files = [
        Path(f"{file}{ending}")
        for file in (settings.database, captures_of(settings.database))
        for ending in ("", "-wal", "-shm")
    ]
    yield from judge.private("permissions", _nodes(files), me)
    yield from judge.open_to_all("permissions", _nodes([settings.database.parent, settings.path]))


def _nodes(paths: Iterator[Path] | list[Path]) -> Iterator[Node]:
    for path in sorted(set(paths)):
        try:
            info = path.stat()
        except OSError:
            continue  # not there: told where it matters
        yield Node(str(path), info.st_mode & 0o7777, info.st_uid)


# --- secrets -------------------------------------------------------------------------------------------------------


def secrets_of(thing: object) -> Iterator[Secret]:
    """Every secret that a config names, wherever it stands in it."""
    if isinstance(thing, Secret):
        yield thing
    elif isinstance(thing, BaseModel):
        yield from secrets_of([getattr(thing, name) for name in type(thing).model_fields])
    elif dataclasses.is_dataclass(thing):
        yield from secrets_of([getattr(thing, field.name) for field in dataclasses.fields(thing)])
    elif isinstance(thing, Mapping):
        yield from secrets_of(list(thing.values()))
    elif isinstance(thing, (list, tuple, set, frozenset)):
        for part in thing:
            yield from secrets_of(part)


def values_of(secrets: frozenset[Secret], base: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """The values of those secrets that can be had, for taking them out of what is said."""
    for secret in secrets:
        try:
            value = resolve(secret, base, environ)
        except NotAsked:
            continue
        yield value
        yield value[len(secret.prefix) :]


# --- who is at work ------------------------------------------------------------------------------------------------


def at_work(history: History, now: datetime, sleep: Callable[[float], None]) -> AtWork:
    """Who holds the run lock and the writer's lock, and the last heartbeat."""
    beat = history.rows("select pid, beat_at from heartbeat where id = 1")
    pid, at = (int(beat[0][0]), from_text(beat[0][1])) if beat else (None, None)
    run = history.path.with_name(f"{history.path.name}.run.lock")
    holder = holder_of(run)
    if holder is None and at and now - at < judge.SILENT and is_taken(run):
        holder = 0
    return AtWork(
        holder=holder,
        age=_age(holder) if holder else None,
        beat_pid=pid,
        beat_alive=pid is not None and _lives(pid),
        beat_at=at,
        writer=_writer(history.path.with_name(f"{history.path.name}.lock"), sleep),
    )


def _writer(lock: Path, sleep: Callable[[float], None]) -> int | None:
    holder = None
    for look in range(LOOKS):
        if look:
            sleep(BETWEEN_LOOKS)
        now = holder_of(lock)
        if now is None or (look and now != holder):
            return None
        holder = now
    return holder


def _age(pid: int, proc: Path = Path("/proc")) -> timedelta | None:
    """How long a process has lived, by ticks since boot, which no clock jump changes (proc(5), field 22 of stat)."""
    try:
        _, _, fields = (proc / str(pid) / "stat").read_text().rpartition(")")
        uptime = float((proc / "uptime").read_text().split()[0])
        return timedelta(seconds=uptime - int(fields.split()[19]) / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
