"""Why a rank moved: what `monitor why` says, with both results pages side by side; and the moves of a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from monitor import insight, labels
from monitor.insight import Elsewhere
from monitor.web import words
from monitor.web.links import Links
from monitor.web.pages import Asked
from monitor.web.reading import MARKS
from monitor.web.span import number

YEAR = 365
MOST = 200
MOVES = """
select source_id, engine, query, day, before, after, before_day, depth, confirmed
from rank_changes where news and confirmed is not 0 and day > date(:today, '-365 days')
order by day desc, source_id limit 201
"""
PAIR = """
select id, day from day_readings
where source_id = :source and day <= :day and outcome in ('ok', 'empty') order by day desc limit 2
"""
PLACES = """
select r.position, coalesce(u.canonical, '') as canonical, coalesce(u.url, '') as url,
  coalesce(u.whose, 'other') as whose, t.title, r.url_id
from results r
left join urls u on u.id = r.url_id
join texts t on t.id = r.text_id
where r.reading_id = :reading and r.kind = 'organic' order by r.position
"""
ELSEWHERE = """
select o.engine, o.provider = s.provider as same_index, a.position as before, b.position as after
from searches s
join searches o on o.query = s.query and o.id <> s.id
join daily_ranks a on a.source_id = o.id and a.day = :before
join daily_ranks b on b.source_id = o.id and b.day = :after
where s.id = :source order by o.engine
"""


@dataclass(frozen=True, slots=True)
class Move:
    """One move that is more than noise."""

    day: str
    said_day: str
    name: str
    query: str
    better: bool
    text: str
    href: str
    note: str


@dataclass(frozen=True, slots=True)
class Stood:
    """One result of one of the two pages. `what` is "came", "left", "up 2", "down 1", or "" where it stayed."""

    position: int
    title: str
    url: str
    href: str | None
    history: str
    whose: str
    mark: str
    what: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two pages: its day, its reading, and its results down to page one's end or the owner's place."""

    day: str
    href: str
    places: tuple[Stood, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Told:
    """One search: what is said of its move, and the two pages that it rests on (none: nothing to compare)."""

    name: str
    query: str
    said: tuple[str, ...]
    sides: tuple[Side, ...] = ()
    older: str = ""
    newer: str = ""


async def page(asked: Asked) -> dict[str, Any] | None:
    """The moves of a year, or with `source` (a number) or `engine`, and perhaps `day`: why that rank moved.

    None for an unknown engine, source or day. Raises sqlite3.DatabaseError, QueryInterrupted.
    """
    shown = {"here": "why", "title": "Why it moved", "marks": MARKS}
    if not {"source", "engine"} & asked.args.keys():
        return {**shown, **await _moves(asked)}
    sources = await asked.rows("select id, name, engine, query from searches order by retired_at is not null, id")
    chosen = number(asked.args.get("source", ""))
    word = asked.args.get("engine", "")
    own = [s for s in sources if s["id"] == chosen or word in (s["engine"], s["name"])]
    day = asked.args.get("day", "") or asked.now.date().isoformat()
    if not own or not _is_day(day):
        return None
    told = [await _told(asked, source, day) for source in own]
    return {**shown, "told": told, "day": words.long_day(date.fromisoformat(day)) if "day" in asked.args else ""}


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


# --- the moves of a year -------------------------------------------------------------------------------------------


async def _moves(asked: Asked) -> dict[str, Any]:
    today = asked.now.date()
    rows = await asked.rows(MOVES, today=today.isoformat())
    several = len({row["query"] for row in rows}) > 1
    since = (today - timedelta(days=YEAR - 1)).isoformat()
    labelled = await asked.rows("select 1 from labels where whose = 'mine' limit 1")
    return {
        "moves": [move(row, several, today, asked.links) for row in rows[:MOST]],
        "labelled": bool(labelled),
        "more": len(rows) > MOST,
        "all_href": asked.links.rows("rank_changes", day__gte=since, _sort_desc="day"),
    }


def move(row: Mapping[str, Any], several: bool, today: date, links: Links) -> Move:
    """A row of `rank_changes` as a line."""
    places = [str(p) if p else f"not within {row['depth']}" for p in (row["before"], row["after"])]
    return Move(
        day=row["day"],
        said_day=words.on(date.fromisoformat(row["day"]), today),
        name=words.name(row["engine"]),
        query=row["query"] if several else "",
        better=(row["after"] or 999) < (row["before"] or 999),
        text=f"{places[0]} to {places[1]}",
        href=links.page("why", source=row["source_id"], day=row["day"]),
        note="" if row["confirmed"] else "seen once so far",
    )


# --- one move ------------------------------------------------------------------------------------------------------


async def _told(asked: Asked, source: Mapping[str, Any], day: str) -> Told:
    pair = await asked.rows(PAIR, source=source["id"], day=day)
    name = words.name(source["engine"])
    if len(pair) < 2:
        return Told(name, source["query"], ("Fewer than two days were read up to then: nothing to compare.",))
    after, before = pair
    rows = [await asked.rows(PLACES, reading=one["id"]) for one in (before, after)]
    others = await asked.rows(ELSEWHERE, source=source["id"], before=before["day"], after=after["day"])
    compared = [_page(one, places) for one, places in zip((before, after), rows, strict=True)]
    elsewhere = [Elsewhere(o["engine"], bool(o["same_index"]), o["before"], o["after"]) for o in others]
    found = insight.why(compared[0], compared[1], elsewhere)
    later = await asked.rows(
        "select min(day) as day from rank_changes where source_id = :source and news and confirmed is not 0"
        " and day > :day",
        source=source["id"],
        day=after["day"],
    )
    earlier = await asked.rows(
        "select max(day) as day from rank_changes where source_id = :source and news and confirmed is not 0"
        " and day < :day",
        source=source["id"],
        day=after["day"],
    )
    way = [
        asked.links.page("why", source=source["id"], day=r[0]["day"]) if r[0]["day"] else "" for r in (earlier, later)
    ]
    sides = sides_of(before, after, rows[0], rows[1], asked.links)
    return Told(name, source["query"], tuple(f.said for f in found), sides, *way)


def _page(reading: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> insight.Page:
    places = tuple(insight.Place(r["position"], r["canonical"], r["whose"], r["title"]) for r in rows)
    return insight.Page(reading["day"], places, reading["id"])


def sides_of(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    stood: Sequence[Mapping[str, Any]],
    stands: Sequence[Mapping[str, Any]],
    links: Links,
) -> tuple[Side, Side]:
    """Both pages, each result with what became of it; as far down as page one, or as the owner's best place on either.

    A page is known by its canonical address; where there is none, nothing is said of its coming or going.
    """
    best = (min((r["position"] for r in rows if r["whose"] == "mine"), default=0) for rows in (stood, stands))
    depth = max(10, *best)
    was = {r["canonical"]: r["position"] for r in reversed(stood)}
    now = {r["canonical"]: r["position"] for r in reversed(stands)}
    left = [_stood(r, "" if r["canonical"] in now or not r["canonical"] else "left", links) for r in stood]
    came = [_stood(r, _became(r, was), links) for r in stands]
    return _side(before, left, depth, links), _side(after, came, depth, links)


def _became(row: Mapping[str, Any], was: Mapping[str, int]) -> str:
    if not row["canonical"]:
        return ""
    if row["canonical"] not in was:
        return "came"
    moved = was[row["canonical"]] - row["position"]
    return f"▲ {moved}" if moved > 0 else f"▼ {-moved}" if moved < 0 else ""


def _stood(row: Mapping[str, Any], what: str, links: Links) -> Stood:
    return Stood(
        position=row["position"],
        title=row["title"] or row["url"] or "(without a title)",
        url=row["url"],
        href=labels.web_url(row["url"]),
        history=links.page("map", url=row["url_id"]) if row["url_id"] else "",
        whose=row["whose"],
        mark=MARKS.get(row["whose"], ""),
        what=what,
    )


def _side(reading: Mapping[str, Any], places: Sequence[Stood], depth: int, links: Links) -> Side:
    shown = tuple(p for p in places if p.position <= depth)
    day = words.long_day(date.fromisoformat(reading["day"]))
    return Side(day, links.reading(reading["id"]), shown, len(places) - len(shown))
