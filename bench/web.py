"""How fast the pages are: home, every page, view and question, on an empty history, one year and ten years of it.

Run: python -m bench.web [--keep FOLDER] [--rounds N] [--only WORD] [--years N]. Ten years of one person are 5 engines x
5 queries x 50 results x 3,652 days (4.6 million results) and 1,000 paths x 3,652 days of page views; the files take
about a minute and 700 MB, and stay in FOLDER for the next time. Datasette answers in this process, as in the tests.
Times are medians after one warm-up: the ratios tell more than the milliseconds, which depend on who else is busy.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasette
from sqlite_utils import Database

import monitor.web
from monitor.model import Capture, Count, Exchange, Kind, Outcome, PageViews, Reading, Result, SiteViews, Trigger
from monitor.store import readings, sources
from monitor.store.connection import APPLICATION_ID, Store
from monitor.store.migrations import MIGRATIONS
from monitor.web import pages, reads
from monitor.web.serve import KEY, load_metadata, make_datasette

LAST = date(2026, 11, 22)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ENGINES, QUERIES, PLACES, PATHS, URLS = 5, 5, 50, 1000, 6000
BEFORE = "009_ranks"  # the roll-ups are made by the migration, once the raw rows are there
HOME, HOME_RATIO, QUERY, DAY, RELABEL = 150, 1.5, 200, 50, 2000  # the goals: ms, but the second: times the 1-year time
ZERO = 60  # a page under so many ms passes, whatever its ratio

Times = dict[str, list[float]]


# --- the histories -------------------------------------------------------------------------------------------------


def made(path: Path, days: int, seed: int = 7) -> Path:
    """A history of so many days up to LAST, written straight into the tables; as it is if it is there already."""
    if path.exists():
        Store(path).close()  # brings it up to date with the views of today
        return path
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as conn:
        conn.executescript("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -400000;")
        conn.execute(f"pragma application_id = {APPLICATION_ID}")
        MIGRATIONS.apply(Database(conn), stop_before=BEFORE)
        (index,) = conn.execute("select sql from sqlite_master where name = 'results_url'").fetchone()
        conn.execute("drop index results_url")
        conn.execute("begin")
        _fill(conn, days, random.Random(seed))
        conn.execute(index)
        conn.execute("commit")
    start = time.perf_counter()
    Store(unfinished).close()
    print(f"{days:,} days: brought up to date in {time.perf_counter() - start:.1f} s", flush=True)
    with closing(sqlite3.connect(unfinished)) as conn:
        conn.execute("pragma wal_checkpoint(truncate)").fetchall()
    return unfinished.rename(path)


def _fill(conn: sqlite3.Connection, days: int, rng: random.Random) -> None:
    conn.execute("insert into owner (name, timezone, config) values ('Ada Example', 'UTC', '')")
    conn.execute(
        "insert into heartbeat (id, pid, started_at, beat_at) values (1, 1, ?, ?)", [NOW.isoformat()[:19] + "Z"] * 2
    )
    _sources(conn)
    _addresses(conn, rng)
    if days:
        _readings(conn, days, rng)
        _page_views(conn, days, rng)
        _numbers(conn, days, rng)


def _sources(conn: sqlite3.Connection) -> None:
    """25 searches, 5 controls, the log, a second log, 4 profiles, and the owner's own hand."""
    rows = []
    for n in range(ENGINES):
        rows += [(f"engine{n}/query{q}", "search", f"engine{n}", f"Ada Example {q}", "{}") for q in range(QUERIES)]
    for n in range(ENGINES):
        known = '{"control": "known.example"}'
        rows.append((f"engine{n}/control", "search", f"engine{n}", "known.example", known))
    rows += [(f"log{n}", "page_views", "", "", f'{{"subject": "site{n}"}}') for n in range(2)]
    rows += [(f"profile{n}", "profile", "", "", "{}") for n in range(4)]
    rows.append(("typed", "typed", "", "", "{}"))
    conn.executemany(
        "insert into sources (name, measure, kind, engine, provider, query, locale, device, day_zone, settings,"
        " added_at, schedule)"
        " values (?1, ?2, 'made', ?3, ?3, ?4, '', '', 'owner', ?5, '2016-11-22T00:00:00Z', 'every 1d')",
        rows,
    )


def _addresses(conn: sqlite3.Connection, rng: random.Random) -> None:
    """Six thousand addresses, their titles, and labels: 4 are the owner's, 6 unwanted, 20 a namesake's."""
    labels = [("ada.example", "mine"), ("people-finder.example", "unwanted"), ("namesake.example", "namesake")]
    conn.executemany(
        "insert into labels (pattern, match, whose, origin, added_at, host)"
        " values (?1, 'host', ?2, 'command', '2016-11-22T00:00:00Z', ?1)",
        labels,
    )
    rows = []
    for n in range(1, URLS + 1):
        host, whose = f"site{rng.randrange(1500)}.example", "other"
        for label, first, last in ((1, 1, 4), (2, 5, 10), (3, 11, 30)):
            if first <= n <= last:
                host, whose = labels[label - 1]
        host = "known.example" if n == URLS else host
        url = f"https://{host}/{n}/{'some-words-' * rng.randrange(1, 5)}"
        rows.append((url, host, whose, labels.index((host, whose)) + 1 if whose != "other" else None))
    conn.executemany("insert into urls (url, canonical, host, whose, label_id) values (?1, ?1, ?2, ?3, ?4)", rows)
    texts = [(f"Title {n} of a page about Ada", f"{'Words of its snippet. ' * 6}{n}") for n in range(URLS)]
    conn.executemany("insert into texts (title, snippet, shown_host) values (?, ?, '')", texts)
    conn.executemany("insert into paths (path) values (?)", [(f"/posts/{n}-some-words/",) for n in range(PATHS)])


READING = (
    'insert into readings (source_id, slot, day, attempt, "trigger", started_at, finished_at, outcome, reason, advice,'
    " parser, depth, note) values (?1, ?2, ?3, ?4, 'schedule', ?2, ?2, ?5, ?6, ?7, 1, ?8, '')"
)


def _page(rng: random.Random, page: list[int], series: int) -> list[int]:
    """The results page of the next day: on most days a few neighbours change places, on some a page comes and goes."""
    if rng.random() < 0.7:
        for _ in range(3):
            at = rng.randrange(PLACES - 1)
            page[at], page[at + 1] = page[at + 1], page[at]
    if rng.random() < 0.35:
        fresh = rng.choice((rng.randrange(1, 31), rng.randrange(31 + series * 230, 31 + series * 230 + 230)))
        if fresh not in page:
            page[rng.randrange(PLACES)] = fresh
    return page


def _readings(conn: sqlite3.Connection, days: int, rng: random.Random) -> None:
    """A results page a day of each search; one in fifty fails, of which half are asked again."""
    searches = ENGINES * QUERIES
    standing = [[n % 4 + 1, *range(31 + n * 230, 30 + n * 230 + PLACES)] for n in range(searches)]
    for page in standing:
        rng.shuffle(page)
    result = "insert into results values (?, ?, 0, 'organic', ?, ?, ?, ?, 'exact')"
    last = 0
    for day in _days(days):
        rows: list[tuple[Any, ...]] = []
        for n in range(searches + ENGINES + 6):
            search, control = n < searches, searches <= n < searches + ENGINES
            at, bad = f"{day}T06:{n:02}:00Z", rng.random() < 0.02
            if bad:
                conn.execute(READING, (n + 1, at, day, 1, "failed", "timeout", "It did not answer in time.", None))
                last += 1
                if rng.random() < 0.5:
                    continue
            depth = PLACES if search else 10 if control else None
            conn.execute(READING, (n + 1, at, day, 1 + bad, "ok", "", "", depth))
            last += 1
            shown = _page(rng, standing[n], n) if search else []
            if control:
                shown = [URLS - k for k in range(rng.random() < 0.01, 10)]
            rows += [(last, place, place, place, url, 1 + url % URLS) for place, url in enumerate(shown, 1)]
        conn.executemany(result, rows)


def _page_views(conn: sqlite3.Connection, days: int, rng: random.Random) -> None:
    first = ENGINES * QUERIES + ENGINES + 1
    for day in _days(days):
        for source, paths in ((first, PATHS), (first + 1, 10)):
            conn.execute("insert into site_views values (?, ?, ?, ?, 3, '1', 1, 1)", (source, day, 3 * paths, paths))
            rows = [(source, day, n, rng.randrange(1, 9)) for n in range(1, paths + 1)]
            conn.executemany("insert into page_views values (?, ?, ?, ?, null, '1', 1, 1)", rows)
            hosts = [(source, day, f"example-{n}.org", ("search", "social", "other")[n % 3], n + 1) for n in range(20)]
            conn.executemany("insert into referrers values (?, ?, ?, ?, ?, 1)", hosts)
            conn.execute("insert into not_counted values (?, ?, 'crawler', 40, 1)", (source, day))


def _numbers(conn: sqlite3.Connection, days: int, rng: random.Random) -> None:
    first = ENGINES * QUERIES + ENGINES + 3
    metrics = ("followers", "stars", "views", "posts", "sponsors")
    for n, day in enumerate(_days(days)):
        rows = [(first + k, f"profile{k}", metric, day, n + k) for k in range(4) for metric in metrics]
        conn.executemany("insert into counts values (?, ?, ?, 'now', ?, ?, 'read', 'exact', '', 1)", rows)
        if not n % 6:
            kind, origin = rng.choice(("mail", "inmail", "call")), rng.choice(("search", "linkedin", "old resume"))
            conn.execute(
                "insert into contacts (day, kind, origin, source_id, reading_id) values (?, ?, ?, ?, 1)",
                (day, kind, origin, first + 4),
            )
        if not n % 30:
            conn.execute("insert into events (day, title, reading_id) values (?, 'An event', 1)", (day,))


def _days(days: int) -> Iterator[str]:
    return ((LAST - timedelta(days=ago)).isoformat() for ago in reversed(range(days)))


# --- what is measured ----------------------------------------------------------------------------------------------


async def median(rounds: int, ask: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, the median of some rounds after a warm-up, and the last answer."""
    answer, took = await ask(), []
    for _ in range(rounds):
        start = time.perf_counter()
        answer = await ask()
        took.append((time.perf_counter() - start) * 1000)
    return statistics.median(took), answer


def addresses(metadata: Mapping[str, Any], reading: int) -> dict[str, str]:
    """Every page by name: home, the pages behind it with what a reader would ask for, tables, views, questions."""
    found = {"home": "/"}
    example = {"id": str(reading), "url": "1", "source": "1"}
    for page in pages.PAGES:
        path = page.path
        for name, value in example.items():
            path = path.replace(f"(?P<{name}>[0-9]{{1,12}})", value)
        if "(?P<" not in path:
            found[f"page {page.path.partition('/')[0]}"] = f"{pages.PREFIX}{path}"
    ours = metadata["databases"][KEY]
    for name, about in ours["tables"].items():
        if not about.get("hidden"):
            found[f"table {name}"] = f"/presence/{name}"
    for name in ours["queries"]:
        found[f"question {name}"] = f"/presence/{name}?words=4711"
    return found


class Timed:
    """A Datasette whose SQL is timed: every statement that a page asks, with its milliseconds."""

    def __init__(self, path: Path, metadata: Mapping[str, Any]) -> None:
        self.ds, self.slowest = make_datasette(path, metadata), ("", 0.0)
        self.database = self.ds.get_database(path.stem)
        self._execute = self.database.execute
        self.database.execute = self.execute

    async def execute(self, sql: str, *args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return await self._execute(sql, *args, **kwargs)
        finally:
            took = (time.perf_counter() - start) * 1000
            if took > self.slowest[1]:
                self.slowest = (sql, took)


async def measure(path: Path, rounds: int, only: str) -> dict[str, tuple[float, int, float, str]]:
    """Each page's milliseconds, bytes, and its slowest statement with the median of what that one takes."""
    monitor.web.now = lambda: NOW
    metadata = load_metadata()
    timed = Timed(path, metadata)
    await timed.ds.invoke_startup()
    row = (await timed.database.execute("select max(id) from readings where outcome = 'ok'")).first()
    found = {}
    for name, url in addresses(metadata, row[0] or 1).items():
        if only not in name:
            continue
        slowest: list[tuple[str, float]] = []

        async def ask(url: str = url, slowest: list[tuple[str, float]] = slowest) -> Any:
            timed.slowest = ("", 0.0)
            answer = await timed.ds.client.get(url, follow_redirects=True)
            slowest.append(timed.slowest)
            return answer

        took, answer = await median(rounds, ask)
        statement = max(slowest[1:], key=lambda s: s[1])[0]
        found[name] = (took, len(answer.content), statistics.median(s[1] for s in slowest[1:]), statement)
        if name == "home" and 'class="m"' not in answer.text:
            raise SystemExit(f"{url} is not our home page: is the plugin registered? {answer.status_code}")
        if answer.status_code >= 500:
            print(f"  {name}: {answer.status_code}")
    return found


def statements(path: Path, rounds: int, only: str) -> dict[str, float]:
    """The reads of home, and each view as its table page asks: its first rows, its count and its facets, alone."""
    asked = {f"home reads {name}": sql for name, sql in reads.READS.items()}
    tables = load_metadata()["databases"][KEY]["tables"]
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
        for (name,) in conn.execute("select name from sqlite_master where type = 'view' order by 1").fetchall():
            about = tables[name]
            order = f"{about['sort_desc']} desc" if "sort_desc" in about else about.get("sort", "")
            asked[f"{name}, rows"] = f"select * from {name} {f'order by {order}' if order else ''} limit 101"
            asked[f"{name}, count"] = f"select count(*) from (select * from {name})"
            for facet in about.get("facets", ()):
                asked[f"{name}, facet {facet}"] = (
                    f"select {facet} as value, count(*) as count from (select * from {name})"
                    f" where {facet} is not null group by {facet} order by count desc, value limit 31"
                )
        found = {}
        for name, sql in asked.items():
            if only not in name:
                continue
            took = []
            for _ in range(rounds + 1):
                start = time.perf_counter()
                conn.execute(sql, {"today": NOW.date().isoformat()}).fetchall()
                took.append((time.perf_counter() - start) * 1000)
            found[name] = statistics.median(took[1:])
        return found


def a_day(source: SimpleNamespace, rng: random.Random, at: datetime) -> Reading:
    """What one source brings on a day: a results page is mostly the pages of the day before."""
    day, records, depth = at.date(), (), None
    if source.measure == "search":
        urls = [f"https://site{n}.example/{source.id}/{int(rng.random() < 0.05)}/" for n in range(PLACES - 1)]
        urls.insert(rng.randrange(9), "https://ada.example/1/some-words-")
        records = tuple(
            Result(url, f"Title of {url}", "Words.", position=n, position_absolute=n, block=n, kind=Kind.ORGANIC)
            for n, url in enumerate(urls, 1)
        )
        depth = PLACES
    elif source.measure == "page_views":
        paths = [f"/posts/{n}-some-words/" for n in range(PATHS if source.name == "log0" else 10)]
        records = (SiteViews(day, 9, 4), *(PageViews(day, path, rng.randrange(1, 9)) for path in paths))
    elif source.measure == "profile":
        records = tuple(Count(source.name, metric, "now", day, 5) for metric in ("followers", "stars", "views"))
    page = f"<p>{rng.random()}" + "<div class=result>A title, a snippet and its address</div>" * 1000
    capture = Capture(page.encode(), "text/html", "utf-8", 200)
    kept = Exchange(n=1, asked="https://site.example/", ms=5, status=200, url="https://site.example/", capture=capture)
    made = Reading(at, day, Trigger.SCHEDULE, at, at, Outcome.OK, parser=1, depth=depth)
    return replace(made, exchanges=(kept,), records=records, rule="1" if source.measure == "page_views" else "")


def write(path: Path, days: int = 5) -> SimpleNamespace:
    """Medians in ms: a day's readings of all sources (wall and processor), one reading, two commits that hold nothing.

    And the slower of giving the 20 pages of a host to the owner and taking them back. The first day is left out: its
    commits lengthen the log files, all later ones write over them.
    """
    rng, sums, work, each = random.Random(1), [], [], []
    with Store(path) as store:
        rows = store.rows("select id, name, measure from sources where measure <> 'typed'")
        for n in range(days + 1):
            took, busy = [], 0.0
            for row in rows:
                found = a_day(SimpleNamespace(**row), rng, NOW + timedelta(days=n))
                start, used = time.perf_counter(), time.process_time()
                readings.save(store, row["id"], found)
                took.append((time.perf_counter() - start) * 1000)
                busy += (time.process_time() - used) * 1000
            if n:
                sums.append(sum(took))
                work.append(busy)
                each += took
        searches = [row for row in rows if row["measure"] == "search"]
        at_once = [_at_once(store, searches, rng, NOW + timedelta(days=days + n)) for n in range(1, days + 1)]
        floor = [_two_commits(store, n) for n in range(len(rows))]
        took = []
        for whose in ("mine", "none"):
            start = time.perf_counter()
            sources.relabel(store, "namesake.example", whose, NOW)
            took.append((time.perf_counter() - start) * 1000)
    middle = statistics.median
    return SimpleNamespace(
        day=middle(sums),
        work=middle(work),
        at_once=middle(at_once),
        one=middle(each),
        floor=middle(floor),
        relabelled=max(took),
    )


def _at_once(store: Store, rows: list[dict[str, Any]], rng: random.Random, at: datetime) -> float:
    """What the searches of one day take in one transaction: the rows, their roll-ups and their pages."""
    made = [(row["id"], a_day(SimpleNamespace(**row), rng, at)) for row in rows]
    start = time.perf_counter()
    with store.write_bodies(), store.write():
        for source_id, found in made:
            readings.save(store, source_id, found)
    return (time.perf_counter() - start) * 1000


def _two_commits(store: Store, n: int) -> float:
    """What the disk alone takes for a reading: one number, synced, in the file of captures and in the history."""
    start = time.perf_counter()
    with store.write_bodies() as conn:
        conn.execute(f"pragma user_version = {n}")
    with store.write() as db:
        db.execute(f"pragma user_version = {n}")
    return (time.perf_counter() - start) * 1000


# --- what is told --------------------------------------------------------------------------------------------------


def told(folder: Path, years: int, rounds: int, only: str) -> None:
    """Make the histories, measure all three, print what was found, and whether the goals are met."""
    lengths = {"empty": 0, "1 year": 365, f"{years} years": years * 365 + years // 4}
    paths = {}
    for name, days in lengths.items():
        (folder / f"{days}-days").mkdir(exist_ok=True)
        paths[name] = made(folder / f"{days}-days" / "presence.db", days)
    _, year, old = lengths
    print(f"Datasette {datasette.__version__}, SQLite {sqlite3.sqlite_version}, median of {rounds}")
    asked = {name: asyncio.run(measure(path, rounds, only)) for name, path in paths.items()}
    misses = show_pages(asked, *lengths)
    print(f"\n{'each statement alone, ms':44}{year:>9}{old:>10}")
    alone = {name: statements(paths[name], rounds, only) for name in (year, old)}
    for name, took in sorted(alone[old].items(), key=lambda row: -row[1]):
        print(f"{name:44}{alone[year][name]:9.1f}{took:10.1f}")
        if took > QUERY:
            misses.append(f"{name}: {took:.0f} ms, more than {QUERY}")
    if not only:
        print("\nOne day written, ms: its searches (1,250 results, 30 readings) in one transaction; all sources, each")
        print("reading in two synced commits as it comes; the work of that without the disk; one reading; its two")
        print("commits, when they hold nothing; 20 pages given to the owner or taken back")
        for name in (year, old):
            copy = folder / "written" / "presence.db"
            shutil.rmtree(copy.parent, ignore_errors=True)
            copy.parent.mkdir()
            shutil.copy(paths[name], copy)
            took = write(copy)
            shutil.rmtree(copy.parent)
            figures = (took.at_once, took.day, took.work, took.one, took.floor, took.relabelled)
            print(f"{name:20}" + "".join(f"{ms:9.1f}" for ms in figures))
        if took.at_once > DAY:
            misses.append(f"one day's searches written: {took.at_once:.0f} ms, more than {DAY}")
        if took.relabelled > RELABEL:
            misses.append(f"20 pages given to the owner or taken back: {took.relabelled:.0f} ms, more than {RELABEL}")
    print("\nPASS" if not misses else "\nFAIL\n  " + "\n  ".join(misses))


def show_pages(asked: Mapping[str, Mapping[str, Any]], empty: str, year: str, old: str) -> list[str]:
    """A line for each page; returns what misses the goals."""
    misses = []
    print(f"{'ms of the server':36}{empty:>9}{year:>9}{old:>10}{'ratio':>7}{'bytes':>10}   slowest statement, ms")
    for name, (took, size, query, sql) in asked[old].items():
        ratio = took / asked[year][name][0]
        times = f"{asked[empty][name][0]:9.1f}{asked[year][name][0]:9.1f}{took:10.1f}"
        print(f"{name:36}{times}{ratio:7.1f}{size:10,}{query:9.1f}")
        if name == "home" and (took > HOME or (ratio > HOME_RATIO and took > ZERO)):
            misses.append(f"home: {took:.0f} ms, {ratio:.1f} times 1 year's (goals {HOME} and {HOME_RATIO})")
        if query > QUERY:
            misses.append(f"{name}: {query:.0f} ms, more than {QUERY}, for {' '.join(sql.split())[:160]}")
    return misses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", type=Path, help="a folder where the made histories stay for the next time")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="only what has this in its name")
    parser.add_argument("--years", type=int, default=10)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = args.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        told(folder, args.years, args.rounds, args.only)


if __name__ == "__main__":
    main()
