"""What becomes of one mail: whose it is, what it is, and why. Nothing of who wrote it or what it says is given on.

The order: a mail without a day, the owner's own, one that only claims to be LinkedIn's, LinkedIn's, the owner's own
threads, what he said of the sender, bulk, and at last the signs of a recruiter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from monitor.model import Capture, Contact, Context, Count, MailSeen, Parsed, Record
from monitor.sources.contacts import linkedin_mail, origin, recruiter, trust
from monitor.sources.contacts.linkedin_numbers import DEFINITIONS
from monitor.sources.contacts.message import Letter, clean, instant, read
from monitor.sources.contacts.person import person_key

_ID = re.compile(r"<([^<>\s]{1,900})>")
_THREAD = 50  # of the mails that one answers, the last so many
_SINCE = re.compile(r"([0-9]{1,5})d")
_WHY = {
    "reminder": "told before",
    "accepted": "not inbound",
    "teaser": "no number in it",
    "noise": "neither a contact nor a number",
    "numbers": "",
}
Verdict = Literal["contact", "unsure", "number", "ignored", "own", "unknown", "untrusted"]
Believed = Literal["verified", "unverified"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the config says of a mailbox: the owner's addresses, whose word counts, and signs of recruiters."""

    own: tuple[str, ...] = ()
    authserv: str = ""
    host: str = ""
    agencies: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mail:
    """One mail on its way: what was read of it, when it is of, and where what it becomes is noted."""

    letter: Letter
    place: str
    key: str
    at: datetime
    day: date
    ctx: Context

    def seen(self, verdict: Verdict, reason: str) -> MailSeen:
        return MailSeen(self.key, self.day, self.place, verdict, reason)

    def contact(self, kind: str, found: str, sender: str, domain: str, believed: Believed, reason: str) -> Parsed:
        """A contact, or what the owner said of its sender. A kind that begins with ? is unsure."""
        unsure, kind = kind.startswith("?"), kind.removeprefix("?")
        said = _said(self.ctx, sender, domain)
        if said == "none":
            return _parsed(self.seen("ignored", f"you said so; {reason}"))
        verdict: Literal["contact", "unsure"] = "unsure" if unsure and not said else "contact"
        contact = Contact(
            at=self.at,
            day=self.day,
            kind=said or kind,
            origin=found,
            sender_domain=domain,
            sender_key=sender or None,
            message_key=self.key,
            verdict=verdict,
            trust=believed,
            reason=f"{reason}; you said so" if said else reason,
        )
        return _parsed(self.seen(verdict, contact.reason), contact)


def since(text: str, today: date) -> date | None:
    """The first day of mails to look at, from "365d" or "2026-01-31"; None for all. Raises ValueError on others."""
    match = _SINCE.fullmatch(text)
    try:
        if match:
            return today - timedelta(days=int(match[1]))
        return date.fromisoformat(text) if text else None
    except (ValueError, OverflowError):
        raise ValueError('since is a number of days or a day: "365d", "2026-01-31"') from None


def check_since(text: str) -> None:
    """Raises ValueError for a `since` that can be read as no day."""
    since(text, date(2026, 1, 1))


def address_key(address: str) -> str:
    """An address as it is compared and hashed: in lower case, without what follows a + before the @."""
    local, at, domain = clean(address).casefold().rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"


def wants(headers: bytes, rules: Rules) -> bool:
    """Whether the text of a mail is needed, too, to say what it is."""
    letter = read(headers)
    if _is_own(letter, rules):
        return False
    believed = trust.of_linkedin(letter, rules.authserv, rules.host)
    if believed:
        return believed != "untrusted" and linkedin_mail.needs_text(letter)
    return not recruiter.bulk(letter) and recruiter.score(letter, rules.agencies, rules.words).points >= 1


def parse(capture: Capture, ctx: Context, rules: Rules) -> Parsed:
    """What one mail is: always one MailSeen, with it a contact or the numbers it tells."""
    letter = read(capture.body)
    key = _message_key(letter, capture, ctx)
    at = instant(letter, capture, ctx.now)
    if at is None:
        return _parsed(MailSeen(key, ctx.day, capture.place, "ignored", "no date that can be read"))
    mail = _Mail(letter, capture.place, key, at, at.astimezone(ctx.zone).date(), ctx)
    if _is_own(letter, rules):
        return _parsed(mail.seen("own", "from one of your addresses"))
    believed = trust.of_linkedin(letter, rules.authserv, rules.host)
    if believed == "untrusted":
        return _parsed(mail.seen("untrusted", "says it is LinkedIn's and is not"))
    return _of_linkedin(mail, believed) if believed else _of_other(mail, rules)


def _of_linkedin(mail: _Mail, believed: Believed) -> Parsed:
    sorted_as = linkedin_mail.sort(mail.letter)
    kind, reason = sorted_as.kind, sorted_as.reason
    if kind in linkedin_mail.CONTACTS:
        person = person_key("linkedin", linkedin_mail.name_of(mail.letter)) if kind != "digest" else ""
        sender = mail.ctx.hashed(person) if person else ""
        if kind == "digest":
            kind, reason = "?message", f"{reason}: several may have written, and each may have been told before"
        return mail.contact(kind, "linkedin", sender, mail.letter.domain, believed, reason)
    if sorted_as.numbers:
        counts = tuple(_counts(mail.day, sorted_as))
        if counts:
            return _parsed(mail.seen("number", reason), *counts)
        return _parsed(mail.seen("unknown", f"{reason}: a number in a form not known, or two"))
    if kind == "unknown":
        return _parsed(mail.seen("unknown", reason))
    why = _WHY[kind]
    return _parsed(mail.seen("ignored", f"{reason}: {why}" if why else reason))


def _counts(day: date, sorted_as: linkedin_mail.Sort) -> Iterator[Count]:
    """The week's numbers, on its Monday; the largest of a week stands."""
    monday = day - timedelta(days=day.weekday())
    for metric, value in sorted_as.numbers:
        if value is not None:
            yield Count("linkedin", metric, "week", monday, value, definition=DEFINITIONS[metric], overlap="max")


def _of_other(mail: _Mail, rules: Rules) -> Parsed:
    letter, ctx = mail.letter, mail.ctx
    if not letter.address:
        return _parsed(mail.seen("ignored", "not from one sender"))
    if any(ctx.own_mail(ctx.hashed(f"mail:{one}")) for one in _answered(letter)):
        return _parsed(mail.seen("ignored", "answers a mail of yours"))
    sender = ctx.hashed(f"mail:{address_key(letter.address)}")
    bulk = recruiter.bulk(letter)
    score = recruiter.score(letter, rules.agencies, rules.words)
    said = ctx.corrections.get(sender) or (not bulk and ctx.corrections.get(f"domain:{letter.domain}"))
    if bulk and not said:
        return _parsed(mail.seen("ignored", f"bulk: {bulk}"))
    if score.points < recruiter.UNSURE and not said:
        return _parsed(mail.seen("ignored", str(score)))
    kind = "mail" if score.points >= recruiter.ENOUGH else "?mail"
    found = origin.of(letter.subject, letter.text)
    believed = trust.of_other(letter, rules.authserv, rules.host)
    return mail.contact(kind, found, sender, letter.domain, believed, str(score))


def _parsed(*records: Record) -> Parsed:
    return Parsed(records, increments=True)


def _is_own(letter: Letter, rules: Rules) -> bool:
    return bool(letter.address) and address_key(letter.address) in map(address_key, rules.own)


def _said(ctx: Context, sender: str, domain: str) -> str:
    return (ctx.corrections.get(sender, "") if sender else "") or ctx.corrections.get(f"domain:{domain}", "")


def _answered(letter: Letter) -> Sequence[str]:
    """The Message-IDs of the mails that this one answers."""
    values = (*letter.all("references"), *letter.all("in-reply-to"))
    return list(dict.fromkeys(one for value in values for one in _ID.findall(value)))[-_THREAD:]


def _message_key(letter: Letter, capture: Capture, ctx: Context) -> str:
    """What tells a mail from all others, wherever it lies: its Message-ID, else date, sender and subject."""
    said = letter.first("message-id")
    found = _ID.search(said)
    if found or said:
        return ctx.hashed(f"mail:{found[1] if found else said}")
    parts = (letter.first("date"), letter.first("from"), letter.subject)
    return ctx.hashed("mail:" + ("\n".join(parts) if any(parts) else capture.id))
