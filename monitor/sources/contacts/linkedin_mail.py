"""What a mail of LinkedIn's is: by its headers first, then its links, its sender, and last its subject."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from monitor.sources.contacts import linkedin_words as words
from monitor.sources.contacts.linkedin_numbers import Number, find
from monitor.sources.contacts.message import Letter, clean

_TEMPLATE = re.compile(r"[A-Za-z][\w.-]{0,59}", re.ASCII)
_IN_LINK = re.compile(
    r"(?:trk(?:=|%3d)eml-|urn(?::|%3a)li(?::|%3a)page(?::|%3a)email_)([a-z][a-z0-9_]{2,59})", re.I | re.ASCII
)
_LINK_TEXT = 1 << 18
_ACCEPTED_IN_TEXT = re.compile(r"\bhas accepted your invitation\b|\baccepted your (?:connection )?request\b")
CONTACTS = ("inmail", "request", "message", "digest")


class Sort(NamedTuple):
    """What a mail is: one of `linkedin_words.KINDS`, or `unknown`; by what; and the numbers it tells."""

    kind: str
    reason: str
    numbers: tuple[Number, ...] = ()


def sort(letter: Letter) -> Sort:
    """What a mail of LinkedIn's is. Numbers are looked for where it is no contact."""
    kind, reason = _by_machine(letter) or _by_sender(letter) or ("", "")
    if kind in ("request", "message"):
        kind, reason = _again(letter, kind, reason)
    if kind in CONTACTS or kind in ("reminder", "accepted", "noise"):
        return Sort(kind, reason)
    numbers = tuple(find(letter.subject, letter.plain))
    if numbers:
        named = ", ".join(number.metric for number in numbers)
        return Sort("numbers", f"{reason}, {named}" if reason else f"sentence of {named}", numbers)
    return Sort(kind, reason) if kind == "unknown" else _by_subject(letter, kind, reason)


def needs_text(letter: Letter) -> bool:
    """Whether the headers of a mail of LinkedIn's leave open what it is, or its text may hold a number."""
    named = _template(letter)
    if named:
        return _of_template(named) in ("numbers", "none", "")
    return words.CLASSES.get(letter.first("x-linkedin-class").upper(), "none") == "none"


def name_of(letter: Letter) -> str:
    """Whom a message or a request is from, as the From header names them, else the subject; empty where neither does.

    A first name alone in a subject is nobody's: too many have it.
    """
    name = clean(words.VIA.sub("", letter.name))
    if name and "linkedin" not in name.casefold():
        return name
    for pattern in words.NAME_IN_SUBJECT:
        match = pattern.fullmatch(letter.subject.rstrip(".! ")) or pattern.search(letter.subject)
        if match and " " in clean(match["name"]):
            return clean(match["name"])
    return ""


def _by_machine(letter: Letter) -> tuple[str, str] | None:
    """By template and class headers, then by the template that the links name."""
    named = _template(letter)
    known = _of_template(named)
    if known and known != "none":
        return known, f"template {named}"
    said = letter.first("x-linkedin-class").upper()
    by_class = words.CLASSES.get(said, "")
    if by_class and by_class != "none":
        return by_class, f"class {said}"
    if named and not known:
        return "unknown", f"template {named}"
    found = Counter(_normal(name) for name in _IN_LINK.findall(f"{letter.plain}\n{letter.html[:_LINK_TEXT]}"))
    ranked = [(name, _of_template(name)) for name, _ in found.most_common() if _of_template(name) != "none"]
    for name, kind in sorted(ranked, key=lambda pair: not pair[1]):
        return (kind or "unknown"), f"template {name} of its links"
    if said and not by_class:
        return "unknown", f"class {_shown(said)}"
    return None


def _by_sender(letter: Letter) -> tuple[str, str] | None:
    kind = words.SENDERS.get(letter.local, "none")
    return None if kind == "none" else (kind, f"sender {letter.local}")


def _by_subject(letter: Letter, kind: str, reason: str) -> Sort:
    subject = letter.subject.casefold()
    for pattern, meant in words.BY_SUBJECT:
        if pattern.search(subject):
            return Sort(meant, f"{reason}, subject of a {meant}" if reason else f"subject of a {meant}")
    if kind == "numbers":
        return Sort(kind, f"{reason}, no number in it")
    if any(words.TEASER.search(line.casefold()) for line in letter.plain.splitlines()):
        return Sort("teaser", f"{reason or 'text'}, text of a teaser")
    return Sort("unknown", reason or f"sender {_shown(letter.local)}, subject not known")


def _again(letter: Letter, kind: str, reason: str) -> tuple[str, str]:
    """A request or message that was told before, or is the owner's own request accepted."""
    subject = letter.subject.casefold()
    if kind == "request":
        if words.REMINDER.search(subject):
            return "reminder", f"{reason}, subject of a reminder"
        by_text = reason.startswith("sender") and _ACCEPTED_IN_TEXT.search(letter.plain.casefold())
        if words.ACCEPTED.search(subject) or by_text:
            return "accepted", f"{reason}, own request accepted"
    elif words.DIGEST.search(subject):
        return "digest", f"{reason}, subject of a digest"
    return kind, reason


def _template(letter: Letter) -> str:
    said = letter.first("x-linkedin-template")
    if not said:
        return ""
    return said.lower() if _TEMPLATE.fullmatch(said) else "of a form not known"


def _of_template(name: str) -> str:
    """What a template means; empty for one not known. A reminder is a reminder, whatever it reminds of."""
    if "reminder" in name:
        return "reminder"
    return next((kind for start, kind in words.TEMPLATES if name.startswith(start)), "")


def _normal(name: str) -> str:
    """A link's template as the header would name it: "email_email_none" and "email_none" are one."""
    name = name.lower()
    known = name.startswith(("email_", "invite_guest"))
    return name if known else f"email_{name}"


def _shown(text: str) -> str:
    return text if _TEMPLATE.fullmatch(text) else "of a form not known"
