"""GitLab: stars and forks of a project and, with a key, how often it was fetched.

Facts: docs.gitlab.com/api, "Projects", "Project statistics", "Rate limits".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import quote, unquote, urlsplit

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
from monitor.sources.profiles.answer import REFUSALS, count, number, read_json, refused, said_in

_PROJECT = re.compile(r"[0-9]+|[\w.-]+(/[\w.-]+)+")
_ASKED = re.compile(r"/api/v4/projects/(?P<project>[^/]+)(?P<statistics>/statistics)?$")
_ABOUT = {
    "stars": ("star_count", "accounts that starred this project"),
    "forks": ("forks_count", "forks of this project; missing where the project may not be forked"),
}
_WINDOW = "clones and pulls over HTTP in the last 30 days, as GitLab totals them; those over SSH are not counted"
_DAY = "clones and pulls over HTTP on this day, as GitLab counts them; a running day grows, so the largest seen stands"
_NEEDS = "the fetches of {project} need a token with read_api whose owner is at least a Reporter of it"
_GONE = "gone: GitLab has no such project, or shows it only to a key that may see it"
_LONGEST = timedelta(days=31)  # 30 days are documented; far more is another answer than the one known


@dataclass(frozen=True)
class GitLab(Source):
    """Stars, forks and fetches of projects from the API of gitlab.com or of a GitLab of your own, daily.

        [[profiles]]
        kind = "gitlab"
        projects = ["example-group/kettle", "12345"]
        key = { env = "GITLAB_TOKEN" }

    `projects` are paths ("group/name") or numbers; each is a source of its own. A number is that of the project's
    page ("Project ID") and survives a new name; a path that has moved is told in the reading's note. Each gives
    `stars` and `forks` as they stand now.

    `key` names a personal or project access token with `read_api`, of at least a Reporter. With it `fetches` are read
    too: clones and pulls over HTTP (not SSH), per day and over 30 days. GitLab keeps 30 days: what is not read by then
    is lost. A day left out between the first and the last day listed had none, and is 0; days outside are unknown.

    `url` is the server's address. There are no numbers of views of a profile or project in GitLab.
    The statistics are proven on GitLab's documented answer, the rest is from the documentation: not on a live server.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "gitlab"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = REFUSALS | {404}

    projects: tuple[str, ...]
    key: Secret | None = None
    url: str = "https://gitlab.com"

    def __post_init__(self) -> None:
        if not self.projects:
            raise ValueError('gitlab wants projects = ["group/name"]')
        for project in self.projects:
            if not _PROJECT.fullmatch(project) or {".", ".."} & set(project.split("/")):
                raise ValueError(f'a project is written "group/name", or is a number in quotes, not "{project}"')

    def split(self) -> Iterator[tuple[str, GitLab]]:
        """One source for each project."""
        for project in self.projects:
            yield slug(project), replace(self, projects=(project,))

    def series(self) -> Series:
        """GitLab counts in UTC days."""
        return Series(engine="gitlab", provider="gitlab", day_zone="UTC", subject=self.projects[0])

    def requests(self, ctx: Context) -> Iterable[Http]:
        """Each project's page and, with a key, its statistics."""
        headers: Pairs = (("PRIVATE-TOKEN", self.key),) if self.key else ()
        for project in self.projects:
            where = f"{self.url.rstrip('/')}/api/v4/projects/{quote(project, safe='')}"
            yield Http(where, headers=headers)
            if self.key:
                yield Http(where + "/statistics", headers=headers)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer, known by the path that was asked. Raises Blocked and LayoutChanged."""
        asked = _ASKED.search(urlsplit(capture.asked).path.rstrip("/"))
        if not asked:
            raise LayoutChanged(detail=f"not an address of the GitLab API: {capture.asked}")
        project = unquote(asked["project"])
        profile, data = f"gitlab/{project}", read_json(capture.body)
        needs = _NEEDS.format(project=project) if asked["statistics"] else ""
        refused(capture, said_in(data, "message") or said_in(data, "error_description"), needs)
        if not isinstance(data, dict):
            raise LayoutChanged(detail=f"status {capture.status} and not the JSON of GitLab")
        if capture.status == 404:
            return _gone(profile, data, needs, ctx)
        if asked["statistics"]:
            return Parsed(tuple(_fetches(profile, data, ctx.day)))
        return _about(profile, project, data, ctx.day)


def _gone(profile: str, data: Mapping[str, Any], needs: str, ctx: Context) -> Parsed:
    """A project that is no more; statistics withheld from a project that is there are a matter of rights."""
    if not (said_in(data, "message") or said_in(data, "error")):
        raise LayoutChanged(detail="status 404 without GitLab's words for it")
    if not needs:
        return Parsed(tuple(Count(profile, m, "now", ctx.day, None, "gone", definition=_GONE) for m in _ABOUT))
    if not any(capture.status == 404 for capture in ctx.earlier):
        raise Blocked("denied", needs)
    return Parsed((Count(profile, "fetches", "30d", ctx.day, None, "gone", definition=_GONE),))


def _about(profile: str, project: str, data: Mapping[str, Any], day: date) -> Parsed:
    """The numbers of a project as they stand now."""
    name, known = data.get("path_with_namespace"), data.get("id")
    if not isinstance(name, str) or type(known) is not int:
        raise LayoutChanged(detail="no project")
    if project.isdecimal() and int(project) != known:
        raise LayoutChanged(detail=f"project {known} in place of {project}")
    records = tuple(
        count(profile, metric, "now", day, number(data, key), definition)
        for metric, (key, definition) in _ABOUT.items()
    )
    moved = not project.isdecimal() and name.casefold() != project.casefold()
    return Parsed(records, note=f"{profile} is now called {name}, and is number {known}" if moved else "")


def _fetches(profile: str, data: Mapping[str, Any], day: date) -> Iterator[Count]:
    """The fetches of 30 days and of each; only between the first and the last day listed is a day surely covered."""
    fetches = data.get("fetches")
    if not isinstance(fetches, dict) or not isinstance(fetches.get("days"), list):
        raise LayoutChanged(detail="no fetches")
    days: dict[date, int | None] = {}
    for row in fetches["days"]:
        try:
            of_day = date.fromisoformat(row["date"])
        except (TypeError, KeyError, ValueError) as error:
            raise LayoutChanged(detail="a row without a day") from error
        if of_day in days:
            raise LayoutChanged(detail=f"{of_day} is listed twice")
        days[of_day] = number(row, "count")
    span = max(days) - min(days) if days else timedelta()
    if span > _LONGEST:
        raise LayoutChanged(detail=f"days from {min(days)} to {max(days)} are no window of 30 days")
    yield count(profile, "fetches", "30d", day, number(fetches, "total"), _WINDOW)
    for n in range(span.days + 1 if days else 0):
        of_day = min(days) + timedelta(days=n)
        yield count(profile, "fetches", "day", of_day, days.get(of_day, 0), _DAY)
