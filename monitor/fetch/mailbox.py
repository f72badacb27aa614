"""Mail in files on this machine: mbox files and Maildirs, by the patterns that a source names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from monitor.fetch import maildir, mbox
from monitor.model import FetchFailed, Mail, MailBatch


def read(request: Mail, base: Path, now: float) -> Iterator[MailBatch]:
    """The new mails of each pattern in turn; one that fails holds up no other. `now` is in seconds since 1970.

    Raises FetchFailed, at the end: the first failure.
    """
    failures = []
    for pattern in request.folders:
        try:
            if request.way == "maildir":
                yield from maildir.read(request, pattern, base, now)
            else:
                yield from mbox.read(request, pattern, base, now)
        except FetchFailed as failed:
            failures.append(failed)
    if failures:
        raise failures[0]
