"""How much of a log is read: what a progress bar shows."""

from __future__ import annotations

from datetime import datetime

from monitor.config import Configured, Settings
from monitor.fetch import rotation
from monitor.model import Context, FetchFailed, Files, LogCursor
from monitor.store import logs
from monitor.store.connection import Store


def so_far(cursor: LogCursor, size: int) -> int:
    """The bytes that are read of a file of this size."""
    return size if cursor.done and cursor.size == size else min(cursor.offset, size)


def read_so_far(
    settings: Settings, store: Store, configured: Configured, source_id: int, now: datetime
) -> dict[str, tuple[int, int]]:
    """How many bytes of each of a log's files are read, and how many there are, by name.

    Empty for what is no log, or cannot be listed (the attempt says why). Of a packed file that is not read to its end
    the bytes count as they are unpacked, its size at most.
    """
    if not configured.source.history:
        return {}
    requests = configured.source.requests(Context(now=now, day=now.date()))
    try:
        patterns = [one.pattern for one in requests if isinstance(one, Files)]
        found = [file for pattern in patterns for file in rotation.listing(pattern, settings.base)]
    except FetchFailed:
        return {}
    known = {(one.dev, one.ino): one for one in logs.cursors(store, source_id)}
    read = ((file, known.get((file.dev, file.ino))) for file in found)
    return {file.name: (so_far(cursor, file.size) if cursor else 0, file.size) for file, cursor in read}
