"""A web server's access log: page views by the rule of `rule.py`, read once and never kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import ClassVar, NamedTuple, TypeVar

from monitor.model import (
    Capture,
    Context,
    Files,
    LayoutChanged,
    Measure,
    NotCounted,
    PageViews,
    Parsed,
    Record,
    Referrer,
    Request,
    Series,
    SiteViews,
    Source,
    Visitors,
)
from monitor.sources.page_views.combined import Hit, combined, is_line, unfit
from monitor.sources.page_views.formats import Line, Lines, compiled, plain_host
from monitor.sources.page_views.referrer import DIRECT, Origin, origin
from monitor.sources.page_views.rule import (
    KEPT,
    MEMORY,
    SEEN,
    Asked,
    Rule,
    agent_is,
    asker,
    by_media,
    own_addresses,
)
from monitor.sources.page_views.visitor import hashes

K = TypeVar("K")
V = TypeVar("V")

_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


def day_of(text: bytes) -> date | None:
    """The day `22/Nov/2026`, None for one that no calendar has."""
    try:
        return date(int(text[7:]), _MONTHS.index(text[3:6]) + 1, int(text[:2]))
    except ValueError:
        return None


class _Memo(dict[K, V]):
    """Remembers what a function says of each value, up to `MEMORY` of them: a hit costs no call."""

    def __init__(self, judge: Callable[[K], V], keep: Callable[[V], bool] = lambda value: True) -> None:
        super().__init__()
        self._judge, self._keep = judge, keep

    def __missing__(self, key: K) -> V:
        value = self._judge(key)
        if self._keep(value):
            if len(self) >= MEMORY:
                self.clear()
            self[key] = value
        return value


class _Known(NamedTuple):
    """The judges of one site, with what they remember from batch to batch."""

    pages: _Memo[tuple[bytes, bytes] | tuple[bytes, bytes, bytes, bool], str | Asked]
    kinds: _Memo[bytes, str]
    came: _Memo[bytes, Origin]


@lru_cache(maxsize=8)
def _known(rule: Rule, own: frozenset[str]) -> _Known:
    """The judges of a site with these hosts. An answer that was no page is judged at a glance and not remembered."""
    ask = asker(rule)
    return _Known(
        _Memo(lambda said: _judge(ask, own, *said), keep=lambda page: page not in ("status", "method")),
        _Memo(agent_is),
        _Memo(lambda referer: origin(referer, "", own)),
    )


class _Tally:
    """What one batch adds up to. Lines are counted as they are written; what is counted alike is judged once."""

    def __init__(self, rule: Rule, own: frozenset[str], first: date, others: Lines) -> None:
        self.own, self.day, self.lines, self.others = own, first, 0, others
        self.mine = own_addresses(rule) if rule.leave_out_ips else None
        self.hosts = frozenset(plain_host(host.encode()) for host in rule.vhosts)
        self.people: set[tuple[bytes, bytes, bytes]] = set()  # day, address, agent: held for the length of a batch
        self.left_out: Counter[tuple[date, str]] = Counter()
        self.days: dict[bytes, date | None] = {b"": None}
        self.known = _known(rule, own)
        self.judged: Counter[tuple[bytes, str | Asked]] = Counter()
        self.seen: Counter[tuple[bytes, Asked, str, Origin]] = Counter()
        self.unparsed: Counter[date] = Counter()

    def add(self, hits: Sequence[Hit]) -> None:
        """Count lines; one without a day of its own is put to the day before it, or to the first."""
        for text in {hit[1] for hit in hits}.difference(self.days):
            self.days[text] = day_of(text)
        if not all(map(self.days.__getitem__, map(itemgetter(1), hits))):
            hits = list(self._dated(hits))
        self.lines += len(hits)
        if self.mine:
            hits = list(self._of_others(hits, self.mine))
        if not hits:
            return
        addresses, days, requests, statuses, referers, agents = zip(*hits, strict=True)
        self.day = self.days[days[-1]] or self.day
        pages = list(map(self.known.pages.__getitem__, zip(requests, statuses, strict=True)))
        self.judged.update([said for said in zip(days, pages, strict=True) if said[1].__class__ is str])
        kinds, came = self.known.kinds, self.known.came
        lines = zip(days, pages, addresses, agents, referers, strict=True)
        shown = [line for line in lines if line[1].__class__ is Asked]
        self.seen.update([(day, page, kinds[agent], came[referer]) for day, page, _, agent, referer in shown])  # type: ignore[misc]
        self.people.update(
            [
                (day, address, agent)
                for day, page, address, agent, _ in shown
                if not page[0] and kinds[agent] == "person"
            ]
        )

    def _dated(self, hits: Iterable[Hit]) -> Iterator[Hit]:
        for hit in hits:
            if day := self.days[hit[1]]:
                self.day = day
                yield hit
            elif hit[0].startswith(b"#"):
                self.others.header(hit[0])
            elif not hit[1] and (line := self.others.read(hit[0])):
                self._add_line(line)
            else:
                self.unparsed[self.day] += 1

    def _of_others(self, hits: Iterable[Hit], mine: Callable[[bytes], bool]) -> Iterator[Hit]:
        for hit in hits:
            if mine(hit[0]):
                self.left_out[self.days[hit[1]] or self.day, "own_address"] += 1
            else:
                yield hit

    def _add_line(self, line: Line) -> None:
        """Count a line of another format than combined."""
        self.day, text = line.day, line.day.isoformat().encode()
        self.days[text] = line.day
        self.lines += 1
        if self.hosts and line.host and plain_host(line.host) not in self.hosts:
            self.left_out[line.day, "other_host"] += 1
            return
        if self.mine and self.mine(line.address):
            self.left_out[line.day, "own_address"] += 1
            return
        page = self.known.pages[line.request, line.status, line.media, line.ahead]
        self.judged[text, page] += 1
        if isinstance(page, Asked):
            kind = self.known.kinds[line.agent]
            self.seen[text, page, kind, self.known.came[line.referer]] += 1
            if not page.reason and kind == "person":
                self.people.add((text, line.address, line.agent))

    def records(self, key_of: Callable[[date], bytes]) -> Iterator[Record]:
        """The records, in the order of days and names. A day with lines but no views says 0; it was read."""
        views, origins, feeds, left_out = self._sums()
        totals: Counter[date] = Counter()
        for (day, _), number in views.items():
            totals[day] += number
        for day in sorted({day for day in self.days.values() if day}):
            yield SiteViews(day, totals[day], feed_views=feeds[day])
        for (day, path), number in sorted(views.items()):
            yield PageViews(day, path, number)
        for (day, came), number in sorted(origins.items()):
            yield Referrer(day, came.referrer, came.medium, number)
        for (day, reason), number in sorted(left_out.items()):
            yield NotCounted(day, reason, number)
        by_day: dict[date, set[tuple[bytes, bytes]]] = {}
        for text, address, agent in self.people:
            if seen_on := self.days[text]:
                by_day.setdefault(seen_on, set()).add((address, agent))
        for day, people in sorted(by_day.items()):
            if key := key_of(day):
                yield Visitors(day, key, hashes(key, day, people))

    def _sums(self) -> _Sums:
        sums = _Sums(Counter(), Counter(), Counter(), self.left_out.copy())
        for day, lines in self.unparsed.items():
            sums.left_out[day, "unparsed"] += lines
        days = {text: day for text, day in self.days.items() if day}
        for (text, judged), lines in self.judged.items():
            if isinstance(judged, str):
                sums.left_out[days[text], judged] += lines
        for (text, page, kind, came), lines in self.seen.items():
            day = days[text]
            if page.reason:
                sums.left_out[day, page.reason] += lines
                sums.feeds[day] += lines if kind != "bot" else 0
            elif kind != "person":
                sums.left_out[day, "bot"] += lines
            else:
                named = origin(b"", page.campaign, self.own)
                sums.views[day, page.path] += lines
                sums.origins[day, came if named is DIRECT else named] += lines
        return sums


class _Sums(NamedTuple):
    """The numbers of a batch by day."""

    views: Counter[tuple[date, str]]
    origins: Counter[tuple[date, Origin]]
    feeds: Counter[date]
    left_out: Counter[tuple[date, str]]


def _judge(
    ask: Callable[[bytes], Asked],
    own: frozenset[str],
    request: bytes,
    status: bytes,
    media: bytes = b"",
    ahead: bool = False,
) -> str | Asked:
    """A line's page (or feed) if it was given, else the reason why it is none."""
    if request[:4] not in (b"GET ", b"GET"):
        return "method"
    if status not in SEEN:
        return "status"
    page = ask(request)
    if page.host and page.host.removeprefix("www.") not in own:
        return "noise"
    if media:
        page = page._replace(reason=by_media(page.reason, page.path, media))
    if ahead and not page.reason:
        return "prefetch"
    return page if page.reason in ("", "feed") else page.reason


def _by_line(body: bytes) -> Iterator[list[Hit]]:
    """Every line as one that is not combined: the owner's own format comes first."""
    for line in body.split(b"\n"):
        if is_line(line):
            yield [unfit(line)]


@dataclass(frozen=True)
class AccessLog(Source):
    """Page views from the access log of nginx, Apache, Caddy, Traefik, IIS, CloudFront or a load balancer.

    `files` is a pattern relative to the config file's folder, or absolute; rotated and packed files belong in it.
    `hosts` are the site's own host names ("example.org"): a view that comes from one of them is `internal`; without
    it the site's own pages stand among the other referrers. Days are those written in the log, by its own offset.

    The format is recognised by its content. One of your own is said with `format`, as in the server's config
    (`log_format` of nginx, `LogFormat` of Apache). Of a log of several sites `vhosts` says which are counted; without
    it, all are.

    `pages` are further endings of page names ("md"); `keep_query` the query words that choose a page;
    `leave_out_ips` addresses or networks of your own; `leave_out_paths` paths that are not counted, with all below
    them; `wordpress = false` takes WordPress's own requests for pages. A rule set so has a name of its own.

    What counts as a page view is the rule of docs/page-views.md; every line that does not is counted with the reason.
    Views from a log are higher than those a script in the page counts: no ad blocker hides from a log.
    The lines hold addresses of people, so they are not kept: the evidence is the file's name and offsets.
    """

    measure: ClassVar[Measure] = Measure.PAGE_VIEWS
    kind: ClassVar[str] = "access_log"
    every: ClassVar[str] = "10m"
    parser: ClassVar[int] = 1
    keep: ClassVar[bool] = False
    history: ClassVar[bool] = True

    site: str = "blog"
    files: str = "access.log*"
    hosts: tuple[str, ...] = ()
    vhosts: tuple[str, ...] = ()
    format: str = ""
    pages: tuple[str, ...] = ()
    keep_query: tuple[str, ...] = KEPT
    leave_out_ips: tuple[str, ...] = ()
    leave_out_paths: tuple[str, ...] = ()
    wordpress: bool = True

    def __post_init__(self) -> None:
        self._rule.check()
        if self.format:
            compiled(self.format)

    @property
    def _rule(self) -> Rule:
        return Rule(self.pages, self.keep_query, self.leave_out_ips, self.leave_out_paths, self.wordpress, self.vhosts)

    @property
    def rule(self) -> str:
        """The version of the rule, with a mark of what the owner set otherwise."""
        return self._rule.name

    def series(self) -> Series:
        """One series per site, in the days of its log."""
        return Series(day_zone="log", subject=self.site)

    def requests(self, ctx: Context) -> Iterable[Request]:
        """The files, from where each was left."""
        yield Files(self.files, ctx.cursors)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Count a batch of whole lines; the records add to what stands.

        Raises LayoutChanged (`unknown_format`) when there are lines and none of them fits any format: that is never
        0 views. So does a format without the agent, with the reason in the detail. Single lines that do not fit are
        counted as `unparsed`.
        """
        own = frozenset(host.strip().lower().removeprefix("www.") for host in self.hosts)
        others = Lines(compiled(self.format) if self.format else None, capture.head)
        tally = _Tally(self._rule, own, ctx.day, others)
        for hits in _by_line(capture.body) if self.format else combined(capture.body):
            tally.add(hits)
        if tally.unparsed and not tally.lines:
            raise LayoutChanged("unknown_format", others.why)
        records = tuple(tally.records(ctx.visitor_key))
        return Parsed(records, none=not records, increments=True)
