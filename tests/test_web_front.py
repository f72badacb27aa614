"""Home does not pass through Datasette's own index, and whoever may not see home gets what Datasette would give."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from datasette.version import __version_info__

from monitor.web.serve import load_metadata, make_datasette
from tests import web_data
from tests.conftest import ROOT


async def serving(path: Path, **metadata: Any) -> Any:
    ds = make_datasette(web_data.filled(path, days=5), {**load_metadata(), **metadata})
    await ds.invoke_startup()
    return ds


@pytest.mark.skipif(int(__version_info__[0]) >= 1, reason="1.0 asks once for all tables what may be seen")
async def test_home_asks_nothing_about_tables_that_it_does_not_show(tmp_path: Path) -> None:
    ds = await serving(tmp_path / "presence.db")
    asked = []
    allowed = ds.permission_allowed

    async def counting(actor: Any, action: str, resource: Any = None, default: Any = False) -> Any:
        asked.append((action, resource))
        return await allowed(actor, action, resource=resource, default=default)

    ds.permission_allowed = counting
    home = await ds.client.get("/")
    assert "Ada Example" in home.text
    assert [resource for action, resource in asked if action == "view-table"] == []
    assert "/.json" in home.headers["link"]


async def test_what_is_not_for_everyone_is_not_shown(tmp_path: Path) -> None:
    ds = await serving(tmp_path / "presence.db", allow=False)
    home = await ds.client.get("/")
    assert home.status_code == 403
    assert "Ada Example" not in home.text


async def test_data_and_files_that_are_not_ours_are_still_told_by_datasette(tmp_path: Path) -> None:
    ds = await serving(tmp_path / "presence.db")
    assert "presence" in (await ds.client.get("/.json")).text
    assert (await ds.client.head("/")).status_code == 200
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("create table dogs (name)").connection.close()
    alien = make_datasette(other, {})
    await alien.invoke_startup()
    assert "dogs" in (await alien.client.get("/")).text


HOOKS = """
import importlib, sys
importlib.import_module(sys.argv[1])
import datasette.app
from datasette.plugins import pm
print(*sorted({c.name for p in pm.get_plugins() if getattr(p, "__name__", "") == "monitor.web"
  for c in pm.get_hookcallers(p)}))
"""


@pytest.mark.parametrize("first", [f"monitor.web.{name}" for name in ("serve", "front", "pages", "label_form", "feed")])
def test_the_plugin_is_whole_whichever_of_its_modules_comes_first(first: str) -> None:
    """Datasette looks for plugins while it is imported, and so finds one that imports it only half made."""
    done = subprocess.run([sys.executable, "-c", HOOKS, first], capture_output=True, text=True, check=True, cwd=ROOT)
    assert {"register_routes", "extra_template_vars", "asgi_wrapper", "menu_links"} <= set(done.stdout.split())
