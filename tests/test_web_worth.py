"""Worth: the command's own answer, each sentence with the rows it counts, and the weeks on one axis."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from monitor.cli.worth import answered
from monitor.store.reader import Reader
from monitor.web.serve import make_datasette
from monitor.web.timeline_picture import columns, hatched
from tests import web_data
from tests.web_data import HOSTILE_TITLE, TODAY, Data, day


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.web.now", lambda: web_data.NOON)


def contact(data: Data, source: int, ago: int, kind: str, origin: str, sender: str | None = None, **row: Any) -> int:
    n = data.db.execute("select count(*) from contacts").fetchone()[0]
    reading = data.reading(source, ago, slot=f"{day(ago)}T06:{n:02}:00Z", trigger="typed")
    about = {"at": None, "day": day(ago), "kind": kind, "origin": origin, "sender_key": sender, **row}
    domain = "recruiting.example" if sender else ""
    return data.insert("contacts", source_id=source, reading_id=reading, **{"sender_domain": domain, **about})


def half_a_year(data: Data) -> None:
    """Contacts of some origins, one sender who keeps coming, one that is not sure, and LinkedIn's weeks."""
    typed = data.source("typed", "typed", kind="typed")
    for n in range(4):
        contact(data, typed, 20 + 9 * n, "mail", "linkedin", "f" * 32)
    for n in range(3):
        contact(data, typed, 15 + 30 * n, "call", "referral")
    contact(data, typed, 0, "call", "referral")
    contact(data, typed, 300, "call", "long ago")
    contact(data, typed, 11, "mail", "search", "e" * 32, verdict="unsure", reason="one_word")
    export = data.source("import/linkedin", "profile", kind="import")
    monday = TODAY.weekday() + 7
    for n in range(6):
        data.count(export, "linkedin", "search_appearances", 10 + n, monday + 7 * n, window="week")


async def made(tmp_path: Path, fill: Callable[[Data], object]) -> Any:
    data = Data(tmp_path / "presence.db")
    fill(data)
    data.close()
    ds = make_datasette(tmp_path / "presence.db", {})
    await ds.invoke_startup()
    return ds


async def page(ds: Any, query: str = "") -> BeautifulSoup:
    answer = await ds.client.get(f"/-/presence/worth{query}")
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "lxml")


def text(found: Any) -> str:
    return re.sub(r"\s+", " ", found.get_text(" ")).strip() if found else ""


@pytest.mark.parametrize("months", [3, 6, 24])
async def test_it_says_what_the_command_says(tmp_path: Path, months: int) -> None:
    ds = await made(tmp_path, half_a_year)
    with Reader(tmp_path / "presence.db") as store:
        said = [one.said for one in answered(store, TODAY, months).said]
    assert [text(li) for li in (await page(ds, f"?months={months}")).select(".w-said li")] == said


async def test_each_sentence_leads_to_the_rows_that_it_counts(tmp_path: Path) -> None:
    ds = await made(tmp_path, half_a_year)
    with Reader(tmp_path / "presence.db") as store:
        ids = [set(one.contacts) for one in answered(store, TODAY, 6).said]
    links = [li.a["href"] for li in (await page(ds)).select(".w-said li")]
    assert len(links) == len(ids) > 4
    for href, counted in zip(links, ids, strict=True):
        path, _, query = href.partition("?")
        rows = (await ds.client.get(f"{path}.json?{query}&_shape=array&_size=max")).json()
        if counted:
            assert {row["contact_id"] for row in rows} == counted, href
        else:
            assert path.endswith("/contact_weeks"), href


async def test_the_spans_are_links_and_anything_else_is_half_a_year(tmp_path: Path) -> None:
    ds = await made(tmp_path, half_a_year)
    for query, here in (
        ("", "6 months"),
        ("?months=24", "24 months"),
        ("?months=x", "6 months"),
        ("?months=0", "6 months"),
    ):
        spans = (await page(ds, query)).select(".t-spans a")
        assert [text(a) for a in spans] == ["3 months", "6 months", "12 months", "24 months"]
        assert [text(a) for a in spans if a.get("aria-current")] == [here]
    assert "long ago" in text(await page(ds, "?months=24"))
    assert "long ago" not in text(await page(ds))


async def test_contacts_by_origin_stand_above_linkedin_s_weeks_on_one_axis(tmp_path: Path) -> None:
    shown = await page(await made(tmp_path, half_a_year))
    assert [text(h) for h in shown.select(".t-row h3")] == ["linkedin", "referral", "Search appearances on LinkedIn"]
    linkedin, _, appearances = shown.select(".t-row")
    assert "4 contacts" in text(linkedin)
    assert len(linkedin.select("svg a")) == 4
    assert len(appearances.select("circle")) == 6
    with Reader(tmp_path / "presence.db") as store:
        unknown = sum(week["contacts"] is None for week in answered(store, TODAY, 6).weeks)
    assert len(linkedin.select(".t-unread")) == unknown > 0
    assert "10 to 15 a week, 10 in the week of" in text(appearances)
    unread = re.search(r"(\d+) weeks not known", text(appearances))
    assert unread
    assert len(appearances.select(".t-unread")) == int(unread[1])


async def test_every_bar_leads_to_its_contacts(tmp_path: Path) -> None:
    ds = await made(tmp_path, half_a_year)
    bar = (await page(ds)).select(".t-row")[1].select_one("svg a")
    rows = (await ds.client.get(bar["href"].replace("?", ".json?", 1) + "&_shape=array")).json()
    assert [row["origin"] for row in rows] == ["referral"]


async def test_who_waits_for_the_owner_s_word_has_the_command(tmp_path: Path) -> None:
    unsure = (await page(await made(tmp_path, half_a_year))).select_one("#unsure")
    assert [text(c) for c in unsure.select("code")] == ["monitor correct 10 mail", "monitor correct 10 none"]
    assert "one word" in text(unsure)


async def test_who_came_again_and_again(tmp_path: Path) -> None:
    ds = await made(tmp_path, half_a_year)
    (row,) = (await page(ds)).select("section[aria-labelledby=w-again] tbody tr")
    assert "ffffffff recruiting.example linkedin 4" in text(row)
    rows = (await ds.client.get(row.a["href"].replace("?", ".json?", 1) + "&_shape=array")).json()
    assert len(rows) == 4


async def test_many_origins_are_drawn_together(tmp_path: Path) -> None:
    def many(data: Data) -> None:
        typed = data.source("typed", "typed", kind="typed")
        for n in range(9):
            contact(data, typed, 7 * n, "mail", f"origin {n}")

    names = [text(h) for h in (await page(await made(tmp_path, many))).select(".t-row h3")]
    assert names == [*(f"origin {n}" for n in range(5)), "all others"]


async def test_an_empty_history_says_what_to_do(tmp_path: Path) -> None:
    shown = await page(await made(tmp_path, lambda data: None))
    assert "monitor add contact" in text(shown.select_one(".w-said"))
    assert not shown.select(".t-row, #unsure")


async def test_hostile_text_stays_text(tmp_path: Path) -> None:
    def hostile(data: Data) -> None:
        typed = data.source("typed", "typed", kind="typed")
        for n in range(3):
            contact(data, typed, n, "mail", HOSTILE_TITLE, "a" * 32, sender_domain=HOSTILE_TITLE)
        contact(data, typed, 1, "mail", "search", None, verdict="unsure", reason=HOSTILE_TITLE)

    shown = await page(await made(tmp_path, hostile))
    assert not shown.main.find_all(["script", "img"])
    assert HOSTILE_TITLE[:20] in shown.get_text()


def test_a_hatched_week_is_drawn_below_and_the_scale_can_be_shared() -> None:
    picture = columns([(1, 2, "/x", "two")], 4, "label", 44, top=4, below=hatched([3], 4, "key"))
    root = ET.fromstring(picture)
    first, last = root.findall(".//rect")
    assert (first.get("class"), first.get("x")) == ("t-unread", "75.00%")
    assert last.get("height") == "20.0"
    assert hatched([], 4, "key") == ""
