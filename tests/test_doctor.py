"""`monitor doctor`: every trouble is one line with the next step; nothing is written, nobody is asked too much."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest

from monitor.doctor import Finding, Level, examine, history, machine
from monitor.doctor import judge_machine as judge
from monitor.doctor.judge_sources import Proof, log_day, proof, robots
from monitor.model import Outcome, Reading
from monitor.store import readings, sources
from monitor.store.connection import Store
from monitor.store.lock import holder_of, is_taken
from monitor.times import to_text
from tests.conftest import PAGES, ROOT
from tests.made import DUCK, GITHUB, NOW, reading, settings
from tests.replay import Answer, Replay

OK, ATTENTION, WRONG = Level.OK, Level.ATTENTION, Level.WRONG
PAGE = Answer.html((PAGES / "duckduckgo" / "ok.html").read_text())
USER = Answer(200, (PAGES / "github" / "user.json").read_bytes(), {"Content-Type": "application/json"})
LINE = '192.0.2.7 - - [{}:10:00:00 +0000] "GET / HTTP/1.1" 200 512 "-" "Mozilla/5.0 Firefox/140.0"\n'
SECRET = "s3same-0pen-4242"
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@dataclass
class Time:
    """A clock that moves only by waiting."""

    at: datetime = NOW
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)


class Patient:
    """A folder with a config and a history, and the doctor for it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.time = folder, Time()
        self.body = ""
        self.database = folder / "presence.db"

    def configure(self, body: str) -> Patient:
        self.body = body
        settings(self.folder, body)
        return self

    def live(self, *made: Reading, source: str = "", clear: bool = True) -> Patient:
        """A history with these readings of a source (the first when not said), left in good order."""
        configured = settings(self.folder, self.body)
        with Store(self.database) as store:
            ids = sources.sync(store, configured, NOW - timedelta(days=9))
            for one in made:
                readings.save(store, ids[source or configured.sources[0].name], one)
        return self

    def examined(self, *names: str, offline: bool = False, environ: dict[str, str] | None = None) -> list[Finding]:
        configured = settings(self.folder, self.body)
        chosen = [one for name in names for one in configured.named(name)] or configured.sources
        return list(
            examine(
                configured,
                chosen,
                environ=environ or {},
                named=bool(names),
                offline=offline,
                clock=self.time.now,
                sleep=self.time.sleep,
            )
        )

    def of(self, what: str, *names: str, offline: bool = True, environ: dict[str, str] | None = None) -> Finding:
        """The one finding about something."""
        found = self.examined(*names, offline=offline, environ=environ)
        (one,) = [finding for finding in found if finding.what == what] or [None]
        assert one, "\n".join(map(str, found))
        return one

    def write(self, sql: str, *args: object) -> None:
        with closing(sqlite3.connect(self.database)) as conn:
            conn.execute(sql, args)
            conn.commit()
            conn.execute("pragma wal_checkpoint(truncate)").fetchall()


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


def duck(server: str, extra: str = "") -> str:
    return f'{DUCK}name = "duck"\nurl = "{server}/html/"\n{extra}'


def github(server: str, extra: str = 'user = "ada"\n') -> str:
    return f'[[profiles]]\nkind = "github"\nname = "hub"\nurl = "{server}"\n{extra}'


def snapshot(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    return {
        str(path): (path.read_bytes() if path.is_file() else b"", path.stat().st_mode, path.stat().st_mtime_ns)
        for path in [folder, *folder.rglob("*")]
    }


def monitor(folder: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", *args],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- it writes nothing ---------------------------------------------------------------------------------------------


def killed(database: Path) -> None:
    """Leave a history as a kill does: with a write-ahead log that nobody folded in."""
    code = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('pragma wal_autocheckpoint = 0').fetchall();"
        "c.execute(\"insert into heartbeat values (1, 1, '2026-11-23T09:29:00Z', '2026-11-23T09:29:50Z', '')\");"
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(database)], check=False)
    assert Path(f"{database}-wal").stat().st_size


@pytest.mark.parametrize("end", ["in order", "by a kill", "before it began"])
def test_no_byte_of_any_file_changes(patient: Patient, end: str) -> None:
    (patient.folder / "access.log").write_text(LINE.format("22/Nov/2026") * 3 + "half a li")
    with Replay({"/html/": PAGE, "/users/ada": USER, "/robots.txt": Answer(404)}) as server:
        patient.configure(
            duck(server.url) + github(server.url) + '[[page_views]]\nkind = "access_log"\n[fetch]\nspacing = "0s"\n'
        )
        if end != "before it began":
            patient.live(reading("https://example.org/", at=NOW - timedelta(days=1)))
        if end == "by a kill":
            killed(patient.database)
        before = snapshot(patient.folder)
        done = monitor(patient.folder, "doctor")
    assert snapshot(patient.folder) == before
    assert "source duck: ok, 10 results" in done.stdout or "results on the first page" in done.stdout, done.stdout
    assert "source hub: ok" in done.stdout
    assert "newest line of 2026-11-22" in done.stdout
    if end == "by a kill":
        assert "no monitor is running, last sign of life" in done.stdout  # what only the write-ahead log holds


def test_the_killed_history_is_read_with_its_write_ahead_log(patient: Patient) -> None:
    patient.configure(DUCK).live()
    killed(patient.database)
    assert history.opened(patient.database).rows("select pid from heartbeat") == [(1,)]


def test_a_file_name_with_signs_of_an_address_is_read(tmp_path: Path) -> None:
    odd = tmp_path / "a?b#c%20"
    odd.mkdir()
    patient = Patient(odd).configure(DUCK).live()
    assert patient.of("integrity of presence.db").level is OK
    assert [path.name for path in tmp_path.iterdir()] == ["a?b#c%20"]


# --- the history ---------------------------------------------------------------------------------------------------


def test_a_healthy_history_is_ok_throughout(patient: Patient) -> None:
    patient.configure(DUCK).live(reading("https://example.org/", at=NOW - HOUR))
    found = {one.what: one for one in patient.examined(offline=True)}
    for what in ("history", "schema", "sizes", "integrity of presence.db", "foreign keys of presence.db"):
        assert found[what].level is OK, found[what]
    assert "integrity of presence-captures.db" in found
    assert found["permissions"].level is OK or "write to" in found["permissions"].said
    assert found["parser duckduckgo"].level is OK
    assert found["run"].level is ATTENTION
    assert found["run"].step == "start it: monitor run"


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("create table hosts (host)")
        conn.commit()


def damaged(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for page in range(5, len(raw) // 4096):
        raw[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(raw)


def test_damage_inside_is_found_and_the_rest_goes_on(patient: Patient) -> None:
    patient.configure(DUCK).live(*(reading(f"https://example.org/{n}", at=NOW - n * HOUR) for n in range(1, 9)))
    damaged(patient.database)
    found = patient.examined(offline=True)
    bad = [one for one in found if one.level is WRONG]
    assert bad
    assert any("backup" in one.step for one in bad)
    assert found[-1].what.startswith("source ")


@pytest.mark.parametrize(
    ("make", "said", "step"),
    [
        (lambda path: None, "does not exist yet", "`monitor run` begins it"),
        (lambda path: path.write_bytes(b""), "is an empty file", "restore a backup"),
        (lambda path: path.write_bytes(b"junk" * 999), "is damaged, or no database", "newest backup"),
        (lambda path: path.write_bytes(b"SQLite format 3\0"), "is damaged, or no database", "newest backup"),
        (foreign, "another program's database", "[store] path"),
        (lambda path: path.mkdir(), "is a folder", "set [store] path to a file"),
    ],
)
def test_what_is_no_history_is_said_and_the_rest_goes_on(
    patient: Patient, make: Callable[[Path], object], said: str, step: str
) -> None:
    make(patient.database)
    with Replay({"/html/": PAGE, "/robots.txt": Answer(404)}) as server:
        patient.configure(duck(server.url))
        found = patient.examined("duck")
    told = next(one for one in found if one.what == "history")
    assert said in told.said
    assert step in told.step
    assert told.level is (OK if "yet" in said else WRONG)
    assert found[-1].what == "source duck"
    assert found[-1].level is OK


def test_a_locked_history_is_said_and_hosts_are_asked_only_by_name(patient: Patient) -> None:
    with Replay({"/html/": PAGE, "/robots.txt": Answer(404)}) as server:
        patient.configure(duck(server.url)).live()
        with locked(patient.database):
            found = {one.what: one for one in patient.examined()}
            assert "locked by another program" in found["history"].step
            assert "the history cannot be read" in found["source duck"].said
            assert not server.requests
            assert patient.of("source duck", "duck", offline=False).level is OK


@contextmanager
def locked(database: Path) -> Iterator[None]:
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('pragma locking_mode = exclusive').fetchall(); c.execute('pragma journal_mode = delete').fetchall();"
        "c.execute('begin exclusive'); c.execute('update hosts set calls = 1'); c.execute('create table x (y)');"
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            process.kill()


def test_a_missing_folder_is_named(patient: Patient) -> None:
    patient.configure(f'{DUCK}[store]\npath = "gone/presence.db"\n')
    assert patient.of("history").level is WRONG
    assert "mkdir -p" in patient.of("history").step


@pytest.mark.parametrize(
    ("sql", "level", "said"),
    [
        ("drop trigger readings_kept", WRONG, "trigger readings_kept"),
        ("drop index readings_day", WRONG, "index readings_day"),
        ("drop view gaps", WRONG, "view gaps"),
        ("create table mine_too (a)", OK, "up to date"),
        ("update _monitor_views set text_hash = 'views of before'", ATTENTION, "another version"),
        ("insert into _sqlite_migrations select 'monitor', '999_ahead', applied_at from _sqlite_migrations limit 1",
         WRONG, "newer Monitor (999_ahead)"),
        ("delete from _sqlite_migrations where name = '001_tables'", ATTENTION, "1 step behind (001_tables)"),
    ],
)  # fmt: skip
def test_a_schema_that_is_not_this_versions(patient: Patient, sql: str, level: Level, said: str) -> None:
    patient.configure(DUCK).live()
    columns = [row[1] for row in sqlite3.connect(patient.database).execute("pragma table_info(_sqlite_migrations)")]
    if "999_ahead" in sql:
        sql = (
            f"insert into _sqlite_migrations ({', '.join(c for c in columns if c != 'id')}) select "
            + ", ".join({"migration_set": "'monitor'", "name": "'999_ahead'"}.get(c, c) for c in columns if c != "id")
            + " from _sqlite_migrations limit 1"
        )
    patient.write(sql)
    found = patient.of("schema")
    assert (found.level, said in found.said) == (level, True), found


def test_views_of_another_version_are_not_called_damage(patient: Patient) -> None:
    patient.configure(DUCK).live().write("update _monitor_views set text_hash = 'views of before'")
    patient.write("drop view gaps")
    assert patient.of("schema").said == "the views are those of another version"


def test_tables_that_sqlite_itself_made_may_be_written_otherwise(patient: Patient) -> None:
    patient.configure(DUCK).live()
    with closing(sqlite3.connect(patient.database)) as conn:
        conn.execute("pragma writable_schema = on")
        conn.execute("update sqlite_master set sql = sql || ' ' where name = 'texts_fts_config'")
        conn.commit()
    assert patient.of("schema").level is OK


def test_a_check_that_takes_too_long_is_stopped_and_says_so(patient: Patient) -> None:
    patient.configure(DUCK).live(*(reading(*(f"https://e{n}.example/{m}" for m in range(60)), at=NOW - n * HOUR)
                                   for n in range(40)))  # fmt: skip
    ticks = iter(range(10**6))
    found = list(history.integrity(patient.database, 0.5, lambda: float(next(ticks))))
    assert [one.level for one in found] == [OK, OK]
    assert "then stopped for its size" in found[0].said
    assert "quick_check" in found[0].step


def test_a_write_ahead_log_that_only_grows_is_told(patient: Patient) -> None:
    patient.configure(DUCK).live()
    wal = Path(f"{patient.database}-wal")
    with wal.open("wb") as file:
        file.truncate(65 * 2**20)
    found = list(history.sizes(patient.database))
    assert [one.level for one in found] == [ATTENTION, ATTENTION, OK]
    assert "has grown to 68.2 MB" in found[0].said
    assert "no index beside it" in found[1].said


# --- who is at work ------------------------------------------------------------------------------------------------


@contextmanager
def holding(lock: Path) -> Iterator[subprocess.Popen[bytes]]:
    code = (
        "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600), fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_running_monitor_is_seen_by_its_lock(patient: Patient) -> None:
    patient.configure(DUCK).live()
    with holding(Path(f"{patient.database}.run.lock")) as process:
        assert "has just started" in patient.of("run").said
        at = to_text(NOW - timedelta(seconds=9))
        patient.write("insert into heartbeat values (1, ?, ?, ?, '')", process.pid, at, at)
        assert patient.of("run") == Finding(OK, "run", f"process {process.pid} is at work, last sign of life 9 s ago")
        patient.time.at += HOUR
        assert "is silent: last sign of life 60 min ago" in patient.of("run").said
    assert "no monitor is running" in patient.of("run").said


def test_the_run_lock_is_never_tried_where_the_kernel_shows_it(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient.configure(DUCK).live()
    at = to_text(NOW)
    lock = Path(f"{patient.database}.run.lock")
    with holding(lock) as process:
        patient.write("insert into heartbeat values (1, ?, ?, ?, '')", process.pid, at, at)
        monkeypatch.setattr(machine, "is_taken", lambda lock: pytest.fail("tried"))
        assert patient.of("run").level is OK


def test_a_lock_that_the_kernel_does_not_show_is_seen_all_the_same(tmp_path: Path) -> None:
    lock = tmp_path / "x.run.lock"
    assert not is_taken(lock)
    assert not lock.exists()
    with holding(lock):
        assert holder_of(lock, tmp_path / "no-proc") is None
        assert is_taken(lock)
    assert not is_taken(lock)


def test_a_stopped_writer_is_told(patient: Patient) -> None:
    patient.configure(DUCK).live()
    with holding(Path(f"{patient.database}.lock")) as process:
        process.send_signal(signal.SIGSTOP)
        found = patient.of("writer")
    assert found.level is ATTENTION
    assert f"process {process.pid} " in found.said
    assert "writer" not in [one.what for one in patient.examined(offline=True)]


def test_writers_that_take_turns_are_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = iter([7, 8] * machine.LOOKS)
    monkeypatch.setattr(machine, "holder_of", lambda lock: next(turns))
    assert machine._writer(tmp_path / "x.lock", lambda seconds: None) is None


# --- the sources ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "level", "said", "step"),
    [
        (PAGE, OK, "results on the first page", ""),
        ("captcha.html", ATTENTION, "blocked (captcha)", "captcha"),
        ("changed.html", ATTENTION, "changed (layout_unknown)", "`monitor check duck` keeps the page"),
        (Answer(429), ATTENTION, "blocked (rate_limited)", "too many requests"),
        (Answer(404, b"no"), ATTENTION, "failed (not_found)", "check the names"),
        (Answer(502, b"no"), ATTENTION, "failed (server_error)", "tried again"),
        (Answer(drop=True), ATTENTION, "failed (", "tried again"),
    ],
)
def test_a_source_is_tried_and_how_it_ends_is_told(
    patient: Patient, answer: Answer | str, level: Level, said: str, step: str
) -> None:
    if isinstance(answer, str):
        answer = Answer.html((PAGES / "duckduckgo" / answer).read_text())
    with Replay({"/html/": answer, "/robots.txt": Answer(404)}) as server:
        patient.configure(duck(server.url))
        found = patient.of("source duck", offline=False)
        assert len(server.asked("/html/")) == 1, "asked once, whatever came"
    assert (found.level, said in found.said, step in found.step) == (level, True, True), found


def test_questions_to_one_host_are_spaced_and_only_the_first_is_put(patient: Patient) -> None:
    repository = Answer(200, (PAGES / "github" / "repository.json").read_bytes(), {"Content-Type": "application/json"})
    with Replay({"/users/ada": USER, "/repos/ada/x": repository}) as server:
        key = 'user = "ada"\nrepositories = ["ada/x"]\nkey = { env = "HUB" }\n'
        patient.configure(github(server.url, key) + '[fetch]\nspacing = "7s"\n')
        found = [one for one in patient.examined(environ={"HUB": SECRET}) if one.what.startswith("source")]
        assert [request.path for request in server.requests] == ["/users/ada", "/repos/ada/x"]
    assert [(one.level, one.said) for one in found] == [(OK, "ok, 3 numbers seen")] * 2
    assert sum(patient.time.waits) == pytest.approx(7)


def host_row(patient: Patient, server: Replay, **columns: object) -> None:
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    host = server.url.removeprefix("http://")
    patient.write(f"insert into hosts (host, {names}) values (?, {marks})", host, *columns.values())


@pytest.mark.parametrize(
    ("columns", "said", "names"),
    [
        ({"next_at": to_text(NOW + MINUTE)}, "a running monitor is asking 127.0.0.1", ()),
        ({"not_before": to_text(NOW + HOUR)}, "wants to be left alone until 2026-11-23T10:30:00Z", ()),
        ({"open_until": to_text(NOW + HOUR), "blocked_in_row": 3}, "refused several times", ()),
        ({"open_until": to_text(NOW + HOUR), "blocked_in_row": 3}, "refused several times", ("duck",)),
    ],
)
def test_a_host_that_may_not_be_asked_is_not(
    patient: Patient, columns: dict[str, object], said: str, names: tuple[str, ...]
) -> None:
    with Replay({"/html/": PAGE}) as server:
        patient.configure(duck(server.url)).live()
        host_row(patient, server, **columns)
        found = patient.of("source duck", *names, offline=False)
        assert not server.requests, "not even for its robots.txt"
    assert found.level is ATTENTION
    assert said in found.said


def test_a_source_read_within_the_hour_is_asked_only_by_name(patient: Patient) -> None:
    with Replay({"/users/ada": USER}) as server:
        patient.configure(github(server.url)).live(reading(at=NOW - 59 * MINUTE))
        assert patient.of("source hub", offline=False) == Finding(
            OK, "source hub", "read well 59 min ago, so it is not asked again"
        )
        assert not server.requests
        assert "numbers seen" in patient.of("source hub", "hub", offline=False).said
        patient.time.at += 2 * MINUTE
        assert "numbers seen" in patient.of("source hub", offline=False).said
        assert len(server.requests) == 2


def test_a_source_that_refused_today_is_left_alone(patient: Patient) -> None:
    with Replay({"/html/": PAGE}) as server:
        blocked = reading(at=NOW - 2 * HOUR, outcome=Outcome.BLOCKED, reason="captcha")
        patient.configure(duck(server.url)).live(blocked)
        found = patient.of("source duck", "duck", offline=False)
        assert not server.requests
        assert "refused today (captcha)" in found.said
        assert "monitor check duck --force" in found.step


def test_a_missing_key_is_named_exactly_and_nobody_is_asked(patient: Patient) -> None:
    with Replay({}) as server:
        brave = f'[[search]]\nkind = "brave"\nname = "brave"\nurl = "{server.url}/brave"\n'
        patient.configure(brave)
        assert str(patient.of("source brave", offline=False)).endswith(
            "key missing - set the environment variable BRAVE_API_KEY"
        )
        patient.configure(brave + 'key = { file = "brave.key" }\n')
        assert patient.of("source brave").step == "set file brave.key: it does not exist"
        assert not server.requests


def test_offline_asks_nobody_and_still_looks_at_logs(patient: Patient) -> None:
    (patient.folder / "access.log").write_text(LINE.format("23/Nov/2026"))
    with Replay({}) as server:
        patient.configure(duck(server.url) + '[[page_views]]\nkind = "access_log"\nname = "log"\n')
        found = {one.what: one for one in patient.examined(offline=True)}
        assert not server.requests
    assert found["source duck"].said == "not asked (offline), never read"
    assert "newest line of 2026-11-23" in found["source log"].said
    assert not any(what.startswith("robots") for what in found)


def test_no_secret_is_ever_said(patient: Patient) -> None:
    """The server repeats the key wherever it can, and the owner's files hold it in odd places."""

    def repeat(asked: object) -> Answer:
        return Answer(401, SECRET.encode(), {"Retry-After": SECRET, "Location": f"/{SECRET}", "Server": SECRET})

    (patient.folder / "hub.key").write_text(SECRET)
    with Replay({"/users/ada": repeat, "/brave": Answer.redirect(f"http://{SECRET}.invalid/{SECRET}")}) as server:
        patient.configure(
            github(server.url, 'user = "ada"\nkey = { file = "hub.key" }\n')
            + f'[[search]]\nkind = "brave"\nurl = "{server.url}/brave"\n[fetch]\nspacing = "0s"\n'
        )
        for mode in (0o644, 0o600):
            (patient.folder / "hub.key").chmod(mode)
            done = monitor(patient.folder, "doctor", BRAVE_API_KEY=SECRET)
            assert "source hub" in done.stdout
            assert SECRET not in done.stdout + done.stderr
            assert ("chmod 600" in done.stdout) == (mode == 0o644)
        assert server.asked("/users/ada")
        assert server.asked("/brave")


def test_a_secret_that_is_a_name_as_well_is_not_said(patient: Patient) -> None:
    with Replay({"/brave": Answer.json({})}) as server:
        patient.configure(f'[[search]]\nkind = "brave"\nname = "{SECRET}"\nurl = "{server.url}/brave"\n')
        found = patient.of("source ***", offline=False, environ={"BRAVE_API_KEY": SECRET})
    assert "monitor check ***" in found.step


# --- robots.txt ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "text", "level", "said", "asked"),
    [
        ("tell", "User-agent: *\nDisallow: /html\n", OK, "disallows our question; you are told", 1),
        ("obey", "User-agent: *\nDisallow: /html\n", ATTENTION, "so it is never asked", 0),
        ("tell", "User-agent: *\nDisallow: /admin\n", OK, "allows our question", 1),
        ("obey", "User-agent: *\nDisallow: /admin\n", OK, "allows our question", 1),
        ("obey", 404, OK, "there is none, status 404", 1),
        ("tell", 503, OK, "could not be read; it is asked all the same", 1),
        ("obey", 503, ATTENTION, "could not be read, so nothing is asked", 0),
    ],
)
def test_robots_txt_is_told_and_where_wanted_obeyed(
    patient: Patient, rule: str, text: str | int, level: Level, said: str, asked: int
) -> None:
    answer = Answer(text) if isinstance(text, int) else Answer(200, text.encode())
    with Replay({"/html/": PAGE, "/robots.txt": answer}) as server:
        patient.configure(
            duck(server.url, 'queries = ["Ada Example", "A. Example"]\n') + f'[fetch]\nrobots = "{rule}"\n'
        )
        found = patient.of("robots.txt 127.0.0.1", offline=False)
        assert len(server.asked("/robots.txt")) == 1, "once for both sources"
        assert len(server.asked("/html/")) == 2 * asked
    assert (found.level, said in found.said) == (level, True), found


def test_the_robots_txt_of_a_keyed_api_matters_only_where_it_is_obeyed(patient: Patient) -> None:
    with Replay({"/brave": Answer(401)}) as server:
        brave = f'[[search]]\nkind = "brave"\nurl = "{server.url}/brave"\n'
        for rule, asked in (("tell", 0), ("obey", 1)):
            patient.configure(f'{brave}[fetch]\nrobots = "{rule}"\n').examined(environ={"BRAVE_API_KEY": SECRET})
            assert len(server.asked("/robots.txt")) == asked


@pytest.mark.parametrize("status", [None, 301, 500])
def test_a_robots_txt_that_cannot_be_had(status: int | None) -> None:
    assert robots("e.example", status, False, "obey").level is ATTENTION
    assert robots("e.example", status, False, "tell").level is OK


# --- logs ----------------------------------------------------------------------------------------------------------


def test_the_newest_line_is_found_in_the_newest_file_that_has_one(patient: Patient) -> None:
    patient.configure('[[page_views]]\nkind = "access_log"\nname = "log"\n')
    assert patient.of("source log").said == "failed (no_file)"
    for n, (name, day) in enumerate([("access.log.2.gz", "20/Nov/2026"), ("access.log.1", "22/Nov/2026")]):
        path = patient.folder / name
        text = (LINE.format("01/Nov/2026") * 900 + LINE.format(day)).encode()
        path.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
        os.utime(path, (n + 1, n + 1))
    (patient.folder / "access.log.3").write_text("{json}\n")  # an old format, long since read or given up
    os.utime(patient.folder / "access.log.3", (0, 0))
    (patient.folder / "access.log").write_text(LINE[:20])
    found = patient.of("source log")
    assert found.said == "4 files matched and readable, the format is known, newest line of 2026-11-22"
    assert found.level is OK
    (patient.folder / "access.log.1").unlink()
    assert "newest line of 2026-11-20" in patient.of("source log").said
    (patient.folder / "access.log.2.gz").unlink()
    (patient.folder / "access.log.3").unlink()
    assert "no line in them yet" in patient.of("source log").said


def test_only_the_last_lines_say_whether_the_format_is_known(patient: Patient) -> None:
    patient.configure('[[page_views]]\nkind = "access_log"\nname = "log"\n')
    log = patient.folder / "access.log"
    log.write_text(LINE.format("22/Nov/2026") + "{json}\n" * 20_000)
    found = patient.of("source log")
    assert found.said == "changed (unknown_format)"
    assert "access.log" in found.step
    log.write_text("{json}\n" * 20_000 + LINE.format("22/Nov/2026") * 9)
    assert patient.of("source log").level is OK


def test_a_log_that_may_not_be_read_is_named(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    patient.configure('[[page_views]]\nkind = "access_log"\nname = "log"\n')
    (patient.folder / "access.log").write_text(LINE.format("22/Nov/2026"))
    old = patient.folder / "access.log.1"
    old.write_text(LINE.format("21/Nov/2026"))
    really = os.open

    def refuse(path: str, *args: int, **more: int) -> int:
        if path == str(old):
            raise PermissionError
        return really(path, *args, **more)

    monkeypatch.setattr(os, "open", refuse)
    found = patient.of("source log")
    assert found.said == "failed (no_permission)"
    assert "access.log.1" in found.step


@pytest.mark.parametrize(
    ("newest", "level"),
    [(None, ATTENTION), (date(2026, 11, 24), OK), (date(2026, 11, 25), ATTENTION), (date(2026, 11, 20), OK),
     (date(2026, 11, 19), ATTENTION)],
)  # fmt: skip
def test_a_log_that_is_not_written_any_more(newest: date | None, level: Level) -> None:
    assert log_day("log", 1, newest, date(2026, 11, 23)).level is level


# --- the parsers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parser", "days", "level", "said"),
    [
        (None, 0, ATTENTION, "never read an answer"),
        (2, 6, OK, "number 2 read its last good answer 6 days ago"),
        (2, 8, ATTENTION, "8 days ago"),
        (1, 1, ATTENTION, "today's number 2 has not read one yet"),
        (3, 1, ATTENTION, "only number 2"),
    ],
)
def test_the_age_of_the_newest_proof(parser: int | None, days: int, level: Level, said: str) -> None:
    at = NOW - timedelta(days=days) if parser else None
    found = proof(Proof("duckduckgo", 2, "duck", parser=parser, at=at), timedelta(days=1), NOW)
    assert (found.level, said in found.said) == (level, True), found
    assert (found.step == "") == (level is OK)


def test_a_source_without_news_is_not_old_and_a_slow_one_has_its_time() -> None:
    long_ago = NOW - timedelta(days=80)
    assert proof(Proof("log", 1, "log", history=True, parser=1, at=long_ago), MINUTE, NOW).level is OK
    assert proof(Proof("hub", 1, "hub", parser=1, at=long_ago), timedelta(days=30), NOW).level is OK


def test_the_proof_is_the_newest_good_reading_of_the_kind(patient: Patient) -> None:
    patient.configure(DUCK).live(
        reading("https://example.org/", at=NOW - timedelta(days=3)),
        reading(at=NOW - timedelta(days=2), outcome=Outcome.CHANGED, reason="layout_unknown"),
    )
    assert "3 days ago" in patient.of("parser duckduckgo").said


# --- the machine ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "has"),
    [((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False),
     ((3, 45, 9), True), ((3, 50, 6), True), ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False),
     ((3, 52, 0), False)],
)  # fmt: skip
def test_which_sqlite_has_the_wal_reset_bug(version: tuple[int, ...], has: bool) -> None:
    assert judge.has_wal_reset_bug(version) is has


def test_an_sqlite_that_does_not_do() -> None:
    good = ["ENABLE_FTS5", "THREADSAFE=1"]
    assert [one.level for one in judge.sqlite((3, 53, 0), good)] == [OK, OK]
    assert "keeps clear of it" in next(iter(judge.sqlite((3, 40, 1), good))).said
    assert [one.level for one in judge.sqlite((3, 37, 2), good)] == [WRONG, OK]
    assert [one.level for one in judge.sqlite((3, 53, 0), ["THREADSAFE=1"])] == [OK, WRONG]
    assert [one.level for one in judge.sqlite((3, 53, 0), ["ENABLE_FTS5", "THREADSAFE=0"])] == [OK, WRONG]


def test_libraries_are_held_against_what_the_package_needs() -> None:
    wanted = ["apscheduler<4,>=3.11.2", "datasette<2,>=0.65.5", "lxml<7,>=5.3"]
    have = {"apscheduler": "3.11.3", "datasette": "0.65.5", "lxml": "6.1"}

    def levels(**other: str) -> list[Level]:
        return [one.level for one in judge.libraries((3, 11, 7), wanted, {**have, **other}, ["apscheduler"])]

    assert levels() == [OK]
    assert levels(apscheduler="3.11.1") == [WRONG, OK]
    assert levels(apscheduler="4.0.0a6") == [WRONG, OK]
    assert levels(datasette="1.0a41") == [ATTENTION, OK]
    assert levels(datasette="2.0") == [WRONG, OK]
    assert levels(lxml="") == [WRONG, OK]
    (found,) = judge.libraries((3, 11, 7), wanted, have, ["apscheduler"])
    assert found.said == "Python 3.11.7, apscheduler 3.11.3"
    assert next(iter(judge.libraries((3, 10, 2), [], {}, []))).level is WRONG


def test_what_is_installed_here_does() -> None:
    assert {one.level for one in machine.versions()} <= {OK, ATTENTION}


@pytest.mark.parametrize(
    ("free", "level"), [(49_999_999, WRONG), (50_000_000, ATTENTION), (199_999_999, ATTENTION), (200_000_000, OK)]
)
def test_room_on_the_disk(free: int, level: Level) -> None:
    assert judge.disk("/home", free).level is level


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/ada ext4 rw 0 0
//nas/my\\040files /mnt/my\\040files cifs rw 0 0
me@host: /home/ada/far fuse.sshfs rw 0 0
/dev/sdc1 /twice ext4 rw 0 0
tower: /twice nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind", "level"),
    [
        ("/var/lib", "ext4", OK),
        ("/home/eve", "nfs4", WRONG),
        ("/home/ada", "ext4", OK),
        ("/home/adam", "nfs4", WRONG),
        ("/home/ada/far/x", "fuse.sshfs", WRONG),
        ("/mnt/my files/x", "cifs", WRONG),
        ("/twice/x", "nfs", WRONG),
    ],
)
def test_where_locks_do_not_work(path: str, kind: str, level: Level) -> None:
    found = judge.file_system(PurePosixPath(path), MOUNTS)
    assert (found.level, kind in found.said) == (level, True), found


def test_a_system_without_a_list_of_mounts() -> None:
    assert judge.file_system(PurePosixPath("/x"), "").said == "not known on this system"


def test_a_clock_that_cannot_be_right(patient: Patient) -> None:
    assert judge.clock(NOW, NOW + timedelta(seconds=30)).level is OK
    assert judge.clock(datetime(2020, 1, 1, tzinfo=NOW.tzinfo), None).level is WRONG
    patient.configure(DUCK).live(reading(at=NOW + 2 * HOUR))
    found = patient.of("clock")
    assert found.level is ATTENTION
    assert "the history reaches to 2026-11-23 11:30" in found.said


def test_zones_that_do_not_load_are_named(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert patient.configure(DUCK).of("time zones").said.startswith("Australia/Sydney loads (")
    monkeypatch.setattr(machine.zoneinfo, "ZoneInfo", lambda name: exec("raise machine.zoneinfo.ZoneInfoNotFoundError"))
    found = machine.zones(settings(patient.folder, DUCK))
    assert found.level is WRONG
    assert "Australia/Sydney" in found.said


def test_files_that_others_may_read_or_write(patient: Patient) -> None:
    patient.configure(GITHUB + 'key = { file = "hub.key" }\n').live()
    (patient.folder / "hub.key").write_text(SECRET)
    (patient.folder / "hub.key").chmod(0o640)
    patient.database.chmod(0o644)
    patient.folder.chmod(0o777)
    lines = "\n".join(map(str, patient.examined(offline=True)))
    assert f"chmod 600 {patient.folder / 'hub.key'}" in lines
    assert f"{patient.database} may be read by other users (mode 0644) - chmod 600 {patient.database}" in lines
    assert f"chmod o-w {patient.folder}" in lines
    (other,) = judge.private("permissions", [judge.Node("x.db", 0o600, 1000)], me=1001)
    assert other.step == "chown 1001 x.db"


# --- the command ---------------------------------------------------------------------------------------------------


def test_the_command_says_one_line_each_and_exits_by_them(patient: Patient) -> None:
    with Replay({"/users/ada": [USER, Answer(404, b"{}")]}) as server:
        patient.configure(github(server.url))
        done = monitor(patient.folder, "doctor", "hub")
        assert done.returncode == 0, done.stdout + done.stderr
        lines = done.stdout.splitlines()
        assert all(line.split()[0] in ("ok", "attention", "wrong") for line in lines)
        assert lines[0] == "ok         config: config.toml, owner Ada Example, 1 source"
        patient.configure(github(server.url.replace("127.0.0.1", "localhost")) + '[store]\npath = "gone/x.db"\n')
        done = monitor(patient.folder, "doctor", "--json")
    assert done.returncode == 1
    rows = json.loads(done.stdout)
    assert {"level", "what", "said", "next"} == set(rows[0])
    assert [row["level"] for row in rows if row["what"] == "history"] == ["wrong"]


def test_the_command_knows_its_sources_and_a_bad_config(patient: Patient) -> None:
    patient.configure(GITHUB)
    done = monitor(patient.folder, "doctor", "githup")
    assert done.returncode == 2
    assert "did you mean" in done.stderr
    (patient.folder / "config.toml").write_text("[owner]\n")
    assert monitor(patient.folder, "doctor").returncode == 78
