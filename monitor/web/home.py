"""Pure: rows to the home page. In order: how do I stand, where, is it read, what came of it, is it working."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from markupsafe import Markup

from monitor import labels
from monitor.web import changed, numbers, search, words
from monitor.web.links import Links
from monitor.web.rows import TRUSTED, Row, Rows, of
from monitor.web.search import Phrase, Tone, last_days, search_sources
from monitor.web.svg import strip

SILENT = timedelta(minutes=15)  # a heartbeat older than this: nobody is taking readings
SOON = 10  # seconds until the page asks again while first readings are under way; never under a reader's eyes
STANDING = {"sources", "current", "ranks", "days"}  # the reads without which nothing can be said of a rank
UNREAD = Phrase("Where you stand could not be read from the file just now.", "", "warn")


@dataclass(frozen=True, slots=True)
class Source:
    """How one source is doing."""

    name: str
    measure: str
    tone: Tone
    state: str
    advice: str
    last_good: str
    next_try: str
    href: str
    good_href: str
    good_days: int
    strip: Markup


@dataclass(frozen=True, slots=True)
class Candidate:
    """A page on page one that may be the owner's, with what to type if it is."""

    title: str
    url: str
    href: str | None
    row: str
    more: int  # further pages that the same command covers
    where: tuple[Phrase, ...]
    command: str


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What stands in place of ranks while there is none to show."""

    state: Literal["waiting", "unread", "unlabelled"]
    read: tuple[Phrase, ...] = ()
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Home:
    """Everything on the home page, in reading order."""

    database: str
    owner: str
    day: str
    clock: str
    refresh: int
    verdict: tuple[Phrase, ...]
    alarms: tuple[str, ...]
    trouble: frozenset[str]  # reads of the file that did not succeed: their panels say so instead of "none"
    first_run: FirstRun | None
    engines: tuple[search.Engine, ...]
    page_one: tuple[search.PageOne, ...]
    unwanted: tuple[search.Unwanted, ...]
    changed: changed.Changed
    sites: tuple[numbers.Site, ...]
    older_sites: tuple[numbers.Line, ...]
    counts_views: bool  # whether a source of page views is configured
    profiles: tuple[numbers.Profile, ...]
    contacts: numbers.Contacts
    unsure: int  # contacts that wait for the owner's word
    sources: tuple[Source, ...]
    links: Links


def home(rows: Rows, database: str, links: Links) -> Home:
    """The view model of the home page."""
    unread = bool(rows.trouble.keys() & STANDING)
    first = None if unread else _first_run(rows, links)
    cards = () if first or unread else search.engines(rows, links)
    bad = search.unwanted(rows, links)
    sources = _sources(rows, links)
    return Home(
        database=database,
        owner=rows.owner or "Monitor",
        day=words.long_day(rows.today),
        clock=f"{rows.now:%H:%M}",
        refresh=SOON if _under_way(rows) else 0,
        verdict=((UNREAD,) if unread else _verdict(first, cards, bad, sources, links)) + _exposed(rows, links),
        alarms=_alarms(rows),
        trouble=frozenset(rows.trouble),
        first_run=first,
        engines=cards,
        page_one=() if first or unread else search.page_one(rows, links),
        unwanted=bad,
        changed=changed.changed(rows, links),
        sites=numbers.sites(rows, links),
        older_sites=numbers.older_sites(rows, links),
        counts_views=any(s["measure"] == "page_views" for s in rows["sources"]),
        profiles=numbers.profiles(rows, links),
        contacts=numbers.contacts(rows, links),
        unsure=sum(r["waiting"] for r in rows["unsure"]),
        sources=sources,
        links=links,
    )


def _under_way(rows: Rows) -> bool:
    """Whether a first reading is still to come: no source has one yet, or a young source has none."""
    waiting = [s for s in rows["sources"] if s["outcome"] is None]
    if len(waiting) == len(rows["sources"]):
        return True
    return any(rows.now - _instant(s["added_at"]) < timedelta(hours=1) for s in waiting)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _first_run(rows: Rows, links: Links) -> FirstRun | None:
    """The first-run state; None once a page is labelled mine and an engine has been read."""
    labelled = any(r["mine"] for r in rows["labels"])
    sources = search_sources(rows)
    read = [s for s in sources if s["good_day"]]
    if not read:
        tried = any(s["outcome"] for s in sources) or (not sources and any(s["outcome"] for s in rows["sources"]))
        return FirstRun("unread" if tried else "waiting") if sources or not tried else None
    if labelled or "labels" in rows.trouble:
        return None
    return FirstRun("unlabelled", tuple(_was_read(s, rows, links) for s in read), _candidates(rows, links))


def _was_read(source: Row, rows: Rows, links: Links) -> Phrase:
    day = date.fromisoformat(source["good_day"])
    days = (rows.today - day).days
    when = words.age(days) if days < 2 else f"on {words.on(day, rows.today)}"
    seen = words.many(source["good_depth"] or 0, "result")
    return Phrase(f"{words.name(source['engine'])}: {seen} read {when}", links.reading(source["good_reading_id"]))


def _candidates(rows: Rows, links: Links) -> tuple[Candidate, ...]:
    """Page one of all engines, each label pattern once, highest up first."""
    pages: dict[str, list[Row]] = {}
    for row in rows["page_one"]:
        if row["url"] and row["whose"] == "other" and not row["labelled"]:
            pages.setdefault(labels.suggest(row["url"]) or row["url"], []).append(row)
    found = sorted(pages.values(), key=lambda seen: (min(r["position"] for r in seen), -len(seen), seen[0]["url"]))
    return tuple(_candidate(seen, links) for seen in found)


def _candidate(seen: Sequence[Row], links: Links) -> Candidate:
    best = min(seen, key=lambda r: r["position"])
    pattern = labels.suggest(best["url"]) or ""
    return Candidate(
        title=best["title"] or best["url"],
        url=best["url"],
        href=labels.web_url(best["url"]),
        row=links.row("urls", best["url_id"]),
        more=len({r["url"] for r in seen}) - 1,
        where=tuple(Phrase(f"{words.name(r['engine'])} {r['position']}", links.reading(r["reading_id"])) for r in seen),
        command=words.label_command(pattern) if pattern else "",
    )


def _verdict(
    first: FirstRun | None,
    cards: Sequence[search.Engine],
    bad: Sequence[search.Unwanted],
    sources: Sequence[Source],
    links: Links,
) -> tuple[Phrase, ...]:
    if first is None:
        phrases = search.verdict(cards, bad, links) if cards else []
    elif first.state == "waiting":
        phrases = [Phrase("First readings are being taken…", "#sources", "quiet")]
    elif first.state == "unread":
        phrases = [Phrase("No results page could be read yet.", "#sources", "warn")]
    else:
        phrases = [Phrase("Your results are in. Which of these pages are yours?", "#yours")]
    failing = sum(s.tone in ("bad", "warn") for s in sources)
    if failing:
        text = f"{words.many(failing, 'source needs', 'sources need')} attention."
        phrases.append(Phrase(text, "#sources", "warn"))
    elif not phrases:
        phrases.append(Phrase("All sources were read.", "#sources", "good"))
    return tuple(phrases)


def _exposed(rows: Rows, links: Links) -> tuple[Phrase, ...]:
    """That something of the owner's stands where it is not meant to; nothing where it does not."""
    said = changed.exposed_now(rows)
    return (Phrase(said, links.page("exposure"), "bad"),) if said else ()


def _alarms(rows: Rows) -> tuple[str, ...]:
    """What the owner must know before believing anything else on the page."""
    said = []
    for beat in rows["heartbeat"]:
        if rows.now - _instant(beat["beat_at"]) > SILENT:
            when = words.at(_instant(beat["beat_at"]), rows.now)
            said.append(f"No readings are being taken: Monitor last gave a sign of life {when}. Start it: monitor run")
    said += [
        f"The file did not give its {name.replace('_', ' ')} just now: {why}." for name, why in rows.trouble.items()
    ]
    return tuple(said)


def _sources(rows: Rows, links: Links) -> tuple[Source, ...]:
    """Every current source, those in trouble first."""
    order = {"bad": 0, "warn": 1, "quiet": 2, "fine": 3, "good": 4}
    cards = [_source(s, rows, links) for s in rows["sources"]]
    return tuple(sorted(cards, key=lambda c: (order[c.tone], c.name)))


def _state(source: Row, rows: Rows) -> str:
    """How its newest attempt ended, and since when it has been so."""
    if source["outcome"] is None:
        return "waiting for its first reading"
    if source["outcome"] in TRUSTED:
        return words.ended(source["outcome"], "")
    return search.trouble(source, rows)


def _source(source: Row, rows: Rows, links: Links) -> Source:
    outcome = source["outcome"]
    good = outcome in TRUSTED
    tone: Tone = "quiet" if outcome is None else "good" if good else "warn" if outcome == "missed" else "bad"
    by_day = {r["day"]: r["outcome"] for r in of(rows["days"], source["source_id"])}
    days = [by_day.get(d.isoformat(), "") for d in last_days(rows, 30)]
    read = sum(d in TRUSTED for d in days)
    tries = rows.next_tries.get(source["source"], "")
    return Source(
        name=source["source"],
        measure=source["measure"].replace("_", " "),
        tone=tone,
        state=_state(source, rows),
        advice=(source["advice"] or "") if not good else "",
        last_good=words.at(_instant(source["last_good_at"]), rows.now) if source["last_good_at"] else "never",
        next_try=words.at(_instant(tries), rows.now) if tries else "",
        href=links.reading(source["reading_id"]),
        good_href=links.reading(source["good_reading_id"]) if source["good_reading_id"] else "",
        good_days=read,
        strip=strip(days, f"read on {read} of the last 30 days"),
    )
