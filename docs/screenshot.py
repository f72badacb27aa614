"""Take the README's pictures from the running pages of `monitor demo`: `python -m docs.screenshot`.

Needs Debian's chromium. Writes docs/home*.png and docs/contacts.png, and prints the answer of `monitor worth` that
README.md shows. All of it is of one fixed moment, so that the pictures change only where the program does.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import textwrap
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner

from monitor import times, web
from monitor.cli import cli
from monitor.demo.making import make
from monitor.web.serve import load_metadata, make_datasette, server

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
PLAIN = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")


class Picture(NamedTuple):
    """A file's name, the page on it, and the window it is seen through."""

    name: str
    path: str
    width: int
    height: int
    dark: bool = False


PICTURES = (
    Picture("home.png", "", 1280, 1240),
    Picture("home-dark.png", "", 1280, 1240, dark=True),
    Picture("home-phone.png", "", 390, 1500),
    Picture("home-phone-dark.png", "", 390, 1500, dark=True),
    Picture("contacts.png", "-/presence/worth?months=12", 1280, 1480),
)


def main() -> None:
    """Make the demo, serve it on a free port of this machine and take its pictures."""
    chromium = shutil.which("chromium")
    if not chromium:
        raise SystemExit("chromium is not installed: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        database = make(Path(folder) / "demo.db", NOW).database
        web.now = lambda: NOW  # type: ignore[assignment]
        serving = server(make_datasette(database, load_metadata()).app(), "127.0.0.1", 0)
        thread = threading.Thread(target=serving.run, daemon=True)
        thread.start()
        while not serving.started:
            time.sleep(0.05)
        address = f"http://127.0.0.1:{serving.servers[0].sockets[0].getsockname()[1]}/"
        for picture in PICTURES:
            _take(chromium, address, picture, Path(folder))
        serving.should_exit = True
        thread.join(5)
        print(worth_text(database.with_suffix(".toml")))


def worth_text(config: Path) -> str:
    """What `monitor worth` prints of the demo at the moment of the pictures, folded as README.md shows it."""
    times.utc_now = lambda: NOW
    said = CliRunner().invoke(cli, ["--config", str(config), "worth", "--months", "18"], catch_exceptions=False).output
    lines = [textwrap.wrap(line, 110, subsequent_indent=" " * 6, drop_whitespace=True) for line in said.splitlines()]
    return "\n".join(part for folded in lines for part in folded)


def _take(chromium: str, address: str, picture: Picture, folder: Path) -> None:
    scheme = ("--blink-settings=preferredColorScheme=0",) if picture.dark else ()
    subprocess.run(
        [
            *(chromium, *PLAIN, *QUIET, *scheme),
            f"--user-data-dir={folder}/browser",
            f"--screenshot={HERE / picture.name}",
            f"--window-size={picture.width},{picture.height}",
            f"{address}{picture.path}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )


if __name__ == "__main__":
    main()
