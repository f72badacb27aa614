"""Is this page of results to be believed? Pure checks on what was parsed.

Engines answer clients they do not like with results that have nothing to do with the query, and status 200
(searxng issue 4964, ddgs commit 17d51cd): a rank read from such a page would be made of nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from monitor.model import Result

ENOUGH = 5  # results below which no doubt is raised
SHARE = 0.3  # of the results that must hold a word of the query


def doubt(query: str, results: Sequence[Result]) -> str:
    """The reason to distrust these organic results: "decoy", "one_host", or "" for none."""
    if len(results) < ENOUGH:
        return ""
    words = [word for word in re.findall(r"\w+", query.casefold()) if len(word) > 1 or not word.isascii()]
    if words:
        holding = sum(any(word in _text(result) for word in words) for result in results)
        if holding < SHARE * len(results):
            return "decoy"
    hosts = {urlsplit(result.url).hostname for result in results}
    if len(hosts) == 1 and "site:" not in query:
        return "one_host"
    return ""


def _text(result: Result) -> str:
    return f"{result.title} {result.snippet} {result.url} {result.shown_host}".casefold()
