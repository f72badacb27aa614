"""The owner's identifiers by keyed hashes, the pages that are looked at for them, and what became of each look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlite_utils import Database

from monitor import urls
from monitor.model import ExposureCheck
from monitor.store.connection import Store
from monitor.store.sources import HOST_ONLY, all_labels, url_id
from monitor.times import to_text

_TRACKED = """
select u.url, min(p.position) as place from page_one p join urls u on u.id = p.url_id
where p.kind = 'organic' and p.position <= ? group by u.url order by place, u.url
"""
_SHOWING = "select url from exposures where source_id = ? and state = 'found' order by last_seen desc, url"
_DUE = """
select u.url from exposure_pages p join urls u on u.id = p.url_id
where p.source_id = :source and p.unasked = '' and exists (
  select 1 from identifiers i
  where i.source_id = p.source_id and i.retired_at is null and not exists (
    select 1 from exposure_checks c join readings r on r.id = c.reading_id
    where c.url_id = p.url_id and c.identifier_id = i.id and r.outcome = 'ok' and r.finished_at > :since
  )
)
order by (select max(reading_id) from exposure_checks c where c.url_id = p.url_id), u.url
"""


class Known(NamedTuple):
    """An identifier as it is stored."""

    kind: str
    key: str
    masked: str


def keep_identifiers(store: Store, source_id: int, known: Iterable[Known], now: datetime) -> None:
    """Make the rows say what is looked for now. One no longer named is retired, and goes on if it comes back."""
    wanted = {one.key: one for one in known}
    with store.write() as db:
        rows = db.execute("select key, retired_at from identifiers where source_id = ?", [source_id]).fetchall()
        have = dict(rows)
        for key, one in wanted.items():
            if key not in have:
                db.execute(
                    "insert into identifiers (source_id, kind, key, masked, added_at) values (?, ?, ?, ?, ?)",
                    [source_id, one.kind, key, one.masked, to_text(now)],
                )
            elif have[key]:
                db.execute("update identifiers set retired_at = null where source_id = ? and key = ?", [source_id, key])
        for key, retired_at in have.items():
            if key not in wanted and not retired_at:
                sql = "update identifiers set retired_at = ? where source_id = ? and key = ?"
                db.execute(sql, [to_text(now), source_id, key])


def keep_pages(
    store: Store, source_id: int, added: Sequence[str], results: int, allowed: Callable[[str], bool]
) -> None:
    """Make the rows say which pages are looked at: those added, of the newest results, and those that show one now."""
    tracked = [row["url"] for row in store.rows(_TRACKED, (results,))] if results else []
    showing = [row["url"] for row in store.rows(_SHOWING, (source_id,))]
    pages: dict[str, str] = {}
    for url in (*added, *showing, *tracked):
        pages.setdefault(urls.canonical(url), url)
    with store.write() as db:
        labels = all_labels(db)
        wanted = {(source_id, url_id(db, url, labels), int(allowed(url)), _unasked(url)) for url in pages.values()}
        have = set(db.execute("select * from exposure_pages where source_id = ?", [source_id]).fetchall())
        db.conn.executemany(
            "delete from exposure_pages where source_id = ? and url_id = ?", [row[:2] for row in have - wanted]
        )
        db.conn.executemany("insert into exposure_pages values (?, ?, ?, ?)", sorted(wanted - have))


def _unasked(url: str) -> str:
    """Why a page is never asked, or empty."""
    if url.startswith(HOST_ONLY) or not urls.is_link(url):
        return "opaque_link"
    return "linkedin" if urls.is_never_asked(url) else ""


def due(store: Store, source_id: int, since: datetime) -> list[str]:
    """The pages not looked at for every identifier since then, those never looked at first."""
    return [row["url"] for row in store.rows(_DUE, {"source": source_id, "since": to_text(since)})]


def save_checks(db: Database, source_id: int, reading_id: int, checks: Sequence[ExposureCheck]) -> None:
    """Store what became of each look, inside a write."""
    if not checks:
        return
    rows = db.execute("select key, id from identifiers where source_id = ?", [source_id]).fetchall()
    ids: Mapping[str, int] = dict(rows)
    (day,) = db.execute("select day from readings where id = ?", [reading_id]).fetchone()
    labels = all_labels(db)
    for check in checks:
        page = url_id(db, check.url, labels)
        row = [page, ids[check.identifier], reading_id, day, check.verdict, check.reason, check.place, check.sha256]
        db.execute("insert into exposure_checks values (?, ?, ?, ?, ?, ?, ?, ?)", row)
