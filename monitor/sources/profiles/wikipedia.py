"""Wikipedia: page views of an article, per day, from Wikimedia's own count.

Facts: doc.wikimedia.org/generated-data-platform/aqs, "Page views"; foundation.wikimedia.org, "User-Agent policy".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote, unquote, urlsplit

from monitor.model import Capture, Context, Count, Http, LayoutChanged, Measure, Parsed, Series, Source, slug
from monitor.sources.profiles.answer import REFUSALS, count, number, read_json, refused, said_in

_PROJECT = re.compile(r"[a-z0-9-]+\.[a-z]+(\.org)?")
_ASKED = re.compile(
    r"/per-article/(?P<project>[^/]+)/all-access/user/(?P<article>[^/]+)/daily/(?P<first>[0-9]{8})/(?P<last>[0-9]{8})$"
)
_NAME = "presence-monitor (personal online presence monitor; one request a day; contact: {contact})"
_DAY = "views of the article under this title on this UTC day by people, without known robots, as Wikimedia counts"
_LEFT_OUT = "missing: Wikimedia lists no such day; there were no views, or they are not counted"
_NO_DATA = "missing: Wikimedia has no views of this title in the days asked; check title and project"
_LONGEST = 5000  # days; views are counted since July 2015


@dataclass(frozen=True)
class Wikipedia(Source):
    """Daily page views of articles in Wikipedia, about you or your project, from Wikimedia's open count, daily.

        [[profiles]]
        kind = "wikipedia"
        articles = ["Ada Lovelace"]
        contact = "me@example.org"
        # project = "en.wikipedia", days = 30

    `articles` are titles as shown; each is a source of its own. `project` is the edition. It counts `page_views` per
    UTC day: by people and not by known robots, on all devices, under this very title; views by way of a redirect are
    counted under the title that was followed. No key is needed.

    `contact` is an e-mail address or web page at which Wikimedia can reach you. Its policy asks every program to name
    one in its User-Agent and refuses those that do not; it is sent to Wikimedia only.

    The last `days` days are asked each time, of which the newest numbers stand. A day comes some hours after its end,
    so today is never asked for. The past is kept since July 2015: to have it, set `days` to 5000 for one day.

    A title without any views in these days is answered with 404, as is one that there is not: that is stored as
    `missing`, never as `gone` or 0. So is a day that is left out between others.
    The answer is proven on a recorded one, the refusals are from the documentation: not on a live server.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "wikipedia"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = REFUSALS | {404}

    articles: tuple[str, ...]
    contact: str
    project: str = "en.wikipedia"
    days: int = 30
    url: str = "https://wikimedia.org/api/rest_v1"

    def __post_init__(self) -> None:
        if not self.articles or not all(article.strip() for article in self.articles):
            raise ValueError('wikipedia wants articles = ["Title"]')
        if not _PROJECT.fullmatch(self.project):
            raise ValueError(f'project is an edition such as "en.wikipedia", not "{self.project}"')
        if not re.fullmatch(r"[!-~]+[@.][!-~]+", self.contact) or set("()") & set(self.contact):
            raise ValueError("contact is an e-mail address or a web page, for Wikimedia to reach you")
        if not 1 <= self.days <= _LONGEST:
            raise ValueError(f"days is from 1 to {_LONGEST}")

    def split(self) -> Iterator[tuple[str, Wikipedia]]:
        """One source for each article."""
        for article in self.articles:
            yield slug(article), replace(self, articles=(article,))

    def series(self) -> Series:
        """Wikimedia counts in UTC days."""
        subject = f"{self.project.removesuffix('.org')}/{_title(self.articles[0])}"
        return Series(engine="wikipedia", provider="wikimedia", day_zone="UTC", subject=subject)

    def requests(self, ctx: Context) -> Iterator[Http]:
        """The last days of each article, up to yesterday."""
        last = ctx.now.date() - timedelta(days=1)
        first = last - timedelta(days=self.days - 1)
        headers = (("User-Agent", _NAME.format(contact=self.contact)),)
        base = f"{self.url.rstrip('/')}/metrics/pageviews/per-article/{self.project}/all-access/user"
        for article in self.articles:
            title = quote(_title(article), safe="")
            yield Http(f"{base}/{title}/daily/{first:%Y%m%d}/{last:%Y%m%d}", headers=headers)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the days of the article that was asked for. Raises Blocked and LayoutChanged."""
        asked = _ASKED.search(urlsplit(capture.asked).path)
        if not asked:
            raise LayoutChanged(detail=f"not an address of Wikimedia's count: {capture.asked}")
        project, title = asked["project"].removesuffix(".org"), unquote(asked["article"])
        profile, data = f"wikipedia/{project}/{title}", read_json(capture.body)
        refused(capture, said_in(data, "detail"))
        last = _day(asked["last"] + "00")
        if capture.status == 404:
            if not said_in(data, "detail"):
                raise LayoutChanged(detail="status 404 without Wikimedia's words for it")
            return Parsed((Count(profile, "page_views", "day", last, None, "missing", definition=_NO_DATA),))
        if not isinstance(data, dict) or not isinstance(data.get("items"), list) or not data["items"]:
            raise LayoutChanged(detail="no days")
        return Parsed(tuple(_days(profile, project, title, data["items"], _day(asked["first"] + "00"), last)))


def _title(article: str) -> str:
    return "_".join(article.split())


def _day(stamp: object) -> date:
    """The day of a timestamp, which is written YYYYMMDDHH."""
    try:
        if isinstance(stamp, str) and re.fullmatch(r"[0-9]{10}", stamp):
            return datetime.strptime(stamp, "%Y%m%d%H").date()  # noqa: DTZ007 - a UTC day, as documented
    except ValueError:
        pass
    raise LayoutChanged(detail=f"{str(stamp)[:40]!r} is no day")


def _days(profile: str, project: str, title: str, items: list[Any], first: date, last: date) -> Iterator[Count]:
    """The days listed; one left out between them is missing, for it may be one without views or one not counted."""
    days: dict[date, int | None] = {}
    for item in items:
        if not isinstance(item, dict) or (item.get("project"), item.get("article")) != (project, title):
            raise LayoutChanged(detail=f"a row that is not of {title} in {project}")
        day = _day(item.get("timestamp"))
        if day in days or not first <= day <= last:
            raise LayoutChanged(detail=f"{day} is listed twice, or was not asked for")
        days[day] = number(item, "views")
    for n in range((max(days) - min(days)).days + 1):
        day = min(days) + timedelta(days=n)
        definition = _DAY if day in days else _LEFT_OUT
        yield count(profile, "page_views", "day", day, days.get(day), definition, overlap="newest")
