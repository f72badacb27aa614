"""Any number of any page: read from where the owner said, or the reason why there is none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.attempt import Attempts
from monitor.collect import Task, collect
from monitor.config_errors import ConfigError
from monitor.model import Capture, Context, Exchange, Outcome, Reading, Trigger
from monitor.sources.profiles.any_number import BY_SCRIPT, AnyNumber
from monitor.store import sources
from monitor.store.connection import Store
from tests.made import DAY, NOW, answering, settings
from tests.replay import Answer, Replay, Route

URL = "https://forum.example.org/u/jane"
SHELL = '<html><body><div id="app"></div><script src="/app.js"></script></body></html>'
TEXT = "<p>Jane writes about old clocks, and how to mend them.</p>" * 20
PAGE = f"""<html><head><script>var x = "y";</script></head><body><h1>Jane</h1>
<div class="stats"><b class="followers" data-exact="5,740">6K <i>followers</i></b>
<span class="like">12</span> <span class="like">7</span> <em class="twice">31</em> <em class="twice">31</em>
<u class="empty"></u> <s class="words">No views</s></div>
<p>Seen 1,234 times, 3 Tsd. more, = 4 567 vues</p><p><b class="apart">1.2</b> <i>K</i> <b class="far">8</b> million
<b class="near">9</b> members, <b class="alone">10</b></p>{TEXT}</body></html>"""


def source(**given: str) -> AnyNumber:
    return AnyNumber(**{"url": URL, "profile": "forum/jane", "metric": "followers", "locale": "en", **given})  # type: ignore[arg-type]


def reading(
    body: str | bytes, media_type: str = "text/html", *, status: int = 200, at: str = URL, **given: str
) -> Reading:
    """The reading that such an answer makes."""
    raw = body.encode() if isinstance(body, str) else body
    capture = Capture(raw, media_type, "", status, asked=URL, url=at)
    exchange = Exchange(n=1, asked=URL, ms=1, status=status, url=at, capture=capture)
    task = Task("forum", source(**given), NOW, DAY, Trigger.MANUAL)
    (made,) = collect(task, answering(exchange), lambda request: iter(()), lambda: NOW)
    return made


def read(body: str | bytes, media_type: str = "text/html", **given: str) -> tuple[object, str]:
    made = reading(body, media_type, **given)
    assert made.outcome is Outcome.OK, made.advice
    (count,) = made.records
    assert (count.profile, count.metric, count.day) == ("forum/jane", "followers", DAY)  # type: ignore[union-attr]
    return count.value, count.precision  # type: ignore[union-attr]


# --- what is read --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ({"css": ".followers"}, (6000, "rounded")),
        ({"css": ".followers", "attribute": "data-exact"}, (5740, "exact")),
        ({"css": ".followers::attr(data-exact)"}, (5740, "exact")),
        ({"xpath": "//b[@class='followers']/@data-exact"}, (5740, "exact")),
        ({"xpath": "count(//span[@class='like'])"}, (2, "exact")),
        ({"css": ".near"}, (9, "exact")),
        ({"css": ".alone"}, (10, "exact")),
        ({"regex": r"(\d+)</b> members"}, (9, "exact")),
        ({"css": ".twice"}, (31, "exact")),  # the same said twice is said once
        ({"regex": r"Seen ([\d,]+) times"}, (1234, "exact")),
        ({"regex": r"\d+K"}, (6000, "rounded")),
    ],
)
def test_a_number_of_a_page(given: dict[str, str], number: tuple[object, str]) -> None:
    assert read(PAGE, **given) == number


@pytest.mark.parametrize(
    ("data", "expression", "number"),
    [
        ({"user": {"followers": 5740}}, "user.followers", (5740, "exact")),
        ({"user": {"score": 4.5}}, "user.score", (4.5, "exact")),
        ({"user": {"followers": "1.2K"}}, "user.followers", (1200, "rounded")),
        ({"stats": [{"n": "views", "v": 7}, {"n": "likes", "v": 9}]}, "stats[?n=='likes'].v", (9, "exact")),
        ([1, 2, 3], "length(@)", (3, "exact")),
        ({"n": 0}, "n", (0, "exact")),
    ],
)
def test_a_number_of_a_json_answer(data: object, expression: str, number: tuple[object, str]) -> None:
    assert read(json.dumps(data), "application/json", jmespath=expression) == number


def test_entities_in_what_a_regex_finds_are_blanks() -> None:
    assert read("<html>1&nbsp;234 vues</html>", regex=r"(\d\S+) vues", locale="fr") == (1234, "exact")


# --- what is not read, and why -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "reason", "said"),
    [
        ({"css": ".none"}, "selector_nothing", "nothing matches"),
        ({"css": ".empty"}, "selector_nothing", BY_SCRIPT),  # its place is there, and there are scripts
        ({"css": ".followers", "attribute": "title"}, "selector_nothing", "nothing matches"),
        ({"css": ".like"}, "selector_several", '2 matches: "12", "7"'),
        ({"css": ".words"}, "not_a_number", "no digits"),
        ({"css": ".followers::attr(data-exact)", "locale": ""}, "not_a_number", "say which with locale"),
        ({"jmespath": "a"}, "selector_nothing", "look for its JSON address"),
        ({"regex": r"(\d+)K"}, "not_a_number", '"6" is a part of "6K"'),
        ({"regex": r"(\d+) times"}, "not_a_number", '"234" is a part of "1,234"'),
        ({"regex": r"(\d+) Tsd"}, "not_a_number", '"3" is a part of "3 Tsd"'),
        ({"regex": r"(\d+) vues"}, "not_a_number", '"567" is a part of "4 567"'),
        ({"regex": r"= (\d+)"}, "not_a_number", '"4" is a part of "4 567"'),
        ({"css": ".apart"}, "not_a_number", '"1.2" is a part of "1.2 K"'),
        ({"css": ".far"}, "not_a_number", '"8" is a part of "8 million"'),
        ({"regex": r"Seen (\d+)"}, "not_a_number", '"1" is a part of "1,234"'),
    ],
)
def test_a_page_without_the_number_says_why(given: dict[str, str], reason: str, said: str) -> None:
    made = reading(PAGE, **given)
    assert (made.outcome, made.reason, made.records) == (Outcome.CHANGED, reason, ())
    assert said in made.advice
    assert "monitor try" in made.advice


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"a": null}', "selector_nothing"),
        ("{}", "selector_nothing"),
        ('{"a": true}', "not_a_number"),
        ('{"a": {"b": 1}}', "not_a_number"),
        ('{"a": [1, 2]}', "selector_several"),
        ('{"a": NaN}', "not_a_number"),
        ('{"a": 1e999}', "not_a_number"),
        ('{"a": 99999999999999999999}', "not_a_number"),
        ('{"a": "12%"}', "not_a_number"),
    ],
)
def test_a_json_answer_without_the_number_says_why(body: str, reason: str) -> None:
    made = reading(body, "application/json", jmespath="a")
    assert (made.outcome, made.reason, made.records) == (Outcome.CHANGED, reason, ())


def test_css_on_json_is_told_apart() -> None:
    assert "use jmespath" in reading('{"a": 1}', "application/json", css="b").advice


def test_a_page_built_by_scripts_gets_the_hint() -> None:
    made = reading(SHELL, css=".followers")
    assert (made.outcome, made.reason) == (Outcome.CHANGED, "selector_nothing")
    assert BY_SCRIPT in made.advice


CHALLENGE = "<html><title>Just a moment...</title><body>Ray 8123<script>window._cf_chl_opt={}</script></body></html>"


@pytest.mark.parametrize(
    ("body", "at", "reason"),
    [
        (CHALLENGE, URL, "challenge"),
        ('<html><body>Are you human? 42<div class="g-recaptcha"></div></body></html>', URL, "captcha"),
        ('<html><body>42<form action="https://consent.example.org/save"></form></body></html>', URL, "consent"),
        ('<html><body>Sign in<form><input type="password"></form></body></html>', URL, "login_page"),
        ("<html><body>42</body></html>", "https://forum.example.org/login?next=/u/jane", "login_page"),
        ("<html><body>42</body></html>", "https://forum.example.org/users/sign_in", "login_page"),
    ],
)
def test_a_refusal_gives_no_number_even_where_one_stands_in_it(body: str, at: str, reason: str) -> None:
    made = reading(body, at=at, regex=r"\d{2,}")
    assert (made.outcome, made.reason, made.records) == (Outcome.BLOCKED, reason, ())
    assert made.advice


def test_the_marks_of_a_refusal_on_a_good_page_are_no_refusal() -> None:
    marked = PAGE.replace("</body>", '<div class="g-recaptcha"></div><input type="password"></body>')
    assert read(marked, css=".followers") == (6000, "rounded")
    small = '<html><body>42<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script></body></html>'
    assert read(small, css="body") == (42, "exact")


def test_a_picture_is_no_page() -> None:
    made = reading(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png", css="a")
    assert (made.outcome, made.reason) == (Outcome.CHANGED, "layout_unknown")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"<" * 100_000,
        b"<p " + b" ".join(b"a%d=1" % n for n in range(100_000)) + b">",
        b"<b>" * 50_000 + b"5",
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ],
)
@pytest.mark.parametrize("given", [{"css": "b"}, {"xpath": "//b"}, {"regex": r"\d+"}, {"jmespath": "a.b"}])
def test_garbage_is_no_number_and_no_fault(body: bytes, given: dict[str, str]) -> None:
    made = reading(body, **given)
    assert made.reason != "parser_error", made.note
    assert made.outcome is not Outcome.OK or given == {"regex": r"\d+"} or b"5" in body


def test_a_regex_that_goes_back_and_forth_is_stopped() -> None:
    started = time.monotonic()
    made = reading("<html>" + "a" * 50 + "</html>", regex=r"(a|aa)+(a|aa)+x")
    assert time.monotonic() - started < 60  # for ever without the bound
    assert made.reason == "selector_nothing"
    assert "make it simpler" in made.advice


def test_a_stranger_s_text_cannot_steer_the_terminal() -> None:
    made = reading('<html><b class="x">\x1b[2J\u202eno \x9b5n</b></html>', css=".x")
    assert made.advice.isprintable()


# --- the config ----------------------------------------------------------------------------------------------------


BLOCK = '[[profiles]]\nkind = "any_number"\nurl = "{url}"\nprofile = "forum/jane"\nmetric = "followers"\n'


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ('css = "a["', "css is not understood"),
        ('css = "a::nothing"', "css is not understood"),
        ('xpath = "//a["', "xpath is not understood"),
        ('xpath = "$x"', "xpath is not understood"),
        ('regex = "("', "regex is not understood"),
        ('jmespath = "a["', "jmespath is not understood"),
        ("", "0 are set"),
        ('css = "a"\nregex = "b"', "2 are set"),
        ('regex = "a"\nattribute = "b"', "attribute goes with css or xpath"),
        ('css = "a"\nlocale = "english"', "locale is a language"),
        ('css = "a"\nwindow = "week"', "window is"),
        ('css = "a"\nheader = "X Y"', "header is the name"),
        ('css = "a"\nmetrik = "b"', 'did you mean "metric"'),
    ],
)
def test_a_mistake_in_the_block_is_said(tmp_path: Path, extra: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(tmp_path, BLOCK.format(url=URL) + extra)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.linkedin.com/in/jane",
        "https://linkedin.com",
        "http://de.LinkedIn.com./in/jane",
        "https://linkedin.com:443/x",
        "https://lnkd.in/abc",
    ],
)
def test_linkedin_is_refused_with_the_way_that_is_left(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(tmp_path, BLOCK.format(url=url) + 'css = "a"')
    assert "linkedin.com is never asked" in str(error.value)
    assert "monitor import" in str(error.value)


@pytest.mark.parametrize(
    "url", ["ftp://example.org", "example.org", "https://", "https://u:p@example.org/", "https://a b/"]
)
def test_what_is_no_address_is_said(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="url"):
        settings(tmp_path, BLOCK.format(url=url) + 'css = "a"')


def test_names_of_hosts_like_linkedin_s_are_none(tmp_path: Path) -> None:
    for url in ("https://notlinkedin.com/", "https://linkedin.com.example.org/"):
        (one,) = settings(tmp_path, BLOCK.format(url=url) + 'css = "a"').sources
        assert one.name == "any_number/forum-jane-followers"


def test_where_it_is_read_may_change_and_the_series_goes_on() -> None:
    assert source(css="a").series() == source(xpath="//b", url="https://other.example.org/").series()
    assert source(css="a").series() != replace(source(css="a"), metric="views").series()


# --- asked for real ------------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Reading, Store, Replay]]]:
    """Serves routes, asks once with this block, and gives the reading, the history and the server."""
    monkeypatch.setenv("FORUM_KEY", "Bearer s3same")
    opened: list[Store | Replay] = []

    def serve(
        routes: dict[str, Route], extra: str = 'css = ".followers"\nlocale = "en"\n'
    ) -> tuple[Reading, Store, Replay]:
        server = Replay(routes).__enter__()
        made = settings(tmp_path, BLOCK.format(url=f"{server.url}/u/jane") + extra)
        store = Store(tmp_path / "presence.db").__enter__()
        opened.extend([server, store])
        (configured,) = made.sources
        ids = sources.sync(store, made, NOW)
        attempts = Attempts(made, store, clock=lambda: NOW, sleep=lambda seconds: None)
        ((_, reading),) = attempts.make(configured, ids[configured.name], NOW, DAY, Trigger.MANUAL)
        return reading, store, server

    yield serve
    for one in reversed(opened):
        one.__exit__(None, None, None)


def test_a_page_is_asked_once_and_stored_with_its_evidence(
    served: Callable[..., tuple[Reading, Store, Replay]],
) -> None:
    extra = 'css = ".followers"\nlocale = "de-CH"\nwindow = "total"\nkey = { env = "FORUM_KEY" }\nheader = "X-Key"\n'
    page = PAGE.replace("6K", "6\u2019543")
    reading, store, server = served({"/u/jane": Answer.html(page)}, extra)
    assert (reading.outcome, reading.reason) == (Outcome.OK, "")
    (asked,) = server.requests
    assert (asked.headers["x-key"], asked.headers["accept-language"]) == ("Bearer s3same", "de-CH")
    (row,) = store.rows("select * from profile_counts")
    assert (row["value"], row["precision"], row["window"], row["way"]) == (6543, "exact", "total", "page")
    assert store.rows("select capture_id from exchanges")[0]["capture_id"] is not None


def test_a_decimal_is_stored_as_one(served: Callable[..., tuple[Reading, Store, Replay]]) -> None:
    _, store, _ = served({"/u/jane": Answer.json({"score": 4.5})}, 'jmespath = "score"\n')
    assert store.rows("select value, precision from profile_counts") == [{"value": 4.5, "precision": "exact"}]


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (Answer.html("gone", 404), Outcome.FAILED, "not_found"),
        (Answer.html("no", 403), Outcome.BLOCKED, "denied"),
        (Answer.html("wait", 429), Outcome.BLOCKED, "rate_limited"),
        (Answer(200, b""), Outcome.FAILED, "empty_answer"),
        (Answer(200, b"<html>" + b"x" * 6_000_000), Outcome.FAILED, "too_large"),
        (Answer.html("<html>5</html>", **{"cf-mitigated": "challenge"}), Outcome.BLOCKED, "challenge"),
        (Answer.redirect("https://www.linkedin.com/in/jane"), Outcome.FAILED, "redirect"),
    ],
)
def test_an_answer_that_is_none_is_stored_as_that(
    served: Callable[..., tuple[Reading, Store, Replay]], answer: Answer, outcome: Outcome, reason: str
) -> None:
    reading, store, _ = served({"/u/jane": answer})
    assert (reading.outcome, reading.reason) == (outcome, reason)
    assert store.rows("select * from counts") == []


def test_a_page_that_leads_to_linkedin_does_not_take_us_there(
    served: Callable[..., tuple[Reading, Store, Replay]],
) -> None:
    reading, _, server = served({"/u/jane": Answer.redirect("https://lnkd.in/x", 307)})
    assert "linkedin.com, which is never asked" in reading.advice
    assert len(server.requests) == 1  # and the guard of the tests saw no other connection


def test_robots_that_is_obeyed_is_obeyed(served: Callable[..., tuple[Reading, Store, Replay]]) -> None:
    robots = Answer(200, b"User-agent: *\nDisallow: /u/\n", {"Content-Type": "text/plain"})
    extra = 'css = ".followers"\n[fetch]\nrobots = "obey"\n'
    reading, _, server = served({"/u/jane": Answer.html(PAGE), "/robots.txt": robots}, extra)
    assert (reading.outcome, reading.reason) == (Outcome.BLOCKED, "robots")
    assert [one.path for one in server.requests] == ["/robots.txt"]


def test_the_block_is_read_again_from_the_kept_page() -> None:
    ctx = Context(now=NOW, day=DAY)
    capture = Capture(PAGE.encode(), "text/html", asked=URL, url=URL)
    once, again = (source(css=".followers").parse(capture, ctx) for _ in range(2))
    assert once == again
    assert once.note == "rounded to 1000"
