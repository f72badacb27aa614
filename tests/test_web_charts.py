"""Charts above tables, and the timeline: which pages have one, what it shows, and what it refuses to run or bridge."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from datasette.version import __version_info__

from monitor.web import charts, safety
from monitor.web.serve import KEY, SETTINGS, load_metadata, make_datasette
from tests import web_data
from tests.conftest import ROOT
from tests.web_data import Data, results

STATIC = ROOT / "monitor" / "web" / "static"
METADATA = load_metadata()
CHARTS = {
    name: charts.entry(table["plugins"]["presence_monitor"])
    for name, table in METADATA["databases"][KEY]["tables"].items()
    if "plugins" in table
}
MARK = "document.documentElement.setAttribute('data-ran','yes')"
TITLE = f'</div><script>{MARK}</script><img src=x onerror="{MARK}"><svg onload="{MARK}">'


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.web.now", lambda: web_data.NOON)


def hostile(path: Path) -> Path:
    """The words of strangers and of the owner where a chart shows them, each meaning harm."""
    data = Data(path)
    duck = data.source(f"duck/{TITLE}", engine=TITLE, query=TITLE)
    log = data.source("access_log/blog", "page_views", subject=TITLE)
    data.reading(duck, 2, "failed", TITLE)
    for ago in (3, 1, 0):
        data.page(duck, ago, results(1))
        reading = data.views(log, ago, {"/": 4}, {})
    data.count(data.source("github/x", "profile"), TITLE, "stars", 3, definition=TITLE)
    data.insert("events", day=web_data.day(1), title=TITLE, reading_id=reading)
    row = {"at": None, "kind": "mail", "source_id": log, "reading_id": reading}
    data.insert("contacts", day=web_data.day(1), origin=TITLE, **row)
    data.label("ada.example")
    data.close()
    return path


async def made(path: Path, metadata: dict[str, Any] = METADATA, **options: Any) -> Any:
    ds = make_datasette(path, metadata, **options)
    await ds.invoke_startup()
    return ds


async def soup(ds: Any, path: str) -> BeautifulSoup:
    answer = await ds.client.get(path)
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "lxml")


def scripts(page: BeautifulSoup) -> list[str]:
    return [s["src"] for s in page.select("script[src]") if "presence_monitor" in s["src"]]


# --- which pages have a chart --------------------------------------------------------------------------------------


async def test_a_chart_and_its_script_stand_where_the_metadata_says_and_nowhere_else(tmp_path: Path) -> None:
    ds = await made(web_data.filled(tmp_path / "presence.db"))
    assert len(CHARTS) == 8
    for name in METADATA["databases"][KEY]["tables"]:
        if name.startswith(("texts_fts_", "_")):
            continue
        page = await soup(ds, f"/presence/{name}?_size=1")
        assert len(page.select(".m-chart[data-chart]")) == (name in CHARTS), name
        assert scripts(page) == (["/-/static-plugins/presence_monitor/chart.js"] if name in CHARTS else []), name
        assert bool(page.select("link[href*='home.css']")) == (name in CHARTS), name
    sql = "/presence/-/query" if int(__version_info__[0]) else "/presence"
    for path in ("/presence/ranks_now", f"{sql}?sql=select+*+from+daily_ranks", "/presence", "/presence/readings/1"):
        page = await soup(ds, path)
        assert (page.select(".m-chart"), scripts(page)) == ([], []), path


async def test_a_file_that_is_not_ours_has_no_chart(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "presence.db") as db:
        db.execute("create table daily_ranks (day text, position integer, engine text, query text)")
    page = await soup(await made(tmp_path / "presence.db"), "/presence/daily_ranks")
    assert (page.select(".m-chart"), scripts(page)) == ([], [])


async def test_the_scripts_are_served_and_follow_the_base_url(tmp_path: Path) -> None:
    ds = await made(web_data.filled(tmp_path / "presence.db"), settings={**SETTINGS, "base_url": "/me/"})
    page = await soup(ds, "/presence/daily_ranks")
    spec = json.loads(page.select_one(".m-chart")["data-chart"])
    assert (spec["database"], spec["readings"]) == ("/me/presence", "/me/-/presence/reading/")
    assert scripts(page) == ["/me/-/static-plugins/presence_monitor/chart.js"]
    for name in (*(path.name for path in STATIC.glob("chart*.js")), "vendor/plot.js"):
        answer = await ds.client.get(f"/-/static-plugins/presence_monitor/{name}")
        assert (answer.status_code, "javascript" in answer.headers["content-type"]) == (200, True), name


async def test_the_spec_is_an_attribute_whatever_is_in_it(tmp_path: Path) -> None:
    metadata = json.loads(json.dumps(METADATA))
    chart = metadata["databases"][KEY]["tables"]["daily_ranks"]["plugins"]["presence_monitor"]["chart"]
    chart["name"] = "'\"></div><script>alert(1)</script>&amp;"
    page = await soup(await made(web_data.filled(tmp_path / "presence.db"), metadata), "/presence/daily_ranks")
    assert json.loads(page.select_one(".m-chart")["data-chart"])["name"] == chart["name"]
    assert "alert(1)" not in "".join(s.get_text() for s in page.select("script"))


@pytest.mark.parametrize("chart", [None, "x", [], {"x": "day"}, {"x": 1, "y": 2}, {"x": "d", "y": "v", "shape": "pie"}])
def test_an_entry_that_cannot_be_drawn_is_no_chart(chart: object) -> None:
    assert charts.entry({"chart": chart}) is None
    assert charts.entry(None) is None


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_names_columns_that_exist(name: str, tmp_path: Path) -> None:
    db = sqlite3.connect(web_data.empty(tmp_path / "presence.db"))
    columns = {row[1] for row in db.execute(f"pragma table_info({name})")}
    spec = CHARTS[name]
    assert spec
    single = ("x", "y", "second", "source", "depth", "complete", "state", "precision", "definition", "stack", "reading")
    assert {spec[key] for key in single if key in spec} | set(spec["series"]) | set(spec.get("match", ())) <= columns
    assert "reading" in spec or db.execute(f"pragma table_info({spec['rows']})").fetchall()


def test_the_bundle_is_the_one_that_the_readme_names() -> None:
    bundle = (STATIC / "vendor" / "plot.js").read_bytes()
    readme = (STATIC / "vendor" / "README.md").read_text()
    assert f"| plot.js | {len(bundle)} | {hashlib.sha256(bundle).hexdigest()} |" in readme
    assert {m.split(b"/")[2] for m in re.findall(rb"https?://[\w./]+", bundle)} == {b"www.w3.org"}  # names, not asked


def test_our_scripts_write_text_and_ask_nobody_else() -> None:
    for path in STATIC.glob("chart*.js"):
        text = path.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|https?:", text), (
            path
        )


# --- the timeline --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("span", ["90", "365", "all", "nonsense"])
@pytest.mark.parametrize("fill", [web_data.filled, web_data.empty, web_data.unlabelled, hostile])
async def test_the_timeline_opens_and_its_links_are_answered(
    fill: Callable[[Path], Path], span: str, tmp_path: Path
) -> None:
    ds = await made(fill(tmp_path / "presence.db"))
    page = await soup(ds, f"/-/presence/timeline?span={span}")
    assert page.main.select("script, [style], [onload], img") == []
    hrefs = {a["href"] for a in page.select("main a") if not a["href"].startswith("http")}
    assert len(hrefs) >= 4
    for href in hrefs:
        answer = await ds.client.get(href)
        assert answer.status_code == 200, href
        if "/presence/contacts?" in href or "/presence/daily_ranks?" in href or "/profile_counts?" in href:
            assert not BeautifulSoup(answer.text, "lxml").h3.get_text(strip=True).startswith("0 "), href


def row(page: BeautifulSoup, name: str) -> Any:
    return next(section for section in page.select(".t-row") if section.h2.get_text(" ", strip=True).startswith(name))


async def test_the_timeline_shows_gaps_and_says_each_row_in_words(tmp_path: Path) -> None:
    page = await soup(await made(web_data.filled(tmp_path / "presence.db")), "/-/presence/timeline")
    names = [section.h2.a.get_text() for section in page.select(".t-row")]
    assert names[:5] == ["Bing", "Brave", "DuckDuckGo", "Mojeek", "blog"]
    assert names[-1] == "Contacts"
    assert "best 5, worst 7; place 6 on" in row(page, "Brave").p.get_text()
    assert "6 days not read" in row(page, "Brave").svg["aria-label"]
    assert len(row(page, "Brave").select(".unread")) == 1
    assert len(row(page, "Bing").select(".beyond")) == 12
    assert "views on 87 days counted, highest" in row(page, "blog").p.get_text()
    assert row(page, "Contacts").p.get_text().startswith("4 contacts: 2 from search")
    assert len(row(page, "Contacts").select("a rect")) == 4
    assert "hidden on" in row(page, "github/ada sponsors").p.get_text()
    assert len(row(page, "github/ada followers").select("circle")) == 3
    assert row(page, "github/ada followers").select(".t-line") == []  # a month apart: no line
    assert [a.get_text() for a in page.select(".t-events a")] == ["A talk"]
    assert len(row(page, "Brave").select(".t-over line")) == 1


async def test_beyond_a_year_the_timeline_is_drawn_by_the_week(tmp_path: Path) -> None:
    def fill(path: Path) -> Path:
        data = Data(path)
        log = data.source("access_log/blog", "page_views", subject="blog")
        for ago in range(400):
            if ago % 7:
                data.views(log, ago, {"/": 10}, {})
        data.close()
        return path

    page = await soup(await made(fill(tmp_path / "presence.db")), "/-/presence/timeline?span=all")
    bars = row(page, "blog").select("rect.bar")
    weeks = {date.fromisoformat(web_data.day(ago)).isocalendar()[:2] for ago in range(400) if ago % 7}
    assert len(bars) == len(weeks)
    assert all("open" in bar["class"] for bar in bars)  # six days of seven are not a whole week
    assert "by the week" in page.select_one(".t-spans").get_text()


async def test_hostile_words_on_the_timeline_stay_text(tmp_path: Path) -> None:
    page = await soup(await made(hostile(tmp_path / "presence.db")), "/-/presence/timeline")
    assert page.select("main img, main script, [onload]") == []
    assert page.select_one(".t-events").get_text().count("data-ran") == 3


def test_our_pages_run_no_script_on_0_65_and_only_datasette_s_own_on_1() -> None:
    assert safety.core_scripts("0.65.5") == ""
    allowed = safety.core_scripts("1.0a41")
    assert "'sha256-2Xozbuuso10SFAVDaqSxfHoUBzkwqyw7KRNaD225h+8='" in allowed  # as Chromium told it
    assert "unsafe" not in allowed
