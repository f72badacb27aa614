"""A finding: one line that says how it is and what to do about it. Pure.

`wrong` is what endangers the history or keeps Monitor as a whole from working; `attention` is what the owner should
look at, a source that cannot be read among it; all else is `ok`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Level(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    ATTENTION = "attention"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what was found, and the next step (empty where there is nothing to do)."""

    level: Level
    what: str
    said: str
    step: str = ""

    def __str__(self) -> str:
        line = f"{self.level:<9}  {self.what}: {self.said}" + (f" - {self.step}" if self.step else "")
        return " ".join(line.splitlines())


def fine(what: str, said: str, step: str = "") -> Finding:
    """A finding that needs nothing."""
    return Finding(Level.OK, what, said, step)


def look(what: str, said: str, step: str) -> Finding:
    """A finding that the owner should look at."""
    return Finding(Level.ATTENTION, what, said, step)


def wrong(what: str, said: str, step: str) -> Finding:
    """A finding that must be mended."""
    return Finding(Level.WRONG, what, said, step)


def span(length: timedelta) -> str:
    """A span in words: "40 s", "12 min", "5 h", "3 days"."""
    seconds = max(0, round(length.total_seconds()))
    for unit, size in ((" days", 86_400), (" h", 3600), (" min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds} s"


def many(number: int, what: str) -> str:
    """A number of things: "1 file", "3 files"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def size(number: int) -> str:
    """A number of bytes in words: "812 kB", "4.2 GB"."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6)):
        if number >= scale:
            return f"{number / scale:.1f} {unit}"
    return f"{number / 1000:.0f} kB"
