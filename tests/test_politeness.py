from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Outcome
from monitor.politeness import (
    BLOCKS_BEFORE_BREAK,
    LONGEST_BREAK,
    LONGEST_LEASE,
    LONGEST_RETRY_AFTER,
    Go,
    HostState,
    Refuse,
    Wait,
    answered,
    asked,
    may_ask,
    read_retry_after,
)

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SPACING, DEADLINE = timedelta(seconds=10), timedelta(seconds=30)
DAY = timedelta(days=1)
NEW = HostState("example.org")

moments = st.timedeltas(timedelta(days=-3000), timedelta(days=3000)).map(lambda away: NOW + away)
outcomes = st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.MISSED])
states = st.builds(
    HostState,
    host=st.just("example.org"),
    next_at=st.none() | moments,
    not_before=st.none() | moments,
    blocked_in_row=st.integers(0, 50),
    open_until=st.none() | moments,
    month=st.sampled_from(["", "2026-10", "2026-11"]),
    calls=st.integers(0, 1000),
)


def test_an_unknown_host_may_be_asked() -> None:
    assert may_ask(NEW, NOW, SPACING) == Go()


def test_a_lease_keeps_others_away_until_the_request_must_have_ended() -> None:
    leased = asked(NEW, NOW, DEADLINE, SPACING)
    assert may_ask(leased, NOW + timedelta(seconds=39), SPACING) == Wait(NOW + timedelta(seconds=40))
    assert may_ask(leased, NOW + timedelta(seconds=40), SPACING) == Go()


def test_an_answer_shortens_the_lease_to_the_spacing() -> None:
    done = answered(asked(NEW, NOW, DEADLINE, SPACING), NOW + timedelta(seconds=1), SPACING, Outcome.OK)
    assert may_ask(done, NOW + timedelta(seconds=2), SPACING) == Wait(NOW + timedelta(seconds=11))


def test_the_breaker_opens_at_the_third_refusal_for_1_2_4_8_14_14_days() -> None:
    state, breaks = NEW, []
    for _ in range(9):
        state = answered(state, NOW, SPACING, Outcome.BLOCKED)
        breaks.append((state.open_until - NOW) // DAY if state.open_until else 0)
    assert breaks == [0, 0, 1, 2, 4, 8, 14, 14, 14]


def test_an_open_breaker_refuses_and_says_until_when() -> None:
    state = HostState("example.org", open_until=NOW + DAY)
    assert may_ask(state, NOW, SPACING) == Refuse("breaker", NOW + DAY)
    assert may_ask(state, NOW + DAY, SPACING) == Go()


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.EMPTY])
def test_a_good_answer_forgives(outcome: Outcome) -> None:
    state = answered(HostState("example.org", blocked_in_row=7, open_until=NOW), NOW, SPACING, outcome)
    assert (state.blocked_in_row, state.open_until) == (0, None)


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.CHANGED, Outcome.SUSPECT])
def test_other_outcomes_neither_forgive_nor_count(outcome: Outcome) -> None:
    state = answered(HostState("example.org", blocked_in_row=2), NOW, SPACING, outcome)
    assert (state.blocked_in_row, state.open_until) == (2, None)


def test_the_hosts_own_word_is_kept_to() -> None:
    state = answered(NEW, NOW, SPACING, Outcome.BLOCKED, NOW + timedelta(hours=2))
    assert may_ask(state, NOW + timedelta(hours=1), SPACING) == Refuse("not_before", NOW + timedelta(hours=2))


def test_the_hosts_own_word_is_capped_forgotten_in_the_past_and_ended_by_an_answer() -> None:
    waiting = HostState("example.org", not_before=NOW + DAY)
    assert answered(NEW, NOW, SPACING, Outcome.FAILED, NOW + 30 * DAY).not_before == NOW + LONGEST_RETRY_AFTER
    assert answered(waiting, NOW, SPACING, Outcome.BLOCKED, NOW - DAY).not_before == NOW + DAY
    assert answered(waiting, NOW, SPACING, Outcome.BLOCKED).not_before == NOW + DAY
    assert answered(waiting, NOW, SPACING, Outcome.OK).not_before is None


def test_the_budget_ends_with_the_month() -> None:
    state = HostState("example.org", month="2026-11", calls=5)
    assert may_ask(state, NOW, SPACING, budget=5) == Refuse("budget", datetime(2026, 12, 1, tzinfo=UTC))
    assert may_ask(state, NOW, SPACING, budget=6) == Go()
    assert may_ask(state, datetime(2026, 12, 1, tzinfo=UTC), SPACING, budget=5) == Go()


def test_calls_are_counted_per_month() -> None:
    state = asked(asked(NEW, NOW, DEADLINE, SPACING), NOW, DEADLINE, SPACING)
    assert (state.month, state.calls) == ("2026-11", 2)
    december = asked(state, datetime(2026, 12, 1, tzinfo=UTC), DEADLINE, SPACING)
    assert (december.month, december.calls) == ("2026-12", 1)


def test_a_clock_that_was_years_ahead_does_not_silence_a_host() -> None:
    wrong = datetime(2036, 1, 1, tzinfo=UTC)
    state = asked(NEW, wrong, DEADLINE, SPACING)
    for _ in range(3):
        state = answered(state, wrong, SPACING, Outcome.BLOCKED, wrong + DAY)
    assert isinstance(may_ask(state, wrong, SPACING), Refuse)
    assert may_ask(state, NOW, SPACING) == Go()
    assert answered(state, NOW, SPACING, Outcome.BLOCKED).open_until == NOW + 2 * DAY


def test_a_clock_set_back_by_hours_opens_no_breaker() -> None:
    state = HostState("example.org", blocked_in_row=9, open_until=NOW + LONGEST_BREAK)
    assert may_ask(state, NOW - timedelta(hours=3), SPACING) == Refuse("breaker", NOW + LONGEST_BREAK)


@given(states, moments)
def test_no_state_silences_a_host_for_longer_than_our_own_limits(state: HostState, now: datetime) -> None:
    match may_ask(state, now, SPACING):
        case Wait(until):
            assert now < until <= now + LONGEST_LEASE + SPACING
        case Refuse(_, until):
            assert now < until <= now + LONGEST_BREAK + DAY


@given(states, moments, st.timedeltas(timedelta(0), timedelta(minutes=5)))
def test_two_requests_are_never_nearer_than_the_spacing(state: HostState, now: datetime, later: timedelta) -> None:
    leased = asked(state, now, DEADLINE, SPACING)
    assert (may_ask(leased, now + later, SPACING) == Go()) <= (later >= SPACING + DEADLINE)
    done = answered(leased, now, SPACING, Outcome.OK)
    assert (may_ask(done, now + later, SPACING) == Go()) == (later >= SPACING)


@given(st.lists(outcomes, max_size=30))
def test_the_breaker_is_open_exactly_while_three_refusals_stand(history: list[Outcome]) -> None:
    state, standing = NEW, 0
    for outcome in history:
        state = answered(state, NOW, SPACING, outcome)
        standing = {Outcome.BLOCKED: standing + 1, Outcome.OK: 0, Outcome.EMPTY: 0}.get(outcome, standing)
        assert (may_ask(state, NOW + SPACING, SPACING) == Go()) == (standing < BLOCKS_BEFORE_BREAK)


@pytest.mark.parametrize(
    ("value", "date_header", "seconds"),
    [
        ("0", "", 0),
        (" 120 ", "", 120),
        ("000120", "", 120),
        ("86400", "", 86_400),
        ("99999999999999999999999999", "", 7 * 86_400),
        ("Sun, 22 Nov 2026 08:10:00 GMT", "", 600),
        ("Sun, 22 Nov 2026 09:10:00 GMT", "Sun, 22 Nov 2026 09:00:00 GMT", 600),  # the host's clock is an hour ahead
        ("Sun, 22 Nov 2026 08:10:00 GMT", "nonsense", 600),
        ("Tue, 22 Nov 2033 08:00:00 GMT", "", 7 * 86_400),
        ("Sun, 22 Nov 2026 07:59:59 GMT", "", None),
        ("-5", "", None),
        ("1.5", "", None),
        ("soon", "", None),
        ("", "", None),
        ("٣", "", None),
        ("Sun, 22 Nov 99999 08:10:00 GMT", "", None),
    ],
)
def test_retry_after(value: str, date_header: str, seconds: int | None) -> None:
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert read_retry_after(value, date_header, NOW) == expected


@given(
    st.text(max_size=40) | moments.map(format_datetime), st.text(max_size=40) | moments.map(format_datetime), moments
)
def test_retry_after_never_raises_and_never_exceeds_a_week(value: str, date_header: str, now: datetime) -> None:
    until = read_retry_after(value, date_header, now)
    assert until is None or now <= until <= now + LONGEST_RETRY_AFTER
