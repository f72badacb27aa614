"""Log files, read on from where each was left: every line once, whatever the rotation did meanwhile.

A file is known by its content: the hash of the first 1,024 bytes consumed and of the last 256 before the offset, both
of the unpacked text. So a rename, a copy, a gzip or a new inode changes nothing (Filebeat went the same way in 9.0
after inode reuse had lost and doubled lines: beats #1341, #36541, #40197). Name and inode are for people and for ties.

- Whole lines only. A half line at the end waits, and is given once the file is finished: a whole packed file, or a
  rotated file that stood unchanged between two reads while a younger one has lines.
- Of two files with the same content the longer is read, a plain one before a packed one, and the other is left alone.
- A log that cannot be found any more, or that has another end than the one read (a power cut), is a `LogGap`, told
  once.
- A damaged packed file gives the lines before the damage at once. It may be one still being written, so only when it
  stands unchanged at the next read is it given up: with a gap, and `damaged_file` after all other files were read.
- A file that may not be read is told after the others were read; until it can be, no log counts as vanished.

No reader can save lines written between copytruncate's copy and its truncation, or files deleted before they are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from monitor.fetch.rotation import Content, Found, listing, opened
from monitor.fetch.unpack import ENDINGS
from monitor.model import Batch, Capture, FetchFailed, Files, LogCursor, LogGap

HEAD, TAIL = 1024, 256


def read(request: Files, base: Path, *, max_bytes: int = 2**21) -> Iterator[Batch]:
    """Read what is new, in batches of whole lines of at most `max_bytes` (at least 1,024), oldest file first.

    The caller stores each batch, numbers and cursor in one transaction, before it takes the next, and passes the stored
    cursors with the next request. `before` is the cursor a batch was read from, None for the first of a new file; for
    the next batch of that file it is the `after` of the one before, still without `id`. A batch with an empty body
    moves only the cursor: a file was renamed, packed, finished, or has vanished (`gaps`). It is to be stored as well.

    Of a line longer than a batch only the end is given, so that memory stays bounded.

    Raises FetchFailed, at the end: `no_file`, `no_permission`, `damaged_file`, `truncated` (the disk failed).
    """
    work, lost, failures = _plan(request, base)
    for cursor in lost:
        yield _vanished(cursor)
    for one in work:
        try:
            with opened(one.file) as content:
                if content is not None:
                    yield from _batches(one, content, max(max_bytes, HEAD))
        except FetchFailed as failed:
            failures.append(failed)
    if failures:
        raise failures[0]


# --- which file is which -------------------------------------------------------------------------------------------


class _Work(NamedTuple):
    """A file to read, the cursor that knows it, and whether its end is not the one that was read."""

    file: Found
    cursor: LogCursor | None
    torn: bool = False


_Plan = tuple[list[_Work], list[LogCursor], list[FetchFailed]]


def _plan(request: Files, base: Path) -> _Plan:
    """Match files to cursors. A log counts as lost only if it is missing while no file was being moved."""
    files = listing(request.pattern, base)
    for _ in range(3):
        work, lost, failures = _match(files, request.cursors)
        if failures or not lost:
            break
        again = listing(request.pattern, base)
        if _stood_still(files, again):
            return work, lost, failures
        files = again
    return work, [], failures


def _stood_still(files: tuple[Found, ...], again: tuple[Found, ...]) -> bool:
    sizes = {(one.name, one.dev, one.ino): one.size for one in files}
    later = {(one.name, one.dev, one.ino): one.size for one in again}
    return sizes.keys() == later.keys() and all(later[key] >= size for key, size in sizes.items())


def _match(files: tuple[Found, ...], cursors: tuple[LogCursor, ...]) -> _Plan:
    """Give each file its cursor: a finished one by one stat, else by content; the rest are new, or copies."""
    work: list[_Work] = []
    claimed: dict[LogCursor, Found] = {}
    finished = {(one.dev, one.ino, one.size, one.mtime_ns): one for one in cursors if one.done}
    pairs: list[tuple[tuple[int, ...], Found, LogCursor]] = []
    heads: dict[Found, bytes] = {}
    failures: list[FetchFailed] = []
    for file in files:
        if cursor := finished.get((file.dev, file.ino, file.size, file.mtime_ns)):
            claimed[cursor] = file
        elif file.size:
            try:
                with opened(file) as content:
                    if content is None:
                        continue
                    known = list(_known(file, content, cursors))
                    pairs += known
                    if not known:
                        heads[file] = content.head(HEAD)
            except FetchFailed as failed:
                failures.append(failed)
    placed: set[Found] = set()
    for rank, file, cursor in sorted(pairs, key=lambda pair: pair[0], reverse=True):
        if rank[0] and cursor not in claimed and file not in placed:
            claimed[cursor] = file
            placed.add(file)
            work.append(_Work(file, cursor, torn=rank[0] == 1))
    blank = {(one.dev, one.ino): one for one in cursors if not one.offset}  # seen before, but nothing consumed
    work += [_Work(file, blank.get((file.dev, file.ino))) for file in _originals(heads, files)]
    order = {file: n for n, file in enumerate(files)}
    work.sort(key=lambda one: order[one.file])
    lost = [one for one in cursors if one not in claimed and not one.done and one.offset]
    return work, lost, failures


def _known(
    file: Found, content: Content, cursors: tuple[LogCursor, ...]
) -> Iterator[tuple[tuple[int, ...], Found, LogCursor]]:
    """The cursors whose consumed part this file begins with, ranked: same end, longest, plain, the same inode.

    A full head (1,024 bytes) with another end is still that log, after a power failure say: rank 1. A shorter file is
    that too if the inode is the same; else it is a copy, whole or still arriving: rank 0, and left alone.
    """
    head = content.head(HEAD)
    for cursor in cursors:
        if not cursor.offset or len(head) < cursor.head_len or _hash(head[: cursor.head_len]) != cursor.head_hash:
            continue
        before = content.begin(cursor.offset)
        whole = content.reached == cursor.offset
        same = whole and _hash(before[-TAIL:]) == cursor.tail_hash
        if same or cursor.head_len == HEAD:
            torn = whole or (not content.packed and cursor.ino == file.ino)
            here = (cursor.dev, cursor.ino) == (file.dev, file.ino)
            yield (2 if same else int(torn), cursor.offset, not content.packed, file.size, here), file, cursor


def _originals(heads: dict[Found, bytes], files: tuple[Found, ...]) -> Iterator[Found]:
    """The new files that are no copy of another: no longer or better file begins with the same bytes.

    Among the known files only the longer ones of a short new one are in question: the rest were matched by content.
    """
    others = dict(heads)
    if any(0 < len(head) < HEAD for head in heads.values()):
        others |= {file: _head_of(file) for file in files if file not in heads}
    rank = {
        file: (file not in heads, not file.name.endswith(ENDINGS), file.size, file.live, -len(file.name), file.name)
        for file in others
    }
    for file, head in heads.items():
        for other, start in others.items():
            longer = len(start) > len(head) or rank[other] > rank[file]
            if head and other is not file and start.startswith(head) and longer:
                break
        else:
            yield file


def _head_of(file: Found) -> bytes:
    try:
        with opened(file) as content:
            return content.head(HEAD) if content else b""
    except FetchFailed:
        return b""  # told already, when it was matched


# --- reading one file ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Place:
    """How far a file is consumed, with the bytes that will know it again."""

    file: Found
    before: LogCursor | None
    offset: int = 0
    head: bytes = b""
    tail: bytes = b""
    gaps: tuple[LogGap, ...] = ()

    def see(self, chunk: bytes) -> None:
        """Keep the first bytes of the file as they come by."""
        if len(self.head) < HEAD:
            self.head += chunk[: HEAD - len(self.head)]

    def move(self, body: bytes, dropped: int = 0, done: bool = False) -> Batch:
        """The batch that consumes `dropped` bytes and `body`."""
        start, file = self.offset, self.file
        self.offset += dropped + len(body)
        self.tail = (self.tail + body[-TAIL:])[-TAIL:]
        head = self.head[: self.offset]
        after = LogCursor(
            name=file.name,
            dev=file.dev,
            ino=file.ino,
            size=file.size,
            mtime_ns=file.mtime_ns,
            offset=self.offset,
            head_len=len(head),
            head_hash=_hash(head),
            tail_hash=_hash(self.tail),
            done=done,
            id=self.before.id if self.before else None,
        )
        place = f"{file.name} {start}-{self.offset}"
        batch = Batch(
            Capture(body, media_type="text/plain", asked=file.name, place=place, head=self.head),
            self.before,
            after,
            self.gaps,
        )
        self.before, self.gaps = after, ()
        return batch


def _batches(work: _Work, content: Content, max_bytes: int) -> Iterator[Batch]:
    """The batches of one file. Raises FetchFailed (`damaged_file`) after the last of a file that is given up."""
    place = _begin(work, content)
    if place is None:
        return  # another content since it was matched: the next read sorts it out
    lines, dropped, keep = bytearray(), 0, min(max_bytes // 2, 64 * 1024)
    for chunk in content.rest():
        place.see(chunk)
        lines += chunk
        while len(lines) >= max_bytes:
            end = lines.rfind(b"\n", 0, max_bytes) + 1
            if not end:
                del lines[: max_bytes - keep]
                dropped += max_bytes - keep
                continue
            if not content.intact(place.head, place.offset + dropped + end):
                return
            body = bytes(memoryview(lines)[:end])
            del lines[:end]  # before the batch is worked on: it is in memory once
            yield place.move(body, dropped)
            dropped = 0
    yield from _last(work, content, place, lines, dropped)


def _last(work: _Work, content: Content, place: _Place, lines: bytearray, dropped: int) -> Iterator[Batch]:
    """What is left at the end of a file: the last whole lines, and its half line if the file is finished."""
    file, unchanged = work.file, work.file.unchanged(work.cursor)
    finished = content.whole if content.packed else file.settled and unchanged
    given_up = not content.whole and unchanged
    end = len(lines) if finished else lines.rfind(b"\n") + 1
    if not content.whole and place.offset + len(lines) < HEAD:
        end = 0  # too short to be told from the copy of a known file
    if not content.intact(place.head, place.offset + (dropped + end if end else 0)):
        return
    if given_up and work.cursor and work.cursor.id is not None:
        place.gaps += (LogGap(file.name, place.offset + end, work.cursor.id),)
    before = place.before
    batch = place.move(bytes(lines[:end]), dropped if end else 0, done=finished or given_up)
    waits = not file.live or content.packed  # a rotated file without a line yet is remembered, to see it unchanged
    if batch.after != before and (before or end or waits):
        yield batch
    if given_up:
        raise FetchFailed("damaged_file", file.name)


def _begin(work: _Work, content: Content) -> _Place | None:
    """Go to where the file was left; None when its content is another than the cursor's after all."""
    file, cursor, torn = work
    if cursor is None or not cursor.offset:
        content.begin(0)
        return _Place(file, cursor)
    before, start = content.begin(cursor.offset), cursor.offset
    gaps: tuple[LogGap, ...] = ()
    if torn:
        whole = before.rfind(b"\n") + 1 or len(before)
        start = content.reached - len(before) + whole
        before = content.begin(start)
        gaps = (LogGap(cursor.name, start, cursor.id),) if cursor.id is not None else ()
    head = content.head(min(HEAD, start))
    same = content.reached == start and _hash(head[: cursor.head_len]) == cursor.head_hash
    if not torn and not (same and _hash(before[-TAIL:]) == cursor.tail_hash):
        return None
    return _Place(file, cursor, start, head, before[-TAIL:], gaps)


def _vanished(cursor: LogCursor) -> Batch:
    gaps = (LogGap(cursor.name, cursor.offset, cursor.id),) if cursor.id is not None else ()
    place = f"{cursor.name} {cursor.offset}-{cursor.offset}"
    after = replace(cursor, done=True, size=cursor.offset)  # should it come back unread to its end, it is no stranger
    return Batch(Capture(b"", asked=cursor.name, place=place), cursor, after, gaps)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
