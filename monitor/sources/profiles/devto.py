"""DEV and other Forem sites: page views of an author's articles, and followers, with a key.

Facts: developers.forem.com/api/v1, "User's published articles", "Followers"; app/views/api/v1/articles of forem/forem.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from monitor.model import Capture, Context, Count, Http, LayoutChanged, Measure, Parsed, Secret, Series, Source, slug
from monitor.sources.profiles.answer import count, number, read_json

_USER = re.compile(r"[A-Za-z0-9_]+")
_ARTICLES, _FOLLOWERS = "/api/articles/me/published", "/api/followers/users"
_PER_PAGE = 1000  # the most that Forem gives
_MOST_PAGES = 10
_TOTALS = {
    "page_views": ("page_views_count", "views of all articles that are published now, each since it was published"),
    "reactions": ("public_reactions_count", "public reactions to all articles that are published now"),
    "comments": ("comments_count", "comments on all articles that are published now"),
}
_OF_ONE = 'views of the article "{title}" since it was published'
_POSTS = "articles that are published now"
_FOLLOWERS_ARE = "users who follow this author"
_KEY = Secret(env="DEVTO_API_KEY")


@dataclass(frozen=True)
class DevTo(Source):
    """Page views of each of your articles on DEV, and your followers, daily. From the documentation, not proven live.

        [[profiles]]
        kind = "devto"
        user = "ada"
        key = { env = "DEVTO_API_KEY" }

    `user` is your user name, under which the numbers are stored; where the answer has another, the reading's note
    says so. `key` names an API key of yours: DEV, Settings, Extensions.

    It gives `page_views` for each published article (as `devto/<user>/<article's number>`), and for all of them
    together `page_views`, `reactions`, `comments` and `posts`. Each counts since the article was published. The total
    falls when an article is taken back, and no reader is lost by that: look at the articles. An answer that leaves
    the views of one article out gives no total. `followers` are counted from the list of them, up to 10,000: of more
    it says "at least".

    DEV answers some three questions a second; each thousand articles or followers is one. Only the numbers of now can
    be asked, so history begins with the first reading.

    `url` is the site's address: any Forem will do.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "devto"
    parser: ClassVar[int] = 1

    user: str
    key: Secret = _KEY
    url: str = "https://dev.to"

    def __post_init__(self) -> None:
        if not _USER.fullmatch(self.user):
            raise ValueError(f'user is a DEV user name, not "{self.user}"')

    def split(self) -> Iterator[tuple[str, Self]]:
        """One source, named by its user."""
        yield slug(self.user), self

    def series(self) -> Series:
        """The author's numbers, by the owner's days."""
        return Series(engine="devto", provider="devto", subject=self.user)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The articles; their further pages and then the followers follow from the answers.

        So a list of followers that cannot be read takes no page view with it.
        """
        yield self._page(_ARTICLES, 1)

    def _page(self, path: str, page: int) -> Http:
        headers = (("Accept", "application/vnd.forem.api-v1+json"), ("api-key", self.key))
        return Http(f"{self.url.rstrip('/')}{path}", (("page", str(page)), ("per_page", str(_PER_PAGE))), headers)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read a page of articles or of followers. Raises LayoutChanged for an answer of another shape."""
        path = next((p for p in (_ARTICLES, _FOLLOWERS) if urlsplit(capture.asked).path.endswith(p)), "")
        if not path:
            raise LayoutChanged(detail=f"not an address of the Forem API: {capture.asked}")
        rows = _rows(capture)
        before = [old for old in ctx.earlier if urlsplit(old.asked).path.endswith(path)]
        seen = [row for old in before for row in _rows(old)] + rows
        whole, page = len(rows) < _PER_PAGE, len(before) + 1
        following = None if whole or page == _MOST_PAGES else self._page(path, page + 1)
        if path == _ARTICLES:
            return replace(self._articles(rows, seen, ctx, whole=whole), next=following or self._page(_FOLLOWERS, 1))
        if following:
            return Parsed(next=following)
        precision: Literal["exact", "at_least"] = "exact" if whole else "at_least"
        followers = count(
            f"devto/{self.user}", "followers", "now", ctx.day, len(seen), _FOLLOWERS_ARE, precision=precision
        )
        return Parsed((followers,))

    def _articles(self, rows: Sequence[Any], seen: Sequence[Any], ctx: Context, *, whole: bool) -> Parsed:
        """The articles of this page, and with the last page all together."""
        profile = f"devto/{self.user}"
        records = [self._article(row, ctx) for row in rows]
        numbers = [row["id"] for row in seen]
        if len(set(numbers)) != len(numbers):
            raise LayoutChanged(detail="an article is listed twice")
        if whole:
            records += [
                count(profile, metric, "total", ctx.day, _sum(seen, key), definition)
                for metric, (key, definition) in _TOTALS.items()
            ]
            records.append(count(profile, "posts", "now", ctx.day, len(seen), _POSTS))
        names = {name for row in rows if (name := _author(row)).casefold() not in ("", self.user.casefold())}
        return Parsed(
            tuple(records), note=f"{profile} is called {', '.join(sorted(names))} in the answer" if names else ""
        )

    def _article(self, row: Mapping[str, Any], ctx: Context) -> Count:
        if type(row.get("id")) is not int:
            raise LayoutChanged(detail="an article without a number")
        definition = _OF_ONE.format(title=str(row.get("title", ""))[:200])
        value = number(row, "page_views_count")
        return count(f"devto/{self.user}/{row['id']}", "page_views", "total", ctx.day, value, definition)


def _rows(capture: Capture) -> list[dict[str, Any]]:
    rows = read_json(capture.body)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise LayoutChanged(detail="no list")
    return rows


def _author(row: Mapping[str, Any]) -> str:
    user = row.get("user")
    return str(user.get("username") or "") if isinstance(user, dict) else ""


def _sum(rows: Sequence[Mapping[str, Any]], key: str) -> int | None:
    """All together, or None where it is not said of each, or there is none to say it of."""
    values = [number(row, key) for row in rows]
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
