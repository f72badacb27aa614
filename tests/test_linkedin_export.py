"""LinkedIn's files: who approached the owner, each once, and never who it was or what they wrote."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from monitor.cli import cli
from monitor.fetch import workbook, zipped
from monitor.importing import Imported, Importer, ImportRefused
from monitor.importing_archives import take_analytics, take_export
from monitor.model import Contact, Count
from monitor.sources.contacts import linkedin_xlsx
from monitor.sources.contacts.linkedin_export import Given, Said, read
from monitor.sources.contacts.linkedin_table import HeaderUnknown, OtherOrder, file_of, read_table, read_when
from monitor.sources.contacts.person import person_key
from monitor.store import readings, sources
from monitor.store.connection import Store
from monitor.store.local_key import hasher
from tests.conftest import PAGES
from tests.made import NOW, reading, settings

TWINS = PAGES / "linkedin-export"
SYDNEY = ZoneInfo("Australia/Sydney")
AT = datetime(2026, 1, 7, 9, tzinfo=UTC)


def given(day: date = date(2026, 1, 7), names: tuple[str, ...] = ("Ada Example",)) -> Given:
    return Given(day, NOW.date(), SYDNEY, names, lambda text: f"#{text}")


def said_of(folder: Path, name: str, **of: tuple[str, ...]) -> Said:
    tables = {file_of(file.name): read_table(file.read_bytes()) for file in folder.glob("*.csv") if file_of(file.name)}
    invitations = [table for table in tables.values() if table.kind == "invitations"]
    return read({"": [tables[name]], "invitations": invitations}, given(**of))  # type: ignore[arg-type]


def kinds(said: Said) -> Counter[str]:
    return Counter(record.kind for record in said.records if isinstance(record, Contact))


# --- the real archives ----------------------------------------------------------------------------------------------


def test_every_archive_gives_the_right_values(cases: Callable[[str], Path]) -> None:
    seen = 0
    for folder in sorted(cases("profiles/linkedin-export").iterdir()):
        for name, expected in json.loads((folder / "expected.json").read_text()).items():
            if not file_of(name):
                continue
            seen += 1
            said = said_of(folder, file_of(name), names=("Nobody At All",))
            assert said.rows == expected["rows"], (folder.name, name)
            assert said.rejected == []
            if "direction" in expected:
                assert kinds(said) == {"request": expected["direction"]["INCOMING"]}
                assert said.own == expected["direction"]["OUTGOING"]
            if conversations := expected.get("conversations"):
                wanted = {"inmail": conversations.get("inmail", 0), "message": conversations.get("direct", 0)}
                assert kinds(said) == Counter(wanted)
                assert said.sponsored == conversations.get("sponsored", 0)
                assert said.own == conversations.get("started_by_owner", 0)
            if name == "Connections.csv":
                days = [r for r in said.records if isinstance(r, Count) and r.window == "day"]
                assert sum(int(count.value or 0) for count in days) == expected["rows"]
                ends = {read_when(text, 1).day for text in expected["first_last_date"]}  # type: ignore[union-attr]
                assert ends <= {count.day for count in days if count.value}
    assert seen >= 15


def test_lists_of_2018_in_utf16_with_tabs_are_read_as_text(cases: Callable[[str], Path]) -> None:
    with pytest.raises(HeaderUnknown):
        read_table(cases("profiles/linkedin-export/2018-complete/Logins.csv").read_bytes())
    rows = (TWINS / "2018" / "Invitations.csv").read_text().replace(',"', '\t"').replace('",', '"\t')
    rows = "\n".join(line if "\t" in line else line.replace(",", "\t") for line in rows.split("\n"))
    rows = rows.replace("Example,Max", "Example\tMax").replace("Brook,Ada", "Brook\tAda").replace("\t,", "\t\t")
    table = read_table(b"\xff\xfe" + rows.encode("utf-16-le"))
    assert [row["direction"] for row in table.rows] == ["OUTGOING", "INCOMING"]


# --- rows ------------------------------------------------------------------------------------------------------------


def test_2026_conversations_by_who_began_them() -> None:
    said = said_of(TWINS / "2026", "messages.csv")
    found = {record.kind: record for record in said.records if isinstance(record, Contact)}
    assert set(found) == {"inmail", "message"}
    assert (said.own, said.sponsored, said.rejected) == (1, 1, [])
    inmail = found["inmail"]
    assert (inmail.at, inmail.day) == (datetime(2025, 12, 31, 15, 49, 6, tzinfo=UTC), date(2026, 1, 1))  # in Sydney
    assert (inmail.origin, inmail.trust, inmail.sender_key) == ("linkedin", "export", "#linkedin:hana hill")
    assert found["message"].at == datetime(2026, 1, 3, 17, 32, 50, tzinfo=UTC)  # the draft is no message


def test_where_no_zone_is_written_the_day_is_as_written() -> None:
    (request,) = said_of(TWINS / "2026", "Invitations.csv").records
    assert isinstance(request, Contact)
    assert (request.at, request.day) == (None, date(2025, 12, 8))  # 11:30 PM: nobody knows where


def test_2018_messages_by_their_direction() -> None:
    said = said_of(TWINS / "2018", "messages.csv")
    (contact,) = said.records
    assert isinstance(contact, Contact)
    assert (contact.day, contact.sender_key, said.own) == (date(2018, 7, 7), "#linkedin:cora o'castle", 1)


def test_connections_per_day_with_their_zeros_and_closed_accounts() -> None:
    said = said_of(TWINS / "2023", "Connections.csv", day=date(2023, 5, 30))  # type: ignore[arg-type]
    counts = {(c.metric, c.day): c.value for c in said.records if isinstance(c, Count)}
    assert counts[("connections", date(2023, 5, 30))] == 3
    days = {day.day: value for (metric, day), value in counts.items() if metric == "new_connections"}
    assert days == {26: 1, 27: 0, 28: 2, 29: 0}  # the 30th is not over: no zero


def test_a_row_that_cannot_be_read_is_told_and_leaves_no_zero_and_no_exact_number() -> None:
    head = b"First Name,Last Name,Connected On\n"
    said = read({"": [read_table(head + b"A,B,1 May 2023\nC,D,soon\nE,F,4 May 2023\n")]}, given())
    assert said.rejected == [(3, "no date that is understood")]
    counts = {(c.metric, c.day): (c.value, c.precision) for c in said.records if isinstance(c, Count)}
    assert counts == {
        ("connections", AT.date()): (3, "at_least"),
        ("new_connections", date(2023, 5, 1)): (1, "at_least"),
        ("new_connections", date(2023, 5, 4)): (1, "at_least"),
    }


def test_a_conversation_whose_beginning_is_unread_is_no_contact() -> None:
    body = (TWINS / "2026" / "messages.csv").read_text().replace("2025-12-28 10:49:41 UTC", "long ago")
    said = read({"": [read_table(body.encode())]}, given())
    assert "#linkedin:max moss" not in {r.sender_key for r in said.records if isinstance(r, Contact)}
    assert [why for _, why in said.rejected] == [
        "the beginning of its conversation cannot be told",
        "no date that is understood",
    ]
    assert said.rejected[1][0] == 11  # the line as an editor counts it, texts over several lines included


def test_two_people_and_one_conversation_want_the_name() -> None:
    head = (TWINS / "2026" / "messages.csv").read_text().split("\n")
    body = "\n".join([head[0], head[7], ""]).encode()
    assert kinds(read({"": [read_table(body)]}, given())) == {"inmail": 1}
    unsure = read({"": [read_table(body)]}, given(names=("Someone Else",)))
    assert (unsure.records, len(unsure.rejected)) == ([], 1)


def conversation(*rows: tuple[str, str, str]) -> bytes:
    """A file of one conversation: who wrote, the address, and when."""
    head = "CONVERSATION ID,CONVERSATION TITLE,FROM,SENDER PROFILE URL,TO,RECIPIENT PROFILE URLS,DATE,SUBJECT\n"
    return (head + "".join(f"1,,{who},{url},,linkedin.com/in/ada,{when},\n" for who, url, when in rows)).encode()


def test_of_two_messages_of_one_second_the_lower_line_is_the_older() -> None:
    at = "2025-12-01 10:00:00 UTC"
    mine, theirs = ("Ada Example", "linkedin.com/in/ada", at), ("Ben Brook", "linkedin.com/in/ben", at)
    assert kinds(read({"": [read_table(conversation(mine, theirs))]}, given())) == {"message": 1}
    assert kinds(read({"": [read_table(conversation(theirs, mine))]}, given())) == {}


def test_an_address_is_the_same_in_every_spelling() -> None:
    at = "2025-12-01 10:00:00 UTC"
    invitations = (
        b"From,To,Sent At,Message,Direction,inviterProfileUrl,inviteeProfileUrl\n"
        b'A,B,"1/6/26, 11:44 AM",,OUTGOING,https://www.linkedin.com/in/Ad%C3%A4/,https://www.linkedin.com/in/x\n' * 3
    )
    mine = conversation(("Somebody", "http://linkedin.com/in/adä?trk=a", at))
    tables = {"": [read_table(mine)], "invitations": [read_table(invitations)]}
    said = read(tables, given(names=("Nobody At All",)))
    assert (said.own, said.records) == (1, [])


def test_nobody_is_taken_for_somebody() -> None:
    """Closed accounts all bear one name: no two of them are one person, but each of their requests counts."""
    body = (
        b"From,To,Sent At,Message,Direction\n"
        b'LinkedIn Member,Ada Example,"1/6/26, 11:44 AM",,INCOMING\n,Ada Example,"1/6/26, 11:45 AM",,INCOMING\n'
    )
    found = [r for r in read({"": [read_table(body)]}, given()).records if isinstance(r, Contact)]
    assert [record.sender_key for record in found] == [None, None]
    assert len({record.message_key for record in found}) == 2


@pytest.mark.parametrize(
    ("text", "day", "at"),
    [
        ("28 May 2023", "2023-05-28", ""),
        ("31-Dec-25", "2025-12-31", ""),
        ("12/2/17, 6:14 PM", "2017-12-02", ""),
        ("2/4/24, 12:20\u202fAM", "2024-02-04", ""),
        ("2024-02-12 15:09:26 UTC", "2024-02-12", "2024-02-12T15:09:26+00:00"),
        ("2024/02/12 15:09:26 UTC", "2024-02-12", "2024-02-12T15:09:26+00:00"),
        ("30 Feb 2023", None, ""),
        ("2/4/24, 13:20 PM", None, ""),
        ("28 mai 2023", None, ""),
        ("", None, ""),
    ],
)
def test_dates_in_every_form_met(text: str, day: str | None, at: str) -> None:
    when = read_when(text, 1)
    assert (when and when.day.isoformat()) == day
    assert ((when and when.at and when.at.isoformat()) or "") == at


def test_days_before_months_are_another_programs_and_not_guessed() -> None:
    body = (TWINS / "2026" / "Invitations.csv").read_text().replace("12/8/25, 11:30 PM", "13/8/25, 11:30 PM").encode()
    with pytest.raises(OtherOrder, match="line 3"):
        read({"": [read_table(body)]}, given())


def test_a_day_to_come_is_rejected() -> None:
    body = b"First Name,Last Name,Connected On\nA,B,1 May 2099\nC,D,1 May 2023\n"
    said = read({"": [read_table(body)]}, given())
    assert said.rejected == [(2, "a day that has not come yet")]


@pytest.mark.parametrize("text", ["x" * 1_000_000, '"' + "x" * 1_000_000 + ',\n"', "a\u2028b\x0bc\x85d\x1ce"])
def test_a_letter_is_one_field_however_long_and_whatever_it_holds(text: str) -> None:
    body = (TWINS / "2026" / "messages.csv").read_text().replace("Dear Ada", text)
    said = read({"": [read_table(body.encode())]}, given())
    assert (said.rows, kinds(said)) == (7, {"inmail": 1, "message": 1})


def test_a_spreadsheet_may_have_saved_it_with_semicolons_and_crlf() -> None:
    body = (TWINS / "2026" / "Connections.csv").read_bytes().replace(b",", b";").decode().encode("cp1252")
    said = read({"": [read_table(body)]}, given())
    assert (said.rows, said.rejected) == (2, [])


def test_the_same_approach_has_one_mark_in_every_year() -> None:
    old = b'From,To,Sent At,Message,Direction\nGia Grove,Ada Example,"12/8/25, 11:30 PM",,INCOMING\n'
    (of_old,) = read({"": [read_table(old)]}, given()).records
    (of_new,) = said_of(TWINS / "2026", "Invitations.csv").records
    assert isinstance(of_old, Contact)
    assert isinstance(of_new, Contact)
    assert of_old.message_key == of_new.message_key


# --- into the history ------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "presence.db") as store:
        yield store


@pytest.fixture
def importer(store: Store, tmp_path: Path) -> Importer:
    made = settings(tmp_path)
    sources.sync(store, made, NOW)
    return Importer(made, store, lambda: NOW)


def packed(path: Path, folder: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
        archive.writestr(prefix + "Rich Media.csv", "Link\nhttps://example.org\n")
    return path


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in store.rows(sql)]


def of_files(done: Imported) -> dict[str, tuple[str, int, int, int, int]]:
    return {f.name: (f.state, f.new, f.changed, f.same, f.elsewhere) for f in done.files}


def test_an_archive_is_one_reading_whose_evidence_is_its_name_and_hash(
    importer: Importer, store: Store, tmp_path: Path
) -> None:
    path = packed(tmp_path / "Complete_LinkedInDataExport_01-07-2026.zip", TWINS / "2026")
    done = importer.file(path)
    assert done.reading is not None
    assert done.reading.day == date(2026, 1, 7)  # by its name
    assert of_files(done)["messages.csv"] == ("found", 2, 0, 0, 0)
    assert of_files(done)["Invitations.csv"] == ("found", 1, 0, 0, 0)
    assert rows(store, 'select "trigger", outcome, day from readings') == [("import", "ok", "2026-01-07")]
    asked = [str(row[0]) for row in rows(store, "select url_asked from exchanges order by n")]
    assert len(asked) == 4
    assert all(one.startswith(path.name) and one.endswith(f"sha256:{zipped.sha256_of(path)}") for one in asked)
    assert rows(store, "select count(*) from captures") == [(0,)]
    assert rows(store, "select distinct way from profile_counts where profile = 'linkedin'") == [("export",)]


def test_the_same_file_twice_adds_nothing_by_whatever_way(importer: Importer, store: Store, tmp_path: Path) -> None:
    first = packed(tmp_path / "Basic_LinkedInDataExport_01-07-2026.zip", TWINS / "2026")
    importer.file(first)
    before = [rows(store, f"select count(*) from {table}") for table in ("contacts", "counts", "revisions")]
    assert importer.file(Path(shutil.copy(first, tmp_path / "again.zip"))).reading is None
    folder = tmp_path / "unpacked"
    shutil.copytree(TWINS / "2026", folder)
    for file in folder.iterdir():
        os.utime(file, (AT.timestamp(), AT.timestamp()))
    done = take_export(importer, folder)
    assert of_files(done)["messages.csv"] == ("found", 0, 0, 2, 0)
    assert sum(file.new + file.changed for file in done.files) == 0
    assert take_export(importer, folder).reading is None
    assert [rows(store, f"select count(*) from {table}") for table in ("contacts", "counts", "revisions")] == before


def test_no_name_text_or_address_of_others_is_anywhere(importer: Importer, store: Store, tmp_path: Path) -> None:
    take_export(importer, packed(tmp_path / "a.zip", TWINS / "2026"), AT)
    take_export(importer, TWINS / "2018", AT)
    store.close()
    kept = b"".join(
        file.read_bytes() for file in tmp_path.iterdir() if file.is_file() and file.suffix not in (".zip", ".toml")
    ).lower()
    assert b"sha256:" in kept
    for word in (
        b"brook",
        b"hana",
        b"grove",
        b"castle",
        b"ben@",
        b"dear ada",
        b"secret",
        b"in/ben",
        b"a role",
        b"2-bbbb",
    ):
        assert word not in kept
    assert stat.S_IMODE((tmp_path / "presence.key").stat().st_mode) == 0o600


def test_a_contact_that_a_mail_told_of_counts_once(importer: Importer, store: Store, tmp_path: Path) -> None:
    hashed = hasher(store)
    with store.write() as db:
        mailbox = sources.row_id(db, {**dict.fromkeys(sources.IDENTITY, ""), "name": "mail", "measure": "contacts",
                                      "kind": "mbox", "day_zone": "UTC", "settings": "{}"}, NOW)  # fmt: skip
    key = hashed(person_key("linkedin", "HANA  Hill"))
    by_mail = Contact(
        NOW, date(2025, 12, 31), "inmail", "linkedin", sender_key=key, message_key="by mail", trust="verified"
    )
    readings.save(store, mailbox, replace(reading(body=""), records=(by_mail,)))
    done = take_export(importer, TWINS / "2026", AT)
    assert of_files(done)["messages.csv"] == ("found", 1, 0, 0, 1)
    assert rows(store, "select count(*) from contacts where kind = 'inmail'") == [(1,)]
    assert rows(store, "select trust from contacts where kind = 'inmail'") == [("verified",)]


def test_a_newer_export_revises_and_an_older_one_does_not(importer: Importer, store: Store, tmp_path: Path) -> None:
    head = "First Name,Last Name,Connected On\n"
    newer, older = tmp_path / "Connections.csv", tmp_path / "Connections (1).csv"
    newer.write_text(head + "A,B,2 May 2023\n")
    older.write_text(head + "A,B,2 May 2023\nC,D,2 May 2023\n")
    take_export(importer, older, datetime(2023, 5, 10, tzinfo=UTC))
    done = take_export(importer, newer, datetime(2023, 5, 20, tzinfo=UTC))
    assert done.files[0].changed == 1
    assert rows(store, "select day, old, new from revisions") == [("2023-05-02", 2, 1)]
    value = "select value from counts where metric = 'new_connections' and day = '2023-05-02'"
    assert rows(store, value) == [(1,)]
    older.write_text(older.read_text() + "\n")  # another file of the same day
    again = take_export(importer, older, datetime(2023, 5, 12, tzinfo=UTC))
    assert again.files[0].older > 0
    assert again.files[0].changed == 0
    assert rows(store, value) == [(1,)]


def test_what_is_found_absent_and_unknown_is_told(importer: Importer, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "Invitations.csv").write_text("De,A,Le\nx,y,z\n")
    shutil.copy(TWINS / "2026" / "Connections.csv", folder)
    done = take_export(importer, folder, AT)
    assert {file.name: file.state for file in done.files} == {
        "Connections.csv": "found",
        "Invitations.csv": "header unknown",
        "messages.csv": "absent",
        "Endorsement_Received_Info.csv": "absent",
    }
    (folder / "Connections.csv").unlink()
    with pytest.raises(ImportRefused, match=r"nothing was taken \(Invitations\.csv: header unknown\)"):
        take_export(importer, folder, AT)


# --- archives that are none ------------------------------------------------------------------------------------------


def made(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members:
            archive.writestr(name, body)
    return path


def _bomb(path: Path) -> Path:
    return made(path, ("messages.csv", b"a" * 30_000_000))


def _encrypted(path: Path) -> Path:
    raw = bytearray(made(path, ("messages.csv", b"x")).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + offset] |= 1
    path.write_bytes(raw)
    return path


def _cut(path: Path) -> Path:
    whole = packed(path, TWINS / "2026").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def _damaged(path: Path) -> Path:
    raw = bytearray(made(path, ("messages.csv", (TWINS / "2026" / "messages.csv").read_bytes())).read_bytes())
    raw[200] ^= 0xFF
    path.write_bytes(raw)
    return path


def _long_list(path: Path) -> Path:
    raw = bytearray(made(path, ("messages.csv", b"x")).read_bytes())
    struct.pack_into("<I", raw, raw.rindex(b"PK\x05\x06") + 12, 2**31)
    path.write_bytes(raw)
    return path


def _page(path: Path) -> Path:
    path.write_text("<html>Sign in</html>")
    return path


def _twice(path: Path) -> Path:
    with pytest.warns(UserWarning, match="Duplicate"):
        return made(path, ("messages.csv", b"x"), ("messages.csv", b"y"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_bomb, "unpacks to far more than a real one does"),
        (_encrypted, "is encrypted: unpack it with its password"),
        (_cut, "is cut short: fetch it again"),
        (_damaged, "is damaged: fetch it again"),
        (_long_list, "lists more members than any export has"),
        (_page, "is no ZIP archive"),
        (_twice, "has two members of one name"),
        (lambda path: made(path, ("../messages.csv", b"x")), "leads out of the archive"),
        (lambda path: made(path, ("/messages.csv", b"x")), "leads out of the archive"),
        (lambda path: made(path, ("C:\\messages.csv", b"x")), "leads out of the archive"),
        (lambda path: made(path, ("holiday.jpg", b"x")), "holds none of the files that are read"),
        (made, "holds none of the files that are read"),
    ],
)
def test_an_archive_that_is_none_is_refused_in_one_sentence(
    make: Callable[[Path], Path], said: str, importer: Importer, store: Store, tmp_path: Path
) -> None:
    with pytest.raises(ImportRefused, match=said) as refused:
        importer.file(make(tmp_path / "export.zip"))
    assert str(refused.value).startswith("export.zip ")
    assert str(refused.value).count("\n") == 0
    assert rows(store, "select count(*) from readings") == [(0,)]


def test_nothing_stays_of_an_archive_that_could_not_be_stored_whole(
    importer: Importer, store: Store, tmp_path: Path
) -> None:
    with store.write() as db:
        db.execute("create trigger full before insert on contacts begin select raise(abort, 'no room'); end")
    with pytest.raises((sqlite3.Error, Exception), match="no room"):
        take_export(importer, TWINS / "2026", AT)
    assert [rows(store, f"select count(*) from {t}") for t in ("readings", "counts", "contacts")] == [[(0,)]] * 3
    with store.write() as db:
        db.execute("drop trigger full")
    assert take_export(importer, TWINS / "2026", AT).reading is not None


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_tells_each_file_and_as_json(tmp_path: Path) -> None:
    settings(tmp_path)
    archive = packed(tmp_path / "Complete_LinkedInDataExport_01-07-2026.zip", TWINS / "2026", "export/")
    run = CliRunner()
    told = run.invoke(cli, ["--config", str(tmp_path / "config.toml"), "import", str(archive)])
    assert told.exit_code == 0, told.output
    assert (
        "messages.csv: 7 rows: 2 new, 0 changed, 0 same, 0 elsewhere; left out: 1 begun by you, 1 sponsored"
        in told.output
    )
    again = run.invoke(
        cli, ["--config", str(tmp_path / "config.toml"), "import", str(archive), str(TWINS / "2018"), "--json"]
    )
    first, second = (json.loads(line) for line in again.output.splitlines())
    assert first == {"name": archive.name, "source": "import/linkedin-export", "new": False}
    assert {f["name"]: f["state"] for f in second["files"]}["Endorsement_Received_Info.csv"] == "absent"
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    refused = run.invoke(cli, ["--config", str(tmp_path / "config.toml"), "import", str(other)], standalone_mode=False)
    assert refused.return_value == 1
    assert "other.csv: nothing was taken (other.csv: header unknown)." in refused.output


# --- analytics -------------------------------------------------------------------------------------------------------


def book(*sheets: tuple[str, list[list[object]]]) -> bytes:
    """A workbook in the smallest form that a reader takes: every cell a text."""
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        'officeDocument" Target="xl/workbook.xml"/></Relationships>',
    }
    names = "".join(
        f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>' for n, (name, _) in enumerate(sheets, 1)
    )
    parts["xl/workbook.xml"] = (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxml'
        f'formats.org/officeDocument/2006/relationships"><sheets>{names}</sheets></workbook>'
    )
    parts["xl/_rels/workbook.xml.rels"] = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
            f'worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        + "</Relationships>"
    )
    for n, (_, cells) in enumerate(sheets, 1):
        lines = "".join(
            f'<row r="{r}">'
            + "".join(
                f'<c r="{chr(64 + c)}{r}" t="inlineStr"><is><t>{escape(str(cell))}</t></is></c>'
                for c, cell in enumerate(row, 1)
                if cell != ""
            )
            + "</row>"
            for r, row in enumerate(cells, 1)
        )
        parts[f"xl/worksheets/sheet{n}.xml"] = (
            '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            f"<sheetData>{lines}</sheetData></worksheet>"
        )
    made_of = io.BytesIO()
    with zipfile.ZipFile(made_of, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return made_of.getvalue()


def analytics(form: str = "%m/%d/%Y", first: date = date(2025, 10, 1), days: int = 20, more: int = 0) -> bytes:
    span = [first + timedelta(days=n) for n in range(days)]
    daily = [[day.strftime(form), str(1_000 + n + more), "-28" if n == 3 else "5"] for n, day in enumerate(span)]
    fresh = [[day.strftime(form), str(n % 3)] for n, day in enumerate(span)]
    last = span[-1].strftime(form)
    return book(
        ("DESCOBERTA", [["Desempenho", f"{span[0].strftime(form)} - {last}"], ["Impressões", "12,345"]]),
        ("ENGAJAMENTO", [["Data", "Impressões", "Engajamentos"], *daily]),
        ("PUBLICAÇÕES", [["Máximo de 50"], [], ["URL", "Data", "N", "", "URL", "Data", "N"],
                         ["https://example.org/a", last, "5", "", "https://example.org/b", last, "9"]]),
        ("SEGUIDORES", [[f"Total de seguidores em {last}:", "1,234"], [], ["Data", "Novos seguidores"], *fresh]),
        ("DEMOGRAFIA", [["Cargos", "Valor", "%"], ["Empresa", "Example", "< 1%"]]),
    )  # fmt: skip


def test_a_workbook_in_another_language_gives_numbers_per_day_and_is_kept(
    importer: Importer, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "Content_2025-10-01_2025-10-20_AdaExample.xlsx"
    path.write_bytes(analytics())
    done = importer.file(path)
    assert (done.series, done.files[0].rejected) == ("import/linkedin-analytics", [])
    values = "select metric, count(*), min(day), max(day), sum(value) from counts group by 1 order by 1"
    assert rows(store, values) == [
        ("engagements", 20, "2025-10-01", "2025-10-20", 19 * 5 - 28),
        ("followers", 1, "2025-10-20", "2025-10-20", 1234),
        ("impressions", 20, "2025-10-01", "2025-10-20", 20_190),
        ("new_followers", 20, "2025-10-01", "2025-10-20", sum(n % 3 for n in range(20))),
    ]
    assert rows(store, "select size from captures") == [(len(path.read_bytes()),)]
    assert importer.file(path).reading is None


def test_the_newest_workbook_wins_and_an_older_does_not(importer: Importer, store: Store, tmp_path: Path) -> None:
    newer, older, oldest = (tmp_path / f"{name}.xlsx" for name in ("newer", "older", "oldest"))
    older.write_bytes(analytics(days=20))
    newer.write_bytes(analytics(days=25, more=7))
    oldest.write_bytes(analytics(days=15, more=99))
    importer.file(older)
    assert importer.file(newer).files[0].changed == 20
    again = take_analytics(importer, oldest).files[0]
    assert (again.changed, again.new) == (0, 1)  # the followers of its own last day are its own
    assert rows(store, "select value from counts where metric = 'impressions' and day = '2025-10-01'") == [(1007,)]
    assert rows(store, "select count(*) from revisions") == [(20,)]


@pytest.mark.parametrize(
    ("form", "first", "days", "name"),
    [
        ("%m/%d/%Y", date(2025, 10, 1), 5, "x.xlsx"),  # by the days following one another
        ("%d/%m/%Y", date(2025, 10, 1), 5, "x.xlsx"),
        ("%d.%m.%Y", date(2025, 1, 25), 20, "x.xlsx"),
        ("%Y-%m-%d", date(2025, 10, 1), 5, "x.xlsx"),
        ("%d/%m/%Y", date(2025, 2, 1), 1, "AggregateAnalytics_Ada_2025-02-01_2025-02-01.xlsx"),  # by the name
        ("%m/%d/%Y", date(2025, 2, 1), 1, "AggregateAnalytics_Ada_2025-02-01_2025-02-01.xlsx"),
    ],
)
def test_month_first_or_day_first_is_settled_and_not_guessed(form: str, first: date, days: int, name: str) -> None:
    sheets = [(sheet.name, sheet.rows) for sheet in workbook.read(analytics(form, first, days))]
    found = linkedin_xlsx.read(sheets, name, NOW.date())
    assert {c.day for c in found.records if c.metric == "impressions"} == {first + timedelta(n) for n in range(days)}


def test_dates_that_could_be_either_are_not_taken() -> None:
    sheets = [(sheet.name, sheet.rows) for sheet in workbook.read(analytics("%m/%d/%Y", date(2025, 2, 1), 1))]
    with pytest.raises(linkedin_xlsx.NotUnderstood, match="under the name it was downloaded by"):
        linkedin_xlsx.read(sheets, "renamed.xlsx", NOW.date())
    with pytest.raises(linkedin_xlsx.NotUnderstood, match="not those of its name"):
        linkedin_xlsx.read(sheets, "Content_2020-01-01_2020-12-31.xlsx", NOW.date())


def test_a_cell_that_is_no_number_is_told(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    days = [["Date", "Impressions", "Engagements"], ["10/13/2025", "1,234,567", "0"], ["10/14/2025", "n/a", "3"]]
    path.write_bytes(book(("ENGAGEMENT", days)))
    done = importer.file(path)
    assert done.files[0].rejected == [(3, "ENGAGEMENT: no number of impressions")]
    assert done.files[0].new == 3


def _far(path: Path) -> None:
    raw = book(("ENGAGEMENT", [["a"]]))
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(path, "w") as made_of:
        for info in source.infolist():
            made_of.writestr(info.filename, source.read(info).replace(b'"A1"', b'"XFD1048576"'))


def _bomb_book(path: Path) -> None:
    made(path, ("xl/workbook.xml", b"<workbook/>"), ("xl/sharedStrings.xml", b" " * 30_000_000))


def _no_book(path: Path) -> None:
    made(path, ("xl/workbook.xml", b"nothing"))


def _budget(path: Path) -> None:
    path.write_bytes(book(("Budget", [["Rent", "900"]])))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_far, "has a sheet larger than any of LinkedIn's"),
        (_bomb_book, "unpacks to far more than a real one does"),
        (_no_book, "is no workbook that can be read"),
        (_budget, "is no analytics export of LinkedIn"),
        (_page, "is no ZIP archive"),
    ],
)
def test_a_workbook_that_is_none_is_refused_in_one_sentence(
    make: Callable[[Path], object], said: str, importer: Importer, store: Store, tmp_path: Path
) -> None:
    make(tmp_path / "a.xlsx")
    with pytest.raises(ImportRefused, match=said):
        importer.file(tmp_path / "a.xlsx")
    assert rows(store, "select count(*) from readings") == [(0,)]
