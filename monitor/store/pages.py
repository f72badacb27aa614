"""Kept results pages as `insight` compares them, read from the history."""

from __future__ import annotations

from monitor.insight import Elsewhere, Page, Place
from monitor.store.connection import Store

_PLACES = """
select r.position, coalesce(u.canonical, '') as url, coalesce(u.whose, 'other') as whose, t.title
from results r
left join urls u on u.id = r.url_id
join texts t on t.id = r.text_id
where r.reading_id = ? and r.kind = 'organic' order by r.position
"""


def last_two(store: Store, source_id: int, until: str) -> tuple[Page, Page] | None:
    """The newest trustworthy page of a source up to a day, and the one of the day before it that was read."""
    rows = store.rows(
        "select id, day from day_readings where source_id = ? and day <= ? and outcome in ('ok', 'empty')"
        " order by day desc limit 2",
        (source_id, until),
    )
    if len(rows) < 2:
        return None
    after, before = (_page(store, row["day"], row["id"]) for row in rows)
    return before, after


def _page(store: Store, day: str, reading_id: int) -> Page:
    places = tuple(Place(**row) for row in store.rows(_PLACES, (reading_id,)))
    return Page(day, places, reading_id)


def elsewhere(store: Store, source_id: int, before: str, after: str) -> tuple[Elsewhere, ...]:
    """The owner's places on the other engines for the same query on the same two days, where both were read."""
    rows = store.rows(
        "select o.engine, o.provider = s.provider as same_index, a.position as before, b.position as after"
        " from searches s join searches o on o.query = s.query and o.id <> s.id"
        " join daily_ranks a on a.source_id = o.id and a.day = ?"
        " join daily_ranks b on b.source_id = o.id and b.day = ?"
        " where s.id = ? order by o.engine",
        (before, after, source_id),
    )
    return tuple(Elsewhere(r["engine"], bool(r["same_index"]), r["before"], r["after"]) for r in rows)
