"""What changed, on the home page: worst first, noise left out, each line with its evidence; and when to look again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from monitor.web.changed import MOST, changed, exposed_now
from monitor.web.links import Links
from monitor.web.rows import Rows
from monitor.web.spells import not_read_since

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
LINKS = Links("/presence")
DUCK: Mapping[str, Any] = {
    "source_id": 1,
    "source": "duckduckgo/ada",
    "engine": "duckduckgo",
    "query": "Ada Example",
    "measure": "search",
    "control": None,
    "added_at": "2026-01-01T00:00:00Z",
    "outcome": "ok",
    "reason": "",
}


def day(ago: int) -> str:
    return (NOW.date() - timedelta(days=ago)).isoformat()


def told(next_tries: Mapping[str, str] | None = None, sources: tuple[Any, ...] = (DUCK,), **tables: Any) -> Any:
    made = {name: tuple(rows) for name, rows in tables.items()}
    return changed(Rows(NOW, "Ada", {"sources": sources, **made}, next_tries=next_tries or {}), LINKS)


def read(*, ago: int, outcome: str = "ok", source: int = 1, reason: str = "") -> dict[str, Any]:
    return {"source_id": source, "day": day(ago), "outcome": outcome, "reason": reason, "reading_id": 100 + ago}


def move(ago: int, before: int | None, after: int | None, source: int = 1, confirmed: int | None = 1) -> dict[str, Any]:
    row = {"source_id": source, "day": day(ago), "before": before, "after": after, "depth": 10, "confirmed": confirmed}
    return {"engine": "duckduckgo", "query": "Ada Example", "before_day": day(ago + 1), "reading_id": 7, **row}


def came(ago: int, what: str, whose: str, url: int = 5, source: int = 1) -> dict[str, Any]:
    row = {"source_id": source, "engine": "duckduckgo", "query": "Ada Example", "day": day(ago), "position": 8}
    return {**row, "what": what, "whose": whose, "url": "https://people-finder.example/ada", "url_id": url}


def count(
    value: int, before: int | None, *, window: str = "now", best: int | None = None, ago: int = 0
) -> dict[str, Any]:
    row = {"profile": "github/ada", "metric": "followers", "window": window, "day": day(ago), "value": value}
    return {**row, "state": "read", "before": before, "before_day": day(30), "best_before": best, "reading_id": 9}


def lines(found: Any) -> list[str]:
    return [c.text for c in found.lines]


def test_a_move_leads_to_why_and_only_the_newest_of_an_engine_is_told() -> None:
    found = told(moves=[move(2, 3, 1), move(9, 1, 3)])
    assert lines(found) == ["DuckDuckGo: 3 to 1"]
    (line,) = found.lines
    assert (line.tone, line.mark, line.said) == ("good", "▲", "23 Nov")
    assert line.href == f"/-/presence/why?source=1&day={day(2)}"


def test_a_fall_out_of_what_was_seen_is_bad_and_says_how_far_was_looked() -> None:
    (line,) = told(moves=[move(0, 7, None, confirmed=None)]).lines
    assert (line.text, line.tone, line.note) == ("DuckDuckGo: 7 to not within 10", "bad", "seen once so far")


def test_the_bad_comes_first_and_leaves_room_for_the_good() -> None:
    many = [came(n, "entered", "unwanted", url=n) for n in range(1, 12)]
    found = told(
        moves=[move(0, 3, 1)],
        firsts=[{"contact_id": 4, "day": day(3), "kind": "inmail", "origin": "linkedin"}],
        came=many,
    )
    assert len(found.lines) == MOST
    assert [c.tone for c in found.lines] == ["bad"] * 6 + ["good"] * 2
    assert found.more == 5
    assert lines(found)[6:] == ["DuckDuckGo: 3 to 1", "First contact: InMail, through linkedin"]
    assert [c.day for c in found.lines[:6]] == [day(n) for n in range(1, 7)]  # newest first


def test_a_page_that_comes_and_goes_is_noise_unless_it_is_unwanted() -> None:
    flaps = [came(n, "left" if n % 2 else "entered", "about_me") for n in range(1, 8)]
    assert told(came=flaps).lines == ()
    (line,) = told(came=[{**row, "whose": "unwanted"} for row in flaps]).lines
    assert line.note == "it comes and goes: 7 times in 90 days"


def test_one_page_that_came_on_two_engines_is_one_line() -> None:
    (line,) = told(came=[came(1, "entered", "unwanted"), came(1, "entered", "unwanted", source=2)]).lines
    assert line.text == "people-finder.example (unwanted) came to page one: DuckDuckGo 8 and DuckDuckGo 8"
    assert (line.tone, line.mark, line.href) == ("bad", "×", "/-/presence/map?url=5")


def test_the_owners_page_that_came_with_a_move_is_told_once() -> None:
    assert lines(told(moves=[move(1, None, 8)], came=[came(1, "entered", "mine")])) == [
        "DuckDuckGo: not within 10 to 8"
    ]


@pytest.mark.parametrize(
    ("positions", "said"),
    [
        ([8, 8, 5, 5], "rose from 8 to 5"),
        ([8, 7, 6], None),  # a place a day is noise
        ([8, 3, 8], None),  # it fell again
    ],
)
def test_an_unwanted_page_that_rose_and_stayed(positions: list[int], said: str | None) -> None:
    rows = [
        {**came(len(positions) - n, "", "unwanted"), "position": position, "reading_id": n}
        for n, position in enumerate(positions)
    ]
    assert [said in text for text in lines(told(rising=rows))] == ([True] if said else [])


@pytest.mark.parametrize(
    ("row", "tone"),
    [
        (count(90, 100), "bad"),
        (count(96, 100), None),
        (count(3, 4), None),  # one fewer of four is no news
        (count(130, 100, best=120), "good"),
        (count(130, 100, best=131), None),
        (count(80, 100, window="14d"), None),
        (count(70, 100, window="14d"), "warn"),
        (count(1, 100, window="day"), None),
        (count(50, 100, ago=120), None),  # an old number is not news
        (count(5, None), None),
    ],
)
def test_numbers_that_fell_or_are_the_most_in_a_year(row: dict[str, Any], tone: str | None) -> None:
    assert [c.tone for c in told(counts=[row]).lines] == ([tone] if tone else [])


def test_sources_that_fared_the_same_are_one_line() -> None:
    brave = {**DUCK, "source_id": 2, "source": "brave/ada", "engine": "brave"}
    days = [read(ago=n, outcome="missed" if n < 3 else "ok", source=s) for n in (4, 3, 2, 1, 0) for s in (1, 2)]
    (line,) = told(sources=(DUCK, brave), days=days).lines
    assert line.text == "duckduckgo/ada and 1 other source: not read since, missed"
    assert (line.day, line.tone, line.href) == (day(2), "warn", "#sources")


def test_a_single_bad_day_is_noise_and_the_end_of_a_long_spell_is_news() -> None:
    days = [read(ago=n, outcome="blocked" if n in (1, 5, 6, 7) else "ok") for n in reversed(range(10))]
    (line,) = told(days=days).lines
    assert (line.text, line.tone, line.day) == ("duckduckgo/ada: read again, after 3 days", "good", day(4))


def test_number_1_for_the_first_time_is_news_though_it_is_one_place() -> None:
    ranks = [
        {"source_id": 1, "day": day(n), "position": 1 if n < 5 else 2, "reading_id": n} for n in reversed(range(9))
    ]
    earlier = {"source_id": 1, "first_places": 0, "page_one": 1}
    (line,) = told(ranks=ranks, earlier=[earlier]).lines
    assert (line.text, line.day, line.href) == (
        "DuckDuckGo: number 1 for the first time",
        day(4),
        "/-/presence/reading/4",
    )
    assert told(ranks=ranks, earlier=[{**earlier, "first_places": 1}]).lines == ()
    assert told(ranks=ranks[4:], earlier=[earlier]).lines == ()  # it was so on the first day that was ever read
    assert lines(told(ranks=ranks, earlier=[{**earlier, "first_places": 98}])) == ["DuckDuckGo: 100 days at number 1"]


def test_an_identifier_that_came_and_one_that_is_gone() -> None:
    row = {"identifier": "+61 … 56", "url": "https://people-finder.example/a", "allowed": 0, "first_seen": day(3)}
    found = {**row, "state": "found", "gone_day": None}
    gone = {**row, "state": "gone", "gone_day": day(1), "first_seen": day(300)}
    shown = told(exposed=[found, gone]).lines
    assert [(c.text, c.tone) for c in shown] == [
        ("+61 … 56 stands on people-finder.example", "bad"),
        ("+61 … 56 is gone from people-finder.example", "good"),
    ]
    assert {c.href for c in shown} == {"/-/presence/exposure"}
    assert exposed_now(Rows(NOW, "", {"exposed": (found, gone)})) == "+61 … 56 stands on people-finder.example."
    two = ({**found, "url": "https://b.example/"}, found)
    assert exposed_now(Rows(NOW, "", {"exposed": two})) == "1 number or address of yours on 2 pages where not meant."
    assert exposed_now(Rows(NOW, "", {"exposed": ({**found, "allowed": 1}, gone)})) == ""


def test_nothing_to_look_at_until_the_next_look() -> None:
    tries = {"a": "2026-11-30T06:40:00Z", "b": "2026-12-05T06:40:00Z", "c": "2026-11-20T06:40:00Z"}
    assert told(tries, days=[read(ago=n) for n in (9, 1)]).calm == (
        "Nothing has changed since the first reading on 16 Nov. Next look: Monday 06:40."
    )
    assert told(days=[read(ago=89)]).calm == "Nothing has changed in 90 days."
    assert told(moves=[move(6, 3, 1)]).calm == "Nothing has changed since 19 Nov."
    assert told(moves=[move(1, 3, 1)]).calm == ""
    assert told().calm == ""  # nothing was read: nothing is known


def test_since_when_a_source_is_blocked() -> None:
    def since(*days: dict[str, Any], added: str = "2026-01-01") -> date | None:
        source = {**DUCK, "added_at": added}
        return not_read_since(Rows(NOW, "", {"days": days, "sources": (source,)}), source)

    assert since(read(ago=5), read(ago=4, outcome="blocked"), read(ago=1, outcome="failed")) == date(2026, 11, 21)
    assert since(read(ago=4, outcome="blocked"), read(ago=0)) is None
    assert since(read(ago=89, outcome="blocked")) is None  # it may be longer than what was looked at
    assert since(read(ago=25, outcome="blocked")) == date(2026, 10, 31)  # before that it was not asked
    assert since(read(ago=4, outcome="blocked"), added=day(4)) == date(2026, 11, 21)
    assert since() is None


def test_an_address_of_no_host_is_shown_as_it_is() -> None:
    (line,) = told(came=[{**came(1, "entered", "unwanted"), "url": "http://["}]).lines
    assert line.text.startswith("http://[ (unwanted)")
