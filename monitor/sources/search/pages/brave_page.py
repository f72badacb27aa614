"""Brave's page (search.brave.com) as browsers show it in 2026.

No saved page of it was at hand; the marks are those of SearXNG's and ddgs' engines, and of published notes on pages
saved in September 2026: the main column is `#mixed-main` or `#results`, a result a `snippet` of `data-type="web"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.model import Kind, Result
from monitor.sources.search.pages.dom import Dom, Tag, address, path, said, words
from monitor.sources.search.pages.engine import Block, Engine, Layout, below, line, listed, named, says

BASE = "https://search.brave.com/"
_HOST = re.compile(r"search\.brave\.com")
_KNOWN = path(
    './/*[has-class(snippet)][@data-type] | .//*[@id="mixed-main"] | .//*[@id="llm-snippet"]'
    ' | .//meta[@property="og:site_name"][contains(@content, "Brave Search")]'
)
_PARTS = path(
    './/*[has-class(snippet) or @id="faq" or @id="discussions" or @id="locations" or @id="infobox"]'
    '[not(ancestor::*[has-class(snippet) or @id="faq" or @id="discussions" or @id="locations" or @id="infobox"])]'
    '[not(@id="search-elsewhere" or @id="related-queries" or @id="pagination-snippet")]'
)
_LINK = path(".//a[starts-with(@href, 'http')]")
_TITLE = (path(".//*[has-class(search-snippet-title)]"), path(".//*[has-class(title)]"), path(".//h2 | .//h3"))
_SNIPPET = (
    path(".//*[has-class(generic-snippet)]"),
    path(".//*[has-class(snippet-description) or has-class(snippet-content)]"),
    path(".//*[has-class(content)]"),
)
_SHOWN = path(".//cite | .//*[has-class(snippet-url)]")
_BELOW = path(
    ".//*[has-class(deep-results) or has-class(sitelinks) or has-class(snippet)]//a[starts-with(@href, 'http')]"
)
_HEADING = (path(".//h2 | .//h3"), path(".//*[has-class(title)]"))
_VIDEO = path('.//*[contains(@class, "video")]')
_NONE = path('.//*[has-class(no-results) or @id="no-results" or @data-testid="no-results"]')
_NONE_SAID = re.compile(r"Not many great matches came back|No results found for|did not match any")
_ALTERED = path('.//*[@id="altered-query" or has-class(altered-query) or @id="bo-altered"]//a')
_REFUSED = path('.//a[contains(@href, "torproject.org")] | .//*[@id="pow-captcha" or has-class(captcha-container)]')
_ASKED = path('.//textarea[@id="searchbox" or @name="q"] | .//input[@id="searchbox" or @name="q"]')


def blocks(page: Dom) -> Iterator[Block]:
    """The parts of the page in order."""
    for part in page.find(_PARTS):
        links = _LINK(part)
        if part.get("data-type") == "web":
            if links:  # a relative address is an advertisement's
                yield tuple(_result(part, links[0]))
        elif links or words(part, 200):
            kind = named(f"{part.get('data-type') or ''} {part.get('id') or ''}")
            if kind is Kind.OTHER:
                kind = Kind.AD if part.get("data-type") == "ad" else Kind.VIDEO if _VIDEO(part) else kind
            yield listed(kind, said(part, *_HEADING), links[:200], BASE, _HOST)


def _result(part: Tag, link: Tag) -> Iterator[Result]:
    url = address(link.get("href"), BASE)
    titles = [title for one in _TITLE for title in one(part)]
    title = next((title.get("title") or words(title) for title in titles), "") or words(link)
    result = line(Kind.ORGANIC, url, title, said(part, *_SNIPPET), said(part, _SHOWN))
    yield result
    yield from below(_BELOW(part)[:60], result, BASE, _HOST)


def none(page: Dom) -> bool:
    """Whether Brave says that there is nothing."""
    return bool(page.find(_NONE)) or says(page, _NONE_SAID, _HOST)


def altered(page: Dom) -> str:
    """The query answered instead."""
    return next((text for link in page.find(_ALTERED) if (text := words(link))), "")


BRAVE = Engine(
    name="brave",
    provider="brave",
    host=_HOST,
    known=_KNOWN,
    asked=_ASKED,
    title=re.compile(r"(.+?) - Brave Search"),
    parse=Layout(blocks, none, altered=altered, refused=_REFUSED, own=_HOST).parse,
)
