"""Page one over time: every day leads to its reading, what was not read is no place, and strangers' words stay text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from monitor.web.map_picture import Day, Place, picture
from monitor.web.serve import make_datasette
from tests import web_data
from tests.web_data import TODAY, Data, results

Open = Callable[..., Awaitable[Any]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    async def make(fill: Callable[[Data], object] | str, **options: Any) -> Any:
        path = tmp_path / "presence.db"
        if isinstance(fill, str):
            getattr(web_data, fill)(path)
        else:
            data = Data(path)
            fill(data)
            data.close()
        ds = make_datasette(path, {}, **options)
        await ds.invoke_startup()
        return ds

    return make


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.web.now", lambda: web_data.NOON)


async def page(ds: Any, query: str = "") -> BeautifulSoup:
    answer = await ds.client.get(f"/-/presence/map{query}")
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "lxml")


def text(found: Any) -> str:
    return re.sub(r"\s+", " ", found.get_text(" ")).strip() if found else ""


def story(data: Data) -> None:
    """400 days of one engine: the owner at 2, an outage of three days, and today still to come."""
    duck = data.source("duckduckgo/ada-example")
    for ago in range(400, 0, -1):
        if ago in (9, 10, 11):
            data.reading(duck, ago, "blocked", "captcha", advice="Left alone.")
        else:
            data.page(duck, ago, results(2, 9))
    data.label("ada.example")
    data.label("people-finder.example", "unwanted")


# --- the map of one engine -----------------------------------------------------------------------------------------


async def test_each_day_says_who_stood_where_and_leads_to_its_reading(opened: Open) -> None:
    ds = await opened(story)
    shown = await page(ds, "?source=1")
    days = shown.select("svg.p-map a")
    assert len(days) == 364  # a year up to today, which is not read yet
    last = text(days[-1].title)
    assert str((TODAY - timedelta(days=1)).year) in last
    assert "2 (mine) ada.example: Title of https://ada.example/" in last
    assert "8 (unwanted) people-finder.example" in last
    assert "1 site1.example: Title of https://site1.example/page" in last
    row = days[-1]["href"].replace("/-/presence/reading", "/presence/readings")
    (reading,) = (await ds.client.get(f"{row}.json", params={"_shape": "array"})).json()
    assert (reading["day"], reading["outcome"]) == (web_data.day(1), "ok")


async def test_days_not_read_are_hatched_and_told_and_never_a_place(opened: Open) -> None:
    shown = await page(await opened(story), "?source=1")
    told = [text(t) for t in shown.select("svg.p-map title") if "not read" in text(t)]
    assert len(told) == 3
    assert all(t.endswith("not read, blocked: captcha") for t in told)
    assert len(shown.select("rect.unread")) == 1
    (gap,) = shown.select("#p-gaps")[0].find_parent("section").select("tbody tr")
    assert text(gap) == f"{web_data.day(11)} to {web_data.day(9)} 3 blocked: captcha"
    assert "3 not read" in text(shown.main)
    assert "read on 361 days" in text(shown.main)


async def test_the_years_are_walked_by_links_until_the_beginning(opened: Open) -> None:
    ds = await opened(story)
    newest = await page(ds, "?source=1")
    (older,) = newest.select('a[rel="prev"]')
    assert not newest.select('a[rel="next"]')
    before = BeautifulSoup((await ds.client.get(older["href"])).text, "lxml")
    assert len(before.select("svg.p-map a")) == 400 - 364
    assert not before.select('a[rel="prev"]')
    (newer,) = before.select('a[rel="next"]')
    again = BeautifulSoup((await ds.client.get(newer["href"])).text, "lxml")
    assert text(again.select_one(".p-turns")) == text(newest.select_one(".p-turns"))


@pytest.mark.parametrize("to", ["", "x", "2026-02-31", "9999-12-31", "0001-01-01", "2026-1-1", "%00"])
async def test_a_day_that_is_none_is_answered_all_the_same(opened: Open, to: str) -> None:
    assert await page(await opened("unlabelled"), f"?source=1&to={to}")


@pytest.mark.parametrize(
    "query", ["?source=99", "?source=x", "?source=", "?url=99", "?url=-1", "?url=1e3", "?source=%C2%B2"]
)
async def test_what_is_not_there_is_not_found(opened: Open, query: str) -> None:
    assert (await (await opened("unlabelled")).client.get(f"/-/presence/map{query}")).status_code == 404


async def test_the_pages_that_stood_there_are_a_table_the_owner_s_first(opened: Open) -> None:
    shown = await page(await opened(story), "?source=1")
    table = shown.select_one("#p-held table")
    assert text(table.caption).startswith("Pages on page one from")
    assert all(th["scope"] == "col" for th in table.select("th"))
    rows = [[text(td) for td in tr.find_all("td")] for tr in table.select("tbody tr")]
    assert [row[1] for row in rows[:2]] == ["m mine", "× unwanted"]
    assert rows[0][2:4] == ["361", "2"]
    assert rows[0][5] == web_data.day(1)


async def test_an_engine_that_was_never_read_shows_no_map(opened: Open) -> None:
    shown = await page(await opened("empty"), "?source=1")
    assert not shown.select("svg.p-map")
    assert "Nothing was read in these days" in text(shown.main)


async def test_a_year_is_small_enough_to_send(opened: Open) -> None:
    def full(data: Data) -> None:
        duck = data.source("duckduckgo/ada-example")
        for ago in range(364):
            urls = [f"https://a-host-of-some-length-{n}.example/and/a/path/{(ago + n) % 17}" for n in range(10)]
            data.page(
                duck, ago, urls, {u: f"A title of the usual length of about sixty characters {u[-2:]}" for u in urls}
            )

    answer = await (await opened(full)).client.get("/-/presence/map?source=1")
    assert len(answer.content) < 400_000


# --- all engines, and one page -------------------------------------------------------------------------------------


async def test_without_a_source_every_engine_is_shown_in_short(opened: Open) -> None:
    shown = await page(await opened("filled"))
    assert [text(c.h2.a) for c in shown.select(".p-smalls > li")] == ["DuckDuckGo", "Brave", "Mojeek", "Google", "Bing"]
    duck, google = shown.select(".p-smalls > li")[0], shown.select(".p-smalls > li")[3]
    assert "1 of 10 mine" in text(duck)
    assert "not read yet" in text(google)
    assert not google.select("path.mine, path.other")
    assert google.select("rect.unread")


async def test_one_page_over_time_on_every_engine(opened: Open) -> None:
    ds = await opened("filled")
    (row,) = (await ds.client.get("/presence/urls.json?url=https://ada.example/&_shape=array")).json()
    shown = await page(ds, f"?url={row['id']}")
    said = {text(li.h2.a): text(li.select_one("p.m-note")) for li in shown.select(".p-smalls > li")}
    assert said["DuckDuckGo"].startswith("place 1 on")
    assert said["Mojeek"].startswith("place 4 on")
    assert said["Bing"].startswith("not within the 9 results seen on")
    assert said["Google"] == "not read"
    assert shown.find("a", href="https://ada.example/")["rel"] == ["noreferrer", "noopener"]


async def test_home_leads_from_each_place_to_the_history_of_its_page(opened: Open) -> None:
    ds = await opened("filled")
    home = BeautifulSoup((await ds.client.get("/")).text, "lxml")
    cell = home.select_one(".m-cells a.mine")
    assert cell["href"].startswith("/-/presence/map?url=")
    shown = BeautifulSoup((await ds.client.get(cell["href"])).text, "lxml")
    assert "https://ada.example/" in text(shown.main)


@pytest.mark.parametrize("kind", ["filled", "hostile", "unlabelled", "empty"])
async def test_every_link_is_answered_and_no_stranger_s_word_acts(opened: Open, kind: str) -> None:
    ds = await opened(kind)
    pages = ["", "?source=1", "?url=1"] if kind != "empty" else ["", "?source=1"]
    seen: set[str] = set()
    for query in pages:
        shown = await page(ds, query)
        assert not shown.main.find(["script", "style", "img"])
        assert not [tag for tag in shown.main.find_all(True) if "style" in tag.attrs or "onload" in tag.attrs]
        seen |= {a["href"] for a in shown.main.select("a[href]")}
    for href in seen:
        assert href.startswith(("/", "#", "http://", "https://")), href
        if href.startswith("/"):
            assert (await ds.client.get(href)).status_code == 200, href


async def test_links_follow_the_base_url(opened: Open) -> None:
    ds = await opened("unlabelled", settings={"base_url": "/me/"})
    shown = BeautifulSoup((await ds.client.get("/-/presence/map?source=1")).text, "lxml")
    assert shown.select_one("svg.p-map a")["href"].startswith("/me/-/presence/reading/")


# --- the picture alone ---------------------------------------------------------------------------------------------


def drawn(days: list[Day], **options: Any) -> ET.Element:
    return ET.fromstring(str(picture(days, "A <map> & more", **options)))


def many(*kinds: str) -> list[Day]:
    start = date(2026, 1, 1)
    days = []
    for n, whose in enumerate(kinds):
        places = {1: Place(whose, 'A "title" <b>&', "a.example")} if whose else {}
        days.append(Day(start + timedelta(days=n), places, read=bool(whose), href=f"/r/{n}"))
    return days


def test_neighbours_with_one_owner_are_one_block_and_each_owner_has_a_shape() -> None:
    svg = drawn(many(*["mine"] * 30, "", *["other"] * 9))
    paths = {p.get("class"): p.get("d") or "" for p in svg.iter("path") if p.get("class") in ("mine", "other")}
    assert paths["mine"].count("M") == 1
    assert "h90" in paths["mine"]
    shapes = [
        {p.get("d") for p in drawn(many(w)).iter("path") if p.get("class") == w}.pop()
        for w in ("mine", "about_me", "namesake", "unwanted")
    ]
    assert len(set(shapes)) == 4


def test_a_day_not_watched_is_neither_hatched_nor_a_link() -> None:
    svg = drawn([Day(date(2026, 1, 1), {}, watched=False), Day(date(2026, 1, 2), {}, said="no reading")])
    assert len([r for r in svg.iter("rect") if r.get("class") == "unread"]) == 1
    assert not list(svg.iter("a"))
    assert len([r for r in svg.iter("rect") if r.get("class") == "day"]) == 1


def test_titles_and_addresses_cannot_leave_their_place() -> None:
    svg = drawn([replaced(many("mine")[0])])
    (link,) = svg.iter("a")
    assert link.get("href") == '/r/"><script>'
    assert "<script>" in (link.find("title").text or "")  # type: ignore[union-attr]
    assert not list(svg.iter("script"))


def replaced(day: Day) -> Day:
    return Day(day.day, {1: Place("mine", "<script>alert(1)</script>", "<b>")}, read=True, href='/r/"><script>')


async def test_a_page_that_takes_too_long_says_so_in_words(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasette.database import QueryInterrupted

    async def slow(asked: Any) -> Any:
        raise QueryInterrupted(Exception("interrupted"), "select", {})

    monkeypatch.setattr("monitor.web.page_map.page", slow)
    ds = await opened("filled")
    answer = await ds.client.get("/-/presence/map")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert "Load the page again" in answer.text
    assert "script" not in answer.text
