"""The days that a page looks at, the way to the days before and after, and what is shown of an engine in short."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from markupsafe import Markup

from monitor.web.pages import Asked

YEAR = 365
DAYS = """
select source_id, day, outcome, reason, depth, id as reading_id from day_readings
where source_id = :source and day between :first and :last order by day
"""


class Span(NamedTuple):
    """The days shown, first and last included."""

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


@dataclass(frozen=True, slots=True)
class Small:
    """One engine in short: a picture, what it says in words, and where more is."""

    name: str
    query: str
    href: str
    said: str
    said_href: str
    picture: Markup


def number(text: str) -> int:
    """A key as it stands in an address; 0 where it is none."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 13 else 0


def span_of(asked: Asked, length: int) -> Span:
    """The days up to `?to=`, or up to today."""
    today = asked.now.date()
    try:
        last = min(date.fromisoformat(asked.args.get("to", "")), today)
        return Span(last - timedelta(days=length - 1), last)
    except (ValueError, OverflowError):
        return Span(today - timedelta(days=length - 1), today)


def turns(asked: Asked, span: Span, begun: str | None, **where: object) -> dict[str, str]:
    """The way to the span before and after this one, where there is anything."""
    there, today = asked.links, asked.now.date()
    ways = {}
    if begun and begun < span.first.isoformat():
        ways["older"] = there.page("map", **where, to=span.first - timedelta(days=1))
    if span.last < today:
        later = span.last + timedelta(days=YEAR)
        ways["newer"] = there.page("map", **where, to=later if later < today else None)
    return ways
