"""Kagi's results over its paid Search API v1, as documented and as SearXNG's engine of August 2026 reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from monitor.model import Capture, Context, Http, Kind, LayoutChanged, Measure, Parsed, Secret, Series, Source, each
from monitor.sources.search import common

_KEY = Secret(env="KAGI_API_KEY")
_OTHERS = {
    "news": Kind.NEWS,
    "interesting_news": Kind.NEWS,
    "video": Kind.VIDEO,
    "image": Kind.IMAGE,
    "infobox": Kind.KNOWLEDGE,
    "direct_answer": Kind.ANSWER,
    "adjacent_question": Kind.PEOPLE_ALSO_ASK,
    "interesting_finds": Kind.OTHER,
    "listicle": Kind.OTHER,
    "web_archive": Kind.OTHER,
}
_NO_BLOCKS = {"related_search", "search"}
_ERRORS = {  # https://help.kagi.com/kagi/api/intro/response-format.html
    0: ("server_error", "error 0"),
    1: ("bad_request", "error 1"),
    2: ("denied", "error 2, the key is not accepted"),
    100: ("denied", "error 100, no billing information"),
    101: ("denied", "error 101, the credit is used up"),
}


@dataclass(frozen=True)
class Kagi(Source):
    """Where Kagi shows your pages, from Kagi's Search API: several indexes, its own among them, ranked by Kagi.

    It costs a key: about 12 US dollars for 1,000 searches, paid as they are used (as of 2026). Monitor asks once a
    day for each query, one search a page.

    What it cannot say: what Kagi shows you with your own rules (pages you raised or blocked), which index a result
    came from, and that a page is nowhere: "not found" means not within the results seen. No answer of it was at hand
    when this was written; an answer in another shape is stored as `changed`.

    Keys: `queries`, what to search for; `key`, where the key is kept, never the key itself; `region`, two letters, or
    `no_region`; `pages`, 1 to 10; `url`, where to ask.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "kagi"

    queries: tuple[str, ...] = ()
    key: Secret = _KEY
    region: str = "no_region"
    pages: int = 1
    url: str = "https://kagi.com/api/v1/search"

    def __post_init__(self) -> None:
        common.check(self.queries, 2048, pages=(self.pages, 10))

    def split(self) -> Iterable[tuple[str, Self]]:
        """One source per query."""
        return each(self, "queries")

    def series(self) -> Series:
        """Kagi's page, this query in this region."""
        return Series("kagi", "kagi", "".join(self.queries[:1]), self.region)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The page to read first; further ones are asked while there are results."""
        if self.queries:
            yield self._page(ctx.page)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer. Where there is nothing, Kagi leaves the results out.

        Raises Blocked for a refusal, and LayoutChanged for what is no whole answer of this interface.
        """
        answer = common.read(capture)
        if answer.get("error"):
            errors = answer["error"]
            error = common.rows(errors if isinstance(errors, list) else [errors], "error")[0]
            code = error.get("code")
            if isinstance(code, int) and code in _ERRORS:
                return common.refused(*_ERRORS[code])
            return common.trouble(common.plain(error.get("msg") or error.get("message")))
        common.within(answer.get("meta"), "meta")
        data = common.within(answer.get("data"), "data")
        if "search" not in data and set(data) - set(_OTHERS) - _NO_BLOCKS:
            raise LayoutChanged(detail="neither results nor blocks that are known")
        found = common.rows(data.get("search", []), "search")
        return common.parsed(
            [*map(common.organic, found), *common.sections(data, _OTHERS)],
            following=self._page(ctx.page + 1) if ctx.page < self.pages else None,
        )

    def _page(self, page: int) -> Http:
        asked = {"query": self.queries[0], "page": page, "workflow": "search", "safe_search": True}
        return Http(
            self.url,
            headers=(("Accept", "application/json"), ("Authorization", replace(self.key, prefix="Bearer "))),
            json=common.compact({**asked, "filters": {"region": self.region}}),
        )
