"""Contacts and the mails they came by: each once, wherever it was seen, and who it was only by keyed hashes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlite_utils import Database

from monitor.model import Contact, MailBatch, MailCursor, MailSeen, Record
from monitor.store.connection import Store
from monitor.store.logs import Stale
from monitor.store.reader import HasRows
from monitor.times import to_text

SAME = timedelta(days=1)  # a mail and the export's line of the same approach may lie on either side of midnight


class Saved(NamedTuple):
    """What became of the contacts of a reading: seen for the first time, in another place, or just as before."""

    new: int
    elsewhere: int
    same: int


def save_contacts(db: Database, source_id: int, reading_id: int, contacts: Iterable[Contact]) -> Saved:
    """Store each inbound approach once, as it was told; what the owner says of its sender holds in the views."""
    new = elsewhere = same = 0
    for contact in contacts:
        if contact.message_key and _seen(db, contact.message_key):
            same += 1
        elif contact.message_key and (found := _met(db, source_id, contact)):
            _sighted(db, found, source_id, reading_id, contact)
            elsewhere += 1
        else:
            _insert(db, source_id, reading_id, contact)
            new += 1
    return Saved(new, elsewhere, same)


def _seen(db: Database, message_key: str) -> bool:
    sql = "select 1 from contact_sightings where message_key = ?"
    return db.execute(sql, [message_key]).fetchone() is not None


def _met(db: Database, source_id: int, contact: Contact) -> int | None:
    """The same approach as another source told it: the same sender and kind, a day apart at most."""
    if not contact.sender_key:
        return None
    found = db.execute(
        "select c.id from contacts c where c.sender_key = ? and c.kind = ? and c.day between ? and ?"
        " and not exists (select 1 from contact_sightings s where s.contact_id = c.id and s.source_id = ?)"
        " order by abs(julianday(c.day) - julianday(?)), c.id limit 1",
        [
            contact.sender_key,
            contact.kind,
            (contact.day - SAME).isoformat(),
            (contact.day + SAME).isoformat(),
            source_id,
            contact.day.isoformat(),
        ],
    ).fetchone()
    return int(found[0]) if found else None


def _sighted(db: Database, contact_id: int, source_id: int, reading_id: int, contact: Contact) -> None:
    db.execute(
        "insert into contact_sightings values (?, ?, ?, ?, ?)",
        [contact.message_key, contact_id, source_id, contact.day.isoformat(), reading_id],
    )


def _insert(db: Database, source_id: int, reading_id: int, contact: Contact) -> None:
    row = {
        "at": to_text(contact.at) if contact.at else None,
        "day": contact.day.isoformat(),
        "kind": contact.kind,
        "origin": contact.origin,
        "source_id": source_id,
        "sender_domain": contact.sender_domain,
        "sender_key": contact.sender_key,
        "message_key": contact.message_key,
        "reason": contact.reason,
        "note": contact.note,
        "reading_id": reading_id,
        "verdict": contact.verdict,
        "trust": contact.trust,
    }
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    sql = f"insert into contacts ({names}) values ({marks})"  # noqa: S608
    contact_id = db.execute(sql, list(row.values())).lastrowid
    if contact.message_key:
        _sighted(db, int(contact_id or 0), source_id, reading_id, contact)


def save_mails(db: Database, source_id: int, reading_id: int, mails: Iterable[MailSeen]) -> None:
    """Note each mail that was looked at; one that lies in two folders is noted once."""
    db.conn.executemany(
        "insert or ignore into mails values (?, ?, ?, ?, ?, ?, ?)",
        [(m.message_key, source_id, m.day.isoformat(), m.place, m.verdict, m.reason, reading_id) for m in mails],
    )


def news(store: HasRows, records: Iterable[Record]) -> bool:
    """Whether any of what was read of mails is not in the history yet: a mail, or a contact."""
    for record in records:
        if isinstance(record, MailSeen):
            known = store.rows("select 1 from mails where message_key = ?", (record.message_key,))
        elif isinstance(record, Contact) and record.message_key:
            known = store.rows("select 1 from contact_sightings where message_key = ?", (record.message_key,))
        else:
            continue
        if not known:
            return True
    return False


def is_own(store: HasRows, message_key: str) -> bool:
    """Whether a mail is one that the owner wrote."""
    return bool(store.rows("select 1 from mails where message_key = ? and verdict = 'own'", (message_key,)))


def corrections(store: HasRows) -> dict[str, str]:
    """What the owner said of senders: `sender_key` or "domain:…" to a kind of contact or "none"."""
    return {row["about"]: row["verdict"] for row in store.rows("select about, verdict from corrections")}


def cursors(store: HasRows, source_id: int) -> tuple[MailCursor, ...]:
    """How far each folder of a mailbox has been read."""
    rows = store.rows(
        "select folder, validity, position, id from mail_folders where source_id = ? order by id", (source_id,)
    )
    return tuple(MailCursor(**row) for row in rows)


def correct(store: Store, about: str, verdict: str, origin: str | None, now: datetime) -> None:
    """Remember what the owner says of a sender, a domain or one contact; an empty verdict forgets it."""
    with store.write() as db:
        db.execute("delete from corrections where about = ?", [about])
        if verdict:
            db.execute("insert into corrections values (?, ?, ?, ?)", [about, verdict, origin, to_text(now)])


def looked(store: Store, source_id: int, now: datetime) -> None:
    """Note that a mailbox was read to its end, news or none: a day without a contact up to here was read, too."""
    with store.write() as db:
        db.execute("update mail_folders set last_seen = ? where source_id = ?", [to_text(now), source_id])


def move_cursor(db: Database, source_id: int, batch: MailBatch, now: datetime) -> None:
    """Store how far a folder is read, in the same write as what was read of it.

    Raises Stale when another process has read on in the meantime.
    """
    before, after = batch.before, batch.after
    found = db.execute(
        "select validity, position from mail_folders where source_id = ? and folder = ?", [source_id, after.folder]
    ).fetchone()
    if found != ((before.validity, before.position) if before else None):
        raise Stale(after.folder)
    db.execute(
        "insert into mail_folders (source_id, folder, validity, position, last_seen) values (?, ?, ?, ?, ?)"
        " on conflict (source_id, folder) do update set validity = excluded.validity, position = excluded.position,"
        " last_seen = excluded.last_seen",
        [source_id, after.folder, after.validity, after.position, to_text(now)],
    )


def save_quietly(store: Store, source_id: int, batch: MailBatch, now: datetime) -> None:
    """Move a cursor when nothing new was read: no reading is written. Raises Stale."""
    with store.write() as db:
        move_cursor(db, source_id, batch, now)
