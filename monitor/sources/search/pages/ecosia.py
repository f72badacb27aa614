"""Ecosia's page of 2026: the parts of its main line, named by `data-test-id`.

The index is Bing's or Google's, by country and day, and the page does not say which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.model import Kind, Result
from monitor.sources.search.pages.dom import Dom, Tag, address, path, said, words
from monitor.sources.search.pages.engine import Block, Engine, Layout, below, line, listed, named

BASE = "https://www.ecosia.org/"
_HOST = re.compile(r"(?:.+\.)?ecosia\.org")
_KNOWN = path(
    './/*[@data-test-id="mainline" or @data-test-id="web-no-results" or @data-test-id="layout-skip-link"'
    ' or starts-with(@data-test-id, "mainline-result")]'
    ' | .//body[.//input[@name="cf-turnstile-response"]][contains(., "ecosia.org")]'
)
_PARTS = path(
    './/*[starts-with(@data-test-id, "mainline-result-")]'
    '[not(ancestor::*[starts-with(@data-test-id, "mainline-result-")])]'
)
_LINK = (
    path('.//a[@data-test-id="result-link"][.//h2 or .//*[@data-test-id="result-title"]]'),
    path(".//a[@href][.//h2 or ancestor::h2]"),
    path('.//a[@data-test-id="result-link"]'),
)
_TITLE = (path('.//*[@data-test-id="result-title"]'), path(".//h2"), path("."))
_SNIPPET = (path('.//*[@data-test-id="web-result-description" or @data-test-id="result-description"]'), path(".//p"))
_SHOWN = path('.//*[@data-test-id="result-source"] | .//*[has-class(result-info__domain)]')
_BELOW = path('.//*[contains(@data-test-id, "sitelink") or contains(@data-test-id, "deeplink")]//a[@href]')
_OUTWARD = path(".//a[@href]")
_HEADING = path('.//h2 | .//h3 | .//*[@data-test-id="title"]')
_NONE = path('.//*[@data-test-id="web-no-results"]')
_ALTERED = path('.//a[contains(@data-test-id, "spelling") or contains(@data-test-id, "query-correction")]')
_ASKED = path('.//input[@data-test-id="search-form-input"] | .//input[@name="q"]')


def blocks(page: Dom) -> Iterator[Block]:
    """The parts of the main line in order."""
    for part in page.find(_PARTS):
        name = part.get("data-test-id")
        link = next((found for one in _LINK for found in one(part)), None)
        if name == "mainline-result-web" and link is not None:
            yield tuple(_result(part, link))
        elif name != "mainline-result-web":
            kind = Kind.AD if name.endswith("-ad") else named(name.removeprefix("mainline-result-"))
            if block := listed(kind, said(part, _HEADING), _OUTWARD(part)[:200], BASE, _HOST):
                yield block


def _result(part: Tag, link: Tag) -> Iterator[Result]:
    url = address(link.get("href"), BASE)
    result = line(Kind.ORGANIC, url, said(link, *_TITLE), said(part, *_SNIPPET), said(part, _SHOWN))
    yield result
    yield from below(_BELOW(part)[:60], result, BASE, _HOST)


def none(page: Dom) -> bool:
    """Whether Ecosia says that there is nothing."""
    return bool(page.find(_NONE))


def altered(page: Dom) -> str:
    """The query answered instead."""
    return next((text for link in page.find(_ALTERED) if (text := words(link))), "")


ECOSIA = Engine(
    name="ecosia",
    provider="",
    host=_HOST,
    known=_KNOWN,
    asked=_ASKED,
    title=re.compile(r"(.+?) - Ecosia(?: - .+)?"),
    parse=Layout(blocks, none, altered=altered, own=_HOST).parse,
)
