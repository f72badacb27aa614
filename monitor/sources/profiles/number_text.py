"""A number as people write it, read by the rules of the locale that is declared: right, or refused with the reason.

"1.2K", "3 Tsd.", "12 лакх", "1.2万", "1 234", "٣٬٤٥٦", "500+". No library reads these, and those that try are wrong in
silence: price-parser 0.5 makes 1.2 of "1.2K". What could be meant in two ways is refused here, and so is what stands in
words that may change it ("about 500", "12%", "3 of 5").
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from monitor.sources.profiles.compact_words import Scales, foreign, plain, scales

LARGEST = 2**53  # beyond it a number need not be what was written
_LONGEST = 300  # characters of a text that is still a number with a few words

Precision = Literal["exact", "rounded", "at_least", "at_most"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number that was read.

    `precision` says how far it may be believed; `step` is what it was rounded to, a power of ten ("1.2K" is 1200, to
    100), and 0 where it was not.
    """

    value: int | float
    precision: Precision = "exact"
    step: int = 0


class NotANumber(ValueError):
    """Why a text is not taken for a number, in a few words."""


_ARAB_GROUP, _ARAB_DECIMAL = "٬", "٫"
_DIGITS = r"\d+(?:[.,'٬٫]\d+)*"
_TOKEN = re.compile(_DIGITS)
_SPACED = re.compile(rf"{_DIGITS}(?: \d{{3}}(?![\d'٬٫])(?:[.,]\d+(?!\d*[.,]\d))?)*")
_GROUPED = r"\d{{1,{first}}}(?:{group}\d{{{secondary}}})*{group}\d{{3}}"
_OPENS = frozenset(" :=([{\"'“„«»·•|>#↑↓▲▼✓★♥❤👁\t")
_CLOSES = frozenset(" ),];:.!\"'”“«»·•|}")
_COUNTERS = frozenset("人名次回件个個位枚篇本명회개번건차")
_CJK = re.compile(r"[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_CJK_HEDGE = frozenset("約约超近过過逾达達至到不足满滿第数數几幾上百千万萬億亿兆京多余餘半弱強强以未")
_HEDGE_BEFORE = re.compile(
    r"(?:~|≈|±|(?<![^\W\d_])(?:about|around|approx|approximately|roughly|circa|ca|over|above|than|least|most|under"
    r"|below|up to|nearly|almost|some|every|max|min|top|rank|über|unter|als|mindestens|höchstens|bis(?: zu)?|fast"
    r"|rund|etwa|knapp|ungefähr|gut|plus de|moins de|environ|près de|moins|presque|jusqu'à|más de|menos de|casi"
    r"|cerca de|unos|unas|menos|hasta|più di|meno di|oltre|quasi|almeno|mais de|quase|até|meer dan|minder dan|ongeveer"
    r"|bijna|более|больше|менее|меньше|около|почти|свыше|ponad|prawie|of|von|sur|из|di|de|van))\.?$"
)
_HEDGE_AFTER = re.compile(
    r"(?:or|and|oder|und|ou|o|e|of|og|en|и|или) (?:more|fewer|less|above|over|mehr|weniger|plus|moins|más|menos|più"
    r"|meno|mais|meer|minder|более|менее)\b|(?:plus|more than|of|von|out of)\b|/|-|–|—|\.\.|…|&|~|°|\^|\*|st\b|nd\b"
    r"|rd\b|th\b"
)
_WORD = r"([^\s\d()\[\]{},;:!?\"«»·•|/+<>=-]+)"
_WORD_AFTER = re.compile(rf" ?{_WORD}")
_WORD_BEFORE = re.compile(rf"{_WORD} ?$")
_PERCENT = re.compile(r"%|‰|percent|prozent|pour ?cent|per ?cent|por ciento|процент")


def read_number(text: str, locale: str = "") -> Number:
    """Read the one number in a text.

    Without a locale only what means the same everywhere is read ("1234", "1,234,567", "1.2K"), and "1.234" is refused.
    Raises NotANumber with the reason, and ValueError for a locale that is not known.

    >>> read_number("6K followers", "en"), read_number("500+ connections", "en").precision
    (Number(value=6000, precision='rounded', step=1000), 'at_least')
    """
    rules = scales(locale) if locale else None
    said = " ".join(plain(text).split())
    if len(said) > _LONGEST:
        raise NotANumber("a long text, not a number")
    if any(unicodedata.category(character) in ("No", "Nl") for character in said):
        raise NotANumber("holds a fraction or another sign that is a number of its own")
    token = _only(said, rules)
    front, back = said[: token.start()], said[token.end() :]
    mantissa, places = _mantissa(token[0].strip(), rules)
    front, negative, bound = _front(front)
    power, back, front = _power(front, back, rules)
    if back.startswith("+"):
        bound, back = _bounded(bound, "at_least"), back[1:]
    _check_front(front)
    _check_back(back)
    return _made(-mantissa if negative else mantissa, places, power, bound)


def _only(said: str, rules: Scales | None) -> re.Match[str]:
    spaced = rules is not None and rules.group == " "
    found = list((_SPACED if spaced else _TOKEN).finditer(said))
    if not found:
        raise NotANumber("no digits")
    if len(found) > 1:
        raise NotANumber("several numbers")
    return found[0]


def _mantissa(digits: str, rules: Scales | None) -> tuple[Decimal, int]:
    """The value of the digits with their separators, and how many stand behind the decimal sign."""
    marks = [mark for mark in digits if not mark.isdigit()]
    if not marks:
        if len(digits) > 1 and digits.startswith("0"):
            raise NotANumber("begins with 0, as a code does")
        return Decimal(digits), 0
    if _ARAB_GROUP in marks or _ARAB_DECIMAL in marks:
        group, decimal, secondary = _ARAB_GROUP, _ARAB_DECIMAL, 3
    elif rules:
        group, decimal, secondary = rules.group, rules.decimal, rules.secondary
    else:
        group, decimal, secondary = _anywhere(marks, digits)
    whole, mark, fraction = digits.partition(decimal)
    if not (whole.isdigit() or _is_grouped(whole, group, secondary)) or (mark and not fraction.isdigit()):
        raise NotANumber(f'"{digits}" is not how a number is written in this locale')
    return Decimal(f"{''.join(c for c in whole if c.isdigit())}.{fraction or 0}"), len(fraction)


def _is_grouped(whole: str, group: str, secondary: int) -> bool:
    """Whether these digits are set in groups as the locale does; pages write threes in India too."""
    sizes = {(3, 3), (secondary, secondary)}
    return any(
        re.fullmatch(_GROUPED.format(first=first, group=re.escape(group), secondary=size), whole)
        for first, size in sizes
    )


def _anywhere(marks: list[str], digits: str) -> tuple[str, str, int]:
    """The separators, where no locale says: only what can be meant in one way."""
    kinds = list(dict.fromkeys(marks))
    if len(kinds) == 2 and marks.count(kinds[1]) == 1 and kinds[1] in ".,":
        return kinds[0], kinds[1], 3
    if len(kinds) == 1 and len(marks) > 1:
        return kinds[0], "\0", 3
    if len(kinds) == 1 and kinds[0] in ".," and len(digits.partition(kinds[0])[2]) != 3:
        return "\0", kinds[0], 3
    raise NotANumber(f'"{digits}" means one thing or another by language: say which with locale')


def _power(front: str, back: str, rules: Scales | None) -> tuple[int, str, str]:
    """What the number is multiplied by, and what is left around it."""
    after = rules.after if rules else {"k": 1000, "K": 1000}
    rest = back.removeprefix(" ")
    low = rest.casefold()
    for word in sorted(after, key=len, reverse=True):
        if (rest if len(word) == 1 else low).startswith(word) and len(low) == len(rest) and _ends(rest[len(word) :]):
            left = rest[len(word) :]
            left = left[1:] if left.startswith(".") and not left.startswith("..") else left
            _no_other_power(front, left, rules)
            return after[word], left, front
    for word, power in (rules.before if rules else {}).items():
        if front.casefold().strip().endswith(word):
            _no_other_power("", back, rules)
            return power, back, front.rstrip()[: -len(word)]
    _no_other_power(front, back, rules)
    return 1, back, front


def _ends(left: str) -> bool:
    return not left or not left[0].isalpha() or left[0] in _COUNTERS or bool(_CJK.match(left) and left[0] in _COUNTERS)


def _no_other_power(front: str, back: str, rules: Scales | None) -> None:
    """Raise where a word beside the number is a power in some language, but not in the one declared."""
    own = rules.words if rules else frozenset()
    for beside in (_WORD_AFTER.match(back), _WORD_BEFORE.search(front)):
        word = beside[1].rstrip(".").casefold() if beside else ""
        if word and (word in own or word in foreign()):
            raise NotANumber(f'"{word}" may multiply it: say with locale how it is meant')


def _front(front: str) -> tuple[str, bool, Precision | None]:
    """The text before the number without its sign; whether it is negative, and a bound that it says."""
    bare = front.rstrip()
    if bare.endswith((">", "≥", ">=")) and not bare.endswith("->"):
        return bare.rstrip(">=≥"), False, "at_least"
    if bare.endswith(("<", "≤", "<=")):
        return bare.rstrip("<=≤"), False, "at_most"
    if front.endswith("+"):
        raise NotANumber("a change (+), not a level")
    if front.endswith("-") and (len(front) == 1 or front[-2] in " :(=["):
        return front[:-1], True, None
    return front, False, None


def _bounded(bound: Precision | None, more: Precision) -> Precision:
    if bound and bound != more:
        raise NotANumber("bounded in two ways")
    return more


def _check_front(front: str) -> None:
    last = front[-1:]
    attached = _CJK.match(last) and last not in _CJK_HEDGE
    if last and last not in _OPENS and unicodedata.category(last) not in ("Sc", "So", "Co") and not attached:
        raise NotANumber("stands in a word or a code")
    bare = front.rstrip(" \"'“„«([{:").casefold()
    if bare[-1:] in _CJK_HEDGE or (not front.rstrip().endswith(":") and _HEDGE_BEFORE.search(bare)):
        raise NotANumber("an estimate, a bound or a part, by the words before it")


def _check_back(back: str) -> None:
    rest = back.lstrip()
    if _PERCENT.match(rest.casefold()):
        raise NotANumber("a percentage, not a count")
    if _HEDGE_AFTER.match(rest.casefold()) or rest[:1] in _CJK_HEDGE:
        raise NotANumber("an estimate, a bound or a part, by what follows it")
    first = back[:1]
    if (
        first
        and first not in _CLOSES
        and first not in _COUNTERS
        and unicodedata.category(first) not in ("Sc", "So", "Co")
    ):
        raise NotANumber("stands in a word or a code")
    if first in ("'", '"') and back[1:2].isalpha():
        raise NotANumber("stands in a word or a code")


def _made(mantissa: Decimal, places: int, power: int, bound: Precision | None) -> Number:
    value = mantissa * power
    if abs(value) >= LARGEST:
        raise NotANumber("too large for a count")
    step = 0
    if power > 1:
        step = max(1, power // 10**places)
    plainly = int(value) if value == value.to_integral_value() else float(value)
    rounded: Precision = "rounded" if step > 1 else "exact"
    return Number(plainly, bound or rounded, step if step > 1 else 0)
