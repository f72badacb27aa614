"""What an attempt is given: the task, and how to ask and to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo

from monitor.model import (
    Batch,
    Capture,
    Context,
    Exchange,
    Files,
    Http,
    LayoutChanged,
    LogCursor,
    Mail,
    MailBatch,
    MailCursor,
    Parsed,
    Record,
    Source,
    Trigger,
    no_hash,
    no_key,
    no_mail_of_ours,
)

Ask = Callable[[Http, int], Exchange]
ReadFiles = Callable[[Files], Iterator[Batch]]
ReadMail = Callable[[Mail], Iterator[MailBatch]]
Clock = Callable[[], datetime]
Enough = Callable[[Sequence[Record]], bool]
Said = Parsed | LayoutChanged
ParseBatches = Callable[[Source, Context, Iterator[Batch]], Iterator[tuple[Batch, Said]]]


def parse_piece(source: Source, ctx: Context, capture: Capture) -> Said:
    """What a piece of a log says, or that it is in a format not known."""
    try:
        return source.parse(capture, ctx) if capture.body else Parsed()
    except LayoutChanged as seen:
        return seen


def in_turn(source: Source, ctx: Context, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Said]]:
    """Each batch in its order, with what it says: parsed when it is asked for, the next one not yet read."""
    for batch in batches:
        yield batch, parse_piece(source, ctx, batch.capture)


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt to make: which source, for which slot."""

    name: str
    source: Source
    slot: datetime
    day: date
    trigger: Trigger
    cursors: tuple[LogCursor, ...] = ()
    reread_of: int | None = None
    enough: Enough = lambda records: False  # whether what was seen so far will do, so that no further page is asked
    covered: tuple[date, date] | None = None  # the first and the last day whose page views are stored
    visitor_key: Callable[[date], bytes] = no_key
    mail_cursors: tuple[MailCursor, ...] = ()
    hashed: Callable[[str], str] = no_hash
    corrections: Mapping[str, str] = field(default_factory=dict)
    own_mail: Callable[[str], bool] = no_mail_of_ours
    zone: tzinfo = UTC
    parse_batches: ParseBatches = in_turn  # how a log is parsed; `ahead` does it with a second process

    def context(self, now: datetime) -> Context:
        """What the source may know of the world in this attempt."""
        return Context(
            now=now,
            day=self.day,
            cursors=self.cursors,
            covered=self.covered,
            visitor_key=self.visitor_key,
            mail_cursors=self.mail_cursors,
            hashed=self.hashed,
            corrections=self.corrections,
            own_mail=self.own_mail,
            zone=self.zone,
        )
