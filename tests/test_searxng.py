"""One engine through a SearXNG of the owner's own: whose results they are, in which order, and what silence means."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.collect import Task, collect
from monitor.model import Blocked, Capture, Context, Kind, LayoutChanged, Outcome, Parsed, Result, Series, Trigger
from monitor.sources.search.searxng import SearXng
from tests.conftest import PAGES
from tests.made import DAY, NOW, answering, exchange

Cases = Callable[[str], Path]
CTX = Context(now=datetime(2026, 1, 2, tzinfo=UTC), day=date(2026, 1, 2))
JANE = SearXng("http://127.0.0.1:8888/", "duckduckgo", ("Jane Example",))


def twin(name: str) -> Capture:
    return Capture((PAGES / "searxng" / name).read_bytes())


def changed(**changes: Any) -> Capture:
    return Capture(json.dumps(json.loads((PAGES / "searxng" / "ok.json").read_bytes()) | changes).encode())


def organic(parsed: Parsed) -> list[tuple[int | None, str]]:
    found = [record for record in parsed.records if isinstance(record, Result)]
    return [(r.position, r.url) for r in found if r.kind is Kind.ORGANIC]


def test_what_it_asks() -> None:
    (asked,) = JANE.requests(CTX)
    assert asked.url == "http://127.0.0.1:8888/search"
    assert dict(asked.params) == {
        "q": "Jane Example",
        "format": "json",
        "engines": "duckduckgo",
        "language": "en",
        "pageno": "1",
        "safesearch": "1",
    }
    assert dict(asked.headers)["Accept-Language"] == "en"
    (below,) = replace(JANE, url="https://me.example/searx/search").requests(CTX)
    assert below.url == "https://me.example/searx/search"


@pytest.mark.parametrize(
    ("engine", "provider"),
    [("duckduckgo", "bing"), ("yahoo", "bing"), ("startpage", "google"), ("mojeek", "mojeek"), ("bing", "bing")],
)
def test_the_series_names_the_engine_and_whose_index_it_shows(engine: str, provider: str) -> None:
    source = replace(JANE, engine=engine, language="nb-NO")
    assert source.series() == Series(engine, provider, "Jane Example", "nb-NO")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"url": "127.0.0.1:8888"}, "url"),
        ({"engine": "bing,google"}, "engine"),
        ({"engine": " "}, "engine"),
        ({"queries": ("!bing jane",)}, "queries"),
        ({"pages": 11}, "pages"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        replace(JANE, **settings)


def test_the_engines_own_order_and_not_the_lists() -> None:
    parsed = JANE.parse(twin("ok.json"), CTX)
    assert organic(parsed) == [(1, "https://example.org/about"), (2, "https://code.example/jane")]
    assert [r.kind for r in parsed.records if isinstance(r, Result)][2] is Kind.VIDEO
    assert parsed.next is None


def test_results_of_several_engines_are_not_taken() -> None:
    with pytest.raises(LayoutChanged, match="alone"):
        JANE.parse(twin("changed.json"), CTX)


def test_an_engine_that_the_instance_does_not_have_is_told() -> None:
    parsed = replace(JANE, engine="duckduck").parse(twin("ok.json"), CTX)
    assert (parsed.doubt, parsed.records) == ("bad_request", ())
    assert "duckduck" in parsed.note


@pytest.mark.parametrize("places", [None, [], ["1"], [None]])
def test_a_result_without_a_place_ranks_nobody(places: object) -> None:
    row = {"url": "https://example.org/", "title": "Jane", "engines": ["duckduckgo"], "positions": places}
    with pytest.raises(LayoutChanged, match="place"):
        JANE.parse(changed(results=[row]), CTX)


def test_silence_is_no_answer() -> None:
    parsed = JANE.parse(twin("empty.json"), CTX)
    assert (parsed.doubt, parsed.records, parsed.next) == ("empty_unverified", (), None)


def test_after_a_page_with_results_silence_is_the_end() -> None:
    both = replace(JANE, pages=2)
    following = both.parse(twin("ok.json"), CTX).next
    assert following is not None
    assert dict(following.params)["pageno"] == "2"
    assert both.parse(twin("empty.json"), replace(CTX, page=2)).doubt == ""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("CAPTCHA", "captcha"),
        ("Suspended: CAPTCHA", "captcha"),
        ("too many requests", "rate_limited"),
        ("Suspended: too many requests", "rate_limited"),
        ("access denied", "denied"),
    ],
)
def test_a_refusal_behind_it_is_one(words: str, reason: str) -> None:
    with pytest.raises(Blocked) as seen:
        JANE.parse(changed(results=[], unresponsive_engines=[["duckduckgo", words]]), CTX)
    assert seen.value.reason == reason


@pytest.mark.parametrize("words", ["timeout", "HTTP error", "parsing error", "Suspended: network error", "zu langsam"])
def test_a_fault_behind_it_is_a_failure(words: str) -> None:
    parsed = JANE.parse(changed(results=[], unresponsive_engines=[["duckduckgo", words]]), CTX)
    assert (parsed.doubt, parsed.records) == ("server_error", ())


def test_a_format_that_is_not_enabled_is_told() -> None:
    with pytest.raises(Blocked, match="json"):
        JANE.parse(Capture(b"<h1>Forbidden</h1>", status=403), CTX)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html></html>", b'{"query": "x", "results": []}'])
def test_what_is_no_whole_answer(body: bytes) -> None:
    with pytest.raises(LayoutChanged):
        JANE.parse(Capture(body), CTX)


@pytest.mark.parametrize(
    ("name", "outcome", "reason", "said"),
    [
        ("ok.json", Outcome.OK, "", ""),
        ("empty.json", Outcome.SUSPECT, "empty_unverified", "toy.example gave nothing"),
        ("captcha.json", Outcome.BLOCKED, "captcha", "captcha"),
        ("changed.json", Outcome.CHANGED, "layout_unknown", "not understood"),
    ],
)
def test_how_an_attempt_ends(name: str, outcome: Outcome, reason: str, said: str) -> None:
    task = Task("searxng", JANE, NOW, DAY, Trigger.SCHEDULE)
    body = (PAGES / "searxng" / name).read_bytes()
    (reading,) = collect(task, answering(exchange(body)), lambda _: iter(()), lambda: NOW)
    assert (reading.outcome, reading.reason) == (outcome, reason)
    assert said in reading.advice
    assert bool(reading.records) == (outcome is Outcome.OK)


def test_a_doubt_names_its_detail_to_the_owner() -> None:
    body = json.dumps({"query": "x", "results": [], "unresponsive_engines": [["duckduckgo", "parsing error"]]})
    task = Task("searxng", JANE, NOW, DAY, Trigger.SCHEDULE)
    (reading,) = collect(task, answering(exchange(body)), lambda _: iter(()), lambda: NOW)
    assert (reading.outcome, reading.reason) == (Outcome.FAILED, "server_error")
    assert "update SearXNG" in reading.advice


CAPTURED = [
    ("bing_engine_over_sep_fbc376e", "bing sep", "results"),
    ("bing_engine_over_zlurad_bing-nojs", "bing", "results"),
    ("duckduckgo_engine_over_sep_fbc376e", "duckduckgo", "results"),
    ("bing_engine_over_softblock_page", "bing", "empty_unverified"),
    ("bing_none", "bing", "empty_unverified"),
    ("empty_api", "bing", "empty_unverified"),
    ("ddg_captcha", "ddg captcha", "captcha"),
    ("r429", "r429", "rate_limited"),
    ("r403", "r403", "denied"),
    ("r500", "r500", "server_error"),
    ("notjson", "notjson", "server_error"),
    ("multi_engines_bing_localapi_r429", "bing", "layout_unknown"),
    ("multi_engines_bing_localapi_r429", "no such engine", "bad_request"),
]


@pytest.mark.parametrize(("name", "engine", "ends"), CAPTURED)
def test_the_captured_answers(cases: Cases, name: str, engine: str, ends: str) -> None:
    expected = json.loads(cases("search/EXPECTED.json").read_text())[f"searxng/{name}.json"]
    try:
        parsed = replace(JANE, engine=engine).parse(Capture(cases(f"search/searxng/{name}.json").read_bytes()), CTX)
    except (Blocked, LayoutChanged) as seen:
        ended, found = seen.reason, []
    else:
        ended, found = parsed.doubt or "results", organic(parsed)
    assert ended == ends
    assert found == (list(enumerate(expected["urls"], start=1)) if ends == "results" else [])
