from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.labels import WHOSE, Label, Origin, Whose, read_pattern, whose


def label(pattern: str, whose: Whose = "mine", origin: Origin = "config", day: int = 1) -> Label:
    return Label(pattern, read_pattern(pattern), whose, origin, datetime(2026, 1, day, tzinfo=UTC))


@pytest.mark.parametrize(
    ("pattern", "match"),
    [
        ("example.org", "host"),
        ("www.example.org", "host"),
        ("bücher.example", "host"),
        ("*.example.org", "domain"),
        ("linkedin.com/in/jane", "prefix"),
        ("example.org/", "host"),
        ("https://example.org/about?id=1", "exact"),
        ("http://example.org", "exact"),
    ],
)
def test_how_a_pattern_matches(pattern: str, match: str) -> None:
    assert read_pattern(pattern) == match


@pytest.mark.parametrize(
    "pattern",
    ["", " ", "mine", "localhost", "*", "*.", "*.org", "exam*le.org", "*.example.org/about", "jane@example.org",
     "example.org:8080", "example.org/a?b=1", "example.org/#top", "example .org", "ftp://example.org", "https://",
     "javascript:alert(1)", ".example.org", "example..org", "/about"],
)  # fmt: skip
def test_nonsense_is_refused_with_a_sentence(pattern: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_pattern(pattern)
    assert repr(pattern) in str(refused.value)
    assert "example.org" in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("example.org", "http://www.example.org/anything?x=1"),
        ("www.example.org", "https://example.org/"),
        ("example.org", "https://m.example.org/about"),
        ("*.example.org", "https://blog.example.org/a"),
        ("*.example.org", "https://example.org/"),
        ("linkedin.com/in/jane", "https://de.linkedin.com/in/jane?trk=x"),
        ("linkedin.com/in/Jane", "https://www.linkedin.com/in/jane/details"),
        ("github.com/jane", "https://github.com/Jane/tool"),
        ("twitter.com/jane", "https://x.com/Jane/status/1"),
        ("x.com/jane", "https://mobile.twitter.com/jane"),
        ("jane.medium.com", "https://medium.com/@jane/text"),
        ("medium.com/@jane", "https://jane.medium.com/text"),
        ("https://example.org/about", "http://www.example.org/about/"),
        ("bücher.example", "https://xn--bcher-kva.example/"),
        ("example.org/about", "//duckduckgo.com/l/?uddg=https%3A%2F%2Fexample.org%2Fabout%2Fme"),
    ],
)
def test_a_label_speaks_for(pattern: str, url: str) -> None:
    one = label(pattern)
    assert whose(url, [one]) is one


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("example.org", "https://blog.example.org/"),
        ("example.org", "https://notexample.org/"),
        ("*.example.org", "https://notexample.org/"),
        ("*.example.org", "https://example.org.example.net/"),
        ("example.org/jane", "https://example.org/janet"),
        ("example.org/jane", "https://example.org/Jane"),
        ("linkedin.com/in/jane", "https://linkedin.com/in/jane-doe"),
        ("https://example.org/about", "https://example.org/about/team"),
        ("https://example.org/", "https://example.org/about"),
        ("example.org", "https://example.net\\@example.org/"),
        ("example.org", "https://example.org@example.net/"),
        ("duckduckgo.com", "https://duckduckgo.com/l/?uddg=https%3A%2F%2Fexample.org"),
        ("example.org", "javascript:location='https://example.org'"),
    ],
)
def test_a_label_does_not_speak_for(pattern: str, url: str) -> None:
    assert whose(url, [label(pattern)]) is None


def test_the_more_specific_label_wins_whatever_came_later() -> None:
    url = "https://blog.example.org/jane/about"
    ladder = [
        label("*.example.org", "other", "command", 9),
        label("*.blog.example.org", "namesake", "command", 8),
        label("blog.example.org", "unwanted", "command", 7),
        label("blog.example.org/jane", "about_me"),
        label("blog.example.org/jane/about", "namesake"),
        label("https://blog.example.org/jane/about", "mine"),
    ]
    while ladder:
        assert whose(url, ladder) is ladder[-1]
        assert whose(url, ladder[::-1]) is ladder[-1]
        ladder.pop()
    assert whose(url, ladder) is None


def test_a_command_beats_the_config_and_then_the_newest_wins() -> None:
    config = label("example.org", "mine", "config", 9)
    early = label("www.example.org", "other", "command", 1)
    late = label("example.org", "namesake", "command", 2)
    assert whose("https://example.org/", [config, early]) is early
    assert whose("https://example.org/", [late, config, early]) is late
    assert whose("https://example.org/", [label("example.org", day=1), config]) is config


def test_the_words_are_those_of_the_table() -> None:
    assert WHOSE == ("mine", "about_me", "namesake", "unwanted", "other")


@given(st.text(max_size=40))
def test_a_pattern_is_read_or_refused(pattern: str) -> None:
    try:
        match = read_pattern(pattern)
    except ValueError:
        return
    url = pattern if match == "exact" else f"https://{pattern.removeprefix('*.')}"
    assert whose(url, [label(pattern)]) is not None
