"""Datasette plugin: the home page, and safe defaults, for a monitor's database; inert on any other file.

Hooks that 0.65 and 1.0 share, and nothing else: `permission_allowed` and `datasette.metadata()` are gone in 1.0.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from pluggy import HookimplMarker

from monitor.web import charts, front, label_form, modes, pages, reads, safety
from monitor.web.home import home
from monitor.web.links import Links

PLUGIN = "presence_monitor"

hookimpl = HookimplMarker("datasette")


def now() -> datetime:
    """The clock of the pages."""
    return datetime.now(UTC)


def _config(datasette: Any) -> dict[str, Any]:
    return datasette.plugin_config(PLUGIN) or {}


def _links(datasette: Any, database: Any) -> Links:
    return Links(str(datasette.urls.database(database.name)), str(datasette.urls.path(pages.PREFIX)))


@hookimpl
def register_routes() -> list[tuple[str, Callable[..., Awaitable[Any]]]]:
    """Home, and the pages behind it."""
    return [(front.ROUTE, front.front), *pages.routes(lambda: now())]  # noqa: PLW0108 - the clock is looked up when asked


@hookimpl
def extra_template_vars(
    view_name: str, request: Any, datasette: Any, database: str | None, table: str | None
) -> Callable[[], Awaitable[dict[str, Any]]] | None:
    """Give the home page what it shows, a table its chart; nothing else, and nothing without a database of ours."""
    if view_name == "table":

        async def drawn() -> dict[str, Any]:
            return {"presence_chart": await charts.chart(datasette, database, table)}

        return drawn
    if view_name != "index":
        return None

    async def variables() -> dict[str, Any]:
        ours = await reads.our_databases(datasette)
        if not ours:
            return {}
        rows = await reads.read(ours[0], now(), _config(datasette).get("next"))
        links = _links(datasette, ours[0])
        may = modes.may_label(_config(datasette), getattr(request, "actor", None))
        choices = label_form.choices(rows["page_one"]) if may else ()
        return {"monitor": home(rows, ours[0].name, links), "label_choices": choices}

    return variables


@hookimpl
def extra_css_urls(
    view_name: str, request: Any, datasette: Any, database: str | None, table: str | None
) -> Callable[[], Awaitable[list[str]]] | list[str]:
    """The style sheet of our own pages, and of tables with a chart."""

    async def sheets() -> list[str]:
        ours = await charts.chart(datasette, database, table) if view_name == "table" else None
        shown = ours or (view_name != "table" and await reads.our_databases(datasette))
        return [datasette.urls.static_plugins(PLUGIN, "home.css")] if shown else []

    return sheets if view_name in {"index", "table"} or (request and pages.PREFIX in request.path) else []


@hookimpl
def extra_js_urls(
    view_name: str, datasette: Any, database: str | None, table: str | None
) -> Callable[[], Awaitable[list[dict[str, Any]]]] | None:
    """The script that draws, on tables with a chart and nowhere else."""

    async def scripts() -> list[dict[str, Any]]:
        url = datasette.urls.static_plugins(PLUGIN, "chart.js")
        return [{"url": url, "module": True}] if await charts.chart(datasette, database, table) else []

    return scripts if view_name == "table" else None


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: Any) -> None:
    """Let base.html ask whether an invented history is served: on every page, those of errors too."""

    async def monitor_invented() -> bool:
        return await reads.any_invented(datasette)

    env.globals["monitor_invented"] = monitor_invented


@hookimpl
def menu_links(datasette: Any) -> Callable[[], Awaitable[list[dict[str, str]]]]:
    """The way home, and to what is asked most."""

    async def links() -> list[dict[str, str]]:
        found = []
        for db in await reads.our_databases(datasette):
            there = _links(datasette, db)
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
    row: Any, value: object, column: str, table: str, database: str, datasette: Any
) -> Callable[[], Awaitable[Any]] | None:
    """Make `reading_id` and `source_id` links in views and queries too, where Datasette knows no foreign keys.

    A page's `whose` leads to the form that changes it, where there is one.
    """
    if table == "urls" and column == "whose" and _config(datasette).get("mode"):
        href = _links(datasette, datasette.get_database(database)).page("label", url=row["id"])
        return label_form.cell(datasette, database, str(value), href)
    tables = {"reading_id": "readings", "good_reading_id": "readings", "source_id": "sources", "url_id": "urls"}
    if column not in tables or not isinstance(value, int) or table == tables[column]:
        return None

    async def link() -> Markup | None:
        if not await reads.is_ours(datasette.get_database(database)):
            return None
        there = _links(datasette, datasette.get_database(database))
        href = there.reading(value) if tables[column] == "readings" else there.row(tables[column], value)
        return Markup('<a href="{}">{}</a>').format(href, value)

    return link


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[safety.App], safety.App]:
    """Put the Host check and the headers before every request while a database of ours is served."""

    async def active() -> bool:
        return bool(await reads.our_databases(datasette))

    def wrapper(app: safety.App) -> safety.App:
        strict = (str(datasette.urls.instance()), str(datasette.urls.path(pages.PREFIX)))
        if _config(datasette).get("mode") == "password":
            app = modes.gate(app, datasette)
        return safety.wrap(app, active, lambda: _config(datasette).get("allowed_hosts", ()), *strict)

    return wrapper
