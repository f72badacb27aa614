"""An attempt at the owner's exposure: the pages that are due, one by one, each a reading of its own.

What is looked for is known here and nowhere else: it is resolved, compared and forgotten. A reading holds its keyed
hash; the page's bytes are hashed and let go. A page that refuses is one page's trouble, told beside the others (as a
profile that is gone is told by a good reading): only where none of those asked could be reached has the attempt
failed. A kill loses the page under way, for what is due follows from the readings.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urljoin, urlsplit

from monitor.attempt.asking import Asking
from monitor.config import Configured
from monitor.fetch import robots
from monitor.fetch.secrets import resolve_lines
from monitor.labels import Label, whose
from monitor.model import (
    Capture,
    Exchange,
    ExposureCheck,
    FetchFailed,
    Http,
    NotAsked,
    Outcome,
    Reading,
    Trigger,
)
from monitor.reasons import REASONS, advice
from monitor.sources.contacts import exposure_page, exposure_terms
from monitor.sources.contacts.exposure import Exposure
from monitor.sources.contacts.exposure_page import PdfText, Seen
from monitor.sources.contacts.exposure_terms import Identifier
from monitor.store import exposures, local_key
from monitor.store.exposures import Known

UNREACHED = frozenset({"dns", "connection", "timeout", "tls", "truncated", "bad_encoding", "bad_answer"})
EARLIER = timedelta(hours=1)  # a page is due so much before its days are over: looks happen by the hour
_KEPT_HEADERS = frozenset({"content-type", "date", "last-modified", "etag", "retry-after"})

ReadPdf = Callable[[bytes], PdfText]
Ask = Callable[[Http, int], Exchange]


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at one page: its reading, and whether its host was reached."""

    reading: Reading
    reached: bool


def read_pdf(body: bytes) -> PdfText:
    """The text of a PDF, read by a process of its own."""
    from monitor.fetch import pdf

    return PdfText(*pdf.read(body))


def looks(
    asking: Asking,
    configured: Configured,
    source_id: int,
    blank: Reading,
    go_on: Callable[[], bool],
    pdf: ReadPdf = read_pdf,
) -> Generator[Reading, None, None]:
    """A reading for each page that is due, while `go_on`; `blank` is one of this attempt with nothing in it yet.

    By the owner's own hand every page is due. Without any page at all one reading says so. Raises StoreError where the
    local key is lost.
    """
    source = cast(Exposure, configured.source)
    try:
        known = _identifiers(asking, source)
    except NotAsked as missing:
        said = advice(missing.reason, detail=missing.detail, name=configured.name)
        yield replace(blank, reason=missing.reason, advice=said)
        return
    hashed = local_key.hasher(asking.store)
    keys = {identifier: hashed(identifier.hashed_as) for identifier in known}
    rows = [Known(one.kind, key, one.masked) for one, key in keys.items()]
    exposures.keep_identifiers(asking.store, source_id, rows, blank.started_at)
    exposures.keep_pages(asking.store, source_id, source.pages, source.results, _allowed(source, blank))
    period = timedelta(days=source.days) - EARLIER
    since = blank.started_at - (timedelta() if blank.trigger is Trigger.MANUAL else period)
    pages = exposures.due(asking.store, source_id, since)
    if not pages:
        yield replace(blank, outcome=Outcome.OK, note="no page is due")
        return
    visit = _Visit(asking, configured, blank, keys, pdf)
    yield from _together((visit.look(url) for url in pages if go_on()), configured)


def _identifiers(asking: Asking, source: Exposure) -> tuple[Identifier, ...]:
    """What is looked for. Raises NotAsked("key_missing") that says what to set, and never what is set."""
    fetch = asking.fetcher(asking.settings)
    found: dict[Identifier, None] = {}
    for kind, secret in source.secrets:
        text = resolve_lines(secret, fetch.base, fetch.environ)
        trouble = ""
        try:
            found.update(dict.fromkeys(exposure_terms.read(kind, text, source.regions)))
        except exposure_terms.NotAnIdentifier as error:
            trouble = str(error)
        if trouble:
            raise NotAsked("key_missing", f"{trouble} of the {secret}")
    if not found:
        raise NotAsked("key_missing", "what to look for, one a line, in phones, mails or addresses")
    return tuple(found)


def _allowed(source: Exposure, blank: Reading) -> Callable[[str], bool]:
    """Whether a page is one where it is meant to stand."""
    from monitor.labels import read_pattern

    patterns = [Label(text, read_pattern(text), "mine", "config", blank.started_at) for text in source.allow]
    return lambda url: whose(url, patterns) is not None


def _together(looked: Iterator[_Look | None], configured: Configured) -> Iterator[Reading]:
    """The readings in turn; where no host at all was reached, one that failed, with all that was tried."""
    held: list[Reading] = []
    reached = False
    for look in looked:
        if look is None:
            continue
        if not (reached or look.reached):
            held.append(look.reading)
            continue
        reached = True
        yield from held
        held.clear()
        yield look.reading
    if held:
        yield _failed(held, configured)


def _failed(held: list[Reading], configured: Configured) -> Reading:
    """All that was tried, as one attempt that failed: the pages stay due."""
    exchanges = [exchange for reading in held for exchange in reading.exchanges]
    records = [record for reading in held for record in reading.records]
    reason = next(check.reason for check in records if isinstance(check, ExposureCheck))
    host = urlsplit(exchanges[0].asked).hostname or "" if exchanges else ""
    return replace(
        held[-1],
        started_at=held[0].started_at,
        outcome=Outcome.FAILED,
        reason=reason,
        advice=advice(reason, host=host, name=configured.name),
        exchanges=tuple(replace(exchange, n=n) for n, exchange in enumerate(exchanges, 1)),
        records=tuple(records),
    )


class _Visit:
    """Looks at pages in one attempt; each host's robots.txt is read once."""

    def __init__(
        self, asking: Asking, configured: Configured, blank: Reading, keys: dict[Identifier, str], pdf: ReadPdf
    ) -> None:
        self.asking, self.blank, self.keys, self.pdf = asking, blank, keys, pdf
        self.source = cast(Exposure, configured.source)
        self.ask = asking.pages(configured)
        self._robots: dict[str, Exchange | FetchFailed] = {}

    def look(self, url: str) -> _Look | None:
        """Look at one page; None where its host may not be asked now: it stays due."""
        request = Http(url, stranger=url not in self.source.pages)
        started = self.asking.clock()
        exchange: Exchange | None = None
        capture: Capture | None = None
        try:
            if self._may(request):
                exchange = self.ask(request, 1)
                capture = exchange.capture
                seen = self._seen(capture)
            else:
                seen = exposure_page.unread(self.keys, "robots")
        except FetchFailed as failed:
            exchange = failed.exchange or Exchange(n=1, asked=url, ms=0)
            seen = exposure_page.unread(self.keys, failed.reason)
        except NotAsked:
            return None
        reading = self._reading(url, started, exchange, capture, seen)
        self._remember(reading, seen[0])
        return _Look(reading, seen[0].reason not in UNREACHED)

    def _may(self, request: Http) -> bool:
        """Whether robots.txt lets us. Raises FetchFailed where it cannot be read, NotAsked where it may not be."""
        failure: FetchFailed | None = None

        def fetch(asked: Http, n: int) -> Exchange:
            nonlocal failure
            if asked.url not in self._robots:
                try:
                    self._robots[asked.url] = self.ask(replace(asked, stranger=request.stranger), 1)
                except FetchFailed as failed:
                    self._robots[asked.url] = failed
            answer = self._robots[asked.url]
            if isinstance(answer, FetchFailed):
                failure = answer
                raise answer
            return answer

        allowed = robots.allowed(request.url, fetch)
        if failure:
            raise FetchFailed(failure.reason, failure.detail, failure.exchange)
        return allowed

    def _seen(self, capture: Capture | None) -> tuple[Seen, ...]:
        if capture is None:
            return exposure_page.unread(self.keys, "truncated")
        pdf = self.pdf(capture.body) if exposure_page.is_pdf(capture) else None
        return exposure_page.look(capture, pdf, self.keys, self.source.regions)

    def _reading(
        self, url: str, started: datetime, exchange: Exchange | None, capture: Capture | None, seen: tuple[Seen, ...]
    ) -> Reading:
        sha256 = capture.id if capture else None
        checks = [ExposureCheck(self.keys[s.identifier], url, s.verdict, s.reason, s.place, sha256) for s in seen]
        now = self.asking.clock()
        return replace(
            self.blank,
            started_at=started,
            finished_at=max(started, now),
            outcome=Outcome.OK,
            exchanges=(self._without_identifiers(exchange),) if exchange else (),
            records=tuple(checks),
        )

    def _without_identifiers(self, exchange: Exchange) -> Exchange:
        """The exchange as it may be kept: no body, and no address that tells what is looked for."""
        headers = {name: value for name, value in exchange.headers.items() if name in _KEPT_HEADERS}
        asked, url = self._plain(exchange.asked), self._plain(exchange.url)
        return replace(exchange, n=1, asked=asked, url=url, headers=headers, capture=None)

    def _plain(self, address: str) -> str:
        if not exposure_page.told_in(address, self.keys, self.source.regions):
            return address
        return urljoin(address, "/***")

    def _remember(self, reading: Reading, seen: Seen) -> None:
        """Tell the breaker how the host took it."""
        if reading.exchanges:
            outcome = REASONS[seen.reason].outcome if seen.reason in REASONS else Outcome.OK
            self.asking.remember(replace(reading, outcome=outcome))
