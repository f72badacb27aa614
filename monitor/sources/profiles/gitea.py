"""Gitea, Forgejo and Codeberg: followers of a user; stars, forks and subscribers of a repository.

Facts: docs.gitea.com/api ("userGet", "repoGet"); Forgejo, which runs Codeberg, answers the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar
from urllib.parse import urlsplit

from monitor.model import (
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
from monitor.sources.profiles.answer import REFUSALS, count, number, read_json, refused, said_in

_USER = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]+")
_REPOSITORY = re.compile(r"(?!\.{1,2}/)[A-Za-z0-9._-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_ASKED = re.compile(r"/api/v1/(?:users/(?P<user>[^/]+)|repos/(?P<repository>[^/]+/[^/]+))$")
_ABOUT_USER = {
    "followers": ("followers_count", "accounts of this server that follow this user"),
    "following": ("following_count", "accounts that this user follows"),
    "starred": ("starred_repos_count", "repositories that this user starred"),
}
_ABOUT_REPOSITORY = {
    "stars": ("stars_count", "accounts of this server that starred this repository"),
    "subscribers": ("watchers_count", "accounts that watch this repository"),
    "forks": ("forks_count", "forks of this repository on this server"),
}
_GONE = "gone: the server has no such page, or shows it only to a key that may see it"


@dataclass(frozen=True)
class Gitea(Source):
    """Followers and repository numbers from Codeberg, or any server that runs Gitea or Forgejo, daily.

        [[profiles]]
        kind = "gitea"
        user = "ada-example"
        repositories = ["ada-example/kettle"]
        # url = "https://git.example.org"
        # key = { env = "GITEA_TOKEN" }

    `user` gives `followers`, `following` and `starred`; each of `repositories` ("owner/name") gives `stars`,
    `subscribers` (who watches it; here, unlike GitHub's, `watchers_count` is that) and `forks`. At least one of the two
    is set; each is a source of its own. All are as they stand now: there is no history to ask for, it starts here.

    `url` is the server's address, Codeberg's where left out. `key` names an access token (scopes `read:user`,
    `read:repository`); it is needed only where a profile is shown to members alone. A profile that is not shown is
    answered like one that is not there, and is stored as `gone`. A user or repository with a new name is found by the
    old one until that is given to another, and the reading's note tells the new name and number.

    From the documentation, not proven on a live server.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "gitea"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = REFUSALS | {404}

    user: str = ""
    repositories: tuple[str, ...] = ()
    key: Secret | None = None
    url: str = "https://codeberg.org"

    def __post_init__(self) -> None:
        if not self.user and not self.repositories:
            raise ValueError('gitea wants a user, or repositories = ["owner/name"], or both')
        if self.user and not _USER.fullmatch(self.user):
            raise ValueError(f'user is a user name, not "{self.user}"')
        for repository in self.repositories:
            if not _REPOSITORY.fullmatch(repository):
                raise ValueError(f'a repository is written "owner/name", not "{repository}"')

    def split(self) -> Iterator[tuple[str, Gitea]]:
        """One source for the user and one for each repository."""
        if self.user:
            yield slug(self.user), replace(self, repositories=())
        for repository in self.repositories:
            yield slug(repository), replace(self, user="", repositories=(repository,))

    def series(self) -> Series:
        """The server's series of this user or repository."""
        host = urlsplit(self.url).netloc
        return Series(engine="gitea", provider=host, subject=self.user or self.repositories[0])

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The user's page, the repositories' pages."""
        headers: Pairs = (("Authorization", replace(self.key, prefix="token ")),) if self.key else ()
        base = self.url.rstrip("/") + "/api/v1"
        if self.user:
            yield Http(f"{base}/users/{self.user}", headers=headers)
        for repository in self.repositories:
            yield Http(f"{base}/repos/{repository}", headers=headers)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer, known by the path that was asked. Raises Blocked and LayoutChanged."""
        asked = _ASKED.search(urlsplit(capture.asked).path.rstrip("/"))
        if not asked:
            raise LayoutChanged(detail=f"not an address of the Gitea API: {capture.asked}")
        name = asked["user"] or asked["repository"]
        data = read_json(capture.body)
        refused(capture, said_in(data, "message"))
        metrics, identity = (_ABOUT_USER, "login") if asked["user"] else (_ABOUT_REPOSITORY, "full_name")
        if capture.status == 404 and said_in(data, "message"):
            gone = (Count(f"gitea/{name}", m, "now", ctx.day, None, "gone", definition=_GONE) for m in metrics)
            return Parsed(tuple(gone))
        if capture.status == 404 or not isinstance(data, dict) or not said_in(data, identity):
            raise LayoutChanged(detail=f"status {capture.status} and no {identity}")
        return _about(name, metrics, data, identity, ctx.day)


def _about(
    name: str, metrics: Mapping[str, tuple[str, str]], data: Mapping[str, Any], identity: str, day: date
) -> Parsed:
    """The numbers of a user or repository as they stand now."""
    records = tuple(
        count(f"gitea/{name}", metric, "now", day, number(data, key), definition)
        for metric, (key, definition) in metrics.items()
    )
    now = said_in(data, identity)
    renamed = now.casefold() != name.casefold()
    return Parsed(records, note=f"gitea/{name} is now called {now}, number {data.get('id')}" if renamed else "")
