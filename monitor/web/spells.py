"""Pure: the spells of days on which a source could not be read, and since when one lasts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from monitor.web.rows import SPAN, TRUSTED, Row, Rows, of

SURE = 31  # days without any attempt before a spell, after which it is taken to begin with its first


@dataclass(frozen=True, slots=True)
class Spell:
    """Days in a row on which a source could not be read. `ended` is the first day that it could, again."""

    source_id: int
    first: str
    days: int
    outcome: str
    reason: str
    reading_id: int
    ended: str | None = None
    ended_id: int | None = None


def spells(days: Iterable[Row]) -> Iterator[Spell]:
    """The spells of one source's days (rows of `day_readings`, oldest first), the last one perhaps not over."""
    run: list[Row] = []
    for row in days:
        if row["outcome"] not in TRUSTED:
            run.append(row)
        elif run:
            yield _spell(run, row)
            run = []
    if run:
        yield _spell(run)


def not_read_since(rows: Rows, source: Row) -> date | None:
    """Since when a source has not been read; None where its day was read after all, or nobody can tell."""
    days = of(rows["days"], source["source_id"])
    last = next((s for s in spells(days) if s.ended is None), None)
    early = (rows.today - timedelta(days=SPAN - SURE)).isoformat()
    if last is None or (last.first == days[0]["day"] <= early and source["added_at"][:10] < last.first):
        return None  # it may be longer than what was looked at
    return date.fromisoformat(last.first)


def _spell(run: Sequence[Row], then: Row | None = None) -> Spell:
    first, last = run[0], run[-1]
    over = (then["day"], then["reading_id"]) if then else (None, None)
    return Spell(last["source_id"], first["day"], len(run), last["outcome"], last["reason"], first["reading_id"], *over)
