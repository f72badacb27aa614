"""A mailbox over IMAP, by a real server: each mail once, nothing there changed, no secret or word of a mail kept."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.attempt import Attempts
from monitor.config import Configured
from monitor.fetch.imap import Imap
from monitor.fetch.mail_folders import chosen
from monitor.model import Blocked, FetchFailed, Mail, MailBatch, Outcome, Reading, Secret, Trigger
from monitor.plan import read_schedule
from monitor.store import contacts, sources
from monitor.store.connection import Store
from monitor.store.logs import Stale
from tests import made
from tests.conftest import ROOT
from tests.dovecot import KEY, Cut, Dovecot, Scripted
from tests.mails import BODY, SUBJECT, Post, mail

ENVIRON = {"IMAP_KEY": KEY, "WRONG_KEY": "not-" + KEY}


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    server = Dovecot()
    yield server
    server.close()


@pytest.fixture
def server(dovecot: Dovecot) -> Dovecot:
    dovecot.empty()
    return dovecot


def ask(server: Dovecot | Cut | Scripted, **more: Any) -> Mail:
    given: dict[str, Any] = {
        "way": "imap", "folders": (), "host": "127.0.0.1", "port": server.port, "tls": "none", "user": "ada",
        "key": Secret(env="IMAP_KEY"), "wants": lambda headers: b"\nX-Text:" in headers,
    }  # fmt: skip
    return Mail(**(given | more))


def imap(**more: Any) -> Imap:
    return replace(Imap(Path("/nowhere"), ENVIRON), **more)


class Reader:
    """Reads on each time, as the store's cursors would have it."""

    def __init__(self, request: Mail, **more: Any) -> None:
        self.request, self.imap = request, imap(**more)
        self.batches: list[MailBatch] = []

    def __call__(self, most: int | None = None) -> list[str]:
        self.batches = []
        cursors = {one.folder: one for one in self.request.cursors}
        try:
            for batch in self.imap(self.request):
                assert cursors.get(batch.after.folder) == batch.before
                cursors[batch.after.folder] = batch.after
                self.batches.append(batch)
                if len(self.batches) == most:
                    break
        finally:
            self.request = replace(self.request, cursors=tuple(cursors.values()))
        return [one.place for batch in self.batches for one in batch.mails]


def uids(places: list[str]) -> list[int]:
    return [int(place.rpartition("/")[2]) for place in places]


# --- what is asked, by a real server -------------------------------------------------------------------------------


def test_a_mailbox_is_read_once_and_then_only_what_is_new(server: Dovecot) -> None:
    server.put(mail(1), mail(2, extra="X-Text: 1\n"))
    read = Reader(ask(server))
    assert uids(read()) == [1, 2]
    one, two = read.batches[0].mails
    assert SUBJECT.encode() in one.body
    assert [BODY.encode() in m.body for m in (one, two)] == [False, True]
    assert one.headers["received"].startswith("20")
    validity = read.batches[0].after.validity
    assert one.place == f"INBOX {validity}/1"
    assert read.batches[0].place == f"imap://127.0.0.1:{server.port}/INBOX {validity}: UID 1-2"
    assert read() == []
    assert read.batches == []
    server.put(mail(3))
    assert uids(read()) == [3]


def test_nothing_in_the_mailbox_is_changed(server: Dovecot) -> None:
    server.put(mail(1, extra="X-Text: 1\n"), mail(2))
    with server.connect() as client:
        client.select("INBOX")
        client.store("2", "+FLAGS", "(\\Flagged \\Answered)")
    before = server.flags()
    assert len(Reader(ask(server))()) == 2
    assert server.flags() == before
    assert not any(b"\\Seen" in one for one in before)


def test_folders_are_read_sent_mail_first_without_trash_and_by_their_real_names(server: Dovecot) -> None:
    server.put(mail(1))
    for n, name in enumerate(["Archive", "Outbox", "Wastebasket", "Bewerbung &- &ANw-bung", "Junk", "Junk/old"], 2):
        server.put(mail(n), folder=name)
    read = Reader(ask(server))
    read()
    assert [batch.after.folder for batch in read.batches] == ["Outbox", "INBOX", "Archive", "Bewerbung & Übung"]
    named = Reader(ask(server, folders=("Bewerbung & Übung", "Junk")))
    assert len(named()) == 2


def test_a_named_folder_that_is_not_there_is_told_after_the_others(server: Dovecot) -> None:
    server.put(mail(1))
    read = Reader(ask(server, folders=("Nowhere", "INBOX")))
    with pytest.raises(FetchFailed, match="no_folder: Nowhere"):
        read()
    assert len(read.batches) == 1


def test_a_folder_made_anew_is_read_again(server: Dovecot) -> None:
    server.put(mail(1), mail(2), folder="Work")
    read = Reader(ask(server, folders=("Work",)))
    assert len(read()) == 2
    old = read.batches[-1].after
    with server.connect() as client:
        client.delete("Work")
    server.put(mail(1), folder="Work")
    assert uids(read()) == [1]
    assert read.batches[0].before == old
    assert read.batches[0].after.validity != old.validity


def test_old_mails_are_left_alone_and_the_cursor_passes_them(server: Dovecot) -> None:
    server.put(mail(1), at='"02-Nov-2024 10:00:00 +0000"')
    server.put(mail(2), at='"02-Nov-2026 10:00:00 +0000"')
    server.put(mail(3), at='"31-Oct-2026 22:00:00 +0000"')  # the first of November in the east
    server.put(mail(4), at='"31-Oct-2026 08:00:00 +0000"')
    read = Reader(ask(server, since=date(2026, 11, 1)))
    assert uids(read()) == [2, 3]
    assert read.batches[-1].after.position == 4


def test_many_mails_come_in_batches_and_long_stretches_without_any_are_passed(
    server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.fetch.imap.SPAN", 4)
    server.put(*(mail(n) for n in range(30)))
    with server.connect() as client:
        client.select("INBOX")
        client.store("6:25", "+FLAGS", "\\Deleted")
        client.expunge()
    read = Reader(ask(server), most=2)
    assert uids(read(most=1)) == [1, 2]
    assert uids(read()) == [3, 4, 5, 26, 27, 28, 29, 30]
    assert max(len(batch.mails) for batch in read.batches) == 2
    assert read() == []


def test_texts_beyond_the_size_of_a_batch_come_in_the_next(server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.fetch.imap.BATCH_BYTES", 4000)
    server.put(*(mail(n, extra="X-Text: 1\n", body="x" * 1000) for n in range(25)))
    read = Reader(ask(server))
    assert uids(read()) == list(range(1, 26))
    assert len(read.batches) == 3
    assert all(b"xxx" in one.body for batch in read.batches for one in batch.mails)


def test_a_huge_mail_is_cut(server: Dovecot) -> None:
    server.put(mail(1, extra="X-Text: 1\n", body="x" * 2_000_000))
    read = Reader(ask(server))
    read()
    assert len(read.batches[0].mails[0].body) == 262_144


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_over_tls_whose_certificate_is_checked(server: Dovecot, tls: str) -> None:
    server.put(mail(1))
    port = server.tls_port if tls == "tls" else server.port
    request = ask(server, tls=tls, port=port, host="localhost")
    assert len(Reader(request, ca_file=server.ca_file)()) == 1
    with pytest.raises(FetchFailed, match="tls"):
        Reader(request)()
    with pytest.raises(FetchFailed, match="tls"):
        Reader(replace(request, host="127.0.0.1"), ca_file=server.ca_file)()


def test_no_tls_where_tls_is_expected(server: Dovecot) -> None:
    with pytest.raises(FetchFailed, match="tls"):
        Reader(ask(server, tls="tls"))()


def test_a_refused_login_is_no_failure_and_names_no_secret(server: Dovecot) -> None:
    with pytest.raises(Blocked, match="login_refused: authenticationfailed") as caught:
        Reader(ask(server, key=Secret(env="WRONG_KEY")))()
    assert caught.value.__context__ is None
    with pytest.raises(Blocked, match="login_refused"):
        Reader(ask(server, oauth=True, key=Secret(env="WRONG_KEY")))()


def test_an_account_that_wants_a_token(server: Dovecot) -> None:
    server.put(mail(1))
    assert uids(Reader(ask(server, oauth=True))()) == [1]  # its passdb takes the password for a token


def test_a_connection_cut_anywhere_loses_nothing_and_gives_nothing_twice(server: Dovecot) -> None:
    server.put(*(mail(n) for n in range(12)))
    read = Reader(ask(server), most=3)
    found: list[int] = []
    reasons: set[str] = set()
    for most in [0, 10, 200, 600, 900, 1500, 2500, 3000, 4000, 10**6]:
        with Cut(server.port, most) as cut:
            read.request = replace(read.request, port=cut.port)
            try:
                read()
            except FetchFailed as failed:
                reasons.add(failed.reason)
            found += uids([one.place for batch in read.batches for one in batch.mails])
    assert found == list(range(1, 13))
    assert reasons == {"connection", "truncated"}


def test_a_server_that_sends_a_byte_now_and_then_is_left_at_the_deadline(server: Dovecot) -> None:
    server.put(mail(1))
    with Cut(server.port, 10**9, pause=0.05) as cut, pytest.raises(FetchFailed, match="timeout"):
        Reader(ask(cut), deadline=0.5)()


# --- what a server may say -----------------------------------------------------------------------------------------

OK = b"{tag} OK done\r\n"
HELLO, ABLE = b"* OK hello\r\n", b"* CAPABILITY IMAP4rev1\r\n" + OK
LISTED = b'* LIST () "/" INBOX\r\n' + OK
OPENED = b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 6] ok\r\n" + OK


def said(*answers: bytes) -> Scripted:
    return Scripted(HELLO, ABLE, OK, LISTED, OPENED, *answers)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([b"HTTP/1.1 400 Bad Request\r\n"], "no_imap"),
        ([b"* BYE too many\r\n"], "server_error"),
        ([b""], "timeout"),
        ([HELLO, b"* CAPABILITY IMAP4rev1\r\n* OK " + b"x" * 70_000_000], "too_large"),
        ([HELLO, ABLE, b"{tag} NO [UNAVAILABLE] ada pass-W0rd\r\n"], "server_error"),
        ([HELLO, ABLE, OK, LISTED, OPENED, b"{tag} NO no\r\n"], "server_error"),
        ([HELLO, ABLE, OK, LISTED, OPENED, b"* SEARCH one two\r\n" + OK], "no_imap"),
        ([HELLO, ABLE, OK, LISTED, OPENED, b"* SEARCH 5\r\n" + OK, b"* 1 FETCH (UID 5 BODY[HEADER] {9999999999}\r\n"],
         "too_large"),
        ([HELLO, ABLE, OK, LISTED, OPENED, b"* SEARCH 5\r\n" + OK, b"* 1 FETCH (UID 5 BODY[HEADER] {500}\r\nhalf"],
         "timeout"),
        ([HELLO, ABLE, OK, LISTED, OPENED, b"* BYE going\r\n"], "server_error"),
    ],
)  # fmt: skip
def test_a_server_that_does_not_keep_to_the_rules_is_told_as_what_it_did(answers: list[bytes], reason: str) -> None:
    with Scripted(*answers) as server, pytest.raises(FetchFailed) as caught:
        Reader(ask(server), deadline=2.0, wait=1.0)()
    assert caught.value.reason == reason
    assert "W0rd" not in str(caught.value)


def test_a_last_mail_that_is_older_than_asked_is_not_taken() -> None:
    with said(b"* SEARCH 2\r\n" + OK) as server:
        read = Reader(ask(server, cursors=()))
        read.request = replace(read.request, cursors=(replace_cursor("INBOX", "7", 4),))
        assert read() == []


def replace_cursor(folder: str, validity: str, position: int) -> Any:
    from monitor.model import MailCursor

    return MailCursor(folder, validity, position)


def test_all_that_is_asked_is_for_looking_only() -> None:
    head = b"* 1 FETCH (UID 5 BODY[HEADER]<0> {12}\r\n\nX-Text: 1\n\n)\r\n"
    with said(b"* SEARCH 5\r\n" + OK, head + OK, b"* 1 FETCH (UID 5 BODY[]<0> {1}\r\nx)\r\n" + OK) as server:
        Reader(ask(server))()
        asked = [line.split(b" ", 1)[1] for line in server.heard[2:]]
    assert asked[1] == b'EXAMINE "INBOX"\r\n'
    assert [line.split(b" (")[0] for line in asked[3:5]] == [b"UID FETCH 5"] * 2
    assert all(b"BODY.PEEK[" in line and b"BODY[" not in line for line in asked[3:5])


def test_a_mail_that_the_server_cannot_give_is_counted_and_the_others_are_read() -> None:
    head = b'* 1 FETCH (UID %d INTERNALDATE "02-Nov-2026 10:00:00 +0000" BODY[HEADER]<0> {8}\r\nFrom: a\n)\r\n'
    with said(b"* SEARCH 4 5\r\n" + OK, b"{tag} NO broken\r\n", b"{tag} NO broken\r\n", head % 5 + OK) as server:
        read = Reader(ask(server))
        assert uids(read()) == [5]
    assert [batch.skipped for batch in read.batches] == [1]


@pytest.mark.parametrize(
    "given",
    [
        b'* 1 FETCH (BODY[HEADER]<0> {8}\r\nFrom: a\n UID 5 INTERNALDATE " 2-Nov-2026 10:00:00 +0000")\r\n',
        b'* 1 FETCH (UID 5 BODY[HEADER]<0> "From: a")\r\n',
        b"* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 9 BODY[HEADER]<0> {1}\r\nx)\r\n"
        b"* 1 FETCH (UID 5 BODY[HEADER]<0> {7}\r\nFrom: a)\r\n",
    ],
)
def test_the_ways_in_which_servers_write_an_answer(given: bytes) -> None:
    with said(b"* SEARCH 5\r\n" + OK, given + OK) as server:
        read = Reader(ask(server))
        assert uids(read()) == [5]
    assert read.batches[0].mails[0].body.startswith(b"From: a")


def test_a_key_or_a_name_cannot_end_a_command() -> None:
    with Scripted(HELLO, ABLE, b"{tag} NO no\r\n") as server:
        with pytest.raises(Blocked):
            Reader(ask(server, user='a" "b'), environ={"IMAP_KEY": 'x"\\y'})()
        assert server.heard[1].split(b" ", 1)[1] == b'LOGIN "a\\" \\"b" "x\\"\\\\y"\r\n'
        with pytest.raises(FetchFailed):
            Reader(ask(server, user="a\r\nb"))()


def test_an_access_token_is_sent_once_and_in_its_own_way() -> None:
    import base64

    failed = b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n"
    with Scripted(HELLO, ABLE, b"+ \r\n", failed, b"{tag} NO no\r\n") as server:
        server.answers = (*server.answers[:4], b"* OK\r\n")
        with pytest.raises(FetchFailed):
            Reader(ask(server, oauth=True), deadline=2.0, wait=0.5)()
        assert b"AUTHENTICATE XOAUTH2" in server.heard[1]
        assert base64.b64decode(server.heard[2]) == f"user=ada\1auth=Bearer {KEY}\1\1".encode()


def test_without_tls_only_a_server_on_this_machine_is_asked() -> None:
    from monitor.fetch import imap_wire

    request = Mail("imap", (), host="mail.example.org", port=143, tls="none", user="ada", key=Secret(env="IMAP_KEY"))
    made_sock = _Socket()
    client = imap_wire._Client.__new__(imap_wire._Client)
    client.request, client.dialer, client.wait = request, lambda host, port: made_sock, 1.0  # type: ignore[assignment]
    with pytest.raises(FetchFailed, match="no_tls"):
        client._create_socket(None)
    assert made_sock.closed


class _Socket:
    closed = False

    def getpeername(self) -> tuple[str, int]:
        return "192.0.2.7", 143

    def close(self) -> None:
        self.closed = True


def test_folders_are_known_by_their_use_and_by_common_names() -> None:
    from imap_tools.folder import FolderInfo

    listed = [
        FolderInfo(name, delim, tuple(flags.split()))
        for name, delim, flags in [
            ("INBOX", "/", ""), ("[Gmail]", "/", "\\Noselect"), ("[Gmail]/All Mail", "/", "\\All"),
            ("[Gmail]/Gesendet", "/", "\\Sent"), ("[Gmail]/Papierkorb", "/", "\\Trash"), ("Work", "/", ""),
            ("[Gmail]/Entwürfe", "/", "\\Drafts"), ("INBOX/Spam", "/", ""), ("Deleted Items", "/", ""),
            ("Trash/2025", "/", ""), ("Trash", "/", ""), ("Flat.Junk", "NIL", ""),
            ("[Gmail]/Starred", "/", "\\Flagged"),
        ]
    ]  # fmt: skip
    assert chosen(listed, ()) == [
        "[Gmail]/Gesendet", "INBOX", "Flat.Junk", "Work", "[Gmail]/All Mail", "[Gmail]/Starred"
    ]  # fmt: skip
    assert chosen(listed, ("INBOX", "[Gmail]/Gesendet")) == ["[Gmail]/Gesendet", "INBOX"]


# --- the whole line, into the store --------------------------------------------------------------------------------


class Line:
    """Attempts at a mailbox into a history of its own."""

    def __init__(self, folder: Path, post: Post, spacing: str = "0s") -> None:
        self.settings = made.settings(folder, f'[fetch]\nspacing = "{spacing}"\n')
        self.now = made.NOW
        self.store = Store(self.settings.database)
        self.post(post)

    def post(self, post: Post) -> None:
        self.configured = Configured("post", "contacts", post, read_schedule("6h", None), "Australia/Sydney")
        self.settings = replace(self.settings, sources=(self.configured,))
        self.id = sources.sync(self.store, self.settings, self.now)["post"]

    def make(self, trigger: Trigger = Trigger.SCHEDULE, **more: Any) -> list[Reading]:
        attempts = Attempts(self.settings, self.store, clock=lambda: self.now, sleep=self._sleep, **more)
        day = self.now.astimezone(self.configured.zone).date()
        return [reading for _, reading in attempts.make(self.configured, self.id, self.now, day, trigger)]

    def _sleep(self, seconds: float) -> None:
        from datetime import timedelta

        self.now += timedelta(seconds=seconds)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self.store.rows(sql)]


def of(server: Any, **more: Any) -> Post:
    given: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "tls": "none", "key": Secret(env="IMAP_KEY")}
    return Post(**(given | more))


@pytest.fixture
def line(server: Dovecot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    made_line = Line(tmp_path, of(server))
    yield made_line
    made_line.store.close()


def test_each_mail_counts_once_wherever_it_lies_and_a_look_without_news_writes_no_reading(
    server: Dovecot, line: Line
) -> None:
    server.put(mail(1), mail(2))
    server.put(mail(2), mail(3), folder="All Mail")
    readings = line.make()
    assert [(r.outcome, r.mail.after.folder) for r in readings if r.mail] == [("ok", "INBOX"), ("ok", "All Mail")]
    assert line.rows("select count(*) from contacts") == [(3,)]
    assert line.rows("select count(*) from mails") == [(3,)]
    assert line.make() == []
    asked = [row[0] for row in line.rows("select url_asked from exchanges order by reading_id")]
    assert asked[0].startswith(f"imap://127.0.0.1:{server.port}/INBOX ")
    assert "ada" not in "".join(asked)
    assert line.rows("select capture_id from exchanges where capture_id is not null") == []


def test_a_folder_made_anew_counts_no_mail_twice(server: Dovecot, line: Line) -> None:
    server.put(mail(1), folder="Work")
    line.make()
    with server.connect() as client:
        client.delete("Work")
    server.put(mail(1), folder="Work")
    assert line.make() == []
    server.put(mail(2), folder="Work")
    assert len(line.make()) == 1
    assert line.rows("select count(*) from contacts") == [(2,)]


def test_an_answer_to_a_mail_of_the_owner_is_no_contact(server: Dovecot, line: Line) -> None:
    server.put(mail(9, sender="ada@example.org"), folder="Outbox")
    server.put(mail(1, extra="In-Reply-To: <9@example.net>\n"), mail(2))
    server.put(mail(3, extra="In-Reply-To: <8@example.net>\n"), mail(8, sender="ada@example.org"), folder="Work")
    line.make()
    assert line.rows("select verdict, count(*) from mails group by 1 order by 1") == [
        ("contact", 1), ("ignored", 2), ("own", 2)
    ]  # fmt: skip


def test_a_mail_at_which_a_parser_fails_is_unknown_and_stops_nothing(server: Dovecot, line: Line) -> None:
    server.put(mail(1), mail(2, extra="X-Bug: 1\n"), mail(3))
    (reading,) = line.make()
    assert line.rows("select verdict, reason, count(*) from mails group by 1, 2 order by 1") == [
        ("contact", "headers", 2), ("unknown", "parser_error", 1)
    ]  # fmt: skip
    assert "/2: parser_error, ValueError at mail.py:" in reading.note
    assert SUBJECT not in reading.note


def test_a_refused_account_is_left_alone_that_day_and_asked_again_by_the_owners_hand(
    server: Dovecot, line: Line
) -> None:
    line.post(of(server, key=Secret(env="WRONG_KEY")))
    (reading,) = line.make()
    assert (reading.outcome, reading.reason) == (Outcome.BLOCKED, "login_refused")
    assert "app password" in reading.advice
    assert "monitor check post --force" in reading.advice

    def never(settings: Any) -> Any:
        return lambda request: pytest.fail("it was asked")

    line.now = datetime(2026, 11, 23, 12, 59, tzinfo=UTC)  # 23:59 in Sydney
    assert line.make(mail_reader=never) == []
    line.now = datetime(2026, 11, 23, 13, 1, tzinfo=UTC)
    (again,) = line.make()
    assert again.reason == "login_refused"
    server.put(mail(1))
    line.post(of(server))
    attempts = Attempts(line.settings, line.store, clock=lambda: line.now)
    attempts.forget_refusals(line.configured)
    (good,) = line.make(Trigger.MANUAL)
    assert good.outcome is Outcome.OK


def test_a_missing_key_costs_no_login(server: Dovecot, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAP_KEY")
    (reading,) = line.make()
    assert (reading.outcome, reading.reason) == (Outcome.MISSED, "key_missing")
    assert line.rows("select calls from hosts") == [(0,)]


def test_trouble_is_told_once_and_is_over_with_the_next_good_look(server: Dovecot, line: Line) -> None:
    with Cut(server.port, 0) as cut:
        line.post(of(cut))
        first, second = line.make(), line.make()
    assert [r.outcome for r in first] == [Outcome.FAILED]
    assert second == []
    line.post(of(server))
    (over,) = line.make()
    assert (over.outcome, over.reason) == (Outcome.EMPTY, "no_results")
    assert line.make() == []


def test_an_attempt_at_a_large_mailbox_ends_in_time_and_the_next_goes_on(server: Dovecot, line: Line) -> None:
    for name in "abc":
        server.put(mail(name), folder=name)
    ticks = iter(range(0, 10_000, 100))
    counts = []
    for _ in range(4):
        line.make(steady=lambda: float(next(ticks)))
        counts.append(line.rows("select count(*) from mails")[0][0])
    assert counts[:2] == [0, 1]  # the empty INBOX, then a folder at a time
    line.make()
    assert line.rows("select count(*) from mails") == [(3,)]


def test_two_at_once_count_nothing_twice(server: Dovecot, line: Line) -> None:
    server.put(*(mail(n) for n in range(5)))
    other = Attempts(line.settings, line.store, clock=lambda: line.now, sleep=line._sleep)
    raced = False

    def racing(settings: Any) -> Any:
        from monitor.attempt import mail_reader_of

        def read(request: Mail) -> Iterator[MailBatch]:
            nonlocal raced
            for batch in mail_reader_of(settings)(request):
                if not raced:
                    raced = True
                    list(other._make(line.configured, line.id, line.now, date(2026, 11, 23), Trigger.MANUAL))
                yield batch

        return read

    line.make(mail_reader=racing)
    assert raced
    assert line.rows("select count(*), count(distinct message_key) from contacts") == [(5, 5)]
    assert line.rows("select count(*) from readings") == [(1,)]


def test_what_was_read_from_a_place_that_is_passed_is_not_stored(line: Line) -> None:
    first = MailBatch((), None, replace_cursor("INBOX", "7", 4))
    contacts.save_quietly(line.store, line.id, first, line.now)
    for before in (None, replace_cursor("INBOX", "7", 3), replace_cursor("INBOX", "6", 4)):
        with pytest.raises(Stale):
            contacts.save_quietly(line.store, line.id, replace(first, before=before), line.now)


# --- killed, and what is left behind -------------------------------------------------------------------------------

DRIVER = """
import os, signal, sys, types
import monitor.sources, monitor.config_blocks
table = types.MappingProxyType({("contacts", "post"): "tests.mails:Post"})
monitor.sources.SOURCES = monitor.config_blocks.SOURCES = table
import monitor.fetch.imap as imap, monitor.store.readings as readings, monitor.store.contacts as contacts
import monitor.fetch.imap_wire as wire
left = [int(os.environ["KILL_AT"])]
def deadly(module, name):
    work = getattr(module, name)
    def wrapped(*args, **more):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return work(*args, **more)
    setattr(module, name, wrapped)
deadly(readings, "save"); deadly(contacts, "save_mails"); deadly(contacts, "move_cursor"); deadly(contacts, "looked")
deadly(wire.Session, "fetch")
from monitor.cli import main
sys.argv = ["monitor", "check"]
main()
"""


def test_killed_at_any_step_nothing_is_lost_or_counted_twice(server: Dovecot, tmp_path: Path) -> None:
    server.put(*(mail(n) for n in (1, 2, 3)))
    server.put(mail(2), mail(4, extra="X-Text: 1\n"), folder="Work")
    (tmp_path / "config.toml").write_text(
        '[owner]\nname = "Ada Example"\n[[contacts]]\nkind = "post"\nhost = "127.0.0.1"\n'
        f'port = {server.port}\ntls = "none"\nkey = {{ env = "IMAP_KEY" }}\n[fetch]\nspacing = "0s"\n'
    )
    ends = []
    for at in range(1, 40):
        environ = {**os.environ, **ENVIRON, "KILL_AT": str(at), "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", DRIVER],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        ends.append(done.returncode)
        with closing(sqlite3.connect(tmp_path / "presence.db")) as conn:
            conn.execute("update hosts set next_at = null")  # a kill at the login holds the account for a minute
            conn.commit()
        if done.returncode != -signal.SIGKILL:
            break
    assert done.returncode == 0, done.stderr
    assert len(ends) > 5
    with closing(sqlite3.connect(tmp_path / "presence.db")) as conn:
        assert conn.execute("select count(*), count(distinct message_key) from contacts").fetchone() == (4, 4)
        assert conn.execute("select folder, position from mail_folders order by 1").fetchall() == [
            ("INBOX", 3), ("Work", 2)
        ]  # fmt: skip
        assert conn.execute("select count(*) from readings where outcome = 'ok'").fetchone() == (2,)
    left_behind(tmp_path)


def left_behind(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "config.toml":
            body = path.read_bytes()
            for word in (KEY, SUBJECT, BODY, "grace@example.net", "Grace"):
                assert word.encode() not in body, f"{word} in {path}"


def test_neither_secrets_nor_words_of_mails_are_left_anywhere(
    server: Dovecot, line: Line, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    server.put(mail(1, extra="X-Text: 1\n"), mail(2, extra="X-Bug: 1\n"), mail(3))
    line.make()
    line.post(of(server, key=Secret(env="WRONG_KEY")))
    line.make()
    with Cut(server.port, 1500) as cut:
        line.post(of(cut))
        line.make()
    left_behind(line.store.path.parent)
    line.store.close()
    left_behind(line.store.path.parent)
    printed = caplog.text + "".join(capfd.readouterr())
    assert not any(word in printed for word in (KEY, SUBJECT, BODY, "grace@"))
