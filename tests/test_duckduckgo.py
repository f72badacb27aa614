from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import urls
from monitor.model import Blocked, Capture, Context, Http, Kind, LayoutChanged, Parsed, Result, Series
from monitor.sources.search.duckduckgo import DuckDuckGo

Cases = Callable[[str], Path]
PAGES = Path(__file__).parent / "pages" / "duckduckgo"
JANE = DuckDuckGo(queries=("Jane Example",), pages=3)
CTX = Context(now=datetime(2026, 1, 2, tzinfo=UTC), day=date(2026, 1, 2))
PAGE_2 = Context(now=CTX.now, day=CTX.day, page=2)


def twin(name: str) -> Capture:
    return Capture((PAGES / name).read_bytes(), media_type="text/html", status=200)


def results(parsed: Parsed) -> list[Result]:
    found = [record for record in parsed.records if isinstance(record, Result)]
    assert len(found) == len(parsed.records)
    return found


def organic(parsed: Parsed) -> list[str]:
    return [result.url for result in results(parsed) if result.kind is Kind.ORGANIC]


def test_what_it_asks() -> None:
    assert list(DuckDuckGo(("Jane Example",), region="us-en").requests(CTX)) == [
        Http("https://html.duckduckgo.com/html/", form=(("q", "Jane Example"), ("b", ""), ("kl", "us-en")))
    ]
    (lite,) = DuckDuckGo(("Jane Example",), url="http://127.0.0.1:9/lite/").requests(CTX)
    assert lite == Http("http://127.0.0.1:9/lite/", form=(("q", "Jane Example"), ("kl", "wt-wt")))


def test_each_query_is_a_series_of_its_own() -> None:
    both = DuckDuckGo(queries=("Jane Example", '"Jane Example" Oslo'), region="no-no")
    names, sources = zip(*both.split(), strict=True)
    assert names == ("jane-example", "jane-example-oslo")
    assert [source.series().query for source in sources] == list(both.queries)
    assert sources[0].series() == Series("duckduckgo", "bing", "Jane Example", "no-no")


@pytest.mark.parametrize(("key", "value"), [("pages", 0), ("pages", 11), ("queries", ("",)), ("queries", ("x" * 500,))])
def test_a_setting_out_of_range_is_named(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key):
        DuckDuckGo(**{key: value})  # type: ignore[arg-type]


def test_a_page_in_its_order_with_ads_and_answers_apart() -> None:
    found = results(JANE.parse(twin("ok.html"), CTX))
    assert [(r.position_absolute, r.position, r.kind, r.url) for r in found] == [
        (1, None, Kind.ANSWER, "https://en.encyclopedia.example/wiki/Jane_Example"),
        (2, None, Kind.AD, "https://shop.example/examples"),
        (3, 1, Kind.ORGANIC, "https://example.org/about?a=1&b=C%2B%2B"),
        (4, 2, Kind.ORGANIC, "https://code.example/jane"),
        (5, 3, Kind.ORGANIC, ""),
        (6, None, Kind.AD, "https://duckduckgo.com/y.js?ad_domain=other.example"),
        (7, 4, Kind.ORGANIC, "https://news.example/2026/jane"),
    ]
    first = found[2]
    assert first.title == "Jane Example & friends"
    assert first.snippet.startswith("The pages of Jane Example – captcha")
    assert first.shown_host == "example.org/about"
    assert len({(r.block, r.sub_index) for r in found}) == len(found)


def test_the_next_page_is_asked_where_we_asked_before() -> None:
    following = JANE.parse(twin("ok.html"), CTX).next
    assert following is not None
    assert following.url == JANE.url  # the twin's form points elsewhere
    assert following.form is not None
    assert dict(following.form) == {"q": "Jane Example", "s": "10", "nextParams": "", "v": "l", "dc": "11",
                                    "api": "d.js", "vqd": "4-1", "kl": "wt-wt"}  # fmt: skip


def test_the_page_after_the_second_is_the_third() -> None:
    following = JANE.parse(twin("page2.html"), PAGE_2).next
    assert following is not None
    assert following.form == (("q", "Jane Example"), ("s", "25"))


def test_the_way_back_is_not_the_next_page() -> None:
    body = twin("page2.html").body
    german = body.replace(b"Previous", "Zurück".encode()).replace(b"Next", b"Weiter")
    following = JANE.parse(Capture(german), PAGE_2).next
    assert following is not None
    assert dict(following.form or ())["s"] == "25"
    last = body.replace(b'name="s" value="25"', b'name="none"')
    assert JANE.parse(Capture(last), PAGE_2).next is None


@pytest.mark.parametrize(("pages", "ctx"), [(1, CTX), (2, PAGE_2)])
def test_no_more_pages_than_set(pages: int, ctx: Context) -> None:
    assert DuckDuckGo(("Jane Example",), pages=pages).parse(twin("page2.html"), ctx).next is None


@pytest.mark.parametrize("name", ["empty.html", "lite_empty.html"])
def test_a_page_that_says_there_is_nothing(name: str) -> None:
    assert JANE.parse(twin(name), CTX) == Parsed(none=True)


@pytest.mark.parametrize(("name", "reason"), [("challenge.html", "challenge"), ("captcha.html", "captcha")])
def test_a_refusal(name: str, reason: str) -> None:
    with pytest.raises(Blocked) as refused:
        JANE.parse(twin(name), CTX)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ((PAGES / "changed.html").read_bytes(), "layout_unknown"),
        ((PAGES / "javascript.html").read_bytes(), "js_required"),
        (b"", "layout_unknown"),
        (b"<html></html>", "layout_unknown"),
        (b'{"results": []}', "layout_unknown"),
        (b'<meta http-equiv="content-type" content="text/html; charset=ut\0f"></html>', "layout_unknown"),
        (b"<p>No results. Nothing at all.</p></html>", "layout_unknown"),
    ],
)
def test_a_page_we_do_not_know(body: bytes, reason: str) -> None:
    with pytest.raises(LayoutChanged) as unknown:
        JANE.parse(Capture(body), CTX)
    assert unknown.value.reason == reason


def test_a_page_of_nothing_but_ads_is_no_answer() -> None:
    body = (PAGES / "lite.html").read_bytes()
    only_ads = body[: body.index(b'<tr><td valign="top">2.')] + b"</table></body></html>"
    with pytest.raises(LayoutChanged):
        JANE.parse(Capture(only_ads), CTX)


def test_a_page_cut_in_the_middle_gives_no_rank() -> None:
    body = twin("ok.html").body
    with pytest.raises(LayoutChanged, match="breaks off"):
        JANE.parse(Capture(body[: body.index(b"news.example/2026")]), CTX)


def test_the_lite_page() -> None:
    parsed = DuckDuckGo(("Jane Example",), pages=2, url="https://lite.duckduckgo.com/lite/").parse(
        twin("lite.html"), CTX
    )
    assert [(r.kind, r.position, r.url, r.title, r.snippet, r.shown_host) for r in results(parsed)] == [
        (Kind.AD, None, "https://duckduckgo.com/y.js?ad_domain=shop.example", "Example shop", "Buy examples.", ""),
        (Kind.ORGANIC, 1, "https://example.org/about", "Jane Example", "The pages of Jane.", "example.org/about"),
        (Kind.ORGANIC, 2, "https://code.example/jane", "jane", "", "code.example/jane"),
    ]
    assert parsed.next is not None
    assert parsed.next.url == "https://lite.duckduckgo.com/lite/"


def test_a_page_saved_from_the_javascript_site() -> None:
    ad, mine = results(JANE.parse(twin("script_site.html"), CTX))
    assert (ad.kind, ad.position) == (Kind.AD, None)
    assert (mine.position, mine.position_absolute, mine.url) == (1, 2, "https://example.org/about")
    assert (mine.snippet, mine.shown_host) == ("The pages of Jane.", "https://example.org › about")


def test_an_altered_query_is_said() -> None:
    body = twin("altered.html").body
    assert JANE.parse(Capture(body), CTX).altered == "Jane Example"
    assert JANE.parse(Capture(body.replace(b"Including results for", b"Did you mean")), CTX).altered == ""


def test_the_charset_of_the_answer_is_heeded() -> None:
    body = (PAGES / "altered.html").read_text().replace("Jane Example</a></h2>", "Яна</a></h2>").encode("koi8-r")
    assert results(JANE.parse(Capture(body, charset="koi8-r"), CTX))[0].title == "Яна"
    assert organic(JANE.parse(Capture(body, charset="no-such-charset"), CTX)) == ["https://example.org/about"]


PAGES_OF_OLD = [
    "ddgcli_ddg_html_pagina_1.html",
    "ddgcli_interstitial_cloudflare_anomaly_2026.html",
    "ddgcli_interstitial_cloudflare_turnstile.html",
    "ddgcli_interstitial_ddg_anomaly.html",
    "googlescraper_no_results.html",
    "openserp_search_results.html",
    "sep_fbc376e_duckduckgo-Hello-synopsis_1.html",
    "sescraper_2020_page1.html",
    "sescraper_2020_page2.html",
]


@pytest.mark.parametrize("name", PAGES_OF_OLD)
def test_captured_pages(cases: Cases, name: str) -> None:
    expected = json.loads(cases("search/EXPECTED.json").read_text())[f"duckduckgo/{name}"]
    capture = Capture(cases(f"search/duckduckgo/{name}").read_bytes())
    match expected["state"]:
        case "results":
            parsed = JANE.parse(capture, CTX)
            assert organic(parsed) == expected["urls"]
            positions = [r.position for r in results(parsed) if r.kind is Kind.ORGANIC]
            assert positions == list(range(1, expected["n"] + 1))
            assert all(r.title for r in results(parsed))
        case "captcha":
            with pytest.raises(Blocked):
                JANE.parse(capture, CTX)
        case _:
            with pytest.raises((Blocked, LayoutChanged)):
                JANE.parse(capture, CTX)


def test_no_captured_page_is_forgotten(cases: Cases) -> None:
    assert sorted(path.name for path in cases("search/duckduckgo").iterdir()) == PAGES_OF_OLD


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(sorted(path.name for path in PAGES.iterdir())),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 200), st.binary(max_size=12)), max_size=4),
    st.none() | st.integers(0, 5000),
)
def test_broken_bytes_give_a_page_a_refusal_or_a_change(
    name: str, edits: list[tuple[int, int, bytes]], end: int | None
) -> None:
    body = bytearray((PAGES / name).read_bytes())
    for start, length, new in edits:
        body[start : start + length] = new
    try:
        parsed = JANE.parse(Capture(bytes(body[:end])), CTX)
    except (Blocked, LayoutChanged):
        return
    assert parsed.none or organic(parsed)
    for result in results(parsed):
        assert result.url == "" or urls.is_link(result.url)
        (result.title + result.snippet + result.shown_host).encode()
