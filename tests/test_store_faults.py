"""The disk full, the file locked, read-only or damaged: one sentence with its exit code, and nothing stored is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.store import readings, sources, state
from monitor.store.connection import Store, StoreError, explain
from monitor.store.trouble import newest_backup
from monitor.web.serve import load_metadata, make_datasette
from tests import made
from tests.conftest import ROOT
from tests.made import DUCK, NOW, reading

NAME = "duckduckgo/ada-example"
NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "presence.db"


def begin(path: Path, days: int = 3) -> int:
    """A history with a reading for each of some days; returns the source's id."""
    with Store(path) as store:
        source_id = sources.sync(store, made.settings(path.parent, DUCK), NOW)[NAME]
        for n in range(days):
            save(store, source_id, n)
    return source_id


def save(store: Store, source_id: int, n: int, body: str = "") -> int:
    urls = [f"http://x{n}-{k}.example/a/path/of/some/length" for k in range(20)]
    return readings.save(store, source_id, reading(*urls, at=NOW + timedelta(days=n), body=body or f"page {n}"))


def sound(path: Path) -> int:
    """The number of readings, each whole, in files without damage."""
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert conn.execute("pragma foreign_key_check").fetchall() == []
        per_reading = "select count(x.url_id) from readings r left join results x on x.reading_id = r.id group by r.id"
        counts = conn.execute(per_reading).fetchall()
        assert set(counts) <= {(20,)}
        conn.execute("attach ? as kept", [str(path.with_name(f"{path.stem}-captures.db"))])
        lost = "select count(*) from captures c left join kept.bodies b using (id) where b.id is null"
        assert conn.execute(lost).fetchone() == (0,)
    return len(counts)


@contextmanager
def child(code: str, *args: object) -> Iterator[subprocess.Popen[str]]:
    """A Python process of its own, once it has said "ready"; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


def as_other(work: Callable[[], object], user: int = NOBODY) -> tuple[int, str]:
    """The exit code and the sentence of the StoreError this raises for another user; (0, "") for none."""
    inner, outer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if os.geteuid() == 0 != user:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
            work()
            said: tuple[int, str] = (0, "")
        except StoreError as error:
            said = (error.exit_code, str(error))
        except BaseException as error:  # noqa: BLE001 - it must not leave this process
            said = (-1, repr(error))
        os.write(outer, json.dumps(said).encode())
        os._exit(0)
    os.close(outer)
    with open(inner) as pipe:
        code, sentence = json.loads(pipe.read())
    os.waitpid(pid, 0)
    return code, sentence


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="monitor-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


# --- a full disk ---------------------------------------------------------------------------------------------------


def one_sentence(error: StoreError, *parts: str) -> None:
    assert all(part in str(error) for part in parts), str(error)
    assert "\n" not in str(error)
    assert "Traceback" not in str(error)


def fill_until_refused(store: Store, source_id: int, most: int = 3000) -> tuple[int, StoreError]:
    """Store readings until the disk is full: how many were stored, and what was said."""
    for n in range(most):
        try:
            save(store, source_id, n, os.urandom(3000).hex())
        except StoreError as error:
            return n, error
    raise AssertionError("the disk never was full")


def test_a_full_disk_is_said_and_every_reading_that_was_stored_is_whole(path: Path) -> None:
    source_id = begin(path, 0)
    with Store(path) as store:
        for conn in (store.conn, store.bodies):
            conn.execute("pragma max_page_count = 150").fetchall()
        stored, error = fill_until_refused(store, source_id)
        assert error.exit_code == 74
        one_sentence(error, "The disk that holds", "make room", "nothing recorded is lost")
        assert (len(store.rows("select * from readings")), stored > 0) == (stored, True)
        for conn in (store.conn, store.bodies):
            conn.execute("pragma max_page_count = 100000").fetchall()
        save(store, source_id, 4000)
    assert sound(path) == stored + 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount")
    if not mounted or subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode:  # fmt: skip
        pytest.skip("a small disk of its own needs root and the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_really_full_disk(small_disk: Path) -> None:
    path = small_disk / "presence.db"
    source_id = begin(path, 0)
    with Store(path) as store:
        stored, error = fill_until_refused(store, source_id)
        one_sentence(error, "The disk that holds", "make room")
        store.rows("select count(*) from results")  # it can still be read
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space"):
        ballast.write_bytes(bytes(5_000_000))
    Store(path).close()  # nor does a start need any, while its log stands
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    with Store(path) as store:
        save(store, source_id, 4000)
    assert sound(path) == stored + 1


def test_a_start_on_a_full_disk_is_said(small_disk: Path) -> None:
    path = small_disk / "presence.db"
    begin(path)
    with pytest.raises(OSError, match="No space"):
        (small_disk / "ballast").write_bytes(bytes(5_000_000))
    with pytest.raises(StoreError, match=r"The disk that holds .* is full: make room") as caught:
        Store(path)
    assert caught.value.exit_code == 74
    (small_disk / "ballast").unlink()
    Store(path).close()
    assert sound(path) == 3


def test_a_checkpoint_that_finds_no_room_takes_nothing_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source_id = begin(path)
    monkeypatch.setattr("monitor.store.connection.CHECKPOINT_BYTES", 0)
    with Store(path) as store:

        class Full:
            """A connection whose checkpoints fail."""

            def __getattr__(self, name: str) -> Any:
                return getattr(kept, name)

            def execute(self, sql: str, *args: Any) -> Any:
                if "wal_checkpoint" in sql:
                    raise sqlite3.OperationalError("database or disk is full")
                return kept.execute(sql, *args)

        kept, store.conn = store.conn, Full()  # type: ignore[assignment]
        save(store, source_id, 3)  # a commit stands: to say that it failed would have it stored twice
    assert sound(path) == 4


LIMITED = """
import resource, sys
from pathlib import Path
from monitor.store.connection import Store, StoreError
from tests.test_store_faults import fill_until_refused
with Store(Path(sys.argv[1])) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    stored, error = fill_until_refused(store, int(sys.argv[2]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert len(store.rows("select * from readings")) == stored
print(stored, error.exit_code, error)
"""


def test_a_limit_on_the_size_of_files_is_said_and_loses_nothing(path: Path) -> None:
    source_id = begin(path, 0)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path), str(source_id)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    stored, exit_code, said = done.stdout.split(" ", 2)
    assert exit_code == "74"
    assert "check the disk, quota and limits" in said
    assert sound(path) == int(stored) > 0


# --- locked --------------------------------------------------------------------------------------------------------


def test_a_reader_in_the_middle_of_a_long_select_stops_no_writer(path: Path) -> None:
    source_id = begin(path)
    with Store(path, lock_seconds=1) as store, closing(sqlite3.connect(path)) as reader:
        rows = reader.execute("select * from results")
        rows.fetchone()
        for n in range(3, 60):
            save(store, source_id, n)
        state.beat(store, NOW)
        rows.fetchall()
        assert reader.execute("select count(*) from readings").fetchone() == (60,)
    assert sound(path) == 60


HOLD_SQLITE = """
import sqlite3, sys, time
conn = sqlite3.connect(sys.argv[1], isolation_level=None)
conn.execute("begin immediate")
print("ready", flush=True)
time.sleep(120)
"""
HOLD_OURS = """
import sys, time
from pathlib import Path
from monitor.store.connection import Store
with Store(Path(sys.argv[1])) as store, store.write() as db:
    db.execute("insert into heartbeat values (1, 1, '2026-11-23T00:00:00Z', '2026-11-23T00:00:00Z', '')")
    print("ready", flush=True)
    time.sleep(120)
"""


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [
        (HOLD_SQLITE, 74, "is locked by another program: close it and try again"),
        (HOLD_OURS, 75, "has been held by another program (process {pid}) for 0.3 s"),
    ],
    ids=["another program", "a monitor"],
)
def test_a_stopped_writer_is_waited_for_a_bounded_time_and_named(
    path: Path, code: str, exit_code: int, said: str
) -> None:
    source_id = begin(path)
    with Store(path, lock_seconds=0.3) as store, child(code, path) as other:
        other.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        for work in (lambda: save(store, source_id, 3), lambda: state.beat(store, NOW)):
            with pytest.raises(StoreError) as caught:
                work()
            assert caught.value.exit_code == exit_code
            one_sentence(caught.value, said.format(pid=other.pid))
        assert store.rows("select count(*) as n from readings") == [{"n": 3}]  # reading goes on
        if exit_code == 75:
            with pytest.raises(StoreError, match="held by another program"):
                Store(path, lock_seconds=0.3)
        assert time.monotonic() - began < 20
        other.kill()
        other.wait(10)
        save(store, source_id, 3)
        assert store.rows("select * from heartbeat") == []
    assert sound(path) == 4


def test_closing_beside_a_stopped_writer_does_not_hang(path: Path) -> None:
    begin(path)
    store = Store(path, lock_seconds=0.3)
    with child(HOLD_OURS, path) as other:
        other.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        store.close()
        assert time.monotonic() - began < 20
    assert sound(path) == 3


BUSY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from monitor.store import state
from monitor.store.connection import Store
with Store(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    while True:
        state.beat(store, datetime.now(UTC))
"""


def test_a_writer_without_pause_leaves_room_for_others(path: Path) -> None:
    source_id = begin(path, 0)
    with Store(path) as store, child(BUSY, path):
        for n in range(10):
            save(store, source_id, n)
    assert sound(path) == 10


# --- read-only -----------------------------------------------------------------------------------------------------


def opened(path: Path) -> Callable[[], object]:
    return lambda: Store(path, lock_seconds=1)


def test_a_file_that_may_not_be_written_is_said(open_folder: Path) -> None:
    path = open_folder / "presence.db"
    begin(path)
    open_folder.chmod(0o777)
    for file in open_folder.iterdir():
        file.chmod(0o666)
    path.chmod(0o444)
    code, said = as_other(opened(path))
    assert (code, "give this user write permission" in said) == (77, True), said
    path.chmod(0o000)
    assert as_other(opened(path))[0] == 77
    path.chmod(0o600)
    assert sound(path) == 3


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_may_not_be_written_is_said(open_folder: Path, there: bool) -> None:
    path = open_folder / "presence.db"
    if there:
        begin(path)
        for file in open_folder.iterdir():
            file.chmod(0o666)
        for lock in open_folder.glob("*.lock"):
            lock.unlink()
    open_folder.chmod(0o555)
    code, said = as_other(opened(path))
    assert (code, "give this user write permission" in said) == (77, True), said


def test_a_read_only_disk_is_said(small_disk: Path) -> None:
    path = small_disk / "presence.db"
    begin(path)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError, match="cannot be written") as caught:
        Store(path)
    assert caught.value.exit_code == 77


def test_a_folder_that_is_missing_or_a_folder_for_a_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"The folder of .*presence\.db does not exist: make it") as caught:
        Store(tmp_path / "no" / "presence.db")
    assert caught.value.exit_code == 74
    with pytest.raises(StoreError, match="is a folder: set") as caught:
        Store(tmp_path)
    assert caught.value.exit_code == 77


def test_a_path_with_odd_signs_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "what? 100% #1.db"
    begin(path)
    begin(path)
    assert sound(path) == 6


# --- damage --------------------------------------------------------------------------------------------------------


def overwrite(path: Path, mark: bytes = b"/a/path/of/some/length") -> None:
    """Overwrite some of the pages that hold such rows, as a failing disk does; the schema stays as it is."""
    content = path.read_bytes()
    pages = [n for n in range(len(content) // 4096) if content[n * 4096 : (n + 1) * 4096].count(mark) > 5]
    assert len(pages) > 9
    with path.open("r+b") as file:
        for page in pages[4:8]:
            file.seek(page * 4096)
            file.write(os.urandom(4096))


LEAVE = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from monitor.store import state
from monitor.store.connection import Store
store = Store(Path(sys.argv[1]))
state.beat(store, datetime.now(UTC))
print("ready", flush=True)
os.kill(os.getpid(), 9)
"""


def leave_unclean(path: Path) -> None:
    with child(LEAVE, path) as process:
        assert process.wait(20) == -signal.SIGKILL


def full_of_readings(path: Path) -> None:
    begin(path, 60)
    assert path.stat().st_size > 50 * 4096


def test_after_an_unclean_end_damage_is_found_before_anything_is_written(path: Path) -> None:
    full_of_readings(path)
    leave_unclean(path)
    overwrite(path)
    with pytest.raises(StoreError, match="is damaged") as caught:
        Store(path)
    assert caught.value.exit_code == 65
    one_sentence(caught.value, "presence-backups holds no backup", "presence.db-wal aside")
    assert Path(f"{path}-wal").stat().st_size  # nothing was written, not even by a checkpoint
    with pytest.raises(StoreError, match="is damaged"):  # and again, until it is mended
        Store(path)


def test_after_an_unclean_end_a_sound_history_goes_on(path: Path) -> None:
    begin(path)
    leave_unclean(path)
    assert Path(f"{path}-wal").stat().st_size
    Store(path).close()
    assert sound(path) == 3


def test_the_kept_pages_are_checked_too(path: Path) -> None:
    source_id = begin(path)
    with Store(path) as store:
        for n in range(3, 23):
            save(store, source_id, n, os.urandom(9000).hex())
    leave_unclean(path)
    kept = path.with_name("presence-captures.db")
    with kept.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(os.urandom(9 * 4096))
    with pytest.raises(StoreError, match=r"presence-captures\.db is damaged") as caught:
        Store(path)
    assert caught.value.exit_code == 65


def checked(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read over from now on."""
    from monitor.store import soundness

    names: list[str] = []
    check = soundness.check

    def listed(file: Path) -> None:
        names.append(file.name)
        check(file)

    monkeypatch.setattr(soundness, "check", listed)
    return names


def test_an_orderly_end_needs_no_check_even_with_a_reader_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(path)
    names = checked(path, monkeypatch)
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("select count(*) from readings").fetchone()
        begin(path)
        reader.execute("select count(*) from readings").fetchone()
        begin(path)
    begin(path)
    assert names == []
    leave_unclean(path)
    with Store(path) as store:
        assert names == ["presence.db", "presence-captures.db"]
        state.beat(store, NOW)
        with Store(path):  # a second one beside the first: its log says nothing about an end
            assert len(names) == 2


def test_once_a_week_the_files_are_read_over(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [NOW]
    Store(path, clock=lambda: at[0]).close()
    names = checked(path, monkeypatch)
    with Store(path, clock=lambda: at[0]) as store:
        for days, found in ((6, 0), (7, 2), (13, 2), (14, 4), (1, 6)):  # the last is a clock set back
            at[0] = NOW + timedelta(days=days)
            store.check_weekly()
            assert len(names) == found, days
    at[0] = NOW + timedelta(days=9)
    Store(path, clock=lambda: at[0]).close()
    assert len(names) == 8


def test_damage_met_while_running_stops_every_later_write(path: Path) -> None:
    begin(path, 60)
    with Store(path) as store:
        overwrite(path)
        with pytest.raises(StoreError, match="is damaged"):
            store.rows("pragma foreign_key_check")  # reads every row
        with pytest.raises(StoreError, match="is damaged") as caught:
            state.beat(store, NOW)
        assert caught.value.exit_code == 65
    with pytest.raises(StoreError, match="is damaged"):  # found at the next start, too
        Store(path)


def test_the_newest_backup_is_named(path: Path) -> None:
    full_of_readings(path)
    folder = path.with_name("presence-backups")
    folder.mkdir()
    assert newest_backup(path) is None
    for n, name in enumerate(["presence-1.db", "presence-2.db", "presence-captures-2.db", "presence-empty.db"]):
        (folder / name).write_text("" if "empty" in name else "x")
        os.utime(folder / name, (n, n))
    leave_unclean(path)
    overwrite(path)
    with pytest.raises(StoreError, match="the newest backup") as caught:
        Store(path)
    one_sentence(caught.value, str(folder / "presence-2.db"))
    assert newest_backup(path.with_name("presence-captures.db")) == folder / "presence-captures-2.db"


def test_a_backup_put_in_place_goes_on(path: Path) -> None:
    full_of_readings(path)
    shutil.copy(path, path.with_name("backup.db"))
    leave_unclean(path)
    overwrite(path)
    with pytest.raises(StoreError):
        Store(path)
    path.rename(path.with_name("damaged.db"))
    Path(f"{path}-wal").rename(path.with_name("damaged.db-wal"))
    shutil.copy(path.with_name("backup.db"), path)
    Store(path).close()
    assert sound(path) == 60


@pytest.mark.parametrize("content", [b"", b"not a database" * 500, b"SQLite format 3\0" + bytes(4000)])
def test_a_file_that_is_no_history_is_refused_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        Store(path)
    assert caught.value.exit_code == 65
    one_sentence(caught.value, str(path))
    assert path.read_bytes() == content


def test_a_foreign_database_is_refused_and_not_changed(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript("create table precious (x); insert into precious values (1);")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program's database") as caught:
        Store(path)
    assert caught.value.exit_code == 65
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "args"),
    [
        ("insert into heartbeat values (?)", [1]),
        ("insert into nowhere values (?)", [1]),
        ("insert into paths (path) values (?)", []),
        ("insert into paths (path) values (?)", [object()]),
        ("insert into paths (path) values (?)", [None]),
    ],
)
def test_what_was_wrong_to_write_is_no_word_about_the_file(path: Path, sql: str, args: list[object]) -> None:
    begin(path)

    def write(store: Store) -> None:
        with store.write() as db:
            db.execute("delete from results")
            db.execute(sql, args)

    with Store(path) as store:
        with pytest.raises(sqlite3.Error):
            write(store)
        assert len(store.rows("select * from results")) == 60


def test_a_write_inside_a_write_keeps_the_lock_until_the_outer_ends(path: Path) -> None:
    begin(path)
    with Store(path) as store, store.write():
        state.beat(store, NOW)
        with pytest.raises(StoreError, match="held by another program"):
            Store(path, lock_seconds=0.1)


def test_writing_after_the_end_is_said(path: Path) -> None:
    store = Store(path)
    store.close()
    with pytest.raises(StoreError, match="closed already"):
        state.beat(store, NOW)


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (PermissionError(13, "no"), 77),
        (OSError(30, "Read-only file system"), 77),
        (OSError(28, "No space left on device"), 74),
        (OSError(122, "Disk quota exceeded"), 74),
        (OSError(2, "No such file"), 74),
        (OSError(5, "Input/output error"), 74),
        (sqlite3.OperationalError("something else"), 74),
    ],
)
def test_every_error_has_a_sentence(error: OSError | sqlite3.Error, exit_code: int, path: Path) -> None:
    said = explain(error, path)
    assert said.exit_code == exit_code
    one_sentence(said, str(path))
    assert str(said).endswith(".")


# --- a reader beside the writer ------------------------------------------------------------------------------------


async def test_datasette_sees_what_is_written_while_it_reads(path: Path) -> None:
    source_id = begin(path, 1)
    datasette = make_datasette(path, load_metadata(path.parent))
    await datasette.invoke_startup()
    with Store(path) as store:
        for n in range(1, 6):
            save(store, source_id, n)
            answer = await datasette.client.get("/presence/readings.json?_shape=array&_size=max")
            assert len(answer.json()) == n + 1
    assert sound(path) == 6
