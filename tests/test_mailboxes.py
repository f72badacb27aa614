"""Mail in files: each mail once, nothing in a mailbox changed, whatever a mail program does with it meanwhile."""

from __future__ import annotations

import gzip
import mailbox as stdlib_mailbox
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.fetch import mailbox, mbox
from monitor.fetch.mail_limits import MAIL_BYTES, MOST
from monitor.model import FetchFailed, Mail, MailBatch
from tests.mails import BODY, mail, places

LATER = 4_000_000_000.0  # long after any file was changed
FROM = "From grace@example.net Mon Nov  2 10:00:00 2026\n"


def ask(pattern: str = "in.mbox", way: str = "mbox", **more: object) -> Mail:
    return replace(Mail(way=way, folders=(pattern,)), **more)  # type: ignore[arg-type]


def box(*mails: str) -> str:
    return "".join(f"{FROM}{one}\n" for one in mails)


class Reader:
    """Reads on each time, as the store's cursors would have it."""

    def __init__(self, base: Path, request: Mail) -> None:
        self.base, self.request = base, request
        self.batches: list[MailBatch] = []

    def __call__(self, now: float = LATER, most: int | None = None) -> list[bytes]:
        self.batches = []
        for batch in mailbox.read(self.request, self.base, now):
            self.batches.append(batch)
            cursors = {one.folder: one for one in self.request.cursors}
            assert cursors.get(batch.after.folder) == batch.before
            cursors[batch.after.folder] = batch.after
            self.request = replace(self.request, cursors=tuple(cursors.values()))
            if most is not None and len(self.batches) == most:
                break
        return [one.body for batch in self.batches for one in batch.mails]

    @property
    def skipped(self) -> int:
        return sum(batch.skipped for batch in self.batches)


def numbers(bodies: list[bytes]) -> list[int]:
    return [int(body.split(b"Message-ID: <")[1].split(b"@")[0]) for body in bodies]


# --- mbox ----------------------------------------------------------------------------------------------------------


def test_each_mail_of_an_mbox_is_given_once_and_what_is_appended_later(tmp_path: Path) -> None:
    path = tmp_path / "in.mbox"
    path.write_text(box(mail(1), mail(2)))
    read = Reader(tmp_path, ask())
    assert numbers(read()) == [1, 2]
    assert read() == []
    assert read.batches == []
    with path.open("a") as file:
        file.write(box(mail(3)))
    assert numbers(read()) == [3]


def test_only_headers_are_given_unless_the_text_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "in.mbox").write_text(box(mail(1), mail(2, body=f">From the {BODY}")))
    assert BODY.encode() not in b"".join(Reader(tmp_path, ask())())
    whole = Reader(tmp_path, ask(wants=lambda headers: b"<2@" in headers))()
    assert BODY.encode() not in whole[0]
    assert whole[1].endswith(f"\nFrom the {BODY} 2\n\n".encode())


@pytest.mark.parametrize(
    "body", ["From the start\nwe said", "so\n\nFrom here on: nothing", "so\n\nFrom a friend\n\nwho"]
)
def test_a_line_of_a_body_that_begins_with_from_begins_no_mail(tmp_path: Path, body: str) -> None:
    (tmp_path / "in.mbox").write_text(box(mail(1, body=body), mail(2)))
    read = Reader(tmp_path, ask())
    assert numbers(read()) == [1, 2]
    assert read.skipped == 0


def test_an_entry_that_is_no_mail_is_counted_as_such(tmp_path: Path) -> None:
    (tmp_path / "in.mbox").write_text(box(mail(1, body="so\n\nFrom him\nNote: this is no mail"), mail(2)))
    read = Reader(tmp_path, ask())
    assert numbers(read()) == [1, 2]
    assert read.skipped == 1


def test_mails_without_a_blank_line_between_them_are_told_apart_by_the_date(tmp_path: Path) -> None:
    (tmp_path / "in.mbox").write_text(f"{FROM}{mail(1)}{FROM}{mail(2)}")
    assert numbers(Reader(tmp_path, ask())()) == [1, 2]


def test_line_ends_of_windows(tmp_path: Path) -> None:
    (tmp_path / "in.mbox").write_bytes(box(mail(1), mail(2, extra="X-Text: 1\n")).replace("\n", "\r\n").encode())
    bodies = Reader(tmp_path, ask(wants=lambda headers: b"X-Text" in headers))()
    assert numbers(bodies) == [1, 2]
    assert [BODY.encode() in body for body in bodies] == [False, True]


def test_the_last_mail_waits_while_the_file_was_changed_a_moment_ago(tmp_path: Path) -> None:
    path = tmp_path / "in.mbox"
    text = box(mail(1), mail(2))
    path.write_text(text[:-30])
    now = path.stat().st_mtime
    read = Reader(tmp_path, ask())
    assert numbers(read(now + 1)) == [1]
    path.write_text(text)
    assert numbers(read(now + 1)) == []
    assert numbers(read(now + 1000)) == [2]


def test_a_mail_given_while_half_there_does_not_count_again_when_the_rest_comes(tmp_path: Path) -> None:
    path = tmp_path / "in.mbox"
    text = box(mail(1), mail(2))
    path.write_text(text[:-10])
    read = Reader(tmp_path, ask())
    assert numbers(read()) == [1, 2]
    path.write_text(text + box(mail(3)))
    assert numbers(read()) == [3]
    assert read.skipped == 0


def test_a_rewritten_mbox_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "in.mbox"
    many = [mail(n, extra=f"X-Long: {'x' * 300}\n") for n in range(1, 9)]
    path.write_text(box(*many))
    read = Reader(tmp_path, ask())
    assert len(read()) == 8
    path.write_text(box(*many[:5], *many[6:], mail(9, body="x" * 900)))  # the sixth was deleted: the head is the same
    assert numbers(read()) == [1, 2, 3, 4, 5, 7, 8, 9]
    path.write_text(box(*many[1:], mail(10)))  # another head
    assert numbers(read()) == [2, 3, 4, 5, 6, 7, 8, 10]
    path.write_text(box(mail(11)))  # shorter
    assert numbers(read()) == [11]
    assert read() == []


def test_many_mails_come_in_bounded_batches_and_a_break_between_them_loses_none(tmp_path: Path) -> None:
    (tmp_path / "in.mbox").write_text(box(*(mail(n) for n in range(2 * MOST + 50))))
    read = Reader(tmp_path, ask())
    first = numbers(read(most=1))
    assert len(first) == MOST
    assert first + numbers(read()) == list(range(2 * MOST + 50))
    assert [len(batch.mails) for batch in read.batches] == [MOST, 50]


def test_a_place_says_from_which_byte_to_which_a_mail_stands(tmp_path: Path) -> None:
    text = box(mail(1), mail(2))
    (tmp_path / "in.mbox").write_text(text)
    (batch,) = mailbox.read(ask(), tmp_path, LATER)
    border = len(text) // 2
    assert places([batch]) == [f"in.mbox 0-{border}", f"in.mbox {border}-{len(text)}"]


def test_a_packed_mbox_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "in.mbox.gz"
    path.write_bytes(gzip.compress(box(mail(1), mail(2)).encode()))
    read = Reader(tmp_path, ask("in.mbox.gz"))
    assert numbers(read()) == [1, 2]
    assert read() == []
    path.write_bytes(gzip.compress(box(mail(1), mail(2), mail(3)).encode()))
    assert numbers(read()) == [3]


def test_a_damaged_packed_mbox_gives_what_can_be_had_and_says_so(tmp_path: Path) -> None:
    noise = os.urandom(60_000).hex()
    packed = gzip.compress(box(mail(1), mail(2, body=noise), mail(3)).encode())
    (tmp_path / "in.mbox.gz").write_bytes(packed[: len(packed) // 2])
    read = Reader(tmp_path, ask("in.mbox.gz"))
    with pytest.raises(FetchFailed, match="damaged_file"):
        read()
    assert [len(batch.mails) for batch in read.batches] == [1]


def test_old_mails_are_left_alone(tmp_path: Path) -> None:
    old = mail(1).replace("02 Nov 2026", "02 Nov 2025")
    nonsense = mail(3).replace("Mon, 02 Nov 2026", "the day before")
    (tmp_path / "in.mbox").write_text(box(old, mail(2), nonsense))
    assert numbers(Reader(tmp_path, ask(since=date(2026, 11, 2)))()) == [2, 3]


@pytest.mark.parametrize("text", ["<html>no mailbox</html>\n", "\x00\x01\x02" * 100])
def test_a_file_that_is_no_mbox_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "in.mbox").write_text(text)
    with pytest.raises(FetchFailed, match=r"no_mailbox: in\.mbox"):
        Reader(tmp_path, ask())()


def test_no_file_at_all_is_told_and_an_empty_one_is_none_yet(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match=r"no_mailbox: in\.mbox"):
        Reader(tmp_path, ask())()
    (tmp_path / "in.mbox").touch()
    assert Reader(tmp_path, ask())() == []


def test_sent_mail_is_read_first(tmp_path: Path) -> None:
    for n, name in enumerate(["Archive.mbox", "Inbox.mbox", "Sent.mbox"]):
        (tmp_path / name).write_text(box(mail(n)))
    assert numbers(Reader(tmp_path, ask("*.mbox"))())[0] == 2


def test_a_mail_of_any_size_costs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "in.mbox"
    with path.open("w") as file:
        file.write(FROM + mail(1, extra="X-Text: 1\n"))
        for _ in range(600):
            file.write("A" * 100_000)
        file.write("\n\n" + box(mail(2)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bodies = Reader(tmp_path, ask(wants=lambda headers: b"X-Text" in headers))()
    assert numbers(bodies) == [1, 2]
    assert len(bodies[0]) <= MAIL_BYTES
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (
        1 if sys.platform == "darwin" else 1024
    ) < 3e7


LINES = st.sampled_from(
    ["From x", "From: y", "", ">From z", "Note: a", "text", FROM.strip(), "Date: Mon, 02 Nov 2026 10:00:00 +0000", "\r"]
)


@given(
    lines=st.lists(LINES, max_size=40), sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5), cut=st.integers(0)
)
@settings(max_examples=300, deadline=None)
def test_entries_do_not_depend_on_how_the_bytes_come_nor_on_where_reading_began(
    lines: list[str], sizes: list[int], cut: int
) -> None:
    data = (FROM + "\n".join(lines)).encode()

    def chunks() -> list[bytes]:
        found, at, n = [], 0, 0
        while at < len(data):
            found.append(data[at : at + sizes[n % len(sizes)]])
            at, n = at + sizes[n % len(sizes)], n + 1
        return found

    whole = list(mbox._entries(iter([data]), 0, b""))
    with mock.patch.object(mbox, "_AHEAD", 128):  # two lines: no line here is longer than 50 bytes
        assert list(mbox._entries(iter(chunks()), 0, b"")) == whole
    assert "".join(str(one.text, "ascii") for one in whole) == data.decode()
    one = whole[cut % len(whole)]
    assert one.tail == data[: one.end][-mbox.TAIL :]
    assert list(mbox._entries(iter([data[one.end :]]), one.end, one.tail)) == [e for e in whole if e.start >= one.end]


def test_the_takeout_case(cases: Callable[[str], Path]) -> None:
    path = cases("profiles/linkedin-mail/takeout.mbox")
    read = Reader(path.parent, ask(path.name))
    assert len(read()) == 21


# --- Maildir -------------------------------------------------------------------------------------------------------


class Post:
    """A Maildir that mails come into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True)
        self.clock = 1_790_000_000

    def put(self, n: int, part: str = "new", flags: str = "", **more: str) -> Path:
        path = self.folder / part / f"{self.clock + n}.M{n}P1.host{flags}"
        path.write_text(mail(n, **more))  # type: ignore[arg-type]
        return path


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path / "Mail")


def in_maildir(post: Post, **more: object) -> Reader:
    return Reader(post.folder.parent, ask("Mail", "maildir", **more))


def state(folder: Path) -> list[tuple[str, int, int]]:
    return sorted((str(p.relative_to(folder)), p.stat().st_mtime_ns, p.stat().st_ctime_ns) for p in folder.rglob("*"))


def test_a_maildir_is_read_and_left_as_it_is(post: Post) -> None:
    post.put(1)
    post.put(2, "cur", ":2,S")
    before = state(post.folder)
    read = in_maildir(post)
    assert sorted(numbers(read())) == [1, 2]
    assert read() == []
    assert read.batches == []
    assert state(post.folder) == before
    post.put(3)
    assert 3 in numbers(read())


def test_a_mail_that_was_read_and_moved_by_a_mail_program_is_not_lost(post: Post) -> None:
    read = in_maildir(post)
    path = post.put(1)
    assert numbers(read()) == [1]
    path.rename(post.folder / "cur" / f"{path.name}:2,S")
    found = read()
    assert set(numbers(found)) <= {1}
    assert read() == []


def test_folders_inside_are_read_sent_mail_first_but_neither_drafts_nor_junk_nor_trash(post: Post) -> None:
    post.put(1)
    for n, name in enumerate([".Archive", ".Sent", ".Trash", ".Junk", ".Drafts", ".Trash.old"], 2):
        Post(post.folder / name).put(n)
    read = in_maildir(post)
    assert numbers(read())[0] == 3
    assert sorted(numbers(in_maildir(post)())) == [1, 2, 3]
    assert {batch.after.folder for batch in read.batches} == {"Mail", "Mail/.Sent", "Mail/.Archive"}
    assert numbers(Reader(post.folder.parent, ask("Mail/.Trash", "maildir"))()) == [4]


def test_mails_of_one_instant_in_several_batches(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.fetch.maildir.MOST", 3)
    for n in range(10):
        post.put(n)
    listed = __import__("monitor.fetch.maildir", fromlist=["_listing"])._listing
    monkeypatch.setattr(
        "monitor.fetch.maildir._listing", lambda *args: sorted(one._replace(changed=7) for one in listed(*args))
    )
    read = in_maildir(post)
    found: list[int] = []
    for _ in range(4):
        found += numbers(read(most=1))
    assert found == list(range(10))
    assert read() == []


def test_a_mail_that_comes_in_late_with_an_earlier_time_is_read_all_the_same(post: Post) -> None:
    from monitor.fetch import maildir

    read = in_maildir(post)
    post.put(1)
    late = post.put(2)
    os.rename(late, post.folder / "tmp" / late.name)
    post.put(3)
    assert numbers(read()) == [1, 3]
    (cursor,) = read.request.cursors
    files = maildir._listing(str(post.folder), "Mail", [])
    between = files[0]._replace(changed=files[0].changed + 1, unique="between")
    assert maildir._left_at(sorted([*files, between]), cursor, LATER) == 0


def test_a_clock_that_was_wrong_hides_no_mail(post: Post) -> None:
    read = in_maildir(post)
    post.put(1)
    read()
    (cursor,) = read.request.cursors
    read.request = replace(read.request, cursors=(replace(cursor, position=cursor.position + 10**18),))
    now = (post.folder / "new").stat().st_mtime
    assert numbers(read(now)) == [1]


def test_text_only_where_it_is_wanted_and_never_more_than_the_limit(post: Post) -> None:
    post.put(1)
    post.put(2, extra="X-Text: 1\n", body="x" * 400_000)
    one, two = sorted(in_maildir(post, wants=lambda headers: b"X-Text" in headers)(), key=len)
    assert BODY.encode() not in one
    assert len(two) == MAIL_BYTES


def test_what_is_no_mail_file_is_left_alone(post: Post) -> None:
    post.put(1)
    (post.folder / "new" / ".hidden").write_text(mail(2))
    (post.folder / "new" / "folder").mkdir()
    os.mkfifo(post.folder / "cur" / "pipe")
    assert numbers(in_maildir(post)()) == [1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_mail_that_may_not_be_read_is_told_after_the_others(post: Post) -> None:
    post.put(1).chmod(0)
    post.put(2)
    read = in_maildir(post)
    with pytest.raises(FetchFailed, match="no_permission: Mail/"):
        read()
    assert [numbers([one.body for one in batch.mails]) for batch in read.batches] == [[2]]


def test_no_maildir_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "Mail").mkdir()
    with pytest.raises(FetchFailed, match="no_mailbox: Mail"):
        Reader(tmp_path, ask("Mail", "maildir"))()


def test_a_name_in_another_encoding_can_be_stored(post: Post) -> None:
    os.rename(post.put(1), os.fsencode(post.folder / "new") + b"/17\xff.host")
    (batch,) = mailbox.read(in_maildir(post).request, post.folder.parent, LATER)
    places([batch])[0].encode("utf-8")


def test_old_mails_in_a_maildir_are_left_alone(post: Post) -> None:
    os.utime(post.put(1), (1_700_000_000, 1_700_000_000))
    post.put(2)
    assert numbers(in_maildir(post, since=date(2026, 1, 1))()) == [2]


def test_the_standard_library_sees_the_mails_we_see(tmp_path: Path) -> None:
    path = tmp_path / "in.mbox"
    made = stdlib_mailbox.mbox(str(path))
    for n in range(5):
        made.add(mail(n, body="so\n\nFrom quoted\nthis: too"))
    made.close()
    assert numbers(Reader(tmp_path, ask())()) == [0, 1, 2, 3, 4]
