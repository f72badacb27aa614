"""Counts and page views into their tables; a late number that changes an old one leaves a revision."""

from __future__ import annotations

from datetime import date

from sqlite_utils import Database

from monitor.model import Count, NotCounted, PageViews, Reading, Referrer, Shown, SiteViews
from monitor.store.reader import HasRows
from monitor.times import to_text

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
    for record in reading.records:
        match record:
            case SiteViews() | PageViews() | Referrer():
                _replace(db, source_id, reading_id, reading, record, complete=record.day in whole)
            case NotCounted(day, reason, lines):
                db.execute(
                    "insert or replace into not_counted values (?, ?, ?, ?, ?)",
                    [source_id, day.isoformat(), reason, lines, reading_id],
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


def _replace(
    db: Database,
    source_id: int,
    reading_id: int,
    reading: Reading,
    record: SiteViews | PageViews | Referrer,
    *,
    complete: bool,
) -> None:
    """Put a day that was read again in the place of the old one; a number of views that changed leaves a revision.

    What stands by younger evidence stays (against a reading that waited, or one read again from kept pages), and what
    is as it was keeps the evidence it has.
    """
    counted = {"rule": reading.rule, "complete": int(complete)}
    key: dict[str, object] = {"source_id": source_id, "day": record.day.isoformat()}
    match record:
        case SiteViews(_, views, visitors, feed_views):
            table, name = "site_views", str(source_id)
            values = {"views": views, "visitors": visitors, "feed_views": feed_views, **counted}
        case PageViews(_, path, views, visitors):
            table, name, key["path_id"] = "page_views", f"{source_id}\t{path}", _path_id(db, path)
            values = {"views": views, "visitors": visitors, **counted}
        case Referrer(_, referrer, medium, views):
            table, name, key["referrer"] = "referrers", f"{source_id}\t{referrer}", referrer
            values = {"views": views, "medium": medium}
    old = db.execute(
        f"select {', '.join(values)}, reading_id, started_at from {table} join readings on id = reading_id"  # noqa: S608
        f" where {' and '.join(f'{table}.{column} = ?' for column in key)}",
        list(key.values()),
    ).fetchone()
    if old and (list(old[:-2]) == list(values.values()) or old[-1] > to_text(reading.started_at)):
        return
    row = {**key, **values, "reading_id": reading_id}
    marks = ", ".join("?" * len(row))
    db.execute(f"insert or replace into {table} ({', '.join(row)}) values ({marks})", list(row.values()))  # noqa: S608
    if old and old[0] != values["views"] and table != "referrers":
        _revise(db, table, name, key["day"], (old[0], old[-2]), record.views, reading_id)


def _complete(db: Database, source_id: int, last: str, newest: str) -> None:
    """A log's day is complete once a line of a later day has been read."""
    for table in ("site_views", "page_views"):
        db.execute(
            f"update {table} set complete = 1 where source_id = ? and day >= ? and day < ? and complete = 0",  # noqa: S608
            [source_id, last, newest],
        )


def _path_id(db: Database, path: str) -> int:
    found = db.execute("select id from paths where path = ?", [path]).fetchone()
    return int(found[0]) if found else int(db.execute("insert into paths (path) values (?)", [path]).lastrowid or 0)


def covered(store: HasRows, source_id: int) -> tuple[date, date] | None:
    """The first and the last day whose page views are stored for a source; None while there is none."""
    (row,) = store.rows("select min(day) as first, max(day) as last from site_views where source_id = ?", (source_id,))
    return (date.fromisoformat(row["first"]), date.fromisoformat(row["last"])) if row["first"] else None
