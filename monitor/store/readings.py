"""One reading, whole, in one transaction: its exchanges, its numbers, and the cursor it moved.

The captures' bytes are written first, to their own file: an orphan there is harmless, a number without its evidence
would not be.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable

from sqlite_utils import Database

from monitor import urls
from monitor.model import (
    Contact,
    Count,
    Exchange,
    ExposureCheck,
    Kind,
    MailSeen,
    Reading,
    Result,
    Shown,
    SiteViews,
    Visitors,
)
from monitor.store import contacts, exposures, logs, numbers, visitors
from monitor.store.connection import Store
from monitor.store.sources import HOST_ONLY, all_labels, inserted, url_id
from monitor.times import to_text


def save(store: Store, source_id: int, reading: Reading) -> int:
    """Store a reading and all that was read; returns its id.

    Raises `logs.Stale` when another process read the same log lines first, and StoreError when the file cannot be
    written; in both cases nothing of the reading stays.
    """
    kept = [e.capture for e in reading.exchanges if e.capture and not e.capture.place]
    if kept:
        with store.write_bodies() as conn:
            conn.executemany(
                "insert or ignore into bodies (id, body) values (?, ?)",
                [(capture.id, zlib.compress(capture.body, 6)) for capture in kept],
            )
    with store.write() as db:
        reading_id = insert_reading(db, source_id, reading)
        _insert_exchanges(db, reading_id, reading)
        _insert_results(db, reading_id, [r for r in reading.records if isinstance(r, Result)])
        numbers.save_counts(db, source_id, reading_id, [r for r in reading.records if isinstance(r, Count)])
        contacts.save_mails(db, source_id, reading_id, [r for r in reading.records if isinstance(r, MailSeen)])
        contacts.save_contacts(db, source_id, reading_id, [r for r in reading.records if isinstance(r, Contact)])
        numbers.save_shown(db, source_id, reading_id, [r for r in reading.records if isinstance(r, Shown)])
        exposures.save_checks(db, source_id, reading_id, [r for r in reading.records if isinstance(r, ExposureCheck)])
        numbers.save_page_views(db, source_id, reading_id, reading)
        if reading.increments:
            people = [r for r in reading.records if isinstance(r, Visitors)]
            visitors.save(db, source_id, people, [r for r in reading.records if isinstance(r, SiteViews)])
        if reading.mail:
            contacts.move_cursor(db, source_id, reading.mail, reading.finished_at)
        if reading.batch:
            logs.move_cursor(db, source_id, reading_id, reading.batch, reading.finished_at)
    return reading_id


def results_hash(results: Iterable[Result]) -> str | None:
    """A hash of the organic URLs in their order: two equal hashes are two equal results pages. None without any."""
    organic = [result.url for result in results if result.kind is Kind.ORGANIC]
    return hashlib.sha256("\n".join(organic).encode()).hexdigest()[:16] if organic else None


def insert_reading(db: Database, source_id: int, reading: Reading) -> int:
    """The reading's own row, inside a write; returns its id. Attempts at one slot are numbered as they come."""
    slot = to_text(reading.slot)
    (attempt,) = db.execute(
        "select coalesce(max(attempt), 0) + 1 from readings where source_id = ? and slot = ?", [source_id, slot]
    ).fetchone()
    row = {
        "source_id": source_id,
        "slot": slot,
        "day": reading.day.isoformat(),
        "attempt": attempt,
        "trigger": str(reading.trigger),
        "reread_of": reading.reread_of,
        "started_at": to_text(reading.started_at),
        "finished_at": to_text(reading.finished_at),
        "outcome": str(reading.outcome),
        "reason": reading.reason,
        "advice": reading.advice,
        "parser": reading.parser,
        "depth": reading.depth,
        "results_hash": results_hash(r for r in reading.records if isinstance(r, Result)),
        "note": reading.note,
    }
    return inserted(db, "readings", row)


def _insert_exchanges(db: Database, reading_id: int, reading: Reading) -> None:
    for exchange in reading.exchanges:
        db.execute(
            "insert into exchanges values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                reading_id,
                exchange.n,
                exchange.asked,
                exchange.status,
                json.dumps(dict(exchange.headers), ensure_ascii=False),
                exchange.url,
                exchange.ms,
                _insert_capture(db, exchange, reading),
            ],
        )


def _insert_capture(db: Database, exchange: Exchange, reading: Reading) -> str | None:
    capture = exchange.capture
    if capture is None or capture.place:
        return None
    db.execute(
        "insert into captures (id, media_type, size, first_seen_at) values (?, ?, ?, ?)"
        " on conflict (id) do update set pruned_at = null",
        [capture.id, capture.media_type, len(capture.body), to_text(reading.started_at)],
    )
    return capture.id


def _insert_results(db: Database, reading_id: int, results: list[Result]) -> None:
    labels = all_labels(db) if results else []
    for result in results:
        db.execute(
            "insert into results values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                reading_id,
                result.block,
                result.sub_index,
                str(result.kind),
                result.position,
                result.position_absolute,
                url_id(db, address(result), labels) if result.url else None,
                _text_id(db, result),
                result.match_precision,
            ],
        )


def address(result: Result) -> str:
    """The address a result is stored under: `host:example.org` where the link is opaque and only the host is shown."""
    shown = urls.host(result.shown_host)
    return f"{HOST_ONLY}{shown}" if result.match_precision == "host" and shown else result.url


def _text_id(db: Database, result: Result) -> int:
    text = [result.title, result.snippet, result.shown_host]
    found = db.execute("select id from texts where title = ? and snippet = ? and shown_host = ?", text).fetchone()
    if found:
        return int(found[0])
    return int(db.execute("insert into texts (title, snippet, shown_host) values (?, ?, ?)", text).lastrowid or 0)
