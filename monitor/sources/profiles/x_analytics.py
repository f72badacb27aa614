"""X Analytics: the account's days from X's own export, account_overview_analytics.csv."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import ClassVar

from monitor.model import Capture, Context, Count, Files, LayoutChanged, Measure, Parsed, Series, Source
from monitor.sources.charset import text_of
from monitor.sources.profiles.answer import count

_COLUMNS = {
    "profile visits": "profile_views",
    "impressions": "impressions",
    "engagements": "engagements",
    "new follows": "new_follows",
    "unfollows": "unfollows",
    "likes": "likes",
    "replies": "replies",
    "reposts": "reposts",
    "bookmarks": "bookmarks",
    "shares": "shares",
    "create post": "posts",
    "video views": "video_views",
    "media views": "media_views",
}
_NEEDED = ("date", "impressions", "profile visits")
_DEFINITION = '"{column}" of this day in X Analytics\' export; the newest export stands'
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DATE = re.compile(r"(?P<weekday>[a-z]{3}), (?P<month>[a-z]{3}) (?P<day>[0-9]{1,2}), (?P<year>[0-9]{4})")
_NUMBER = re.compile(r"[0-9]{1,15}|[0-9]{1,3}(,[0-9]{3}){1,4}")
_TOLD = 5  # lines named one by one


def is_analytics(head: bytes, name: str) -> bool:
    """Whether a file is this export, by its first line."""
    first = head.split(b"\n", 1)[0].decode("utf-8", "replace").lstrip("\ufeff").casefold()
    return name.casefold().endswith(".csv") and {"profile visits", "impressions"} <= {
        cell.strip(' "\r') for cell in first.split(",")
    }


class _Refused(Exception):
    """A row that is not read, and why."""


@dataclass(slots=True)
class _Table:
    days: dict[date, dict[str, int | None]] = field(default_factory=dict)
    twice: set[date] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class XAnalytics(Source):
    """Profile visits, impressions and follows per day from the file that X Analytics exports.

        [[profiles]]
        kind = "x_analytics"
        user = "ada_example"
        file = "account_overview_analytics.csv"

    In X's Analytics (it wants X Premium), choose the range and "Export data" under "Overview", and save the file over
    the old one. `file` is relative to the config file's folder, and is read whole each day: the same file twice adds
    nothing, a day in a newer export takes the place of the old one (the old number stays under `revisions`), and days
    that are no longer in it stay. X keeps what lies in the chosen range: nothing is lost by exporting late.

    `monitor import account_overview_analytics.csv` takes one in from wherever it lies.

    Each column is a number per day: `profile_views` (X's "Profile visits"), `impressions`, `engagements`,
    `new_follows`, `unfollows`, `likes`, `replies`, `reposts`, `bookmarks`, `shares`, `posts`, `video_views` and
    `media_views`. New follows less unfollows is a change, never the number of followers. Columns are known by their
    English names, in any order; others are passed over. The last day may still grow. Days are X's own.

    A row that cannot be read is refused with its line and never a 0, an empty cell is `missing`, and a day that is not
    in the file is not known. A file of another kind is `changed`. Proven on a real export of 271 days.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "x_analytics"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    keep: ClassVar[bool] = False

    user: str
    file: str = "account_overview_analytics.csv"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_]{1,15}", self.user):
            raise ValueError(f'user is a name on X without the @, not "{self.user}"')
        if not self.file:
            raise ValueError("file is the name of X's export")

    def series(self) -> Series:
        """The user's series."""
        return Series(engine="x", provider="x", subject=self.user)

    def requests(self, ctx: Context) -> Iterator[Files]:
        """The file, whole."""
        yield Files(self.file, whole=True)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the whole file; what of it is refused is told as a doubt beside the records of the rest.

        Raises LayoutChanged for a file that is not this export.
        """
        text = text_of(capture).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
        reader = csv.reader(f"{line}\n" for line in text.split("\n"))
        table = _Table()
        try:
            columns = _columns(next(reader, []))
            for row in reader:
                _add(table, row, columns, reader.line_num, ctx.day)
        except csv.Error as error:
            table.refused.append(f"line {reader.line_num} and all after it: {error}")
        records = tuple(self._records(table))
        more = len(table.refused) - _TOLD
        said = "; ".join(table.refused[:_TOLD]) + (f"; and {more} more" if more > 0 else "")
        return Parsed(records, none=not records, doubt="damaged_file" if said else "", note=said)

    def _records(self, table: _Table) -> Iterator[Count]:
        for day in sorted(table.days.keys() - table.twice):
            for column, value in table.days[day].items():
                definition = _DEFINITION.format(column=column)
                metric = _COLUMNS[column]
                yield count(f"x/{self.user}", metric, "day", day, value, definition, overlap="newest")


def _columns(header: list[str]) -> dict[str, int]:
    """Where each known column is. Raises LayoutChanged for a header that is not this export's."""
    names = [name.strip().casefold() for name in header]
    if lacking := [name for name in _NEEDED if names.count(name) != 1]:
        raise LayoutChanged(detail=f"not account_overview_analytics.csv: it has no column {', '.join(lacking)}")
    if twice := [name for name in _COLUMNS if names.count(name) > 1]:
        raise LayoutChanged(detail=f"column {twice[0]} stands there twice")
    return {name: names.index(name) for name in ("date", *_COLUMNS) if name in names}


def _add(table: _Table, row: list[str], columns: dict[str, int], line: int, today: date) -> None:
    """Add a row, whole or not at all."""
    cells = [cell.strip() for cell in row]
    if not any(cells):
        return
    try:
        if len(cells) <= max(columns.values()):
            raise _Refused("it breaks off")
        day = _day(cells[columns["date"]], today)
        if day in table.days:
            table.twice.add(day)
            raise _Refused(f"{day} stands there twice")
        table.days[day] = {name: _number(cells[at], name) for name, at in columns.items() if name != "date"}
    except _Refused as refused:
        table.refused.append(f"line {line}: {refused}")


def _day(said: str, today: date) -> date:
    """The day of "Fri, Mar 21, 2025"; the weekday must be its own, or another form of date was misread."""
    match = _DATE.fullmatch(said.casefold())
    try:
        day = date(int(match["year"]), _MONTHS.index(match["month"]) + 1, int(match["day"])) if match else None
    except ValueError:
        day = None
    if match is None or day is None or _WEEKDAYS[day.weekday()] != match["weekday"]:
        raise _Refused(f'"{said[:40]}" is no day such as Fri, Mar 21, 2025')
    if day > today + timedelta(days=1):  # the file may be a zone ahead
        raise _Refused(f"{day} is still to come")
    return day


def _number(said: str, name: str) -> int | None:
    if not said:
        return None
    if not _NUMBER.fullmatch(said):
        raise _Refused(f'{name} is "{said[:40]}", not a whole number')
    return int(said.replace(",", ""))
