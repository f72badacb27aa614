"""What is new, as an Atom feed (RFC 4287): moves that are news and stayed, pages that came, firsts and round numbers.

The text of an entry says what the views say; each is known by the reading it came from, so that a feed reader shows it
once. Everything is escaped by the XML library, and strangers' titles are plain text.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datasette.database import QueryInterrupted
from datasette.utils.asgi import Response

from monitor.web import words
from monitor.web.pages import Asked
from monitor.web.rows import Row

ATOM = "http://www.w3.org/2005/Atom"
NEWEST = 50
TYPE = "application/atom+xml; charset=utf-8"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, escaped or not."""

SINCE = "-90 days"
READS = {
    "rank": """
        select c.day, c.engine, c.query, c.before, c.after, c.depth, c.before_day, c.reading_id
        from rank_changes c where c.news and c.confirmed and c.day > date(:today, :since)
        order by c.day desc limit :newest
    """,
    "entered": """
        select c.day, c.engine, c.query, c.position, c.whose, c.url, c.url_id, c.before_day, c.reading_id
        from page_one_changes c where c.what = 'entered' and c.day > date(:today, :since)
        order by c.day desc, c.position limit :newest
    """,
    "rising": """
        select day, engine, query, url, url_id, before, after, before_day, reading_id
        from unwanted_rising where day > date(:today, :since) order by day desc limit :newest
    """,
    "milestone": """
        select day, engine, query, milestone, reading_id
        from milestones where day > date(:today, :since) order by day desc limit :newest
    """,
}
STATE = """
select (select max(id) from readings) as reading, (select count(*) from labels) as labels,
  (select max(added_at) from labels) as labelled, (select count(*) from urls where whose <> 'other') as known
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is new. `key` tells it from others of the same reading."""

    day: str
    reading_id: int
    key: str
    title: str
    text: str


async def page(asked: Asked) -> Response:
    """The feed; 304 where the reader has it already. A view that took too long is left out and said in the feed."""
    (state,) = await asked.rows(STATE)
    today = asked.now.date().isoformat()
    known = json.dumps([state, today, asked.owner, _home(asked)], sort_keys=True)
    tag = f'"{hashlib.sha256(known.encode()).hexdigest()[:32]}"'
    if asked.request.headers.get("if-none-match") == tag:
        return Response("", status=304, headers={"etag": tag})
    found: dict[str, list[dict[str, Any]]] = {}
    missing = []
    for name, sql in READS.items():
        try:
            found[name] = await asked.rows(sql, today=today, since=SINCE, newest=NEWEST)
        except (QueryInterrupted, sqlite3.DatabaseError):
            missing.append(name)
    new = sorted(entries(found), key=lambda e: (e.day, e.reading_id, e.key), reverse=True)[:NEWEST]
    times = await _times(asked, {entry.reading_id for entry in new})
    body = document(new, times, _home(asked), asked.owner, missing)
    return Response(body, headers={} if missing else {"etag": tag}, content_type=TYPE)


async def _times(asked: Asked, ids: set[int]) -> dict[int, str]:
    """When each reading ended, by its number."""
    marks = json.dumps(sorted(ids))
    found = await asked.rows(
        "select id, finished_at from readings where id in (select value from json_each(:ids))", ids=marks
    )
    return {row["id"]: row["finished_at"] for row in found}


def _home(asked: Asked) -> str:
    """The address of the home page as this reader asked for it, without its final slash."""
    return str(asked.datasette.absolute_url(asked.request, str(asked.datasette.urls.instance()))).rstrip("/")


def entries(found: Mapping[str, Iterable[Row]]) -> Iterator[Entry]:
    """What the views gave, one entry for each thing that is new."""
    for row in found.get("rank", ()):
        moved = f"{_place(row['before'], row['depth'])} to {_place(row['after'], row['depth'])}"
        title = f"{words.name(row['engine'])}: {moved}"
        yield Entry(row["day"], row["reading_id"], "rank", title, f"{_for(row)}. Before: {row['before_day']}.")
    came: dict[int, list[Row]] = {}
    for row in found.get("entered", ()):
        came.setdefault(row["reading_id"], []).append(row)
    for reading_id, rows in came.items():
        bad = sum(row["whose"] == "unwanted" for row in rows)
        what = words.many(len(rows), "page") + (f" ({bad} unwanted)" if bad else "")
        lines = [f"{row['position']}: {row['url']} ({row['whose'].replace('_', ' ')})" for row in rows]
        text = f"{_for(rows[0])}, new since {rows[0]['before_day']}:\n" + "\n".join(lines)
        title = f"{words.name(rows[0]['engine'])}: {what} came to page one"
        yield Entry(rows[0]["day"], reading_id, "entered", title, text)
    for row in found.get("rising", ()):
        title = f"{words.name(row['engine'])}: an unwanted page rose from {row['before']} to {row['after']}"
        yield Entry(row["day"], row["reading_id"], f"rising/{row['url_id']}", title, f"{row['url']}\n{_for(row)}.")
    for row in found.get("milestone", ()):
        key = f"milestone/{row['milestone'].replace(' ', '-')}"
        yield Entry(
            row["day"], row["reading_id"], key, f"{words.name(row['engine'])}: {row['milestone']}", f"{_for(row)}."
        )


def _place(position: int | None, depth: int | None) -> str:
    return str(position) if position else f"not within {depth}"


def _for(row: Row) -> str:
    return f"Searched for {row['query']} on {row['day']}"


def document(
    new: Iterable[Entry], times: Mapping[int, str], home: str, owner: str, missing: Iterable[str] = ()
) -> bytes:
    """The feed as bytes. `times` are instants by reading, `home` the address of the home page without a final slash."""
    new = list(new)
    feed = ET.Element("feed", {"xmlns": ATOM})
    ET.SubElement(feed, "id").text = "tag:presence-monitor.invalid,2026:changes"
    _text(feed, "title", f"{owner or 'Monitor'}: what is new")
    left = ", ".join(missing)
    if left:
        _text(feed, "subtitle", f"Not readable just now, and so left out: {left}.")
    ET.SubElement(feed, "updated").text = max((_instant(times, entry) for entry in new), default="2026-01-01T00:00:00Z")
    _text(ET.SubElement(feed, "author"), "name", "Monitor")
    ours = f"{home}/-/presence/"
    ET.SubElement(feed, "link", {"rel": "self", "type": "application/atom+xml", "href": f"{ours}changes.atom"})
    ET.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": f"{home}/"})
    for entry in new:
        item = ET.SubElement(feed, "entry")
        ET.SubElement(item, "id").text = f"tag:presence-monitor.invalid,{entry.day}:{entry.reading_id}/{entry.key}"
        _text(item, "title", entry.title)
        ET.SubElement(item, "updated").text = _instant(times, entry)
        href = f"{ours}reading/{entry.reading_id}"
        ET.SubElement(item, "link", {"rel": "alternate", "type": "text/html", "href": href})
        _text(item, "content", entry.text).set("type", "text")
    xml: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return xml


def _instant(times: Mapping[int, str], entry: Entry) -> str:
    return times.get(entry.reading_id) or f"{entry.day}T00:00:00Z"


def _text(parent: ET.Element, tag: str, text: str) -> ET.Element:
    made = ET.SubElement(parent, tag)
    made.text = _NO_XML.sub("\ufffd", text)
    return made
