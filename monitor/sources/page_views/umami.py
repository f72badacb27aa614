"""Umami: page views by its script, daily, from its API.

Facts: answers of Umami 3.1.0 recorded from a server of our own, and its source (app/api/websites, lib/date.ts).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from monitor.model import Blocked, Capture, Context, Http, LayoutChanged, Measure, Pairs, Parsed, Secret, Series, Source
from monitor.sources.page_views import daily
from monitor.sources.page_views.daily import Views, Window


@dataclass(frozen=True)
class Umami(Source):
    """Page views from Umami 2 or 3, your own or Umami Cloud, daily.

        [[page_views]]
        kind = "umami"
        site = "b2d6b3a9-0000-4000-8000-000000000000"
        timezone = "Europe/Berlin"
        url = "https://umami.example.org"
        key = { env = "UMAMI_TOKEN" }

    It counts `umami pageviews`: loads that its script saw, without known bots, and without those who block it. Visitors
    are the sessions of a day; days do not add up.

    `site` is the website's id, as in Umami's settings. `key` names a token, which Umami gives once for a login and
    which does not run out (POST /api/auth/login with username and password; it is `token` in the answer); it ends when
    the server's APP_SECRET changes. For Umami Cloud it is an API key, with `auth = "api_key"` and its own `url`.
    `timezone` says where days begin. `since` is the first day to ask for; else the past is read back to the first view,
    30 days a reading.

    An unknown site is an error and never 0. Days in another zone than asked, as some versions send, are not taken.
    Paths and referrers are those of yesterday, by page views, and need Umami 3; a day on which nothing was asked has
    none. The site's numbers, paths and referrers were proven against recorded answers of 3.1.0, except that referrers
    by page views are asked as paths are; version 2 is read by its documentation.
    """

    measure: ClassVar[Measure] = Measure.PAGE_VIEWS
    kind: ClassVar[str] = "umami"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    rule: ClassVar[str] = "umami pageviews"
    reads_status: ClassVar[frozenset[int]] = frozenset({400, 404})

    site: str
    timezone: str
    url: str
    key: Secret
    auth: Literal["token", "api_key"] = "token"
    since: date | None = None
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        daily.zone_of(self.timezone)

    @property
    def _zone(self) -> ZoneInfo:
        return daily.zone_of(self.timezone)

    def series(self) -> Series:
        """The site's series, in days of the zone asked for."""
        return Series(day_zone=self.timezone, subject=self.site)

    def requests(self, ctx: Context) -> Iterator[Http]:
        """Whether there is such a site, since when it has views, yesterday's paths and referrers, and the last days."""
        now = daily.local_day(ctx, self._zone)
        yesterday = Window(now - daily.DAY, now - daily.DAY)
        yield self._http("")
        yield self._http("/daterange")
        for kind in ("path", "referrer"):
            what = (("type", kind), ("limit", str(daily.TOP)))
            yield self._http("/metrics/expanded", self._span(yesterday) + what)
        yield self._series(daily.recent(ctx, now, self.since))

    def _series(self, window: Window) -> Http:
        return self._http("/pageviews", (*self._span(window), ("unit", "day"), ("timezone", self.timezone)))

    def _span(self, window: Window) -> Pairs:
        end = daily.after_end(window, self._zone) - timedelta(milliseconds=1)
        return (("startAt", _milliseconds(daily.midnight(window.first, self._zone))), ("endAt", _milliseconds(end)))

    def _http(self, path: str, params: Pairs = ()) -> Http:
        header = (
            ("x-umami-api-key", self.key)
            if self.auth == "api_key"
            else ("Authorization", replace(self.key, prefix="Bearer "))
        )
        where = f"{self.url.rstrip('/')}/api/websites/{quote(self.site, safe='')}{path}"
        return Http(where, params, (("Accept", "application/json"), header))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer, known by the path that was asked. Raises Blocked and LayoutChanged."""
        path, fields = daily.asked(capture)
        if path.endswith(("/daterange", "/metrics/expanded")):
            if capture.status in (400, 404):  # an older Umami has no such page, and the days do not need it
                return Parsed(none=True)
            answer = daily.read_json(capture)
            return Parsed(none=True) if path.endswith("/daterange") else self._top(answer, fields)
        if capture.status in (400, 404):
            reason = "bad_request" if capture.status == 400 else "not_found"
            return Parsed(doubt=reason, note=f"status {capture.status}")
        answer = daily.read_json(capture)
        if isinstance(answer, dict) and "error" in answer:
            raise Blocked("denied", "an error in place of an answer")
        if path.endswith("/pageviews"):
            return self._days(answer, fields, ctx)
        return self._site(answer)

    def _site(self, answer: Any) -> Parsed:
        if answer is None:
            return Parsed(doubt="not_found", note=f"no website {self.site}")
        if not isinstance(answer, dict) or str(answer.get("id")).casefold() != self.site.casefold():
            raise LayoutChanged(detail="not this website")
        return Parsed(none=True)

    def _said(self, ctx: Context, *names: str) -> date | None:
        """The earliest local day that the answers before this one give under any of these names."""
        answers = [daily.read_json(capture) for capture in ctx.earlier if capture.status == 200]
        found = [answer.get(name) for answer in answers if isinstance(answer, dict) for name in names]
        return min((daily.day_of(text, self._zone) for text in found if text), default=None)

    def _days(self, answer: Any, fields: dict[str, str], ctx: Context) -> Parsed:
        """The site's days. What was before its numbers were last reset is gone, and not 0: the day itself is cut."""
        window = daily.asked_window(fields.get("startAt", ""), fields.get("endAt", ""), self._zone)
        if not isinstance(answer, dict):
            raise LayoutChanged(detail="no days")
        views, people = (self._by_day(answer.get(name), name) for name in ("pageviews", "sessions"))
        seen: dict[date, Views] = {day: (views.get(day, 0), people.get(day, 0)) for day in views.keys() | people.keys()}
        reset, start = self._said(ctx, "resetAt"), self._said(ctx, "createdAt", "startDate")
        if reset:
            start = reset + daily.DAY
        found = daily.whole(seen, window, ctx, daily.local_day(ctx, self._zone), start)
        before = daily.older(ctx, window, self.since, start)
        records = (site for site in found if not reset or site.day > reset)
        return daily.parsed(records, next=self._series(before) if before else None)

    def _by_day(self, value: object, name: str) -> dict[date, int]:
        found: dict[date, int] = {}
        for row in daily.rows(value, name):
            day = self._day(row.get("x"))
            if day in found:
                raise LayoutChanged(detail=f"{day} stands there twice")
            found[day] = daily.number(row, "y")
        return found

    def _day(self, value: object) -> date:
        """A local day as written ("2026-11-18 00:00:00"), or the instant it begins (3.4: "2026-11-17T23:00:00Z").

        Raises LayoutChanged for an instant that begins no local day: those are the days of another zone.
        """
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            raise LayoutChanged(detail=f"{str(value)[:40]!r} is no day") from None
        local = at.astimezone(self._zone) if at.tzinfo else at
        if at.tzinfo and daily.midnight(local.date(), self._zone) != at:
            raise LayoutChanged(detail=f"{str(value)[:40]!r} begins no day in {self.timezone}")
        if not at.tzinfo and (local.hour, local.minute, local.second) != (0, 0, 0):
            raise LayoutChanged(detail=f"{str(value)[:40]!r} is no whole day")
        return local.date()

    def _top(self, answer: Any, fields: dict[str, str]) -> Parsed:
        window = daily.asked_window(fields.get("startAt", ""), fields.get("endAt", ""), self._zone)
        if window.days != 1:
            raise LayoutChanged(detail="asked for more than one day")
        kind = fields.get("type", "")
        found = [
            (daily.clean(str(row.get("name") or "")), (daily.number(row, "pageviews"), daily.number(row, "visitors")))
            for row in daily.rows(answer, kind)
        ]
        if kind == "referrer":
            return daily.parsed(daily.referrers(((window.first, name, n) for name, (n, _) in found), self.hosts))
        return daily.parsed(daily.paths((window.first, name, counts) for name, counts in found if name))


def _milliseconds(at: datetime) -> str:
    return str(round(at.timestamp() * 1000))
