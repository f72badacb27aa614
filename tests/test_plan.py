"""When things are due: plain cases, one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from monitor.model import Outcome
from monitor.plan import MOST_MISSED, Attempt, Due, Miss, Watched, first_again, plan, read_schedule, slots

SYDNEY = ZoneInfo("Australia/Sydney")
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
APIA = ZoneInfo("Pacific/Apia")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
NUUK = ZoneInfo("America/Nuuk")
UTC_ZONE = ZoneInfo("UTC")

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at_half_past_six(zone=UTC_ZONE, **more) -> Watched:
    """A source read daily at 06:30, added on 1 June 2026; by default never read."""
    source = Watched("ddg", read_schedule(None, "06:30"), zone, False, utc("2026-06-01 00:00"))
    return replace(source, **more)


def tried(slot: str, *attempts: tuple[str, Outcome] | tuple[str, Outcome, str]) -> dict:
    """The newest slot and its attempts, each as (when it ended, outcome[, reason])."""
    at = utc(slot)
    made = [
        Attempt(at, at.date(), n, outcome, reason[0] if reason else "", utc(ended))
        for n, (ended, outcome, *reason) in enumerate(attempts, 1)
    ]
    return {"last_slot": at, "attempts": tuple(made)}


# --- schedules -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "period"),
    [("1d", DAY), ("2d", 2 * DAY), ("6h", 6 * HOUR), ("10m", 10 * MINUTE), ("1m", MINUTE), ("366d", 366 * DAY)],
)
def test_every_is_a_number_and_a_unit(every, period):
    assert read_schedule(every, None).period == period


def test_at_is_daily():
    assert read_schedule(None, "06:30").period == DAY


@pytest.mark.parametrize("every", ["", "1", "d", "0m", "-1d", "1.5h", "1 d", "1D", "10s", "1w", "daily", "\u0661d"])
def test_other_words_for_every_are_refused_in_a_plain_sentence(every):
    with pytest.raises(ValueError, match="every is a number and a unit: 10m, 6h, 1d"):
        read_schedule(every, None)


@pytest.mark.parametrize("at", ["", "6:30", "24:00", "06:60", "06:30:00", "6.30", "06:30Z"])
def test_other_words_for_at_are_refused_in_a_plain_sentence(at):
    with pytest.raises(ValueError, match="at is a time of day: 06:30"):
        read_schedule(None, at)


@pytest.mark.parametrize(("every", "at"), [(None, None), ("1d", "06:30")])
def test_a_schedule_is_said_once(every, at):
    with pytest.raises(ValueError, match="one of the two"):
        read_schedule(every, at)


def test_a_schedule_is_not_longer_than_a_year():
    with pytest.raises(ValueError, match="every is at most 366d"):
        read_schedule("367d", None)


# --- slots ---------------------------------------------------------------------------------------------------------


def wall(text: str, zone: ZoneInfo, day: str) -> list[str]:
    """The local wall times (with offset) of the slots of a local day."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) - 3 * DAY
    found = slots(read_schedule(None, text), "x", zone, start, start + 6 * DAY)
    return [slot.at.astimezone(zone).strftime("%H:%M%z") for slot in found if slot.day == date.fromisoformat(day)]


@pytest.mark.parametrize(
    ("text", "zone", "day", "expected"),
    [
        ("06:30", SYDNEY, "2026-11-20", ["06:30+1100"]),
        ("02:30", NEW_YORK, "2026-03-08", ["03:30-0400"]),  # 02:00 to 03:00 does not exist
        ("01:30", NEW_YORK, "2026-11-01", ["01:30-0400"]),  # comes twice: the first
        ("02:30", BERLIN, "2026-03-29", ["03:30+0200"]),
        ("02:30", BERLIN, "2026-10-25", ["02:30+0200"]),
        ("02:30", SYDNEY, "2026-10-04", ["03:30+1100"]),
        ("02:30", SYDNEY, "2026-04-05", ["02:30+1100"]),
        ("02:15", LORD_HOWE, "2026-10-04", ["02:45+1100"]),  # half an hour only
        ("01:45", LORD_HOWE, "2026-04-05", ["01:45+1100"]),
        ("00:00", SAO_PAULO, "2018-11-04", ["01:00-0200"]),  # midnight is skipped
        ("23:30", SAO_PAULO, "2018-02-17", ["23:30-0200"]),  # comes twice: the first
        ("23:30", NUUK, "2024-03-30", ["22:30-0200"]),  # 23:00 to midnight is skipped: it stays on its day
        ("06:30", APIA, "2011-12-29", ["06:30-1000"]),
        ("06:30", APIA, "2011-12-30", []),  # the day does not exist
        ("06:30", APIA, "2011-12-31", ["06:30+1400"]),
    ],
)
def test_one_slot_per_local_day_whatever_the_clocks_do(text, zone, day, expected):
    assert wall(text, zone, day) == expected


def test_daily_slots_lie_between_six_and_nine_at_a_minute_of_the_sources_own():
    minutes = set()
    for name in (f"source {n}" for n in range(200)):
        (slot,) = slots(read_schedule("1d", None), name, BERLIN, utc("2026-06-01 22:00"), utc("2026-06-02 21:59"))
        local = slot.at.astimezone(BERLIN)
        assert (local.date(), slot.day) == (date(2026, 6, 2), date(2026, 6, 2))
        assert 6 * 60 <= local.hour * 60 + local.minute < 9 * 60
        minutes.add(local.time())
    assert len(minutes) > 80


def test_the_hashed_minute_is_the_same_for_ever():
    (slot,) = slots(read_schedule("1d", None), "duckduckgo/x", UTC_ZONE, utc("2026-06-01"), utc("2026-06-02"))
    assert slot.at == utc("2026-06-01 07:44")


def test_every_second_day():
    found = list(slots(read_schedule("2d", None), "x", SYDNEY, utc("2026-06-01"), utc("2026-06-11")))
    assert [slot.day.toordinal() % 2 for slot in found] == [0] * 5
    assert all(b.day - a.day == 2 * DAY for a, b in pairwise(found))


def test_minutes_are_multiples_in_utc():
    found = slots(read_schedule("10m", None), "x", SYDNEY, utc("2026-06-01 13:40"), utc("2026-06-01 14:00"))
    assert [(slot.at, slot.day.day) for slot in found] == [(utc("2026-06-01 13:50"), 1), (utc("2026-06-01 14:00"), 2)]


def test_hours_are_multiples_in_utc_at_a_minute_of_the_sources_own():
    def times(name):
        found = list(slots(read_schedule("6h", None), name, UTC_ZONE, utc("2026-05-31 23:59"), utc("2026-06-01 23:59")))
        assert [slot.at.hour for slot in found] == [0, 6, 12, 18]
        assert len({slot.at.minute for slot in found}) == 1
        return found[0].at.minute

    assert len({times(f"source {n}") for n in range(100)}) > 30


def test_slots_come_at_once_even_if_the_last_was_centuries_ago(monkeypatch):
    class Counting(ZoneInfo):
        asked = 0

        def utcoffset(self, dt):
            Counting.asked += 1
            return super().utcoffset(dt)

    for schedule in (read_schedule("1m", None), read_schedule("6h", None), read_schedule("1d", None)):
        Counting.asked = 0
        next(slots(schedule, "x", Counting("Europe/Berlin"), utc("1726-06-01"), utc("2026-06-01")))
        assert Counting.asked < 50


# --- the plan: slots without history -------------------------------------------------------------------------------


def test_before_the_slot_nothing_is_due():
    made = plan([at_half_past_six()], utc("2026-06-01 06:29"), None)
    assert (made.due, made.missed) == ((), ())
    assert made.next_at == {"ddg": utc("2026-06-01 06:30")}


def test_at_the_slot_it_is_due():
    made = plan([at_half_past_six()], utc("2026-06-01 06:30"), None)
    assert made.due == (Due("ddg", utc("2026-06-01 06:30"), date(2026, 6, 1), 1),)
    assert made.next_at == {"ddg": utc("2026-06-01 06:30")}


def test_a_late_start_on_the_same_day_still_reads():
    made = plan([at_half_past_six()], utc("2026-06-01 23:59"), None)
    assert [due.slot for due in made.due] == [utc("2026-06-01 06:30")]


def test_the_last_hour_of_a_day_of_25_hours_still_belongs_to_it():
    source = replace(at_half_past_six(NEW_YORK), schedule=read_schedule(None, "00:10"), since=utc("2026-11-01 00:00"))
    made = plan([source], utc("2026-11-02 04:50"), None)  # 23:50, and 24 h 40 min after the slot
    assert [due.slot for due in made.due] == [utc("2026-11-01 04:10")]
    assert made.missed == ()


def test_a_start_after_midnight_is_too_late():
    made = plan([at_half_past_six()], utc("2026-06-02 00:00"), None)
    assert made.due == ()
    assert made.missed == (Miss("ddg", utc("2026-06-01 06:30"), date(2026, 6, 1), 1, "off"),)
    assert made.next_at == {"ddg": utc("2026-06-02 06:30")}


def test_midnight_is_the_owners():
    source = at_half_past_six(SYDNEY)  # 06:30 in Sydney was 20:30 UTC; midnight is 14:00 UTC
    assert plan([source], utc("2026-06-02 13:59"), None).due
    assert not plan([source], utc("2026-06-02 14:00"), None).due


def test_a_new_source_does_not_owe_the_past():
    source = at_half_past_six(since=utc("2026-06-05 12:00"))
    made = plan([source], utc("2026-06-05 12:00"), None)
    assert (made.due, made.missed) == ((), ())
    assert made.next_at == {"ddg": utc("2026-06-06 06:30")}


def test_a_source_added_by_a_clock_ahead_waits_visibly():
    made = plan([at_half_past_six(since=utc("2026-07-01 00:00"))], utc("2026-06-05 12:00"), None)
    assert (made.due, made.missed) == ((), ())
    assert made.next_at == {"ddg": utc("2026-07-01 06:30")}


def test_a_week_off_leaves_a_missed_row_for_each_day_and_reads_today():
    source = at_half_past_six(**tried("2026-06-01 06:30", ("2026-06-01 06:31", Outcome.OK)))
    made = plan([source], utc("2026-06-09 09:00"), utc("2026-06-01 20:00"))
    assert [(miss.day.day, miss.reason) for miss in made.missed] == [(day, "off") for day in range(2, 9)]
    assert [(due.day.day, due.attempt) for due in made.due] == [(9, 1)]


def test_a_slot_overtaken_by_the_next_is_missed_though_its_day_still_runs():
    hourly = Watched("x", read_schedule("1h", None), UTC_ZONE, False, utc("2026-06-01 00:00"))
    minute = plan([hourly], utc("2026-06-01 00:00"), None).next_at["x"].minute
    made = plan([hourly], utc("2026-06-01 03:59"), None)
    assert [miss.slot.hour for miss in made.missed] == [0, 1, 2]
    assert [due.slot for due in made.due] == [utc(f"2026-06-01 03:{minute:02}")]


@pytest.mark.parametrize(
    ("last_alive", "span", "reason"),
    [
        ("2026-06-01 05:00", None, "off"),
        ("2026-06-01 05:00", ("2026-06-01 05:00", "2026-06-02 05:00"), "asleep"),  # slept over the slot
        ("2026-06-01 07:00", ("2026-06-01 07:00", "2026-06-02 05:00"), "asleep"),  # was alive, slept the rest of it
        ("2026-06-01 05:00", ("2026-06-01 20:00", "2026-06-02 05:00"), "off"),  # was off when it came
        ("2026-06-01 07:00", ("2026-05-30 20:00", "2026-05-31 05:00"), "off"),  # slept another night
        ("2026-06-01 07:00", ("2026-06-02 01:00", "2026-06-02 05:00"), "off"),  # slept only when it was over
        (None, None, "off"),
    ],
)
def test_a_missed_slot_says_whether_the_machine_was_off_or_asleep(last_alive, span, reason):
    asleep = [(utc(span[0]), utc(span[1]))] if span else []
    made = plan([at_half_past_six()], utc("2026-06-02 05:30"), last_alive and utc(last_alive), asleep)
    assert [miss.reason for miss in made.missed] == [reason]


# --- retries -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.EMPTY, Outcome.BLOCKED, Outcome.CHANGED, Outcome.SUSPECT])
def test_an_answer_or_a_refusal_is_not_asked_again(outcome):
    source = at_half_past_six(**tried("2026-06-01 06:30", ("2026-06-01 06:31", outcome)))
    for now in ("2026-06-01 06:32", "2026-06-01 12:00", "2026-06-01 23:59"):
        made = plan([source], utc(now), None)
        assert (made.due, made.missed) == ((), ())
        assert made.next_at == {"ddg": utc("2026-06-02 06:30")}


RETRIED = [(Outcome.FAILED, "timeout")] + [
    (Outcome.MISSED, reason) for reason in ("key_missing", "breaker", "budget", "not_before", "disk")
]


@pytest.mark.parametrize(("outcome", "reason"), RETRIED)
def test_a_failure_is_tried_again_after_about_5_minutes_30_minutes_and_2_hours(outcome, reason):
    ended = utc("2026-06-01 06:31")
    attempts = []
    for minutes in (5, 30, 120):
        attempts.append((ended.strftime("%Y-%m-%d %H:%M:%S"), outcome, reason))
        source = at_half_past_six(**tried("2026-06-01 06:30", *attempts))
        again = plan([source], ended, None).next_at["ddg"]
        waited = (again - utc("2026-06-01 06:31")) / MINUTE
        assert 0.8 * minutes <= waited <= 1.2 * minutes
        assert plan([source], again - timedelta(seconds=1), None).due == ()
        assert [due.attempt for due in plan([source], again, None).due] == [len(attempts) + 1]
        ended = again
    attempts.append((ended.strftime("%Y-%m-%d %H:%M:%S"), outcome, reason))
    source = at_half_past_six(**tried("2026-06-01 06:30", *attempts))
    assert plan([source], utc("2026-06-01 23:59"), None).due == ()
    assert plan([source], utc("2026-06-01 23:59"), None).next_at == {"ddg": utc("2026-06-02 06:30")}


def test_a_retry_that_comes_late_is_not_followed_by_another_at_once():
    attempts = [("2026-06-01 06:31", Outcome.FAILED), ("2026-06-01 12:00", Outcome.FAILED)]
    made = plan([at_half_past_six(**tried("2026-06-01 06:30", *attempts))], utc("2026-06-01 12:00"), None)
    assert made.due == ()
    assert utc("2026-06-01 12:04") <= made.next_at["ddg"] <= utc("2026-06-01 12:06")


def test_sources_are_not_tried_again_in_step():
    failed = tried("2026-06-01 06:30", ("2026-06-01 06:31", Outcome.FAILED))
    sources = [at_half_past_six(name=f"source {n}", **failed) for n in range(50)]
    made = plan(sources, utc("2026-06-01 06:31"), None)
    assert len(set(made.next_at.values())) > 40


@pytest.mark.parametrize("reason", ["off", "asleep"])
def test_a_slot_written_off_stays_so(reason):
    source = at_half_past_six(**tried("2026-06-01 06:30", ("2026-06-01 06:31", Outcome.MISSED, reason)))
    assert plan([source], utc("2026-06-01 12:00"), None).due == ()


def test_a_retry_does_not_go_past_midnight():
    late = replace(at_half_past_six(), schedule=read_schedule(None, "23:58"))
    late = replace(late, **tried("2026-06-01 23:58", ("2026-06-01 23:58", Outcome.FAILED)))
    assert plan([late], utc("2026-06-01 23:59"), None).next_at == {"ddg": utc("2026-06-02 23:58")}
    made = plan([late], utc("2026-06-02 00:10"), None)
    assert (made.due, made.missed) == ((), ())  # the failed reading is what the slot has


def test_a_retry_does_not_go_past_the_next_slot():
    often = Watched("x", read_schedule("10m", None), UTC_ZONE, False, utc("2026-06-01 00:00"))
    attempts = [("2026-06-01 06:30:10", Outcome.FAILED), ("2026-06-01 06:36", Outcome.FAILED)]
    often = replace(often, **tried("2026-06-01 06:30", *attempts))
    assert plan([often], utc("2026-06-01 06:37"), None).next_at == {"x": utc("2026-06-01 06:40")}
    assert [(due.slot.minute, due.attempt) for due in plan([often], utc("2026-06-01 06:40"), None).due] == [(40, 1)]


# --- wrong clocks, changed schedules -------------------------------------------------------------------------------


def test_a_reading_of_a_clock_that_was_ahead_is_asked_again():
    ahead = Attempt(utc("2026-06-02 06:30"), date(2026, 6, 2), 1, Outcome.OK, "", utc("2026-06-02 09:00"))
    source = at_half_past_six(**tried("2026-06-01 06:30", ("2026-06-01 06:31", Outcome.OK)))
    source = replace(source, attempts=(*source.attempts, ahead))
    assert plan([source], utc("2026-06-02 06:00"), None).due == ()
    made = plan([source], utc("2026-06-02 06:31"), None)
    assert made.due == (Due("ddg", utc("2026-06-02 06:30"), date(2026, 6, 2), 2),)


def test_a_clock_set_back_by_seconds_changes_nothing():
    source = at_half_past_six(**tried("2026-06-01 06:30", ("2026-06-01 06:31:05", Outcome.OK)))
    assert plan([source], utc("2026-06-01 06:31:00"), None).due == ()


def test_a_missed_row_written_by_a_clock_that_was_ahead_does_not_close_the_slot():
    ahead = Attempt(utc("2026-06-02 06:30"), date(2026, 6, 2), 1, Outcome.MISSED, "off", utc("2026-06-09 09:00"))
    source = at_half_past_six(**tried("2026-06-01 06:30", ("2026-06-01 06:31", Outcome.OK)))
    source = replace(source, attempts=(*source.attempts, ahead))
    assert [due.attempt for due in plan([source], utc("2026-06-02 08:00"), None).due] == [2]
    later = plan([source], utc("2026-06-03 00:00"), None)
    assert (later.due, later.missed) == ((), ())  # it has its row


def test_a_more_frequent_schedule_begins_now_and_does_not_invent_gaps():
    was_daily = at_half_past_six(**tried("2026-06-01 06:30", ("2026-06-01 06:31", Outcome.OK)))
    source = replace(was_daily, schedule=read_schedule("45m", None))
    made = plan([source], utc("2026-06-01 15:10"), utc("2026-06-01 15:09"))
    assert made.missed == ()
    assert [due.slot for due in made.due] == [utc("2026-06-01 15:00")]


def test_a_changed_schedule_still_tells_of_the_days_off():
    was_earlier = at_half_past_six(**tried("2026-06-01 06:30", ("2026-06-01 06:31", Outcome.OK)))
    source = replace(was_earlier, schedule=read_schedule(None, "07:00"))
    made = plan([source], utc("2026-06-05 09:00"), utc("2026-06-01 20:00"))
    assert [miss.day.day for miss in made.missed] == [2, 3, 4]
    assert [due.day.day for due in made.due] == [5]


def test_an_earlier_time_of_day_does_not_read_today_twice():
    source = at_half_past_six(**tried("2026-06-01 06:30", ("2026-06-01 06:31", Outcome.OK)))
    made = plan([replace(source, schedule=read_schedule(None, "05:00"))], utc("2026-06-01 07:00"), None)
    assert made.due == ()
    assert made.next_at == {"ddg": utc("2026-06-02 05:00")}


# --- sources with history ------------------------------------------------------------------------------------------


def log(every: str = "10m", **more) -> Watched:
    return replace(Watched("log", read_schedule(every, None), SYDNEY, True, utc("2026-06-01 00:00")), **more)


def test_a_source_with_history_is_due_after_a_week_off_and_misses_nothing():
    source = log(**tried("2026-06-01 06:30", ("2026-06-01 06:31", Outcome.OK)))
    made = plan([source], utc("2026-06-08 06:34"), utc("2026-06-01 07:00"))
    assert made.missed == ()
    assert [(due.slot, due.attempt) for due in made.due] == [(utc("2026-06-08 06:30"), 1)]


def test_a_daily_source_with_history_is_read_after_midnight_too():
    source = replace(at_half_past_six(), history=True)
    made = plan([source], utc("2026-06-03 01:00"), None)
    assert made.missed == ()
    assert [due.day for due in made.due] == [date(2026, 6, 2)]


def test_a_source_with_history_and_no_news_is_not_asked_again_before_the_next_slot():
    made = plan([log(last_slot=utc("2026-06-01 06:30"))], utc("2026-06-01 06:34"), None)
    assert made.due == ()
    assert made.next_at == {"log": utc("2026-06-01 06:40")}


def test_a_source_with_history_that_failed_is_tried_again():
    source = log("6h")
    slot = plan([source], utc("2026-06-01 10:00"), None).due[0].slot
    failed = Attempt(slot, slot.date(), 1, Outcome.FAILED, "no_file", utc("2026-06-01 10:00"))
    source = replace(source, last_slot=slot, attempts=(failed,))
    assert plan([source], utc("2026-06-01 10:01"), None).due == ()
    assert [due.attempt for due in plan([source], utc("2026-06-01 10:06"), None).due] == [2]


# --- the whole -----------------------------------------------------------------------------------------------------


def test_what_is_due_comes_oldest_first_and_sources_do_not_disturb_each_other():
    early, late = at_half_past_six(name="b"), replace(at_half_past_six(name="a"), schedule=read_schedule(None, "07:00"))
    made = plan([late, early], utc("2026-06-03 08:00"), None)
    assert [(due.name, due.day.day) for due in made.due] == [("b", 3), ("a", 3)]
    assert [(miss.name, miss.day.day) for miss in made.missed] == [("b", 1), ("a", 1), ("b", 2), ("a", 2)]


def test_nothing_watched_nothing_due():
    made = plan([], utc("2026-06-01 00:00"), None)
    assert (made.due, made.missed, dict(made.next_at)) == ((), (), {})


def test_years_off_with_a_short_schedule_are_written_down_in_pieces():
    often = Watched("often", read_schedule("10m", None), UTC_ZONE, False, utc("2026-01-01 00:00"))
    daily = at_half_past_six(name="daily", since=utc("2026-01-01 00:00"))
    now, found = utc("2026-06-01 12:05"), []
    for _ in range(20):
        made = plan([often, daily], now, None)
        assert len(made.missed) <= MOST_MISSED
        mine = [miss for miss in made.missed if miss.name == "often"]
        found += mine
        if any(due.name == "often" for due in made.due):
            break
        assert made.next_at["often"] == now
        assert [due.day for due in made.due] == [date(2026, 6, 1)]  # the other source is not held up
        last = mine[-1]
        row = Attempt(last.slot, last.day, 1, Outcome.MISSED, "off", now)
        often = replace(often, last_slot=last.slot, attempts=(row,))
    owed = [slot.at for slot in slots(often.schedule, "often", UTC_ZONE, utc("2026-01-01 00:00"), now)]
    assert [miss.slot for miss in found] == owed[:-1]
    assert [due.slot for due in made.due if due.name == "often"] == owed[-1:]


def test_a_first_reading_that_failed_is_tried_again_like_any_other_and_a_refused_one_is_not():
    first = Attempt(utc("2026-06-01 15:00"), date(2026, 6, 1), 1, Outcome.FAILED, "dns", utc("2026-06-01 15:01"))
    assert utc("2026-06-01 15:05") <= first_again("ddg", [first]) <= utc("2026-06-01 15:07")
    assert utc("2026-06-01 15:25") <= first_again("ddg", [first, first]) <= utc("2026-06-01 15:37")
    assert first_again("ddg", [first] * 4) is None
    assert first_again("ddg", [replace(first, outcome=Outcome.BLOCKED, reason="captcha")]) is None
    assert first_again("ddg", []) is None
