"""GoatCounter: visits by its script or its import of logs, daily, from its API.

Facts: answers of GoatCounter 2.7.0 recorded from a server of our own, and its help page on the API.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from monitor.model import (
    Blocked,
    Capture,
    Context,
    Http,
    LayoutChanged,
    Measure,
    Pairs,
    Parsed,
    Secret,
    Series,
    Source,
)
from monitor.sources.page_views import daily
from monitor.sources.page_views.daily import Views, Window

_LONGEST_TOP = 30  # days of paths in one answer


@dataclass(frozen=True)
class GoatCounter(Source):
    """Visits from GoatCounter, your own or goatcounter.com, daily.

        [[page_views]]
        kind = "goatcounter"
        url = "https://example.goatcounter.com"
        timezone = "Europe/Berlin"
        key = { env = "GOATCOUNTER_TOKEN" }

    It counts `goatcounter visits`: the first load of a path in a session of 8 hours, events among them. Loads of the
    same path again are not kept by GoatCounter, so this is fewer than page views; visitors it does not say.

    `key` names an API token with the right "Read statistics" (on the web page, user menu, API). With "Read sites" too
    the first day is known, and the past is read through to it; without it the past is read back as long as 30 days show
    any visit. `since` is the first day to ask for.

    GoatCounter counts days in the time zone of the user who owns the token; `timezone` must be the same, and that is
    checked. An answer in which a day is missing is not taken. Paths are the 100 with the most visits of the last days,
    as GoatCounter keeps them (`/a/` is `/a`); referrers are the top ones of yesterday.
    """

    measure: ClassVar[Measure] = Measure.PAGE_VIEWS
    kind: ClassVar[str] = "goatcounter"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    rule: ClassVar[str] = "goatcounter visits"
    reads_status: ClassVar[frozenset[int]] = frozenset({403})

    url: str
    timezone: str
    key: Secret
    since: date | None = None
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        daily.zone_of(self.timezone)

    @property
    def _zone(self) -> ZoneInfo:
        return daily.zone_of(self.timezone)

    def series(self) -> Series:
        """The site's series, in the days of the token's user."""
        return Series(day_zone=self.timezone, subject=urlsplit(self.url).hostname or self.url)

    def requests(self, ctx: Context) -> Iterator[Http]:
        """Whose token it is, since when there are visits, the top paths and referrers, and the last days."""
        now = daily.local_day(ctx, self._zone)
        window = daily.recent(ctx, now, self.since)
        yesterday = now - daily.DAY
        yield self._http("/me")
        yield self._http("/sites")
        top = Window(max(min(window.first, yesterday), yesterday - (_LONGEST_TOP - 1) * daily.DAY), yesterday)
        yield self._http("/stats/hits", top, (("limit", str(daily.TOP)),))
        yield self._http("/stats/toprefs", Window(yesterday, yesterday), (("limit", str(daily.TOP)),))
        yield self._http("/stats/total", window)

    def _http(self, path: str, window: Window | None = None, more: Pairs = ()) -> Http:
        """A question; days as the UTC instants of local midnights, for with an offset the first day is lost."""
        params: Pairs = ()
        if window:
            end = daily.after_end(window, self._zone) - timedelta(seconds=1)
            params = (("start", _instant(daily.midnight(window.first, self._zone))), ("end", _instant(end)))
        headers = (("Content-Type", "application/json"), ("Authorization", replace(self.key, prefix="Bearer ")))
        return Http(f"{self.url.rstrip('/')}/api/v0{path}", params + more, headers)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer, known by the path that was asked. Raises Blocked and LayoutChanged."""
        path, fields = daily.asked(capture)
        what = path.rpartition("/")[2]
        if capture.status == 403:
            if what == "sites":  # a right that is good to have, and not needed
                return Parsed(none=True)
            raise Blocked("denied", 'the token needs the right "Read statistics"')
        answer = daily.read_json(capture)
        if not isinstance(answer, dict):
            raise LayoutChanged(detail="no object")
        if what == "me":
            return self._me(answer)
        if what == "sites":
            daily.rows(answer.get("sites"), "sites")
            return Parsed(none=True)
        window = daily.asked_window(fields.get("start", ""), fields.get("end", ""), self._zone)
        if what == "hits":
            return daily.parsed(daily.paths(_hits(answer, window)))
        if what == "toprefs":
            found = (
                (window.first, _name(row), daily.number(row, "count")) for row in daily.rows(answer.get("stats"), what)
            )
            return daily.parsed(daily.referrers(found, self.hosts))
        return self._total(answer, window, ctx)

    def _me(self, answer: dict[str, Any]) -> Parsed:
        user = answer.get("user")
        settings = user.get("settings") if isinstance(user, dict) else None
        zone = settings.get("timezone") if isinstance(settings, dict) else None
        if not isinstance(zone, str):
            raise LayoutChanged(detail="no time zone of the user")
        name = zone.partition(".")[2] or zone  # "DE.Europe/Berlin", ".UTC"
        if name != self.timezone:
            said = f"GoatCounter counts in {daily.clean(name)[:60]}, timezone says {self.timezone}: make them the same"
            return Parsed(doubt="bad_request", note=said)
        return Parsed(none=True)

    def _start(self, ctx: Context) -> date | None:
        """The day of the first visit, where the token may read it and it is plain which site is meant."""
        for capture in ctx.earlier:
            if daily.asked(capture)[0].endswith("/sites") and capture.status == 200:
                answer = daily.read_json(capture)
                sites = daily.rows(answer.get("sites") if isinstance(answer, dict) else None, "sites")
                host = urlsplit(self.url).hostname or ""
                meant = [site for site in sites if host in (site.get("cname"), f"{site.get('code')}.goatcounter.com")]
                one = meant[0] if meant else sites[0] if len(sites) == 1 else {}
                return self._kept_since(one, ctx)
        return None

    def _kept_since(self, site: dict[str, Any], ctx: Context) -> date | None:
        """The first visit's day, or the first that the site's data retention leaves: before it, 0 means deleted."""
        settings = site.get("setttings") or site.get("settings")  # three t in 2.7.0
        days = settings.get("data_retention") if isinstance(settings, dict) else None
        first = daily.day_of(site["first_hit_at"], self._zone) if site.get("first_hit_at") else None
        if first and type(days) is int and 0 < days < 100_000:
            return max(first, daily.local_day(ctx, self._zone) - (days - 1) * daily.DAY)
        return first

    def _total(self, answer: dict[str, Any], window: Window, ctx: Context) -> Parsed:
        found = dict(_of_days(answer))
        if missing := [day for n in range(window.days) if (day := window.first + n * daily.DAY) not in found]:
            raise LayoutChanged(detail=f"{missing[0]} is missing, as with another time zone of the user")
        start = self._start(ctx)
        shown = [day for day, visits in found.items() if visits]
        known = (start, min(shown, default=None), ctx.covered[0] if ctx.covered else None)
        begin = min((day for day in known if day), default=None)
        seen: dict[date, Views] = {day: (n, None) for day, n in found.items() if begin and day >= begin}
        records = daily.whole(seen, window, ctx, daily.local_day(ctx, self._zone), start, zero=(0, None))
        before = daily.older(ctx, window, self.since, start)
        return daily.parsed(records, next=self._http("/stats/total", before) if before else None)


def _of_days(answer: dict[str, Any]) -> Iterator[tuple[date, int]]:
    for row in daily.rows(answer.get("stats"), "days"):
        yield daily.day_of(daily.text(row, "day")), daily.number(row, "daily")


def _hits(answer: dict[str, Any], window: Window) -> Iterator[tuple[date, str, Views]]:
    for hit in daily.rows(answer.get("hits"), "hits"):
        path = daily.text(hit, "path")
        for day, visits in _of_days(hit):
            if day not in window:
                raise LayoutChanged(detail=f"{day} was not asked for")
            if not hit.get("event"):
                yield day, path, (visits, None)


def _name(row: dict[str, Any]) -> str:
    return daily.text(row, "name")


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
