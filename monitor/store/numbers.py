"""Counts, contacts and page views into their tables; a late number that changes an old one leaves a revision."""

from __future__ import annotations

from sqlite_utils import Database

from monitor.model import Contact, Count, NotCounted, PageViews, Reading, Referrer, Shown, SiteViews
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


def _stands(old: int, count: Count) -> bool:
    return count.value is None or (count.overlap == "max" and count.value <= old)


def _revise(
    db: Database, table: str, key: str, day: object, old: tuple[int | None, int], new: int | None, reading_id: int
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


def save_contacts(db: Database, source_id: int, reading_id: int, contacts: list[Contact]) -> None:
    """Store each inbound approach."""
    for contact in contacts:
        row = {
            "at": to_text(contact.at) if contact.at else None,
            "day": contact.day.isoformat(),
            "kind": contact.kind,
            "origin": contact.origin,
            "source_id": source_id,
            "note": contact.note,
            "reading_id": reading_id,
        }
        db.table("contacts").insert(row)


def save_page_views(db: Database, source_id: int, reading_id: int, reading: Reading) -> None:
    """Store page views, site totals, referrers and what was not counted: added to what stands, or in its place."""
    add = reading.increments
    rule = reading.rule
    newest = max((r.day for r in reading.records if isinstance(r, SiteViews)), default=None)
    (last,) = db.execute("select max(day) from site_views where source_id = ?", [source_id]).fetchone()
    for record in reading.records:
        match record:
            case SiteViews(day, views, visitors, feed_views, complete):
                values = [source_id, day.isoformat(), views, visitors, feed_views, rule, int(complete), reading_id]
                db.execute(_upsert("site_views", "day", 8, ("views", "feed_views"), add), values)
            case PageViews(day, path, views, visitors):
                path_id = _path_id(db, path)
                values = [source_id, day.isoformat(), path_id, views, visitors, rule, 0, reading_id]
                db.execute(_upsert("page_views", "day, path_id", 8, ("views",), add), values)
            case Referrer(day, referrer, medium, views):
                values = [source_id, day.isoformat(), referrer, medium, views, reading_id]
                db.execute(_upsert("referrers", "day, referrer", 6, ("views",), add), values)
            case NotCounted(day, reason, lines):
                values = [source_id, day.isoformat(), reason, lines, reading_id]
                db.execute(_upsert("not_counted", "day, reason", 5, ("lines",), add), values)
    if newest is not None and add:
        _complete(db, source_id, str(last or "0000-01-01"), newest.isoformat())


def _complete(db: Database, source_id: int, last: str, newest: str) -> None:
    """A log's day is complete once a line of a later day has been read."""
    for table in ("site_views", "page_views"):
        db.execute(
            f"update {table} set complete = 1 where source_id = ? and day >= ? and day < ? and complete = 0",  # noqa: S608
            [source_id, last, newest],
        )


def _upsert(table: str, key: str, width: int, summed: tuple[str, ...], add: bool) -> str:
    sets = [f"{name} = {table}.{name} + excluded.{name}" if add else f"{name} = excluded.{name}" for name in summed] + [
        "reading_id = excluded.reading_id"
    ]
    marks = ", ".join("?" * width)
    return f"insert into {table} values ({marks}) on conflict (source_id, {key}) do update set {', '.join(sets)}"  # noqa: S608


def _path_id(db: Database, path: str) -> int:
    found = db.execute("select id from paths where path = ?", [path]).fetchone()
    return int(found[0]) if found else int(db.execute("insert into paths (path) values (?)", [path]).lastrowid or 0)
