"""What the sources of profile numbers have in common: an answer in JSON, and numbers in it that are never guessed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from monitor.model import Blocked, Capture, Count, LayoutChanged

LARGEST = 2**53  # beyond it a JSON number need not be what was meant
REFUSALS = frozenset({401, 402, 403, 429})  # statuses by which a host refuses


def read_json(body: bytes) -> Any:
    """What the bytes say; None when they are no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def number(data: Mapping[str, Any], key: str, *, least: int | None = 0, text: bool = False) -> int | None:
    """A count, or None where the answer does not give it.

    Never a guess: anything but a whole number, or one below `least`, raises LayoutChanged. With `text`, digits written
    as text ("1927873") are a number too, for the interfaces that write theirs so.
    """
    value = data.get(key)
    if value is None:
        return None
    digits = value.removeprefix("-") if isinstance(value, str) else ""
    if text and digits.isascii() and digits.isdigit() and len(digits) <= 16:
        value = int(str(value))
    if type(value) is not int or abs(value) >= LARGEST or (least is not None and value < least):
        raise LayoutChanged(detail=f"{key} is {str(value)[:40]!r}, not a count")
    return value


def count(
    profile: str,
    metric: str,
    window: str,
    day: date,
    value: int | None,
    definition: str,
    *,
    absent: Literal["missing", "hidden", "gone"] = "missing",
    precision: Literal["exact", "rounded", "at_least"] = "exact",
    overlap: Literal["newest", "max"] | None = None,
) -> Count:
    """A number about a profile, or the word why there is none.

    A running day still grows, and a window's edges shrink: of a day read again the largest number stands, unless
    `overlap` says that the newest does.
    """
    state: Literal["read", "missing", "hidden", "gone"] = absent if value is None else "read"
    overlap = overlap or ("max" if window == "day" else "newest")
    return Count(profile, metric, window, day, value, state, precision, definition=definition, overlap=overlap)


def refused(capture: Capture, said: object = "", needs: str = "") -> None:
    """Raise Blocked for a status by which a host refuses (REFUSALS); any other status passes.

    What is told is what the number needs, else the host's own words, else the status.
    """
    if capture.status not in REFUSALS:
        return
    words = said[:200] if isinstance(said, str) and said.strip() else f"status {capture.status}"
    if capture.status == 429:
        raise Blocked("rate_limited", words)
    if capture.status == 402:
        raise Blocked("denied", f"it wants to be paid first: {words}")
    raise Blocked("denied", needs or words)


def said_in(data: Any, *keys: str) -> str:
    """The words under nested keys of an answer; empty where there are none."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data[:200] if isinstance(data, str) else ""


def absent(
    profile: str, windows: Mapping[str, str], day: date, state: Literal["missing", "hidden", "gone"], why: str
) -> tuple[Count, ...]:
    """The same word and reason for every number of a profile; `windows` names them: metric to window."""
    return tuple(Count(profile, metric, window, day, None, state, definition=why) for metric, window in windows.items())
