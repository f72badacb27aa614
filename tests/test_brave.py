from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import urls
from monitor.model import Capture, Context, Kind, LayoutChanged, Parsed, Result, Secret, Series
from monitor.sources.search.brave import Brave

Cases = Callable[[str], Path]
PAGES = Path(__file__).parent / "pages" / "brave"
JANE = Brave(queries=("Jane Example",))
CTX = Context(now=datetime(2026, 1, 2, tzinfo=UTC), day=date(2026, 1, 2))
PAGE_2 = Context(now=CTX.now, day=CTX.day, page=2)


def twin(name: str) -> Capture:
    return Capture((PAGES / name).read_bytes(), media_type="application/json")


def answer(**changes: Any) -> Capture:
    return Capture(json.dumps(json.loads((PAGES / "ok.json").read_bytes()) | changes).encode())


def results(parsed: Parsed) -> list[Result]:
    found = [record for record in parsed.records if isinstance(record, Result)]
    assert len(found) == len(parsed.records)
    return found


def organic(parsed: Parsed) -> list[str]:
    return [result.url for result in results(parsed) if result.kind is Kind.ORGANIC]


def test_what_it_asks() -> None:
    (asked,) = Brave(("Jane Example",), country="NO", search_lang="nb", count=10).requests(CTX)
    params = dict(asked.params)
    assert asked.url == "https://api.search.brave.com/res/v1/web/search"
    assert asked.form is None
    assert (params["q"], params["country"], params["search_lang"]) == ("Jane Example", "NO", "nb")
    assert (params["count"], params["offset"], params["spellcheck"]) == ("10", "0", "0")
    assert dict(asked.headers)["X-Subscription-Token"] == Secret(env="BRAVE_API_KEY")


def test_the_key_is_named_and_never_written() -> None:
    (asked,) = Brave(("Jane Example",), key=Secret(file="brave.key")).requests(CTX)
    assert dict(asked.headers)["X-Subscription-Token"] == Secret(file="brave.key")


def test_each_query_is_a_series_of_its_own() -> None:
    both = Brave(queries=("Jane Example", "Jane Example Oslo"), country="NO", search_lang="nb")
    assert [(name, source.series().query) for name, source in both.split()] == [
        ("jane-example", "Jane Example"),
        ("jane-example-oslo", "Jane Example Oslo"),
    ]
    assert both.series() == Series("brave", "brave", "Jane Example", "NO/nb")


@pytest.mark.parametrize(
    ("key", "value"),
    [("pages", 0), ("pages", 11), ("count", 0), ("count", 21), ("queries", (" ",)), ("queries", ("x" * 401,))],
)
def test_a_setting_out_of_range_is_named(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key):
        Brave(**{key: value})  # type: ignore[arg-type]


def test_a_page_in_its_order_with_sections_and_groups_apart() -> None:
    found = results(JANE.parse(twin("ok.json"), CTX))
    assert [(r.block, r.sub_index, r.kind, r.position, r.url) for r in found] == [
        (1, 0, Kind.ORGANIC, 1, "https://example.org/about"),
        (1, 1, Kind.SITELINK, None, "https://example.org/writing"),
        (1, 2, Kind.SITELINK, None, "https://example.org/contact"),
        (2, 0, Kind.NEWS, None, "https://news.example/2026/jane"),
        (2, 1, Kind.NEWS, None, "https://press.example/school"),
        (3, 0, Kind.ORGANIC, 2, "https://code.example/jane"),
        (4, 0, Kind.VIDEO, None, "https://video.example/1"),
        (5, 0, Kind.OTHER, None, ""),
        (6, 0, Kind.ORGANIC, 3, "https://example.net/jane"),
    ]
    assert all(r.position_absolute == r.block for r in found)
    assert (found[0].title, found[0].snippet) == ("Jane Example & friends", "The pages of Jane Example <jane>.")
    assert found[0].shown_host == "example.org"


def test_the_next_page_counts_pages_and_not_results() -> None:
    following = JANE.parse(twin("ok.json"), CTX).next
    assert following is not None
    assert dict(following.params)["offset"] == "1"
    assert dict(following.params)["q"] == "Jane Example"
    assert dict(following.headers)["X-Subscription-Token"] == Secret(env="BRAVE_API_KEY")


def test_no_more_pages_than_set_or_than_there_are() -> None:
    assert JANE.parse(twin("ok.json"), PAGE_2).next is None
    assert Brave(("Jane Example",), pages=5).parse(twin("page2.json"), PAGE_2).next is None
    assert Brave(("Jane Example",), pages=1).parse(twin("ok.json"), CTX).next is None


@pytest.mark.parametrize("web", [None, {"type": "search", "results": []}])
def test_an_answer_without_web_results_is_an_answer(web: object) -> None:
    nothing = JANE.parse(answer(web=web, mixed=None), CTX)
    assert (nothing.none, nothing.records, nothing.next) == (True, (), None)
    assert JANE.parse(twin("empty.json"), CTX) == Parsed(none=True)


def test_news_without_web_results_still_ranks_nobody() -> None:
    parsed = JANE.parse(answer(web=None), CTX)
    assert parsed.none
    assert organic(parsed) == []
    assert Kind.NEWS in {result.kind for result in results(parsed)}


def test_an_altered_query_is_said() -> None:
    assert JANE.parse(twin("altered.json"), CTX).altered == "Jane Example"
    assert JANE.parse(twin("ok.json"), CTX).altered == ""


@pytest.mark.parametrize(
    "body",
    [
        (PAGES / "changed.json").read_bytes(),
        (PAGES / "error.json").read_bytes(),
        (PAGES / "ok.json").read_bytes()[:-40],
        b"",
        b"<html><body>Sign in to the network</body></html>",
        b"[]",
        b"null",
        b'{"query": "Jane"}',
        b'{"query": {}}',
        b'{"query": {"original": "Jane"}, "web": []}',
        b'{"query": {"original": "Jane"}, "web": {"results": {}}}',
        b'{"query": {"original": "Jane"}, "web": {"results": ["https://example.org"]}}',
        b'{"query": {"original": "Jane"}, "web": {"results": [{"link": "https://example.org"}]}}',
        b'{"query": {"original": "Jane"}, "web": {"results": [{"url": "about:blank"}]}}',
        b"[" * 200_000,
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_whole_answer_of_the_api(body: bytes) -> None:
    with pytest.raises(LayoutChanged):
        JANE.parse(Capture(body), CTX)


@pytest.mark.parametrize("mixed", [None, [], {"main": None}, {"main": [1, {"type": "web", "index": 9}, {"type": []}]}])
def test_without_a_page_order_the_web_results_keep_theirs(mixed: object) -> None:
    assert [(r.position, r.url) for r in results(JANE.parse(answer(mixed=mixed), CTX)) if r.position] == [
        (1, "https://example.org/about"),
        (2, "https://code.example/jane"),
        (3, "https://example.net/jane"),
    ]


def test_a_link_that_is_none_keeps_its_place() -> None:
    rows = [{"url": "javascript:alert(1)", "title": "no"}, {"url": "https://example.org/", "title": "\ud800yes\0"}]
    parsed = JANE.parse(answer(web={"results": rows}, mixed=None), CTX)
    assert [(r.position, r.url, r.title) for r in results(parsed)] == [
        (1, "", "no"),
        (2, "https://example.org/", "?yes"),
    ]


def test_the_captured_answer(cases: Cases) -> None:
    name = "api/openwebui_brave.json"
    expected = json.loads(cases("search/EXPECTED.json").read_text())[name]
    parsed = JANE.parse(Capture(cases(f"search/{name}").read_bytes()), CTX)
    assert organic(parsed) == expected["urls"]
    found = results(parsed)
    assert [r.position for r in found if r.kind is Kind.ORGANIC] == list(range(1, expected["n"] + 1))
    assert [r.block for r in found if r.kind is Kind.NEWS] == [3]
    assert {r.block for r in found if r.kind is Kind.VIDEO} == {5}
    assert [r.sub_index for r in found if r.kind is Kind.SITELINK] == [1, 2, 3, 4]
    assert parsed.next is not None


def holds_only_what_is_true(body: bytes) -> None:
    try:
        parsed = JANE.parse(Capture(body), CTX)
    except LayoutChanged:
        return
    assert parsed.none is not bool(organic(parsed))
    found = results(parsed)
    assert len({(r.block, r.sub_index) for r in found}) == len(found)
    positions = [r.position for r in found if r.kind is Kind.ORGANIC]
    assert sorted(p for p in positions if p) == list(range(1, len(positions) + 1))
    for result in found:
        assert result.url == "" or urls.is_link(result.url)
        (result.title + result.snippet + result.shown_host).encode()


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(sorted(path.name for path in PAGES.iterdir())),
    st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 80), st.binary(max_size=8)), max_size=3),
    st.none() | st.integers(0, 2500),
)
def test_broken_bytes_give_a_page_or_a_change(name: str, edits: list[tuple[int, int, bytes]], end: int | None) -> None:
    body = bytearray((PAGES / name).read_bytes())
    for start, length, new in edits:
        body[start : start + length] = new
    holds_only_what_is_true(bytes(body[:end]))


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 4)
    | st.floats(0, 3)
    | st.sampled_from(["web", "news", "search", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "index", "all", "results", "url", "title", "main", "cluster"]), inner
        )
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(["web", "mixed", "news", "videos", "type", "query"]), ODD))
def test_an_odd_shape_gives_a_page_or_a_change(changes: dict[str, Any]) -> None:
    holds_only_what_is_true(answer(**changes).body)


@given(st.sampled_from(["type", "index", "all"]), ODD)
def test_an_odd_page_order_loses_no_result(field: str, value: Any) -> None:
    main = [{"type": "web", "index": 1} | {field: value}, {"type": "web", "index": 0}]
    assert sorted(organic(JANE.parse(answer(mixed={"main": main}), CTX))) == [
        "https://code.example/jane",
        "https://example.net/jane",
        "https://example.org/about",
    ]
