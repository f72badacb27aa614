"""A public LinkedIn profile page that the owner saved from the browser: followers and connections. Nobody is asked.

The page's structured data (JSON-LD, schema.org Person) holds the exact number of followers where the text only says "6K
followers"; of connections the text says "500+" and no more. Seen on real public pages: pageKey
public_profile_v3_desktop, og:type profile, `interactionStatistic.userInteractionCount`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from monitor import urls
from monitor.model import Blocked, Capture, Context, Count, Http, LayoutChanged, Measure, Parsed, Series, Source
from monitor.sources.charset import text_of
from monitor.sources.profiles import compact_words
from monitor.sources.profiles.number_text import LARGEST, NotANumber, read_number
from monitor.sources.search.pages.dom import Dom, path, read, words
from monitor.sources.search.pages.saved import opened, told

NAME = "linkedin-page"
_HEAD = 256 * 1024
_ADDRESS = path('.//link[@rel="canonical"]/@href | .//meta[@property="og:url"]/@content')
_KEY = path('.//meta[@name="pageKey"]/@content')
_LOCALE = path('.//meta[@name="locale"]/@content')
_CARD = path('.//*[has-class(top-card__subline-item)] | .//*[contains(@class, "top-card")]//span')
_STRUCTURED = re.compile(r"<script\b[^>]*\bapplication/ld\+json\b[^>]*>(.*?)</script", re.I | re.S)
_OWN = re.compile(rb"(?:rel=.?canonical|property=.?og:url)[^>]{0,200}https?://[\w.]*linkedin\.com/", re.I)
_WALL = re.compile(r"/(?:authwall|login|uas/login|checkpoint)\b")
_WALL_SCRIPT = re.compile(r"""["'/](?:authwall|uas/login|checkpoint/challenge)\?""")
_SMALL = 20_000  # bytes: a refusal is a few lines
_PROFILE = re.compile(r"/in/([^/?#]+)")
_WORDS = {
    "followers": re.compile(
        r"follower|abonn|seguidor|seguaci|volger|följare|følger|seuraaj|obserwuj|sledující|подписчик|takipçi|フォロワー"
        r"|关注者|關注者|팔로워|متابع",
        re.I,
    ),
    "connections": re.compile(
        r"connection|kontakt|relation|contact|conex|collegament|connectie|forbindelse|kontakter|spojení|контакт"
        r"|bağlantı|つながり|人脉|聯絡人|联系人|1촌|زملاء",
        re.I,
    ),
}
_BY_DATA = "followers, as the page's structured data counts them"
_BY_TEXT = "{} of this profile, as the page's text says"


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """A profile page as read: whose (the public id in its address), when it was saved (UTC, where it says), counts."""

    public_id: str
    saved_at: datetime | None
    counts: tuple[Count, ...]
    note: str = ""


@dataclass(frozen=True)
class LinkedInPage(Source):
    """The profile of one public id, as read from pages that the owner saved; made by the import, not by the config."""

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "import"
    parser: ClassVar[int] = 1

    public_id: str

    def series(self) -> Series:
        """The profile."""
        return Series(engine="linkedin", provider="linkedin", subject=self.public_id)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The page is at hand: the address only stands for it."""
        yield Http("saved:")

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the page. Raises Blocked and LayoutChanged as `read_profile` does."""
        page = read_profile(capture.body, ctx.day)
        return Parsed(page.counts, note=page.note)


def is_linkedin(head: bytes, name: str) -> bool:
    """Whether the beginning of a file is that of a page of LinkedIn's, be it a profile or a refusal."""
    if b"linkedin" not in head.lower() and b"authwall" not in head:
        return False
    body, origin = opened(head)
    came_from = origin.url or told(text_of(Capture(body[:_HEAD]))).url
    if came_from:
        return urls.is_never_asked(came_from)
    return bool(_OWN.search(body)) or (len(body) < _SMALL and bool(_WALL_SCRIPT.search(text_of(Capture(body)))))


def read_profile(body: bytes, day: date) -> ProfilePage:
    """Read a saved profile page.

    Raises Blocked(login_wall) for LinkedIn's refusal ("authwall", status 999) and LayoutChanged for a page that is no
    public profile: without pageKey and structured data, or without the profile's address.
    """
    page = read(body)
    address = next((url for url in (page.origin.url, *page.find(_ADDRESS)) if _PROFILE.search(_path(url))), "")
    key = next(iter(page.find(_KEY)), "")
    person = _person(page.text, address) if address else None
    if person is None and not key.startswith("public_profile"):
        if _WALL.match(_path(page.origin.url)) or (len(page.body) < _SMALL and _WALL_SCRIPT.search(page.text)):
            raise Blocked("login_wall", "LinkedIn showed its login and not the profile")
        raise LayoutChanged(detail="neither pageKey nor structured data of a public profile")
    if not address:
        raise LayoutChanged(detail="the profile's address is not in it")
    found = _PROFILE.search(_path(address))
    public_id = unquote(found[1]).casefold() if found else ""
    if not public_id.isprintable() or "/" in public_id:
        raise LayoutChanged(detail="the profile's address is none")
    notes: list[str] = []
    counts = tuple(_counts(page, person or {}, f"linkedin/{public_id}", day, notes))
    return ProfilePage(public_id, page.origin.at, counts, "; ".join(notes))


def _counts(page: Dom, person: dict[str, Any], profile: str, day: date, notes: list[str]) -> Iterator[Count]:
    exact = _follows(person)
    if exact is not None:
        yield Count(profile, "followers", "now", day, exact, definition=_BY_DATA)
    for metric in ("connections",) if exact is not None else ("followers", "connections"):
        yield _by_text(page, profile, metric, day, notes)


def _by_text(page: Dom, profile: str, metric: str, day: date, notes: list[str]) -> Count:
    definition = _BY_TEXT.format(metric)
    texts = {said for tag in page.find(_CARD) if len(said := words(tag, 100)) < 60 and _WORDS[metric].search(said)}
    missing = Count(profile, metric, "now", day, None, "missing", definition=definition)
    if len(texts) != 1:
        notes.extend([f"{metric}: said in {len(texts)} ways"] if texts else [])
        return missing
    (said,) = texts
    locale = next(iter(page.find(_LOCALE)), "")
    try:
        number = read_number(said, locale if compact_words.known(locale) else "")
    except NotANumber as error:
        notes.append(f'{metric}: "{said}" was not taken for a number: {error}')
        return missing
    return Count(profile, metric, "now", day, number.value, precision=number.precision, definition=definition)


def _follows(person: dict[str, Any]) -> int | None:
    """The exact number of followers in a Person's own statistics. Raises LayoutChanged for what is no count."""
    given = person.get("interactionStatistic")
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, dict) and "follow" in f"{one.get('interactionType')} {one.get('name')}".casefold():
            value = one.get("userInteractionCount")
            if type(value) is not int or not 0 <= value < LARGEST:
                raise LayoutChanged(detail="userInteractionCount is no count")
            return value
    return None


def _person(text: str, address: str) -> dict[str, Any] | None:
    """The Person of the structured data whose profile this is; others on the page (authors, readers) are not."""
    wanted = _PROFILE.search(_path(address))
    for script in _STRUCTURED.finditer(text):
        try:
            data = json.loads(script[1])
        except (ValueError, RecursionError):
            continue
        for one in _things(data):
            mine = [_PROFILE.search(_path(one.get(key))) for key in ("url", "sameAs")]
            same = wanted and any(found and _same(found[1], wanted[1]) for found in mine)
            if one.get("@type") == "Person" and same:
                return one
    return None


def _same(one: str, other: str) -> bool:
    return unquote(one).casefold() == unquote(other).casefold()


def _things(data: Any) -> Iterator[dict[str, Any]]:
    for one in data if isinstance(data, list) else [data]:
        if isinstance(one, dict):
            yield one
            graph = one.get("@graph")
            yield from (thing for thing in graph if isinstance(thing, dict)) if isinstance(graph, list) else ()


def _path(url: Any) -> str:
    """The path of an address of LinkedIn's; empty for any other."""
    try:
        return urlsplit(url).path if isinstance(url, str) and urls.is_never_asked(url) else ""
    except ValueError:
        return ""
