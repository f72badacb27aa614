"""A page as the texts in which an identifier may stand, and whether "not found" may be said of it. Pure.

Searched are what a reader sees, what its links and attributes say, and at last the source as it came: a number in the
data of a script is on the page for every machine. A page is truly read only where a reader would see a text: one that
its scripts make, or that only asks for a login, may show anything.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from monitor import refusal
from monitor.model import Capture, LayoutChanged
from monitor.sources.charset import text_of
from monitor.sources.contacts.exposure_match import Text, TooMuch, place_of
from monitor.sources.contacts.exposure_terms import Identifier
from monitor.sources.search.pages.dom import Dom, path, read, words

Verdict = Literal["found", "not_found", "page_gone", "could_not_read"]
SHELL = 600  # characters that a page shows at most that only asks for something
NO_TEXT = 200  # characters that a page shows at most that its scripts make
_ALL = 10_000_000  # characters: more than any page has that is fetched
_STATUS = {401: "denied", 402: "denied", 403: "denied", 407: "denied", 451: "denied", 429: "rate_limited"}
_GONE = (404, 410)
_SCRIPTS = path(".//script")
_PASSWORD = path('.//input[@type="password"]')
_CLOUDFLARE = re.compile(r"(?:data-cfemail\s*=\s*[\"']?|/email-protection#)([0-9a-f]{6,400})", re.I)
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\(/)")


@dataclass(frozen=True, slots=True)
class PdfText:
    """The text of a PDF's pages, each in one or two ways; `unread` is why not all of it is known, or empty."""

    texts: tuple[tuple[str, str], ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one identifier on a page: the place where it stood, or why nothing can be said."""

    identifier: Identifier
    verdict: Verdict
    reason: str = ""
    place: str = ""


def look(
    capture: Capture, pdf: PdfText | None, identifiers: Iterable[Identifier], regions: tuple[str, ...]
) -> tuple[Seen, ...]:
    """Which of the identifiers stand on a page; `pdf` is its text where `is_pdf`."""
    if capture.status in _GONE:
        return unread(identifiers, f"status {capture.status}", "page_gone")
    if reason := _refused(capture):
        return unread(identifiers, reason)
    texts, doubt = _of_pdf(pdf) if pdf else _of_page(capture)
    return tuple(_seen(identifier, texts, doubt, regions) for identifier in identifiers)


def unread(identifiers: Iterable[Identifier], reason: str, verdict: Verdict = "could_not_read") -> tuple[Seen, ...]:
    """The same of all: the page could not be read, or is gone."""
    return tuple(Seen(identifier, verdict, reason) for identifier in identifiers)


def is_pdf(capture: Capture) -> bool:
    """Whether the bytes are a PDF, whatever they are said to be."""
    return b"%PDF-" in capture.body[:1024]


def told_in(address: str, identifiers: Iterable[Identifier], regions: tuple[str, ...]) -> bool:
    """Whether an address itself tells one of the identifiers, so that it must not be written down."""
    texts = [Text("address", address), Text("address", unquote(address))]
    return any(_seen(identifier, texts, "", regions).verdict != "not_found" for identifier in identifiers)


def _seen(identifier: Identifier, texts: Sequence[Text], doubt: str, regions: tuple[str, ...]) -> Seen:
    try:
        place = place_of(identifier, texts, regions)
    except TooMuch:
        return Seen(identifier, "could_not_read", "too_large")
    if place:
        return Seen(identifier, "found", place=place)
    return Seen(identifier, "could_not_read" if doubt else "not_found", doubt)


def _refused(capture: Capture) -> str:
    """Why the answer is not the page, by its status, its final address and its headers."""
    if reason := refusal.by_address(capture) or refusal.by_headers(capture):
        return reason
    if capture.status in _STATUS:
        return _STATUS[capture.status]
    if capture.status >= 500:
        return "server_error"
    if capture.status >= 300:
        return "bad_request" if capture.status >= 400 else "redirect"
    return "" if capture.body.strip() else "empty_answer"


def _of_pdf(pdf: PdfText) -> tuple[list[Text], str]:
    return [Text(place, text) for place, text in pdf.texts], pdf.unread


def _of_page(capture: Capture) -> tuple[list[Text], str]:
    """The texts of a page that is no PDF, and why "not found" may not be said of it."""
    kind = capture.media_type
    if b"\0\0" in capture.body[:4096] or kind.startswith(("image/", "audio/", "video/", "font/")):
        return [], "not_text"
    source = text_of(capture)
    if not (kind in ("", "text/html", "application/xhtml+xml") or "<html" in source[:2000].lower()):
        is_text = kind.startswith("text/") or kind.endswith(("json", "xml", "javascript"))
        return [Text("text", source), *_of_source(source)], "" if is_text else "not_text"
    try:
        dom = read(capture.body)
    except LayoutChanged:  # no HTML, or made to be slow: what is found all the same is found
        return [Text("text", source), *_of_source(source)], "layout_unknown"
    visible = words(dom.root, _ALL)
    texts = [Text("text", visible), Text("link", "\n".join(_attributes(dom, source))), *_of_source(source)]
    return texts, _doubt(capture, dom, visible)


def _doubt(capture: Capture, dom: Dom, visible: str) -> str:
    """Why a page that shows little is not taken for the page."""
    if len(visible) < SHELL:
        if reason := refusal.by_marks(capture.body):
            return reason
        if dom.find(_PASSWORD):
            return "login_wall"
    if len(visible) < NO_TEXT and dom.find(_SCRIPTS):
        return "js_required"
    return "" if visible else "empty_answer"


def _attributes(dom: Dom, source: str) -> Iterator[str]:
    for tag in dom.root.iter():
        for value in tag.values():
            yield value
            if "%" in value:
                yield unquote(value)
    for found in _CLOUDFLARE.finditer(source):
        if len(found[1]) % 2 == 0:
            yield _from_cloudflare(bytes.fromhex(found[1]))


def _from_cloudflare(hidden: bytes) -> str:
    """A mail address that Cloudflare hid: each byte is changed by the first ("Email Address Obfuscation")."""
    return bytes(byte ^ hidden[0] for byte in hidden[1:]).decode("utf-8", "replace")


def _of_source(source: str) -> Iterator[Text]:
    """The source as it came, its escapes undone."""
    plain = html.unescape(source)
    plain = _ESCAPED.sub(lambda found: found[2] or chr(int(found[1], 16)), plain)
    yield Text("source", plain)
    if "%" in plain:
        yield Text("source", unquote(plain))
