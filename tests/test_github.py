"""GitHub: what its answers say, and what they do not say."""

from __future__ import annotations

import ast
import csv
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import cli
from monitor.doctor import examine
from monitor.keeping import losing
from monitor.model import Blocked, Capture, Context, Count, LayoutChanged, Parsed, Secret
from monitor.sources import load
from monitor.sources.profiles.github import GitHub
from monitor.store import readings, sources
from monitor.store.connection import Store
from tests import made
from tests.conftest import PAGES

API = "https://api.github.com"
USER, REPOSITORY = "/users/ada-example", "/repos/ada-example/kettle"
VIEWS, CLONES = REPOSITORY + "/traffic/views?per=day", REPOSITORY + "/traffic/clones?per=day"
REFERRERS, PATHS = REPOSITORY + "/traffic/popular/referrers", REPOSITORY + "/traffic/popular/paths"
ALL = [USER, REPOSITORY, VIEWS, CLONES, REFERRERS, PATHS]

KEY = Secret(env="GITHUB_TOKEN")
SOURCE = GitHub(user="ada-example", repositories=("ada-example/kettle",), key=KEY)
TODAY = date(2026, 5, 25)


def parse(asked: str, body: bytes, *, day: date = TODAY, status: int = 200, headers=None, api: str = API) -> Parsed:
    ctx = Context(now=datetime(day.year, day.month, day.day, 17, tzinfo=UTC), day=day)
    capture = Capture(body, "application/json", "utf-8", status, api + asked, api + asked, headers or {})
    return SOURCE.parse(capture, ctx)


def page(name: str) -> bytes:
    return (PAGES / "github" / name).read_bytes()


def values(parsed: Parsed, window: str) -> dict:
    """Metric (and day, for daily numbers) to value, or to the state where there is none."""
    found = {}
    for count in parsed.records:
        if count.window == window:
            key = (count.metric, count.day.isoformat()) if window == "day" else count.metric
            assert key not in found
            found[key] = count.state if count.value is None else count.value
    return found


# --- what is asked -------------------------------------------------------------------------------------------------


def urls(source: GitHub) -> list[str]:
    asked = source.requests(Context(datetime(2026, 5, 25, tzinfo=UTC), TODAY))
    return [http.url + "".join(f"?{name}={value}" for name, value in http.params) for http in asked]


def test_a_block_makes_a_source_for_the_user_and_one_per_repository():
    block = GitHub(user="Ada-Example", repositories=("ada-example/kettle", "example-org/tea.pot"), key=KEY)
    parts = dict(block.split())
    assert list(parts) == ["ada-example", "ada-example-kettle", "example-org-tea.pot"]
    assert [part.series().subject for part in parts.values()] == [
        "Ada-Example",
        "ada-example/kettle",
        "example-org/tea.pot",
    ]
    assert {part.series().day_zone for part in parts.values()} == {"UTC"}
    assert [len(urls(part)) for part in parts.values()] == [1, 5, 5]
    assert [slug for part in parts.values() for slug, _ in part.split()] == list(parts)


def test_without_a_key_only_public_numbers_are_asked():
    source = GitHub(user="ada-example", repositories=("ada-example/kettle",))
    assert urls(source) == [API + USER, API + REPOSITORY]
    asked = list(source.requests(Context(datetime(2026, 5, 25, tzinfo=UTC), TODAY)))
    assert "Authorization" not in {name for http in asked for name, _ in http.headers}


def test_with_a_key_the_traffic_is_asked_too_and_the_key_stays_a_name():
    assert urls(SOURCE) == [API + path for path in ALL]
    for http in SOURCE.requests(Context(datetime(2026, 5, 25, tzinfo=UTC), TODAY)):
        headers = dict(http.headers)
        assert headers["Authorization"] == Secret(env="GITHUB_TOKEN", prefix="Bearer ")
        assert headers["Accept"] == "application/vnd.github+json"
        assert headers["X-GitHub-Api-Version"] == "2022-11-28"


def test_a_server_of_ones_own_stands_in_for_github():
    source = GitHub(repositories=("ada-example/kettle",), url="https://git.example.org/api/v3/")
    assert urls(source) == ["https://git.example.org/api/v3" + REPOSITORY]
    parsed = parse(REPOSITORY, page("repository.json"), api="https://git.example.org/api/v3")
    assert values(parsed, "now") == {"stars": 12, "subscribers": 2, "forks": 3}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "wants a user, or repositories"),
        ({"user": "https://github.com/ada"}, "user is a GitHub user name"),
        ({"user": "ada/.."}, "user is a GitHub user name"),
        ({"repositories": ("kettle",)}, 'written "owner/name", not "kettle"'),
        ({"repositories": ("a/b/c",)}, 'written "owner/name"'),
        ({"repositories": ("a/..",)}, 'written "owner/name"'),
        ({"repositories": ("a/b", "a/b?x=1")}, 'written "owner/name", not "a/b\\?x=1"'),
    ],
)
def test_a_mistake_in_the_config_is_named(fields, said):
    with pytest.raises(ValueError, match=said):
        GitHub(**fields)


def test_it_is_in_the_table_of_sources():
    assert load("profiles", "github") is GitHub


# --- what is read: twins -------------------------------------------------------------------------------------------


def test_a_user():
    parsed = parse(USER, page("user.json"))
    assert values(parsed, "now") == {"followers": 41, "following": 0, "public_repos": 7}
    assert {(count.profile, count.day) for count in parsed.records} == {("github/ada-example", TODAY)}
    assert all(count.definition for count in parsed.records)
    assert not parsed.note


def test_a_repository_counts_subscribers_and_not_stars_again():
    parsed = parse(REPOSITORY, page("repository.json"))
    assert values(parsed, "now") == {"stars": 12, "subscribers": 2, "forks": 3}
    assert {count.profile for count in parsed.records} == {"github/ada-example/kettle"}


def test_a_number_that_is_not_given_is_missing_and_not_zero():
    parsed = parse(USER, page("user-without-followers.json"))
    assert values(parsed, "now") == {"followers": "missing", "following": "missing", "public_repos": 7}


def test_views_by_day_a_day_left_out_in_between_is_zero_and_one_outside_unknown():
    parsed = parse(VIEWS, page("views.json"))
    assert values(parsed, "14d") == {"views": 30, "views_uniques": 5}
    assert values(parsed, "day") == {
        ("views", "2026-05-20"): 11,
        ("views", "2026-05-21"): 4,
        ("views", "2026-05-22"): 0,
        ("views", "2026-05-23"): 0,
        ("views", "2026-05-24"): 15,
        ("views_uniques", "2026-05-20"): 3,
        ("views_uniques", "2026-05-21"): 2,
        ("views_uniques", "2026-05-22"): 0,
        ("views_uniques", "2026-05-23"): 0,
        ("views_uniques", "2026-05-24"): 4,
    }
    assert {(count.window, count.overlap) for count in parsed.records} == {("14d", "newest"), ("day", "max")}
    assert {count.day for count in parsed.records if count.window == "14d"} == {TODAY}


def test_no_clones_in_14_days_is_a_zero_of_githubs_own():
    parsed = parse(CLONES, page("clones-none.json"))
    assert values(parsed, "14d") == {"clones": 0, "clones_uniques": 0}
    assert values(parsed, "day") == {}


def test_a_day_without_a_number_is_missing_though_the_days_around_are_read():
    rows = [{"timestamp": "2026-05-20T00:00:00Z", "count": None, "uniques": 1}]
    parsed = parse(VIEWS, json.dumps({"count": 3, "views": rows}).encode())
    assert values(parsed, "day") == {("views", "2026-05-20"): "missing", ("views_uniques", "2026-05-20"): 1}
    assert values(parsed, "14d") == {"views": 3, "views_uniques": "missing"}


def test_the_top_lists_are_snapshots_of_the_day():
    assert values(parse(REFERRERS, page("referrers.json")), "14d") == {
        "referrer Google": 9,
        "referrer news.example.org": 2,
    }
    assert values(parse(PATHS, page("paths.json")), "14d") == {
        "path /ada-example/kettle": 21,
        "path /ada-example/kettle/issues": 4,
    }


def test_an_empty_top_list_says_none():
    parsed = parse(REFERRERS, page("none.json"))
    assert (parsed.records, parsed.none) == ((), True)


def test_another_name_in_the_answer_is_told():
    parsed = parse("/repos/ada-example/teapot", page("repository.json"))
    assert parsed.note == "github/ada-example/teapot is now called ada-example/kettle"
    assert not parse(REPOSITORY.replace("ada", "ADA"), page("repository.json")).note


# --- what is not read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "metrics"),
    [(USER, ["followers", "following", "public_repos"]), (REPOSITORY, ["stars", "subscribers", "forks"])],
)
def test_a_page_that_is_no_more_is_gone(asked, metrics):
    parsed = parse(asked, page("not-found.json"), status=404)
    assert values(parsed, "now") == dict.fromkeys(metrics, "gone")


@pytest.mark.parametrize("asked", ALL[2:])
@pytest.mark.parametrize(("status", "name"), [(404, "not-found.json"), (403, "no-rights.json")])
def test_traffic_without_the_right_to_it_is_a_refusal_that_names_the_right(asked, status, name):
    with pytest.raises(Blocked, match="ada-example/kettle needs a token with Administration: read") as seen:
        parse(asked, page(name), status=status)
    assert seen.value.reason == "denied"


@pytest.mark.parametrize("asked", ALL)
@pytest.mark.parametrize(
    ("status", "name", "headers", "reason"),
    [
        (403, "rate-limited.json", {}, "rate_limited"),
        (403, "no-rights.json", {"x-ratelimit-remaining": "0"}, "rate_limited"),
        (403, "no-rights.json", {"X-RateLimit-Remaining": "0"}, "rate_limited"),
        (403, "no-rights.json", {"retry-after": "60"}, "rate_limited"),
        (403, "no-rights.json", {"x-ratelimit-remaining": "4999"}, "denied"),
        (429, "no-rights.json", {}, "rate_limited"),
        (401, "not-found.json", {}, "denied"),
    ],
)
def test_a_refusal_is_told_from_a_rate_limit(asked, status, name, headers, reason):
    with pytest.raises(Blocked) as seen:
        parse(asked, page(name), status=status, headers=headers)
    assert seen.value.reason == reason


@pytest.mark.parametrize("asked", ALL)
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"3", b'"x"', b"{}", b"<html>Sign in</html>", b'{"message": "x"}', b"[1]", b"[" * 100_000, b"\xff"],
)
def test_another_shape_is_a_changed_layout_and_no_number(asked, body):
    with pytest.raises(LayoutChanged):
        parse(asked, body)


def test_a_key_that_is_not_known_is_not_called_a_lack_of_rights():
    with pytest.raises(Blocked, match="denied: Bad credentials"):
        parse(VIEWS, b'{"message": "Bad credentials", "status": "401"}', status=401)


def test_a_referrer_listed_twice_is_not_believed():
    with pytest.raises(LayoutChanged):
        parse(REFERRERS, b'[{"referrer": "Google", "count": 9}, {"referrer": "Google", "count": 2}]')


@pytest.mark.parametrize("asked", [USER, REPOSITORY])
@pytest.mark.parametrize("body", [b"<html>Not found</html>", b"", b"[]", b"{}"])
def test_a_404_that_is_not_githubs_does_not_say_gone(asked, body):
    with pytest.raises(LayoutChanged):
        parse(asked, body, status=404)


@pytest.mark.parametrize("number", ["41", 41.0, True, -1, [41], 2**60])
def test_a_number_in_another_form_is_not_guessed(number):
    with pytest.raises(LayoutChanged, match="followers is"):
        parse(USER, json.dumps({"login": "ada-example", "followers": number}).encode())


@pytest.mark.parametrize(
    "days",
    [["2026-05-20", "2026-05-20"], ["1970-01-01", "2026-05-20"], ["yesterday"], [None], [20260520]],
)
def test_days_that_make_no_window_are_not_believed(days):
    rows = [{"timestamp": day, "count": 1, "uniques": 1} for day in days]
    with pytest.raises(LayoutChanged):
        parse(VIEWS, json.dumps({"count": 2, "uniques": 1, "views": rows}).encode())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["login", "full_name", "views", "count", "timestamp", "referrer", "path"]), inner
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(ALL), json_values, st.sampled_from([200, 403, 404]))
def test_whatever_comes_it_is_read_refused_or_changed(asked, data, status):
    try:
        parsed = parse(asked, json.dumps(data).encode(), status=status)
    except (Blocked, LayoutChanged):
        return
    assert parsed.records or parsed.none


# --- real answers --------------------------------------------------------------------------------------------------

RECORDED = date(2018, 12, 2)


def test_real_views(cases):
    parsed = parse(VIEWS, cases("profiles/github/traffic-Views.json").read_bytes(), day=RECORDED)
    assert values(parsed, "14d") == {"views": 93, "views_uniques": 4}
    daily = values(parsed, "day")
    assert daily["views", "2018-11-29"] == 0  # left out by GitHub, inside the window
    assert sum(value for (metric, _), value in daily.items() if metric == "views") == 93
    assert sum(value for (metric, _), value in daily.items() if metric == "views_uniques") == 11  # not the 4
    assert min(day for _, day in daily) == "2018-11-27"
    assert max(day for _, day in daily) == "2018-12-02"


def test_real_clones_referrers_and_paths(cases):
    clones = parse(CLONES, cases("profiles/github/traffic-Clones.json").read_bytes(), day=RECORDED)
    assert values(clones, "14d") == {"clones": 4, "clones_uniques": 4}
    assert values(clones, "day") == {("clones", "2018-11-27"): 4, ("clones_uniques", "2018-11-27"): 4}
    referrers = parse(REFERRERS, cases("profiles/github/traffic-Referrers.json").read_bytes(), day=RECORDED)
    assert values(referrers, "14d") == {"referrer github.com": 5}
    paths = values(parse(PATHS, cases("profiles/github/traffic-Paths.json").read_bytes(), day=RECORDED), "14d")
    assert len(paths) == 10
    assert next(iter(paths.items())) == ("path /jkufro/PyGithub", 23)


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("user-simonw.json", "/users/simonw", {"followers": 1269, "following": 129, "public_repos": 218}),
        ("user-jacquev6-2024.json", "/users/jacquev6", {"followers": 98, "following": 62, "public_repos": 38}),
        ("user-authenticated-2012.json", "/users/jacquev6", {"followers": 13, "following": 24, "public_repos": 10}),
        ("repo.json", "/repos/dogsheep/github-to-sqlite", {"stars": 6, "subscribers": 1, "forks": 0}),
    ],
)
def test_real_users_and_repositories(cases, name, asked, expected):
    parsed = parse(asked, cases(f"profiles/github/{name}").read_bytes())
    assert values(parsed, "now") == expected
    assert not parsed.note


@pytest.mark.parametrize("what", ["Views", "Clones", "Referrers", "Paths"])
def test_real_answers_with_their_headers(cases, what):
    lines = cases(f"profiles/github/pygithub-Traffic.testGet{what}.replay.txt").read_text().splitlines()
    asked, status, headers, body = lines[4], int(lines[7]), dict(ast.literal_eval(lines[8])), lines[9].encode()
    assert parse(asked, body, status=status, headers=headers).records
    with pytest.raises(Blocked, match="denied"):
        parse(asked, page("no-rights.json"), status=403, headers=headers)
    with pytest.raises(Blocked, match="rate_limited"):
        parse(asked, page("no-rights.json"), status=403, headers={**headers, "X-RateLimit-Remaining": "0"})


def test_a_real_year_read_every_few_days_comes_out_whole(cases):
    """359 days of a real repository, asked through 14-day windows whose edges are cut and whose zeros are left out."""
    with cases("profiles/github/repo-stats-A/views_clones_aggregate.csv").open() as file:
        true = {date.fromisoformat(row["time_iso8601"][:10]): int(row["views_total"]) for row in csv.DictReader(file)}
    assert (len(true), sum(true.values())) == (359, 26970)
    kept: Counter[date] = Counter()
    for asked_on in list(true)[14::9]:
        window = [asked_on - timedelta(days=n) for n in range(14)]
        seen = {day: true[day] // 2 if day in (window[0], window[-1]) else true[day] for day in sorted(window)}
        rows = [{"timestamp": f"{day}T00:00:00Z", "count": n, "uniques": 1} for day, n in seen.items() if n]
        answer = {"count": sum(seen.values()), "uniques": 1, "views": rows}
        for count in parse(VIEWS, json.dumps(answer).encode(), day=asked_on).records:
            if (count.metric, count.window) == ("views", "day"):
                assert count.overlap == "max"
                kept[count.day] = max(kept[count.day], count.value)
    inside = [day for day in true if min(kept) < day < max(kept)]
    assert len(inside) > 340
    assert {day: kept[day] for day in inside} == {day: true[day] for day in inside}


# --- traffic that is not read in time ------------------------------------------------------------------------------

ONE_REPOSITORY = '[[profiles]]\nkind = "github"\nname = "hub"\nrepositories = ["ada-example/kettle"]\n'
NOW = datetime(2026, 5, 25, 17, tzinfo=UTC)


def told(folder, monkeypatch, capsys, days: float, window: str = "day", *flags: str) -> tuple[object, str]:
    """What `monitor status` says so many days after the last good reading of a repository."""
    at = NOW - timedelta(days=days)
    configured = made.settings(folder, ONE_REPOSITORY)
    views = Count("github/ada-example/kettle", "views", window, at.date(), 3, definition="views")
    with Store(folder / "presence.db") as store:
        ids = sources.sync(store, configured, NOW - timedelta(days=40))
        readings.save(store, ids["hub"], made.reading(at=at, counts=[views], body=""))
    monkeypatch.setattr("monitor.times.utc_now", lambda: NOW)
    monkeypatch.setattr("sys.argv", ["monitor", "--config", str(folder / "config.toml"), "status", *flags])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code, capsys.readouterr().out


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (10, "the last was read 10 days ago, 4 days are left."),
        (11.9, "the last was read 11 days ago, 3 days are left."),
        (13, "the last was read 13 days ago, 1 day is left."),
        (14, "the last was read 14 days ago, the last is being lost."),
        (15, "the last was read 15 days ago, 1 day is lost."),
        (20, "the last was read 20 days ago, 6 days are lost."),
    ],
)
def test_status_says_when_days_of_traffic_are_about_to_be_lost(tmp_path, monkeypatch, capsys, days, said):
    code, out = told(tmp_path, monkeypatch, capsys, days)
    assert f"    GitHub keeps traffic for 14 days: {said}" in out.splitlines()
    assert code == 1  # though its newest reading is a good one
    assert said in told(tmp_path, monkeypatch, capsys, days, "day", "--check")[1]


@pytest.mark.parametrize(("days", "window"), [(9.9, "day"), (11, "now"), (0, "day")])
def test_status_is_silent_in_time_and_where_no_traffic_was_ever_read(tmp_path, monkeypatch, capsys, days, window):
    code, out = told(tmp_path, monkeypatch, capsys, days, window)
    assert "keeps traffic" not in out
    assert code == 0


@pytest.mark.parametrize("days", [3, 11])
def test_doctor_says_so_too(tmp_path, monkeypatch, capsys, days):
    told(tmp_path, monkeypatch, capsys, days)
    configured = made.settings(tmp_path, ONE_REPOSITORY)
    found = list(examine(configured, configured.sources, environ={}, offline=True, clock=lambda: NOW))
    said = [finding for finding in found if "keeps traffic" in finding.said]
    assert [(one.what, one.step) for one in said] == [("source hub", "read it now: monitor check hub")] * (days > 10)


def test_what_is_not_kept_for_some_days_only_is_never_lost():
    assert losing("", 0, NOW - timedelta(days=900), NOW) == ""
