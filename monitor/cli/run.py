"""`monitor run`: the scheduler and the pages in one process."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from uvicorn import Server

    from monitor.config import Settings
    from monitor.model import Secret
    from monitor.schedule import Runner

STOP_SECONDS = 3.0
LAST_SECONDS = 40
"""How long stopping may take in all; the unit's TimeoutStopSec is a little more."""
CUT_SHORT = 70


@click.command()
@click.option("--no-web", is_flag=True, help="Take readings only; serve no pages.")
@click.pass_obj
def run(config_path: Path, no_web: bool) -> int:
    """Take readings on schedule and serve the pages, until Ctrl-C or SIGTERM. SIGHUP reads the config again.

    \b
    Example: monitor run
    """  # noqa: D301
    from monitor import config
    from monitor.attempt import Attempts
    from monitor.memory import give_back
    from monitor.schedule import Runner
    from monitor.service import Notifier
    from monitor.store.connection import Store, only_one

    give_back()
    settings = config.read(config_path)
    password = "" if no_web else _password(settings)
    signals = _Signals()
    with only_one(settings.database, "run"), Store(settings.database) as store:
        listening = None if no_web else _listen(settings)
        notify = Notifier.of(os.environ, os.getpid())
        attempts = Attempts(settings, store)
        runner = signals.runner = Runner(settings, store, attempts, _say, notify=notify, give_up=_stop_self)
        _greet(settings, listening)
        runner.start()
        try:
            if listening:
                _serve(settings, listening, runner, signals, password)
            else:
                signals.wait()
        finally:
            _end(runner)
    return runner.exit_code


def _stop_self() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


class _Signals:
    """SIGTERM and SIGINT end the process in order, a second one or 40 s at once; SIGHUP has the config read again.

    The server's own handlers are left out: it would take our second signal for its first, and raise it again at its
    end. Nothing here takes a lock, for a handler may interrupt any line of the main thread.
    """

    def __init__(self, last_seconds: int = LAST_SECONDS) -> None:
        self.seen = False
        self.server: Server | None = None
        self.runner: Runner | None = None
        self._last_seconds = last_seconds
        self._terminals = [fd for fd in (0, 1, 2) if os.isatty(fd)]
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        signal.signal(signal.SIGHUP, self._hang_up)
        signal.signal(signal.SIGALRM, self._end)

    def _end(self, number: int, frame: object) -> None:
        if self.seen:
            with contextlib.suppress(OSError):
                os.write(2, b"Ended at once; what was still being asked is asked again at the next start.\n")
            os._exit(CUT_SHORT)
        self.seen = True
        signal.alarm(self._last_seconds)
        if self.server:
            self.server.should_exit = True

    def _hang_up(self, number: int, frame: object) -> None:
        if self._terminals and not any(map(os.isatty, self._terminals)):  # its window was closed
            if not self.seen:
                self._end(number, frame)
        elif self.runner and not self.seen:
            self.runner.reload_soon()

    def wait(self) -> None:
        while not self.seen:
            time.sleep(0.2)


def _say(line: str) -> None:
    _print(f"{time.strftime('%H:%M:%S')}  {line}")


def _print(line: str) -> None:
    try:
        click.echo(line)
    except OSError:  # nobody reads any more: no reason to stop
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _listen(settings: Settings) -> socket.socket:
    """The listening socket, or an error that names the key to change."""
    family = socket.AF_INET6 if ":" in settings.web.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.web.host, settings.web.port))
    except OSError as error:
        raise PortTaken(
            f"Port {settings.web.port} on {settings.web.host} cannot be used ({error.strerror}):"
            f" set [web] port in {settings.path} to a free one."
        ) from error
    listening.listen(64)
    return listening


class PortTaken(Exception):
    """The address is in use or not allowed."""

    exit_code = 74


def _greet(settings: Settings, listening: socket.socket | None) -> None:
    click.echo(
        f"Monitor watches {settings.owner.name}: {len(settings.sources)} sources, history in {settings.database}"
    )
    if listening:
        host, port = listening.getsockname()[:2]
        click.echo(f"Open http://{f'[{host}]' if ':' in host else host}:{port}/  (Ctrl-C ends)")


def _password(settings: Settings) -> str | dict[str, str]:
    """Where Datasette finds the password's hash, "" in local mode. Raises NotReady when it would not protect."""
    from monitor.fetch.secrets import resolve
    from monitor.model import NotAsked
    from monitor.web.modes import NotReady, require

    if settings.web.mode != "password" or settings.web.password is None:
        return ""
    try:
        require(settings.web.mode, resolve(settings.web.password, settings.base, os.environ))
    except NotAsked as error:
        raise NotReady(
            f"[web] password: {error.detail} is not to be had: put there what `datasette hash-password` prints."
        ) from None
    return _place(settings.web.password, settings.base)


def _place(secret: Secret, base: Path) -> dict[str, str]:
    """The secret as Datasette names one, so that its pages about itself show a place and not a hash."""
    credential = Path(os.environ.get("CREDENTIALS_DIRECTORY", ""), secret.env)
    if secret.file:
        return {"$file": str(base / secret.file)}
    if os.environ.get("CREDENTIALS_DIRECTORY") and credential.exists():
        return {"$file": str(credential)}
    if os.environ.get(f"{secret.env}_FILE"):
        return {"$file": os.environ[f"{secret.env}_FILE"]}
    return {"$env": secret.env}


def _names(settings: Settings) -> tuple[str, ...]:
    """The names answered beside the loopback ones: those of the config, and the address that is listened at."""
    host = settings.web.host
    own = () if host in ("0.0.0.0", "::") else (f"[{host}]" if ":" in host else host,)  # noqa: S104
    return (*settings.web.allowed_hosts, *own)


def _serve(
    settings: Settings, listening: socket.socket, runner: Runner, signals: _Signals, password: str | dict[str, str]
) -> None:
    from monitor.web.serve import load_metadata, make_datasette, server

    datasette = make_datasette(
        settings.database,
        load_metadata(settings.base),
        allowed_hosts=_names(settings),
        next_tries=runner.next_tries,
        mode=settings.web.mode,
        password_hash=password,
    )
    serving = server(datasette.app(), settings.web.host, settings.web.port)
    serving.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    signals.server = serving
    if not signals.seen:
        serving.run(sockets=[listening])


def _end(runner: Runner) -> None:
    """Stop within seconds: what is still being asked is left, and asked again at the next start."""
    runner.stop()
    until = time.monotonic() + STOP_SECONDS
    while runner.busy and time.monotonic() < until:
        time.sleep(0.05)
    if runner.busy:
        runner.store.close()
        _print("Stopped; what was still being asked is asked again at the next start.")
        os._exit(runner.exit_code)
    _print("Stopped.")
