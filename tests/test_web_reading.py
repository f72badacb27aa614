"""The page of a reading, and the kept page beside it: whole evidence, and nothing in it that does anything."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from monitor.model import Capture, Count, Outcome, Trigger
from monitor.store import captures, readings, sources
from monitor.store.connection import Store
from monitor.web import inert, safety
from monitor.web.capture import POLICY
from monitor.web.serve import make_datasette, server
from tests import web_data
from tests.conftest import part
from tests.made import DAY, DUCK, GITHUB, NOW, exchange, reading, results, settings
from tests.replay import Answer, Replay
from tests.web_data import Data

LABELS = '[labels]\nmine = ["ada.example"]\nunwanted = ["finder.example"]\n'
URLS = ("https://stranger.example/a", "https://ada.example/", "https://finder.example/ada")
PAGE = """<!DOCTYPE html><html><head><title>Results</title><style>.b{color:red}</style></head><body>
<a class=b href="/l/?uddg=https%3A%2F%2Fada.example%2F&amp;rut=1">Ada</a>
<a href="https://finder.example/ada">Finder</a> <a href="https://elsewhere.example/">Else</a></body></html>"""
SOURCE = "duckduckgo/ada-example"


class World:
    """A history on disk with its kept pages, and Datasette over it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.kept = folder / "presence.db", folder / "presence-captures.db"
        self.folder = folder
        with Store(self.path) as store:
            self.ids = sources.sync(store, settings(folder, DUCK + GITHUB + LABELS), NOW)

    def save(self, *made: Any, source: str = SOURCE) -> list[int]:
        with Store(self.path) as store:
            for one in made:
                readings.save(store, self.ids[source], one)
            return [r["id"] for r in store.rows("select id from readings order by id")]

    async def get(self, path: str, **options: Any) -> Any:
        ds = make_datasette(self.path, {}, **options)
        await ds.invoke_startup()
        return await ds.client.get(path)

    async def page(self, reading_id: int) -> BeautifulSoup:
        answer = await self.get(f"/-/presence/reading/{reading_id}")
        assert answer.status_code == 200, answer.text
        return BeautifulSoup(answer.text, "lxml")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def searched(body: str | bytes = PAGE, media_type: str = "text/html", **more: Any) -> Any:
    asked = exchange(body, url="https://duckduckgo.com/html/?q=Ada")
    assert asked.capture
    asked = replace(asked, capture=replace(asked.capture, media_type=media_type), headers={"content-type": media_type})
    made = replace(reading(), records=tuple(results(URLS, "A title")), depth=3, exchanges=(asked,))
    return replace(made, **more)


def refused(**more: Any) -> Any:
    made = reading(outcome=Outcome.BLOCKED, reason="captcha", body="prove that you are human")
    return replace(made, advice="duckduckgo.com asked for a captcha; it is left alone.", **more)


def text(found: Any) -> str:
    return re.sub(r"\s+", " ", found.get_text(" ")).strip() if found else ""


def sha(body: str | bytes) -> str:
    return Capture(body.encode() if isinstance(body, str) else body).id


# --- the page of a reading -----------------------------------------------------------------------------------------


async def test_it_shows_what_was_asked_how_it_ended_and_what_was_read(world: World) -> None:
    (first,) = world.save(searched())
    page = await world.page(first)
    whole = text(page.main)
    for said in (
        "duckduckgo/ada-example",
        "https://duckduckgo.com/html/?q=Ada",
        "Status 200",
        "5 ms",
        "ok .",
        "version 1",
    ):
        assert said in whole, said
    rows = [[text(cell) for cell in row.find_all("td")] for row in page.select(".r-results tbody tr")]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert [row[2] for row in rows] == ["other", "m mine", "× unwanted"]
    assert "counts for its slot" in whole
    assert "counts for 2026-11-23" in whole
    assert "20:30:00" in whole  # Sydney's clock, with the stored instant beside it
    assert page.find("time", datetime="2026-11-23T09:30:00Z")


async def test_a_failed_reading_says_why_what_to_do_and_that_nothing_was_read(world: World) -> None:
    whole = text((await world.page(world.save(refused())[0])).main)
    assert "blocked: captcha" in whole
    assert "it is left alone" in whole
    assert "Nothing, and nothing was counted for it" in whole
    assert "is all there is for its slot, so that is a gap" in whole


async def test_other_attempts_and_neighbours_are_linked_both_ways(world: World) -> None:
    day_before = searched(slot=NOW - timedelta(days=1), day=DAY - timedelta(days=1), started_at=NOW - timedelta(days=1))
    ids = world.save(day_before, refused(), searched(started_at=NOW + timedelta(minutes=5)))
    again = searched(trigger=Trigger.REREAD, reread_of=ids[2], started_at=NOW + timedelta(minutes=9))
    ids = world.save(again)
    second, third, fourth = [await world.page(n) for n in ids[1:]]
    assert f"Attempt 2 at the same slot: reading {ids[2]}" in text(second.select_one(".r-others"))
    assert f"The one before: reading {ids[0]}" in text(second.select_one(".r-others"))
    assert f"does not count for its slot: reading {ids[3]} does" in text(second.select_one(".r-counted"))
    assert f"Read again as: reading {ids[3]}" in text(third.select_one(".r-others"))
    assert f"Reads again: reading {ids[2]}" in text(fourth.select_one(".r-others"))
    assert f"The one after: reading {ids[1]}" in text((await world.page(ids[0])).select_one(".r-others"))


async def test_a_slot_that_passed_unasked_shows_no_exchange(world: World) -> None:
    missed = reading(outcome=Outcome.MISSED, reason="off", body="")
    assert "Nothing: the slot passed without a question" in text((await world.page(world.save(missed)[0])).main)


async def test_numbers_of_a_profile_stand_on_their_reading(world: World) -> None:
    counted = reading(counts=[Count("github/ada", "followers", "now", DAY, 1203)], body='{"followers": 1203}')
    page = await world.page(world.save(counted, source="github/ada")[0])
    assert "1,203" in text(page.select_one("#r-counts").find_next("table"))


async def test_of_many_rows_the_number_and_the_way_to_them_are_shown(tmp_path: Path) -> None:
    data = Data(tmp_path / "presence.db")
    log = data.source("access_log/blog", "page_views")
    found = data.views(log, 1, {f"/page-{n}": n + 1 for n in range(70)}, {"search.example": 4})
    data.insert("not_counted", source_id=log, day=web_data.day(1), reason="crawler", lines=12, reading_id=found)
    data.insert("exchanges", reading_id=found, n=1, url_asked="my access.log 0-5120", headers="{}", final_url="", ms=0)
    data.close()
    ds = make_datasette(tmp_path / "presence.db", {})
    await ds.invoke_startup()
    page = BeautifulSoup((await ds.client.get(f"/-/presence/reading/{found}")).text, "lxml")
    whole = text(page.main)
    assert "The first 50 of 70: all of them" in whole
    assert "crawler 12" in whole
    assert "File my access.log" in whole
    assert "0 to 5,120" in whole
    (way,) = [a["href"] for a in page.select("a") if "of 70" in a.text]
    rows = (await ds.client.get(f"{way}&_shape=array&_size=max".replace("page_views?", "page_views.json?"))).json()
    assert len(rows) == 70


@pytest.mark.parametrize("kind", ["filled", "hostile"])
async def test_every_link_of_every_kind_of_reading_is_answered(tmp_path: Path, kind: str) -> None:
    path = getattr(web_data, kind)(tmp_path / "presence.db", **({"days": 8} if kind == "filled" else {}))
    ds = make_datasette(path, {})
    await ds.invoke_startup()
    ids = [row[0] for row in sqlite3.connect(path).execute("select max(id) from readings group by source_id, outcome")]
    for reading_id in ids:
        answer = await ds.client.get(f"/-/presence/reading/{reading_id}")
        assert answer.status_code == 200, (reading_id, answer.text)
        page = BeautifulSoup(answer.text, "lxml")
        assert not page.main.find(["script", "style", "img"])
        for link in page.main.select("a[href]"):
            href = link["href"]
            if href.startswith(("http:", "https:")):
                assert link["rel"] == ["noreferrer", "noopener"]
            elif not href.startswith("#"):
                assert href.startswith("/"), href
                assert (await ds.client.get(href)).status_code == 200, href


@pytest.mark.parametrize("path", ["reading/999", "capture/" + "0" * 64, "reading/x", "capture/" + "A" * 64])
async def test_what_is_not_there_is_not_found(world: World, path: str) -> None:
    assert (await world.get(f"/-/presence/{path}")).status_code == 404


# --- the kept page -------------------------------------------------------------------------------------------------


async def test_the_kept_page_carries_the_strictest_headers(world: World) -> None:
    (first,) = world.save(searched())
    for query in ("", f"?reading={first}", "?raw=1"):
        headers = (await world.get(f"/-/presence/capture/{sha(PAGE)}{query}")).headers
        assert headers.get_list("content-security-policy") == [POLICY]
        assert headers.get_list("x-frame-options") == ["SAMEORIGIN"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in headers
    assert POLICY.startswith("sandbox; default-src 'none'")
    assert "allow" not in POLICY


async def test_the_page_of_the_reading_frames_it_and_nothing_else(world: World) -> None:
    (first,) = world.save(searched())
    answer = await world.get(f"/-/presence/reading/{first}")
    assert answer.headers["content-security-policy"] == f"{safety.HOME_POLICY}; frame-src 'self'"
    assert answer.headers["x-frame-options"] == "DENY"
    (frame,) = BeautifulSoup(answer.text, "lxml").find_all("iframe")
    assert 'sandbox=""' in str(frame)
    assert frame["src"] == f"/-/presence/capture/{sha(PAGE)}?reading={first}"


async def test_a_page_of_datasette_may_not_choose_its_policy(world: World) -> None:
    for header in safety.OWN:
        kept = dict(safety.protected([(header.encode(), b"anything")], "p"))
        assert kept[header.encode()] != b"anything"


async def test_the_results_are_marked_where_the_reading_found_them(world: World) -> None:
    (first,) = world.save(searched())
    shown = BeautifulSoup((await world.get(f"/-/presence/capture/{sha(PAGE)}?reading={first}")).text, "lxml")
    ada, finder, other = shown.find_all("a")
    assert [text(a) for a in (ada, finder, other)] == ["2 mine Ada", "3 unwanted Finder", "Else"]
    assert "outline" in ada["style"]
    assert "style" not in other.attrs
    assert ada["title"] == "https://ada.example/"
    plain = BeautifulSoup((await world.get(f"/-/presence/capture/{sha(PAGE)}")).text, "lxml")
    assert text(plain.a) == "Ada"


async def test_the_source_is_byte_for_byte_what_came(world: World) -> None:
    body = "<meta charset=iso-8859-1><p>Müller".encode("cp1252")
    world.save(searched(body))
    raw = await world.get(f"/-/presence/capture/{sha(body)}?raw")
    assert raw.content == body
    assert raw.headers["content-type"] == "text/plain; charset=windows-1252"
    shown = await world.get(f"/-/presence/capture/{sha(body)}")
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "Müller" in shown.text


@pytest.mark.parametrize(
    ("media_type", "served"),
    [
        ("application/json", "text/plain"),
        ("text/csv", "text/plain"),
        ("application/rss+xml; charset=utf-8", "text/plain"),
        ("image/svg+xml", "text/plain"),
        ("text/javascript", "text/plain"),
        ("application/pdf", "application/octet-stream"),
        ("image/png", "application/octet-stream"),
        ("application/x-shockwave-flash", "application/octet-stream"),
    ],
)
async def test_what_is_no_page_is_text_or_only_to_be_saved(world: World, media_type: str, served: str) -> None:
    body = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    world.save(searched(body, media_type))
    answer = await world.get(f"/-/presence/capture/{sha(body)}")
    assert answer.headers["content-type"].partition(";")[0] == served
    assert answer.headers["content-security-policy"] == POLICY
    assert ("attachment" in answer.headers.get("content-disposition", "")) is (served != "text/plain")
    assert answer.text == body


async def test_a_page_that_was_let_go_says_so(world: World) -> None:
    (first,) = world.save(searched())
    with Store(world.path) as store:
        captures.prune(store, NOW + timedelta(days=400), timedelta(days=90))
    answer = await world.get(f"/-/presence/capture/{sha(PAGE)}")
    assert answer.status_code == 410
    assert "let go on 2027-12-28" in answer.text
    page = await world.page(first)
    assert "let go on 2027-12-28" in text(page.main)
    assert not page.find("iframe")


def _overwrite(body: bytes) -> Any:
    def spoil(kept: Path) -> None:
        with sqlite3.connect(kept) as db:
            db.execute("update bodies set body = ?", (body,))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda kept: kept.unlink(), "is missing beside the history"),
        (lambda kept: kept.write_bytes(b"not a database at all" * 400), "could not be read"),
        (_overwrite(b"not compressed"), "damaged"),
        (_overwrite(zlib.compress(b"<p>another page")), "damaged: they are not the ones that came"),
        (_overwrite(zlib.compress(b"<p>" * 9_000_000)), "damaged"),
        (lambda kept: sqlite3.connect(kept).execute("drop table bodies").connection.commit(), "could not be read"),
    ],
)
async def test_lost_pages_are_told_and_the_reading_still_shows(world: World, spoil: Any, said: str) -> None:
    (first,) = world.save(searched())
    for ending in ("-wal", "-shm"):
        Path(f"{world.kept}{ending}").unlink(missing_ok=True)
    spoil(world.kept)
    answer = await world.get(f"/-/presence/capture/{sha(PAGE)}?reading={first}")
    assert answer.status_code == 404
    assert said in answer.text
    assert answer.headers["content-security-policy"] == POLICY
    assert "ada.example" in text((await world.page(first)).main)


async def test_a_stranger_sees_neither_reading_nor_kept_page(world: World, tmp_path: Path) -> None:
    (first,) = world.save(searched())
    ds = make_datasette(world.path, {"databases": {"presence": {"allow": {"id": "ada"}}}})
    await ds.invoke_startup()
    for path in (f"reading/{first}", f"capture/{sha(PAGE)}", f"capture/{sha(PAGE)}?raw=1"):
        answer = await ds.client.get(f"/-/presence/{path}")
        assert answer.status_code == 403
        assert "Ada" not in answer.text


# --- a copy that does nothing --------------------------------------------------------------------------------------


def harm(trap: str) -> str:
    """A page that tries to reach `trap` in every way there is."""
    run = f"new Image().src='{trap}/script'"
    return f"""<!DOCTYPE html><html><head><meta http-equiv="refresh" content="0;url={trap}/refresh">
<base href="{trap}/base/"><link rel="stylesheet" href="{trap}/sheet"><link rel="icon" href="{trap}/icon">
<link rel="preload" as="image" href="{trap}/preload"><link rel="prefetch" href="{trap}/prefetch">
<style>@import "{trap}/import"; body{{background:url({trap}/background)}}
@font-face{{font-family:f;src:url({trap}/font)}}
p{{font-family:f}}</style><script src="{trap}/src"></script><script>{run};location='{trap}/location'</script>
<noscript><meta http-equiv="refresh" content="0;url={trap}/noscript"></noscript></head>
<body onload="{run}" background="{trap}/old"><p>Shown</p><a href="javascript:{run}" id="j" ping="{trap}/ping">go</a>
<img src="{trap}/img" srcset="{trap}/srcset 2x" onerror="{run}"><img src="data:text/html,x" onerror="{run}">
<form action="{trap}/form" id="f"><input type="image" src="{trap}/input"><button formaction="{trap}/b">b</button></form>
<iframe src="{trap}/iframe" srcdoc="<script>parent.{run}</script>"></iframe><object data="{trap}/object"></object>
<embed src="{trap}/embed"><video src="{trap}/video" poster="{trap}/poster"></video>
<svg onload="{run}"><style><img src="{trap}/svg" onerror="{run}"></style><image href="{trap}/image"/></svg>
<math><mtext><style><img src=x onerror="{run}"></style></mtext></math><p style="background:url({trap}/style)">x</p>
<details open ontoggle="{run}">d</details><input autofocus onfocus="{run}"><x-y onclick="{run}">z</x-y>
<a href="{trap}/link">out</a><script>document.getElementById('f').submit()</script>
{("<p>" + "long " * 60) * 7_000}</body></html>"""


def test_the_copy_keeps_words_and_looks_and_loses_all_that_acts() -> None:
    copy = inert.inert(harm("http://trap.example"), "https://engine.example/", {}).decode()
    page = BeautifulSoup(copy, "lxml")
    assert "Shown" in page.body.text
    assert page.find("style")
    names = {tag.name for tag in page.find_all(True)}
    assert not names & {"script", "meta", "base", "link", "form", "iframe", "object", "embed", "video", "svg", "math"}
    keys = {key for tag in page.find_all(True) for key in tag.attrs}
    assert not {key for key in keys if key.startswith("on")}
    assert not keys & {
        "href",
        "src",
        "srcset",
        "action",
        "formaction",
        "poster",
        "data",
        "ping",
        "background",
        "srcdoc",
    }
    assert all("disabled" in tag.attrs for tag in page.find_all(["input", "button"]))


def test_pictures_inside_the_page_stay_and_others_go() -> None:
    kept = "data:image/png;base64,iVBORw0KGgo="
    page = f'<img src="{kept}"><img src="https://x.example/a.png"><img src="data:image/svg+xml;base64,PHN2Zz4=">'
    shown = BeautifulSoup(inert.inert(page, "", {}), "lxml").find_all("img")
    assert [tag.get("src") for tag in shown] == [kept, None, None]


@pytest.mark.parametrize(
    "page",
    [
        "",
        "   ",
        "<p " + " ".join(f"a{n}=1" for n in range(2000)) + ">",
        "<p a='>'" + " b='>'" * 900 + ">",
        "<b>" * 100_001,
    ],
)
def test_a_page_built_to_keep_a_parser_busy_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="not a page"):
        inert.inert(page, "", {})


async def test_such_a_page_is_shown_as_its_source(world: World) -> None:
    body = "<b>" * 100_001
    world.save(searched(body))
    answer = await world.get(f"/-/presence/capture/{sha(body)}")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_scripts_are_no_markup() -> None:
    assert inert.without_scripts("a<script>if (a<b) '<p>'</script >b<SCRIPT src=x></SCRIPT>c<script>rest") == "abc"


# --- in a real browser ---------------------------------------------------------------------------------------------

QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=1500", "--dump-dom"),
)


@pytest.fixture
def trap() -> Iterator[Replay]:
    with Replay({}) as server:
        yield server


def browse(url: str, profile: Path) -> str:
    command = [part("chromium", "chromium"), *QUIET, "--window-size=1280,4000", f"--user-data-dir={profile}", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    assert "<body" in done.stdout
    return done.stdout


@pytest.fixture
def address(world: World) -> Iterator[str]:
    serving = server(make_datasette(world.path, {}).app(), "127.0.0.1", 0)
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not serving.started and time.monotonic() < until:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{serving.servers[0].sockets[0].getsockname()[1]}"
    serving.should_exit = True
    thread.join(10)


def test_a_hostile_kept_page_reaches_nobody(world: World, address: str, trap: Replay, tmp_path: Path) -> None:
    body = harm(trap.url)
    (first,) = world.save(searched(body))
    alone = browse(f"{address}/-/presence/capture/{sha(body)}?reading={first}", tmp_path / "a")
    assert "Shown" in alone
    framed = browse(f"{address}/-/presence/reading/{first}", tmp_path / "b")
    assert "<iframe" in framed
    source = browse(f"{address}/-/presence/capture/{sha(body)}?raw=1", tmp_path / "c")
    assert "&lt;script" in source
    assert [asked.path for asked in trap.requests] == []


def test_without_the_copy_the_headers_alone_hold_it(
    world: World, address: str, trap: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = harm(trap.url)
    (first,) = world.save(searched(body))
    shown = []
    monkeypatch.setattr("monitor.web.capture.inert", lambda text, *_: shown.append(text) or text.encode())
    browse(f"{address}/-/presence/reading/{first}", tmp_path / "a")
    assert shown == [body]  # the frame was loaded
    browse(f"{address}/-/presence/capture/{sha(body)}", tmp_path / "b")
    assert shown == [body, body]
    assert [asked.path for asked in trap.requests] == []


def test_the_same_page_would_reach_out_when_served_carelessly(trap: Replay, tmp_path: Path) -> None:
    with Replay({"/": Answer.html(harm(trap.url).replace("location=", "0||"))}) as careless:
        browse(careless.url + "/", tmp_path / "a")
    assert {"/img", "/sheet", "/script"} & {asked.path for asked in trap.requests}
