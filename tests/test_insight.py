"""Why a rank moved: in words, from two pages, and "cannot tell" where that is so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.insight import Elsewhere, Page, Place, is_news, overlap, why

RANKING = st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, min_size=1, max_size=10)


def page(text: str, day: str = "2026-11-22", reading_id: int = 1) -> Page:
    """A page from words: M and N are the owner's."""
    places = (Place(n, url, "mine" if url[0] in "MN" else "other") for n, url in enumerate(text.split(), 1))
    return Page(day, tuple(places), reading_id)


def told(before: str, after: str, *elsewhere: Elsewhere) -> str:
    findings = why(page(before), page(after, "2026-11-23", 2), elsewhere)
    assert all(f.readings == (1, 2) for f in findings)
    return " ".join(f.said for f in findings)


def test_overlap_is_that_of_the_paper() -> None:
    assert overlap("abcdefg", "abcdefg") == 1.0
    assert overlap("abc", "xyz") == 0.0
    # by hand, p = 0.9, depth 2, rankings (a b) and (b a): A1 = 0, A2 = 2; ext = 2/2 * 0.81 + 0.1/0.9 * (0 + 0.81)
    assert overlap("ab", "ba") == pytest.approx(0.81 + 0.1 / 0.9 * 0.81)
    assert overlap("abcdefghij", "abcdefghji") > overlap("abcdefghij", "bacdefghij")  # the top weighs more


@given(RANKING, RANKING)
def test_overlap_is_a_symmetric_share(a: list[str], b: list[str]) -> None:
    assert 0 <= overlap(a, b) <= 1
    assert overlap(a, b) == pytest.approx(overlap(b, a))
    assert overlap(a, a) == 1.0


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [(1, 1, False), (1, 2, False), (1, 3, True), (5, 6, False), (5, 7, True), (20, 23, False), (20, 24, True),
     (None, None, False), (None, 3, True), (3, None, True)],
)  # fmt: skip
def test_small_moves_are_noise(before: int | None, after: int | None, news: bool) -> None:
    assert is_news(before, after, 30) is news


def test_newcomers_above_are_named() -> None:
    said = told("a b M c d e f g h i", "x a y b M c d e f g")
    assert "It stood at 3 on 2026-11-22 and at 5 on 2026-11-23." in said
    assert "2 came in above: x (other, at 1), y (other, at 3)." in said


def test_leavers_above_are_named() -> None:
    said = told("a b c M d e f g h i", "c M d e f g h i j k")
    assert "2 above left: a (other, at 1), b (other, at 2)." in said


def test_another_page_of_ones_own() -> None:
    assert "Another page of yours stands there now: N in place of M." in told("M a b c d", "a b N c d")


def test_falling_out_of_what_was_seen_is_said_with_the_depth() -> None:
    said = told("a M b c", "a x b c")
    assert "and not within the 4 results seen" in said


def test_a_shaken_page_is_said() -> None:
    assert "was shaken" in told("a b c d e M f g", "p q r s t u v M")


def test_one_index_moving_is_one_event() -> None:
    duck = Elsewhere("yahoo", True, 2, 5)
    brave = Elsewhere("brave", False, 1, 4)
    still = Elsewhere("ecosia", True, 3, 3)
    said = told("a M b c d e", "a b c d M e", duck, brave, still)
    assert "yahoo shows the same index and moved the same way: one event" in said
    assert "brave, with an index of its own, moved the same way" in said
    assert "ecosia shows the same index and did not move" in said


def test_cannot_tell_is_said_when_nothing_explains_it() -> None:
    assert "Cannot tell why" in told("a b M c d e f g h i", "a M b c d e f g h i")


def test_no_move_is_said_as_that() -> None:
    assert told("a M b", "a M b") == "No move: at 2 on 2026-11-22 and on 2026-11-23."


@given(RANKING, RANKING)
def test_something_is_always_said(a: list[str], b: list[str]) -> None:
    before = Page("2026-11-22", tuple(Place(n, u, "mine" if u < "d" else "other") for n, u in enumerate(a, 1)), 1)
    after = Page("2026-11-23", tuple(Place(n, u, "mine" if u < "d" else "other") for n, u in enumerate(b, 1)), 2)
    findings = why(before, after)
    assert findings
    assert all(f.said.endswith(".") for f in findings)
