"""Counters: page views by the APIs of GoatCounter, Umami, Plausible, Matomo and WordPress.com, and by a CSV file."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import config
from monitor.attempt import Attempts
from monitor.collect import Task, collect
from monitor.fetch import whole
from monitor.fetch.http import HttpFetcher
from monitor.model import (
    Blocked,
    Capture,
    Context,
    Exchange,
    FetchFailed,
    Files,
    Http,
    LayoutChanged,
    Outcome,
    PageViews,
    Parsed,
    Reading,
    Referrer,
    Secret,
    SiteViews,
    Source,
    Trigger,
)
from monitor.sources.page_views import daily
from monitor.sources.page_views.csv_counter import Csv
from monitor.sources.page_views.daily import Window
from monitor.sources.page_views.goatcounter import GoatCounter
from monitor.sources.page_views.matomo import Matomo
from monitor.sources.page_views.plausible import Plausible
from monitor.sources.page_views.umami import Umami
from monitor.sources.page_views.wordpress import WordPress
from monitor.store import readings, sources
from monitor.store.connection import Store
from tests import made
from tests.conftest import PAGES
from tests.replay import Answer, Asked, Replay

KEY = Secret(env="COUNTER_KEY")
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
CTX = Context(NOW, NOW.date())
ID = "b2d6b3a9-e592-4b53-b12c-e94d05c8b32f"
BERLIN = "Europe/Berlin"
UMAMI = Umami(ID, BERLIN, "https://umami.example.org", KEY)
GOAT = GoatCounter("https://stats.example.org", BERLIN, KEY, hosts=("blog.example.org",))
PLAUSIBLE = Plausible("example.org", BERLIN, KEY)
MATOMO = Matomo(1, BERLIN, "https://matomo.example.org", KEY)
WORDPRESS = WordPress("ada.example.org", BERLIN, KEY)
CSV = Csv("views.csv", "day", "views")
APIS = (UMAMI, GOAT, PLAUSIBLE, MATOMO, WORDPRESS)
Cases = Callable[[str], Path]


def nov(day: int) -> date:
    return date(2026, 11, day)


def twin(name: str) -> bytes:
    return (PAGES / name).read_bytes()


def asked(request: Http) -> str:
    if request.json is not None:
        return f"{request.url} POST {request.json}"
    fields = [(name, str(value)) for name, value in (*request.params, *(request.form or ()))]
    return f"{request.url}?{urlencode(fields)}"


def answer(request: Http, body: bytes | object, status: int = 200) -> Capture:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Capture(raw, "application/json", status=status, asked=asked(request))


def recorded(cases: Cases, name: str, host: str) -> Capture:
    """A recorded answer as it would have come to us."""
    case = json.loads(cases(f"page-views/api/{name}.json").read_text())
    request = case["request"]
    where = f"https://{host}{request['path']}?{request['query']}"
    return Capture(json.dumps(case["body"]).encode(), status=case["status"], asked=where, headers=case["headers"])


def days(parsed: Parsed) -> dict[int, int]:
    return {r.day.day: r.views for r in parsed.records if isinstance(r, SiteViews)}


def read(source: Source, answers: list[bytes | object | tuple[int, object]], ctx: Context = CTX) -> Reading:
    """A whole reading over made answers, by the code that makes real ones."""
    left = iter(answers)

    def ask(request: Http, n: int) -> Exchange:
        given_ = next(left)
        status, body = given_ if isinstance(given_, tuple) else (200, given_)
        capture = answer(request, body, status)
        return Exchange(n=n, asked=capture.asked, ms=1, status=status, url=request.url, capture=capture)

    task = Task("blog", source, ctx.now, ctx.day, Trigger.SCHEDULE, covered=ctx.covered)
    (reading,) = collect(task, ask, lambda files: iter(()), lambda: ctx.now)
    return reading


# --- days and their bounds -----------------------------------------------------------------------------------------

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "Asia/Kathmandu")


@given(day=st.dates(date(2015, 1, 1), date(2037, 12, 31)), zone=st.sampled_from(ZONES), length=st.integers(0, 40))
def test_days_follow_each_other_without_gap_or_overlap_whatever_the_clocks_do(
    day: date, zone: str, length: int
) -> None:
    z = ZoneInfo(zone)
    window = Window(day, day + timedelta(days=length))
    start, end = daily.midnight(day, z), daily.after_end(window, z)
    assert start.astimezone(z).date() == day
    assert (start - timedelta(seconds=1)).astimezone(z).date() == day - timedelta(days=1)
    assert (end - timedelta(seconds=1)).astimezone(z).date() == window.last
    assert end == daily.midnight(window.last + timedelta(days=1), z)
    for source in (replace(UMAMI, timezone=zone), replace(GOAT, timezone=zone)):
        request = source._series(window) if isinstance(source, Umami) else source._http("/stats/total", window)
        _, fields = daily.asked(answer(request, b""))
        names = ("startAt", "endAt") if isinstance(source, Umami) else ("start", "end")
        assert daily.asked_window(*(fields[name] for name in names), z) == window


def test_a_day_of_23_or_25_hours_is_asked_whole() -> None:
    zone = ZoneInfo(BERLIN)
    spans = [
        daily.after_end(Window(d, d), zone) - daily.midnight(d, zone) for d in (date(2026, 3, 29), date(2026, 10, 25))
    ]
    assert spans == [timedelta(hours=23), timedelta(hours=25)]


@given(
    away=st.integers(-3, 500),
    length=st.integers(0, 400),
    since=st.none() | st.dates(date(2024, 1, 1), date(2027, 1, 1)),
)
def test_reading_on_ends_up_with_every_day_whatever_pause_there_was(away: int, length: int, since: date | None) -> None:
    """Readings one after the other leave no hole between the first day stored and today."""
    today = CTX.day
    covered = (today - timedelta(days=max(away, 0) + length), today - timedelta(days=away))
    for _ in range(5):
        window = daily.recent(replace(CTX, covered=covered), today, since)
        assert window.first <= window.last <= today
        assert window.days <= 180
        assert since is None or window.first >= min(since, today)
        if since is None or since <= covered[0]:
            assert window.first <= covered[1]
        covered = (min(covered[0], window.first), max(min(covered[1], today), window.last))
    assert covered[1] == today


def test_the_past_is_read_back_thirty_days_a_reading_until_its_beginning() -> None:
    start, stored = date(2026, 7, 1), (nov(10), nov(21))
    pieces = []
    while before := daily.older(replace(CTX, covered=stored), Window(nov(18), nov(22)), None, start):
        pieces.append((before.first, before.last))
        stored = (before.first, stored[1])
    assert pieces[0] == (date(2026, 10, 11), date(2026, 11, 9))
    assert pieces[-1][0] == start
    assert all(older[1] + timedelta(days=1) == newer[0] for newer, older in pairwise(pieces))
    assert daily.older(replace(CTX, page=2), Window(nov(18), nov(22)), None, start) is None
    assert daily.older(CTX, Window(nov(18), nov(22)), nov(15), start) == Window(nov(15), nov(17))


def test_only_days_that_were_counted_become_true_zeros() -> None:
    window = Window(nov(15), nov(22))

    def filled(
        seen: dict[date, tuple[int, int | None]], start: date | None = None, ctx: Context = CTX
    ) -> dict[int, int]:
        return {s.day.day: s.views for s in daily.whole(seen, window, ctx, nov(22), start)}

    assert filled({nov(18): (3, 2)}) == {18: 3, 19: 0, 20: 0, 21: 0}  # not before, and not today
    assert filled({}) == {}
    assert filled({}, nov(20)) == {20: 0, 21: 0}
    assert filled({nov(17): (1, 1)}, nov(20))[18] == 0
    assert filled({nov(22): (1, 1)}) == {22: 1}
    assert sorted(filled({}, None, replace(CTX, covered=(nov(1), nov(20))))) == list(range(15, 22))
    complete = {s.day.day: s.complete for s in daily.whole({nov(22): (1, 1)}, window, CTX, nov(22), nov(20), late=1)}
    assert complete == {20: True, 21: False, 22: False}
    with pytest.raises(LayoutChanged, match="2026-11-01"):
        filled({nov(1): (3, 3)})


@pytest.mark.parametrize("source", APIS, ids=lambda s: s.kind)
def test_few_questions_the_key_only_named_and_a_zone_that_exists(source: Any) -> None:
    requests = list(source.requests(CTX))
    assert len(requests) <= 6
    for request in requests:
        secrets = [v for _, v in (*request.headers, *request.params, *(request.form or ())) if isinstance(v, Secret)]
        assert [s.env for s in secrets] == ["COUNTER_KEY"]
        assert "COUNTER_KEY" not in request.url + (request.json or "")
    assert source.series().day_zone == BERLIN
    assert source.rule.startswith(source.kind)
    with pytest.raises(ValueError, match="timezone"):
        replace(source, timezone="Mars/Olympus")


# --- Umami ---------------------------------------------------------------------------------------------------------

UTC_UMAMI = replace(UMAMI, timezone="UTC")


def test_umami_recorded_days_are_those_of_the_zone_asked_for(cases: Cases) -> None:
    utc = UTC_UMAMI.parse(recorded(cases, "umami-3.1.0/pageviews_utc", "u.example.org"), CTX)
    assert days(utc) == {18: 2, 19: 0, 20: 1, 21: 0}
    case = recorded(cases, "umami-3.1.0/pageviews_berlin", "u.example.org")
    berlin = UMAMI.parse(replace(case, asked=case.asked.replace("1794873600000", "1794870000000")), CTX)
    assert days(berlin)[18] == days(berlin)[19] == days(berlin)[20] == 1


def test_umami_recorded_answer_in_another_zones_days_is_refused(cases: Cases) -> None:
    case = recorded(cases, "umami-3.1.0/pageviews_no_timezone", "u.example.org")
    with pytest.raises(LayoutChanged, match="begins no day"):
        UMAMI.parse(case, CTX)
    assert days(UTC_UMAMI.parse(case, CTX))[18] == 2  # there the instants begin days
    for long in ("pageviews_long_span_unit_day_becomes_year",):
        with pytest.raises(LayoutChanged):
            UTC_UMAMI.parse(replace(recorded(cases, f"umami-3.1.0/{long}", "u.example.org"), asked=case.asked), CTX)


def test_umami_unknown_site_is_an_error_and_never_zero(cases: Cases) -> None:
    unknown = UMAMI.parse(recorded(cases, "umami-3.1.0/website_unknown_is_null", "u.example.org"), CTX)
    assert unknown.doubt == "not_found"
    assert not unknown.records
    reading = read(UMAMI, [b"null"])
    assert (reading.outcome, reading.reason, reading.records) == (Outcome.FAILED, "not_found", ())
    assert "config" in reading.advice
    assert UMAMI.parse(recorded(cases, "umami-3.1.0/website", "u.example.org"), CTX).none


@pytest.mark.parametrize("name", ["stats_bad_token", "login_wrong_password", "stats_no_auth"])
def test_umami_recorded_refusals_are_denied(cases: Cases, name: str) -> None:
    body = recorded(cases, f"umami-3.1.0/{name}", "u.example.org").body
    reading = read(UMAMI, [(401, body)])
    assert (reading.outcome, reading.reason) == (Outcome.BLOCKED, "denied")
    with pytest.raises(Blocked, match="denied"):
        UMAMI.parse(Capture(body, asked=f"https://u.example.org/api/websites/{ID}"), CTX)


def test_umami_recorded_paths_are_counted_by_views(cases: Cases) -> None:
    case = recorded(cases, "umami-3.1.0/metrics_expanded_path", "u.example.org")
    one_day = case.asked.replace("1794873600000", "1795042800000").replace("1795305599999", "1795129199999")
    found = UMAMI.parse(replace(case, asked=one_day), CTX).records
    assert found == (PageViews(nov(19), "/a/", 2, 1), PageViews(nov(19), "/b/", 1, 1))
    with pytest.raises(LayoutChanged):
        UMAMI.parse(case, CTX)  # five days at once are no day's paths


def test_umami_whole_reading() -> None:
    source = replace(UMAMI, site="00000000-1111-4000-8000-000000000001")
    files = ("website", "daterange", "paths", "referrers", "pageviews", "pageviews")
    answers: list[Any] = [twin(f"umami/{name}.json") for name in files]
    answers[-1] = {"pageviews": [{"x": "2026-10-22T22:00:00Z", "y": 4}], "sessions": []}
    reading = read(source, answers)
    assert (reading.outcome, reading.rule, len(reading.exchanges)) == (Outcome.OK, "umami pageviews", 6)
    site = {r.day: r for r in reading.records if isinstance(r, SiteViews)}
    assert site[nov(18)] == SiteViews(nov(18), 5, 3, complete=True)
    assert site[date(2026, 10, 23)].views == 4  # 22:00 UTC is the next day in Berlin
    assert (min(site), max(site)) == (date(2026, 10, 20), nov(21))  # made then; today is not in the answer
    assert PageViews(nov(21), "/hello/", 12, 7) in reading.records
    assert Referrer(nov(21), "linkedin.com", "social", 5) in reading.records
    assert Referrer(nov(21), "-", "direct", 9) in reading.records


def test_umami_of_version_2_has_days_without_paths() -> None:
    missing = (404, {"error": "no such page"})
    site = {"id": ID, "createdAt": "2026-11-20T09:00:00Z"}
    reading = read(UMAMI, [site, missing, missing, missing, twin("umami/pageviews.json")])
    assert reading.outcome is Outcome.OK
    assert not [r for r in reading.records if isinstance(r, PageViews)]


def test_umami_cloud_takes_its_key_in_a_header_of_its_own() -> None:
    (first, *_) = replace(UMAMI, auth="api_key").requests(CTX)
    assert dict(first.headers)["x-umami-api-key"] == KEY


def test_umami_that_was_reset_has_no_zeros_before() -> None:
    site = {"id": ID, "createdAt": "2026-01-20T09:00:00Z", "resetAt": "2026-11-20T09:00:00Z"}
    reading = read(
        UMAMI, [site, {}, [], [], {"pageviews": [], "sessions": []}], replace(CTX, covered=(nov(1), nov(21)))
    )
    assert [(r.day.day, r.views) for r in reading.records if isinstance(r, SiteViews)] == [(21, 0)]


def test_umami_that_fails_half_way_gives_no_number() -> None:
    site = {"id": ID, "createdAt": "2026-11-20T09:00:00Z"}
    reading = read(UMAMI, [site, {}, [], [], (500, "down")])
    assert (reading.outcome, reading.records) == (Outcome.FAILED, ())


def test_an_older_piece_that_fails_leaves_the_recent_days_standing() -> None:
    site = {"id": ID, "createdAt": "2026-01-20T09:00:00Z"}
    reading = read(UMAMI, [site, {}, [], [], twin("umami/pageviews.json"), (500, "down")])
    assert reading.outcome is Outcome.OK
    assert "page 2: failed, server_error" in reading.note
    assert min(r.day for r in reading.records if isinstance(r, SiteViews)) == date(2026, 10, 24)


# --- GoatCounter ---------------------------------------------------------------------------------------------------


def test_goatcounter_recorded_days_in_either_zone(cases: Cases) -> None:
    utc = replace(GOAT, timezone="UTC").parse(recorded(cases, "goatcounter-2.7.0/stats_total", "g.example.org"), CTX)
    assert days(utc) == {18: 2, 19: 0, 20: 1, 21: 0}  # the 17th was before the first visit that is known
    case = recorded(cases, "goatcounter-2.7.0/stats_total_user_zone_berlin_local_midnight", "g.example.org")
    berlin = GOAT.parse(case, replace(CTX, covered=(nov(1), nov(20))))
    assert days(berlin) == {17: 0, 18: 1, 19: 1, 20: 1, 21: 0}


@pytest.mark.parametrize("name", ["offset", "utc_midnight"])
def test_goatcounter_recorded_answer_without_a_day_asked_for_is_refused(cases: Cases, name: str) -> None:
    case = recorded(cases, f"goatcounter-2.7.0/stats_total_user_zone_berlin_{name}", "g.example.org")
    with pytest.raises(LayoutChanged, match="2026-11-17 is missing"):
        GOAT.parse(case, CTX)


def test_goatcounter_recorded_user_counts_in_another_zone(cases: Cases) -> None:
    me = recorded(cases, "goatcounter-2.7.0/me", "g.example.org")
    assert replace(GOAT, timezone="UTC").parse(me, CTX).none
    reading = read(GOAT, [me.body])
    assert (reading.outcome, reading.reason) == (Outcome.FAILED, "bad_request")
    assert "Europe/Berlin" in reading.advice


@pytest.mark.parametrize(
    ("name", "reason"),
    [("stats_total_token_without_right", "denied"), ("stats_total_unknown_token", "denied"),
     ("rate_limited_429", "rate_limited"), ("stats_total_bad_date", "bad_request")],
)  # fmt: skip
def test_goatcounter_recorded_refusals(cases: Cases, name: str, reason: str) -> None:
    case = recorded(cases, f"goatcounter-2.7.0/{name}", "g.example.org")
    status = case.status
    reading = read(GOAT, [twin("goatcounter/me.json"), (403, {}), (status, case.body)])
    assert reading.reason == reason
    assert not reading.records


def test_goatcounter_recorded_paths_and_referrers(cases: Cases) -> None:
    goat = replace(GOAT, timezone="UTC")
    hits = goat.parse(recorded(cases, "goatcounter-2.7.0/stats_hits", "g.example.org"), CTX).records
    assert hits == (PageViews(nov(18), "/a", 2), PageViews(nov(20), "/b", 1))
    found = goat.parse(recorded(cases, "goatcounter-2.7.0/stats_toprefs", "g.example.org"), CTX).records
    assert {(r.referrer, r.medium, r.views) for r in found if isinstance(r, Referrer)} == {
        ("linkedin.com", "social", 1), ("x.com", "social", 1), ("google.com", "search", 1)
    }  # fmt: skip


def test_goatcounter_whole_reading() -> None:
    source = replace(GOAT, since=nov(17))
    ctx = Context(datetime(2026, 11, 21, 9, tzinfo=UTC), nov(21))
    hits = json.loads(twin("goatcounter/hits.json").replace(b"-22", b"-20").replace(b"-21", b"-19"))
    names = ("me", "sites", "", "toprefs", "total")
    answers = [twin(f"goatcounter/{name}.json") if name else hits for name in names]
    reading = read(source, answers, ctx)
    assert (reading.outcome, len(reading.exchanges)) == (Outcome.OK, 5)
    site = [r for r in reading.records if isinstance(r, SiteViews)]
    assert [(r.day.day, r.views, r.visitors, r.complete) for r in site] == [
        (18, 2, None, True), (19, 0, None, True), (20, 3, None, True), (21, 0, None, False)
    ]  # fmt: skip
    assert [r.path for r in reading.records if isinstance(r, PageViews)] == ["/hello", "/hello"]  # events are no paths
    assert Referrer(nov(20), "news.ycombinator.com", "social", 1) in reading.records


def test_goatcounter_zeros_of_deleted_days_are_not_believed() -> None:
    site = {"cname": "stats.example.org", "first_hit_at": "2020-01-01T00:00:00Z", "setttings": {"data_retention": 3}}
    earlier = (answer(GOAT._http("/sites"), {"sites": [site]}),)
    ctx = Context(datetime(2026, 11, 21, 9, tzinfo=UTC), nov(21), earlier=earlier)
    nothing = {"stats": [{"day": f"2026-11-{day}", "daily": 0} for day in range(17, 22)]}
    parsed = GOAT.parse(answer(GOAT._http("/stats/total", Window(nov(17), nov(21))), nothing), ctx)
    assert days(parsed) == {19: 0, 20: 0, 21: 0}
    assert parsed.next is None


# --- Plausible, Matomo, WordPress.com: shapes from their documentation ---------------------------------------------


def at(source: Source, kind: str, first: int, last: int, *names: str, ctx: Context = CTX) -> Parsed:
    """What a source makes of a twin asked for from one day of November to another, after other twins."""
    window = Window(nov(first), nov(last))
    if isinstance(source, Plausible):
        earlier = [
            answer(source._query("all", ["time:month"], ["pageviews"]), twin(f"{kind}/{n}.json")) for n in names[1:]
        ]
        request = source._days(window)
    elif isinstance(source, Matomo):
        earlier = [answer(source._ask("SitesManager.getSiteFromId"), twin(f"{kind}/{n}.json")) for n in names[1:]]
        request = source._days(window)
    else:
        assert isinstance(source, WordPress)
        earlier = [answer(source._http("", ()), twin(f"{kind}/{n}.json")) for n in names[1:]]
        request = source._days(window)
    return source.parse(answer(request, twin(f"{kind}/{names[0]}.json")), replace(ctx, earlier=tuple(earlier)))


def test_plausible_days_are_filled_only_after_its_first_month_or_first_day() -> None:
    parsed = at(PLAUSIBLE, "plausible", 15, 21, "days", "months")
    assert days(parsed) == {15: 0, 16: 0, 17: 0, 18: 6, 19: 0, 20: 3, 21: 0}  # there were views in September
    assert days(at(PLAUSIBLE, "plausible", 15, 21, "days")) == {18: 6, 19: 0, 20: 3, 21: 0}
    assert parsed.next is not None
    assert '["2026-10-16","2026-11-14"]' in (parsed.next.json or "")


def test_plausible_paths_and_sources() -> None:
    window = Window(nov(18), nov(21))
    pages = PLAUSIBLE._query(window, ["time:day", "event:page"], ["pageviews", "visitors"], 400)
    assert PLAUSIBLE.parse(answer(pages, twin("plausible/pages.json")), CTX).records == (
        PageViews(nov(20), "/hello/", 2, 2), PageViews(nov(20), "/", 1, 1),
    )  # fmt: skip
    sources = PLAUSIBLE._query(window, ["time:day", "visit:source"], ["pageviews"], 400)
    found = PLAUSIBLE.parse(answer(sources, twin("plausible/sources.json")), CTX).records
    assert found == (Referrer(nov(20), "-", "direct", 1), Referrer(nov(20), "linkedin.com", "social", 2))


def test_plausible_refuses_an_unknown_site() -> None:
    refused = {"error": "Invalid API key or site ID. Please make sure you're using a valid API key."}
    assert read(PLAUSIBLE, [(401, refused)]).reason == "denied"
    assert read(PLAUSIBLE, [refused]).reason == "denied"


def test_matomo_days_empty_ones_and_errors() -> None:
    parsed = at(MATOMO, "matomo", 17, 21, "days", "site")
    assert days(parsed) == {18: 6, 19: 0, 20: 3, 21: 0}  # made on the 18th
    assert [r.complete for r in parsed.records if isinstance(r, SiteViews)] == [True, True, True, False]
    with pytest.raises(LayoutChanged):
        at(MATOMO, "matomo", 16, 21, "days", "site")  # a day asked for is not there
    assert read(MATOMO, [twin("matomo/error.json")]).reason == "denied"
    strange = read(MATOMO, [{"result": "error", "message": "An unexpected website was found"}])
    assert (strange.outcome, strange.reason, strange.records) == (Outcome.FAILED, "bad_request", ())
    assert read(replace(MATOMO, timezone="UTC"), [twin("matomo/site.json")]).reason == "bad_request"


def test_matomo_paths_and_referrers() -> None:
    window = Window(nov(20), nov(21))
    paths = MATOMO.parse(answer(MATOMO._ask("Actions.getPageUrls", window), twin("matomo/pages.json")), CTX)
    assert paths.records == (PageViews(nov(20), "/hello/index", 2),)
    social = MATOMO.parse(answer(MATOMO._ask("Referrers.getSocials", window), twin("matomo/socials.json")), CTX)
    assert social.records == (Referrer(nov(20), "linkedin.com", "social", 2),)


def test_wordpress_days_posts_and_referrers() -> None:
    assert days(at(WORDPRESS, "wordpress", 17, 21, "visits", "blog")) == {18: 6, 19: 0, 20: 3, 21: 0}
    posts = WORDPRESS.parse(answer(WORDPRESS._http("/stats/top-posts", ()), twin("wordpress/posts.json")), CTX)
    assert posts.records == (PageViews(nov(20), "/hello/", 2), PageViews(nov(20), "/", 1))
    found = WORDPRESS.parse(answer(WORDPRESS._http("/stats/referrers", ()), twin("wordpress/referrers.json")), CTX)
    assert {(r.referrer, r.medium) for r in found.records if isinstance(r, Referrer)} == {
        ("linkedin.com", "social"), ("search engines", "search"),
    }  # fmt: skip
    assert read(WORDPRESS, [(403, {"error": "unauthorized", "message": "user cannot view stats"})]).reason == "denied"
    assert read(WORDPRESS, [(404, {"error": "unknown_blog"})]).reason == "not_found"
    assert read(replace(WORDPRESS, timezone="UTC"), [twin("wordpress/blog.json")]).reason == "bad_request"


# --- CSV -----------------------------------------------------------------------------------------------------------


def test_csv_of_ga4_with_remarks_paths_and_a_total() -> None:
    ga4 = replace(CSV, day="date", views="Views", path="Page path")
    parsed = ga4.parse(Capture(twin("csv/ga4.csv")), CTX)
    assert parsed.records == (
        SiteViews(nov(20), 1207, None, complete=True), SiteViews(nov(21), 5, None, complete=True),
        PageViews(nov(20), "/hello/", 1204), PageViews(nov(20), "/about/", 3), PageViews(nov(21), "/hello/", 5),
    )  # fmt: skip
    assert not parsed.doubt


def test_csv_refuses_a_row_with_its_line_and_never_makes_it_zero() -> None:
    sheet = replace(CSV, day="Datum", views="Seitenaufrufe", visitors="Besucher")
    parsed = sheet.parse(Capture(twin("csv/spreadsheet.csv")), CTX)
    assert parsed.records == (SiteViews(nov(19), 12, 7, complete=True), SiteViews(nov(21), 0, 0, complete=True))
    assert (parsed.doubt, parsed.note) == ("damaged_file", 'line 3: Seitenaufrufe is "n/a", not a whole number')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_in_any_usual_encoding_and_with_any_delimiter(encoding: str, delimiter: str) -> None:
    body = f"Größe{delimiter}day{delimiter}views\nx{delimiter}2026-11-20{delimiter}7\n".encode(encoding)
    assert days(CSV.parse(Capture(body), CTX)) == {20: 7}


@pytest.mark.parametrize(
    "row",
    ["03/04/2026,5", "2026-11-20,", "2026-11-20", "2026-11-20,1.5", "2026-11-20,-3", "2026-02-30,1", "2026-11-20,1e3",
     "2027-11-20,4", ",4", "2026-11-20,٣", "2026-11-20,1.204"],
)  # fmt: skip
def test_csv_rows_that_mean_nothing_certain(row: str) -> None:
    parsed = CSV.parse(Capture(f"day,views\n2026-11-19,2\n{row}\n".encode()), CTX)
    assert days(parsed) == {19: 2}
    assert parsed.note.startswith("line 3: ")


def test_csv_sums_are_never_short_of_a_row() -> None:
    table = replace(CSV, path="path")
    head = "day,path,views\n2026-11-19,/a,2\n2026-11-20,/a,1\n"
    assert days(table.parse(Capture(f"{head}2026-11-20,/b,?\n".encode()), CTX)) == {19: 2}
    assert days(table.parse(Capture(f"{head}yesterday,/b,3\n".encode()), CTX)) == {}
    twice = CSV.parse(Capture(b"day,views\n2026-11-19,2\n2026-11-19,3\n2026-11-20,1\n"), CTX)
    assert days(twice) == {20: 1}
    assert "line 3" in twice.note


def test_csv_line_numbers_count_lines_within_quotes() -> None:
    body = b'title,day,views\n"two\nlines",2026-11-19,2\nx,?,3\n'
    assert CSV.parse(Capture(body), CTX).note.startswith("line 4: ")


def of_csv(folder: Path) -> list[Reading]:
    task = Task("csv", CSV, NOW, NOW.date(), Trigger.SCHEDULE)
    return list(collect(task, lambda request, n: pytest.fail("asked"), lambda f: whole.read(f, folder), lambda: NOW))


def test_csv_reading_says_what_was_read_and_then_what_was_not(tmp_path: Path) -> None:
    (missing,) = of_csv(tmp_path)
    assert (missing.outcome, missing.reason) == (Outcome.FAILED, "no_file")
    (tmp_path / "views.csv").write_text("day,views\n2026-11-19,2\n2026-11-20,x")
    read_, refused = of_csv(tmp_path)
    assert (read_.outcome, len(read_.records), read_.rule, read_.batch) == (Outcome.OK, 1, "csv as exported", None)
    assert read_.exchanges[0].asked == "views.csv 0-35"
    assert (refused.outcome, refused.reason) == (Outcome.FAILED, "damaged_file")
    assert 'line 3: views is "x"' in refused.advice
    (tmp_path / "views.csv").write_text("when,how many\n")
    (unknown,) = of_csv(tmp_path)
    assert (unknown.outcome, unknown.records) == (Outcome.FAILED, ())
    assert "names the columns day, views" in unknown.advice
    (tmp_path / "views.csv").write_text("day,views\n")
    (empty,) = of_csv(tmp_path)
    assert empty.outcome is Outcome.EMPTY


def test_a_whole_file_has_its_last_line_and_a_limit(tmp_path: Path) -> None:
    (tmp_path / "odd[1].csv").write_bytes(b"a\nb")
    (batch,) = whole.read(Files("odd[1].csv", whole=True), tmp_path)
    assert batch.capture.body == b"a\nb"
    with pytest.raises(FetchFailed, match="too_large"):
        list(whole.read(Files("odd[1].csv", whole=True), tmp_path, most=2))


# --- garbage -------------------------------------------------------------------------------------------------------

NAMES = """pageviews sessions x y stats day daily hits path count name results metrics dimensions fields data days
    groups postviews views 2026-11-20 label nb_hits id user settings timezone sites first_hit_at ID options created_at
    createdAt idsite ts_created"""
VALUES = ["2026-11-20", "2026-11-20 00:00:00", "2026-11-19T23:00:00Z", "/a", "-1", "²"]
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats() | st.text(max_size=5) | st.sampled_from(VALUES),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES.split()), inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("source", APIS, ids=lambda s: s.kind)
@given(junk=JUNK, earlier=JUNK, cut=st.integers(0, 400), which=st.integers(0, 9))
def test_garbage_gives_no_number_and_no_fault(source: Any, junk: Any, earlier: Any, cut: int, which: int) -> None:
    requests = list(source.requests(CTX))
    request = requests[which % len(requests)]
    folder = sorted((PAGES / source.kind).glob("*.json"))
    torn = folder[which % len(folder)].read_bytes()[:cut]
    ctx = replace(CTX, earlier=(answer(requests[0], earlier), answer(requests[1], earlier)))
    for body in (junk, torn):
        with contextlib.suppress(Blocked, LayoutChanged):
            parsed = source.parse(answer(request, body), ctx)
            assert all(r.views >= 0 for r in parsed.records)


@given(cut=st.integers(0, 250), junk=st.binary(max_size=8), which=st.sampled_from(["ga4", "spreadsheet"]))
def test_garbage_in_a_file_gives_no_fault(cut: int, junk: bytes, which: str) -> None:
    good = twin(f"csv/{which}.csv")
    table = replace(CSV, day="Date", views="Views", path="Page path")
    parsed = table.parse(Capture(good[:cut] + junk + good[cut:]), CTX)
    assert all(r.views >= 0 for r in parsed.records if isinstance(r, SiteViews))


# --- from the first question to the page ---------------------------------------------------------------------------

CONFIG = """
[owner]
name = "Ada Example"
timezone = "Australia/Sydney"

[[page_views]]
kind = "umami"
site = "{site}"
timezone = "Europe/Berlin"
url = "{url}"
key = {{ env = "COUNTER_KEY" }}
since = {since}

[[page_views]]
kind = "csv"
file = "views.csv"
day = "day"
views = "views"

[fetch]
spacing = "0s"
"""


class Blog:
    """An Umami that counts, served on loopback: so many views on each day that has any."""

    def __init__(self, views: dict[date, int], made: date) -> None:
        self.views, self.made = views, made

    def __call__(self, request: Asked) -> Answer:
        if request.headers["authorization"] != "Bearer s3same":
            return Answer.json({"error": {"code": "unauthorized"}}, 401)
        if request.path.endswith("/daterange"):
            return Answer.json({"startDate": None, "endDate": None})
        if request.path.endswith(ID):
            return Answer.json({"id": ID, "createdAt": f"{self.made}T12:00:00Z", "resetAt": None})
        first, last = (
            datetime.fromtimestamp(int(request.query[name]) / 1000, ZoneInfo(BERLIN)).date()
            for name in ("startAt", "endAt")
        )
        if request.path.endswith("/metrics/expanded"):
            views = self.views.get(first, 0)
            named = {"path": "/hello/", "referrer": "linkedin.com"}[request.query["type"]]
            return Answer.json([{"name": named, "pageviews": str(views), "visitors": 1}] if views else [])
        found = [{"x": f"{day} 00:00:00", "y": n} for day, n in sorted(self.views.items()) if first <= day <= last]
        return Answer.json({"pageviews": found, "sessions": [{**row, "y": 1} for row in found]})


def test_check_stores_days_reads_back_and_revises(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    today = now.astimezone(ZoneInfo(BERLIN)).date()
    ago = [today - timedelta(days=n) for n in range(200)]
    blog = Blog({ago[1]: 5, ago[2]: 3, ago[40]: 8, ago[90]: 2, ago[0]: 1}, ago[100])
    where = f"/api/websites/{ID}"
    paths = ("", "/daterange", "/metrics/expanded", "/pageviews")
    environ = {**os.environ, "COUNTER_KEY": "s3same"}
    (tmp_path / "views.csv").write_text(f"day,views\n{ago[2]},7\n")
    with Replay({where + path: blog for path in paths}) as server:
        text = CONFIG.format(site=ID, url=server.url, since=ago[95])
        (tmp_path / "config.toml").write_text(text)
        command = [sys.executable, "-m", "monitor", "check"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

        settings = config.read(tmp_path / "config.toml")
        with Store(settings.database) as store:

            def views(kind: str = "umami") -> dict[str, int]:
                found = store.rows(f"select day, views, rule from daily_page_views where source = '{kind}'")
                assert {row["rule"] for row in found} == {"csv as exported" if kind == "csv" else "umami pageviews"}
                return {row["day"]: row["views"] for row in found}

            assert views("csv") == {str(ago[2]): 7}
            assert (min(views()), max(views()), len(views())) == (str(ago[59]), str(today), 60)
            assert {day: n for day, n in views().items() if n} == {
                str(ago[0]): 1, str(ago[1]): 5, str(ago[2]): 3, str(ago[40]): 8
            }  # fmt: skip
            assert store.rows("select path, views from top_paths") == [{"path": "/hello/", "views": 5}]
            assert store.rows("select referrer, medium, views from top_referrers") == [
                {"referrer": "linkedin.com", "medium": "social", "views": 5}
            ]
            assert [r["day"] for r in store.rows("select day from daily_page_views where not complete")] == [str(today)]

            fetcher = lambda s: HttpFetcher(base=tmp_path, environ=environ)  # noqa: E731
            ids = sources.sync(store, settings, now)
            (umami,) = (s for s in settings.sources if s.name == "umami")

            def read_on(day: int) -> None:
                at = now + timedelta(days=day)
                attempts = Attempts(settings, store, lambda: at, fetcher=fetcher)
                local = at.astimezone(ZoneInfo(BERLIN)).date()
                ((_, reading),) = attempts.make(umami, ids["umami"], at, local, Trigger.MANUAL)
                assert reading.outcome is Outcome.OK, reading

            blog.views |= {ago[0]: 9, ago[2]: 4, ago[30]: 99}
            read_on(1)
            assert (views()[str(ago[0])], views()[str(ago[2])]) == (9, 4)
            assert views()[str(ago[30])] == 0  # long settled: not asked again
            revised = store.rows(
                "select day, old, new, old_reading_id < reading_id as later from revisions order by day"
            )
            assert revised == [
                {"day": str(ago[2]), "old": 3, "new": 4, "later": 1},
                {"day": str(ago[0]), "old": 1, "new": 9, "later": 1},
            ]
            assert store.rows(
                "select complete from daily_page_views where source = 'umami' and day = ?", (str(ago[0]),)
            ) == [{"complete": 1}]
            assert min(views()) == str(ago[89])
            read_on(2)
            assert min(views()) == str(ago[95])  # `since` bounds it
            count = len(server.requests)
            read_on(3)
            assert len(server.requests) - count == 5  # the beginning is reached: nothing older is asked
            assert sum(n == 2 for n in views().values()) == 1
            assert not store.rows("select 1 from readings where outcome not in ('ok', 'empty')")


def test_a_reading_that_waited_does_not_undo_a_younger_one(tmp_path: Path) -> None:
    settings = made.settings(tmp_path, '[[page_views]]\nkind = "csv"\nfile = "v.csv"\nday = "d"\nviews = "v"\n')
    with Store(settings.database) as store:
        (source_id,) = sources.sync(store, settings, made.NOW).values()

        def save(hour: int, views: int, *, complete: bool = False) -> int:
            at = made.NOW.replace(hour=hour)
            day = (SiteViews(nov(20), views, complete=complete), PageViews(nov(20), "/a", views))
            return readings.save(store, source_id, replace(made.reading(at=at), records=day, rule="r"))

        young, _ = save(9, 5), save(8, 3)
        same = save(10, 5)
        (row,) = store.rows("select views, complete, reading_id from site_views")
        assert row == {"views": 5, "complete": 0, "reading_id": young}
        assert same > young
        assert store.rows("select 1 from revisions") == []
        last = save(11, 6, complete=True)
        (row,) = store.rows("select views, complete, reading_id from site_views")
        assert row == {"views": 6, "complete": 1, "reading_id": last}
        assert store.rows("select views, complete from page_views") == [{"views": 6, "complete": 1}]
        assert store.rows("select table_name, old, new, old_reading_id, reading_id from revisions order by 1") == [
            {"table_name": table, "old": 5, "new": 6, "old_reading_id": young, "reading_id": last}
            for table in ("page_views", "site_views")
        ]
