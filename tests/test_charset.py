from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Capture
from monitor.sources.charset import text_of

NAMES = [
    "",
    "utf-8",
    "latin-1",
    "windows-1252",
    "shift_jis",
    "gb18030",
    "hex",
    "rot13",
    "undefined",
    "idna",
    "utf\0",
    "x",
]


@pytest.mark.parametrize("encoding", ["shift_jis", "euc-jp", "iso-2022-jp", "gb18030", "big5", "utf-16-le"])
def test_a_charset_that_is_said_and_fits_is_taken(encoding: str) -> None:
    text = "<p>山田太郎</p>"
    assert text_of(Capture(text.encode(encoding), charset=encoding)) == text
    if encoding != "utf-16-le":
        in_page = f'<META http-equiv="Content-Type" content="text/html; charset={encoding}">{text}'
        assert text_of(Capture(in_page.encode(encoding))) == in_page


def test_a_latin_page_is_read_as_browsers_read_it() -> None:
    assert text_of(Capture("“Zoë” 5 €".encode("cp1252"), charset="iso-8859-1")) == "“Zoë” 5 €"


@pytest.mark.parametrize("charset", ["", "utf-8", "latin-1"])
def test_damage_costs_only_the_damaged_character(charset: str) -> None:
    body = "Zoë Müller ÿ Zoë".encode().replace("ÿ".encode(), b"\xff")
    assert text_of(Capture(body, charset=charset)) == "Zoë Müller \N{REPLACEMENT CHARACTER} Zoë"


def test_a_page_in_utf_16_cannot_say_so_in_letters() -> None:
    assert text_of(Capture('<meta charset="utf-16">Zoë'.encode())).endswith("Zoë")


@given(st.binary(max_size=200), st.sampled_from(NAMES), st.sampled_from(["", *NAMES]))
def test_any_bytes_said_to_be_anything_are_text(body: bytes, header: str, in_page: str) -> None:
    text_of(Capture(f'<meta charset="{in_page}">'.encode() + body, charset=header))
    text_of(Capture(codecs.BOM_UTF16_LE + body, charset=header))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\ufeff")), st.sampled_from(NAMES[:4]))
def test_utf_8_is_read_as_utf_8_whatever_single_byte_charset_is_said(text: str, charset: str) -> None:
    assert text_of(Capture(text.encode(), charset=charset)) == text
