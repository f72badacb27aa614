"""Time plays tricks, and no slot is lost, doubled or read on another day: the real Runner on an invented clock."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import apscheduler.schedulers.base
import apscheduler.triggers.interval
import pytest

from monitor.attempt import Attempts
from monitor.model import FetchFailed
from monitor.schedule import Runner
from monitor.store.connection import Store
from tests.living import DAY, HOUR, MINUTE, World, toy, world
from tests.made import settings

START = datetime(2026, 11, 22, 18, 40, tzinfo=UTC)  # 05:40 in Sydney, before the slot at 06:30


def text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def hours_between(first: str, last: str) -> int:
    return round((datetime.fromisoformat(last) - datetime.fromisoformat(first)) / HOUR)


def assert_whole(life: World, name: str) -> dict[str, list[str]]:
    """Every slot between the first and the last has readings; of an hourly source none is left out."""
    found = life.outcomes(name)
    slots = list(found)
    assert len(slots) == hours_between(slots[0], slots[-1]) + 1
    return found


def test_a_day_of_an_hourly_and_a_daily_source(tmp_path: Path) -> None:
    life = world(tmp_path, START, toy("hourly", "1h"), toy("daily", "06:30"))
    life.on()
    life.live(DAY)
    assert len(life.outcomes("hourly")) == 24
    assert life.outcomes("daily") == {"2026-11-22T19:30:00Z": ["ok"]}
    assert {told for slot in life.outcomes("hourly").values() for told in slot} == {"ok"}


def test_a_clock_put_on_two_hours_skips_nothing_silently(tmp_path: Path) -> None:
    life = world(tmp_path, START, toy("hourly", "1h"), toy("daily", "06:30"))
    life.on()
    life.live(20 * MINUTE)
    life.now += 2 * HOUR
    life.beat()
    life.live(3 * HOUR)
    found = assert_whole(life, "hourly")
    assert [told for (told,) in found.values()].count("asleep") in (1, 2)
    assert [told for (told,) in found.values()][-3:] == ["ok"] * 3
    assert life.outcomes("daily") == {"2026-11-22T19:30:00Z": ["ok"]}  # late, and on its own day
    assert len([line for line in life.said if "clock moved by +7200 s" in line]) == 1


def test_a_clock_put_back_two_hours_reads_nothing_twice_and_does_not_stall(tmp_path: Path) -> None:
    life = world(tmp_path, START, toy("hourly", "1h"), toy("daily", "06:30"))
    life.on()
    life.live(5 * HOUR)
    before = life.now
    asked = len(life.asked)
    life.now -= 2 * HOUR
    life.beat()
    life.runner.look()
    assert len(life.asked) - asked <= 1  # the slot that is open by the new clock
    life.live(4 * HOUR)
    assert life.now > before
    found = assert_whole(life, "hourly")
    assert {told for slot in found.values() for told in slot} == {"ok"}
    assert life.outcomes("daily") == {"2026-11-22T19:30:00Z": ["ok"]}
    assert len([line for line in life.said if "clock moved by -7200 s" in line]) == 1


def test_a_small_step_of_a_time_daemon_is_no_jump(tmp_path: Path) -> None:
    life = world(tmp_path, START, toy("hourly", "1h"))
    life.on()
    for step in (2, -2, 4, -4):
        life.live(HOUR)
        life.now += timedelta(seconds=step)
    life.live(HOUR)
    assert not [line for line in life.said if "clock" in line]
    assert {told for slot in assert_whole(life, "hourly").values() for told in slot} == {"ok"}


@pytest.mark.parametrize("first", ["look", "beat"])
def test_slots_that_passed_in_sleep_are_missed_asleep(tmp_path: Path, first: str) -> None:
    """The wall clock goes on and the steady one stands still, whoever notices first after waking."""
    life = world(tmp_path, START, toy("hourly", "1h"), toy("daily", "06:30"))
    life.on()
    life.live(2 * HOUR)
    slept = life.now
    life.now += 30 * HOUR
    if first == "look":
        life.runner.look()
    life.beat()
    life.live(2 * HOUR)
    found = assert_whole(life, "hourly")
    missed = {slot for slot, told in found.items() if told == ["asleep"]}
    assert 28 <= len(missed) <= 30
    assert all(text(slept - HOUR) < slot < text(slept + 30 * HOUR) for slot in missed)
    assert "off" not in str(found)
    assert life.outcomes("daily") == {"2026-11-22T19:30:00Z": ["ok"], "2026-11-23T19:30:00Z": ["ok"]}
    days = life.rows("select distinct day from readings where outcome = 'missed' order by day")
    assert days  # each under its own local day
    assert all(
        day == str(datetime.fromisoformat(slot).astimezone(ZoneInfo("Australia/Sydney")).date())
        for slot, day in life.rows("select slot, day from readings where outcome = 'missed'")
    )
    (advice,) = life.rows("select distinct advice from readings where outcome = 'missed'")
    assert "asleep" in advice[0]


def test_a_day_slept_through_is_missed_and_not_read_later(tmp_path: Path) -> None:
    life = world(tmp_path, START, toy("daily", "06:30"))
    life.on()
    life.live(2 * HOUR)
    asked = len(life.asked)
    life.now += 2 * DAY + 15 * HOUR  # to 22:40 of the day after the next
    life.beat()
    life.runner.look()
    life.runner.look()
    assert life.outcomes("daily") == {
        "2026-11-22T19:30:00Z": ["ok"],
        "2026-11-23T19:30:00Z": ["asleep"],
        "2026-11-24T19:30:00Z": ["ok"],  # late, but still its own day
    }
    assert len(life.asked) - asked == 1


def test_a_week_off(tmp_path: Path) -> None:
    life = world(tmp_path, START, toy("hourly", "1h"), toy("daily", "06:30"))
    life.on()
    life.live(3 * HOUR)
    life.off()
    life.pass_time(7 * DAY)
    life.on()
    asked = len(life.asked)
    life.runner.look()
    assert len(life.asked) - asked == 2  # today's and this hour's, once each
    life.live(3 * HOUR)
    found = assert_whole(life, "hourly")
    assert list(found.values()).count(["off"]) >= 7 * 24 - 2
    daily = life.outcomes("daily")
    assert list(daily.values()) == [["ok"], *[["off"]] * 6, ["ok"]]
    assert len(daily) == 8


NIGHTS = [
    ("Australia/Sydney", date(2026, 4, 5)),
    ("Australia/Sydney", date(2026, 10, 4)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("America/Sao_Paulo", date(2018, 11, 4)),  # midnight itself is skipped
    ("America/Sao_Paulo", date(2019, 2, 17)),
    ("America/Nuuk", date(2024, 3, 31)),  # the last hour of the day before is skipped
    ("America/Nuuk", date(2024, 10, 27)),
]


@pytest.mark.parametrize(("zone", "day"), NIGHTS, ids=str)
def test_the_nights_on_which_clocks_change(tmp_path: Path, zone: str, day: date) -> None:
    names = ["02:30", "00:00", "23:30", "1d", "1h"]
    local = ZoneInfo(zone)
    noon = datetime(day.year, day.month, day.day, 12, 3, tzinfo=local)
    start, end = (noon - 2 * DAY).astimezone(UTC), (noon + DAY).astimezone(UTC)
    assert (noon - 2 * DAY).utcoffset() != (noon + DAY).utcoffset(), "no night of change"
    life = world(tmp_path, start, *(toy(name, name, zone) for name in names))
    life.on()
    life.live(end - start, step=5 * MINUTE)
    for name in names[:-1]:
        rows = life.rows(
            "select r.day, r.slot, r.started_at, r.outcome from readings r join sources s on s.id = r.source_id"
            " where s.name = ? and r.\"trigger\" = 'schedule' order by r.slot",
            name,
        )
        first = day - (2 if name == "23:30" else 1) * DAY
        assert [row[0] for row in rows] == [str(first + n * DAY) for n in range(3)], "each local day once"
        assert {row[3] for row in rows} == {"ok"}
        for said_day, slot, started, _ in rows:
            assert str(datetime.fromisoformat(started).astimezone(local).date()) == said_day
            assert timedelta() <= datetime.fromisoformat(started) - datetime.fromisoformat(slot) <= 5 * MINUTE
    hours = assert_whole(life, "1h")
    assert {told for slot in hours.values() for told in slot} == {"ok"}
    assert abs(len(hours) - (end - start) / HOUR) <= 1


def test_a_failure_across_a_jump_is_tried_again_in_its_slot_only(tmp_path: Path) -> None:
    life = world(tmp_path, START, toy("daily", "06:30"))
    life.on()
    life.live(20 * MINUTE)  # the first reading at once
    life.answer = lambda url: FetchFailed("dns", "no such host")
    life.live(40 * MINUTE)  # the slot, and it fails
    life.now += DAY
    life.answer = lambda url: "http://a.example/"
    life.beat()
    life.live(HOUR)
    found = life.outcomes("daily")
    assert set(found["2026-11-22T19:30:00Z"]) == {"failed"}
    assert found["2026-11-23T19:30:00Z"] == ["ok"]


ZONED = """
[[search]]
kind = "duckduckgo"
at = "06:30"
url = "http://duck.example/html/"
[[page_views]]
kind = "access_log"
every = "1d"
[fetch]
spacing = "0s"
"""


def test_another_zone_begins_a_new_segment_and_shifts_nothing(tmp_path: Path) -> None:
    life = World(settings(tmp_path, ZONED), START)
    life.on()
    life.live(2 * DAY)
    before = life.rows("select * from readings order by id")
    sources = dict(life.rows("select name, id from sources"))
    path = life.settings.path
    path.write_text(path.read_text().replace("Australia/Sydney", "Europe/Berlin"))
    life.runner.reload()
    life.live(2 * DAY)
    assert life.rows("select * from readings where id <= ? order by id", len(before)) == before
    rows = life.rows("select name, day_zone, retired_at is null, id from sources order by id")
    duck = next(name for name in sources if name.startswith("duckduckgo"))
    assert [row[1:3] for row in rows if row[0] == duck] == [("Australia/Sydney", 0), ("Europe/Berlin", 1)]
    assert [row[3] for row in rows if row[0].startswith("access_log")] == [
        sources[next(name for name in sources if name.startswith("access_log"))]
    ]
    assert life.rows("select timezone from owner") == [("Europe/Berlin",)]
    new = life.rows(
        "select r.slot, r.day from readings r join sources s on s.id = r.source_id"
        " where s.day_zone = 'Europe/Berlin' and r.\"trigger\" = 'schedule' order by r.slot"
    )
    assert [slot[11:16] for slot, _ in new] == ["05:30"] * len(new)  # 06:30 in Berlin's winter
    assert len(new) >= 1
    old_last = life.rows("select max(finished_at) from readings where source_id = ?", sources[duck])[0][0]
    assert old_last <= life.rows("select retired_at from sources where id = ?", sources[duck])[0][0]
    assert any("new: " in line and duck in line for line in life.said)


class Wall(datetime):
    """APScheduler's wall clock, which can be set."""

    shift = timedelta()

    @classmethod
    def now(cls, tz=None):  # type: ignore[no-untyped-def, override]
        return datetime.now(tz) + cls.shift


def test_a_clock_set_back_stalls_no_job_of_the_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real APScheduler: without the heartbeat its next look would be two hours away."""
    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Wall)
    monkeypatch.setattr(apscheduler.triggers.interval, "datetime", Wall)
    monkeypatch.setattr(Wall, "shift", timedelta())
    made = settings(tmp_path)
    looked = threading.Semaphore(0)
    with Store(made.database) as store:
        runner = Runner(made, store, Attempts(made, store, clock=lambda: Wall.now(UTC)), lambda line: None)
        look = runner.look
        monkeypatch.setattr(runner, "look", lambda: (look(), looked.release()))
        runner._schedule()
        runner._scheduler.start()
        try:
            assert looked.acquire(timeout=20)
            monkeypatch.setattr(Wall, "shift", -2 * HOUR)
            wait = runner._scheduler.get_job("look").next_run_time - Wall.now(UTC)
            assert wait > HOUR  # it would stall
            runner.beat_once(Wall.now(UTC), runner.steady())
            assert looked.acquire(timeout=20)
            assert runner._scheduler.get_job("look").next_run_time - Wall.now(UTC) < MINUTE
            assert runner._scheduler.get_job("prune").next_run_time - Wall.now(UTC) < 10 * MINUTE
        finally:
            runner.stop()
