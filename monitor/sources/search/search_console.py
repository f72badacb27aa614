"""What Google says it showed of the owner's own site (Search Console API, searchAnalytics.query)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

from monitor.model import Capture, Context, Http, LayoutChanged, Measure, Parsed, Secret, Series, Shown, Source

_ROWS = 25_000  # the most one answer holds


@dataclass(frozen=True)
class SearchConsole(Source):
    """What Google's own console says of your site: clicks, impressions and mean position by day, query and page.

    It costs nothing: verify the site in Search Console and let a service account read it (its JSON file is the `key`),
    or use an OAuth token file. Days are Pacific time, late by two to three days, and the newest still change: they are
    asked again each day, and marked until Google calls them final.

    It is kept apart from measured ranks (view `shown_by_engine`) and never merged with them: the position is a mean
    over the times your topmost link was shown.

    What it cannot say: anything of pages that are not on your site; and rare queries, a private person's name among
    them, are left out as anonymous: no row is not "not ranked". Since September 2025 Google no longer shows 100 results
    a page, which cut impressions and bettered mean positions without any move.

    Keys: `site`, as in Search Console, `https://example.org/` or `sc-domain:example.org`; `key`, the file; `days`, how
    many days back are asked each time, 1 to 480; `url`, where to ask. From the documentation, not proven on the live
    service.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "search_console"

    site: str
    key: Secret
    days: int = 28
    url: str = "https://searchconsole.googleapis.com"

    def __post_init__(self) -> None:
        if not 1 <= self.days <= 480:
            raise ValueError("days is 1 to 480: Search Console keeps 16 months")

    def series(self) -> Series:
        """The site's series, in Pacific days."""
        return Series(provider="google", subject=self.site, day_zone="America/Los_Angeles")

    def requests(self, ctx: Context) -> Iterable[Http]:
        """One question for the last days, all queries and pages."""
        yield self._question(ctx, 0)

    def _question(self, ctx: Context, start: int) -> Http:
        body = {
            "startDate": (ctx.day - timedelta(days=self.days)).isoformat(),
            "endDate": ctx.day.isoformat(),
            "dimensions": ["date", "query", "page"],
            "rowLimit": _ROWS,
            "startRow": start,
            "dataState": "all",
        }
        where = f"{self.url}/webmasters/v3/sites/{quote(self.site, safe='')}/searchAnalytics/query"
        key = replace(self.key, prefix="Bearer ", exchange="google")
        return Http(where, headers=(("Authorization", key),), json=json.dumps(body, separators=(",", ":")))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the rows; a full answer leads to the next rows."""
        try:
            answer = json.loads(capture.body)
        except ValueError:
            raise LayoutChanged(detail="not JSON") from None
        if not isinstance(answer, dict) or not ({"rows", "responseAggregationType"} & answer.keys()):
            raise LayoutChanged(detail="not an answer of searchAnalytics")
        rows = answer.get("rows", [])
        open_from = str((answer.get("metadata") or {}).get("firstIncompleteDate") or (ctx.day - timedelta(days=3)))
        shown = tuple(_row(row, open_from) for row in rows)
        following = self._question(ctx, ctx.page * _ROWS) if len(rows) == _ROWS else None
        return Parsed(shown, none=not shown, next=following)


def _row(row: Any, open_from: str) -> Shown:
    try:
        day, query, page = row["keys"]
        return Shown(
            day=date.fromisoformat(day),
            query=str(query),
            page=str(page),
            clicks=int(row["clicks"]),
            impressions=int(row["impressions"]),
            position=float(row["position"]),
            final=day < open_from,
        )
    except (KeyError, TypeError, ValueError):
        raise LayoutChanged(detail="a row in another form") from None
