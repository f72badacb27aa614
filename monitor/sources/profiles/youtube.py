"""YouTube: subscribers, views and videos of a channel, from the YouTube Data API with a key.

Facts: developers.google.com/youtube/v3/docs, "Channels: list", "Channels" (`statistics`), "Errors", "Quota".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from monitor.model import (
    Blocked,
    Capture,
    Context,
    Count,
    Http,
    LayoutChanged,
    Measure,
    Parsed,
    Secret,
    Series,
    Source,
    slug,
)
from monitor.sources.profiles.answer import absent, count, number, read_json

_ID = re.compile(r"UC[A-Za-z0-9_-]{22}")
_HANDLE = re.compile(r"@[^\s/@?#&]{3,100}")
_WINDOWS = {"subscribers": "now", "views": "total", "posts": "now"}
_EXACT_BELOW = 1000  # above, YouTube rounds the subscribers down to three figures
_SUBSCRIBERS = "subscribers of this channel; YouTube rounds them down to three figures from 1,000 on"
_VIEWS = "views of all videos of this channel since it began, as YouTube totals them"
_POSTS = "public videos of this channel"
_GONE = "gone: YouTube has no such channel, or has closed it"
_TOO_MANY = frozenset(
    {"quotaExceeded", "dailyLimitExceeded", "rateLimitExceeded", "userRateLimitExceeded", "RESOURCE_EXHAUSTED"}
)
_KEY = Secret(env="YOUTUBE_API_KEY")


@dataclass(frozen=True)
class YouTube(Source):
    """Subscribers, views and videos of a YouTube channel, daily.

        [[profiles]]
        kind = "youtube"
        channel = "@ada"
        key = { env = "YOUTUBE_API_KEY" }

    `channel` is a handle ("@ada"), or better the channel's id ("UC" and 22 characters more): handles can change, the
    id cannot. It gives `subscribers`, `views` (the total since the channel began) and `posts` (its public videos).
    They are stored under the id.

    `key` names an API key of a Google Cloud project in which the YouTube Data API v3 is enabled. A reading costs 1 of
    the 10,000 units that a project has each day, without charge.

    From 1,000 subscribers on YouTube gives three figures only: such a number is stored as rounded, and an unchanged
    one is no news. A channel that hides its subscribers has them stored as hidden, one without statistics has its
    numbers missing, and one that YouTube does not know is gone. Only the numbers of now can be asked, so history
    begins with the first reading.

    `url` is the interface's address.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "youtube"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = frozenset({400, 403, 404})

    channel: str
    key: Secret = _KEY
    url: str = "https://www.googleapis.com/youtube/v3"

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.channel) and not _HANDLE.fullmatch(self.channel):
            raise ValueError(f'channel is an id ("UC" and 22 characters) or a handle ("@name"), not "{self.channel}"')

    def split(self) -> Iterator[tuple[str, Self]]:
        """One source, named by its channel."""
        yield slug(self.channel), self

    def series(self) -> Series:
        """The channel's numbers, by the owner's days."""
        return Series(engine="youtube", provider="youtube", subject=self.channel)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The channel's statistics; the key goes in a header, and so into no address."""
        by = "forHandle" if self.channel.startswith("@") else "id"
        headers = (("Accept", "application/json"), ("X-Goog-Api-Key", self.key))
        yield Http(f"{self.url.rstrip('/')}/channels", (("part", "id,statistics"), (by, self.channel)), headers)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the channel. Raises Blocked for a refusal and LayoutChanged for an answer of another shape."""
        gone = Parsed(absent(f"youtube/{self.channel}", _WINDOWS, ctx.day, "gone", _GONE))
        data = read_json(capture.body)
        if capture.status != 200:
            return _refused(capture.status, data) or gone
        if not isinstance(data, dict) or data.get("kind") != "youtube#channelListResponse":
            raise LayoutChanged(detail="not a list of channels")
        items = data.get("items", [])
        if not isinstance(items, list) or not all(isinstance(i, dict) and isinstance(i.get("id"), str) for i in items):
            raise LayoutChanged(detail="a channel without an id")
        found = [item for item in items if self.channel.startswith("@") or item["id"] == self.channel]
        if not items:
            return gone
        if len(found) != 1:
            raise LayoutChanged(detail=f"{len(items)} channels and not the one asked for")
        statistics = found[0].get("statistics", {})
        if not isinstance(statistics, dict):
            raise LayoutChanged(detail="statistics that are none")
        return Parsed(tuple(_numbers(f"youtube/{found[0]['id']}", statistics, ctx)))


def _numbers(profile: str, statistics: Mapping[str, Any], ctx: Context) -> Iterator[Count]:
    """The numbers of the part `statistics`, which YouTube writes as text; it may be left out as a whole."""
    hidden = statistics.get("hiddenSubscriberCount") is True
    subscribers = None if hidden else number(statistics, "subscriberCount", text=True)
    yield count(
        profile,
        "subscribers",
        "now",
        ctx.day,
        subscribers,
        _SUBSCRIBERS,
        absent="hidden" if hidden else "missing",
        precision="rounded" if subscribers is not None and subscribers >= _EXACT_BELOW else "exact",
    )
    yield count(profile, "views", "total", ctx.day, number(statistics, "viewCount", text=True), _VIEWS)
    yield count(profile, "posts", "now", ctx.day, number(statistics, "videoCount", text=True), _POSTS)


def _refused(status: int, data: Any) -> Parsed | None:
    """What an error of Google's says; None when it says that the channel is not found. Raises Blocked."""
    error = data.get("error") if isinstance(data, dict) else None
    if not isinstance(error, dict):
        raise LayoutChanged(detail=f"status {status} and no error of Google's")
    listed = error.get("errors")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    reasons = {str(row.get("reason")) for row in rows} | {str(error.get("status"))}
    said = str(error.get("message", ""))[:200]
    if reasons & _TOO_MANY:
        raise Blocked("rate_limited", said)
    if status == 404 and "channelNotFound" in reasons:
        return None
    if status == 403 or "keyInvalid" in reasons or "api key" in said.casefold():
        raise Blocked("denied", said)
    return Parsed(doubt="not_found" if status == 404 else "bad_request", note=said)
