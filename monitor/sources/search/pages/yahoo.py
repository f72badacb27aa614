"""Yahoo's pages: the items of `#web`, a result where a box says `algo`. The index is Bing's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.model import Kind, Result
from monitor.sources.search.pages.dom import Dom, Tag, address, path, said, words
from monitor.sources.search.pages.engine import Block, Engine, Layout, below, line, listed, named, says

BASE = "https://search.yahoo.com/"
_HOST = re.compile(r"(?:.+\.)?yahoo\.com")
_OWN = re.compile(r"(?:.+\.)?(?:yahoo|bing|bingj)\.com")  # bingj.com holds what "Cached" leads to
_KNOWN = path(
    './/*[@id="web"]//*[has-class(algo) or has-class(compTitle)] | .//form[contains(@action, "search.yahoo.com")]'
    ' | .//form[contains(@action, "/search")][.//input[@name="p"]][.//input[@name="fr" or @name="fr2"]]'
    ' | .//meta[@property="og:site_name"][starts-with(@content, "Yahoo")]'
)
_BOXES = path(
    './/*[@id="web" or @id="main"]//*[has-class(algo) or has-class(algo-sr) or has-class(relsrch) or has-class(dd)]'
    "[not(ancestor::*[has-class(algo) or has-class(algo-sr) or has-class(relsrch) or has-class(dd)])]"
)
_ALGO = path("self::*[has-class(algo) or has-class(algo-sr) or has-class(relsrch)]")
_LINK = (path(".//h3//a[@href]"), path(".//a[@href][.//h3]"), path(".//*[has-class(compTitle)]//a[@href]"))
_TITLE = (path(".//h3"), path("."))
_SNIPPET = (path(".//*[has-class(compText)]"), path(".//p"))
_SHOWN = (
    path(".//*[has-class(compTitle)]//span[text()[contains(., '.')]][not(ancestor::h3)]"),
    path(".//h3/../span | .//cite"),
)
_BELOW = path(".//*[has-class(compList) or has-class(compDlink) or has-class(compArticleList)]//a[@href]")
_AD = path(
    "ancestor-or-self::*[has-class(searchCenterTopAds) or has-class(searchCenterBottomAds) or has-class(ads)]"
    ' | .//a[contains(@href, "bing.com/aclick") or contains(@href, "/cbclk")]'
)
_OUTWARD = path(".//a[@href]")
_HEADING = (path(".//h2 | .//h3 | .//h4"), path(".//*[has-class(title)]"))
_ALTERED = path('.//*[@id="cquery"]//a | .//*[has-class(compAlsoTry) and contains(@class, "spell")]//a')
_NONE = path('.//*[has-class(zrp) or @id="zrp"] | .//*[@id="web" or @id="main"]//*[has-class(compNoResult)]')
_NONE_SAID = re.compile(r"We did not find results for|Wir konnten keine Ergebnisse|Check spelling or type a new query")
_ASKED = path('.//input[@id="yschsp"] | .//form[@role="search"]//input[@name="p"] | .//input[@name="p"]')


def blocks(page: Dom) -> Iterator[Block]:
    """The boxes of the main column in order."""
    for box in page.find(_BOXES):
        link = next((found for one in _LINK for found in one(box)), None)
        if link is None or not _ALGO(box):
            heading = said(box, *_HEADING)
            if heading and not _AD(box):
                yield listed(named(box.get("class") or ""), heading, _OUTWARD(box)[:200], BASE, _HOST)
            elif _AD(box) and link is not None:
                yield (line(Kind.AD, address(link.get("href"), BASE), words(link)),)
        else:
            yield tuple(_result(box, link))


def _result(box: Tag, link: Tag) -> Iterator[Result]:
    url = address(link.get("href"), BASE)
    kind = Kind.AD if _AD(box) else Kind.ORGANIC
    result = line(kind, url, said(link, *_TITLE), said(box, *_SNIPPET), said(box, *_SHOWN))
    yield result
    yield from below(_BELOW(box)[:60], result, BASE, _OWN)


def none(page: Dom) -> bool:
    """Whether Yahoo says that there is nothing."""
    return bool(page.find(_NONE)) or says(page, _NONE_SAID, _OWN)


def altered(page: Dom) -> str:
    """The query answered instead."""
    return next((text for link in page.find(_ALTERED) if (text := words(link))), "")


YAHOO = Engine(
    name="yahoo",
    provider="bing",
    host=_HOST,
    known=_KNOWN,
    asked=_ASKED,
    title=re.compile(r"(.+?) - Yahoo\b.*"),
    parse=Layout(blocks, none, altered=altered, own=_OWN).parse,
    parameters=("p",),
)
