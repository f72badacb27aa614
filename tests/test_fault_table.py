"""The whole fault table through the real line: config, fetch, parse, store. A fault is recorded, and is no number."""

from __future__ import annotations

import socket
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor import config
from monitor.attempt import Attempts, fetcher_of
from monitor.config import Settings
from monitor.fetch.http import HttpFetcher
from monitor.model import Http, Trigger
from monitor.store import sources
from monitor.store.connection import Store
from monitor.times import from_text
from tests.fault_table import SECTIONS, TABLE
from tests.fault_words import DOMAIN, Fault
from tests.faults import PUBLIC, Faults, resolver
from tests.made import DAY, NOW

VALUES = ("results", "counts", "page_views", "site_views", "referrers", "contacts", "daily_ranks")
DEADLINE = 30.0  # seconds, as in real use; the rows that end by it have a short one
FAR_BELOW_A_HANG = 20.0
MOST_GROWTH = 10_000_000  # bytes


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    with Faults(tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture(autouse=True)
def the_public_address_leads_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network in which a public address is this machine's."""
    connect = socket.socket.connect

    def routed(self: socket.socket, address: Any) -> None:
        connect(self, ("127.0.0.1", address[1]) if address[0] == PUBLIC else address)

    monkeypatch.setattr(socket.socket, "connect", routed)


@dataclass(frozen=True)
class Line:
    """How a fault ended."""

    fault: Fault
    reading_id: int
    outcome: str
    reason: str
    advice: str
    seconds: float
    growth: int

    def __str__(self) -> str:
        ended = f"{self.outcome:8}{self.reason:18}{self.seconds:6.2f} s{self.growth / 1e6:6.2f} MB"
        return f"{self.fault.name:22}{ended}  {self.advice}"


def attempts(settings: Settings, store: Store, fault: Fault) -> Attempts:
    def fetcher(settings: Settings) -> HttpFetcher:
        short = fault.reason == "timeout"
        return replace(
            fetcher_of(settings),
            environ={"BRAVE_API_KEY": "k3y"},
            resolver=resolver,
            deadline=0.5 if short else DEADLINE,
            connect=0.2 if short else 5.0,
            allowed_private=frozenset({f"consent.{DOMAIN}"}),
        )

    return Attempts(settings, store, clock=lambda: NOW, sleep=lambda _: None, fetcher=fetcher)


def endings(server: Faults, scheme: str, store: Store, settings: Settings) -> Iterator[Line]:
    ids = sources.sync(store, settings, NOW)
    for fault in TABLE:
        if fault.scheme not in ("", scheme):
            continue
        (source,) = settings.named(fault.name)
        tracemalloc.start()
        started = time.monotonic()
        try:
            made = list(attempts(settings, store, fault).make(source, ids[fault.name], NOW, DAY, Trigger.SCHEDULE))
            growth = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        ((reading_id, reading),) = made
        ended = (str(reading.outcome), reading.reason, reading.advice)
        yield Line(fault, reading_id, *ended, time.monotonic() - started, growth)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_fault_ends_as_the_table_says_and_never_as_a_number(server: Faults, scheme: str, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(server.ca_file.read_bytes())
    faults = tuple(fault for fault in TABLE if fault.scheme in ("", scheme))
    (tmp_path / "config.toml").write_text(server.config(scheme, faults))
    settings = config.read(tmp_path / "config.toml")
    wrong = []
    with Store(settings.database) as store:
        for line in endings(server, scheme, store, settings):
            print(line)
            fault = line.fault
            if (line.outcome, line.reason, line.advice) != (fault.outcome, fault.reason, fault.told):
                wrong.append(f"{line}\n  not {fault.outcome} {fault.reason} {fault.told}")
            if line.seconds > FAR_BELOW_A_HANG or line.growth > MOST_GROWTH:
                wrong.append(f"{line}: too much")
            rows = {table: _rows(store, table, line.reading_id) for table in VALUES}
            if any(rows.values()) != (fault.outcome == "ok"):
                wrong.append(f"{line}: {rows}")
            if fault.title and _titles(store, line.reading_id) != [f"{fault.title} {n}" for n in range(1, 6)]:
                wrong.append(f"{line}: {_titles(store, line.reading_id)}")
            if _asked_again(store, fault.host) != fault.not_before:
                wrong.append(f"{line}: asked again after {_asked_again(store, fault.host)}, not {fault.not_before}")
    assert not wrong, "\n".join(wrong)
    assert not [asked for asked in server.asked if asked.path == "/secret"]


def _rows(store: Store, table: str, reading_id: int) -> int:
    return int(store.rows(f"select count(*) as n from {table} where reading_id = ?", (reading_id,))[0]["n"])


def _titles(store: Store, reading_id: int) -> list[str]:
    sql = "select t.title from results r join texts t on t.id = r.text_id where r.reading_id = ? order by r.position"
    return [row["title"] for row in store.rows(sql, (reading_id,))]


def _asked_again(store: Store, host: str) -> timedelta | None:
    (row,) = store.rows("select not_before from hosts where host like ? || ':%'", (host,))
    return from_text(row["not_before"]) - NOW if row["not_before"] else None


def test_every_fault_has_a_name_and_words_of_its_own() -> None:
    assert len({fault.name for fault in TABLE}) == len(TABLE)
    for section in SECTIONS.values():
        assert len({fault.happens for fault in section}) == len(section)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_connection_is_used_twice(server: Faults, scheme: str, tmp_path: Path) -> None:
    """A connection that is kept would be one that nobody watches from its first packet."""
    fetch = HttpFetcher(base=tmp_path, environ={}, resolver=resolver, ca_file=server.ca_file)
    before = len(server.asked)
    for _ in range(2):
        fetch(Http(f"{scheme}://kept.{DOMAIN}:{server.ports['open']}/"))
    asked = server.asked[before:]
    assert [one.path for one in asked] == ["/", "/there", "/", "/there"]
    assert len({one.connection for one in asked}) == 4
