"""Shared fixtures: captured cases from outside the project, and a guard that keeps every test on loopback."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "tests" / "pages"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long tests too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    skip = pytest.mark.skip(reason="long: run with --long")
    for item in items:
        if "long" in item.keywords:
            item.add_marker(skip)


def part(program: str, package: str) -> str:
    """The path of a program from Debian's packages; without it the test is skipped in one line, or fails in CI."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return found or _absent(program, package)


def part_file(folder: str, pattern: str, package: str) -> Path:
    """The same for a file that is no program."""
    found = sorted(Path(folder).glob(pattern))
    return found[-1] if found else Path(_absent(pattern, package))


def _absent(what: str, package: str) -> NoReturn:
    said = f"{what} is not installed: apt-get install {package}"
    (pytest.fail if os.environ.get("MONITOR_PARTS") == "all" else pytest.skip)(said)


@pytest.fixture(scope="session")
def cases() -> Callable[[str], Path]:
    """Path of a captured case; skips the test where the cases are not at hand (they are other people's data)."""
    folder = Path(os.environ.get("MONITOR_CASES", ROOT.parent / "shared" / "cases"))

    def find(name: str) -> Path:
        if not folder.is_dir():
            pytest.skip(f"captured cases are not at hand: no folder {folder} (set MONITOR_CASES)")
        path = folder / name
        if not path.exists():
            pytest.skip(f"captured case is not at hand: {name}")
        return path

    return find


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]  # type: ignore[index]
            if not ipaddress.ip_address(host if host != "localhost" else "127.0.0.1").is_loopback:
                raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
