"""Logs are read exactly once: through rotation of every kind, half lines, damage, and a reader stopped anywhere."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from monitor.fetch import files, rotation
from monitor.fetch.files import read
from monitor.fetch.rotation import Found
from monitor.model import Batch, FetchFailed, Files, LogCursor, LogGap

BIG = "x" * 40


class Ledger:
    """What a caller does: lines and cursor in one step, and the stored cursors back at the next read."""

    def __init__(self, folder: Path, pattern: str = "access.log*") -> None:
        self.folder, self.pattern = folder, pattern
        self.cursors: dict[int, LogCursor] = {}
        self.lines: Counter[bytes] = Counter()
        self.gaps: list[LogGap] = []
        self.batches: list[Batch] = []

    def read(self, stop_after: int | None = None, max_bytes: int = 1024) -> int:
        """Read on; `stop_after` dies with that many batches stored and the next one in hand. Gives their number."""
        request = Files(self.pattern, tuple(self.cursors.values()))
        batches = read(request, self.folder, max_bytes=max_bytes)
        for n, batch in enumerate(batches):
            if n == stop_after:
                batches.close()  # type: ignore[attr-defined]
                return n
            self.commit(batch)
        return len(self.cursors)

    def commit(self, batch: Batch) -> None:
        before = batch.before and replace(batch.before, id=None)
        rows = [row for row, cursor in self.cursors.items() if replace(cursor, id=None) == before]
        if batch.before is None:
            row = len(self.cursors) + 1
        else:
            assert rows, "a batch must start from a cursor that is stored"
            row = batch.before.id or rows[-1]
        self.cursors[row] = replace(batch.after, id=row)
        self.lines.update(batch.capture.body.splitlines())
        self.gaps += batch.gaps
        self.batches.append(batch)


class Server:
    """Writes numbered lines to access.log and rotates it in the ways of logrotate."""

    def __init__(self, folder: Path, rng: random.Random, read: Callable[[], object]) -> None:
        self.folder, self.rng, self.read = folder, rng, read
        self.path = folder / "access.log"
        self.file = self.path.open("ab", buffering=0)
        self.numbers, self.days = count(), count(20260101)
        self.pending = b""

    def write(self, lines: int, half: bool = False) -> None:
        for _ in range(lines):
            self.finish()
            self.pending = f"{next(self.numbers)} {'y' * self.rng.randrange(150)}\n".encode()
            cut = self.rng.randrange(len(self.pending)) if half else 0
            self.file.write(self.pending[:cut])
            self.pending = self.pending[cut:]
            if half:
                self.read()
        if not half:
            self.finish()

    def finish(self) -> None:
        self.file.write(self.pending)
        self.pending = b""

    def shift(self) -> None:
        """access.log.1 to .2 and so on, packed or not."""
        for n in range(60, 0, -1):
            for end in ("", ".gz"):
                old = self.folder / f"access.log.{n}{end}"
                if old.exists():
                    old.rename(self.folder / f"access.log.{n + 1}{end}")

    def pack(self, path: Path, seen: bool) -> None:
        """As gzip(1): the packed file grows beside the plain one, keeps its time, and only then is the plain gone."""
        target = path.with_name(path.name + ".gz")
        whole = gzip.compress(path.read_bytes())
        target.write_bytes(whole[: self.rng.randrange(len(whole))])
        if seen:
            self.read()
        target.write_bytes(whole)
        if seen:
            self.read()
        info = path.stat()
        os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
        path.unlink()

    def reopen(self) -> None:
        self.file.close()
        self.file = self.path.open("ab", buffering=0)

    def create(self, seen: bool, to: Path | None = None) -> Path:
        """Rename, go on writing for a while, reopen."""
        if to is None:
            self.shift()
        target = to or self.folder / "access.log.1"
        self.path.rename(target)
        if seen:
            self.read()
        self.write(self.rng.randrange(4), half=self.rng.random() < 0.3)
        if seen:
            self.read()
        self.finish()
        self.reopen()
        return target

    def rotate(self) -> None:
        seen = self.rng.random() < 0.5
        how = self.rng.choice(("create", "pack", "delay", "copy", "copy pack", "date", "twice"))
        if how == "create":
            self.create(seen)
        elif how == "pack":
            self.pack(self.create(seen), seen)
        elif how == "delay":
            if (self.folder / "access.log.1").exists():
                self.pack(self.folder / "access.log.1", seen)
            self.create(seen)
        elif how == "date":
            target = self.create(seen, self.folder / f"access.log-{next(self.days)}")
            if self.rng.random() < 0.5:
                self.pack(target, seen)
        elif how == "twice":
            self.create(False)
            self.write(self.rng.randrange(30))
            self.create(False)
        else:
            self.finish()
            self.shift()
            target = self.folder / "access.log.1"
            shutil.copy(self.path, target)
            if seen:
                self.read()
            os.truncate(self.path, 0)
            if how == "copy pack":
                self.pack(target, seen)


@pytest.mark.parametrize("seed", range(12))
def test_each_line_once_whatever_happens(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    ledger = Ledger(tmp_path)

    def look() -> None:
        stop = rng.randrange(6) if rng.random() < 0.4 else None
        ledger.read(stop, rng.choice((1024, 5000, 1 << 20)))

    server = Server(tmp_path, rng, look)
    server.write(1)
    for _ in range(50):
        server.write(rng.randrange(60), half=rng.random() < 0.2)
        if rng.random() < 0.6:
            look()
        if rng.random() < 0.3:
            server.rotate()
    server.finish()
    for _ in range(3):
        ledger.read()
    numbers = Counter(int(line.split()[0]) for line in ledger.lines.elements())
    assert numbers == Counter(range(next(server.numbers)))
    assert ledger.gaps == []
    stored = len(ledger.batches)
    ledger.read()
    assert len(ledger.batches) == stored, "a read without news stores nothing"


# --- one thing at a time -------------------------------------------------------------------------------------------


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def put(ledger: Ledger, name: str, lines: range, end: str = "\n", mode: str = "a") -> Path:
    path = ledger.folder / name
    with path.open(mode) as file:
        file.write("\n".join(f"{n} {BIG}" for n in lines) + end)
    return path


def seen(ledger: Ledger) -> list[int]:
    return sorted(int(line.split()[0]) for line in ledger.lines.elements() if line[:1].isdigit())


def test_a_batch_says_where_it_stands_and_where_it_began(ledger: Ledger) -> None:
    put(ledger, "access.log", range(100))
    ledger.read()
    first, second, *_ = ledger.batches
    size = len(first.capture.body)
    assert size <= 1024
    assert first.capture.body.endswith(b"\n")
    assert first.capture.place == f"access.log 0-{size}"
    assert first.before is None
    assert second.before == first.after
    assert second.capture.place == f"access.log {size}-{size + len(second.capture.body)}"
    put(ledger, "access.log", range(100, 101))
    ledger.read()
    assert ledger.batches[-1].before == replace(ledger.batches[-2].after, id=1)
    assert ledger.batches[-1].after.id == 1
    assert seen(ledger) == list(range(101))


def test_oldest_first_and_live_last(ledger: Ledger) -> None:
    for n, name in enumerate(("access.log.2", "access.log.1", "access.log")):
        os.utime(put(ledger, name, range(n, n + 1)), (1000 + n, 1000 + n))
    os.utime(ledger.folder / "access.log", (500, 500))
    ledger.read()
    assert [batch.capture.body[:1] for batch in ledger.batches if batch.capture.body] == [b"0", b"1", b"2"]


def test_gzip_is_known_by_its_bytes_not_its_name(ledger: Ledger) -> None:
    (ledger.folder / "access.log.1").write_bytes(gzip.compress(b"1 a\n") + gzip.compress(b"2 b\n3 no newline"))
    ledger.read()
    assert seen(ledger) == [1, 2, 3]
    assert ledger.cursors[1].done


def test_a_finished_file_costs_one_stat(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    (ledger.folder / "access.log.2.gz").write_bytes(gzip.compress(b"1 a\n"))
    ledger.read()
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("a finished file was opened again"))
    (ledger.folder / "access.log.2.gz").rename(ledger.folder / "access.log.3.gz")
    ledger.read()
    assert len(ledger.batches) == 1


def test_a_half_line_waits_until_it_is_whole(ledger: Ledger) -> None:
    put(ledger, "access.log", range(2), end="")
    ledger.read()
    assert seen(ledger) == [0]
    put(ledger, "access.log", range(0), end="\n")
    ledger.read()
    assert seen(ledger) == [0, 1]


def test_a_half_line_of_a_finished_file_is_given(ledger: Ledger) -> None:
    put(ledger, "access.log.1", range(2), end="")
    put(ledger, "access.log", range(0), end="")
    ledger.read()
    ledger.read()
    assert seen(ledger) == [0], "the server may still be writing: no younger file has lines"
    put(ledger, "access.log", range(2, 3))
    ledger.read()
    assert seen(ledger) == [0, 1, 2]


def test_a_half_line_written_late_is_read_whole(ledger: Ledger) -> None:
    put(ledger, "access.log.1", range(2), end="")
    put(ledger, "access.log", range(2, 3))
    ledger.read()
    put(ledger, "access.log.1", range(0), end=" and on\n")
    ledger.read()
    assert seen(ledger) == [0, 1, 2]
    assert f"1 {BIG} and on".encode() in ledger.lines


def test_a_log_moved_while_it_is_looked_for_is_no_gap(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(ledger, "access.log", range(50))
    ledger.read()
    moves = [lambda: path.rename(ledger.folder / "access.log.1") and put(ledger, "access.log", range(50, 51))]

    def listing(pattern: str, base: Path) -> tuple[Found, ...]:
        found = rotation.listing(pattern, base)
        if moves:
            moves.pop()()
        return found

    monkeypatch.setattr(files, "listing", listing)
    ledger.read()
    ledger.read()
    assert ledger.gaps == []
    assert seen(ledger) == list(range(51))


def test_a_log_that_vanished_unread_is_a_gap_told_once(ledger: Ledger) -> None:
    put(ledger, "access.log", range(50))
    ledger.read()
    offset = ledger.cursors[1].offset
    put(ledger, "access.log", range(50, 60))
    (ledger.folder / "access.log").unlink()
    put(ledger, "access.log", range(60, 61))
    ledger.read()
    ledger.read()
    assert ledger.gaps == [LogGap("access.log", offset, 1)]
    assert seen(ledger) == [*range(50), 60]


def test_a_log_that_comes_back_is_read_on(ledger: Ledger) -> None:
    path = put(ledger, "access.log", range(100))
    ledger.read(stop_after=1)
    aside = path.rename(ledger.folder / "aside")
    put(ledger, "access.log", range(100, 101))
    ledger.read()
    assert len(ledger.gaps) == 1
    aside.rename(ledger.folder / "access.log.1")
    ledger.read()
    assert seen(ledger) == list(range(101))


def test_a_log_that_was_finished_may_go(ledger: Ledger) -> None:
    put(ledger, "access.log", range(50))
    ledger.read()
    (ledger.folder / "access.log").rename(ledger.folder / "access.log.1")
    put(ledger, "access.log", range(50, 60))
    ledger.read()
    (ledger.folder / "access.log.1").unlink()
    ledger.read()
    assert ledger.gaps == []


def test_an_end_lost_in_a_power_cut_is_a_gap_and_nothing_counts_twice(ledger: Ledger) -> None:
    path = put(ledger, "access.log", range(100))
    ledger.read()
    os.truncate(path, path.stat().st_size - 500)
    put(ledger, "access.log", range(100, 200), end="\n")
    ledger.read()
    assert [gap.name for gap in ledger.gaps] == ["access.log"]
    assert max(ledger.lines.values()) == 1
    assert 199 in seen(ledger)
    put(ledger, "access.log", range(200, 201))
    ledger.read()
    assert 200 in seen(ledger)
    assert len(ledger.gaps) == 1


@pytest.mark.parametrize("damage", ["cut", "broken", "junk behind"])
def test_a_damaged_gzip_gives_what_can_be_read_and_is_told_once(ledger: Ledger, damage: str) -> None:
    packed = gzip.compress("".join(f"{n} {random.Random(n).random()} .\n" for n in range(3000)).encode())
    if damage == "cut":
        packed = packed[: len(packed) // 2]
    elif damage == "broken":
        packed = packed[: len(packed) // 2] + b"\xff" * 50 + packed[len(packed) // 2 + 50 :]
    else:
        packed += b"junk"
    (ledger.folder / "access.log.2.gz").write_bytes(packed)
    put(ledger, "access.log", range(5000, 5001))
    ledger.read()
    numbers = [line for line in ledger.lines if line[-2:] == b" ."]
    assert len(numbers) == 3000 if damage == "junk behind" else len(numbers) > 1000
    assert f"5000 {BIG}".encode() in ledger.lines, "the live log is read although an old one is damaged"
    with pytest.raises(FetchFailed, match=r"damaged_file: access.log.2.gz"):
        ledger.read()
    assert [gap.name for gap in ledger.gaps] == ["access.log.2.gz"]
    ledger.read()
    assert max(ledger.lines.values()) == 1


def test_a_file_named_gz_that_is_junk_does_not_stop_the_others(ledger: Ledger) -> None:
    (ledger.folder / "access.log.2.gz").write_bytes(b"\x1f\x8bjunk")
    put(ledger, "access.log", range(3))
    ledger.read()
    with pytest.raises(FetchFailed, match="damaged_file"):
        ledger.read()
    ledger.read()
    assert seen(ledger) == [0, 1, 2]


def test_the_packed_form_of_a_read_log_brings_only_what_is_new(ledger: Ledger) -> None:
    path = put(ledger, "access.log", range(100))
    ledger.read()
    put(ledger, "access.log", range(100, 110))
    (ledger.folder / "access.log.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    ledger.read()
    assert seen(ledger) == list(range(110))
    assert ledger.gaps == []
    assert len(ledger.cursors) == 1


def test_a_plain_log_goes_before_its_packed_copy(ledger: Ledger) -> None:
    path = put(ledger, "access.log.1", range(100))
    ledger.read()
    (ledger.folder / "access.log.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    put(ledger, "access.log.1", range(100, 101))
    ledger.read()
    assert seen(ledger) == list(range(101))


def test_a_log_that_is_being_unpacked_is_read_once(ledger: Ledger) -> None:
    path = put(ledger, "access.log.2", range(100))
    (ledger.folder / "access.log.2.gz").write_bytes(gzip.compress(path.read_bytes()))
    os.truncate(path, 400)
    ledger.read()
    ledger.read()
    assert seen(ledger) == list(range(100))


def test_a_copy_that_arrives_in_pieces_doubles_nothing(ledger: Ledger) -> None:
    path = put(ledger, "access.log", range(100))
    ledger.read()
    body = path.read_bytes()
    other = ledger.folder / "access.log.1"
    other.write_bytes(body[: len(body) // 2])
    path.unlink()
    ledger.read()
    other.write_bytes(body + f"100 {BIG}\n".encode())
    ledger.read()
    assert seen(ledger) == list(range(101))


@pytest.mark.parametrize("readable", ["little", "half"])
def test_a_packed_log_that_arrives_in_pieces_doubles_nothing(ledger: Ledger, readable: str) -> None:
    body = "".join(f"{n} {random.Random(n).random()} {BIG}\n" for n in range(100)).encode()
    (ledger.folder / "access.log").write_bytes(body)
    ledger.read()
    (ledger.folder / "access.log").unlink()
    whole = gzip.compress(body + b"100 more\n")
    packed = ledger.folder / "access.log.1.gz"
    packed.write_bytes(whole[:250] if readable == "little" else whole[: len(whole) // 2])
    ledger.read()
    assert seen(ledger) == list(range(100))
    packed.write_bytes(whole)
    ledger.read()
    assert seen(ledger)[:100] == list(range(100))
    assert max(ledger.lines.values()) == 1


def test_a_read_log_whose_packed_form_is_damaged_is_a_gap(ledger: Ledger) -> None:
    body = "".join(f"{n} {random.Random(n).random()} {BIG}\n" for n in range(100)).encode()
    (ledger.folder / "access.log").write_bytes(body)
    ledger.read()
    (ledger.folder / "access.log").unlink()
    (ledger.folder / "access.log.1.gz").write_bytes(gzip.compress(body)[:1000])
    ledger.read()
    ledger.read()
    assert len(ledger.gaps) == 1
    assert seen(ledger) == list(range(100))


def test_a_copy_beside_the_log_is_not_read_again(ledger: Ledger) -> None:
    path = put(ledger, "access.log", range(5))
    shutil.copy(path, ledger.folder / "access.log.copy")
    ledger.read()
    put(ledger, "access.log", range(5, 100))
    ledger.read()
    ledger.read()
    assert seen(ledger) == list(range(100))


def test_links_are_followed_and_other_things_left_out(ledger: Ledger) -> None:
    put(ledger, "real", range(3))
    (ledger.folder / "access.log").symlink_to("real")
    (ledger.folder / "access.log.lnk").symlink_to("real")
    (ledger.folder / "access.log.gone").symlink_to("nowhere")
    (ledger.folder / "access.log.d").mkdir()
    os.mkfifo(ledger.folder / "access.log.pipe")
    ledger.read()
    assert seen(ledger) == [0, 1, 2]


def test_a_log_cut_while_it_is_read_gives_no_mixture(ledger: Ledger) -> None:
    path = put(ledger, "access.log", range(100))
    batches = read(Files("access.log*"), ledger.folder, max_bytes=1024)
    ledger.commit(next(batches))
    os.truncate(path, 0)
    put(ledger, "access.log", range(500, 700))
    assert list(batches) == []
    ledger.read()
    assert set(range(500, 700)) < set(seen(ledger))
    assert max(ledger.lines.values()) == 1
    assert len(ledger.gaps) == 1


def test_memory_stays_bounded_on_a_line_without_end(ledger: Ledger) -> None:
    (ledger.folder / "access.log").write_bytes(b"0 a\n" + b"\0" * 300_000 + b"1 b\n2 c\n")
    ledger.read(max_bytes=20_000)
    assert all(len(batch.capture.body) <= 20_000 for batch in ledger.batches)
    assert [line.lstrip(b"\0") for line in ledger.lines.elements()] == [b"0 a", b"1 b", b"2 c"]
    assert ledger.cursors[1].offset == 300_012


def test_several_live_logs_in_one_pattern(ledger: Ledger) -> None:
    ledger.pattern = "*.log*"
    put(ledger, "a.log", range(3), end="")
    put(ledger, "b.log.1", range(3, 6))
    put(ledger, "b.log", range(6, 9))
    ledger.read()
    ledger.read()
    assert seen(ledger) == [0, 1, 3, 4, 5, 6, 7, 8], "the half line of a.log waits, although b.log is younger"


def test_no_file_names_the_pattern(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match=r"no_file: logs/access.log\*"):
        list(read(Files("logs/access.log*"), tmp_path))


@contextmanager
def unprivileged() -> Iterator[Path]:
    """A folder, and the rights of somebody who is not root."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        root = os.geteuid() == 0
        folder = Path(name, "logs")
        folder.mkdir()
        (folder / "access.log").write_bytes(b"1 a\n")
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o755)


def test_a_file_that_may_not_be_read_is_told_after_the_others() -> None:
    with unprivileged() as folder:
        ledger = Ledger(folder)
        ledger.read()
        (folder / "access.log").rename(folder / "access.log.1")
        (folder / "access.log.1").chmod(0)
        put(ledger, "access.log", range(2, 3))
        if os.geteuid() == 0:
            os.seteuid(65534)
        with pytest.raises(FetchFailed, match=r"no_permission: .*access\.log\.1"):
            ledger.read()
        assert seen(ledger) == [1, 2]
        assert ledger.gaps == []


def test_a_folder_that_may_not_be_read_is_told() -> None:
    with unprivileged() as folder:
        folder.chmod(0)
        if os.geteuid() == 0:
            os.seteuid(65534)
        with pytest.raises(FetchFailed, match="no_permission"):
            Ledger(folder).read()
