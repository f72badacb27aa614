"""Which tables and views have a chart above them: those with a `chart` entry in the metadata, in a database of ours.

The entry stands at the table, where an owner may change it, as Datasette's plugins do:
`"daily_ranks": {"plugins": {"presence_monitor": {"chart": {"x": "day", "y": "position", "series": ["engine"]}}}}`.
The browser draws it from the page's own rows (static/chart.js); without a script the page is Datasette's table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.web import reads

PLUGIN = "presence_monitor"
SHAPES = ("rank", "line", "area", "bars", "stack")
UNITS = ("day", "week", "month")


def entry(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The chart of a table's plugin settings with what it leaves out filled in; None without one that can be drawn.

    >>> entry({"chart": {"x": "day", "y": "views", "series": "site"}})["series"]
    ['site']
    >>> entry({"chart": {"x": "day"}}) is None
    True
    """
    said = (config or {}).get("chart")
    if not isinstance(said, Mapping) or not all(isinstance(said.get(axis), str) for axis in ("x", "y")):
        return None
    series = said.get("series", [])
    chart = {"shape": "line", "unit": "day", "name": said["y"].replace("_", " "), **said}
    chart["series"] = [series] if isinstance(series, str) else [str(column) for column in series]
    return chart if chart["shape"] in SHAPES and chart["unit"] in UNITS else None


async def chart(datasette: Any, database: str | None, table: str | None) -> dict[str, Any] | None:
    """What the script needs to draw the chart of this table; None where there is none, or the file is not ours."""
    if not database or not table:
        return None
    found = entry(datasette.plugin_config(PLUGIN, database=database, table=table))
    if not found or not await reads.is_ours(datasette.get_database(database)):
        return None
    urls = datasette.urls
    return {**found, "database": str(urls.database(database)), "readings": str(urls.path("/-/presence/reading/"))}
