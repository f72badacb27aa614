"""One engine through a SearXNG of the owner's own, known from SearXNG 2026.8.22 run over saved pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Self

from monitor.model import Blocked, Capture, Context, Http, Kind, LayoutChanged, Measure, Parsed, Series, Source, each
from monitor.sources.search import common
from monitor.sources.search.common import Block, Json

_PROVIDERS: Mapping[str, str] = MappingProxyType({"duckduckgo": "bing", "yahoo": "bing", "startpage": "google"})
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {"images.html": Kind.IMAGE, "videos.html": Kind.VIDEO, "map.html": Kind.LOCAL}
)
# SearXNG's own words, searx/webutils.py; "Suspended: " may stand before them.
_REFUSED = {"captcha": "captcha", "too many requests": "rate_limited", "access denied": "denied"}
_FAULTS = {
    "parsing error": "it does not understand the engine's page: update SearXNG",
    "unexpected crash": "its engine crashed: update SearXNG",
    "timeout": "the engine behind it did not answer in time",
    "error": "the engine behind it did not answer well",
}


@dataclass(frozen=True)
class SearXng(Source):
    """Where one engine shows your pages, asked through a SearXNG of your own.

    It costs nothing but the instance. Public instances cannot be used: their plugins rewrite addresses, and theirs is
    not yours to ask daily. In its settings.yml, `search.formats` lists `json`, and `plugins` is `{}`.

    Each block names one engine, by the name it has in settings.yml, and each is a series of its own. Monitor asks once
    a day for each query, one search a page, and takes an answer only if every line of it came from that engine alone:
    SearXNG answers a name that it does not know with the results of all engines. Asking `google` is not advised:
    SearXNG pretends to be a phone there.

    SearXNG does not tell "nothing found" from "the page was not understood": an empty answer is stored as `suspect`,
    never as an answer. A captcha, a refusal or a limit that it reports is stored as `blocked`, any other trouble
    between it and the engine as `failed`.

    What it cannot say: what the engine shows in your browser, where ads and answers stood, and that a page is
    nowhere: "not found" means not within the results seen.

    Keys: `url`, the address of the instance; `engine`, the engine's name there; `queries`, what to search for;
    `language`, such as `en` or `nb-NO` (`all` is none); `pages`, how many to read at most, 1 to 10.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "searxng"
    reads_status: ClassVar[frozenset[int]] = frozenset({403})  # a format that is not enabled

    url: str
    engine: str
    queries: tuple[str, ...] = ()
    language: str = "en"
    pages: int = 1

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("url is the address of your instance, such as http://127.0.0.1:8888")
        if not self.engine.strip() or "," in self.engine:
            raise ValueError("engine is one engine; write a block for each")
        common.check(self.queries, 2048, pages=(self.pages, 10))
        if any(query.lstrip().startswith(("!", ":")) for query in self.queries):
            raise ValueError("queries that begin with ! or : are commands to SearXNG")

    def split(self) -> Iterable[tuple[str, Self]]:
        """One source per query."""
        return each(self, "queries")

    def series(self) -> Series:
        """The engine's page, the index behind it, this query in this language."""
        engine = self.engine.strip().casefold()
        return Series(engine, _PROVIDERS.get(engine, engine), "".join(self.queries[:1]), self.language)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The page to read first; further ones are asked while there are results."""
        if self.queries:
            yield self._page(ctx.page)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer.

        Raises Blocked where the engine refused, and LayoutChanged for results of several engines and for what is no
        whole answer of SearXNG.
        """
        if capture.status == 403:
            raise Blocked("denied", "does search.formats in its settings.yml list json?")
        answer = common.read(capture)
        if not isinstance(answer.get("query"), str) or not isinstance(answer.get("unresponsive_engines"), list):
            raise LayoutChanged(detail="the answer is not a SearXNG search's")
        found = common.rows(answer.get("results"), "results")
        asked = self.engine.strip()
        if found and not any(row.get("engines") == [asked] for row in found):
            return common.refused(
                "bad_request", f"all results are of other engines: has settings.yml one called {asked}?"
            )
        if any(row.get("engines") != [asked] for row in found):
            raise LayoutChanged(detail=f"a result is not {asked}'s alone")
        if not found and answer["unresponsive_engines"]:
            return _unresponsive(answer["unresponsive_engines"])
        more = ctx.page < self.pages
        page = common.parsed(
            map(_block, sorted(found, key=_place)), following=self._page(ctx.page + 1) if more else None
        )
        if page.none and ctx.page == 1:  # after a page with results nothing further is likely the end
            return replace(page, doubt="empty_unverified")
        return page

    def _page(self, page: int) -> Http:
        """The question for a page counted from 1; the words of trouble are asked for in English."""
        address = self.url.rstrip("/")
        return Http(
            address if address.endswith("/search") else f"{address}/search",
            params=(
                ("q", self.queries[0]),
                ("format", "json"),
                ("engines", self.engine.strip()),
                ("language", self.language),
                ("pageno", str(page)),
                ("safesearch", "1"),
            ),
            headers=(("Accept", "application/json"), ("Accept-Language", "en")),
        )


def _place(row: Json) -> int:
    """The engine's own order, which the list does not keep: it is grouped by category and template."""
    places = row.get("positions")
    if not isinstance(places, list) or not places or not all(isinstance(place, int) for place in places):
        raise LayoutChanged(detail="a result has no place")
    return int(min(places))


def _block(row: Json) -> Block:
    template = row.get("template")
    kind = _KINDS.get(template) if isinstance(template, str) else None
    return [common.result(row, kind or Kind.ORGANIC)]


def _unresponsive(engines: list[object]) -> Parsed:
    """What SearXNG says of an engine that gave nothing: pairs of its name and a few words."""
    said = " ".join(common.plain(pair[1]) for pair in engines if isinstance(pair, list) and len(pair) == 2).casefold()
    for words, reason in _REFUSED.items():
        if words in said:
            raise Blocked(reason, "the engine behind it")
    for words, detail in _FAULTS.items():
        if words in said:
            return common.refused("server_error", detail)
    return common.refused("server_error", "its words are in the answer kept")
