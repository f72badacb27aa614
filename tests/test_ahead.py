"""A long log is parsed by two processes: the same numbers, whoever parsed, and whoever of the two is killed when."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import os
import pickle
import random
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor import ahead as module
from monitor.ahead import Helper, ahead
from monitor.attempt import Attempts
from monitor.collect import ParseBatches, Said, in_turn
from monitor.fetch import files
from monitor.model import Batch, Capture, Context, LayoutChanged, LogCursor, NotCounted, Parsed, SiteViews, Trigger
from monitor.sources.page_views.access_log import AccessLog
from monitor.store import sources, visitors
from monitor.store.connection import Store
from tests.made import settings
from tests.test_nginx import wait_for
from tests.test_torture import AGENT, FORK, PATIENCE, Reader, check, torture

MARCH = datetime(2026, 3, 18, 12, tzinfo=UTC)
LINE = '{} - - [{:02}/Mar/2026:10:00:00 +0000] "GET {} HTTP/1.1" 200 5 "{}" "{}"\n'
JSON = {"time_iso8601": "2026-03-02T10:00:00Z", "request": "GET /j/ HTTP/1.1", "status": 200, "http_user_agent": AGENT}
PIECES = (
    b'{"open',
    b"\x00\xff\r\n",
    b"\n\n# a remark\n",
    b'192.0.2.7 - - [31/Feb/2026:00:00:00 +0100] "GET /never/ HTTP/1.1" 200 5 "-" "M"\n',
    b'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "\\x16\\x03" 400 0 "-" "-"\n',
    b'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET /' + b"%2e" * 1500 + b' HTTP/1.1" 200 0 "-" "-"\n',
)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> list[Helper]:
    """The helper starts after the first batch, and is waited for; gives those that answered."""
    monkeypatch.setitem(ahead.__kwdefaults__, "after", 0)
    monkeypatch.setitem(ahead.__kwdefaults__, "patience_ms", PATIENCE * 1000)
    monkeypatch.setattr(module, "_cores", lambda: 2)
    take, answered = Helper.take, []

    def taken(self: Helper) -> Said | None:
        if said := take(self):
            answered.append(self)
        return said

    monkeypatch.setattr(Helper, "take", taken)
    return answered


def lines(rng: random.Random, number: int, day: int) -> bytes:
    made = []
    for n in range(number):
        who = rng.choice(("192.0.2.7", "2001:db8::7", "192.0.2.9"))
        came = rng.choice(("-", "https://www.linkedin.com/feed/", "https://example.net/x"))
        agent = rng.choice((AGENT, "curl/8.1.0", f"{AGENT} {n % 7}"))
        made.append(LINE.format(who, day + n * 3 // number, f"/{rng.randrange(9)}/", came, agent).encode())
        if rng.random() < 0.05:
            made.append(rng.choice(PIECES))
    return b"".join(made)


def views(path: Path) -> int:
    said = AccessLog().parse(Capture(path.read_bytes()), Context(now=MARCH, day=MARCH.date()))
    return sum(record.views for record in said.records if isinstance(record, SiteViews))


def write_logs(folder: Path) -> None:
    """Logs of several formats, plain, packed, rotated and damaged, and one that nobody knows."""
    rng = random.Random(5)
    texts = {
        "a.log.3.gz": gzip.compress(lines(rng, 400, 2)),
        "a.log.2": lines(rng, 300, 5),
        "a.log": lines(rng, 200, 8) + b'192.0.2.7 - - [10/Mar/2026:10:00:00 +0000] "GET /half',
        "b.log": b"".join(json.dumps({**JSON, "remote_addr": f"192.0.2.{n % 9}"}).encode() + b"\n" for n in range(200)),
        "c.log.gz": gzip.compress(lines(rng, 200, 12))[:-9],
        "d.log": b"nobody knows this\n" * 227 + lines(rng, 90, 13),  # given up, though its second batch is known
        "e.log": lines(rng, 100, 15),
    }
    for n, (name, text) in enumerate(texts.items()):
        (folder / name).write_bytes(text)
        os.utime(folder / name, (1e9 + n, 1e9 + n))


TABLES = {
    "readings": "outcome, reason, advice, note, slot, attempt",
    "exchanges": "reading_id, n, url_asked",
    "page_views": "day, path_id, views, visitors, complete, reading_id",
    "site_views": "day, views, visitors, feed_views, complete, reading_id",
    "referrers": "day, referrer, medium, views, reading_id",
    "not_counted": "day, reason, lines, reading_id",
    "paths": "id, path, 0",
    "path_totals": "source_id, path_id, views",
    "log_files": 'name, "offset", head_hash, tail_hash, done',
    "log_gaps": 'name, "offset", reading_id',
    "visitor_keys": "source_id, day, length(key)",
}


def read_all(folder: Path, parse: ParseBatches) -> dict[str, list[dict[str, Any]]]:
    """What a fresh history holds after two looks; hashes of visitors are counted, for their keys are random."""
    made = settings(folder, '[[page_views]]\nkind = "access_log"\nfiles = "*.log*"\n')
    made.database.unlink(missing_ok=True)
    with Store(made.database) as store:
        attempts = Attempts(made, store, clock=lambda: MARCH, parse_batches=parse)
        source, ids = made.sources[0], sources.sync(store, made, MARCH)
        for _ in range(2):
            list(attempts.make(source, ids[source.name], MARCH, MARCH.date(), Trigger.SCHEDULE))
        held = {
            table: store.rows(f"select {columns} from {table} order by 1, 2, 3") for table, columns in TABLES.items()
        }
        held["visitors"] = store.rows("select day, count(*) as n, 0 from visitor_hashes group by day")
    return held


def test_the_history_is_the_same_whoever_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eager: list[Helper]
) -> None:
    monkeypatch.setitem(files.read.__kwdefaults__, "max_bytes", 4096)
    write_logs(tmp_path)
    alone = read_all(tmp_path, in_turn)
    assert not eager
    assert read_all(tmp_path, ahead) == alone
    assert len(eager) > 20, "the helper parsed next to nothing: the test tests nothing"
    assert alone["visitors"]
    assert {row["outcome"] for row in alone["readings"]} == {"ok", "changed", "failed"}
    assert sum(row["views"] for row in alone["site_views"]) > 500


def test_a_helper_that_is_killed_changes_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eager: list[Helper], caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(files.read.__kwdefaults__, "max_bytes", 4096)
    write_logs(tmp_path)
    alone = read_all(tmp_path, in_turn)
    for after in (1, 2, 5):
        give, count = Helper.give, iter(range(1000))

        def given(self: Helper, batch: Batch, give: Any = give, count: Any = count, after: int = after) -> bool:
            if next(count) == after:  # it has a piece then, and is given the next
                self.process.kill()
                self.process.wait()
            return bool(give(self, batch))

        caplog.clear()
        with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "monitor"):
            patch.setattr(Helper, "give", given)
            assert read_all(tmp_path, ahead) == alone
        assert [record.getMessage() for record in caplog.records if "reads on alone" in record.getMessage()] != []
        assert len(caplog.records) == 1


# --- when it is started --------------------------------------------------------------------------------------------


CTX = Context(now=MARCH, day=MARCH.date())


def batches(*bodies: bytes) -> Iterator[Batch]:
    for n, body in enumerate(bodies):
        yield Batch(Capture(body, place=f"a.log {n}"), None, LogCursor("a.log", 1, 1, 1, 1, n))


def test_a_small_log_and_a_single_core_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Helper", lambda source, ctx: pytest.fail("a process was started"))
    one = lines(random.Random(1), 50, 2)
    monkeypatch.setattr(module, "_cores", lambda: 2)
    assert len(list(ahead(AccessLog(), CTX, batches(one, one)))) == 2
    monkeypatch.setattr(module, "_cores", lambda: 1)
    assert len(list(ahead(AccessLog(), CTX, batches(one, one), after=0))) == 2


def test_where_no_process_can_be_started_all_is_parsed_here(
    monkeypatch: pytest.MonkeyPatch, eager: list[Helper]
) -> None:
    bodies = [lines(random.Random(n), 50, 2) for n in range(5)]
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    seen = list(ahead(AccessLog(), CTX, batches(*bodies)))
    assert seen == list(in_turn(AccessLog(), CTX, batches(*bodies)))
    assert not eager


def test_what_is_stored_is_parsed_in_order_and_little_is_read_ahead(eager: list[Helper]) -> None:
    taken: list[int] = []

    def read() -> Iterator[Batch]:
        for n, batch in enumerate(batches(*[lines(random.Random(n), 9, 2) for n in range(40)])):
            taken.append(n)
            yield batch

    for n, (batch, _) in enumerate(ahead(AccessLog(), CTX, read())):
        assert batch.capture.place == f"a.log {n}"
        assert len(taken) <= n + 1 + module.WAITING
    assert len(taken) == 40
    assert eager


@dataclass(frozen=True)
class Faulty(AccessLog):
    """A source with a fault in its parser."""

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        if capture.body == b"bug":
            raise ZeroDivisionError("a fault")
        if capture.body == b"?":
            raise LayoutChanged("unknown_format", "no agent")
        return Parsed((NotCounted(date(2026, 3, 2), capture.body.decode(), 1),))


def test_a_fault_of_the_parser_is_raised_and_what_is_given_before_is_in_order(eager: list[Helper]) -> None:
    seen: list[str] = []
    with pytest.raises(ZeroDivisionError):
        seen.extend(batch.capture.place for batch, _ in ahead(Faulty(), CTX, batches(b"a", b"b", b"?", b"bug", b"c")))
    assert seen == [f"a.log {n}" for n in range(len(seen))]
    assert 0 < len(seen) < 4


def test_the_helper_says_what_would_be_said_here(eager: list[Helper], caplog: pytest.LogCaptureFixture) -> None:
    piece, unknown, faulty = batches(b"a", b"?", b"bug")
    with contextlib.closing(Helper(Faulty(), CTX)) as helper:
        assert helper.has_room(PATIENCE * 1000)
        assert helper.give(piece)
        assert helper.give(unknown)
        assert not helper.has_room()
        assert helper.take() == Faulty().parse(piece.capture, CTX)
        changed = helper.take()
        assert isinstance(changed, LayoutChanged)
        assert (str(changed), changed.reason, changed.detail) == (
            "unknown_format: no agent",
            "unknown_format",
            "no agent",
        )
        assert helper.give(faulty)
        assert helper.take() is None, "it has ended, and this process raises the fault"
        assert helper.has_answer()
        assert not helper.has_room()
    assert len(caplog.records) == 1


def test_the_key_of_a_new_day_is_the_same_in_both_processes(tmp_path: Path) -> None:
    made = settings(tmp_path, '[[page_views]]\nkind = "access_log"\n')
    with Store(made.database) as store:
        (number,) = sources.sync(store, made, MARCH).values()
        one, other = visitors.keys(store, number), visitors.keys(store, number)
    assert len(one(MARCH.date())) == 32
    assert one(MARCH.date()) == pickle.loads(pickle.dumps(one))(MARCH.date())
    assert len({one(date(2026, 3, 1)), one(date(2026, 3, 2)), other(date(2026, 3, 1)), other(date(2026, 3, 2))}) == 4


# --- how it ends ---------------------------------------------------------------------------------------------------


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = stat.read_text().rpartition(")")
            if int(rest.split()[1]) == pid:
                found.append(int(name.split()[0]))
    return found


def test_it_ends_with_the_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eager: list[Helper]) -> None:
    monkeypatch.setitem(files.read.__kwdefaults__, "max_bytes", 4096)
    (tmp_path / "access.log").write_bytes(lines(random.Random(3), 500, 2))
    made = settings(tmp_path, '[[page_views]]\nkind = "access_log"\n')
    before, ticks = children(os.getpid()), iter(range(1000))
    with Store(made.database) as store:
        attempts = Attempts(made, store, clock=lambda: MARCH, steady=lambda: float(next(ticks)), most_seconds=6)
        source, ids = made.sources[0], sources.sync(store, made, MARCH)
        for reading_id, _ in attempts.make(source, ids[source.name], MARCH, MARCH.date(), Trigger.SCHEDULE):
            if reading_id == 3:
                assert len(children(os.getpid())) == len(before) + 1
        (last,) = store.rows("select max(id) as id from readings")
    assert last["id"] < 10, "the time was up before all was read"
    assert children(os.getpid()) == before
    assert eager


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_helper_outlives_the_monitor(
    tmp_path: Path, eager: list[Helper], signum: int, capfd: pytest.CaptureFixture[str]
) -> None:
    reader = Reader(tmp_path, "a.log")
    (tmp_path / "a.log").write_bytes(lines(random.Random(3), 6_000, 2))
    process = FORK.Process(target=check, args=(tmp_path, 4096))
    process.start()
    helpers: list[int] = []
    wait_for(lambda: helpers.extend(children(process.pid or 0)) or bool(helpers))
    wait_for(lambda: (tmp_path / "said").exists() and (tmp_path / "said").read_text().count("\n") > 3)
    os.kill(process.pid or 0, signum)
    process.join(PATIENCE)
    assert process.exitcode is not None
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in helpers))
    assert "Traceback" not in (tmp_path / "said").read_text() + capfd.readouterr().err
    reader.look(1 << 20)
    assert sum(reader.counted().values()) == views(tmp_path / "a.log")


def test_signals_for_the_whole_group_do_not_end_it(eager: list[Helper]) -> None:
    body = lines(random.Random(1), 50, 2)
    with contextlib.closing(Helper(AccessLog(), CTX)) as helper:
        assert helper.has_room(PATIENCE * 1000)
        assert os.getpgid(helper.process.pid) != os.getpgid(0), "Ctrl-C on the terminal would reach it"
        for signum in (signal.SIGINT, signal.SIGTERM):
            helper.process.send_signal(signum)
        (batch,) = batches(body)
        assert helper.give(batch)
        assert helper.take() == AccessLog().parse(batch.capture, CTX)
    assert helper.process.returncode == -signal.SIGKILL
    assert not helper.is_gone


def test_it_helps_a_thread_too(eager: list[Helper]) -> None:
    bodies = [lines(random.Random(n), 50, 2) for n in range(9)]
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.extend(ahead(AccessLog(), CTX, batches(*bodies))))
    thread.start()
    thread.join(PATIENCE)
    assert seen == list(in_turn(AccessLog(), CTX, batches(*bodies)))
    assert eager


def test_every_request_is_counted_once_by_two(tmp_path: Path, eager: list[Helper]) -> None:
    assert torture(tmp_path, seed=1, steps=6, longest=1).kills


@pytest.mark.long
@pytest.mark.parametrize("seed", range(200, 208))
def test_every_request_is_counted_once_by_two_for_long(tmp_path: Path, eager: list[Helper], seed: int) -> None:
    assert torture(tmp_path, seed, steps=40, longest=0.8).kills
