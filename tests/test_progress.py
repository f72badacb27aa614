"""The line that grows on a terminal while old logs are read: it begins where the reading was left."""

from __future__ import annotations

import gzip
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = '[owner]\nname = "Ada Example"\ntimezone = "UTC"\n\n[[page_views]]\nkind = "access_log"\n'
LINE = '192.0.2.{0} - - [{1:02}/Nov/2026:10:00:{0:02} +0000] "GET /{0}/ HTTP/1.1" 200 512 "-" "Mozilla/5.0 (X11)"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


def lines(day: int) -> str:
    return "".join(LINE.format(n, day) for n in range(10, 60))


def check(folder: Path) -> str:
    """What `monitor check` shows on a terminal."""
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "monitor", "--config", str(folder / "config.toml"), "check"]
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal, stdin=subprocess.DEVNULL)
    os.close(terminal)
    shown = b""
    try:
        while more := os.read(master, 65_536):
            shown += more
    except OSError:  # Linux says so when the other end is closed
        pass
    finally:
        os.close(master)
    assert process.wait(60) == 0, shown
    return shown.decode()


def shares(shown: str) -> list[int]:
    """The shares in percent that were shown, each drawn as long as it says."""
    drawn = re.findall(r"access_log: ([#.]{30}) +(\d+)% ", shown)
    assert all(abs(bar.count("#") / 0.3 - int(share)) < 4 for bar, share in drawn)
    return [int(share) for _, share in drawn]


def test_a_first_reading_grows_from_nothing_to_all(folder: Path) -> None:
    for n, name in enumerate(("access.log.3", "access.log.2", "access.log.1", "access.log"), 1):
        (folder / name).write_text(lines(n))
        os.utime(folder / name, (1_700_000_000 + n, 1_700_000_000 + n))
    shown = check(folder)
    assert shares(shown) == [25, 50, 75, 100]
    assert shown.endswith("access_log: ok, read access.log.3, access.log.2, access.log.1, access.log\r\n")


def test_reading_on_begins_where_it_was_left(folder: Path) -> None:
    (folder / "access.log").write_text(lines(1))
    check(folder)
    (folder / "access.log").rename(folder / "access.log.3")
    for n in (2, 1):
        (folder / f"access.log.{n}").write_text(lines(4 - n))
    (folder / "access.log").write_text(lines(4))
    shown = check(folder)
    assert shares(shown) == [50, 75, 100]
    assert "access.log.3" not in shown  # it was read before


def test_a_packed_file_that_was_read_counts_as_read(folder: Path) -> None:
    (folder / "access.log.2.gz").write_bytes(gzip.compress(lines(1).encode()))
    assert shares(check(folder)) == [100]
    (folder / "access.log.1").write_text(lines(2))
    (folder / "access.log").write_text(lines(3))
    first, last = shares(check(folder))
    assert (first > 50, last) == (True, 100)
    assert shares(check(folder)) == []  # nothing new
