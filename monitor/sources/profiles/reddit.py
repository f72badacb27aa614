"""Reddit: karma of a user and followers of the user's page.

Facts: reddit.com/dev/api ("GET /user/username/about"), and answers recorded by PRAW.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from monitor.model import Capture, Context, Count, Http, LayoutChanged, Measure, Parsed, Secret, Series, Source
from monitor.sources.profiles.answer import REFUSALS, count, number, read_json, refused, said_in

_USER = re.compile(r"[A-Za-z0-9_-]{2,20}")
_ASKED = re.compile(r"/user/(?P<user>[^/]+)/about$")
_KARMA = {
    "karma": ("total_karma", "all karma of this user, awards included; older answers of Reddit do not hold it"),
    "post_karma": ("link_karma", "karma of this user's posts, as Reddit shows it, which is not exact"),
    "comment_karma": ("comment_karma", "karma of this user's comments, as Reddit shows it, which is not exact"),
}
_FOLLOWERS = "accounts that follow this user, by the subscribers of the user's own page"
_NO_PAGE = "missing: the answer holds no page of this user with its followers"
_HIDDEN = "hidden: Reddit has suspended this account, and shows no numbers of it"
_GONE = "gone: Reddit has no such user, or shows it to nobody else (a shadow ban)"


@dataclass(frozen=True)
class Reddit(Source):
    """Karma and followers of a Reddit user, from Reddit's API, daily.

        [[profiles]]
        kind = "reddit"
        user = "ada_example"
        key = { file = "reddit.token" }

    `user` gives `karma`, `post_karma` and `comment_karma`, which may be below 0, and `followers`, as they stand now.
    Reddit keeps no history of them: it starts here. Views of a profile or of posts are not to be had.

    `key` names an OAuth bearer token. Since November 2025 a new app key is given only after Reddit has approved what
    it is for ("Responsible Builder Policy"); who has an older app can go on. Reddit's tokens live for a day at most,
    so let your own job write a fresh one into the file; the file is read anew each time. Without an app the number can
    be added by hand: `monitor add count reddit/ada_example karma 123`. Pages without a login are not tried: Reddit
    refuses them to programs. 100 questions a minute are allowed, one a day is asked.

    A suspended account is `hidden`; one that there is not is `gone`. Users cannot take another name at Reddit.
    Proven on recorded answers of 2016 to 2019; the refusals are from the documentation, not from a live server.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "reddit"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = REFUSALS | {404}

    user: str
    key: Secret
    url: str = "https://oauth.reddit.com"

    def __post_init__(self) -> None:
        if not _USER.fullmatch(self.user):
            raise ValueError(f'user is a Reddit user name without u/, not "{self.user}"')

    def series(self) -> Series:
        """The user's series, in the owner's days."""
        return Series(engine="reddit", provider="reddit", subject=self.user)

    def requests(self, ctx: Context) -> Iterator[Http]:
        """What Reddit says about the user."""
        headers = (("Authorization", replace(self.key, prefix="Bearer ")),)
        yield Http(f"{self.url.rstrip('/')}/user/{self.user}/about", (("raw_json", "1"),), headers)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read what Reddit says about the user that was asked for. Raises Blocked and LayoutChanged."""
        asked = _ASKED.search(urlsplit(capture.asked).path.rstrip("/"))
        if not asked:
            raise LayoutChanged(detail=f"not an address of Reddit's API: {capture.asked}")
        profile, answer = f"reddit/{asked['user']}", read_json(capture.body)
        refused(capture, said_in(answer, "message"))
        if capture.status == 404 and said_in(answer, "message"):
            return _none(profile, ctx.day, "gone", _GONE)
        data = answer.get("data") if isinstance(answer, dict) and answer.get("kind") == "t2" else None
        if capture.status == 404 or not isinstance(data, dict):
            raise LayoutChanged(detail=f"status {capture.status} and not about a user")
        if said_in(data, "name").casefold() != asked["user"].casefold():
            raise LayoutChanged(detail=f"not about {asked['user']}")
        if data.get("is_suspended") is True:
            return _none(profile, ctx.day, "hidden", _HIDDEN)
        return Parsed((*_karma(profile, data, ctx.day), _followers(profile, data, ctx.day)))


def _none(profile: str, day: date, state: Literal["hidden", "gone"], why: str) -> Parsed:
    metrics = (*_KARMA, "followers")
    return Parsed(tuple(Count(profile, metric, "now", day, None, state, definition=why) for metric in metrics))


def _karma(profile: str, data: dict[str, Any], day: date) -> Iterator[Count]:
    for metric, (key, definition) in _KARMA.items():
        yield count(profile, metric, "now", day, number(data, key, least=None), definition)


def _followers(profile: str, data: dict[str, Any], day: date) -> Count:
    page = data.get("subreddit")
    if page is None:
        return count(profile, "followers", "now", day, None, _NO_PAGE)
    if not isinstance(page, dict):
        raise LayoutChanged(detail="subreddit is no page")
    value = number(page, "subscribers")
    return count(profile, "followers", "now", day, value, _FOLLOWERS if value is not None else _NO_PAGE)
