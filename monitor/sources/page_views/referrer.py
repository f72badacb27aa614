"""Where a page view came from: a small table of hosts, by the end of the host name.

The hosts are facts of common knowledge; which of them search, talk or answer agrees with the list that Matomo keeps
(searchengine-and-social-list). A referrer has one medium only, whatever way it was named.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple

Medium = Literal["search", "social", "ai", "mail", "direct", "internal", "other"]


class Origin(NamedTuple):
    """A referrer as counted: the host people know the service by, and its medium."""

    referrer: str
    medium: Medium


DIRECT = Origin("-", "direct")
UNREADABLE = Origin("unreadable", "other")

_SEARCH = """
    google.com news.google.com=google.com bing.com duckduckgo.com search.yahoo.com
    search.yahoo.co.jp=search.yahoo.com yandex.com yandex.ru=yandex.com ya.ru=yandex.com baidu.com ecosia.org
    startpage.com qwant.com search.brave.com kagi.com mojeek.com swisscows.com metager.org
    metager.de=metager.org search.seznam.cz search.naver.com sogou.com marginalia-search.com
    search.marginalia.nu=marginalia-search.com ask.com search.aol.com
    com.google.android.googlequicksearchbox=google.com
"""
_SOCIAL = """
    linkedin.com lnkd.in=linkedin.com com.linkedin.android=linkedin.com x.com t.co=x.com twitter.com=x.com
    com.twitter.android=x.com facebook.com fb.me=facebook.com com.facebook.katana=facebook.com instagram.com
    com.instagram.android=instagram.com threads.net threads.com=threads.net reddit.com
    com.reddit.frontpage=reddit.com news.ycombinator.com hckrnews.com=news.ycombinator.com lobste.rs bsky.app
    mastodon.social fosstodon.org hachyderm.io infosec.exchange mas.to xing.com youtube.com youtu.be=youtube.com
    pinterest.com tumblr.com vk.com t.me org.telegram.messenger=t.me discord.com slack.com com.slack=slack.com
    whatsapp.com weibo.com quora.com
"""
_AI = """
    chatgpt.com chat.openai.com=chatgpt.com claude.ai perplexity.ai gemini.google.com copilot.microsoft.com
    copilot.com=copilot.microsoft.com chat.mistral.ai chat.deepseek.com grok.com meta.ai you.com phind.com
    poe.com
"""
_MAIL = """
    mail.google.com com.google.android.gm=mail.google.com mail.yahoo.com outlook.live.com outlook.office.com
    outlook.office365.com=outlook.office.com mail.proton.me app.fastmail.com mail.ru mail.aol.com newsletter
    email=newsletter mail=newsletter buttondown.com buttondown.email=buttondown.com substack.com mailchi.mp
"""
_CAMPAIGNS = MappingProxyType(
    {
        "twitter": "x.com",
        "hackernews": "news.ycombinator.com",
        "hn": "news.ycombinator.com",
        "bluesky": "bsky.app",
        "meta": "facebook.com",
        "gemini": "gemini.google.com",
        "copilot": "copilot.microsoft.com",
    }
)


def _table() -> dict[str, Origin]:
    table: dict[str, Origin] = {}
    media: tuple[tuple[Medium, str], ...] = (
        ("search", _SEARCH),
        ("social", _SOCIAL),
        ("ai", _AI),
        ("mail", _MAIL),
    )
    for medium, hosts in media:
        for entry in hosts.split():
            host, _, name = entry.partition("=")
            table[host] = Origin(name or host, medium)
    return table


HOSTS = MappingProxyType(_table())

_WORDS = MappingProxyType({host.partition(".")[0]: host for host in HOSTS if host.count(".") == 1})
_URL = re.compile(r"(?:([a-z][a-z0-9+.-]*):/?/)?(?:[^/?#@]*@)?(\[[0-9a-f:.]+\]|[^/?#:@]+)", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\]")
_GOOGLE = re.compile(r"(?:www\.|images\.|m\.)?google\.(?:com?\.)?[a-z]{2,3}")
_MASTODON = re.compile(r"(?:mastodon|masto|mstdn)\.")


@lru_cache(maxsize=8192)
def origin(referer: bytes, campaign: str, own: AbstractSet[str]) -> Origin:
    """Where a view came from: the campaign (`utm_source`) if the link names one, else the Referer's host.

    `own` are the site's own hosts, without `www.`: their pages are `internal`.
    """
    if named := _campaign(campaign):
        return of_host(named, own)
    text = referer.decode("latin-1").strip()
    if text in {"", "-"}:
        return DIRECT
    match = _URL.match(text)
    host = match[2].lower() if match and (match[1] or "." in match[2]) else ""
    return of_host(host, own) if len(host) <= 253 and _HOST.fullmatch(host) else UNREADABLE


def of_host(host: str, own: AbstractSet[str]) -> Origin:
    """The origin of a host (or the name of an Android app, or a campaign's word), by the longest end that is known.

    >>> of_host("de.linkedin.com", frozenset()), of_host("www.google.co.uk", frozenset()).medium
    (Origin(referrer='linkedin.com', medium='social'), 'search')
    """
    host = host.removesuffix(".").removeprefix("www.")
    if host in own:
        return Origin(host, "internal")
    if _GOOGLE.fullmatch(host):
        return HOSTS["google.com"]
    end = host
    while end:
        if end in HOSTS and (end == host or end != "google.com"):  # sites.google.com is no search
            return HOSTS[end]
        end = end.partition(".")[2]
    return Origin(host, "social" if _MASTODON.match(host) else "other")


def _campaign(word: str) -> str:
    """The host that a campaign's word stands for ("linkedin" is linkedin.com), or the word, if it is a plain one."""
    word = word.strip().lower()
    if len(word) > 64 or not _HOST.fullmatch(word):
        return ""
    return word if word in HOSTS else _CAMPAIGNS.get(word) or _WORDS.get(word) or word
