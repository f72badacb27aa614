"""Trust in a rank: control queries, how far is read, budgets, and the views over it all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.attempt import Attempts
from monitor.model import Outcome, Result, Shown, Trigger
from monitor.store import pages, readings, sources
from monitor.store.connection import Store
from tests.conftest import PAGES
from tests.made import DAY, DUCK, NOW, reading, settings
from tests.replay import Answer, Replay

MINE = '[labels]\nmine = ["ada.example"]\n'
A, B, C, ME = "http://a.example/", "http://b.example/", "http://c.example/", "http://ada.example/"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "presence.db") as store:
        yield store


def history(store: Store, source_id: int, *days: str) -> None:
    """One page a day, from words: A, B, C, M (mine); `-` is a day that was not read."""
    urls = {"A": A, "B": B, "C": C, "M": ME}
    for n, words in enumerate(days):
        at = NOW + timedelta(days=n)
        if words == "-":
            readings.save(store, source_id, reading(at=at, outcome=Outcome.BLOCKED, reason="captcha"))
        else:
            readings.save(
                store, source_id, reading(*(urls.get(w, f"http://{w}.example/") for w in words.split()), at=at)
            )


def duck(store: Store, tmp_path: Path, extra: str = "") -> dict[str, int]:
    return sources.sync(store, settings(tmp_path, DUCK + extra + MINE), NOW - timedelta(days=1))


def values(store: Store, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in store.rows(sql)]


def test_a_failed_control_makes_not_found_unbelieved_and_leaves_a_place_standing(store: Store, tmp_path: Path) -> None:
    ids = duck(store, tmp_path, 'control = "known.example"\n')
    search, control = ids["duckduckgo/ada-example"], ids["duckduckgo/control"]
    history(store, search, "A B C", "A B M", "A B C")
    for n, shown in enumerate((False, False, True)):
        urls = ["http://known.example/"] if shown else ["http://x.example/"]
        readings.save(store, control, reading(*urls, at=NOW + timedelta(days=n)))
    assert values(store, "select day, position from daily_ranks order by day") == [
        ("2026-11-24", 3),
        ("2026-11-25", None),
    ]
    assert ("2026-11-23", "control_failed") in values(store, "select day, reason from gaps")
    assert values(store, "select distinct source from page_one") == [("duckduckgo/ada-example",)]


def test_moves_are_news_when_more_than_noise_and_seen_twice(store: Store, tmp_path: Path) -> None:
    source = duck(store, tmp_path)["duckduckgo/ada-example"]
    history(store, source, "M A B C", "A M B C", "A B C x M", "A B C x M", "M A B C x", "A B C x M")
    rows = values(store, "select day, before, after, news, confirmed from rank_changes order by day")
    assert rows == [
        ("2026-11-24", 1, 2, 0, 0),
        ("2026-11-25", 2, 5, 1, 1),
        ("2026-11-27", 5, 1, 1, 0),
        ("2026-11-28", 1, 5, 1, None),
    ]


def test_depths_are_not_compared(store: Store, tmp_path: Path) -> None:
    source = duck(store, tmp_path)["duckduckgo/ada-example"]
    history(store, source, "A B C x M", "A B C", "A B C x y M")
    assert values(store, "select * from rank_changes") == []


def test_milestones_records_and_a_gap_that_breaks_nothing(store: Store, tmp_path: Path) -> None:
    source = duck(store, tmp_path)["duckduckgo/ada-example"]
    history(store, source, "A B C", "A M B", "M A B", "-", "M A B", *["M A B"] * 5)
    assert values(store, "select day, milestone from milestones order by day, milestone") == [
        ("2026-11-24", "first time on page one"),
        ("2026-11-25", "first time number 1"),
        ("2026-12-02", "7 days at number 1"),
    ]
    records = "select best, best_since, days_at_1, days_on_page_one, days_read, days_at_1_in_a_row from rank_records"
    assert values(store, records) == [(1, "2026-11-25", 7, 8, 9, 7)]


def test_share_of_page_one_plain_and_weighted(store: Store, tmp_path: Path) -> None:
    source = duck(store, tmp_path)["duckduckgo/ada-example"]
    history(store, source, "M A B C")
    weighted = 31.73 / (31.73 + 24.71 + 18.66 + 13.60)
    assert values(store, "select mine, seen, share, weighted_share from page_one_share") == [
        (1, 4, 0.25, round(weighted, 4))
    ]


def test_who_came_and_who_left(store: Store, tmp_path: Path) -> None:
    source = duck(store, tmp_path)["duckduckgo/ada-example"]
    history(store, source, "A B M", "-", "C A M")
    assert values(store, "select day, what, url, position, before_day from page_one_changes order by what") == [
        ("2026-11-25", "entered", C, 1, "2026-11-23"),
        ("2026-11-25", "left", B, 2, "2026-11-23"),
    ]


def test_an_unwanted_page_that_rises_is_told(store: Store, tmp_path: Path) -> None:
    source = duck(store, tmp_path)["duckduckgo/ada-example"]
    history(store, source, "A C M B", "A B C M", "-", "A C B M")
    sources.relabel(store, "b.example", "unwanted", NOW)
    assert values(store, "select day, before, after from unwanted_rising") == [("2026-11-24", 4, 2)]


def test_the_two_pages_of_a_move_are_found_across_days_not_read(store: Store, tmp_path: Path) -> None:
    source = duck(store, tmp_path)["duckduckgo/ada-example"]
    history(store, source, "A M", "-", "M A")
    two = pages.last_two(store, source, "9999-12-31")
    assert two is not None
    assert [page.day for page in two] == ["2026-11-23", "2026-11-25"]
    assert [page.mine.position for page in two if page.mine] == [2, 1]
    assert pages.last_two(store, source, "2026-11-24") is None


def test_what_a_console_says_is_no_rank(store: Store, tmp_path: Path) -> None:
    text = '[[search]]\nkind = "bing_webmaster"\nsite = "https://ada.example/"\n' + MINE
    source = sources.sync(store, settings(tmp_path, text), NOW)["bing_webmaster"]
    said = Shown(DAY, "ada example", "", 1, 9, 1.0)
    readings.save(store, source, replace(reading(), records=(said,), depth=None))
    assert values(store, "select engine, query, impressions, mean_position from shown_by_engine") == [
        ("bing", "ada example", 9, 1.0)
    ]
    assert values(store, "select * from daily_ranks") == []


# --- how far is read -----------------------------------------------------------------------------------------------

FIRST = (PAGES / "duckduckgo" / "ok.html").read_bytes()
SECOND = (PAGES / "duckduckgo" / "page2.html").read_bytes()


def asked(tmp_path: Path, store: Store, extra: str, days: int) -> list[int]:
    """How many questions each of some days took, from a server with two pages."""
    counts = []
    for day in range(days):
        with Replay({"/html/": [Answer(200, FIRST), Answer(200, SECOND)]}) as server:
            text = f'[fetch]\nspacing = "0s"\n{DUCK}pages = 2\nurl = "{server.url}/html/"\n{extra}'
            configured = settings(tmp_path, text)
            now = NOW + timedelta(days=day)
            made = Attempts(configured, store, clock=lambda now=now: now, sleep=lambda seconds: None)
            ids = sources.sync(store, configured, now)
            (source,) = configured.sources
            list(made.make(source, ids[source.name], now, now.date(), Trigger.MANUAL))
            counts.append(len(server.requests))
    return counts


def test_page_two_is_read_weekly_while_nothing_of_ones_own_is_on_page_one(tmp_path: Path, store: Store) -> None:
    assert asked(tmp_path, store, "", 9) == [2, 1, 1, 1, 1, 1, 1, 2, 1]


def test_page_two_is_read_each_time_where_the_owner_says_so(tmp_path: Path, store: Store) -> None:
    assert asked(tmp_path, store, 'further = "0d"\n', 2) == [2, 2]


def test_page_two_is_not_read_when_page_one_has_the_owner(tmp_path: Path, store: Store) -> None:
    assert asked(tmp_path, store, '[labels]\nmine = ["example.org"]\n', 2) == [1, 1]


def test_a_budget_is_counted_before_the_call_and_is_a_reason(tmp_path: Path, store: Store) -> None:
    """Each day is another server (and so another host): the budget is per host, so one day spends it."""
    with Replay({"/html/": Answer(200, FIRST)}) as server:
        text = f'[fetch]\nspacing = "0s"\n{DUCK}url = "{server.url}/html/"\nprice = 5.0\nbudget_cost = 0.01\n'
        configured = settings(tmp_path, text)
        ids = sources.sync(store, configured, NOW)
        (source,) = configured.sources
        outcomes = []
        for day in (0, 1, 2, 10):
            now = NOW + timedelta(days=day)
            made = Attempts(configured, store, clock=lambda now=now: now, sleep=lambda seconds: None)
            for _, done in made.make(source, ids[source.name], now, now.date(), Trigger.MANUAL):
                outcomes.append((str(done.outcome), done.reason))
        assert outcomes == [("ok", ""), ("ok", ""), ("missed", "budget"), ("ok", "")]
        assert len(server.requests) == 3
    assert values(store, "select calls, cost from hosts") == [(1, 5000)]  # a new month begins from nothing
    (row,) = store.rows("select advice from readings where reason = 'budget'")
    assert "2 calls, more from 2026-12-01" in row["advice"]


def opaque(host: str, position: int) -> Result:
    link = f"https://www.google.com/goto?url=CAES{position}"
    return Result(
        link, "Ada", "", host, position=position, position_absolute=position, block=position, match_precision="host"
    )


def test_an_opaque_link_is_known_by_its_shown_host_and_no_further(store: Store, tmp_path: Path) -> None:
    text = DUCK + '[labels]\nmine = ["ada.example", "people.example/in/ada"]\n'
    source = sources.sync(store, settings(tmp_path, text), NOW)["duckduckgo/ada-example"]
    days = (["x.example", "www.ada.example"], ["x.example", "y.example"], ["x.example", "people.example"])
    for n, hosts in enumerate(days):
        found = tuple(opaque(host, place) for place, host in enumerate(hosts, 1))
        readings.save(store, source, replace(reading(at=NOW + timedelta(days=n)), records=found, depth=2))
    assert values(store, "select day, position, url from daily_ranks order by day") == [
        ("2026-11-23", 2, "host:ada.example"),
        ("2026-11-24", None, None),  # not within the two seen; on the day after, the second may be the profile
    ]
    assert values(store, "select what, url from page_one_changes where day = '2026-11-24' order by what") == [
        ("entered", "host:y.example"),
        ("left", "host:ada.example"),
    ]
    sources.relabel(store, "*.people.example", "mine", NOW)
    assert values(store, "select position from daily_ranks where day = '2026-11-25'") == [(2,)]
