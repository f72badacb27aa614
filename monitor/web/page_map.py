"""Page one over time: who held each place, a year at a glance; and the places of one page on every engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from monitor import labels
from monitor.web import words
from monitor.web.links import Links
from monitor.web.map_picture import Day, Place, picture
from monitor.web.page_history import of_page
from monitor.web.pages import Asked
from monitor.web.reading import MARKS
from monitor.web.rows import TRUSTED
from monitor.web.span import DAYS, YEAR, Small, Span, number, span_of, turns

GLANCE = 90  # days that are shown of each engine where all are shown
MOST_PAGES, MOST_GAPS = 40, 20

PLACES = """
select h.day, h.position, h.whose, h.url, h.title, h.url_id, u.host from page_one_history h
left join urls u on u.id = h.url_id where h.source_id = :source and h.day between :first and :last
"""


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine and query among those that can be chosen."""

    id: int
    name: str
    query: str
    href: str
    here: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A page that stood on page one in the span."""

    title: str
    url: str
    href: str | None
    history: str
    whose: str
    mark: str
    best: int
    days: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Days in a row that were not read for one reason."""

    first: str
    last: str
    days: int
    why: str
    href: str


async def page(asked: Asked) -> dict[str, Any] | None:
    """The map of one engine (`?source=`), the places of one page (`?url=`), or all engines in short.

    `?to=DAY` ends the span; None where there is no such source or page.
    """
    sources = await asked.rows("select * from searches order by retired_at is not null, id")
    chosen = number(asked.args.get("source", ""))
    shown = {"here": "map", "title": "Page one over time", "marks": MARKS}
    if "url" in asked.args:
        more = await of_page(asked, sources, {s["id"]: _query(s, sources) for s in sources})
    elif "source" in asked.args:
        source = next((s for s in sources if s["id"] == chosen), None)
        more = await _of_source(asked, source) if source else None
    else:
        more = {"smalls": [await _small(asked, s, _query(s, sources)) for s in sources if not s["retired_at"]]}
    return None if more is None else {**shown, "engines": _engines(asked, sources, chosen), **more}


def _engines(asked: Asked, sources: Sequence[Mapping[str, Any]], chosen: int) -> list[Engine]:
    return [
        Engine(
            id=s["id"],
            name=words.name(s["engine"]) + (f", until {s['retired_at'][:10]}" if s["retired_at"] else ""),
            query=_query(s, sources),
            href=asked.links.page("map", source=s["id"]),
            here=s["id"] == chosen,
        )
        for s in sources
    ]


def _query(source: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> str:
    """What tells a source apart from the others of its engine: its query, or its name; nothing where there is one."""
    pairs = [(s["engine"], s["query"]) for s in sources]
    if pairs.count((source["engine"], source["query"])) > 1:
        return str(source["name"])
    return str(source["query"]) if len({query for _, query in pairs}) > 1 else ""


# --- one engine ----------------------------------------------------------------------------------------------------


async def _days(asked: Asked, source: Mapping[str, Any], span: Span) -> tuple[list[Day], list[dict[str, Any]]]:
    """Each day of the span, and the places as they were read from the file."""
    where = {"source": source["id"], "first": span.first.isoformat(), "last": span.last.isoformat()}
    rows = {row["day"]: row for row in await asked.rows(DAYS, **where)}
    places = await asked.rows(PLACES, **where)
    by_day: dict[str, dict[int, Place]] = {}
    for row in places:
        by_day.setdefault(row["day"], {})[row["position"]] = Place(row["whose"], row["title"] or "", row["host"] or "")
    begun = await asked.rows("select min(day) as day from readings where source_id = :source", source=source["id"])
    watched = begun[0]["day"] or asked.now.date().isoformat()
    ends = (source["retired_at"] or asked.now.date().isoformat())[:10]
    days = [_day(d, rows.get(d.isoformat()), by_day, watched <= d.isoformat() <= ends, asked) for d in span.days]
    return days, places


def _day(
    day: date, row: Mapping[str, Any] | None, places: Mapping[str, dict[int, Place]], watched: bool, asked: Asked
) -> Day:
    if row is None:
        waits = day == asked.now.date()  # today's reading may still come: that is no gap yet
        return Day(day, {}, said="no reading", watched=watched and not waits)
    read = row["outcome"] in TRUSTED
    found = places.get(day.isoformat(), {})
    said = "" if found else "no results" if read else f"not read, {words.ended(row['outcome'], row['reason'])}"
    return Day(day, found, read=read, said=said, href=asked.links.reading(row["reading_id"]))


async def _of_source(asked: Asked, source: Mapping[str, Any]) -> dict[str, Any]:
    span = span_of(asked, YEAR)
    days, places = await _days(asked, source, span)
    begun = await asked.rows("select min(day) as day from readings where source_id = :source", source=source["id"])
    read = sum(d.read for d in days)
    gaps = _gaps(days, asked.links, source["id"])
    between = {"source_id": source["id"], "day__gte": span.first, "day__lte": span.last}
    name = words.name(source["engine"])
    label = f"Who held each place on {name}: read on {read} of {len(days)} days, each a link to its reading"
    return {
        "title": f"Page one over time: {name}",
        "query": source["query"],
        "span": span,
        "from_day": words.long_day(span.first),
        "to_day": words.long_day(span.last),
        "turns": turns(asked, span, begun[0]["day"], source=source["id"]),
        "map": picture(days, label, rows=max([p for d in days for p in d.places], default=10)) if read else None,
        "read": read,
        "unread": sum(d.watched and not d.read for d in days),
        "read_href": asked.links.rows("day_readings", **between, outcome="ok", _sort_desc="day"),
        "gaps_href": asked.links.rows("gaps", **between, _sort_desc="day"),
        "table_href": asked.links.rows("page_one_history", **between, _sort_desc="day"),
        "held": _held(places, asked.links)[:MOST_PAGES],
        "gaps": gaps[:MOST_GAPS],
        "more_gaps": max(0, len(gaps) - MOST_GAPS),
    }


def _held(places: Sequence[Mapping[str, Any]], links: Links) -> list[Held]:
    """The pages that stood there, those that stood there longest first."""
    pages: dict[object, list[Mapping[str, Any]]] = {}
    for row in places:
        pages.setdefault(row["url_id"], []).append(row)
    found = []
    for key, rows in pages.items():
        newest = max(rows, key=lambda r: r["day"])
        found.append(
            Held(
                title=newest["title"] or newest["url"] or "(without a title)",
                url=newest["url"] or "",
                href=labels.web_url(newest["url"]),
                history=links.page("map", url=key) if key else "",
                whose=newest["whose"],
                mark=MARKS.get(newest["whose"], ""),
                best=min(r["position"] for r in rows),
                days=len({r["day"] for r in rows}),
                first=min(r["day"] for r in rows),
                last=newest["day"],
            )
        )
    return sorted(found, key=lambda h: (h.whose == "other", -h.days, h.best, h.title))


def _gaps(days: Sequence[Day], links: Links, source_id: int) -> list[Gap]:
    """The runs of days that were not read, newest first."""
    gaps = []
    for why, group in groupby(days, key=lambda d: d.said if d.watched and not d.read else ""):
        run = list(group)
        if why:
            first, last = run[0].day.isoformat(), run[-1].day.isoformat()
            href = links.rows("day_readings", source_id=source_id, day__gte=first, day__lte=last, _sort="day")
            gaps.append(
                Gap(first, last, len(run), why.removeprefix("not read, "), run[0].href if len(run) == 1 else href)
            )
    return gaps[::-1]


async def _small(asked: Asked, source: Mapping[str, Any], query: str) -> Small:
    span = span_of(asked, GLANCE)
    days, _ = await _days(asked, source, span)
    read = [d for d in days if d.read]
    mine = sum(p.whose == "mine" for p in read[-1].places.values()) if read else 0
    name = words.name(source["engine"])
    said = (
        f"{mine} of {len(read[-1].places)} mine on {words.on(read[-1].day, asked.now.date())}"
        if read
        else "not read yet"
    )
    label = f"{name}, {GLANCE} days, read on {len(read)} of them; {said}"
    rows = max([p for d in days for p in d.places], default=10)
    return Small(
        name=name,
        query=query,
        href=asked.links.page("map", source=source["id"]),
        said=said,
        said_href=read[-1].href if read else "",
        picture=picture(days, label, step=3, rows=rows, key=str(source["id"]), full=False),
    )
