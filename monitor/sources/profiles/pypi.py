"""PyPI: downloads of packages per day, from PyPI Stats.

Facts: pypistats.org/api and /about; its source, pypistats/views/api.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from monitor.model import Capture, Context, Count, Http, LayoutChanged, Measure, Parsed, Series, Source, slug
from monitor.sources.profiles.answer import REFUSALS, count, number, read_json, refused, said_in

_PACKAGE = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")
_ASKED = re.compile(r"/api/packages/(?P<package>[^/]+)/overall$")
_DAY = "downloads of all files of this package from PyPI on this UTC day, those by known mirrors left out"
_LEFT_OUT = "missing: PyPI Stats lists no such day; there were no downloads, or they are not counted"
_NO_DATA = "missing: PyPI Stats knows no download of this package in the last 180 days; check its name"
_LONGEST = timedelta(days=400)  # 180 days are documented; far more is another answer than the one known


@dataclass(frozen=True)
class PyPI(Source):
    """Downloads of your packages from the Python Package Index, as PyPI Stats counts them, daily.

        [[profiles]]
        kind = "pypi"
        packages = ["kettle-example"]

    `packages` are names on PyPI; each is a source of its own. It counts `downloads` per UTC day, those by known mirrors
    left out. A download is no person: build servers fetch a package again and again.

    No key is needed. PyPI Stats is run by volunteers: one question a day per package is enough, and the default. It
    keeps 180 days, all of which are read each time; the newest number of a day stands. A day comes a day or more late.

    A day left out between others is `missing`, and so is a package of which nothing is known: never 0.
    From the documentation and the source of PyPI Stats, not proven on a live server.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "pypi"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = REFUSALS | {404}

    packages: tuple[str, ...]
    url: str = "https://pypistats.org"

    def __post_init__(self) -> None:
        if not self.packages:
            raise ValueError('pypi wants packages = ["name"]')
        for package in self.packages:
            if not _PACKAGE.fullmatch(package):
                raise ValueError(f'a package is its name on PyPI, not "{package}"')

    def split(self) -> Iterator[tuple[str, PyPI]]:
        """One source for each package."""
        for package in self.packages:
            yield slug(_name(package)), replace(self, packages=(package,))

    def series(self) -> Series:
        """PyPI's downloads are counted in UTC days."""
        return Series(engine="pypi", provider="pypistats", day_zone="UTC", subject=_name(self.packages[0]))

    def requests(self, ctx: Context) -> Iterator[Http]:
        """The days of each package."""
        for package in self.packages:
            where = f"{self.url.rstrip('/')}/api/packages/{_name(package)}/overall"
            yield Http(where, (("mirrors", "false"),))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the days of the package that was asked for. Raises Blocked and LayoutChanged."""
        asked = _ASKED.search(urlsplit(capture.asked).path.rstrip("/"))
        if not asked:
            raise LayoutChanged(detail=f"not an address of PyPI Stats: {capture.asked}")
        profile, data = f"pypi/{asked['package']}", read_json(capture.body)
        refused(capture)
        if capture.status == 404:
            missing = Count(profile, "downloads", "day", ctx.day, None, "missing", definition=_NO_DATA)
            return Parsed((missing,))
        if not isinstance(data, dict) or not isinstance(data.get("data"), list) or not data["data"]:
            raise LayoutChanged(detail="no days")
        if _name(said_in(data, "package")) != asked["package"]:
            raise LayoutChanged(detail=f"not about {asked['package']}")
        return Parsed(tuple(_days(profile, data["data"])))


def _name(package: str) -> str:
    """A package's name in the one form in which names are compared (packaging.python.org, "Name normalization")."""
    return re.sub(r"[-_.]+", "-", package).lower()


def _days(profile: str, rows: list[Any]) -> Iterator[Count]:
    days: dict[date, int | None] = {}
    for row in rows:
        try:
            day, category = date.fromisoformat(row["date"]), row["category"]
        except (TypeError, KeyError, ValueError) as error:
            raise LayoutChanged(detail="a row without a day") from error
        if category == "with_mirrors":
            continue
        if category != "without_mirrors" or day in days:
            raise LayoutChanged(detail=f"{day} of {str(category)[:40]!r} is listed twice, or not known")
        days[day] = number(row, "downloads")
    if not days or max(days) - min(days) > _LONGEST:
        raise LayoutChanged(detail="no days without mirrors, or far more of them than 180")
    for n in range((max(days) - min(days)).days + 1):
        day = min(days) + timedelta(days=n)
        definition = _DAY if day in days else _LEFT_OUT
        yield count(profile, "downloads", "day", day, days.get(day), definition, overlap="newest")
