"""Why it moved: the same words as the command's, both results pages side by side, and the moves of a year."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from monitor.insight import Page, Place, why
from monitor.web.links import Links
from monitor.web.page_why import sides_of
from monitor.web.serve import make_datasette
from tests import web_data
from tests.web_data import Data, day, results


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.web.now", lambda: web_data.NOON)


async def made(tmp_path: Path, fill: Callable[[Data], object]) -> Any:
    data = Data(tmp_path / "presence.db")
    fill(data)
    data.close()
    ds = make_datasette(tmp_path / "presence.db", {})
    await ds.invoke_startup()
    return ds


def text(found: Any) -> str:
    return re.sub(r"\s+", " ", found.get_text(" ")).strip() if found else ""


async def page(ds: Any, query: str = "") -> BeautifulSoup:
    answer = await ds.client.get(f"/-/presence/why{query}")
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "lxml")


NEW = "https://newcomer.example/"


def moved(data: Data) -> None:
    """A fall from 2 to 4: one page came in above, and one left."""
    duck = data.source("duckduckgo/ada-example")
    urls = results(2)
    for ago in (9, 8, 7):
        data.page(duck, ago, urls)
    after = [NEW, urls[0], urls[2], urls[1], *urls[3:8]]
    for ago in (6, 5, 4):
        data.page(duck, ago, after)
    data.label("ada.example")


async def test_the_moves_of_a_year_lead_to_why(tmp_path: Path) -> None:
    ds = await made(tmp_path, moved)
    (row,) = (await page(ds)).select("tbody tr")
    assert "DuckDuckGo" in text(row)
    assert "▼ down, 2 to 4" in text(row)
    assert row.a["href"] == f"/-/presence/why?source=1&day={day(6)}"
    assert (await ds.client.get(row.a["href"])).status_code == 200


async def test_it_says_what_the_command_says_with_both_readings(tmp_path: Path) -> None:
    ds = await made(tmp_path, moved)
    shown = await page(ds, f"?engine=duckduckgo&day={day(6)}")
    said = [text(li) for li in shown.select(".w-said li")]
    assert said[0] == f"It stood at 2 on {day(7)} and at 4 on {day(6)}."
    assert f"1 came in above: {NEW} (other, at 1)." in said
    readings = [a["href"] for a in shown.select(".w-side h3 a")]
    assert readings == ["/-/presence/reading/3", "/-/presence/reading/4"]
    before = Page("a", (Place(1, NEW, "mine"),), 1)
    assert text(BeautifulSoup(why(before, before)[0].said, "lxml"))  # the words are insight's, and pure


async def test_what_came_and_what_left_is_said_in_words(tmp_path: Path) -> None:
    shown = await page(await made(tmp_path, moved), f"?source=1&day={day(6)}")
    before, after = ([text(tr) for tr in side.select("tbody tr")] for side in shown.select(".w-side"))
    assert after[0].endswith("came")
    assert NEW in after[0]
    assert [row for row in before if row.endswith("left")] == [before[8]]
    assert after[1].endswith("▼ 1")
    assert "mine" in after[3]


async def test_a_day_without_a_reading_speaks_of_the_last_two_that_were_read(tmp_path: Path) -> None:
    shown = await page(await made(tmp_path, moved), "?source=1")
    assert text(shown.select_one(".w-said li")) == f"No move: at 4 on {day(5)} and on {day(4)}."
    assert shown.select_one("a[rel=prev]")["href"].endswith(day(6))


async def test_with_fewer_than_two_days_nothing_is_compared(tmp_path: Path) -> None:
    ds = await made(tmp_path, lambda data: data.page(data.source("duckduckgo/ada"), 1, results(1)))
    assert "nothing to compare" in text((await page(ds, "?engine=duckduckgo")).main)
    assert "no page is labelled yours" in text((await page(ds)).main)


async def test_a_year_without_a_move_says_so(tmp_path: Path) -> None:
    def calm(data: Data) -> None:
        data.page(data.source("duckduckgo/ada"), 1, results(1))
        data.label("ada.example")

    assert "No rank has moved" in text((await page(await made(tmp_path, calm))).main)


@pytest.mark.parametrize(
    "query",
    ["?source=77", "?engine=nobody", "?source=1&day=tomorrow", "?source=1&day=20261123", "?source=x", "?engine="],
)
async def test_what_is_not_there_is_not_found(tmp_path: Path, query: str) -> None:
    ds = await made(tmp_path, moved)
    assert (await ds.client.get(f"/-/presence/why{query}")).status_code == 404


async def test_hostile_text_stays_text(tmp_path: Path) -> None:
    web_data.hostile(tmp_path / "hostile.db")
    data_path = tmp_path / "hostile.db"
    ds = make_datasette(data_path, {})
    await ds.invoke_startup()
    answer = await ds.client.get("/-/presence/why?source=1")
    seen = BeautifulSoup(answer.text, "lxml")
    assert answer.status_code == 200
    assert not seen.main.find_all(["script", "img"])


def row(position: int, url: str, whose: str = "other") -> dict[str, Any]:
    return {"position": position, "canonical": url, "url": url, "whose": whose, "title": url, "url_id": position}


def test_the_pages_are_shown_down_to_the_owner_s_place() -> None:
    stood = [row(n, f"https://{n}.example/", "mine" if n == 12 else "other") for n in range(1, 20)]
    stands = [row(n, f"https://{n}.example/", "mine" if n == 12 else "other") for n in range(1, 15)]
    before, after = sides_of({"day": day(2), "id": 1}, {"day": day(1), "id": 2}, stood, stands, Links("/p"))
    assert (len(before.places), before.more) == (12, 7)
    assert (len(after.places), after.more) == (12, 2)
    assert not any(p.what for p in (*before.places, *after.places))


def test_of_a_result_without_an_address_nothing_is_said() -> None:
    before, after = sides_of(
        {"day": day(2), "id": 1}, {"day": day(1), "id": 2}, [row(1, "")], [row(1, "")], Links("/p")
    )
    assert before.places[0].what == after.places[0].what == ""
