"""Pure: a kept page as a copy that does nothing, with the results that were read from it marked.

What a browser shows is rebuilt from lists of harmless tags and attributes: no script, form, frame, outside image, or
link remains. The answer's own policy (capture.py) forbids the same once more, for what two parsers see differently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin

from lxml import html  # type: ignore[import-untyped]

from monitor import urls

Tag = Any  # lxml.html.HtmlElement: lxml carries no types

_KEPT = frozenset(
    re.findall(
        r"\w+",
        """
    html head title style body a abbr address article aside b bdi bdo blockquote br button caption center cite code
    col colgroup dd del details dfn div dl dt em fieldset figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i
    img input ins kbd label legend li main mark nav ol optgroup option p pre q s samp section select small span
    strike strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr
""",
    )
)
_DROPPED = frozenset(
    re.findall(
        r"\w+",
        """
    applet area audio base basefont bgsound canvas embed frame frameset iframe link map math meta noembed noframes
    object param plaintext portal script source svg template textarea track video xmp
""",
    )
)
_ATTRIBUTES = frozenset(
    re.findall(
        r"\w+",
        """
    align alt bgcolor border cellpadding cellspacing checked class color cols colspan dir face headers height hidden
    id lang open placeholder reversed role rows rowspan scope selected size start style title type valign value
    width
""",
    )
)
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|avif|bmp|x-icon);base64,[A-Za-z0-9+/=\s]*", re.I)
_BAD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_COLOURS = {"mine": "#1f5fd1", "about_me": "#3f6fb8", "namesake": "#6d4fa8", "unwanted": "#b93411"}
_STRANGER = "#59606d"

# libxml2 takes minutes over a tag with a hundred thousand attributes; no engine's page has more tags than this.
_TAG = re.compile(r"<[a-z](?:=\s*+(?:\"[^\"]*+\"|'[^']*+')|[^>=]++|=)*+", re.I)
_QUOTED = re.compile(r"=\s*+(?:\"[^\"]*+\"|'[^']*+')")
_SCRIPT, _SCRIPT_END = re.compile(r"<script\b", re.I), re.compile(r"</script", re.I)
_ATTRIBUTES_MOST, _TAGS_MOST = 500, 100_000


class Mark(NamedTuple):
    """What is written beside a result in the kept page: "3 mine", and whose it is, for the colour."""

    label: str
    whose: str


def without_scripts(text: str) -> str:
    """The page without its scripts: what stands in them looks like tags to whoever is no browser."""
    kept, start = [], 0
    while found := _SCRIPT.search(text, start):
        kept.append(text[start : found.start()])
        end = _SCRIPT_END.search(text, found.end())
        if end is None:
            return "".join(kept)
        start = text.find(">", end.end()) + 1 or len(text)
    return "".join([*kept, text[start:]])


def is_trap(text: str) -> bool:
    """Whether a page is built to keep a parser busy: such a one is shown as its source."""
    if text.count("<") > _TAGS_MOST:
        return True
    long = (tag[0] for tag in _TAG.finditer(text) if len(tag[0]) > 2 * _ATTRIBUTES_MOST)
    return any(len(re.findall(r"[^\s/=]+", _QUOTED.sub(" ", tag))) > _ATTRIBUTES_MOST for tag in long)


def inert(text: str, address: str, marks: Mapping[str, Mark]) -> bytes:
    """The page as UTF-8 HTML that does nothing. `address` is where it came from; `marks` are by canonical address.

    Raises ValueError for a page that cannot be made inert: a trap, or nothing that can be read as HTML.
    """
    text = without_scripts(text)
    if is_trap(text) or not text.strip():
        raise ValueError("not a page that can be shown")
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    root = html.document_fromstring(_BAD.sub("", text).encode("utf-8", "replace"), parser=parser)  # ParserError too
    bases = root.xpath("string(.//base[@href][1]/@href)")
    base = _joined(address, bases) if bases else address
    for style in root.xpath("//noscript//style"):  # it hides the page from whoever runs no scripts
        style.drop_tree()
    waiting = dict(marks)
    for tag in list(root.iter()):
        _clean(tag, base, marks, waiting)
    kind = root.getroottree().docinfo.doctype and "<!DOCTYPE html>"
    shown: bytes = html.tostring(root, encoding="utf-8", doctype=kind or None)
    return shown


def _clean(tag: Tag, base: str, marks: Mapping[str, Mark], waiting: dict[str, Mark]) -> None:
    name = tag.tag if isinstance(tag.tag, str) else ""
    if name in _DROPPED or not name:
        if tag.getparent() is not None:
            tag.drop_tree()
        return
    target = tag.get("href") if name == "a" else None
    source = tag.get("src", "") if name == "img" else ""
    for key in list(tag.attrib):
        if key not in _ATTRIBUTES and not key.startswith("aria-"):
            del tag.attrib[key]
    if name not in _KEPT:
        tag.tag = "div" if name in ("form", "noscript", "dialog", "search", "menu", "dir") else "span"
    if name in ("button", "input", "select"):
        tag.set("disabled", "")
    if _PICTURE.fullmatch(source):
        tag.set("src", source)
    if target:
        _mark(tag, _joined(base, target), marks, waiting)


def _joined(base: str, target: str) -> str:
    try:
        return urls.unwrap(urljoin(base, target.strip()))
    except ValueError:  # an address in brackets that is none
        return target


def _mark(link: Tag, target: str, marks: Mapping[str, Mark], waiting: dict[str, Mark]) -> None:
    """Say where a link led, and frame it when that is one of the results; the first of each gets its place as well."""
    link.set("title", target)
    key = urls.canonical(target) if marks else ""
    mark = marks.get(key)
    if mark is None:
        return
    colour = _COLOURS.get(mark.whose, _STRANGER)
    link.set("style", f"{link.get('style', '')};outline:2px solid {colour}!important;outline-offset:2px!important")
    if waiting.pop(key, None):
        badge = html.Element("span")
        badge.text = mark.label
        badge.set(
            "style",
            f"all:initial;background:{colour};color:#fff;font:600 12px/1.5 sans-serif;padding:1px 7px;"
            "border-radius:9px;margin-right:6px;white-space:nowrap;",
        )
        badge.tail, link.text = link.text, None
        link.insert(0, badge)
