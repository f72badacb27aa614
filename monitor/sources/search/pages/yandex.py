"""Yandex' pages of 2021 to 2026: the items of the list `serp-item`. Its pages of 2021 have no closing `html` tag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from monitor.model import Kind, Result
from monitor.sources.search.pages.dom import Dom, Tag, address, has_class, path, said, words
from monitor.sources.search.pages.engine import Block, Engine, Layout, below, line, listed, named
from monitor.sources.search.pages.saved import instant

BASE = "https://yandex.com/"
_HOST = re.compile(r"(?:.+\.)?(?:yandex\.(?:[a-z]{2,3}|com\.[a-z]{2})|ya\.ru)")
_KNOWN = path(
    ".//*[has-class(serp-item) or has-class(EmptySearchResults) or has-class(serp-list)]"
    " | .//body[has-class(b-page)] | .//html[has-class(i-ua_js_no) or has-class(i-ua_js_yes)]"
    ' | .//*[starts-with(@class, "CheckboxCaptcha") or starts-with(@class, "AdvancedCaptcha")]'
    " | self::html[has-class(i-ua_js_no) or has-class(i-ua_js_yes)]"
)
_ITEMS = path(".//li[has-class(serp-item) or @data-fast][not(ancestor::li[has-class(serp-item) or @data-fast])]")
_LINK = (
    path(".//a[@href][has-class(OrganicTitle-Link) or has-class(organic__url)]"),
    path(".//h2//a[@href] | .//a[@href][.//h2]"),
    path(".//h3//a[@href]"),
)
_TITLE = (path(".//*[has-class(OrganicTitle-LinkText)]"), path(".//h2"), path("."))
_SNIPPET = (
    path(".//*[has-class(OrganicTextContentSpan)]"),
    path(".//*[has-class(OrganicText) or has-class(organic__text)]"),
    path(".//*[has-class(TextContainer) or has-class(Organic-ContentWrapper)]"),
)
_SHOWN = (path(".//*[has-class(Path) or has-class(path)]"),)
_BELOW = path(
    './/*[contains(@class, "Sitelinks") or contains(@class, "sitelinks")]//a[@href]'
    " | .//a[@href][contains(@class, 'itelink')]"
)
_AD = path(
    'descendant-or-self::*[@data-fast-name="direct" or @data-fast-name="serp-adv"]'
    " | descendant-or-self::*[has-class(serp-adv-item) or has-class(serp-adv__found) or has-class(AdvLabel)]"
    ' | .//*[@aria-label="Реклама" or @title="Реклама" or @aria-label="Ad"] | .//a[contains(@href, "yabs.yandex.")]'
)
_OUTWARD = path(".//a[@href]")
_HEADING = (path(".//h2 | .//h3"), path(".//*[@role='heading']"))
_NONE = path(".//*[has-class(EmptySearchResults) or has-class(misspell__requery)]")
_ALTERED = path('.//*[has-class(misspell__message) or has-class(Misspell) or contains(@class, "MisspellMessage")]//a')
_LEFT = re.compile(r"noreask=|[?&]nomisspell=")
_FOOTER = path('.//*[has-class(serp-footer) or has-class(pager) or has-class(Pager) or contains(@class, "SerpFooter")]')
_ASKED = path('.//input[@name="text"]')
_REQUEST = re.compile(r'reqid"?\s*[:=]\s*"?(\d{16})-')


def blocks(page: Dom) -> Iterator[Block]:
    """The items of the list in order."""
    for item in page.find(_ITEMS):
        link = next((found for one in _LINK for found in one(item)), None)
        name = (item.get("data-fast-name") or item.get("data-fast-wzrd") or "").lower()
        if link is not None and (_AD(item) or not name or has_class(link, "OrganicTitle-Link", "organic__url")):
            yield tuple(_result(item, link))
        elif heading := said(item, *_HEADING) or words(item, 200):
            yield listed(Kind.AD if _AD(item) else named(name), heading, _OUTWARD(item)[:200], BASE, _HOST)


def _result(item: Tag, link: Tag) -> Iterator[Result]:
    url = address(link.get("href"), BASE)
    kind = Kind.AD if _AD(item) else Kind.ORGANIC
    result = line(kind, url, said(link, *_TITLE), said(item, *_SNIPPET), said(item, *_SHOWN))
    yield result
    yield from below(_BELOW(item)[:60], result, BASE, _HOST)


def none(page: Dom) -> bool:
    """Whether Yandex says that there is nothing."""
    return bool(page.find(_NONE))


def altered(page: Dom) -> str:
    """The query answered instead, or besides; the other link offers the one asked."""
    links = [link for link in page.find(_ALTERED) if not _LEFT.search(link.get("href") or "")]
    return next((text for link in links if (text := words(link))), "")


def saved_at(page: Dom) -> datetime | None:
    """When Yandex made the page: its request id begins with Unix microseconds."""
    found = _REQUEST.search(page.text)
    return instant(int(found[1]) / 1e6) if found else None


def ends(page: Dom) -> bool:
    """Whether the page reaches its end, or its footer where it has no closing tag."""
    return page.whole or bool(page.find(_FOOTER))


YANDEX = Engine(
    name="yandex",
    provider="yandex",
    host=_HOST,
    known=_KNOWN,
    asked=_ASKED,
    title=re.compile(r"(.+?) — (?:Яндекс|Yandex)\b.*"),
    parse=Layout(blocks, none, altered=altered, ends=ends, own=_HOST).parse,
    parameters=("text",),
    saved_at=saved_at,
)
