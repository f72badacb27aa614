"""Pure: what changed in the last 90 days, dated, the worst first, and noise left out; and when to look again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType
from urllib.parse import urlsplit

from monitor.web import words
from monitor.web.links import Links
from monitor.web.rows import SPAN, TRUSTED, Row, Rows, of
from monitor.web.search import Tone, search_sources
from monitor.web.spells import Spell, spells

MOST, WORST = 8, 5  # lines shown; of them the bad ones, while there is anything else to say
QUIET = 2  # days without news, after which that is said
FLAPS = 2  # times that a page came and left in the span, above which its coming and going is noise
RISE = 2  # places that an unwanted page rises before it is more than noise
FELL, ROSE = -0.05, 0.2  # parts by which a number of now changes within four weeks before it is told
SWING = 0.25  # the same of a number that is counted over a span, which swings by itself
DAYS_AT_1 = (1000, 365, 100, 30, 7)
KINDS = MappingProxyType({"inmail": "InMail", "request": "connection request"})


@dataclass(frozen=True, slots=True)
class Change:
    """One line: its day, what changed, and the place that proves it. `mark` says the tone without a colour."""

    day: str
    tone: Tone
    mark: str
    text: str
    href: str
    note: str = ""
    said: str = ""  # the day, in words


@dataclass(frozen=True, slots=True)
class Changed:
    """The lines shown, how many are left out, and the sentence below: since when all is calm, and the next look."""

    lines: tuple[Change, ...]
    more: int
    calm: str


def changed(rows: Rows, links: Links) -> Changed:
    """What changed, of everything that is read."""
    all_of_it = (replace(c, said=dated(c.day, rows.today)) for c in _all(rows, links))
    found = sorted(all_of_it, key=lambda c: (c.day, c.tone == "bad", c.text), reverse=True)
    lines = _worst_first(found)
    return Changed(tuple(lines), len(found) - len(lines), _calm(found, rows))


def dated(day: str, today: date) -> str:
    """The day of a line, as short as it can be."""
    return words.on(date.fromisoformat(day), today)


def _worst_first(found: Sequence[Change]) -> list[Change]:
    """The bad ones first, as many as leave room for the rest; each kind newest first."""
    bad = [c for c in found if c.tone == "bad"]
    rest = [c for c in found if c.tone != "bad"]
    return [*bad[: max(WORST, MOST - len(rest))], *sorted(rest, key=lambda c: c.tone != "warn")][:MOST]


def _calm(found: Sequence[Change], rows: Rows) -> str:
    """Since when nothing is new, and when Monitor looks next; empty where there is fresh news and no schedule."""
    said = ""
    newest = max((c.day for c in found), default=None)
    if newest is None:
        read = [row["day"] for row in rows["days"] if row["outcome"] in TRUSTED]
        begun = dated(min(read), rows.today) if read else ""
        young = begun and min(read) > (rows.today - timedelta(days=SPAN - 1)).isoformat()
        said = f"Nothing has changed since the first reading on {begun}." if young else ""
        said = said or (f"Nothing has changed in {SPAN} days." if read else "")
    elif (rows.today - date.fromisoformat(newest)).days > QUIET:
        said = f"Nothing has changed since {dated(newest, rows.today)}."
    ahead = [at for at in map(_instant, rows.next_tries.values()) if at > rows.now]
    look = f"Next look: {words.coming(min(ahead), rows.now)}." if ahead else ""
    return " ".join(filter(None, [said, look]))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


# --- what changed --------------------------------------------------------------------------------------------------


def _all(rows: Rows, links: Links) -> Iterator[Change]:
    yield from _places(rows, links)
    yield from _pages(rows, links)
    yield from _rising(rows, links)
    yield from _numbers(rows, links)
    yield from _sources(rows, links)
    yield from _contacts(rows, links)
    yield from _exposed(rows, links)


def _where(row: Row, rows: Rows) -> str:
    """An engine, with its query where that is not the first one of the config."""
    first = next((s["query"] for s in search_sources(rows)), row["query"])
    return words.name(row["engine"]) + (f" ({row['query']})" if row["query"] != first else "")


def _places(rows: Rows, links: Links) -> Iterator[Change]:
    """The newest move of each engine that is news and was seen again, and firsts and round numbers."""
    told = set()
    firsts = {(source, day): said for source, day, said, _ in _firsts(rows)}
    for row in rows["moves"]:
        if row["source_id"] in told:
            continue
        told.add(row["source_id"])
        better = (row["after"] or 999) < (row["before"] or 999)
        text = f"{_where(row, rows)}: {_place(row['before'], row)} to {_place(row['after'], row)}"
        note = firsts.pop((row["source_id"], row["day"]), "") or ("" if row["confirmed"] else "seen once so far")
        href = links.page("why", source=row["source_id"], day=row["day"])
        yield Change(row["day"], "good" if better else "bad", "▲" if better else "▼", text, href, note)
    engines = {s["source_id"]: s for s in rows["sources"]}
    for source, day, said, reading in _firsts(rows):
        if (source, day) in firsts and source in engines:
            yield Change(day, "good", "★", f"{_where(engines[source], rows)}: {said}", links.reading(reading))


def _place(position: int | None, row: Row) -> str:
    return str(position) if position else f"not within {row['depth']}"


def _firsts(rows: Rows) -> Iterator[tuple[int, str, str, int]]:
    """(source, day, words, reading): number 1 or page one for the first time, and round numbers of days at 1."""
    for before in rows["earlier"]:
        days = of(rows["ranks"], before["source_id"])
        ones = [d for d in days if d["position"] == 1]
        if ones and not before["first_places"] and ones[0] is not days[0]:
            yield before["source_id"], ones[0]["day"], "number 1 for the first time", ones[0]["reading_id"]
        paged = next((d for d in days if (d["position"] or 99) <= 10), None)
        if paged and not before["page_one"] and paged is not days[0] and paged not in ones[:1]:
            yield before["source_id"], paged["day"], "page one for the first time", paged["reading_id"]
        for count in DAYS_AT_1:
            n = count - before["first_places"] - 1
            if 0 <= n < len(ones):
                yield before["source_id"], ones[n]["day"], f"{count:,} days at number 1", ones[n]["reading_id"]
                break


def _pages(rows: Rows, links: Links) -> Iterator[Change]:
    """Pages of the owner's, about the owner or unwanted that came to page one or left it: how it stands now."""
    moves: dict[tuple[object, object], list[Row]] = {}
    for row in rows["came"]:
        moves.setdefault((row["source_id"], row["url_id"]), []).append(row)
    ranked = {(row["source_id"], row["day"]) for row in rows["moves"]}
    same: dict[tuple[str, str, object], list[Row]] = {}
    for own in moves.values():
        newest = own[0]
        if newest["whose"] != "unwanted" and len(own) > FLAPS:
            continue
        if newest["whose"] != "mine" or (newest["source_id"], newest["day"]) not in ranked:
            same.setdefault((newest["day"], newest["what"], newest["url_id"]), []).append(newest)
    for (day, what, url_id), own in same.items():
        row = own[0]
        unwanted, came = row["whose"] == "unwanted", what == "entered"
        tone: Tone = ("bad" if came else "good") if unwanted else "good" if came else "warn"
        whose = row["whose"].replace("_", " ")
        where = words.join([f"{_where(r, rows)}{' ' + str(r['position']) if came else ''}" for r in own])
        text = f"{_host(row['url'])} ({whose}) {'came to' if came else 'left'} page one: {where}"
        times = max(len(moves[r["source_id"], url_id]) for r in own)
        note = f"it comes and goes: {times} times in {SPAN} days" if times > FLAPS else ""
        mark = ("×" if unwanted else "+") if came else "−"
        yield Change(day, tone, mark, text, links.page("map", url=url_id), note)


def _host(url: str) -> str:
    try:
        return str(urlsplit(url).hostname or url)[:80]
    except ValueError:
        return url[:80]


def _rising(rows: Rows, links: Links) -> Iterator[Change]:
    """Unwanted pages that rose on page one by more than noise, and still stand as high."""
    pages: dict[tuple[object, object], list[Row]] = {}
    for row in rows["rising"]:
        pages.setdefault((row["source_id"], row["url_id"]), []).append(row)
    for own in pages.values():
        now = own[-1]["position"]
        rose = [(a, b) for a, b in pairwise(own) if a["position"] - b["position"] >= RISE and now <= b["position"]]
        if rose:
            a, b = rose[-1]
            text = f"{_host(b['url'])} (unwanted) rose from {a['position']} to {b['position']}: {_where(b, rows)}"
            yield Change(b["day"], "bad", "×", text, links.page("map", url=b["url_id"]))


def _numbers(rows: Rows, links: Links) -> Iterator[Change]:
    """Numbers of profiles that fell within four weeks, or rose to the most of a year."""
    for row in rows["counts"]:
        if row["state"] != "read" or not row["before"] or row["window"] == "day" or row["day"] < _begun(rows):
            continue
        part = (row["value"] - row["before"]) / row["before"]
        calm = row["window"] in ("now", "total")
        fell = part <= (FELL if calm else -SWING)
        rose = part >= (ROSE if calm else SWING) and row["value"] > (row["best_before"] or 0)
        if abs(row["value"] - row["before"]) >= 5 and (fell or rose):
            then = dated(row["before_day"], rows.today)
            what = f"{row['profile']} {row['metric'].replace('_', ' ')}"
            text = f"{what}: {row['before']:,} on {then}, {row['value']:,} now"
            note = "" if fell else "the most in a year"
            tone: Tone = "bad" if fell and calm else "warn" if fell else "good"
            yield Change(row["day"], tone, "▼" if fell else "▲", text, links.reading(row["reading_id"]), note)


def _begun(rows: Rows) -> str:
    return (rows.today - timedelta(days=SPAN - 1)).isoformat()


def _sources(rows: Rows, links: Links) -> Iterator[Change]:
    """Spells without a reading: those that last, and the end of longer ones. One line where several fared the same."""
    same: dict[tuple[str, Tone, str], list[tuple[str, str]]] = {}
    for source in rows["sources"]:
        for spell in spells(of(rows["days"], source["source_id"])):
            line = _of_spell(spell)
            if line:
                day, tone, said, reading = line
                same.setdefault((day, tone, said), []).append((source["source"], links.reading(reading)))
    for (day, tone, said), names in same.items():
        who = names[0][0] if len(names) == 1 else f"{names[0][0]} and {words.many(len(names) - 1, 'other source')}"
        href = (
            names[0][1] if len(names) == 1 else "#sources" if tone != "good" else links.rows("gaps", _sort_desc="day")
        )
        yield Change(day, tone, "✓" if tone == "good" else "!", f"{who}: {said}", href)


def _of_spell(spell: Spell) -> tuple[str, Tone, str, int | None] | None:
    if spell.ended and spell.days > QUIET:
        return spell.ended, "good", f"read again, after {spell.days} days", spell.ended_id
    if spell.ended is None and spell.days >= QUIET:
        tone: Tone = "warn" if spell.outcome == "missed" else "bad"
        return spell.first, tone, f"not read since, {words.ended(spell.outcome, spell.reason)}", spell.reading_id
    return None


def _contacts(rows: Rows, links: Links) -> Iterator[Change]:
    """The newest first contact, and how many came before it."""
    for row in rows["firsts"][:1]:
        more = len(rows["firsts"]) - 1
        text = f"First contact: {KINDS.get(row['kind'], row['kind'])}, through {row['origin']}"
        note = f"and {more} more in {SPAN} days" if more else ""
        yield Change(row["day"], "good", "+", text, links.row("contacts", row["contact_id"]), note)


def _exposed(rows: Rows, links: Links) -> Iterator[Change]:
    for row in rows["exposed"]:
        there = row["state"] == "found"
        day = row["first_seen"] if there else row["gone_day"]
        if day and day >= _begun(rows):
            text = f"{row['identifier']} {'stands on' if there else 'is gone from'} {_host(row['url'])}"
            tone: Tone = "bad" if there else "good"
            yield Change(day, tone, "×" if there else "−", text, links.page("exposure"))


def exposed_now(rows: Rows) -> str:
    """What of the owner's stands where it is not meant to, in a sentence; empty where nothing is known to."""
    found = [row for row in rows["exposed"] if row["state"] == "found" and not row["allowed"]]
    names, pages = {r["identifier"] for r in found}, {r["url"] for r in found}
    if len(names) == len(pages) == 1:
        return f"{names.pop()} stands on {_host(pages.pop())}."
    what = words.many(len(names), "number or address", "numbers and addresses")
    return f"{what} of yours on {words.many(len(pages), 'page')} where not meant." if found else ""
