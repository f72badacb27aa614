"""The page-view rule: which line of a web server's log is a page that a person looked at.

A rule, not a truth: the same 10,000 real lines make 1,727 pages in AWStats, 1,815 visits in GoatCounter and 3,249 hits
in GoAccess. So the rule is written down (docs/page-views.md), has a version, and says of each line left out why.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

RULE = "1"
"""The version of the rule, stored beside each number. A change of the rule is a new version."""

REASONS = MappingProxyType(
    {
        "method": "no GET request: HEAD, POST, or no HTTP at all",
        "status": "the answer was not 200 or 304: a redirect, an error, a part of a file",
        "noise": "robots.txt, sitemap, favicon, /.well-known/, WordPress's own requests, or another host's page",
        "feed": "a feed; successful ones by readers are counted apart as feed views",
        "not_a_page": "an image, a style sheet, a script, a download",
        "bot": "would be a page view, but the agent is a program",
        "unparsed": "the line does not fit the log's format",
    }
)
"""Why a line is no page view: the first of these tests that it fails, in this order."""

SEEN = frozenset((b"200", b"304"))
PATH_BYTES = 512
MEMORY = 8192  # distinct requests or agents remembered; a hostile log of 4 kB URLs then holds about 40 MB

_KEPT = ("p", "page_id", "cat", "tag", "author")  # WordPress with plain permalinks: /?p=12 is a post
_REQUEST = re.compile(rb"GET (.*?)(?: HTTP/\d(?:\.\d)?)?\Z", re.DOTALL)
_ABSOLUTE = re.compile(rb"https?://(?:[^/?#@]*@)?([^/?#:@]+)(?::\d*)?(?=[/?#]|\Z)", re.IGNORECASE)
_NOISE = re.compile(
    r"/(?:robots\.txt|(?:browserconfig|crossdomain|clientaccesspolicy|opensearch|wlwmanifest)\.xml"
    r"|wp-login\.php|wp-cron\.php|xmlrpc\.php)\Z|/(?:wp-admin|wp-json)(?:/|\Z)|\A/(?:\.well-known/|sitemap|favicon)",
    re.IGNORECASE,
)
_FEED = re.compile(
    r"/(?:feeds?|rss2?|atom|rdf)(?:/(?:rss2?|atom|rdf))?/?\Z|\.(?:xml|rss|atom|rdf)\Z|/feed[^/]*\.json\Z", re.IGNORECASE
)
_PAGE = re.compile(r"/(?:[^/.]*|[^/]*\.(?:x?html?|php|aspx?))\Z", re.IGNORECASE)
_FEED_READER = re.compile(r"feed|rss", re.IGNORECASE)
_PROGRAM = re.compile(r"fetcher|monitor|headless|http-client", re.IGNORECASE)


class Asked(NamedTuple):
    """What is asked for: a reason of `REASONS` or none, the path as shown, the campaign, a host if one is named."""

    reason: str
    path: str = ""
    campaign: str = ""
    host: str = ""


@lru_cache(maxsize=MEMORY)
def asked(request: bytes) -> Asked:
    """Judge a request line (`GET /path?query HTTP/1.1`) without its status and agent."""
    match = _REQUEST.match(request)
    if match is None:
        return Asked("method" if request != b"GET" else "not_a_page")
    target, host = match[1], ""
    if absolute := _ABSOLUTE.match(target):
        target, host = target[absolute.end() :] or b"/", absolute[1].decode("latin-1").lower()
    raw, _, query = target.partition(b"#")[0].partition(b"?")
    path = _shown(raw)
    pairs = dict(reversed(parse_qsl(query.decode("latin-1"), errors="replace"))) if b"=" in query else {}
    return Asked(_kind(path, pairs), _named(path, pairs), pairs.get("utm_source", ""), host)


def _kind(path: str, pairs: dict[str, str]) -> str:
    if _NOISE.search(path) or "rest_route" in pairs:
        return "noise"
    if _FEED.search(path) or "feed" in pairs:
        return "feed"
    return "" if path.startswith("/") and _PAGE.search(path) else "not_a_page"


def _shown(raw: bytes) -> str:
    """The path as people read it: percent-decoded once, where that gives clean text and the same page."""
    plain = raw.decode("ascii", "backslashreplace")
    if not plain.isprintable():
        plain = plain.encode("unicode_escape").decode()
    if b"%" not in raw:
        return plain
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return plain
    return text if text.isprintable() and not {"?", "#"} & set(text) else plain


def _named(path: str, pairs: dict[str, str]) -> str:
    """The name a page is counted under: without `index.html`, with the few query words that choose a page."""
    if path.endswith("/index.html"):
        path = path[: -len("index.html")]
    kept = "&".join(f"{word}={pairs[word]}" for word in _KEPT if pairs.get(word, "").isprintable() and pairs.get(word))
    return (f"{path}?{kept}" if kept else path).encode("utf-8", "replace")[:PATH_BYTES].decode(errors="ignore")


@lru_cache(maxsize=MEMORY)
def agent_is(agent: bytes) -> Literal["person", "feed_reader", "bot"]:
    """Judge a User-Agent by the list of the package crawler-user-agents and a few rules of our own.

    The list misses agents that are empty, `-` or a bare `Mozilla/5.0`, and some monitors and feed readers.
    """
    text = agent[:1024].decode("latin-1").strip()
    if text in {"", "-", "Mozilla/5.0"}:
        return "bot"
    if _FEED_READER.search(text):
        return "feed_reader"
    if _PROGRAM.search(text):
        return "bot"
    from crawleruseragents import is_crawler  # its import takes 35-50 ms: only when there is a line to judge

    if not is_crawler(text):
        return "person"
    return "feed_reader" if _listed_feed_readers().search(text) else "bot"


@lru_cache(maxsize=1)
def _listed_feed_readers() -> re.Pattern[str]:
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    return re.compile("|".join(one["pattern"] for one in CRAWLER_USER_AGENTS_DATA if "feed-reader" in one["tags"]))
