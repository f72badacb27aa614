"""Bing's pages of 2015 to 2026: the items of `ol#b_results`, each an organic result, an advertisement or an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.model import Kind, Result
from monitor.sources.search.pages.dom import Dom, Tag, address, has_class, path, said, words
from monitor.sources.search.pages.engine import Block, Engine, Layout, below, line, listed

BASE = "https://www.bing.com/"
_HOST = re.compile(r"(?:.+\.)?bing\.com")
_KNOWN = path(
    './/*[@id="b_results"] | .//*[@id="b_content"] | .//form[@id="sb_form"][.//*[@name="q"]]'
    ' | .//meta[@property="og:site_name"][@content="Bing"]'
)
_ITEMS = path('.//*[@id="b_results"]/*[self::li or self::div][not(has-class(b_pag))]')
_LINK = (path(".//h2//a[@href]"), path(".//a[@href][.//h2]"))
_TITLE = (path(".//h2//a"), path(".//h2"))
_ADS = path(".//*[has-class(sb_add)] | ./ul/li[not(.//*[has-class(sb_add)])]")
_SNIPPET = (path(".//*[has-class(b_caption)]//p"), path(".//*[has-class(b_caption)] | .//*[has-class(b_lineclamp2)]"))
_CITE = path(".//cite")
_BELOW = path(
    ".//*[has-class(b_deep) or has-class(b_deepdesk) or has-class(b_vlist2col) or has-class(deeplink_title)"
    " or has-class(b_dlsitelinks) or has-class(deeplinks) or has-class(dlCollapsedCnt)]//a[@href]"
)
_OUTWARD = path(".//a[@href]")
_HEADING = (path(".//h2"), path(".//*[@role='heading']"), path(".//h3"))
_RELATED = path(".//*[has-class(b_rs)]")
_NONE = path('.//*[@id="b_results"]/li[has-class(b_no)]')
_ALTERED = (path('.//*[@id="sp_recourse"]//a'), path('.//*[@id="sp_requery"]//a'))
_ASKED = path('.//input[@id="sb_form_q"] | .//textarea[@id="sb_form_q"] | .//input[@name="q"] | .//textarea[@name="q"]')

# An answer is known by a word in the class of something in it.
_ANSWERS = (
    (path(".//*[contains(@class, 'vidans') or contains(@class, 'vsathm') or contains(@class, 'mmvd')]"), Kind.VIDEO),
    (path(".//*[contains(@class, 'newsans') or contains(@class, 'news-card')]"), Kind.NEWS),
    (path(".//*[contains(@class, 'imgAns') or contains(@class, 'iusc') or contains(@class, 'mimg')]"), Kind.IMAGE),
    (path(".//*[contains(@class, 'related-qna') or contains(@class, 'df_qna') or contains(@class, 'alsoAsk')]"),
     Kind.PEOPLE_ALSO_ASK),
    (path(".//*[contains(@class, 'b_local') or contains(@class, 'lcl_') or contains(@class, 'localAns')]"), Kind.LOCAL),
    (path(".//*[contains(@class, 'b_entity')]"), Kind.KNOWLEDGE),
)  # fmt: skip


def blocks(page: Dom) -> Iterator[Block]:
    """The items of the list in order."""
    for item in page.find(_ITEMS):
        link = next((found for one in _LINK for found in one(item)), None)
        url = address(link.get("href"), BASE) if link is not None else ""
        if has_class(item, "b_ad", "b_adTop", "b_adBottom"):
            yield from _ads(item)
        elif link is not None and has_class(item, "b_algo"):
            yield tuple(_result(item, link, url))
        elif has_class(item, "b_ans", "b_top", "b_mop") and not _RELATED(item) and (block := _answer(item)):
            yield block


def _result(item: Tag, link: Tag, url: str) -> Iterator[Result]:
    result = line(Kind.ORGANIC, url, words(link) or said(item, *_TITLE), said(item, *_SNIPPET), said(item, _CITE))
    yield result
    yield from below(_BELOW(item)[:60], result, BASE, _HOST)


def _ads(item: Tag) -> Iterator[Block]:
    for one in _ADS(item)[:50]:
        link = next((found for where in _LINK for found in where(one)), None)
        if link is not None:
            url = address(link.get("href"), BASE)
            yield (line(Kind.AD, url, words(link), said(one, *_SNIPPET), said(one, _CITE)),)


def _answer(item: Tag) -> Block:
    heading = said(item, *_HEADING)
    if not heading and not words(item, 200):
        return ()
    kind = next(
        (kind for marked, kind in _ANSWERS if marked(item)), Kind.ANSWER if has_class(item, "b_top") else Kind.OTHER
    )
    return listed(kind, heading, _OUTWARD(item)[:200], BASE, _HOST)


def none(page: Dom) -> bool:
    """Whether Bing says that there is nothing; `b_no` as a whole word, for `b_nohov` stands on good pages."""
    return bool(page.find(_NONE))


def altered(page: Dom) -> str:
    """The query answered instead, or besides."""
    return next((text for link in page.find(*_ALTERED) if (text := words(link))), "")


BING = Engine(
    name="bing",
    provider="bing",
    host=_HOST,
    known=_KNOWN,
    asked=_ASKED,
    title=re.compile(r"(.+?) - (?:Bing|Search|Suchen|Recherche)(?: .*)?"),
    parse=Layout(blocks, none, altered=altered, own=_HOST).parse,
)
