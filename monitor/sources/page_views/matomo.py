"""Matomo: page views by its script or its import of logs, daily, from its Reporting API.

Facts: developer.matomo.org/api-reference/reporting-api, and the tests of Matomo's JSON renderer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from monitor.model import Blocked, Capture, Context, Http, LayoutChanged, Measure, Parsed, Secret, Series, Source
from monitor.sources.page_views import daily
from monitor.sources.page_views.daily import DAY, Views, Window

_REFUSED = re.compile(r"access|token|permission|logged|password|authenti", re.IGNORECASE)
_TOP = {
    "Actions.getPageUrls": "nb_hits",
    "Referrers.getWebsites": "nb_visits",
    "Referrers.getSocials": "nb_visits",
    "Referrers.getSearchEngines": "nb_visits",
}


@dataclass(frozen=True)
class Matomo(Source):
    """Page views from Matomo, your own, in the cloud or as WordPress plugin, daily.

        [[page_views]]
        kind = "matomo"
        site = 1
        timezone = "Europe/Berlin"
        url = "https://matomo.example.org"
        key = { env = "MATOMO_TOKEN" }

    It counts `matomo nb_pageviews`: loads that its script saw or its importer found in logs. Visitors are the unique
    ones of one day; days do not add up.

    `site` is the website's number. `key` names a token (Administration, Personal, Security) of a user with view access;
    it is sent in the body only. `timezone` must be that of the website, and that is checked where the token may read
    it. `since` is the first day to ask for; else the past is read back to the day the website was made.

    A website that cannot be seen, and any answer `"result": "error"`, is an error and never 0. Matomo's numbers are as
    old as its last archiving, so yesterday is not called complete. Paths are by page views, referrers by visits.
    From the documentation, not proven on a live server.
    """

    measure: ClassVar[Measure] = Measure.PAGE_VIEWS
    kind: ClassVar[str] = "matomo"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    rule: ClassVar[str] = "matomo nb_pageviews"

    site: int
    timezone: str
    url: str
    key: Secret
    since: date | None = None
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        daily.zone_of(self.timezone)

    @property
    def _zone(self) -> ZoneInfo:
        return daily.zone_of(self.timezone)

    def series(self) -> Series:
        """The website's series, in its own days."""
        return Series(day_zone=self.timezone, subject=str(self.site))

    def requests(self, ctx: Context) -> Iterator[Http]:
        """The website, the top paths and referrers of the last days, and the days themselves."""
        now = daily.local_day(ctx, self._zone)
        window = daily.recent(ctx, now, self.since)
        last = Window(max(min(window.first, now - DAY), now - 4 * DAY), now - DAY)
        yield self._ask("SitesManager.getSiteFromId")
        for method in _TOP:
            yield self._ask(method, last, flat="1", filter_limit=str(daily.TOP))
        yield self._days(window)

    def _days(self, window: Window) -> Http:
        return self._ask("API.get", window, columns="nb_pageviews,nb_uniq_visitors")

    def _ask(self, method: str, window: Window | None = None, **more: str) -> Http:
        fields = {"module": "API", "method": method, "idSite": str(self.site), "format": "JSON", **more}
        if window:
            fields |= {"period": "day", "date": f"{window.first},{window.last}"}
        return Http(f"{self.url.rstrip('/')}/index.php", form=(*fields.items(), ("token_auth", self.key)))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer, known by the method that was asked. Raises Blocked and LayoutChanged."""
        fields = daily.asked(capture)[1]
        method = fields.get("method", "")
        answer = daily.read_json(capture)
        if isinstance(answer, dict) and answer.get("result") == "error":
            return _error(str(answer.get("message", "")))
        if method == "SitesManager.getSiteFromId":
            return self._site(_site(answer))
        first, _, last = fields.get("date", "").partition(",")
        window = daily.asked_window(first, last)
        days = _by_day(answer, window)
        if method == "API.get":
            return self._total(days, window, ctx)
        found = list(_named(days, method))
        if method == "Actions.getPageUrls":
            return daily.parsed(daily.paths((day, _path(name), (n, None)) for day, name, n in found))
        return daily.parsed(daily.referrers(found, self.hosts))

    def _site(self, site: dict[str, Any]) -> Parsed:
        zone = site.get("timezone")
        if isinstance(zone, str) and zone and zone != self.timezone:
            said = f"Matomo counts this website in {daily.clean(zone)[:60]}, timezone says {self.timezone}"
            return Parsed(doubt="bad_request", note=f"{said}: make them the same")
        return Parsed(none=True)

    def _start(self, ctx: Context) -> date | None:
        for capture in ctx.earlier:
            if daily.asked(capture)[1].get("method") == "SitesManager.getSiteFromId":
                made = _site(daily.read_json(capture)).get("ts_created")
                return daily.day_of(made, self._zone) if made else None
        return None

    def _total(self, days: dict[date, Any], window: Window, ctx: Context) -> Parsed:
        start = self._start(ctx)
        seen = {day: views for day, row in days.items() if (views := _views(row)) is not None}
        records = daily.whole(seen, window, ctx, daily.local_day(ctx, self._zone), start, late=1)
        before = daily.older(ctx, window, self.since, start)
        return daily.parsed(records, next=self._days(before) if before else None)


def _error(said: str) -> Parsed:
    """Matomo's own words of trouble, which are kept with the answer. Raises Blocked for a refusal."""
    if _REFUSED.search(said):
        raise Blocked("denied", "the token may not see this website, or is not known")
    return Parsed(doubt="bad_request", note="an error in place of an answer; its words are kept")


def _site(answer: Any) -> dict[str, Any]:
    """The website; before Matomo 4 in a list of one."""
    site = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
    if not isinstance(site, dict) or "idsite" not in site:
        raise LayoutChanged(detail="no website")
    return site


def _by_day(answer: Any, window: Window) -> dict[date, Any]:
    """What each day says; every day asked for must be there, an empty one as `[]`. Raises LayoutChanged."""
    if not isinstance(answer, dict):
        raise LayoutChanged(detail="no days")
    days = {daily.day_of(key): value for key, value in answer.items()}
    if len(days) != len(answer) or any(day not in window for day in days) or len(days) != window.days:
        raise LayoutChanged(detail="other days than those asked for")
    return days


def _views(row: Any) -> Views | None:
    """The numbers of a day, None for `[]`: whether that is a 0 is for the covered span to say."""
    if row == []:
        return None
    if not isinstance(row, dict):
        raise LayoutChanged(detail="a day in another form")
    people = daily.number(row, "nb_uniq_visitors") if "nb_uniq_visitors" in row else None
    return daily.number(row, "nb_pageviews"), people


def _named(days: dict[date, Any], method: str) -> Iterator[tuple[date, str, int]]:
    for day, found in days.items():
        for row in daily.rows(found, method):
            if row.get("label") == "Others" and "url" not in row:  # the sum of all beyond the top
                continue
            yield day, daily.text(row, "label"), daily.number(row, _TOP[method])


def _path(label: str) -> str:
    """A path as Matomo shows it when flat: "/a/b", "/index", or without the slash at its beginning."""
    return label if label.startswith("/") else f"/{label}"
