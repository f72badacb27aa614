"""The past read again: kept captures through today's parsers, as new readings beside the old."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from monitor.collect import Clock, Task, collect
from monitor.config import Configured
from monitor.model import Batch, Count, Exchange, FetchFailed, Files, Http, Reading, Trigger
from monitor.store import captures, readings
from monitor.store.connection import Store
from monitor.times import from_text


@dataclass(frozen=True, slots=True)
class Again:
    """One reading read again: what differs in words ("" for nothing); `read` is False when its pages are gone."""

    reading_id: int
    day: str
    differs: str
    read: bool


def reread_source(
    store: Store, configured: Configured, source_id: int, clock: Clock, *, dry: bool = False
) -> Iterator[Again]:
    """Read every kept reading of a source again, oldest first.

    A new reading is stored where the answer differs, or where the parser is newer than the one that read it last.
    """
    originals = store.rows(
        "select r.* from readings r where r.source_id = ? and r.reread_of is null and r.\"trigger\" <> 'typed'"
        " and exists (select 1 from exchanges e where e.reading_id = r.id and e.capture_id is not null)"
        " order by r.started_at, r.id",
        (source_id,),
    )
    for original in originals:
        exchanges = [e for e in captures.exchanges_of(store, original["id"]) if e.capture]
        (kept,) = store.rows(
            "select count(*) as n from exchanges where reading_id = ? and capture_id is not null", (original["id"],)
        )
        if len(exchanges) < kept["n"]:
            yield Again(original["id"], original["day"], "", read=False)
            continue
        reading = _again(configured, original, exchanges, clock)
        last = _last(store, original)
        differs = _differs(store, last, reading)
        if not dry and (differs or last["parser"] < reading.parser):
            readings.save(store, source_id, reading)
        yield Again(original["id"], original["day"], differs, read=True)


def _again(configured: Configured, original: dict[str, Any], exchanges: list[Exchange], clock: Clock) -> Reading:
    answers = iter(exchanges)
    asked_at = from_text(original["started_at"])
    times = iter((asked_at,))

    def answer(request: Http, n: int) -> Exchange:
        found = next(answers, None)
        if found is None:
            raise FetchFailed("truncated", f"no page {n} was kept")
        return found

    task = Task(
        name=configured.name,
        source=configured.source,
        slot=from_text(original["slot"]),
        day=date.fromisoformat(original["day"]),
        trigger=Trigger.REREAD,
        reread_of=original["id"],
    )
    (reading,) = collect(task, answer, _no_files, lambda: next(times, clock()))
    return reading


def _no_files(request: Files) -> Iterator[Batch]:
    raise AssertionError("a source that keeps its captures asks no files")


def _last(store: Store, original: dict[str, Any]) -> dict[str, Any]:
    """The newest reading of that attempt: itself, or the last time it was read again."""
    again = store.rows("select * from readings where reread_of = ? order by id desc limit 1", (original["id"],))
    return again[0] if again else original


def _differs(store: Store, last: dict[str, Any], reading: Reading) -> str:
    if (last["outcome"], last["reason"]) != (str(reading.outcome), reading.reason):
        return f"{_ended(last['outcome'], last['reason'])} -> {_ended(str(reading.outcome), reading.reason)}"
    if last["depth"] != reading.depth:
        return f"{last['depth']} -> {reading.depth} results seen"
    results = [r for r in reading.records if not isinstance(r, Count)]
    if last["results_hash"] != readings.results_hash(r for r in results if hasattr(r, "position")):  # type: ignore[misc]
        return "other results, or in another order"
    return _counts_differ(store, reading)


def _counts_differ(store: Store, reading: Reading) -> str:
    said = []
    for count in (r for r in reading.records if isinstance(r, Count)):
        rows = store.rows(
            "select value from counts where profile = ? and metric = ? and window = ? and day = ?",
            (count.profile, count.metric, count.window, count.day.isoformat()),
        )
        old = rows[0]["value"] if rows else None
        if not rows or (old != count.value and count.overlap != "max"):
            said.append(f"{count.profile} {count.metric} {count.day}: {old} -> {count.value}")
    return "; ".join(said)


def _ended(outcome: str, reason: str) -> str:
    return f"{outcome} ({reason})" if reason else outcome
