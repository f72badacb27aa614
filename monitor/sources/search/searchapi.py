"""Google's results through SearchApi (searchapi.io), from a published answer of 2024 and its documentation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from monitor.model import Capture, Context, Http, Measure, Parsed, Secret, Series, Source, each
from monitor.sources.search import common
from monitor.sources.search.serpapi import read_page

_KEY = Secret(env="SEARCHAPI_API_KEY")


@dataclass(frozen=True)
class SearchApi(Source):
    """Where Google shows your pages, as SearchApi (searchapi.io) sees it.

    It costs a key: from about 40 US dollars a month for 10,000 searches (as of 2026). Monitor asks once a day for
    each query, one search a page. SearchApi asks Google on your behalf, which moves the act to them and not the
    question whether Google allows it.

    What it cannot say: what Google shows you, signed in and at your place; where between the results an answer, a
    video or a news block stood (they are kept, without a place); and that a page is nowhere: "not found" means not
    within the results seen. A link that Google made opaque is known by its host at most.

    Keys: `queries`, what to search for; `key`, where the key is kept, never the key itself; `gl`, the country in two
    letters; `hl`, the language; `location`, a place such as `Oslo, Norway`; `device`, `desktop`, `mobile` or
    `tablet`; `pages`, 1 to 10; `url`, where to ask.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "searchapi"
    reads_status: ClassVar[frozenset[int]] = frozenset({429})  # used-up searches are told so too

    queries: tuple[str, ...] = ()
    key: Secret = _KEY
    gl: str = "us"
    hl: str = "en"
    location: str = ""
    device: str = "desktop"
    pages: int = 1
    url: str = "https://www.searchapi.io/api/v1/search"

    def __post_init__(self) -> None:
        common.choose("device", self.device, ("desktop", "mobile", "tablet"))
        common.check(self.queries, 2048, pages=(self.pages, 10))

    def split(self) -> Iterable[tuple[str, Self]]:
        """One source per query."""
        return each(self, "queries")

    def series(self) -> Series:
        """Google's page and index, this query in this country, language, place and device."""
        locale = "/".join(filter(None, (self.gl, self.hl, self.location)))
        return Series("google", "google", "".join(self.queries[:1]), locale, self.device)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The page to read first; each answer says whether there is a next one."""
        if self.queries:
            yield self._page(ctx.page)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer.

        Raises Blocked for a refusal, and LayoutChanged for what is no whole answer of this interface.
        """
        if capture.status == 429:
            return common.trouble(common.said(capture, "error"), "rate_limited")
        following = self._page(ctx.page + 1) if ctx.page < self.pages else None
        return read_page(common.read(capture), "google", self.queries[0], following)

    def _page(self, page: int) -> Http:
        return Http(
            self.url,
            params=(
                ("engine", "google"),
                ("q", self.queries[0]),
                ("gl", self.gl),
                ("hl", self.hl),
                *((("location", self.location),) if self.location else ()),
                ("device", self.device),
                ("nfpr", "1"),
                ("page", str(page)),
            ),
            headers=(("Accept", "application/json"), ("Authorization", replace(self.key, prefix="Bearer "))),
        )
