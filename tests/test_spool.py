"""What could not be written waits, and is stored exactly once; nothing that was read is lost for want of room."""

from __future__ import annotations

import base64
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from bs4.element import NavigableString
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.attempt import LEAST_FREE, Attempts
from monitor.model import (
    Batch,
    Capture,
    Exchange,
    Kind,
    LogCursor,
    LogGap,
    Outcome,
    Reading,
    Record,
    Result,
    Trigger,
)
from monitor.store import hosts, readings, record_text, soundness, sources
from monitor.store.connection import Store, StoreError
from monitor.store.spool import Spool
from tests import made
from tests.conftest import ROOT
from tests.made import DAY, DUCK, NOW, reading
from tests.replay import Answer, Asked, Replay

NAME = "duckduckgo/ada-example"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "presence.db", lock_seconds=0.2) as store:
        yield store


@pytest.fixture
def duck(store: Store, tmp_path: Path) -> int:
    return sources.sync(store, made.settings(tmp_path, DUCK), NOW)[NAME]


def fill(store: Store) -> None:
    """From now on the disk is full for this store's own connection: not a page more."""
    for conn in (store.conn, store.bodies):
        conn.execute(f"pragma max_page_count = {conn.execute('pragma page_count').fetchone()[0]}")


def make_room(store: Store) -> None:
    for conn in (store.conn, store.bodies):
        conn.execute("pragma max_page_count = 1000000").fetchall()


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return store.conn.execute(sql).fetchall()


# --- the text of a reading -----------------------------------------------------------------------------------------

instants = st.datetimes(timezones=st.just(UTC))
st.register_type_strategy(datetime, instants)
st.register_type_strategy(date, st.dates())
texts = st.text(st.characters(codec=None), max_size=12)  # with lone surrogates, NUL and all
st.register_type_strategy(str, texts)
st.register_type_strategy(float, st.floats(allow_nan=False))
headers = st.dictionaries(texts, texts, max_size=3)
captures = st.builds(Capture, body=st.binary(max_size=60), headers=headers)
exchanges = st.builds(Exchange, headers=headers, capture=st.none() | captures)
batches = st.builds(Batch, capture=captures, before=st.none() | st.builds(LogCursor), gaps=st.tuples(st.builds(LogGap)))


def records() -> st.SearchStrategy[Any]:
    kinds = {kind.__name__: st.builds(kind) for kind in get_args(Record)}
    count = next(kind for kind in get_args(Record) if kind.__name__ == "Count")
    kinds["Count"] = st.builds(count, value=st.integers(), state=st.just("read")) | st.builds(
        count, value=st.none(), state=st.sampled_from(["missing", "hidden", "gone"])
    )
    return st.one_of(*kinds.values())


whole = st.builds(
    Reading,
    exchanges=st.lists(exchanges, max_size=2).map(tuple),
    records=st.lists(records(), max_size=4).map(tuple),
    batch=st.none() | batches,
)


@settings(deadline=None, max_examples=200)
@given(whole)
def test_a_reading_comes_back_from_its_text_as_it_was(original: Reading) -> None:
    text = record_text.to_json(original)
    assert text.isascii()
    assert record_text.from_json(text) == original


@pytest.mark.parametrize("kind", get_args(Record), ids=lambda kind: kind.__name__)
def test_every_kind_of_record_can_wait(kind: type) -> None:
    assert kind.__name__ in record_text._CLASSES


def test_text_that_a_parser_left_in_its_own_class_is_text() -> None:
    original = reading()
    odd = replace(original, records=(Result("http://x.example/", NavigableString("Ada"), kind=Kind.NEWS),))
    (record,) = record_text.from_json(record_text.to_json(odd)).records
    assert (type(record.title), record.title) == (str, "Ada")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"made":"Reading","of":{}}',
        '{"made":"Popen","of":{"args":["true"]}}',
        '{"made":"Capture","of":{"body":{"value":"bytes","is":"eJwDAAAAAAE="}}}',
        '{"made":"Capture","of":{"body":{"value":"bytes","is":"eJw"}}}',
        '{"value":"bytes","is":"!!"}',
        '{"value":"datetime","is":"soon"}',
        '{"value":"Outcome","is":"won"}',
        '{"pairs":3}',
        "[" * 100_000,
    ],
)
def test_a_text_that_is_no_reading_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        record_text.from_json(text)


def test_bytes_cut_short_or_beyond_all_measure_are_no_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    text = record_text.to_json(reading(body="page" * 100))
    packed = base64.b64encode(zlib.compress(b"page" * 100, 6)).decode()
    assert packed in text
    short = base64.b64encode(zlib.compress(b"page" * 100, 6)[:-6]).decode()
    with pytest.raises(ValueError, match="bytes cut short"):
        record_text.from_json(text.replace(packed, short))
    monkeypatch.setattr(record_text, "_MOST_BYTES", 399)
    with pytest.raises(ValueError, match="too many"):
        record_text.from_json(text)


# --- waiting and coming back ---------------------------------------------------------------------------------------


def test_what_waits_is_stored_oldest_first_and_says_so(store: Store, duck: int) -> None:
    spool = Spool(store)
    later = reading("http://b.example/", at=NOW + timedelta(days=1), body="two")
    first = replace(reading("http://a.example/", body="one"), note="answered for: ada")
    assert "waits in" in spool.put(duck, NAME, later)
    spool.put(duck, NAME, first)
    spool.put(duck, NAME, first)  # the same reading is the same file
    assert [path.stat().st_mode & 0o777 for path in (spool.folder, *spool.folder.iterdir())] == [0o700, 0o600, 0o600]
    done = spool.replay()
    assert [s.reading.slot for s in done.stored] == [NOW, NOW + timedelta(days=1)]
    assert (done.trouble, done.refused) == (None, ())
    assert list(spool.folder.iterdir()) == []
    ((day, note), _) = rows(store, "select day, note from readings order by id")
    assert day == "2026-11-23"
    assert note.startswith("answered for: ada\nstored late, from the spool: 20261123T093000")
    assert rows(store, "select count(*) from captures") == [(2,)]
    assert rows(store, "select url from page_one") == [("http://b.example/",)]
    assert {zlib_body for (zlib_body,) in store.bodies.execute("select id from bodies")} == {
        exchange.capture.id for r in (first, later) for exchange in r.exchanges if exchange.capture
    }
    assert spool.replay().stored == ()


def test_a_reading_stored_but_not_yet_removed_is_not_stored_twice(store: Store, duck: int) -> None:
    spool = Spool(store)
    spool.put(duck, NAME, reading("http://a.example/"))
    (path,) = spool.folder.iterdir()
    content = path.read_bytes()
    (once,) = spool.replay().stored
    path.write_bytes(content)  # as a kill between the two leaves it
    (again,) = Spool(store).replay().stored
    assert again.reading_id == once.reading_id
    assert rows(store, "select count(*) from readings") == [(1,)]
    assert not path.exists()


REPLAY = """
import os, signal, sys
from pathlib import Path
from monitor.store import readings, spool
from monitor.store.connection import Store
point = sys.argv[2]
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
if point == "before_commit":
    readings._insert_results = die
if point == "before_removal":
    spool.Spool._remove = die
with Store(Path(sys.argv[1])) as store:
    spool.Spool(store).replay()
"""


@pytest.mark.parametrize("point", ["before_commit", "before_removal"])
def test_a_kill_while_it_is_stored_neither_loses_nor_doubles_it(tmp_path: Path, point: str) -> None:
    path = tmp_path / "presence.db"
    with Store(path) as store:
        duck = sources.sync(store, made.settings(tmp_path, DUCK), NOW)[NAME]
        for n in range(3):
            Spool(store).put(duck, NAME, reading(f"http://{n}.example/", at=NOW + timedelta(hours=n)))
    for kill, code in ((point, -signal.SIGKILL), (point, -signal.SIGKILL), ("", 0)):
        done = subprocess.run([sys.executable, "-c", REPLAY, str(path), kill], cwd=ROOT, timeout=60, check=False)
        assert done.returncode == code
    with Store(path) as store:
        assert rows(store, "select count(*), count(distinct slot) from readings") == [(3, 3)]
        assert rows(store, "select count(*) from results") == [(3,)]


def test_several_threads_store_each_but_once(store: Store, duck: int) -> None:
    for n in range(12):
        Spool(store).put(duck, NAME, reading(f"http://{n}.example/", at=NOW + timedelta(hours=n)))
    store._lock.seconds = 30
    threads = [threading.Thread(target=Spool(store).replay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert rows(store, "select count(*), count(distinct slot) from readings") == [(12, 12)]


@pytest.mark.parametrize("hurt", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b.replace(b"a.exam", b"b.exam")])
def test_a_damaged_file_is_set_aside_and_holds_up_no_other(
    store: Store, duck: int, hurt: Callable[[bytes], bytes]
) -> None:
    spool = Spool(store)
    spool.put(duck, NAME, reading("http://a.example/"))
    (path,) = spool.folder.iterdir()
    path.write_bytes(hurt(path.read_bytes()))
    spool.put(duck, NAME, reading("http://b.example/", at=NOW + timedelta(hours=1)))
    done = spool.replay()
    assert len(done.stored) == 1
    assert [aside.read_bytes() for aside in done.refused] == [done.refused[0].read_bytes()]
    assert rows(store, "select count(*) from readings") == [(1,)]
    assert not spool.waits(duck, NOW, Trigger.SCHEDULE)


def test_a_reading_of_a_source_that_is_not_known_is_set_aside(store: Store, duck: int) -> None:
    spool = Spool(store)
    spool.put(duck, "another/name", reading("http://a.example/"))
    spool.put(duck + 7, NAME, reading("http://a.example/"))
    done = spool.replay()
    assert (len(done.refused), done.stored) == (2, ())
    assert rows(store, "select count(*) from readings") == [(0,)]


def test_the_spool_is_bounded_the_oldest_stay_and_the_newest_is_refused(store: Store, duck: int) -> None:
    spool = Spool(store, most=2)
    said = [spool.put(duck, NAME, reading(at=NOW + timedelta(hours=n))) for n in range(3)]
    assert "is full (2 readings wait), so this reading is not kept" in said[2]
    assert spool.is_full
    assert [s.reading.slot for s in spool.replay().stored] == [NOW, NOW + timedelta(hours=1)]
    assert not spool.is_full
    small = Spool(store, most_bytes=2000)
    assert "is full" in small.put(duck, NAME, reading(body="".join(f"{n * n}" for n in range(3000))))
    assert "waits" in small.put(duck, NAME, reading())


def test_without_a_place_for_a_file_it_is_held_in_memory_and_said(store: Store, duck: int) -> None:
    spool = Spool(store, most_held=2)
    spool.folder.write_text("no folder")
    urls = [f"http://{n}.example/" for n in range(300)]  # more than the last page of each table has room for
    said = [spool.put(duck, NAME, reading(*urls, at=NOW + timedelta(hours=n))) for n in range(3)]
    assert "held in memory" in said[0]
    assert "not kept" in said[2]
    assert spool.is_full
    assert spool.waits(duck, NOW, Trigger.SCHEDULE)
    fill(store)
    assert spool.replay().trouble
    spool.folder.unlink()
    assert spool.replay().trouble
    assert len(list(spool.folder.iterdir())) == 2  # written down as soon as there was a place
    make_room(store)
    assert len(Spool(store).replay().stored) == 2
    assert rows(store, "select count(*) from readings") == [(2,)]


def test_what_a_kill_left_half_written_is_no_reading_and_goes(store: Store, duck: int) -> None:
    spool = Spool(store)
    spool.put(duck, NAME, reading())
    young, old = (spool.folder / f".{n}.json.1.new" for n in (1, 2))
    for half in (young, old):
        half.write_text("{")
    os.utime(old, (1, 1))
    assert len(spool.replay().stored) == 1
    assert (young.exists(), old.exists()) == (True, False)


# --- an attempt whose reading cannot be written --------------------------------------------------------------------


class Line:
    """A search source on loopback and its attempts; every look at it is one question asked, or none."""

    def __init__(self, store: Store, folder: Path, server: Replay, free: int = LEAST_FREE) -> None:
        config = made.settings(folder, f'{DUCK}url = "{server.url}/html/"\n[fetch]\nspacing = "0s"\n')
        self.store, self.server, self.room = store, server, SimpleNamespace(free=free)
        self.source_id = sources.sync(store, config, NOW)[NAME]
        (self.source,) = config.sources
        self.config = config
        self.attempts = self.begin()

    def begin(self) -> Attempts:
        return Attempts(self.config, self.store, clock=lambda: NOW, free=lambda folder: self.room.free)

    def make(self, slot: datetime = NOW, trigger: Trigger = Trigger.SCHEDULE) -> list[tuple[int, Reading]]:
        return list(self.attempts.make(self.source, self.source_id, slot, DAY, trigger))


def padded(asked: Asked) -> Answer:
    """A results page that is never the same twice, and needs more room than the last pages of a full file have."""
    page = (ROOT / "tests" / "pages" / "duckduckgo" / "ok.html").read_bytes()
    padding = b"<!-- " + os.urandom(20_000).hex().encode() + b" -->"
    return Answer(200, page.replace(b"<body", padding + b"<body", 1), {"Content-Type": "text/html"})


@pytest.fixture
def line(store: Store, tmp_path: Path) -> Iterator[Line]:
    with Replay({"/html/": padded}) as server:
        yield Line(store, tmp_path, server)


def test_a_reading_that_finds_no_room_waits_and_is_stored_when_there_is_room_again(line: Line) -> None:
    line.make(NOW - timedelta(days=1))
    fill(line.store)
    with pytest.raises(
        StoreError, match=r"disk .* is full: make room.* The reading waits in .*presence-spool"
    ) as caught:
        line.make()
    assert caught.value.exit_code == 74
    assert line.make() == []  # it serves its slot already: nothing is asked again
    assert len(line.server.requests) == 2
    make_room(line.store)
    ((reading_id, late),) = line.make()
    assert late.outcome is Outcome.OK
    assert len(line.server.requests) == 2
    assert rows(line.store, f"select outcome, slot from readings where id = {reading_id}") == [
        ("ok", "2026-11-23T09:30:00Z")
    ]
    assert rows(line.store, "select count(*) from readings") == [(2,)]
    assert line.attempts.spool.replay().stored == ()


def test_a_start_stores_what_waits(line: Line) -> None:
    line.make(NOW - timedelta(days=1))
    fill(line.store)
    with pytest.raises(StoreError):
        line.make()
    make_room(line.store)
    line.begin()
    assert rows(line.store, "select count(*) from readings") == [(2,)]


def test_by_hand_it_is_said_that_a_reading_still_waits_and_nothing_is_asked(line: Line) -> None:
    line.make(NOW - timedelta(days=1))
    fill(line.store)
    for n in range(2):
        with pytest.raises(StoreError, match="is full"):
            line.make(NOW + timedelta(seconds=20 * n), Trigger.MANUAL)
    assert len(line.server.requests) == 2
    make_room(line.store)
    assert len(line.make(NOW + timedelta(seconds=60), Trigger.MANUAL)) == 1
    assert len(line.server.requests) == 2


def test_while_the_spool_is_full_nothing_is_asked(line: Line) -> None:
    line.make(NOW - timedelta(days=1))
    line.attempts.spool.most = 1
    fill(line.store)
    for n in (0, 1, 2):
        with pytest.raises(StoreError, match="disk that holds"):
            line.make(NOW + timedelta(hours=n))
    assert len(line.server.requests) == 2


def test_a_refusal_that_waited_still_counts_for_the_breaker(line: Line) -> None:
    line.make(NOW - timedelta(days=1))
    line.server.routes["/html/"] = Answer(429, os.urandom(20_000), {"Retry-After": "7200"})
    kept = line.attempts.spool.put(line.source_id, NAME, reading(at=NOW - timedelta(hours=2), body=""))
    assert "waits" in kept
    fill(line.store)
    with pytest.raises(StoreError):
        line.make()
    make_room(line.store)
    line.begin()
    ((blocked, not_before),) = rows(line.store, "select blocked_in_row, not_before from hosts")
    assert (blocked, not_before) == (1, "2026-11-23T11:30:00.000Z")


def test_an_answer_is_not_lost_when_its_host_cannot_be_given_back(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    release = hosts.release

    def fails_once(*args: Any) -> None:
        monkeypatch.setattr(hosts, "release", release)
        raise StoreError("The disk is full: make room.", 74)

    refusal = Answer(429, b"no", {"Retry-After": "7200"})
    for outcome, answer in ((Outcome.OK, padded), (Outcome.BLOCKED, refusal)):
        line.server.routes["/html/"] = answer
        monkeypatch.setattr(hosts, "release", fails_once)
        ((_, got),) = line.make()
        assert got.outcome is outcome
    assert rows(line.store, "select not_before from hosts") == [("2026-11-23T11:30:00.000Z",)]


def test_before_a_question_the_files_are_read_over_if_that_is_due(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(path: Path) -> None:
        raise StoreError(f"{path} is damaged: put the newest backup in its place.", 65)

    monkeypatch.setattr(soundness, "check", damaged)
    line.make()
    line.store.clock = lambda: datetime.now(UTC) + timedelta(days=8)
    with pytest.raises(StoreError, match="is damaged"):
        line.make(NOW + timedelta(days=1))
    assert len(line.server.requests) == 1


def test_with_the_disk_nearly_full_nothing_is_asked_and_that_is_a_reading(line: Line) -> None:
    line.room.free = LEAST_FREE - 1
    ((_, missed),) = line.make()
    assert (missed.outcome, missed.reason) == (Outcome.MISSED, "disk")
    assert "make room" in missed.advice
    assert line.server.requests == []
    assert rows(line.store, "select outcome, reason, depth from readings") == [("missed", "disk", None)]
    line.room.free = LEAST_FREE
    assert len(line.make()) == 1
    assert rows(line.store, "select outcome from slot_readings") == [("ok",)]


def test_log_lines_that_found_no_room_are_read_again_and_counted_once(store: Store, tmp_path: Path) -> None:
    config = made.settings(tmp_path, '[[page_views]]\nkind = "access_log"\n')
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    lines = (
        f'192.0.2.1 - - [21/Nov/2026:10:00:00 +0000] "GET /a-rather-long-path/{n}/ HTTP/1.1" 200 9 "-" "{agent}"\n'
        for n in range(3000)
    )
    (tmp_path / "access.log").write_text("".join(lines))
    (source,) = config.sources
    source_id = sources.sync(store, config, NOW)[source.name]
    attempts = Attempts(config, store, clock=lambda: NOW, free=lambda folder: LEAST_FREE)
    made_now = lambda: list(attempts.make(source, source_id, NOW, DAY, Trigger.SCHEDULE))  # noqa: E731
    fill(store)
    with pytest.raises(StoreError, match="is full: make room") as caught:
        made_now()
    assert "waits" not in str(caught.value)
    assert rows(store, "select count(*) from log_files") == [(0,)]
    assert not attempts.spool.folder.exists()
    make_room(store)
    assert made_now()
    assert rows(store, "select sum(views) from site_views") == [(3000,)]
    assert made_now() == []


def test_a_damaged_history_is_asked_nothing_for(line: Line) -> None:
    line.make(NOW - timedelta(days=1))
    line.store._damage = StoreError("presence.db is damaged: put the newest backup in its place.", 65)
    with pytest.raises(StoreError, match="is damaged"):
        line.make()
    assert len(line.server.requests) == 1


def test_a_locked_history_asks_nothing_and_loses_nothing(line: Line) -> None:
    with closing(sqlite3.connect(line.store.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(StoreError, match="locked by another program"):
            line.make()
        assert line.server.requests == []
        other.execute("rollback")
    assert len(line.make()) == 1


def test_locked_between_question_and_answer_it_waits(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    other = sqlite3.connect(line.store.path, isolation_level=None)
    save = readings.save

    def locked(*args: Any) -> int:
        monkeypatch.setattr(readings, "save", save)
        other.execute("begin immediate")
        return save(*args)

    monkeypatch.setattr(readings, "save", locked)
    with pytest.raises(StoreError, match=r"locked by another program.*waits in"):
        line.make()
    other.execute("rollback")
    other.close()
    assert len(line.make()) == 1
    assert len(line.server.requests) == 1
