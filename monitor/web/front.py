"""The way to the home page that does not pass through Datasette's own index.

Datasette 0.65.5 works out for each of its tables and views whether they may be seen, and copies the whole metadata
twice for each (three quarters of the time of our page, which shows none of it). Whatever is not ours, or may not be
seen, or is not a plain question for the page, and everything on 1.0, which asks once for all, gets Datasette's index.
"""

from __future__ import annotations

from typing import Any

from datasette.utils.asgi import Response
from datasette.version import __version__

from monitor.web import reads
from monitor.web.access import may_see
from monitor.web.pages import in_english

ROUTE = r"^/(\.(?P<format>jsono?))?$"


async def front(request: Any, send: Any, datasette: Any) -> Any:
    """The home page, or Datasette's index. Raises Forbidden where the instance may not be seen."""
    if request.method != "GET" or request.url_vars["format"] or not hasattr(datasette, "permission_allowed"):
        return await _index(request, send, datasette)
    ours = await reads.our_databases(datasette)
    seen = [name for name in datasette.databases if await may_see(datasette, request.actor, name)]
    if not ours or ours[0].name not in seen:
        return await _index(request, send, datasette)
    await datasette.ensure_permissions(request.actor, ["view-instance"])
    context = {
        "databases": [{"name": name, "path": datasette.urls.database(name)} for name in seen],
        "metadata": datasette.metadata(),
        "datasette_version": __version__,
        "private": not await datasette.permission_allowed(None, "view-instance", default=True),
        "alternate_url_json": datasette.absolute_url(request, datasette.urls.path("/.json")),
    }
    html = await datasette.render_template("index.html", context, request=request, view_name="index")
    link = f'{context["alternate_url_json"]}; rel="alternate"; type="application/json+datasette"'
    return Response.html(in_english(html), headers={"Link": link})


async def _index(request: Any, send: Any, datasette: Any) -> Any:
    """Datasette's own index."""
    from datasette.views.index import IndexView  # its import looks for hooks in us, who would not be whole yet

    return await IndexView.as_view(datasette)(request, send)
