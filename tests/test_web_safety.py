"""Who may ask, and what a browser may do with the answer."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from datasette.version import __version__

from monitor.web import safety
from monitor.web.serve import make_datasette
from tests import web_data


@pytest.fixture
async def ds(tmp_path: Path) -> Any:
    ds = make_datasette(web_data.filled(tmp_path / "presence.db", days=5), {}, allowed_hosts=["monitor.example"])
    await ds.invoke_startup()
    return ds


HOSTS = ["localhost", "localhost:8001", "LOCALHOST", "127.0.0.1:8001", "[::1]", "[::1]:8001", "monitor.example:443"]
STRANGERS = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example:8001",
    "127.0.0.2",
    "[::2]:8001",
    "",
    "monitor.example.evil.example",
]


@pytest.mark.parametrize("host", HOSTS)
async def test_a_known_host_is_answered(ds: Any, host: str) -> None:
    assert (await ds.client.get("/", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("host", STRANGERS)
@pytest.mark.parametrize("path", ["/", "/presence.json", "/presence/readings.csv", "/-/databases.json", "/nowhere"])
async def test_a_strange_host_learns_nothing(ds: Any, host: str, path: str) -> None:
    answer = await ds.client.get(path, headers={"host": host})
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Ada" not in answer.text
    assert "presence.db" not in answer.text


@pytest.mark.parametrize("method", ["get", "head", "post", "options"])
async def test_the_host_is_asked_for_every_method(ds: Any, method: str) -> None:
    assert (await getattr(ds.client, method)("/", headers={"host": "evil.example"})).status_code == 403


async def test_the_refusal_says_what_to_write_in_the_config(ds: Any) -> None:
    answer = await ds.client.get("/", headers={"host": "box.example:8001"})
    assert 'allowed_hosts = ["box.example"]' in answer.text


async def test_a_hostile_host_name_is_not_repeated(ds: Any) -> None:
    answer = await ds.client.get("/", headers={"host": '"><script>alert(1)</script>'})
    assert answer.status_code == 403
    assert "<" not in answer.text


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ([(b"host", b"localhost")], False),
        ([(b"host", b"localhost"), (b"host", b"evil.example")], True),
        ([(b"host", b"evil.example"), (b"x-forwarded-host", b"localhost")], True),
        ([], True),
    ],
)
def test_exactly_one_host_is_wanted(headers: list[tuple[bytes, bytes]], refused: bool) -> None:
    assert bool(safety.refusal({"headers": headers, "path": "/", "raw_path": b"/"}, ())) is refused


@pytest.mark.parametrize("path", ["/%5Cevil.example/", "/%5cevil.example/", "/presence/%5C%5Cevil.example"])
async def test_a_backslash_sends_nobody_elsewhere(ds: Any, path: str) -> None:
    answer = await ds.client.get(path, follow_redirects=False)
    assert answer.status_code == 403
    assert "location" not in answer.headers


def test_a_raw_backslash_is_refused() -> None:
    scope = {"headers": [(b"host", b"localhost")], "path": "/\\evil.example/", "raw_path": b"/\\evil.example/"}
    assert "backslash" in safety.refusal(scope, ())


@pytest.mark.parametrize(
    "path", ["/", "/presence", "/presence/readings", "/presence/readings/1", "/nowhere", "/-/versions"]
)
async def test_every_answer_carries_the_headers(ds: Any, path: str) -> None:
    headers = (await ds.client.get(path)).headers
    for name, value in safety.HEADERS.items():
        assert headers.get_list(name) == [value], name
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy  # no other host, whatever the page holds


async def test_the_home_page_may_run_no_script_at_all(ds: Any) -> None:
    home = await ds.client.get("/")
    core = safety.core_scripts(__version__)
    assert core or "script-src" not in home.headers["content-security-policy"]
    assert core in home.headers["content-security-policy"]
    assert "unsafe" not in home.headers["content-security-policy"]
    ours = BeautifulSoup(home.text, "lxml").main  # around it, Datasette 1.0 has scripts of its own: they do not run
    assert ours.find(["script", "style"]) is None
    assert not [t for t in ours.find_all(True) if "style" in t.attrs]
    assert "script-src 'self'" in (await ds.client.get("/presence")).headers["content-security-policy"]


async def test_a_stricter_answer_of_datasette_s_stays() -> None:
    kept = dict(safety.protected([(b"Cache-Control", b"private, no-store"), (b"X-Frame-Options", b"ALLOW")], "p"))
    assert kept[b"Cache-Control"] == b"private, no-store"
    assert kept[b"x-frame-options"] == b"DENY"
    assert b"X-Frame-Options" not in kept


async def test_other_kinds_of_connection_pass_untouched() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def yes() -> bool:
        return True

    guarded = safety.wrap(app, yes, list, "/", "/-/presence/")
    await guarded({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    await guarded({"type": "websocket", "headers": []}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan", "websocket"]


@pytest.mark.parametrize(
    "statement",
    [
        "create table readings (id)",
        "create table readings (id); create table sources (id)",
        "create table readings (id); pragma application_id = 0x4D4F4E49",
        "create table readings (id); create table sources (id); pragma application_id = 7",
    ],
)
async def test_it_stays_out_of_the_way_on_any_other_file(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "presence.db"
    sqlite3.connect(path).executescript(statement).connection.close()
    ds = make_datasette(path, {})
    await ds.invoke_startup()
    answer = await ds.client.get("/", headers={"host": "anything.example"})
    assert answer.status_code == 200
    assert "content-security-policy" not in answer.headers
    assert "home.css" not in answer.text
    assert "<h1>Datasette</h1>" in answer.text


async def test_the_file_is_known_by_what_it_is_and_not_by_its_name(tmp_path: Path) -> None:
    other = tmp_path / "presence.db"
    sqlite3.connect(other).execute("create table readings (id)").connection.close()
    ds = make_datasette(other, {})
    ds.add_database(type(ds.get_database())(ds, str(web_data.filled(tmp_path / "x.db", days=3))), name="kept")
    await ds.invoke_startup()
    home = await ds.client.get("/")
    assert "/kept/" in home.text
    assert 'href="/presence"' in home.text
    assert (await ds.client.get("/", headers={"host": "evil.example"})).status_code == 403


async def test_the_file_cannot_be_downloaded_or_written(ds: Any) -> None:
    assert (await ds.client.get("/presence.db")).status_code in (403, 404)
    assert ds.setting("allow_download") is False
    answer = await ds.client.get("/presence.json", params={"sql": "delete from counts"}, follow_redirects=True)
    assert answer.status_code in (400, 403)


async def test_who_may_not_see_the_database_sees_no_home(tmp_path: Path) -> None:
    metadata = {"databases": {"presence": {"allow": {"id": "ada"}}}}
    ds = make_datasette(web_data.filled(tmp_path / "presence.db", days=3), metadata)
    await ds.invoke_startup()
    home = await ds.client.get("/")
    assert home.status_code == 200
    assert "Ada" not in home.text
