"""Is an identifier in a text? Pure; each kind by the spellings that people and programs give it.

Telephone numbers: where the last digits of the number stand, whatever is between them, phonenumbers reads them and the
groups before them by the numbering plan of each region; found is what is valid there and the same in E.164. Its own
`PhoneNumberMatcher` looks for any number, takes seconds for a page of megabytes in each region, and passes over one
that stands behind a date or a letter; who knows the number can do better.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import phonenumbers

from monitor.sources.contacts.exposure_terms import Identifier, words

LAST_DIGITS = 7  # of a number: the part that no way of dialling changes
MOST_PLACES = 2_000  # different ones on a page; a person's number stands in a few
_BETWEEN = r"[\W_]{0,6}"
MOST_DIGITS = 15  # of a number with its country code
MOST_BEFORE = 30  # characters of a number before its last digits
_BEFORE = re.compile(r"(?:\d|[\W_])+$")
_GROUP = re.compile("[+\N{FULLWIDTH PLUS SIGN}]? ?(?<!\\d)\\d+")
_AT = r" ?(?:@|\(@\)|[\[({<] ?(?:at|ät|arroba|@) ?[\])}>]|(?<= )at(?= )|[-_]at[-_]) ?"
_DOT = r" ?(?:\.|[\[({<] ?(?:dot|punkt|punto|\.) ?[\])}>]|(?<= )(?:dot|punkt)(?= )|[-_]dot[-_]) ?"


class TooMuch(Exception):
    """The text has more places to look at than any honest page."""


@dataclass(frozen=True)
class Text:
    """A text of a page and where it stands, brought to the forms in which it is searched, each once."""

    place: str
    text: str = field(repr=False)

    @cached_property
    def plain(self) -> str:
        """For telephone numbers: without what is not seen, blanks folded."""
        unseen = {ord(c): None for c in set(self.text) if not c.isascii() and unicodedata.category(c) == "Cf"}
        return " ".join(self.text.translate(unseen).split())

    @cached_property
    def folded(self) -> str:
        """For mail addresses: case and width folded."""
        return unicodedata.normalize("NFKC", self.plain).casefold()

    @cached_property
    def words(self) -> str:
        """For addresses: the words alone, a blank before and after each."""
        return f" {' '.join(words(self.plain))} "


def place_of(identifier: Identifier, texts: Sequence[Text], regions: tuple[str, ...]) -> str:
    """The place of the first text that holds the identifier; empty where none does. Raises TooMuch."""
    for text in texts:
        if _holds(text, identifier, regions):
            return text.place
    return ""


def _holds(text: Text, identifier: Identifier, regions: tuple[str, ...]) -> bool:
    if identifier.kind == "phone":
        return _holds_phone(text.plain, identifier.value, regions)
    if identifier.kind == "mail":
        return bool(_mail_pattern(identifier.value).search(text.folded))
    return f" {identifier.value} " in text.words


def _holds_phone(text: str, wanted: str, regions: tuple[str, ...]) -> bool:
    number = phonenumbers.parse(wanted)
    everywhere = dict.fromkeys((phonenumbers.region_code_for_number(number) or "ZZ", *regions))
    seen: set[str] = set()
    for dialled in _dialled(_ascii_digits(text), wanted[-LAST_DIGITS:]):
        if dialled in seen:
            continue
        seen.add(dialled)
        if len(seen) > MOST_PLACES:
            raise TooMuch
        spellings = (dialled, re.sub(rf"^00{number.country_code}", f"+{number.country_code}", dialled))
        if any(_reads(spelling, region, wanted) for spelling in spellings for region in everywhere):
            return True
    return False


def _reads(dialled: str, region: str, wanted: str) -> bool:
    """Whether these digits are the wanted number, dialled in this region."""
    try:
        number = phonenumbers.parse(dialled, region)
    except phonenumbers.NumberParseException:
        return False
    if not phonenumbers.is_valid_number(number):
        return False
    return bool(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == wanted)


def _dialled(text: str, digits: str) -> Iterator[str]:
    """What may be a number that ends in these digits: they and the groups before them, with no letter between."""
    for last in re.finditer(f"(?=({_BETWEEN.join(digits)}))", text):
        start, end = last.span(1)
        if not text[end : end + 1].isdigit():
            before = _BEFORE.search(text[max(0, start - MOST_BEFORE) : start])
            yield from _from_each_group((before[0] if before else "") + text[start:end], end - start)


def _from_each_group(piece: str, length: int) -> Iterator[str]:
    """The digits of a piece from each group that begins before its last `length` characters do, to its end.

    A group is taken whole: a number inside a longer string of digits is another one. So is one with another country
    code, as long as the two together are no longer than a number may be (15 digits, E.164).
    """
    first = len(piece) - length
    abroad = ""
    for group in _GROUP.finditer(piece):
        if group.start() > first:
            return
        dialled = re.sub(r"[^\d+]", "", piece[group.start() :].replace("\N{FULLWIDTH PLUS SIGN}", "+"))
        digits = dialled.rpartition("+")[2]
        if group.start() == 0 and first >= MOST_BEFORE:
            continue  # it may have begun before the piece
        if group[0][0] in "+\N{FULLWIDTH PLUS SIGN}":
            abroad = digits
        elif len(abroad) in range(1, MOST_DIGITS + 1) and not digits.startswith("0"):
            continue
        yield f"+{digits}" if "+" in dialled else digits


def _ascii_digits(text: str) -> str:
    """The same text with the digits of all scripts as 0 to 9; each stays one character."""
    strange = {ord(c): str(unicodedata.decimal(c)) for c in set(text) if c.isdecimal() and not c.isascii()}
    return text.translate(strange) if strange else text


def _mail_pattern(mail: str) -> re.Pattern[str]:
    name, _, host = mail.rpartition("@")
    domain = _DOT.join(re.escape(label) for label in host.split("."))
    local = _DOT.join(re.escape(part) for part in name.split("."))
    return re.compile(rf"(?<![\w.+-]){local}{_AT}{domain}(?![\w-]|\.\w)")
