"""Visitors of a log: counted each day once, forgotten when the day is closed, and never an address kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from monitor.attempt import Attempts
from monitor.model import SiteViews, Trigger, Visitors
from monitor.sources.page_views.visitor import hashes, household
from monitor.store import sources, visitors
from monitor.store.connection import Store
from monitor.store.logs import Stale
from tests.made import settings

CONFIG = '[[page_views]]\nkind = "access_log"\nname = "blog"\n'
AGENTS = [f"Mozilla/5.0 (X11; Linux x86_64; rv:{n}.0) Gecko/20100101 Firefox/{n}.0" for n in (139, 140)]
MARCH = date(2026, 3, 1)


def line(day: int, address: str, agent: int = 0, path: str = "/", status: int = 200) -> str:
    when = f"{day:02}/Mar/2026:10:00:00 +0100"
    return f'{address} - - [{when}] "GET {path} HTTP/1.1" {status} 5 "-" "{AGENTS[agent]}"\n'


class Blog:
    """A log, its history and a monitor that looks when told."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "access.log"
        self.now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        self.settings = settings(folder, CONFIG)
        self.store = Store(folder / "presence.db", clock=lambda: self.now)
        self.ids = sources.sync(self.store, self.settings, self.now)
        self.slots = count()

    @property
    def id(self) -> int:
        return self.ids["blog"]

    def write(self, *lines: str) -> None:
        with self.log.open("a") as file:
            file.writelines(lines)

    def look(self, day: int | None = None) -> None:
        if day:
            self.now = datetime(2026, 3, day, 12, tzinfo=UTC)
        (configured,) = self.settings.sources
        slot = self.now + timedelta(seconds=next(self.slots))
        attempts = Attempts(self.settings, self.store, clock=lambda: self.now)
        list(attempts.make(configured, self.id, slot, self.now.date(), Trigger.SCHEDULE))

    def days(self) -> dict[int, tuple[int, int | None]]:
        rows = self.store.rows("select day, views, visitors from site_views order by day")
        return {int(row["day"][-2:]): (row["views"], row["visitors"]) for row in rows}

    def held(self) -> tuple[list[int], int]:
        keys = [int(row["day"][-2:]) for row in self.store.rows("select day from visitor_keys order by day")]
        (row,) = self.store.rows("select count(*) as n from visitor_hashes")
        return keys, row["n"]


@pytest.fixture
def blog(tmp_path: Path) -> Iterator[Blog]:
    made = Blog(tmp_path)
    yield made
    made.store.close()


def test_a_visitor_counts_once_a_day_however_the_log_is_read(blog: Blog) -> None:
    blog.write(line(2, "192.0.2.7"), line(2, "192.0.2.7", path="/b/"))
    blog.look()
    assert blog.days() == {2: (2, 1)}
    blog.write(line(2, "192.0.2.7"), line(2, "192.0.2.8"), line(2, "192.0.2.7", agent=1))
    blog.look()
    assert blog.days() == {2: (5, 3)}
    blog.write(line(3, "192.0.2.7"))
    blog.look(3)
    assert blog.days() == {2: (5, 3), 3: (1, 1)}
    hashed = {row["hash"] for row in blog.store.rows("select hash from visitor_hashes")}
    assert len(hashed) == 4, "the same visitor is another hash on another day"


def test_only_those_who_saw_a_page_are_visitors(blog: Blog) -> None:
    blog.write(
        line(2, "192.0.2.7", path="/a.css"), line(2, "192.0.2.8", status=404), line(2, "192.0.2.6", path="/feed/")
    )
    blog.look()
    assert blog.days() == {2: (0, 0)}
    assert blog.held() == ([], 0)
    blog.write(line(2, "192.0.2.9"))
    blog.look()
    assert blog.days() == {2: (1, 1)}


def test_a_household_with_ipv6_is_one_visitor(blog: Blog) -> None:
    blog.write(line(2, "2001:db8:1:2::1"), line(2, "2001:db8:1:2:aaaa:bbbb:cccc:dddd"), line(2, "2001:db8:1:3::1"))
    blog.look()
    assert blog.days() == {2: (3, 2)}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8:0:0:9:9:9:9", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:9:9:9:9", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
    ],
)
def test_households(one: str, other: str, same: bool) -> None:
    key, day = b"k" * 32, date(2026, 3, 2)
    first, second = (hashes(key, day, [(address.encode(), b"a")]) for address in (one, other))
    assert (first == second) is same


def test_a_hash_needs_its_key_its_day_and_the_whole_visitor() -> None:
    day = date(2026, 3, 2)
    made = [
        hashes(b"k" * 32, day, [(b"192.0.2.7", b"a")]),
        hashes(b"l" * 32, day, [(b"192.0.2.7", b"a")]),
        hashes(b"k" * 32, day + timedelta(1), [(b"192.0.2.7", b"a")]),
        hashes(b"k" * 32, day, [(b"192.0.2.8", b"a")]),
        hashes(b"k" * 32, day, [(b"192.0.2.7", b"b")]),
        hashes(b"k" * 32, day, [(b"192.0.2.", b"7a")]),
    ]
    assert len(set(made)) == len(made)
    assert household(b"no address") == b"no address"
    assert hashes(b"k" * 32, day, [(b"192.0.2.7", b"a"), (b"-", b"a")]) is None


def test_a_day_is_closed_when_a_later_one_is_two_days_complete(blog: Blog) -> None:
    for day in (2, 3, 4):
        blog.write(line(day, "192.0.2.7"), line(day, "192.0.2.8"))
        blog.look(day)
    assert blog.held() == ([2, 3, 4], 6)
    blog.write(line(5, "192.0.2.7"))
    blog.look(5)
    assert blog.held() == ([3, 4, 5], 5)
    assert blog.days() == {2: (2, 2), 3: (2, 2), 4: (2, 2), 5: (1, 1)}
    blog.write(line(2, "198.51.100.1"))
    blog.look(5)
    assert blog.days()[2] == (3, 2), "a line that comes too late is a view and no visitor"
    assert blog.held() == ([3, 4, 5], 5)


def test_a_log_that_no_longer_grows_closes_its_last_days_by_the_clock(blog: Blog) -> None:
    blog.write(line(2, "192.0.2.7"))
    blog.look(8)
    assert blog.held() == ([2], 1)
    blog.look(9)
    assert blog.held() == ([], 0)
    assert blog.days() == {2: (1, 1)}


def test_a_line_from_the_future_closes_nothing(blog: Blog) -> None:
    blog.write(line(2, "192.0.2.7"), line(30, "192.0.2.7"))
    blog.look(2)
    blog.write(line(2, "192.0.2.8"))
    blog.look(2)
    assert blog.days() == {2: (2, 2), 30: (1, 1)}
    assert blog.held()[0] == [2, 30]


def test_a_long_past_is_counted_whole_before_its_days_are_closed(blog: Blog) -> None:
    blog.log.with_name("access.log.1").write_text("".join(line(day, "192.0.2.7") for day in range(2, 20)))
    blog.write(*(line(day, "192.0.2.8") for day in range(2, 20)))
    blog.look(20)
    assert set(blog.days().values()) == {(2, 2)}
    assert blog.held() == ([17, 18, 19], 6)


def test_a_day_begun_without_visitors_has_no_number_of_them(blog: Blog) -> None:
    blog.write(line(2, "192.0.2.7"), line(3, "192.0.2.7"))
    blog.look(3)
    with blog.store.write() as db:
        db.execute("update site_views set visitors = null where day = '2026-03-02'")
        db.execute("delete from visitor_keys where day = '2026-03-02'")
    blog.write(line(2, "192.0.2.8"), line(3, "192.0.2.8"))
    blog.look(3)
    assert blog.days() == {2: (2, None), 3: (2, 2)}


def test_a_day_with_a_visitor_without_an_address_has_no_number(blog: Blog) -> None:
    blog.write(line(2, "-"), line(2, "192.0.2.8"))
    blog.look()
    blog.write(line(2, "192.0.2.9"))
    blog.look()
    assert blog.days() == {2: (3, None)}


def test_two_at_once_do_not_mix_their_keys(blog: Blog) -> None:
    blog.write(line(2, "192.0.2.7"))
    blog.look()
    other = Visitors(date(2026, 3, 2), b"x" * 32, (1,))
    with pytest.raises(Stale), blog.store.write() as db:
        visitors.save(db, blog.id, [other], [SiteViews(date(2026, 3, 2), 1)])
    assert blog.held() == ([2], 1)
    assert blog.days() == {2: (1, 1)}


def test_every_hash_is_stored_to_its_last_bit(blog: Blog) -> None:
    blog.write(line(2, "192.0.2.7", path="/a.css"))
    blog.look()
    extreme = (-(2**63), -(2**53) - 1, 0, 2**53 + 1, 2**63 - 1)
    with blog.store.write() as db:
        visitors.save(db, blog.id, [Visitors(date(2026, 3, 2), b"x" * 32, extreme)], [])
    assert tuple(row["hash"] for row in blog.store.rows("select hash from visitor_hashes order by hash")) == extreme
    assert blog.days() == {2: (0, 5)}


def test_a_source_that_is_gone_leaves_nothing_behind(blog: Blog) -> None:
    blog.write(line(2, "192.0.2.7"))
    blog.look()
    gone = blog.id
    blog.settings = settings(blog.folder, CONFIG.replace('name = "blog"', 'name = "new"\nfiles = "other.log"'))
    blog.ids = sources.sync(blog.store, blog.settings, blog.now)
    blog.ids["blog"] = blog.ids["new"]
    assert blog.id != gone
    blog.look()
    assert blog.held() == ([], 0)


def test_no_address_is_ever_stored(blog: Blog) -> None:
    addresses = ["198.51.100.231", "203.0.113.232", "2001:db8:77:88:99::231", "2001:db8:77:89:1:2:3:4"]
    for day in range(2, 8):
        blog.write(
            *(line(day, address, path=f"/{n}/") for n, address in enumerate(addresses)), "198.51.100.231 garbage\n"
        )
        blog.look(day)
    assert blog.days()[2] == (4, 4)
    before = {path.name: path.read_bytes() for path in blog.folder.glob("presence*")}
    blog.store.close()
    after = {path.name: path.read_bytes() for path in blog.folder.glob("presence*")}
    for name, content in [*before.items(), *after.items()]:
        for address in (*addresses, "2001:db8:77:88", "2001:db8:77:89", "Firefox/139"):
            assert address.encode() not in content, f"{address} is in {name}"


def test_the_key_of_a_closed_day_is_in_the_file_no_more(blog: Blog) -> None:
    blog.write(line(2, "192.0.2.7"))
    blog.look()
    (row,) = blog.store.rows("select key from visitor_keys")
    assert len(row["key"]) == 32
    blog.look(20)
    blog.store.close()
    for path in blog.folder.glob("presence*"):
        assert row["key"] not in path.read_bytes(), path.name


def test_a_w3c_log_is_read_on_by_the_header_at_its_beginning(blog: Blog) -> None:
    pages = Path(__file__).parent / "pages" / "access_log"
    lines = (pages / "iis.log").read_text().splitlines(keepends=True)[:6]
    blog.write(*lines[:5])
    blog.look(2)
    assert blog.days() == {2: (1, 1)}
    blog.write(lines[5])
    blog.look(2)
    assert blog.days() == {2: (2, 1)}
    assert blog.store.rows("select outcome from readings where outcome <> 'ok'") == []


def test_a_log_without_the_agent_is_told_with_the_next_step(blog: Blog) -> None:
    blog.write('192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET / HTTP/1.1" 200 512\n')
    blog.look(2)
    (row,) = blog.store.rows("select outcome, reason, advice from readings")
    assert (row["outcome"], row["reason"]) == ("changed", "unknown_format")
    assert row["advice"].startswith("Nothing was counted of access.log (the common format: no user agent in it")
    assert "combined" in row["advice"]
    assert blog.days() == {}
    blog.log.write_text(line(2, "192.0.2.7"))
    blog.look(2)
    assert blog.days() == {2: (1, 1)}, "once the server writes combined, it goes on"
