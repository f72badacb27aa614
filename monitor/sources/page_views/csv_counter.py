"""Page views from a table that another program wrote: GA4, Cloudflare, Fathom, a spreadsheet. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from monitor.model import Capture, Context, Files, Measure, Parsed, Record, Series, SiteViews, Source
from monitor.sources.charset import text_of
from monitor.sources.page_views import daily

_DELIMITERS = (",", ";", "\t", "|")
_NUMBER = re.compile("[0-9]{1,15}|[0-9]{1,3}(?:[, '\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}][0-9]{3}){1,4}")
_ISO = re.compile(r"([0-9]{4})([-/]?)([0-9]{2})\2([0-9]{2})(?:[T ][0-9:.+Z-]*)?")
_TOTALS = frozenset({"total", "totals", "grand total"})
_TOLD = 5  # lines named one by one
_PREAMBLE = 200  # lines in which the header is looked for


@dataclass(slots=True)
class _Table:
    """What a file adds up to, and the lines that could not be read."""

    views: dict[date, int] = field(default_factory=dict)
    visitors: dict[date, int] = field(default_factory=dict)
    paths: dict[tuple[date, str], int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    spoilt: set[date] = field(default_factory=set)
    all_spoilt: bool = False  # rows are added up, and one is of a day not known


class _Refused(Exception):
    """A row that is not read, and why."""


@dataclass(frozen=True)
class Csv(Source):
    """Page views from a CSV file that another program wrote: an export of GA4, Cloudflare, Fathom, or a spreadsheet.

        [[page_views]]
        kind = "csv"
        file = "ga4.csv"
        day = "Date"
        views = "Views"
        # path = "Page path", visitors = "Active users", site = "blog"

    `file` is relative to the config file's folder. `day`, `views`, and if there are any `visitors` and `path`, are the
    names of its columns, in any case. The whole file is read each time, so write it anew as often as you like; days
    that are no longer in it stay. What it counts is what the program counted that wrote it.

    Encoding and delimiter (comma, semicolon, tab, bar) are recognised; lines before the header, remarks that begin with
    # and rows of totals are passed over. Days are 2026-11-23, 2026/11/23 or 20261123; others (03/04/2026) mean
    different days to different people and are refused. Numbers are whole, thousands apart by a comma or blank or not.
    With a `path` column the rows of a day are added up.

    A row that cannot be read is refused with the number of its line, and never a 0; where rows are added up, its day is
    left out with it (and all days, if its day is what cannot be read). A day that is not in the file is not a 0 either:
    it is not known. `timezone` says in which zone the days were counted, the owner's where left out.
    """

    measure: ClassVar[Measure] = Measure.PAGE_VIEWS
    kind: ClassVar[str] = "csv"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    keep: ClassVar[bool] = False
    rule: ClassVar[str] = "csv as exported"

    file: str
    day: str
    views: str
    path: str = ""
    visitors: str = ""
    site: str = ""
    timezone: str = ""

    def __post_init__(self) -> None:
        if self.timezone:
            daily.zone_of(self.timezone)
        if not (self.file and self.day and self.views):
            raise ValueError("file, day and views are needed: the file, and the names of its columns")

    def series(self) -> Series:
        """The file's series."""
        return Series(day_zone=self.timezone or "owner", subject=self.site or self.file)

    def requests(self, ctx: Context) -> Iterator[Files]:
        """The file, whole."""
        yield Files(self.file, whole=True)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the whole file; what of it is refused is told as a doubt beside the records of the rest."""
        text = text_of(capture).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
        lines = [f"{line}\n" for line in text.split("\n")]
        header = self._header(lines)
        if header is None:
            wanted = ", ".join(self._columns())
            return Parsed(doubt="damaged_file", note=f"no line of it names the columns {wanted}: set them")
        start, delimiter, columns = header
        table = _Table()
        reader = csv.reader(lines[start:], delimiter=delimiter)
        last = start
        try:
            for row in reader:
                line, last = last + 1, start + reader.line_num
                if line > start + 1:
                    self._add(table, row, columns, line, ctx.day)
        except csv.Error as error:
            table.refused.append(f"line {last + 1} and all after it: {error}")
            table.all_spoilt = table.all_spoilt or bool(self.path)
        records = tuple(self._records(table, ctx))
        if not table.refused:
            return Parsed(records, none=not records)
        more = len(table.refused) - _TOLD
        said = "; ".join(table.refused[:_TOLD]) + (f"; and {more} more" if more > 0 else "")
        return Parsed(records, none=not records, doubt="damaged_file", note=said)

    def _columns(self) -> list[str]:
        return [name for name in (self.day, self.views, self.path, self.visitors) if name]

    def _header(self, lines: list[str]) -> tuple[int, str, dict[str, int]] | None:
        """The line that names the columns, the delimiter, and where each column is."""
        for n, line in enumerate(lines[:_PREAMBLE]):
            for delimiter in _DELIMITERS:
                try:
                    cells = [_plain(cell) for cell in next(csv.reader([line], delimiter=delimiter))]
                except (csv.Error, StopIteration):
                    continue
                if all(cells.count(_plain(name)) == 1 for name in self._columns()):
                    return n, delimiter, {name: cells.index(_plain(name)) for name in self._columns()}
        return None

    def _add(self, table: _Table, row: list[str], columns: dict[str, int], line: int, today: date) -> None:
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#") or any(cell.casefold() in _TOTALS for cell in cells):
            return
        said = {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}
        day = None
        try:
            day = _day(said[self.day], today)
            if not self.path and day in table.views:
                raise _Refused(f"{day} stands there twice; set path if its rows are to be added up")
            if self.path and not said[self.path]:
                raise _Refused(f"{self.path} is empty")
            views = _count(said[self.views], self.views)
            visitors = _count(said[self.visitors], self.visitors) if self.visitors else None
        except _Refused as refused:
            table.refused.append(f"line {line}: {refused}")
            if day:
                table.spoilt.add(day)
            elif self.path:
                table.all_spoilt = True
            return
        table.views[day] = table.views.get(day, 0) + views
        if visitors is not None:
            table.visitors[day] = visitors
        if self.path:
            key = (day, daily.clean(said[self.path]))
            table.paths[key] = table.paths.get(key, 0) + views

    def _records(self, table: _Table, ctx: Context) -> Iterator[Record]:
        """The days that were read whole; visitors of paths do not add up, so there are none with a path column."""
        if table.all_spoilt:
            return
        for day in sorted(table.views.keys() - table.spoilt):
            people = None if self.path else table.visitors.get(day)
            yield SiteViews(day, table.views[day], people, complete=day < ctx.day)
        found = ((day, path, (n, None)) for (day, path), n in table.paths.items() if day not in table.spoilt)
        yield from daily.paths(found)


def _plain(name: str) -> str:
    return name.strip().strip('"').casefold()


def _day(said: str, today: date) -> date:
    match = _ISO.fullmatch(said)
    try:
        day = date(int(match[1]), int(match[3]), int(match[4])) if match else None
    except ValueError:
        day = None
    if day is None:
        raise _Refused(f'"{said[:40]}" is no day such as 2026-11-23')
    if day > today + daily.DAY:  # the file may be a zone ahead
        raise _Refused(f"{day} is still to come")
    return day


def _count(said: str, name: str) -> int:
    if not _NUMBER.fullmatch(said):
        raise _Refused(f'{name} is "{said[:40]}", not a whole number')
    return int("".join(digit for digit in said if digit.isdecimal()))
