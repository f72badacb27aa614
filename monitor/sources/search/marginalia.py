"""Marginalia's own index over its free interface, as documented and as SearXNG's engine of August 2026 reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from monitor.model import Blocked, Capture, Context, Http, LayoutChanged, Measure, Parsed, Secret, Series, Source, each
from monitor.sources.search import common


@dataclass(frozen=True)
class Marginalia(Source):
    """Where Marginalia Search shows your pages: an index of its own of the small, text-heavy web. It fits a blog.

    It costs nothing. A key of your own is asked for by mail (about.marginalia-search.com, "API"); without one Monitor
    uses the key `public`, which everybody shares and which is often over its rate: that day is then stored as
    `blocked`. Monitor asks once a day for each query, one call.

    What it cannot say: anything of a country or a language (it has none), and that a page is nowhere: "not found"
    means not within the results asked for. Most sites are not in this index at all. No answer of it was at hand when
    this was written; an answer in another shape is stored as `changed`.

    Keys: `queries`, what to search for; `key`, where the key is kept, never the key itself; `count`, results to ask
    for, 1 to 100; `url`, where to ask.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "marginalia"
    reads_status: ClassVar[frozenset[int]] = frozenset({503})  # a key over its rate

    queries: tuple[str, ...] = ()
    key: Secret | None = None
    count: int = 20
    url: str = "https://api2.marginalia-search.com/search"

    def __post_init__(self) -> None:
        common.check(self.queries, 1000, count=(self.count, 100))

    def split(self) -> Iterable[tuple[str, Self]]:
        """One source per query."""
        return each(self, "queries")

    def series(self) -> Series:
        """Marginalia's page and index, this query."""
        return Series("marginalia", "marginalia", "".join(self.queries[:1]))

    def requests(self, ctx: Context) -> Iterable[Http]:
        """One question for all results."""
        for query in self.queries[:1]:
            params = (("query", query), ("count", str(self.count)), ("page", "1"), ("nsfw", "1"))
            yield Http(self.url, params, (("Accept", "application/json"), ("API-Key", self.key or "public")))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer.

        Raises Blocked where the key is over its rate, and LayoutChanged for what is no whole answer.
        """
        if capture.status == 503:
            raise Blocked("rate_limited", "the key is over its rate")
        answer = common.read(capture)
        if not isinstance(answer.get("query"), str):
            raise LayoutChanged(detail="the answer names no query")
        return common.parsed(map(common.organic, common.rows(answer.get("results"), "results")))
