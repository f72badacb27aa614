"""`monitor run`: the scheduler and the pages in one process."""

from __future__ import annotations

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
    from monitor.schedule import Runner

STOP_SECONDS = 3.0


@click.command()
@click.option("--no-web", is_flag=True, help="Take readings only; serve no pages.")
@click.pass_obj
def run(config_path: Path, no_web: bool) -> int:
    """Take readings on schedule and serve the pages, until Ctrl-C or SIGTERM.

    \b
    Example: monitor run
    """  # noqa: D301
    from monitor import config
    from monitor.attempt import Attempts
    from monitor.schedule import Runner
    from monitor.store.connection import Store, only_one

    settings = config.read(config_path)
    stopped = _Stopped()
    with only_one(settings.database, "run"), Store(settings.database) as store:
        listening = None if no_web else _listen(settings)
        runner = Runner(settings, store, Attempts(settings, store), _say)
        _greet(settings, listening)
        runner.start()
        try:
            if listening:
                _serve(settings, listening, runner, stopped)
            else:
                stopped.wait()
        finally:
            _end(runner)
    return 0


class _Stopped:
    """SIGTERM and SIGINT end the process in order. Set before the server starts, which raises the signal again."""

    def __init__(self) -> None:
        self.seen = False
        self.server: Server | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._see)

    def _see(self, number: int, frame: object) -> None:
        self.seen = True
        if self.server:  # it has not set its own handlers yet: it ends as soon as it has started
            self.server.should_exit = True

    def wait(self) -> None:
        while not self.seen:
            time.sleep(0.2)


def _say(line: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')}  {line}")


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


def _serve(settings: Settings, listening: socket.socket, runner: Runner, stopped: _Stopped) -> None:
    from monitor.web.serve import load_metadata, make_datasette, server

    datasette = make_datasette(
        settings.database,
        load_metadata(settings.base),
        allowed_hosts=tuple(settings.web.allowed_hosts),
        next_tries=runner.next_tries,
    )
    stopped.server = server(datasette.app(), settings.web.host, settings.web.port)
    if not stopped.seen:
        stopped.server.run(sockets=[listening])


def _end(runner: Runner) -> None:
    """Stop within seconds: what is still being asked is left, and asked again at the next start."""
    runner.stop()
    until = time.monotonic() + STOP_SECONDS
    while runner.busy and time.monotonic() < until:
        time.sleep(0.05)
    if runner.busy:
        runner.store.close()
        click.echo("Stopped; what was still being asked is asked again at the next start.")
        os._exit(0)
    click.echo("Stopped.")
