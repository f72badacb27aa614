"""SHELL: the thread that beats, and the comparing of two clocks that notices sleep and a clock that was set."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from datetime import datetime

JUMP_SECONDS = 5.0


class Heartbeat:
    """A thread that calls `beat` at once and then every few seconds, and in between does what it is asked.

    `ask` may be called by a signal handler: `SimpleQueue.put` is reentrant (docs.python.org, queue), an Event is not.
    `beat` and what is asked must not raise.
    """

    def __init__(self, beat: Callable[[], None], seconds: float) -> None:
        self._beat, self._seconds = beat, seconds
        self._asked: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def ask(self, work: Callable[[], None]) -> None:
        """Have something done by this thread, at once if it is idle."""
        self._asked.put(work)

    def stop(self) -> None:
        """End after the beat under way; does not wait for it."""
        self._asked.put(None)

    def _run(self) -> None:
        while True:
            self._beat()
            try:
                work = self._asked.get(timeout=self._seconds)
            except queue.Empty:
                continue
            if work is None:
                return
            work()


class Clocks:
    """Compares the wall clock with the steady one, which no one sets and which stands still in sleep (Linux)."""

    def __init__(self, now: datetime, tick: float) -> None:
        self._wall, self._steady = now, tick
        self._turn = threading.Lock()

    def moved(self, now: datetime, tick: float) -> tuple[datetime, float] | None:
        """The wall's time before a jump, and by how many seconds it jumped since the last call; None for no jump."""
        with self._turn:
            before = self._wall
            jump = (now - before).total_seconds() - (tick - self._steady)
            self._wall, self._steady = now, tick
        return (before, jump) if abs(jump) > JUMP_SECONDS else None
