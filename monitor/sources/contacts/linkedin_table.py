"""One file of LinkedIn's export: its rows by column, as every year since 2018 wrote them.

Read in real archives of 2018, 2023, 2024, 2025 and 2026: UTF-8 with commas, older lists in UTF-16 with tabs, LF or
CRLF, texts with line breaks inside, a preamble of some lines before the header, blank lines at the end. Only the
columns that are needed leave this module: never the text of a letter.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from html import unescape
from types import MappingProxyType

LONGEST_FIELD = 50_000_000  # characters: an article sent as a message is far below
LONGEST_PREAMBLE = 30  # rows before the header

_NEEDED = MappingProxyType(
    {
        "connections": frozenset({"first name", "last name", "connected on"}),
        "invitations": frozenset({"from", "to", "sent at", "direction"}),
        "messages": frozenset({"conversation id", "from", "sender profile url", "date", "subject"}),
        "messages_2018": frozenset({"from", "to", "date", "direction", "folder"}),
        "endorsements": frozenset({"endorsement date", "skill name"}),
    }
)
_USED = frozenset(
    {
        *("first name", "last name", "url", "connected on"),
        *("from", "to", "sent at", "direction", "inviterprofileurl", "inviteeprofileurl"),
        *("conversation id", "conversation title", "sender profile url", "recipient profile urls", "date", "subject"),
        *("is message draft", "endorsement date"),
    }
)
_FILES = MappingProxyType(
    {
        "connections": "Connections.csv",
        "invitations": "Invitations.csv",
        "messages": "messages.csv",
        "endorsement_received_info": "Endorsement_Received_Info.csv",
    }
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_UTC = re.compile(r"(\d{4})[-/](\d{2})[-/](\d{2})[ T](\d{2}):(\d{2})(?::(\d{2}))?(?: UTC|Z)")
_NAMED = re.compile(r"(\d{1,2})[ -]([a-z]{3})[a-z]*\.?[ -](\d{4}|\d{2})", re.IGNORECASE)
_US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2}),? (\d{1,2}):(\d{2})(?: ?(AM|PM))?", re.IGNORECASE)


class HeaderUnknown(Exception):
    """No line of the file is the header of a file known."""


class OtherOrder(Exception):
    """A date with the day before the month, which LinkedIn never writes: another program has been at the file."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} has the day before the month")
        self.line = line


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it begins on, and its cells by column in small letters; one that is not there is empty."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """A cell without the spaces around it, HTML entities resolved."""
        return unescape(self.cells.get(column, "")).strip()


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one file, and the lines that have more cells than the header names."""

    kind: str
    rows: tuple[Row, ...]
    broken: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class When:
    """A moment as the file writes it: with its instant where a zone stands there, else the day alone is sure.

    `text` sorts, as 2024-02-12T15:09:26, or the day alone.
    """

    day: date
    at: datetime | None
    text: str

    @property
    def minute(self) -> str:
        """To the minute, as every year writes it."""
        return self.text[:16]


def file_of(name: str) -> str:
    """The usual name of a file that is read ("messages.csv"), from a member's or a file's name; else empty.

    >>> file_of("Complete/Messages.csv"), file_of("Connections (1).csv"), file_of("Profile.csv")
    ('messages.csv', 'Connections.csv', '')
    """
    found = re.fullmatch(r"(.+?)(?: ?\(\d+\))?\.csv", name.rpartition("/")[2].casefold())
    return _FILES.get(found[1].replace(" ", "_"), "") if found else ""


def is_export(head: bytes, name: str) -> bool:
    """Whether a file is an archive or a CSV file, by its beginning and its name: an export, or refused as none."""
    return name.casefold().endswith((".zip", ".csv")) or head.startswith(b"PK\x03\x04")


def usual_files() -> tuple[str, ...]:
    """The files that are read, by their usual names."""
    return tuple(_FILES.values())


def read_table(body: bytes) -> Table:
    """The rows of a CSV file. Raises HeaderUnknown."""
    text = _text(body)
    for delimiter in (",", "\t", ";"):  # the last by a spreadsheet of a country with decimal commas
        rows = _cells(text, delimiter)
        for _, (_, cells) in zip(range(LONGEST_PREAMBLE), rows, strict=False):
            header = [cell.strip().casefold() for cell in cells]
            if kind := kind_of(header):
                return _table(kind, header, rows)
        rows.close()
    raise HeaderUnknown


def kind_of(columns: list[str]) -> str:
    """What a header in small letters is of; empty when it is not known."""
    return next((kind for kind, needed in _NEEDED.items() if needed <= set(columns)), "")


def rows_of(kind: str, found: Iterator[Mapping[str, str]]) -> Table:
    """Rows that came by another way than a CSV file, numbered as they come."""
    rows = (Row(n, {k.casefold(): v for k, v in cells.items()}) for n, cells in enumerate(found, 1))
    return Table(kind, tuple(Row(row.line, {k: v for k, v in row.cells.items() if k in _USED}) for row in rows))


def _table(kind: str, header: list[str], rows: Iterator[tuple[int, list[str]]]) -> Table:
    found, broken = [], []
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(header) :]):
            broken.append(line)
            continue
        found.append(Row(line, {name: cell for name, cell in zip(header, cells, strict=False) if name in _USED}))
    return Table(kind, tuple(found), tuple(broken))


def _cells(text: str, delimiter: str) -> Generator[tuple[int, list[str]], None, None]:
    """The rows with the line each begins on, one at a time. Raises HeaderUnknown for what the reader cannot take."""
    longest = csv.field_size_limit(LONGEST_FIELD)
    try:
        reader, line = csv.reader(_lines(text), delimiter=delimiter), 1
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise HeaderUnknown from error
    finally:
        csv.field_size_limit(longest)


def _lines(text: str) -> Iterator[str]:
    """The lines by their line feeds alone: a text may hold other signs that end lines elsewhere."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end].removesuffix("\r").replace("\r", " ") + "\n"
        start = end + 1


def _text(body: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    return text if "\n" in text else text.replace("\r", "\n")


def read_when(text: str, line: int) -> When | None:
    """A moment in any form met, its day in UTC where a zone is written; None when it is none.

    "2024-02-12 15:09:26 UTC", "28 May 2023", "31-Dec-25", "2/4/24, 11:20 AM" (month first, no zone).
    Raises OtherOrder for a date that has the day first.
    """
    text = " ".join(text.split())
    try:
        if found := _UTC.fullmatch(text):
            at = datetime(*(int(part or 0) for part in found.groups()), tzinfo=UTC)  # type: ignore[misc,arg-type]
            return When(at.date(), at, at.strftime("%Y-%m-%dT%H:%M:%S"))
        if (found := _NAMED.fullmatch(text)) and found[2].casefold() in _MONTHS:
            day = date(_year(found[3]), 1 + _MONTHS.index(found[2].casefold()), int(found[1]))
            return When(day, None, day.isoformat())
        if found := _US.fullmatch(text):
            if int(found[1]) > 12 >= int(found[2]):
                raise OtherOrder(line)
            day = date(_year(found[3]), int(found[1]), int(found[2]))
            return When(day, None, f"{day}T{_time(found[4], found[5], found[6] or ''):%H:%M:%S}")
    except ValueError:
        return None
    return None


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _time(hour: str, minute: str, half: str) -> time:
    if not half:
        return time(int(hour), int(minute))
    if not 1 <= int(hour) <= 12:
        raise ValueError(hour)
    return time(int(hour) % 12 + (12 if half.casefold() == "pm" else 0), int(minute))
