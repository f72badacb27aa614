"""Whether a mail that is not a network's is a recruiter's approach: signs with weights, and a sum that must be reached.

A rule of thumb and told as one: the score and each sign stand in the reason, a sum just below is `unsure` and not
counted, and the owner's word goes before both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from monitor.sources.contacts import recruiter_words as words
from monitor.sources.contacts.message import Letter

ENOUGH = 3
UNSURE = 2
_LOOKED_AT = 20_000  # characters of the text
_LIST = re.compile(r"^(?:bulk|list|junk)\b")


class Score(NamedTuple):
    """The sum, and the signs that make it."""

    points: int
    signs: tuple[str, ...]

    def __str__(self) -> str:
        return f"recruiter: {self.points} of {ENOUGH} ({', '.join(self.signs) or 'no sign'})"


def bulk(letter: Letter) -> str:
    """The header by which a mail went to many or was sent by a machine; empty for any other mail."""
    if letter.first("list-id") or letter.first("list-post"):
        return "List-Id"
    if any(_LIST.match(value.casefold()) for value in letter.all("precedence")):
        return "Precedence"
    automatic = letter.first("auto-submitted").casefold()
    return "Auto-Submitted" if automatic and not automatic.startswith("no") else ""


def score(letter: Letter, agencies: Sequence[str], more_words: Sequence[str]) -> Score:
    """How much a mail looks like a recruiter's approach."""
    found = list(_signs(letter, agencies, more_words))
    return Score(sum(points for points, _ in found), tuple(sign for _, sign in found))


def in_domains(domain: str, wanted: Sequence[str]) -> bool:
    """Whether a domain is one of those, or below one."""
    return any(f".{domain}".endswith(f".{one.casefold().strip('.@ ')}") for one in wanted if one.strip(".@ "))


def _signs(letter: Letter, agencies: Sequence[str], more_words: Sequence[str]) -> Iterator[tuple[int, str]]:
    subject, text = letter.subject.casefold(), letter.text[:_LOOKED_AT].casefold()
    sender = f"{letter.name} {letter.local}".casefold()
    if in_domains(letter.domain, agencies):
        yield 3, "sender in agencies"
    strong = [label for label, pattern in words.STRONG if pattern.search(subject)]
    weak = list(dict.fromkeys(label for label, pattern in words.WEAK if pattern.search(subject)))
    if strong:
        yield 2, f"word {strong[0]}"
    for label in weak[:2]:
        yield 1, f"word {label}"
    if words.TITLE.search(subject):
        yield 1, "a job title"
    if any(pattern.search(sender) for _, pattern in words.STRONG):
        yield 1, "sender a recruiter"
    if any(word.strip() and word.strip().casefold() in f"{subject}\n{text}" for word in more_words):
        yield 2, "one of your words"
    yield from _in_text(subject, text, bool(strong), set(weak))
    if letter.all("list-unsubscribe"):
        yield -1, "can be unsubscribed"
    if words.AUTOMATIC.match(letter.local):
        yield -2, "sent by a machine"
    if letter.domain in words.FREE_MAIL:
        yield -1, "free mail"


def _in_text(subject: str, text: str, strong: bool, weak: set[str]) -> Iterator[tuple[int, str]]:
    """What the text adds to the subject: each sign counts once, in the one or the other."""
    said = next((label for label, pattern in words.STRONG if pattern.search(text)), "")
    if said and not strong:
        yield 1, f"text {said}"
    further = {label for label, pattern in words.WEAK if pattern.search(text)} - weak
    if further:
        yield 1, f"text {min(further)}"
    if words.APPROACH.search(f"{subject}\n{text}"):
        yield 1, "an approach"
    if words.OWN_ACT.search(f"{subject}\n{text}"):
        yield -3, "answers an application"
