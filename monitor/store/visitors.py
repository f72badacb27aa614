"""Unique visitors of a log's days, counted without keeping an address.

A visitor is a keyed hash of day, address and agent (`sources/page_views/visitor.py`). Key and hashes stay only while
lines of that day may still come; `site_views.visitors` counts along, and is all that remains when the day is closed.
A line that comes later still counts as a view, and as no visitor. Of a day that was already being counted when visitors
were not, or of which an address is missing, there is no number: null, never a part of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b

from sqlite_utils import Database

from monitor.model import SiteViews, Visitors
from monitor.store.connection import Store
from monitor.store.logs import Stale
from monitor.store.reader import HasRows

OPEN_DAYS = 3  # the log's days: a day is closed when the third after it has lines, so a later one is 2 days complete
LONGEST_OPEN = 7  # days by the clock: a log that no longer grows closes its last days too


@dataclass(frozen=True)
class Keys:
    """The key of each day of a source, for the length of one attempt: the stored one, a new one, or none.

    There is none for a day that is closed, or was begun without. New keys are made from a random secret of the attempt,
    so that two processes that read along make the same.
    """

    stored: dict[date, bytes]
    begun: frozenset[date]
    secret: bytes = field(repr=False)

    def __call__(self, day: date) -> bytes:
        """The key of a day, empty where there is none."""
        if day in self.stored or day in self.begun:
            return self.stored.get(day, b"")
        return blake2b(day.isoformat().encode(), digest_size=32, key=self.secret).digest()


def keys(store: HasRows, source_id: int, random: Callable[[int], bytes] = secrets.token_bytes) -> Keys:
    """The keys as the history has them now. Nothing is written here: a new one is stored with its first hashes."""
    stored = store.rows("select day, key from visitor_keys where source_id = ?", (source_id,))
    begun = store.rows("select day from site_views where source_id = ? and views > 0", (source_id,))
    return Keys(
        {date.fromisoformat(row["day"]): row["key"] for row in stored},
        frozenset(date.fromisoformat(row["day"]) for row in begun),
        random(32),
    )


def save(db: Database, source_id: int, said: list[Visitors], totals: list[SiteViews]) -> None:
    """Add the visitors of a piece of a log, inside the write that stores its views, and after those.

    Raises Stale when another process has given one of the days another key.
    """
    for one in said:
        where = [source_id, one.day.isoformat()]
        if db.execute("insert or ignore into visitor_keys values (?, ?, ?)", [*where, one.key]).rowcount:
            db.execute("update site_views set visitors = 0 where source_id = ? and day = ?", where)
        sql = "select key from visitor_keys where source_id = ? and day = ?"
        if db.execute(sql, where).fetchone() != (one.key,):
            raise Stale(f"visitors of {one.day}")
        before = db.conn.total_changes
        sql = "insert or ignore into visitor_hashes select ?, ?, value from json_each(?)"  # as many in one statement
        db.execute(sql, [*where, f"[{','.join(map(str, one.hashes or ()))}]"])
        more = None if one.hashes is None else db.conn.total_changes - before
        db.execute("update site_views set visitors = visitors + ? where source_id = ? and day = ?", [more, *where])
    for total in totals:
        db.execute(
            "update site_views set visitors = 0 where source_id = ? and day = ? and views = 0 and visitors is null",
            [source_id, total.day.isoformat()],
        )


def close(store: Store, source_id: int, today: date) -> None:
    """Forget keys and hashes of the days of which no more lines are awaited, and those of retired sources.

    Call it when an attempt has read all there was. A line dated in the future closes nothing.

    The bytes are overwritten in the file.
    """
    done = (
        "select k.source_id, k.day from visitor_keys k join sources s on s.id = k.source_id"
        " where s.retired_at is not null or k.source_id = ? and (k.day <= date(?, ?) or k.day <= ("
        "  select date(max(v.day), ?) from site_views v"
        "  where v.source_id = k.source_id and v.day <= date(?, '+1 day')))"
    )
    args = (source_id, today.isoformat(), f"-{LONGEST_OPEN} days", f"-{OPEN_DAYS} days", today.isoformat())
    if not store.rows(done, args):
        return
    with store.write() as db:
        db.execute("pragma secure_delete = on").fetchall()
        db.execute(f"delete from visitor_hashes where (source_id, day) in ({done})", list(args))  # noqa: S608
        db.execute(f"delete from visitor_keys where (source_id, day) in ({done})", list(args))  # noqa: S608
