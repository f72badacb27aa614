"""The reads behind the home page: named views and tables only, through Datasette's own read-only connection."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from datasette.database import QueryInterrupted

from monitor.web.rows import Row, Rows

APPLICATION_ID = 0x4D4F4E49  # "MONI": what store writes into the file's header
INVENTED = 0x44454D4F  # "DEMO": what `monitor demo` writes into the file's header (monitor.demo.making.MARK)

OURS = """
select application_id, (select count(*) from sqlite_master where type = 'table' and name in ('readings', 'sources'))
from pragma_application_id
"""

KEY = "select json_array(c.source_id, c.profile, c.metric, c.window) from counts c"
"""One number of one profile, as the reads below step from each to the next, a seek a step."""

READS: Mapping[str, str] = MappingProxyType(
    {
        "labels": "select count(*) as mine from labels where whose = 'mine'",
        "heartbeat": "select beat_at from heartbeat",
        "sources": """
            select h.*, s.provider, s.settings ->> 'subject' as subject, s.settings ->> 'control' as control,
              g.day as good_day, g.depth as good_depth
            from source_health h
            join sources s on s.id = h.source_id
            left join readings g on g.id = h.good_reading_id
            order by h.source_id
        """,
        "days": """
            select source_id, day, outcome, reason, depth, id as reading_id
            from day_readings where day > date(:today, '-90 days') order by day
        """,
        "ranks": """
            select source_id, day, position, depth, reading_id
            from daily_ranks where day > date(:today, '-90 days') order by day
        """,
        "current": "select source_id, day, position, depth, url, mine, unwanted, reading_id from current_ranks",
        "page_one": """
            select source_id, engine, query, day, position, whose, url, title, host, labelled, url_id, depth, reading_id
            from page_one where kind = 'organic' and position <= 10 order by source_id, position
        """,
        "views": """
            select source_id, source, site, day, views, visitors, complete, reading_id
            from daily_page_views where day > date(:today, '-90 days') order by source_id, day
        """,
        "older": """
            select source_id, source, site, max(day) as day, views, reading_id
            from daily_page_views group by source_id having max(day) <= date(:today, '-90 days') order by source_id
        """,
        "paths": """
            select * from (
              select v.source_id, v.path_id, p.path, sum(v.views) as views,
                row_number() over (partition by v.source_id order by sum(v.views) desc, p.path) as n
              from page_views v
              join (
                select source_id, coalesce(max(case when complete then day end), max(day)) as last
                from site_views group by source_id
              ) w using (source_id)
              join paths p on p.id = v.path_id
              where v.day > date(w.last, '-7 days') and v.day <= w.last
              group by v.source_id, v.path_id
            ) where n <= 5
        """,
        "referrers": """
            select * from (
              select r.source_id, r.referrer, r.medium, sum(r.views) as views,
                row_number() over (partition by r.source_id order by sum(r.views) desc, r.referrer) as n
              from referrers r
              join (
                select source_id, coalesce(max(case when complete then day end), max(day)) as last
                from site_views group by source_id
              ) w using (source_id)
              where r.day > date(w.last, '-7 days') and r.day <= w.last and r.medium <> 'internal'
              group by r.source_id, r.referrer
            ) where n <= 5
        """,
        "counts": f"""
            with recursive keys (k) as (
              select ({KEY} order by c.source_id, c.profile, c.metric, c.window limit 1)
              union all
              select coalesce(
                ({KEY} where c.source_id = k ->> 0 and c.profile = k ->> 1 and c.metric = k ->> 2 and c.window > k ->> 3
                  order by c.window limit 1),
                ({KEY} where c.source_id = k ->> 0 and c.profile = k ->> 1 and c.metric > k ->> 2
                  order by c.metric, c.window limit 1),
                ({KEY} where c.source_id = k ->> 0 and c.profile > k ->> 1
                  order by c.profile, c.metric, c.window limit 1),
                ({KEY} where c.source_id > k ->> 0 order by c.source_id, c.profile, c.metric, c.window limit 1)
              )
              from keys where k is not null
            )
            select c.profile, c.metric, c.window, c.day, c.value, c.state, c.precision, c.typed, c.source,
              c.definition, c.reading_id, b.day as before_day, b.value as before, (
                select max(o.value) from counts o
                where o.source_id = c.source_id and o.profile = c.profile and o.metric = c.metric
                  and o.window = c.window and o.day > date(c.day, '-365 days') and o.day < c.day
              ) as best_before
            from keys
            cross join profile_counts c on c.source_id = k ->> 0 and c.profile = k ->> 1 and c.metric = k ->> 2
              and c.window = k ->> 3 and c.day = (
                select max(n.day) from counts n
                where n.source_id = k ->> 0 and n.profile = k ->> 1 and n.metric = k ->> 2 and n.window = k ->> 3
              )
            left join counts b on b.source_id = c.source_id and b.profile = c.profile and b.metric = c.metric
              and b.window = c.window and b.day = (
                select max(o.day) from counts o
                where o.source_id = c.source_id and o.profile = c.profile and o.metric = c.metric
                  and o.window = c.window and o.day <= date(c.day, '-28 days') and o.state = 'read'
              )
            order by c.profile, c.metric, c.window
        """,  # noqa: S608 - the text is ours
        "years": """
            select s.id as source_id, min(d.position) as best, max(d.position) as worst, min(d.day) as first_day,
              sum(d.position is null) as beyond
            from searches s
            cross join rank_days d on d.source_id = s.id and d.day > date(:today, '-365 days')
            where s.retired_at is null and (d.position is not null or d.believed)
            group by s.id
        """,
        "moves": """
            select source_id, engine, query, day, before, after, depth, before_day, confirmed, reading_id
            from rank_changes
            where news and confirmed is not 0 and day > date(:today, '-90 days') order by day desc
        """,
        "came": """
            select source_id, engine, query, day, what, position, whose, url, url_id, reading_id
            from page_one_changes
            where whose in ('mine', 'about_me', 'unwanted') and day > date(:today, '-90 days')
            order by day desc, position
        """,
        "rising": """
            select h.source_id, h.engine, h.query, h.url_id, h.url, h.day, h.position, h.reading_id
            from page_one p
            cross join page_one_history h on h.source_id = p.source_id and h.url_id = p.url_id
            where p.whose = 'unwanted' and p.kind = 'organic' and p.position <= 10 and h.day > date(:today, '-90 days')
            order by h.source_id, h.url_id, h.day
        """,
        "earlier": """
            select s.id as source_id, (
                select count(*) from (
                  select 1 from rank_days d
                  where d.source_id = s.id and d.day <= date(:today, '-90 days') and d.position = 1 limit 1000
                )
              ) as first_places, exists (
                select 1 from rank_days d
                where d.source_id = s.id and d.day <= date(:today, '-90 days') and d.position <= 10
              ) as page_one
            from searches s where s.retired_at is null
        """,
        "firsts": """
            select contact_id, day, kind, origin, reading_id
            from counted_contacts where first and day > date(:today, '-90 days') order by day desc, contact_id desc
        """,
        "exposed": """
            select identifier, kind, url, host, allowed, state, first_seen, gone_day, found_reading_id, reading_id
            from exposures where (state = 'found' and not allowed) or gone_day > date(:today, '-90 days')
            order by first_seen desc
        """,
        "unsure": "select count(*) as waiting from unsure_contacts",
        "origins": """
            select origin, count(*) as contacts, max(day) as last_day
            from counted_contacts where day > date(:today, '-90 days') group by origin order by contacts desc, origin
        """,
        "contacts": """
            select contact_id as id, day, kind, origin, reading_id
            from counted_contacts order by day desc, contact_id desc limit 3
        """,
    }
)


_known: WeakSet[Any] = WeakSet()  # databases once seen to be ours: that answer cannot change, so it is not asked again
_invented: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


async def is_ours(database: Any) -> bool:
    """Whether this Datasette database is a monitor's file: its application id and its two first tables say so."""
    if database in _known:
        return True
    try:
        row = (await database.execute(OURS)).first()
    except sqlite3.DatabaseError:  # no database at all, or locked: not ours as far as anyone can tell now
        return False
    if tuple(row) != (APPLICATION_ID, 2):
        return False
    _known.add(database)
    return True


async def any_invented(datasette: Any) -> bool:
    """Whether one of our databases is a history that `monitor demo` made up. Asked once of each: it cannot change."""
    for db in await our_databases(datasette):
        if db not in _invented:
            try:
                row = (await db.execute("select user_version from pragma_user_version")).first()
            except (sqlite3.DatabaseError, QueryInterrupted):  # the page itself says what is the matter with the file
                continue
            _invented[db] = row[0] == INVENTED
        if _invented[db]:
            return True
    return False


async def our_databases(datasette: Any) -> list[Any]:
    """The monitor's databases among those that are attached, by what they are and never by name."""
    return [db for name, db in datasette.databases.items() if name != "_internal" and await is_ours(db)]


def local_now(now: datetime, timezone: str) -> datetime:
    """The moment in the owner's zone; UTC where this machine does not know the zone."""
    try:
        return now.astimezone(ZoneInfo(timezone))
    except (ZoneInfoNotFoundError, ValueError):
        return now.astimezone(UTC)


async def read(database: Any, now: datetime, next_tries: Mapping[str, str] | None = None) -> Rows:
    """Everything the home page shows. A read that fails is named in `trouble`, so that it is not taken for none."""
    tables: dict[str, tuple[Row, ...]] = {}
    trouble: dict[str, str] = {}

    async def ask(name: str, sql: str, params: Mapping[str, object]) -> None:
        try:
            tables[name] = tuple(dict(row) for row in (await database.execute(sql, params)).rows)
        except QueryInterrupted:
            trouble[name] = "it took longer than Datasette's sql_time_limit_ms"
        except sqlite3.DatabaseError as error:
            trouble[name] = str(error)

    await ask("owner", "select name, timezone from owner", {})
    owner = tables.get("owner") or ({"name": "", "timezone": "UTC"},)
    moment = local_now(now, owner[0]["timezone"])
    await asyncio.gather(*(ask(name, sql, {"today": moment.date().isoformat()}) for name, sql in READS.items()))
    return Rows(moment, owner[0]["name"], tables, trouble, next_tries or {})
