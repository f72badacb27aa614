"""Exposure: where each identifier stands, what is not clear and why, and the next step. Never the thing itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from monitor.web.serve import make_datasette
from tests import web_data
from tests.web_data import HOSTILE_TITLE, HOSTILE_URL, Data, day


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.web.now", lambda: web_data.NOON)


class Looks:
    """Looks at pages for one telephone number."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.readings: dict[int, int] = {}  # by how many days ago
        self.source = data.source("exposure", "contacts", kind="exposure")
        self.phone = data.insert(
            "identifiers", source_id=self.source, kind="phone", key="0" * 32, masked="+61 … 56", added_at=day(90)
        )

    def look(self, url: str, ago: int, verdict: str, reason: str = "", *, allowed: int = 0) -> None:
        url_id = self.data.url(url)
        if ago not in self.readings:
            self.readings[ago] = self.data.reading(self.source, ago)
        self.data.db.execute(
            "insert or ignore into exposure_pages (source_id, url_id, allowed, unasked) values (?, ?, ?, '')",
            (self.source, url_id, allowed),
        )
        self.data.insert(
            "exposure_checks",
            url_id=url_id,
            identifier_id=self.phone,
            reading_id=self.readings[ago],
            day=day(ago),
            verdict=verdict,
            reason=reason,
            place="text" if verdict == "found" else "",
        )


async def shown(tmp_path: Path, fill: Callable[[Looks], object] | None) -> tuple[Any, BeautifulSoup]:
    data = Data(tmp_path / "presence.db")
    if fill:
        fill(Looks(data))
    data.close()
    ds = make_datasette(tmp_path / "presence.db", {})
    await ds.invoke_startup()
    answer = await ds.client.get("/-/presence/exposure")
    assert answer.status_code == 200, answer.text
    return ds, BeautifulSoup(answer.text, "lxml")


def text(found: Any) -> str:
    return re.sub(r"\s+", " ", found.get_text(" ")).strip() if found else ""


async def test_found_where_it_is_not_meant_comes_first_with_its_evidence(tmp_path: Path) -> None:
    def fill(looks: Looks) -> None:
        looks.look("https://ada.example/", 9, "found", allowed=1)
        looks.look("https://people-finder.example/ada", 9, "found")
        looks.look("https://people-finder.example/ada", 2, "found")

    ds, page = await shown(tmp_path, fill)
    assert text(page.select_one(".r-lead")) == "1 page shows something of yours where you did not mean it."
    assert "take it off the page" in text(page.select_one(".x-step"))
    assert [text(h) for h in page.select("h3")] == ["× Stands where you did not mean it", "Stands where you mean it"]
    rows = [text(tr) for tr in page.select("tbody tr")]
    assert rows[0] == f"https://people-finder.example/ada {day(9)} {day(2)}"
    assert rows[1] == f"https://ada.example/ {day(9)} {day(9)}"
    assert (await ds.client.get(page.select_one("tbody td.r-day a")["href"])).status_code == 200
    assert "+61 … 56 telephone number" in text(page.h2)


async def test_a_page_that_cannot_be_read_since_is_said_and_nothing_is_clear(tmp_path: Path) -> None:
    def fill(looks: Looks) -> None:
        looks.look("https://people-finder.example/ada", 9, "found")
        looks.look("https://people-finder.example/ada", 2, "could_not_read", "captcha")

    page = (await shown(tmp_path, fill))[1]
    assert "not readable since then: it asked for a captcha" in text(page.select_one("tbody tr"))
    unread = page.select_one("#x-unread")
    assert f"it asked for a captcha {day(9)}" in text(unread)
    assert unread.select_one("td a.m-under")["href"].startswith("/-/presence/reading/")


async def test_what_could_never_be_read_is_not_called_clear(tmp_path: Path) -> None:
    page = (await shown(tmp_path, lambda looks: looks.look("https://a.example/", 2, "could_not_read", "robots")))[1]
    assert "Nothing is known: no page could be read for it yet." in text(page)
    assert "not every page could be read" in text(page.select_one(".r-lead"))
    assert "Found nowhere" not in text(page)


async def test_gone_says_since_when_and_how(tmp_path: Path) -> None:
    def fill(looks: Looks) -> None:
        looks.look("https://people-finder.example/ada", 9, "found")
        looks.look("https://people-finder.example/ada", 2, "not_found")
        looks.look("https://clear.example/", 2, "not_found")
        looks.look("https://slip.example/", 2, "page_gone", "status 404")

    ds, page = await shown(tmp_path, fill)
    assert f"since {day(2)}: no longer on the page" in text(page.select_one("tbody tr"))
    clear = page.select_one(".m-title .m-note a")
    assert text(clear) == "1 page"
    rows = (await ds.client.get(clear["href"].replace("exposures?", "exposures.json?") + "&_shape=array")).json()
    assert [row["url"] for row in rows] == ["https://clear.example/"]
    assert "there is no such page (status 404)" in text(page)


async def test_with_nothing_to_look_for_it_says_how_to_begin(tmp_path: Path) -> None:
    assert 'kind = "exposure"' in text((await shown(tmp_path, None))[1].select_one(".x-step"))
    (tmp_path / "presence.db").unlink()
    assert "monitor check exposure" in text((await shown(tmp_path, lambda looks: None))[1].select_one(".x-step"))


async def test_hostile_addresses_stay_text(tmp_path: Path) -> None:
    def fill(looks: Looks) -> None:
        looks.look(HOSTILE_URL, 2, "found")
        looks.look(f"https://x.example/{HOSTILE_TITLE}", 2, "could_not_read", "timeout")

    page = (await shown(tmp_path, fill))[1]
    assert not page.main.find_all(["script", "img"])
    assert not [a for a in page.select("main [href]") if not re.match(r"(/|#|https?://)", a["href"])]
    assert HOSTILE_URL in text(page)
