"""Hacker News: a user's karma and number of submissions, from its public interface.

Facts: github.com/HackerNews/API, "Users".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Self
from urllib.parse import quote

from monitor.model import Capture, Context, Http, LayoutChanged, Measure, Parsed, Series, Source, slug
from monitor.sources.profiles.answer import absent, count, number, read_json

_USER = re.compile(r"[A-Za-z0-9_-]+")
_WINDOWS = {"karma": "now", "posts": "now"}
_KARMA = "karma of this user, which can fall and can be below zero"
_POSTS = "stories, comments and polls of this user that are listed"
_GONE = "gone: no such user, or one who has never posted; upper and lower case matter"


@dataclass(frozen=True)
class HackerNews(Source):
    """Karma and number of submissions of a Hacker News user, daily.

        [[profiles]]
        kind = "hackernews"
        user = "ada"

    `user` is the name as the site writes it: upper and lower case matter. It gives `karma`, and `posts`, which counts
    the stories, comments and polls listed for the user.

    No key is needed and no limit is documented. Only the numbers of now can be asked, so history begins with the
    first reading. A user who does not exist and one who never posted are the same answer to Hacker News (`null`): both
    are stored as gone. Names cannot be changed there.

    `url` is the interface's address.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "hackernews"
    parser: ClassVar[int] = 1

    user: str
    url: str = "https://hacker-news.firebaseio.com/v0"

    def __post_init__(self) -> None:
        if not _USER.fullmatch(self.user):
            raise ValueError(f'user is a Hacker News user name, not "{self.user}"')

    def split(self) -> Iterator[tuple[str, Self]]:
        """One source, named by its user."""
        yield slug(self.user), self

    def series(self) -> Series:
        """The user's numbers, by the owner's days."""
        return Series(engine="hackernews", provider="hackernews", subject=self.user)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The user's page."""
        yield Http(f"{self.url.rstrip('/')}/user/{quote(self.user)}.json")

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the user's page. Raises LayoutChanged for an answer of another shape."""
        profile = f"hackernews/{self.user}"
        if capture.body.strip() == b"null":
            return Parsed(absent(profile, _WINDOWS, ctx.day, "gone", _GONE))
        data = read_json(capture.body)
        if not isinstance(data, dict) or data.get("id") != self.user:
            raise LayoutChanged(detail=f"not the page of {self.user}")
        posts = data.get("submitted")
        if posts is not None and not isinstance(posts, list):
            raise LayoutChanged(detail="submitted is no list")
        return Parsed(
            (
                count(profile, "karma", "now", ctx.day, number(data, "karma", least=None), _KARMA),
                count(profile, "posts", "now", ctx.day, None if posts is None else len(posts), _POSTS),
            )
        )
