"""Pure: search readings to what the home page says of them: a card per engine, page one, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal
from urllib.parse import urlsplit

from markupsafe import Markup

from monitor import labels
from monitor.web import words
from monitor.web.links import Links
from monitor.web.rows import SPAN, TRUSTED, Row, Rows, of
from monitor.web.spells import not_read_since
from monitor.web.svg import Place, rank_line

YEAR = 365
EN_DASH = "\N{EN DASH}"
STALE = 2  # days after which a rank no longer speaks for now

Tone = Literal["good", "fine", "warn", "bad", "quiet"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of a sentence, with the place that proves it."""

    text: str
    href: str
    tone: Tone = "fine"


@dataclass(frozen=True, slots=True)
class Engine:
    """Where the owner stands on one engine for one query."""

    name: str
    query: str
    index: str  # "Bing's index" where an engine shows another's
    tone: Tone
    state: str
    position: int | None
    said: str  # what stands in the number's place: "not within the 9 results seen", "not read yet"
    age: str
    stale: bool
    since: str
    why: str  # the page that says why it moved; "" where it did not
    range: str  # "1\N{EN DASH}2 in a year", with a plus where there were days beyond what was seen
    range_said: str
    range_href: str
    host: str
    url: str | None
    trouble: str  # how today's attempt ended, in words, when it did not succeed
    trouble_href: str
    href: str
    history: str
    chart: Markup


@dataclass(frozen=True, slots=True)
class Cell:
    """A place on page one."""

    position: int
    whose: str
    mark: str
    label: str
    href: str


@dataclass(frozen=True, slots=True)
class PageOne:
    """The first ten organic results of one engine, as many as it gave."""

    name: str
    query: str
    cells: tuple[Cell, ...]
    mine: int
    age: str
    stale: bool
    href: str


@dataclass(frozen=True, slots=True)
class Unwanted:
    """A page on page one that the owner does not want there, and where it stands."""

    title: str
    href: str
    where: tuple[Phrase, ...]


def day_of(text: str | None) -> date | None:
    """A stored day."""
    return date.fromisoformat(text) if text else None


def search_sources(rows: Rows) -> list[Row]:
    """The current searches for the owner, in the order of the config: no consoles, no control queries."""
    return [s for s in rows["sources"] if s["measure"] == "search" and s["engine"] and not s["control"]]


def last_days(rows: Rows, count: int) -> list[date]:
    """The owner's last days, today included."""
    return [rows.today - timedelta(days=n) for n in reversed(range(count))]


def engines(rows: Rows, links: Links) -> tuple[Engine, ...]:
    """A card for each search source, best place first, those without a place last."""
    current = {r["source_id"]: r for r in rows["current"]}
    several = len({s["query"] for s in search_sources(rows)}) > 1
    cards = [_engine(rows, links, s, current.get(s["source_id"]), several) for s in search_sources(rows)]
    return tuple(sorted(cards, key=lambda c: (c.position is None, not c.age, c.stale, c.position or 0)))


def _engine(rows: Rows, links: Links, source: Row, rank: Row | None, several: bool) -> Engine:
    place = rank["position"] if rank else None
    days = (rows.today - date.fromisoformat(rank["day"])).days if rank else 0
    history = of(rows["ranks"], source["source_id"])
    said = (
        "" if place else f"not within the {words.many(rank['depth'] or 0, 'result')} seen" if rank else "not read yet"
    )
    failed = source["outcome"] is not None and source["outcome"] not in TRUSTED
    url = rank["url"] if rank else None
    tone, state = _state(place, rank is not None, days)
    label = words.name(source["engine"])
    index = words.name(source["provider"]) if source["provider"] not in ("", source["engine"]) else ""
    return Engine(
        name=label,
        query=source["query"] if several else "",
        index=f"{index}'s index" if index else "",
        tone=tone,
        state=state,
        position=place,
        said=said,
        age=words.age(days) if rank else "",
        stale=days > STALE,
        since=_since(history, rows.today) if rank else "",
        why=_why(history, links),
        **_range(rows, source, links),
        host=str(urlsplit(url).hostname or "") if labels.web_url(url) and url else "",
        url=labels.web_url(url),
        trouble=trouble(source, rows) if failed else "",
        trouble_href=links.reading(source["reading_id"]),
        href=links.reading(rank["reading_id"]) if rank else links.reading(source["reading_id"]),
        history=links.rows("daily_ranks", source_id=source["source_id"], _sort_desc="day"),
        chart=_trend(rows, source, history, f"{label}: " + (f"place {place}" if place else said)),
    )


def _state(place: int | None, read: bool, days: int) -> tuple[Tone, str]:
    if not read:
        return "quiet", ""
    if days > STALE:
        return "warn", ""
    if place is None:
        return "bad", ""
    return ("good", "goal met") if place == 1 else ("fine", "page one") if place <= 10 else ("warn", "beyond page one")


def _since(history: Sequence[Row], today: date) -> str:
    """Since when the place is what it is, and what it was before."""
    if len(history) < 2:
        return "first reading" if history else ""
    now = history[-1]["position"]
    held = history[-1]
    for row in reversed(history):
        if row["position"] != now:
            before = f"{row['position']}" if row["position"] else f"not within {row['depth']}"
            arrow = "▲" if (now or 999) < (row["position"] or 999) else "▼"
            return f"{arrow} since {words.on(date.fromisoformat(held['day']), today)}, before that {before}"
        held = row
    return f"the same since {words.on(date.fromisoformat(history[0]['day']), today)}"


def trouble(source: Row, rows: Rows) -> str:
    """How a source's newest attempt ended, and since when it has been so."""
    since = not_read_since(rows, source)
    said = words.ended(source["outcome"], source["reason"])
    return f"{said}, since {words.since(since, rows.today)}" if since else said


def _why(history: Sequence[Row], links: Links) -> str:
    moved = [b for a, b in pairwise(history) if a["position"] != b["position"]]
    return links.page("why", source=moved[-1]["source_id"], day=moved[-1]["day"]) if moved else ""


def _range(rows: Rows, source: Row, links: Links) -> dict[str, str]:
    """The best and worst place of a year, or of as much of it as was read."""
    year = next((r for r in of(rows["years"], source["source_id"]) if r["best"]), None)
    if year is None:
        return {"range": "", "range_said": "", "range_href": ""}
    first = date.fromisoformat(year["first_day"])
    span = "in a year" if (rows.today - first).days > YEAR - 15 else f"since {words.on(first, rows.today)}"
    places = str(year["best"]) if year["best"] == year["worst"] else f"{year['best']}{EN_DASH}{year['worst']}"
    beyond = "+" if year["beyond"] else ""  # on some days not among the results seen
    since = (rows.today - timedelta(days=YEAR - 1)).isoformat()
    href = links.rows("daily_ranks", source_id=source["source_id"], day__gte=since, _sort_desc="day")
    unseen = f", and not among the results seen on {words.many(year['beyond'], 'day')}" if beyond else ""
    said = f"{places.replace(EN_DASH, ' to ')} {span}{unseen}"
    return {"range": f"{places}{beyond} {span}", "range_said": said, "range_href": href}


def _trend(rows: Rows, source: Row, history: Sequence[Row], now: str) -> Markup:
    ranks = {r["day"]: r["position"] for r in history}
    asked = {r["day"] for r in of(rows["days"], source["source_id"])}
    first = min([source["added_at"][:10], *asked])
    places = []
    for day in (d.isoformat() for d in last_days(rows, SPAN)):
        if day in ranks:
            places.append(Place("rank", ranks[day]) if ranks[day] else Place("beyond"))
        elif day < first or (day == rows.today.isoformat() and day not in asked):
            places.append(Place("unwatched"))
        else:
            places.append(Place("unread"))
    seen = [p.position for p in places if p.position]
    spread = f", between {min(seen)} and {max(seen)} in {SPAN} days" if seen else ""
    unread = sum(p.state == "unread" for p in places)
    return rank_line(places, f"{now}{spread}" + (f", {words.many(unread, 'day')} not read" if unread else ""))


def page_one(rows: Rows, links: Links) -> tuple[PageOne, ...]:
    """Page one as each engine gave it last, place by place."""
    several = len({s["query"] for s in search_sources(rows)}) > 1
    pages = []
    for source in search_sources(rows):
        found = of(rows["page_one"], source["source_id"])
        if not found:
            continue
        days = (rows.today - date.fromisoformat(found[0]["day"])).days
        pages.append(
            PageOne(
                name=words.name(source["engine"]),
                query=source["query"] if several else "",
                cells=tuple(_cell(r, links) for r in found),
                mine=sum(r["whose"] == "mine" for r in found),
                age=words.age(days),
                stale=days > STALE,
                href=links.rows("page_one", source_id=source["source_id"], _sort="position"),
            )
        )
    return tuple(pages)


def _cell(row: Row, links: Links) -> Cell:
    whose = row["whose"] or "other"
    mark = {"mine": "m", "about_me": "a", "namesake": "n", "unwanted": "×"}.get(whose, "")
    href = links.page("map", url=row["url_id"]) if row["url_id"] else links.reading(row["reading_id"])
    return Cell(row["position"], whose, mark, f"{row['position']}: {row['title']} ({whose.replace('_', ' ')})", href)


def unwanted(rows: Rows, links: Links) -> tuple[Unwanted, ...]:
    """The unwanted pages on page one, with each engine and place."""
    pages: dict[str, list[Row]] = {}
    for row in rows["page_one"]:
        if row["whose"] == "unwanted":
            pages.setdefault(row["url"], []).append(row)
    return tuple(
        Unwanted(
            title=found[0]["title"] or url,
            href=links.row("urls", found[0]["url_id"]),
            where=tuple(
                Phrase(f"{words.name(r['engine'])} {r['position']}", links.reading(r["reading_id"])) for r in found
            ),
        )
        for url, found in pages.items()
    )


def verdict(cards: Sequence[Engine], bad: Sequence[Unwanted], links: Links) -> list[Phrase]:
    """Where the owner stands, in a sentence that claims nothing about what was not read lately."""
    read = [c for c in cards if c.age and not c.stale]
    noun, plural = ("search", "searches") if any(c.query for c in cards) else ("engine", "engines")
    phrases = []
    if not read:
        phrases.append(Phrase(f"No {noun} has been read in the last {STALE} days.", "#sources", "warn"))
    else:
        phrases.append(_standing(read, plural, links))
    old = sum(c not in read for c in cards)
    if read and old:
        phrases.append(
            Phrase(
                f"{words.many(old, noun, noun + 'es' if noun == 'search' else '')} not read lately.", "#sources", "warn"
            )
        )
    if bad:
        phrases.append(Phrase(f"{words.many(len(bad), 'unwanted page')} on page one.", "#page-one", "bad"))
    return phrases


def _standing(read: Sequence[Engine], nouns: str, links: Links) -> Phrase:
    found = [c for c in read if c.position]
    first = [c for c in found if c.position == 1]
    href = links.rows("current_ranks", _sort="position")
    if len(first) == len(read):
        where = f"on {read[0].name}" if len(read) == 1 else f"on all {len(read)} {nouns} read"
        return Phrase(f"You are number 1 {where}.", href, "good")
    if first:
        return Phrase(f"You are number 1 on {len(first)} of {len(read)} {nouns} read.", href, "good")
    if found:
        best = min(found, key=lambda c: c.position or 0)
        of_all = "" if len(read) == 1 else f", the best of {len(read)} {nouns} read"
        return Phrase(f"You are number {best.position} on {best.name}{of_all}.", href)
    where = read[0].name if len(read) == 1 else f"any of the {len(read)} {nouns} read"
    return Phrase(f"You are not among the results seen on {where}.", href, "bad")
