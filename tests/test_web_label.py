"""Labelling from the page: who may, from where, and that it is the same write as `monitor label`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from monitor.store import readings, sources
from monitor.store.connection import Store
from monitor.store.lock import WriteLock
from monitor.web import label_form
from monitor.web.serve import make_datasette
from tests import web_data
from tests.made import DUCK, NOW, reading, settings

LABEL = "/-/presence/label"
HERE = {"sec-fetch-site": "same-origin"}
ADA = "https://ada.example/"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    with Store(tmp_path / "presence.db") as store:
        ids = sources.sync(store, settings(tmp_path, DUCK), NOW)
        urls = ("https://b.example/x", ADA, "https://ada.example/two", "https://github.com/ada/engine")
        readings.save(store, ids["duckduckgo/ada-example"], reading(*urls))
    return tmp_path / "presence.db"


@pytest.fixture
def opened(history: Path) -> Callable[..., Awaitable[Any]]:
    async def make(**options: Any) -> Any:
        ds = make_datasette(history, {}, **{"mode": "local", **options})
        await ds.invoke_startup()
        return ds

    return make


def whose(history: Path) -> dict[str, str]:
    with closing(sqlite3.connect(history)) as db:
        return dict(db.execute("select url, whose from urls"))


def number(history: Path, url: str) -> int:
    with closing(sqlite3.connect(history)) as db:
        return int(db.execute("select id from urls where url = ?", (url,)).fetchone()[0])


async def post(ds: Any, headers: dict[str, str] | None = None, **fields: str) -> Any:
    """What a browser sends that has opened the form: its cookie and its token."""
    form = await ds.client.get(LABEL)
    hidden = BeautifulSoup(form.text, "lxml").find("input", {"name": "csrftoken"})
    data = {"csrftoken": hidden["value"] if hidden else "", **fields}
    headers = HERE if headers is None else headers
    return await ds.client.post(LABEL, data=data, headers=headers, cookies=dict(form.cookies), follow_redirects=False)


async def test_a_label_changes_the_past_and_says_how_much(opened: Any, history: Path) -> None:
    ds = await opened()
    done = await post(ds, pattern="ada.example", whose="mine")
    assert (done.status_code, done.headers["location"]) == (303, "/")
    home = await ds.client.get("/", cookies=dict(done.cookies))
    assert "ada.example is labelled mine; 2 known pages changed hands" in home.text
    assert "You are number 2" in home.text
    assert whose(history)[ADA] == "mine"
    assert "changed hands" not in (await ds.client.get("/")).text
    back = await post(ds, pattern="ada.example", whose="none")
    assert back.status_code == 303
    assert set(whose(history).values()) == {"other"}


async def test_the_form_shows_the_pattern_before_anything_is_written(opened: Any, history: Path) -> None:
    ds = await opened()
    for url, pattern in ((ADA, "ada.example"), ("https://github.com/ada/engine", "github.com/ada/engine")):
        answer = await ds.client.get(LABEL, params={"url": number(history, url), "whose": "unwanted"})
        form = BeautifulSoup(answer.text, "lxml").select_one("form.m-label")
        assert form.select_one("#m-pattern")["value"] == pattern
        assert form.select_one("input[checked]")["value"] == "unwanted"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert set(whose(history).values()) == {"other"}
    for unknown in ("999", "x", "-1", "9" * 400, "٣"):
        assert (await ds.client.get(LABEL, params={"url": unknown})).status_code == 404, unknown


async def test_home_and_rows_lead_to_the_form(opened: Any, history: Path) -> None:
    ds = await opened()
    home = BeautifulSoup((await ds.client.get("/")).text, "lxml")
    (form,) = home.select("form.m-label-small")
    assert (form["action"], form["method"]) == (LABEL, "get")
    assert [int(o["value"]) for o in form.select("option")] == [number(history, url) for url in whose(history)]
    row = BeautifulSoup((await ds.client.get(f"/presence/urls/{number(history, ADA)}")).text, "lxml")
    link = row.select_one("td.col-whose a")["href"]
    assert (await ds.client.get(link)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": "http://localhost"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "http://localhost:8002"},
        {},
    ],
)
async def test_a_form_from_elsewhere_changes_nothing(opened: Any, history: Path, headers: dict[str, str]) -> None:
    ds = await opened()
    for cookies in (True, False):
        if cookies:
            answer = await post(ds, headers, pattern="ada.example", whose="mine")
        else:
            data = {"pattern": "ada.example", "whose": "mine"}
            answer = await ds.client.post(LABEL, data=data, headers=headers)
        assert answer.status_code == 403
    assert set(whose(history).values()) == {"other"}


async def test_an_old_browser_is_believed_by_its_origin(opened: Any, history: Path) -> None:
    answer = await post(await opened(), {"origin": "http://localhost"}, pattern="ada.example", whose="mine")
    assert answer.status_code == 303


async def test_where_monitor_does_not_serve_nothing_is_written(opened: Any, history: Path) -> None:
    ds = await opened(mode=None)
    assert (await ds.client.get(LABEL)).status_code == 403
    data = {"pattern": "ada.example", "whose": "mine"}
    assert (await ds.client.post(LABEL, data=data, headers=HERE)).status_code == 403
    assert set(whose(history).values()) == {"other"}
    assert "m-label" not in (await ds.client.get("/")).text
    assert LABEL not in (await ds.client.get("/presence/urls")).text


@pytest.mark.parametrize(
    ("pattern", "word", "said"),
    [
        ("not a host", "mine", "is no host, path or URL"),
        ("", "mine", "is no host, path or URL"),
        ("*.*.example", "mine", "stands only at the start"),
        ("ada.example", "yours", "choose one of the words"),
        ("ada.example", "", "choose one of the words"),
        ("a" * 3000 + ".example", "mine", "too long"),
        ("<script>alert(1)</script>", "mine", "is no host, path or URL"),
    ],
)
async def test_what_is_wrong_is_said_on_the_form(
    opened: Any, history: Path, pattern: str, word: str, said: str
) -> None:
    answer = await post(await opened(), pattern=pattern, whose=word)
    assert answer.status_code == 200
    page = BeautifulSoup(answer.text, "lxml")
    assert said in page.select_one(".m-alarm").get_text()
    assert page.select_one("#m-pattern")["value"] == pattern
    assert page.main.find("script") is None
    assert set(whose(history).values()) == {"other"}


async def test_a_locked_history_is_said(opened: Any, history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_form, "LOCK_SECONDS", 0.05)
    ds = await opened()
    lock = WriteLock(history.with_name("presence.db.lock"), 1)
    with lock.held():
        answer = await post(ds, pattern="ada.example", whose="mine")
    lock.close()
    assert "has been held by another program" in answer.text
    assert set(whose(history).values()) == {"other"}


async def test_a_history_that_cannot_be_written_is_said(
    opened: Any, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ds = await opened()
    monkeypatch.setattr("monitor.store.connection.os.access", lambda path, mode: False)
    assert "cannot be written" in (await post(ds, pattern="ada.example", whose="mine")).text


async def test_a_label_beside_an_open_store_takes_its_turn(opened: Any, history: Path) -> None:
    """`run` has the same file open in the same process: neither's locks or marks are lost by the other's closing."""
    ds = await opened()
    with Store(history) as store:
        for n in range(8):
            answer = await post(ds, pattern="ada.example", whose=("mine", "other")[n % 2])
            assert answer.status_code == 303
            with store.write() as db:
                db.execute("update owner set timezone = timezone")
        many = [post(ds, pattern=f"host{n}.example", whose="namesake") for n in range(6)]
        assert {a.status_code for a in await asyncio.gather(*many)} == {303}
        assert store.rows("select count(*) as n from labels")[0]["n"] == 7
    assert not Path(f"{history}-wal").exists() or not Path(f"{history}-wal").stat().st_size


async def test_hostile_pages_stay_text_on_the_form(tmp_path: Path) -> None:
    path = web_data.hostile(tmp_path / "presence.db")
    ds = make_datasette(path, {}, mode="local")
    await ds.invoke_startup()
    with closing(sqlite3.connect(path)) as db:
        ids = [row[0] for row in db.execute("select id from urls")]
    for where in ("/", *(f"{LABEL}?url={n}" for n in ids)):
        page = BeautifulSoup((await ds.client.get(where)).text, "lxml")
        assert page.main.find(["script", "img"]) is None
        assert not [a for a in page.select("[href]") if a["href"].casefold().startswith("javascript")]
