"""How fast an access log is read: our parse against plainly iterating over its lines, and gzip against `zcat | wc -l`.

Run: python bench/access_log.py [LINES]. All run interleaved, best of five: look at the ratios.
"""

from __future__ import annotations

import gzip
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from monitor.fetch.files import read
from monitor.model import Capture, Context, Files, SiteViews
from monitor.sources.page_views.access_log import AccessLog

BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
)
BOTS = ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/8.5.0", "Feedly/1.0", "-")


def made(lines: int, seed: int = 7) -> bytes:
    """A log with a long tail of pages, agents and referrers, static files, feeds, scanners and odd lines."""
    rng = random.Random(seed)
    agents = [BROWSER.format(n) for n in range(150)]
    out = []
    for n in range(lines):
        page = f"/posts/{int(rng.paretovariate(0.8)) % 500}/"
        target = rng.choice(
            (page, page, f"/static/{n % 40}.css", "/feed.xml", f"/wp-{n % 900}.php", f"{page}?utm_source=x")
        )
        agent = rng.choice(BOTS) if rng.random() < 0.3 else rng.choice(agents)
        referrer = rng.choice(("-", "-", "https://www.linkedin.com/feed/", f"https://example.net/{n % 5000}"))
        method, status = rng.choice(("GET",) * 9 + ("POST",)), rng.choice((200,) * 8 + (304, 404))
        when = f"{1 + n * 28 // lines:02}/Mar/2026:{n % 24:02}:00:00 +0000"
        head = f"192.0.{n // 256 % 256}.{n % 256} - - [{when}]"
        out.append(f'{head} "{method} {target} HTTP/1.1" {status} {n} "{referrer}" "{agent}"\n')
    return "".join(out).encode()


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def iterate(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def main(lines: int) -> None:
    ctx = Context(now=datetime(2026, 4, 1, tzinfo=UTC), day=datetime(2026, 4, 1, tzinfo=UTC).date())
    source = AccessLog()

    def ours(name: str) -> int:
        views = 0
        for batch in read(Files(name), folder):
            parsed = source.parse(batch.capture, ctx)
            views += sum(one.views for one in parsed.records if isinstance(one, SiteViews))
        return views

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        body = made(lines)
        (folder / "plain.log").write_bytes(body)
        (folder / "packed.log.1.gz").write_bytes(gzip.compress(body, 6))
        assert ours("plain.log") == ours("packed.log.1.gz") > 0
        work: dict[str, Callable[[], object]] = {
            "iterate over the lines": lambda: iterate(folder / "plain.log"),
            "our parse, from memory": lambda: source.parse(Capture(body), ctx),
            "our reader and parse": lambda: ours("plain.log"),
            "our reader and parse, gzip": lambda: ours("packed.log.1.gz"),
        }
        if shutil.which("zcat"):
            command = f"zcat {folder / 'packed.log.1.gz'} | wc -l"
            work["zcat | wc -l"] = lambda: subprocess.run(command, shell=True, check=True, capture_output=True)
        best = dict.fromkeys(work, float("inf"))
        for _ in range(5):
            for one, run in work.items():
                best[one] = min(best[one], timed(run))
    print(f"{lines:,} lines, {len(body) / 1e6:.0f} MB; seconds are the best of five")
    for one, seconds in best.items():
        print(
            f"{one:28} {seconds:7.2f} s {lines / seconds:12,.0f} lines/s {seconds / best['our reader and parse']:6.2f}x"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
