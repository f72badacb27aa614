"""Each source tried once without storing anything: the same asking, classifying and parsing as a reading's.

As polite as a reading: the table `hosts` is read before each question, and a host that is leased, refuses or asked to
be left alone is not asked; our own questions to one host keep the spacing. Of a source only its first question is put.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast
from urllib.parse import urlsplit

from monitor.attempt import fetcher_of, host_of
from monitor.collect import Clock, Task, collect
from monitor.config import Configured, Settings, read_span
from monitor.doctor import judge_sources as judge
from monitor.doctor.finding import Finding, fine, look, span
from monitor.doctor.history import History
from monitor.doctor.machine import secrets_of
from monitor.fetch import robots
from monitor.fetch.rotation import Found, listing, opened
from monitor.fetch.secrets import resolve, resolve_lines
from monitor.model import (
    Batch,
    Capture,
    Context,
    Exchange,
    FetchFailed,
    Files,
    Http,
    LogCursor,
    Measure,
    NotAsked,
    Outcome,
    Parsed,
    Reading,
    Request,
    SiteViews,
    Source,
    Trigger,
)
from monitor.politeness import Go, HostState, Refuse, may_ask
from monitor.times import from_text, to_text

RECENT = timedelta(hours=1)
WHOLE = 2**62  # an offset beyond the end of any log


class _FirstQuestion:
    """A source that puts only its first question and asks for no further page; all else is the source's own."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def requests(self, ctx: Context) -> Iterable[Request]:
        return islice(self._source.requests(ctx), 1)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        return replace(self._source.parse(capture, ctx), next=None)


@dataclass
class Trials:
    """Tries sources and reads robots.txt; the clock, the waiting and the environment are arguments.

    `named` says that the owner named the sources: then one that was read within the last hour is asked all the same.
    """

    settings: Settings
    history: History
    named: bool
    clock: Clock
    sleep: Callable[[float], None]
    environ: Mapping[str, str]
    _asked: dict[str, datetime] = field(default_factory=dict)
    _allowed: set[str] = field(default_factory=set)

    @property
    def _spacing(self) -> timedelta:
        return read_span(self.settings.fetch.spacing)

    # --- robots.txt ---------------------------------------------------------------------------------------------

    def robots(self, sources: Iterable[Configured]) -> Iterator[Finding]:
        """The robots.txt of each search engine in use, one question per host.

        An API asked with a key is used by its own terms; its robots.txt matters only where it is obeyed.
        """
        engines: dict[str, tuple[Configured, Http]] = {}
        for source in sources:
            if self.settings.fetch.robots == "tell" and any(secrets_of(source.source)):
                continue
            request = self._first(source)
            if source.source.measure is Measure.SEARCH and isinstance(request, Http):
                engines.setdefault(host_of(request), (source, request))
        for host, (source, request) in engines.items():
            yield self._robots(host, source, request)

    def _robots(self, host: str, source: Configured, request: Http) -> Finding:
        what = f"robots.txt {_plain(request)}"
        if said := self._refused_today(source) or self._refusal(request):
            return look(what, *said)
        status: int | None = None

        def fetch(asked: Http, n: int) -> Exchange:
            nonlocal status
            exchange = self._fetch(asked, n)
            status = exchange.status
            return exchange

        allowed = robots.allowed(request.url, fetch)
        if allowed:
            self._allowed.add(host)
        return judge.robots(_plain(request), status, allowed, self.settings.fetch.robots)

    # --- one source ---------------------------------------------------------------------------------------------

    def source(self, configured: Configured, *, offline: bool) -> Finding:
        """How a source would be read now; log files are looked at, offline too."""
        what = f"source {configured.name}"
        try:
            for secret in secrets_of(configured.source):
                if not secret.exchange:  # such a file is read, and judged, where it is changed for a token
                    several = configured.source.kind == "exposure"  # one a line
                    (resolve_lines if several else resolve)(secret, self.settings.base, self.environ)
        except NotAsked as missing:
            return look(what, "key missing", f"set {missing.detail}")
        request = self._first(configured)
        if isinstance(request, Files):
            return self._log(configured, request)
        if not isinstance(request, Http):
            return fine(what, "not tried: there is nothing to ask", f"monitor check {configured.name} reads it")
        if offline:
            return fine(what, f"not asked (offline), {self._last(configured)}")
        if said := self._reserve(configured, request):
            return said
        return judge.dry(configured.name, self._dry(configured))

    def _reserve(self, configured: Configured, request: Http) -> Finding | None:
        """Why a source is not asked now, or None."""
        what, name, now = f"source {configured.name}", configured.name, self.clock()
        at = self._last_good(name)
        if at and timedelta(0) <= now - at < RECENT and not self.named:
            return fine(what, f"read well {span(now - at)} ago, so it is not asked again")
        obeyed = self.settings.fetch.robots == "obey" and configured.source.measure is Measure.SEARCH
        if said := self._refused_today(configured):
            return look(what, *said)
        if obeyed and host_of(request) not in self._allowed:
            step = 'set [fetch] robots = "tell" to ask all the same, or take the source out'
            return look(what, "not asked: its robots.txt forbids it, or could not be read", step)
        return look(what, *said) if (said := self._refusal(request)) else None

    def _refused_today(self, configured: Configured) -> tuple[str, str] | None:
        """What is said of a source that refused on this day of its own: the polite answer is to stop."""
        name, day = configured.name, self.clock().astimezone(configured.zone).date().isoformat()
        sql = "select r.reason from readings r join sources s on s.id = r.source_id and s.retired_at is null"
        found = self.history.rows(f"{sql} where s.name = ? and r.day = ? and r.outcome = 'blocked'", name, day)
        step = f"wait for its next slot (monitor status); monitor check {name} --force asks all the same"
        return (f"not asked: {name} refused today ({found[-1][0]})", step) if found else None

    def _refusal(self, request: Http) -> tuple[str, str] | None:
        """Why a host is not asked now and what to do, or None; waits for our own spacing first."""
        host = host_of(request)
        if host in self._asked:
            wait = self._asked[host] + self._spacing - self.clock()
            self.sleep(max(0.0, wait.total_seconds()))
        state = self.history.host(host)
        if state is None and not self.named:
            said = f"not asked: the history cannot be read, so {_plain(request)} may have refused"
            return said, "name the source to ask all the same: monitor doctor SOURCE"
        verdict = may_ask(state or HostState(host), self.clock(), self._spacing)
        if isinstance(verdict, Go):
            return None
        until = to_text(verdict.until)
        if isinstance(verdict, Refuse) and verdict.reason == "breaker":
            step = "nothing to do; monitor check --force asks all the same"
            return f"not asked: {_plain(request)} refused several times and is left alone until {until}", step
        if isinstance(verdict, Refuse):
            return f"not asked: {_plain(request)} wants to be left alone until {until}", "nothing to do until then"
        return f"not asked: a running monitor is asking {_plain(request)}", f"run monitor doctor again after {until}"

    def _dry(self, configured: Configured) -> Reading:
        """One attempt whose reading is thrown away. What `collect` asks a second time at once is not: it is told."""
        answered: list[Exchange | FetchFailed] = []

        def ask(request: Http, n: int) -> Exchange:
            if not answered:
                try:
                    answered.append(self._fetch(request, n))
                except FetchFailed as failed:
                    answered.append(failed)
            if isinstance(answered[0], FetchFailed):
                raise answered[0]
            return answered[0]

        (reading,) = collect(self._task(configured), ask, lambda _: iter(()), self.clock)
        return reading

    def _fetch(self, request: Http, n: int) -> Exchange:
        host = host_of(request)
        try:
            return replace(fetcher_of(self.settings), environ=self.environ)(request, n)
        finally:
            self._asked[host] = self.clock()

    def _task(self, configured: Configured) -> Task:
        now = self.clock()
        first = cast(Source, _FirstQuestion(configured.source))
        return Task(configured.name, first, now, now.astimezone(configured.zone).date(), Trigger.MANUAL)

    def _first(self, configured: Configured) -> Request | None:
        now = self.clock()
        ctx = Context(now=now, day=now.astimezone(configured.zone).date())
        return next(iter(configured.source.requests(ctx)), None)

    def _last_good(self, name: str) -> datetime | None:
        sql = "select max(r.finished_at) from readings r join sources s on s.id = r.source_id and s.retired_at is null"
        found = self.history.rows(
            f"{sql} where s.name = ? and r.outcome in ('ok', 'empty') and r.\"trigger\" <> 'reread'", name
        )
        return from_text(found[0][0]) if found and found[0][0] else None

    def _last(self, configured: Configured) -> str:
        at = self._last_good(configured.name)
        return f"read well {span(self.clock() - at)} ago" if at else "never read"

    # --- logs ---------------------------------------------------------------------------------------------------

    def _log(self, configured: Configured, request: Files) -> Finding:
        """What stands in a site's log files: found, readable, in a known format, and up to which day."""
        found: list[Found] = []

        def tail(asked: Files) -> Iterator[Batch]:
            found.extend(listing(asked.pattern, self.settings.base))
            yield from _last_lines(found)

        readings = list(collect(self._task(configured), _never, tail, self.clock))
        for reading in readings:
            if reading.outcome is not Outcome.OK:
                return judge.dry(configured.name, reading)
        days = [record.day for reading in readings for record in reading.records if isinstance(record, SiteViews)]
        today = self.clock().astimezone(configured.zone).date()
        return judge.log_day(configured.name, len(found), max(days, default=None), today)


def _never(request: Http, n: int) -> Exchange:
    raise NotAsked("off")  # a source of files asks no page


def _plain(request: Http) -> str:
    """The host for a person: without what may stand before an @."""
    return urlsplit(request.url).hostname or "the source"


def _last_lines(files: list[Found]) -> Iterator[Batch]:
    """The last whole lines of the newest file that has any; each file is opened, so that one not readable is told.

    Raises FetchFailed: `no_permission`, `truncated`.
    """
    given = False
    for file in reversed(files):  # the newest comes last
        with opened(file) as content:
            if content is None or given or not file.size:
                continue
            before = content.begin(WHOLE)
        lines = before[: before.rfind(b"\n") + 1]  # the first of them may be cut: it counts for nothing here
        if lines.strip():
            given = True
            capture = Capture(lines, media_type="text/plain", asked=file.name, place=file.name)
            yield Batch(capture, None, LogCursor(file.name, file.dev, file.ino, file.size, file.mtime_ns))
