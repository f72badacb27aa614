"""Mails of an mbox file, read on from where it was left, in bounded memory however large file and mails are.

An mbox is mails one after the other, each after a line that begins with "From " (RFC 4155). Bodies hold such lines too,
quoted or not: the standard library splits there, and finds 22 mails in a Takeout file of 21. Here such a line begins a
mail only where a header follows it, and either a blank line stands before it or the date of delivery in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple

from monitor.fetch.mail_folders import is_sent_name
from monitor.fetch.mail_limits import BATCH_BYTES, MAIL_BYTES, MOST, QUIET, maybe_since, shown
from monitor.fetch.rotation import Content, Found, listing, opened
from monitor.model import Capture, FetchFailed, Mail, MailBatch, MailCursor

HEAD, TAIL = 1024, 256
_AHEAD = 4096  # bytes after a separator in which its line and the next must end
_SEPARATOR = b"\nFrom "
_BLANK = re.compile(rb"\r?\n\r?\Z")
_HEADER = re.compile(rb"From [^\n]*\n(?:>From [^\n]*\n)?[!-9;-~]+[ \t]*:")
_DATED = re.compile(rb"From \S.* (?:[A-Z][a-z]{2},? )?(?:[A-Z][a-z]{2} +\d+|\d+ [A-Z][a-z]{2}) .*\d{4}")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_FROM = re.compile(rb"^From[ \t]*:", re.MULTILINE | re.IGNORECASE)
_TOLD = re.compile(rb"^(?:Date|Message-ID)[ \t]*:", re.MULTILINE | re.IGNORECASE)
_DATE = re.compile(rb"^Date[ \t]*:[ \t]*([^\r\n]+)", re.MULTILINE | re.IGNORECASE)


def read(request: Mail, pattern: str, base: Path, now: float) -> Iterator[MailBatch]:
    """The new mails of the files that a pattern names; `now` is in seconds since 1970.

    A file that was written anew (its beginning, or what stands before the place it was left at, is another) is read
    from its beginning. A last mail is left for the next time while the file was changed a moment ago: it may still be
    arriving. Packed files are read as well.

    Raises FetchFailed at the end: `no_mailbox` where there is no such file or one is none, `no_permission`,
    `damaged_file`, `truncated`, `package_missing`.
    """
    cursors = {cursor.folder: cursor for cursor in request.cursors}
    failures = []
    for file in _files(pattern, base):
        try:
            with opened(file) as content:
                if content is not None:
                    yield from _batches(request, file, content, cursors.get(shown(file.name)), now)
        except FetchFailed as failed:
            failures.append(failed)
    if failures:
        raise failures[0]


def _files(pattern: str, base: Path) -> tuple[Found, ...]:
    """The files of a pattern, sent mail first."""
    try:
        found = listing(pattern, base)
    except FetchFailed as failed:
        raise (FetchFailed("no_mailbox", failed.detail) if failed.reason == "no_file" else failed) from None
    return tuple(sorted(found, key=lambda one: not is_sent_name(Path(one.name).name.partition(".")[0])))


@dataclass(frozen=True, slots=True)
class _Mark:
    """What knows a file again: its first bytes, those before the place it was left at, and the stat of a packed one."""

    head_len: int = 0
    head: str = ""
    tail: str = ""
    stat: str = ""

    def __str__(self) -> str:
        return f"{self.head_len}:{self.head}:{self.tail}:{self.stat}"

    @classmethod
    def of(cls, text: str) -> _Mark:
        parts = text.split(":")
        return cls(int(parts[0]), *parts[1:]) if len(parts) == 4 and parts[0].isdigit() else cls()


def _begin(file: Found, content: Content, before: MailCursor | None) -> tuple[int, bytes] | None:
    """Where to read on, and the bytes before it; None where a packed file is just as it was."""
    if before and before.position:
        mark = _Mark.of(before.validity)
        if content.packed and mark.stat == _stat(file):
            return None
        tail = content.begin(before.position)[-TAIL:]
        same = content.reached == before.position and _hash(tail) == mark.tail
        if same and _hash(content.head(mark.head_len)) == mark.head:
            return before.position, tail
    content.begin(0)
    return 0, b""


def _batches(
    request: Mail, file: Found, content: Content, before: MailCursor | None, now: float
) -> Iterator[MailBatch]:
    begun = _begin(file, content, before)
    if begun is None:
        return
    name, first = shown(file.name), begun[0]
    mails: list[Capture] = []
    size = skipped = 0
    quiet = abs(now - file.mtime_ns / 1e9) > QUIET
    entry: _Entry | None = None
    for found in _entries(content.rest(), *begun):
        if found.last and not (quiet and content.whole):
            break  # it may still be arriving
        if not found.begins and begun[0] == 0 and found.text.strip():
            raise FetchFailed("no_mailbox", f"{name} (it does not begin as an mbox)")
        entry = found
        mail = _mail(request, entry.text) if entry.begins else b""
        skipped += mail is None
        if mail and _is_since(mail, request.since):
            mails.append(Capture(mail, "message/rfc822", place=f"{name} {entry.start}-{entry.end}"))
            size += len(mail)
        if len(mails) >= MOST or size >= BATCH_BYTES:
            after = MailCursor(name, _mark(file, content, entry), entry.end)
            yield MailBatch(tuple(mails), before, after, f"{name} {first}-{entry.end}", skipped)
            mails, skipped, size, first, before, entry = [], 0, 0, entry.end, after, None
    if entry is not None:
        after = MailCursor(name, _mark(file, content, entry), entry.end)
        yield MailBatch(tuple(mails), before, after, f"{name} {first}-{entry.end}", skipped)
    if not content.whole:
        raise FetchFailed("damaged_file", name)


def _mark(file: Found, content: Content, entry: _Entry) -> str:
    head = content.head(min(HEAD, entry.end)) if not content.packed else b""
    return str(_Mark(len(head), _hash(head), _hash(entry.tail), _stat(file) if content.packed else ""))


def _stat(file: Found) -> str:
    return f"{file.size}.{file.mtime_ns}"


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


# --- splitting -----------------------------------------------------------------------------------------------------


class _Entry(NamedTuple):
    """What stands between two separators: where, its first bytes, and the last ones before its end.

    `begins` says that it begins with a separator, `last` that the file ends with it.
    """

    start: int
    end: int
    text: bytes
    tail: bytes
    begins: bool
    last: bool


def _entries(chunks: Iterator[bytes], start: int, tail: bytes) -> Iterator[_Entry]:
    """Split what follows in a file. Of each entry the first bytes are kept; a mail of any size costs no more."""
    window, at = bytearray(tail), start - len(tail)  # what is looked at, and where it begins in the file
    text, begun, begins = bytearray(), start, False
    taken = start  # up to here the bytes belong to an entry, or are given
    ended = False
    search = max(0, len(tail) - 1)
    if not tail:
        window, at, search = bytearray(b"\n\n"), start - 2, 0  # the beginning of a file is as after a blank line
    while not ended:
        chunk = next(chunks, None)
        ended = chunk is None
        window += chunk or b""
        sure = len(window) if ended else max(0, len(window) - _AHEAD)
        while (found := window.find(_SEPARATOR, search, min(len(window), sure + len(_SEPARATOR)))) >= 0:
            if found >= sure:
                break
            search = found + 1
            if not _separates(window, found):
                continue
            border = at + found + 1
            _keep(text, window, taken - at, found + 1)
            if border > begun:
                before = bytes(window[max(0, -at, found + 1 - TAIL) : found + 1])
                yield _Entry(begun, border, bytes(text), before, begins, False)
            text, begun, begins, taken = bytearray(), border, True, border
        search = max(search, sure - 1 if not ended else sure)
        _keep(text, window, taken - at, sure)
        taken = max(taken, at + sure)
        drop = max(0, min(sure, search) - TAIL)
        if drop and not ended:
            del window[:drop]
            at += drop
            search -= drop
    end = at + len(window)
    if end > begun:
        yield _Entry(begun, end, bytes(text), bytes(window[max(0, -at) :][-TAIL:]), begins, True)


def _keep(text: bytearray, window: bytearray, start: int, end: int) -> None:
    room = MAIL_BYTES - len(text)
    if room > 0 and end > start:
        text += window[start : min(end, start + room)]


def _separates(window: bytearray, found: int) -> bool:
    """Whether the line after this line feed begins a mail."""
    following = bytes(window[found + 1 : found + 1 + _AHEAD])
    if not _HEADER.match(following):
        return False
    blank = bool(_BLANK.search(bytes(window[max(0, found - 3) : found])))
    return blank or bool(_DATED.match(following.partition(b"\n")[0]))


def _mail(request: Mail, text: bytes) -> bytes | None:
    """The headers of an entry, with its text where that is wanted; None for what is no mail."""
    lines = text.partition(b"\n")[2]
    found = _END_OF_HEADERS.search(lines)
    headers = lines[: found.end()] if found else lines
    if not (_FROM.search(headers) and _TOLD.search(headers)):
        return None
    return _QUOTED.sub(rb"\1", lines) if request.wants(headers) else headers


def _is_since(mail: bytes, since: date | None) -> bool:
    """Whether a mail may be of a day or later; one without a date that can be read is."""
    found = since and _DATE.search(mail)
    if not since or not found:
        return True
    try:
        at = parsedate_to_datetime(found[1].decode("ascii", "replace"))
    except (ValueError, OverflowError):
        return True
    return maybe_since(at.replace(tzinfo=at.tzinfo or UTC), since)
