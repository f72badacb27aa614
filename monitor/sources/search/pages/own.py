"""Saved pages of the engines whose plain pages Monitor also asks for itself: their own parsers read them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from monitor.model import Capture, Context, Parsed
from monitor.sources.search.duckduckgo import DuckDuckGo
from monitor.sources.search.mojeek import Mojeek
from monitor.sources.search.pages.dom import Dom, path
from monitor.sources.search.pages.engine import Engine

_CTX = Context(now=datetime(2000, 1, 1, tzinfo=UTC), day=date(2000, 1, 1))  # neither parser looks at it


def _duckduckgo(page: Dom, query: str) -> Parsed:
    return DuckDuckGo().parse(Capture(page.body), _CTX)


def _mojeek(page: Dom, query: str) -> Parsed:
    return Mojeek((query or "-",)).parse(Capture(page.body), _CTX)


DUCKDUCKGO = Engine(
    name="duckduckgo",
    provider="bing",
    host=re.compile(r"(?:.+\.)?duckduckgo\.com"),
    known=path(
        './/article[@data-testid="result" or @data-testid="ad"] | .//*[@id="links"]//*[has-class(result__a)]'
        ' | .//a[has-class(result-link)][ancestor::tr] | .//form[contains(@action, "/lite/")][.//input[@name="kl"]]'
        ' | .//*[starts-with(@class, "anomaly-modal")] | .//script[contains(@src, "anomaly.js")]'
        ' | .//title[contains(., " at DuckDuckGo")] | .//*[@id="duckbar"] | .//form[@id="search_form_homepage"]'
        ' | .//meta[@property="og:site_name"][@content="DuckDuckGo"]'
    ),
    asked=path('.//input[@name="q"]'),
    title=re.compile(r"(.+?) at DuckDuckGo"),
    parse=_duckduckgo,
)

MOJEEK = Engine(
    name="mojeek",
    provider="mojeek",
    host=re.compile(r"(?:.+\.)?mojeek\.(?:com|co\.uk|de|fr)"),
    known=path(".//ul[has-class(results-standard)]"),
    asked=path('.//input[@name="q"]'),
    title=re.compile(r"(.+?) - Mojeek Search"),
    parse=_mojeek,
)
