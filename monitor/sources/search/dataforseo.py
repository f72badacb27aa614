"""Google's results through DataForSEO (v3, SERP API, Google Organic, Live Advanced), from its documentation of 2026."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Self

from monitor.model import Capture, Context, Http, Kind, LayoutChanged, Measure, Parsed, Secret, Series, Source, each
from monitor.sources.search import common
from monitor.sources.search.common import Block, Json

_KEY = Secret(env="DATAFORSEO_KEY")
_OK, _NONE = 20000, 40102
_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "paid": Kind.AD,
        "featured_snippet": Kind.ANSWER,
        "answer_box": Kind.ANSWER,
        "ai_overview": Kind.ANSWER,
        "knowledge_graph": Kind.KNOWLEDGE,
        "top_stories": Kind.NEWS,
        "video": Kind.VIDEO,
        "short_videos": Kind.VIDEO,
        "images": Kind.IMAGE,
        "local_pack": Kind.LOCAL,
        "map": Kind.LOCAL,
        "people_also_ask": Kind.PEOPLE_ALSO_ASK,
    }
)


@dataclass(frozen=True)
class DataForSeo(Source):
    """Where Google shows your pages, as DataForSEO (dataforseo.com) sees it.

    It costs an account with a first deposit of 50 US dollars; a live question costs about 0.002 US dollars for each
    ten results (as of 2026). Monitor asks once a day for each query. The cheaper queue is not used: its answer comes
    minutes to hours after the question, in a question of its own. DataForSEO asks Google on your behalf, which moves
    the act to them and not the question whether Google allows it.

    The key is the login and the password of the interface, joined by a colon, in base64:

        (umask 077; printf %s 'LOGIN:PASSWORD' | base64 -w0 > dataforseo.key)

    What it cannot say: what Google shows you, signed in and at your place, and that a page is nowhere: "not found"
    means not within the results seen. A link that Google made opaque is known by its host at most.

    Keys: `queries`, what to search for; `key`, where the key is kept, never the key itself; `location`, a place as
    DataForSEO writes it, such as `Norway` or `London,England,United Kingdom`; `hl`, the language, such as `en`;
    `device`, `desktop` or `mobile`; `depth`, how many lines of the page to ask for, 10 to 100; `url`, where to ask.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "dataforseo"

    queries: tuple[str, ...] = ()
    key: Secret = _KEY
    location: str = "United States"
    hl: str = "en"
    device: str = "desktop"
    depth: int = 10
    url: str = "https://api.dataforseo.com/v3/serp/google/organic/live/advanced"

    def __post_init__(self) -> None:
        common.choose("device", self.device, ("desktop", "mobile"))
        common.check(self.queries, 700)
        if not 10 <= self.depth <= 100:
            raise ValueError("depth is 10 to 100")

    def split(self) -> Iterable[tuple[str, Self]]:
        """One source per query."""
        return each(self, "queries")

    def series(self) -> Series:
        """Google's page and index, this query at this place, in this language, on this device."""
        return Series("google", "google", "".join(self.queries[:1]), f"{self.location}/{self.hl}", self.device)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """One question, for all lines at once."""
        for query in self.queries[:1]:
            task = {
                "keyword": query,
                "location_name": self.location,
                "language_code": self.hl,
                "device": self.device,
                "depth": self.depth,
            }
            headers = (("Accept", "application/json"), ("Authorization", replace(self.key, prefix="Basic ")))
            yield Http(self.url, headers=headers, json=common.compact([task]))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer.

        Raises Blocked for a refusal, and LayoutChanged for what is no whole answer of this interface.
        """
        answer = common.read(capture)
        if answer.get("status_code") != _OK:
            return _refused(answer.get("status_code"))
        task = _only(answer.get("tasks"), "tasks")
        if task.get("status_code") == _NONE:
            return Parsed(none=True)
        if task.get("status_code") != _OK:
            return _refused(task.get("status_code"))
        page = _only(task.get("result"), "result")
        items = page.get("items")
        if not items and page.get("items_count") == 0:
            return Parsed(none=True)
        blocks = [*_blocks(common.rows(items, "items"))]
        if not blocks:
            raise LayoutChanged(detail="neither results nor the word that there are none")
        return common.parsed(blocks, whole_page=True, altered=_altered(page))


def _only(value: object, name: str) -> Json:
    rows = common.rows(value, name)
    if len(rows) != 1:
        raise LayoutChanged(detail=f"{name} does not hold one entry")
    return rows[0]


def _blocks(items: list[Json]) -> Iterator[Block]:
    for item in items:
        kind = item.get("type")
        if kind == "organic":
            yield common.organic(item)
        elif isinstance(kind, str) and kind != "related_searches":
            yield [common.result(item, _KINDS.get(kind, Kind.OTHER))]


def _altered(page: Json) -> str:
    """The query that Google answered instead; "did you mean" is a suggestion only."""
    spell = page.get("spell")
    if not isinstance(spell, dict) or spell.get("type") == "did_you_mean":
        return ""
    return common.plain(spell.get("keyword"))


def _refused(code: object) -> Parsed:
    """What a status code other than "ok" means (their table of errors). Raises Blocked and LayoutChanged."""
    if not isinstance(code, int):
        raise LayoutChanged(detail="the answer has no status code")
    if code in (40202, 40209):
        return common.refused("rate_limited", f"error {code}")
    if code in (40200, 40210):
        return common.refused("denied", f"error {code}, the credit is used up")
    if code in (40100, 40104) or 40200 <= code < 40300:
        return common.refused("denied", f"error {code}")
    return common.refused("server_error" if code in (40101, 40103) or code >= 50000 else "bad_request", f"error {code}")
