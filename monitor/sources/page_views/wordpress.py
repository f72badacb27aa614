"""WordPress.com and Jetpack Stats: page views, daily, from the WordPress.com REST API v1.1.

Facts: developer.wordpress.com/docs/api, and the recorded mock answers of WordPress's own apps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from monitor.model import Blocked, Capture, Context, Http, LayoutChanged, Measure, Pairs, Parsed, Secret, Series, Source
from monitor.sources.page_views import daily
from monitor.sources.page_views.daily import DAY, Views, Window


@dataclass(frozen=True)
class WordPress(Source):
    """Page views from a blog on WordPress.com, or on a server of your own with Jetpack Stats, daily.

        [[page_views]]
        kind = "wordpress"
        site = "example.wordpress.com"
        timezone = "Europe/Berlin"
        key = { env = "WORDPRESS_TOKEN" }

    It counts `wordpress views`: loads that the pixel of WordPress.com saw, without those of logged-in authors; robots
    were among them at times. Visitors are of one day each; days do not add up.

    `site` is the blog's host name or number. `key` names an OAuth2 token of WordPress.com of a user who may see its
    statistics. `timezone` must be that of the blog's settings; a named zone there is checked, a plain offset cannot be.
    `since` is the first day to ask for; else the past is read back to the day the blog was made.

    A blog that is not known, or without statistics, is an error and never 0. Yesterday is not called complete. Paths
    and referrers are those of the last three days.
    From the documentation, not proven on a live server.
    """

    measure: ClassVar[Measure] = Measure.PAGE_VIEWS
    kind: ClassVar[str] = "wordpress"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    rule: ClassVar[str] = "wordpress views"

    site: str
    timezone: str
    key: Secret
    since: date | None = None
    hosts: tuple[str, ...] = ()
    url: str = "https://public-api.wordpress.com"

    def __post_init__(self) -> None:
        daily.zone_of(self.timezone)

    @property
    def _zone(self) -> ZoneInfo:
        return daily.zone_of(self.timezone)

    def series(self) -> Series:
        """The blog's series, in its own days."""
        return Series(day_zone=self.timezone, subject=self.site)

    def requests(self, ctx: Context) -> Iterator[Http]:
        """The blog, the top posts and referrers of the last days, and the days themselves."""
        now = daily.local_day(ctx, self._zone)
        yield self._http("", (("fields", "ID,URL,options"),))
        for what in ("top-posts", "referrers"):
            last = (("period", "day"), ("date", (now - DAY).isoformat()), ("num", "3"), ("max", str(daily.TOP)))
            yield self._http(f"/stats/{what}", last)
        yield self._days(daily.recent(ctx, now, self.since))

    def _days(self, window: Window) -> Http:
        span = (("unit", "day"), ("quantity", str(window.days)), ("date", window.last.isoformat()))
        return self._http("/stats/visits", (*span, ("stat_fields", "views,visitors")))

    def _http(self, path: str, params: Pairs) -> Http:
        where = f"{self.url.rstrip('/')}/rest/v1.1/sites/{quote(self.site, safe='')}{path}"
        return Http(where, params, (("Authorization", replace(self.key, prefix="Bearer ")),))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer, known by the path that was asked. Raises Blocked and LayoutChanged."""
        path, fields = daily.asked(capture)
        answer = daily.read_json(capture)
        if not isinstance(answer, dict):
            raise LayoutChanged(detail="no object")
        if isinstance(answer.get("error"), str):
            raise Blocked("denied", "an error in place of an answer")
        if path.endswith("/stats/visits"):
            return self._visits(answer, fields, ctx)
        if path.endswith("/stats/top-posts"):
            return daily.parsed(daily.paths(_posts(answer)))
        if path.endswith("/stats/referrers"):
            return daily.parsed(daily.referrers(_groups(answer), self.hosts))
        return self._blog(answer)

    def _blog(self, answer: dict[str, Any]) -> Parsed:
        if "ID" not in answer:
            raise LayoutChanged(detail="no blog")
        zone = _options(answer).get("timezone")
        if isinstance(zone, str) and "/" in zone and zone != self.timezone:
            said = f"the blog counts in {daily.clean(zone)[:60]}, timezone says {self.timezone}"
            return Parsed(doubt="bad_request", note=f"{said}: make them the same")
        return Parsed(none=True)

    def _start(self, ctx: Context) -> date | None:
        for capture in ctx.earlier:
            answer = daily.read_json(capture)
            if isinstance(answer, dict) and "ID" in answer and (made := _options(answer).get("created_at")):
                return daily.day_of(made, self._zone)
        return None

    def _visits(self, answer: dict[str, Any], fields: dict[str, str], ctx: Context) -> Parsed:
        last = daily.day_of(fields.get("date"))
        quantity = daily.number(fields, "quantity")
        if not 1 <= quantity <= 1000:
            raise LayoutChanged(detail="asked for no days")
        window = Window(last - (quantity - 1) * DAY, last)
        found = _table(answer)
        start = self._start(ctx)
        shown = min((day for day, (views, _) in found.items() if views), default=None)
        known = (start, shown, ctx.covered[0] if ctx.covered else None)
        begin = min((day for day in known if day), default=None)
        seen = {day: views for day, views in found.items() if day not in window or (begin and day >= begin)}
        records = daily.whole(seen, window, ctx, daily.local_day(ctx, self._zone), start, late=1)
        before = daily.older(ctx, window, self.since, start)
        return daily.parsed(records, next=self._days(before) if before else None)


def _options(answer: dict[str, Any]) -> dict[str, Any]:
    options = answer.get("options")
    return options if isinstance(options, dict) else {}


def _table(answer: dict[str, Any]) -> dict[date, Views]:
    """Rows whose columns are named apart. Raises LayoutChanged."""
    names, data = answer.get("fields"), answer.get("data")
    if not isinstance(names, list) or not isinstance(data, list) or not {"period", "views"} <= {*map(str, names)}:
        raise LayoutChanged(detail="no table of days")
    found: dict[date, Views] = {}
    for line in data:
        if not isinstance(line, list) or len(line) != len(names):
            raise LayoutChanged(detail="a row in another form")
        row = dict(zip(map(str, names), line, strict=True))
        people = daily.number(row, "visitors") if "visitors" in row else None
        found[daily.day_of(row["period"])] = (daily.number(row, "views"), people)
    return found


def _of_days(answer: dict[str, Any], name: str) -> Iterator[tuple[date, dict[str, Any]]]:
    days = answer.get("days")
    if days == []:  # how PHP writes an empty object
        return
    if not isinstance(days, dict):
        raise LayoutChanged(detail="no days")
    for key, value in days.items():
        for row in daily.rows(value.get(name) if isinstance(value, dict) else None, name):
            yield daily.day_of(key), row


def _posts(answer: dict[str, Any]) -> Iterator[tuple[date, str, Views]]:
    for day, row in _of_days(answer, "postviews"):
        try:
            path = urlsplit(row["href"]).path if isinstance(row.get("href"), str) else ""
        except ValueError:
            path = ""
        yield day, daily.clean(path) or "/", (daily.number(row, "views"), None)


def _groups(answer: dict[str, Any]) -> Iterator[tuple[date, str, int]]:
    for day, row in _of_days(answer, "groups"):
        name = row.get("url") if isinstance(row.get("url"), str) else row.get("name")
        yield day, daily.clean(str(name or "")), daily.number(row, "total" if "total" in row else "views")
