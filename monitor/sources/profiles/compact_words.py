"""The words and letters that stand for thousands and millions beside a number, by locale: "K", "Tsd.", "万".

From CLDR's compact decimal formats (babel), and by hand what pages write and CLDR does not. One and the same word means
different powers in different languages ("mil" is 10³ in Spanish and 10⁶ in Czech; "B" 10³, 10⁹ or 10¹²): so a word is
only ever read by the table of the locale that is declared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from babel import Locale, UnknownLocaleError

_BY_HAND: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "de": {"Tsd": 10**3, "Tsd.": 10**3, "Tausend": 10**3, "Mill.": 10**6, "K": 10**3},
        "hi": {"лакх": 10**5, "lakh": 10**5, "crore": 10**7, "K": 10**3, "M": 10**6},
        "en": {"lakh": 10**5, "crore": 10**7, "thousands": 10**3, "millions": 10**6, "mn": 10**6, "bn": 10**9},
        "ru": {"тыс": 10**3, "млн": 10**6, "млрд": 10**9, "K": 10**3, "К": 10**3},
        "fr": {"K": 10**3},
        "it": {"K": 10**3, "mila": 10**3},
        "nl": {"dzd.": 10**3, "duizend": 10**3, "K": 10**3},
    }
)
# Whose words a number is not read past, where the declared locale does not know them: "3 Tsd." in English is not 3.
_COMMON = (
    *("en", "en_IN", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sk", "ro", "hr", "hu", "ru", "uk", "bg"),
    *("tr", "sv", "da", "nb", "fi", "el", "et", "lv", "lt", "he", "ar", "fa", "hi", "bn", "th", "vi", "id", "sw"),
    *("ja", "zh", "zh_Hant", "ko"),
)
_MORE = frozenset({"dozen", "dozens", "hundred", "hundreds", "million", "billion", "trillion"})
_PATTERN = re.compile(r"([^0#,.]*)[#,]*(0+)(.*)")


class Scales(NamedTuple):
    """How a locale writes numbers and their powers.

    `decimal` and `group` are its separators in ASCII digits, `secondary` how many digits stand between two groups
    (3, or 2 in India). `after` and `before` are what stands behind or in front of a number, and what it multiplies by;
    `words` is all of it in lower case, and what means two powers in this very locale too.
    """

    decimal: str
    group: str
    secondary: int
    after: Mapping[str, int]
    before: Mapping[str, int]
    words: frozenset[str]


def plain(text: str) -> str:
    r"""The text with one sort of blank, minus, apostrophe and digit, and without marks that have no width.

    >>> plain("\u22121\u202f234\u200e"), plain("٣٬٤٥٦")
    ('-1 234', '3٬456')
    """
    return "".join(_plain(character) for character in text)


_SAME = {"−": "-", "﹣": "-", "－": "-", "’": "'", "ʼ": "'", "＇": "'", "％": "%", "٪": "%", "＋": "+"}
_SAME |= {"，": ",", "．": ".", "：": ":", "＜": "<", "＞": ">"}


def _plain(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else " "
    if (digit := unicodedata.decimal(character, None)) is not None:
        return str(digit)
    kind = unicodedata.category(character)
    if kind == "Cf":
        return ""
    return " " if kind in ("Zs", "Zl", "Zp", "Cc") else _SAME.get(character, character)


def known(locale: str) -> bool:
    """Whether a locale's way to write numbers is known ("en", "de_CH", "pt-BR")."""
    try:
        return bool(Locale.parse(locale.replace("-", "_")))
    except (ValueError, TypeError, UnknownLocaleError):
        return False


@cache
def scales(locale: str) -> Scales:
    """How a locale writes numbers. Raises ValueError for one that is not known."""
    try:
        parsed = Locale.parse(locale.replace("-", "_"))
    except UnknownLocaleError as error:
        raise ValueError(str(error)) from error
    symbols = parsed.number_symbols["latn"]
    hand = {plain(word): power for word, power in _BY_HAND.get(parsed.language, {}).items()}
    after, before = _affixes(parsed)
    after += hand.items()
    return Scales(
        decimal=plain(symbols["decimal"]),
        group=plain(symbols["group"]),
        secondary=parsed.decimal_formats[None].grouping[1],
        after=MappingProxyType(_clear(after)),
        before=MappingProxyType(_clear(before)),
        words=frozenset(word.rstrip(".").casefold() for word, _ in [*after, *before]),
    )


@cache
def foreign() -> frozenset[str]:
    """The words for powers of the languages that most pages are written in, in lower case."""
    words = (word for locale in _COMMON for word in scales(locale).words)
    hand = (plain(word).rstrip(".").casefold() for table in _BY_HAND.values() for word in table)
    return frozenset(words) | frozenset(hand) | _MORE


def _affixes(locale: Locale) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """What stands behind and in front of numbers, each with its power of ten."""
    after: list[tuple[str, int]] = []
    before: list[tuple[str, int]] = []
    for magnitude, pattern in _patterns(locale.compact_decimal_formats):
        found = _PATTERN.fullmatch(plain(pattern.partition(";")[0]).replace("'", ""))
        if not found:
            continue
        power = magnitude // 10 ** (len(found[2]) - 1)
        if (front := found[1].strip()) and not found[3].strip():
            before.append((front, power))
        elif found[3].strip() and not front:
            after.append((found[3].strip(), power))
    return after, before


def _patterns(formats: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    for plurals in formats.values():
        for by_magnitude in plurals.values():
            for magnitude, pattern in by_magnitude.items():
                yield int(magnitude), pattern.pattern


def _clear(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The words in lower case without a last full stop; one that would mean two powers is left out.

    A single letter keeps its case ("5 t" are no trillions), except the k and M of everyday use.
    """
    powers: dict[str, set[int]] = {}
    for written, power in pairs:
        word = written.rstrip(".")
        for key in {word.upper(), word.lower()} if word in "kKmM" else {word if len(word) == 1 else word.casefold()}:
            powers.setdefault(key, set()).add(power)
    return {word: power for word, (power, *others) in powers.items() if not others}
