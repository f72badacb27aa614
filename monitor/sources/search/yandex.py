"""Yandex's results over its paid Search API v2, as documented and as SearXNG's engine of August 2026 reads it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Self

from monitor.model import Capture, Context, Http, LayoutChanged, Measure, Parsed, Secret, Series, Source, each
from monitor.sources.search import common
from monitor.sources.search.common import Json

if TYPE_CHECKING:
    from lxml import etree  # type: ignore[import-untyped]

_KEY = Secret(env="YANDEX_API_KEY")
_DOMAINS: Mapping[str, str] = MappingProxyType({"com": "EN", "ru": "RU", "tr": "TR", "kk": "KK", "be": "BE"})
_NONE = "15"
# https://yandex.cloud/en/docs/search-api/reference/error-codes
_ERRORS: Mapping[str, str] = MappingProxyType(
    {"32": "rate_limited", "55": "rate_limited", "20": "server_error"}
    | dict.fromkeys(("31", "33", "34", "42", "44", "48", "100"), "denied")
)


@dataclass(frozen=True)
class Yandex(Source):
    """Where Yandex shows your pages, from Yandex's Search API: its own index.

    It costs a key and a folder of Yandex Cloud: about 4 US dollars for 1,000 searches (as of 2026). The cheaper
    deferred search is not used: its answer comes in a question of its own, later. Monitor asks once a day for each
    query, one search a page, with spelling correction off.

    What it cannot say: what yandex.com shows in a browser (no ads and no answer blocks are given here), and that a
    page is nowhere: "not found" means not within the results seen. No answer of it was at hand when this was written;
    an answer in another shape is stored as `changed`.

    Keys: `folder`, the id of the folder the key belongs to; `queries`, what to search for; `key`, where the key is
    kept, never the key itself; `domain`, which Yandex: `com`, `ru`, `tr`, `kk` or `be`; `region`, a number of
    Yandex's list of regions (with `ru` only); `count`, results a page, 1 to 100; `pages`, how many to read at most;
    `url`, where to ask.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "yandex"

    folder: str
    queries: tuple[str, ...] = ()
    key: Secret = _KEY
    domain: str = "com"
    region: str = ""
    count: int = 10
    pages: int = 1
    url: str = "https://searchapi.api.cloud.yandex.net/v2/web/search"

    def __post_init__(self) -> None:
        common.choose("domain", self.domain, _DOMAINS)
        common.check(self.queries, 400, count=(self.count, 100), pages=(self.pages, 10))
        if self.pages * self.count > 250:
            raise ValueError("pages times count is at most 250, as Yandex allows")
        if self.region and (self.domain != "ru" or not self.region.isdecimal()):
            raise ValueError('region is a number of Yandex\'s list, and goes with domain = "ru"')

    def split(self) -> Iterable[tuple[str, Self]]:
        """One source per query."""
        return each(self, "queries")

    def series(self) -> Series:
        """Yandex's page and index, this query in this domain and region."""
        locale = "/".join(filter(None, (self.domain, self.region)))
        return Series("yandex", "yandex", "".join(self.queries[:1]), locale)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The page to read first; further ones are asked while a page is full."""
        if self.queries:
            yield self._page(ctx.page)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer: XML in base64 in JSON.

        Raises Blocked for a refusal, and LayoutChanged for what is no whole answer of this interface.
        """
        response = _xml(common.read(capture).get("rawData")).find("response")
        if response is None:
            raise LayoutChanged(detail="the XML holds no response")
        error = response.find("error")
        if error is not None:
            code = error.get("code", "")
            if code == _NONE:
                return Parsed(none=True)
            return common.refused(_ERRORS.get(code, "bad_request"), f"error {code}" if code.isdecimal() else "")
        found = [_row(doc) for doc in response.iterfind("results/grouping/group/doc")]
        if not found:
            raise LayoutChanged(detail="neither results nor the word that there are none")
        more = ctx.page < self.pages and len(found) >= self.count
        return common.parsed(
            map(common.organic, found),
            following=self._page(ctx.page + 1) if more else None,
            altered=_text(response.find("reask/text-to-show")) or _text(response.find("reask/text")),
        )

    def _page(self, page: int) -> Http:
        """The question for a page counted from 1; Yandex counts from 0."""
        asked = {
            "searchType": f"SEARCH_TYPE_{self.domain.upper()}",
            "queryText": self.queries[0],
            "familyMode": "FAMILY_MODE_MODERATE",
            "fixTypoMode": "FIX_TYPO_MODE_OFF",
            "page": str(page - 1),
        }
        groups = {"groupMode": "GROUP_MODE_FLAT", "groupsOnPage": str(self.count), "docsInGroup": "1"}
        return Http(
            self.url,
            headers=(("Accept", "application/json"), ("Authorization", replace(self.key, prefix="Api-Key "))),
            json=common.body(
                query=asked,
                groupSpec=groups,
                region=self.region,
                l10n=f"LOCALIZATION_{_DOMAINS[self.domain]}",
                folderId=self.folder,
                responseFormat="FORMAT_XML",
            ),
        )


def _xml(raw: object) -> etree._Element:
    """The document, read without entities, DTD and network. Raises LayoutChanged."""
    from lxml import etree  # 5 MB: only where there is an answer

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(base64.b64decode(raw if isinstance(raw, str) else "", validate=True), parser)
    except (ValueError, etree.XMLSyntaxError) as error:
        raise LayoutChanged(detail="rawData is no whole XML") from error
    if root.getroottree().docinfo.doctype:
        raise LayoutChanged(detail="the XML declares entities of its own")
    return root


def _row(doc: etree._Element) -> Json:
    names = {"url": "url", "domain": "domain", "title": "title", "snippet": "headline"}
    row: Json = {name: _text(doc.find(path)) for name, path in names.items()}
    row["snippet"] = row["snippet"] or " ".join(_text(passage) for passage in doc.iterfind("passages/passage"))
    return row


def _text(element: etree._Element | None) -> str:
    """The text of an element and of the marks around the query's words in it."""
    return "" if element is None else "".join(str(part) for part in element.itertext()).strip()
