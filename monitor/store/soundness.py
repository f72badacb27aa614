"""Who has the history open, whether it was last left in good order, and when it was last checked for damage.

SQLite reports damage only where it happens to read it, and writes on beside it: overwritten pages let an insert pass
and a count fail. So the files are checked after an end that was no end (a kill, a power cut) and once a week.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.store.lock import open_lock, try_lock
from monitor.store.trouble import damaged, explain

CHECK_EVERY = timedelta(days=7)


class OpenMark:
    """`<database>.open.lock`: shared by all that have the history open; its time says when it was last checked.

    Make and close it while holding the write lock: then nobody takes an opener's short look for a second opener.
    """

    def __init__(self, path: Path, files: tuple[Path, ...], now: datetime) -> None:
        self.files = files
        mark = path.with_name(f"{path.name}.open.lock")
        known = mark.exists()
        self._handle = open_lock(mark)
        begins = not path.exists()
        alone = try_lock(self._handle)
        fcntl.flock(self._handle, fcntl.LOCK_SH)
        self.due = (alone and self._left_unclean()) or not (known or begins) or self.is_old(now)
        if begins:
            self.checked(now)

    def close(self) -> None:
        """No longer at work on the history."""
        os.close(self._handle)

    def _left_unclean(self) -> bool:
        """Whether a write-ahead log holds anything although nobody is at work: an orderly end leaves it empty."""
        for path in self.files:
            with contextlib.suppress(FileNotFoundError):
                if Path(f"{path}-wal").stat().st_size:
                    return True
        return False

    def is_old(self, now: datetime) -> bool:
        """Whether the last check is a week old (or lies in the future, by a clock that was wrong)."""
        last = datetime.fromtimestamp(os.fstat(self._handle).st_mtime, UTC)
        return not -timedelta(days=1) <= now - last < CHECK_EVERY

    def doubt(self) -> None:
        """Have the files checked at the next start."""
        self._set_time(0)

    def checked(self, now: datetime) -> None:
        """Remember that the files were found sound."""
        self._set_time(now.timestamp())

    def _set_time(self, at: float) -> None:
        with contextlib.suppress(OSError):  # only the file's owner may: then it is checked again the next time
            os.utime(self._handle, (at, at))


def check(path: Path) -> None:
    """Read a whole file over for damage (0.8 s for 149 MB). Raises StoreError: 65 when it is damaged."""
    try:
        with contextlib.closing(look_at(path)) as conn:
            (said,) = conn.execute("pragma quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise explain(error, path) from error
    if said != "ok":
        raise damaged(path, " ".join(said.split()))


def look_at(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
