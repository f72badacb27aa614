"""Search sources over an interface: what they ask, what they read, and that no refusal is taken for "nothing found"."""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import urls
from monitor.model import Blocked, Capture, Context, Http, Kind, LayoutChanged, Parsed, Result, Secret, Series, Source
from monitor.reasons import REASONS
from monitor.sources.search.dataforseo import DataForSeo
from monitor.sources.search.kagi import Kagi
from monitor.sources.search.marginalia import Marginalia
from monitor.sources.search.mojeek import Mojeek
from monitor.sources.search.searchapi import SearchApi
from monitor.sources.search.searxng import SearXng
from monitor.sources.search.serpapi import SerpApi
from monitor.sources.search.serper import Serper
from monitor.sources.search.yandex import Yandex
from tests.conftest import PAGES

Cases = Callable[[str], Path]
CTX = Context(now=datetime(2026, 1, 2, tzinfo=UTC), day=date(2026, 1, 2))
PAGE_2 = replace(CTX, page=2)
JANE = ("Jane Example",)
KEY = Secret(env="K")
SOURCES: dict[str, Any] = {
    "serper": Serper(JANE, KEY, gl="no", hl="nb", location="Oslo, Norway"),
    "serpapi": SerpApi(JANE, KEY),
    "searchapi": SearchApi(JANE, KEY, device="mobile"),
    "dataforseo": DataForSeo(JANE, KEY, location="Norway", hl="nb"),
    "kagi": Kagi(JANE, KEY),
    "marginalia": Marginalia(JANE),
    "yandex": Yandex("b1gfolder", JANE, KEY),
    "mojeek": Mojeek(JANE, KEY, language="en", region="gb"),
    "searxng": SearXng("http://127.0.0.1:8888/", "duckduckgo", JANE),
}


def capture(body: bytes | str | dict[str, Any], status: int = 200) -> Capture:
    raw = json.dumps(body) if isinstance(body, dict) else body
    return Capture(raw.encode() if isinstance(raw, str) else raw, status=status)


def twin(kind: str, name: str, status: int = 200) -> Capture:
    raw = (PAGES / kind / name).read_bytes()
    return in_json(raw) if name.endswith(".xml") else Capture(raw, status=status)


def in_json(xml: bytes) -> Capture:
    return capture({"rawData": base64.b64encode(xml).decode()})


def changed(kind: str, name: str, **changes: Any) -> Capture:
    return capture(json.loads((PAGES / kind / name).read_bytes()) | changes)


def results(parsed: Parsed) -> list[Result]:
    found = [record for record in parsed.records if isinstance(record, Result)]
    assert len(found) == len(parsed.records)
    return found


def organic(parsed: Parsed) -> list[tuple[int | None, str]]:
    return [(r.position, r.url) for r in results(parsed) if r.kind is Kind.ORGANIC]


def others(parsed: Parsed) -> list[tuple[Kind, str]]:
    return [(r.kind, r.url) for r in results(parsed) if r.kind is not Kind.ORGANIC]


def asked(kind: str, page: int = 1) -> Http:
    (request,) = SOURCES[kind].requests(replace(CTX, page=page))
    assert isinstance(request, Http)
    return request


def sent(kind: str, page: int = 1) -> Any:
    request = asked(kind, page)
    return json.loads(request.json) if request.json else dict(request.params)


# --- what is asked -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "header", "prefix"),
    [
        ("serper", "X-API-KEY", ""),
        ("searchapi", "Authorization", "Bearer "),
        ("dataforseo", "Authorization", "Basic "),
        ("kagi", "Authorization", "Bearer "),
        ("yandex", "Authorization", "Api-Key "),
    ],
)
def test_the_key_goes_by_name_in_its_header(kind: str, header: str, prefix: str) -> None:
    assert dict(asked(kind).headers)[header] == Secret(env="K", prefix=prefix)
    assert "K" not in (asked(kind).json or "")


def test_the_key_goes_by_name_in_the_address() -> None:
    assert dict(asked("serpapi").params)["api_key"] == KEY
    assert dict(asked("mojeek").params)["api_key"] == KEY
    assert dict(asked("marginalia").headers)["API-Key"] == "public"
    (own,) = Marginalia(JANE, KEY).requests(CTX)
    assert dict(own.headers)["API-Key"] == KEY


def test_what_each_asks() -> None:
    locale = {"gl": "no", "hl": "nb", "location": "Oslo, Norway"}
    assert sent("serper") == {"q": "Jane Example", **locale, "page": 1, "autocorrect": False}
    assert {k: v for k, v in sent("serpapi").items() if k != "api_key"} == {
        "engine": "google",
        "q": "Jane Example",
        "gl": "us",
        "hl": "en",
        "nfpr": "1",
        "device": "desktop",
    }
    assert sent("serpapi", 2)["start"] == "10"
    assert (sent("searchapi", 2)["page"], sent("searchapi")["device"]) == ("2", "mobile")
    assert sent("dataforseo") == [
        {
            "keyword": "Jane Example",
            "location_name": "Norway",
            "language_code": "nb",
            "device": "desktop",
            "depth": 10,
        }
    ]
    assert (sent("kagi", 2)["query"], sent("kagi", 2)["page"]) == ("Jane Example", 2)
    assert sent("yandex")["query"]["page"] == "0"
    assert (sent("yandex", 3)["query"]["page"], sent("yandex")["folderId"]) == ("2", "b1gfolder")
    assert "region" not in sent("yandex")
    assert sent("marginalia") == {"query": "Jane Example", "count": "20", "page": "1", "nsfw": "1"}
    assert ("s" in sent("mojeek"), sent("mojeek", 2)["s"], sent("mojeek")["fmt"]) == (False, "11", "json")
    (plain,) = Mojeek(JANE).requests(CTX)
    assert dict(plain.params) == {"q": "Jane Example", "safe": "1"}


@pytest.mark.parametrize(
    ("engine", "params", "provider"),
    [
        ("google", {"q": "Jane Example", "gl": "no", "hl": "nb", "nfpr": "1"}, "google"),
        ("bing", {"q": "Jane Example", "mkt": "nb-no"}, "bing"),
        ("duckduckgo", {"q": "Jane Example", "kl": "no-nb"}, "bing"),
        ("yahoo", {"p": "Jane Example", "vc": "no", "vl": "lang_nb"}, "bing"),
        ("yandex", {"text": "Jane Example", "lang": "nb"}, "yandex"),
    ],
)
def test_serpapi_asks_each_engine_in_its_own_words(engine: str, params: dict[str, str], provider: str) -> None:
    source = SerpApi(JANE, KEY, engine=engine, gl="no", hl="nb")
    (request,) = source.requests(CTX)
    others = {"engine": engine, "device": "desktop", "api_key": KEY}
    assert dict(request.params) == {**params, **others}
    assert source.series() == Series(engine, provider, "Jane Example", "no/nb", "desktop")


@pytest.mark.parametrize(
    ("kind", "series"),
    [
        ("serper", Series("google", "google", "Jane Example", "no/nb/Oslo, Norway", "desktop")),
        ("searchapi", Series("google", "google", "Jane Example", "us/en", "mobile")),
        ("dataforseo", Series("google", "google", "Jane Example", "Norway/nb", "desktop")),
        ("kagi", Series("kagi", "kagi", "Jane Example", "no_region")),
        ("marginalia", Series("marginalia", "marginalia", "Jane Example")),
        ("yandex", Series("yandex", "yandex", "Jane Example", "com")),
        ("mojeek", Series("mojeek", "mojeek", "Jane Example", "gb/en")),
    ],
)
def test_each_query_is_a_series_of_its_own(kind: str, series: Series) -> None:
    both = replace(SOURCES[kind], queries=("Jane Example", "Jane Example Oslo"))
    parts = list(both.split())
    assert [name for name, _ in parts] == ["jane-example", "jane-example-oslo"]
    assert parts[0][1].series() == series
    assert parts[1][1].series() == replace(series, query="Jane Example Oslo")


@pytest.mark.parametrize(
    ("kind", "settings", "named"),
    [
        *((kind, {"queries": (" ",)}, "queries") for kind in SOURCES),
        *((kind, {"pages": 0}, "pages") for kind in ("serper", "serpapi", "searchapi", "kagi", "yandex", "mojeek")),
        ("serper", {"pages": 11}, "pages"),
        ("serpapi", {"engine": "baidu"}, "engine"),
        ("serpapi", {"engine": "bing", "pages": 2}, "pages"),
        ("serpapi", {"engine": "yahoo", "location": "Oslo"}, "location"),
        ("serpapi", {"device": "watch"}, "device"),
        ("searchapi", {"device": "watch"}, "device"),
        ("dataforseo", {"depth": 9}, "depth"),
        ("dataforseo", {"device": "tablet"}, "device"),
        ("marginalia", {"count": 101}, "count"),
        ("yandex", {"domain": "fr"}, "domain"),
        ("yandex", {"region": "213"}, "region"),
        ("yandex", {"domain": "ru", "region": "Moscow"}, "region"),
        ("yandex", {"count": 100, "pages": 3}, "250"),
        ("yandex", {"queries": ("x" * 401,)}, "queries"),
    ],
)
def test_a_setting_out_of_range_is_named(kind: str, settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        replace(SOURCES[kind], **settings)


# --- what is read --------------------------------------------------------------------------------------------------

ABOUT, CODE, GOTO = (
    "https://example.org/about",
    "https://code.example/jane",
    "https://www.google.com/goto?url=CAESopaque",
)
OK = {
    "serper": [(1, ABOUT), (2, GOTO), (3, ""), (4, CODE)],
    "serpapi": [(1, ABOUT), (2, GOTO), (3, CODE)],
    "searchapi": [(1, ABOUT), (2, CODE)],
    "dataforseo": [(1, ABOUT), (2, CODE)],
    "kagi": [(1, ABOUT), (2, CODE)],
    "marginalia": [(1, ABOUT), (2, "https://example.net/jane")],
    "yandex": [(1, ABOUT), (2, CODE)],
    "mojeek": [(1, ABOUT), (2, CODE)],
}
FILES = {"yandex": "{}.xml", "mojeek": "api_{}.json"}


def file(kind: str, state: str) -> str:
    return FILES.get(kind, "{}.json").format(state)


@pytest.mark.parametrize("kind", OK)
def test_places_are_counted_by_what_was_seen(kind: str) -> None:
    parsed = SOURCES[kind].parse(twin(kind, file(kind, "ok")), CTX)
    assert organic(parsed) == OK[kind]
    assert not parsed.none
    assert not parsed.doubt
    assert parsed.altered == ""
    found = results(parsed)
    assert found[0].title.startswith(("Jane Example", "About Jane Example", "Lessons"))
    assert len({(r.block, r.sub_index) for r in found}) == len(found)


@pytest.mark.parametrize("kind", OK)
def test_its_own_word_that_there_is_nothing(kind: str) -> None:
    parsed = SOURCES[kind].parse(twin(kind, file(kind, "empty")), CTX)
    assert (parsed.none, organic(parsed), parsed.next, parsed.doubt) == (True, [], None, "")


@pytest.mark.parametrize("kind", OK)
@pytest.mark.parametrize(
    "body", [None, b"", b"[]", b"null", b"{}", b"[" * 200_000, b"<html>Sign in</html>", b"\xff\xfe\0"]
)
def test_what_is_no_whole_answer(kind: str, body: bytes | None) -> None:
    with pytest.raises(LayoutChanged):
        SOURCES[kind].parse(twin(kind, file(kind, "changed")) if body is None else Capture(body), CTX)


@pytest.mark.parametrize("kind", OK)
def test_an_answer_cut_off(kind: str) -> None:
    body = (PAGES / kind / file(kind, "ok")).read_bytes()[:-40]
    with pytest.raises(LayoutChanged):
        SOURCES[kind].parse(in_json(body) if kind == "yandex" else Capture(body), CTX)


def test_other_blocks_are_kept_without_a_place() -> None:
    def kinds(kind: str) -> list[tuple[Kind, str]]:
        return others(SOURCES[kind].parse(twin(kind, "ok.json"), CTX))

    below = (Kind.SITELINK, "https://example.org/writing")
    assert kinds("serper") == [
        below,
        (Kind.SITELINK, "https://example.org/contact"),
        (Kind.ANSWER, "https://answers.example/jane"),
        (Kind.KNOWLEDGE, "https://example.org/"),
        (Kind.NEWS, "https://news.example/2026/jane"),
        (Kind.PEOPLE_ALSO_ASK, "https://example.net/who"),
    ]
    assert kinds("serpapi") == [
        below,
        (Kind.AD, "https://shop.example/lessons"),
        (Kind.ANSWER, ""),
        (Kind.IMAGE, ""),
        (Kind.LOCAL, ""),
        (Kind.PEOPLE_ALSO_ASK, "https://example.net/who"),
    ]
    assert [kind for kind, _ in kinds("searchapi")] == [Kind.SITELINK, Kind.KNOWLEDGE, Kind.VIDEO, Kind.IMAGE]
    assert kinds("kagi") == [(Kind.NEWS, "https://news.example/2026/jane")]
    assert kinds("dataforseo") == [
        (Kind.AD, "https://shop.example/lessons"),
        below,
        (Kind.PEOPLE_ALSO_ASK, ""),
    ]


def test_sitelinks_stand_under_their_result() -> None:
    found = results(SOURCES["serper"].parse(twin("serper", "ok.json"), CTX))
    assert [(r.block, r.sub_index, r.position) for r in found[:4]] == [(1, 0, 1), (1, 1, None), (1, 2, None), (2, 0, 2)]


def test_only_an_interface_that_tells_the_order_of_the_page_gives_absolute_places() -> None:
    found = results(SOURCES["dataforseo"].parse(twin("dataforseo", "ok.json"), CTX))
    assert [(r.position_absolute, r.position) for r in found if not r.sub_index] == [
        (1, None),
        (2, 1),
        (3, None),
        (4, 2),
    ]
    assert {r.position_absolute for r in results(SOURCES["serpapi"].parse(twin("serpapi", "ok.json"), CTX))} == {None}


def test_an_opaque_link_is_known_by_its_shown_host_at_most() -> None:
    for kind, host in (("serper", "sport.example"), ("serpapi", "people.example")):
        found = {r.url: r for r in results(SOURCES[kind].parse(twin(kind, "ok.json"), CTX))}
        assert (found[GOTO].match_precision, found[GOTO].shown_host) == ("host", host)
        assert found[ABOUT].match_precision == "exact"


def test_texts_are_plain() -> None:
    kagi = results(SOURCES["kagi"].parse(twin("kagi", "ok.json"), CTX))
    assert kagi[0].title == "Jane Example & friends"
    yandex = results(SOURCES["yandex"].parse(twin("yandex", "ok.xml"), CTX))
    assert [(r.title, r.snippet, r.shown_host) for r in yandex] == [
        ("About Jane Example", "The pages of Jane.", "example.org"),
        ("jane", "Code by Jane. More & more.", "code.example"),
    ]


@pytest.mark.parametrize(
    ("kind", "next_page"),
    [("serper", {"page": 2}), ("serpapi", {"start": "10"}), ("searchapi", {"page": "2"}), ("kagi", {"page": 2})],
)
def test_a_further_page_is_asked_only_as_far_as_set(kind: str, next_page: dict[str, object]) -> None:
    source = replace(SOURCES[kind], pages=2)
    following = source.parse(twin(kind, "ok.json"), CTX).next
    assert following is not None
    fields = json.loads(following.json) if following.json else dict(following.params)
    assert next_page.items() <= fields.items()
    assert source.parse(twin(kind, "ok.json"), PAGE_2).next is None
    assert source.parse(twin(kind, "empty.json"), CTX).next is None
    assert SOURCES[kind].parse(twin(kind, "ok.json"), CTX).next is None


def test_a_further_page_is_asked_only_after_a_full_one() -> None:
    full = Yandex("f", JANE, KEY, count=2, pages=2).parse(twin("yandex", "ok.xml"), CTX).next
    assert full is not None
    assert json.loads(full.json or "")["query"]["page"] == "1"
    assert Yandex("f", JANE, KEY, count=3, pages=2).parse(twin("yandex", "ok.xml"), CTX).next is None
    assert Mojeek(JANE, KEY, pages=2).parse(twin("mojeek", "api_ok.json"), CTX).next is None
    rows = [{"url": f"https://example.org/{n}"} for n in range(10)]
    answer = {"response": {"status": "OK", "head": {"results": 30}, "results": rows}}
    following = Mojeek(JANE, KEY, pages=2).parse(capture(answer), CTX).next
    assert following is not None
    assert dict(following.params)["s"] == "11"
    last = changed("serpapi", "ok.json", serpapi_pagination={"current": 1})
    assert replace(SOURCES["serpapi"], pages=2).parse(last, CTX).next is None


def test_an_altered_query_is_said() -> None:
    other = {"q": "Jean Example", "type": "search"}
    assert SOURCES["serper"].parse(changed("serper", "ok.json", searchParameters=other), CTX).altered == "Jean Example"
    state = "Some results for exact spelling but showing fixed spelling"
    said = {"organic_results_state": state, "spelling_fix": "Jean Example"}
    for kind in ("serpapi", "searchapi"):
        assert SOURCES[kind].parse(changed(kind, "ok.json", search_information=said), CTX).altered == "Jean Example"
    xml = (PAGES / "yandex" / "ok.xml").read_bytes()
    asked_again = xml.replace(b"<reqid>1</reqid>", b"<reask><text>Jean Example</text></reask>")
    assert SOURCES["yandex"].parse(in_json(asked_again), CTX).altered == "Jean Example"
    for spell, altered in (("showing_results_for", "Jean Example"), ("did_you_mean", "")):
        answer = json.loads((PAGES / "dataforseo" / "ok.json").read_bytes())
        answer["tasks"][0]["result"][0]["spell"] = {"keyword": "Jean Example", "type": spell}
        assert SOURCES["dataforseo"].parse(capture(answer), CTX).altered == altered


def test_an_answer_of_another_engine_is_not_taken() -> None:
    for kind in ("serpapi", "searchapi"):
        with pytest.raises(LayoutChanged, match="google"):
            SOURCES[kind].parse(changed(kind, "ok.json", search_parameters={"engine": "bing"}), CTX)


def test_an_empty_list_without_a_word_is_doubted() -> None:
    for kind in ("serpapi", "searchapi"):
        parsed = SOURCES[kind].parse(changed(kind, "ok.json", organic_results=[]), CTX)
        assert parsed.doubt == "empty_unverified"


def test_the_word_that_there_is_nothing_may_stand_in_the_state_alone() -> None:
    silent = changed("serpapi", "empty.json", error=None)
    assert SOURCES["serpapi"].parse(silent, CTX) == Parsed(none=True)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("dataforseo", {"status_code": 20000, "tasks": [{"status_code": 20000, "result": [{"items": []}]}]}),
        ("marginalia", {"results": []}),
        ("mojeek", {"response": {"head": {"results": 0}, "results": []}}),
        ("mojeek", {"response": {"status": "OK", "head": {"results": 5}, "results": []}}),
        ("yandex", {"rawData": "!" + base64.b64encode(b'<y><response><error code="15"/></response></y>').decode()}),
        ("yandex", {"rawData": base64.b64encode(b"<y><response><results/></response></y>").decode()}),
    ],
)
def test_silence_is_not_the_word_that_there_is_nothing(kind: str, answer: dict[str, Any]) -> None:
    with pytest.raises(LayoutChanged):
        SOURCES[kind].parse(capture(answer), CTX)


def test_texts_that_cannot_be_stored_are_made_such() -> None:
    rows = [{"link": ABOUT, "title": "\ud800<b>Jane</b>\0 \n &amp;", "snippet": 5}]
    (line,) = results(SOURCES["serper"].parse(capture({"searchParameters": {}, "organic": rows}), CTX))
    assert (line.title, line.snippet) == ("?Jane &", "")


def test_results_without_any_address_are_no_results_page() -> None:
    rows = [{"title": "Jane"}, {"title": "Jane", "link": "javascript:alert(1)", "url": 3}]
    with pytest.raises(LayoutChanged):
        SOURCES["serper"].parse(changed("serper", "ok.json", organic=rows), CTX)


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "answer", "reason"),
    [
        ("serper", twin("serper", "denied.json", 400), "denied"),
        ("serper", twin("serper", "denied.json"), "denied"),
        ("serpapi", twin("serpapi", "denied.json"), "denied"),
        ("serpapi", capture({"error": "Your account has run out of searches."}, 429), "denied"),
        ("serpapi", capture({"error": "You are exceeding the hourly throughput limit."}, 429), "rate_limited"),
        ("serpapi", capture("<html>", 429), "rate_limited"),
        ("searchapi", twin("searchapi", "denied.json"), "denied"),
        ("searchapi", capture("", 429), "rate_limited"),
        ("dataforseo", twin("dataforseo", "denied.json"), "denied"),
        ("dataforseo", capture({"status_code": 40100, "status_message": "You are not Authorized."}), "denied"),
        ("dataforseo", capture({"status_code": 40202, "tasks": None}), "rate_limited"),
        ("kagi", twin("kagi", "denied.json"), "denied"),
        ("kagi", capture({"error": {"msg": "Too many requests"}}), "rate_limited"),
        ("marginalia", twin("marginalia", "blocked.html", 503), "rate_limited"),
        ("yandex", twin("yandex", "denied.xml"), "denied"),
        ("yandex", in_json(b'<yandexsearch><response><error code="55"/></response></yandexsearch>'), "rate_limited"),
        ("mojeek", twin("mojeek", "api_denied.json"), "denied"),
        ("mojeek", capture({"response": {"status": "Rate limit reached"}}), "rate_limited"),
    ],
)
def test_a_refusal_is_told_by_its_words_and_repeats_no_key(kind: str, answer: Capture, reason: str) -> None:
    source: Source = SOURCES[kind]
    assert answer.status == 200 or answer.status in source.reads_status
    with pytest.raises(Blocked) as seen:
        source.parse(answer, CTX)
    assert seen.value.reason == reason
    assert "5ecret" not in seen.value.detail


@pytest.mark.parametrize(
    ("kind", "answer", "doubt"),
    [
        ("serper", capture({"message": "Internal server error"}), "server_error"),
        ("serper", capture({"message": "Missing query parameter"}, 400), "bad_request"),
        ("serper", capture("not json", 400), "bad_request"),
        ("serpapi", capture({"error": "Unsupported `xx` country - gl parameter."}), "bad_request"),
        ("serpapi", capture({"search_metadata": {"status": "Processing"}}), "server_error"),
        ("searchapi", capture({"error": "The request timed out, please try again."}), "server_error"),
        ("dataforseo", capture({"status_code": 20000, "tasks": [{"status_code": 40101}]}), "server_error"),
        ("dataforseo", capture({"status_code": 20000, "tasks": [{"status_code": 40501}]}), "bad_request"),
        ("dataforseo", capture({"status_code": 50000}), "server_error"),
        ("kagi", capture({"error": [{"code": 0}]}), "server_error"),
        ("kagi", capture({"error": [{"code": 1, "msg": "bad"}]}), "bad_request"),
        ("yandex", in_json(b'<y><response><error code="20"/></response></y>'), "server_error"),
        ("yandex", in_json(b'<y><response><error code="18"/></response></y>'), "bad_request"),
    ],
)
def test_a_fault_behind_an_answer_is_no_answer(kind: str, answer: Capture, doubt: str) -> None:
    parsed = SOURCES[kind].parse(answer, CTX)
    assert (parsed.doubt, parsed.none, parsed.records) == (doubt, False, ())
    assert doubt in REASONS


def test_a_document_that_declares_entities_is_not_read() -> None:
    bomb = (
        b'<!DOCTYPE y [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><y><response><error code="15">&b;</error></response></y>'
    )
    outside = b'<!DOCTYPE y SYSTEM "file:///etc/passwd"><y><response><error code="15"/></response></y>'
    for xml in (bomb, outside):
        with pytest.raises(LayoutChanged):
            SOURCES["yandex"].parse(in_json(xml), CTX)


# --- captured answers, and garbage ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("api/openwebui_serper.json", Serper(("apple inc",), KEY)),
        ("api/openwebui_searchapi.json", SearchApi(("chatgpt",), KEY)),
        ("api/serpapi_google_capital_france_2025-04-21.py", SerpApi(("What is the capital of France?",), KEY)),
    ],
)
def test_the_captured_answer(cases: Cases, name: str, source: Source) -> None:
    expected = json.loads(cases("search/EXPECTED.json").read_text())[name]
    body = cases(f"search/{name}").read_text()
    if name.endswith(".py"):
        body = json.dumps(ast.literal_eval(body.partition("sample_response = ")[2]))
    parsed = source.parse(capture(body), CTX)
    assert organic(parsed) == list(enumerate(expected["urls"], start=1))
    assert parsed.altered == ""
    assert others(parsed)


def holds_only_what_is_true(source: Any, answer: Capture) -> None:
    try:
        parsed = source.parse(answer, CTX)
    except (Blocked, LayoutChanged):
        return
    found = results(parsed)
    assert parsed.doubt in {"", "empty_unverified", "server_error", "bad_request"}
    assert parsed.doubt or parsed.none is not bool(organic(parsed))
    assert len({(r.block, r.sub_index) for r in found}) == len(found)
    assert [place for place, _ in organic(parsed)] == list(range(1, len(organic(parsed)) + 1))
    assert all(r.position is None for r in found if r.kind is not Kind.ORGANIC)
    (parsed.altered + parsed.note).encode()
    for line in found:
        assert line.url == "" or urls.is_link(line.url)
        (line.title + line.snippet + line.shown_host).encode()


TWINS = [(kind, path.name) for kind in SOURCES for path in sorted((PAGES / kind).iterdir())]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=400)
@given(
    st.sampled_from(TWINS),
    st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 80), st.binary(max_size=8)), max_size=3),
    st.none() | st.integers(0, 2500),
    st.sampled_from([200, 200, 400, 403, 429, 503]),
)
def test_broken_bytes_give_a_page_a_refusal_or_a_change(
    at: tuple[str, str], edits: list[tuple[int, int, bytes]], end: int | None, status: int
) -> None:
    kind, name = at
    body = bytearray((PAGES / kind / name).read_bytes())
    for start, length, new in edits:
        body[start : start + length] = new
    raw = bytes(body[:end])
    holds_only_what_is_true(SOURCES[kind], in_json(raw) if name.endswith(".xml") else Capture(raw, status=status))


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 40300)
    | st.sampled_from(["organic", "default.html", "\ud800", "http://["]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "url", "link", "title", "items", "sitelinks", "engines", "positions", "code"]),
            inner,
        )
    ),
    max_leaves=8,
)
JSON_TWINS = [at for at in TWINS if at[1].endswith(".json")]


@st.composite
def odd_answers(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A twin in which one value, at any depth, is something else."""
    kind, name = draw(st.sampled_from(JSON_TWINS))
    answer = json.loads((PAGES / kind / name).read_bytes())
    holder: Any = answer
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return kind, answer
        key = draw(st.sampled_from(keys))
        if isinstance(holder[key], (dict, list)) and draw(st.booleans()):
            holder = holder[key]
            continue
        holder[key] = draw(ODD)
        return kind, answer


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=600)
@given(odd_answers())
def test_an_odd_shape_gives_a_page_a_refusal_or_a_change(at: tuple[str, dict[str, Any]]) -> None:
    kind, answer = at
    holds_only_what_is_true(SOURCES[kind], capture(answer))
