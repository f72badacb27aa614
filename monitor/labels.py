"""Whose is a page: the owner's patterns, and which of them speaks for an address.

A label is one row: the owner's own page, a page about the owner, a namesake's, an unwanted one, or another's. Ranks
are views over labels, so that a new label corrects the past.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal, get_args
from urllib.parse import urlsplit

from monitor import urls

Match = Literal["exact", "prefix", "host", "domain"]
Whose = Literal["mine", "about_me", "namesake", "unwanted", "other"]
Origin = Literal["config", "command"]

WHOSE: tuple[Whose, ...] = get_args(Whose)
_WEIGHT: dict[Match, int] = {"exact": 3, "prefix": 2, "host": 1, "domain": 0}
_FORMS = "write example.org, *.example.org, example.org/path or https://example.org/page"


@dataclass(frozen=True)
class Label:
    """Whose the pages under a pattern are; `added_at` is UTC, `id` the row in `labels` once it is stored."""

    pattern: str
    match: Match
    whose: Whose
    origin: Origin
    added_at: datetime
    id: int | None = None

    @cached_property
    def key(self) -> str:
        """What addresses are compared with: the pattern's canonical form; for a domain the host alone."""
        return urls.host(self.pattern[2:]) if self.match == "domain" else urls.canonical(self.pattern)


def read_pattern(pattern: str) -> Match:
    """How a pattern matches.

    `example.org` is that host with or without `www.`, `*.example.org` the host and all below it, `example.org/path`
    that path and all below it (on a segment border), and a full URL that one page.

    Raises ValueError with a sentence for the owner when it is none of these.

    >>> read_pattern("*.example.org"), read_pattern("linkedin.com/in/jane"), read_pattern("https://example.org/a")
    ('domain', 'prefix', 'exact')
    """
    if "://" in pattern:
        if not urls.is_link(pattern):
            raise ValueError(f"{pattern!r} is no web address; {_FORMS}")
        return "exact"
    domain = pattern.startswith("*.")
    rest = pattern[2:] if domain else pattern
    if "*" in rest:
        raise ValueError(f"{pattern!r}: a * stands only at the start, as in *.example.org")
    if any(mark in rest for mark in "?#"):
        raise ValueError(f"{pattern!r}: a ? or # goes with a full URL only, as in https://example.org/page?id=1")
    name, _, path = rest.partition("/")
    if not urls.is_link(f"https://{rest}") or "." not in name or "@" in name or ":" in name:
        raise ValueError(f"{pattern!r} is no host, path or URL; {_FORMS}")
    if domain and path:
        raise ValueError(f"{pattern!r}: *. takes a host alone; {_FORMS}")
    if domain:
        return "domain"
    return "prefix" if path else "host"


def whose(url: str, labels: Iterable[Label]) -> Label | None:
    """The label that speaks for an address, None when none does.

    The more specific wins: exact before prefix before host before domain, and in one kind the longer pattern. Between
    two equally specific ones a command's row beats the config's, and then the newest wins. So a general word given
    later never hides a particular one given earlier.
    """
    url = urls.unwrap(url)
    page = urls.canonical(url)
    hosts = {urls.host(url), page.partition("/")[0].partition("?")[0]} - {""}
    found = [label for label in labels if _covers(label, page, hosts)]
    return max(found, key=_precedence, default=None)


def whose_host(host: str, labels: Iterable[Label]) -> Label | None:
    """The label that speaks for a result of which only the host is known; a path or a page cannot be told there."""
    found = [label for label in labels if label.match in ("host", "domain") and _covers(label, host, {host})]
    return max(found, key=_precedence, default=None)


def host_of(pattern: str) -> str:
    """The host that a pattern is about: of `example.org/path`, `*.example.org` and full URLs alike."""
    return urls.host(pattern.removeprefix("*."))


def _covers(label: Label, page: str, hosts: set[str]) -> bool:
    key = label.key
    match label.match:
        case "exact":
            return page == key
        case "domain":
            return any(name == key or name.endswith(f".{key}") for name in hosts)
        case "host" if "/" not in key:
            return key in hosts
        case _:  # a path; also a host that is folded into one (user.medium.com is medium.com/@user)
            return page == key or page.startswith((f"{key}/", f"{key}?", f"{key}#"))


def _precedence(label: Label) -> tuple[int, int, bool, datetime]:
    return _WEIGHT[label.match], len(label.key), label.origin == "command", label.added_at


SHARED_HOSTS = frozenset(
    {
        "bsky.app",
        "dev.to",
        "facebook.com",
        "github.com",
        "gitlab.com",
        "goodreads.com",
        "imdb.com",
        "instagram.com",
        "linkedin.com",
        "mastodon.social",
        "medium.com",
        "orcid.org",
        "pinterest.com",
        "quora.com",
        "reddit.com",
        "researchgate.net",
        "scholar.google.com",
        "soundcloud.com",
        "speakerdeck.com",
        "stackoverflow.com",
        "threads.net",
        "tiktok.com",
        "twitter.com",
        "vimeo.com",
        "wikipedia.org",
        "x.com",
        "youtube.com",
    }
)
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_PATH = re.compile(r"/[\w.~%@+/-]*", re.ASCII)


def web_url(url: str | None) -> str | None:
    """The URL when it is safe to link, else None: http or https, with a host, without spaces or control characters."""
    if not url or not url.isprintable() or any(c.isspace() or c in '\\"<>' for c in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def suggest(url: str | None) -> str | None:
    """The label pattern that covers this page: its host, or host and path where a host is shared by many people.

    None for anything that is not a plain host and path: a stored URL is a stranger's text and ends up in a command.

    >>> suggest("https://www.example.org/about"), suggest("https://www.linkedin.com/in/ada")
    ('example.org', 'linkedin.com/in/ada')
    """
    if web_url(url) is None:
        return None
    parts = urlsplit(url or "")
    host = str(parts.hostname).removeprefix("www.")
    if not _HOST.fullmatch(host):
        return None
    shared = any(host == h or host.endswith("." + h) for h in SHARED_HOSTS)
    path = parts.path.rstrip("/")
    if not shared:
        return host
    return host + path if path and _PATH.fullmatch(path) else None
