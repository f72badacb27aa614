"""The kept bytes: reading them again, and letting the old ones go."""

from __future__ import annotations

import json
import zlib
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.model import Capture, Exchange
from monitor.store.connection import Store
from monitor.times import to_text

KEEP_LONGER = 4  # times keep_captures, for pages that were blocked, changed or suspect: they teach a better parser


class Pruned(NamedTuple):
    """What was let go: how many captures, and their bytes before compression."""

    captures: int
    size: int


def exchanges_of(store: Store, reading_id: int) -> list[Exchange]:
    """The exchanges of a reading with their captures, as they came; a pruned capture is None."""
    rows = store.rows(
        "select e.*, c.media_type from exchanges e left join captures c on c.id = e.capture_id"
        " where e.reading_id = ? order by e.n",
        (reading_id,),
    )
    return [_exchange(store, row) for row in rows]


def _exchange(store: Store, row: dict[str, object]) -> Exchange:
    headers = json.loads(str(row["headers"]))
    status = int(str(row["status"])) if row["status"] is not None else None
    found = store.bodies.execute("select body from bodies where id = ?", [row["capture_id"]]).fetchone()
    capture = None
    if found:
        capture = Capture(
            body=zlib.decompress(found[0]),
            media_type=str(row["media_type"]),
            status=status or 200,
            asked=str(row["url_asked"]),
            url=str(row["final_url"]),
            headers=headers,
        )
    return Exchange(
        n=int(str(row["n"])),
        asked=str(row["url_asked"]),
        ms=int(str(row["ms"])),
        status=status,
        headers=headers,
        url=str(row["final_url"]),
        capture=capture,
    )


def prune(store: Store, now: datetime, keep: timedelta) -> Pruned:
    """Let captures go that no reading younger than `keep` points to; their rows stay and say when.

    Pages that were blocked, changed or suspect are kept four times as long.
    """
    young, old = to_text(now - keep), to_text(now - keep * KEEP_LONGER)
    rows = store.rows(
        "select c.id, c.size from captures c where c.pruned_at is null and not exists ("
        " select 1 from exchanges e join readings r on r.id = e.reading_id where e.capture_id = c.id and ("
        "  r.started_at >= ? or (r.outcome in ('blocked', 'changed', 'suspect') and r.started_at >= ?)))",
        (young, old),
    )
    with store.write() as db:  # the rows first: a capture marked and still there is harmless, the reverse is not
        db.conn.executemany("update captures set pruned_at = ? where id = ?", [(to_text(now), r["id"]) for r in rows])
    with store.write_bodies() as conn:
        conn.executemany("delete from bodies where id = ?", [(r["id"],) for r in rows])
    return Pruned(len(rows), sum(int(r["size"]) for r in rows))
