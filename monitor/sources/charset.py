"""A page's bytes as text, so that names come out right.

Headers and pages lie about their charset: a Latin-1 page is said to be UTF-8, a UTF-8 page to be Latin-1. The bytes
themselves are the better witness, for hardly any text in another charset happens to be valid UTF-8.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from monitor.model import Capture

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_META = re.compile(rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([\w.:-]+)", re.I)
_META_WITHIN = 4096
_OF_THE_WEB = re.compile(
    r"ascii|utf-(8|16)|cp\d{3,4}$|iso8859|iso2022_jp|koi8|gb|big5|euc|shift|mac|tis"
)  # Python's names
_ANY_BYTES = frozenset({"ascii", "iso8859-1", "iso8859-15", "cp1252"})  # read as windows-1252, as browsers do


def text_of(capture: Capture) -> str:
    """The text of a page.

    A byte order mark decides, as in browsers. Then a charset that is said (by the header, then by the page) and fits,
    unless any bytes would fit it; then UTF-8 where that fits. Where nothing fits,
    a page with more characters in good UTF-8 than bad bytes is UTF-8 with damage, any other windows-1252.
    """
    body = capture.body
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    said = list(_said(capture))
    for name in (*(name for name in said if name not in _ANY_BYTES), "utf-8"):
        try:
            return body.decode(name)
        except UnicodeError:
            continue
    text = body.decode("utf-8", "replace")
    bad = text.count("\N{REPLACEMENT CHARACTER}")
    good = sum(not character.isascii() for character in text) - bad
    return text if good > bad else body.decode("cp1252", "replace")


def _said(capture: Capture) -> Iterator[str]:
    meta = _META.search(capture.body[:_META_WITHIN])
    in_page = meta[1].decode() if meta else ""
    if in_page.lower().startswith("utf-16"):
        in_page = ""  # what can be read is not in UTF-16
    for name in (capture.charset, in_page):
        try:
            known = codecs.lookup(name).name
        except (LookupError, ValueError):  # ValueError: a NUL in the name
            continue
        if _OF_THE_WEB.match(known):
            yield known
