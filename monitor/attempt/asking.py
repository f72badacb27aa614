"""Politeness put into practice: who may be asked now, by the rows that every process reads and writes."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from monitor.collect import Ask, Clock, ReadMail
from monitor.config import Configured, Settings, read_span
from monitor.model import Blocked, Exchange, FetchFailed, Http, Mail, MailBatch, Measure, NotAsked, Outcome, Reading
from monitor.politeness import Go, Refuse, read_retry_after
from monitor.store import hosts
from monitor.store.connection import Store, StoreError
from monitor.times import to_text

if TYPE_CHECKING:
    from monitor.fetch.http import HttpFetcher

LOGIN_SECONDS = 60.0  # an account is taken for so long until it has let us in

Sleep = Callable[[float], None]
Fetcher = Callable[[Settings], "HttpFetcher"]
MailReader = Callable[[Settings], ReadMail]


def host_of(request: Http) -> str:
    """The host (with its port) that a request is polite to."""
    return (urlsplit(request.url).netloc or request.url).casefold()


def fetcher_of(settings: Settings) -> HttpFetcher:
    """How this config's sources are asked."""
    from monitor.fetch.http import HttpFetcher  # 7 MB, 70 ms: who reads logs needs nothing of it

    ca_file = settings.base / settings.fetch.ca_file if settings.fetch.ca_file else None
    return HttpFetcher(base=settings.base, environ=os.environ, ca_file=ca_file)


def mail_reader_of(settings: Settings) -> ReadMail:
    """How this config's mailboxes are read, over IMAP or from files."""
    ca_file = settings.base / settings.fetch.ca_file if settings.fetch.ca_file else None

    def read(request: Mail) -> Iterator[MailBatch]:
        if request.way != "imap":
            from monitor.fetch import mailbox

            return mailbox.read(request, settings.base, time.time())
        from monitor.fetch.imap import Imap

        return Imap(settings.base, os.environ, ca_file)(request)

    return read


def account_of(request: Mail) -> str:
    """The account that a request is polite to: what one account refuses, another on the same server may not."""
    return f"{quote(request.user, safe='')}@{request.host}:{request.port}".casefold()


@dataclass(frozen=True)
class Asking:
    """Asks for one config and one history; the clock, the waiting and the asking are arguments."""

    settings: Settings
    store: Store
    clock: Clock
    sleep: Sleep
    fetcher: Fetcher
    mail_reader: MailReader

    @property
    def spacing(self) -> timedelta:
        """The least time between two questions to one host."""
        return read_span(self.settings.fetch.spacing)

    def pages(self, configured: Configured) -> Ask:
        """How pages are asked for a source: by its config, when its host may be asked."""
        spacing = self.spacing
        fetcher = cache(lambda: self.fetcher(self.settings))
        pages = configured.source.measure is Measure.SEARCH or configured.source.kind == "any_number"
        obey = self.settings.fetch.robots == "obey" and pages

        def ask(request: Http, n: int) -> Exchange:
            if obey and n == 1:
                from monitor.fetch import robots  # with all of urllib

                if not robots.allowed(request.url, politely):
                    raise NotAsked("robots")
            return politely(request, n)

        def politely(request: Http, n: int) -> Exchange:
            fetch, host = fetcher(), host_of(request)
            self._wait_for(host, timedelta(seconds=fetch.deadline), spacing, configured)
            retry_after = None
            sent = True
            try:
                exchange = fetch(request, n)
                if exchange.status in (403, 429, 503):
                    retry_after = asked_back(exchange, self.clock())
                return exchange
            except NotAsked:
                sent = False
                raise
            finally:  # how it ended is only known after the parse: `_make` says it
                with contextlib.suppress(StoreError):  # the answer is not lost for that; the lease ends by itself
                    if not sent:
                        hosts.give_back(self.store, host, configured.cost)
                    else:
                        hosts.release(self.store, host, self.clock(), spacing, Outcome.FAILED, retry_after)

        return ask

    def mail(self, configured: Configured) -> ReadMail:
        """How mailboxes are read for a source. An account that refuses is not asked again that day.

        So no account gets locked by a wrong password that is tried again and again.
        """
        read = self.mail_reader(self.settings)

        def politely(request: Mail) -> Iterator[MailBatch]:
            if request.way != "imap":
                yield from read(request)
                return
            account = account_of(request)
            self._wait_for(account, timedelta(seconds=LOGIN_SECONDS), self.spacing, configured)
            let_in = False
            try:
                for batch in read(request):
                    if not let_in:
                        self._release(account, Outcome.OK)
                    let_in = True
                    yield batch
                if not let_in:
                    self._release(account, Outcome.OK)
            except NotAsked:
                with contextlib.suppress(StoreError):
                    hosts.give_back(self.store, account, configured.cost)
                raise
            except Blocked:
                self._release(account, Outcome.BLOCKED, self._tomorrow(configured))
                raise
            except FetchFailed:
                if not let_in:
                    self._release(account, Outcome.FAILED)
                raise

        return politely

    def _tomorrow(self, configured: Configured) -> datetime:
        tomorrow = self.clock().astimezone(configured.zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, clock_time(), configured.zone).astimezone(UTC)

    def _release(self, host: str, outcome: Outcome, until: datetime | None = None) -> None:
        """Give a host back. That may fail without harm: the lease ends by itself."""
        with contextlib.suppress(StoreError):
            hosts.release(self.store, host, self.clock(), self.spacing, outcome, until)

    def remember(self, reading: Reading) -> None:
        """Remember how the host took it. That may fail without harm to the reading: the next write says why."""
        if not reading.exchanges:
            return
        exchange = reading.exchanges[-1]
        refused = reading.outcome is Outcome.BLOCKED
        host = urlsplit(exchange.asked).netloc.casefold()
        retry_after = asked_back(exchange, reading.finished_at) if refused else None
        with contextlib.suppress(StoreError):
            hosts.release(self.store, host, self.clock(), self.spacing, reading.outcome, retry_after)

    def _wait_for(self, host: str, deadline: timedelta, spacing: timedelta, configured: Configured) -> None:
        while True:
            now = self.clock()
            verdict = hosts.claim(self.store, host, now, deadline, spacing, configured.budget, configured.cost)
            if isinstance(verdict, Go):
                return
            if isinstance(verdict, Refuse):
                spent = f"{configured.budget} calls, more from " if verdict.reason == "budget" else ""
                raise NotAsked(verdict.reason, spent + to_text(verdict.until), verdict.until)
            self.sleep(min(1.0, max(0.01, (verdict.until - now).total_seconds())))


def asked_back(exchange: Exchange, now: datetime) -> datetime | None:
    """When a host that refused wants to be asked again, by its own word.

    Retry-After, else GitHub's x-ratelimit-reset (seconds since 1970) when x-ratelimit-remaining is 0 ("Rate limits for
    the REST API"). Other hosts write spans or lists there; a span is long past, and says nothing.
    """
    headers = exchange.headers
    if at := read_retry_after(headers.get("retry-after", ""), headers.get("date", ""), now):
        return at
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining", "").strip() != "0" or not re.fullmatch(r"[0-9]{9,11}", reset):
        return None
    return datetime.fromtimestamp(int(reset), UTC)
