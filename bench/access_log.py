"""How fast access logs are counted: `monitor check`, the whole job, against GoAccess and `zcat | wc -l`.

Run: python bench/access_log.py [LINES] [--rounds N] [--keep FOLDER], or python bench/access_log.py --history.
All run in turn, each by itself. Ours parses a long log in two processes where there are two cores; "one core" is the
same job held to one. The clock depends on who else is busy; the processor's time is that of all processes together.
The daily totals of our job are held against what was written into the log and against a plain count over its lines.
GoAccess is Debian's (`apt-get install goaccess`); it counts more things, and every request as a hit.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

DAYS, FIRST = 60, date(2026, 1, 1)
CONFIG = """[owner]
name = "Ada Example"
timezone = "UTC"

[[page_views]]
kind = "access_log"
files = "{}"
hosts = ["example.org"]
"""
STATICS = ("css/site.css", "js/app.js", "img/a.png", "img/b.webp", "fonts/text.woff2", "favicon.ico")
SCANS = ("/wp-login.php", "/.env", "/admin/config.php", "/vendor/phpunit/eval-stdin.php", "/.git/config", "/xmlrpc.php")
REFERRERS = (
    ("-",) * 9
    + ("https://www.google.com/", "https://duckduckgo.com/", "https://www.linkedin.com/feed/", "https://t.co/a1b2")
    + ("https://example.org/", "https://news.ycombinator.com/item?id=1", "android-app://com.linkedin.android/")
)
_PROGRAMS = (
    "Mozilla/5.0 (compatible; Googlebot/2.{}; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.{}; +http://www.bing.com/bingbot.htm)",
    "curl/8.{}.0",
    "python-requests/2.{}",
    "Mozilla/5.0 (compatible; AhrefsBot/7.{}; +http://ahrefs.com/robot/)",
)
BOTS = (*(program.format(n) for program in _PROGRAMS for n in range(5)), "-", "Mozilla/5.0")
READERS = ("Feedly/1.0 (+http://www.feedly.com/fetcher.html; 31 subscribers)", "NetNewsWire (RSS Reader)")


def people() -> tuple[str, ...]:
    """148 agents of browsers; one of them with a quote in it, as nginx escapes it."""
    systems = (
        "Windows NT 10.0; Win64; x64",
        "Macintosh; Intel Mac OS X 10_15_7",
        "X11; Linux x86_64",
        "Linux; Android 10; K",
    )
    chrome = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
    firefox = "Mozilla/5.0 ({}; rv:{}.0) Gecko/20100101 Firefox/{}.0"
    made = [chrome.format(system, n) for n in range(120, 145) for system in systems]
    made += [firefox.format(system, n, n) for n in range(128, 140) for system in systems[:-1]]
    return (*made[:147], r"Mozilla/5.0 (X11; \x22quoted\x22) AppleWebKit/537.36 Firefox/139.0")


def address(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return f"2001:db8:{rng.randrange(65536):x}:{rng.randrange(65536):x}::{rng.randrange(65536):x}"
    return f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def made(lines: int, truth: Counter[str], seed: int = 7) -> Iterator[str]:
    """The lines of a made log, in the order of time; the page views of people by day are added to `truth`."""
    rng = random.Random(seed)
    agents = people()
    crowd = [(address(rng), rng.choice(agents)) for _ in range(48_000)]
    here = rng.choices(crowd, k=40)
    pages = [f"/posts/{n}-{'a-word-' * (n % 5)}{n * 7919 % 1000}/" for n in range(469)]
    chosen = rng.choices(["/", *pages], [1 / (n + 1) for n in range(470)], k=65_536)
    rest = [f"{' '.join(STATICS[n % 6 : n % 6 + 1])}?v={n % 50}" for n in range(300)]
    for n in range(lines):
        second = n * DAYS * 86_400 // lines
        day = FIRST + timedelta(days=second // 86_400)
        clock = f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"
        at = f"[{day:%d/%b/%Y}:{clock} +0000]"
        seat = rng.randrange(len(here))
        if rng.random() < 0.12:  # a visit is some eight requests: pages, and what belongs to them
            here[seat] = rng.choice(crowd)
        (who, agent), kind, page = here[seat], rng.random(), rng.choice(chosen)
        size, method, status, referrer = rng.randrange(90_000), "GET", 200, rng.choice(REFERRERS)
        if kind < 0.34:
            page += f"?utm_source=linkedin&utm_id={n % 97}" if rng.random() < 0.05 else ""
            status = 200 if rng.random() < 0.9 else 304
            truth[day.isoformat()] += 1
        elif kind < 0.72:
            page, referrer = f"/{rng.choice(rest)}", f"https://example.org{page}"
        elif kind < 0.84:
            agent = rng.choice(BOTS)
        elif kind < 0.89:
            page, agent = "/feed.xml", rng.choice(READERS)
        elif kind < 0.94:
            page, agent, status = f"{rng.choice(SCANS)}?{n % 9000}", rng.choice(BOTS), 404
        elif kind < 0.97:
            method = rng.choice(("HEAD", "POST"))
        elif kind < 0.98:
            page, status, referrer = f"/gone/{n % 3000}", 301, r"https://example.net/?q=\x22ada\x22"
        elif kind < 0.99:
            yield f'{who} - - {at} "\\x16\\x03\\x01\\x02\\x00\\x01\\x00" 400 150 "-" "-"\n'
            continue
        elif kind < 0.9925:
            page, status = f"/?x={'%2e%2e%2f' * 450}", 414
        else:
            page, status = f"/posts/{n}/", 404
        yield f'{who} - - {at} "{method} {page} HTTP/1.1" {status} {size} "{referrer}" "{agent}"\n'


def plain_count(path: Path) -> Counter[str]:
    """The page views by a plain count, line by line, which knows the made log and none of our code."""
    bots, views = {agent.encode() for agent in (*BOTS, *READERS)}, Counter[str]()
    with path.open("rb") as file:
        for line in file:
            before, request, status, _, _, agent, _ = line.split(b'"')
            word, _, target = request.partition(b" ")
            page = target.partition(b" ")[0].partition(b"?")[0]
            if word == b"GET" and status.split()[0] in (b"200", b"304") and page.endswith(b"/") and agent not in bots:
                day = before.partition(b"[")[2][:11].decode()
                views[f"{day[7:]}-{1 + 'JanFebMarAprMay'.index(day[3:6]) // 3:02}-{day[:2]}"] += 1
    return views


class Ran(NamedTuple):
    """One process: seconds by the clock and of the processor (its children's with it), and its largest memory."""

    wall: float
    cpu: float
    mb: float


def run(command: list[str], folder: Path) -> Ran:
    """Run a command to its end. Raises CalledProcessError. Of the memory, this process's own is the least shown."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with (folder / "said").open("wb") as said:
        environ = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder.parent / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, env=environ)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, (folder / "said").read_bytes()[-2000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Ran(wall, cpu, usage.ru_maxrss / 1024)


def ours(log: Path, at: Path, years: int = 0, before: Sequence[str] = ()) -> tuple[Ran, dict[str, int]]:
    """A fresh monitor reads the log into a fresh history, or one of so many years: what that took, its views by day."""
    at.mkdir()
    config = at / "config.toml"
    config.write_text(CONFIG.format(at / "access.log"))
    command = [sys.executable, "-m", "monitor", "--config", str(config), "check"]
    if years:
        (at / "access.log").touch()
        (at / "access.log.1").write_text(next(made(1, Counter())))
        config.write_text(CONFIG.format(at / "access.log*"))
        run(command, at)
        fill(at / "presence.db", years, 100)
    (at / "access.log").unlink(missing_ok=True)
    (at / "access.log").symlink_to(log)
    took = run([*before, *command], at)
    with closing(sqlite3.connect(at / "presence.db")) as conn:
        views = dict(conn.execute("select day, views from site_views where day >= ?", (FIRST.isoformat(),)))
    shutil.rmtree(at)
    return took, views


def write_logs(folder: Path, lines: int) -> Path:
    """The log, plain and packed, and its truth; made in a process of its own, so that this one stays small."""
    log = folder / f"made-{lines}.log"
    if not log.exists():
        subprocess.run([sys.executable, __file__, str(lines), "--write", str(log)], check=True)
    return log


def write(log: Path, lines: int) -> None:
    truth: Counter[str] = Counter()
    with log.open("w") as plain, gzip.open(f"{log}.gz", "wt", 6) as packed:
        for line in made(lines, truth):
            plain.write(line)
            packed.write(line)
    log.with_suffix(".json").write_text(json.dumps(truth))


def compare(folder: Path, lines: int, rounds: int) -> None:
    log = write_logs(folder, lines)
    packed, truth = Path(f"{log}.gz"), json.loads(log.with_suffix(".json").read_text())
    commands = {"zcat | wc -l, gz": ["sh", "-c", f"zcat {packed} | wc -l"]}
    if shutil.which("goaccess"):
        for name, one in (("GoAccess, plain", log), ("GoAccess, gz", packed)):
            inner = f"goaccess {one if one is log else '-'} --log-format=COMBINED --no-global-config -o {folder}/x.json"
            commands[name] = ["sh", "-c", inner if one is log else f"zcat {one} | {inner}"]
    one_core = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    own: dict[str, tuple[Path, list[str]]] = {"ours, plain": (log, []), "ours, gz": (packed, [])}
    if shutil.which("taskset") and len(os.sched_getaffinity(0)) > 1:
        own |= {"one core, plain": (log, one_core), "one core, gz": (packed, one_core)}
    runs: dict[str, list[Ran]] = {name: [] for name in (*own, *commands)}
    for _ in range(rounds):
        for name, (one, before) in own.items():
            took, views = ours(one, folder / "ours", before=before)
            assert views == truth, f"{name}: other daily totals than were written"
            runs[name].append(took)
        for name, command in commands.items():
            runs[name].append(run(command, folder))
    print(
        f"{lines:,} lines, {log.stat().st_size / 1e6:.0f} MB ({packed.stat().st_size / 1e6:.0f} MB gz), {rounds} rounds"
    )
    assert plain_count(log) == truth, "the plain count differs"
    print(f"daily totals: ours = as written = plain count, {len(truth)} days, {sum(truth.values()):,} views")
    show(lines, runs)
    linear(log, folder, lines)


def linear(log: Path, folder: Path, lines: int) -> None:
    """What a million new lines cost, the more there are, and on ten years of history: the processor's time."""
    print("processor time for a million new lines, less that of starting with one:")
    part, start = folder / "part.log", 0.0
    for share, years in ((0, 0), (1, 0), (2, 0), (3, 0), (0, 10), (1, 10), (2, 10), (3, 10)):
        new = lines * share // 3 or 1
        with log.open("rb") as whole, part.open("wb") as file:
            file.writelines(islice(whole, new))
        cpu = ours(part, folder / "ours", years)[0].cpu
        if share:
            print(f"{new:12,} lines on {years:2} years: {(cpu - start) / new * 1e6:6.2f} s")
        else:
            start = cpu
    part.unlink()


def show(lines: int, runs: dict[str, list[Ran]]) -> None:
    print(f"{'':18}{'best s':>8}{'cpu s':>8}{'lines/s':>11}{'MB':>6}   GoAccess takes (clock, processor)")
    for name, rows in runs.items():
        wall, cpu, mb = min(r.wall for r in rows), min(r.cpu for r in rows), max(r.mb for r in rows)
        peers = runs.get(f"GoAccess, {name.split(', ')[1]}")
        ratio = f"{min(r.wall for r in peers) / wall:.1f}x {min(r.cpu for r in peers) / cpu:.1f}x" if peers else ""
        print(f"{name:18}{wall:8.2f}{cpu:8.2f}{lines / wall:11,.0f}{mb:6.0f}   {ratio}")


def fill(history: Path, years: int, paths: int) -> None:
    """Fill a history with the views of each day and path of so many years, as the collector stores them."""
    with closing(sqlite3.connect(history)) as conn:
        (source,) = conn.execute("select id from sources").fetchone()
        (reading,) = conn.execute("select min(id) from readings").fetchone()
        conn.executemany("insert into paths (path) values (?)", ((f"/old/{n}/",) for n in range(paths if years else 0)))
        ids = [row[0] for row in conn.execute("select id from paths where path like '/old/%'")]
        for back in range(years * 365, 0, -1):
            day = (FIRST - timedelta(days=back)).isoformat()
            conn.execute("insert into site_views values (?, ?, ?, null, 0, '1', 1, ?)", (source, day, paths, reading))
            rows = ((source, day, path, 1 + path % 9, None, "1", 1, reading) for path in ids)
            conn.executemany("insert into page_views values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            hosts = ((source, day, f"example-{n}.org", "other", n + 1, reading) for n in range(20))
            conn.executemany("insert into referrers values (?, ?, ?, ?, ?, ?)", hosts)
        conn.commit()


VIEWS = {
    "daily_page_views": "day",
    "weekly_page_views": "monday",
    "monthly_page_views": "month",
    "top_paths": "views_30_days",
    "page_risers": "difference",
    "top_referrers": "views_30_days",
    "referrers_by_medium": "month",
    "from_linkedin": "day",
    "page_view_gaps": "first_day",
}
"""The views of page views, each with the column that its page is sorted by."""


def history(folder: Path, paths: int = 1000, rounds: int = 5) -> None:
    """What a tick and the views cost on a history of ten years, against one of a year and an empty one."""
    lines = list(made(60 * 400, Counter()))
    columns = [_aged(folder / f"{years} years", lines, years, paths, rounds) for years in (0, 1, 10)]
    print(f"10 years x {paths:,} paths = {3650 * paths:,} rows; best of {rounds}, in ms; the views as their pages ask")
    print(f"{'':22}{'empty':>10}{'1 year':>10}{'10 years':>10}   10 years / 1 year, / empty")
    for name in columns[0]:
        empty, one, ten = (column[name] * 1000 for column in columns)
        print(f"{name:22}{empty:10.2f}{one:10.2f}{ten:10.2f}{ten / one:10.1f}x{ten / empty:10.1f}x")


def _aged(at: Path, lines: list[str], years: int, paths: int, rounds: int) -> dict[str, float]:
    """The best time in seconds of a tick and of each view, on a history of so many years."""
    at.mkdir()
    (at / "config.toml").write_text(CONFIG.format("access.log"))
    (at / "access.log").write_text("".join(lines[:400]))
    command = [sys.executable, "-m", "monitor", "--config", str(at / "config.toml"), "check"]
    run(command, at)
    fill(at / "presence.db", years, paths)
    took: dict[str, list[float]] = {}
    for turn in range(1, rounds + 1):
        with (at / "access.log").open("a") as log:
            log.writelines(lines[turn * 400 : turn * 400 + 400])
        took.setdefault("a tick of 400 lines", []).append(run(command, at).cpu)
    with closing(sqlite3.connect(at / "presence.db")) as conn:
        for name, column in VIEWS.items():
            for _ in range(rounds):
                start = time.perf_counter()
                conn.execute(f"select * from {name} order by {column} desc limit 51").fetchall()
                took.setdefault(name, []).append(time.perf_counter() - start)
    return {name: min(times) for name, times in took.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lines", nargs="?", type=int, default=1_500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="a folder where the made log stays for the next time")
    parser.add_argument("--history", action="store_true", help="what ten years of history cost, instead")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.write:
        write(args.write, args.lines)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = args.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        if args.history:
            history(folder)
        else:
            compare(folder, args.lines, args.rounds)


if __name__ == "__main__":
    main()
