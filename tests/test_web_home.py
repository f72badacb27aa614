"""The home page: what it says, what it refuses to say, and that every number leads to where it came from."""

from __future__ import annotations

import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from monitor import labels
from monitor.web import words
from monitor.web.serve import make_datasette
from monitor.web.svg import Bar, Place, bars, rank_line, strip
from tests import web_data
from tests.web_data import Data, results

Open = Callable[..., Awaitable[Any]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Make Datasette over an invented database, by the name of what is in it or by a function that fills it."""

    async def make(fill: str | Callable[[Data], object], **options: Any) -> Any:
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
    """Stop the clock of the pages, so that no test changes its mind at midnight."""
    monkeypatch.setattr("monitor.web.now", lambda: web_data.NOON)


async def page(ds: Any) -> BeautifulSoup:
    answer = await ds.client.get("/")
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "lxml")


def text(found: Any) -> str:
    return re.sub(r"\s+", " ", found.get_text(" ")).strip() if found else ""


def card(home: BeautifulSoup, engine: str) -> Any:
    return next(c for c in home.select(".m-engine") if text(c.b) == engine)


def source(home: BeautifulSoup, name: str) -> Any:
    return next(li for li in home.select(".m-sources li") if name in text(li))


# --- the history in full -------------------------------------------------------------------------------------------


async def test_the_verdict_counts_only_what_was_read_lately(opened: Open) -> None:
    verdict = text((await page(await opened("filled"))).select_one(".m-verdict"))
    assert verdict.startswith("You are number 1 on 1 of 3 engines read.")
    assert "2 engines not read lately" in verdict
    assert "1 unwanted page on page one" in verdict
    assert "2 sources need attention" in verdict


async def test_each_engine_says_its_place_or_why_it_has_none(opened: Open) -> None:
    home = await page(await opened("filled"))
    assert [text(c.b) for c in home.select(".m-engine")] == ["DuckDuckGo", "Brave", "Mojeek", "Bing", "Google"]
    assert text(card(home, "DuckDuckGo").select_one(".m-rank")) == "1"
    assert "goal met" in text(card(home, "DuckDuckGo"))
    assert "before that 3" in text(card(home, "DuckDuckGo"))
    assert "not within the 9 results seen" in text(card(home, "Bing"))
    assert "before that 7" in text(card(home, "Bing"))
    assert "4 days old" in text(card(home, "Mojeek"))


async def test_a_failed_source_is_words_and_never_a_rank(opened: Open) -> None:
    home = await page(await opened("filled"))
    google = card(home, "Google")
    assert google.select_one(".m-rank") is None
    assert "not read yet" in text(google)
    assert "blocked: captcha" in text(google)
    first = home.select(".m-sources li")[:2]
    assert [text(li.a) for li in first] == ["google/ada-example", "mojeek/ada-example"]
    assert "left alone for a while" in text(first[0])
    assert "Never read yet" in text(first[0])
    assert "changed: layout unknown" in text(first[1])


async def test_the_rank_leads_to_its_own_reading(opened: Open) -> None:
    ds = await opened("filled")
    href = card(await page(ds), "Brave").select_one(".m-rank")["href"]
    row = href.replace("/-/presence/reading/", "/presence/readings/")
    (reading,) = (await ds.client.get(f"{row}.json", params={"_shape": "array"})).json()
    assert (reading["day"], reading["outcome"], reading["depth"]) == (web_data.day(0), "ok", 10)


@pytest.mark.parametrize("kind", ["filled", "unlabelled", "empty", "hostile"])
async def test_every_link_is_answered(opened: Open, kind: str) -> None:
    ds = await opened(kind)
    home = await page(ds)
    inside = {a["href"] for a in home.select("a[href], link[href]") if not a["href"].startswith("http")}
    assert len(inside) > 8
    for href in inside:
        if href.startswith("#"):
            assert home.find(id=href[1:]), href
        elif "static" not in href or "presence_monitor" in href:
            assert (await ds.client.get(href)).status_code == 200, href


async def test_every_number_on_the_page_is_a_link(opened: Open) -> None:
    home = await page(await opened("filled"))
    for number in [*home.select(".m-rank, .m-big"), *home.select(".m-lines li > :last-child")]:
        assert number.name == "a", number
        assert number["href"].startswith(("/presence/", "/-/presence/"))


async def test_links_follow_the_base_url(opened: Open, tmp_path: Path) -> None:
    ds = await opened("filled", settings={"base_url": "/me/"})
    home = BeautifulSoup((await ds.client.get("/")).text, "lxml")
    assert home.select_one(".m-rank")["href"].startswith("/me/-/presence/reading/")
    assert home.find("link", href=re.compile(r"^/me/.*home\.css"))


async def test_the_trend_keeps_gaps_apart_from_falls(opened: Open) -> None:
    home = await page(await opened("filled"))
    bands = {
        text(c.b): [round(float(r["width"]) / 4) for r in c.select("svg .unread")] for c in home.select(".m-engine")
    }
    assert bands == {"DuckDuckGo": [], "Brave": [6], "Mojeek": [4], "Bing": [], "Google": [90]}  # in days
    assert len(card(home, "Bing").select("svg .beyond")) == 12
    assert card(home, "Google").select_one("svg .rank") is None
    assert "6 days not read" in card(home, "Brave").svg["aria-label"]


async def test_page_one_has_as_many_places_as_were_seen(opened: Open) -> None:
    home = await page(await opened("filled"))
    cells = {text(tr.th).split()[0]: tr.select(".m-cells a") for tr in home.select(".m-grid tr")}
    assert {engine: len(c) for engine, c in cells.items()} == {"DuckDuckGo": 10, "Brave": 10, "Mojeek": 10, "Bing": 9}
    assert "mine" in cells["Brave"][5]["class"]
    assert "×" in text(cells["Bing"][7])
    assert "DuckDuckGo 8" in text(home.select_one(".m-unwanted"))


async def test_page_views_compare_whole_weeks_only(opened: Open) -> None:
    def week(data: Data) -> None:
        log = data.source("access_log/blog", "page_views", subject="blog")
        for ago in range(15):
            data.views(log, ago, {"/": 1000 if ago == 0 else 20 if ago < 8 else 10}, {"search.example": 3})

    views = (await page(await opened(week))).select_one(".m-site")
    assert text(views.select_one(".m-big")) == "140"  # today is not over and does not count
    assert "▲ 100% on the week before" in text(views)
    assert text(views.select(".m-lines li")[0]) == "/ 140"
    assert text(views.select(".m-lines li")[1]) == "search.example 21"


async def test_days_not_counted_are_said_and_stop_the_comparison(opened: Open) -> None:
    def holes(data: Data) -> None:
        log = data.source("access_log/blog", "page_views", subject="blog")
        for ago in (1, 2, 5, 9):
            data.views(log, ago, {"/": 10}, {})

    views = text((await page(await opened(holes))).select_one(".m-site"))
    assert views.startswith("30 ")
    assert "3 of 7 days counted" in views
    assert "week before" not in views


async def test_a_number_that_comes_two_ways_is_shown_once_and_the_newest(opened: Open) -> None:
    def ways(data: Data) -> None:
        data.count(data.source("old mailbox", "contacts"), "linkedin", "search_appearances", 14, ago=90, window="week")
        data.count(data.source("mailbox", "contacts"), "linkedin", "search_appearances", 40, ago=5, window="week")

    said = text((await page(await opened(ways))).select_one("#m-profiles").parent)
    assert said.count("search appearances that week") == 1
    assert "40" in said


async def test_profile_numbers_tell_how_they_came(opened: Open) -> None:
    home = await page(await opened("filled"))
    lines = [text(li) for li in home.select(".m-lines li")]
    typed = next(line for line in lines if line.startswith("profile views in 90 days"))
    assert "typed" in typed
    assert "▲ 43" in typed
    assert "131" in typed
    assert any(line.startswith("followers ▲ 10") and line.endswith("120") for line in lines)
    assert next(line for line in lines if line.startswith("sponsors")).endswith("hidden")  # not read is not zero


async def test_contacts_are_counted_by_origin(opened: Open) -> None:
    ds = await opened("filled")
    lines = {text(li.bdi): li.find_all("a")[-1] for li in (await page(ds)).select(".m-lines li") if li.bdi}
    assert text(lines["search"]) == "2"
    href = lines["old resume"]["href"].replace("/counted_contacts?", "/counted_contacts.json?")
    rows = await ds.client.get(f"{href}&_shape=array")
    assert [row["kind"] for row in rows.json()] == ["call"]


async def test_the_next_try_is_told_where_it_is_known(opened: Open) -> None:
    tomorrow = web_data.NOON + timedelta(days=1)
    ds = await opened("filled", next_tries={"google/ada-example": tomorrow.isoformat()})
    assert f"Next try: tomorrow {tomorrow:%H:%M}" in text(source(await page(ds), "google/ada-example"))


async def test_a_silent_monitor_is_said_before_anything_else(opened: Open) -> None:
    def silent(data: Data) -> None:
        data.page(data.source("duckduckgo/ada"), 2, results(1))
        data.label("ada.example")
        data.insert("heartbeat", id=1, pid=1, started_at=web_data.instant(3), beat_at=web_data.instant(2))

    assert "monitor run" in text((await page(await opened(silent))).select_one(".m-alarm"))


async def test_an_old_first_place_is_not_claimed_for_today(opened: Open) -> None:
    def old(data: Data) -> None:
        data.page(data.source("duckduckgo/ada"), 5, results(1))
        data.label("ada.example")

    home = await page(await opened(old))
    assert "No engine has been read in the last 2 days" in text(home.select_one(".m-verdict"))
    assert "5 days old" in text(home.select_one(".m-engine"))


@pytest.mark.parametrize(
    ("view", "lie"),
    [
        ("source_health", "First readings"),
        ("current_ranks", "not read yet"),
        ("daily_page_views", "Nothing is counted yet"),
        ("profile_counts", "No number yet"),
    ],
)
async def test_a_read_that_did_not_succeed_is_not_shown_as_none(
    opened: Open, tmp_path: Path, view: str, lie: str
) -> None:
    ds = await opened("filled")
    with sqlite3.connect(tmp_path / "presence.db") as db:
        db.execute(f"drop view {view}")
    home = await page(ds)
    assert "did not give" in text(home.select_one(".m-alarm"))
    assert lie not in text(home)


async def test_a_blog_alone_is_enough(opened: Open) -> None:
    def blog(data: Data) -> None:
        data.views(data.source("access_log/blog", "page_views", subject="blog"), 1, {"/": 7}, {"blog.example": 5})
        data.db.execute("update referrers set medium = 'internal'")

    home = await page(await opened(blog))
    assert text(home.select_one(".m-verdict")) == "All sources were read."
    assert text(home.select_one(".m-big")) == "7"
    assert "blog.example" not in text(home)  # the site's own pages sent nobody
    assert home.select(".m-engines, #yours, .m-wait") == []


async def test_readers_who_came_from_nowhere_are_said_in_words(opened: Open) -> None:
    def blog(data: Data) -> None:
        data.views(data.source("access_log/blog", "page_views", subject="blog"), 1, {"/": 7}, {"-": 5})
        data.db.execute("update referrers set medium = 'direct'")

    assert "no referrer 5" in text(await page(await opened(blog)))


async def test_an_old_log_is_said_to_be_old_and_not_to_be_nothing(opened: Open) -> None:
    def old(data: Data) -> None:
        data.views(data.source("access_log/blog", "page_views", subject="blog"), 400, {"/": 7}, {})

    home = text(await page(await opened(old)))
    assert "no line of the last 90 days" in home
    assert "7 views" in home
    assert "Nothing is counted yet" not in home


async def test_views_lead_to_readings_too(opened: Open) -> None:
    ds = await opened("filled")
    rows = BeautifulSoup((await ds.client.get("/presence/current_ranks")).text, "lxml")
    links = [td.a["href"] for td in rows.select("td.col-reading_id")]
    assert len(links) == 4
    for href in links:
        assert (await ds.client.get(href)).status_code == 200


async def test_the_menu_leads_home_from_every_page(opened: Open) -> None:
    rows = BeautifulSoup((await (await opened("filled")).client.get("/presence/readings")).text, "lxml")
    assert "/" in [a["href"] for a in rows.select("details.nav-menu a")]


# --- what changed, and the way on ----------------------------------------------------------------------------------


async def test_what_changed_is_dated_worst_first_and_each_line_leads_to_its_evidence(opened: Open) -> None:
    ds = await opened("filled")
    lines = (await page(ds)).select(".m-changed li")
    said = [text(li.p) for li in lines]
    assert "! mojeek/ada-example: not read since, changed: layout unknown" in said
    assert "▼ Bing: 7 to not within 9" in said
    assert any(line.startswith("× +61 … 56 stands on people-finder.example") for line in said)
    good = "+ First contact: InMail, through linkedin and 3 more in 90 days"
    assert said.index("▼ Bing: 7 to not within 9") < said.index(good)
    assert len(lines) == 8
    for li in lines:
        assert date.fromisoformat(li.time["datetime"]) <= web_data.TODAY
        href = li.a["href"]
        assert href.startswith("#") or (await ds.client.get(href)).status_code == 200


async def test_with_no_news_it_says_when_to_look_again(opened: Open) -> None:
    def calm(data: Data) -> None:
        duck = data.source("duckduckgo/ada")
        for ago in range(5):
            data.page(duck, 4 - ago, results(1))
        data.label("ada.example")

    soon = web_data.NOON + timedelta(days=1)
    changed = (await page(await opened(calm, next_tries={"duckduckgo/ada": soon.isoformat()}))).select_one(".m-changed")
    assert not changed.select("li")
    first = words.on(web_data.TODAY - timedelta(days=4), web_data.TODAY)
    said = f"Nothing has changed since the first reading on {first}. Next look: tomorrow {soon:%H:%M}."
    assert text(changed.select_one(".m-calm")) == said


async def test_each_engine_says_the_range_of_a_year_and_why_it_moved(opened: Open) -> None:
    def year(data: Data) -> None:
        duck, brave = data.source("duckduckgo/ada"), data.source("brave/ada")
        for ago in (360, 200, 2, 1, 0):
            data.page(duck, ago, results(2 if ago > 1 else 1))
        data.page(brave, 1, results(None))
        data.page(brave, 0, results(7))
        data.label("ada.example")

    ds = await opened(year)
    home = await page(ds)
    assert text(card(home, "DuckDuckGo").select_one(".m-range")) == "1\N{EN DASH}2 in a year"
    brave = card(home, "Brave").select_one(".m-range")
    assert text(brave).startswith("7+ since ")
    assert "and not among the results seen on 1 day" in brave["aria-label"]
    why = card(home, "DuckDuckGo").select_one(".m-since a")["href"]
    assert f"It stood at 2 on {web_data.day(2)} and at 1" in (await ds.client.get(why)).text


async def test_what_is_exposed_and_who_waits_are_said_at_once(opened: Open) -> None:
    def waiting(data: Data) -> None:
        web_data._exposure(data)
        typed = data.source("typed", "typed", kind="typed")
        row = {"at": None, "day": web_data.day(3), "kind": "mail", "origin": "search", "source_id": typed}
        data.insert("contacts", reading_id=data.reading(typed, 3), verdict="unsure", reason="one_word", **row)

    home = await page(await opened(waiting))
    said = home.select_one('.m-verdict a[href="/-/presence/exposure"]')
    assert text(said) == "+61 … 56 stands on people-finder.example."
    assert "1 more may be a contact and waits for your word" in text(
        home.select_one('a[href="/-/presence/worth#unsure"]')
    )


async def test_a_source_says_since_when(opened: Open) -> None:
    home = await page(await opened("filled"))
    mojeek = text(source(home, "mojeek/ada-example").select_one(".m-advice"))
    since = words.since(web_data.TODAY - timedelta(days=3), web_data.TODAY)
    assert mojeek.startswith(f"changed: layout unknown, since {since} .")


async def test_the_ways_are_the_same_on_every_page(opened: Open) -> None:
    ds = await opened("filled")
    ways = [(text(a), a["href"]) for a in (await page(ds)).select(".m-ways a")]
    assert len(ways) == 6
    for name, href in ways:
        answer = await ds.client.get(href)
        assert answer.status_code == 200, href
        seen = BeautifulSoup(answer.text, "lxml")
        assert [(text(a), a["href"]) for a in seen.select(".m-ways a")] == ways
        assert [text(a) for a in seen.select(".m-ways a[aria-current=page]")] == [name]
        levels = [int(h.name[1]) for h in seen.select("main h1, main h2, main h3")]
        assert levels[0] == levels.count(1) == 1
        assert all(b - a <= 1 for a, b in pairwise(levels)), (href, levels)
        for a in seen.select("main a[href^='/']"):
            assert (await ds.client.get(a["href"])).status_code == 200, (href, a["href"])


# --- the first minutes ---------------------------------------------------------------------------------------------


async def test_before_the_first_reading_it_waits(opened: Open) -> None:
    home = await page(await opened("empty"))
    assert "First readings are being taken" in text(home.select_one(".m-verdict"))
    assert home.find("meta", {"http-equiv": "refresh"})["content"] == "10"
    assert home.select(".m-rank") == []
    assert [text(b) for b in home.select(".m-sources b")] == ["waiting for its first reading"] * 2


async def test_when_nothing_could_be_read_it_says_so_and_why(opened: Open) -> None:
    def refused(data: Data) -> None:
        data.reading(data.source("duckduckgo/ada"), 0, "blocked", "challenge", advice="It is left alone for a while.")

    home = await page(await opened(refused))
    assert "No results page could be read yet" in text(home.select_one(".m-verdict"))
    assert "left alone" in text(home.select_one(".m-sources"))
    assert not home.find("meta", {"http-equiv": "refresh"})


async def test_unlabelled_it_says_what_was_read_and_asks_whose_pages_these_are(opened: Open) -> None:
    home = await page(await opened("unlabelled"))
    yours = home.select_one("#yours")
    assert "Which of these pages are yours?" in text(yours.h2)
    assert "DuckDuckGo: 10 results read today" in text(yours)
    commands = [text(c) for c in yours.select(".m-command")]
    assert "monitor label ada.example mine" in commands
    assert "monitor label linkedin.com/in/ada-example mine" in commands
    assert '[labels] mine = ["example.org"]' in text(yours)
    assert home.select(".m-rank, .m-engine, .m-grid") == []


async def test_each_page_is_asked_about_once(opened: Open) -> None:
    commands = [text(c) for c in (await page(await opened("unlabelled"))).select(".m-command")]
    assert len(commands) == len(set(commands))


async def test_once_labelled_the_ranks_appear(opened: Open, tmp_path: Path) -> None:
    def labelled(data: Data) -> None:
        data.page(data.source("duckduckgo/ada"), 0, results(2))
        data.label("ada.example")

    home = await page(await opened(labelled))
    assert text(home.select_one(".m-rank")) == "2"
    assert text(home.select_one(".m-verdict")) == "You are number 2 on DuckDuckGo."
    assert home.select_one("#yours") is None


# --- strangers' text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("labelled", [False, True])
async def test_hostile_text_stays_text(opened: Open, tmp_path: Path, labelled: bool) -> None:
    path = web_data.hostile(tmp_path / "hostile.db")
    if labelled:
        with sqlite3.connect(path) as db:
            row = ("x", "host", "mine", "config", web_data.instant(0))
            db.execute("insert into labels (pattern, match, whose, origin, added_at) values (?, ?, ?, ?, ?)", row)
            db.execute("update urls set whose = 'unwanted'")
    ds = make_datasette(path, {})
    await ds.invoke_startup()
    for where in ("/", "/hostile/urls", "/hostile/page_one", "/hostile/readings"):
        answer = await ds.client.get(where)
        seen = BeautifulSoup(answer.text, "lxml")
        assert "alert('x')" not in "".join(s.get_text() for s in seen.find_all("script"))
        assert seen.find("img") is None
        assert not [t for t in seen.find_all(True) if {"onerror", "onmouseover"} & set(t.attrs)]
        assert not [a for a in seen.select("[href]") if not re.match(r"(/|#|https?://)", a["href"])], where
    assert "alert('x')" in (await page(ds)).get_text()  # shown as the text it is


async def test_a_link_to_a_stranger_tells_nothing_of_us(opened: Open) -> None:
    home = await page(await opened("unlabelled"))
    outside = [a for a in home.select("main a") if a["href"].startswith("http")]
    assert len(outside) > 5
    assert all(set(a["rel"]) == {"noreferrer", "noopener"} for a in outside)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a?b=c", True),
        ("http://[::1]/", True),
        ("javascript:alert(1)", False),
        ("JAVASCRIPT:alert(1)", False),
        ("javascript://example.org/%0aalert(1)", False),
        ("ftp://example.org/", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("https://", False),
        ("https://exa mple.org", False),
        ('https://example.org/"onmouseover="x', False),
        ("https://example.org/\u202e", False),
        ("http://[", False),
        ("", False),
        (None, False),
    ],
)
def test_only_web_addresses_become_links(url: str | None, safe: bool) -> None:
    assert labels.web_url(url) == (url if safe else None)


@pytest.mark.parametrize(
    ("url", "pattern"),
    [
        ("https://www.example.org/about?x=1", "example.org"),
        ("https://ada.github.io/x", "ada.github.io"),
        ("https://github.com/ada/engine/", "github.com/ada/engine"),
        ("https://au.linkedin.com/in/ada", "au.linkedin.com/in/ada"),
        ("https://github.com/", None),
        ("https://github.com/$(touch x)", None),
        ("https://github.com/a;rm", None),
        ("https://ex$(x).org/", None),
        ("javascript:alert(1)", None),
    ],
)
def test_a_command_names_what_is_one_person_s(url: str, pattern: str | None) -> None:
    assert labels.suggest(url) == pattern


# --- pictures and words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "picture",
    [
        rank_line([], "none"),
        rank_line([Place("rank", 1), Place("unread"), Place("rank", 30), Place("beyond")], '"><script>'),
        bars([], "none"),
        bars([Bar(0), Bar(None), Bar(7, False)] * 5, "<b>"),
        strip(["ok", "", "blocked", "missed"], "&"),
    ],
)
def test_a_picture_is_well_formed_and_its_label_is_text(picture: str) -> None:
    root = ET.fromstring(picture)
    assert root.tag == "svg"
    assert not [e for e in root.iter() if e.tag not in ("svg", "rect", "path")]


def test_a_line_breaks_where_nothing_was_read() -> None:
    unbroken = rank_line([Place("rank", 2)] * 3, "")
    broken = rank_line([Place("rank", 2), Place("unread"), Place("rank", 2)], "")
    path = re.compile(r'class="rank" d="([^"]*)"')
    assert path.findall(unbroken)[0].count("M") == 1
    assert path.findall(broken)[0].count("M") == 2


def test_a_better_rank_is_drawn_higher() -> None:
    first, second = re.findall(
        r'class="rank" d="M\S+ ([\d.]+)H[\d.]+V([\d.]+)', rank_line([Place("rank", 9), Place("rank", 2)], "")
    )[0]
    assert float(first) > float(second)


def test_words() -> None:
    assert words.on(date(2026, 11, 3), date(2026, 12, 1)) == "3 Nov"
    assert words.on(date(2025, 11, 3), date(2026, 1, 1)) == "3 Nov 2025"
    assert [words.age(n) for n in (0, 1, 3)] == ["today", "yesterday", "3 days old"]
    assert words.many(1, "page") == "1 page"
    assert words.many(1200, "page") == "1,200 pages"
    monday = date(2026, 11, 23)
    assert [words.since(monday - timedelta(days=n), monday) for n in (0, 1, 6, 7)] == [
        "today",
        "yesterday",
        "Tuesday",
        "16 Nov",
    ]
    assert words.ended("failed", "server_error") == "failed: server error"
