"""A small database for other people's eyes: chosen columns of chosen views, and a list of what was left out.

It is a file of its own, made anew each time, and never the history with parts hidden: what is not in it cannot be asked
for. Its `application_id` is not the history's, so that Monitor's pages stay away from it. Equal histories make equal
files, byte by byte: no instant of its making is in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

from monitor.store.connection import StoreError, explain
from monitor.store.copies import discard, reading, sync

EXTRACT_ID = 0x4D4F4E50  # "MONP"


@dataclass(frozen=True, slots=True)
class Part:
    """A table of the extract: its columns as SQL declares them, the query that fills it, and what it is."""

    columns: str
    sql: str
    said: str


# `own` holds the searches for the owner's own name; a word beside it may be nobody else's business.
PARTS = MappingProxyType(
    {
        "daily_ranks": Part(
            "day text, engine text, query text, position integer, depth integer, url text",
            """select r.day, r.engine, r.query, r.position, r.depth, u.url
            from daily_ranks r left join urls u on u.url = r.url and u.whose = 'mine'
            where r.source_id in own and r.day >= :since order by r.day, r.engine, r.query, r.source_id""",
            "Best place of the owner's own pages. No position: not among the results seen (depth).",
        ),
        "page_one_share": Part(
            "day text, engine text, query text, mine integer, seen integer, share real, weighted_share real",
            """select day, engine, query, mine, seen, share, weighted_share
            from page_one_share where source_id in own and day >= :since order by day, engine, query, source_id""",
            "How many places of page one are the owner's.",
        ),
        "milestones": Part(
            "day text, engine text, query text, milestone text",
            """select day, engine, query, milestone
            from milestones where source_id in own and day >= :since order by day, engine, query, milestone""",
            "Firsts and round numbers.",
        ),
        "daily_page_views": Part(
            "day text, site text, views integer, visitors integer, complete integer",
            """select day, site, views, visitors, complete
            from daily_page_views where day >= :since order by day, site, source_id""",
            "Page views of each site per day, as counted.",
        ),
        "weekly_page_views": Part(
            "week text, monday text, site text, views integer, days integer, complete integer",
            """select week, monday, site, views, days, complete
            from weekly_page_views where monday >= :since order by monday, site, source_id""",
            "Page views per ISO week. A week with fewer days counted is not a smaller week.",
        ),
        "most_read": Part(
            "site text, path text, views integer",
            """select s.settings ->> 'subject', p.path, sum(v.views)
            from page_views v join paths p on p.id = v.path_id join sources s on s.id = v.source_id
            where v.day >= :since group by v.source_id, v.path_id
            order by sum(v.views) desc, p.path, v.source_id limit :paths""",
            "The pages that are read most.",
        ),
        "profile_counts": Part(
            "day text, profile text, metric text, window text, value integer, state text, precision text,"
            " typed integer",
            """select day, profile, metric, window, value, state, precision, typed
            from profile_counts where day >= :since order by day, profile, metric, window, source_id""",
            "Numbers of the owner's profiles. Those typed by hand are marked; no value: not read, which is not zero.",
        ),
        "events": Part(
            "day text, title text, url text",
            "select day, title, url from events where day >= :since order by day, title, id",
            "What the owner noted, without the private notes.",
        ),
        "gaps": Part(
            "day text, measure text, source text, outcome text, reason text",
            """select g.day, s.measure, case s.measure when 'search' then s.engine else s.kind end, g.outcome, g.reason
            from gaps g join sources s on s.id = g.source_id
            where g.day >= :since and (s.id in own or s.measure in ('page_views', 'profile'))
            order by g.day, s.measure, 3, g.source_id, g.outcome, g.reason""",
            "Days without a trustworthy reading, and why: no number was made up for them.",
        ),
    }
)
LEFT_OUT = MappingProxyType(
    {
        "other people": "results, titles and addresses of anyone else, labels, namesakes, unwanted pages",
        "contacts": "who got in touch, when and how",
        "readers": "referrers, visitors' traces, and what robots asked",
        "evidence": "readings with their notes and advice, what was asked and what came back, kept pages",
        "set-up": "sources, settings, hosts, log files and where they are, searches for anything but the owner's name",
    }
)


def write_extract(
    history: Path, target: Path, names: Collection[str], since: date | None = None, paths: int = 0
) -> dict[str, int]:
    """Write the extract of a history and move it into place whole; returns the rows of each of its tables.

    `names` are the owner's: searches for anything else are left out. `since` is the first day taken, all when None.
    `paths` is how many of the most read paths are named. Raises StoreError; a file that is no extract stays as it is.
    """
    if (target.exists() or target.is_symlink()) and not _is_extract(target):
        raise StoreError(f"{target} is there already and is no extract: name a new file.", 74)
    new = target.with_name(f"{target.name}.new")
    try:
        discard(new)
        with reading(history) as source, contextlib.closing(sqlite3.connect(new, isolation_level=None)) as made:
            rows = _fill(source, made, names, since, paths)
        sync(new)
        os.replace(new, target)
    except (sqlite3.Error, OSError) as error:
        with contextlib.suppress(OSError):
            discard(new)
        raise explain(error, history if _is_about(error, history) else target) from error
    return rows


def _is_about(error: sqlite3.Error | OSError, history: Path) -> bool:
    return isinstance(error, OSError) and error.filename == str(history)


def _is_extract(path: Path) -> bool:
    try:
        with reading(path) as conn:
            return bool(conn.execute("pragma application_id").fetchone()[0] == EXTRACT_ID)
    except sqlite3.Error:
        return False


def _fill(
    source: sqlite3.Connection, made: sqlite3.Connection, names: Collection[str], since: date | None, paths: int
) -> dict[str, int]:
    made.execute(f"pragma application_id = {EXTRACT_ID}")
    made.execute("pragma journal_mode = delete").fetchall()
    made.execute("begin")
    said = {"since": since.isoformat() if since else "", "paths": paths, "own": _own(source, names)}
    rows = {}
    for name, part in PARTS.items():
        if name == "most_read" and not paths:
            continue
        made.execute(f"create table {name} ({part.columns}) strict")
        sql = part.sql.replace("in own", "in (select value from json_each(:own))")
        marks = ", ".join("?" * len(part.columns.split(",")))
        wanted = {key: value for key, value in said.items() if f":{key}" in sql}
        done = made.executemany(f"insert into {name} values ({marks})", source.execute(sql, wanted))  # noqa: S608
        rows[name] = max(done.rowcount, 0)
    _manifest(made, rows, since)
    made.execute("commit")
    made.execute("vacuum")
    return rows


def _own(source: sqlite3.Connection, names: Collection[str]) -> str:
    """The searches for one of these names, as a JSON list of ids; quotes and letter case make no difference."""
    known = {_plain(name) for name in names}
    return json.dumps([row[0] for row in source.execute("select id, query from searches") if _plain(row[1]) in known])


def _plain(query: str) -> str:
    return " ".join(query.replace('"', " ").casefold().split())


def _manifest(made: sqlite3.Connection, rows: dict[str, int], since: date | None) -> None:
    made.execute("create table manifest (what text, kind text, rows integer, said text) strict")
    about = f"An extract of a Monitor history, from {since.isoformat() if since else 'its first day'} on."
    lines: list[tuple[str, str, int | None, str]] = [("this file", "about", None, about)]
    lines += [(name, "table", count, PARTS[name].said) for name, count in rows.items()]
    lines += [(what, "left out", None, said) for what, said in LEFT_OUT.items()]
    made.executemany("insert into manifest values (?, ?, ?, ?)", lines)
