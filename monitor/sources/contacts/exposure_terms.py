"""What is looked for: the owner's own identifiers in the one form in which they are compared, hashed and shown.

The value itself is in no `repr`: what is logged, raised or shown of an identifier is its mask.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

import phonenumbers

Kind = Literal["phone", "mail", "address"]
LEAST_WORDS = 3  # of an address: fewer stand on any page
_MAIL = re.compile(r"[^\s@<>,;]+@(?:[\w-]+\.)+[\w-]{2,}")
_WORD = re.compile(r"[^\W_]+")
WANTED = {
    "phone": "a telephone number with its country code, such as +61 …,",
    "mail": "a mail address",
    "address": f"an address of {LEAST_WORDS} words or more",
}


class NotAnIdentifier(ValueError):
    """A line that is none; says which, and never what stands there."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One thing that is the owner's. `value` is E.164, a mail address in lower case, or the words of an address."""

    kind: Kind
    value: str = field(repr=False)

    @property
    def hashed_as(self) -> str:
        """The text whose keyed hash stands for it in the history."""
        return f"{self.kind} {self.value}"

    @property
    def masked(self) -> str:
        """How it is shown: enough for its owner to tell it from others of theirs.

        >>> Identifier("phone", "+61491570156").masked, Identifier("mail", "jane@mail.example.org").masked
        ('+61 … 56', 'j…@m….org')
        """
        if self.kind == "phone":
            number = phonenumbers.parse(self.value)
            return f"+{number.country_code} … {self.value[-2:]}"
        if self.kind == "mail":
            name, _, host = self.value.rpartition("@")
            return f"{name[:1]}…@{host[:1]}….{host.rpartition('.')[2]}"
        words = self.value.split()
        return f"{words[0][0]}… … …{words[-1][-1]} ({len(words)} words)"


def read(kind: str, text: str, regions: tuple[str, ...]) -> Iterator[Identifier]:
    """The identifiers of a secret: one a line or separated by `;`. Empty lines and those that begin with # are none.

    Raises NotAnIdentifier.
    """
    for n, line in enumerate(re.split(r"[\n;]", text), 1):
        said = line.strip()
        if said and not said.startswith("#"):
            value = {"phone": _phone, "mail": _mail, "address": _address}[kind](said, regions)
            if not value:
                raise NotAnIdentifier(f"{WANTED[kind]} in line {n}")
            yield Identifier(cast(Kind, kind), value)


def words(text: str) -> list[str]:
    """The words of a text as addresses are compared: letters and digits alone, case and width folded."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _phone(said: str, regions: tuple[str, ...]) -> str:
    for region in (None, *regions):
        try:
            number = phonenumbers.parse(said, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return ""


def _mail(said: str, regions: tuple[str, ...]) -> str:
    folded = unicodedata.normalize("NFKC", said).casefold()
    return folded if _MAIL.fullmatch(folded) else ""


def _address(said: str, regions: tuple[str, ...]) -> str:
    found = words(said)
    return " ".join(found) if len(found) >= LEAST_WORDS else ""
