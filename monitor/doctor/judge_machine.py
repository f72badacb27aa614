"""Facts about the program, the machine and who is at work into findings. Pure.

Instants are aware UTC datetimes, sizes are bytes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import PurePath

from monitor.doctor.finding import Finding, fine, look, size, span, wrong

RELEASED = date(2026, 11, 23)  # of this version: no clock that is right shows an earlier day
SKEW = timedelta(minutes=1)  # time daemons step a clock back by seconds every so often
SILENT = timedelta(minutes=2)  # eight heartbeats
FRESH = timedelta(minutes=1)  # a process younger than this may not have given its first sign
DISK_WRONG, DISK_LOW = 50 * 10**6, 200 * 10**6
OLDEST_SQLITE = (3, 38, 0)  # STRICT tables came with 3.37, the operator ->> with 3.38
_BACK_PORTS = {(3, 44): 6, (3, 50): 7}

UNSAFE_FILE_SYSTEMS = frozenset(
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "davfs", "ncpfs", "vboxsf"]
    + [f"fuse.{name}" for name in ("sshfs", "rclone", "s3fs", "gcsfuse", "davfs2", "glusterfs", "gvfsd-fuse")]
)
"""Where file locks or shared memory do not hold between machines, which SQLite's WAL needs (sqlite.org/wal.html)."""


# --- the program and its libraries ---------------------------------------------------------------------------------


def sqlite(version: tuple[int, ...], options: Collection[str]) -> Iterator[Finding]:
    """SQLite's version, its known bug with write-ahead logs, and the compile options that matter."""
    shown = ".".join(map(str, version))
    update = "install Python with a newer SQLite"
    if version < OLDEST_SQLITE:
        yield wrong("sqlite", f"{shown} is older than 3.38, which Monitor needs", update)
    elif has_wal_reset_bug(version):
        said = f"{shown} has the WAL-reset bug, and Monitor's single lock keeps clear of it"
        yield fine("sqlite", said, "let no other program write or checkpoint this file (sqlite.org/wal.html)")
    else:
        yield fine("sqlite", f"{shown}, without the WAL-reset bug")
    if "ENABLE_FTS5" not in options:
        yield wrong("sqlite options", "full-text search (FTS5) is missing", "install Python with an SQLite that has it")
    elif "THREADSAFE=0" in options:
        yield wrong("sqlite options", "it is built without threads", "install Python with an SQLite that has them")
    else:
        threads = next((option for option in options if option.startswith("THREADSAFE")), "")
        yield fine("sqlite options", ", ".join(filter(None, ("ENABLE_FTS5", threads))))


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether two connections that write and checkpoint at one instant can damage a file (3.7.0 to 3.51.2)."""
    fixed = _BACK_PORTS.get((version[0], version[1]))
    return (3, 7, 0) <= version < (3, 51, 3) and not (fixed is not None and version[2] >= fixed)


def libraries(
    python: tuple[int, ...], wanted: Iterable[str], installed: Mapping[str, str], told: Collection[str]
) -> Iterator[Finding]:
    """Python's and the libraries' versions against the package's own requirements ("datasette<2,>=0.65.5").

    Those that fit are told together, only the ones in `told` by name.
    """
    shown = ".".join(map(str, python[:3]))
    if python < (3, 11):
        yield wrong("python", f"{shown} is too old", "install Python 3.11 or newer")
    good = [f"Python {shown}"]
    for line in wanted:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0].lower()
        version = installed.get(name, "")
        if not version:
            yield wrong("libraries", f"{name} is not installed", f'pip install "{line}"')
        elif not fits(version, line):
            yield wrong("libraries", f"{name} is {version}, and Monitor needs {line}", f'pip install "{line}"')
        elif name == "datasette" and numbers(version) >= (1,):
            step = 'pip install "datasette<1", unless the pages are as they should be'
            yield look("libraries", f"datasette {version} is newer than the 0.65 that Monitor is tested on", step)
        elif name in told:
            good.append(f"{name} {version}")
    yield fine("versions", ", ".join(good))


def fits(version: str, requirement: str) -> bool:
    """Whether a version is within a requirement's bounds (>=, < and == are known; a pre-release is its number).

    >>> fits("3.11.3", "apscheduler<4,>=3.11.2"), fits("3.10.4", "apscheduler<4,>=3.11.2")
    (True, False)
    """
    have = numbers(version)
    for sign, bound in re.findall(r"(>=|==|<)\s*([\d.]+)", requirement):
        limit = numbers(bound)
        if (sign == ">=" and have < limit) or (sign == "<" and have >= limit) or (sign == "==" and have != limit):
            return False
    return True


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version, without zeros at the end."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    parts = [int(part) for part in found[0].split(".")] if found else []
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


# --- the machine ---------------------------------------------------------------------------------------------------


def disk(folder: str, free: int) -> Finding:
    """Whether there is room for the history."""
    said = f"{size(free)} free at {folder}"
    if free < DISK_WRONG:
        return wrong("disk", said, "make room now: with a full disk no reading can be stored")
    if free < DISK_LOW:
        return look("disk", said, "make room; `monitor prune` lets old kept pages go")
    return fine("disk", said)


def file_system(path: PurePath, mounts: str) -> Finding:
    """Whether locks and write-ahead logs work where the history is; `mounts` is the text of /proc/mounts."""
    kind = ""
    longest = -1
    for line in mounts.splitlines():
        parts = line.split()
        if len(parts) < 3:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), parts[1])
        if path.is_relative_to(point) and len(point) >= longest:
            longest, kind = len(point), parts[2]
    if kind in UNSAFE_FILE_SYSTEMS:
        step = "set [store] path to a local disk; a history on a network share gets damaged"
        return wrong("file system", f"{path} is on {kind}, where locks and write-ahead logs do not work", step)
    return fine("file system", kind or "not known on this system")


def clock(now: datetime, newest: datetime | None) -> Finding:
    """Whether the clock can be right; `newest` is the newest instant in the history."""
    shown = f"{now:%Y-%m-%d %H:%M} UTC"
    if now.date() < RELEASED - timedelta(days=1):
        return wrong("clock", f"it says {shown}, before this version was made", "set the clock: timedatectl set-ntp on")
    if newest and newest > now + SKEW:
        said = f"it says {shown}, but the history reaches to {newest:%Y-%m-%d %H:%M}"
        return look("clock", said, "set it if it is wrong now; if it was wrong then, those readings serve no slot")
    return fine("clock", shown)


def zones(owners: str, unknown: Collection[str], system: str, package: str) -> Finding:
    """Whether local days can be told; `system` and `package` are the versions of the two places of the data."""
    if unknown:
        said = f"no time-zone data for {', '.join(sorted(unknown))}"
        return wrong("time zones", said, "pip install --upgrade tzdata, or install your system's tzdata package")
    places = [f"system {system}" if system else "", f"package tzdata {package}" if package else ""]
    said = f"{owners} loads ({', '.join(filter(None, places)) or 'version not known'})"
    return fine("time zones", said)


@dataclass(frozen=True, slots=True)
class Node:
    """A file or folder: its path as told, permission bits and the user it belongs to."""

    path: str
    mode: int
    uid: int


def private(what: str, nodes: Iterable[Node], me: int) -> Iterator[Finding]:
    """Whether files are this user's alone."""
    good = []
    for node in nodes:
        if node.mode & 0o077:
            said = f"{node.path} may be read by other users (mode {node.mode & 0o777:04o})"
            yield look(what, said, f"chmod 600 {node.path}")
        elif me and node.uid != me:
            yield look(what, f"{node.path} belongs to another user ({node.uid})", f"chown {me} {node.path}")
        else:
            good.append(PurePath(node.path).name)
    if good:
        yield fine(what, f"{', '.join(good)}: the owner's alone")


def open_to_all(what: str, nodes: Iterable[Node]) -> Iterator[Finding]:
    """What every user of this machine may write to."""
    for node in nodes:
        if node.mode & 0o002:
            yield look(what, f"every user may write to {node.path}", f"chmod o-w {node.path}")


# --- who is at work ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AtWork:
    """Who runs: the process that holds the run lock (0: held, by an unknown one) with its age, and the last heartbeat.

    `writer` is the process that held the writer's lock each time it was looked at.
    """

    holder: int | None = None
    age: timedelta | None = None
    beat_pid: int | None = None
    beat_alive: bool = False
    beat_at: datetime | None = None
    writer: int | None = None


def at_work(facts: AtWork, now: datetime) -> Iterator[Finding]:
    """Whether `monitor run` is at work, and whether it still gives signs of life."""
    ago = now - facts.beat_at if facts.beat_at else None
    last = f"last sign of life {span(ago)} ago" if ago is not None else "no sign of life ever"
    if facts.holder is None:
        stray = f"; process {facts.beat_pid} lives, but holds no lock" if facts.beat_alive else ""
        yield look("run", f"no monitor is running, {last}{stray}", "start it: monitor run")
    else:
        who = f"process {facts.holder}" if facts.holder else "a process that cannot be seen from here"
        young = facts.age is not None and facts.age < FRESH
        mine = facts.holder in (0, facts.beat_pid)
        if young and not mine:
            yield fine("run", f"{who} has just started")
        elif mine and ago is not None and ago <= SILENT:
            yield fine("run", f"{who} is at work, {last}")
        else:
            yield look("run", f"{who} holds the lock, but is silent: {last}", "stop it (kill it if need be), then run")
    if facts.writer is not None:
        who = f"process {facts.writer}" if facts.writer else "a process that cannot be seen from here"
        said = f"{who} has been holding the writer's lock, so nothing can be stored"
        yield look("writer", said, "look whether it is stopped (ps shows T; kill -CONT wakes it), else end it")
