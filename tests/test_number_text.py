"""Numbers as people write them: right, or refused; never wrong in silence."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from babel import Locale
from babel.numbers import format_compact_decimal, format_decimal
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.sources.profiles.compact_words import known
from monitor.sources.profiles.number_text import LARGEST, NotANumber, Number, read_number

COMMON = (
    *("en", "en_IN", "en_ZA", "de", "de_AT", "de_CH", "fr", "fr_CH", "es", "es_MX", "it", "pt", "pt_PT", "nl", "pl"),
    *("cs", "sk", "ro", "hr", "hu", "ru", "uk", "bg", "tr", "sv", "da", "nb", "fi", "el", "lt", "he", "hi", "th"),
    *("vi", "id", "ja", "zh", "zh_Hant", "ko", "ar", "ar_EG", "fa", "bn", "mr"),
)


def tried(text: str, locale: str) -> Number | None:
    try:
        return read_number(text, locale)
    except NotANumber:
        return None


def test_every_captured_string_is_right_or_refused(cases: Callable[[str], Path]) -> None:
    with cases("profiles/numbers/numbers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 45
    for row in rows:
        number = tried(row["text"], row["locale"])
        expected = float(row["expected"]) if row["expected"] else None
        assert (number.value if number else None) == expected, row


@pytest.mark.parametrize(
    ("text", "locale", "value", "precision", "step"),
    [
        ("1,234", "en", 1234, "exact", 0),
        ("1.234", "de", 1234, "exact", 0),
        ("1.234", "en", 1.234, "exact", 0),
        ("1\u202f234\u00a0567", "fr", 1234567, "exact", 0),
        ("1\u2019234", "de_CH", 1234, "exact", 0),
        ("12,34,567", "hi", 1234567, "exact", 0),
        ("1,234,567", "hi", 1234567, "exact", 0),
        ("\u0663\u066c\u0664\u0665\u0666", "ar_EG", 3456, "exact", 0),
        ("\u200e\u22125\u200f", "en", -5, "exact", 0),
        ("1.2K", "en", 1200, "rounded", 100),
        ("1.2M views", "en", 1_200_000, "rounded", 100_000),
        ("Aufrufe: 3 Tsd.", "de", 3000, "rounded", 1000),
        ("12 \u043b\u0430\u043a\u0445", "hi", 1_200_000, "rounded", 100_000),
        ("1.2万人", "ja", 12_000, "rounded", 1000),
        ("粉丝1.2万", "zh", 12_000, "rounded", 1000),
        ("1,2 mil", "es", 1200, "rounded", 100),
        ("1,2 mil", "cs", 1_200_000, "rounded", 100_000),
        ("1,2 mil millones", "es", 1_200_000_000, "rounded", 100_000_000),
        ("1,2 B", "tr", 1200, "rounded", 100),
        ("1.2B", "en", 1_200_000_000, "rounded", 100_000_000),
        ("elfu 1.2", "sw", 1200, "rounded", 100),
        ("500+ connections", "en", 500, "at_least", 0),
        ("10K+", "en", 10_000, "at_least", 1000),
        ("> 500", "en", 500, "at_least", 0),
        ("<10", "en", 10, "at_most", 0),
        ("Followers (1,234)", "en", 1234, "exact", 0),
        ("23 searches this week", "en", 23, "exact", 0),
        ("0", "en", 0, "exact", 0),
        ("1234", "", 1234, "exact", 0),
        ("1,234,567", "", 1234567, "exact", 0),
        ("1,234.5", "", 1234.5, "exact", 0),
        ("1.2K", "", 1200, "rounded", 100),
    ],
)
def test_a_number_with_its_precision(text: str, locale: str, value: float, precision: str, step: int) -> None:
    assert read_number(text, locale) == Number(value, precision, step)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "locale", "said"),
    [
        ("1.234", "", "say which with locale"),
        ("1,234", "", "say which with locale"),
        ("1.2B", "", "may multiply"),
        ("3 Tsd.", "en", '"tsd" may multiply it'),
        ("3 mil", "en", "may multiply"),
        ("5 t", "en", "may multiply"),
        ("123.5 \u0995\u09cb", "bn", "may multiply"),  # two powers in one language
        ("5 \u0915\u0930\u094b\u0921", "ne", "may multiply"),  # as here
        ("5 dozen", "en", "may multiply"),
        ("2 mil K", "en", "may multiply"),
        ("12,34", "en", "not how a number is written"),
        ("1.2.3", "en", "not how a number is written"),
        ("1.234", "fr", "not how a number is written"),
        ("1 234", "en", "several numbers"),
        ("23 11 2026", "fr", "several numbers"),
        ("10-20", "en", "several numbers"),
        ("3 of 5", "en", "several numbers"),
        ("3万5千", "ja", "several numbers"),
        ("No views", "en", "no digits"),
        ("", "en", "no digits"),
        ("< 1%", "en", "a percentage"),
        ("12 %", "de", "a percentage"),
        ("over 500", "en", "an estimate"),
        ("mehr als 500 Aufrufe", "de", "an estimate"),
        ("~500", "en", ""),
        ("约500", "zh", ""),
        ("500 or more", "en", "an estimate"),
        ("500以上", "ja", "an estimate"),
        ("1,234…", "en", "an estimate"),
        ("+5", "en", "a change"),
        ("v2", "en", "a word or a code"),
        ("5th", "en", ""),
        ("5G", "en", "a word or a code"),
        (".5", "en", "a word or a code"),
        ("007", "en", "a code"),
        ("1½", "en", "a fraction"),
        ("5²", "en", "a fraction"),
        ("9" * 30, "en", "too large"),
        ("9008T", "en", "too large"),
        ("1 " + "x" * 400, "en", "a long text"),
    ],
)
def test_what_may_mean_another_thing_is_refused_with_the_reason(text: str, locale: str, said: str) -> None:
    with pytest.raises(NotANumber) as refused:
        read_number(text, locale)
    assert said in str(refused.value)


def test_an_unknown_locale_is_said() -> None:
    assert not known("xx")
    assert known("de-CH")
    with pytest.raises(ValueError, match="xx"):
        read_number("1", "xx")


NUMBERS = st.one_of(st.integers(-10_000, 10_000), st.integers(-LARGEST + 1, LARGEST - 1))


@settings(max_examples=400, deadline=None)
@given(locale=st.sampled_from(COMMON), value=NUMBERS, native=st.booleans())
def test_what_a_locale_writes_as_a_number_is_read_back(locale: str, value: int, native: bool) -> None:
    text = format_decimal(value, locale=locale, numbering_system="default" if native else "latn")
    assert read_number(text, locale) == Number(value)


@settings(max_examples=400, deadline=None)
@given(locale=st.sampled_from(COMMON), thousandths=st.integers(0, 10**9))
def test_decimals_are_read_back(locale: str, thousandths: int) -> None:
    text = format_decimal(thousandths / 1000, locale=locale)
    assert read_number(text, locale).value == pytest.approx(thousandths / 1000)


@settings(max_examples=1500, deadline=None)
@given(
    locale=st.sampled_from(COMMON),
    value=st.integers(0, 10**14),
    digits=st.integers(0, 2),
    style=st.sampled_from(["short", "long"]),
)
def test_short_forms_are_right_or_refused(locale: str, value: int, digits: int, style: str) -> None:
    assume(style in Locale.parse(locale).compact_decimal_formats)
    text = format_compact_decimal(value, format_type=style, locale=locale, fraction_digits=digits)  # type: ignore[arg-type]
    number = tried(text, locale)
    if number is not None:
        assert abs(number.value - value) <= max(number.step, 1) / 2, (text, number)


@pytest.mark.parametrize("locale", sorted({*COMMON} - {"bn"}))  # its word for 10⁷ is that for 10⁹ too
@pytest.mark.parametrize("value", [1234, 12_345, 1_234_567, 1_234_567_890])
def test_the_short_forms_of_common_languages_are_not_refused(locale: str, value: int) -> None:
    number = read_number(format_compact_decimal(value, format_type="short", locale=locale, fraction_digits=1), locale)
    assert abs(number.value - value) <= number.step


@settings(max_examples=500, deadline=None)
@given(text=st.text(max_size=40), locale=st.sampled_from(["", *COMMON]))
def test_nothing_that_a_page_can_say_breaks_it(text: str, locale: str) -> None:
    number = tried(text, locale)
    assert number is None or abs(number.value) < LARGEST
