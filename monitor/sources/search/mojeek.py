"""Mojeek's own index: over its interface with a key, or from its plain results page without one.

The interface is known from its documentation and a client's test data (openculinary/pymojeek), the page's selectors
from SearXNG's engine of August 2026, the captcha from a saved page of 2026.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from monitor.model import (
    Blocked,
    Capture,
    Context,
    Http,
    LayoutChanged,
    Measure,
    Pairs,
    Parsed,
    Secret,
    Series,
    Source,
    each,
)
from monitor.sources.charset import text_of
from monitor.sources.search import common
from monitor.sources.search.common import Block, Json

if TYPE_CHECKING:
    from bs4 import Tag

_CAPTCHA = ".captcha-wrap, script[src*='altcha']"
_ON_A_PAGE = 10


@dataclass(frozen=True)
class Mojeek(Source):
    """Where Mojeek shows your pages: an index of its own, not Google's or Bing's.

    With a `key` it asks Mojeek's Search API; what that costs, Mojeek says on request. Without one it reads the plain
    results page, as a person would see it, under Monitor's own name. Mojeek meets some callers with a captcha: it is
    not solved, the day is stored as `blocked`, and the host is left alone for a while. Monitor asks once a day for
    each query, one question a page.

    Reading the plain page is unproven: no results page of Mojeek was at hand when this was written, only descriptions
    of it. A page that differs, also its page without results, is stored as `changed`, never as "nothing found". The
    same goes for an answer of the interface in another shape.

    What it cannot say: what Mojeek shows you with your settings, and that a page is nowhere: a page holds ten
    results; "not found" means not within those seen.

    Keys: `queries`, what to search for; `key`, where the key is kept, never the key itself; `language` and `region`,
    two letters each, which Mojeek prefers then; `pages`, 1 to 10; `url`, where to ask.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "mojeek"

    queries: tuple[str, ...] = ()
    key: Secret | None = None
    language: str = ""
    region: str = ""
    pages: int = 1
    url: str = "https://www.mojeek.com/search"

    def __post_init__(self) -> None:
        common.check(self.queries, 1000, pages=(self.pages, 10))

    def split(self) -> Iterable[tuple[str, Self]]:
        """One source per query."""
        return each(self, "queries")

    def series(self) -> Series:
        """Mojeek's page and index, this query in this region and language."""
        locale = "/".join(filter(None, (self.region, self.language)))
        return Series("mojeek", "mojeek", "".join(self.queries[:1]), locale)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The page to read first; further ones are asked while a page is full."""
        if self.queries:
            yield self._page(ctx.page)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read an answer of the interface, or a results page.

        Raises Blocked for a captcha or a refusal, and LayoutChanged for what is cut off or not known.
        """
        if capture.body.lstrip()[:1] == b"{":
            response = common.within(common.read(capture).get("response"), "response")
            status = common.plain(response.get("status"))
            if status and status.upper() != "OK":
                return common.trouble(status, "denied")
            blocks = _answered(response)
        else:
            blocks = list(_shown(capture))
        more = ctx.page < self.pages and len(blocks) >= _ON_A_PAGE
        return common.parsed(blocks, following=self._page(ctx.page + 1) if more else None)

    def _page(self, page: int) -> Http:
        """The question for a page counted from 1. Mojeek counts results from 1, and refuses who says so at page 1."""
        near = (("lb", self.language.upper()), ("rb" if self.key else "arc", self.region.upper()))
        params: Pairs = (
            ("q", self.queries[0]),
            ("safe", "1"),
            *(pair for pair in near if pair[1]),
            *((("s", str(_ON_A_PAGE * (page - 1) + 1)),) if page > 1 else ()),
        )
        if self.key:
            params += (("fmt", "json"), ("t", str(_ON_A_PAGE)), ("api_key", self.key))
        return Http(self.url, params)


def _answered(response: Json) -> list[Block]:
    """The results in an answer of the interface; none only where its head says 0."""
    if not response.get("status"):
        raise LayoutChanged(detail="the answer has no status")
    head = common.within(response.get("head"), "head")
    found = common.rows(response.get("results", []), "results")
    if not found and head.get("results") != 0:
        raise LayoutChanged(detail="neither results nor the word that there are none")
    return [common.organic(row) for row in found]


def _shown(capture: Capture) -> Iterator[Block]:
    """The results on a page, which must be whole."""
    from bs4 import BeautifulSoup  # 10 MB: only where there is a page
    from bs4.exceptions import ParserRejectedMarkup

    try:
        page = BeautifulSoup(text_of(capture), "lxml")
    except (ParserRejectedMarkup, ValueError) as error:  # ValueError: the charset it declares is no word
        raise LayoutChanged(detail="the page is no HTML") from error
    found = [row for row in page.select("ul.results-standard > li") if row.select_one("h2 > a[href], a.ob[href]")]
    if not found:
        raise Blocked("captcha") if page.select_one(_CAPTCHA) else LayoutChanged()
    if b"</html" not in capture.body[-4096:].lower():
        raise LayoutChanged(detail="the page breaks off, so its depth is not known")
    for row in found:
        link, title = row.select_one("a.ob[href]"), row.select_one("h2 > a")
        address = link or title
        href = str(address["href"]) if address is not None and address.get("href") else ""
        yield [common.result({"url": href, "title": _text(title), "snippet": _text(row.select_one("p.s"))})]


def _text(tag: Tag | None) -> str:
    return tag.get_text() if tag is not None else ""
