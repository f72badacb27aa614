"""What was read from one reading, table by table: a few rows are shown, of many the number and the way to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasette.database import QueryInterrupted

from monitor.web.pages import Asked

FEW = 50

COUNT = "select count(*) as n from ({rows})"

# Days that a reading of page views can have counted, found without looking at every path of ten years.
_DAYS = """
select day from site_views where source_id = :source and reading_id = :id
union select :day union select date(:day, '-1 day')
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: its table, its name on the page, its columns, and the rows of a reading."""

    table: str
    title: str
    columns: tuple[str, ...]
    sql: str
    measures: tuple[str, ...] = ()  # the sources that can have such rows; () for all


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one kind that a reading holds now; `trouble` says why they could not be read."""

    table: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    total: int
    href: str
    trouble: str = ""


KINDS: tuple[Kind, ...] = (
    Kind(
        "site_views",
        "Page views by day",
        ("day", "views", "visitors", "feed_views", "complete"),
        "select day, views, visitors, feed_views, case complete when 1 then 'yes' else 'not yet' end as complete"
        " from site_views where source_id = :source and reading_id = :id order by day desc",
        ("page_views",),
    ),
    Kind(
        "page_views",
        "Page views by page",
        ("day", "path", "views", "visitors"),
        "select v.day, p.path, v.views, v.visitors from page_views v join paths p on p.id = v.path_id"
        " where v.source_id = :source and v.day in ({days}) and v.reading_id = :id order by v.views desc, v.day desc",
        ("page_views",),
    ),
    Kind(
        "referrers",
        "Referrers",
        ("day", "referrer", "medium", "views"),
        "select day, referrer, medium, views from referrers"
        " where source_id = :source and day in ({days}) and reading_id = :id order by views desc, referrer",
        ("page_views",),
    ),
    Kind(
        "not_counted",
        "Not counted, and why",
        ("day", "reason", "lines"),
        "select day, replace(reason, '_', ' ') as reason, lines from not_counted"
        " where source_id = :source and day in ({days}) and reading_id = :id order by lines desc, reason",
        ("page_views",),
    ),
    Kind(
        "log_gaps",
        "Pieces of a log that were gone",
        ("at", "name", "offset"),
        'select at, name, "offset" from log_gaps where reading_id = :id order by id',
        ("page_views",),
    ),
    Kind(
        "counts",
        "Numbers of a profile",
        ("day", "profile", "metric", "window", "value", "state", "precision", "definition"),
        "select day, profile, metric, window, value, state, precision, definition from counts"
        " where source_id = :source and reading_id = :id order by profile, metric, window, day desc",
    ),
    Kind(
        "contacts",
        "Contacts",
        ("day", "kind", "origin", "sender_domain", "note"),
        "select day, kind, origin, sender_domain, note from contacts where reading_id = :id order by day desc, id desc",
    ),
    Kind(
        "events",
        "Events",
        ("day", "title", "note"),
        "select day, title, note from events where reading_id = :id order by day desc, id desc",
    ),
    Kind(
        "search_performance",
        "What the engine's console says",
        ("day", "query", "page", "clicks", "impressions", "position"),
        "select day, query, page, clicks, impressions, round(position, 1) as position from search_performance"
        " where source_id = :source and reading_id = :id order by impressions desc, day desc",
        ("search",),
    ),
    Kind(
        "revisions",
        "Earlier numbers that it corrected",
        ("day", "table_name", "key", "old", "new"),
        "select day, table_name, key, old, new from revisions where reading_id = :id order by id",
    ),
)


async def parts(asked: Asked, reading: Mapping[str, Any]) -> tuple[Part, ...]:
    """What the reading holds, without its results: only what there is, and what could not be looked up."""
    found = [await _part(asked, kind, reading) for kind in KINDS if reading["measure"] in (kind.measures or _ANY)]
    return tuple(part for part in found if part.total or part.trouble)


_ANY = ("search", "page_views", "profile", "contacts", "typed")


async def _part(asked: Asked, kind: Kind, reading: Mapping[str, Any]) -> Part:
    params = {"id": reading["id"], "source": reading["source_id"], "day": reading["day"]}
    sql = kind.sql.replace("{days}", _DAYS)
    href = asked.links.rows(kind.table, reading_id=reading["id"])
    try:
        rows = await asked.rows(f"{sql} limit {FEW + 1}", **params)
        total = len(rows)
        if total > FEW:
            total = (await asked.rows(COUNT.replace("{rows}", sql), **params))[0]["n"]
    except QueryInterrupted:
        return Part(kind.table, kind.title, kind.columns, (), 0, href, "looking them up took too long")
    except sqlite3.DatabaseError as error:
        return Part(kind.table, kind.title, kind.columns, (), 0, href, str(error))
    return Part(kind.table, kind.title, kind.columns, tuple(rows[:FEW]), total, href)
