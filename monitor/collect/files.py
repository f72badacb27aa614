"""One attempt at log files: a reading per batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from monitor.collect.task import Clock, ReadFiles, Task
from monitor.model import Batch, Context, Exchange, FetchFailed, Files, LayoutChanged, Outcome, Parsed, Reading
from monitor.reasons import REASONS, advice


def collect_files(task: Task, ctx: Context, request: Files, read_files: ReadFiles, clock: Clock) -> Iterator[Reading]:
    """One reading per batch. A file in a format not known is left where it was, and holds up no other."""
    unknown: dict[str, LayoutChanged] = {}
    failures: list[FetchFailed] = []

    def batches() -> Iterator[Batch]:
        try:
            yield from (batch for batch in read_files(request) if batch.after.name not in unknown)
        except FetchFailed as failed:  # told after all that was read before it
            failures.append(failed)

    if request.whole:
        for batch in batches():
            yield from _of_whole_file(task, ctx, batch, clock)
    else:
        for batch, said in task.parse_batches(task.source, ctx, batches()):
            name = batch.after.name
            if isinstance(said, LayoutChanged):
                unknown.setdefault(name, said)
            elif name not in unknown:  # what is parsed already of a file given up in the meantime
                yield _of_files(task, ctx, clock, Outcome.OK, batch=batch, parsed=said)
    for failed in failures:
        yield _of_files(task, ctx, clock, Outcome.FAILED, failed.reason, failed.detail)
    if unknown:
        reason = next(iter(unknown.values())).reason
        names = [f"{name} ({seen.detail})" if seen.detail else name for name, seen in unknown.items()]
        yield _of_files(task, ctx, clock, Outcome.CHANGED, reason, ", ".join(names))


def _of_whole_file(task: Task, ctx: Context, batch: Batch, clock: Clock) -> Iterator[Reading]:
    """What a file that is written anew says; after it what of it could not be read, so that it is told."""
    try:
        parsed = task.source.parse(batch.capture, ctx)
    except LayoutChanged as seen:
        detail = f"{batch.after.name} ({seen.detail})" if seen.detail else batch.after.name
        outcome = REASONS[seen.reason].outcome
        yield replace(_of_files(task, ctx, clock, outcome, seen.reason, detail, batch=batch), batch=None)
        return
    if parsed.records:
        yield replace(_of_files(task, ctx, clock, Outcome.OK, batch=batch, parsed=parsed), batch=None)
    if parsed.doubt:
        outcome = REASONS[parsed.doubt].outcome
        detail = f"{batch.after.name} ({parsed.note})"
        yield replace(_of_files(task, ctx, clock, outcome, parsed.doubt, detail, batch=batch), batch=None)
    elif not parsed.records:
        yield replace(_of_files(task, ctx, clock, Outcome.EMPTY, "no_results", batch=batch), batch=None)


def _of_files(
    task: Task,
    ctx: Context,
    clock: Clock,
    outcome: Outcome,
    reason: str = "",
    detail: str = "",
    *,
    batch: Batch | None = None,
    parsed: Parsed | None = None,
) -> Reading:
    gaps = batch.gaps if batch else ()
    return Reading(
        slot=task.slot,
        day=ctx.day,
        trigger=task.trigger,
        started_at=ctx.now,
        finished_at=max(clock(), ctx.now),
        outcome=outcome,
        reason=reason,
        advice=advice(reason, detail=detail, name=task.name),
        parser=task.source.parser,
        exchanges=(Exchange(n=1, asked=batch.capture.place, ms=0, capture=batch.capture),) if batch else (),
        records=parsed.records if parsed else (),
        increments=parsed.increments if parsed else False,
        rule=task.source.rule,
        batch=batch,
        note="; ".join(f"{gap.name} was gone before it was read to its end (byte {gap.offset})" for gap in gaps),
    )
