"""What stands on a page where the owner said to look: by CSS, XPath or a regular expression; in JSON by JMESPath.

Pure. HTML is read as everywhere (bounded against pages made to be slow), and selected from by parsel; a regular
expression is given two seconds, since one that goes back and forth could be made to run for ever by a strange page.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import jmespath
import parsel
import regex
from jmespath.exceptions import JMESPathError

from monitor.model import Capture, LayoutChanged
from monitor.sources.charset import text_of
from monitor.sources.profiles.answer import read_json
from monitor.sources.profiles.compact_words import foreign
from monitor.sources.search.pages.dom import Dom, path, read, words

MATCHES_MOST = 50  # looked at; more than one is too many already
WAYS = ("css", "xpath", "regex", "jmespath")
REGEX_SECONDS = 2.0
_BETWEEN = r"[.,'\u2019\u066b\u066c\u00a0\u202f]"
_DIGITS_BEFORE = re.compile(rf"[\d.,]*\d{_BETWEEN}?$")
_DIGITS_AFTER = re.compile(rf"{_BETWEEN}?\d[\d.,]*|[ ]\d{{3}}(?!\d)")
_POWER_AFTER = re.compile(r"\s?([^\W\d_]{1,10})")
_ONE_LETTER = frozenset("kmb万億亿천만억")  # others are words of their own: "12 e ..." in Italian
_LONGEST = 500  # characters of a match
_AROUND = 60  # characters shown on either side of it
_SCRIPTS = path(".//script")
_PASSWORD = path('.//input[@type="password"]')
_SHELL = 600  # characters that a page shows at most that is made by its scripts, or only asks for something
_NO_PAGE = ("image/", "audio/", "video/", "font/", "application/pdf", "application/zip", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Match:
    """What was found in one place: its text (or a number or other value of a JSON answer), and what stands around.

    `cut` is the longer number that it was cut out of ("234" of "1,234").
    """

    said: Any
    around: str
    cut: str = ""


@dataclass(frozen=True)
class Page:
    """An answer to look at."""

    capture: Capture

    @cached_property
    def text(self) -> str:
        """The answer as text."""
        return text_of(self.capture)

    @cached_property
    def data(self) -> Any:
        """What a JSON answer says; None for what is no JSON."""
        return read_json(self.capture.body)

    @cached_property
    def is_json(self) -> bool:
        """Whether the answer is JSON: a list or an object, or said to be JSON."""
        return isinstance(self.data, dict | list) or (self.data is not None and "json" in self.capture.media_type)

    @property
    def is_readable(self) -> bool:
        """Whether it is text at all, and no picture or archive."""
        return not self.capture.media_type.startswith(_NO_PAGE) and b"\0\0\0" not in self.capture.body[:1000]

    @cached_property
    def dom(self) -> Dom | None:
        """The page as a tree; None for JSON and for what is no page."""
        try:
            return None if self.is_json else read(self.capture.body)
        except LayoutChanged:
            return None

    @property
    def is_short(self) -> bool:
        """Whether a reader sees little: a page of scripts, or one that only asks for something."""
        return self.dom is not None and len(self.dom.visible) < _SHELL

    @property
    def has_scripts(self) -> bool:
        """Whether there are scripts on it."""
        return bool(self.dom and self.dom.find(_SCRIPTS))

    @property
    def asks_for_password(self) -> bool:
        """Whether there is a field for a password on it."""
        return bool(self.dom and self.dom.find(_PASSWORD))


class BadSelector(ValueError):
    """An expression that cannot be understood."""


class Nothing(Exception):
    """Nothing can be looked for in this answer in this way: why, in a few words."""


def check(way: str, expression: str) -> None:
    """Raise BadSelector for an expression that is none."""
    try:
        _CHECKS[way](expression)
    except (ValueError, TypeError, regex.error, JMESPathError, SyntaxError, RuntimeError) as error:
        said = " ".join(str(error).split())[:200]
        raise BadSelector(f'{way} is not understood: "{expression}" ({said})') from error


_EMPTY = "<html></html>"
_CHECKS: MappingProxyType[str, Callable[[str], object]] = MappingProxyType(
    {
        "css": lambda expression: parsel.Selector(text=_EMPTY).css(expression),
        "xpath": lambda expression: parsel.Selector(text=_EMPTY).xpath(expression),
        "regex": regex.compile,
        "jmespath": jmespath.compile,
    }
)


def find(page: Page, way: str, expression: str, attribute: str = "") -> list[Match]:
    """What is found, at most MATCHES_MOST. Raises Nothing where this way does not fit the answer."""
    matches = _FINDS[way](page, expression, attribute)
    return [match for match, _ in zip(matches, range(MATCHES_MOST), strict=False)]


def _by_css(page: Page, expression: str, attribute: str) -> Iterator[Match]:
    return _selected(_root(page).css(expression), attribute)


def _by_xpath(page: Page, expression: str, attribute: str) -> Iterator[Match]:
    return _selected(_root(page).xpath(expression), attribute)


def _root(page: Page) -> parsel.Selector:
    if page.is_json:
        raise Nothing("the answer is JSON: use jmespath")
    if page.dom is None:
        raise Nothing("the answer is no HTML")
    return parsel.Selector(root=page.dom.root, type="html")


def _selected(found: parsel.SelectorList[parsel.Selector], attribute: str) -> Iterator[Match]:
    for one in found:
        root = one.root
        if not hasattr(root, "tag"):
            yield Match(str(root)[:_LONGEST], _place(root))
        elif attribute and (value := root.get(attribute)) is not None:
            yield Match(value[:_LONGEST], _outside(root))
        elif not attribute:
            said = words(root, _LONGEST)
            power = _power(_behind(root)) if said[-1:].isdigit() else ""
            yield Match(said, _outside(root), f"{said}{power}" if power else "")


def _place(value: Any) -> str:
    """What stands around a text or an attribute that XPath gave by itself."""
    parent = value.getparent() if hasattr(value, "getparent") else None
    return _outside(parent) if parent is not None else ""


def _outside(tag: Any) -> str:
    around = tag.getparent() if tag.getparent() is not None else tag
    return words(around, 2 * _AROUND)


def _by_regex(page: Page, expression: str, attribute: str) -> Iterator[Match]:
    text = page.text
    try:
        for found in regex.finditer(expression, text, timeout=REGEX_SECONDS):
            said = found[1] if found.re.groups else found[0]
            if said is not None:
                around = text[max(0, found.start() - _AROUND) : found.end() + _AROUND]
                cut = _cut(text, *found.span(1 if found.re.groups else 0))
                yield Match(html.unescape(said[:_LONGEST]), " ".join(around.split())[: 4 * _AROUND], cut)
    except TimeoutError as error:
        raise Nothing(f"the regex took longer than {REGEX_SECONDS:g} seconds: make it simpler") from error


def _cut(text: str, start: int, end: int) -> str:
    """The number that a piece of the text was cut out of, with what multiplies it; empty where it was not."""
    piece = text[start:end]
    if not piece[:1].isdigit():
        before = ""
    elif blank := re.search(r"\d \Z", text[max(0, start - 20) : start]):
        before = blank[0] if re.match(r"\d{3}(?!\d)", piece) else ""
    else:
        digits = _DIGITS_BEFORE.search(text[max(0, start - 20) : start])
        before = digits[0] if digits else ""
    after = ""
    if piece[-1:].isdigit():
        digits = _DIGITS_AFTER.match(text[end : end + 20])
        after = digits[0] if digits else _power(text[end : end + 20])
    return f"{before}{piece}{after}" if before or after else ""


def _power(following: str) -> str:
    """What multiplies a number, where this is what stands behind it; else nothing."""
    found = _POWER_AFTER.match(following)
    if not found:
        return ""
    word = found[1].casefold()
    multiplies = word in _ONE_LETTER or (len(word) > 1 and word in foreign())
    return found[0] if multiplies else ""


def _behind(tag: Any) -> str:
    """The beginning of what stands behind a tag on the page."""
    following = tag.getnext()
    inside = words(following, 20) if following is not None and not (tag.tail or "").strip() else ""
    return f"{tag.tail or ''}{inside}".replace("\n", " ")[:20]


def _by_jmespath(page: Page, expression: str, attribute: str) -> Iterator[Match]:
    if page.data is None:
        raise Nothing("the answer is no JSON: use css, xpath or regex, or look for its JSON address")
    try:
        found = jmespath.search(expression, page.data)
    except (JMESPathError, RecursionError) as error:
        raise Nothing(" ".join(str(error).split())[:200]) from error
    for one in found if isinstance(found, list) else [] if found is None else [found]:
        yield Match(one, _brief(one) if isinstance(one, dict | list) else expression)


def _brief(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[: 2 * _AROUND]


_FINDS: MappingProxyType[str, Callable[[Page, str, str], Iterator[Match]]] = MappingProxyType(
    {"css": _by_css, "xpath": _by_xpath, "regex": _by_regex, "jmespath": _by_jmespath}
)
