"""GitHub: followers of a user; stars, forks and subscribers of a repository; and, with a key, its traffic.

Facts: docs.github.com/rest, "Get a user", "Get a repository", "Metrics: Repository traffic", "Rate limits".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

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
    slug,
)
from monitor.sources.profiles.answer import count, number, read_json

_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_ASKED = re.compile(
    r"/users/(?P<user>[^/]+)$"
    r"|/repos/(?P<repository>[^/]+/[^/]+?)(?:/traffic/(?P<traffic>views|clones|popular/referrers|popular/paths))?$"
)

_ABOUT_USER = {
    "followers": ("followers", "accounts that follow this user"),
    "following": ("following", "accounts that this user follows"),
    "public_repos": ("public_repos", "public repositories of this user, forks among them"),
}
_ABOUT_REPOSITORY = {
    "stars": ("stargazers_count", "accounts that starred this repository"),
    "subscribers": ("subscribers_count", "accounts that watch this repository (watchers_count is the stars again)"),
    "forks": ("forks_count", "forks of this repository"),
}
_OF_DAY = {
    "": "{what} on this UTC day, as GitHub counts them; a running day still grows, so the largest seen stands",
    "_uniques": "distinct people behind the {what} of this UTC day, as GitHub counts them; days do not add up",
}
_OF_WINDOW = {
    "": "{what} in the 14 days up to this UTC day, as GitHub totals them",
    "_uniques": "distinct people behind the {what} of the 14 days up to this UTC day; not the sum of the days",
}
_OF_TOP = {
    "popular/referrers": ("referrer", "views that came from this site in the 14 days up to this UTC day; top 10 only"),
    "popular/paths": ("path", "views of this path in the 14 days up to this UTC day; top 10 only"),
}
_NEEDS = "{what} needs a token with Administration: read on this repository"
_GONE = "gone: GitHub has no such page, or shows it only to a key that may see it"
_LONGEST_WINDOW = timedelta(days=31)  # 14 days are documented; far more is another answer than the one known


@dataclass(frozen=True)
class GitHub(Source):
    """Followers and repository numbers from GitHub's API, daily.

        [[profiles]]
        kind = "github"
        user = "octocat"
        repositories = ["octocat/hello-world"]
        key = { env = "GITHUB_TOKEN" }

    `user` gives `followers`, `following` and `public_repos`; each of `repositories` ("owner/name") gives `stars`,
    `subscribers` and `forks`. At least one of the two is set; each is a source of its own.

    `key` names a personal access token. Without it the public numbers are read (60 questions an hour are free). With
    it a repository's traffic is read too: views and clones per UTC day, their 14-day totals, and the top ten
    referrers and paths. The token needs "Administration: read" on the repository (fine-grained) or the scope `repo`
    (classic), and its owner push access. GitHub keeps traffic for 14 days only: what is not read by then is lost, and
    `monitor status` and `monitor doctor` say so from the tenth day on without a reading.

    Visitors ("uniques") are never summed: four people may well be eleven daily visitors. A day that GitHub leaves out
    between the first and the last day it lists had no views, and is stored as 0; days outside are unknown.

    `url` is the API's address; a GitHub Enterprise server has it at https://HOST/api/v3.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "github"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = frozenset({403, 404})
    kept: ClassVar[str] = "GitHub keeps traffic"
    kept_days: ClassVar[int] = 14

    user: str = ""
    repositories: tuple[str, ...] = ()
    key: Secret | None = None
    url: str = "https://api.github.com"

    def __post_init__(self) -> None:
        if not self.user and not self.repositories:
            raise ValueError('github wants a user, or repositories = ["owner/name"], or both')
        if self.user and not _USER.fullmatch(self.user):
            raise ValueError(f'user is a GitHub user name, not "{self.user}"')
        for repository in self.repositories:
            if not _REPOSITORY.fullmatch(repository):
                raise ValueError(f'a repository is written "owner/name", not "{repository}"')

    def split(self) -> Iterator[tuple[str, GitHub]]:
        """One source for the user and one for each repository."""
        if self.user:
            yield slug(self.user), replace(self, repositories=())
        for repository in self.repositories:
            yield slug(repository), replace(self, user="", repositories=(repository,))

    def series(self) -> Series:
        """GitHub counts in UTC days."""
        subject = self.user or self.repositories[0]
        return Series(engine="github", provider="github", day_zone="UTC", subject=subject)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The user's page, or the repository's and (with a key) its four traffic pages."""
        if self.user:
            yield self._http(f"/users/{self.user}")
        for repository in self.repositories:
            yield self._http(f"/repos/{repository}")
            if self.key:
                yield self._http(f"/repos/{repository}/traffic/views", (("per", "day"),))
                yield self._http(f"/repos/{repository}/traffic/clones", (("per", "day"),))
                yield self._http(f"/repos/{repository}/traffic/popular/referrers")
                yield self._http(f"/repos/{repository}/traffic/popular/paths")

    def _http(self, path: str, params: Pairs = ()) -> Http:
        headers: Pairs = (("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28"))
        if self.key:
            headers += (("Authorization", replace(self.key, prefix="Bearer ")),)
        return Http(self.url.rstrip("/") + path, params, headers)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer, known by the path that was asked.

        Raises Blocked for a refusal and LayoutChanged for an answer of another shape.
        """
        asked = _ASKED.search(urlsplit(capture.asked).path.rstrip("/"))
        if not asked:
            raise LayoutChanged(detail=f"not an address of the GitHub API: {capture.asked}")
        name, traffic = asked["user"] or asked["repository"], asked["traffic"] or ""
        profile = f"github/{name}"
        data = read_json(capture.body)
        _check(capture, data, f"the traffic of {name}" if traffic else "")
        if traffic in _OF_TOP:
            return _top(profile, traffic, data, ctx.day)
        if traffic:
            return Parsed(tuple(_traffic(profile, traffic, data, ctx.day)))
        metrics, identity = (_ABOUT_USER, "login") if asked["user"] else (_ABOUT_REPOSITORY, "full_name")
        if capture.status == 404:
            return Parsed(tuple(Count(profile, m, "now", ctx.day, None, "gone", definition=_GONE) for m in metrics))
        return _about(profile, metrics, data, identity, ctx.day)


def _check(capture: Capture, data: Any, traffic: str) -> None:
    """Raise for a refusal, and for anything that is not GitHub's own 200 or 404.

    A rate limit is 429, or 403 with nothing left, with Retry-After, or in words ("Rate limits for the REST API").
    Traffic that may not be seen is 403, or 404 on a private repository: that is a matter of rights, not of absence.
    """
    headers = {key.lower(): value for key, value in capture.headers.items()}
    said = str(data.get("message", ""))[:200] if isinstance(data, dict) else ""
    if capture.status in (401, 403, 429):
        none_left = headers.get("x-ratelimit-remaining", "").strip() == "0"
        if capture.status == 429 or none_left or "retry-after" in headers or "rate limit" in said.casefold():
            raise Blocked("rate_limited", said)
        needs = _NEEDS.format(what=traffic) if traffic and capture.status == 403 else ""
        raise Blocked("denied", needs or said)
    if traffic and capture.status == 404:
        raise Blocked("denied", _NEEDS.format(what=traffic))
    if capture.status not in (200, 404) or data is None or (capture.status == 404 and not said):
        raise LayoutChanged(detail=f"status {capture.status} and not the JSON of GitHub")


def _about(profile: str, metrics: Mapping[str, tuple[str, str]], data: Any, identity: str, day: date) -> Parsed:
    """The numbers of a user or repository as they stand now."""
    if not isinstance(data, dict) or not isinstance(data.get(identity), str):
        raise LayoutChanged(detail=f"no {identity}")
    records = tuple(
        count(profile, metric, "now", day, number(data, key), definition)
        for metric, (key, definition) in metrics.items()
    )
    renamed = f"github/{data[identity]}".casefold() != profile.casefold()
    return Parsed(records, note=f"{profile} is now called {data[identity]}" if renamed else "")


def _traffic(profile: str, what: str, data: Any, day: date) -> Iterator[Count]:
    """Views or clones: the 14-day totals and each day.

    GitHub leaves out days without any. Only between the first and the last day listed is such a day surely covered,
    and zero: the window's first day may be cut or already dropped, and the newest may not be counted yet.
    """
    if not isinstance(data, dict) or not isinstance(data.get(what), list):
        raise LayoutChanged(detail=f"no list of {what}")
    days = _days(data[what])
    for suffix, key in (("", "count"), ("_uniques", "uniques")):
        definition = _OF_WINDOW[suffix].format(what=what)
        yield count(profile, what + suffix, "14d", day, number(data, key), definition)
        definition = _OF_DAY[suffix].format(what=what)
        for n in range((max(days) - min(days)).days + 1 if days else 0):
            of_day = min(days) + timedelta(days=n)
            value = number(days[of_day], key) if of_day in days else 0
            yield count(profile, what + suffix, "day", of_day, value, definition)


def _days(rows: list[Any]) -> dict[date, Mapping[str, Any]]:
    days: dict[date, Mapping[str, Any]] = {}
    for row in rows:
        try:
            of_day = date.fromisoformat(row["timestamp"][:10])
        except (TypeError, KeyError, ValueError) as error:
            raise LayoutChanged(detail="a row without a day") from error
        if of_day in days:
            raise LayoutChanged(detail=f"{of_day} is listed twice")
        days[of_day] = row
    if days and max(days) - min(days) > _LONGEST_WINDOW:
        raise LayoutChanged(detail=f"days from {min(days)} to {max(days)} are no window of 14 days")
    return days


def _top(profile: str, what: str, data: Any, day: date) -> Parsed:
    """The top ten over 14 days, as a snapshot of this day. Who is not listed is unknown, not zero."""
    key, definition = _OF_TOP[what]
    if not isinstance(data, list):
        raise LayoutChanged(detail=f"no list of {what}")
    found: dict[str, int | None] = {}
    for row in data:
        if not isinstance(row, dict) or not isinstance(row.get(key), str) or row[key] in found:
            raise LayoutChanged(detail=f"a row of {what} without a {key} of its own")
        found[row[key]] = number(row, "count")
    records = tuple(count(profile, f"{key} {name}", "14d", day, value, definition) for name, value in found.items())
    return Parsed(records, none=not records)
