"""Results of Google, Bing, DuckDuckGo, Yahoo and Yandex through SerpApi, from its published answers and documentation.

SearchApi answers in the same shape; `read_page` reads both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, NamedTuple, Self

from monitor.model import Capture, Context, Http, Kind, LayoutChanged, Measure, Parsed, Secret, Series, Source, each
from monitor.sources.search import common
from monitor.sources.search.common import Json

_KEY = Secret(env="SERPAPI_KEY")
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "ads": Kind.AD,
        "ai_overview": Kind.ANSWER,
        "answer_box": Kind.ANSWER,
        "knowledge_graph": Kind.KNOWLEDGE,
        "top_stories": Kind.NEWS,
        "news_results": Kind.NEWS,
        "inline_videos": Kind.VIDEO,
        "short_videos": Kind.VIDEO,
        "inline_images": Kind.IMAGE,
        "local_results": Kind.LOCAL,
        "related_questions": Kind.PEOPLE_ALSO_ASK,
        "discussions_and_forums": Kind.OTHER,
    }
)
_NONE = re.compile(r"(?:hasn.t|didn.t|has not|did not) return(?:ed)? any results", re.I)


class _Engine(NamedTuple):
    """What one engine calls things here, and whose index it shows; `{gl}` and `{hl}` are filled in."""

    provider: str
    query: str
    locale: Mapping[str, str]
    places: bool = False


_ENGINES: Mapping[str, _Engine] = MappingProxyType(
    {
        "google": _Engine("google", "q", {"gl": "{gl}", "hl": "{hl}", "nfpr": "1"}, places=True),
        "bing": _Engine("bing", "q", {"mkt": "{hl}-{gl}"}, places=True),
        "duckduckgo": _Engine("bing", "q", {"kl": "{gl}-{hl}"}),
        "yahoo": _Engine("bing", "p", {"vc": "{gl}", "vl": "lang_{hl}"}),
        "yandex": _Engine("yandex", "text", {"lang": "{hl}"}),
    }
)


@dataclass(frozen=True)
class SerpApi(Source):
    """Where Google, or another engine, shows your pages, as SerpApi (serpapi.com) sees it.

    It costs a key: a small number of searches a month is free, then about 75 US dollars for 5,000, and what is not
    used lapses with the month (as of 2026). Monitor asks once a day for each query, one search a page. SerpApi asks
    the engine on your behalf, which moves the act to them and not the question whether the engine allows it.

    `engine` is `google`, `bing`, `duckduckgo`, `yahoo` or `yandex`: one a block, each a series of its own. DuckDuckGo
    and Yahoo show Bing's index: their moves and Bing's are one event, not three.

    What it cannot say: what the engine shows you, signed in and at your place; where between the results an answer, a
    video or a news block stood (they are kept, without a place); and that a page is nowhere: "not found" means not
    within the results seen. A link that Google made opaque is known by its host at most. An empty list without
    SerpApi's word that there is nothing is `suspect`, for such lists were seen where a second search had results.

    Keys: `queries`, what to search for; `key`, where the key is kept, never the key itself; `engine`; `gl`, the
    country in two letters; `hl`, the language; `location`, a place such as `Oslo, Norway` (google and bing);
    `device`, `desktop`, `mobile` or `tablet`; `pages`, 1 to 10 (above 1 for google only); `url`, where to ask.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "serpapi"
    reads_status: ClassVar[frozenset[int]] = frozenset({429})  # used-up searches are told so too

    queries: tuple[str, ...] = ()
    key: Secret = _KEY
    engine: str = "google"
    gl: str = "us"
    hl: str = "en"
    location: str = ""
    device: str = "desktop"
    pages: int = 1
    url: str = "https://serpapi.com/search.json"

    def __post_init__(self) -> None:
        common.choose("engine", self.engine, _ENGINES)
        common.choose("device", self.device, ("desktop", "mobile", "tablet"))
        common.check(self.queries, 2048, pages=(self.pages, 10 if self.engine == "google" else 1))
        if self.location and not _ENGINES[self.engine].places:
            raise ValueError(f"location is for google and bing, not {self.engine}")

    def split(self) -> Iterable[tuple[str, Self]]:
        """One source per query."""
        return each(self, "queries")

    def series(self) -> Series:
        """The engine's page, the index behind it, this query in this country, language, place and device."""
        locale = "/".join(filter(None, (self.gl, self.hl, self.location)))
        provider = _ENGINES[self.engine].provider
        return Series(self.engine, provider, "".join(self.queries[:1]), locale, self.device)

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
        return read_page(common.read(capture), self.engine, self.queries[0], following)

    def _page(self, page: int) -> Http:
        """The question for a page counted from 1; Google counts results from 0, ten a page."""
        names = _ENGINES[self.engine]
        locale = ((name, text.format(gl=self.gl, hl=self.hl)) for name, text in names.locale.items())
        return Http(
            self.url,
            params=(
                ("engine", self.engine),
                (names.query, self.queries[0]),
                *locale,
                *((("location", self.location),) if self.location else ()),
                ("device", self.device),
                *((("start", str(10 * (page - 1))),) if page > 1 else ()),
                ("api_key", self.key),
            ),
            headers=(("Accept", "application/json"),),
        )


def read_page(answer: Json, engine: str, query: str, following: Http | None) -> Parsed:
    """A page in SerpApi's and SearchApi's shape; `following` is asked only where the answer knows of a next page.

    Raises Blocked and LayoutChanged.
    """
    said = common.plain(answer.get("error"))
    nothing = bool(_NONE.search(said))
    if said and not nothing:
        return common.trouble(said)
    if common.within(answer.get("search_metadata"), "search_metadata").get("status") != "Success":
        return common.refused("server_error", "the search was not finished")
    if common.within(answer.get("search_parameters"), "search_parameters").get("engine") != engine:
        raise LayoutChanged(detail=f"the answer is not {engine}'s")
    information = answer.get("search_information")
    information = information if isinstance(information, dict) else {}
    found = common.rows(answer.get("organic_results", []), "organic_results")
    blocks = [*map(common.organic, found), *common.sections(answer, _KINDS)]
    state = common.plain(information.get("organic_results_state"))
    page = common.parsed(
        blocks,
        following=following if _knows_next(answer) else None,
        altered=common.otherwise(query, _answered(information)) if _answered(information) else "",
    )
    if page.none and not nothing and state != "Fully empty":
        if "organic_results" not in answer:
            raise LayoutChanged(detail="neither results nor the word that there are none")
        return replace(page, doubt="empty_unverified")
    return page


def _knows_next(answer: Json) -> bool:
    pages = (answer.get(name) for name in ("serpapi_pagination", "pagination"))
    return any(isinstance(page, dict) and page.get("next") for page in pages)


def _answered(information: Json) -> object:
    """The query that was answered where the engine says that it answered another one than asked."""
    state = common.plain(information.get("organic_results_state"))
    if "fixed spelling" in state:
        return information.get("showing_results_for") or information.get("spelling_fix") or state
    return information.get("showing_results_for")
