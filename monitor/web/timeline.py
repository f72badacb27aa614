"""Everything over one axis: places, page views, numbers on profiles and contacts, with the events; no script."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import Any

from markupsafe import Markup

from monitor.web import words
from monitor.web.links import Links
from monitor.web.pages import Asked
from monitor.web.svg import Bar, Place, bars, rank_line
from monitor.web.timeline_picture import Moment, axis, columns, dots, marks, overlay

SPANS = {"90": 90, "365": 365, "all": None}
DAILY = 366  # a longer span is drawn in weeks
CONTACTS = "counted_contacts"

FIRST = f"""
select min(day) as day from (
  select min(day) as day from readings where outcome in ('ok', 'empty')
  union all select min(day) from site_views union all select min(day) from counts
  union all select min(day) from events union all select min(day) from {CONTACTS}
)
"""  # noqa: S608 - the name is ours
RANKS = "select source_id, day, position, depth from daily_ranks where day between :first and :last order by 1, 2"
VIEWS = "select source_id, day, views, complete from daily_page_views where day between :first and :last order by 1, 2"
COUNTS = """
select profile, metric, window, day, value, state, precision, definition from profile_counts
where day between :first and :last order by profile, metric, window, day
"""
INBOUND = f"select day, kind, origin from {CONTACTS} where day between :first and :last order by day"  # noqa: S608
EVENTS = "select id, day, title from events where day between :first and :last order by day, id"
SOURCES = """
select id, name, engine, query, settings ->> 'subject' as site, substr(added_at, 1, 10) as added,
  substr(retired_at, 1, 10) as retired from sources
"""


@dataclass(frozen=True, slots=True)
class Axis:
    """The days drawn, `size` of them to a bin (1, or 7 from a Monday on)."""

    first: date
    last: date
    size: int

    @property
    def bins(self) -> int:
        """How many bins there are, the last one perhaps not over yet."""
        return (self.last - self.first).days // self.size + 1

    def bin(self, day: str | date) -> int:
        """The bin a day falls into; outside 0..bins-1 for days outside."""
        when = date.fromisoformat(day) if isinstance(day, str) else day
        return (when - self.first).days // self.size

    def days(self, n: int) -> tuple[date, date]:
        """First and last day of a bin."""
        start = self.first + timedelta(n * self.size)
        return start, start + timedelta(self.size - 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One series: where its rows are, what it says in words, and its picture."""

    kind: str
    name: str
    note: str
    href: str
    summary: str
    picture: Markup


async def page(asked: Asked) -> dict[str, Any]:
    """The timeline; `span` is 90, 365 (days) or all. Raises sqlite3.DatabaseError, QueryInterrupted."""
    today = asked.now.date()
    span = asked.args.get("span", "90")
    span = span if span in SPANS else "90"
    line = _axis(SPANS[span], (await asked.rows(FIRST))[0]["day"], today)
    between = {"first": line.first.isoformat(), "last": line.last.isoformat()}
    ranks, views, counts, inbound, events, known = await asyncio.gather(
        *(asked.rows(sql, **between) for sql in (RANKS, VIEWS, COUNTS, INBOUND, EVENTS)), asked.rows(SOURCES)
    )
    sources = {row["id"]: row for row in known}
    there = asked.links
    rows = [_rank(own, sources[key], line, there, today) for key, own in _grouped(ranks, "source_id")]
    rows.sort(key=lambda row: row.name)
    rows += [_views(own, sources[key], line, there, today) for key, own in _grouped(views, "source_id")]
    rows += [_profile(own, line, there, today) for _, own in _grouped(counts, "profile", "metric", "window")]
    if inbound:
        rows.append(_inbound(inbound, line, there, today))
    moments = [_moment(row, line, there) for row in events]
    return {
        "title": "Timeline",
        "here": "timeline",
        "rows": rows,
        "weekly": line.size == 7,
        "said": f"{words.on(line.first, today)} to {words.on(min(line.last, today), today)}",
        "spans": [
            (there.page("timeline", span=key), name, key == span)
            for key, name in (("90", "90 days"), ("365", "1 year"), ("all", "All"))
        ],
        "axis": axis(line.first, line.last),
        "marks": marks(moments),
        "overlay": overlay(moments),
        "moments": moments,
    }


def _axis(days: int | None, first: str | None, today: date) -> Axis:
    """The last `days`, or everything since `first`: by the day up to a year, by the week beyond."""
    begin = today - timedelta(days - 1) if days else min(date.fromisoformat(first), today) if first else today
    if (today - begin).days < 7:
        begin = today - timedelta(6)
    if (today - begin).days < DAILY:
        return Axis(begin, today, 1)
    monday = begin - timedelta(begin.weekday())
    return Axis(monday, today + timedelta(6 - today.weekday()), 7)


def _grouped(rows: Sequence[dict[str, Any]], *names: str) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Sorted rows in groups of the same key."""

    def key(row: dict[str, Any]) -> Any:
        return row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)

    return [(k, list(own)) for k, own in groupby(rows, key)]


def _binned(rows: Iterable[dict[str, Any]], line: Axis) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(line.bin(row["day"]), []).append(row)
    return found


def _watched(found: dict[int, Any], source: dict[str, Any], line: Axis, today: date) -> Callable[[int], bool]:
    """Whether a bin without a row was missed: within the time the source was asked, and later than its usual step."""
    asked = sorted(found)
    steps = sorted(b - a for a, b in pairwise(asked))
    usual = max(1, steps[len(steps) // 2]) if len(steps) > 2 else 1
    begin = min(line.bin(source["added"]), asked[0])
    end = line.bin(source["retired"]) if source["retired"] else line.bin(today - timedelta(1))
    near = {n + step for n in asked for step in range(usual)}
    return lambda n: begin <= n <= end and n not in near


def _filter(line: Axis) -> dict[str, str]:
    return {"day__gte": line.first.isoformat(), "day__lte": line.last.isoformat()}


def _rank(rows: list[dict[str, Any]], source: dict[str, Any], line: Axis, there: Links, today: date) -> Row:
    found = _binned(rows, line)
    missed = _watched(found, source, line, today)

    def place(n: int) -> Place:
        seen = [row["position"] for row in found.get(n, ()) if row["position"] is not None]
        if seen:
            return Place("rank", min(seen))
        return Place("beyond") if n in found else Place("unread" if missed(n) else "unwatched")

    places = [place(n) for n in range(line.bins)]
    ranks = [row["position"] for row in rows if row["position"] is not None]
    last = rows[-1]
    when = words.on(date.fromisoformat(last["day"]), today)
    now = f"place {last['position']}" if last["position"] else f"not within the {last['depth']} results seen"
    best = f"best {min(ranks)}, worst {max(ranks)}; " if len(set(ranks)) > 1 else ""
    unread = sum(p.state == "unread" for p in places)
    gaps = f"; {words.many(unread, 'week' if line.size == 7 else 'day')} not read" if unread else ""
    said = f"{best}{now} on {when}; read on {words.many(len(rows), 'day')}{gaps}"
    href = there.rows("daily_ranks", source=source["name"], **_filter(line), _sort_desc="day")
    name = words.name(source["engine"])
    return Row("place", name, source["query"], href, said, rank_line(places, f"{name}: {said}", 70))


def _views(rows: list[dict[str, Any]], source: dict[str, Any], line: Axis, there: Links, today: date) -> Row:
    found = _binned(rows, line)
    missed = _watched(found, source, line, today)

    def bar(n: int) -> Bar:
        own = found.get(n)
        if not own:
            return Bar(None, watched=missed(n))
        return Bar(sum(row["views"] for row in own), len(own) == line.size and all(row["complete"] for row in own))

    most = max(rows, key=lambda row: row["views"])
    high = f"highest {most['views']:,} on {words.on(date.fromisoformat(most['day']), today)}"
    said = f"{sum(r['views'] for r in rows):,} views on {words.many(len(rows), 'day')} counted, {high}"
    href = there.rows("daily_page_views", source=source["name"], **_filter(line), _sort_desc="day")
    name = source["site"] or source["name"]
    return Row("page views", name, "", href, said, bars([bar(n) for n in range(line.bins)], f"{name}: {said}", 70))


def _profile(rows: list[dict[str, Any]], line: Axis, there: Links, today: date) -> Row:
    first = rows[0]
    known = [row for row in rows if row["value"] is not None]
    picture = [(line.bin(row["day"]), row["value"], row["precision"] == "exact", row["definition"]) for row in rows]
    last = rows[-1]
    about = {"exact": "", "rounded": "about ", "at_least": "at least "}[last["precision"]]
    now = last["state"] if last["value"] is None else f"{about}{last['value']:,}"
    said = f"{now} on {words.on(date.fromisoformat(last['day']), today)}"
    if len(known) > 1:
        said += f"; {known[0]['value']:,} on {words.on(date.fromisoformat(known[0]['day']), today)}"
    changed = sum(a["definition"] != b["definition"] for a, b in pairwise(rows))
    said += "; what is counted changed" if changed else ""
    which = {"profile": first["profile"], "metric": first["metric"], "window": first["window"]}
    href = there.rows("profile_counts", **which, **_filter(line), _sort_desc="day")
    name = f"{first['profile']} {first['metric'].replace('_', ' ')}"
    note = "" if first["window"] in {"now", "total"} else f"over {first['window']}"
    return Row("profile", name, note, href, said, dots(picture, line.bins, f"{name}: {said}"))


def _inbound(rows: list[dict[str, Any]], line: Axis, there: Links, today: date) -> Row:
    found = _binned(rows, line)
    origins = Counter(row["origin"] for row in rows).most_common()
    said = f"{words.many(len(rows), 'contact')}: {', '.join(f'{n} from {origin}' for origin, n in origins[:6])}"

    def bar(n: int) -> tuple[int, int, str, str]:
        begin, end = line.days(n)
        href = there.rows(CONTACTS, day__gte=begin.isoformat(), day__lte=end.isoformat())
        told = ", ".join(f"{row['kind']} from {row['origin']}" for row in found[n][:6])
        return n, len(found[n]), href, f"{words.on(begin, today)}: {told}"

    picture = columns([bar(n) for n in sorted(found)], line.bins, f"Contacts: {said}")
    return Row("contacts", "Contacts", "", there.rows(CONTACTS, **_filter(line), _sort_desc="day"), said, picture)


def _moment(row: dict[str, Any], line: Axis, there: Links) -> Moment:
    part = (line.bin(row["day"]) + 0.5) / line.bins
    return Moment(part, row["title"], words.long_day(date.fromisoformat(row["day"])), there.row("events", row["id"]))
