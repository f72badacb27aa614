"""Which days of a log are whole when files came in another order than they were written in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from monitor.store.connection import Store

_OPEN = """
select day from site_views v
where source_id = ? and complete = 0
  and exists (select 1 from site_views n where n.source_id = v.source_id and n.day = date(v.day, '+1 day'))
"""


def close_days(store: Store, source_id: int, spans: Iterable[tuple[date, date]]) -> None:
    """Mark days as complete: those between each file's first and last day, and any whose next day has lines too.

    Read in the order of time, a day is complete once a line of a later day came. A file brought later is older than
    what stands, so its last day is only known to be whole when the day after it was counted.
    """
    inside = "update {} set complete = 1 where source_id = ? and day >= ? and day < ? and complete = 0"
    one = "update {} set complete = 1 where source_id = ? and day = ? and complete = 0"
    with store.write() as db:
        days = [row[0] for row in db.execute(_OPEN, [source_id]).fetchall()]
        spans = list(spans)
        for table in ("page_views", "site_views"):
            for first, last in spans:
                db.execute(inside.format(table), [source_id, first.isoformat(), last.isoformat()])
            for day in days:
                db.execute(one.format(table), [source_id, day])
