"""The pages behind home: one literal table of paths, each with what reads it and the template that shows it.

A page is read from the named views, rendered on the server and needs no script. Its function is given an `Asked` and
returns what the template shows, None for "no such page", or a whole answer of its own (a kept page, a feed).
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from datasette.database import QueryInterrupted
from datasette.utils.asgi import Forbidden, NotFound, Response

from monitor.web import reads
from monitor.web.access import may_see
from monitor.web.links import Links

PREFIX = "/-/presence/"
TOO_LONG = "This machine was too busy to read the history within Datasette's sql_time_limit_ms. Load the page again."


@dataclass(frozen=True, slots=True)
class Page:
    """A page: the path after `PREFIX` as a pattern, the function that reads it, and its template ("" for none)."""

    path: str
    view: str
    template: str = ""


PAGES: tuple[Page, ...] = (
    Page(r"reading/(?P<id>[0-9]{1,12})", "monitor.web.reading:page", "monitor_reading.html"),
    Page(r"capture/(?P<id>[0-9a-f]{64})", "monitor.web.capture:page"),
    Page("map", "monitor.web.page_map:page", "monitor_map.html"),
    Page("timeline", "monitor.web.timeline:page", "monitor_timeline.html"),
    Page("why", "monitor.web.page_why:page", "monitor_why.html"),
    Page("worth", "monitor.web.page_worth:page", "monitor_worth.html"),
    Page("exposure", "monitor.web.page_exposure:page", "monitor_exposure.html"),
    Page("label", "monitor.web.label_form:page", "monitor_label.html"),
    Page(r"changes\.atom", "monitor.web.feed:page"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page's function is given: where to read, what was asked for, and the moment in the owner's zone."""

    database: Any
    args: Mapping[str, str]  # the named parts of the path, and the last value of each query parameter
    now: datetime
    owner: str
    links: Links
    request: Any
    datasette: Any

    async def rows(self, sql: str, **params: object) -> list[dict[str, Any]]:
        """The rows of a query on the named views, as dicts. Raises sqlite3.DatabaseError, QueryInterrupted."""
        return [dict(row) for row in (await self.database.execute(sql, params)).rows]


def routes(now: Callable[[], datetime]) -> list[tuple[str, Callable[..., Awaitable[Response]]]]:
    """The routes of all pages, as Datasette's `register_routes` wants them."""
    return [(f"^{PREFIX}{page.path}$", _answering(page, now)) for page in PAGES]


def _answering(page: Page, now: Callable[[], datetime]) -> Callable[..., Awaitable[Response]]:
    async def answer(request: Any, datasette: Any) -> Response:
        asked = await _asked(request, datasette, now())
        module, _, name = page.view.partition(":")
        try:
            shown = await getattr(importlib.import_module(module), name)(asked)
        except QueryInterrupted:
            return Response.text(TOO_LONG, status=503, headers={"retry-after": "10"})
        if shown is None:
            raise NotFound("There is no such page.")
        if isinstance(shown, Response):
            return shown
        ways = {page.path for page in PAGES}
        common = {"there": asked.links, "owner": asked.owner, "database": asked.database.name, "ways": ways}
        html = await datasette.render_template(page.template, {**common, **shown}, request=request)
        return Response.html(in_english(html), headers=shown.get("headers"))

    return answer


def in_english(html: str) -> str:
    """A page with its language named, which Datasette's frame leaves out before 1.0: a screen reader goes by it."""
    return html.replace("<html>", '<html lang="en">', 1)


async def _asked(request: Any, datasette: Any, now: datetime) -> Asked:
    """The question behind a request. Raises NotFound without a history, Forbidden where it may not be seen."""
    for database in await reads.our_databases(datasette):
        if not await may_see(datasette, request.actor, database.name):
            raise Forbidden("You may not see this history: sign in first.")
        row = (await database.execute("select name, timezone from owner")).first()
        name, zone = tuple(row) if row else ("", "UTC")
        args = {**{key: request.args[key] for key in request.args}, **request.url_vars}
        links = Links(str(datasette.urls.database(database.name)), str(datasette.urls.path(PREFIX)))
        return Asked(database, args, reads.local_now(now, zone), name, links, request, datasette)
    raise NotFound("There is no history here.")
