"""Pure: what is lost for good when a host keeps its numbers for some days only and they are not read in time."""

from __future__ import annotations

from datetime import datetime

IN_TIME = 4
"""Days before numbers are lost for good at which the owner is told."""


def losing(kept: str, kept_days: int, last_read: datetime, now: datetime) -> str:
    """What is about to be lost, or already is, where numbers are kept for some days only; empty while there is time.

    `kept` and `kept_days` are the source's own words: who keeps what, and for how many days.

    >>> losing("GitHub keeps traffic", 14, datetime(2026, 5, 1), datetime(2026, 5, 12))
    'GitHub keeps traffic for 14 days: the last was read 11 days ago, 3 days are left.'
    """
    age = (now - last_read).days
    left = kept_days - age
    if not kept_days or left > IN_TIME:
        return ""
    if left > 0:
        what = "1 day is left" if left == 1 else f"{left} days are left"
    else:
        what = "the last is being lost" if left == 0 else f"{_days(-left)} {'is' if left == -1 else 'are'} lost"
    return f"{kept} for {kept_days} days: the last was read {_days(age)} ago, {what}."


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"
