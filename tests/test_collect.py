"""An attempt: how each answer ends, and that nothing but a trustworthy page gives a number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from monitor.collect import Task, collect
from monitor.model import (
    Batch,
    Capture,
    Context,
    Exchange,
    FetchFailed,
    Files,
    Http,
    Kind,
    LogCursor,
    NotAsked,
    Outcome,
    Parsed,
    Reading,
    Result,
    Trigger,
)
from monitor.reasons import REASONS
from monitor.sources.page_views.access_log import AccessLog
from tests.made import DAY, NOW, Toy, answering, exchange

GOOD = "http://a.example/1 http://b.example/2 http://c.example/3"


def attempt(*answers: Exchange | Exception, source: Toy | None = None) -> Reading:
    def no_files(request: Files) -> Iterator[None]:
        raise AssertionError

    task = Task("toy", source or Toy(), NOW, DAY, Trigger.SCHEDULE)
    (reading,) = collect(task, answering(*answers), no_files, lambda: NOW)  # type: ignore[arg-type]
    return reading


def places(reading: Reading) -> list[tuple[int | None, str]]:
    return [(r.position, r.url) for r in reading.records if isinstance(r, Result)]


def test_a_page_of_results_is_ok_with_the_depth_that_was_seen() -> None:
    reading = attempt(exchange(GOOD))
    assert (reading.outcome, reading.reason, reading.depth) == (Outcome.OK, "", 3)
    assert places(reading)[0] == (1, "http://a.example/1")


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (exchange("none"), "empty", "no_results"),
        (exchange("captcha"), "blocked", "captcha"),
        (exchange("?"), "changed", "layout_unknown"),
        (exchange(""), "failed", "empty_answer"),
        (exchange("bug"), "changed", "parser_error"),
        (exchange(GOOD, 202), "blocked", "challenge"),
        (exchange(GOOD, 429), "blocked", "rate_limited"),
        (exchange(GOOD, 403), "blocked", "denied"),
        (exchange(GOOD, 401), "blocked", "denied"),
        (exchange(GOOD, 404), "failed", "not_found"),
        (exchange(GOOD, 422), "failed", "bad_request"),
        (exchange(GOOD, 500), "failed", "server_error"),
        (exchange(GOOD, 304), "failed", "redirect"),
        (exchange(GOOD, url="http://toy.example/sorry/index"), "blocked", "captcha"),
        (exchange(GOOD, url="http://consent.toy.example/m"), "blocked", "consent"),
        (FetchFailed("timeout"), "failed", "timeout"),
        (FetchFailed("tls", "expired"), "failed", "tls"),
        (NotAsked("key_missing", "the environment variable K"), "missed", "key_missing"),
        (NotAsked("breaker", "2026-11-24T00:00:00Z"), "missed", "breaker"),
        (exchange(" ".join(f"http://spam.example/{n}" for n in range(6))), "suspect", "one_host"),
    ],
)
def test_every_other_answer_ends_as_what_it_is(answer: Exchange | Exception, outcome: str, reason: str) -> None:
    reading = attempt(answer)
    assert (str(reading.outcome), reading.reason) == (outcome, reason)
    assert REASONS[reason].outcome == outcome
    assert reading.advice.endswith(".")
    assert "{" not in reading.advice
    if outcome != "suspect":
        assert reading.records == ()
    if outcome not in ("empty", "suspect"):
        assert reading.depth is None


def test_results_that_have_nothing_to_do_with_the_query_are_suspect() -> None:
    decoys = " ".join(f"http://shop{n}.example/offer" for n in range(8))
    assert attempt(exchange(decoys), source=Toy(query="Zora Quill")).reason == "decoy"
    assert attempt(exchange(decoys)).outcome is Outcome.OK  # the titles hold the name


def test_a_parser_fault_keeps_its_traceback_and_the_page() -> None:
    reading = attempt(exchange("bug"))
    assert "ZeroDivisionError" in reading.note
    assert reading.exchanges[0].capture is not None


@pytest.mark.parametrize("reason", ["dns", "connection", "truncated"])
def test_a_passing_fault_is_asked_once_more_and_no_more(reason: str) -> None:
    assert attempt(FetchFailed(reason), exchange(GOOD)).outcome is Outcome.OK
    assert attempt(FetchFailed(reason), FetchFailed(reason)).reason == reason
    assert attempt(exchange("", 503), exchange(GOOD)).outcome is Outcome.OK
    assert attempt(exchange("", 503), exchange("", 503)).reason == "server_error"


def test_a_host_that_says_when_to_come_back_is_not_asked_again_at_once() -> None:
    busy = exchange("", 503)
    busy = replace(busy, headers={"retry-after": "60"})
    assert attempt(busy).reason == "server_error"  # a second question would raise StopIteration


def test_a_failure_after_a_redirect_is_told_of_the_host_where_it_happened() -> None:
    there = Exchange(1, "http://toy.example/", 5, url="http://elsewhere.example/x")
    assert "elsewhere.example" in attempt(*[FetchFailed("dns", "", there)] * 2).advice
    assert "toy.example" in attempt(FetchFailed("tls", "", Exchange(1, "", 5, url="http://toy.example/"))).advice
    assert "127.0.0.1 led to" in attempt(FetchFailed("forbidden_address", "10.0.0.1", there)).advice


@pytest.mark.parametrize("answer", [exchange("", 429), exchange("", 403), exchange("captcha"), FetchFailed("timeout")])
def test_a_refusal_is_never_asked_again(answer: Exchange | Exception) -> None:
    attempt(answer)  # a second question would raise StopIteration


def test_positions_count_on_over_pages_and_a_repeated_url_keeps_its_first_place() -> None:
    second = "http://d.example/4 http://a.example/1 ad:http://ad.example/x http://e.example/5"
    reading = attempt(exchange(GOOD), exchange(second, n=2), source=Toy(pages=2))
    assert reading.depth == 5
    organic = [place for place in places(reading) if place[0]]
    assert organic[-2:] == [(4, "http://d.example/4"), (5, "http://e.example/5")]
    blocks = [r.block for r in reading.records if isinstance(r, Result)]
    assert len(set(blocks)) == len(blocks)
    assert [r.kind for r in reading.records if isinstance(r, Result)].count(Kind.AD) == 1


def test_page_two_failing_leaves_what_page_one_showed() -> None:
    reading = attempt(exchange(GOOD), exchange("captcha", n=2), source=Toy(pages=2))
    assert (reading.outcome, reading.depth, reading.note) == (Outcome.OK, 3, "page 2: blocked, captcha")


def test_page_one_given_again_for_page_two_is_suspect() -> None:
    reading = attempt(exchange(GOOD), exchange(GOOD, n=2), source=Toy(pages=2))
    assert (reading.outcome, reading.reason) == (Outcome.SUSPECT, "same_page")


def test_a_page_that_says_there_is_nothing_is_empty_even_with_ads_and_a_page_of_ads_alone_is_not_understood() -> None:
    assert attempt(exchange("none ad:http://ad.example/x")).outcome is Outcome.EMPTY
    assert attempt(exchange("ad:http://ad.example/x")).reason == "layout_unknown"


def test_a_page_does_not_choose_whom_we_ask() -> None:
    class Led(Toy):
        def parse(self, capture: Capture, ctx: Context) -> Parsed:
            return replace(super().parse(capture, ctx), next=Http("http://127.0.0.1:22/"))

    reading = attempt(exchange(GOOD), source=Led(pages=2))
    assert (reading.outcome, reading.depth) == (Outcome.OK, 3)
    assert "another host" in reading.note


def line_file(name: str, text: bytes) -> Batch:
    cursor = LogCursor(name, 1, 1, len(text), 0, len(text))
    return Batch(Capture(text, place=f"{name} 0-{len(text)}"), None, cursor)


def test_a_log_in_an_unknown_format_is_said_and_holds_up_no_other() -> None:
    good = b'192.0.2.1 - - [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "Mozilla/5.0 (X11) Firefox/140.0"\n'
    batches = [line_file("access.log.1", b"what is this\n"), line_file("access.log", good)]
    task = Task("blog", AccessLog(), NOW, DAY, Trigger.SCHEDULE)
    readings = list(collect(task, answering(), lambda request: iter(batches), lambda: NOW))
    assert [(r.outcome, r.reason) for r in readings] == [(Outcome.OK, ""), (Outcome.CHANGED, "unknown_format")]
    assert "access.log.1" in readings[1].advice
    assert readings[0].rule == AccessLog().rule


@pytest.mark.parametrize(
    ("query", "answered", "outcome"),
    [
        ('"Ada Example"', "Ada Example", "suspect"),  # nothing matched, and it shows what matches without the quotes
        ('"Ada Example"', '"Ada Exampel"', "ok"),
        ("Ada Example", "Ada Exampel", "ok"),
        ('"Ada Example"', "", "ok"),
    ],
)
def test_a_quoted_name_silently_unquoted_gives_no_rank(query: str, answered: str, outcome: str) -> None:
    class Altering(Toy):
        def parse(self, capture: Capture, ctx: Context) -> Parsed:
            return replace(super().parse(capture, ctx), altered=answered)

    reading = attempt(exchange(GOOD), source=Altering(query=query))
    assert str(reading.outcome) == outcome
    assert reading.reason == ("query_altered" if outcome == "suspect" else "")
    assert ("query_altered" in reading.note) == bool(answered)
    assert len(reading.records) == 3
