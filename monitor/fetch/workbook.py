"""The cells of a workbook (XLSX), read by calamine from what was measured first.

The workbook is packed anew from the members as they were read under caps: nothing unmeasured reaches the reader.
A sheet whose cells lie far apart would be as large as their distance: it is refused.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import python_calamine

from monitor.fetch.zipped import ZipRefused, members

MOST_BYTES = 50_000_000
MOST_ROWS, MOST_COLUMNS = 20_000, 100
_PLACE = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]*)([0-9]*)""")

Cell = int | float | str | bool | date | datetime | time | timedelta


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: its name, and its rows from the first to the last."""

    name: str
    rows: Sequence[Sequence[Cell]]


def read(body: bytes) -> list[Sheet]:
    """The sheets of a workbook in their order. Raises ZipRefused."""
    found = members(body, lambda name: True, MOST_BYTES)
    for member in found:
        if member.name.startswith("xl/worksheets/") and member.name.endswith(".xml"):
            _check(member.body)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for member in found:
            archive.writestr(member.name, member.body)
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(packed.getvalue()))
        return [_sheet(workbook, name) for name in workbook.sheet_names]
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise ZipRefused("is no workbook that can be read: fetch it again") from error


def _sheet(workbook: python_calamine.CalamineWorkbook, name: str) -> Sheet:
    return Sheet(name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False))


def _check(xml: bytes) -> None:
    """Refuse a sheet with a cell far out, or in a writing that this check cannot read."""
    if b"\0" in xml[:4096]:
        raise ZipRefused("has a sheet in a writing that is not known")
    for letters, digits in _PLACE.findall(xml):
        column = 0
        for letter in letters.upper()[:4]:
            column = column * 26 + letter - 64
        if column > MOST_COLUMNS or int(digits[:9] or 0) > MOST_ROWS:
            raise ZipRefused("has a sheet larger than any of LinkedIn's")
