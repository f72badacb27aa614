"""Mails of a Maildir, read on from the newest change seen; nothing is moved, renamed or made in it.

A mail is a file that is written once and then only renamed, which changes its ctime (and not its mtime): from `new` to
`cur`, or when a flag changes. So each file whose ctime is newer than the last one seen is read, and a mail known
already does not count twice. Clocks and file systems are not exact to the nanosecond: the last minute before is
looked at again, by names alone, and read again only if another file has come into it, or one has gone.
"""

from __future__ import annotations

import glob
import hashlib
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from monitor.fetch.mail_folders import is_out_name, is_sent_name
from monitor.fetch.mail_limits import BATCH_BYTES, MAIL_BYTES, MOST, maybe_since, shown
from monitor.model import Capture, FetchFailed, Mail, MailBatch, MailCursor

OVERLAP = 60 * 10**9  # nanoseconds
_PIECE = 65_536


class _File(NamedTuple):
    """A mail's file: when it last changed, its name without flags, where it is, and when it was written."""

    changed: int
    unique: str
    path: str
    written: int


def read(request: Mail, pattern: str, base: Path, now: float) -> Iterator[MailBatch]:
    """The new mails of the Maildirs that a pattern names, and of the folders inside them (".Sent"), sent mail first.

    Drafts, junk and trash inside them are left alone unless the pattern names them. Raises FetchFailed at the end:
    `no_mailbox` where there is none, `no_permission` for what may not be read.
    """
    cursors = {cursor.folder: cursor for cursor in request.cursors}
    closed: list[str] = []
    for path in _folders(pattern, base):
        name = shown(os.path.relpath(path, base) if Path(path).is_relative_to(base) else path)
        yield from _batches(request, name, _listing(path, name, closed), cursors.get(name), now, closed)
    if closed:
        more = f" and {len(closed) - 1} more" if len(closed) > 1 else ""
        raise FetchFailed("no_permission", closed[0] + more)


def _folders(pattern: str, base: Path) -> list[str]:
    whole = os.path.join(glob.escape(str(base)), os.path.expanduser(pattern))
    roots = [path for path in sorted(glob.glob(whole)) if _is_maildir(path)]
    if not roots:
        raise FetchFailed("no_mailbox", pattern)
    found = dict.fromkeys(roots)
    for root in roots:
        inner = sorted(one.path for one in os.scandir(root) if one.name.startswith(".") and _is_maildir(one.path))
        found |= dict.fromkeys(path for path in inner if not any(is_out_name(part) for part in _parts(path)))
    return sorted(found, key=lambda path: not is_sent_name(_parts(path)[-1]))


def _is_maildir(path: str) -> bool:
    return os.path.isdir(os.path.join(path, "cur")) or os.path.isdir(os.path.join(path, "new"))


def _parts(path: str) -> list[str]:
    """The names a Maildir++ folder is made of: ".Archive.Sent" is Sent inside Archive."""
    return os.path.basename(path).lstrip(".").split(".")


def _listing(path: str, name: str, closed: list[str]) -> list[_File]:
    """The mails of a folder, the oldest change first. One that is renamed meanwhile may be missed: it is newer then."""
    found = {}
    for part in ("new", "cur"):
        try:
            with os.scandir(os.path.join(path, part)) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    try:
                        info = entry.stat()
                    except OSError:
                        continue  # gone since it was listed
                    if stat.S_ISREG(info.st_mode):
                        unique = entry.name.partition(":")[0]
                        found[unique] = _File(info.st_ctime_ns, unique, entry.path, info.st_mtime_ns)
        except FileNotFoundError:
            continue
        except PermissionError:
            closed.append(f"{name}/{part}")
    return sorted(found.values())


def _batches(
    request: Mail, name: str, files: list[_File], before: MailCursor | None, now: float, closed: list[str]
) -> Iterator[MailBatch]:
    n = _left_at(files, before, now)
    while n < len(files):
        mails: list[Capture] = []
        size, first = 0, n
        while n < len(files) and len(mails) < MOST and size < BATCH_BYTES and n - first < 50 * MOST:
            body = _mail(request, files[n], name, closed)
            if body:
                place = f"{name} {shown(files[n].unique)}"
                mails.append(Capture(body, "message/rfc822", place=place, headers={"received": _iso(files[n])}))
                size += len(body)
            n += 1
        after = MailCursor(name, _edge(files, n), files[n - 1].changed)
        yield MailBatch(tuple(mails), before, after, f"{name}: {n - first} files to {shown(files[n - 1].unique)}")
        before = after


def _left_at(files: list[_File], before: MailCursor | None, now: float) -> int:
    """How many of the files are read already: those up to the place where the names at the edge are the same.

    A change seen that has not come yet was seen while the clock was wrong: all is read again.
    """
    if before is None or before.position > now * 1e9 + OVERLAP:
        return 0
    low = next((n for n, one in enumerate(files) if one.changed >= before.position - OVERLAP), len(files))
    digest = hashlib.sha256()
    for n in range(low, len(files)):
        if files[n].changed > before.position:
            break
        digest.update(os.fsencode(files[n].unique) + b"\n")
        if files[n].changed == before.position and digest.hexdigest()[:32] == before.validity:
            return n + 1
    return low


def _edge(files: list[_File], n: int) -> str:
    """A hash of the names among the first n files that changed within a minute of the last of them."""
    last = files[n - 1].changed
    names = [os.fsencode(one.unique) + b"\n" for one in files[:n] if one.changed >= last - OVERLAP]
    return hashlib.sha256(b"".join(names)).hexdigest()[:32]


def _mail(request: Mail, file: _File, name: str, closed: list[str]) -> bytes:
    """The headers of a mail, with its text where that is wanted; nothing of one that is old, gone or unreadable."""
    if request.since and not maybe_since(_written(file), request.since):
        return b""
    try:
        fd = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""  # renamed or deleted since: a renamed one is newer now, and read the next time
    except OSError:
        closed.append(f"{name}/{shown(file.unique)}")
        return b""
    with open(fd, "rb") as content:
        try:
            start = content.read(_PIECE)
            headers = start[: _end_of_headers(start)]
            if not headers or not request.wants(headers):
                return headers
            return start + content.read(MAIL_BYTES - len(start))
        except OSError:
            closed.append(f"{name}/{shown(file.unique)}")
            return b""


def _written(file: _File) -> datetime:
    return datetime.fromtimestamp(file.written / 1e9, UTC)


def _iso(file: _File) -> str:
    return _written(file).isoformat(timespec="seconds")


def _end_of_headers(start: bytes) -> int:
    ends = [at + len(blank) for blank in (b"\n\n", b"\n\r\n") if (at := start.find(blank)) >= 0]
    return min(ends, default=len(start))
