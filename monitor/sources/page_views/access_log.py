"""A web server's access log: page views by the rule of `rule.py`, read once and never kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from monitor.model import Capture, Context, Files, LayoutChanged, Measure, Parsed, Request, Series, Source
from monitor.sources.page_views.combined import Run, combined, is_line
from monitor.sources.page_views.formats import Lines, compiled
from monitor.sources.page_views.rule import KEPT, Rule
from monitor.sources.page_views.tally import Tally


def _by_line(body: bytes) -> Iterator[Run]:
    """Every line as one that is not combined: the owner's own format comes first."""
    yield Run(b"", [line for line in body.split(b"\n") if is_line(line)])


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
        tally = Tally(self._rule, own, ctx.day, others)
        for run in _by_line(capture.body) if self.format else combined(capture.body):
            tally.add(run)
        if tally.is_unknown:
            raise LayoutChanged("unknown_format", others.why)
        records = tuple(tally.records(ctx.visitor_key))
        return Parsed(records, none=not records, increments=True)
