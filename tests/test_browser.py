"""What a real browser makes of hostile titles and addresses: nothing. With a control that shows the test can fail."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.store import readings, sources
from monitor.store.connection import Store
from monitor.web.serve import load_metadata, make_datasette, server
from tests.conftest import part
from tests.made import DUCK, NOW, reading, results, settings
from tests.replay import Answer, Replay

MARK = "document.documentElement.setAttribute('data-ran','yes')"
TITLE = f'<script>{MARK}</script><img src=x onerror="{MARK}"><svg onload="{MARK}">'
URLS = (f"javascript:{MARK}", f'https://ada.example/"onmouseover="{MARK}"autofocus onfocus="{MARK}"')
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=2000", "--dump-dom"),
)
Browse = Callable[[str], str]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    chromium = part("chromium", "chromium")

    def look(url: str) -> str:
        done = subprocess.run(
            [chromium, *QUIET, f"--user-data-dir={tmp_path / 'browser'}", url],
            capture_output=True,
            text=True,
            timeout=90,
            check=True,
        )
        assert "<body" in done.stdout
        return done.stdout

    return look


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A running page over a history whose strangers' titles and addresses mean harm."""
    with Store(tmp_path / "presence.db") as store:
        ids = sources.sync(store, settings(tmp_path, DUCK + '[labels]\nmine = ["ada.example"]\n'), NOW)
        hostile = replace(reading(), records=tuple(results([*URLS, "https://ada.example/"], TITLE)), depth=3)
        readings.save(store, ids["duckduckgo/ada-example"], hostile)
    path = tmp_path / "presence.db"
    serving = server(make_datasette(path, load_metadata()).app(), "127.0.0.1", 0)
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not serving.started and time.monotonic() < until:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{serving.servers[0].sockets[0].getsockname()[1]}"
    serving.should_exit = True
    thread.join(10)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", "DuckDuckGo"),
        ("/presence/page_one", "ada.example"),
        ("/presence/texts", "&lt;script&gt;"),
        ("/presence/urls", "javascript:"),
        ("/presence?sql=select+title,+url+from+page_one", "&lt;script&gt;"),
    ],
)
def test_hostile_rows_stay_text(browse: Browse, address: str, path: str, shown: str) -> None:
    page = browse(address + path)
    assert shown in page
    assert 'data-ran="yes"' not in page
    assert 'href="javascript:' not in page.casefold()


def test_the_same_rows_would_run_on_a_careless_page(browse: Browse) -> None:
    with Replay({"/": Answer.html(f"<body>{TITLE}</body>")}) as careless:
        assert 'data-ran="yes"' in browse(careless.url + "/")
