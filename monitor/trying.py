"""A page looked at once, before it becomes a source: what is found where the owner says, and the number read from it.

Asked as a source is (spacing, refusals, limits), and no reading is stored. Or a page that the owner saved is looked at,
and nobody is asked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from monitor.attempt import Attempts
from monitor.collect import Task, collect
from monitor.config import Configured, Settings
from monitor.fetch import robots
from monitor.model import (
    Batch,
    Capture,
    Count,
    Exchange,
    FetchFailed,
    Files,
    Http,
    LayoutChanged,
    NotAsked,
    Reading,
    Trigger,
)
from monitor.plan import read_schedule
from monitor.sources.profiles.any_number import AnyNumber, value_of
from monitor.sources.profiles.selecting import Match, Nothing, Page, find
from monitor.sources.search.pages.saved import opened
from monitor.store.connection import Store

LARGEST_FILE = 30_000_000  # bytes
NOWHERE = "https://page.example/"  # stands for the address of a saved page that has none
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tried:
    """One way of looking: what it found, and the number or the reason why there is none."""

    source: AnyNumber
    matches: tuple[Match, ...]
    values: tuple[int | float | None, ...]  # of each match by itself
    count: Count | None
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a look at a page. `robots` is whether robots.txt lets it be read; None where that was not asked."""

    capture: Capture | None
    ms: int
    tried: tuple[Tried, ...]
    robots: bool | None = None


def on_file(path: Path, sources: Sequence[AnyNumber]) -> Trial:
    """Look at a saved page. Raises OSError for a file that cannot be read, ValueError for one that is too large."""
    if path.stat().st_size > LARGEST_FILE:
        raise ValueError(f"{path.name} is larger than any page")
    body, _ = opened(path.read_bytes())
    media_type = "application/json" if body.lstrip()[:1] in (b"{", b"[") else "text/html"
    address = sources[0].url
    exchange = Exchange(
        1, path.name, 0, 200, url=address, capture=Capture(body, media_type, asked=address, url=address)
    )
    readings = [_collected(source, lambda request, n: exchange, lambda: _NEVER) for source in sources]
    return Trial(exchange.capture, 0, _all_tried(sources, readings, exchange.capture))


def on_web(
    settings: Settings, sources: Sequence[AnyNumber], attempts_of: Callable[[Settings, Store], Attempts] = Attempts
) -> Trial:
    """Ask for the page once, then for its host's robots.txt. Raises StoreError where the history cannot be opened."""
    with _store(settings) as store:
        attempts = attempts_of(settings, store)
        configured = Configured("try", "try", sources[0], read_schedule("1d", None), settings.owner.timezone)
        ask = attempts.asking(configured)
        first = _collected(sources[0], ask, attempts.clock)
        attempts.took(first)
        last = first.exchanges[-1] if first.exchanges else None
        capture = last.capture if last else None
        if last is None or capture is None:
            tried = tuple(Tried(source, (), (), None, first.reason, first.advice) for source in sources)
            return Trial(None, last.ms if last else 0, tried)
        same = replace(last, n=1)
        others = [_collected(source, lambda request, n: same, attempts.clock) for source in sources[1:]]
        return Trial(capture, last.ms, _all_tried(sources, [first, *others], capture), _robots(sources[0].url, ask))


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    """The history, which knows when a host may be asked; a passing one where there is none yet."""
    if settings.database.exists():
        with Store(settings.database) as store:
            yield store
        return
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "none.db") as store:
        yield store


def _robots(url: str, ask: Callable[[Http, int], Exchange]) -> bool | None:
    try:
        return robots.allowed(url, lambda request, n: ask(request, 0))
    except (NotAsked, FetchFailed):
        return None


def _collected(source: AnyNumber, ask: Callable[[Http, int], Exchange], clock: Callable[[], datetime]) -> Reading:
    now = clock()
    (reading,) = collect(Task("this block", source, now, now.date(), Trigger.MANUAL), ask, _no_files, clock)
    return reading


def _no_files(request: Files) -> Iterator[Batch]:
    raise AssertionError(f"nobody asks for {request}")


def _all_tried(sources: Sequence[AnyNumber], readings: Sequence[Reading], capture: Capture | None) -> tuple[Tried, ...]:
    return tuple(_tried(source, reading, capture) for source, reading in zip(sources, readings, strict=True))


def _tried(source: AnyNumber, reading: Reading, capture: Capture | None) -> Tried:
    matches: tuple[Match, ...] = ()
    if capture:
        try:
            matches = tuple(find(Page(capture), source.way, source.expression, source.attribute))
        except Nothing:
            matches = ()
    values = tuple(_value(match, source.locale) for match in matches)
    counts = [record for record in reading.records if isinstance(record, Count)]
    return Tried(source, matches, values, counts[0] if counts else None, reading.reason, reading.advice)


def _value(match: Match, locale: str) -> int | float | None:
    try:
        return value_of(match, locale).value
    except LayoutChanged:
        return None
