"""GitLab, Gitea, Wikipedia, PyPI, Reddit, X, Instagram and X's own export: what they say, and what they do not say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from monitor import config
from monitor.attempt import Attempts
from monitor.cli import cli
from monitor.collect import Task, collect
from monitor.fetch.hops import first_hop, shown
from monitor.model import (
    Blocked,
    Capture,
    Context,
    Count,
    Exchange,
    Http,
    LayoutChanged,
    Outcome,
    Parsed,
    Reading,
    Secret,
    Source,
    Trigger,
)
from monitor.sources.profiles.gitea import Gitea
from monitor.sources.profiles.gitlab import GitLab
from monitor.sources.profiles.instagram import Instagram
from monitor.sources.profiles.pypi import PyPI
from monitor.sources.profiles.reddit import Reddit
from monitor.sources.profiles.wikipedia import Wikipedia
from monitor.sources.profiles.x import X
from monitor.sources.profiles.x_analytics import XAnalytics
from monitor.store import sources
from monitor.store.connection import Store
from tests.conftest import PAGES
from tests.made import settings

KEY = Secret(env="TOKEN")
NOW = datetime(2026, 5, 25, 17, tzinfo=UTC)
TODAY = NOW.date()
GITLAB = GitLab(("example-group/kettle",), KEY)
GITEA = Gitea("ada-example", ("ada-example/kettle",), url="https://git.example.org/")
WIKIPEDIA = Wikipedia(("Ada  Example",), "me@example.org", days=5)
PYPI = PyPI(("Kettle_Example",))
REDDIT = Reddit("ada_example", KEY)
TWITTER = X("ada_example", KEY)
INSTAGRAM = Instagram("ada.example", KEY)
EXPORT = XAnalytics("ada_example")
OVER_HTTP = (GITLAB, GITEA, WIKIPEDIA, PYPI, REDDIT, TWITTER, INSTAGRAM)
SPAN = "metric=views%2Creach%2Cprofile_views&period=day&metric_type=total_value&since=1779606000&until=1779692400"

ASKED = {  # of each kind of answer: who asks, and what
    "project": (GITLAB, "https://gitlab.com/api/v4/projects/example-group%2Fkettle"),
    "fetches": (GITLAB, "https://gitlab.com/api/v4/projects/example-group%2Fkettle/statistics"),
    "user": (GITEA, "https://git.example.org/api/v1/users/ada-example"),
    "repository": (GITEA, "https://git.example.org/api/v1/repos/ada-example/kettle"),
    "article": (
        WIKIPEDIA,
        "https://wikimedia.org/api/rest_v1/metrics/pageviews/per-article/en.wikipedia/all-access/user/Ada_Example"
        "/daily/20260520/20260524",
    ),
    "package": (PYPI, "https://pypistats.org/api/packages/kettle-example/overall?mirrors=false"),
    "redditor": (REDDIT, "https://oauth.reddit.com/user/ada_example/about?raw_json=1"),
    "x": (TWITTER, "https://api.x.com/2/users/by/username/ada_example?user.fields=public_metrics"),
    "me": (
        INSTAGRAM,
        "https://graph.instagram.com/me?fields=user_id%2Cusername%2Cfollowers_count%2Cfollows_count%2Cmedia_count"
        "&access_token=***",
    ),
    "insights": (INSTAGRAM, f"https://graph.instagram.com/me/insights?{SPAN}&access_token=***"),
}


def page(name: str) -> bytes:
    return (PAGES / name).read_bytes()


def parse(
    what: str, body: bytes, status: int = 200, *, source: Source | None = None, asked: str = "", earlier: int = 200
) -> Parsed:
    known, address = ASKED[what]
    address = asked or address
    before = (Capture(b"{}", status=earlier),)
    capture = Capture(body, "application/json", "utf-8", status, address, address)
    return (source or known).parse(capture, Context(NOW, TODAY, earlier=before))


def values(parsed: Parsed) -> dict:
    """Metric and window (or day, for daily numbers) to value, or to the state where there is none."""
    found = {}
    for count in parsed.records:
        assert isinstance(count, Count)
        assert count.definition
        key = (count.metric, count.day.isoformat() if count.window == "day" else count.window)
        assert key not in found
        found[key] = count.state if count.value is None else count.value
    return found


def now(**metrics: object) -> dict:
    return {(metric, "now"): value for metric, value in metrics.items()}


def days(metric: str, **found: object) -> dict:
    return {(metric, f"2026-05-{day[1:]}"): value for day, value in found.items()}


# --- what is asked -------------------------------------------------------------------------------------------------


def test_each_source_asks_what_its_answers_are_known_by() -> None:
    asked = [shown(http) for source in OVER_HTTP for http in source.requests(Context(NOW, TODAY))]
    assert set(asked) >= {address for _, address in ASKED.values()}
    assert len(asked) == len(ASKED) + 2  # Instagram's insights are of three days


def test_the_key_stays_a_name_and_goes_where_it_belongs() -> None:
    def headers(source: Source) -> dict:
        return dict(next(iter(source.requests(Context(NOW, TODAY)))).headers)

    assert headers(GITLAB) == {"PRIVATE-TOKEN": KEY}
    assert headers(Gitea("ada", key=KEY)) == {"Authorization": Secret(env="TOKEN", prefix="token ")}
    assert headers(REDDIT) == headers(TWITTER) == {"Authorization": Secret(env="TOKEN", prefix="Bearer ")}
    assert headers(GITEA) == headers(PYPI) == {}


def test_without_a_key_gitlab_is_asked_for_public_numbers_only() -> None:
    (only,) = GitLab(("4711",), url="https://git.example.org/").requests(Context(NOW, TODAY))
    assert (only.url, only.headers) == ("https://git.example.org/api/v4/projects/4711", ())


def test_wikimedia_is_told_a_contact_and_nobody_else_is() -> None:
    own = {"User-Agent": "presence-monitor/1"}
    (article,) = WIKIPEDIA.requests(Context(NOW, TODAY))
    sent = dict(first_hop(article, {}, own).headers)
    assert sent["User-Agent"].startswith(b"presence-monitor ")
    assert sent["User-Agent"].endswith(b"contact: me@example.org)")
    (package,) = PYPI.requests(Context(NOW, TODAY))
    assert dict(first_hop(package, {}, own).headers)["User-Agent"] == b"presence-monitor/1"


def test_a_title_and_a_project_path_are_one_part_of_the_address() -> None:
    (article,) = Wikipedia(("AC/DC & Söhne?",), "https://example.org/", "de.wikipedia.org").requests(
        Context(NOW, TODAY)
    )
    assert "/de.wikipedia.org/all-access/user/AC%2FDC_%26_S%C3%B6hne%3F/daily/20260425/20260524" in article.url


def test_instagram_days_are_pacific_and_full() -> None:
    insights = list(INSTAGRAM.requests(Context(datetime(2026, 3, 10, 3, tzinfo=UTC), date(2026, 3, 9))))[1:]
    spans = [{name: value for name, value in http.params if name in ("since", "until")} for http in insights]
    assert [int(span["until"]) - int(span["since"]) for span in spans] == [24 * 3600, 24 * 3600, 23 * 3600]
    assert datetime.fromtimestamp(int(spans[-1]["since"]), UTC) == datetime(2026, 3, 8, 8, tzinfo=UTC)
    assert len(list(Instagram("ada", KEY, insights=()).requests(Context(NOW, TODAY)))) == 1


def test_x_is_asked_by_number_where_it_is_known() -> None:
    (http,) = X("ada_example", KEY, id="1234567").requests(Context(NOW, TODAY))
    assert http.url == "https://api.x.com/2/users/1234567"


BLOCKS = """
[owner]
name = "Ada Example"
timezone = "Europe/Berlin"
[[profiles]]
kind = "gitlab"
projects = ["example-group/kettle", "4711"]
key = { env = "GITLAB_TOKEN" }
[[profiles]]
kind = "gitea"
user = "ada-example"
repositories = ["ada-example/kettle"]
[[profiles]]
kind = "wikipedia"
articles = ["Ada Example", "Kettle"]
contact = "me@example.org"
[[profiles]]
kind = "pypi"
packages = ["kettle-example"]
[[profiles]]
kind = "reddit"
user = "ada_example"
key = { env = "REDDIT" }
[[profiles]]
kind = "x"
user = "ada_example"
key = { env = "X" }
[[profiles]]
kind = "x_analytics"
user = "ada_example"
[[profiles]]
kind = "instagram"
user = "ada.example"
key = { file = "instagram.token" }
insights = ["reach"]
"""


def test_the_blocks_of_a_config_make_these_sources(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(BLOCKS)
    made = {s.name: s.source.series().day_zone for s in config.read(tmp_path / "config.toml").sources}
    assert made == {
        "gitlab/example-group-kettle": "UTC",
        "gitlab/4711": "UTC",
        "gitea/ada-example": "owner",
        "gitea/ada-example-kettle": "owner",
        "wikipedia/ada-example": "UTC",
        "wikipedia/kettle": "UTC",
        "pypi/kettle-example": "UTC",
        "reddit": "owner",
        "x": "owner",
        "x_analytics": "owner",
        "instagram": "America/Los_Angeles",
    }


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: GitLab(()), "wants projects"),
        (lambda: GitLab(("kettle",)), 'written "group/name"'),
        (lambda: GitLab(("a/..",)), 'written "group/name"'),
        (Gitea, "wants a user, or repositories"),
        (lambda: Gitea("a/b"), "user is a user name"),
        (lambda: Gitea(repositories=("../b",)), 'written "owner/name"'),
        (lambda: Wikipedia((), "me@example.org"), "wants articles"),
        (lambda: Wikipedia(("A",), "Ada"), "contact is an e-mail address"),
        (lambda: Wikipedia(("A",), "me@example.org\nX: y"), "contact is an e-mail address"),
        (lambda: Wikipedia(("A",), "me@example.org", "https://en.wikipedia.org"), "project is an edition"),
        (lambda: Wikipedia(("A",), "me@example.org", days=0), "days is from 1"),
        (lambda: PyPI(("a/b",)), "its name on PyPI"),
        (lambda: Reddit("u/ada", KEY), "without u/"),
        (lambda: X("@ada", KEY), "without the @"),
        (lambda: X("ada", KEY, id="ada"), "number of the account"),
        (lambda: Instagram("@ada", KEY), "without the @"),
        (lambda: Instagram("ada", KEY, insights=("a,b",)), "insights are names"),
        (lambda: XAnalytics("@ada"), "without the @"),
    ],
)
def test_a_mistake_in_the_config_is_named(made, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made()


# --- what is read: twins -------------------------------------------------------------------------------------------

GONE = {
    "project": ("gitlab/gone.json", now(stars="gone", forks="gone")),
    "user": ("gitea/gone.json", now(followers="gone", following="gone", starred="gone")),
    "repository": ("gitea/gone.json", now(stars="gone", subscribers="gone", forks="gone")),
    "redditor": ("reddit/gone.json", now(karma="gone", post_karma="gone", comment_karma="gone", followers="gone")),
}
READ = [
    ("project", "gitlab/project.json", now(stars=14, forks=0)),
    ("project", "gitlab/no_forks.json", now(stars=14, forks="missing")),
    ("fetches", "gitlab/statistics.json", {
        ("fetches", "30d"): 25, **days("fetches", d20=10, d21=4, d22=0, d23=0, d24=11)
    }),
    ("fetches", "gitlab/statistics_none.json", {("fetches", "30d"): 0}),
    ("user", "gitea/user.json", now(followers=9, following=0, starred=5)),
    ("user", "gitea/missing.json", now(followers="missing", following="missing", starred=5)),
    ("repository", "gitea/repository.json", now(stars=6, subscribers=2, forks=1)),
    ("article", "wikipedia/ok.json", days("page_views", d21=31, d22=0, d23="missing", d24=40)),
    ("package", "pypi/ok.json", days("downloads", d21=12, d22=0, d23=3)),
    ("redditor", "reddit/ok.json", now(karma=35, post_karma=40, comment_karma=-7, followers=0)),
    ("redditor", "reddit/old.json", now(karma="missing", post_karma=40, comment_karma=-7, followers="missing")),
    (
        "redditor",
        "reddit/suspended.json",
        now(karma="hidden", post_karma="hidden", comment_karma="hidden", followers="hidden"),
    ),
    ("x", "x/ok.json", now(followers=51, following=0, posts=812, listed=3)),
    ("x", "x/missing.json", now(followers="missing", following="missing", posts="missing", listed="missing")),
    ("x", "x/gone.json", now(followers="gone", following="gone", posts="gone", listed="gone")),
    ("x", "x/suspended.json", now(followers="hidden", following="hidden", posts="hidden", listed="hidden")),
    ("x", "x/hidden.json", now(followers="hidden", following="hidden", posts="hidden", listed="hidden")),
    ("me", "instagram/me.json", now(followers=230, following=0, posts=17)),
    ("me", "instagram/me_missing.json", now(followers="missing", following="missing", posts=17)),
    ("insights", "instagram/insights.json", {
        ("views", "2026-05-24"): 44, ("reach", "2026-05-24"): 0, ("profile_views", "2026-05-24"): 5
    }),
    ("insights", "instagram/insights_empty.json", {
        (metric, "2026-05-24"): "missing" for metric in ("views", "reach", "profile_views")
    }),
]  # fmt: skip


@pytest.mark.parametrize(("what", "name", "expected"), READ, ids=lambda value: str(value)[:30])
def test_numbers_are_read_and_what_is_not_there_is_never_zero(what: str, name: str, expected: dict) -> None:
    parsed = parse(what, page(name))
    assert values(parsed) == expected
    assert not parsed.note
    assert {r.profile.partition("/")[0] for r in parsed.records} == {ASKED[what][0].kind}


@pytest.mark.parametrize("what", GONE)
def test_what_is_no_more_is_gone(what: str) -> None:
    name, expected = GONE[what]
    assert values(parse(what, page(name), 404)) == expected


def test_the_fetches_of_a_project_that_is_gone_are_gone_and_not_a_matter_of_rights() -> None:
    assert values(parse("fetches", page("gitlab/gone.json"), 404, earlier=404)) == {("fetches", "30d"): "gone"}
    with pytest.raises(Blocked, match="at least a Reporter"):
        parse("fetches", page("gitlab/gone.json"), 404)


def test_an_article_or_package_without_numbers_is_missing_and_not_gone() -> None:
    article = parse("article", page("wikipedia/missing.json"), 404)
    assert values(article) == days("page_views", d24="missing")
    assert "check title and project" in article.records[0].definition
    assert values(parse("package", page("pypi/missing.html"), 404)) == days("downloads", d25="missing")


def test_a_metric_that_instagram_retired_is_missing_and_says_what_to_do() -> None:
    parsed = parse("insights", page("instagram/retired.json"), 400)
    assert set(values(parsed).values()) == {"missing"}
    assert "take what it no longer counts out of insights" in parsed.records[0].definition
    assert parse("me", page("instagram/retired.json"), 400).doubt == "bad_request"


def test_days_that_may_be_corrected_keep_the_newest_and_growing_ones_the_largest() -> None:
    def overlap(what: str, name: str) -> set[str]:
        return {r.overlap for r in parse(what, page(name)).records if r.window == "day"}

    assert overlap("fetches", "gitlab/statistics.json") == {"max"}
    assert overlap("article", "wikipedia/ok.json") == overlap("package", "pypi/ok.json") == {"newest"}
    assert overlap("insights", "instagram/insights.json") == {"newest"}


def test_a_new_name_is_told() -> None:
    old = "https://gitlab.com/api/v4/projects/example-group%2Fteapot"
    parsed = parse("project", page("gitlab/project.json"), asked=old)
    assert parsed.note == "gitlab/example-group/teapot is now called example-group/kettle, and is number 4711"
    assert {r.profile for r in parsed.records} == {"gitlab/example-group/teapot"}
    assert not parse("project", page("gitlab/project.json"), asked="https://gitlab.com/api/v4/projects/4711").note
    old = "https://git.example.org/api/v1/users/ada"
    assert parse("user", page("gitea/user.json"), asked=old).note == "gitea/ada is now called ada-example, number 321"
    by_number = X("ada", KEY, id="1234567")
    parsed = parse("x", page("x/ok.json"), source=by_number, asked="https://api.x.com/2/users/1234567")
    assert parsed.note == "x/ada is now called ada_example, number 1234567"
    parsed = parse("me", page("instagram/me.json"), source=Instagram("ada", KEY))
    assert parsed.note == "instagram/ada is now called ada.example, number 17841400000000000"


@pytest.mark.parametrize(
    ("what", "name", "source", "asked"),
    [
        ("project", "gitlab/project.json", None, "https://gitlab.com/api/v4/projects/4712"),
        ("article", "wikipedia/ok.json", None, ASKED["article"][1].replace("Ada_", "Bob_")),
        ("article", "wikipedia/ok.json", None, ASKED["article"][1].replace("en.wiki", "de.wiki")),
        ("article", "wikipedia/ok.json", None, ASKED["article"][1].replace("20260524", "20260523")),
        ("package", "pypi/ok.json", None, "https://pypistats.org/api/packages/teapot/overall"),
        ("redditor", "reddit/ok.json", None, "https://oauth.reddit.com/user/bob_example/about"),
        ("x", "x/ok.json", X("bob", KEY), ""),
        ("x", "x/ok.json", X("ada_example", KEY, id="7"), ""),
        ("insights", "instagram/insights.json", None, ASKED["insights"][1].replace("profile_views", "likes")),
    ],
)
def test_an_answer_about_another_is_not_taken(what: str, name: str, source: Source | None, asked: str) -> None:
    with pytest.raises(LayoutChanged):
        parse(what, page(name), source=source, asked=asked)


# --- what is not read ----------------------------------------------------------------------------------------------

REFUSED = [
    ("project", "gitlab/denied.json", 403, "denied", "403 Forbidden"),
    ("project", "gitlab/expired.json", 401, "denied", "Token is expired"),
    ("fetches", "gitlab/denied.json", 403, "denied", "need a token with read_api"),
    ("fetches", "gitlab/limited.txt", 429, "rate_limited", ""),
    ("user", "gitea/denied.json", 401, "denied", "token is required"),
    ("repository", "gitea/limited.txt", 429, "rate_limited", ""),
    ("article", "wikipedia/denied.html", 403, "denied", ""),
    ("article", "wikipedia/limited.json", 429, "rate_limited", "Too many requests"),
    ("package", "pypi/limited.html", 429, "rate_limited", ""),
    ("redditor", "reddit/denied.json", 401, "denied", "Unauthorized"),
    ("redditor", "reddit/limited.json", 429, "rate_limited", ""),
    ("x", "x/denied.json", 401, "denied", "Unauthorized"),
    ("x", "x/payment.json", 402, "denied", "wants to be paid first: Your account does not have any credits"),
    ("x", "x/limited.json", 429, "rate_limited", ""),
    ("me", "instagram/expired.json", 400, "denied", "end after 60 days"),
    ("me", "instagram/expired.json", 401, "denied", "end after 60 days"),
    ("insights", "instagram/denied.json", 403, "denied", "does not have permission"),
    ("insights", "instagram/denied.json", 400, "denied", "does not have permission"),
    ("insights", "instagram/limited.json", 400, "rate_limited", "request limit"),
]


@pytest.mark.parametrize(("what", "name", "status", "reason", "said"), REFUSED)
def test_a_refusal_is_a_refusal_and_says_whose(what: str, name: str, status: int, reason: str, said: str) -> None:
    with pytest.raises(Blocked) as seen:
        parse(what, page(name), status)
    assert seen.value.reason == reason
    assert said in seen.value.detail


CHANGED = [
    ("project", "gitlab/changed.json"),
    ("fetches", "gitlab/project.json"),
    ("user", "gitea/changed.json"),
    ("user", "gitea/repository.json"),
    ("article", "wikipedia/changed.json"),
    ("package", "pypi/changed.json"),
    ("redditor", "reddit/changed.json"),
    ("x", "x/changed.json"),
    ("insights", "instagram/changed.json"),
    ("me", "instagram/insights.json"),
]


@pytest.mark.parametrize(("what", "name"), CHANGED)
def test_another_layout_is_changed_and_no_number(what: str, name: str) -> None:
    with pytest.raises(LayoutChanged):
        parse(what, page(name))


NO_ANSWERS = (b"null", b"3", b"{}", b"[]", b"<html>Sign in</html>", b'{"data": []}', b"[" * 99999, b"\xff")
THEIRS = {  # PyPI Stats answers a package that it does not know with a page, Instagram for no insights with no rows
    *(("package", 404, body) for body in NO_ANSWERS),
    ("insights", 200, b'{"data": []}'),
}


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("status", [200, 404])
def test_what_is_no_answer_of_theirs_is_changed(what: str, status: int) -> None:
    for body in NO_ANSWERS:
        if (what, status, body) not in THEIRS:
            with pytest.raises(LayoutChanged):
                parse(what, body, status)


def test_of_several_days_in_one_insight_none_is_chosen() -> None:
    answer = json.loads(page("instagram/insights.json"))
    answer["data"][1]["values"].append({"value": 8, "end_time": "2026-05-26T07:00:00+0000"})
    with pytest.raises(LayoutChanged, match="reach holds no number in a form known"):
        parse("insights", json.dumps(answer).encode())


@pytest.mark.parametrize(
    "stamp", ["20260521", "2026-05-21", "2026052100Z", "2026134500", 2026052100, None, "2026052100"]
)
def test_days_of_wikipedia_are_never_guessed(stamp: object) -> None:
    answer = json.loads(page("wikipedia/ok.json"))
    answer["items"][1]["timestamp"] = stamp  # the last of these is listed twice
    with pytest.raises(LayoutChanged):
        parse("article", json.dumps(answer).encode())


@pytest.mark.parametrize(
    "row", [{"date": "2026-05-20", "count": 1}, {"date": "1970-01-01", "count": 1}, {"date": 3}, 3]
)
def test_days_of_gitlab_are_never_guessed(row: object) -> None:
    answer = json.loads(page("gitlab/statistics.json"))
    answer["fetches"]["days"].append(row)
    with pytest.raises(LayoutChanged):
        parse("fetches", json.dumps(answer).encode())


WORDS = ["data", "name", "items", "views", "errors", "error", "code", "fetches", "days", "date", "count", "id", "login"]
WORDS += [
    "message",
    "username",
    "kind",
    "subreddit",
    "public_metrics",
    "downloads",
    "category",
    "detail",
    "is_suspended",
]
answers = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["t2", "ada_example", "2026-05-24"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=12,
)


@given(st.sampled_from(list(ASKED)), answers, st.sampled_from([200, 400, 403, 404, 429]))
def test_whatever_comes_it_is_read_refused_or_changed(what: str, data: object, status: int) -> None:
    try:
        parsed = parse(what, json.dumps(data).encode(), status)
    except (Blocked, LayoutChanged):
        return
    assert parsed.records or parsed.doubt


def readings(source: Source, *answers: tuple[bytes, int]) -> Reading:
    """A whole reading over made answers, by the code that makes real ones."""
    waiting: Iterator[tuple[bytes, int]] = iter(answers)

    def ask(request: Http, n: int) -> Exchange:
        body, status = next(waiting)
        capture = Capture(body, status=status, asked=shown(request), url=request.url)
        return Exchange(n=n, asked=shown(request), ms=1, status=status, url=request.url, capture=capture)

    task = Task(source.kind, source, NOW, TODAY, Trigger.SCHEDULE)
    (reading,) = collect(task, ask, lambda files: iter(()), lambda: NOW)
    return reading


def test_the_owner_is_told_what_to_do_in_one_sentence() -> None:
    paid = readings(TWITTER, (page("x/payment.json"), 402))
    assert (paid.outcome, paid.reason, paid.records) == (Outcome.BLOCKED, "denied", ())
    assert "api.x.com refused (it wants to be paid first: Your account does not have any credits" in paid.advice
    expired = readings(INSTAGRAM, (page("instagram/expired.json"), 400))
    assert "its token is not valid: such tokens end after 60 days; make a new one" in expired.advice
    changed = readings(INSTAGRAM, (page("instagram/retired.json"), 400))
    assert (changed.outcome, changed.reason) == (Outcome.FAILED, "bad_request")


def test_one_reading_of_instagram_holds_the_account_and_three_days() -> None:
    insights = (page("instagram/insights.json"), 200)
    reading = readings(
        INSTAGRAM, (page("instagram/me.json"), 200), insights, (page("instagram/insights_empty.json"), 200), insights
    )
    assert reading.outcome is Outcome.OK
    found = values(Parsed(reading.records))
    assert [found["reach", f"2026-05-{day}"] for day in (22, 23, 24)] == [0, "missing", 0]


def test_a_project_that_is_gone_is_one_whole_reading() -> None:
    gone = (page("gitlab/gone.json"), 404)
    reading = readings(GITLAB, gone, gone)
    assert reading.outcome is Outcome.OK
    assert values(Parsed(reading.records)) == now(stars="gone", forks="gone") | {("fetches", "30d"): "gone"}


# --- X's own export ------------------------------------------------------------------------------------------------


def export(body: bytes, day: date = TODAY) -> Parsed:
    return EXPORT.parse(Capture(body), Context(NOW, day))


def test_an_export_is_numbers_per_day() -> None:
    found = values(export(page("x_analytics/account_overview_analytics.csv")))
    assert len(found) == 3 * 13
    assert [found["impressions", f"2026-05-{day}"] for day in (21, 23, 24)] == [18, 229, 120]
    assert ("impressions", "2026-05-22") not in found  # not in the file: not known
    assert [found[metric, "2026-05-24"] for metric in ("profile_views", "new_follows", "unfollows", "posts")] == [
        7,
        2,
        1,
        1,
    ]


def test_an_export_of_no_days_says_so() -> None:
    assert export(page("x_analytics/empty.csv")) == Parsed(none=True)


@pytest.mark.parametrize(
    "body",
    [
        page("x_analytics/posts.csv"),
        b"",
        b"\n",
        b"Date,Impressions\n",
        b"Date,Impressions,Profile visits,Likes,Likes\n",
        b"<html>Sign in</html>",
        b"PK\x03\x04",
    ],
)
def test_a_file_of_another_kind_is_changed(body: bytes) -> None:
    with pytest.raises(LayoutChanged):
        export(body)


def test_columns_are_known_by_name_in_any_order_case_and_encoding() -> None:
    text = 'Profile visits,Something new,DATE,Impressions\n7,x,"Sun, May 24, 2026","1,120"\n'
    for body in (text.encode("utf-8-sig"), text.encode("utf-16"), text.replace("\n", "\r\n").encode()):
        assert values(export(body)) == {("profile_views", "2026-05-24"): 7, ("impressions", "2026-05-24"): 1120}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('"Mon, May 24, 2026",1,1', "is no day such as"),  # a Sunday
        ('"Sun, Mai 24, 2026",1,1', "is no day such as"),
        ('"Sat, Feb 30, 2026",1,1', "is no day such as"),
        ("2026-05-24,1,1", "is no day such as"),
        ('"Sun, May 31, 2026",1,1', "still to come"),
        ('"Sun, May 24, 2026",-1,1', 'impressions is "-1"'),
        ('"Sun, May 24, 2026",1.2K,1', 'impressions is "1.2K"'),
        ('"Sun, May 24, 2026",1,1.5', 'profile visits is "1.5"'),
        ('"Sun, May 24, 2026",1', "breaks off"),
        ('"Sun, May 24, 2026",1,2', "stands there twice"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_line(row: str, said: str) -> None:
    first = "24" if "twice" in said else "23"
    weekday = "Sun" if first == "24" else "Sat"
    parsed = export(f'Date,Impressions,Profile visits\n"{weekday}, May {first}, 2026",5,0\n{row}\n'.encode())
    assert parsed.doubt == "damaged_file"
    assert parsed.note.startswith("line 3: ")
    assert said in parsed.note
    kept = {} if first == "24" else {("impressions", "2026-05-23"): 5, ("profile_views", "2026-05-23"): 0}
    assert values(parsed) == kept


def test_an_empty_cell_is_missing_and_never_zero() -> None:
    parsed = export(b'Date,Impressions,Profile visits\n"Sun, May 24, 2026",5,\n')
    assert values(parsed) == {("impressions", "2026-05-24"): 5, ("profile_views", "2026-05-24"): "missing"}


def test_the_same_export_twice_adds_nothing_and_a_revised_day_leaves_a_revision(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(BLOCKS)
    settings = config.read(tmp_path / "config.toml")
    (configured,) = (s for s in settings.sources if s.name == "x_analytics")
    place = tmp_path / "account_overview_analytics.csv"
    with Store(settings.database) as store:
        source_id = sources.sync(store, settings, NOW)["x_analytics"]
        attempts = Attempts(settings, store, clock=lambda: NOW)

        def take(name: str) -> None:
            place.write_bytes(page(f"x_analytics/{name}"))
            ((_, reading),) = attempts.make(configured, source_id, NOW, TODAY, Trigger.MANUAL)
            assert reading.outcome is Outcome.OK, reading.advice

        def kept() -> list[dict]:
            return store.rows("select metric, day, value, reading_id from counts order by metric, day")

        take("account_overview_analytics.csv")
        first = kept()
        take("account_overview_analytics.csv")
        assert kept() == first
        assert store.rows("select * from revisions") == []
        take("newer.csv")
        shown_now = {(row["metric"], row["day"]): row["value"] for row in kept()}
        assert shown_now["impressions", "2026-05-23"] == 217  # lower than before: the newest stands
        assert shown_now["impressions", "2026-05-21"] == 18  # no longer in the file: it stays
        assert shown_now["impressions", "2026-05-25"] == 10
        (revision,) = store.rows("select key, day, old, new, old_reading_id <> reading_id as other from revisions")
        assert revision["key"].endswith("x/ada_example\timpressions\tday")
        assert [revision[name] for name in ("day", "old", "new", "other")] == ["2026-05-23", 229, 217, 1]


# --- real answers --------------------------------------------------------------------------------------------------


def test_a_real_export_of_271_days(cases) -> None:
    folder = cases("profiles/x-analytics")
    right = json.loads((folder / "expected.json").read_text())
    parsed = export((folder / "account_overview_analytics.csv").read_bytes())
    assert not parsed.doubt
    found = values(parsed)
    seen = sorted({day for _, day in found})
    assert (len(seen), seen[0], seen[-1]) == (right["rows"], right["oldest"], right["newest"])
    assert len(seen) == 271
    sums = {name: sum(n for (metric, _), n in found.items() if metric == name) for name, _ in found}
    assert (sums["profile_views"], sums["new_follows"], sums["unfollows"], sums["impressions"]) == (
        1425,
        298,
        43,
        184942,
    )


def test_real_fetches_of_gitlab(cases) -> None:
    found = values(parse("fetches", cases("profiles/gitlab/project_statistics.json").read_bytes()))
    assert found.pop(("fetches", "30d")) == 50
    assert found == {("fetches", f"2018-01-{n:02}"): 10 for n in (6, 7, 8, 9, 10)}


def test_a_real_day_of_wikipedia(cases) -> None:
    asked = ASKED["article"][1].replace("Ada_Example", "Intermittent_fasting").replace("202605", "202509")
    asked = asked.replace("20250920/20250924", "20250901/20250930")
    parsed = parse("article", cases("profiles/wikimedia/pageviews_one.json").read_bytes(), asked=asked)
    assert values(parsed) == {("page_views", "2025-09-01"): 628}


@pytest.mark.parametrize(
    ("name", "followers"), [("about-_friend_info.json", "missing"), ("about-ullname_init.json", 0)]
)
def test_real_users_of_reddit(cases, name: str, followers: object) -> None:
    asked = "https://oauth.reddit.com/user/pyapitestuser3/about"
    found = values(parse("redditor", cases(f"profiles/reddit/{name}").read_bytes(), asked=asked))
    assert found == now(karma="missing", post_karma=1, comment_karma=0, followers=followers)


def test_real_users_of_x(cases) -> None:
    source = X("TwitterDev", KEY)
    found = values(parse("x", cases("profiles/twitter/user_resp.json").read_bytes(), source=source))
    assert found == now(followers=514020, following=2038, posts=3639, listed=1676)
    parsed = parse("x", cases("profiles/twitter/me_resp_no_metrics.json").read_bytes(), source=source)
    assert set(values(parsed).values()) == {"missing"}
    assert "public_metrics" in parsed.records[0].definition


# --- an export of X brought by hand -----------------------------------------------------------------------------------


def brought(
    tmp_path: Path, *args: str, config: str = '[[profiles]]\nkind = "x_analytics"\nuser = "ada_example"\n'
) -> Any:
    settings(tmp_path, config)
    command = ["--config", str(tmp_path / "config.toml"), "import", *args]
    return CliRunner().invoke(cli, command, catch_exceptions=False)


def test_an_export_of_x_is_taken_in_from_where_it_lies(tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    export = folder / "account_overview_analytics (1).csv"
    export.write_text('Date,Impressions,Profile visits\n"Sun, Nov 22, 2026",40,3\n"Sat, Nov 21, 2026",20,0\n')
    assert "x_analytics" in brought(tmp_path, str(export)).output
    assert "was taken in before" in brought(tmp_path, str(export)).output
    with Store(tmp_path / "presence.db") as store:
        rows = store.rows("select day, value, way from profile_counts where metric = 'profile_views' order by day")
        assert [tuple(row.values()) for row in rows] == [("2026-11-21", 0, "export"), ("2026-11-22", 3, "export")]
        assert len(store.rows("select * from readings")) == 1


def test_an_export_of_x_for_nobody_is_told_with_the_fix(tmp_path: Path) -> None:
    export = tmp_path / "account_overview_analytics.csv"
    export.write_text('Date,Impressions,Profile visits\n"Sun, Nov 22, 2026",40,3\n')
    done = brought(tmp_path, str(export), config="")
    assert 'add [[profiles]] with kind = "x_analytics"' in done.stderr
