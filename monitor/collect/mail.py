"""One attempt at a mailbox: a reading per batch. No word of a mail gets into a reading, not even by a fault."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from monitor.collect.task import Clock, ReadMail, Task
from monitor.model import (
    Blocked,
    Capture,
    Contact,
    Context,
    Exchange,
    FetchFailed,
    LayoutChanged,
    Mail,
    MailBatch,
    MailSeen,
    NotAsked,
    Outcome,
    Reading,
    Record,
)
from monitor.reasons import REASONS, advice

MOST_FAULTS = 5  # told of one batch

T = TypeVar("T")


def collect_mail(task: Task, ctx: Context, request: Mail, read_mail: ReadMail, clock: Clock) -> Iterator[Reading]:
    """One reading per batch, also for one without mails, which only moves the cursor.

    After them one that says how it ended: what failed, or `empty` where all was read and there was no mail.
    """

    def wants(headers: bytes) -> bool:
        return _attempted(lambda: request.wants(headers)) is True

    none = True
    try:
        for batch in read_mail(replace(request, wants=wants)):
            none = none and not batch.mails and not batch.skipped
            yield _of_batch(task, ctx, batch, clock)
    except (FetchFailed, Blocked, NotAsked) as ended:
        reading = _of(task, ctx, clock, REASONS[ended.reason].outcome, ended.reason, ended.detail, request.host)
        asked = request.host and not isinstance(ended, NotAsked)
        yield replace(reading, exchanges=(Exchange(n=1, asked=f"imap://{request.host}", ms=0),) if asked else ())
        return
    if none:
        yield _of(task, ctx, clock, Outcome.EMPTY, "no_results", "", request.host or "The mailbox")


def _of_batch(task: Task, ctx: Context, batch: MailBatch, clock: Clock) -> Reading:
    """The batch's mails parsed; those that seem to be contacts once more, if the owner's own were among the batch."""
    own: set[str] = set()
    ctx = replace(ctx, own_mail=_either(own, ctx.own_mail))
    faults: list[str] = []
    parsed = [(mail, _parse(task, ctx, mail, faults)) for mail in batch.mails]
    own |= {
        one.message_key
        for _, records in parsed
        for one in records
        if isinstance(one, MailSeen) and one.verdict == "own"
    }
    if own:
        parsed = [(mail, _parse(task, ctx, mail, []) if _reaches(records) else records) for mail, records in parsed]
    notes = [f"{batch.skipped} of what stands there are no mails"] if batch.skipped else []
    notes += faults[:MOST_FAULTS]
    return replace(
        _of(task, ctx, clock, Outcome.OK),
        exchanges=(Exchange(n=1, asked=batch.place, ms=0),),
        records=tuple(record for _, records in parsed for record in records),
        mail=batch,
        note="\n".join(notes),
    )


def _either(own: set[str], known: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda message_key: message_key in own or known(message_key)


def _reaches(records: tuple[Record, ...]) -> bool:
    return any(isinstance(record, Contact) for record in records)


def _parse(task: Task, ctx: Context, mail: Capture, faults: list[str]) -> tuple[Record, ...]:
    """What one mail says. One that a parser fails at is unknown, and stops nothing."""
    parsed = _attempted(lambda: task.source.parse(mail, ctx))
    if not isinstance(parsed, Exception):
        return parsed.records
    reason = parsed.reason if isinstance(parsed, Blocked | LayoutChanged) else "parser_error"
    faults.append(f"{mail.place}: {reason}, {_where(parsed)}")
    return (MailSeen(ctx.hashed(f"mail at {mail.place}"), ctx.day, mail.place, "unknown", reason),)


def _attempted(call: Callable[[], T]) -> T | Exception:
    """What a source's own code gives, or the error it raised: a fault there stops no other mail."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001
        return error


def _where(error: Exception) -> str:
    """Where an error arose, by file and line alone: its text may hold what the mail says."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
    return f"{type(error).__name__} at {' > '.join(places)}"


def _of(
    task: Task,
    ctx: Context,
    clock: Clock,
    outcome: Outcome,
    reason: str = "",
    detail: str = "",
    host: str = "",
) -> Reading:
    return Reading(
        slot=task.slot,
        day=ctx.day,
        trigger=task.trigger,
        started_at=ctx.now,
        finished_at=max(clock(), ctx.now),
        outcome=outcome,
        reason=reason,
        advice=advice(reason, host=host, detail=detail, name=task.name),
        parser=task.source.parser,
        rule=task.source.rule,
    )
