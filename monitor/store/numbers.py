"""Counts and page views into their tables; a late number that changes an old one leaves a revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlite_utils import Database

from monitor.model import Count, NotCounted, PageViews, Reading, Referrer, Shown, SiteViews
from monitor.store.reader import HasRows
from monitor.times import to_text

_Row = tuple[Any, ...]
_Change = tuple[_Row, _Row, _Row]  # the key, what stood there, what stands now

_COUNT_KEY = "source_id = ? and profile = ? and metric = ? and window = ? and day = ?"


def save_counts(db: Database, source_id: int, reading_id: int, counts: list[Count]) -> None:
    """Store each count; the same day read again keeps the newest, or the largest where the record says so."""
    for count in counts:
        key = [source_id, count.profile, count.metric, count.window, count.day.isoformat()]
        sql = f"select value, reading_id, state, precision from counts where {_COUNT_KEY}"  # noqa: S608
        old = db.execute(sql, key).fetchone()
        if old and (_same(old, count) or (old[0] is not None and _stands(old[0], count))):
            continue
        db.execute(
            "insert or replace into counts values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [*key, count.value, count.state, count.precision, count.definition, reading_id],
        )
        if old and old[0] != count.value:
            name = "\t".join(str(part) for part in key[:4])
            _revise(db, "counts", name, key[4], old[:2], count.value, reading_id)


def _same(old: tuple[object, ...], count: Count) -> bool:
    return (old[0], old[2], old[3]) == (count.value, count.state, count.precision)


def _stands(old: float, count: Count) -> bool:
    return count.value is None or (count.overlap == "max" and count.value <= old)


def _revise(
    db: Database, table: str, key: str, day: object, old: tuple[float | None, int], new: float | None, reading_id: int
) -> None:
    db.execute(
        "insert into revisions (table_name, key, day, old, new, old_reading_id, reading_id)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        [table, key, str(day), old[0], new, old[1], reading_id],
    )


def save_shown(db: Database, source_id: int, reading_id: int, shown: list[Shown]) -> None:
    """Store what an engine's console says it showed; a day said again takes the place of the old row."""
    for row in shown:
        db.execute(
            "insert or replace into search_performance values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                source_id,
                row.day.isoformat(),
                row.query,
                row.page,
                row.clicks,
                row.impressions,
                row.position,
                int(row.final),
                reading_id,
            ],
        )


def save_page_views(db: Database, source_id: int, reading_id: int, reading: Reading) -> None:
    """Store page views, site totals, referrers and what was not counted: added to what stands, or in its place."""
    if reading.increments:
        _add_page_views(db, source_id, reading_id, reading)
        return
    whole = {r.day for r in reading.records if isinstance(r, SiteViews) and r.complete}
    put = _Put(db, source_id, reading_id, reading)
    put.totals([r for r in reading.records if isinstance(r, SiteViews)], whole)
    put.paths([r for r in reading.records if isinstance(r, PageViews)], whole)
    put.referrers([r for r in reading.records if isinstance(r, Referrer)])
    db.conn.executemany(
        "insert or replace into not_counted values (?, ?, ?, ?, ?)",
        [
            (source_id, r.day.isoformat(), r.reason, r.lines, reading_id)
            for r in reading.records
            if isinstance(r, NotCounted)
        ],
    )


def _add_page_views(db: Database, source_id: int, reading_id: int, reading: Reading) -> None:
    """Add what was read of a log to what stands: one statement per table, whatever the number of rows."""
    rule, records = reading.rule, reading.records
    (last,) = db.execute("select max(day) from site_views where source_id = ?", [source_id]).fetchone()
    totals = [r for r in records if isinstance(r, SiteViews)]
    paths = [r for r in records if isinstance(r, PageViews)]
    many = db.conn.executemany
    many("insert or ignore into paths (path) values (?)", {(r.path,) for r in paths})
    many(
        _adding("site_views", "day", "?, ?, ?, ?, ?, ?, ?, ?", ("views", "feed_views")),
        [
            (source_id, r.day.isoformat(), r.views, r.visitors, r.feed_views, rule, int(r.complete), reading_id)
            for r in totals
        ],
    )
    many(
        _adding("page_views", "day, path_id", "?, ?, (select id from paths where path = ?), ?, ?, ?, 0, ?", ("views",)),
        [(source_id, r.day.isoformat(), r.path, r.views, r.visitors, rule, reading_id) for r in paths],
    )
    many(
        _adding("referrers", "day, referrer", "?, ?, ?, ?, ?, ?", ("views",)),
        [
            (source_id, r.day.isoformat(), r.referrer, r.medium, r.views, reading_id)
            for r in records
            if isinstance(r, Referrer)
        ],
    )
    many(
        _adding("not_counted", "day, reason", "?, ?, ?, ?, ?", ("lines",)),
        [(source_id, r.day.isoformat(), r.reason, r.lines, reading_id) for r in records if isinstance(r, NotCounted)],
    )
    if totals:
        _complete(db, source_id, str(last or "0000-01-01"), max(r.day for r in totals).isoformat())


def _adding(table: str, key: str, values: str, summed: tuple[str, ...]) -> str:
    sets = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in summed)
    return (
        f"insert into {table} values ({values}) on conflict (source_id, {key})"  # noqa: S608
        f" do update set {sets}, reading_id = excluded.reading_id"
    )


@dataclass(frozen=True)
class _Put:
    """Puts days that were read again in the place of the old ones; a number of views that changed leaves a revision.

    What stands by younger evidence stays (against a reading that waited, or one read again from kept pages), and what
    is as it was keeps the evidence it has. One look at what stands and one statement a table, whatever the rows.
    """

    db: Database
    source_id: int
    reading_id: int
    reading: Reading

    def totals(self, records: list[SiteViews], whole: set[date]) -> None:
        """What a whole site was seen."""
        rule = self.reading.rule
        rows = {(r.day.isoformat(),): (r.views, r.visitors, r.feed_views, rule, int(r.day in whole)) for r in records}
        changed = self._put("site_views", ("day",), ("views", "visitors", "feed_views", "rule", "complete"), rows)
        self._revise("site_views", {key: str(self.source_id) for key in rows}, changed)

    def paths(self, records: list[PageViews], whole: set[date]) -> None:
        """What each path was seen."""
        ids, rule = _path_ids(self.db, dict.fromkeys(r.path for r in records)), self.reading.rule
        rows = {(r.day.isoformat(), ids[r.path]): (r.views, r.visitors, rule, int(r.day in whole)) for r in records}
        changed = self._put("page_views", ("day", "path_id"), ("views", "visitors", "rule", "complete"), rows)
        names = {(r.day.isoformat(), ids[r.path]): f"{self.source_id}\t{r.path}" for r in records} if changed else {}
        self._revise("page_views", names, changed)

    def referrers(self, records: list[Referrer]) -> None:
        """What came from where."""
        rows = {(r.day.isoformat(), r.referrer): (r.views, r.medium) for r in records}
        self._put("referrers", ("day", "referrer"), ("views", "medium"), rows)

    def _put(
        self, table: str, key: tuple[str, ...], columns: tuple[str, ...], rows: Mapping[_Row, _Row]
    ) -> list[_Change]:
        """Write the rows, by their keys, that are news; returns which changed, with what stood there."""
        stands = self._standing(table, (*key, *columns), len(key), {str(row[0]) for row in rows})
        started, news, changed = to_text(self.reading.started_at), [], []
        for where, row in rows.items():
            old = stands.get(where)
            if old and (old[:-2] == row or str(old[-1]) > started):
                continue
            news.append((self.source_id, *where, *row, self.reading_id))
            if old and old[0] != row[0]:
                changed.append((where, old, row))
        names = ("source_id", *key, *columns, "reading_id")
        sets = ", ".join(f"{name} = excluded.{name}" for name in (*columns, "reading_id"))
        self.db.conn.executemany(
            f"insert into {table} ({', '.join(names)}) values ({', '.join('?' * len(names))})"  # noqa: S608
            f" on conflict (source_id, {', '.join(key)}) do update set {sets}",
            news,
        )
        return changed

    def _standing(self, table: str, names: tuple[str, ...], key: int, days: set[str]) -> dict[_Row, _Row]:
        sql = (
            f"select {', '.join(f't.{name}' for name in names)}, t.reading_id, r.started_at"  # noqa: S608
            f" from {table} t join readings r on r.id = t.reading_id where t.source_id = ? and t.day = ?"
        )
        found = (row for day in days for row in self.db.execute(sql, [self.source_id, day]))
        return {row[:key]: row[key:] for row in found}

    def _revise(self, table: str, names: Mapping[_Row, str], changed: list[_Change]) -> None:
        for where, old, row in changed:
            _revise(self.db, table, names[where], where[0], (old[0], old[-2]), row[0], self.reading_id)


def _complete(db: Database, source_id: int, last: str, newest: str) -> None:
    """A log's day is complete once a line of a later day has been read."""
    for table in ("site_views", "page_views"):
        db.execute(
            f"update {table} set complete = 1 where source_id = ? and day >= ? and day < ? and complete = 0",  # noqa: S608
            [source_id, last, newest],
        )


def _path_ids(db: Database, paths: dict[str, None]) -> dict[str, int]:
    db.conn.executemany("insert into paths (path) values (?) on conflict (path) do nothing", [(p,) for p in paths])
    return {path: int(db.execute("select id from paths where path = ?", [path]).fetchone()[0]) for path in paths}


def covered(store: HasRows, source_id: int) -> tuple[date, date] | None:
    """The first and the last day whose page views are stored for a source; None while there is none."""
    (row,) = store.rows("select min(day) as first, max(day) as last from site_views where source_id = ?", (source_id,))
    return (date.fromisoformat(row["first"]), date.fromisoformat(row["last"])) if row["first"] else None
