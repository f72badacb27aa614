"""Google's results through Serper (google.serper.dev), from published answers of 2024 and clients' code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Self

from monitor.model import Capture, Context, Http, Kind, LayoutChanged, Measure, Parsed, Secret, Series, Source, each
from monitor.sources.search import common

_KEY = Secret(env="SERPER_API_KEY")
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "ads": Kind.AD,
        "answerBox": Kind.ANSWER,
        "knowledgeGraph": Kind.KNOWLEDGE,
        "topStories": Kind.NEWS,
        "videos": Kind.VIDEO,
        "images": Kind.IMAGE,
        "places": Kind.LOCAL,
        "peopleAlsoAsk": Kind.PEOPLE_ALSO_ASK,
    }
)


@dataclass(frozen=True)
class Serper(Source):
    """Where Google shows your pages, as Serper (serper.dev) sees it: Google itself offers no such interface any more.

    It costs a key: 2,500 calls free once, then about 1 US dollar for 1,000, and credit ends after six months (as of
    August 2026). Monitor asks once a day for each query, one call a page; a page holds about nine results. Serper
    asks Google on your behalf, which moves the act to them and not the question whether Google allows it.

    What it cannot say: what Google shows you, signed in and at your place; where between the results an answer, a
    video or a news block stood (they are kept, without a place); and that a page is nowhere: "not found" means not
    within the results seen. It asks as a desktop. A link that Google made opaque is known by its host at most.

    Keys: `queries`, what to search for; `key`, where the key is kept, never the key itself; `gl`, the country in two
    letters; `hl`, the language; `location`, a place such as `Oslo, Norway`; `pages`, 1 to 10; `url`, where to ask.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "serper"
    reads_status: ClassVar[frozenset[int]] = frozenset({400})  # used-up credit is told so

    queries: tuple[str, ...] = ()
    key: Secret = _KEY
    gl: str = "us"
    hl: str = "en"
    location: str = ""
    pages: int = 1
    url: str = "https://google.serper.dev/search"

    def __post_init__(self) -> None:
        common.check(self.queries, 2048, pages=(self.pages, 10))

    def split(self) -> Iterable[tuple[str, Self]]:
        """One source per query."""
        return each(self, "queries")

    def series(self) -> Series:
        """Google's page and index, this query in this country, language and place."""
        locale = "/".join(filter(None, (self.gl, self.hl, self.location)))
        return Series("google", "google", "".join(self.queries[:1]), locale, "desktop")

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The page to read first; further ones are asked while there are results."""
        if self.queries:
            yield self._page(ctx.page)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer.

        Raises Blocked for a refusal, and LayoutChanged for what is no whole answer of this interface.
        """
        if capture.status == 400:
            return common.trouble(common.said(capture, "message"))
        answer = common.read(capture)
        if "message" in answer:
            return common.trouble(common.plain(answer["message"]))
        asked = common.within(answer.get("searchParameters"), "searchParameters")
        if asked.get("type", "search") != "search":
            raise LayoutChanged(detail="the answer is not a search's")
        return common.parsed(
            [
                *map(common.organic, common.rows(answer.get("organic"), "organic")),
                *common.sections(answer, _KINDS),
            ],
            following=self._page(ctx.page + 1) if ctx.page < self.pages else None,
            altered=common.otherwise(self.queries[0], asked.get("q")),
        )

    def _page(self, page: int) -> Http:
        """The question for a page counted from 1, spelling correction off."""
        asked = {"q": self.queries[0], "gl": self.gl, "hl": self.hl, "location": self.location}
        return Http(
            self.url,
            headers=(("Accept", "application/json"), ("X-API-KEY", self.key)),
            json=common.body(**asked, page=page, autocorrect=False),
        )
