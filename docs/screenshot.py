"""Take the README's picture from the running page, over invented data: `python -m docs.screenshot`.

Needs Debian's chromium. Writes docs/home.png.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from monitor.web.serve import load_metadata, make_datasette, server
from tests import web_data

PICTURE = Path(__file__).with_name("home.png")
QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")


def main() -> None:
    """Serve an invented history on a free port of this machine and take its picture."""
    chromium = shutil.which("chromium")
    if not chromium:
        raise SystemExit("chromium is not installed: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        database = web_data.filled(Path(folder) / "presence.db")
        serving = server(make_datasette(database, load_metadata()).app(), "127.0.0.1", 0)
        thread = threading.Thread(target=serving.run, daemon=True)
        thread.start()
        while not serving.started:
            time.sleep(0.05)
        port = serving.servers[0].sockets[0].getsockname()[1]
        options = (f"--user-data-dir={folder}/browser", f"--screenshot={PICTURE}", "--window-size=1280,1010")
        subprocess.run(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                *QUIET,
                *options,
                f"http://127.0.0.1:{port}/",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )
        serving.should_exit = True
        thread.join(5)


if __name__ == "__main__":
    main()
