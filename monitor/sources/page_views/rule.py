"""The page-view rule: which line of a web server's log is a page that a person looked at.

A rule, not a truth: the same 10,000 real lines make 1,727 pages in AWStats, 1,815 visits in GoatCounter and 3,249 hits
in GoAccess. So the rule is written down (docs/page-views.md), has a version, and says of each line left out why.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Callable
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

RULE = "2"
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
        "other_host": "another site's line, by vhosts",
        "own_address": "asked from an address of the owner's, by leave_out_ips",
        "left_out": "a path that the owner leaves out, by leave_out_paths",
        "prefetch": "fetched ahead of a click that may never come; seen only where the log holds Sec-Purpose",
    }
)
"""Why a line is no page view. docs/page-views.md has the order of the tests; the first that fails is counted."""

SEEN = frozenset((b"200", b"304"))
PATH_BYTES = 512
MEMORY = 8192  # distinct requests or agents remembered
LONGEST = 1024  # bytes of a request that is remembered: a hostile log of long URLs fills no memory

KEPT = ("p", "page_id", "cat", "tag", "author")  # WordPress with plain permalinks: /?p=12 is a post
_WORDS = ("rest_route", "preview", "feed", "utm_source")
_REQUEST = re.compile(rb"GET (.*?)(?: HTTP/\d(?:\.\d)?)?\Z", re.DOTALL)
_ABSOLUTE = re.compile(rb"https?://(?:[^/?#@]*@)?([^/?#:@]+)(?::\d*)?(?=[/?#]|\Z)", re.IGNORECASE)
_NOISE = re.compile(
    r"/(?:robots\.txt|(?:browserconfig|crossdomain|clientaccesspolicy|opensearch|wlwmanifest)\.xml)\Z"
    r"|\A/(?:\.well-known/|(?:wp-)?sitemap|favicon)",
    re.IGNORECASE,
)
_WORDPRESS = re.compile(r"/(?:wp-login\.php|wp-cron\.php|xmlrpc\.php)\Z|/(?:wp-admin|wp-json)(?:/|\Z)", re.IGNORECASE)
_FEED = re.compile(
    r"/(?:feeds?|rss2?|atom|rdf)(?:/(?:rss2?|atom|rdf))?/?\Z|\.(?:xml|rss|atom|rdf)\Z|/feed[^/]*\.json\Z", re.IGNORECASE
)
_EXTENSIONS = ("x?html?", "php", "aspx?")
_HTML = (b"text/html", b"application/xhtml+xml")
_FEED_READER = re.compile(r"feed|rss", re.IGNORECASE)
_PROGRAM = re.compile(r"fetcher|monitor|headless|http-client", re.IGNORECASE)


class Rule(NamedTuple):
    """What an owner may set of the rule; the defaults are the rule as it is written."""

    pages: tuple[str, ...] = ()
    keep_query: tuple[str, ...] = KEPT
    leave_out_ips: tuple[str, ...] = ()
    leave_out_paths: tuple[str, ...] = ()
    wordpress: bool = True
    vhosts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What is stored beside each number: the version, and a short hash of what was set otherwise ("2+3fa2c1")."""
        if self == Rule():
            return RULE
        others = {key: value for key, value in self._asdict().items() if value != Rule._field_defaults[key]}
        return f"{RULE}+{hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()[:6]}"

    def check(self) -> None:
        """Raise ValueError, with a sentence for the owner, for a setting that can mean nothing."""
        for one in self.pages:
            if not re.fullmatch(r"\.?[A-Za-z0-9]+", one):
                raise ValueError(f'pages holds endings of page names, such as "md"; "{one}" is none')
        for one in self.leave_out_paths:
            if not one.startswith("/"):
                raise ValueError(f'leave_out_paths holds paths, such as "/drafts/"; "{one}" does not begin with /')
        for one in self.leave_out_ips:
            try:
                ipaddress.ip_network(one.strip(), strict=False)
            except ValueError:
                raise ValueError(
                    f'leave_out_ips holds addresses or networks, such as "192.0.2.7"; "{one}" is none'
                ) from None


class Asked(NamedTuple):
    """What is asked for: a reason of `REASONS` or none, the path as shown, the campaign, a host if one is named."""

    reason: str
    path: str = ""
    campaign: str = ""
    host: str = ""


@lru_cache(maxsize=8)
def asker(rule: Rule) -> Callable[[bytes], Asked]:
    """A judge of request lines (`GET /path HTTP/1.1`), without their status and agent, that remembers paths."""
    ends = "|".join((*_EXTENSIONS, *(re.escape(one.lstrip(".")) for one in rule.pages)))
    page = re.compile(rf"/(?:[^/.]*|[^/]*\.(?:{ends}))\Z", re.IGNORECASE)
    left_out = tuple((one, one.rstrip("/") + "/") for one in rule.leave_out_paths)
    pairs_in = _words((*rule.keep_query, *_WORDS))

    @lru_cache(maxsize=MEMORY // 8)
    def judged(raw: bytes) -> tuple[str, str]:
        path = _shown(raw)
        if any(path == one or path.startswith(below) for one, below in left_out):
            return "left_out", path
        if _NOISE.search(path) or (rule.wordpress and _WORDPRESS.search(path)):
            return "noise", path
        if _FEED.search(path):
            return "feed", path
        return "" if path.startswith("/") and page.search(path) else "not_a_page", path

    def kind(of_path: str, pairs: dict[str, str]) -> str:
        if of_path in ("left_out", "noise"):
            return of_path
        if rule.wordpress and ("rest_route" in pairs or pairs.get("preview") == "true"):
            return "noise"
        return "feed" if "feed" in pairs else of_path

    def ask(request: bytes) -> Asked:
        match = _REQUEST.match(request)
        if match is None:
            return Asked("method" if request != b"GET" else "not_a_page")
        target, host = match[1], ""
        if absolute := _ABSOLUTE.match(target):
            target, host = target[absolute.end() :] or b"/", absolute[1].decode("latin-1").lower()
        raw, _, query = target.partition(b"#")[0].partition(b"?")
        of_path, path = judged(raw)
        pairs = pairs_in(query) if b"=" in query else {}
        return Asked(kind(of_path, pairs), _named(path, pairs, rule.keep_query), pairs.get("utm_source", ""), host)

    return ask


def _words(names: tuple[str, ...]) -> Callable[[bytes], dict[str, str]]:
    """A reader of the words of a query that the rule looks at; of one that comes twice, the first counts."""
    plain = re.compile("(?:\\A|&)({})=([^&]+)".format("|".join(map(re.escape, names))))

    def words(query: bytes) -> dict[str, str]:
        text = query.decode("latin-1")
        if "%" in text or "+" in text:
            return dict(reversed(parse_qsl(text, errors="replace")))
        return dict(reversed(plain.findall(text)))

    return words


asked = asker(Rule())
"""The judge by the rule as it is written."""


def by_media(reason: str, path: str, media: bytes) -> str:
    """The reason once more, where the answer's Content-Type is known: `text/html` decides what is a page."""
    if reason not in ("", "not_a_page") or media in (b"", b"-") or not path.startswith("/"):
        return reason
    return "" if media.partition(b";")[0].strip().lower() in _HTML else "not_a_page"


@lru_cache(maxsize=8)
def own_addresses(rule: Rule) -> Callable[[bytes], bool]:
    """A judge of addresses: whether one is left out as the owner's own."""
    networks = tuple(ipaddress.ip_network(one.strip(), strict=False) for one in rule.leave_out_ips)

    @lru_cache(maxsize=MEMORY)
    def mine(address: bytes) -> bool:
        try:
            one = ipaddress.ip_address(address.decode("latin-1"))
        except ValueError:
            return False
        plain = one.ipv4_mapped or one if isinstance(one, ipaddress.IPv6Address) else one
        return any(plain in network for network in networks)

    return mine


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


def _named(path: str, pairs: dict[str, str], keep: tuple[str, ...]) -> str:
    """The name a page is counted under: without `index.html`, with the few query words that choose a page."""
    if path.endswith("/index.html"):
        path = path[: -len("index.html")]
    words = [word for word in keep if pairs.get(word)] if pairs else []
    if kept := "&".join(f"{word}={pairs[word]}" for word in words if pairs[word].isprintable()):
        path = f"{path}?{kept}"
    if path.isascii() and len(path) <= PATH_BYTES:
        return path
    return path.encode("utf-8", "replace")[:PATH_BYTES].decode(errors="ignore")


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
