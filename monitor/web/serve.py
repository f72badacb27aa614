"""SHELL: Datasette and its web server, made ready. Starting, stopping and signals are the caller's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import Any

import uvicorn
from datasette.app import Datasette
from datasette.version import __version_info__

from monitor.web import modes

PLUGIN = "presence_monitor"
FILE = "datasette-metadata.json"
KEY = "presence"  # the database's name in the metadata file, as for presence.db

SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "allow_download": False,
        "default_cache_ttl": 0,
        "facet_time_limit_ms": 200,
        "max_returned_rows": 20000,
        "sql_time_limit_ms": 1000,
        "suggest_facets": False,
        "truncate_cells_html": 300,
    }
)


def load_metadata(beside: Path | None = None) -> dict[str, Any]:
    """The descriptions and canned queries: from the folder `beside` (the config's), else those that came with Monitor.

    Raises ValueError naming the file when it is not JSON, FileNotFoundError when there is none at all.
    """
    here = Path(__file__).parent
    places = [*([beside / FILE] if beside else []), here / FILE, here.parents[1] / FILE]
    for path in places:
        if path.is_file():
            try:
                loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise ValueError(f"{path} is not JSON: {error}") from error
            return loaded
    raise FileNotFoundError(f"no {FILE} in {', '.join(str(p.parent) for p in places)}")


def for_database(metadata: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The same metadata with our database under its own name: Datasette names it after the file's stem."""
    databases = deepcopy(dict(metadata.get("databases", {})))  # Datasette changes what it is given
    if KEY in databases and name not in databases:
        databases[name] = databases.pop(KEY)
    return {**metadata, "databases": databases}


def make_datasette(
    database: Path,
    metadata: Mapping[str, Any],
    *,
    allowed_hosts: Sequence[str] = (),
    next_tries: Mapping[str, str] | None = None,
    mode: modes.Mode | None = None,
    password_hash: str | Mapping[str, str] = "",
    settings: Mapping[str, Any] = SETTINGS,
    **options: Any,
) -> Datasette:
    """Datasette over one database file, with the settings of docs/design.md section 7.

    `allowed_hosts` are names answered beside the loopback ones. `next_tries` maps a source's name to the instant (UTC,
    ISO text) when it is tried next; it may be a dict that the schedule keeps up to date. `mode` is how the pages are
    served, None for reading only; in password mode `password_hash` is the owner's, or {"$env": name} or {"$file": path}
    for it. `options` go to Datasette.
    On 1.0 the same dictionary is given as `config` too: as `metadata` alone its `queries` and `allow_sql` are dropped.
    """
    known = for_database(metadata, database.stem)
    plugins = known.get("plugins", {})
    ours = {**plugins.get(PLUGIN, {}), **({} if next_tries is None else {"next": next_tries})}
    ours["allowed_hosts"] = [*ours.get("allowed_hosts", ()), *allowed_hosts]
    known["plugins"] = {**plugins, PLUGIN: ours}
    if mode:
        ours["mode"] = mode
    if mode == "password":
        added = modes.metadata(password_hash)
        known = {**known, **added, "plugins": {**known["plugins"], **added["plugins"]}}
        settings = {**settings, "default_allow_sql": False}
        options.setdefault("secret", modes.kept_secret(database))
    if int(__version_info__[0]) >= 1:
        options.setdefault("config", deepcopy({**known, "plugins": {}}) | {"plugins": known["plugins"]})
    return Datasette([str(database)], metadata=known, settings=dict(settings), **options)


def server(app: Any, host: str, port: int) -> uvicorn.Server:
    """A quiet web server for the app; it gives open connections two seconds when told to stop."""
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=2
    )
    return uvicorn.Server(config)
