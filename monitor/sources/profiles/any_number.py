"""Any number of any page: the owner says where it stands, and it is read from there or refused with the reason."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from monitor import refusal, urls
from monitor.model import (
    Blocked,
    Capture,
    Context,
    Count,
    Http,
    LayoutChanged,
    Measure,
    Pairs,
    Parsed,
    Secret,
    Series,
    Source,
    slug,
)
from monitor.sources.profiles import compact_words
from monitor.sources.profiles.number_text import LARGEST, NotANumber, Number, read_number
from monitor.sources.profiles.selecting import WAYS, Match, Nothing, Page, check, find

BY_SCRIPT = "the page builds this with JavaScript; look for its JSON address"
_LOGIN = re.compile(r"/(?:log[-_]?in|sign[-_]?in|authwall|checkpoint|uas/login|sso|sessions?/new|auth)(?:[/.]|$)", re.I)
_WINDOW = re.compile(r"now|total|day|[1-9]\d{0,3}d")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
# Cloudflare sets this script into good pages too, to learn about their readers.
_HARMLESS = b"/cdn-cgi/challenge-platform/scripts/jsd/"


@dataclass(frozen=True)
class AnyNumber(Source):
    """One number of any page or JSON answer, from where you say that it stands.

        [[profiles]]
        kind = "any_number"
        url = "https://forum.example.org/u/jane"
        profile = "forum/jane"
        metric = "followers"
        css = ".user-stats .followers"
        locale = "en"

    `monitor try URL --css ".user-stats .followers"` shows what is found and prints the block to paste.

    Exactly one of these says where: `css` and `xpath` (with `attribute`, an attribute of what they find), `regex` (its
    first group, or all it matches, in the page as it is sent), `jmespath` for a JSON answer. It must find one number:
    nothing (`selector_nothing`), several that differ (`selector_several`) and what is none (`not_a_number`) are stored
    as that. A page that builds its number with JavaScript has none in what is sent: look for its JSON address, in the
    browser's developer tools under "Network".

    `locale` says how the page writes numbers (`en`, `de_CH`): without it "1.234" is refused, since it may be one or a
    thousand. "1.2K" is stored as 1200, `rounded`; "500+" as 500, `at_least`; "about 500", "12%" and "3 of 5" are
    refused.

    `profile` and `metric` name the series; `window` is the time it covers: `now`, `total`, `day`, `7d`, `90d`;
    `definition` is what the site says that it counts. `key` names a secret that is sent in the header `header`, with
    all that belongs there ("Bearer ...").

    linkedin.com is never asked: its terms forbid it, and it can cost the account. Save the page in your browser, then
    `monitor import page.html`.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "any_number"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1

    url: str
    profile: str
    metric: str
    window: str = "now"
    css: str = ""
    xpath: str = ""
    regex: str = ""
    jmespath: str = ""
    attribute: str = ""
    locale: str = ""
    definition: str = ""
    key: Secret | None = None
    header: str = "Authorization"

    def __post_init__(self) -> None:
        check_address(self.url)
        for name in ("profile", "metric"):
            if not (getattr(self, name).strip() and getattr(self, name).isprintable()):
                raise ValueError(f'{name} is a name on one line, such as {name} = "followers"')
        if not _WINDOW.fullmatch(self.window):
            raise ValueError(f'window is "now", "total", "day" or days such as "7d", not "{self.window}"')
        if len(self._ways) != 1:
            raise ValueError(f"one of {', '.join(WAYS)} says where the number stands; {len(self._ways)} are set")
        if self.attribute and self.way not in ("css", "xpath"):
            raise ValueError("attribute goes with css or xpath")
        check(self.way, self.expression)
        if self.locale and not compact_words.known(self.locale):
            raise ValueError(f'locale is a language such as "en", "de_CH" or "pt-BR", not "{self.locale}"')
        if not _HEADER.fullmatch(self.header):
            raise ValueError(f'header is the name of a header such as "X-Api-Key", not "{self.header}"')

    @property
    def _ways(self) -> list[str]:
        return [way for way in WAYS if getattr(self, way)]

    @property
    def way(self) -> str:
        """How the number is looked for: css, xpath, regex or jmespath."""
        return self._ways[0]

    @property
    def expression(self) -> str:
        """What is looked for."""
        said: str = getattr(self, self.way)
        return said

    def split(self) -> Iterator[tuple[str, AnyNumber]]:
        """One source, named for its profile and metric."""
        yield slug(f"{self.profile} {self.metric}"), self

    def series(self) -> Series:
        """The profile and the metric; where they are read may change without a new series."""
        return Series(subject=f"{self.profile} {self.metric} {self.window}")

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The one page, in the language whose numbers are expected."""
        headers: Pairs = ()
        if self.locale:
            headers += (("Accept-Language", self.locale.replace("_", "-")),)
        if self.key:
            headers += ((self.header, self.key),)
        yield Http(self.url, headers=headers)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the number.

        Raises Blocked for a refusal or a login page, and LayoutChanged with a reason of its own: selector_nothing,
        selector_several, not_a_number, or layout_unknown for what is no page.
        """
        page = Page(capture)
        number = self.read(page)
        count = Count(
            self.profile,
            self.metric,
            self.window,
            ctx.day,
            number.value,
            precision=number.precision,
            definition=self.definition or f"what {self.way} {self.expression} finds at {self.url}"[:300],
        )
        return Parsed((count,), note=f"rounded to {number.step}" if number.step else "")

    def read(self, page: Page) -> Number:
        """The number on a page. Raises as `parse` does."""
        if not page.is_readable:
            raise LayoutChanged(detail=f"no page and no JSON: {page.capture.media_type or 'bytes'}")
        if _LOGIN.search(_path(page.capture.url)) and not _LOGIN.search(_path(self.url)):
            raise Blocked("login_page", "it led to a login")
        if page.is_short and (asked := _asked_for(page)):
            raise Blocked(asked)
        try:
            found = find(page, self.way, self.expression, self.attribute)
        except Nothing as nothing:
            raise self._nothing(page, str(nothing)) from nothing
        found = [match for match in found if not isinstance(match.said, str) or match.said.strip()] or found[:1]
        if not found or found[0].said == "":
            raise self._nothing(page, "its place is empty" if found else "nothing matches", empty=bool(found))
        if len({str(match.said).strip() for match in found}) > 1:
            some = ", ".join(f'"{quoted(match.said)}"' for match in found[:3])
            raise LayoutChanged("selector_several", f"{len(found)} matches: {some}")
        return value_of(found[0], self.locale)

    def _nothing(self, page: Page, why: str, *, empty: bool = False) -> Blocked | LayoutChanged:
        """What to raise where there is no number."""
        if asked := _asked_for(page):
            return Blocked(asked)
        if page.asks_for_password:
            return Blocked("login_page", "there is a field for a password")
        by_script = page.has_scripts and (empty or page.is_short)
        return LayoutChanged("selector_nothing", BY_SCRIPT if by_script else why)


def value_of(match: Match, locale: str) -> Number:
    """The number that a match says. Raises LayoutChanged(not_a_number)."""
    said = match.said
    if match.cut:
        raise LayoutChanged("not_a_number", f'"{quoted(said)}" is a part of "{quoted(match.cut)}"')
    if isinstance(said, int | float) and not isinstance(said, bool):
        if not math.isfinite(said) or abs(said) >= LARGEST:
            raise LayoutChanged("not_a_number", f"{said} is no count")
        return Number(int(said) if float(said).is_integer() else said)
    if not isinstance(said, str):
        raise LayoutChanged("not_a_number", f'"{quoted(said)}" is {type(said).__name__}, no number')
    try:
        return read_number(said, locale)
    except NotANumber as error:
        raise LayoutChanged("not_a_number", f'"{quoted(said)}": {quoted(error, 200)}') from error


def quoted(said: object, most: int = 60) -> str:
    """A stranger's words, short and without what could steer a terminal."""
    text = " ".join(str(said).split())
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= most else f"{text[:most]}…"


def check_address(url: str) -> None:
    """Raise ValueError for what is no address of the web, and for one that is never asked."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").casefold()
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https") or not url.isprintable() or " " in url:
        raise ValueError(f'url is an address that begins with https://, not "{url}"')
    if parts.username or parts.password:
        raise ValueError("url holds no user and password: name a key instead")
    if urls.is_never_asked(url):
        raise ValueError(
            "linkedin.com is never asked: its terms forbid it, and it can cost your account; save the page in your"
            " browser, then: monitor import page.html"
        )


def _asked_for(page: Page) -> str:
    return "" if page.is_json else refusal.by_marks(page.capture.body.replace(_HARMLESS, b""))


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
