"""How fast saved results pages are read: our parsers against published ones that read the same pages.

Run: python -m bench.search [FOLDER], where FOLDER holds one folder of pages per engine (or set MONITOR_CASES; its
`search` folder is taken). All run interleaved on the same bytes, best of five, CPU time of this process: look at the
ratios. Beside each stands how many results it found, for a parser that finds none is fast. Peers that are not
installed are left out with a line: pip install ddgs selectolax websearcher.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from bs4 import BeautifulSoup

from monitor.attempt import Attempts
from monitor.model import Blocked, Capture, Context, Kind, LayoutChanged, Result, Trigger
from monitor.sources.search.pages import read_page
from monitor.sources.search.pages.dom import read
from monitor.store import sources
from monitor.store.connection import Store
from tests.made import DUCK, settings
from tests.replay import Answer, Replay

ENGINES = ("google", "bing", "duckduckgo", "yahoo", "yandex", "ecosia", "baidu", "brave", "startpage", "mojeek")
NO_PAGES = (".res", ".json", ".py")
ROUNDS = 5

Count = Callable[[bytes], int]


def ours(body: bytes) -> int:
    try:
        records = read_page(body).parsed.records
    except (Blocked, LayoutChanged):
        return 0
    return sum(isinstance(one, Result) and one.kind is Kind.ORGANIC for one in records)


def our_tree(body: bytes) -> int:
    try:
        return len(read(body).root) * 0
    except LayoutChanged:
        return 0


def ddgs(engine: str) -> Count | None:
    """The extract functions of ddgs' engine, without asking anybody; None where it has no such engine."""
    import_module("ddgs")
    try:
        module = import_module(f"ddgs.engines.{engine}")
    except ModuleNotFoundError:
        return None
    parser = getattr(module, engine.capitalize())()

    def count(body: bytes) -> int:
        found = parser.post_extract_results(parser.extract_results(body.decode("utf-8", "replace")))
        return sum(bool(one.href and one.title) for one in found)

    return count


def websearcher() -> Count:
    parse = import_module("WebSearcher").parse_serp

    def count(body: bytes) -> int:
        found = parse(body.decode("utf-8", "replace"))
        return sum(row["type"] == "general" for row in (found["results"] if isinstance(found, dict) else found))

    return count


def selectolax() -> Count:
    tree = import_module("selectolax.lexbor").LexborHTMLParser
    return lambda body: len(tree(body).css("no-such-tag"))


def peers(engine: str) -> Iterator[tuple[str, Callable[[], Count | None]]]:
    yield "ddgs' engine", lambda: ddgs(engine)
    if engine == "google":
        yield "WebSearcher", websearcher
    yield "the tree alone: lxml, as ours", lambda: our_tree
    yield "the tree alone: selectolax", selectolax
    yield "the tree alone: BeautifulSoup", lambda: lambda body: len(BeautifulSoup(body, "lxml").contents) * 0


def installed(engine: str, missing: set[str]) -> dict[str, Count]:
    found: dict[str, Count] = {"ours": ours}
    for name, make in peers(engine):
        try:
            count = make()
        except ImportError as error:
            missing.add(f"{name} is left out: {error.name or error} is not installed")
            continue
        if count is not None:
            found[name] = count
    return found


def timed(count: Count, pages: list[bytes]) -> tuple[float, int, int]:
    """CPU seconds, results found, and pages on which the parser failed."""
    found = failed = 0
    begun = time.process_time()
    for page in pages:
        try:
            found += count(page)
        except Exception:  # noqa: BLE001 - a peer may fail in any way, and that is counted
            failed += 1
    return time.process_time() - begun, found, failed


def compare(engine: str, pages: list[bytes], missing: set[str]) -> None:
    parsers = installed(engine, missing)
    best = dict.fromkeys(parsers, (float("inf"), 0, 0))
    for _ in range(ROUNDS):
        for name, count in parsers.items():
            best[name] = min(best[name], timed(count, pages))
    print(f"\n{engine}: {len(pages)} pages, {sum(map(len, pages)) / 1e6:.1f} MB")
    base = best["ours"][0]
    for name, (seconds, found, failed) in best.items():
        rate = (
            f"{seconds / len(pages) * 1000:8.1f} ms a page {len(pages) / seconds:8.1f} pages/s {seconds / base:6.2f}x"
        )
        said = f"{found:5} results" if not name.startswith("the tree") else ""
        print(f"  {name:32}{rate}  {said}{f', {failed} pages failed' if failed else ''}")


def whole_check(times: int = 40) -> None:
    """A whole check over loopback: ask, keep the page, parse, classify, commit; beside its parse alone."""
    page = (Path(__file__).parents[1] / "tests" / "pages" / "duckduckgo" / "ok.html").read_bytes()
    with tempfile.TemporaryDirectory() as folder, Replay({"/html/": Answer(200, page)}) as server:
        text = f'{DUCK}url = "{server.url}/html/"\n[fetch]\nspacing = "0s"\n'
        made = settings(Path(folder), text)
        (source,) = made.sources
        with Store(made.database) as store:
            attempts = Attempts(made, store)
            source_id = sources.sync(store, made, attempts.clock())[source.name]
            begun, cpu = time.perf_counter(), time.process_time()
            for _ in range(times):
                now = attempts.clock()
                list(attempts.make(source, source_id, now, now.date(), Trigger.MANUAL))
            wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    begun = time.process_time()
    for _ in range(times):
        source.source.parse(Capture(page), Context(now, now.date()))
    parse = time.process_time() - begun
    print(f"\na whole check over loopback, fetch to committed rows ({times} in turn):")
    print(
        f"  {wall / times * 1000:.1f} ms on the clock, {cpu / times * 1000:.1f} ms of CPU (the server's share is in it)"
    )
    print(f"  {cpu / parse:.1f} times the CPU of its parse alone")


def main(folder: Path) -> int:
    whole_check()
    missing: set[str] = set()
    seen = False
    for engine in ENGINES:
        files = sorted(path for path in (folder / engine).glob("*") if path.suffix not in NO_PAGES)
        if files:
            seen = True
            compare(engine, [path.read_bytes() for path in files], missing)
    for line in sorted(missing):
        print(line)
    if not seen:
        print(f"no pages in {folder}: name a folder that holds one folder of pages per engine, or set MONITOR_CASES")
    return 0 if seen else 2


if __name__ == "__main__":
    told = Path(os.environ.get("MONITOR_CASES", Path(__file__).resolve().parents[2] / "shared" / "cases")) / "search"
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else told))
