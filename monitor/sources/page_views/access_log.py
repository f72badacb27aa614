"""A web server's access log: page views by the rule of `rule.py`, read once and never kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

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
)
from monitor.sources.page_views.referrer import Origin, origin
from monitor.sources.page_views.rule import RULE, SEEN, agent_is, asked

Hit = tuple[bytes, bytes, bytes, bytes, bytes]
"""A line's day as written, request, status, Referer and User-Agent."""

Format = Callable[[bytes], Iterator[Hit | None]]
"""A log format: reads a batch and gives a hit per line, None for one that does not fit; no blanks, no comments."""

_QUOTED = rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'  # unrolled and possessive: an alternation per character is 2.8x slower
_COMBINED = re.compile(
    rb"\0*+[!-~]++ [^ .:\[]++ [^\[]*+\[(\d\d/[A-Z][a-z][a-z]/\d{4}):\d\d:\d\d:\d\d [+-]\d{4}\] "
    + _QUOTED
    + rb" (\d{3}|-) (?:\d++|-) "
    + _QUOTED
    + b" "
    + _QUOTED,
    re.DOTALL,
)
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


def combined(body: bytes) -> Iterator[Hit | None]:
    r"""Read the combined format of nginx and Apache, whatever follows the agent.

    nginx writes a quote as `\x22`, Apache as `\"`, also inside the request; a user name may hold blanks; a file cut by
    copytruncate may begin with NUL bytes. A second field with a dot or colon is the address of `vhost_combined`: that
    log mixes several sites and does not fit.
    """
    match = _COMBINED.match
    for line in body.split(b"\n"):
        if fits := match(line):
            yield fits.groups()  # type: ignore[misc]
        elif line.strip(b"\0\r\t ") and line[:1] != b"#":
            yield None


FORMATS: tuple[Format, ...] = (combined,)


def day_of(text: bytes) -> date | None:
    """The day `22/Nov/2026`, None for one that no calendar has."""
    try:
        return date(int(text[7:]), _MONTHS.index(text[3:6]) + 1, int(text[:2]))
    except ValueError:
        return None


@dataclass(slots=True)
class _Tally:
    """What one batch adds up to."""

    lines: int = 0
    days: dict[bytes, date | None] = field(default_factory=dict)
    views: Counter[tuple[date, str]] = field(default_factory=Counter)
    feeds: Counter[date] = field(default_factory=Counter)
    origins: Counter[tuple[date, Origin]] = field(default_factory=Counter)
    left_out: Counter[tuple[date, str]] = field(default_factory=Counter)

    def add(self, hits: Iterable[Hit | None], own: frozenset[str], first: date) -> None:
        """Judge each hit; a line without a day of its own is put to the day before it, or to `first`."""
        days, views, origins, left_out, day = self.days, self.views, self.origins, self.left_out, first
        for hit in hits:
            if hit is None:
                left_out[day, "unparsed"] += 1
                continue
            text, request, status, referer, agent = hit
            if text not in days:
                days[text] = day_of(text)
            if (known := days[text]) is None:
                left_out[day, "unparsed"] += 1
                continue
            day = known
            self.lines += 1
            page = asked(request)
            if reason := self._reason(page.reason, page.host, status, own):
                left_out[day, reason] += 1
                if reason == "feed" and agent_is(agent) != "bot":
                    self.feeds[day] += 1
            elif agent_is(agent) != "person":
                left_out[day, "bot"] += 1
            else:
                views[day, page.path] += 1
                origins[day, origin(referer, page.campaign, own)] += 1

    @staticmethod
    def _reason(reason: str, host: str, status: bytes, own: frozenset[str]) -> str:
        if reason == "method":
            return reason
        if status not in SEEN:
            return "status"
        return "noise" if host and host.removeprefix("www.") not in own else reason

    def records(self) -> Iterator[Record]:
        """The records, in the order of days and names. A day with lines but no views says 0; it was read."""
        totals: Counter[date] = Counter()
        for (day, _), views in self.views.items():
            totals[day] += views
        for day in sorted({day for day in self.days.values() if day}):
            yield SiteViews(day, totals[day], feed_views=self.feeds[day])
        for (day, path), views in sorted(self.views.items()):
            yield PageViews(day, path, views)
        for (day, came), views in sorted(self.origins.items()):
            yield Referrer(day, came.referrer, came.medium, views)
        for (day, reason), lines in sorted(self.left_out.items()):
            yield NotCounted(day, reason, lines)


@dataclass(frozen=True)
class AccessLog(Source):
    """Page views from the access log of nginx, Apache or any server that writes the combined format.

    `files` is a pattern relative to the config file's folder, or absolute; rotated and gzipped files belong in it.
    `hosts` are the site's own host names ("example.org"): a view that comes from one of them is `internal`; without
    it the site's own pages stand among the other referrers. Days are those written in the log, by its own offset.

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
    rule: ClassVar[str] = RULE

    site: str = "blog"
    files: str = "access.log*"
    hosts: tuple[str, ...] = ()

    def series(self) -> Series:
        """One series per site, in the days of its log."""
        return Series(day_zone="log", subject=self.site)

    def requests(self, ctx: Context) -> Iterable[Request]:
        """The files, from where each was left."""
        yield Files(self.files, ctx.cursors)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Count a batch of whole lines; the records add to what stands.

        Raises LayoutChanged (`unknown_format`) when there are lines and none of them fits any format: that is never
        0 views. Single lines that do not fit are counted as `unparsed`.
        """
        own = frozenset(host.strip().lower().removeprefix("www.") for host in self.hosts)
        tally = _Tally()
        for read in FORMATS:
            tally = _Tally()
            tally.add(read(capture.body), own, ctx.day)
            if tally.lines:
                break
        if tally.left_out and not tally.lines:
            raise LayoutChanged("unknown_format", capture.place)
        records = tuple(tally.records())
        return Parsed(records, none=not records, increments=True)
