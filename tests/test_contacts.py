"""Contacts in the history: each once, however often it is seen, and corrected by the owner without being touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from monitor.cli import cli
from monitor.model import Contact, MailBatch, MailCursor, MailSeen
from monitor.store import contacts, readings, sources
from monitor.store.connection import Store
from monitor.store.logs import Stale
from tests.made import DAY, GITHUB, NOW, reading, settings

GREY = Contact(
    NOW, DAY, "inmail", "linkedin", sender_domain="linkedin.com", sender_key="grey", message_key="m1", trust="verified"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    config = settings(tmp_path, GITHUB)
    with Store(config.database) as opened:
        sources.sync(opened, config, NOW)
        for name in ("mail", "export"):
            row = {"name": name, "measure": "contacts", "kind": name, "engine": "", "provider": "", "query": ""}
            with opened.write() as db:
                more = {"locale": "", "device": "", "day_zone": "UTC", "settings": "{}"}
                sources.row_id(db, row | more, NOW)
        yield opened


def source_id(store: Store, name: str) -> int:
    return int(store.rows("select id from sources where name = ?", (name,))[0]["id"])


def save(store: Store, name: str, *records: Contact | MailSeen, mail: MailBatch | None = None, n: int = 0) -> int:
    at = NOW + timedelta(minutes=n)
    made = replace(reading(at=at, body=""), records=records, depth=None, increments=True, mail=mail)
    return readings.save(store, source_id(store, name), made)


def counted(store: Store) -> list[dict[str, Any]]:
    return store.rows("select * from counted_contacts order by day, contact_id")


def test_the_same_message_counts_once_however_often_it_is_read(store: Store) -> None:
    save(store, "mail", GREY)
    save(store, "mail", GREY, n=1)
    (row,) = counted(store)
    assert (row["kind"], row["origin"], row["first"], row["sightings"]) == ("inmail", "linkedin", 1, 1)


def test_a_mail_and_a_line_of_an_export_are_one_contact(store: Store) -> None:
    save(store, "mail", GREY)
    there = replace(GREY, day=DAY + timedelta(days=1), message_key="x1", trust="export", sender_domain="")
    save(store, "export", there)
    save(store, "export", there, n=1)
    (row,) = counted(store)
    assert (row["sightings"], row["trust"], row["source"]) == (2, "verified", "mail")


@pytest.mark.parametrize(
    "other",
    [
        {"sender_key": "blue"},
        {"kind": "request"},
        {"day": DAY + timedelta(days=2)},
        {"sender_key": None},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_person_kind_or_day_is_another_contact(store: Store, other: dict[str, Any]) -> None:
    save(store, "mail", GREY)
    save(store, "export", replace(GREY, **{"message_key": "x1", **other}))
    assert len(counted(store)) == 2


def test_two_messages_of_one_day_are_met_by_two_lines_of_the_export(store: Store) -> None:
    save(store, "mail", GREY, replace(GREY, message_key="m2"))
    save(store, "export", replace(GREY, message_key="x1"), replace(GREY, message_key="x2"))
    assert [row["sightings"] for row in counted(store)] == [2, 2]


def test_a_second_message_of_the_same_sender_is_no_first_contact(store: Store) -> None:
    save(store, "mail", replace(GREY, day=DAY - timedelta(days=9), message_key="m0"), GREY)
    assert [row["first"] for row in counted(store)] == [1, 0]
    (month,) = store.rows("select contacts, first_contacts from contacts_by_origin")
    assert month == {"contacts": 2, "first_contacts": 1}


def test_who_comes_three_times_stands_out(store: Store) -> None:
    save(store, "mail", *(replace(GREY, day=DAY - timedelta(days=n), message_key=f"m{n}") for n in range(3)))
    (row,) = store.rows("select sender, contacts, first_day from persistent_senders")
    assert row == {"sender": "grey", "contacts": 3, "first_day": (DAY - timedelta(days=2)).isoformat()}


def test_an_unsure_one_is_told_and_not_counted_until_the_owner_says_so(store: Store) -> None:
    save(store, "mail", replace(GREY, verdict="unsure", kind="mail"))
    assert counted(store) == []
    assert len(store.rows("select * from unsure_contacts")) == 1
    contacts.correct(store, "grey", "mail", None, NOW)
    assert [(row["kind"], row["corrected"]) for row in counted(store)] == [("mail", 1)]
    assert store.rows("select * from unsure_contacts") == []


def test_a_correction_holds_for_the_past_and_what_comes_and_can_be_forgotten(store: Store) -> None:
    save(store, "mail", GREY)
    contacts.correct(store, "grey", "none", None, NOW)
    save(store, "mail", replace(GREY, message_key="m2"), n=1)
    assert counted(store) == []
    contacts.correct(store, "grey", "", None, NOW)
    assert len(counted(store)) == 2


def test_one_contact_is_nearer_than_its_sender_and_that_nearer_than_the_domain(store: Store) -> None:
    save(store, "mail", GREY, replace(GREY, message_key="m2"), replace(GREY, message_key="m3", sender_key="blue"))
    contacts.correct(store, "domain:linkedin.com", "none", None, NOW)
    contacts.correct(store, "grey", "message", None, NOW)
    first = store.rows("select id from contacts where message_key = 'm1'")[0]["id"]
    contacts.correct(store, f"contact:{first}", "call", "old resume", NOW)
    assert [(row["kind"], row["origin"]) for row in counted(store)] == [("call", "old resume"), ("message", "linkedin")]


def test_the_cursor_moves_with_what_was_read_and_not_twice(store: Store) -> None:
    after = MailCursor("INBOX", "7", 12)
    seen = MailSeen("m1", DAY, "INBOX 7/12", "contact", "template")
    save(store, "mail", seen, GREY, mail=MailBatch((), None, after))
    mailbox = source_id(store, "mail")
    (known,) = contacts.cursors(store, mailbox)
    assert (known.folder, known.validity, known.position) == ("INBOX", "7", 12)
    late = replace(GREY, message_key="m9")
    with pytest.raises(Stale):  # another process read on: nothing of it is stored, the contact neither
        save(store, "mail", late, mail=MailBatch((), None, replace(after, position=20)), n=1)
    assert len(counted(store)) == 1
    save(store, "mail", late, mail=MailBatch((), known, replace(after, position=20)), n=2)
    assert [c.position for c in contacts.cursors(store, mailbox)] == [20]


def test_a_week_that_nobody_read_is_unknown_and_not_zero(store: Store) -> None:
    monday = date(2026, 11, 2)
    seen = (MailSeen("a", monday, "INBOX 7/1", "ignored", "bulk"), MailSeen("b", DAY, "INBOX 7/2", "ignored", "bulk"))
    save(store, "mail", *seen, mail=MailBatch((), None, MailCursor("INBOX", "7", 2)))
    old = replace(GREY, day=date(2026, 10, 14), message_key="x0", sender_key=None)
    save(store, "export", old)
    sql = "select week, read, contacts from contact_weeks order by week"
    weeks = {row["week"]: (row["read"], row["contacts"]) for row in store.rows(sql)}
    assert weeks["2026-10-12"][1] == 1
    assert weeks["2026-10-19"] == (1, 0)  # the export says what came up to its own day
    assert weeks["2026-11-02"] == (1, 0)
    assert weeks["2026-11-23"] == (0, None)  # it has only begun


def test_an_old_export_tells_nothing_of_the_weeks_after_it(store: Store) -> None:
    with store.write() as db:
        db.execute("update sources set kind = 'import' where name = 'export'")
    old = date(2026, 6, 3)
    save(store, "export", replace(GREY, day=old - timedelta(days=30)), replace(GREY, day=old, message_key="x2"))
    (covered,) = store.rows("select first_day, last_day from contact_coverage")
    assert covered == {"first_day": "2026-05-04", "last_day": "2026-06-03"}
    assert {
        row["contacts"] for row in store.rows("select contacts from contact_weeks where week > '2026-06-07'")
    } == set()


def run(tmp_path: Path, *args: str) -> Any:
    return CliRunner().invoke(cli, ["--config", str(tmp_path / "config.toml"), *args], catch_exceptions=False)


def test_the_owner_corrects_by_the_number_shown(store: Store, tmp_path: Path) -> None:
    save(store, "mail", GREY, replace(GREY, message_key="m2", sender_key="blue", sender_domain="agency.example"))
    done = run(tmp_path, "correct", "1", "none")
    assert "The sender of contact 1: no contact. 1 contacts count now, 2 did before." in done.output
    assert "Everybody at agency.example: call" in run(tmp_path, "correct", "2", "call", "--domain").output
    assert [row["kind"] for row in counted(store)] == ["call"]
    assert "Contact 2: mail" in run(tmp_path, "correct", "2", "mail", "--only", "--origin", "referral").output
    assert [(row["kind"], row["origin"]) for row in counted(store)] == [("mail", "referral")]
    run(tmp_path, "correct", "1", "forget")
    assert len(counted(store)) == 2


def test_a_contact_that_is_not_there_is_told(store: Store, tmp_path: Path) -> None:
    done = run(tmp_path, "correct", "99", "none")
    assert done.exit_code == 2
    assert "there is no contact 99" in done.stderr + done.output
