"""One person on one network, however a mail or an export spells the name."""

from __future__ import annotations

import re
import unicodedata

_PUNCTUATION = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk", "Me"})  # format characters, emoji, private use
_JOINERS = frozenset("\u034f\ufe0e\ufe0f")  # invisible padding and variation selectors that are marks by category


def person_key(network: str, name: str) -> str:
    r"""The text to hash for a person of a network: "linkedin:ada example"; empty where no name is left.

    What differs between a mail and an export is taken off: width and composition (NFKC), case, spaces, emoji and
    invisible characters, the form of an apostrophe, what stands in brackets ("(she/her)") and what follows a comma
    ("Ada Example, PhD").

    >>> person_key("linkedin", "  Ada\u00a0EXAMPLE, PhD \U0001f680 ")
    'linkedin:ada example'
    """
    text = unicodedata.normalize("NFKC", name).translate(_PUNCTUATION)
    text = "".join(" " if c.isspace() else c for c in text if c.isspace() or _kept(c))
    text = re.split(r"[,،，]", _BRACKETED.sub(" ", text).strip(" ,"), maxsplit=1)[0]
    text = unicodedata.normalize("NFKC", " ".join(text.casefold().split())).strip(" .-|·")
    return f"{network}:{text}" if text else ""


def _kept(character: str) -> bool:
    return character not in _JOINERS and unicodedata.category(character) not in _DROPPED
