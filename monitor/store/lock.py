"""Locks between threads and processes: whose turn it is to write, and who is at work at all.

They are `flock` locks, which the kernel frees when their process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from monitor.store.trouble import StoreError, explain

POLL_SECONDS = 0.005  # flock knows no time limit of its own
_PID_WIDTH = 12


def open_lock(path: Path) -> int:
    """The file descriptor of a lock file, made when missing, the owner's alone. Raises OSError."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(handle: int) -> bool:
    """Take the lock alone if it is free."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class WriteLock:
    """The turn to write one history: one thread of one process at a time; the thread that has it may take it again.

    The wait is bounded by `seconds`, for a stopped process keeps its lock for as long as it is stopped. The lock file
    names the process that wrote last, so that it can be told who is waited for.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self.path, self.seconds = path, seconds
        self.turn = threading.RLock()
        self._depth = 0
        self._handle = open_lock(path)

    def close(self) -> None:
        """Let the lock file go."""
        os.close(self._handle)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock for the block. Raises StoreError(75) when it is not to be had within the time limit."""
        until = time.monotonic() + self.seconds
        if not self.turn.acquire(timeout=self.seconds):
            raise self._not_to_be_had()
        try:
            if self._depth == 0:
                self._take(until)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    fcntl.flock(self._handle, fcntl.LOCK_UN)
        finally:
            self.turn.release()

    def _take(self, until: float) -> None:
        while not try_lock(self._handle):
            if time.monotonic() >= until:
                raise self._not_to_be_had()
            time.sleep(POLL_SECONDS)
        with contextlib.suppress(OSError):  # a full disk: then nobody is named
            os.pwrite(self._handle, f"{os.getpid()}".ljust(_PID_WIDTH).encode(), 0)

    def _not_to_be_had(self) -> StoreError:
        pid = os.pread(self._handle, _PID_WIDTH, 0).strip().decode("ascii", "replace")
        database = self.path.with_name(self.path.name.removesuffix(".lock"))
        return StoreError(
            f"{database} has been held by another program (process {pid or 'unknown'}) for {self.seconds:g} s:"
            " if that one hangs or is stopped, end it, and try again.",
            75,
        )


@contextlib.contextmanager
def only_one(path: Path, what: str, *, busy: str = "", seconds: float = 0) -> Iterator[None]:
    """Hold `<database>.<what>.lock` for the block, or raise StoreError(75) when another process holds it.

    It is waited for up to `seconds`; `busy` is what is said then.
    """
    try:
        handle = open_lock(path.with_name(f"{path.name}.{what}.lock"))
    except OSError as error:
        raise explain(error, path) from error
    try:
        until = time.monotonic() + seconds
        while not try_lock(handle):
            if time.monotonic() >= until:
                raise StoreError(busy or f"Another monitor is at work on {path}: stop it first, or use that one.", 75)
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(handle)


def holder_of(lock: Path, locks: Path = Path("/proc/locks")) -> int | None:
    """The process that holds a file lock, by the kernel's list: the lock itself is not tried."""
    try:
        info, listed = lock.stat(), locks.read_text()
    except OSError:
        return None
    place = f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}:{info.st_ino}"
    for line in listed.splitlines():
        parts = line.split()
        if len(parts) > 5 and parts[1] == "FLOCK" and parts[5] == place:
            return max(0, int(parts[4]))
    return None


def is_at_work(database: Path) -> bool:
    """Whether a `monitor run` is at work on this history: it holds the run lock until it ends, however it ends."""
    run = database.with_name(f"{database.name}.run.lock")
    return holder_of(run) is not None or is_taken(run)


def is_taken(lock: Path) -> bool:
    """Whether the lock is taken by a process the kernel's list does not show (in a container, on macOS): by a try."""
    try:
        handle = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
