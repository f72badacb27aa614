"""One attempt over HTTP: ask, classify, parse, check for sanity, and say how it ended.

The order of classification is that of docs/design.md section 4: transport, status and final address, then parse, then
the page's own word that there is nothing, then sanity.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from monitor import refusal, sanity
from monitor.collect.task import Ask, Clock, Task
from monitor.model import (
    Blocked,
    Capture,
    Context,
    Exchange,
    FetchFailed,
    Http,
    Kind,
    LayoutChanged,
    Measure,
    NotAsked,
    Outcome,
    Parsed,
    Reading,
    Record,
    Result,
    Source,
)
from monitor.reasons import REASONS, advice

ASK_AGAIN = frozenset({"dns", "connection", "truncated", "bad_encoding", "server_error"})
AT_THE_HOST = frozenset({"dns", "connection", "timeout", "tls"})  # told of the host where it happened, after a redirect
_STATUS = {
    401: "denied",
    402: "denied",
    403: "denied",
    451: "denied",
    429: "rate_limited",
    404: "not_found",
    410: "not_found",
}


class _Ended(Exception):
    """The attempt ended without a trustworthy answer."""

    def __init__(self, reason: str, detail: str = "", host: str = "", outcome: Outcome | None = None) -> None:
        super().__init__(reason)
        self.reason, self.detail, self.host = reason, detail, host
        self.outcome = outcome or REASONS[reason].outcome


class PageAttempt:
    """The state of one attempt over HTTP: its exchanges and records so far."""

    def __init__(self, task: Task, ask: Ask, clock: Clock, ctx: Context) -> None:
        self.task, self.ask, self.clock, self.ctx = task, ask, clock, ctx
        self.exchanges: list[Exchange] = []
        self.records: list[Record] = []
        self.notes: list[str] = []
        self.depth = 0
        self.nothing = False
        self.unquoted = False

    def run(self, requests: Iterable[Http]) -> Reading:
        """Ask every request and every further page; the first that fails decides."""
        try:
            for request in requests:
                self._chain(request)
            reason = self._sanity()
        except _Ended as ended:
            return self._reading(ended.outcome, ended.reason, ended.detail, ended.host)
        if reason:
            return self._reading(Outcome.SUSPECT, reason, "the quotes were dropped", self._host())
        if self.nothing and not self._holds_any():
            return self._reading(Outcome.EMPTY, "no_results", "", self._host())
        return self._reading(Outcome.OK, "", "", "")

    def _chain(self, request: Http) -> None:
        """A request and the pages after it. A later page that fails leaves what was seen before it standing."""
        page, following = 1, self._page(request, 1)
        while following:
            if _origin(following.url) != _origin(request.url):  # a page does not choose whom we ask
                self.notes.append(f"page {page + 1}: not asked, it leads to another host")
                return
            if _ranks(self.task.source) and self.task.enough(self.records):
                return
            page += 1
            try:
                following = self._page(following, page)
            except _Ended as ended:
                if ended.outcome is Outcome.SUSPECT or not (self.records or self.nothing):
                    raise
                self.notes.append(f"page {page}: {ended.outcome}, {ended.reason}")
                return

    def _page(self, request: Http, page: int) -> Http | None:
        exchange = self._ask(request)
        capture = exchange.capture
        if capture is None:
            raise _Ended("truncated", "no answer kept", _host_of(exchange.asked))
        classify(capture, self.task.source)
        parsed = self._parse(capture, page)
        if parsed.doubt:
            raise _Ended(parsed.doubt, parsed.note, _host_of(capture.asked))
        before = [r.url for r in self.records if isinstance(r, Result) and r.kind is Kind.ORGANIC]
        now = [r.url for r in parsed.records if isinstance(r, Result) and r.kind is Kind.ORGANIC]
        if page > 1 and now and before[-len(now) :] == now:
            raise _Ended("same_page", "", _host_of(capture.asked))
        if not (parsed.none or now or ((parsed.records or parsed.next) and not _ranks(self.task.source))):
            raise _Ended("layout_unknown", "", _host_of(capture.asked))
        self.nothing = self.nothing or parsed.none
        if parsed.altered:
            self.notes.append(f"query_altered: answered for {parsed.altered}")
            self.unquoted = '"' in self.task.source.series().query and '"' not in parsed.altered
        if parsed.note:
            self.notes.append(parsed.note)
        self._add(parsed)
        return parsed.next

    def _ask(self, request: Http) -> Exchange:
        for again in (True, False):
            n = len(self.exchanges) + 1
            try:
                exchange = self.ask(request, n)
            except FetchFailed as failed:
                if again and failed.reason in ASK_AGAIN:
                    self.notes.append(f"asked twice, first: {failed.reason}")
                    continue
                self.exchanges.append(failed.exchange or Exchange(n=n, asked=request.url, ms=0))
                blamed = failed.exchange.url if failed.exchange and failed.reason in AT_THE_HOST else request.url
                raise _Ended(failed.reason, failed.detail, _host_of(blamed)) from failed
            except NotAsked as refused:
                raise _Ended(refused.reason, refused.detail, _host_of(request.url)) from refused
            if again and exchange.status in (502, 503, 504) and "retry-after" not in exchange.headers:
                self.notes.append(f"asked twice, first: status {exchange.status}")
                continue
            break
        self.exchanges.append(exchange)
        return exchange

    def _parse(self, capture: Capture, page: int) -> Parsed:
        host = _host_of(capture.asked)
        try:
            earlier = tuple(e.capture for e in self.exchanges[:-1] if e.capture)
            return self.task.source.parse(capture, replace(self.ctx, page=page, earlier=earlier))
        except Blocked as seen:
            raise _Ended(seen.reason, seen.detail, host, Outcome.BLOCKED) from seen
        except LayoutChanged as seen:
            searching = _ranks(self.task.source)
            if searching and (reason := refusal.by_marks(capture.body)):
                raise _Ended(reason, "", host) from seen
            raise _Ended(seen.reason, seen.detail, host, Outcome.CHANGED) from seen
        except Exception as error:  # a fault of a parser is recorded, and stops no other source
            self.notes.append("".join(traceback.format_exception(error))[-4000:])
            raise _Ended("parser_error", "", host) from error

    def _add(self, parsed: Parsed) -> None:
        """Add a page's records, positions counted on from what was seen; a URL seen before keeps its first place."""
        blocks = 1 + max((r.block for r in self.records if isinstance(r, Result)), default=-1)
        above = max((r.position_absolute or 0 for r in self.records if isinstance(r, Result)), default=0)
        seen = {r.url for r in self.records if isinstance(r, Result) and r.position is not None}
        for record in parsed.records:
            if not isinstance(record, Result):
                self.records.append(record)
                continue
            position = record.position
            if position is not None:
                if record.url and record.url in seen:
                    continue
                seen.add(record.url)
                self.depth += 1
                position = self.depth
            absolute = record.position_absolute
            self.records.append(
                replace(
                    record,
                    position=position,
                    block=record.block + blocks,
                    position_absolute=None if absolute is None else absolute + above,
                )
            )

    def _holds_any(self) -> bool:
        """Whether what the source is asked for was seen: organic results, or any record of another measure."""
        return self.depth > 0 if _ranks(self.task.source) else bool(self.records)

    def _sanity(self) -> str:
        if not _ranks(self.task.source):
            return ""
        if self.unquoted and self._holds_any():
            return "query_altered"
        results = [r for r in self.records if isinstance(r, Result) and r.kind is Kind.ORGANIC]
        return sanity.doubt(self.task.source.series().query, results)

    def _host(self) -> str:
        return _host_of(self.exchanges[-1].asked) if self.exchanges else ""

    def _reading(self, outcome: Outcome, reason: str, detail: str, host: str) -> Reading:
        keeps = outcome in (Outcome.OK, Outcome.EMPTY, Outcome.SUSPECT)
        searching = _ranks(self.task.source)
        kept = self.task.source.keep
        notes = self.notes if kept else [*self.notes, *map(_evidence, self.exchanges)]
        return Reading(
            slot=self.task.slot,
            day=self.task.day,
            trigger=self.task.trigger,
            started_at=self.ctx.now,
            finished_at=max(self.clock(), self.ctx.now),
            outcome=outcome,
            reason=reason,
            advice=advice(reason, host=host, detail=detail, name=self.task.name),
            parser=self.task.source.parser,
            depth=self.depth if keeps and searching else None,
            exchanges=tuple(self.exchanges if kept else map(_unkept, self.exchanges)),
            records=tuple(self.records) if keeps else (),
            rule=self.task.source.rule,
            reread_of=self.task.reread_of,
            note="\n".join(filter(None, notes)),
        )


def _unkept(exchange: Exchange) -> Exchange:
    """The exchange without its bytes, where a source's answers are not to be kept, whatever becomes of the reading."""
    return replace(exchange, capture=None)


def _evidence(exchange: Exchange) -> str:
    """What stands for bytes that are not kept: their size and hash."""
    answer = exchange.capture
    return f"answer {exchange.n}, not kept: {len(answer.body)} bytes, sha256:{answer.id}" if answer else ""


def classify(capture: Capture, source: Source) -> None:
    """Raise _Ended for a status or a final address that says how it ended before any parse."""
    host = _host_of(capture.asked)
    status = capture.status
    if reason := refusal.by_address(capture) or refusal.by_headers(capture):
        raise _Ended(reason, f"status {status}", host)
    if status in source.reads_status:
        return
    if status == 202 and source.measure is Measure.SEARCH:
        raise _Ended("challenge", "status 202", host)
    if status in _STATUS:
        raise _Ended(_STATUS[status], f"status {status}", host)
    if status >= 500:
        raise _Ended("server_error", f"status {status}", host)
    if status >= 400:
        raise _Ended("bad_request", f"status {status}", host)
    if status >= 300:
        raise _Ended("redirect", f"status {status}", host)
    if not capture.body.strip():
        raise _Ended("empty_answer", f"status {status}", host)


def _ranks(source: Source) -> bool:
    """Whether a source reads results pages; an engine's console of the same measure does not."""
    return source.measure is Measure.SEARCH and bool(source.series().engine)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.casefold()


def _host_of(url: str) -> str:
    return urlsplit(url).hostname or url
