"""What the views say of page views: sums of one source only, and a day that was not counted is never a zero."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from monitor.model import Batch, Capture, LogCursor, LogGap, PageViews, Record, Referrer, SiteViews
from monitor.store import readings, sources
from monitor.store.connection import Store
from tests.made import NOW, reading, settings

TWO = """
[[page_views]]
kind = "access_log"
name = "log"
site = "blog"

[[page_views]]
kind = "access_log"
name = "other"
site = "blog"
files = "other.log"
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "presence.db") as store:
        yield store


@pytest.fixture
def ids(store: Store, tmp_path: Path) -> dict[str, int]:
    return sources.sync(store, settings(tmp_path, TWO), NOW)


class Counted:
    """Writes days of one source through the store."""

    def __init__(self, store: Store, source_id: int) -> None:
        self.store, self.source_id, self.at = store, source_id, datetime(2026, 1, 1, tzinfo=UTC)

    def day(
        self,
        day: date,
        views: int | Mapping[str, int],
        visitors: int | None = None,
        *,
        came: Mapping[str, int] | None = None,
        medium: str = "social",
        complete: bool = True,
        rule: str = "1",
    ) -> int:
        paths = views if isinstance(views, Mapping) else {"/": views}
        records: list[Record] = [SiteViews(day, sum(paths.values()), visitors, complete=complete)]
        records += [PageViews(day, path, number) for path, number in paths.items()]
        records += [Referrer(day, name, medium, number) for name, number in (came or {}).items()]
        self.at += timedelta(minutes=1)
        one = replace(reading(at=self.at), day=day, records=tuple(records), depth=None, rule=rule)
        return readings.save(self.store, self.source_id, one)


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in store.rows(sql)]


def days(first: str, count: int) -> list[date]:
    return [date.fromisoformat(first) + timedelta(days=n) for n in range(count)]


def test_weeks_are_iso_weeks_and_say_how_many_days_they_hold(store: Store, ids: dict[str, int]) -> None:
    log = Counted(store, ids["log"])
    for n, day in enumerate(days("2026-12-28", 7)):  # Monday to Sunday, the last week of ISO 2026: 53
        log.day(day, 10 + n, 5)
    for day in days("2027-01-04", 7)[::2]:  # of the week after, Tuesday, Thursday and Saturday were not counted
        log.day(day, 10, 5)
    Counted(store, ids["other"]).day(date(2026, 12, 30), 1000)
    assert rows(
        store,
        "select week, monday, source, views, daily_visitors, days, complete from weekly_page_views order by source, 1",
    ) == [
        ("2026-W53", "2026-12-28", "log", 91, 35, 7, 1),
        ("2027-W01", "2027-01-04", "log", 40, 20, 4, 0),
        ("2026-W53", "2026-12-28", "other", 1000, None, 1, 0),
    ]


@pytest.mark.parametrize("first", ["2019-12-23", "2020-12-21", "2024-12-23", "2026-12-28", "2027-12-27"])
def test_every_day_is_in_the_week_of_the_calendar(store: Store, ids: dict[str, int], first: str) -> None:
    log = Counted(store, ids["log"])
    for day in days(first, 21):
        log.day(day, 1)
    told = rows(store, "select week, monday from weekly_page_views order by monday")
    weeks = [day.isocalendar() for day in days(first, 21)[::7]]
    assert told == [(f"{w.year}-W{w.week:02}", date.fromisocalendar(w.year, w.week, 1).isoformat()) for w in weeks]


def test_a_month_is_complete_only_when_each_of_its_days_is(store: Store, ids: dict[str, int]) -> None:
    log = Counted(store, ids["log"])
    for day in days("2026-02-01", 28):
        log.day(day, 2, 1)
    for day in days("2026-03-01", 31):
        log.day(day, 2, None if day.day == 9 else 1, complete=day.day < 31)
    for day in days("2026-04-01", 30):
        if day.day != 12:
            log.day(day, 2, 1)
    Counted(store, ids["other"]).day(date(2026, 2, 3), 500, 7)
    assert rows(
        store, "select month, source, views, daily_visitors, days, complete from monthly_page_views order by 2, 1"
    ) == [
        ("2026-02", "log", 56, 28, 28, 1),
        ("2026-03", "log", 62, None, 31, 0),  # the ninth does not tell of visitors, the last day is not over
        ("2026-04", "log", 58, 29, 29, 0),  # the twelfth was not counted
        ("2026-02", "other", 500, 7, 1, 0),
    ]


def test_risers_compare_counted_days_with_as_many_counted_days(store: Store, ids: dict[str, int]) -> None:
    log = Counted(store, ids["log"])
    run = days("2026-09-01", 61)
    missed, unfinished = {run[10], run[40], run[41]}, {run[20], run[60]}
    for n, day in enumerate(run):
        if day in missed:
            continue
        late = n >= 30
        pages = {"/": 5, "/up": 3 if late else 1, "/down": 1 if late else 3} | ({"/new": 2} if n == 50 else {})
        log.day(day, {"/up": 900} if day in unfinished else pages, complete=day not in unfinished)
    told = rows(
        store,
        "select path, views, views_before, difference, first_day, last_day, before_first_day from page_risers"
        " order by difference desc",
    )
    when = (run[30].isoformat(), run[59].isoformat(), run[0].isoformat())
    assert told == [("/up", 28 * 3, 28, 56, *when), ("/new", 2, 0, 2, *when)]


@pytest.mark.parametrize(("count", "other_rule"), [(55, False), (56, True)])
def test_no_riser_where_there_is_nothing_to_compare(
    store: Store, ids: dict[str, int], count: int, other_rule: bool
) -> None:
    log = Counted(store, ids["log"])
    for n, day in enumerate(days("2026-09-01", count)):
        log.day(day, n + 1, rule="2" if other_rule and n > 40 else "1")
    assert rows(store, "select * from page_risers") == []


def test_risers_are_bounded_for_each_source(store: Store, ids: dict[str, int]) -> None:
    for name in ("log", "other"):
        counted = Counted(store, ids[name])
        run = days("2026-09-01", 56)
        for day in run[:-1]:
            counted.day(day, 1)
        counted.day(run[-1], {f"/{n}": n + 1 for n in range(120)})
    assert rows(store, "select source, count(*), min(views) from page_risers group by 1") == [
        ("log", 100, 21),
        ("other", 100, 21),
    ]


def test_media_are_summed_by_month_of_one_source(store: Store, ids: dict[str, int]) -> None:
    log, other = Counted(store, ids["log"]), Counted(store, ids["other"])
    log.day(date(2026, 3, 1), 9, came={"linkedin.com": 4, "x.com": 5})
    log.day(date(2026, 3, 2), 9)  # counted, but nothing said where from
    log.day(date(2026, 3, 31), 9, came={"x.com": 2})
    log.day(date(2026, 4, 1), 9, came={"x.com": 1})
    other.day(date(2026, 3, 1), 9, came={"x.com": 100})
    assert rows(store, "select month, source, medium, views, days from referrers_by_medium order by 2, 1") == [
        ("2026-03", "log", "social", 11, 2),
        ("2026-04", "log", "social", 1, 1),
        ("2026-03", "other", "social", 100, 1),
    ]


def test_linkedin_by_any_of_its_names_and_zero_only_where_referrers_are_known(
    store: Store, ids: dict[str, int]
) -> None:
    log = Counted(store, ids["log"])
    names = {"linkedin.com": 1, "lnkd.in": 2, "de.linkedin.com": 4, "com.linkedin.android": 8, "linkedin-post": 16}
    names |= {"LinkedIn": 32}
    strangers = {"notlinkedin.com": 100, "linkedin.com.example.org": 100, "linkedin.example": 100, "-": 100}
    told = log.day(date(2026, 3, 1), 1000, came=names | strangers)
    none = log.day(date(2026, 3, 2), 7, came={"-": 7})
    log.day(date(2026, 3, 3), 7)  # where from is not known: no row
    quiet = log.day(date(2026, 3, 5), 0)  # and of the fourth nothing is
    Counted(store, ids["other"]).day(date(2026, 3, 1), 3, came={"linkedin.com": 3}, complete=False)
    assert rows(
        store, "select day, source, views, all_views, complete, reading_id from from_linkedin order by source, day"
    )[:3] == [
        ("2026-03-01", "log", 63, 1000, 1, told),
        ("2026-03-02", "log", 0, 7, 1, none),
        ("2026-03-05", "log", 0, 0, 1, quiet),
    ]
    assert rows(store, "select day, views, complete from from_linkedin where source = 'other'") == [
        ("2026-03-01", 3, 0)
    ]


def test_days_without_a_number_and_lost_logs_are_told(store: Store, ids: dict[str, int]) -> None:
    log = Counted(store, ids["log"])
    log.day(date(2026, 2, 27), 3)
    before = log.day(date(2026, 2, 28), 0)  # read, and truly none: no gap
    log.day(date(2026, 3, 4), 3)
    log.day(date(2026, 3, 6), 3)
    Counted(store, ids["other"]).day(date(2026, 3, 20), 3)
    cursor = LogCursor("access.log.9", 1, 2, 500, 0, 400, 400, "h", "t", done=False)
    for n, gaps in enumerate([(), (LogGap("access.log.9", 400, 1),)]):
        batch = Batch(Capture(b"", place="access.log.9"), cursor if n else None, replace(cursor, done=bool(n)), gaps)
        lost = readings.save(store, ids["log"], replace(reading(at=NOW + timedelta(n)), batch=batch, depth=None))
    found = rows(store, "select * from page_view_gaps order by what, first_day")
    assert found[:2] == [
        ("log", "days", "2026-03-01", "2026-03-03", 3, None, None, ids["log"], before),
        ("log", "days", "2026-03-05", "2026-03-05", 1, None, None, ids["log"], before + 1),
    ]
    assert found[2:] == [
        ("log", "log", None, None, None, "2026-11-24T09:30:00Z", "access.log.9, from byte 400", ids["log"], lost)
    ]


def test_top_paths_are_what_adding_up_every_day_gives(store: Store, ids: dict[str, int]) -> None:
    """However the days came: added to, replaced by a later reading, or taken away."""
    log, other = (Counted(store, ids[name]) for name in ("log", "other"))
    for n in range(40):
        log.day(date(2026, 9, 1) + timedelta(days=n), {"/": n + 1, "/a": 2, f"/p{n % 3}": 1})
    other.day(date(2026, 10, 1), {"/": 100, "/a": 1})
    other.day(date(2026, 10, 1), {"/": 60})
    with store.write() as db:
        db.execute("delete from page_views where day = '2026-09-03'")
    added_up = """
        select s.name as source, p.path, sum(v.views) as views, min(v.day) as first_day, max(v.day) as last_day,
          sum(case when v.day > date(l.day, '-30 days') then v.views else 0 end) as views_30_days
        from page_views v join paths p on p.id = v.path_id join sources s on s.id = v.source_id
        join (select source_id, max(day) as day from site_views group by source_id) l using (source_id)
        group by s.name, p.path order by 1, 2
    """
    shown = "select source, path, views, first_day, last_day, views_30_days from top_paths order by source, path"
    assert store.rows(shown) == store.rows(added_up)
    assert len(store.rows(shown)) >= 6


def test_referrer_totals_are_what_adding_up_every_day_gives(store: Store, ids: dict[str, int]) -> None:
    """However the rows came and went: said again with another number or medium, put right by hand, taken away."""
    chance = random.Random(7)
    log, other = (Counted(store, ids[name]) for name in ("log", "other"))
    run = days("2026-08-20", 60)
    for _ in range(200):
        came = {f"{name}.example": chance.randrange(4) for name in chance.sample("abcdef", 3)}
        chance.choice((log, other)).day(chance.choice(run), 9, came=came, medium=chance.choice(("social", "search")))
    with store.write() as db:
        for sql in (
            "delete from referrers where day = '2026-09-03' or referrer = 'f.example'",
            "delete from referrers where day >= '2026-10-01' and medium = 'search'",
            "update referrers set views = views + 3 where referrer = 'a.example'",
            "update referrers set medium = 'other' where referrer = 'b.example' and day like '%9'",
            "update referrers set referrer = 'c.example' where referrer = 'd.example' and (source_id, day) not in"
            " (select source_id, day from referrers where referrer = 'c.example')",
        ):
            db.execute(sql)
    totals = "select source_id, referrer, sum(views) as views, count(*) as days from referrers group by 1, 2"
    media = (
        'select substr(day, 1, 7) as month, source_id, medium, sum(views) as views, count(*) as "rows" from referrers'
    )
    assert store.rows("select * from referrer_totals order by 1, 2") == store.rows(f"{totals} order by 1, 2")
    assert store.rows("select * from medium_totals order by 1, 2, 3") == store.rows(f"{media} group by 1, 2, 3")
    added_up = """
        select s.name as source, r.referrer, sum(r.views) as views, min(r.day) as first_day, max(r.day) as last_day,
          sum(case when r.day > date(l.day, '-30 days') then r.views else 0 end) as views_30_days
        from referrers r join sources s on s.id = r.source_id
        join (select source_id, max(day) as day from site_views group by source_id) l using (source_id)
        group by s.name, r.referrer order by 1, 2
    """
    shown = "select source, referrer, views, first_day, last_day, views_30_days from top_referrers order by 1, 2"
    assert store.rows(shown) == store.rows(added_up)
    assert len(store.rows(shown)) >= 8
    assert len(store.rows("select * from medium_totals")) >= 15


def test_a_referrer_s_medium_is_that_of_its_newest_day(store: Store, ids: dict[str, int]) -> None:
    log = Counted(store, ids["log"])
    for n, medium in enumerate(("other", "ai", "search")):
        log.day(date(2026, 3, 3) - timedelta(days=n), 1, came={"chat.example": 1}, medium=medium)
    assert rows(store, "select referrer, medium, views from top_referrers") == [("chat.example", "other", 3)]
    assert rows(store, "select medium, views, days from referrers_by_medium order by 1") == [
        ("ai", 1, 3),
        ("other", 1, 3),
        ("search", 1, 3),
    ]
