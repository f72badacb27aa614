"""Startpage's page (Google's index) as browsers show it in 2026: its results as boxes, or as its script's data only.

No saved page of it was at hand; the marks are those of SearXNG's and ddgs' engines and of published notes of 2024 to
2026. A result is a box with a link `result-link`; the box of an encyclopaedia article has none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lxml import html  # type: ignore[import-untyped]

from monitor.model import Kind
from monitor.sources.search.pages.dom import Dom, Tag, address, path, said, words
from monitor.sources.search.pages.engine import Block, Engine, Layout, line, named, says

BASE = "https://www.startpage.com/"
_HOST = re.compile(r"(?:.+\.)?startpage\.com")
_DATA = re.compile(r"UIStartpage\.AppSerp\w+\s*,\s*(?={)")
_KNOWN = path(
    './/a[@data-testid="gl-title-link"] | .//form[@id="search" or @id="homepage"][contains(@action, "/sp/search")]'
    ' | .//form[contains(@action, "/sp/captcha")] | .//*[has-class(w-gl)] | .//*[has-class(w-gl__result)]'
    ' | .//meta[@property="og:site_name"][contains(@content, "Startpage")]'
)
_LINKS = path(
    './/a[@href][@data-testid="gl-title-link" or has-class(result-link) or has-class(w-gl__result-title)]'
    '[not(ancestor::*[has-class(a-bg-result) or has-class(gcsa-container) or starts-with(@data-testid, "gcsa-")])]'
)
_TITLE = (path(".//h2 | .//h3"), path("."))
_SNIPPET = path("following::p[has-class(description) or has-class(w-gl__description)][1]")
_SHOWN = path('ancestor::*[has-class(result)][1]//a[contains(@class, "display-url")]')
_NONE = path('.//*[@data-testid="no-results" or has-class(no-results) or has-class(show-results-none)]')
_NONE_SAID = re.compile(r"did not match any|Sorry, no results|there are no (?:web )?results", re.I)
_REFUSED = path('.//form[contains(@action, "captcha")] | .//*[contains(@src, "/sp/captcha")]')
_ASKED = path('.//input[@name="query" or @id="q"] | .//textarea[@name="query"]')


def blocks(page: Dom) -> Iterator[Block]:
    """The results in order: boxes where the browser drew them, else the data they are drawn from."""
    drawn = page.find(_LINKS)
    for link in drawn:
        yield (line(Kind.ORGANIC, address(link.get("href"), BASE), said(link, *_TITLE), *_around(link)),)
    if not drawn:
        yield from _from_data(page.text)


def _around(link: Tag) -> tuple[str, str]:
    return said(link, _SNIPPET), said(link, _SHOWN)


def _from_data(text: str) -> Iterator[Block]:
    """The results in the object that the page's script is given."""
    found = _DATA.search(text)
    try:
        data = json.JSONDecoder().raw_decode(text, found.end())[0] if found else None
    except (ValueError, RecursionError):
        return
    for name in ("render", "presenter", "regions", "mainline"):
        data = data.get(name) if isinstance(data, dict) else None
    for section in data if isinstance(data, list) else []:
        rows = section.get("results") if isinstance(section, dict) else None
        kind = str(section.get("display_type", "")) if isinstance(section, dict) else ""
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict):
                yield (_row(row, kind),)


def _row(row: dict[str, Any], section: str) -> Any:
    kind = Kind.ORGANIC if section.startswith("web") else Kind.AD if "ads" in section else named(section)
    url = address(_text(row.get("clickUrl")), BASE)
    return line(kind, url, _plain(row.get("title")), _plain(row.get("description")), _text(row.get("displayUrl")))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _plain(value: object) -> str:
    """Text without the marks around the words of the query."""
    text = _text(value).strip()
    return words(html.fragment_fromstring(text, create_parent="div")) if "<" in text or "&" in text else text


def none(page: Dom) -> bool:
    """Whether Startpage says that there is nothing."""
    return bool(page.find(_NONE)) or says(page, _NONE_SAID, _HOST)


STARTPAGE = Engine(
    name="startpage",
    provider="google",
    host=_HOST,
    known=_KNOWN,
    asked=_ASKED,
    parse=Layout(blocks, none, refused=_REFUSED, own=_HOST).parse,
    parameters=("query", "q"),
)
