"""The Atom feed: valid, known again, and nothing of strangers but text."""

from __future__ import annotations

import re
import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.web.feed import NEWEST
from monitor.web.serve import make_datasette
from tests import web_data
from tests.web_data import Data, results

FEED = "/-/presence/changes.atom"
A = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.web.now", lambda: web_data.NOON)


async def served(path: Path, **options: Any) -> Any:
    ds = make_datasette(path, {}, **options)
    await ds.invoke_startup()
    return ds


async def feed(ds: Any) -> ET.Element:
    answer = await ds.client.get(FEED)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    root = ET.fromstring(answer.content)
    valid(root)
    return root


def valid(root: ET.Element) -> None:
    """What RFC 4287 asks of a feed and its entries."""
    assert root.tag == f"{A}feed"
    entries = root.findall(f"{A}entry")
    for part in (root, *entries):
        for tag in ("id", "title", "updated"):
            assert len(part.findall(f"{A}{tag}")) == 1, tag
        assert re.fullmatch(r"tag:[a-z.-]+,\d{4}(-\d\d-\d\d)?:[!-~]+", part.findtext(f"{A}id") or "")
        assert datetime.fromisoformat((part.findtext(f"{A}updated") or "").replace("Z", "+00:00")).tzinfo
        links = [(link.get("rel"), link.get("type")) for link in part.findall(f"{A}link")]
        assert len(links) == len(set(links)) > 0
    assert root.findtext(f"{A}author/{A}name")
    ids = [entry.findtext(f"{A}id") for entry in entries]
    assert len(ids) == len(set(ids))
    assert {element.tag for element in root.iter()} <= {
        f"{A}{tag}"
        for tag in ("feed", "id", "title", "subtitle", "updated", "author", "name", "link", "entry", "content")
    }


def titles(root: ET.Element) -> list[str]:
    return [entry.findtext(f"{A}title") or "" for entry in root.findall(f"{A}entry")]


def moved(data: Data) -> int:
    """9 for three days, then 2; and a day ago a people finder comes in, who rises today."""
    duck = data.source("duckduckgo/ada-example")
    clean = [f"https://s{n}.example/" for n in range(10)]
    for ago in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0):
        page = list(clean)
        page[8 if ago > 5 else 1] = "https://ada.example/"
        if ago < 2:
            page[6 if ago else 4] = "https://people-finder.example/ada"
        data.page(duck, ago, page)
    data.label("ada.example")
    data.label("people-finder.example", "unwanted")
    return duck


async def test_what_is_new_is_told_and_leads_to_its_reading(tmp_path: Path) -> None:
    data = Data(tmp_path / "presence.db")
    moved(data)
    data.close()
    ds = await served(tmp_path / "presence.db")
    root = await feed(ds)
    said = titles(root)
    assert said[0] == "DuckDuckGo: an unwanted page rose from 7 to 5"
    assert "DuckDuckGo: 1 page (1 unwanted) came to page one" in said
    assert "DuckDuckGo: 9 to 2" in said
    assert "DuckDuckGo: first time on page one" in said
    for entry in root.findall(f"{A}entry"):
        href = (entry.find(f"{A}link") or ET.Element("x")).get("href") or entry.findall(f"{A}link")[0].get("href") or ""
        assert re.fullmatch(r"http://localhost/-/presence/reading/\d+", href)
        assert (await ds.client.get(href.removeprefix("http://localhost"))).status_code == 200


async def test_a_move_that_did_not_stay_is_no_news(tmp_path: Path) -> None:
    data = Data(tmp_path / "presence.db")
    duck = data.source("duckduckgo/ada-example")
    for ago, place in ((5, 2), (4, 2), (3, 9), (2, 2), (1, 2), (0, 7)):
        data.page(duck, ago, results(place, 10))
    data.label("ada.example")
    data.close()
    said = titles(await feed(await served(tmp_path / "presence.db")))
    assert "DuckDuckGo: 2 to 9" not in said  # back the next day
    assert "DuckDuckGo: 2 to 7" not in said  # nobody knows yet


async def test_ids_stay_when_more_is_read(tmp_path: Path) -> None:
    path = tmp_path / "presence.db"
    data = Data(path)
    duck = moved(data)
    data.db.execute("commit")
    before = {e.findtext(f"{A}id"): e.findtext(f"{A}title") for e in (await feed(await served(path))).iter(f"{A}entry")}
    data.db.execute("begin")
    data.reading(duck, 0, slot=web_data.instant(0, "07:00:00"), outcome="failed", reason="timeout")
    data.close()
    after = {e.findtext(f"{A}id"): e.findtext(f"{A}title") for e in (await feed(await served(path))).iter(f"{A}entry")}
    assert before
    assert before.items() <= after.items()


async def test_it_is_bounded_and_newest_first(tmp_path: Path) -> None:
    data = Data(tmp_path / "presence.db")
    duck = data.source("duckduckgo/ada-example")
    for ago in range(80, -1, -1):
        data.page(duck, ago, [f"https://s{ago}-{n}.example/" for n in range(4)] + ["https://ada.example/"])
    data.label("ada.example")
    data.close()
    root = await feed(await served(tmp_path / "presence.db"))
    times = [entry.findtext(f"{A}updated") or "" for entry in root.findall(f"{A}entry")]
    assert 0 < len(times) <= NEWEST
    assert times == sorted(times, reverse=True)
    assert root.findtext(f"{A}updated") == times[0]


@pytest.mark.parametrize("kind", ["empty", "unlabelled", "filled"])
async def test_any_history_has_a_valid_feed(kind: str, tmp_path: Path) -> None:
    await feed(await served(getattr(web_data, kind)(tmp_path / "presence.db")))


async def test_strangers_text_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "presence.db"
    data = Data(path)
    duck = data.source("duckduckgo/ada", query=f"{web_data.HOSTILE_TITLE}\x00\x0b]]>")
    data.page(duck, 1, ["https://a.example/"])
    data.page(duck, 0, ["https://a.example/", web_data.HOSTILE_URL, "https://x.example/]]><script>&\x08"])
    data.db.execute("update owner set name = ?", (f"{web_data.HOSTILE_TITLE}\x1b\ufffe",))
    data.close()
    ds = await served(path)
    root = await feed(ds)
    assert "alert('x')" in "".join(root.itertext())
    answer = await ds.client.get(FEED)
    assert "<script" not in answer.text
    assert all((link.get("href") or "").startswith("http://localhost/") for link in root.iter(f"{A}link"))


async def test_a_reader_that_has_it_is_told_so(tmp_path: Path) -> None:
    path = web_data.filled(tmp_path / "presence.db", days=20)
    ds = await served(path)
    tag = (await ds.client.get(FEED)).headers["etag"]
    assert (await ds.client.get(FEED, headers={"if-none-match": tag})).status_code == 304
    with closing(sqlite3.connect(path)) as db:
        db.execute("update urls set whose = 'other' where host = 'people-finder.example'")
        db.commit()
    assert (await ds.client.get(FEED, headers={"if-none-match": tag})).status_code == 200


async def test_a_view_that_did_not_answer_is_said(tmp_path: Path) -> None:
    path = web_data.filled(tmp_path / "presence.db", days=20)
    with closing(sqlite3.connect(path)) as db:
        db.execute("drop view milestones")
    root = await feed(await served(path))
    assert "milestone" in (root.findtext(f"{A}subtitle") or "")


async def test_home_names_it_and_it_follows_the_base_url(tmp_path: Path) -> None:
    ds = await served(web_data.filled(tmp_path / "presence.db", days=20), settings={"base_url": "/me/"})
    assert (
        'type="application/atom+xml" title="What is new" href="/me/-/presence/changes.atom"'
        in (await ds.client.get("/")).text
    )
    answer = await ds.client.get(FEED)
    assert "http://localhost/me/-/presence/reading/" in answer.text
