"""Datasette plugin: the home page, and safe defaults, for a monitor's database; inert on any other file.

Hooks that 0.65 and 1.0 share, and nothing else: `permission_allowed` and `datasette.metadata()` are gone in 1.0.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from pluggy import HookimplMarker

from monitor.web import reads, safety
from monitor.web.home import home
from monitor.web.links import Links

PLUGIN = "presence_monitor"

hookimpl = HookimplMarker("datasette")


def now() -> datetime:
    """The clock of the pages."""
    return datetime.now(UTC)


def _config(datasette: Any) -> dict[str, Any]:
    return datasette.plugin_config(PLUGIN) or {}


@hookimpl
def extra_template_vars(view_name: str, datasette: Any) -> Callable[[], Awaitable[dict[str, Any]]] | None:
    """Give the home page what it shows; nothing on other pages, and nothing without a database of ours."""
    if view_name != "index":
        return None

    async def variables() -> dict[str, Any]:
        ours = await reads.our_databases(datasette)
        if not ours:
            return {}
        rows = await reads.read(ours[0], now(), _config(datasette).get("next"))
        return {"monitor": home(rows, ours[0].name, Links(str(datasette.urls.database(ours[0].name))))}

    return variables


@hookimpl
def extra_css_urls(view_name: str, datasette: Any) -> Callable[[], Awaitable[list[str]]] | list[str]:
    """The style sheet of the home page."""

    async def sheets() -> list[str]:
        return [datasette.urls.static_plugins(PLUGIN, "home.css")] if await reads.our_databases(datasette) else []

    return sheets if view_name == "index" else []


@hookimpl
def menu_links(datasette: Any) -> Callable[[], Awaitable[list[dict[str, str]]]]:
    """The way home, and to what is asked most."""

    async def links() -> list[dict[str, str]]:
        found = []
        for db in await reads.our_databases(datasette):
            there = Links(str(datasette.urls.database(db.name)))
            found += [
                {"href": datasette.urls.instance(), "label": "Home"},
                {"href": there.rows("current_ranks", _sort="position"), "label": "Ranks now"},
                {"href": there.rows("page_one"), "label": "Page one"},
                {"href": there.rows("source_health"), "label": "Sources"},
                {"href": there.rows("readings", _sort_desc="id"), "label": "Readings"},
                {"href": there.root, "label": "All tables"},
            ]
        return found

    return links


@hookimpl
def render_cell(
    value: object, column: str, table: str, database: str, datasette: Any
) -> Callable[[], Awaitable[Any]] | None:
    """Make `reading_id` and `source_id` links in views and queries too, where Datasette knows no foreign keys."""
    tables = {"reading_id": "readings", "good_reading_id": "readings", "source_id": "sources", "url_id": "urls"}
    if column not in tables or not isinstance(value, int) or table == tables[column]:
        return None

    async def link() -> Markup | None:
        if not await reads.is_ours(datasette.get_database(database)):
            return None
        there = Links(str(datasette.urls.database(database)))
        return Markup('<a href="{}">{}</a>').format(there.row(tables[column], value), value)

    return link


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[safety.App], safety.App]:
    """Put the Host check and the headers before every request while a database of ours is served."""

    async def active() -> bool:
        return bool(await reads.our_databases(datasette))

    def wrapper(app: safety.App) -> safety.App:
        return safety.wrap(
            app, active, lambda: _config(datasette).get("allowed_hosts", ()), str(datasette.urls.instance())
        )

    return wrapper
