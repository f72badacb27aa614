"""DuckDuckGo's page without JavaScript, read as a person would see it.

The markup is known from saved pages of 2020 to 2026, from SearXNG's and ddgs' engines, and for ads, lite rows and the
page without results from published notes on captures of October 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import urljoin

from monitor import urls
from monitor.model import (
    Blocked,
    Capture,
    Context,
    Http,
    Kind,
    LayoutChanged,
    Measure,
    Pairs,
    Parsed,
    Result,
    Series,
    Source,
    each,
)
from monitor.sources.charset import text_of

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

_BASE = "https://duckduckgo.com/"
_MOST_TAGS = 50_000  # signs "<"; the longest saved page of any engine holds 6,438
_NONE = re.compile(r"\s*No\s+(?:more\s+)?results(?:\.|\s+found\b)", re.I)
_ALTERED = re.compile(r"(?:Including|Showing) results for\b", re.I)
_CHALLENGE = "#challenge-form, [class*=anomaly-modal], script[src*='anomaly.js'], script[src*='challenge-platform']"
_CAPTCHA = "[data-sitekey], .cf-turnstile, .g-recaptcha, .h-captcha"


@dataclass(frozen=True)
class DuckDuckGo(Source):
    """Where DuckDuckGo shows your pages, from its plain page without JavaScript.

    It costs nothing and needs no account. It asks `html.duckduckgo.com` once a day for each query: one POST with the
    query and the region, without cookies, under Monitor's own name. It never follows a result's link.

    The index behind it is Bing's: its moves and Bing's are one event, not two. DuckDuckGo meets some callers with a
    challenge ("bots use DuckDuckGo too"). Monitor does not solve it: the day is stored as `blocked`, and the host is
    left alone for a while.

    What it cannot say: what DuckDuckGo shows you in your browser (your place and settings differ), what stands beyond
    the pages read, and that a page is nowhere. A page holds about ten results; "not found" means not within those.

    Keys: `queries`, what to search for; `region`, DuckDuckGo's `kl` such as `us-en` (`wt-wt` is no region); `pages`,
    how many results pages to read at most, 1 to 10; `url`, where to ask: an address that ends in `/lite/` is asked as
    the lite page.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "duckduckgo"
    parser: ClassVar[int] = 1

    queries: tuple[str, ...] = ()
    region: str = "wt-wt"
    pages: int = 1
    url: str = "https://html.duckduckgo.com/html/"

    def __post_init__(self) -> None:
        if not 1 <= self.pages <= 10:
            raise ValueError("pages is 1 to 10")
        if any(not query.strip() or len(query) > 499 for query in self.queries):
            raise ValueError("queries are 1 to 499 characters each, as DuckDuckGo allows")

    def split(self) -> Iterable[tuple[str, Self]]:
        """One source per query."""
        return each(self, "queries")

    def series(self) -> Series:
        """DuckDuckGo's page, Bing's index, this query in this region."""
        return Series(engine="duckduckgo", provider="bing", query="".join(self.queries[:1]), locale=self.region)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The first results page; the next ones are known only from it."""
        for query in self.queries[:1]:
            button: Pairs = () if self.url.rstrip("/").endswith("/lite") else (("b", ""),)
            yield Http(self.url, form=(("q", query), *button, ("kl", self.region)))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read a results page: html, lite, or one saved from the JavaScript site.

        Raises Blocked for a challenge or captcha, and LayoutChanged for a page that is cut off or not known; both
        only after no result was found, for words like these stand on good pages too.
        """
        text = text_of(capture)
        page = _soup(text)
        blocks = tuple(_placed(_blocks(page)))
        organic = [block for block in blocks if block.kind is Kind.ORGANIC]
        if not organic and _says_none(page):
            return Parsed(blocks, none=True)
        if not any(block.url for block in organic):
            raise _refusal(page)
        if "</html" not in text[-4096:].lower():
            raise LayoutChanged(detail="the page breaks off, so its depth is not known")
        form = _next_form(page) if ctx.page < self.pages else None
        return Parsed(blocks, next=Http(self.url, form=form) if form else None, altered=_altered(page))


def _soup(text: str) -> BeautifulSoup:
    """The page as a tree. A million tags would take a minute and a gigabyte."""
    if text.count("<") > _MOST_TAGS:
        raise LayoutChanged(detail=f"more than {_MOST_TAGS} tags")
    from bs4 import BeautifulSoup  # 10 MB: only where there is a page
    from bs4.exceptions import ParserRejectedMarkup

    try:
        return BeautifulSoup(text, "lxml")
    except (ParserRejectedMarkup, ValueError) as error:  # ValueError: the charset it declares is no word
        raise LayoutChanged(detail="the page is no HTML") from error


def _blocks(page: BeautifulSoup) -> Iterator[Result]:
    """The blocks of the main column in page order, whichever layout this is."""
    for answer in page.select(".zci-wrapper .zci"):
        heading = answer.select_one(".zci__heading")
        yield _result(
            Kind.ANSWER, heading and heading.select_one("a[href]"), heading, answer.select_one(".zci__result")
        )
    for block in page.select("div.result"):
        link = block.select_one("a.result__a")  # separators and "more results" have none
        kind = Kind.AD if block.select_one(".badge--ad") or _has(block, "result--ad") else Kind.ORGANIC
        if link is not None:
            yield _result(kind, link, link, block.select_one(".result__snippet"), block.select_one(".result__url"))
    for block in page.select("article[data-testid=result], article[data-testid=ad]"):
        link = block.select_one("h2 a")
        kind = Kind.AD if block["data-testid"] == "ad" else Kind.ORGANIC
        if link is not None:
            shown = block.select_one("[data-testid=result-extras-url-link] p:last-of-type")
            yield _result(kind, link, link, block.select_one("[data-result=snippet]"), shown)
    yield from _lite_rows(page)


def _lite_rows(page: BeautifulSoup) -> Iterator[Result]:
    """Lite puts a result's title, snippet and address in rows of their own, one below the other."""
    from bs4 import Tag

    for link in page.select("tr a.result-link"):
        row = link.find_parent("tr")
        if row is None or row.select_one("a.result-link") is not link:
            continue  # a sponsored row has a second one, "more info"
        snippet = shown = None
        for below in row.next_siblings:
            if not isinstance(below, Tag):
                continue
            if below.select_one("a.result-link"):
                break
            snippet = snippet or below.select_one(".result-snippet")
            shown = shown or below.select_one(".link-text")
        yield _result(Kind.AD if _has(row, "result-sponsored") else Kind.ORGANIC, link, link, snippet, shown)


def _has(tag: Tag, name: str) -> bool:
    return name in tag.get_attribute_list("class")


def _result(
    kind: Kind, link: Tag | None, title: Tag | None, snippet: Tag | None = None, shown: Tag | None = None
) -> Result:
    """One block. An address that is no web link is left out, and the block keeps its place."""
    href = str(link.get("href") or "") if link is not None else ""
    url = urls.unwrap(_joined(href)) if href else ""
    if kind is Kind.ORGANIC and urls.canonical(url).startswith("duckduckgo.com/y.js"):
        kind = Kind.AD
    return Result(
        url=url if urls.is_link(url) else "",
        title=_text(title),
        snippet=_text(snippet),
        shown_host=_text(shown),
        kind=kind,
    )


def _joined(href: str) -> str:
    try:
        return urljoin(_BASE, href.strip())
    except ValueError:  # "http://[" and the like
        return ""


def _text(tag: Tag | None) -> str:
    return " ".join(tag.get_text().split()) if tag is not None else ""


def _placed(blocks: Iterable[Result]) -> Iterator[Result]:
    """The blocks numbered: every one by its place, the organic ones among themselves."""
    position = 0
    for n, block in enumerate(blocks, start=1):
        organic = block.kind is Kind.ORGANIC
        position += organic
        yield replace(block, block=n, position=position if organic else None, position_absolute=n)


def _says_none(page: BeautifulSoup) -> bool:
    """Whether the page itself says that there is nothing: by its mark, or in lite by its words."""
    if page.select_one(".result--no-result, .no-results"):
        return True
    asked = page.select_one("input[name=q]")
    said = page.find_all(string=_NONE)
    return asked is not None and any(
        text.find_parent(["script", "style", "template", "noscript"]) is None for text in said
    )


def _refusal(page: BeautifulSoup) -> Blocked | LayoutChanged:
    """What to raise for a page without results."""
    if page.select_one(_CHALLENGE):
        return Blocked("challenge", "the page asks to prove that no robot is asking")
    if page.select_one(_CAPTCHA):
        return Blocked("captcha")
    if any("javascript" in tag.get_text().lower() for tag in page.select("noscript")):
        return LayoutChanged("js_required")
    return LayoutChanged()


def _altered(page: BeautifulSoup) -> str:
    """The query answered instead of ours; a mere "Did you mean" is a suggestion."""
    note = page.select_one("#did_you_mean")
    if note is None or not _ALTERED.match(_text(note)):
        return ""
    return _text(note.select_one("a"))


def _next_form(page: BeautifulSoup) -> Pairs | None:
    """The hidden fields of the form for the next page: of those with an offset, the furthest.

    Only the fields are taken and never the form's address: a page does not decide whom we ask.
    """
    forms: dict[int, Pairs] = {}
    for form in page.select("form"):
        fields = {
            str(field["name"]): str(field.get("value") or "") for field in form.select("input[type=hidden][name]")
        }
        submit = form.select_one("input[type=submit]")
        back = submit is not None and str(submit.get("value") or "").strip("< ").lower().startswith("prev")
        offset = fields.get("s", "")
        if "q" in fields and re.fullmatch(r"[1-9][0-9]{0,5}", offset) and not back:
            forms[int(offset)] = tuple(fields.items())
    return forms[max(forms)] if forms else None
