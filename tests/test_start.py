"""The start: a command imports what it needs and no more, since that is what its start costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from monitor.store import readings, sources
from monitor.store.connection import Store
from tests.made import DUCK, GITHUB, NOW, reading, settings

HEAVY = {"requests", "bs4", "lxml", "datasette", "apscheduler", "sqlite_utils", "pydantic"}
OURS = {"monitor.config", "monitor.attempt", "monitor.schedule", "monitor.web", "monitor.store.connection"}
ALSO_DEAR = {"asyncio", "http.client", "email", "urllib.request", "unittest", "xml", "ssl"}

PROGRAM = """
import sys
from monitor.cli import cli
try:
    cli.main(sys.argv[1:], standalone_mode=False)
finally:
    print(); print(*sorted(sys.modules))
"""


def modules_of(folder: Path, *args: str) -> tuple[str, set[str]]:
    """What a command prints, and the modules that its process has in the end, packages included."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *args], capture_output=True, text=True, check=True, cwd=folder, timeout=60
    )
    said, _, names = done.stdout.rstrip("\n").rpartition("\n")
    return said, set(names.split()) | {name.partition(".")[0] for name in names.split()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A config of every sort of source, and a history of it."""
    body = f'{DUCK}at = "06:30"\n{GITHUB}[[page_views]]\nkind = "access_log"\n'
    with Store(tmp_path / "presence.db") as store:
        ids = sources.sync(store, settings(tmp_path, body), NOW)
        readings.save(store, ids["duckduckgo/ada-example"], reading("http://a.example/"))
    return tmp_path


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["--help"], "Commands:"),
        (["--version"], "version"),
        (["status"], "duckduckgo/ada-example: ok"),
        (["status", "--json"], '"schedule": "at 06:30"'),
        (["status", "--check"], "monitor run is not running"),
        (["status", "--help"], "--check"),
    ],
)
def test_a_quick_command_imports_nothing_dear(folder: Path, args: list[str], wanted: str) -> None:
    said, modules = modules_of(folder, *args)
    assert wanted in said
    assert "click" in modules
    assert not modules & (HEAVY | OURS | ALSO_DEAR)


def test_reading_a_log_imports_nothing_that_asks_a_page_or_parses_one(folder: Path) -> None:
    line = '192.0.2.1 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "Mozilla/5.0 (X11) Firefox/140.0"\n'
    (folder / "access.log").write_text(line)
    said, modules = modules_of(folder, "check", "access_log")
    assert "access_log: ok" in said
    assert "crawleruseragents" in modules  # a line was judged
    to_ask = {"requests", "urllib3", "certifi", "charset_normalizer", "idna", "ssl", "http.client", "urllib.request"}
    assert not modules & (to_ask | {"bs4", "lxml", "apscheduler", "datasette", "uvicorn", "asyncio", "unittest", "xml"})


def test_help_does_not_even_open_the_database_module(folder: Path) -> None:
    assert "sqlite3" not in modules_of(folder, "--help")[1]


def test_the_full_check_is_made_only_of_a_changed_config(folder: Path) -> None:
    config = folder / "config.toml"
    config.write_text(f"{config.read_text()}# a remark\n")
    said, modules = modules_of(folder, "status")
    assert "has changed" in said
    assert "pydantic" in modules
