"""The history: what is written is whole, once, and leads to its evidence."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from monitor.model import Contact, Count, Outcome, PageViews, SiteViews
from monitor.store import captures, readings, sources, typed
from monitor.store.connection import APPLICATION_ID, Store, StoreError, only_one
from tests.made import DAY, DUCK, GITHUB, NOW, reading, settings


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "presence.db") as store:
        yield store


@pytest.fixture
def duck(store: Store, tmp_path: Path) -> int:
    return sources.sync(store, settings(tmp_path, DUCK), NOW)["duckduckgo/ada-example"]


def one(store: Store, sql: str) -> object:
    (row,) = store.rows(sql)
    return next(iter(row.values()))


def count(value: int, day: date = DAY, overlap: str = "newest") -> Count:
    return Count("linkedin", "profile_views", "90d", day, value, overlap=overlap)  # type: ignore[arg-type]


# --- labels and ranks ----------------------------------------------------------------------------------------------


def test_a_rank_is_a_view_that_follows_the_labels(store: Store, duck: int) -> None:
    readings.save(store, duck, reading("http://x.example/", "http://ada.example/", "http://y.example/"))
    assert store.rows("select * from daily_ranks") == []  # nobody is labelled mine: no rank of nobody
    assert sources.relabel(store, "ada.example", "mine", NOW) == 1
    (rank,) = store.rows("select day, engine, query, source, position, depth, url, mine, unwanted from daily_ranks")
    assert rank == {
        "day": "2026-11-23",
        "engine": "duckduckgo",
        "query": "Ada Example",
        "source": "duckduckgo/ada-example",
        "position": 2,
        "depth": 3,
        "url": "http://ada.example/",
        "mine": 1,
        "unwanted": 0,
    }
    sources.relabel(store, "x.example", "mine", NOW)
    sources.relabel(store, "y.example", "unwanted", NOW)
    (rank,) = store.rows("select position, mine, unwanted from daily_ranks")
    assert rank == {"position": 1, "mine": 2, "unwanted": 1}
    sources.relabel(store, "x.example", "none", NOW)
    assert one(store, "select position from daily_ranks") == 2


def test_not_found_is_null_within_the_depth_seen_and_a_failure_is_no_row(store: Store, duck: int) -> None:
    sources.relabel(store, "ada.example", "mine", NOW)
    readings.save(store, duck, reading("http://x.example/", "http://y.example/", at=NOW))
    for days, outcome in enumerate(("blocked", "changed", "failed", "suspect", "missed"), 1):
        at = NOW + timedelta(days=days)
        readings.save(store, duck, reading("http://ada.example/", at=at, outcome=Outcome(outcome), reason="x"))
    rows = store.rows("select day, position, depth from daily_ranks")
    assert rows == [{"day": "2026-11-23", "position": None, "depth": 2}]
    assert len(store.rows("select * from gaps")) == 5


def test_the_newest_trustworthy_reading_of_a_day_counts(store: Store, duck: int) -> None:
    sources.relabel(store, "ada.example", "mine", NOW)
    readings.save(store, duck, reading("http://ada.example/", at=NOW))
    readings.save(store, duck, reading("http://x.example/", "http://ada.example/", at=NOW + timedelta(hours=1)))
    readings.save(store, duck, reading(at=NOW + timedelta(hours=2), outcome=Outcome.BLOCKED, reason="captcha"))
    assert one(store, "select position from daily_ranks") == 2
    assert one(store, "select outcome from source_health") == "blocked"


def test_labels_of_the_config_come_and_go_with_it_and_a_command_beats_them(
    store: Store, duck: int, tmp_path: Path
) -> None:
    readings.save(store, duck, reading("http://ada.example/", "http://x.example/"))
    labelled = settings(tmp_path, DUCK + '[labels]\nmine = ["ada.example"]\n')
    sources.sync(store, labelled, NOW)
    assert one(store, "select whose from urls where host = 'ada.example'") == "mine"
    sources.relabel(store, "ada.example", "namesake", NOW)
    assert one(store, "select whose from urls where host = 'ada.example'") == "namesake"
    sources.relabel(store, "ada.example", "none", NOW)
    assert one(store, "select whose from urls where host = 'ada.example'") == "mine"
    sources.sync(store, settings(tmp_path, DUCK), NOW)
    assert one(store, "select whose from urls where host = 'ada.example'") == "other"


def test_a_changed_series_retires_the_old_source_and_an_unchanged_one_goes_on(
    store: Store, duck: int, tmp_path: Path
) -> None:
    again = sources.sync(store, settings(tmp_path, DUCK + 'region = "de-de"\n'), NOW)
    assert again["duckduckgo/ada-example"] != duck
    assert one(store, f"select retired_at from sources where id = {duck}") == "2026-11-23T09:30:00Z"
    back = sources.sync(store, settings(tmp_path, DUCK), NOW)
    assert back["duckduckgo/ada-example"] == duck
    assert one(store, "select count(*) from sources where retired_at is null") == 1


# --- evidence ------------------------------------------------------------------------------------------------------


def test_every_number_leads_to_its_bytes_and_equal_bytes_are_kept_once(store: Store, duck: int) -> None:
    first = readings.save(store, duck, reading("http://x.example/", body="the page"))
    readings.save(store, duck, reading("http://x.example/", at=NOW + timedelta(days=1), body="the page"))
    (exchange,) = captures.exchanges_of(store, first)
    assert exchange.capture is not None
    assert exchange.capture.body == b"the page"
    assert one(store, "select count(*) from captures") == 1


def test_pruning_lets_old_bytes_go_and_keeps_rows_numbers_and_troubled_pages(store: Store, duck: int) -> None:
    old = readings.save(store, duck, reading("http://x.example/", body="old"))
    readings.save(store, duck, reading(at=NOW, outcome=Outcome.CHANGED, reason="layout_unknown", body="strange"))
    readings.save(store, duck, reading("http://x.example/", at=NOW + timedelta(days=100), body="young"))
    gone = captures.prune(store, NOW + timedelta(days=100), timedelta(days=90))
    assert gone == (1, 3)
    assert captures.exchanges_of(store, old)[0].capture is None
    assert one(store, "select count(*) from results") == 2
    assert captures.prune(store, NOW + timedelta(days=400), timedelta(days=90)).captures == 2
    readings.save(store, duck, reading("http://x.example/", at=NOW + timedelta(days=401), body="old"))
    assert one(store, "select count(*) from captures where pruned_at is null") == 1


def test_readings_are_append_only(store: Store, duck: int) -> None:
    readings.save(store, duck, reading("http://x.example/"))
    for sql in ("update readings set outcome = 'ok'", "delete from readings"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"), store.write() as db:
            db.execute(sql)


def test_a_reading_is_whole_or_absent(store: Store, duck: int) -> None:
    """A reading whose last record cannot be stored leaves nothing at all."""
    broken = reading("http://x.example/", counts=[count(1), Count("p", "m", "w", "nonsense", 3)])  # type: ignore[arg-type]
    with pytest.raises((AttributeError, sqlite3.IntegrityError)):
        readings.save(store, duck, broken)
    for table in ("readings", "results", "exchanges", "counts", "captures", "urls"):
        assert one(store, f"select count(*) from {table}") == 0


@pytest.mark.parametrize("n", [0, 1, 2, 120])
def test_any_number_of_results_is_stored(store: Store, duck: int, n: int) -> None:
    readings.save(store, duck, reading(*(f"http://h{i}.example/" for i in range(n))))
    assert one(store, "select count(*) from results") == n


# --- counts and what is typed --------------------------------------------------------------------------------------


def test_a_late_number_revises_the_old_and_both_keep_their_evidence(store: Store, tmp_path: Path) -> None:
    source_id = sources.sync(store, settings(tmp_path, GITHUB), NOW)["github/ada"]
    first = readings.save(store, source_id, reading(counts=[count(10)]))
    second = readings.save(store, source_id, reading(counts=[count(12)]))
    assert one(store, "select value from counts") == 12
    (revision,) = store.rows("select old, new, old_reading_id, reading_id from revisions")
    assert revision == {"old": 10, "new": 12, "old_reading_id": first, "reading_id": second}
    readings.save(store, source_id, reading(counts=[count(12)]))
    assert one(store, "select reading_id from counts") == second


def test_overlapping_windows_keep_the_largest_and_a_hole_never_wipes_a_number(store: Store, tmp_path: Path) -> None:
    source_id = sources.sync(store, settings(tmp_path, GITHUB), NOW)["github/ada"]
    for value in (7, 9, 4):
        readings.save(store, source_id, reading(counts=[count(value, overlap="max")]))
    hidden = Count("linkedin", "profile_views", "90d", DAY, None, state="hidden")
    readings.save(store, source_id, reading(counts=[hidden]))
    assert one(store, "select value from counts") == 9


def test_what_is_typed_is_marked_and_undone_one_by_one(store: Store) -> None:
    typed.add_count(store, count(40), NOW, "UTC")
    typed.add_count(store, count(45), NOW, "UTC")
    typed.add_contact(store, Contact(None, DAY, "call", "old resume"), NOW, "UTC")
    typed.add_event(store, DAY, "new job", "", "", NOW, "UTC")
    assert one(store, "select typed from profile_counts") == 1
    assert one(store, "select contacts from contacts_by_origin where origin = 'old resume'") == 1
    assert typed.undo(store) == "event new job on 2026-11-23"
    assert typed.undo(store) == "contact call from old resume on 2026-11-23"
    assert "45" in typed.undo(store)
    assert one(store, "select value from counts") == 40
    assert "40" in typed.undo(store)
    assert typed.undo(store) == ""
    for table in ("counts", "contacts", "events", "revisions", "readings"):
        assert one(store, f"select count(*) from {table}") == 0


# --- the file ------------------------------------------------------------------------------------------------------


def test_the_schema_refuses_what_is_not_a_number_or_a_time(store: Store, duck: int) -> None:
    readings.save(store, duck, reading("http://x.example/"))
    wrong = (
        "insert into counts values (1, 'p', 'm', 'w', '2026-11-23', 0, 'hidden', 'exact', '', 1)",
        "insert into counts values (1, 'p', 'm', 'w', '2026-11-23', null, 'read', 'exact', '', 1)",
        "insert into counts values (1, 'p', 'm', 'w', '2026-11-23', 'many', 'read', 'exact', '', 1)",
        "insert into results values (1, 9, 0, 'ad', 1, 1, 1, 1, 'exact')",
        "insert into results values (99, 9, 0, 'organic', 1, 1, 1, 1, 'exact')",
        "insert into site_views values (1, 'yesterday', 1, 1, 1, '1', 1, 1)",
        "insert into readings select null, source_id, 'soon', day, 9, \"trigger\", null, started_at, finished_at,"
        " outcome, reason, advice, parser, depth, results_hash, note from readings",
    )
    for sql in wrong:
        with pytest.raises(sqlite3.IntegrityError), store.write() as db:
            db.execute(sql)


def test_titles_are_found_by_their_words_without_accents(store: Store, duck: int) -> None:
    from monitor.model import Result

    record = Result("http://x.example/", "Zoë Müller, engineer", position=1, position_absolute=1)
    readings.save(store, duck, reading(body="a").__class__(**{**_fields(reading(body="a")), "records": (record,)}))
    assert one(store, "select count(*) from texts_fts where texts_fts match 'zoe muller'") == 1


def _fields(made: object) -> dict[str, object]:
    return {name: getattr(made, name) for name in made.__slots__}  # type: ignore[attr-defined]


def test_files_that_are_not_ours_are_refused_with_a_sentence_and_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "other.db"
    with sqlite3.connect(foreign) as conn:
        conn.execute("create table precious (x)")
    before = foreign.read_bytes()
    with pytest.raises(StoreError, match="another program's database") as caught:
        Store(foreign)
    assert caught.value.exit_code == 65
    assert foreign.read_bytes() == before
    (tmp_path / "zero.db").touch()
    with pytest.raises(StoreError, match="empty file"):
        Store(tmp_path / "zero.db")
    (tmp_path / "junk.db").write_bytes(b"no database at all" * 300)
    with pytest.raises(StoreError, match="is damaged") as caught:
        Store(tmp_path / "junk.db")
    assert caught.value.exit_code == 65
    with pytest.raises(StoreError) as caught:
        Store(tmp_path / "no" / "folder.db")
    assert caught.value.exit_code in (74, 77)


def test_our_file_is_known_by_its_mark_and_is_in_wal_mode(store: Store) -> None:
    assert one(store, "pragma application_id") == APPLICATION_ID
    assert one(store, "pragma journal_mode") == "wal"
    assert one(store, "pragma integrity_check") == "ok"


def test_the_files_are_the_owners_alone(store: Store, duck: int) -> None:
    readings.save(store, duck, reading("http://x.example/"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in store.path.parent.glob("presence*")}
    assert set(modes.values()) == {0o600}, modes


def _open(path: Path) -> None:
    Store(path).close()


def test_a_long_log_is_brought_in_once_and_not_at_every_commit_after_it(store: Store, duck: int) -> None:
    brought_in: list[str] = []
    readings.save(store, duck, reading("http://x.example/", body="first"))
    store.conn.set_trace_callback(lambda sql: brought_in.append(sql) if "checkpoint" in sql else None)
    with store.write() as db:  # longer than any reading
        db.execute("create table ballast (filling blob)")
        db.execute("insert into ballast values (zeroblob(20000000))")
    assert len(brought_in) == 1
    for n in range(5):
        readings.save(store, duck, reading("http://x.example/", at=NOW + timedelta(days=n + 1), body=f"page {n}"))
    assert len(brought_in) == 1


def test_the_same_result_twice_on_a_page_is_one_address_with_two_places(store: Store, duck: int) -> None:
    readings.save(store, duck, reading("http://x.example/", "http://y.example/", "http://x.example/"))
    readings.save(store, duck, reading("http://y.example/", "http://z.example/", at=NOW + timedelta(days=1)))
    assert store.rows("select url from urls order by id") == [
        {"url": f"http://{name}.example/"} for name in ("x", "y", "z")
    ]
    seen = store.rows(
        "select u.url, x.position from results x join urls u on u.id = x.url_id order by reading_id, block"
    )
    assert [(row["url"][7], row["position"]) for row in seen] == [("x", 1), ("y", 2), ("x", 3), ("y", 1), ("z", 2)]


def test_days_read_again_replace_only_what_changed_and_say_so(store: Store, duck: int) -> None:
    def read(hours: int, *views: tuple[str, int]) -> int:
        records = (SiteViews(DAY, sum(n for _, n in views)), *(PageViews(DAY, path, n) for path, n in views))
        made = reading(at=NOW + timedelta(hours=hours), body=f"{hours}")
        return readings.save(store, duck, replace(made, records=records, rule="1"))

    first, second = read(1, ("/a/", 5), ("/b/", 2)), read(2, ("/a/", 5), ("/b/", 3), ("/c/", 1))
    now = store.rows("select path, views, reading_id from page_views join paths p on p.id = path_id order by path")
    assert [tuple(row.values()) for row in now] == [("/a/", 5, first), ("/b/", 3, second), ("/c/", 1, second)]
    said = store.rows("select table_name, key, old, new, old_reading_id, reading_id from revisions order by id")
    assert [tuple(row.values()) for row in said] == [
        ("site_views", f"{duck}", 7, 9, first, second),
        ("page_views", f"{duck}\t/b/", 2, 3, first, second),
    ]
    assert store.rows("select views from path_totals order by path_id") == [{"views": n} for n in (5, 3, 1)]


def test_several_processes_may_begin_the_same_history_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    path = tmp_path / "presence.db"
    processes = [context.Process(target=_open, args=(path,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    with Store(path) as store:
        assert one(store, "select count(*) - count(distinct name) from _sqlite_migrations") == 0


def test_the_views_follow_their_text_and_the_data_stays(store: Store, duck: int) -> None:
    readings.save(store, duck, reading("http://x.example/"))
    with store.write() as db:
        db.execute("drop view page_one")
        db.execute("create view page_one as select 1 as old")
        db.execute("update _monitor_views set text_hash = 'older'")
    store.close()
    with Store(store.path) as again:
        assert one(again, "select url from page_one") == "http://x.example/"


def test_a_second_one_is_told_who_is_at_work(tmp_path: Path) -> None:
    path = tmp_path / "presence.db"
    with (
        only_one(path, "run"),
        pytest.raises(StoreError, match="Another monitor is at work on") as caught,
        only_one(path, "run"),
    ):
        pass
    assert caught.value.exit_code == 75
    with only_one(path, "run"):
        pass


def test_a_lock_is_waited_for_and_then_said_in_its_own_words(tmp_path: Path) -> None:
    path = tmp_path / "presence.db"
    with (
        only_one(path, "source-1"),
        pytest.raises(StoreError, match="is just being read") as caught,
        only_one(path, "source-1", busy="blog is just being read", seconds=0.05),
    ):
        raise AssertionError
    assert caught.value.exit_code == 75


def test_instants_are_utc_text_that_sorts() -> None:
    from monitor.times import from_text, to_text

    at = datetime(2026, 11, 23, 9, 30, 1, 5000, tzinfo=UTC)
    assert to_text(at) == "2026-11-23T09:30:01Z"
    assert from_text(to_text(at, fine=True)) == at
    with pytest.raises(ValueError):
        from_text("2026-11-23T09:30:01")
