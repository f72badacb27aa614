"""`monitor demo`: an invented history in a file of its own, served without asking anybody."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

import click

SHOWN_BY = ("DISPLAY", "WAYLAND_DISPLAY")


@click.command()
@click.option(
    "--file", "file", type=click.Path(path_type=Path, dir_okay=False), default=Path("demo.db"), show_default=True,
    help="Where to make it; an older demo there is replaced.",
)  # fmt: skip
@click.option("--seed", type=int, default=7, show_default=True, help="Another number, other details.")
@click.option("--days", type=click.IntRange(30, 3660), default=548, show_default=True, help="How long it goes back.")
@click.option("--port", type=click.IntRange(0, 65535), default=8010, show_default=True, help="Where to serve it.")
@click.option("--no-serve", is_flag=True, help="Make the file only.")
@click.option("--open/--no-open", "open_it", default=None, help="Open the browser; by default where there is a screen.")
def demo(file: Path, seed: int, days: int, port: int, no_serve: bool, open_it: bool | None) -> None:
    """Make 18 months of invented history in its own file and show it. Nobody in it exists; nobody is asked anything.

    \b
    Example: monitor demo
             monitor --config demo.toml worth --months 18
    """  # noqa: D301
    from monitor.demo.making import make
    from monitor.times import utc_now

    listening = None if no_serve else _listen(port)  # before the work, so that a taken port is told at once
    made = make(file, utc_now(), days=days, seed=seed, port=port or 8010)
    click.echo(f"{made.readings:,} invented readings of {days} days in {made.database}; nobody in them exists.")
    click.echo(f"Commands work on it: monitor --config {made.config} worth --months 18")
    if listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        click.echo(f"Open {address}  (Ctrl-C ends)")
        if _has_screen() if open_it is None else open_it:
            click.launch(address)
        _serve(made.database, listening)


class PortTaken(Exception):
    """The port is in use or not allowed."""

    exit_code = 74


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise PortTaken(f"Port {port} cannot be used ({error.strerror}): name a free one with --port.") from error
    listening.listen(64)
    return listening


def _has_screen() -> bool:
    return sys.stdout.isatty() and (sys.platform == "darwin" or any(map(os.environ.get, SHOWN_BY)))


def _serve(database: Path, listening: socket.socket) -> None:
    """Serve the pages until Ctrl-C or SIGTERM; there is no scheduler, so nothing is read."""
    from monitor.web.serve import load_metadata, make_datasette, server

    serving = server(make_datasette(database, load_metadata()).app(), "127.0.0.1", 0)
    serving.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]

    def end(number: int, frame: object) -> None:
        serving.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    serving.run(sockets=[listening])
