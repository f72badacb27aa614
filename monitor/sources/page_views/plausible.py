"""Plausible: page views by its script, daily, from its Stats API v2 (plausible.io/docs/stats-api)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from monitor.model import Blocked, Capture, Context, Http, LayoutChanged, Measure, Parsed, Secret, Series, Source
from monitor.sources.page_views import daily
from monitor.sources.page_views.daily import DAY, Views, Window

_MONTH = 31 * DAY


@dataclass(frozen=True)
class Plausible(Source):
    """Page views from Plausible, plausible.io or the Community Edition, daily.

        [[page_views]]
        kind = "plausible"
        site = "example.org"
        timezone = "Europe/Berlin"
        key = { env = "PLAUSIBLE_KEY" }
        # url = "https://plausible.example.org"

    It counts `plausible pageviews`: loads that its script saw, without known bots and data centres, and without those
    who block it. Visitors are of one day each; days do not add up. Imported statistics are not asked for.

    `site` is the site as Plausible names it. `key` names an API key (Settings, API keys; plausible.io sells the Stats
    API with its Business plan). `timezone` must be that of the site's settings, which the API does not say: it counts
    days by it. `since` is the first day to ask for; else the past is read back to the first view, 30 days a reading.

    An unknown site or a wrong key is refused, never 0. Paths and sources are those of the last days, by page views.
    From the documentation, not proven on a live server.
    """

    measure: ClassVar[Measure] = Measure.PAGE_VIEWS
    kind: ClassVar[str] = "plausible"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    rule: ClassVar[str] = "plausible pageviews"

    site: str
    timezone: str
    key: Secret
    since: date | None = None
    hosts: tuple[str, ...] = ()
    url: str = "https://plausible.io"

    def __post_init__(self) -> None:
        daily.zone_of(self.timezone)

    @property
    def _zone(self) -> ZoneInfo:
        return daily.zone_of(self.timezone)

    def series(self) -> Series:
        """The site's series, in the days of its settings."""
        return Series(day_zone=self.timezone, subject=self.site)

    def requests(self, ctx: Context) -> Iterator[Http]:
        """In which months there were views, the paths and sources of the last days, and the days themselves."""
        now = daily.local_day(ctx, self._zone)
        window = daily.recent(ctx, now, self.since)
        last = Window(max(min(window.first, now - DAY), now - 4 * DAY), now - DAY)
        yield self._query("all", ["time:month"], ["pageviews"])
        for dimension, metrics in (("event:page", ["pageviews", "visitors"]), ("visit:source", ["pageviews"])):
            yield self._query(last, ["time:day", dimension], metrics, daily.TOP * last.days)
        yield self._days(window)

    def _days(self, window: Window) -> Http:
        return self._query(window, ["time:day"], ["pageviews", "visitors"])

    def _query(self, span: Window | str, dimensions: list[str], metrics: list[str], limit: int = 0) -> Http:
        body: dict[str, object] = {
            "date_range": span if isinstance(span, str) else [span.first.isoformat(), span.last.isoformat()],
            "dimensions": dimensions,
            "metrics": metrics,
        }
        if limit:
            body |= {"order_by": [["pageviews", "desc"]], "pagination": {"limit": limit}}
        body["site_id"] = self.site  # last: of a long body only the beginning is kept beside the address
        headers = (("Authorization", replace(self.key, prefix="Bearer ")),)
        return Http(f"{self.url.rstrip('/')}/api/v2/query", (), headers, json=json.dumps(body, separators=(",", ":")))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer, known by the question beside its address. Raises Blocked and LayoutChanged."""
        answer = daily.read_json(capture)
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            raise Blocked("denied", "an error in place of an answer")
        span, dimensions = _question(capture)
        found = _rows(answer, len(dimensions))
        if dimensions == ["time:month"]:
            return Parsed(none=True)
        days = [(daily.day_of(row[0][0]), row[0][1:], row[1]) for row in found]
        if strange := [day for day, _, _ in days if day not in span]:
            raise LayoutChanged(detail=f"{strange[0]} was not asked for")
        if dimensions == ["time:day", "event:page"]:
            return daily.parsed(daily.paths((day, names[0], _views(counts)) for day, names, counts in days))
        if dimensions == ["time:day", "visit:source"]:
            named = ((day, names[0], _views(counts)[0]) for day, names, counts in days)
            return daily.parsed(daily.referrers(named, self.hosts))
        return self._site({day: _views(counts) for day, _, counts in days}, span, ctx)

    def _site(self, seen: dict[date, Views], window: Window, ctx: Context) -> Parsed:
        month = _first_month(ctx)
        surely = (month + _MONTH).replace(day=1) if month else None  # by then its first month was over
        records = daily.whole(seen, window, ctx, daily.local_day(ctx, self._zone), surely)
        before = daily.older(ctx, window, self.since, month)
        return daily.parsed(records, next=self._days(before) if before else None)


def _first_month(ctx: Context) -> date | None:
    """The first month that had any views, by the first answer of this reading."""
    for capture in ctx.earlier:
        if _question(capture)[1] == ["time:month"]:
            found = _rows(daily.read_json(capture), 1)
            return min((daily.day_of(names[0]) for names, counts in found if _views(counts)[0]), default=None)
    return None


def _question(capture: Capture) -> tuple[Window, list[str]]:
    """The days and the dimensions that were asked for, from the JSON body behind the address."""
    try:
        body = json.loads(capture.asked.partition(" POST ")[2])
        span = body["date_range"]
        window = Window(date.min, date.max) if span == "all" else daily.asked_window(*span)
        return window, list(body["dimensions"])
    except (ValueError, KeyError, TypeError):
        raise LayoutChanged(detail="the question is not known any more") from None


def _rows(answer: Any, dimensions: int) -> list[tuple[list[str], list[Any]]]:
    found: list[tuple[list[str], list[Any]]] = []
    for row in daily.rows(answer.get("results") if isinstance(answer, dict) else None, "results"):
        names, counts = row.get("dimensions"), row.get("metrics")
        if not isinstance(names, list) or not isinstance(counts, list) or len(names) != dimensions:
            raise LayoutChanged(detail="a row in another form")
        if not all(isinstance(name, str) for name in names):
            raise LayoutChanged(detail="a row in another form")
        found.append(([daily.clean(name) for name in names], counts))
    return found


def _views(counts: list[Any]) -> Views:
    row = dict(zip(("pageviews", "visitors"), counts, strict=False))
    return daily.number(row, "pageviews"), daily.number(row, "visitors") if "visitors" in row else None
