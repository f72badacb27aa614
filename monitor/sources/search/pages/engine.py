"""An engine as the reader of saved pages knows it, and the order in which a page is classified.

The order is that of docs/design.md section 4: what can be read first; only where no result was read the engine's own
word that there is none, then the marks of a refusal, consent, a page of scripts alone. The marks stand on good pages
too (all real Google pages of 2026 carry "enablejs").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from monitor import urls
from monitor.model import Blocked, Kind, LayoutChanged, Parsed, Result
from monitor.sources.search.pages.dom import Dom, Path, Tag, address, path, shown_host, words

Block = tuple[Result, ...]

LINES_MOST = 1000  # the longest page of results known here has about 300
_OPAQUE = re.compile(r"(?:google\.[a-z.]{2,6}/goto|baidu\.com/link)\?")
_CHALLENGE = path(
    './/*[@id="challenge-form"] | .//script[contains(@src, "challenge-platform") or contains(@src, "anomaly.js")]'
    ' | .//*[@id="cf-chl-bypass"] | .//*[starts-with(@class, "anomaly-modal")]'
)
_CAPTCHA = path(
    './/*[@data-sitekey] | .//form[@id="captcha-form"] | .//input[@name="cf-turnstile-response"]'
    " | .//*[has-class(g-recaptcha) or has-class(h-captcha) or has-class(cf-turnstile) or has-class(captcha-wrap)]"
    ' | .//div[has-class(captcha) or has-class(captcha_header)] | .//*[@class="CheckboxCaptcha"]'
    ' | .//*[starts-with(@class, "CheckboxCaptcha") or starts-with(@class, "AdvancedCaptcha")]'
    ' | .//form[contains(@action, "captcha")] | .//script[contains(@src, "altcha")]'
)
_OUTWARD = path('.//body//a[starts-with(@href, "http") or starts-with(@href, "//")]')
_CONSENT = path(
    './/form[contains(@action, "//consent.") or contains(@action, "/consent?") or contains(@action, "/collectConsent")]'
    ' | .//*[has-class(con-wizard) or @id="consent-page"]'
)
_UNUSUAL = re.compile(r"unusual traffic|flagged as being suspicious|are not a robot|you are a human", re.I)
_NO_SCRIPT = path(
    './/noscript[.//*[contains(@src, "enablejs") or contains(@content, "enablejs")]]'
    ' | .//noscript[contains(translate(., "JAVSCRIPT", "javscript"), "javascript")]'
)
_NAMES = {
    **dict.fromkeys(("vid", "clip"), Kind.VIDEO),
    "news": Kind.NEWS,
    **dict.fromkeys(("image", "img"), Kind.IMAGE),
    **dict.fromkeys(("question", "alsoask", "faq"), Kind.PEOPLE_ALSO_ASK),
    **dict.fromkeys(("entity", "object", "infobox", "knowledge", "wiki", "baike"), Kind.KNOWLEDGE),
    **dict.fromkeys(("local", "location", "place", "map", "geo", "companies"), Kind.LOCAL),
    **dict.fromkeys(("neuro", "fact", "llm", "answer", "dictionary", "translat", "fanyi", "instant"), Kind.ANSWER),
}
_NOBODY = re.compile(r"(?!)")
_SHORT = 4000  # characters shown by a page that is all notice
_SHELL = 600  # characters that a page of scripts alone shows at most


@dataclass(frozen=True)
class Layout:
    """How an engine's pages are read.

    `blocks` yields what stands in the main column, each block a first line and what stands under it; `none` is the
    page's own word that there is nothing; `altered` the query answered instead; `refused` finds this engine's marks of
    a captcha, `own` matches the hosts that its notices lead to; `ends` is whether the page reaches its end.
    """

    blocks: Callable[[Dom], Iterable[Block]]
    none: Callable[[Dom], bool]
    altered: Callable[[Dom], str] = lambda page: ""
    refused: Path = lambda tag: []
    own: re.Pattern[str] = _NOBODY
    ends: Callable[[Dom], bool] = lambda page: page.whole

    def parse(self, page: Dom, query: str) -> Parsed:
        """Read the page. Raises Blocked and LayoutChanged as a source's parse does."""
        lines = tuple(_placed(self.blocks(page)))
        if len(lines) > LINES_MOST:
            raise LayoutChanged(detail=f"more than {LINES_MOST} lines, which no page of results has")
        found = [one for one in lines if one.position]
        if not found and self.none(page):
            return Parsed(lines, none=True)
        if not any(one.url for one in found):
            raise refusal(page, self.refused, self.own)
        if not self.ends(page):
            raise LayoutChanged(detail="the page breaks off, so its depth is not known")
        altered = self.altered(page)
        return Parsed(lines, altered="" if same(altered, query) else altered)


@dataclass(frozen=True)
class Engine:
    """How one engine's pages are known. `host` is a pattern of the hosts its pages stand on.

    `known` finds something on its pages and on no other's; `asked` the field with the query, `parameters` what it is
    called in the page's address, `title` the query in the page's title.
    """

    name: str
    provider: str
    host: re.Pattern[str]
    known: Path
    asked: Path
    parse: Callable[[Dom, str], Parsed]
    parameters: tuple[str, ...] = ("q",)
    title: re.Pattern[str] = _NOBODY
    saved_at: Callable[[Dom], datetime | None] = lambda page: None
    device: Callable[[Dom], str] = lambda page: ""


def says(page: Dom, notice: re.Pattern[str], own: re.Pattern[str]) -> bool:
    """Whether a page is a notice of the engine in these words.

    A page of results may quote them: one that is long or leads to other hosts than the engine's `own` is no notice.
    """
    if len(page.visible) > _SHORT or not notice.search(page.visible):
        return False
    return all(own.fullmatch(urls.host(link.get("href"))) for link in page.find(_OUTWARD))


def refusal(page: Dom, refused: Path = lambda tag: [], own: re.Pattern[str] = _NOBODY) -> Blocked | LayoutChanged:
    """What to raise for a page on which nothing was found."""
    if page.find(_CHALLENGE):
        return Blocked("challenge", "the page asks to prove that no robot is asking")
    if page.find(refused, _CAPTCHA) or says(page, _UNUSUAL, own):
        return Blocked("captcha")
    if page.find(_CONSENT) or re.match(r"(?:consent|guce)\.", urls.host(page.origin.url)):
        return Blocked("consent")
    if len(page.visible) < _SHELL and page.find(_NO_SCRIPT):
        return LayoutChanged("js_required")
    return LayoutChanged(detail="" if page.whole else "the page breaks off")


def line(kind: Kind, url: str = "", title: str = "", snippet: str = "", shown: str = "") -> Result:
    """One line, not yet placed. Of an address that only its engine can follow, the host as shown is all that counts."""
    opaque = bool(_OPAQUE.search(url))
    return Result(url, title, snippet, shown_host(shown), kind, match_precision="host" if opaque else "exact")


def listed(kind: Kind, title: str, links: Iterable[Tag], base: str, own: re.Pattern[str], most: int = 30) -> Block:
    """A block other than an organic result: its links outward, each address once, or else its heading alone.

    Links to hosts of the engine's `own` are its buttons and searches. Nothing where there is neither.
    """
    found: dict[str, Result] = {}
    for link in links:
        url = address(link.get("href"), base)
        if url and url not in found and not (own.fullmatch(urls.host(url)) and not _OPAQUE.search(url)):
            found[url] = line(kind, url, words(link, 300))
        if len(found) == most:
            break
    return tuple(found.values()) or ((line(kind, title=title),) if title else ())


def below(links: Iterable[Tag], result: Result, base: str, own: re.Pattern[str]) -> Iterator[Result]:
    """The sitelinks among these links: each address once, not the result's own, and none of the engine's buttons."""
    seen = {result.url}
    for link in links:
        url = address(link.get("href"), base)
        text = words(link, 300)
        if text and url and url not in seen and not own.fullmatch(urls.host(url)):
            seen.add(url)
            yield line(Kind.SITELINK, url, text)


def named(name: str) -> Kind:
    """What a block is by a name its engine gave it (a class, an id, a type); `other` for one not known."""
    return next((kind for word, kind in _NAMES.items() if word in name.lower()), Kind.OTHER)


def same(one: str, other: str) -> bool:
    """Whether two queries are the same but for blanks and case."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _placed(blocks: Iterable[Block]) -> Iterator[Result]:
    """The lines numbered: blocks by their place, organic ones also among themselves.

    What stands under a block's first line shares its place and takes no position of its own.
    """
    position = lines = 0
    for n, block in enumerate(blocks, start=1):
        for below, one in enumerate(block):
            takes_place = one.kind is Kind.ORGANIC
            position += takes_place
            lines += 1
            yield replace(
                one, position=position if takes_place else None, position_absolute=n, block=n, sub_index=below
            )
        if lines > LINES_MOST:
            return
