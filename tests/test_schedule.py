"""What the running monitor tells and to whom: trouble once, silence by its own absence, a changed config at once."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from monitor import config, schedule
from monitor.model import FetchFailed, Outcome
from monitor.outage import BACK, Network, Standing
from monitor.store.connection import StoreError
from tests.conftest import PAGES
from tests.living import DAY, HOUR, MINUTE, World, toy, world
from tests.made import NOW, exchange, reading, settings

DUCK = '[[search]]\nkind = "duckduckgo"\nname = "{0}"\nqueries = ["{0}"]\nurl = "http://{0}.example/html/"\n'
SPACING = '[fetch]\nspacing = "0s"\n'
FULL = StoreError("The disk is full: make room.", 74)


def offline(url: str) -> Exception:
    return FetchFailed("dns", "no such host")


# --- trouble is told once ------------------------------------------------------------------------------------------


def test_without_a_network_one_line_says_so_and_one_that_it_is_back(tmp_path: Path) -> None:
    life = world(tmp_path, NOW, *(toy(f"s{n}", "1h") for n in range(5)))
    life.on()
    life.answer = offline
    life.live(3 * HOUR)
    assert len(life.asked) > 20
    (line,) = life.said
    assert line.startswith("No network: s0.example, s1.example, s2.example, s3.example, s4.example could not")
    assert life.rows("select note from heartbeat") == [("no network",)]
    life.answer = lambda url: "http://a.example/"
    life.live(2 * HOUR)
    assert life.said.count(BACK) == 1
    assert life.said[1] == BACK
    assert {line.partition(": ")[2] for line in life.said[2:]} == {"ok, 1 results seen"}
    life.beat()
    assert life.rows("select note from heartbeat") == [("",)]
    assert life.rows("select count(*) from readings where reason = 'dns'")[0][0] > 20  # each is stored all the same


def test_one_host_that_is_down_is_that_source_s_own_trouble(tmp_path: Path) -> None:
    life = world(tmp_path, NOW, *(toy(f"s{n}", "1h") for n in range(3)))
    life.on()
    life.answer = lambda url: offline(url) if "s1." in url else "http://a.example/"
    life.live(3 * HOUR)
    assert not [line for line in life.said if line.startswith("No network")]
    assert [line for line in life.said if line.startswith("s1: failed (dns)")]


def failed(host: str, reason: str = "dns"):
    made = reading(outcome=Outcome.FAILED, reason=reason, body="")
    return _with(made, exchanges=(exchange("", url=f"http://{host}/"),), status=None)


def fine(host: str):
    return _with(reading("http://a.example/"), exchanges=(exchange("x", url=f"http://{host}/"),))


def _with(made, exchanges, status: int | None = 200):
    return replace(made, exchanges=tuple(replace(e, status=status) for e in exchanges))


def heard(network: Network, *events: tuple[str, object] | str) -> list[str]:
    lines = []
    for event in events:
        if isinstance(event, str):
            lines += network.settled()
        else:
            name, made = event
            lines += network.heard(name, made, f"{name} {made.outcome}")
    return lines


SETTLED = "settled"
BOTH_FAIL = [("a", failed("a")), ("b", failed("b")), SETTLED]


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        ([("a", failed("a")), SETTLED], ["a failed"]),  # one source: nothing is known of the others
        ([("a", failed("x")), ("b", failed("x")), SETTLED], ["a failed", "b failed"]),  # one host
        (BOTH_FAIL, ["No network"]),
        ([("a", failed("a")), SETTLED, ("b", failed("b")), SETTLED], ["a failed", "No network"]),
        ([("a", failed("a")), ("c", fine("c")), ("b", failed("b")), SETTLED], ["a failed", "c ok", "b failed"]),
        # Two wrong addresses that fail beside one that is right say nothing about the network later either.
        (
            [("c", fine("c")), *BOTH_FAIL, ("a", failed("a")), SETTLED, ("b", failed("b")), SETTLED],
            ["c ok", "a failed", "b failed", "a failed", "b failed"],
        ),
        # A wrong address that was mended counts again.
        (
            [("c", fine("c")), ("a", failed("a")), SETTLED, ("a", fine("a")), SETTLED, *BOTH_FAIL],
            ["c ok", "a failed", "a ok", "No network"],
        ),
        ([("a", failed("a", "tls")), ("b", failed("b", "server_error")), SETTLED], ["a failed", "b failed"]),
        (
            [*BOTH_FAIL, ("a", failed("a")), SETTLED, ("b", fine("b")), SETTLED, *BOTH_FAIL],
            ["No network", BACK, "b ok", "No network"],
        ),
    ],
)
def test_when_it_is_the_network(events: list[object], lines: list[str]) -> None:
    told = heard(Network(), *events)
    assert [line.partition(":")[0] if line.startswith("No network") else line for line in told] == lines


def test_files_say_nothing_about_the_network() -> None:
    network = Network()
    events = [("a", failed("a")), ("b", failed("b")), SETTLED, ("log", reading(outcome=Outcome.OK, body=""))]
    assert heard(network, *events)[1:] == ["log ok"]
    assert network.down


def test_a_text_is_new_until_it_is_over_everywhere() -> None:
    standing = Standing()
    assert standing.begins("look", "full")
    assert not standing.begins("look", "full")
    assert not standing.begins("heartbeat", "full")
    assert standing.over("look")
    assert not standing.begins("look", "full")
    assert standing.begins("look", "locked")
    assert not standing.begins("look", "full")  # back and forth between two is no news
    assert standing.over("heartbeat")
    assert not standing.over("heartbeat")
    assert not standing.begins("look", "full")
    assert standing.over("look")
    assert standing.begins("look", "full")


def test_a_history_that_cannot_be_written_is_told_once_and_so_is_its_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = world(tmp_path, NOW, toy("hourly", "1h"))
    runner = life.on()
    with monkeypatch.context() as patch:

        def full(*args: object) -> None:
            raise FULL

        patch.setattr(schedule.state, "beat", full)
        patch.setattr(schedule.readings, "save", full)
        for _ in range(30):
            runner.look()
            runner._beat()
            life.pass_time(5 * MINUTE)
    assert len(life.said) == 2  # the beats', and that of a reading which waits beside the history
    assert all(line.startswith(str(FULL)) for line in life.said)
    runner._beat()
    runner.look()
    assert life.said[2] == "The history can be written again."
    assert all(line == "hourly: ok, 2 results seen" for line in life.said[3:])


def test_a_fault_of_ours_in_one_source_is_logged_once_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    life = world(tmp_path, NOW, toy("a", "1h"), toy("b", "1h"))
    life.on()
    life.answer = lambda url: ZeroDivisionError("a fault") if "//a." in url else "http://x.example/"
    with caplog.at_level(logging.ERROR, "monitor"):
        life.live(3 * HOUR)
    assert len(caplog.records) == 1
    assert "a: a fault of Monitor's, please report it" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert len(life.outcomes("b")) == 3


@pytest.mark.parametrize("broken", ["look", "beat"])
def test_a_fault_in_a_look_or_a_beat_ends_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    life = world(tmp_path, NOW, toy("a", "1h"))
    runner = life.on()
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR, "monitor"):
        patch.setattr(schedule, "plan" if broken == "look" else "state", MappingProxyType({}))
        for _ in range(4):
            runner.look()
            runner._beat()
            life.pass_time(HOUR)
    assert 1 <= len(caplog.records) <= 2
    life.live(2 * HOUR)
    assert "ok" in str(life.outcomes("a"))


# --- the ping and systemd ------------------------------------------------------------------------------------------

PING = "https://ping.example/secret-path"


def pinging(tmp_path: Path, *sources: str) -> World:
    text = f'[service]\nping = "{PING}"\n'
    made = replace(settings(tmp_path, SPACING + text), sources=tuple(toy(name, "1h") for name in sources))
    life = World(made, NOW)
    life.on()
    return life


def pings(life: World) -> int:
    return life.asked.count(PING)


def test_the_ping_is_asked_once_an_hour_while_all_is_well(tmp_path: Path) -> None:
    life = pinging(tmp_path, "a")
    life.live(3 * HOUR, step=MINUTE)
    assert pings(life) == 3
    life.now -= 2 * HOUR  # a clock that is set makes it no more often
    life.live(30 * MINUTE, step=MINUTE)
    assert pings(life) == 4
    assert life.rows("select count(*) from readings where source_id not in (select id from sources)") == [(0,)]


def test_no_ping_while_every_source_is_in_trouble_or_nothing_is_read_yet(tmp_path: Path) -> None:
    life = pinging(tmp_path, "a", "b")
    life.beat()
    life.answer = lambda url: "captcha"
    life.live(3 * HOUR)
    assert pings(life) == 0
    life.answer = lambda url: "captcha" if "//a." in url else "http://x.example/"
    life.live(2 * DAY)
    assert pings(life) > 0  # one of two in trouble is told by the pages, not by silence


def test_no_ping_when_looks_fail_or_have_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    life = pinging(tmp_path, "a")
    life.live(10 * MINUTE)
    assert pings(life) == 1
    for _ in range(30):  # beats alone
        life.pass_time(10 * MINUTE)
        life.beat()
    assert pings(life) == 1

    def full(*args: object) -> None:
        raise FULL

    with monkeypatch.context() as patch:
        patch.setattr(schedule.state, "watched", full)
        life.live(2 * HOUR)
    assert pings(life) == 1
    life.live(10 * MINUTE)
    assert pings(life) == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (FetchFailed("dns", f"at {PING}"), "The ping did not arrive (dns)"),
        (ZeroDivisionError(), None),
    ],
)
def test_a_failing_ping_is_told_once_and_disturbs_nothing(
    tmp_path: Path, answer: Exception, said: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    life = pinging(tmp_path, "a")
    life.answer = lambda url: answer if url == PING else "http://x.example/"
    with caplog.at_level(logging.ERROR, "monitor"):
        life.live(5 * HOUR)
    assert pings(life) == 5
    told = [line for line in life.said if "ping" in line.lower()]
    assert len(told) + len(caplog.records) == 1
    assert said is None or told[0].startswith(said)
    assert "secret-path" not in "".join(life.said)
    assert len(life.outcomes("a")) == 5


def test_a_ping_whose_address_is_not_set_names_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PING_URL", raising=False)
    made = settings(tmp_path, SPACING + '[service]\nping = { env = "PING_URL" }\n')
    life = World(replace(made, sources=(toy("a", "1h"),)), NOW)
    life.on()
    life.live(2 * HOUR)
    (line,) = [line for line in life.said if "ping" in line]
    assert "PING_URL" in line
    monkeypatch.setenv("PING_URL", PING)
    life.live(HOUR)
    assert pings(life) == 1


def test_systemd_hears_ready_after_the_first_look_and_the_watchdog_only_while_looks_happen(tmp_path: Path) -> None:
    life = world(tmp_path, NOW, toy("a", "1h"))
    runner = life.on()
    life.beat()
    assert life.notified == []
    runner.look()
    life.beat()
    assert life.notified == ["READY=1", "WATCHDOG=1"]
    runner.look()
    life.pass_time(timedelta(seconds=60))
    life.beat()
    assert life.notified == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
    life.pass_time(timedelta(seconds=60))
    life.beat()
    assert life.notified[3:] == []  # no look for two minutes
    runner.look()
    life.beat()
    runner.reload()
    life.off()
    assert life.notified[3:] == ["WATCHDOG=1", "RELOADING=1", "READY=1", "STOPPING=1"]


# --- a changed config ----------------------------------------------------------------------------------------------


def page(url: str) -> str:
    return (PAGES / "duckduckgo" / "ok.html").read_text()


def configured(tmp_path: Path, text: str) -> World:
    life = World(settings(tmp_path, SPACING + text), NOW)
    life.answer = page
    life.on()
    life.live(20 * MINUTE)
    life.said.clear()
    return life


def rewrite(life: World, text: str) -> None:
    path = life.settings.path
    head = path.read_text().partition(SPACING)[0]
    path.write_text(head + SPACING + text)
    life.runner.reload()
    life.runner.look()


def test_a_reload_begins_and_retires_sources_and_moves_labels(tmp_path: Path) -> None:
    life = configured(tmp_path, DUCK.format("ada") + DUCK.format("bob"))
    assert len(life.asked) == 2
    assert life.rows("select * from daily_ranks") == []
    rewrite(life, '[labels]\nmine = ["example.org"]\n' + DUCK.format("ada") + DUCK.format("eve"))
    assert life.asked[2:] == ["http://eve.example/html/"]  # the new one at once, the old one not again
    assert life.rows("select name, retired_at is null from sources order by id") == [("ada", 1), ("bob", 0), ("eve", 1)]
    assert life.rows("select count(*) > 0 from urls where whose = 'mine'") == [(1,)]
    line = life.said[0]
    assert "read again: 2 sources" in line
    assert "new: eve" in line
    assert "retired: bob" in line
    life.live(2 * DAY)
    assert not [url for url in life.asked[3:] if "bob" in url]
    assert "bob" not in life.runner.next_tries
    assert set(life.runner.next_tries) == {"ada", "eve"}
    rewrite(life, DUCK.format("ada") + DUCK.format("bob"))
    assert life.rows("select count(*) from sources") == [(3,)]  # bob goes on as the row it was


def test_a_broken_file_keeps_the_old_settings_and_says_what_a_start_would(tmp_path: Path) -> None:
    life = configured(tmp_path, DUCK.format("ada"))
    rewrite(life, DUCK.format("ada") + '[[search]]\nkind = "duckduckgoo"\n[webb]\n')
    with pytest.raises(config.ConfigError) as error:
        config.read(life.settings.path)
    assert life.said == [f"{error.value}\nThe settings of before stay in force."]
    assert 'did you mean "duckduckgo"' in life.said[0]
    assert life.notified[-2:] == ["RELOADING=1", "READY=1"]
    assert life.rows("select name from sources where retired_at is null") == [("ada",)]
    life.settings.path.unlink()
    life.runner.reload()
    assert "no such file" in life.said[1]
    asked = len(life.asked)
    life.live(DAY)
    assert len(life.asked) > asked


def test_where_the_history_is_and_where_pages_are_served_wait_for_a_restart(tmp_path: Path) -> None:
    life = configured(tmp_path, DUCK.format("ada"))
    rewrite(life, '[store]\npath = "other.db"\nkeep_captures = "7d"\n[web]\nport = 9001\n' + DUCK.format("ada"))
    assert [line.partition(" has")[0] for line in life.said[:2]] == ["[store] path", "[web]"]
    assert all("restart Monitor" in line for line in life.said[:2])
    assert not (tmp_path / "other.db").exists()
    assert life.runner.settings.database.name == "presence.db"
    assert life.runner.settings.store.keep_captures == "7d"
    assert life.runner.settings.web.port == 8001


def test_a_reading_that_waits_in_memory_outlives_a_reload(tmp_path: Path) -> None:
    life = configured(tmp_path, DUCK.format("ada"))
    spool = life.runner.attempts.spool
    rewrite(life, '[store]\nkeep_captures = "7d"\n' + DUCK.format("ada"))
    assert life.runner.attempts.spool is spool
    assert life.runner.attempts.settings.store.keep_captures == "7d"


def test_a_source_that_is_no_more_when_its_turn_comes_is_not_asked(tmp_path: Path) -> None:
    """It waited for a free worker while the config was read again: its answer would stand under another's name."""
    life = configured(tmp_path, DUCK.format("ada") + DUCK.format("bob"))
    runner = life.runner
    waiting = []
    runner._pool.submit = lambda fn, *args: waiting.append((fn, args))  # type: ignore[method-assign, assignment]
    life.pass_time(DAY)
    runner.look()
    assert len(waiting) == 2
    del runner._pool.submit
    rewrite(life, DUCK.format("ada") + DUCK.format("bob").replace('queries = ["bob"]', 'queries = ["Bob Example"]'))
    asked = len(life.asked)
    for fn, args in waiting:
        fn(*args)
    assert [url for url in life.asked[asked:] if "bob" in url] == []
    assert not runner.busy
    runner.look()
    assert [url for url in life.asked[asked:] if "bob" in url] == ["http://bob.example/html/"]
    assert life.rows(
        "select s.query, count(*) from readings r join sources s on s.id = r.source_id"
        " where s.name = 'bob' and r.outcome = 'ok' group by s.id order by s.id"
    ) == [("bob", 1), ("Bob Example", 1)]


def test_an_attempt_that_waited_past_its_time_is_not_made(tmp_path: Path) -> None:
    life = world(tmp_path, NOW, toy("hourly", "1h"))
    runner = life.on()
    life.live(20 * MINUTE)
    waiting = []
    runner._pool.submit = lambda fn, *args: waiting.append((fn, args))  # type: ignore[method-assign, assignment]
    life.pass_time(HOUR)
    runner.look()
    life.pass_time(HOUR)
    del runner._pool.submit
    asked = len(life.asked)
    ((fn, args),) = waiting
    fn(*args)
    assert len(life.asked) == asked
    runner.look()
    assert len(life.asked) == asked + 1
    assert list(life.outcomes("hourly").values())[-2:] == [["off"], ["ok"]]


def test_a_reload_that_cannot_be_stored_keeps_the_old_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    life = configured(tmp_path, DUCK.format("ada"))

    def full(*args: object) -> None:
        raise FULL

    with monkeypatch.context() as patch:
        patch.setattr(schedule.sources, "sync", full)
        rewrite(life, DUCK.format("eve"))
    assert str(FULL) in life.said
    assert list(life.runner.ids) == ["ada"]
    assert [source.name for source in life.runner.settings.sources] == ["ada"]


def test_a_damaged_history_ends_the_monitor_with_its_own_exit_code(tmp_path: Path) -> None:
    home = world(tmp_path, NOW)
    runner = home.on()
    gave_up: list[bool] = []
    runner.give_up = lambda: gave_up.append(True)

    def broken() -> None:
        raise StoreError("presence.db is damaged", 65)

    for _ in range(3):
        assert not runner._safely("look", broken)
    assert (runner.exit_code, gave_up) == (65, [True])
    assert not runner._safely("other", lambda: (_ for _ in ()).throw(StoreError("the disk is full", 74)))
    assert runner.exit_code == 65
