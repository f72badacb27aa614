"""Log files given at the command line: known by their lines, counted once, whoever comes first."""

from __future__ import annotations

import bz2
import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from monitor.attempt import Attempts
from monitor.config import Settings
from monitor.importing import ImportRefused
from monitor.importing_logs import ImportedLog, LogImporter, is_log, source_for_logs
from monitor.model import Trigger
from monitor.store import readings, sources
from monitor.store.connection import Store, only_one
from monitor.store.lock import StoreError
from tests.conftest import PAGES
from tests.made import NOW, settings

ONE = '[[page_views]]\nkind = "access_log"\nname = "blog"\nfiles = "logs/access.log*"\n'
PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def lines(first: str, days: int, a_day: int = 30) -> bytes:
    """Page views of each day, no two lines alike, and after every tenth a robot."""
    out = []
    for n in range(days):
        day = datetime.fromisoformat(first) + timedelta(days=n)
        for i in range(a_day):
            at = (day + timedelta(minutes=i)).strftime("%d/%b/%Y:%H:%M:%S +0000")
            agents = [PERSON, BOT] if i % 10 == 9 else [PERSON]
            out += [f'192.0.2.{i % 200} - - [{at}] "GET /p{i % 3} HTTP/1.1" 200 99 "-" "{who}"' for who in agents]
    return "".join(f"{line}\n" for line in out).encode()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "presence.db") as store:
        yield store


@pytest.fixture
def made(tmp_path: Path) -> Settings:
    (tmp_path / "logs").mkdir()
    return settings(tmp_path, ONE)


def importer(store: Store, made: Settings) -> LogImporter:
    ids = sources.sync(store, made, NOW)
    return LogImporter(made, store, lambda: NOW, source_for_logs(made), ids["blog"])


def take(store: Store, made: Settings, *paths: Path) -> list[ImportedLog | ImportRefused]:
    return list(importer(store, made).files(paths))


def tick(store: Store, made: Settings) -> None:
    ids = sources.sync(store, made, NOW)
    (blog,) = made.sources
    for _ in Attempts(made, store, clock=lambda: NOW).make(blog, ids["blog"], NOW, NOW.date(), Trigger.SCHEDULE):
        pass


def total(store: Store) -> int:
    return int(store.rows("select coalesce(sum(views), 0) as n from site_views")[0]["n"])


def gaps(store: Store) -> int:
    return len(store.rows("select 1 from log_gaps"))


def test_a_file_is_counted_and_said(store: Store, made: Settings, tmp_path: Path) -> None:
    old = tmp_path / "access.log.2.gz"
    old.write_bytes(gzip.compress(lines("2026-10-01", 3)))
    (done,) = take(store, made, old)
    assert done == ImportedLog("access.log.2.gz", "blog", 99, 90, date(2026, 10, 1), date(2026, 10, 3))
    assert store.rows('select distinct "trigger", outcome from readings') == [{"trigger": "import", "outcome": "ok"}]
    assert store.rows("select day, views, complete from daily_page_views order by day") == [
        {"day": "2026-10-01", "views": 30, "complete": 1},
        {"day": "2026-10-02", "views": 30, "complete": 1},
        {"day": "2026-10-03", "views": 30, "complete": 0},  # more of it may stand in the next file
    ]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_the_same_lines_count_once_whatever_the_file_is_called(
    store: Store, made: Settings, tmp_path: Path, pack: object
) -> None:
    text = lines("2026-10-01", 3)
    first, again = tmp_path / "one", tmp_path / "two.txt"
    first.write_bytes(pack(text))  # type: ignore[operator]
    again.write_bytes(text)
    take(store, made, first)
    count = len(store.rows("select 1 from readings"))
    assert [(one.lines, one.refused) for one in take(store, made, first, again) if isinstance(one, ImportedLog)] == [
        (0, ""),
        (0, ""),
    ]
    assert (total(store), gaps(store)) == (90, 0)
    assert len(store.rows("select 1 from readings")) == count


def test_the_source_meets_an_imported_file_later_and_reads_on_where_it_grew(
    store: Store, made: Settings, tmp_path: Path
) -> None:
    copy, live = tmp_path / "copy.log", tmp_path / "logs" / "access.log"
    copy.write_bytes(lines("2026-10-01", 2))
    take(store, made, copy)
    live.write_bytes(lines("2026-10-01", 4))
    tick(store, made)
    assert (total(store), gaps(store)) == (120, 0)
    live.rename(tmp_path / "logs" / "access.log.1")
    live.write_bytes(lines("2026-10-05", 1))
    tick(store, made)
    tick(store, made)
    assert (total(store), gaps(store)) == (150, 0)


def test_what_the_source_has_read_counts_once_and_nothing_of_it_is_missed(
    store: Store, made: Settings, tmp_path: Path
) -> None:
    live = tmp_path / "logs" / "access.log"
    live.write_bytes(lines("2026-10-10", 4))
    tick(store, made)
    older, longer = tmp_path / "older.log", tmp_path / "longer.log"
    older.write_bytes(lines("2026-10-10", 2))
    longer.write_bytes(lines("2026-10-10", 5))
    elsewhere = tmp_path / "elsewhere.gz"
    elsewhere.write_bytes(gzip.compress(lines("2026-10-01", 9)))
    done = {one.name: one.lines for one in take(store, made, live, older, longer, elsewhere) if not is_refused(one)}
    assert done == {"access.log": 0, "older.log": 0, "longer.log": 33, "elsewhere.gz": 297}
    assert (total(store), gaps(store)) == (30 * 14, 0)
    live.write_bytes(lines("2026-10-10", 6))
    tick(store, made)
    for path in (older, longer, elsewhere):
        path.unlink()
    tick(store, made)
    assert (total(store), gaps(store)) == (30 * 15, 0)


def is_refused(one: object) -> bool:
    return isinstance(one, ImportRefused)


def test_a_live_log_that_was_imported_is_still_missed_when_it_vanishes(
    store: Store, made: Settings, tmp_path: Path
) -> None:
    live = tmp_path / "logs" / "access.log"
    live.write_bytes(lines("2026-10-10", 2))
    tick(store, made)
    live.write_bytes(lines("2026-10-10", 3))
    take(store, made, live)
    live.write_bytes(lines("2026-11-01", 1))
    tick(store, made)
    assert (total(store), gaps(store)) == (120, 1)


def test_an_import_cut_short_goes_on_where_it_was(
    store: Store, made: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from monitor.fetch import files

    old, read, save = tmp_path / "old.gz", files.read, readings.save
    old.write_bytes(gzip.compress(lines("2026-10-01", 30)))
    monkeypatch.setattr(files, "read", lambda request, base: read(request, base, max_bytes=20_000))
    left = iter(range(3))

    def dies(*args: object) -> int:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return save(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(readings, "save", dies)
    with pytest.raises(KeyboardInterrupt):
        take(store, made, old)
    monkeypatch.setattr(readings, "save", save)
    assert 0 < total(store) < 900
    (tmp_path / "logs" / "access.log").write_bytes(lines("2026-11-20", 1))
    tick(store, made)  # the source does not take the rest for lost
    assert gaps(store) == 0
    take(store, made, old)
    take(store, made, old)
    assert (total(store), gaps(store)) == (930, 0)
    not_over = [row["day"] for row in store.rows("select day from site_views where complete = 0 order by day")]
    assert not_over == ["2026-10-30", "2026-11-20"]


def test_a_damaged_file_gives_what_stands_before_the_damage_and_says_so(
    store: Store, made: Settings, tmp_path: Path
) -> None:
    old, text = tmp_path / "old.gz", lines("2026-10-01", 30)
    packed = gzip.compress(text)
    old.write_bytes(packed[: len(packed) // 2])
    (done,) = take(store, made, old)
    assert isinstance(done, ImportedLog)
    assert 0 < done.lines < text.count(b"\n")
    assert "old.gz" in done.refused
    assert gaps(store) == 1
    assert store.rows("select reason from readings where outcome = 'failed'") == [{"reason": "damaged_file"}]
    old.write_bytes(packed)  # copied once more, whole
    take(store, made, old)
    assert total(store) == 900


def test_days_brought_later_are_complete_when_the_day_after_them_was_counted(
    store: Store, made: Settings, tmp_path: Path
) -> None:
    (tmp_path / "logs" / "access.log").write_bytes(lines("2026-10-20", 3))
    tick(store, made)
    newer, older = tmp_path / "b.log", tmp_path / "a.log"
    newer.write_bytes(lines("2026-10-08", 3))
    older.write_bytes(lines("2026-10-05", 3))
    os.utime(newer, (1, 1))  # and so it is taken first
    take(store, made, newer, older)
    open_days = "select day from site_views where complete = 0 order by day"
    assert [row["day"] for row in store.rows(open_days)] == ["2026-10-10", "2026-10-22"]
    assert store.rows("select count(*) as n from page_views where complete = 0") == [{"n": 6}]
    with_a_hole = tmp_path / "d.log"
    with_a_hole.write_bytes(lines("2026-09-01", 1) + lines("2026-09-05", 1))
    take(store, made, with_a_hole)  # the second to the fourth had no line, and the first is over
    assert store.rows(open_days)[0] == {"day": "2026-09-05"}
    day = tmp_path / "c.log"
    day.write_bytes(lines("2026-10-11", 1))
    take(store, made, day)
    assert [row["day"] for row in store.rows(open_days)] == ["2026-09-05", "2026-10-11", "2026-10-22"]


def test_visitors_are_counted_over_all_files_of_one_import(store: Store, made: Settings, tmp_path: Path) -> None:
    text = lines("2026-10-05", 1).splitlines(keepends=True)
    for n, part in enumerate((text[:20], text[20:])):
        (tmp_path / f"{n}.log").write_bytes(b"".join(part))
        os.utime(tmp_path / f"{n}.log", (n, n))
    take(store, made, tmp_path / "0.log", tmp_path / "1.log")
    assert store.rows("select views, visitors from site_views") == [{"views": 30, "visitors": 30}]


def test_the_beginning_of_a_short_log_is_not_counted_beside_it(store: Store, made: Settings, tmp_path: Path) -> None:
    live, copy = tmp_path / "logs" / "access.log", tmp_path / "copy.log"
    live.write_bytes(lines("2026-10-05", 1, 4))
    tick(store, made)
    copy.write_bytes(lines("2026-10-05", 1, 2))
    (refused,) = take(store, made, copy)
    assert str(refused) == "copy.log is the beginning of logs/access.log, which blog reads itself."
    assert total(store) == 4


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        (gzip.compress(lines("2026-10-01", 1))[:40], "no whole line"),
        (gzip.compress(b"dear diary\n" * 30), "dear.log"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 99, "dear.log"),  # zstd, with or without the package that unpacks it
        (lines("2026-10-01", 1, 1)[:-1], "no whole line"),
    ],
)
def test_what_gives_nothing_is_refused_and_leaves_no_trace(
    store: Store, made: Settings, tmp_path: Path, body: bytes, said: str
) -> None:
    dear = tmp_path / "dear.log"
    dear.write_bytes(body)
    (tmp_path / "logs" / "access.log").write_bytes(lines("2026-10-10", 1))
    (refused,) = take(store, made, dear)
    assert said in str(refused)
    assert isinstance(refused, ImportRefused)
    assert store.rows("select 1 from readings") == []
    assert store.rows('select 1 from log_files where "offset" > 0') == []


def test_a_log_is_known_by_its_lines(made: Settings, tmp_path: Path) -> None:
    def known(body: bytes, name: str = "file") -> bool:
        (tmp_path / name).write_bytes(body)
        return is_log(tmp_path / name, made)

    assert known(lines("2026-10-01", 1))
    assert known(gzip.compress(b"x"))
    assert not known(lines("2026-10-01", 1), "saved.html")
    assert not known((PAGES / "saved" / "google.html").read_bytes())
    assert not known(b"my notes\nof the day\n")
    assert not known(b"")
    assert not is_log(tmp_path / "nowhere", made)


@pytest.mark.parametrize(
    ("body", "name", "said"),
    [
        ("", "", 'No source reads access logs: add [[page_views]] with kind = "access_log" to the config.'),
        (
            ONE + ONE.replace("blog", "two"),
            "",
            "Several sources read access logs: say which with --source (blog, two).",
        ),
        (ONE, "three", "No source called three reads access logs: there is blog."),
    ],
)
def test_which_source_is_said_in_one_sentence(tmp_path: Path, body: str, name: str, said: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        source_for_logs(settings(tmp_path, body), name)
    assert str(refused.value) == said


def test_a_source_that_is_being_read_is_left_to_its_reader(store: Store, made: Settings, tmp_path: Path) -> None:
    old = tmp_path / "old.log"
    old.write_bytes(lines("2026-10-01", 1))
    one = importer(store, made)
    with only_one(store.path, f"source-{one.source_id}"), pytest.raises(StoreError) as busy:
        list(one.files([old]))
    assert busy.value.exit_code == 75


def test_the_command_tells_logs_from_pages(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[owner]\nname = "Jane Example"\ntimezone = "UTC"\n' + ONE)
    shutil.copy(PAGES / "saved" / "google.html", tmp_path)
    (tmp_path / "access.log.2.gz").write_bytes(gzip.compress(lines("2026-10-01", 40)))
    (tmp_path / "access.log.1").write_bytes(lines("2026-11-10", 1))

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "monitor", "import", *args]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    os.utime(tmp_path / "access.log.2.gz", (1, 1))
    done = run("access.log.1", "google.html", "access.log.2.gz")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.partition(": ")[2] for line in done.stdout.splitlines()][1:] == [
        "1,320 lines, 1,200 page views, 2026-10-01 to 2026-11-09 (blog)",
        "33 lines, 30 page views, 2026-11-10 (blog)",
    ]
    assert run("access.log.1").stdout == "access.log.1: was taken in before (blog)\n"
    other = run("access.log.1", "--source", "blogg")
    assert (other.returncode, other.stderr) == (1, "No source called blogg reads access logs: there is blog.\n")
