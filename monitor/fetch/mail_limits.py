"""What all ways to read mail share: how much of it at once, and which mails are old."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta

MAIL_BYTES = 262_144  # of one mail, headers and text
BATCH_BYTES = 8_000_000  # of the mails in one batch, more or less
MOST = 200  # mails in one batch
QUIET = 120.0  # seconds without a change, after which a file counts as whole
_EAST = timedelta(hours=14)


def maybe_since(at: datetime, since: date) -> bool:
    """Whether an instant may lie on a day or after it, wherever on earth one is (zones reach to UTC+14)."""
    try:
        return at + _EAST >= datetime.combine(since, time(), UTC)
    except OverflowError:
        return at.year > since.year


def shown(name: str) -> str:
    """A file's name as text that can be stored, whatever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "replace")
