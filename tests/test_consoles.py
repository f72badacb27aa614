"""The engines' own consoles: a series of its own, never a rank."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Blocked, Capture, Context, LayoutChanged, Secret, Shown
from monitor.sources.search.bing_webmaster import BingWebmaster
from monitor.sources.search.search_console import SearchConsole
from tests.made import DAY, NOW

CTX = Context(NOW, DAY)
GOOGLE = SearchConsole("sc-domain:example.org", Secret(file="sa.json"))
BING = BingWebmaster("https://example.org/")
ROW = {"keys": ["2026-11-18", "ada example", "https://example.org/"], "clicks": 3, "impressions": 40, "ctr": 0.075,
       "position": 1.8}  # fmt: skip
BING_ROW = {
    "__type": "QueryStats:#Microsoft.Bing.Webmaster.Api",
    "AvgClickPosition": 2,
    "AvgImpressionPosition": 3,
    "Clicks": 1,
    "Date": "/Date(1763424000000-0800)/",
    "Impressions": 9,
    "Query": "ada example",
}


def page(data: object) -> Capture:
    return Capture(json.dumps(data).encode(), "application/json")


def test_google_is_asked_for_pacific_days_with_a_bearer_token_that_is_only_named() -> None:
    (request,) = GOOGLE.requests(CTX)
    assert request.url.endswith("/webmasters/v3/sites/sc-domain%3Aexample.org/searchAnalytics/query")
    assert request.json is not None
    body = json.loads(request.json)
    assert (body["startDate"], body["endDate"], body["dataState"]) == ("2026-10-26", "2026-11-23", "all")
    ((name, key),) = request.headers
    assert name == "Authorization"
    assert key == Secret(file="sa.json", prefix="Bearer ", exchange="google")
    assert GOOGLE.series().day_zone == "America/Los_Angeles"


def test_google_rows_are_marked_until_final() -> None:
    late = {**ROW, "keys": ["2026-11-22", "ada", "https://example.org/"]}
    answer = {"rows": [ROW, late], "metadata": {"firstIncompleteDate": "2026-11-21"}}
    shown = GOOGLE.parse(page(answer), CTX).records
    assert shown[0] == Shown(date(2026, 11, 18), "ada example", "https://example.org/", 3, 40, 1.8, final=True)
    assert [s.final for s in shown if isinstance(s, Shown)] == [True, False]


def test_google_without_rows_is_nothing_shown_and_anything_else_is_not_understood() -> None:
    assert GOOGLE.parse(page({"responseAggregationType": "byPage"}), CTX).none
    for wrong in ({}, [], {"error": {"code": 400}}, {"rows": [{"keys": ["x"]}]}):
        with pytest.raises(LayoutChanged):
            GOOGLE.parse(page(wrong), CTX)
    with pytest.raises(LayoutChanged):
        GOOGLE.parse(Capture(b"<html>"), CTX)


def test_a_full_answer_leads_to_the_next_rows() -> None:
    parsed = GOOGLE.parse(page({"rows": [ROW] * 25_000}), replace(CTX, page=2))
    assert parsed.next is not None
    assert json.loads(parsed.next.json or "")["startRow"] == 50_000


def test_bing_rows_and_its_refusal() -> None:
    parsed = BING.parse(page({"d": [BING_ROW]}), CTX)
    assert parsed.records == (Shown(date(2025, 11, 18), "ada example", "", 1, 9, 3.0),)
    assert BING.parse(page({"d": []}), CTX).none
    with pytest.raises(Blocked, match="denied"):
        BING.parse(page({"ErrorCode": 3, "Message": "InvalidApiKey"}), CTX)
    (request,) = BING.requests(CTX)
    assert dict(request.params)["apikey"] == Secret(env="BING_WEBMASTER_KEY")


@pytest.mark.parametrize("source", [GOOGLE, BING], ids=["google", "bing"])
@given(data=st.data())
def test_garbage_gives_no_row(source: SearchConsole | BingWebmaster, data: st.DataObject) -> None:
    good = page({"rows": [ROW], "d": [BING_ROW]}).body
    cut = data.draw(st.integers(0, len(good)))
    junk = data.draw(st.binary(max_size=20))
    with contextlib.suppress(Blocked, LayoutChanged):
        source.parse(Capture(good[:cut] + junk + good[cut + 3 :]), CTX)


def test_days_are_bounded() -> None:
    with pytest.raises(ValueError, match="16 months"):
        SearchConsole("sc-domain:example.org", Secret(file="sa.json"), days=481)
