"""A long log is parsed by two: this process, which reads and stores, and a helper process that parses along.

The batches keep their order, and who parsed one changes nothing: a parse knows only its bytes, its source and its
context. So the helper has nothing to lose: when it ends, whyever, what it had is parsed here.

What passes between the two stands in memory files (memfd_create(2)), of which only the number goes through a socket:
neither waits for the other to take a long message, no line of a log touches a disk, and when one of the two is gone the
socket says so to the other. Where there are no such files (they are Linux's) all is parsed here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, starmap
from operator import attrgetter
from typing import Any

from monitor.collect import Said, in_turn, parse_piece
from monitor.model import Batch, Context, Parsed, Record, Source

AFTER = 4 << 20  # bytes: less is parsed in less time than a process takes to start
GIVEN, WAITING = 2, 4  # batches: how many the helper has at most, and how many wait in memory for their turn

log = logging.getLogger("monitor")


def ahead(
    source: Source, ctx: Context, batches: Iterator[Batch], *, after: int = AFTER, patience_ms: int = 0
) -> Iterator[tuple[Batch, Said]]:
    """Each batch in its order, with what it says. Where there are two cores, a helper starts after so many bytes.

    Until it is up, all is parsed here; `patience_ms` says how long to wait for it instead.
    """
    seen = 0
    for batch, said in in_turn(source, ctx, batches):
        yield batch, said
        seen += len(batch.capture.body)
        if seen >= after:
            break
    helper = _start(source, ctx) if seen >= after else None
    if helper is None:
        yield from in_turn(source, ctx, batches)
        return
    with contextlib.closing(helper):
        helper.has_room(patience_ms)
        yield from _by_two(helper, source, ctx, batches)


def _by_two(helper: Helper, source: Source, ctx: Context, batches: Iterator[Batch]) -> Iterator[tuple[Batch, Said]]:
    """The helper is given its share, what is ready is stored, and instead of waiting for more this process parses."""
    queue: deque[tuple[Batch, Said | None]] = deque()  # None: the helper has it
    more = True
    while more or queue:
        is_ready = bool(queue) and (queue[0][1] is not None or helper.has_answer())
        if more and len(queue) < WAITING and (not is_ready or helper.has_room()):
            batch = next(batches, None)
            if batch is None:
                more = False
                continue
            given = batch.capture.body and helper.has_room() and helper.give(batch)
            queue.append((batch, None if given else parse_piece(source, ctx, batch.capture)))
        else:
            batch, said = queue.popleft()
            yield batch, said or helper.take() or parse_piece(source, ctx, batch.capture)


def _start(source: Source, ctx: Context) -> Helper | None:
    """A helper, where it helps and can be had."""
    if _cores() < 2 or not hasattr(os, "memfd_create"):
        return None
    try:
        return Helper(source, ctx)
    except OSError as error:
        log.info("No second process reads along: %s", error)
        return None


def _cores() -> int:
    """The cores that this process may use; 1 where that cannot be told."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not Linux, or a sandbox that forbids the question
        return 1


class Helper:
    """The helper process, seen from here. When it does not take or answer any more it is gone, which is said once."""

    def __init__(self, source: Source, ctx: Context) -> None:
        """Start it. Raises OSError where that cannot be done."""
        self.given, self.is_up, self.is_gone = 0, False, False
        self.sock, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as on_failure:
            on_failure.callback(self.sock.close)
            _send(self.sock, (source, ctx))  # waits there for it
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "monitor.ahead", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                process_group=0,  # Ctrl-C is not for it
            )
            on_failure.pop_all()

    def close(self) -> None:
        """End it at once: it holds nothing that is not here too."""
        self.sock.close()
        self.process.kill()
        self.process.wait()

    def has_room(self, patience_ms: int = 0) -> bool:
        """Whether it can be given a piece: it has started, and is not too far behind."""
        if not self.is_up and self.has_answer(patience_ms):
            self.is_up = True
            self._receive()
        return self.is_up and not self.is_gone and self.given < GIVEN

    def has_answer(self, patience_ms: int = 0) -> bool:
        """Whether it has answered, or never will."""
        if self.is_gone:
            return True
        answers = select.poll()
        answers.register(self.sock, select.POLLIN)
        return bool(answers.poll(patience_ms))

    def give(self, batch: Batch) -> bool:
        """Give it a piece to parse; whether that went well."""
        try:
            _send(self.sock, batch.capture)
        except OSError as error:
            self._lose(error)
            return False
        self.given += 1
        return True

    def take(self) -> Said | None:
        """What the oldest piece that it was given says, once it has answered; None when it is gone."""
        self.given -= 1
        said = self._receive()
        return _unpacked(*said) if isinstance(said, tuple) else said

    def _receive(self) -> Any:
        if self.is_gone:
            return None
        try:
            return _receive(self.sock)
        except (EOFError, OSError) as error:
            self._lose(error)
            return None

    def _lose(self, error: Exception) -> None:
        self.is_gone = True
        log.warning("The process that read along has ended (%r): this one reads on alone.", error)


# --- the helper process --------------------------------------------------------------------------------------------


def serve(sock: socket.socket) -> None:
    """Parse piece after piece until the other side is gone: then EOFError or ConnectionError is raised."""
    source, ctx = _receive(sock)
    _send(sock, None)  # it is up
    while True:
        _send(sock, _packed(parse_piece(source, ctx, _receive(sock))))


def _packed(said: Said) -> Any:
    """Records as rows by kind: to pickle them one by one takes ten times as long."""
    if not isinstance(said, Parsed):
        return said
    kinds: Iterator[tuple[Any, Iterator[Record]]] = groupby(said.records, type)
    return replace(said, records=()), [(kind, list(map(attrgetter(*kind.__slots__), rows))) for kind, rows in kinds]


def _unpacked(said: Parsed, kinds: list[tuple[Any, list[tuple[object, ...]]]]) -> Parsed:
    return replace(said, records=tuple(record for kind, rows in kinds for record in starmap(kind, rows)))


def _send(sock: socket.socket, what: object) -> None:
    with open(os.memfd_create("monitor"), "wb", buffering=0) as file:
        pickle.dump(what, file, 5)
        socket.send_fds(sock, [b"."], [file.fileno()])


def _receive(sock: socket.socket) -> Any:
    """What was sent: by this very program, so pickle is safe. Raises EOFError when the other side is gone."""
    _, files, *_ = socket.recv_fds(sock, 1, 1)
    if not files:
        raise EOFError("it is gone")
    with open(files[0], "rb", buffering=0) as file:
        file.seek(0)
        return pickle.loads(file.readall())  # noqa: S301


def main() -> None:
    """Be the helper process: `python -m monitor.ahead SOCKET`. It ends when its socket does, not by a signal."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as sock, contextlib.suppress(EOFError, ConnectionError):
        serve(sock)


if __name__ == "__main__":
    main()
