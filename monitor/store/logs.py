"""How far each log has been read: cursors that move in the same transaction as the numbers."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils import Database

from monitor.model import Batch, LogCursor
from monitor.store.connection import Store
from monitor.times import to_text


class Stale(Exception):
    """Another process read these lines first; nothing was stored twice, and the next look goes on from there."""


_COLUMNS = 'name, dev, ino, size, mtime_ns, "offset", head_len, head_hash, tail_hash, done'


def cursors(store: Store, source_id: int) -> tuple[LogCursor, ...]:
    """The stored cursors of a source."""
    rows = store.rows(f"select id, {_COLUMNS} from log_files where source_id = ? order by id", (source_id,))  # noqa: S608
    return tuple(LogCursor(**{**row, "done": bool(row["done"])}) for row in rows)


def move_cursor(db: Database, source_id: int, reading_id: int, batch: Batch, now: datetime) -> None:
    """Store where the batch ended, and the gaps it met.

    Raises Stale when the cursor is no longer where the batch began.
    """
    at, after = to_text(now), batch.after
    values = [
        after.name, after.dev, after.ino, after.size, after.mtime_ns, after.offset,
        after.head_len, after.head_hash, after.tail_hash, int(after.done),
    ]  # fmt: skip
    known = batch.before and _row_of(db, source_id, batch.before)
    if batch.before and not known:
        raise Stale(batch.before.name)
    if known:
        sets = ", ".join(f"{name.strip()} = ?" for name in _COLUMNS.split(","))
        db.execute(f"update log_files set {sets}, last_seen = ? where id = ?", [*values, at, known])  # noqa: S608
    else:
        db.execute(
            f"insert into log_files (source_id, {_COLUMNS}, first_seen, last_seen) values ({', '.join('?' * 13)})",  # noqa: S608
            [source_id, *values, at, at],
        )
    for gap in batch.gaps:
        db.execute(
            'insert or ignore into log_gaps (source_id, log_file_id, at, name, "offset", reading_id)'
            " values (?, ?, ?, ?, ?, ?)",
            [source_id, gap.cursor_id, at, gap.name, gap.offset, reading_id],
        )


def _row_of(db: Database, source_id: int, before: LogCursor) -> int | None:
    """The row that still stands exactly where `before` does: by id, or by content for one stored a moment ago."""
    args: list[object]
    if before.id is not None:
        sql, args = "id = ?", [before.id]
    else:
        sql, args = "dev = ? and ino = ? and head_hash = ?", [before.dev, before.ino, before.head_hash]
    found = db.execute(
        f'select id from log_files where source_id = ? and {sql} and "offset" = ? and tail_hash = ?'  # noqa: S608
        " order by id desc limit 1",
        [source_id, *args, before.offset, before.tail_hash],
    ).fetchone()
    return int(found[0]) if found else None


def save_quietly(store: Store, source_id: int, batch: Batch, now: datetime) -> None:
    """Move a cursor's bookkeeping (a file renamed or finished) when nothing was read: no reading is written."""
    with store.write() as db:
        move_cursor(db, source_id, 0, batch, now)
