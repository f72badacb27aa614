"""Profile sources over an interface: each of read, zero, rounded, missing, hidden, gone and refused is told apart."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collect import Task, collect
from monitor.model import (
    Blocked,
    Capture,
    Context,
    Count,
    Exchange,
    Http,
    LayoutChanged,
    Measure,
    Outcome,
    Parsed,
    Reading,
    Secret,
    Series,
    Source,
    Trigger,
)
from monitor.sources import load
from monitor.sources.profiles.bluesky import Bluesky
from monitor.sources.profiles.devto import DevTo
from monitor.sources.profiles.hackernews import HackerNews
from monitor.sources.profiles.mastodon import Mastodon
from monitor.sources.profiles.orcid import Orcid
from monitor.sources.profiles.stackexchange import StackExchange
from monitor.sources.profiles.youtube import YouTube
from tests import made
from tests.conftest import PAGES

Cases = Callable[[str], Path]
TODAY = date(2026, 5, 25)
NOW = datetime(2026, 5, 25, 17, tzinfo=UTC)
CTX = Context(now=NOW, day=TODAY)
KEY = Secret(env="K")
DID = "did:plc:adaexampleadaexample1"
CHANNEL = "UCadaexampleadaexampleaa"
SOURCES: dict[str, Any] = {
    "stackexchange": StackExchange(user=7),
    "devto": DevTo("ada", KEY),
    "youtube": YouTube("@ada", KEY),
    "mastodon": Mastodon("@ada@social.example.org"),
    "bluesky": Bluesky("ada.example.org"),
    "hackernews": HackerNews("ada"),
    "orcid": Orcid("0000-0002-1825-0097"),
}
CLASSES = {kind: type(source) for kind, source in SOURCES.items()}


def shown(request: Http) -> str:
    query = "&".join(f"{name}={'***' if isinstance(value, Secret) else value}" for name, value in request.params)
    return f"{request.url}?{query}" if query else request.url


def first(source: Source) -> Http:
    (request,) = source.requests(CTX)
    assert isinstance(request, Http)
    return request


def page(kind: str, name: str) -> bytes:
    return (PAGES / kind / name).read_bytes()


def parse(source: Source, body: bytes, status: int = 200, asked: str = "", ctx: Context = CTX) -> Parsed:
    asked = asked or shown(first(source))
    return source.parse(Capture(body, "application/json", "utf-8", status, asked, asked), ctx)


def twin(kind: str, name: str, status: int = 200, source: Source | None = None) -> Parsed:
    return parse(source or SOURCES[kind], page(kind, name), status)


def values(records: Iterable[object]) -> dict[str, Any]:
    """Profile and metric to value, or to the state where there is none; numbers not exact say so."""
    found: dict[str, Any] = {}
    for count in records:
        assert isinstance(count, Count)
        assert count.day == TODAY
        assert count.definition
        assert count.overlap == "newest"
        key = f"{count.profile} {count.metric} {count.window}"
        assert key not in found
        value: Any = count.state if count.value is None else count.value
        found[key] = value if count.precision == "exact" else (value, count.precision)
    return found


def read(source: Source, *answers: tuple[int, bytes]) -> tuple[Reading, list[str]]:
    """A whole attempt over these answers, and what was asked."""
    asked: list[str] = []
    left = iter(answers)

    def ask(request: Http, n: int) -> Exchange:
        asked.append(shown(request))
        status, body = next(left)
        capture = Capture(body, "application/json", "utf-8", status, asked[-1], asked[-1])
        return Exchange(n=n, asked=asked[-1], ms=1, status=status, url=asked[-1], capture=capture)

    task = Task("it", source, NOW, TODAY, Trigger.MANUAL)
    (reading,) = collect(task, ask, lambda _: iter(()), lambda: NOW)
    assert next(left, None) is None, "not all was asked"
    return reading, [url.partition("//")[2] for url in asked]


# --- what is asked, and the config ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("stackexchange", "https://api.stackexchange.com/2.3/users/7?site=stackoverflow"),
        ("devto", "https://dev.to/api/articles/me/published?page=1&per_page=1000"),
        ("youtube", "https://www.googleapis.com/youtube/v3/channels?part=id,statistics&forHandle=@ada"),
        ("mastodon", "https://social.example.org/api/v1/accounts/lookup?acct=ada"),
        ("bluesky", "https://public.api.bsky.app/xrpc/app.bsky.actor.getProfile?actor=ada.example.org"),
        ("hackernews", "https://hacker-news.firebaseio.com/v0/user/ada.json"),
        ("orcid", "https://pub.orcid.org/v3.0/0000-0002-1825-0097/works"),
    ],
)
def test_what_each_asks_and_that_a_replay_server_can_stand_in_its_place(kind: str, url: str) -> None:
    assert shown(first(SOURCES[kind])) == url
    fields = {"user": 7} if kind == "stackexchange" else {}
    for name in ("user", "channel", "account", "id"):
        if kind != "stackexchange" and hasattr(SOURCES[kind], name):
            fields[name] = getattr(SOURCES[kind], name)
    there = CLASSES[kind](**fields, url="http://127.0.0.1:8080/there/")
    assert shown(first(there)).startswith("http://127.0.0.1:8080/there/")
    assert "//" not in shown(first(there)).removeprefix("http://")
    assert load("profiles", kind) is CLASSES[kind]


def test_keys_go_by_name() -> None:
    assert dict(first(SOURCES["devto"]).headers)["api-key"] == KEY
    assert dict(first(SOURCES["youtube"]).headers)["X-Goog-Api-Key"] == KEY
    assert dict(first(StackExchange(user=7, key=KEY)).params)["key"] == KEY
    assert "key" not in dict(first(SOURCES["stackexchange"]).params)


@pytest.mark.parametrize(
    ("kind", "name", "subject"),
    [
        ("stackexchange", "stackoverflow-7", "stackoverflow/7"),
        ("devto", "ada", "ada"),
        ("youtube", "ada", "@ada"),
        ("mastodon", "ada-social.example.org", "ada@social.example.org"),
        ("bluesky", "ada.example.org", "ada.example.org"),
        ("hackernews", "ada", "ada"),
        ("orcid", "0000-0002-1825-0097", "0000-0002-1825-0097"),
    ],
)
def test_each_is_a_series_of_its_own(kind: str, name: str, subject: str) -> None:
    ((part, source),) = SOURCES[kind].split()
    assert (part, source) == (name, SOURCES[kind])
    assert (source.series().provider, source.series().subject) == (kind, subject)


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("stackexchange", {}, "wants a user"),
        ("stackexchange", {"user": 7, "account": 8}, "wants a user"),
        ("stackexchange", {"user": -7}, "wants a user"),
        ("stackexchange", {"user": 7, "site": "https://stackoverflow.com"}, "site is a short name"),
        ("stackexchange", {"account": 7, "sites": 51}, "sites is 0 to 50"),
        ("devto", {"user": "@ada"}, "user is a DEV user name"),
        ("youtube", {"channel": "ada"}, "channel is an id"),
        ("youtube", {"channel": "https://www.youtube.com/@ada"}, "channel is an id"),
        ("mastodon", {"account": "ada"}, 'written "@name@server"'),
        ("mastodon", {"account": "@ada@social.example.org/x"}, 'written "@name@server"'),
        ("bluesky", {"account": "ada"}, "account is a handle"),
        ("hackernews", {"user": "ada/x"}, "user is a Hacker News user name"),
        ("orcid", {"id": "0000-0002-1825-0098"}, "id is an ORCID iD"),
        ("orcid", {"id": "https://orcid.org/0000-0002-1825-0097"}, "id is an ORCID iD"),
    ],
)
def test_a_mistake_in_the_config_is_named(kind: str, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CLASSES[kind](**fields)


@pytest.mark.parametrize("kind", SOURCES)
def test_the_example_in_the_documentation_works_as_it_stands(kind: str, tmp_path: Path) -> None:
    lines = inspect.cleandoc(CLASSES[kind].__doc__ or "").splitlines()
    configured = made.settings(tmp_path, "\n".join(line for line in lines if line.startswith("    ")) + "\n")
    assert [source.source.kind for source in configured.sources] == [kind]


# --- what is read: numbers, zeros, missing, hidden, rounded, gone --------------------------------------------------

SO, DEV, HN = "stackexchange/stackoverflow/7", "devto/ada", "hackernews/ada"
YT, BSKY, ORCID = f"youtube/{CHANNEL}", f"bluesky/{DID}", "orcid/0000-0002-1825-0097"
MASTODON = "mastodon/ada@social.example.org"


@pytest.mark.parametrize(
    ("kind", "name", "status", "expected"),
    [
        ("stackexchange", "ok.json", 200, {f"{SO} reputation now": 1234}),
        ("stackexchange", "missing.json", 200, {f"{SO} reputation now": "missing"}),
        (
            "stackexchange",
            "gone.json",
            200,
            {f"{SO} reputation now": "gone", f"{SO} profile_views total": "gone"},
        ),
        (
            "devto",
            "ok.json",
            200,
            {
                f"{DEV}/31 page_views total": 40,
                f"{DEV}/32 page_views total": 0,
                f"{DEV} page_views total": 40,
                f"{DEV} reactions total": 3,
                f"{DEV} comments total": 1,
                f"{DEV} posts now": 2,
            },
        ),
        (
            "devto",
            "missing.json",
            200,
            {
                f"{DEV}/31 page_views total": 40,
                f"{DEV}/32 page_views total": "missing",
                f"{DEV} page_views total": "missing",
                f"{DEV} reactions total": 3,
                f"{DEV} comments total": 1,
                f"{DEV} posts now": 2,
            },
        ),
        (
            "devto",
            "empty.json",
            200,
            {
                f"{DEV} page_views total": "missing",
                f"{DEV} reactions total": "missing",
                f"{DEV} comments total": "missing",
                f"{DEV} posts now": 0,
            },
        ),
        (
            "youtube",
            "ok.json",
            200,
            {f"{YT} subscribers now": (1230, "rounded"), f"{YT} views total": 98765, f"{YT} posts now": 0},
        ),
        (
            "youtube",
            "small.json",
            200,
            {f"{YT} subscribers now": 999, f"{YT} views total": 98765, f"{YT} posts now": 4},
        ),
        (
            "youtube",
            "hidden.json",
            200,
            {f"{YT} subscribers now": "hidden", f"{YT} views total": 98765, f"{YT} posts now": 4},
        ),
        (
            "youtube",
            "missing.json",
            200,
            {f"{YT} subscribers now": "missing", f"{YT} views total": "missing", f"{YT} posts now": "missing"},
        ),
        *(
            (
                "youtube",
                name,
                status,
                dict.fromkeys([f"youtube/@ada {m}" for m in ("subscribers now", "views total", "posts now")], "gone"),
            )
            for name, status in (("gone.json", 200), ("not-found.json", 404))
        ),
        (
            "mastodon",
            "ok.json",
            200,
            {f"{MASTODON} followers now": 41, f"{MASTODON} following now": 0, f"{MASTODON} posts now": 300},
        ),
        (
            "mastodon",
            "missing.json",
            200,
            {f"{MASTODON} followers now": "missing", f"{MASTODON} following now": 7, f"{MASTODON} posts now": 300},
        ),
        (
            "mastodon",
            "hidden.json",
            200,
            {f"{MASTODON} followers now": "hidden", f"{MASTODON} following now": 7, f"{MASTODON} posts now": 300},
        ),
        *(
            (
                "mastodon",
                name,
                status,
                dict.fromkeys([f"{MASTODON} {metric} now" for metric in ("followers", "following", "posts")], "gone"),
            )
            for name, status in (("gone.json", 404), ("gone.json", 410), ("suspended.json", 200))
        ),
        (
            "bluesky",
            "ok.json",
            200,
            {f"{BSKY} followers now": 12, f"{BSKY} following now": 0, f"{BSKY} posts now": 99},
        ),
        (
            "bluesky",
            "missing.json",
            200,
            dict.fromkeys([f"{BSKY} {metric} now" for metric in ("followers", "following", "posts")], "missing"),
        ),
        *(
            (
                "bluesky",
                name,
                400,
                dict.fromkeys(
                    [f"bluesky/ada.example.org {m} now" for m in ("followers", "following", "posts")], "gone"
                ),
            )
            for name in ("gone.json", "suspended.json", "deactivated.json")
        ),
        ("hackernews", "ok.json", 200, {f"{HN} karma now": -3, f"{HN} posts now": 3}),
        ("hackernews", "missing.json", 200, {f"{HN} karma now": "missing", f"{HN} posts now": "missing"}),
        ("hackernews", "gone.json", 200, {f"{HN} karma now": "gone", f"{HN} posts now": "gone"}),
        ("orcid", "ok.json", 200, {f"{ORCID} works now": 3}),
        ("orcid", "empty.json", 200, {f"{ORCID} works now": 0}),
        ("orcid", "gone.json", 404, {f"{ORCID} works now": "gone"}),
        ("orcid", "deactivated.json", 409, {f"{ORCID} works now": "gone"}),
        ("orcid", "locked.json", 409, {f"{ORCID} works now": "hidden"}),
    ],
)
def test_what_an_answer_says(kind: str, name: str, status: int, expected: dict[str, Any]) -> None:
    parsed = twin(kind, name, status)
    assert values(parsed.records) == expected
    assert not parsed.doubt


@pytest.mark.parametrize(
    ("kind", "name", "note"),
    [
        ("bluesky", "renamed.json", "bluesky/ada.example.org is now called countess.example.org"),
        ("mastodon", "moved.json", f"{MASTODON} has moved to ada@elsewhere.example.org"),
        ("orcid", "merged.json", f"{ORCID} is now 0000-0001-5109-3700"),
    ],
)
def test_a_rename_is_told_in_the_readings_note_and_the_numbers_stand(kind: str, name: str, note: str) -> None:
    reading, _ = read(SOURCES[kind], (200, page(kind, name)))
    assert (reading.outcome, reading.note) == (Outcome.OK, note)
    assert reading.records


def test_an_account_known_by_its_did_or_id_has_no_other_name() -> None:
    by_did = Bluesky(DID)
    assert not twin("bluesky", "renamed.json", source=by_did).note
    assert set(values(twin("bluesky", "renamed.json", source=by_did).records)) == set(
        values(twin("bluesky", "ok.json").records)
    )
    with pytest.raises(LayoutChanged):
        twin("bluesky", "ok.json", source=Bluesky("did:plc:somebodyelse"))
    assert "id=" + CHANNEL in shown(first(YouTube(CHANNEL, KEY)))
    with pytest.raises(LayoutChanged, match="not the one asked for"):
        twin("youtube", "ok.json", source=YouTube("UC" + "x" * 22, KEY))


# --- what is refused, and what is not understood -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "status", "outcome", "reason"),
    [
        ("stackexchange", "blocked.json", 400, Outcome.BLOCKED, "rate_limited"),
        ("stackexchange", "blocked.json", 200, Outcome.BLOCKED, "rate_limited"),
        ("stackexchange", "denied.json", 400, Outcome.BLOCKED, "denied"),
        ("stackexchange", "bad.json", 400, Outcome.FAILED, "bad_request"),
        ("devto", "blocked.json", 401, Outcome.BLOCKED, "denied"),
        ("devto", "blocked.json", 429, Outcome.BLOCKED, "rate_limited"),
        ("youtube", "blocked.json", 403, Outcome.BLOCKED, "rate_limited"),
        ("youtube", "blocked.json", 429, Outcome.BLOCKED, "rate_limited"),
        ("youtube", "denied.json", 400, Outcome.BLOCKED, "denied"),
        ("youtube", "forbidden.json", 403, Outcome.BLOCKED, "denied"),
        ("youtube", "bad.json", 400, Outcome.FAILED, "bad_request"),
        ("mastodon", "blocked.json", 401, Outcome.BLOCKED, "denied"),
        ("mastodon", "blocked.json", 429, Outcome.BLOCKED, "rate_limited"),
        ("mastodon", "blocked.json", 404, Outcome.CHANGED, "layout_unknown"),
        ("bluesky", "blocked.json", 429, Outcome.BLOCKED, "rate_limited"),
        ("bluesky", "bad.json", 400, Outcome.FAILED, "bad_request"),
        ("hackernews", "blocked.json", 401, Outcome.BLOCKED, "denied"),
        ("orcid", "blocked.json", 429, Outcome.BLOCKED, "rate_limited"),
        ("orcid", "blocked.json", 409, Outcome.CHANGED, "layout_unknown"),
        *((kind, "changed.json", 200, Outcome.CHANGED, "layout_unknown") for kind in SOURCES),
    ],
)
def test_a_refusal_or_a_fault_gives_no_number(kind: str, name: str, status: int, outcome: Outcome, reason: str) -> None:
    reading, _ = read(SOURCES[kind], (status, page(kind, name)))
    assert (reading.outcome, reading.reason, reading.records) == (outcome, reason, ())


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("status", [200, 400, 404, 409])
@pytest.mark.parametrize("body", [b"", b"3", b'"x"', b"{}", b"[3]", b"<html>Sign in</html>", b"[" * 100_000, b"\xff"])
def test_another_shape_is_never_a_number_nor_a_word(kind: str, status: int, body: bytes) -> None:
    reading, _ = read(SOURCES[kind], (status, body))
    assert reading.outcome in (Outcome.CHANGED, Outcome.FAILED)
    assert reading.reason != "parser_error"
    assert not reading.records


@pytest.mark.parametrize("bad", ["41", 41.5, True, -1, [41], 2**60])
@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [
        ("stackexchange", "ok.json", "reputation"),
        ("devto", "ok.json", "page_views_count"),
        ("mastodon", "ok.json", "followers_count"),
        ("bluesky", "ok.json", "postsCount"),
    ],
)
def test_a_number_in_another_form_is_not_guessed(kind: str, name: str, key: str, bad: object) -> None:
    data = json.loads(page(kind, name))
    row = data["items"][0] if isinstance(data, dict) and "items" in data else data
    (row[0] if isinstance(row, list) else row)[key] = bad
    with pytest.raises(LayoutChanged, match=key):
        parse(SOURCES[kind], json.dumps(data).encode())


@pytest.mark.parametrize("bad", ["1.2K", "", "-3", "41.0", "٤١", 41.5, True, "9" * 17])
def test_youtubes_numbers_are_digits_or_nothing(bad: object) -> None:
    data = json.loads(page("youtube", "ok.json"))
    data["items"][0]["statistics"]["viewCount"] = bad
    with pytest.raises(LayoutChanged, match="viewCount"):
        parse(SOURCES["youtube"], json.dumps(data).encode())


SOME_KEYS = (
    *("items", "id", "user_id", "kind", "statistics", "acct", "did", "handle", "error", "error_id", "group", "path"),
    *("work-summary", "karma", "submitted", "page_views_count", "user", "backoff", "errors", "reputation"),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(SOME_KEYS),
            inner,
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(list(SOURCES)), json_values, st.sampled_from([200, 400, 403, 404, 409, 502]))
def test_whatever_comes_it_is_read_refused_or_changed(kind: str, data: object, status: int) -> None:
    try:
        parsed = parse(SOURCES[kind], json.dumps(data).encode(), status)
    except (Blocked, LayoutChanged):
        return
    assert parsed.records or parsed.doubt


@given(st.sampled_from(["users/7/associated", "filters/create", "users/7?site=math&filter=!a"]), json_values)
def test_so_it_is_with_every_further_question_to_stack_exchange(path: str, data: object) -> None:
    asked = f"https://api.stackexchange.com/2.3/{path}"
    for source in (StackExchange(account=7), StackExchange(user=7)):
        try:
            parsed = parse(source, json.dumps(data).encode(), asked=asked)
        except (Blocked, LayoutChanged):
            continue
        assert parsed.records or parsed.doubt or parsed.next or parsed.note


# --- Stack Exchange: views by a filter, politely -------------------------------------------------------------------


def se(name: str, **changes: Any) -> tuple[int, bytes]:
    return 200, json.dumps({**json.loads(page("stackexchange", name)), **changes}).encode()


def test_views_are_asked_with_a_filter_made_in_the_same_reading() -> None:
    reading, asked = read(SOURCES["stackexchange"], se("ok.json"), se("filter.json"), se("views.json"))
    assert asked == [
        "api.stackexchange.com/2.3/users/7?site=stackoverflow",
        "api.stackexchange.com/2.3/filters/create?include=user.view_count&base=default&unsafe=false",
        "api.stackexchange.com/2.3/users/7?site=stackoverflow&filter=!ada",
    ]
    assert values(reading.records) == {f"{SO} reputation now": 1234, f"{SO} profile_views total": 560}
    assert (reading.outcome, reading.note) == (Outcome.OK, "296 of 300 questions are left today")


def test_a_filter_of_ones_own_needs_one_question() -> None:
    reading, asked = read(StackExchange(user=7, filter="!own"), se("views.json"))
    assert asked == ["api.stackexchange.com/2.3/users/7?site=stackoverflow&filter=!own"]
    assert values(reading.records) == {f"{SO} reputation now": 1234, f"{SO} profile_views total": 560}


def test_views_that_were_asked_for_and_are_left_out_are_missing_and_why_is_said() -> None:
    reading, _ = read(SOURCES["stackexchange"], se("ok.json"), se("filter.json"), se("ok.json"))
    assert values(reading.records) == {f"{SO} reputation now": 1234, f"{SO} profile_views total": "missing"}
    assert "a filter must include user.view_count" in reading.records[1].definition  # type: ignore[union-attr]


@pytest.mark.parametrize("changes", [{"backoff": 10}, {"quota_remaining": 0}])
def test_a_pause_asked_for_ends_the_questions_and_keeps_what_was_read(changes: dict[str, int]) -> None:
    reading, asked = read(SOURCES["stackexchange"], se("ok.json", **changes))
    assert len(asked) == 1
    assert values(reading.records) == {f"{SO} reputation now": 1234}
    assert "asks for a pause" in reading.note


def test_a_refusal_later_in_a_reading_leaves_what_was_read_and_is_told() -> None:
    reading, _ = read(SOURCES["stackexchange"], se("ok.json"), (400, page("stackexchange", "blocked.json")))
    assert values(reading.records) == {f"{SO} reputation now": 1234}
    assert (reading.outcome, reading.note) == (Outcome.OK, "page 2: blocked, rate_limited")


def test_an_accounts_sites_and_the_views_on_those_of_most_reputation() -> None:
    other = json.loads(page("stackexchange", "views.json"))["items"][0] | {"user_id": 12, "view_count": 3}
    answers = [se("associated.json"), se("filter.json"), se("views.json"), se("views.json", items=[other])]
    reading, asked = read(StackExchange(account=41, sites=2), *answers)
    assert asked == [
        "api.stackexchange.com/2.3/users/41/associated?page=1&pagesize=100",
        "api.stackexchange.com/2.3/filters/create?include=user.view_count&base=default&unsafe=false",
        "api.stackexchange.com/2.3/users/7?site=stackoverflow&filter=!ada",
        "api.stackexchange.com/2.3/users/12?site=math&filter=!ada",
    ]
    assert values(reading.records) == {
        "stackexchange/math/12 reputation now": 101,
        "stackexchange/stackoverflow/7 reputation now": 1234,
        "stackexchange/mathoverflow.net/9 reputation now": 1,
        "stackexchange/stackoverflow/7 profile_views total": 560,
        "stackexchange/math/12 profile_views total": 3,
    }


def test_a_user_gone_from_one_site_does_not_hide_the_others() -> None:
    source = StackExchange(account=41, sites=2, filter="!own")
    other = json.loads(page("stackexchange", "views.json"))["items"][0] | {"user_id": 12, "view_count": 3}
    reading, _ = read(source, se("associated.json"), se("gone.json"), se("views.json", items=[other]))
    read_values = values(reading.records)
    assert read_values["stackexchange/stackoverflow/7 profile_views total"] == "gone"
    assert read_values["stackexchange/math/12 profile_views total"] == 3


def test_more_than_a_hundred_sites_are_read_to_the_end_and_none_is_gone() -> None:
    rows = json.loads(page("stackexchange", "associated.json"))["items"]
    reading, asked = read(
        StackExchange(account=41, sites=0),
        se("associated.json", items=rows[:2], has_more=True),
        se("associated.json", items=rows[2:]),
    )
    assert [url[-19:] for url in asked] == ["page=1&pagesize=100", "page=2&pagesize=100"]
    assert len(reading.records) == 3
    reading, _ = read(StackExchange(account=41), se("gone.json"))
    assert values(reading.records) == {"stackexchange/account/41 reputation now": "gone"}


def test_another_user_in_the_answer_is_not_believed() -> None:
    with pytest.raises(LayoutChanged, match="not the user 8"):
        twin("stackexchange", "ok.json", source=StackExchange(user=8))
    assert first(StackExchange(user=8, site="math.stackexchange.com")).params[0] == ("site", "math")


# --- DEV: pages, and an article taken back -------------------------------------------------------------------------


def articles(*numbers: int) -> tuple[int, bytes]:
    return 200, json.dumps([{"id": n, "title": "T", "page_views_count": 1} for n in numbers]).encode()


def followers(many: int) -> tuple[int, bytes]:
    return 200, json.dumps([{"id": n} for n in range(many)]).encode()


def test_pages_are_added_up_and_followers_counted() -> None:
    answers = [articles(*range(1000)), articles(1000), followers(1000), followers(5)]
    reading, asked = read(SOURCES["devto"], *answers)
    assert [url.rpartition("/")[2] for url in asked] == [
        "published?page=1&per_page=1000",
        "published?page=2&per_page=1000",
        "users?page=1&per_page=1000",
        "users?page=2&per_page=1000",
    ]
    found = values(reading.records)
    assert (found[f"{DEV} page_views total"], found[f"{DEV} posts now"]) == (1001, 1001)
    assert found[f"{DEV} followers now"] == 1005
    assert found[f"{DEV}/1000 page_views total"] == 1


def test_an_article_taken_back_lowers_the_total_and_no_articles_views() -> None:
    before, _ = read(SOURCES["devto"], (200, page("devto", "ok.json")), followers(0))
    after, _ = read(
        SOURCES["devto"], (200, json.dumps(json.loads(page("devto", "ok.json"))[1:]).encode()), followers(0)
    )
    assert values(before.records)[f"{DEV} followers now"] == 0
    assert values(before.records)[f"{DEV} page_views total"] == 40
    assert values(after.records)[f"{DEV} page_views total"] == 0
    assert f"{DEV}/31 page_views total" not in values(after.records)


def test_a_page_that_fails_gives_no_part_for_the_whole() -> None:
    reading, _ = read(SOURCES["devto"], articles(*range(1000)), (429, b"later"))
    found = values(reading.records)
    assert len(found) == 1000
    assert f"{DEV} page_views total" not in found
    reading, _ = read(SOURCES["devto"], articles(1), followers(1000), (429, b"later"))
    assert f"{DEV} followers now" not in values(reading.records)
    assert reading.note == "page 3: blocked, rate_limited"


def test_more_followers_than_are_read_are_at_least_so_many() -> None:
    reading, asked = read(SOURCES["devto"], articles(1), *[followers(1000)] * 10)
    assert len(asked) == 11
    assert values(reading.records)[f"{DEV} followers now"] == (10_000, "at_least")


def test_an_article_listed_twice_is_not_counted_twice() -> None:
    reading, _ = read(SOURCES["devto"], articles(1, 1))
    assert (reading.outcome, reading.records) == (Outcome.CHANGED, ())


def test_another_author_in_the_answer_is_told() -> None:
    source = DevTo("bob", KEY)
    assert twin("devto", "ok.json", source=source).note == "devto/bob is called ada in the answer"
    assert not twin("devto", "ok.json", source=DevTo("Ada", KEY)).note


@pytest.mark.parametrize("group", [None, 3, [3], [{}], [{"work-summary": []}], [{"work-summary": 3}]])
def test_what_is_no_group_of_works_is_not_counted_as_a_work(group: object) -> None:
    body = json.dumps({"group": group, "path": "/0000-0002-1825-0097/works"}).encode()
    with pytest.raises(LayoutChanged, match="no list of works"):
        parse(SOURCES["orcid"], body)


# --- an answer that only leads on to the next ----------------------------------------------------------------------


@dataclass(frozen=True)
class Stairs(Source):
    """The first answer holds no number, only the way to the second."""

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "stairs"
    url: str = "http://127.0.0.1:1/a"

    def series(self) -> Series:
        return Series()

    def requests(self, ctx: Context) -> Iterable[Http]:
        yield Http(self.url)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        if ctx.page == 1:
            return Parsed(next=Http(self.url))
        return Parsed((Count("it", "works", "now", ctx.day, 3, definition="works"),), note="seen")


def test_what_only_leads_on_is_no_reading_by_itself() -> None:
    reading, _ = read(Stairs(), (200, b"first"), (200, b"second"))
    assert (reading.outcome, values(reading.records), reading.note) == (Outcome.OK, {"it works now": 3}, "seen")
    reading, _ = read(Stairs(), (200, b"first"), (403, b"no"))
    assert (reading.outcome, reading.reason, reading.records) == (Outcome.BLOCKED, "denied", ())


# --- real answers --------------------------------------------------------------------------------------------------


def real(cases: Cases, name: str) -> bytes:
    return cases(f"profiles/{name}").read_bytes()


def test_real_stack_exchange(cases: Cases) -> None:
    johann = StackExchange(user=8583669)
    default = real(cases, "stackexchange/user-2.2-default-filter.json")
    at = "stackexchange/stackoverflow/8583669"
    assert values(parse(johann, default).records) == {f"{at} reputation now": 7327}
    filtered = StackExchange(user=8583669, filter="!own")
    assert values(parse(filtered, default).records)[f"{at} profile_views total"] == "missing"
    example = json.loads(real(cases, "stackexchange/user-type-doc-example.json"))
    parsed = parse(StackExchange(user=1, filter="!own"), json.dumps({"items": [example]}).encode())
    assert list(values(parsed.records).values()) == [9001, 1000]
    parsed = parse(StackExchange(account=1, sites=0), real(cases, "stackexchange/users-associated-2.2.json"))
    found = [value for key, value in values(parsed.records).items() if key.endswith("reputation now")]
    assert (len(found), sum(found)) == (30, 350938)


def test_real_youtube(cases: Cases) -> None:
    google = YouTube("UC_x5XG1OV2P6uZZ5FSM9Ttw", KEY)
    at = "youtube/UC_x5XG1OV2P6uZZ5FSM9Ttw"
    assert values(parse(google, real(cases, "youtube/channel_info_single.json")).records) == {
        f"{at} subscribers now": (1927873, "rounded"),
        f"{at} views total": 160361638,
        f"{at} posts now": 5026,
    }
    missing = values(parse(google, real(cases, "youtube/channel_info_no_statistics.json")).records)
    assert set(missing.values()) == {"missing"}
    several = real(cases, "youtube/channel_info_multi.json")
    assert parse(google, several).records
    with pytest.raises(LayoutChanged):
        parse(SOURCES["youtube"], several)


def test_real_mastodon(cases: Cases) -> None:
    source = Mastodon("@mastodonpy_test@social.example.org")
    found = values(parse(source, real(cases, "mastodon/account.json")).records)
    assert list(found.values()) == [0, 0, 0]  # a real zero each
    assert '{"error":"Record not found"}' in real(cases, "mastodon/mastodonpy_test_account_lookup.yaml").decode()


def test_real_bluesky(cases: Cases) -> None:
    parsed = parse(Bluesky("alice.test"), real(cases, "bluesky/profile-own.json"))
    assert list(values(parsed.records).values()) == [2, 3, 4]
    assert not parsed.note


@pytest.mark.parametrize(("user", "karma", "posts"), [("jl", 2937, 256), ("simonw", 14637, 1)])
def test_real_hacker_news(cases: Cases, user: str, karma: int, posts: int) -> None:
    parsed = parse(HackerNews(user), real(cases, f"hackernews/user-{user}.json"))
    assert list(values(parsed.records).values()) == [karma, posts]


def test_devto_in_the_shape_of_its_own_view_file(cases: Cases) -> None:
    found = values(parse(DevTo("owner", KEY), real(cases, "devto/articles_me.json")).records)
    assert found["devto/owner page_views total"] == 1275
    assert found["devto/owner/1544 page_views total"] == 1234
