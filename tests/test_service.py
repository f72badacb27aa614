"""Monitor as a service: what systemd hears from the real process, the ping, the unit file and the container's file."""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from monitor import config
from monitor.cli.run import LAST_SECONDS
from monitor.fetch.http import HttpFetcher
from monitor.model import Secret
from monitor.schedule import ALIVE_SECONDS, BEAT_SECONDS
from monitor.service import Notifier, PingFailed, ping
from tests.conftest import ROOT, part
from tests.made import settings
from tests.replay import Answer, Replay
from tests.test_run import HEAD, running

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "presence-monitor.service"
CONTAINER = DEPLOY / "Containerfile"


class Manager:
    """systemd's end of the notify socket."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self.socket.settimeout(30)  # only a hang reaches it
        self.heard: list[list[str]] = []

    def hears(self, line: str, skip: str = "") -> list[str]:
        """The next message, which must begin with `line`; messages that begin with `skip` may come before."""
        while True:
            message = self.socket.recv(4096).decode().split("\n")
            self.heard.append(message)
            if message[0] == line:
                return message
            assert message[0] == skip, self.heard


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify"))
    yield made
    made.socket.close()


def test_systemd_hears_of_ready_alive_reloading_and_stopping_in_order(tmp_path: Path, manager: Manager) -> None:
    path = tmp_path / "config.toml"
    path.write_text(HEAD)
    with running(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="400000") as monitor:
        assert manager.hears("READY=1", skip="WATCHDOG=1") == ["READY=1"]
        manager.hears("WATCHDOG=1")
        manager.hears("WATCHDOG=1")
        monitor.process.send_signal(signal.SIGHUP)
        reloading = manager.hears("RELOADING=1", skip="WATCHDOG=1")
        assert re.fullmatch(r"MONOTONIC_USEC=[1-9][0-9]+", reloading[1])
        manager.hears("READY=1", skip="WATCHDOG=1")
        path.write_text("broken")
        monitor.process.send_signal(signal.SIGHUP)
        manager.hears("RELOADING=1", skip="WATCHDOG=1")
        manager.hears("READY=1", skip="WATCHDOG=1")  # a broken file leaves no service that is reloading for ever
        manager.hears("WATCHDOG=1")
        monitor.process.send_signal(signal.SIGTERM)
        manager.hears("STOPPING=1", skip="WATCHDOG=1")
        assert monitor.ends() == 0


def test_without_a_wish_for_a_watchdog_none_is_sent(tmp_path: Path, manager: Manager) -> None:
    (tmp_path / "config.toml").write_text(HEAD)
    with running(tmp_path, "--no-web", NOTIFY_SOCKET=str(tmp_path / "notify")) as monitor:
        manager.hears("READY=1")
        monitor.process.send_signal(signal.SIGTERM)
        manager.hears("STOPPING=1")
        assert monitor.ends() == 0


@pytest.mark.parametrize(
    ("environ", "notifier"),
    [
        ({}, Notifier()),
        ({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "120000000"}, Notifier("/run/n", 120.0)),
        ({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "7"}, Notifier("/run/n", 5.0)),
        ({"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "8"}, Notifier("/run/n")),
        ({"WATCHDOG_USEC": "0"}, Notifier()),
        ({"WATCHDOG_USEC": "soon"}, Notifier()),
    ],
)
def test_what_systemd_says_in_the_environment(environ: dict[str, str], notifier: Notifier) -> None:
    assert Notifier.of(environ, pid=7) == notifier


def test_a_listener_by_an_abstract_name_and_one_that_is_gone(tmp_path: Path) -> None:
    name = f"@monitor-{tmp_path.name}-{id(tmp_path)}"
    heard = Manager(name)
    Notifier(name)("STOPPING=1", "STATUS=x")
    assert heard.hears("STOPPING=1") == ["STOPPING=1", "STATUS=x"]
    heard.socket.close()
    Notifier(name)("WATCHDOG=1")
    Notifier(str(tmp_path / "nowhere"))("WATCHDOG=1")
    Notifier()("WATCHDOG=1")


# --- the ping ------------------------------------------------------------------------------------------------------


def fetcher(folder: Path) -> HttpFetcher:
    return HttpFetcher(base=folder, environ={}, deadline=5)


def test_a_ping_arrives_and_tells_nothing_of_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Replay({"/ping/s3cret": Answer(200, b"OK")}) as server:
        monkeypatch.setenv("PING_URL", f"{server.url}/ping/s3cret")
        ping(Secret(env="PING_URL"), tmp_path, fetcher(tmp_path))
        (asked,) = server.requests
        assert (asked.method, asked.body, asked.query) == ("GET", b"", {})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(404, b"no such check"), "was refused (404)"),
        (Answer(503, b"busy"), "was refused (503)"),
        (Answer(drop=True), "did not arrive (connection)"),
        (Answer.redirect("http://192.168.7.7/s3cret"), "did not arrive (forbidden_address)"),
    ],
)
def test_a_ping_that_fails_says_so_without_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, said: str
) -> None:
    with Replay({"/ping/s3cret": answer}) as server:
        monkeypatch.setenv("PING_URL", f"{server.url}/ping/s3cret")
        with pytest.raises(PingFailed, match=re.escape(said)) as error:
            ping(Secret(env="PING_URL"), tmp_path, fetcher(tmp_path))
    assert "s3cret" not in str(error.value)
    assert error.value.__cause__ is None


def test_a_ping_from_the_real_process(tmp_path: Path) -> None:
    text = HEAD + '[service]\nping = { env = "PING_URL" }\n'
    (tmp_path / "config.toml").write_text(text)
    with Replay({"/ping": Answer(500, b"no")}) as server:
        environ = {"PING_URL": f"{server.url}/ping", "NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "200000"}
        with running(tmp_path, "--no-web", **environ) as monitor:
            monitor.says(r"The ping was refused \(500\)")
            monitor.process.terminate()
            assert monitor.ends() == 0
        assert len(server.asked("/ping")) == 1
        assert server.url not in monitor.said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('"https://hc.example/s3cret"', ""),
        ('{ env = "PING_URL" }', ""),
        ('{ file = "ping.url" }', ""),
        ('"http://hc.example/s3cret"', "begins with https://"),
        ('"hc.example/s3cret"', "begins with https://"),
        ('"https://"', "begins with https://"),
        ('"https://me:s3cret@hc.example/"', "begins with https://"),
        ('{ url = "https://hc.example/s3cret" }', "a secret is named"),
        ("3", "a secret is named"),
    ],
)
def test_the_key_in_the_config(tmp_path: Path, written: str, said: str) -> None:
    text = f"[service]\nping = {written}\n"
    if not said:
        assert settings(tmp_path, text).service.ping is not None
        return
    with pytest.raises(config.ConfigError) as error:
        settings(tmp_path, text)
    assert said in str(error.value)
    assert "config.toml:5: service.ping: " in str(error.value)
    assert "s3cret" not in str(error.value)


def test_without_the_key_there_is_no_ping(tmp_path: Path) -> None:
    assert settings(tmp_path).service.ping is None


# --- the unit file -------------------------------------------------------------------------------------------------


def unit() -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None, delimiters="=", comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNIT.read_text())
    return parser


def test_systemd_finds_nothing_wrong_in_the_unit(tmp_path: Path) -> None:
    analyze = part("systemd-analyze", "systemd")
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/presence-monitor/bin/monitor", sys.executable))
    done = subprocess.run([analyze, "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    copy.write_text(copy.read_text().replace("WatchdogSec", "WatchdogSecs"))
    done = subprocess.run([analyze, "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert "WatchdogSecs" in done.stderr  # it does look


def test_the_unit_is_locked_down(tmp_path: Path) -> None:
    analyze = part("systemd-analyze", "systemd")
    limit = ["--threshold=20", "--offline=true", "--no-pager"]  # tenths; 9.6 of 10 without any hardening
    done = subprocess.run([analyze, "security", *limit, UNIT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-400:]


def test_the_unit_s_spans_fit_the_program_s() -> None:
    service = unit()["Service"]
    assert service["Type"] == "notify"
    assert service["RestartPreventExitStatus"].split() == ["65", "77", "78"]
    assert LAST_SECONDS < int(service["TimeoutStopSec"]) <= LAST_SECONDS + 10
    assert int(service["WatchdogSec"]) > ALIVE_SECONDS > BEAT_SECONDS * 2
    assert shlex.split(service["ExecStart"])[-1] == "run"
    assert service["StateDirectory"] in service["WorkingDirectory"]


# --- the container -------------------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", "\n".join(x for x in CONTAINER.read_text().splitlines() if not x.startswith("#")))
    found = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [(word, rest.strip()) for word, rest in found]


def value(word: str) -> str:
    (found,) = [rest for name, rest in instructions() if name == word]
    return found


def test_the_container_file_copies_what_there_is_and_all_that_is_needed(tmp_path: Path) -> None:
    for sources in (rest.split() for name, rest in instructions() if name == "COPY"):
        for source in sources[:-1]:
            assert (ROOT / source).exists(), source
    copied = {source for name, rest in instructions() if name == "COPY" for source in rest.split()[:-1]}
    project = (ROOT / "pyproject.toml").read_text()
    needed = {"pyproject.toml", "monitor", *re.findall(r'^readme = "(.+)"', project, re.MULTILINE)}
    needed |= set(json.loads(re.findall(r"^license-files = (\[.+\])", project, re.MULTILINE)[0]))
    needed |= set(re.findall(r'^"(.+)" = "monitor/', project, re.MULTILINE))
    assert needed <= copied


def test_the_container_runs_as_nobody_and_hears_signals() -> None:
    words = [name for name, _ in instructions()]
    assert words[0] == "FROM"
    assert re.fullmatch(r"python:3\.\d+-slim", value("FROM"))
    uid = value("USER").partition(":")[0]
    assert uid.isdecimal()
    assert int(uid) > 0
    assert f"--uid {uid}" in value("RUN")
    assert words.index("USER") > words.index("RUN")
    assert json.loads(value("VOLUME")) == [value("WORKDIR")]
    command = json.loads(value("ENTRYPOINT")) + json.loads(value("CMD"))  # the exec form: no shell between
    assert command == ["monitor", "run"]
    assert f"MONITOR_CONFIG={value('WORKDIR')}/config.toml" in value("ENV")


def test_the_container_s_health_check_is_a_command_there_is(tmp_path: Path) -> None:
    command = json.loads(value("HEALTHCHECK").partition("CMD ")[2])
    (tmp_path / "config.toml").write_text(HEAD)
    assert command[0] == "monitor"
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)  # nothing runs here; 2 would be a wrong usage
