"""Brave's own index over its paid interface (Brave Search API, "Web Search")."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Self

from monitor import urls
from monitor.model import (
    Capture,
    Context,
    Http,
    Kind,
    LayoutChanged,
    Measure,
    Parsed,
    Result,
    Secret,
    Series,
    Source,
    each,
)
from monitor.sources.search.common import Json, plain

_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "news": Kind.NEWS,
        "videos": Kind.VIDEO,
        "images": Kind.IMAGE,
        "locations": Kind.LOCAL,
        "faq": Kind.PEOPLE_ALSO_ASK,
        "infobox": Kind.KNOWLEDGE,
        "summarizer": Kind.ANSWER,
        "rich": Kind.ANSWER,
    }
)
_KEY = Secret(env="BRAVE_API_KEY")


@dataclass(frozen=True)
class Brave(Source):
    """Where Brave Search shows your pages, from Brave's Search API: an index of its own, not Google's or Bing's.

    It costs a key. Brave asks for a card, gives a monthly credit of about 1,000 calls and then charges about 5 US
    dollars for each further 1,000 (as of September 2026). Monitor asks once a day for each query, one call a page: two
    queries at two pages make about 120 calls a month.

    It asks with spelling correction off, so that a rare name is not answered as a common one. Where Brave changes the
    query all the same, the answer says so and the reading is marked.

    What it cannot say: what search.brave.com shows in a browser (the API's order may differ), what stands below
    the last page asked (ten pages of twenty at most), and that a page is nowhere: "not found" means not within those.

    Keys: `queries`, what to search for; `key`, where the key is kept, never the key itself; `country`, two letters or
    `ALL`; `search_lang`, such as `en`; `pages`, how many to read at most, 1 to 10; `count`, results a page, 1 to 20;
    `url`, where to ask.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "brave"
    parser: ClassVar[int] = 1

    queries: tuple[str, ...] = ()
    key: Secret = _KEY
    country: str = "ALL"
    search_lang: str = "en"
    pages: int = 2
    count: int = 20
    url: str = "https://api.search.brave.com/res/v1/web/search"

    def __post_init__(self) -> None:
        if not 1 <= self.pages <= 10:
            raise ValueError("pages is 1 to 10")
        if not 1 <= self.count <= 20:
            raise ValueError("count is 1 to 20")
        if any(not query.strip() or len(query) > 400 for query in self.queries):
            raise ValueError("queries are 1 to 400 characters each, as Brave allows")

    def split(self) -> Iterable[tuple[str, Self]]:
        """One source per query."""
        return each(self, "queries")

    def series(self) -> Series:
        """Brave's page and Brave's index, this query in this country and language."""
        locale = f"{self.country}/{self.search_lang}"
        return Series(engine="brave", provider="brave", query="".join(self.queries[:1]), locale=locale)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The page to read first; each answer says whether there is a next one."""
        if self.queries:
            yield self._page(ctx.page)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer.

        Raises LayoutChanged for what is no whole answer of this API.
        """
        answer = _answer(capture.body)
        query: Json = answer["query"]
        found = _listed(answer, "web")
        if found and not any(urls.is_link(item["url"]) for item in found):
            raise LayoutChanged(detail="no result has an address")
        more = query.get("more_results_available") is True and ctx.page < self.pages
        altered = plain(query.get("altered"))
        return Parsed(
            tuple(_results(answer, found)),
            none=not found,
            next=self._page(ctx.page + 1) if found and more else None,
            altered="" if altered == query["original"] else altered,
        )

    def _page(self, page: int) -> Http:
        """The question for a page counted from 1. Brave's `offset` counts pages from 0, not results."""
        return Http(
            self.url,
            params=(
                ("q", self.queries[0]),
                ("country", self.country),
                ("search_lang", self.search_lang),
                ("count", str(self.count)),
                ("offset", str(page - 1)),
                ("safesearch", "moderate"),
                ("spellcheck", "0"),
                ("text_decorations", "0"),
            ),
            headers=(("Accept", "application/json"), ("X-Subscription-Token", self.key)),
        )


def _answer(body: bytes) -> Json:
    """The answer as an object with a query, which every good answer of the API has, even one without results."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise LayoutChanged(detail="the answer is no whole JSON") from error
    if not isinstance(answer, dict) or answer.get("type", "search") != "search":
        raise LayoutChanged(detail="the answer is not a search's")
    query = answer.get("query")
    if not isinstance(query, dict) or not isinstance(query.get("original"), str):
        raise LayoutChanged(detail="the answer names no query")
    return answer


def _listed(answer: Json, name: str) -> list[Json]:
    """The results in a section; none when it is missing, LayoutChanged when it is something else."""
    section = answer.get(name)
    if section is None:
        return []
    rows = section.get("results") if isinstance(section, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise LayoutChanged(detail=f"{name} holds no list of results")
    if name == "web" and not all(isinstance(row.get("url"), str) for row in rows):
        raise LayoutChanged(detail="a result has no address")
    return rows


def _results(answer: Json, found: list[Json]) -> Iterator[Result]:
    """Every block in page order: a web result with those grouped under it, or a whole section such as news."""
    for block, (section, index) in enumerate(_order(answer, len(found)), start=1):
        if section == "web":
            yield _result(found[index], Kind.ORGANIC, block, position=index + 1)
            group = found[index].get("cluster")
            below = [row for row in group if isinstance(row, dict)] if isinstance(group, list) else []
            kind, start = Kind.SITELINK, 1
        else:
            below, kind, start = _section(answer, section), _KINDS.get(section, Kind.OTHER), 0
        for sub_index, row in enumerate(below, start=start):
            yield _result(row, kind, block, sub_index)


def _order(answer: Json, found: int) -> list[tuple[str, int]]:
    """The page's blocks in order, from `mixed`: (section, index of the web result). Web results it leaves out follow.

    Without a readable `mixed` only the web results are known to have an order, which is their own.
    """
    mixed = answer.get("mixed")
    columns = [mixed.get("top"), mixed.get("main")] if isinstance(mixed, dict) else []
    order: list[tuple[str, int]] = []
    for entry in (entry for column in columns if isinstance(column, list) for entry in column):
        section = entry.get("type") if isinstance(entry, dict) else None
        if section == "web":
            index = entry.get("index")
            order += [("web", n) for n in range(found) if entry.get("all") is True or n == index]
        elif isinstance(section, str):
            order.append((section, 0))
    order += [("web", n) for n in range(found)]
    return list(dict.fromkeys(order))


def _section(answer: Json, name: str) -> list[Json]:
    """The rows of a section other than web. What is odd there costs the block's text, never its place."""
    section = answer.get(name)
    rows = section.get("results") if isinstance(section, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) and rows else [{"title": name}]


def _result(row: Json, kind: Kind, block: int, sub_index: int = 0, position: int | None = None) -> Result:
    """One line. An address that is no web link is left out, and the line keeps its place."""
    url = row.get("url")
    meta = row.get("meta_url")
    return Result(
        url=url if isinstance(url, str) and urls.is_link(url) else "",
        title=plain(row.get("title")),
        snippet=plain(row.get("description")),
        shown_host=plain(meta.get("hostname")) if isinstance(meta, dict) else "",
        kind=kind,
        position=position,
        position_absolute=block,
        block=block,
        sub_index=sub_index,
    )
