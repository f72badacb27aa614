"""Pure: results pages of the story, as each engine writes them, so that the kept bytes are read by the real parsers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import NamedTuple

from monitor.demo.story import Page


class Answer(NamedTuple):
    """Bytes and their media type."""

    body: bytes
    media_type: str


def duckduckgo(query: str, pages: Sequence[Page]) -> Answer:
    """DuckDuckGo's page without scripts."""
    rows = "\n".join(
        f'<div class="result results_links web-result"><div class="links_main result__body">\n'
        f'<h2 class="result__title"><a rel="nofollow" class="result__a" href="{page.url}">{escape(page.title)}</a>'
        "</h2>\n"
        f'<a class="result__url" href="{page.url}">{page.url.removeprefix("https://")}</a>\n'
        f'<a class="result__snippet" href="{page.url}">{escape(page.snippet)}</a>\n</div></div>'
        for page in pages
    )
    return _html(query, f'<div id="links" class="results">\n{rows}\n</div>')


def mojeek(query: str, pages: Sequence[Page]) -> Answer:
    """Mojeek's page."""
    rows = "\n".join(
        f'<li class="r{n}"><a title="{page.url}" href="{page.url}" class="ob"><p class="i">{page.url}</p></a>'
        f'<h2><a class="title" href="{page.url}">{escape(page.title)}</a></h2>'
        f'<p class="s">{escape(page.snippet)}</p></li>'
        for n, page in enumerate(pages, 1)
    )
    return _html(query, f'<ul class="results-standard">\n{rows}\n</ul>')


def brave(query: str, pages: Sequence[Page]) -> Answer:
    """An answer of Brave's interface."""
    found = [{"title": page.title, "url": page.url, "description": page.snippet} for page in pages]
    return _json({"type": "search", "query": {"original": query}, "web": {"type": "search", "results": found}})


def google(query: str, pages: Sequence[Page]) -> Answer:
    """Google's results as Serper answers them."""
    found = [
        {"title": page.title, "link": page.url, "snippet": page.snippet, "position": n}
        for n, page in enumerate(pages, 1)
    ]
    return _json({"searchParameters": {"q": query, "type": "search", "gl": "gb"}, "organic": found})


def bing(query: str, pages: Sequence[Page]) -> Answer:
    """Bing's results as SerpApi answers them."""
    found = [
        {"position": n, "title": page.title, "link": page.url, "snippet": page.snippet}
        for n, page in enumerate(pages, 1)
    ]
    return _json(
        {
            "search_metadata": {"status": "Success"},
            "search_parameters": {"engine": "bing", "q": query},
            "search_information": {"organic_results_state": "Results for exact spelling"},
            "organic_results": found,
        }
    )


ENGINES: Mapping[str, Callable[[str, Sequence[Page]], Answer]] = MappingProxyType(
    {"duckduckgo": duckduckgo, "mojeek": mojeek, "brave": brave, "google": google, "bing": bing}
)


def challenge() -> Answer:
    """What stands in place of results where the engine takes the asker for a robot."""
    return _html("", '<form id="challenge-form"><p>Select all squares containing a duck.</p></form>')


def unknown(query: str, pages: Sequence[Page]) -> Answer:
    """A page of results in a layout that no parser knows."""
    rows = "\n".join(f'<article><b data-to="{page.url}">{escape(page.title)}</b></article>' for page in pages)
    return _html(query, f'<section class="feed">\n{rows}\n</section>')


def _html(query: str, body: str) -> Answer:
    text = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(query)}</title></head>\n'
        f"<body>\n<!-- invented by monitor demo: nobody on this page exists -->\n{body}\n</body></html>\n"
    )
    return Answer(text.encode(), "text/html; charset=utf-8")


def _json(answer: Mapping[str, object]) -> Answer:
    text = json.dumps({**answer, "_": "invented by monitor demo"}, ensure_ascii=False, indent=1)
    return Answer(text.encode(), "application/json")
