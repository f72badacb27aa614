"""The log files a pattern names, in order of age, and what stands in them, unpacked."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from monitor.fetch.unpack import CHUNK, ENDINGS, PACKED, Damaged, PackageMissing, unpacked
from monitor.model import FetchFailed, LogCursor

_AGE = re.compile(r"(?:\.(?:gz|xz|zst|bz2|bak|backup|old|save|orig)|[.-]\d+(?:[-_.T]?\d+)*)+\Z")
_DATE = re.compile(r"\d{4}[-_.]?\d\d[-_.]?\d\d(?:[-_.T]?\d\d)*")


@dataclass(frozen=True, slots=True)
class Found:
    """A log file as listed. `live` is the youngest of its log; `settled` a rotated one whose server has moved on."""

    path: str
    name: str
    dev: int
    ino: int
    size: int
    mtime_ns: int
    live: bool = False
    settled: bool = False

    def unchanged(self, cursor: LogCursor | None) -> bool:
        """Whether size and time are those of the last read (a rename keeps both)."""
        return cursor is not None and (cursor.size, cursor.mtime_ns) == (self.size, self.mtime_ns)

    def is_at(self, cursor: LogCursor) -> bool:
        """Whether this is the very file of the last read, unchanged: one stat, no opening."""
        return (cursor.dev, cursor.ino) == (self.dev, self.ino) and self.unchanged(cursor)


def listing(pattern: str, base: Path) -> tuple[Found, ...]:
    """The files of a pattern, oldest first and live ones last. Links are followed, each file comes once.

    Folders, pipes and sockets are left out. Raises FetchFailed: `no_file`, or `no_permission` for an unreadable folder.
    """
    whole = os.path.join(glob.escape(str(base)), os.path.expanduser(pattern))
    logs: dict[str, dict[tuple[int, int], Found]] = defaultdict(dict)
    seen: set[tuple[int, int]] = set()
    for path in sorted(glob.glob(whole)):
        try:
            info = os.stat(path)
        except PermissionError:
            raise FetchFailed("no_permission", path) from None
        except OSError:
            continue  # a link to nowhere, or gone since it was listed
        key = (info.st_dev, info.st_ino)
        if not stat.S_ISREG(info.st_mode) or key in seen:
            continue
        seen.add(key)
        name = os.path.relpath(path, base) if Path(path).is_relative_to(base) else path
        logs[_log_of(name)][key] = Found(path, name, *key, info.st_size, info.st_mtime_ns)
    if not seen:
        raise _nothing(whole, pattern)
    found = [one for log, files in logs.items() for one in _aged(log, list(files.values()))]
    return tuple(sorted(found, key=lambda one: (one.live, one.mtime_ns, one.name)))


def _log_of(name: str) -> str:
    """The log a file belongs to: its name without what rotation added (`.1`, `-20261122.gz`, a date inside)."""
    return _DATE.sub("*", _AGE.sub("", name))


def _aged(log: str, files: list[Found]) -> Iterator[Found]:
    """The files of one log with `live` and `settled` set.

    The live file is the one without an age in its name, else the youngest. A server goes on writing to a rotated file
    until it reopens its log, so that is settled only when a younger file has lines.
    """
    files.sort(key=lambda one: (one.name == log, one.mtime_ns, one.name))
    for n, one in enumerate(files, 1):
        younger = [other for other in files[n:] if other.name not in [one.name + end for end in ENDINGS]]
        settled = len(younger) > 1 or any(other.size for other in younger)
        yield Found(one.path, one.name, one.dev, one.ino, one.size, one.mtime_ns, live=not younger, settled=settled)


def _nothing(whole: str, pattern: str) -> FetchFailed:
    folder = Path(whole).parent
    while glob.has_magic(str(folder)):
        folder = folder.parent
    try:
        os.scandir(folder).close()
    except PermissionError:
        return FetchFailed("no_permission", str(folder))
    except OSError:
        pass
    return FetchFailed("no_file", pattern)


class Content:
    """The bytes of an open log file, unpacked, as far as it reached when it was listed."""

    def __init__(self, fd: int, size: int) -> None:
        self._fd, self.size = fd, size
        self.packed = os.pread(fd, 6, 0).startswith(PACKED)
        self.whole = True  # False once a packed file turned out to be cut or broken
        self.reached = 0
        self._chunks = self._plain(0)

    def head(self, length: int) -> bytes:
        """The first bytes."""
        if not self.packed:
            return os.pread(self._fd, min(length, self.size), 0)
        out, whole = b"", self.whole
        for chunk in self._unpacked():
            out += chunk
            if len(out) >= length:
                break
        self.whole = whole
        return out[:length]

    def begin(self, offset: int) -> bytes:
        """Go to an offset, or to the end if that comes first; gives up to 64 KiB before it and sets `reached`."""
        start = 0 if self.packed else max(0, min(offset, self.size) - CHUNK)
        self._chunks = self._unpacked() if self.packed else self._plain(start)
        self.reached, self.whole = start, True
        before = b""
        for chunk in self._chunks:
            taken = chunk[: offset - self.reached]
            self.reached += len(taken)
            before = (before + taken)[-CHUNK:]
            if self.reached == offset:
                self._chunks = _after(chunk[len(taken) :], self._chunks)
                break
        return before

    def rest(self) -> Iterator[bytes]:
        """What follows, in chunks."""
        return self._chunks

    def intact(self, head: bytes, end: int) -> bool:
        """Whether the file still begins as it did and reaches as far: false once it was truncated under our hands."""
        return self.packed or (os.fstat(self._fd).st_size >= end and os.pread(self._fd, len(head), 0) == head)

    def _plain(self, start: int) -> Iterator[bytes]:
        while start < self.size and (chunk := os.pread(self._fd, min(CHUNK, self.size - start), start)):
            start += len(chunk)
            yield chunk

    def _unpacked(self) -> Iterator[bytes]:
        """The text, bounded; what comes before damage is given, then `whole` is False."""
        try:
            yield from unpacked(os.pread(self._fd, 6, 0), self._plain(0))
        except Damaged as damaged:
            self.whole = False
            yield damaged.rest


def _after(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from chunks


@contextmanager
def opened(file: Found) -> Iterator[Content | None]:
    """The content of a listed file; None when another file, or none, is there by now.

    Raises FetchFailed: `no_permission`, `package_missing`, or `truncated` when the disk (or the share) fails.
    """
    try:
        fd = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    except PermissionError:
        raise FetchFailed("no_permission", file.path) from None
    except OSError as error:
        raise FetchFailed("truncated", f"{file.name}: {error.strerror}") from error
    try:
        info = os.fstat(fd)
        same = (info.st_dev, info.st_ino) == (file.dev, file.ino)
        yield Content(fd, file.size) if same else None
    except PackageMissing:
        raise FetchFailed("package_missing", file.name) from None
    except OSError as error:
        raise FetchFailed("truncated", f"{file.name}: {error.strerror}") from error
    finally:
        os.close(fd)
