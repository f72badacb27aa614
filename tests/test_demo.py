"""`monitor demo`: an invented history that keeps every rule of a true one, and says on every page what it is."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from monitor import config, times
from monitor.cli import cli
from monitor.demo import making
from monitor.demo.making import MARK, NotADemo, is_demo, make
from monitor.reread import reread_source
from monitor.store.connection import Store
from monitor.web import reads
from monitor.web.serve import load_metadata, make_datasette
from tests.conftest import ROOT

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAYS = 75
BANNER = 'class="m-invented"'


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short story, made once."""
    return make(tmp_path_factory.mktemp("demo") / "demo.db", NOW, days=DAYS).database


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole of 18 months."""
    return make(tmp_path_factory.mktemp("full") / "demo.db", NOW).database


@pytest.fixture
def store(demo: Path) -> Iterator[Store]:
    with Store(demo, clock=lambda: NOW) as opened:
        yield opened


def dump(path: Path) -> str:
    with sqlite3.connect(path) as conn:
        return "\n".join(line for line in conn.iterdump() if "_sqlite_migrations" not in line)


def run(demo: Path, *args: str) -> str:
    done = CliRunner().invoke(cli, ["--config", str(demo.with_suffix(".toml")), *args], catch_exceptions=False)
    return done.output


def count(store: Store, sql: str) -> int:
    (row,) = store.rows(f"select count(*) as n from ({sql})")
    return int(row["n"])


def test_the_same_seed_and_moment_make_the_same_history(demo: Path, tmp_path: Path) -> None:
    again = make(tmp_path / "demo.db", NOW, days=DAYS).database
    other = make(tmp_path / "other.db", NOW, days=DAYS, seed=8).database
    assert dump(again) == dump(demo)
    with sqlite3.connect(demo) as one, sqlite3.connect(other) as two:
        for sql in ("select day, engine, position from daily_ranks", "select day, views from site_views"):
            assert one.execute(sql).fetchall() != two.execute(sql).fetchall()


def test_every_slot_between_the_first_and_the_last_was_attempted(store: Store) -> None:
    from monitor.plan import slots
    from monitor.times import from_text

    settings = config.read(store.path.with_suffix(".toml"))
    asked = [one for one in settings.sources if not one.source.history]
    assert len(asked) >= 8
    for one in asked:
        found = [
            from_text(row["slot"])
            for row in store.rows(
                "select distinct r.slot from readings r join sources s on s.id = r.source_id"
                " where s.name = ? and s.retired_at is null order by r.slot",
                (one.name,),
            )
        ]
        assert found
        assert found[1:] == [slot.at for slot in slots(one.schedule, one.name, one.zone, found[0], found[-1])]
        assert (NOW - found[-1]) < 2 * one.schedule.period


def test_what_could_not_be_read_has_a_reason_and_a_next_step(store: Store) -> None:
    bad = store.rows("select outcome, reason, advice from readings where outcome not in ('ok', 'empty')")
    assert {"failed", "blocked", "changed", "missed"} <= {row["outcome"] for row in bad}
    assert {"off", "challenge", "breaker", "layout_unknown", "timeout"} <= {row["reason"] for row in bad}
    assert all(len(row["advice"]) > 20 and "no detail" not in row["advice"] for row in bad)


def test_every_rank_leads_to_a_kept_page_that_says_the_same_today(store: Store) -> None:
    unkept = (
        "select 1 from daily_ranks d left join exchanges e on e.reading_id = d.reading_id where e.capture_id is null"
    )
    assert count(store, unkept) == 0
    engines = [row["engine"] for row in store.rows("select distinct engine from searches")]
    assert set(engines) == {"duckduckgo", "bing", "brave", "google", "mojeek"}


def test_kept_pages_are_read_the_same_again(tmp_path: Path) -> None:
    made = make(tmp_path / "demo.db", NOW, days=30)
    settings = config.read(made.config)
    with Store(made.database, clock=lambda: NOW) as store:
        for one in settings.sources:
            rows = store.rows("select id from sources where name = ? and measure = 'search'", (one.name,))
            done = [again for row in rows for again in reread_source(store, one, row["id"], lambda: NOW)]
            assert bool(done) == bool(rows), one.name
            assert [again for again in done if again.differs or not again.read] == []


def test_it_is_nobodys_and_leads_nowhere(demo: Path) -> None:
    hosts = set(re.findall(r"https?://([^/\"'\s?]+)", dump(demo)))
    assert hosts
    assert [host for host in hosts if not host.endswith(".example")] == []
    config_hosts = set(re.findall(r"https?://([^/\"'\s?]+)|host = \"([^\"]+)\"", demo.with_suffix(".toml").read_text()))
    assert all((url or mail).endswith(".example") for url, mail in config_hosts)


def test_no_contact_is_told_by_name(demo: Path) -> None:
    said = dump(demo)
    assert "Thistlewood" not in said
    assert "1632960142" not in said


async def test_every_page_says_that_it_is_invented(demo: Path) -> None:
    served = make_datasette(demo, load_metadata())
    for path in ("/", "/demo", "/demo/readings", "/demo/readings/1", "/demo/daily_ranks", "/demo/nothing", "/nothing"):
        page = await served.client.get(path)
        assert BANNER in page.text, path
    assert "(invented)" in (await served.client.get("/")).text


async def test_a_true_history_is_not_marked(tmp_path: Path) -> None:
    with Store(tmp_path / "presence.db"):
        pass
    assert not is_demo(tmp_path / "presence.db")
    served = make_datasette(tmp_path / "presence.db", load_metadata())
    for path in ("/", "/presence", "/presence/readings"):
        assert BANNER not in (await served.client.get(path)).text, path


def test_the_mark_is_the_one_that_the_pages_look_for() -> None:
    assert reads.INVENTED == MARK


def test_an_older_demo_is_replaced_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    made = make(tmp_path / "demo.db", NOW, days=30)
    assert make(tmp_path / "demo.db", NOW, days=30).readings == made.readings
    with Store(tmp_path / "presence.db"):
        pass
    before = (tmp_path / "presence.db").read_bytes()
    with pytest.raises(NotADemo, match="is no demo, so it is left alone") as refused:
        make(tmp_path / "presence.db", NOW, days=30)
    assert refused.value.exit_code == 65
    assert (tmp_path / "presence.db").read_bytes() == before


@pytest.mark.parametrize("name", ["notes.toml", "notes.key", "notes-captures.db", "notes.db"])
def test_a_file_of_the_owners_with_such_a_name_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(NotADemo):
        make(tmp_path / "notes.db", NOW, days=30)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, "mine")]


def test_a_demo_that_was_cut_short_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(told: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(making, "_write", killed)
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "demo.db", NOW, days=30)
    assert make(tmp_path / "demo.db", NOW, days=30).readings > 100


def test_the_commands_work_on_it(demo: Path) -> None:
    assert "mojeek/ada-marlowe: failed" in run(demo, "status")
    assert "of them known" in run(demo, "worth", "--months", "3")
    assert "+44 … 42" in run(demo, "exposure")
    assert "ada-marlowe.example" in run(demo, "page-one")
    assert "duckduckgo/ada-marlowe" in run(demo, "why", "duckduckgo")


def test_the_command_serves_it_until_it_is_told_to_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "monitor", "demo", "--days", "30", "--port", "0", "--no-open"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            said = [process.stdout.readline() for _ in range(3)]
            address = re.findall(r"http://127\.0\.0\.1:\d+/", said[2])[0]
            with urllib.request.urlopen(address, timeout=30) as page:
                assert BANNER in page.read().decode()
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert sorted(file.name for file in tmp_path.iterdir() if file.suffix in (".db", ".toml", ".key")) == [
        "demo-captures.db",
        "demo.db",
        "demo.key",
        "demo.toml",
    ]


def test_a_taken_port_is_told_before_anything_is_made(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "monitor", "demo", "--port", port]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 74
    assert done.stderr == f"Port {port} cannot be used (Address already in use): name a free one with --port.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_the_whole_story_tells_what_was_promised(full: Path) -> None:
    with Store(full, clock=lambda: NOW) as store:
        now = {
            row["engine"]: row["position"] for row in store.rows("select * from current_ranks order by source_id desc")
        }
        assert sorted(engine for engine, place in now.items() if place == 1) == ["bing", "brave", "duckduckgo"]
        gaps = store.rows("select source, reason, count(*) as days from gaps group by 1, 2")
        days = {(row["source"], row["reason"]): row["days"] for row in gaps}
        assert days["duckduckgo/ada-marlowe", "challenge"] + days["duckduckgo/ada-marlowe", "breaker"] == 9
        assert days["mojeek/ada-marlowe", "layout_unknown"] == 7
        assert days["brave/ada-marlowe", "off"] == 2
        assert days["serper/ada-marlowe", "budget"] == 3
        assert days["github/ada-marlowe", "denied"] == 26
        states = {row["state"] for row in store.rows("select distinct state from counts")}
        assert states == {"read", "hidden", "gone"}
        precisions = {row["precision"] for row in store.rows("select distinct precision from counts")}
        assert precisions == {"exact", "rounded", "at_least"}
        metrics = {row["metric"] for row in store.rows("select distinct metric from counts where window = 'week'")}
        assert metrics == {"search_appearances", "profile_appearances"}
        assert count(store, "select * from contact_weeks where contacts is null") >= 3
        assert count(store, "select * from persistent_senders") >= 1
        assert count(store, "select * from unsure_contacts") >= 3
        assert count(store, "select * from contact_sightings group by contact_id having count(*) > 1") >= 5
        assert [row["state"] for row in store.rows("select state from exposures order by state")] == [
            "gone",
            "not_found",
        ]
        assert count(store, "select * from page_view_gaps") >= 1
        assert count(store, "select * from unwanted_rising") >= 3
        assert count(store, "select * from milestones") >= 10
        for (view,) in store.conn.execute("select name from sqlite_master where type = 'view'").fetchall():
            assert count(store, f"select * from {view}") > 0 or view in ("controls", "shown_by_engine", "exposure_gaps")


@pytest.mark.long
def test_the_readme_shows_the_answer_that_the_demo_gives(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "utc_now", lambda: NOW)
    command = "$ monitor --config demo.toml worth --months 18\n"
    shown = (ROOT / "README.md").read_text().partition(command)[2].partition("```")[0]
    assert shown.split() == run(full, "worth", "--months", "18").split(), "run: python -m docs.screenshot"


def test_the_answer_is_json_too(demo: Path) -> None:
    answer: dict[str, Any] = json.loads(run(demo, "worth", "--json", "--months", "3"))
    assert answer["said"]
