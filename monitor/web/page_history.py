"""The places of one page on every engine over a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from monitor import labels
from monitor.web import svg, words
from monitor.web.pages import Asked
from monitor.web.reading import MARKS
from monitor.web.rows import TRUSTED
from monitor.web.span import DAYS, YEAR, Small, Span, number, span_of, turns


async def of_page(
    asked: Asked, sources: Sequence[Mapping[str, Any]], queries: Mapping[int, str]
) -> dict[str, Any] | None:
    """The places of one page on every engine."""
    key = number(asked.args["url"])
    found = await asked.rows("select * from urls where id = :id", id=key)
    if not found:
        return None
    span = span_of(asked, YEAR)
    begun = await asked.rows(
        "select day from readings where id = (select min(reading_id) from results where url_id = :id)",
        id=key,
    )
    title = await asked.rows(
        "select t.title from results r join texts t on t.id = r.text_id where r.url_id = :id"
        " order by r.reading_id desc limit 1",
        id=key,
    )
    url = found[0]
    lines = [line for s in sources if (line := await _line(asked, s, queries[s["id"]], key, span))]
    return {
        "title": "One page over time",
        "url": url,
        "url_title": (title[0]["title"] if title else "") or url["url"],
        "url_href": labels.web_url(url["url"]),
        "url_row": asked.links.row("urls", key),
        "url_mark": MARKS.get(url["whose"], ""),
        "span": span,
        "from_day": words.long_day(span.first),
        "to_day": words.long_day(span.last),
        "turns": turns(asked, span, begun[0]["day"] if begun else None, url=key),
        "lines": lines,
    }


async def _line(asked: Asked, source: Mapping[str, Any], query: str, url_id: int, span: Span) -> Small | None:
    """A page's places on one engine; None where a retired source never saw it in the span."""
    first, last = span.first.isoformat(), span.last.isoformat()
    rows = {r["day"]: r for r in await asked.rows(DAYS, source=source["id"], first=first, last=last)}
    ids = [r["reading_id"] for r in rows.values()]
    seen = await asked.rows(
        "select reading_id, min(position) as position from results where url_id = :url and position is not null"
        " and reading_id between :low and :high group by reading_id",
        url=url_id,
        low=min(ids, default=0),
        high=max(ids, default=0),
    )
    places = {r["reading_id"]: r["position"] for r in seen}
    at = {day: places.get(r["reading_id"]) for day, r in rows.items() if r["outcome"] in TRUSTED}
    if source["retired_at"] and not any(at.values()):
        return None
    begun = min(rows, default=last)
    points = [_point(d.isoformat(), rows, at, begun, asked.now.date().isoformat()) for d in span.days]
    name = words.name(source["engine"])
    newest = max(at, default="")
    row = rows[newest] if newest else None
    where = (
        f"place {at[newest]}"
        if newest and at[newest]
        else f"not within the {row['depth'] or 0} results seen"
        if row
        else ""
    )
    held = sum(1 for place in at.values() if place)
    said = f"{where} on {words.on(date.fromisoformat(newest), asked.now.date())}" if newest else "not read"
    return Small(
        name=name,
        query=query,
        href=asked.links.page("map", source=source["id"], to=span.last if span.last < asked.now.date() else None),
        said=said,
        said_href=asked.links.reading(row["reading_id"]) if row else "",
        picture=svg.rank_line(points, f"{name}: {said}; seen on {held} of {len(at)} days read"),
    )


def _point(day: str, rows: Mapping[str, Any], at: Mapping[str, int | None], begun: str, today: str) -> svg.Place:
    if day in at:
        return svg.Place("rank", at[day]) if at[day] else svg.Place("beyond")
    if day < begun or (day == today and day not in rows):
        return svg.Place("unwatched")
    return svg.Place("unread")
