"""LinkedIn's analytics export (XLSX): impressions, engagements and new followers per day, and the followers in all.

Pure on cells that were read already. Sheets and columns bear names in the language of the member ("Engajamento"), so
they are known by their shape: three columns of a date and two numbers, and two columns of a date and a number under a
total. Dates are text, month first or day first: the order in which the days follow one another, and the range in the
file's name, decide; where both can be, nothing is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from monitor.model import Count

PROFILE = "linkedin"
_ENGAGEMENT = (
    ("impressions", "times content was shown on this day"),
    ("engagements", "reactions and clicks of the day"),
)
_FOLLOWERS = (("new_followers", "who began to follow on this day"),)
_TOTAL = "followers on this day, as the analytics export says"
_OF_EXPORT = "LinkedIn analytics: {said}; the newest export stands"
_DATE = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})")
_NUMBER = re.compile(r"[-−]?(\d{1,15}|\d{1,3}([.,\s’'])\d{3}(\2\d{3})*)")
_HEADER_WITHIN = 6  # rows

Rows = Sequence[Sequence[Any]]
ReadDate = Callable[[Any], date | None]


class NotUnderstood(Exception):
    """A workbook that is none of LinkedIn's analytics, or whose dates could be either: the rest of a sentence."""


@dataclass(slots=True)
class Analytics:
    """What a workbook says: its counts, the last day it covers, and the rows that were not read."""

    records: list[Count] = field(default_factory=list)
    last: date | None = None
    rejected: list[tuple[str, int, str]] = field(default_factory=list)


def is_workbook(head: bytes, name: str) -> bool:
    """Whether a file is a workbook, by its beginning and its name."""
    return name.casefold().endswith((".xlsx", ".xlsm"))


def read(sheets: Sequence[tuple[str, Rows]], name: str, today: date) -> Analytics:
    """The numbers of a workbook; `name` is the file's, whose range of days settles the order of day and month.

    Raises NotUnderstood.
    """
    daily = {width: [sheet for sheet in sheets if _width(sheet[1]) == width] for width in (3, 2)}
    if any(len(found) > 1 for found in daily.values()):
        raise NotUnderstood("has two sheets of one shape: its layout is not known")
    if not any(daily.values()):
        raise NotUnderstood("is no analytics export of LinkedIn: no sheet has numbers per day")
    as_date = _order([sheet[1] for found in daily.values() for sheet in found], name, today)
    said = Analytics()
    for width, metrics in ((3, _ENGAGEMENT), (2, _FOLLOWERS)):
        for title, rows in daily[width]:
            if width == 2:
                said.records += _total(rows, as_date)
            said.records += _daily(title, rows, metrics, as_date, said)
    said.last = max((count.day for count in said.records), default=None)
    return said


def _width(rows: Rows) -> int:
    """How many columns a sheet of numbers per day has: 2 or 3; 0 for any other sheet."""
    for n, row in enumerate(rows[: _HEADER_WITHIN + 1]):
        cells = _filled(row)
        if cells and _is_date(cells[0]):
            numbers = [_number(cell) is not None for cell in cells[1:]]
            return len(cells) if n and len(cells) in (2, 3) and all(numbers) else 0
    return 0


def _filled(row: Sequence[Any]) -> list[Any]:
    """The cells up to the last that holds anything."""
    cells = list(row)
    while cells and cells[-1] in ("", None):
        cells.pop()
    return cells


def _is_date(cell: Any) -> bool:
    return isinstance(cell, date) or (isinstance(cell, str) and bool(_DATE.fullmatch(cell.strip())))


def _order(tables: Sequence[Rows], name: str, today: date) -> ReadDate:
    """How dates are written: month first or day first. Raises NotUnderstood where it cannot be told."""
    cells = [[row[0] for row in rows if row and _is_date(row[0])] for rows in tables]
    span = _span(name)
    fits = [order for order in (_month_first, _day_first) if all(_fits(column, order, span, today) for column in cells)]
    if len(fits) == 2:
        fits = [order for order in fits if all(_each_day(column, order) for column in cells)] or fits
    if not fits:
        raise NotUnderstood("has dates that are not understood, or not those of its name: nothing was taken")
    if len(fits) == 2 and any(fits[0](cell) != fits[1](cell) for column in cells for cell in column):
        raise NotUnderstood(
            "has dates that could have the day or the month first: import it under the name it was downloaded by"
        )
    return fits[0]


def _fits(column: Sequence[Any], order: ReadDate, span: tuple[date, date] | None, today: date) -> bool:
    days = [order(cell) for cell in column]
    known = [day for day in days if day]
    if len(known) < len(days) or any(day > today + timedelta(days=1) for day in known):
        return False
    if span and not all(span[0] - timedelta(days=1) <= day <= span[1] + timedelta(days=1) for day in known):
        return False
    steps = {(later > earlier) - (later < earlier) for earlier, later in pairwise(known)}
    return len(steps) < 2 and 0 not in steps


def _each_day(column: Sequence[Any], order: ReadDate) -> bool:
    """Whether no day is left out: ten days in a row by one order are ten months apart by the other."""
    days = [day for cell in column if (day := order(cell))]
    return all(abs((later - earlier).days) == 1 for earlier, later in pairwise(days))


def _span(name: str) -> tuple[date, date] | None:
    """The range of days in a file's name: Content_2025-01-01_2025-12-31_AdaExample.xlsx."""
    found = [_parts(*match) for match in re.findall(r"(20\d\d)-(\d\d)-(\d\d)", name)]
    days = [day for day in found if day]
    return (min(days), max(days)) if len(days) >= 2 else None


def _month_first(cell: Any) -> date | None:
    return _read_date(cell, lambda a, b, c: _parts(c, a, b))


def _day_first(cell: Any) -> date | None:
    return _read_date(cell, lambda a, b, c: _parts(c, b, a))


def _read_date(cell: Any, order: Callable[[str, str, str], date | None]) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    found = _DATE.search(cell) if isinstance(cell, str) else None
    if not found:
        return None
    return _parts(*found.groups()) if len(found[1]) == 4 else order(*found.groups())


def _parts(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year) + (2000 if len(year) <= 2 else 0), int(month), int(day))
    except ValueError:
        return None


def _total(rows: Rows, as_date: ReadDate) -> Iterator[Count]:
    """The followers in all, in the first rows beside a text with their day: "Total followers on 10/28/2023:"."""
    for row in rows[:3]:
        cells = _filled(row)
        if len(cells) == 2 and isinstance(cells[0], str) and not _is_date(cells[0]):
            day, value = as_date(cells[0]), _number(cells[1])
            if day and value is not None and value >= 0:
                yield Count(PROFILE, "followers", "now", day, value, definition=_OF_EXPORT.format(said=_TOTAL))
                return


def _daily(
    title: str, rows: Rows, metrics: tuple[tuple[str, str], ...], as_date: ReadDate, said: Analytics
) -> Iterator[Count]:
    for n, row in enumerate(rows, 1):
        cells = _filled(row)
        if not cells or not _is_date(cells[0]) or (day := as_date(cells[0])) is None:
            continue
        for (metric, meaning), cell in zip(metrics, [*cells[1:], *[""] * len(metrics)], strict=False):
            value = _number(cell)
            if value is None:
                said.rejected.append((title, n, f"no number of {metric}"))
                continue
            yield Count(PROFILE, metric, "day", day, value, definition=_OF_EXPORT.format(said=meaning))


def _number(cell: Any) -> int | None:
    """A whole number, also below zero; None for all else ("< 1%")."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return int(cell) if float(cell).is_integer() and abs(cell) < 2**53 else None
    text = cell.strip() if isinstance(cell, str) else ""
    if not _NUMBER.fullmatch(text):
        return None
    value = int("".join(c for c in text if c.isdecimal()))
    return -value if text[0] in "-−" else value
