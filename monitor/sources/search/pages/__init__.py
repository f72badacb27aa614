"""A results page that the owner saved from a browser (or that was captured), read without asking anybody.

`read_page` recognises the engine by what stands in the page, never by the file's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from monitor import urls
from monitor.model import Blocked, LayoutChanged, Parsed
from monitor.sources.search.pages.baidu import BAIDU
from monitor.sources.search.pages.bing import BING
from monitor.sources.search.pages.brave_page import BRAVE
from monitor.sources.search.pages.dom import Dom, parameter, path, read, words
from monitor.sources.search.pages.ecosia import ECOSIA
from monitor.sources.search.pages.engine import Engine, refusal
from monitor.sources.search.pages.google import GOOGLE
from monitor.sources.search.pages.own import DUCKDUCKGO, MOJEEK
from monitor.sources.search.pages.startpage import STARTPAGE
from monitor.sources.search.pages.yahoo import YAHOO
from monitor.sources.search.pages.yandex import YANDEX

# Asked in this order whether they know a page; Google first, for its pages are the largest.
ENGINES: tuple[Engine, ...] = (
    GOOGLE,
    STARTPAGE,
    ECOSIA,
    BRAVE,
    DUCKDUCKGO,
    MOJEEK,
    YANDEX,
    BAIDU,
    BING,
    YAHOO,
)

_ADDRESS = path('.//link[@rel="canonical"]/@href | .//meta[@property="og:url"]/@content | .//base/@href')
_TITLE = path(".//head/title")
_SEARCH = path('.//link[@rel="search"]/@href')
_LANGUAGE = path("ancestor-or-self::html/@lang")


@dataclass(frozen=True, slots=True)
class Page:
    """A results page as read.

    `engine` is whose page, `provider` whose index; `query` what was asked; `locale` the language the page declares
    (BCP 47, as it stands: "en", "fr-FR"); `device` "desktop", "mobile" or empty where it does not tell; `saved_at`
    when it was made or saved (UTC), `url` its own address: both None or empty where the file does not say.
    """

    engine: str
    provider: str
    query: str
    locale: str
    device: str
    saved_at: datetime | None
    url: str
    parsed: Parsed


# The parameter of an engine's address that says which page of results it is, and its value on the first.
_START = MappingProxyType(
    {
        "google": ("start", "0"),
        "bing": ("first", "1"),
        "duckduckgo": ("s", "0"),
        "yahoo": ("b", "1"),
        "yandex": ("p", "0"),
        "ecosia": ("p", "0"),
        "brave": ("offset", "0"),
        "startpage": ("page", "1"),
        "baidu": ("pn", "0"),
        "mojeek": ("s", "1"),
    }
)


def is_further(page: Page) -> bool:
    """Whether the page's address says that it is page 2 or a later one: its places are not ranks."""
    name, first = _START[page.engine]
    return parameter(page.url, (name,)) not in ("", "0", first)


class PageBlocked(Blocked):
    """A saved refusal (captcha, challenge, consent); `engine` is whose, empty where it is not known."""

    def __init__(self, refused: Blocked, engine: str = "") -> None:
        super().__init__(refused.reason, refused.detail)
        self.engine = engine


class PageUnknown(LayoutChanged):
    """A page not understood (layout_unknown, js_required); `engine` is whose, empty where it is not known."""

    def __init__(self, changed: LayoutChanged, engine: str = "") -> None:
        super().__init__(changed.reason, changed.detail)
        self.engine = engine


def read_page(body: bytes) -> Page:
    """Read a saved results page.

    Raises PageBlocked (a Blocked) for a refusal and PageUnknown (a LayoutChanged) for a page that is not understood,
    breaks off, or is no results page. Pure; 1 MB takes well under a second, whatever it holds.
    """
    engine = None
    try:
        page = read(body)
        engine = _engine(page)
        if engine is None:
            raise refusal(page)
        query = _query(page, engine)
        parsed = engine.parse(page, query)
    except Blocked as refused:
        raise PageBlocked(refused, engine.name if engine else "") from refused
    except LayoutChanged as changed:
        raise PageUnknown(changed, engine.name if engine else "") from changed
    return Page(
        engine=engine.name,
        provider=engine.provider,
        query=query,
        locale=next(iter(page.find(_LANGUAGE)), "").strip()[:35],
        device=engine.device(page),
        saved_at=page.origin.at or engine.saved_at(page),
        url=_address(page, engine),
        parsed=parsed,
    )


def _engine(page: Dom) -> Engine | None:
    """Whose page it is: by its own address, by what stands on it, by the search it offers to the browser."""
    for told in ([page.origin.url], page.find(_ADDRESS)):
        for engine in ENGINES:
            if any(engine.host.fullmatch(urls.host(url)) for url in told):
                return engine
    for engine in ENGINES:
        if page.find(engine.known):
            return engine
    hosts = [urls.host(url) for url in page.find(_SEARCH)]
    return next((engine for engine in ENGINES if any(engine.host.fullmatch(host) for host in hosts)), None)


def _query(page: Dom, engine: Engine) -> str:
    """What was asked: from the page's address, from its title where that is not cut short, or from its search field."""
    given = parameter(page.origin.url, engine.parameters)
    titles = (engine.title.fullmatch(words(title)) for title in page.find(_TITLE))
    titled = next((found[1] for found in titles if found and not found[1].endswith(("…", "..."))), "")
    fields = (field.get("value") or field.text or "" for field in page.find(engine.asked))
    return " ".join((given or titled or next((text for text in fields if text.strip()), "")).split())


def _address(page: Dom, engine: Engine) -> str:
    return page.origin.url or next(
        (
            url
            for url in page.find(_ADDRESS)
            if engine.host.fullmatch(urls.host(url)) and parameter(url, engine.parameters)
        ),
        "",
    )
