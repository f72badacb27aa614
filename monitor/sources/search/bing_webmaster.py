"""What Bing says it showed of the owner's own site (Bing Webmaster API, GetQueryStats)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from monitor.model import Blocked, Capture, Context, Http, LayoutChanged, Measure, Parsed, Secret, Series, Shown, Source

_KEY = Secret(env="BING_WEBMASTER_KEY")
_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


@dataclass(frozen=True)
class BingWebmaster(Source):
    """What Bing's own console says of your site: impressions, clicks and mean position by query, week by week.

    It costs nothing: verify the site in Bing Webmaster Tools and make an API key there. It is kept apart from measured
    ranks (view `shown_by_engine`) and never merged with them: a mean over the times it was shown is not a place.

    What it cannot say: anything of pages that are not on your site, and queries that Bing leaves out: no row is not
    "not ranked". Bing renews these numbers about weekly, and does not document the unit of its positions: compare one
    query by hand before you trust them.

    Keys: `site`, as verified, `https://example.org/`; `key`, where the API key is kept; `url`, where to ask.
    From the documentation, not proven on the live service.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "bing_webmaster"

    site: str
    key: Secret = _KEY
    url: str = "https://ssl.bing.com/webmaster/api.svc/json/GetQueryStats"

    def series(self) -> Series:
        """The site's series."""
        return Series(provider="bing", subject=self.site, day_zone="UTC")

    def requests(self, ctx: Context) -> Iterable[Http]:
        """One call: all queries and weeks that Bing keeps."""
        yield Http(self.url, params=(("siteUrl", self.site), ("apikey", self.key)))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the rows. An empty list is Bing's word that nothing was shown."""
        try:
            answer = json.loads(capture.body)
        except ValueError:
            raise LayoutChanged(detail="not JSON") from None
        if isinstance(answer, dict) and "ErrorCode" in answer:
            raise Blocked("denied", str(answer.get("Message", ""))[:80])
        rows = answer.get("d") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise LayoutChanged(detail="no list of rows")
        return Parsed(tuple(_row(row) for row in rows), none=not rows)


def _row(row: Any) -> Shown:
    try:
        when = _DATE.fullmatch(row["Date"])
        if when is None:
            raise LayoutChanged(detail="a date in another form")
        return Shown(
            day=datetime.fromtimestamp(int(when[1]) / 1000, UTC).date(),
            query=str(row["Query"]),
            page="",
            clicks=int(row["Clicks"]),
            impressions=int(row["Impressions"]),
            position=float(row["AvgImpressionPosition"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise LayoutChanged(detail="a row in another form") from None
