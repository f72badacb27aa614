"""Pure: how dates, ages, numbers, engines and outcomes are said on a page, and which stored URLs may become links."""

from __future__ import annotations

import re
import shlex
from datetime import date, datetime
from types import MappingProxyType
from urllib.parse import urlsplit

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

NAMES = MappingProxyType(
    {
        "bing": "Bing",
        "brave": "Brave",
        "duckduckgo": "DuckDuckGo",
        "ecosia": "Ecosia",
        "github": "GitHub",
        "google": "Google",
        "imap": "mailbox",
        "kagi": "Kagi",
        "linkedin": "LinkedIn",
        "mojeek": "Mojeek",
        "qwant": "Qwant",
        "searxng": "SearXNG",
        "serpapi": "SerpApi",
        "stackexchange": "Stack Exchange",
        "stackoverflow": "Stack Overflow",
        "startpage": "Startpage",
        "yahoo": "Yahoo",
        "yandex": "Yandex",
        "youtube": "YouTube",
    }
)

# Sites where a host holds many people's pages: a label there needs the path as well.
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


def name(word: str) -> str:
    """An engine, provider or site the way it writes itself.

    >>> name("duckduckgo"), name("some_engine")
    ('DuckDuckGo', 'Some engine')
    """
    return NAMES.get(word.casefold(), word.replace("_", " ")[:1].upper() + word.replace("_", " ")[1:])


def on(day: date, today: date) -> str:
    """A day in words: "22 Nov", with its year when that is not today's."""
    return f"{day.day} {MONTHS[day.month - 1]}" + (f" {day.year}" if day.year != today.year else "")


def long_day(day: date) -> str:
    """A day with its weekday: "Sun 22 Nov 2026"."""
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def at(moment: datetime, now: datetime) -> str:
    """A moment in the zone of `now`: "06:31", "yesterday 06:31", or with its day: "22 Nov 06:31"."""
    local = moment.astimezone(now.tzinfo)
    days = (now.date() - local.date()).days
    clock = f"{local:%H:%M}"
    if days in (0, 1, -1):
        return {0: "", 1: "yesterday ", -1: "tomorrow "}[days] + clock
    return f"{on(local.date(), now.date())} {clock}"


def age(days: int) -> str:
    """How old a number is, in words: "today", "yesterday", "3 days old"."""
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days old"


def many(count: int, one: str, more: str = "") -> str:
    """A count with its noun: "1 page", "1,200 pages"."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def join(parts: list[str]) -> str:
    """A list in a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""


def ended(outcome: str, reason: str) -> str:
    """An outcome and its reason in words: "blocked: captcha", "failed: server error"."""
    return f"{outcome}: {reason.replace('_', ' ')}" if reason else outcome


def web_url(url: str | None) -> str | None:
    """The URL when it is safe to link, else None: http or https, with a host, without spaces or control characters."""
    if not url or not url.isprintable() or any(c.isspace() or c in '\\"<>' for c in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def pattern(url: str | None) -> str | None:
    """The label pattern that covers this page: its host, or host and path where a host is shared by many people.

    None for anything that is not a plain host and path: a stored URL is a stranger's text and ends up in a command.

    >>> pattern("https://www.example.org/about"), pattern("https://www.linkedin.com/in/ada")
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


def label_command(of: str) -> str:
    """What to type so that a pattern counts as mine."""
    return f"monitor label {shlex.quote(of)} mine"
