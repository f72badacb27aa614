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
    Capture,
    Contact,
    Count,
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
from monitor.store.sources import HOST_ONLY, url_ids
from monitor.times import to_text

ZLIB_LEVEL = 4  # of pages of 230 KB: a third less time than level 6, and 4 % more bytes


def save(store: Store, source_id: int, reading: Reading) -> int:
    """Store a reading and all that was read; returns its id.

    Raises `logs.Stale` when another process read the same log lines first, and StoreError when the file cannot be
    written; in both cases nothing of the reading stays.
    """
    kept = {e.n: (e.capture.id, e.capture) for e in reading.exchanges if e.capture and not e.capture.place}
    if kept:
        with store.write_bodies() as conn:
            conn.executemany(
                "insert or ignore into bodies (id, body) values (?, ?)",
                [(capture_id, zlib.compress(capture.body, ZLIB_LEVEL)) for capture_id, capture in kept.values()],
            )
    with store.write() as db:
        reading_id = insert_reading(db, source_id, reading)
        _insert_exchanges(db, reading_id, reading, kept)
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
    row = (
        source_id,
        slot,
        reading.day.isoformat(),
        attempt,
        str(reading.trigger),
        reading.reread_of,
        to_text(reading.started_at),
        to_text(reading.finished_at),
        str(reading.outcome),
        reading.reason,
        reading.advice,
        reading.parser,
        reading.depth,
        results_hash(r for r in reading.records if isinstance(r, Result)),
        reading.note,
    )
    done = db.execute(
        'insert into readings (source_id, slot, day, attempt, "trigger", reread_of, started_at, finished_at, outcome,'
        " reason, advice, parser, depth, results_hash, note) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    return int(done.lastrowid or 0)


def _insert_exchanges(db: Database, reading_id: int, reading: Reading, kept: dict[int, tuple[str, Capture]]) -> None:
    started = to_text(reading.started_at)
    db.conn.executemany(
        "insert into captures (id, media_type, size, first_seen_at) values (?, ?, ?, ?)"
        " on conflict (id) do update set pruned_at = null",
        [(capture_id, capture.media_type, len(capture.body), started) for capture_id, capture in kept.values()],
    )
    db.conn.executemany(
        "insert into exchanges values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                reading_id,
                exchange.n,
                exchange.asked,
                exchange.status,
                json.dumps(dict(exchange.headers), ensure_ascii=False),
                exchange.url,
                exchange.ms,
                kept[exchange.n][0] if exchange.n in kept else None,
            )
            for exchange in reading.exchanges
        ],
    )


def _insert_results(db: Database, reading_id: int, results: list[Result]) -> None:
    """All results of a reading, and then the word that they are all there: the ranks follow once and not row by row."""
    if not results:
        return
    addresses = [address(result) if result.url else None for result in results]
    known = url_ids(db, dict.fromkeys(url for url in addresses if url is not None))
    texts = [(result.title, result.snippet, result.shown_host) for result in results]
    db.conn.executemany(
        "insert into texts (title, snippet, shown_host) values (?, ?, ?)"
        " on conflict (title, snippet, shown_host) do nothing",
        dict.fromkeys(texts),
    )
    db.conn.executemany(
        "insert into results values (?, ?, ?, ?, ?, ?, ?,"
        " (select id from texts where title = ? and snippet = ? and shown_host = ?), ?)",
        [
            (
                reading_id,
                result.block,
                result.sub_index,
                str(result.kind),
                result.position,
                result.position_absolute,
                None if url is None else known[url],
                *text,
                result.match_precision,
            )
            for result, url, text in zip(results, addresses, texts, strict=True)
        ],
    )
    db.execute("insert into results_todo (reading_id) values (?)", [reading_id])


def address(result: Result) -> str:
    """The address a result is stored under: `host:example.org` where the link is opaque and only the host is shown."""
    shown = urls.host(result.shown_host) if result.match_precision == "host" else ""
    return f"{HOST_ONLY}{shown}" if shown else result.url
