"""The page of one reading: what was asked, how it ended, what was read from it, and what that counted for."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any

from monitor import labels
from monitor.web import words
from monitor.web.capture import HTML, Lost, captures_of, gone, present
from monitor.web.pages import Asked
from monitor.web.read_from import parts
from monitor.web.rows import TRUSTED
from monitor.web.safety import HOME_POLICY
from monitor.web.search import Tone

POLICY = f"{HOME_POLICY}; frame-src 'self'"  # the kept page stands in a frame of its own, in which nothing runs
FRAMES = 3  # kept pages that are shown at once
RESULTS = 200
COUNTS: Mapping[str, str] = MappingProxyType(
    {
        "slot": "select id, outcome from slot_readings where source_id = :source and slot = :key",
        "day": "select id, outcome from day_readings where source_id = :source and day = :key",
    }
)
AROUND: Mapping[str, str] = MappingProxyType(
    {
        "The one before": """
            select * from readings
            where source_id = :source and (day, started_at, id) < (:day, :at, :id) and slot <> :slot
            order by day desc, started_at desc, id desc limit 1
        """,
        "The one after": """
            select * from readings
            where source_id = :source and (day, started_at, id) > (:day, :at, :id) and slot <> :slot
            order by day, started_at, id limit 1
        """,
    }
)
_PLACE = re.compile(r"(?P<file>.+) (?P<start>\d+)-(?P<end>\d+)", re.S)  # how a piece of a log says where it stands
MARKS: Mapping[str, str] = MappingProxyType({"mine": "m", "about_me": "a", "namesake": "n", "unwanted": "×"})
TRIGGERS: Mapping[str, str] = MappingProxyType(
    {
        "schedule": "the schedule",
        "manual": "monitor check",
        "import": "monitor import",
        "typed": "the owner's hand",
        "reread": "monitor reread",
    }
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list of facts; `href` where it leads."""

    name: str
    text: str
    href: str = ""
    at: str = ""  # the instant in UTC, where the text is one


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange: what was asked and what came back."""

    n: int
    asked: str
    href: str | None
    facts: tuple[Line, ...]
    headers: tuple[tuple[str, str], ...]
    shown: str  # the kept copy, "" when there is none
    raw: str
    frame: bool
    lost: str  # why no copy can be shown


@dataclass(frozen=True, slots=True)
class Found:
    """One line of a results page as it was read."""

    position: int | None
    kind: str
    whose: str
    mark: str
    title: str
    url: str
    href: str | None
    row: str
    history: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another reading that belongs to this one, in a word and a link."""

    what: str
    text: str
    href: str


async def page(asked: Asked) -> dict[str, Any] | None:
    """What the page shows; None where there is no such reading."""
    found = await asked.rows(
        "select r.*, s.name as source, s.measure, s.engine, s.query from readings r"
        " join sources s on s.id = r.source_id where r.id = :id",
        id=int(asked.args["id"]),
    )
    if not found:
        return None
    reading = found[0]
    steps, kept = await _steps(asked, reading)
    results = await _results(asked, reading)
    others = await _parts_of_history(asked, reading)
    read = await parts(asked, reading)
    trusted = reading["outcome"] in TRUSTED
    tone: Tone = "good" if trusted else "warn" if reading["outcome"] == "missed" else "bad"
    return {
        "title": f"Reading {reading['id']}",
        "here": "reading",
        "headers": {"content-security-policy": POLICY},
        "reading": reading,
        "tone": tone,
        "ended": words.ended(reading["outcome"], reading["reason"]),
        "day": words.on(datetime.fromisoformat(reading["day"]).date(), asked.now.date()),
        "lines": _facts(asked, reading),
        "counted": await _counted(asked, reading),
        "steps": steps,
        "kept": kept,
        "results": results,
        "places": sum(r.position is not None for r in results),
        "parts": read,
        "nothing": not (results or any(p.total or p.trouble for p in read)),
        "others": others,
        "raw": _raw(asked, reading["id"], bool(results)),
    }


def _moment(instant: str, zone: tzinfo | None) -> str:
    """An instant in the owner's zone, to the second: "23 Nov 2026 17:30:02"; as it stands where it is none."""
    try:
        local = datetime.fromisoformat(instant.replace("Z", "+00:00")).astimezone(zone)
    except ValueError:
        return instant
    return f"{local.day} {words.MONTHS[local.month - 1]} {local.year} {local:%H:%M:%S}"


def _facts(asked: Asked, reading: Mapping[str, Any]) -> tuple[Line, ...]:
    zone = asked.now.tzinfo
    lines = [
        Line("Source", reading["source"], asked.links.row("sources", reading["source_id"])),
        Line("Query", reading["query"] if reading["measure"] == "search" else ""),
        Line(
            "Day", reading["day"], asked.links.rows("day_readings", source_id=reading["source_id"], day=reading["day"])
        ),
        Line("Due", _moment(reading["slot"], zone), at=reading["slot"]),
        Line("Began", _moment(reading["started_at"], zone), at=reading["started_at"]),
        Line("Ended", _moment(reading["finished_at"], zone), at=reading["finished_at"]),
        Line("Asked for by", TRIGGERS.get(reading["trigger"], reading["trigger"])),
        Line("Attempt", str(reading["attempt"])),
        Line("Parser", f"version {reading['parser']}"),
        Line("Results seen", "" if reading["depth"] is None else str(reading["depth"])),
        Line("Note", reading["note"]),
    ]
    return tuple(line for line in lines if line.text)


async def _counted(asked: Asked, reading: Mapping[str, Any]) -> tuple[Other, ...]:
    """Whether this is the reading that counts for its slot and for its day, or which one is."""
    said = []
    for what, sql in COUNTS.items():
        rows = await asked.rows(sql, source=reading["source_id"], key=reading[what])
        if not rows:
            continue
        best, name = rows[0], reading["day"] if what == "day" else "its slot"
        if best["id"] != reading["id"]:
            text = f"does not count for {name}: reading {best['id']} does"
        elif best["outcome"] in TRUSTED:
            text = f"counts for {name}"
        else:
            text = f"is all there is for {name}, so that is a gap"
        said.append(Other(what, text, asked.links.reading(best["id"])))
    return tuple(said)


# --- what was asked ------------------------------------------------------------------------------------------------


async def _steps(asked: Asked, reading: Mapping[str, Any]) -> tuple[tuple[Step, ...], str]:
    """The exchanges, and why no kept page at all can be looked up ("" when they can)."""
    rows = await asked.rows(
        "select e.*, c.media_type, c.size, c.pruned_at from exchanges e left join captures c on c.id = e.capture_id"
        " where e.reading_id = :id order by e.n",
        id=reading["id"],
    )
    ids = [row["capture_id"] for row in rows if row["capture_id"]]
    try:
        there = await asyncio.to_thread(present, captures_of(asked.database), ids) if ids else set()
        trouble = ""
    except Lost as lost:
        there, trouble = set(), str(lost)
    steps, frames = [], 0
    for row in rows:
        page = row["capture_id"] in there and row["media_type"].partition(";")[0].strip() in HTML
        frames += page
        steps.append(_step(asked, row, row["capture_id"] in there, page and frames <= FRAMES, bool(trouble)))
    return tuple(steps), trouble


def _step(asked: Asked, row: Mapping[str, Any], there: bool, frame: bool, trouble: bool) -> Step:
    key, zero = row["capture_id"], row["status"] is None
    place = _PLACE.fullmatch(row["url_asked"]) if zero and not key and "://" not in row["url_asked"] else None
    facts = [
        Line("File", place["file"] if place else ""),
        Line("Bytes", f"{int(place['start']):,} to {int(place['end']):,}" if place else ""),
        Line("Answer", "none came" if zero and not key and not place else ""),
        Line("Status", "" if zero else str(row["status"])),
        Line("Answered from", row["final_url"] if row["final_url"] not in ("", row["url_asked"]) else ""),
        Line("Kind", row["media_type"] or ""),
        Line("Size", f"{row['size']:,} bytes" if row["size"] is not None else ""),
        Line("Took", f"{row['ms']:,} ms" if row["ms"] else ""),
        Line("SHA-256", key or "", asked.links.row("captures", key) if key else ""),
    ]
    copy = f"capture/{key}"
    return Step(
        n=row["n"],
        asked=row["url_asked"],
        href=labels.web_url(row["url_asked"]),
        facts=tuple(f for f in facts if f.text),
        headers=tuple((str(k), str(v)) for k, v in json.loads(row["headers"] or "{}").items()),
        shown=asked.links.page(copy, reading=row["reading_id"]) if there else "",
        raw=asked.links.page(copy, reading=row["reading_id"], raw=1) if there else "",
        frame=frame,
        lost=gone(row["pruned_at"]) if key and not there and not trouble else "",
    )


# --- what was read -------------------------------------------------------------------------------------------------


async def _results(asked: Asked, reading: Mapping[str, Any]) -> tuple[Found, ...]:
    rows = await asked.rows(
        "select r.position, r.kind, r.url_id, r.match_precision, coalesce(u.whose, 'other') as whose, u.url, t.title"
        " from results r left join urls u on u.id = r.url_id join texts t on t.id = r.text_id"
        " where r.reading_id = :id order by r.block, r.sub_index limit :most",
        id=reading["id"],
        most=RESULTS,
    )
    return tuple(_found(asked, row, reading["id"]) for row in rows)


def _found(asked: Asked, row: Mapping[str, Any], reading_id: int) -> Found:
    key = row["url_id"]
    return Found(
        position=row["position"],
        kind=row["kind"].replace("_", " "),
        whose=row["whose"],
        mark=MARKS.get(row["whose"], ""),
        title=row["title"] or row["url"] or "(without a title)",
        url=row["url"] or "",
        href=labels.web_url(row["url"]),
        row=asked.links.row("urls", key) if key else asked.links.rows("results", reading_id=reading_id),
        history=asked.links.page("map", url=key) if key else "",
    )


# --- the readings around it ----------------------------------------------------------------------------------------


async def _parts_of_history(asked: Asked, reading: Mapping[str, Any]) -> tuple[Other, ...]:
    """The other attempts at the slot, what was read again, and the readings before and after."""
    same = await asked.rows(
        "select * from readings where source_id = :source and slot = :slot and id <> :id order by id",
        source=reading["source_id"],
        slot=reading["slot"],
        id=reading["id"],
    )
    around: list[Other] = []
    for name, sql in AROUND.items():
        rows = await asked.rows(
            sql,
            source=reading["source_id"],
            day=reading["day"],
            at=reading["started_at"],
            id=reading["id"],
            slot=reading["slot"],
        )
        around += [_other(asked, name, row) for row in rows]
    return (*(_other(asked, _kin(reading, row), row) for row in same), *around)


def _kin(reading: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    if other["id"] == reading["reread_of"]:
        return "Reads again"
    if other["reread_of"] == reading["id"]:
        return "Read again as"
    if other["reread_of"]:
        return f"Reading {other['reread_of']} read again"
    return f"Attempt {other['attempt']} at the same slot"


def _other(asked: Asked, what: str, row: Mapping[str, Any]) -> Other:
    when = _moment(row["started_at"], asked.now.tzinfo)
    text = f"reading {row['id']}, {when}, {words.ended(row['outcome'], row['reason'])}"
    return Other(what, text, asked.links.reading(row["id"]))


def _raw(asked: Asked, reading_id: int, results: bool) -> Sequence[Other]:
    there = asked.links
    rows = [
        Other("row", "the row in readings", there.row("readings", reading_id)),
        Other("row", "its exchanges", there.rows("exchanges", reading_id=reading_id)),
        Other("json", "all of it as JSON", f"{there.row('readings', reading_id)}.json"),
    ]
    if results:
        rows.insert(2, Other("row", "its results", there.rows("results", reading_id=reading_id, _sort="block")))
    return rows
