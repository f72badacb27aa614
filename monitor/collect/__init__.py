"""One attempt at a source: ask, classify, parse, check for sanity, and say how it ended.

Pure: the clock, the asking and the reading of files and mail are arguments, so that a kept capture runs through the
very same code years later (`reread`).
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.collect.files import collect_files
from monitor.collect.mail import collect_mail
from monitor.collect.pages import ASK_AGAIN, AT_THE_HOST, PageAttempt, classify
from monitor.collect.task import Ask, Clock, Enough, ParseBatches, ReadFiles, ReadMail, Said, Task, in_turn, parse_piece
from monitor.model import Files, Http, Mail, MailBatch, NotAsked, Reading

__all__ = [
    "ASK_AGAIN", "AT_THE_HOST", "Ask", "Clock", "Enough", "ParseBatches", "ReadFiles", "ReadMail", "Said", "Task",
    "classify", "collect", "in_turn", "no_mail", "parse_piece",
]  # fmt: skip


def no_mail(request: Mail) -> Iterator[MailBatch]:
    """Where no mailbox is read."""
    raise NotAsked("off")


def collect(
    task: Task, ask: Ask, read_files: ReadFiles, clock: Clock, read_mail: ReadMail = no_mail
) -> Iterator[Reading]:
    """Make the attempt; yields one reading, or for files and mail one per batch (none when nothing is new).

    The caller stores each reading before it takes the next.
    """
    ctx = task.context(clock())
    requests = list(task.source.requests(ctx))
    for request in requests:
        if isinstance(request, Files):
            yield from collect_files(task, ctx, request, read_files, clock)
        elif isinstance(request, Mail):
            yield from collect_mail(task, ctx, request, read_mail, clock)
    pages = [request for request in requests if isinstance(request, Http)]
    if pages:
        yield PageAttempt(task, ask, clock, ctx).run(pages)
