"""A backup is whole or not there; a restore leaves the old history or the new one, and never deletes either."""

from __future__ import annotations

import errno
import multiprocessing
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import cli
from monitor.store import backup, captures, copies, readings, restore, sources
from monitor.store.backup import keep_backups, kept, removable
from monitor.store.connection import Store, StoreError, only_one
from tests.conftest import ROOT
from tests.made import DUCK, NOW, reading, settings

DAY = timedelta(days=1)
URLS = ("http://ada.example/", "http://x.example/")


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, and the text of the schema."""
    with closing(sqlite3.connect(path)) as conn:
        ask = lambda sql: sorted(conn.execute(sql).fetchall(), key=repr)  # noqa: E731
        tables = [name for (name,) in ask("select name from sqlite_master where type = 'table'")]
        found = {name: ask(f"select * from [{name}]") for name in tables}
        return found | {"": ask("select type, name, sql from sqlite_master")}


def bodies(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as conn:
        return {name for (name,) in conn.execute("select id from bodies")}


def save(store: Store, body: str, days: int = 0) -> None:
    (source,) = store.rows("select id from sources") or [{}]
    source_id = source.get("id") or sources.sync(store, settings(store.path.parent, DUCK), NOW).popitem()[1]
    readings.save(store, source_id, reading(*URLS, at=NOW + days * DAY, body=body))


def assert_sound(database: Path) -> None:
    """Whole, and every capture of every reading in it is there."""
    with closing(sqlite3.connect(database)) as conn:
        assert conn.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert conn.execute("pragma foreign_key_check").fetchall() == []
        named = "select capture_id from exchanges e join captures c on c.id = e.capture_id where c.pruned_at is null"
        assert {name for (name,) in conn.execute(named)} <= bodies(backup.captures_path(database))
        per_reading = conn.execute(
            "select count(x.reading_id) from readings r left join results x on x.reading_id = r.id group by r.id"
        )
        assert {number for (number,) in per_reading} <= {len(URLS)}


def in_child(work: Callable[[], object]) -> int:
    """The exit code of a forked process that did the work."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(60)
    assert child.exitcode is not None
    return child.exitcode


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A history with two readings, one of them of a page long pruned."""
    path = tmp_path / "presence.db"
    with Store(path) as store:
        save(store, "long ago", days=-100)
        captures.prune(store, NOW, 90 * DAY)
        save(store, "first")
    return path


# --- which are kept ---------------------------------------------------------------------------------------------------


def days_ago(*days: float) -> list[datetime]:
    return [NOW - day * DAY for day in days]


@pytest.mark.parametrize(
    ("there", "stay"),
    [
        ([], []),
        ([0], [0]),
        ([400], [400]),  # the newest, however old
        ([0, 0.1, 0.2], [0, 0.1, 0.2]),  # all of the last 24 hours
        ([0, 1.1, 1.2], [0, 1.1]),  # then one a day: the newest
        (range(8), range(7)),  # 2026-11-23 is a Monday: the newest of the week before is among the seven
        ([0, 30, 60, 90, 365, 395], [0, 30, 60, 90, 365, 395]),  # sparse ones are not lost to the calendar
        ([-3, -2, -1, *range(7)], [-3, -2, -1, *range(7)]),  # a clock that was wrong: not judged, and displaces none
    ],
)
def test_the_newest_of_days_weeks_and_months_stay(there: list[float], stay: list[float]) -> None:
    assert sorted(kept(days_ago(*there), NOW)) == sorted(days_ago(*stay))


def test_three_years_of_daily_backups_leave_seven_days_four_weeks_and_twelve_months() -> None:
    there: set[datetime] = set()
    for day in range(3 * 365):
        now = NOW + day * DAY
        there = kept(there | {now}, now)
    ages = sorted((now - at).days for at in there)
    assert ages[:7] == list(range(7))
    assert 19 <= len(ages) <= 23
    assert sum(age < 29 for age in ages) >= 10
    assert len({f"{at:%Y-%m}" for at in there}) == 12


names = st.one_of(
    st.integers(0, 4 * 365 * 24 * 3600).flatmap(
        lambda seconds: st.sampled_from(("presence-{}.db", "presence-captures-{}.db")).map(
            lambda name: name.format(backup.instant_text(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)))
        )
    ),
    st.sampled_from(
        (
            *("presence.db", "presence-2026-13-23T063000Z.db", "presence-2026-11-23T063000Z.db.bak", "notes.txt"),
            *(
                "other-2026-11-23T063000Z.db",
                "xpresence-2026-11-23T063000Z.db",
                "presence-2026-11-23.db",
                "presence-.db",
            ),
            "presence-٢٠٢٦-11-23T063000Z.db",
        )
    ),
)


@given(st.sets(names, max_size=60))
def test_what_goes_is_ours_by_name_and_never_the_newest(there: set[str]) -> None:
    gone = removable(there, "presence", NOW)
    ours = {name for name in there if backup.instant_of(name, "presence")}
    pages = {name for name in there if backup.instant_of(name, "presence-captures")}
    assert gone <= ours | pages
    if ours:
        assert max(ours) not in gone
        past = {name for name in ours if backup.instant_of(name, "presence") <= NOW}  # type: ignore[operator]
        assert not past or max(past) not in gone
    for name in pages:  # captures go with their history and never before it
        assert (name in gone) == (name.replace("-captures", "") not in ours - gone)
    assert removable(there - gone, "presence", NOW) == set()


# --- there and back ---------------------------------------------------------------------------------------------------


def test_every_row_of_every_table_and_every_byte_comes_back(history: Path, tmp_path: Path) -> None:
    there, pages = rows(history), rows(backup.captures_path(history))
    made = keep_backups(history, NOW)
    assert made.path == tmp_path / "presence-backups" / "presence-2026-11-23T093000Z.db"
    assert made.captures == tmp_path / "presence-backups" / "presence-captures-2026-11-23T093000Z.db"
    assert (made.readings, made.missing, made.removed) == (2, 0, ())
    assert sorted(os.listdir(made.path.parent)) == sorted((made.path.name, made.captures.name))
    with Store(history) as store:
        save(store, "second", days=1)
    done = restore.restore(made.path, history, NOW)
    assert (done.days, done.readings, done.newest, done.missing) == (2, 2, "2026-11-23T09:30:00Z", 0)
    assert rows(history) == there
    assert rows(backup.captures_path(history)) == pages
    with Store(history) as store:
        assert captures.exchanges_of(store, 2)[0].capture.body == b"first"  # type: ignore[union-attr]
    assert_sound(history)


def test_the_files_are_the_owners_alone(history: Path) -> None:
    made = keep_backups(history, NOW)
    restore.restore(made.path, history, NOW)
    files = [p for p in history.parent.rglob("presence*") if p.is_file()]
    assert {p.stat().st_mode & 0o777 for p in files} == {0o600}
    assert made.path.parent.stat().st_mode & 0o777 == 0o700


def test_what_was_there_is_moved_aside_and_can_be_brought_back(history: Path) -> None:
    made = keep_backups(history, NOW)
    with Store(history) as store:
        save(store, "second", days=1)
    newer = rows(history)
    first = restore.restore(made.path, history, NOW)
    assert first.aside == history.with_name("presence.db.before-restore-2026-11-23T093000Z")
    assert rows(first.aside) == newer
    again = restore.restore(first.aside, history, NOW)
    assert again.aside != first.aside
    assert again.missing == 0
    assert rows(history) == newer
    assert_sound(history)


def test_a_backup_is_restored_on_another_machine_under_another_name(history: Path, tmp_path: Path) -> None:
    made = keep_backups(history, NOW)
    there = rows(history)
    other = tmp_path / "new" / "career.db"
    other.parent.mkdir()
    done = restore.restore(made.path, other, NOW)
    assert (done.aside, done.captures) == (None, made.captures)
    assert rows(other) == there
    assert_sound(other)


def test_without_captures_only_numbers_go_and_come(history: Path) -> None:
    pages = backup.captures_path(history)
    made = keep_backups(history, NOW, with_captures=False)
    assert made.captures is None
    assert [p.name for p in made.path.parent.iterdir()] == [made.path.name]
    with Store(history) as store:
        save(store, "second", days=1)
    before = rows(pages)
    done = restore.restore(made.path, history, NOW)
    assert (done.captures, done.missing) == (None, 0)
    assert rows(pages) == before
    pages.unlink()
    assert restore.restore(made.path, history, NOW).missing == 1


def test_the_owner_chooses_to_leave_the_present_captures_in_place(history: Path) -> None:
    made = keep_backups(history, NOW)
    with Store(history) as store:
        save(store, "second", days=1)
    before = rows(backup.captures_path(history))
    assert restore.restore(made.path, history, NOW, with_captures=False).captures is None
    assert rows(backup.captures_path(history)) == before


def test_present_captures_that_cannot_be_read_stand_in_no_ones_way(history: Path) -> None:
    pages = backup.captures_path(history)
    numbers = keep_backups(history, NOW, with_captures=False)
    both = keep_backups(history, NOW)
    damage(pages)
    assert restore.restore(numbers.path, history, NOW).missing == 1
    pages.unlink()
    with closing(sqlite3.connect(pages)) as conn:  # begun, and killed before it held anything
        conn.execute("pragma user_version = 1")
    assert restore.restore(both.path, history, NOW).missing == 0
    assert_sound(history)


def test_captures_that_were_missing_already_are_told(history: Path) -> None:
    with Store(history) as store, store.write_bodies() as conn:
        conn.execute("delete from bodies")
    assert keep_backups(history, NOW).missing == 1


def test_a_backup_lies_where_the_owner_says_and_never_where_no_disk_is_mounted(history: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    assert keep_backups(history, NOW, tmp_path / "disk").path.parent == tmp_path / "disk"
    with pytest.raises(StoreError, match="mount the disk") as caught:
        keep_backups(history, NOW, tmp_path / "nowhere")
    assert caught.value.exit_code == 74
    assert not (tmp_path / "nowhere").exists()


def test_old_ones_go_in_pairs_and_nothing_else_goes(history: Path, tmp_path: Path) -> None:
    folder = tmp_path / "presence-backups"
    first = keep_backups(history, NOW - 400 * DAY + timedelta(hours=1))
    second = keep_backups(history, NOW - 400 * DAY + timedelta(hours=2))
    assert first.path.exists()  # not a day old then
    (folder / "mine.txt").touch()
    (folder / "presence-2026.db").touch()
    (folder / "presence-2025-01-01T000000Z.db").mkdir()
    left = folder / "presence-captures-2026-11-20T000000Z.db.part"
    for ending in ("", *copies.ENDINGS):
        Path(f"{left}{ending}").touch()
    third = keep_backups(history, NOW)
    assert set(third.removed) == {first.path.name, first.captures.name}  # type: ignore[union-attr]
    stay = {p.name for made in (second, third) for p in (made.path, made.captures) if p}
    assert set(os.listdir(folder)) == stay | {"mine.txt", "presence-2026.db", "presence-2025-01-01T000000Z.db"}


def test_two_within_a_second_are_two(history: Path) -> None:
    made = [keep_backups(history, NOW), keep_backups(history, NOW)]
    assert all(p.exists() for m in made for p in (m.path, m.captures) if p)
    assert made[0].path != made[1].path


# --- beside a monitor that writes -------------------------------------------------------------------------------------

WRITER = """
import itertools, sys
from datetime import timedelta
from pathlib import Path
from monitor.store import captures
from monitor.store.connection import Store
from tests.made import NOW
from tests.test_backup import save

with Store(Path(sys.argv[1])) as store:
    for n in itertools.count(1):
        save(store, f"page {n} " + "x" * 5000, days=n)
        if n % 3 == 0:
            captures.prune(store, NOW + timedelta(days=n), timedelta(days=20))
        print(n, flush=True)
"""


def test_beside_a_writer_every_backup_is_of_one_instant(history: Path, tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(history)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout
    try:
        for _ in range(15):
            child.stdout.readline()
        made = [keep_backups(history, NOW + n * timedelta(seconds=1)) for n in range(8)]
        assert child.poll() is None
        with pytest.raises(StoreError, match="open: close it") as caught:
            restore.restore(made[0].path, history, NOW)
        assert caught.value.exit_code == 75
    finally:
        child.kill()
        child.communicate()
    counts = [m.readings for m in made]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert {m.missing for m in made} == {0}
    for number, one in enumerate(made):
        folder = tmp_path / str(number)
        folder.mkdir()
        restore.restore(one.path, folder / "presence.db", NOW)
        assert_sound(folder / "presence.db")
    assert_sound(history)


def test_what_is_written_and_pruned_during_the_copying_is_wholly_out(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, copied = rows(history), []
    with Store(history) as store:

        def copy(source: sqlite3.Connection, target: Path) -> None:
            save(store, f"meanwhile {len(copied)}", days=1 + len(copied))
            captures.prune(store, NOW + 900 * DAY, DAY)
            copied.append(target)
            copies.copy(source, target)

        monkeypatch.setattr(backup, "copy", copy)
        made = keep_backups(history, NOW)
    assert len(copied) == 2
    assert made.missing == 0
    assert rows(made.path) == there


def test_nothing_is_written_or_pruned_between_the_beginnings_of_the_two_copies(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = []

    @contextmanager
    def begun(path: Path) -> Iterator[sqlite3.Connection]:
        with copies.reading(path) as conn:
            if path == history:
                try:
                    captures.prune(store, NOW + 900 * DAY, DAY)
                except StoreError as error:
                    refusals.append(error.exit_code)
            yield conn

    with Store(history, lock_seconds=0.05) as store:
        monkeypatch.setattr(backup, "reading", begun)
        assert keep_backups(history, NOW).missing == 0
    assert refusals == [75]


def test_a_backup_is_one_file_that_can_be_read_where_nothing_can_be_written(history: Path) -> None:
    made = keep_backups(history, NOW)
    there = sorted(os.listdir(made.path.parent))
    for path in (made.path, made.captures):
        assert path
        with copies.reading(path):
            assert sorted(os.listdir(made.path.parent)) == there


def test_a_copy_that_came_out_unlike_the_history_gets_no_good_name(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(source: sqlite3.Connection, target: Path) -> None:
        copies.copy(source, target)
        with closing(sqlite3.connect(target)) as conn, conn:
            conn.execute("delete from bodies" if "-captures-" in target.name else "select 1")

    monkeypatch.setattr(backup, "copy", copy)
    with pytest.raises(StoreError, match="came out unlike it") as caught:
        keep_backups(history, NOW)
    assert caught.value.exit_code == 74
    assert list((history.parent / "presence-backups").iterdir()) == []


def test_two_backups_at_once_do_not_meet(history: Path) -> None:
    with only_one(history, "backup"), pytest.raises(StoreError) as caught:
        keep_backups(history, NOW)
    assert caught.value.exit_code == 75


# --- refusals ---------------------------------------------------------------------------------------------------------


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file() and not p.name.endswith((".lock", "-shm", "-wal")))
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def refused(file: Path, history: Path, code: int, said: str) -> None:
    before = snapshot(history.parent)
    with pytest.raises(StoreError, match=said) as caught:
        restore.restore(file, history, NOW)
    assert caught.value.exit_code == code
    assert snapshot(history.parent) == before


def test_a_file_that_is_no_sound_backup_of_ours_changes_nothing(history: Path, tmp_path: Path) -> None:
    made = keep_backups(history, NOW)
    assert made.captures
    junk, foreign, dangling = (tmp_path / name for name in ("junk.db", "foreign.db", "dangling.db"))
    junk.write_bytes(b"no database at all" * 300)
    with closing(sqlite3.connect(foreign)) as conn, conn:
        conn.execute("create table precious (x)")
    shutil.copy(made.path, dangling)
    with closing(sqlite3.connect(dangling)) as conn, conn:
        conn.execute("delete from sources")
    refused(junk, history, 65, "not a database")
    refused(foreign, history, 65, "no history of Monitor's")
    refused(made.captures, history, 65, "no history of Monitor's")
    refused(dangling, history, 65, "rows lead nowhere")
    refused(history, history, 2, "is the history itself")
    refused(tmp_path / "none.db", history, 74, "There is no file")
    damage(made.captures)
    refused(made.path, history, 65, "captures.*--without-captures")
    damage(made.path)
    refused(made.path, history, 65, "cannot be restored")


def damage(path: Path) -> None:
    """Overwrite its second page and all behind it."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x5a" * (size - 4096))


def test_a_restore_waits_for_no_one_who_has_the_history(history: Path) -> None:
    made = keep_backups(history, NOW)
    with only_one(history, "run"):
        refused(made.path, history, 75, "stop it first")


def test_another_programs_database_is_not_gone_over(history: Path, tmp_path: Path) -> None:
    made = keep_backups(history, NOW)
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as conn, conn:
        conn.execute("create table precious (x)")
    refused(made.path, foreign, 65, "another program's database")


def test_a_damaged_history_gets_no_backup_and_the_good_ones_stay(history: Path) -> None:
    made = keep_backups(history, NOW - 500 * DAY)
    before = snapshot(made.path.parent)
    damage(backup.captures_path(history))
    with pytest.raises(StoreError, match=r"captures\.db is damaged.*--without-captures") as caught:
        keep_backups(history, NOW)
    assert caught.value.exit_code == 65
    damage(history)
    with pytest.raises(StoreError, match=f"restore {made.path}") as caught:
        keep_backups(history, NOW)
    assert caught.value.exit_code == 65
    history.write_bytes(b"no database at all" * 300)
    with pytest.raises(StoreError, match="is damaged") as caught:
        keep_backups(history, NOW)
    assert caught.value.exit_code == 65
    assert snapshot(made.path.parent) == before


# --- over what is damaged ---------------------------------------------------------------------------------------------


def spoil_page(path: Path) -> None:
    damage(path)


def spoil_header(path: Path) -> None:
    path.write_bytes(b"no database at all" * 300)


def spoil_all(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [spoil_page, spoil_header, spoil_all])
def test_a_damaged_history_is_restored_over_and_kept_as_it_lay(history: Path, spoil: Callable[[Path], None]) -> None:
    there, pages = rows(history), backup.captures_path(history)
    made = keep_backups(history, NOW)
    for path in (history, pages):
        spoil(path)
        Path(f"{path}-wal").write_bytes(b"a log that nobody can read")
    before = (history.read_bytes(), pages.read_bytes())
    done = restore.restore(made.path, history, NOW)
    assert done.aside
    aside_pages = restore.captures_beside(done.aside)
    assert (done.aside.read_bytes(), aside_pages.read_bytes()) == before
    assert Path(f"{done.aside}-wal").exists()
    assert rows(history) == there
    assert_sound(history)


def unclean_end(history: Path) -> None:
    """A reading more, left in the logs by a monitor that was killed."""

    def work() -> None:
        store = Store(history)
        save(store, "second", days=1)
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(work) == -signal.SIGKILL
    assert Path(f"{history}-wal").stat().st_size


def test_a_log_never_meets_another_history_than_its_own(history: Path) -> None:
    there = rows(history)
    made = keep_backups(history, NOW)
    unclean_end(history)
    done = restore.restore(made.path, history, NOW)
    assert rows(history) == there
    assert done.aside
    assert len(rows(done.aside)["readings"]) == 3  # what stood in the log alone is aside with it
    unclean_end(history)
    history.unlink()
    restore.restore(made.path, history, NOW)
    assert rows(history) == there


def test_a_disk_without_second_names_gets_a_copy_aside(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_link(*paths: Path) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    made = keep_backups(history, NOW)
    there = rows(history)
    monkeypatch.setattr(os, "link", no_link)
    done = restore.restore(made.path, history, NOW)
    assert done.aside
    assert rows(done.aside) == rows(history) == there


# --- kills ------------------------------------------------------------------------------------------------------------

POINTS = {"open", "os.link", "os.remove", "os.rename", "sqlite3.connect"}


def killed_at(point: int, work: Callable[[], object]) -> bool:
    """Do the work in a child that is killed just before its point-th touch of the file system; whether it was."""

    def live() -> None:
        touched = 0

        def hook(event: str, args: object) -> None:
            nonlocal touched
            if event in POINTS:
                touched += 1
                if touched == point:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        work()
        os._exit(0)

    code = in_child(live)
    assert code in (0, -signal.SIGKILL)
    return code != 0


def test_a_backup_killed_anywhere_leaves_no_half_one_under_a_good_name(history: Path, tmp_path: Path) -> None:
    there, folder = rows(history), tmp_path / "disk"
    for point in range(1, 1000):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        was_killed = killed_at(point, lambda: keep_backups(history, NOW, folder))
        good = [p for p in folder.iterdir() if backup.instant_of(p.name, "presence")]
        for path in good:
            assert rows(path) == there
            assert bodies(restore.captures_beside(path)) == bodies(backup.captures_path(history))
        made = keep_backups(history, NOW + timedelta(minutes=1), folder)
        stay = {*good, *map(restore.captures_beside, good), made.path, made.captures}
        assert set(folder.iterdir()) == stay
        if not was_killed:
            break
    assert 15 < point < 999


@pytest.mark.parametrize("damaged", [False, True], ids=["sound", "damaged"])
def test_a_restore_killed_anywhere_leaves_the_old_or_the_new(history: Path, tmp_path: Path, damaged: bool) -> None:
    new = rows(history)
    made = keep_backups(history, NOW)
    with Store(history) as store:  # the old captures lack one of the new history's, and the other way round
        captures.prune(store, NOW + 900 * DAY, DAY)
    unclean_end(history)
    old = in_copy(history.parent, tmp_path / "read", rows)
    if damaged:
        damage(history)
    spoilt = history.read_bytes()
    file, states = Path("presence-backups") / made.path.name, set()
    for point in range(1, 1000):
        here = tmp_path / f"at {point}"
        copy_files(history.parent, here)
        place = here / "presence.db"
        work = lambda: restore.restore(here / file, place, NOW)  # noqa: B023, E731
        was_killed = killed_at(point, work)
        if damaged and place.read_bytes() == spoilt:
            states.add("old")
        else:
            Store(place).close()  # the next start
            states.add("new" if rows(place) == new else "old")
            assert rows(place) == (new if "new" in states else old)
            assert_sound(place)
        if "new" in states:
            (aside,) = (p for p in here.glob("presence.db.before-restore-*Z"))
            assert aside.read_bytes() == spoilt if damaged else rows(aside) == old
        work()
        assert rows(place) == new
        assert_sound(place)
        assert not list(here.glob("*.restoring*"))
        shutil.rmtree(here)
        if not was_killed:
            break
    assert states == {"old", "new"}
    assert 20 < point < 999


def copy_files(source: Path, target: Path) -> None:
    target.mkdir()
    for path in source.glob("presence*"):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, target / path.name)


def in_copy(source: Path, target: Path, look: Callable[[Path], object]) -> object:
    """What a look finds in a copy of all files: it opens the database, and so would change the original's log."""
    copy_files(source, target)
    return look(target / "presence.db")


# --- disks that fail --------------------------------------------------------------------------------------------------


def test_a_file_that_may_not_grow_leaves_no_half_backup_and_no_half_restore(history: Path, tmp_path: Path) -> None:
    made = keep_backups(history, NOW)
    before = snapshot(tmp_path)

    def limited(work: Callable[[], object]) -> Callable[[], None]:
        def live() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
            code = 0
            try:
                work()
            except StoreError as error:
                code = error.exit_code
            os._exit(code)

        return live

    assert in_child(limited(lambda: keep_backups(history, NOW + DAY))) == 74
    assert in_child(limited(lambda: restore.restore(made.path, history, NOW))) == 74
    assert snapshot(tmp_path) == before


FULL = """
set -e
mount -t tmpfs -o size=150k none "$1/disk"
"$2" -m monitor --config "$1/config.toml" backup --to "$1/disk" && exit 1 || echo "code $?"
ls -A "$1/disk" | sed 's/^/left /'
"""


def test_a_full_disk_is_told_in_one_sentence_and_nothing_is_left_on_it(history: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    settings(tmp_path, DUCK)
    run = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c", FULL, "full", str(tmp_path), sys.executable]
    try:
        done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        pytest.skip("unshare is not installed: apt-get install util-linux")
    if "code" not in done.stdout:
        pytest.skip(f"no small disk may be mounted here: {done.stderr.strip()}")
    assert done.stdout == "code 74\n"
    assert done.stderr == f"The disk that holds {tmp_path / 'disk'} is full: make room; nothing recorded is lost.\n"


# --- the commands -----------------------------------------------------------------------------------------------------


def test_the_commands_say_what_was_done_and_what_comes_next(history: Path, tmp_path: Path) -> None:
    settings(tmp_path, DUCK)
    config = ["--config", str(tmp_path / "config.toml")]
    run = lambda *args: CliRunner().invoke(cli, [*config, *args], catch_exceptions=False)  # noqa: E731
    said = run("backup").output
    assert re.search(r"Backed up 2 readings \(0\.\d MB\) with its kept pages \(0\.0 MB\): ", said)
    command = said.splitlines()[-1].removeprefix("Put it back with: monitor ").split()
    said = run(*command).output
    assert "2 days, 2 readings, the newest of 2026-11-23 20:30." in said
    assert "Next: monitor run" in said
    aside = next(line for line in said.splitlines() if "before-restore" in line).split()[8]
    assert Path(aside).exists()
    assert ", without its kept pages: " in run("backup", "--without-captures").output
    with Store(history) as store:
        save(store, "second", days=1)
    assert (
        run("restore", "--without-captures", command[1]).output.splitlines()[1]
        == "The kept pages were left as they are."
    )
    assert run("restore", str(tmp_path / "none")).exit_code == 2


def test_nothing_to_back_up_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no history") as caught:
        keep_backups(tmp_path / "presence.db", NOW)
    assert caught.value.exit_code == 74
    assert list(tmp_path.iterdir()) == []
