"""A saved page as a tree, and the few ways in which the parsers of this folder look at it.

lxml by compiled XPath, without the scripts: a real Google page of 2026 (1.5 MB) takes 33 ms, its tree 12 of them (that
of BeautifulSoup 64, of selectolax 3: not worth a dependency), WebSearcher 0.7 takes 225 (bench/search.py, CPU time).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast
from urllib.parse import parse_qsl, urljoin, urlsplit

from lxml import etree, html  # type: ignore[import-untyped]

from monitor import urls
from monitor.model import Capture, LayoutChanged
from monitor.sources.charset import text_of
from monitor.sources.search.pages.saved import Origin, opened, told

Tag = Any  # lxml.html.HtmlElement: lxml carries no types
Path = Callable[[Tag], list[Tag]]

_SCRIPT = re.compile(r"<(script|style)\b", re.I)
_ENDS = {"script": re.compile("</script", re.I), "style": re.compile("</style", re.I)}
_QUOTED = r"""=\s*+(?:"[^"]*+"|'[^']*+')"""
_TAG = re.compile(rf"<[a-z](?:{_QUOTED}|[^>=]++|=)*+", re.I)
_QUOTED_VALUE = re.compile(_QUOTED)
_CLASS = re.compile(r"has-class\(([\w-]+)\)")
_INLINE = frozenset({"a", "b", "em", "font", "i", "mark", "span", "strong", "sub", "sup", "u", "wbr"})
ATTRIBUTES_MOST = 500  # in one tag: libxml2 takes minutes over a tag with a hundred thousand of them
TAGS_MOST = 100_000  # the longest page of any engine known here has about 15,000
TEXT_MOST = 2000  # characters kept of a title or a snippet


@dataclass(frozen=True)
class Dom:
    """A page: its tree, its text as written, its bytes, and where and when it was saved as far as the file tells."""

    root: Tag
    text: str
    body: bytes
    origin: Origin

    def find(self, *paths: Path) -> list[Tag]:
        """All that the paths find, each path's in page order."""
        return [found for path in paths for found in path(self.root)]

    @cached_property
    def whole(self) -> bool:
        """Whether the page reaches its end. One that breaks off hides how many results it had."""
        return "</html" in self.text[-4096:].lower()

    @cached_property
    def visible(self) -> str:
        """The beginning of what a reader sees."""
        return " ".join(words(body, 5 * TEXT_MOST) for body in _BODY(self.root))


def path(expression: str) -> Path:
    """An XPath compiled once. `has-class(x)` says that x is one of the words of @class.

    >>> page = html.fromstring('<p><a class="b_algo x">A</a><a class="b_algox">B</a></p>')
    >>> [tag.text for tag in path(".//a[has-class(b_algo)]")(page)]
    ['A']
    """
    word = r'(contains(@class, "\1") and contains(concat(" ", normalize-space(@class), " "), " \1 "))'
    return cast(Path, etree.XPath(_CLASS.sub(word, expression)))


_BODY = path(".//body")


def read(body: bytes) -> Dom:
    """The page as a tree.

    Raises LayoutChanged when the bytes hold no HTML, and for what was made to be slow: 1 MB of anything takes less
    than a second.
    """
    body, origin = opened(body)
    text = text_of(Capture(body)).replace("\0", "")
    markup = "".join(_without_scripts(text))
    if markup.count("<") > TAGS_MOST or any(_is_trap(tag[0]) for tag in _TAG.finditer(markup)):
        raise LayoutChanged(detail="the page has more tags or attributes than any page of results")
    # libxml2 itself bounds how deep tags may nest, as long as huge_tree is off
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
    try:
        root = html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise LayoutChanged(detail="the file holds no HTML") from error
    written = told(text)
    return Dom(root, text, body, Origin(origin.url or written.url, origin.at or written.at))


def _without_scripts(text: str) -> Iterator[str]:
    """The page without what stands inside scripts and styles; their tags stay."""
    start = 0
    while found := _SCRIPT.search(text, start):
        inside = text.find(">", found.end()) + 1
        end = _ENDS[found[1].lower()].search(text, inside) if inside else None
        if end is None:
            yield text[start : inside or None]
            return
        yield text[start:inside]
        start = end.start()
    yield text[start:]


def _is_trap(tag: str) -> bool:
    if len(tag) < 2 * ATTRIBUTES_MOST:
        return False
    return len(re.findall(r"[^\s/=]+", _QUOTED_VALUE.sub(" ", tag))) > ATTRIBUTES_MOST


def words(tag: Tag | None, most: int = TEXT_MOST) -> str:
    """The plain text of a tag, blanks folded; what stands in boxes of its own is kept apart by a blank."""
    return " ".join("".join(_texts(tag, 4 * most)).split())[:most] if tag is not None else ""


def _texts(tag: Tag, most: int) -> Iterator[str]:
    for event, inner in etree.iterwalk(tag, events=("start", "end")):
        text = inner.text if event == "start" else inner.tail if inner is not tag else ""
        apart = "" if inner.tag in _INLINE else " "
        if event == "start" and apart:
            yield apart
        if text:
            yield text if event == "start" else apart + text
            most -= len(text)
            if most < 0:
                return


def said(tag: Tag, *paths: Path) -> str:
    """The text of the first of these inside a tag that has any, the first path first."""
    return next((text for path in paths for found in path(tag) if (text := words(found))), "")


def address(href: str | None, base: str) -> str:
    """Where a link leads, unwrapped; empty when that is no web address."""
    try:
        url = urls.unwrap(urljoin(base, (href or "").strip()))
    except ValueError:  # "http://[" and the like
        return ""
    return url if urls.is_link(url) else ""


def shown_host(text: str) -> str:
    """The host in an address as displayed; empty where a site's name stands in its place.

    >>> shown_host("https://www.example.org > about"), shown_host("Reddit · r/rust")
    ('example.org', '')
    """
    first = text.replace("›", " ").replace("»", " ").split()
    host = urls.host(first[0]) if first else ""
    return host if "." in host else ""


def parameter(url: str, names: tuple[str, ...]) -> str:
    """The value of the first of these parameters that an address carries."""
    try:
        given = dict(reversed(parse_qsl(urlsplit(url).query)))
    except ValueError:
        return ""
    return next((given[name].strip() for name in names if given.get(name, "").strip()), "")


def has_class(tag: Tag, *names: str) -> bool:
    """Whether any of the names is a word of the tag's class."""
    given = (tag.get("class") or "").split()
    return any(name in given for name in names)
