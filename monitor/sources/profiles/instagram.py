"""Instagram: followers and, for a professional account, its insights per day.

Facts: developers.facebook.com, "Instagram API with Instagram Login": "Get User Info", "Instagram Account Insights",
"Error codes", "Long-lived access tokens".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from monitor.model import (
    Blocked,
    Capture,
    Context,
    Count,
    Http,
    LayoutChanged,
    Measure,
    Pairs,
    Parsed,
    Secret,
    Series,
    Source,
)
from monitor.sources.profiles.answer import REFUSALS, count, number, read_json, refused, said_in

_ZONE = ZoneInfo("America/Los_Angeles")
_DAY = timedelta(days=1)
_LATE = 3  # days are up to 48 hours late, so each is asked three times
_ABOUT = {
    "followers": ("followers_count", "accounts that follow this account"),
    "following": ("follows_count", "accounts that this account follows"),
    "posts": ("media_count", "posts of this account"),
}
_INSIGHTS = {
    "views": "times that this account's posts, reels and stories were played or shown on this Pacific day",
    "reach": "distinct accounts that saw anything of this account on this Pacific day; days do not add up",
    "profile_views": "times that this account's profile was viewed on this Pacific day",
}
_OTHER = "{metric} of this Pacific day, by Instagram's own definition"
_EMPTY = "missing: Instagram lists nothing for this day; it gives an empty list for none and for not yet counted"
_RETIRED = "missing: Instagram does not accept this question any more; take what it no longer counts out of insights"
_EXPIRED = "its token is not valid: such tokens end after 60 days; make a new one, and renew it before its end"
_RATE = frozenset({4, 17, 32, 613, 80002})
_RIGHTS = frozenset({3, 10, *range(200, 300)})


@dataclass(frozen=True)
class Instagram(Source):
    """Followers of your own professional account on Instagram, and its views, reach and profile views per day, daily.

        [[profiles]]
        kind = "instagram"
        user = "ada.example"
        key = { file = "instagram.token" }
        # insights = ["views", "reach", "profile_views"]

    `followers`, `following` and `posts` are as they stand now; there is no history of them to ask for. Each of
    `insights` is read for the last three full days, since Instagram counts up to 48 hours late, and the newest number
    of a day stands; Instagram's days are Pacific ones. Set `insights = []` to read the first three alone.

    It wants a professional account (business or creator), an app of your own at developers.facebook.com, and as `key` a
    long-lived Instagram user token with `instagram_business_basic` and `instagram_business_manage_insights`. **Such a
    token ends after 60 days**: renew it before (GET /refresh_access_token) into the file, which is read anew each time;
    after that the reading is `blocked` and says so. `user` is your account's name; another name is told in a note.

    Where Instagram has nothing for a day, it gives an empty list and not 0: that is stored as `missing`. "Impressions"
    ended in April 2025 and became `views`, which counts otherwise: the one does not continue the other.
    From the documentation, not proven on a live server.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "instagram"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = REFUSALS | {400}

    user: str
    key: Secret
    insights: tuple[str, ...] = ("views", "reach", "profile_views")
    url: str = "https://graph.instagram.com"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._]{1,30}", self.user):
            raise ValueError(f'user is a name on Instagram without the @, not "{self.user}"')
        for metric in self.insights:
            if not re.fullmatch(r"[a-z_]+", metric):
                raise ValueError(f'insights are names such as "reach", not "{metric}"')

    def series(self) -> Series:
        """Instagram counts in Pacific days."""
        return Series(engine="instagram", provider="instagram", day_zone="America/Los_Angeles", subject=self.user)

    def requests(self, ctx: Context) -> Iterator[Http]:
        """The account, and the insights of its last three full days."""
        fields = ("fields", "user_id,username,followers_count,follows_count,media_count")
        yield self._http("/me", (fields,))
        today = ctx.now.astimezone(_ZONE).date()
        for n in range(_LATE, 0, -1) if self.insights else ():
            since, until = (str(int(_midnight(today - (n - more) * _DAY).timestamp())) for more in (0, 1))
            span: Pairs = (("period", "day"), ("metric_type", "total_value"), ("since", since), ("until", until))
            yield self._http("/me/insights", (("metric", ",".join(self.insights)), *span))

    def _http(self, path: str, params: Pairs) -> Http:
        return Http(self.url.rstrip("/") + path, (*params, ("access_token", self.key)))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer, known by what was asked. Raises Blocked and LayoutChanged."""
        parts = urlsplit(capture.asked)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        of_day = _asked_day(asked) if parts.path.endswith("/me/insights") else None
        if of_day is None and not parts.path.endswith("/me"):
            raise LayoutChanged(detail="not an address of Instagram's API")
        answer = read_json(capture.body)
        code = _refused(capture, answer)
        if code == 100 and of_day:
            return Parsed(tuple(self._missing(asked, of_day)))
        if code is not None:
            return Parsed(doubt="bad_request", note=said_in(answer, "error", "message"))
        if not isinstance(answer, dict):
            raise LayoutChanged(detail="no answer of Instagram's API")
        if of_day:
            return Parsed(tuple(self._insights(asked, answer, of_day)))
        return self._about(answer, ctx.day)

    def _about(self, data: dict[str, Any], day: date) -> Parsed:
        name = said_in(data, "username")
        if not name:
            raise LayoutChanged(detail="no username")
        records = tuple(
            count(f"instagram/{self.user}", metric, "now", day, number(data, key), definition)
            for metric, (key, definition) in _ABOUT.items()
        )
        renamed = name.casefold() != self.user.casefold()
        note = f"instagram/{self.user} is now called {name}, number {data.get('user_id')}" if renamed else ""
        return Parsed(records, note=note)

    def _missing(self, asked: Mapping[str, str], day: date) -> Iterator[Count]:
        for metric in asked["metric"].split(","):
            yield Count(f"instagram/{self.user}", metric, "day", day, None, "missing", definition=_RETIRED)

    def _insights(self, asked: Mapping[str, str], answer: dict[str, Any], day: date) -> Iterator[Count]:
        rows = answer.get("data")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise LayoutChanged(detail="no list of insights")
        found = {said_in(row, "name"): row for row in rows}
        metrics = asked["metric"].split(",")
        if len(found) != len(rows) or found.keys() - set(metrics):
            raise LayoutChanged(detail="insights that were not asked for, or twice")
        for metric in metrics:
            value = _value(found[metric]) if metric in found else None
            definition = _INSIGHTS.get(metric, _OTHER.format(metric=metric)) if value is not None else _EMPTY
            yield count(f"instagram/{self.user}", metric, "day", day, value, definition, overlap="newest")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), _ZONE)


def _asked_day(asked: Mapping[str, str]) -> date:
    """The Pacific day that was asked for, by the instant it begins."""
    since = asked.get("since", "")
    if not re.fullmatch(r"[0-9]{1,10}", since) or not asked.get("metric"):
        raise LayoutChanged(detail="asked for no day")
    return datetime.fromtimestamp(int(since), UTC).astimezone(_ZONE).date()


def _refused(capture: Capture, answer: object) -> int | None:
    """The code of an error; None where the answer is none. Raises Blocked for a refusal, which is often status 400."""
    error = answer.get("error") if isinstance(answer, dict) else None
    code, said = (error.get("code"), said_in(error, "message")) if isinstance(error, dict) else (None, "")
    if code == 190:
        raise Blocked("denied", _EXPIRED)
    if code in _RATE:
        raise Blocked("rate_limited", said)
    if code in _RIGHTS:
        raise Blocked("denied", said)
    refused(capture, said)
    if capture.status != 200 and type(code) is not int:
        raise LayoutChanged(detail=f"status {capture.status} and no error of Instagram's")
    return code if type(code) is int else None


def _value(row: dict[str, Any]) -> int | None:
    """The number of one insight: a total or, in answers without one, the only value listed."""
    total, values = row.get("total_value"), row.get("values")
    if isinstance(total, dict):
        return number(total, "value")
    if isinstance(values, list) and len(values) == 1 and isinstance(values[0], dict):
        return number(values[0], "value")
    if total is None and (values is None or values == []):
        return None
    raise LayoutChanged(detail=f"{said_in(row, 'name')} holds no number in a form known")
