"""The whole line as an owner uses it: the command as a process, real HTTP on loopback, the answer by SQL and by web."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PAGES
from tests.replay import Answer, Replay

MONITOR = (sys.executable, "-m", "monitor")
DUCK = (PAGES / "duckduckgo" / "ok.html").read_bytes()
BRAVE = (PAGES / "brave" / "ok.json").read_bytes()
USER = (PAGES / "github" / "user.json").read_bytes()
SECRET = "s3same-0pen-4242"
LINE = '192.0.2.{0} - - [{1:02}/Nov/2026:10:00:{0:02} +0000] "GET /post-{0}/ HTTP/1.1" 200 512 "{2}" "{3}"\n'
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def config(server: str, extra: str = "") -> str:
    return f"""
[owner]
name = "Jane Example"
timezone = "Australia/Sydney"

[[search]]
kind = "duckduckgo"
url = "{server}/html/"

[[search]]
kind = "brave"
url = "{server}/brave"
pages = 1
key = {{ env = "BRAVE_API_KEY" }}

[[page_views]]
kind = "access_log"

[[profiles]]
kind = "github"
user = "jane"
url = "{server}"

[fetch]
spacing = "0s"

[web]
port = 0
{extra}"""


class Home:
    """A folder with a config, and the command run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {**os.environ, "BRAVE_API_KEY": SECRET, "PYTHONUNBUFFERED": "1"}

    def write(self, server: str, extra: str = "") -> None:
        (self.folder / "config.toml").write_text(config(server, extra))

    def log(self, day: int, views: int, name: str = "access.log", agent: str = FIREFOX) -> None:
        text = "".join(LINE.format(n, day, "https://www.linkedin.com/", agent) for n in range(views))
        with (gzip.open if name.endswith(".gz") else open)(self.folder / name, "ab") as file:
            file.write(text.encode())

    def run(self, *args: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MONITOR, *args],
            cwd=self.folder,
            env=self.environ if environ is None else environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.folder / 'presence.db'}?mode=ro", uri=True)) as conn:
            return conn.execute(sql).fetchall()

    @contextmanager
    def running(self, *args: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
        """`monitor run` as a process, with the address it printed."""
        said = self.folder / "said.txt"
        with said.open("w") as file:
            process = subprocess.Popen(
                [*MONITOR, "run", *args], cwd=self.folder, env=self.environ, stdout=file, stderr=subprocess.STDOUT
            )
        try:
            sign = r"Open http://([\w.:]+)/" if not args else r"(Monitor watches) .+"
            until = time.monotonic() + 30
            while not (found := re.search(sign, said.read_text())):
                assert process.poll() is None, said.read_text()
                assert time.monotonic() < until, said.read_text()
                time.sleep(0.05)
            address = found[1]
            yield process, address
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(10)

    def wait_for(self, sql: str, wanted: Any, seconds: float = 30) -> None:
        """Until a query gives what is wanted, or a bound that only a hang reaches."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if self.rows(sql) == wanted:
                    return
            except sqlite3.Error:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{sql}: {self.rows(sql)} and not {wanted}")


def get(address: str, path: str, host: str = "") -> tuple[int, str, dict[str, str]]:
    with closing(http.client.HTTPConnection(address, timeout=20)) as connection:
        connection.request("GET", path, headers={"Host": host or address})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.getheaders()}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def server() -> Iterator[Replay]:
    routes = {
        "/html/": Answer(200, DUCK, {"Content-Type": "text/html; charset=UTF-8"}),
        "/brave": Answer(200, BRAVE, {"Content-Type": "application/json"}),
        "/users/jane": Answer(200, USER, {"Content-Type": "application/json"}),
    }
    with Replay(routes) as server:
        yield server


def test_check_reads_every_measure_and_sql_says_so(home: Home, server: Replay) -> None:
    home.write(server.url)
    home.log(21, 5)
    home.log(20, 4, "access.log.1.gz")
    done = home.run("check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert home.rows("select distinct outcome from readings") == [("ok",)]
    assert home.rows("select day, views from daily_page_views order by day") == [("2026-11-20", 4), ("2026-11-21", 5)]
    assert home.rows("select referrer, medium, views from top_referrers") == [("LinkedIn", "social", 9)] or home.rows(
        "select medium, views from top_referrers"
    ) == [("social", 9)]
    assert home.rows("select value from profile_counts where metric = 'followers'")[0][0] >= 0
    assert home.rows("select * from daily_ranks") == []

    said = home.run("label", "example.org", "mine")
    assert said.returncode == 0, said.stderr
    ranks = home.rows("select engine, position, depth from daily_ranks order by engine")
    assert [rank[0] for rank in ranks] == ["brave", "duckduckgo"]
    assert len(server.requests) == 3  # labelling fetched nothing
    assert all(r.headers["user-agent"].startswith("presence-monitor/") for r in server.requests)

    again = home.run("check", "access_log")
    assert "nothing new" in again.stdout
    home.log(21, 2)
    home.run("check", "access_log")
    assert home.rows("select views from daily_page_views where day = '2026-11-21'") == [(7,)]


def test_a_secret_is_sent_and_stands_nowhere(home: Home, server: Replay) -> None:
    home.write(server.url)
    done = home.run("check", "brave")
    assert server.asked("/brave")[0].headers["x-subscription-token"] == SECRET
    for path in home.folder.iterdir():
        assert SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in done.stdout + done.stderr


def test_a_missing_key_stops_only_its_own_source(home: Home, server: Replay) -> None:
    home.write(server.url)
    done = home.run("check", "brave", "duckduckgo", environ={k: v for k, v in home.environ.items() if "BRAVE" not in k})
    assert done.returncode == 1
    assert "missed (key_missing)" in done.stdout
    assert "BRAVE_API_KEY" in done.stdout
    assert dict(home.rows("select kind, outcome from source_health where outcome is not null")) == {
        "brave": "missed",
        "duckduckgo": "ok",
    }
    assert server.asked("/brave") == []
    assert home.rows("select sum(calls) from hosts") == [(1,)]  # what was never sent is no call


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (Answer(202, DUCK), "blocked", "challenge"),
        (Answer(429, b"slow down", {"Retry-After": "7200"}), "blocked", "rate_limited"),
        (Answer(200, (PAGES / "duckduckgo" / "challenge.html").read_bytes()), "blocked", None),
        (Answer(200, (PAGES / "duckduckgo" / "changed.html").read_bytes()), "changed", "layout_unknown"),
        (Answer(200, (PAGES / "duckduckgo" / "empty.html").read_bytes()), "empty", "no_results"),
        (Answer(200, b""), "failed", "empty_answer"),
        (Answer(drop=True), "failed", "connection"),
        (Answer(500, b"oops"), "failed", "server_error"),
        (Answer.redirect("http://192.168.7.7/"), "failed", "forbidden_address"),
    ],
)
def test_what_goes_wrong_is_stored_as_exactly_that(
    home: Home, answer: Answer, outcome: str, reason: str | None
) -> None:
    with Replay({"/html/": answer}) as server:
        home.write(server.url, '[labels]\nmine = ["example.org"]\n')
        done = home.run("check", "duckduckgo")
    assert done.returncode == (0 if outcome == "empty" else 1)
    ((got, why, advice),) = home.rows("select outcome, reason, advice from readings")
    assert got == outcome
    assert reason is None or why == reason
    assert why in done.stdout or outcome == "empty"
    assert advice
    assert home.rows("select count(*) from results") == [(0,)]
    assert home.rows("select position from daily_ranks") == ([(None,)] if outcome == "empty" else [])


def test_after_a_refusal_the_owner_must_insist(home: Home) -> None:
    refusal = Answer(429, b"no", {"Retry-After": "3600"})
    with Replay({"/html/": [refusal, Answer(200, DUCK)]}) as server:
        home.write(server.url)
        assert home.run("check", "duckduckgo").returncode == 1
        said = home.run("check", "duckduckgo")
        assert said.returncode == 1
        assert "--force" in said.stdout
        assert len(server.requests) == 1
        assert home.run("check", "duckduckgo", "--force").returncode == 0
        assert len(server.requests) == 2


def test_robots_txt_is_binding_where_the_owner_says_so(home: Home) -> None:
    rules = Answer(200, b"User-agent: *\nDisallow: /html/\n")
    with Replay({"/html/": Answer(200, DUCK), "/robots.txt": rules}) as server:
        home.write(server.url)
        text = (home.folder / "config.toml").read_text()
        (home.folder / "config.toml").write_text(text.replace("[fetch]", '[fetch]\nrobots = "obey"'))
        assert home.run("check", "duckduckgo").returncode == 1
        assert [request.path for request in server.requests] == ["/robots.txt"]
    assert home.rows("select outcome, reason from readings") == [("blocked", "robots")]


def test_reread_reads_kept_pages_beside_the_old_readings(home: Home, server: Replay) -> None:
    home.write(server.url)
    home.run("check", "duckduckgo", "github")
    same = home.run("reread")
    assert "2 readings read again, 0 differ" in same.stdout
    with closing(
        sqlite3.connect(home.folder / "presence.db", isolation_level=None)
    ) as conn:  # as an old parser left it
        conn.execute("drop trigger readings_append_only")
        conn.execute("update readings set outcome = 'changed', reason = 'layout_unknown', depth = null where depth > 0")
    again = home.run("reread", "duckduckgo")
    assert "changed (layout_unknown) -> ok" in again.stdout
    assert len(server.requests) == 2
    rows = home.rows('select outcome, "trigger", reread_of from readings order by id')
    assert rows[-1] == ("ok", "reread", 1)
    assert rows[0][0] == "changed"
    assert home.rows("select outcome from day_readings where source_id = 1") == [("ok",)]
    assert "0 differ" in home.run("reread", "duckduckgo").stdout


def test_prune_lets_pages_go_and_reread_says_so(home: Home, server: Replay) -> None:
    home.write(server.url, '[store]\nkeep_captures = "0d"\n')
    home.run("check", "duckduckgo")
    time.sleep(1.1)  # instants are whole seconds, and a page of this very second is young
    assert "1 kept pages let go" in home.run("prune").stdout
    assert "of 1 the pages are no longer kept" in home.run("reread").stdout
    assert home.rows("select count(*) from results")[0][0] > 0


def test_run_takes_first_readings_and_serves_them(home: Home, server: Replay) -> None:
    home.write(server.url, '[labels]\nmine = ["example.org"]\n')
    home.log(21, 3)
    with home.running() as (process, address):
        home.wait_for("select count(distinct source_id) from readings where outcome = 'ok'", [(4,)])
        status, page, headers = get(address, "/")
        assert status == 200
        assert "Jane Example" in page
        assert "DuckDuckGo" in page
        assert "default-src 'none'" in headers["content-security-policy"]
        status, text, _ = get(address, "/presence/current_ranks.json?_shape=array")
        assert {row["engine"] for row in json.loads(text)} == {"duckduckgo", "brave"}
        assert get(address, "/", host="evil.example")[0] == 403
        second = home.run("run")
        assert second.returncode == 75
        assert "Another monitor is at work on" in second.stderr
        assert home.run("check", "github").returncode == 0  # a check beside a run is fine
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert home.rows("pragma integrity_check") == [("ok",)]
    assert "monitor run is not running" in home.run("status").stdout
    with home.running("--no-web") as (process, _):
        process.send_signal(signal.SIGINT)
    assert home.rows("select count(*) from readings where source_id = 1") == [(1,)]  # a restart asks nothing again


def test_stop_in_the_middle_of_a_slow_answer_is_quick_and_clean(home: Home) -> None:
    with Replay({"/html/": Answer(200, DUCK, drip=0.2)}) as server:
        home.write(server.url)
        with home.running() as (process, _):
            until = time.monotonic() + 20
            while not server.requests and time.monotonic() < until:
                time.sleep(0.05)
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
            assert time.monotonic() - began < 10
    assert home.rows("select count(*) from results") == [(0,)]
    assert home.rows("pragma integrity_check") == [("ok",)]


def test_without_a_network_the_page_opens_and_says_what_to_do(home: Home) -> None:
    home.write("http://127.0.0.1:9")
    with home.running() as (_, address):
        home.wait_for("select count(*) from readings where outcome in ('failed', 'missed')", [(4,)])
        status, page, _ = get(address, "/")
        assert status == 200
        assert "could not be reached" in page
        assert "Set <code>files</code>" in page or "No file matches" in page
    assert home.rows("select * from daily_ranks") == []
    assert home.rows("select distinct reason from readings order by 1") == [("connection",), ("no_file",)]


def test_a_port_in_use_names_the_key_to_change(home: Home, server: Replay) -> None:
    home.write(server.url)
    text = (home.folder / "config.toml").read_text().replace("port = 0", f"port = {server.port}")
    (home.folder / "config.toml").write_text(text)
    done = home.run("run")
    assert done.returncode == 74
    assert "set [web] port" in done.stderr


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--config", "nowhere.toml", "status"], 78, "no such file"),
        (["check", "duckduckgoo"], 2, 'did you mean "duckduckgo'),
        (["label", "not a host", "mine"], 2, "PATTERN"),
        (["add", "count", "linkedin", "views", "-3"], 2, "-3"),
        (["add", "contact", "--kind", "letter"], 2, "letter"),
        (["add", "event", "x", "--on", "2999-01-01"], 2, "has not come yet"),
        (["add", "event", "x", "--on", "yesterday"], 2, "is no day"),
        (["add", "event", "x", "--url", "javascript:alert(1)"], 2, "http://"),
        (["undo"], 1, "Nothing typed"),
        (["status"], 1, "Nothing has been read yet"),
    ],
)
def test_wrong_input_is_said_in_one_sentence_with_its_exit_code(
    home: Home, server: Replay, args: list[str], code: int, said: str
) -> None:
    home.write(server.url)
    done = home.run(*args)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_typed_numbers_and_their_undoing(home: Home, server: Replay) -> None:
    home.write(server.url)
    assert home.run("add", "count", "linkedin", "profile_views", "42", "--window", "90d").returncode == 0
    assert home.run("add", "contact", "--kind", "call", "--origin", "old resume").returncode == 0
    assert home.run("add", "event", "new job", "--on", "2026-11-02").returncode == 0
    assert home.rows("select profile, metric, window, value, typed from profile_counts") == [
        ("linkedin", "profile_views", "90d", 42, 1)
    ]
    assert home.rows("select what, who from timeline order by what") == [
        ("contact", "call from old resume"),
        ("event", "new job"),
        ("profile", "linkedin profile_views (90d)"),
    ]
    for _ in range(3):
        assert home.run("undo").returncode == 0
    assert home.rows("select * from timeline") == []


Check = Callable[[Home], None]


def test_status_says_how_each_source_is_and_exits_1_when_one_needs_attention(home: Home, server: Replay) -> None:
    home.write(server.url)
    home.log(21, 3)
    home.run("check")
    done = home.run("status")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("next 20") == 4
    server.routes["/html/"] = Answer(202, b"")
    home.run("check", "duckduckgo")
    done = home.run("status")
    assert done.returncode == 1
    assert done.stdout.startswith("duckduckgo/jane-example: blocked (challenge), last good")
    assert json.loads(home.run("status", "--json").stdout)["sources"][0]["reason"] == "challenge"
