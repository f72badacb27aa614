"""Mails of an IMAP account, read on from where each folder was left; nothing there is ever changed.

Folders are opened with EXAMINE and mails fetched by BODY.PEEK, so that none is marked as seen. Headers come first, many
at a time, and text only of the mails for which it is wanted. A folder is known by its UIDVALIDITY (RFC 3501, 2.3.1.1):
when that changes, it is read again from its beginning, and mails known already do not count twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from monitor.fetch.guard import Clock, Resolver, system_resolver
from monitor.fetch.imap_wire import Piece, Session
from monitor.fetch.mail_folders import chosen
from monitor.fetch.mail_limits import BATCH_BYTES, MAIL_BYTES, MOST, maybe_since
from monitor.fetch.secrets import resolve
from monitor.model import Capture, FetchFailed, Mail, MailBatch, MailCursor, NotAsked

HEADER_BYTES = 65_536
TEXTS_AT_ONCE = 10
SPAN = 10_000  # UIDs searched at once: an answer is one line


class _Read(NamedTuple):
    """Mails read for a batch, how many UIDs were gone through, and how many of them the server would not give."""

    mails: tuple[Capture, ...]
    done: int
    skipped: int


@dataclass(frozen=True)
class Imap:
    """Reads a mailbox over IMAP. Times are seconds; `deadline` is for connecting with login, and for each step after.

    `base` is the config's folder, for a key in a file. `ca_file` holds authorities trusted beside the usual ones.
    `most` is how many mails are in a batch at the most.
    """

    base: Path
    environ: Mapping[str, str] = field(repr=False)
    ca_file: Path | None = None
    deadline: float = 60.0
    connect: float = 5.0
    wait: float = 20.0
    most: int = MOST
    clock: Clock = time.monotonic
    resolver: Resolver = system_resolver

    def __call__(self, request: Mail) -> Iterator[MailBatch]:
        """Read what is new, folder by folder, those of sent mail first; the caller stores each batch before the next.

        A batch without mails moves only the cursor. Raises NotAsked (`key_missing`) before anything is sent, Blocked
        (`login_refused`, `rate_limited`), and FetchFailed: dns, connection, timeout, tls, no_tls, no_imap, truncated,
        too_large, server_error; at the end `no_folder` for folders that could not be opened.
        """
        if request.key is None:
            raise NotAsked("key_missing", "key")
        key = resolve(request.key, self.base, self.environ)
        if not request.user.isprintable():
            raise FetchFailed("server_error", "the user's name holds a control character")
        session = Session(request, self.deadline, self.wait, self.clock)
        try:
            session.begin(key, self.ca_file, self.connect, self.resolver)
            yield from self._folders(session, request)
        finally:
            session.close()

    def _folders(self, session: Session, request: Mail) -> Iterator[MailBatch]:
        cursors = {cursor.folder: cursor for cursor in request.cursors}
        closed = []
        for folder in chosen(session.folders(), request.folders):
            opened = session.examine(folder)
            if opened is None:
                closed.append(folder)
            else:
                yield from self._folder(session, request, folder, opened, cursors.get(folder))
        if closed:
            raise FetchFailed("no_folder", ", ".join(closed))

    def _folder(
        self, session: Session, request: Mail, folder: str, opened: tuple[str, int], before: MailCursor | None
    ) -> Iterator[MailBatch]:
        validity, following = opened
        criteria = f" SINCE {_imap_day(request.since - timedelta(days=1))}" if request.since else ""
        low = before.position + 1 if before and before.validity == validity else 1
        span = SPAN
        while low < following:
            high = min(low + span - 1, following - 1)
            uids = session.search(low, high, criteria)
            span = SPAN if uids else span * 2  # old accounts have long stretches without a mail
            while uids:
                chunk, first = uids[: self.most], uids[0]
                read = self._read(session, request, f"{folder} {validity}", chunk)
                uids = uids[read.done :]
                last = chunk[read.done - 1] if uids else high
                after = MailCursor(folder, validity, last)
                yield MailBatch(read.mails, before, after, _place(request, folder, validity, first, last), read.skipped)
                before = after
            low = high + 1
        end = MailCursor(folder, validity, max(low, following) - 1 if following < 2**32 else low - 1)
        if before is None or (before.validity, before.position) != (end.validity, end.position):
            yield MailBatch((), before, end, _place(request, folder, validity, low, end.position))

    def _read(self, session: Session, request: Mail, place: str, uids: list[int]) -> _Read:
        pieces, skipped = _patiently(session, uids, f"(UID INTERNALDATE BODY.PEEK[HEADER]<0.{HEADER_BYTES}>)")
        if request.since:
            pieces = [one for one in pieces if one.at is None or maybe_since(one.at, request.since)]
        wanted = [one.uid for one in pieces if request.wants(one.body)]
        texts: dict[int, bytes] = {}
        size = 0
        for n in range(0, len(wanted), TEXTS_AT_ONCE):
            if size > BATCH_BYTES:  # the batch ends before the first mail whose text is not here
                uids = uids[: uids.index(wanted[n])]
                break
            some, bad = _patiently(session, wanted[n : n + TEXTS_AT_ONCE], f"(UID BODY.PEEK[]<0.{MAIL_BYTES}>)")
            texts |= {one.uid: one.body for one in some}
            size += sum(len(one.body) for one in some)
            skipped += bad
        asked = set(uids)
        mails = tuple(
            Capture(
                body=texts.get(one.uid, one.body),
                media_type="message/rfc822",
                place=f"{place}/{one.uid}",
                headers={"received": one.at.isoformat()} if one.at else {},
            )
            for one in pieces
            if one.uid in asked and one.body
        )
        return _Read(mails, len(uids), skipped)


def _patiently(session: Session, uids: list[int], what: str) -> tuple[list[Piece], int]:
    """Pieces of mails, and how many mails the server would not give: asked one by one where it refuses many."""
    if (pieces := session.fetch(uids, what)) is not None:
        return pieces, 0
    singly = [session.fetch([uid], what) for uid in uids]
    return [piece for found in singly if found for piece in found], singly.count(None)


def _imap_day(at: date) -> str:
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[at.month - 1]
    return f"{at.day}-{month}-{at.year}"


def _place(request: Mail, folder: str, validity: str, first: int, last: int) -> str:
    return f"imap://{address(request)}/{folder} {validity}: UID {first}-{last}"


def address(request: Mail) -> str:
    """The server as it is shown: its port only where it is not the usual one."""
    usual = 993 if request.tls == "tls" else 143
    return request.host if request.port == usual else f"{request.host}:{request.port}"
