"""Charts above tables, and the timeline: which pages have one, what it shows, and what it refuses to run or bridge."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from monitor.web import charts, safety
from monitor.web.serve import KEY, SETTINGS, load_metadata, make_datasette, server
from tests import web_data
from tests.conftest import ROOT, part
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
    for path in ("/presence/ranks_now", "/presence?sql=select+*+from+daily_ranks", "/presence", "/presence/readings/1"):
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


# --- in a real browser ---------------------------------------------------------------------------------------------


# Chromium reads its orders from file descriptor 3 and answers on 4.
ON_THREE_AND_FOUR = """
import fcntl, os, sys
there, back = (fcntl.fcntl(int(fd), fcntl.F_DUPFD, 20) for fd in sys.argv[1:3])
os.dup2(there, 3), os.dup2(back, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """Chromium on a pipe: opens a page, asks it questions, presses keys, and keeps what its console said."""

    def __init__(self, profile: Path) -> None:
        there, self._out = os.pipe()
        self._in, back = os.pipe()
        flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-sync --disable-background-networking"
        more = f"--disable-component-update --remote-debugging-pipe --window-size=1280,1000 --user-data-dir={profile}"
        command = [sys.executable, "-c", ON_THREE_AND_FOUR, str(there), str(back), part("chromium", "chromium")]
        self.process = subprocess.Popen(
            [*command, *flags.split(), *more.split()], pass_fds=(there, back), stderr=subprocess.DEVNULL
        )
        os.close(there)
        os.close(back)
        self._buffer, self._n, self.session, self.said = b"", 0, "", list[str]()
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._n += 1
        message = {"id": self._n, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._buffer:
                chunk = os.read(self._in, 65536)
                assert chunk, "the browser is gone"
                self._buffer += chunk
            line, _, self._buffer = self._buffer.partition(b"\0")
            found = json.loads(line)
            if found.get("id") == self._n:
                assert "error" not in found, found
                return dict(found["result"])
            if found.get("method") in (
                "Log.entryAdded",
                "Runtime.exceptionThrown",
                "Runtime.consoleAPICalled",
                "Page.javascriptDialogOpening",
            ):
                self.said.append(json.dumps(found["params"])[:600])

    def js(self, expression: str) -> Any:
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, url: str, ready: str = "document.querySelector('.m-chart')?.dataset.drawn === 'yes'") -> None:
        self.ask("Page.navigate", url=url)
        until = time.monotonic() + 30
        while not self.js(f"document.readyState === 'complete' && location.href === {url!r} && Boolean({ready})"):
            assert time.monotonic() < until, self.js("document.body.innerText")
            time.sleep(0.05)

    def count(self, selector: str) -> int:
        return int(self.js(f"document.querySelectorAll({selector!r}).length"))

    def text(self, selector: str = ".m-chart") -> str:
        return str(self.js(f"document.querySelector({selector!r}).innerText"))

    def press(self, *keys: str) -> None:
        for key in keys:
            code = {"Enter": {"text": "\r", "windowsVirtualKeyCode": 13}}.get(key, {})
            self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **code)
            self.ask("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def close(self) -> None:
        self.session = ""
        self.ask("Browser.close")
        self.process.wait(20)
        os.close(self._out)
        os.close(self._in)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("browser"))
    yield found
    found.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Serve an invented database, by the function that makes it; the address of its tables."""
    running = []

    def serve(fill: Callable[[Path], object], **settings: Any) -> str:
        path = tmp_path / "presence.db"
        fill(path)
        ds = make_datasette(path, METADATA, settings={**SETTINGS, **settings})
        web = server(ds.app(), "127.0.0.1", 0)
        thread = threading.Thread(target=web.run, daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while not web.started and time.monotonic() < until:
            time.sleep(0.02)
        running.append((web, thread))
        return f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}/presence"

    yield serve
    for web, thread in running:
        web.should_exit = True
        thread.join(10)


def quiet(browser: Browser) -> list[str]:
    said, browser.said = browser.said, []
    return [line for line in said if "favicon" not in line]


def test_ranks_are_drawn_with_their_three_absences(browser: Browser, served: Callable[..., str]) -> None:
    browser.open(served(web_data.filled, default_allow_sql=False) + "/daily_ranks")
    names = browser.js("[...document.querySelectorAll('.m-chart-name bdi')].map((n) => n.innerText)")
    assert names == [f"{engine}, Ada Example" for engine in ("bing", "brave", "duckduckgo", "mojeek")]
    drawn = {
        name: browser.js(
            f"['.c-line path', '.c-unread rect', '.c-beyond circle', '.c-goal line', '.c-page-one line']"
            f".map((mark) => document.querySelectorAll('.m-chart-row')[{n}].querySelectorAll(mark).length)"
        )
        for n, name in enumerate(("bing", "brave", "duckduckgo", "mojeek"))
    }
    assert drawn["bing"] == [1, 0, 12, 1, 1]  # read, and not within the nine results, on twelve days
    assert drawn["brave"] == [2, 1, 0, 1, 1]  # six days not read: a band, and no line over it
    assert drawn["duckduckgo"] == [1, 0, 0, 1, 1]
    assert drawn["mojeek"] == [1, 1, 0, 1, 1]  # the last four days failed
    label = browser.js("document.querySelectorAll('.m-chart svg[role=img]')[1].getAttribute('aria-label')")
    assert "from place 5 to place 7; last place 6" in label
    assert "Not read on 6 days" in label
    assert "A talk" in browser.text(".m-chart-moments")
    assert quiet(browser) == []


def test_arrow_keys_read_the_days_and_enter_opens_the_evidence(browser: Browser, served: Callable[..., str]) -> None:
    browser.open(served(web_data.filled) + "/daily_ranks?engine=brave")
    browser.js("document.querySelector('.m-chart-plots').focus()")
    browser.press("End")
    assert "place 6" in browser.text(".m-chart-tip")
    browser.press("Home", *["ArrowRight"] * 54)
    assert "not read: failed, timeout" in browser.text(".m-chart-tip")
    href = browser.js("document.querySelector('.m-chart-tip a').getAttribute('href')")
    assert re.fullmatch(r"/-/presence/reading/\d+", href)
    browser.press("Enter")
    until = time.monotonic() + 20
    while browser.js("location.pathname") != href:
        assert time.monotonic() < until
        time.sleep(0.05)
    quiet(browser)


def test_a_pointer_reads_the_nearest_day(browser: Browser, served: Callable[..., str]) -> None:
    browser.open(served(web_data.filled) + "/daily_ranks")
    row = "document.querySelectorAll('.m-chart-row')[2].getBoundingClientRect()"
    box = browser.js(f"(({{x, y, width, height}}) => [x, y, width, height])({row})")
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + box[2] - 16, y=box[1] + box[3] / 2)
    assert "duckduckgo" in browser.text(".m-chart-tip")
    assert "place 1" in browser.text(".m-chart-tip")


def test_the_page_s_own_filters_drive_the_chart(browser: Browser, served: Callable[..., str]) -> None:
    address = served(web_data.filled)
    browser.open(f"{address}/daily_ranks?engine=brave&day__gte={web_data.day(9)}")
    assert (browser.count(".m-chart svg[role=img]"), browser.count(".c-unread rect")) == (1, 0)
    assert browser.count(".m-chart-note") == 0
    browser.open(f"{address}/daily_ranks?engine=brave&position__gte=7")
    assert "Filtered by position" in browser.text(".m-chart-note")
    assert browser.count(".c-unread rect") == 1  # the six failed days, and none of those that the filter hides
    browser.open(f"{address}/daily_ranks?engine=nobody")
    assert "No rows to draw" in browser.text()
    browser.open(f"{address}/daily_ranks?_next=100")
    assert browser.count(".m-chart svg[role=img]") == 4
    assert quiet(browser) == []


def test_days_without_a_row_are_unread_unless_a_filter_may_hide_them(
    browser: Browser, served: Callable[..., str]
) -> None:
    address = served(web_data.filled)
    browser.open(f"{address}/daily_page_views")  # three days that nothing was counted on, and no reading says why
    assert (browser.count(".c-unread rect"), browser.count(".c-line path")) == (1, 2)
    browser.open(f"{address}/daily_page_views?views__gte=200")
    assert browser.count(".c-unread rect") == 0
    assert "Filtered by views" in browser.text(".m-chart-note")


def test_rows_that_were_cut_are_said(browser: Browser, served: Callable[..., str]) -> None:
    browser.open(served(web_data.filled, max_returned_rows=50) + "/daily_ranks")
    assert "Only the newest 50 of 350 rows are drawn" in browser.text(".m-chart-note")


def test_a_chart_that_cannot_be_read_says_why(browser: Browser, served: Callable[..., str], tmp_path: Path) -> None:
    address = served(web_data.filled)
    browser.open(f"{address}/daily_ranks?_where=nonsense+is+wrong", "document.body")
    browser.open(f"{address}/daily_page_views")
    with sqlite3.connect(tmp_path / "presence.db") as db:
        db.execute("drop view milestones")
    browser.open(f"{address}/daily_page_views?site=blog")
    assert "could not be read: milestones" in browser.text(".m-chart-note")
    assert browser.count(".m-chart svg[role=img]") == 1
    quiet(browser)


@pytest.mark.parametrize(
    ("view", "mark", "least"),
    [
        ("daily_page_views", ".c-area path", 2),
        ("weekly_page_views", ".c-bar rect", 12),
        ("monthly_page_views", ".c-bar rect", 3),
        ("profile_counts", ".c-dot circle", 4),
        ("profile_counts", ".c-absent path", 1),
        ("contacts_by_origin", ".c-bar rect", 3),
        ("page_one_share", ".c-second path", 4),
    ],
)
def test_every_view_is_drawn(browser: Browser, served: Callable[..., str], view: str, mark: str, least: int) -> None:
    browser.open(f"{served(web_data.filled)}/{view}")
    assert browser.count(f".m-chart {mark}") >= least
    assert "NaN" not in browser.js("document.querySelector('.m-chart').outerHTML")
    for href in browser.js("[...document.querySelectorAll('.m-chart a')].map((a) => a.href)"):
        assert browser.js(f"fetch({href!r}).then((answer) => answer.status)") == 200, href
    assert quiet(browser) == []


def test_a_changed_definition_breaks_the_line(browser: Browser, served: Callable[..., str]) -> None:
    def fill(path: Path) -> None:
        data = Data(path)
        github = data.source("github/ada", "profile")
        for ago in range(9):
            said = "followers" if ago > 4 else "followers and subscribers"
            data.count(
                github,
                "github/ada",
                "followers",
                10 + ago,
                ago,
                definition=said,
                precision="rounded" if ago == 2 else "exact",
            )
        data.close()

    browser.open(served(fill) + "/profile_counts")
    assert [browser.count(f".m-chart {m}") for m in (".c-line path", ".c-break line", ".c-open circle")] == [2, 1, 1]
    assert "counted differently" in browser.text(".m-chart-legend")


@pytest.mark.parametrize("view", CHARTS)
def test_hostile_words_stay_text(browser: Browser, served: Callable[..., str], view: str) -> None:
    browser.open(f"{served(hostile)}/{view}")
    if view != "shown_by_engine":
        assert "data-ran" in browser.text()  # there, as the text it is
        browser.js("document.querySelector('.m-chart-plots').focus()")
        browser.press("ArrowLeft", "ArrowUp", "ArrowRight")
    assert browser.js("document.documentElement.dataset.ran") is None
    assert browser.count(".m-chart img, .m-chart script") == 0
    assert quiet(browser) == []


def test_it_is_drawn_again_at_another_width(browser: Browser, served: Callable[..., str]) -> None:
    browser.open(served(web_data.filled) + "/daily_ranks")
    wide = browser.js("document.querySelector('.m-chart svg[role=img]').getBoundingClientRect().width")
    try:
        browser.ask("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=False)
        ready = "document.querySelector('.m-chart svg[role=img]').getAttribute('width') < 360"
        until = time.monotonic() + 20
        while not browser.js(ready):
            assert time.monotonic() < until
            time.sleep(0.05)
        assert wide > 1000
        assert browser.js("document.documentElement.scrollWidth") <= 390
    finally:
        browser.ask("Emulation.clearDeviceMetricsOverride")


# --- the timeline --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("span", ["90", "365", "all", "nonsense"])
@pytest.mark.parametrize("fill", [web_data.filled, web_data.empty, web_data.unlabelled, hostile])
async def test_the_timeline_opens_and_its_links_are_answered(
    fill: Callable[[Path], Path], span: str, tmp_path: Path
) -> None:
    ds = await made(fill(tmp_path / "presence.db"))
    page = await soup(ds, f"/-/presence/timeline?span={span}")
    assert page.select("script, [style], [onload], img") == []
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
