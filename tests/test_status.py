"""`monitor status`: how each source is doing, told from the history alone."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor import cli, config
from monitor.model import Exchange, Outcome
from monitor.plan import plan
from monitor.store import hosts, readings, sources, state
from monitor.store.connection import Store, only_one
from tests import made
from tests.made import DUCK, GITHUB, NOW

LOG = '[[page_views]]\nkind = "access_log"\n'
DUCK_NAME = "duckduckgo/ada-example"
HOST = "html.duckduckgo.com"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADDED = NOW - 40 * DAY


class Home:
    """A folder with a config and a history, in which the command is run at a moment of our choice."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.capsys, self.monkeypatch = folder, capsys, monkeypatch
        self.database = folder / "presence.db"
        self.at_work = contextlib.ExitStack()

    def begin(self, body: str, at: datetime = ADDED) -> None:
        """A history whose sources were added then."""
        with Store(self.database) as store:
            self.ids = sources.sync(store, made.settings(self.folder, body), at)

    def read(self, name: str, at: datetime, outcome: Outcome = Outcome.OK, reason: str = "", **kind: Any) -> None:
        exchange = Exchange(n=1, asked=f"https://{HOST}/html/?q=Ada", ms=5, status=200)
        taken = made.reading("http://a.example/", at=at, outcome=outcome, reason=reason, body="")
        with Store(self.database) as store:
            readings.save(store, self.ids[name], replace(taken, **{"exchanges": (exchange,), **kind}))

    def refused(self, times: int, at: datetime, retry_after: datetime | None = None) -> None:
        with Store(self.database) as store:
            for _ in range(times):
                hosts.claim(store, HOST, at, timedelta(), timedelta())
                hosts.release(store, HOST, at, timedelta(), Outcome.BLOCKED, retry_after)

    def beat(self, at: datetime) -> None:
        """A monitor that is at work: it gives signs of life, and holds its lock until the test ends."""
        with Store(self.database) as store:
            state.beat(store, at)
        self.at_work.close()
        self.at_work.enter_context(only_one(self.database, "run"))

    def run(self, *args: str, now: datetime = NOW) -> tuple[object, str]:
        self.monkeypatch.setattr("monitor.times.utc_now", lambda: now)
        self.monkeypatch.setattr("sys.argv", ["monitor", "--config", str(self.folder / "config.toml"), "status", *args])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = self.capsys.readouterr()
        return ended.value.code, out + err

    def json(self, now: datetime = NOW) -> dict[str, Any]:
        return dict(json.loads(self.run("--json", now=now)[1]))


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    made_home = Home(tmp_path, capsys, monkeypatch)
    yield made_home
    made_home.at_work.close()


# --- what is told --------------------------------------------------------------------------------------------------


def test_a_monitor_that_was_killed_is_not_called_running(home: Home) -> None:
    home.begin(DUCK)
    home.beat(NOW - timedelta(seconds=12))
    home.at_work.close()  # the kernel lets go of the lock, however the process ended
    assert "monitor run is not running (last sign of life 2026-11-23 20:29)" in home.run()[1]


def test_a_good_source_in_one_line_in_the_owners_time(home: Home) -> None:
    home.begin(DUCK + 'at = "06:30"\n')
    home.read(DUCK_NAME, NOW - 14 * HOUR)  # 06:30 in Sydney
    home.beat(NOW - timedelta(seconds=12))
    code, said = home.run()
    assert code == 0
    assert said.splitlines() == [
        f"{DUCK_NAME}: ok, read 2026-11-23 06:30 (14 hours ago), next 2026-11-24 06:30",
        "monitor run is running (last sign of life 12 seconds ago).",
    ]


def test_a_source_in_trouble_says_since_when_what_to_do_and_what_its_host_said(home: Home) -> None:
    home.begin(DUCK + LOG)
    for days in (10, 9, 8, 6, 5):
        home.read(DUCK_NAME, NOW - days * DAY)
    for days in (35, 7, 3, 2, 1):
        home.read(DUCK_NAME, NOW - days * DAY, Outcome.BLOCKED, "captcha", advice="Leave it alone.")
    home.refused(3, NOW - HOUR)
    code, said = home.run()
    assert code == 1
    assert said.splitlines() == [
        "access_log: not read yet, next 2026-11-23 20:30",
        f"{DUCK_NAME}: blocked (captcha), last good 2026-11-18 20:30 (5 days ago), {said.split('ago), ')[1][:21]}",
        "    Leave it alone.",
        "    4 days of the last 30 without a good reading",
        f"    {HOST} refused 3 times in a row and is left alone until 2026-11-24 19:30",
        f"Asked this month: {HOST} 3 times.",
        "monitor run is not running: start it with `monitor run`.",
    ]


def test_a_host_that_asked_for_time_is_quoted_until_then_and_calls_are_of_this_month(home: Home) -> None:
    home.begin(DUCK)
    home.read(DUCK_NAME, NOW - HOUR, Outcome.BLOCKED, "rate_limited")
    home.refused(1, NOW - HOUR, NOW + HOUR)
    assert f"{HOST} asked to be left alone until 2026-11-23 21:30" in home.run()[1]
    later = home.run(now=NOW + 9 * DAY)[1]
    assert "left alone" not in later
    assert "this month" not in later
    assert home.json()["hosts"] == [
        {
            "host": HOST,
            "calls_this_month": 1,
            "cost_this_month": 0.0,
            "blocked_in_row": 1,
            "reason": "not_before",
            "left_alone_until": "2026-11-23T10:30:00Z",
        }
    ]


def test_json_has_all_of_it(home: Home) -> None:
    home.begin(DUCK)
    home.read(DUCK_NAME, NOW - DAY)
    home.beat(NOW - HOUR)
    seen = home.json()
    (row,) = seen["sources"]
    assert (row["source"], row["good_seconds_ago"], row["gap_days_of_30"], row["schedule"]) == (
        DUCK_NAME,
        86_400,
        0,
        "every 1d",
    )
    assert row["next_at"]
    assert seen["heartbeat"]["alive"] is False
    assert seen["heartbeat"]["seconds_ago"] == 3600
    assert {"begun", "database", "config_changed", "hosts"} <= set(seen)


@pytest.mark.parametrize(
    "body", [DUCK, DUCK + 'at = "21:00"\n', DUCK + 'every = "3d"\n', LOG, GITHUB + 'every = "6h"\n']
)
@pytest.mark.parametrize("tried", [None, Outcome.OK, Outcome.FAILED])
def test_the_next_time_is_the_planners_own(home: Home, body: str, tried: Outcome | None) -> None:
    home.begin(body)
    (name,) = home.ids
    settings = config.read(home.folder / "config.toml")
    if tried:
        home.read(name, NOW - 2 * HOUR, tried, "timeout" if tried is Outcome.FAILED else "")
    with Store(home.database) as store:
        seen = state.watched(store, settings.sources[0], home.ids[name], NOW)
        assert state.all_watched(store, NOW) == {home.ids[name]: seen}
        planned = state.next_asked(store, home.ids[name], name, plan([seen], NOW, None).next_at[name])
    assert planned
    assert datetime.fromisoformat(home.json()["sources"][0]["next_at"]) == planned.replace(microsecond=0)


def test_a_new_schedule_changes_the_source_in_place(home: Home) -> None:
    home.begin(DUCK)
    before = home.ids
    home.begin(DUCK + 'at = "07:15"\n', NOW)
    assert home.ids == before
    with Store(home.database) as store:
        rows = store.rows("select schedule, history, retired_at, added_at from sources")
    assert rows == [{"schedule": "at 07:15", "history": 0, "retired_at": None, "added_at": "2026-10-14T09:30:00Z"}]


# --- for a service manager -----------------------------------------------------------------------------------------


def well(home: Home) -> None:
    home.begin(DUCK + LOG)
    home.read(DUCK_NAME, NOW - 20 * HOUR)
    home.read("access_log", NOW - 30 * DAY)  # no news since
    home.beat(NOW - timedelta(seconds=20))


def never_begun(home: Home) -> None:
    made.settings(home.folder, DUCK)


def stopped(home: Home) -> None:
    well(home)
    home.beat(NOW - timedelta(minutes=4))


def clock_set_back(home: Home) -> None:
    well(home)
    home.beat(NOW + HOUR)


def never_run(home: Home) -> None:
    home.begin(DUCK)
    home.read(DUCK_NAME, NOW)


def newly_added(home: Home) -> None:
    well(home)
    home.begin(DUCK + LOG + GITHUB, NOW - 2 * DAY)
    home.read("github/ada", NOW - DAY, Outcome.FAILED, "dns")


def added_and_never_read(home: Home) -> None:
    newly_added(home)
    home.begin(DUCK + LOG + GITHUB + '[[search]]\nkind = "duckduckgo"\nqueries = ["Ada E"]\n', NOW - 4 * DAY)


def bad_for_long(home: Home) -> None:
    well(home)
    home.begin(DUCK + LOG + GITHUB)
    home.read("github/ada", NOW - 4 * DAY)
    home.read("github/ada", NOW - HOUR, Outcome.CHANGED, "layout_unknown", advice="Update Monitor.")


def hours_without(home: Home) -> None:
    home.begin(GITHUB + 'every = "6h"\n')
    home.read("github/ada", NOW - 19 * HOUR)
    home.beat(NOW)


def a_log_just_gone(home: Home) -> None:
    well(home)
    home.read("access_log", NOW - timedelta(minutes=25), Outcome.FAILED, "no_file")


def a_log_gone(home: Home) -> None:
    well(home)
    home.read("access_log", NOW - timedelta(minutes=35), Outcome.FAILED, "no_file", advice="Set files.")


def two_bad(home: Home) -> None:
    bad_for_long(home)
    home.read("access_log", NOW - HOUR, Outcome.FAILED, "no_file")


def damaged(home: Home) -> None:
    well(home)
    home.database.write_bytes(b"no database" * 1000)


def broken_config(home: Home) -> None:
    well(home)
    (home.folder / "config.toml").write_text("[owner\n")


@pytest.mark.parametrize(
    ("state_of_things", "code", "wanted"),
    [
        (well, 0, "Fine: monitor run gave a sign of life 20 seconds ago, sources: 2."),
        (never_begun, 1, "Nothing has been read yet: start with `monitor run`"),
        (stopped, 1, "monitor run is not running (last sign of life 2026-11-23 20:26): start it with `monitor run`."),
        (clock_set_back, 1, "monitor run is not running"),
        (never_run, 1, "monitor run is not running: start it"),
        (newly_added, 0, "Fine"),
        (added_and_never_read, 1, "duckduckgo/ada-e has had no good reading since 2026-11-19 20:30."),
        (bad_for_long, 1, "github/ada has had no good reading since 2026-11-19 20:30. Update Monitor."),
        (hours_without, 1, "github/ada has had no good reading since 2026-11-23 01:30."),
        (a_log_just_gone, 0, "Fine"),
        (a_log_gone, 1, "access_log has had no good reading since 2026-11-23 19:55. Set files."),
        (
            two_bad,
            1,
            "github/ada has had no good reading since 2026-11-19 20:30 (and 1 more: monitor status names them).",
        ),
        (damaged, 1, "presence.db is damaged"),
        (broken_config, 1, "config.toml:1:7: is not valid TOML"),
    ],
)
def test_check_says_in_one_line_whether_all_is_well(
    home: Home, state_of_things: Callable[[Home], None], code: int, wanted: str
) -> None:
    state_of_things(home)
    ended, said = home.run("--check")
    assert (ended, wanted in said) == (code, True), said
    assert said.count("\n") == 1
    assert json.loads(home.run("--check", "--json")[1]) == {"fine": code == 0, "said": said.strip()}


# --- the file it looks at ------------------------------------------------------------------------------------------


def test_it_looks_and_changes_nothing(home: Home) -> None:
    well(home)
    before = {path.name: path.read_bytes() for path in home.folder.iterdir()}
    home.run()
    home.run("--check")
    after = {path.name: path.read_bytes() for path in home.folder.iterdir()}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) <= {"presence.db-wal", "presence.db-shm"}  # SQLite's own, empty
    assert not after.get("presence.db-wal")


def test_what_a_killed_process_left_in_the_log_is_seen(home: Home) -> None:
    well(home)
    code = (
        "import os, sys; from pathlib import Path; from datetime import *; from monitor.store import state;"
        "from monitor.store.connection import Store; store = Store(Path(sys.argv[1]));"
        "state.beat(store, datetime.fromisoformat(sys.argv[2])); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(home.database), str(NOW)], check=False, timeout=60)
    assert Path(f"{home.database}-wal").stat().st_size
    assert home.json()["heartbeat"]["seconds_ago"] == 0
    Path(f"{home.database}-shm").unlink()
    assert home.json()["heartbeat"]["seconds_ago"] == 0


def test_while_another_writes(home: Home) -> None:
    well(home)
    with Store(home.database) as store, store.write() as db:
        db.execute("update heartbeat set note = 'x'")
        assert home.run()[0] == 0


def test_a_history_of_an_older_monitor_is_brought_up_to_date(home: Home) -> None:
    well(home)
    with contextlib.closing(sqlite3.connect(home.database, isolation_level=None)) as db:
        for (name,) in db.execute("select name from sqlite_master where type = 'view'").fetchall():
            db.execute(f"drop view [{name}]")
        for table, column in (("sources", "schedule"), ("sources", "history"), ("owner", "config")):
            db.execute(f"alter table {table} drop column {column}")
        db.execute("delete from _sqlite_migrations where name = '002_schedule'")
        db.execute("delete from _monitor_views")
    code, said = home.run()
    assert code == 0
    assert f"{DUCK_NAME}: ok" in said


@pytest.mark.parametrize(
    ("content", "code", "wanted"),
    [
        (b"", 65, "is an empty file"),
        (b"garbage " * 1000, 65, "is damaged"),
        ("create table t (x)", 65, "is another program's database: set [store] path to a new name"),
        (None, 77, "is a folder: set [store] path to a file"),
    ],
)
def test_a_file_that_is_no_history_is_told(home: Home, content: bytes | str | None, code: int, wanted: str) -> None:
    made.settings(home.folder, DUCK)
    if content is None:
        home.database.mkdir()
    elif isinstance(content, bytes):
        home.database.write_bytes(content)
    else:
        with contextlib.closing(sqlite3.connect(home.database)) as db:
            db.execute(content)
    assert home.run()[0] == code
    ended, said = home.run("--check")
    assert (ended, wanted in said) == (1, True), said


@contextlib.contextmanager
def as_a_stranger(folder: Path) -> Iterator[None]:
    """With no right to write in the folder; the superuser, who has every right, becomes nobody meanwhile."""
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)


def test_a_folder_that_may_not_be_written_is_told(home: Home) -> None:
    folder = Path(tempfile.mkdtemp(prefix="monitor-"))
    try:
        home.folder, home.database = folder, folder / "presence.db"
        well(home)
        home.database.chmod(0o444)
        with as_a_stranger(folder):
            code, said = home.run()
        assert (code, "must be able to write in its folder" in said) == (77, True), said
        home.database.chmod(0)
        with as_a_stranger(folder):
            code, said = home.run()
        assert (code, "may not be read by this user" in said) == (77, True), said
    finally:
        shutil.rmtree(folder)


# --- the config beside it ------------------------------------------------------------------------------------------


def test_a_config_that_has_changed_is_checked_in_full_and_said(home: Home) -> None:
    well(home)
    path = home.folder / "config.toml"
    text = path.read_text()
    path.write_text(text + "# a remark\n")
    assert "The config file has changed since it was last read" in home.run()[1]
    assert home.json()["config_changed"] is True
    path.write_text(text + '[serch]\n[web]\nport = "x"\n')
    code, said = home.run()
    assert (code, len(said.splitlines())) == (78, 2), said
    path.write_text(text)
    assert "has changed" not in home.run()[1]


@pytest.mark.parametrize("name", ["my history.db", "a?b#c%41.db", "sub/x.db"])
def test_odd_names_of_the_file(home: Home, name: str) -> None:
    home.database = home.folder / name
    home.database.parent.mkdir(exist_ok=True)
    home.begin(f'[store]\npath = "{name}"\n{DUCK}')
    home.read(DUCK_NAME, NOW)
    code, said = home.run()
    assert (code, f"{DUCK_NAME}: ok, read 2026-11-23 20:30 (just now)" in said) == (0, True), said
