"""The readings of mailboxes and exports: who got in touch, each by keyed hashes, and LinkedIn's weekly numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from monitor import plan
from monitor.config import Configured
from monitor.demo import callers
from monitor.demo.span import DAY, Span, along
from monitor.model import (
    Contact,
    Count,
    Exchange,
    MailBatch,
    MailCursor,
    MailSeen,
    Outcome,
    Reading,
    Record,
    Trigger,
)
from monitor.sources.contacts.linkedin_numbers import DEFINITIONS
from monitor.sources.contacts.person import person_key

FOLDER, VALIDITY = "INBOX", "1699"
WEEK = timedelta(days=7)
EXPORTED = 110  # days that LinkedIn's list of invitations reaches back
_TEMPLATES = {
    "inmail": "template email_inmail",
    "request": "template invitation",
    "message": "template member_message",
}


@dataclass
class People:
    """All who got in touch over the story; `hashed` is the history's keyed hash."""

    span: Span
    hashed: Callable[[str], str]
    contacts: list[Contact] = field(init=False)

    def __post_init__(self) -> None:
        self.contacts = sorted(self._all(), key=_when)

    def _all(self) -> Iterator[Contact]:
        for n, wave in enumerate(callers.WAVES):
            chance = self.span.chance("wave", n)
            first, last = self.span.day(wave.since), self.span.day(wave.until)
            for _ in range(max(1, round(wave.contacts * min(1.0, self.span.days / 500)))):
                kind, origin = chance.choice(callers.HOW[wave.how])
                name = f"{chance.choice(callers.FIRST)} {chance.choice(callers.SECOND)}"
                day = first + chance.randint(0, (last - first).days) * DAY
                yield self._contact(day, kind, origin, name, chance.choice(callers.AGENCIES))
        name, address, shares = callers.PERSISTENT
        for share in shares:
            yield self._contact(self.span.day(share), "mail", "unknown", name, address.partition("@")[2])
        for n, share in enumerate(callers.UNSURE):
            yield self._contact(self.span.day(share), "?mail", "unknown", f"Studio {n}", f"studio-{n}.example")
        domain, times = callers.NOT_A_CONTACT
        for share in times:
            yield self._contact(self.span.day(share), "mail", "unknown", "Learn Now", domain)

    def _contact(self, day: date, kind: str, origin: str, name: str, domain: str) -> Contact:
        day -= max(0, day.weekday() - 4) * DAY  # recruiters write on working days
        chance = self.span.chance("contact", day, name, kind)
        at = self.span.at(day, time(chance.randint(8, 17), chance.randint(0, 59), chance.randint(0, 59)))
        unsure, kind = kind.startswith("?"), kind.removeprefix("?")
        by_network = kind != "mail"
        address = f"mail:{name.lower().replace(' ', '.')}@{domain}"
        score = "2 of 3 (word opportunity, job title)" if unsure else "5 of 3 (word recruiter, job title, a role)"
        return Contact(
            at=at,
            day=day,
            kind=kind,
            origin=origin,
            sender_domain="linkedin.com" if by_network else domain,
            sender_key=self.hashed(person_key("linkedin", name) if by_network else address),
            message_key=self.hashed(f"mail:{at:%Y%m%d%H%M%S}.{kind}@{domain}"),
            verdict="unsure" if unsure else "contact",
            trust="verified" if by_network or chance.random() < 0.8 else "unverified",
            reason=_TEMPLATES[kind] if by_network else f"recruiter: {score}",
        )

    def mails(self, configured: Configured, since: datetime, until: datetime) -> Iterator[Reading]:
        """A reading of the mailbox for each look that found something new."""
        slots = list(plan.slots(configured.schedule, configured.name, configured.zone, since, self.span.now))
        instants = [slot.at for slot in slots]
        looks: dict[int, list[tuple[datetime, list[Record]]]] = defaultdict(list)
        for at, verdict, reason, key, told in self._mails():
            n = bisect_left(instants, self.span.awake(at))
            if since < at < until and n < len(slots):
                day = at.astimezone(self.span.zone).date()
                looks[n].append((at, [MailSeen(key, day, "", verdict, reason), *told]))  # type: ignore[arg-type]
        uid, before = 100, None
        for n in sorted(looks):
            records: list[Record] = []
            first = uid + 1
            for _, of_mail in sorted(looks[n], key=lambda one: one[0]):
                uid += 1
                place = f"{FOLDER} {VALIDITY}/{uid}"
                records += [_placed(record, place) for record in of_mail]
            after = MailCursor(FOLDER, VALIDITY, uid)
            span = f"{first}" if first == uid else f"{first}:{uid}"
            batch = MailBatch((), before, after, f"{FOLDER} {VALIDITY}/{span}")
            before = after
            at = slots[n].at + timedelta(seconds=5)
            yield Reading(
                slot=slots[n].at,
                day=slots[n].day,
                trigger=Trigger.SCHEDULE,
                started_at=at,
                finished_at=at + timedelta(seconds=2),
                outcome=Outcome.OK,
                parser=configured.source.parser,
                exchanges=(Exchange(n=1, asked=batch.place, ms=0),),
                records=tuple(records),
                mail=batch,
            )

    def _mails(self) -> Iterator[tuple[datetime, str, str, str, list[Record]]]:
        for contact in self.contacts:
            yield _when(contact), contact.verdict, contact.reason, str(contact.message_key), [contact]
        for n in range(self.span.days // 7 + 1):
            yield from self._weekly(n)
        for n in range(self.span.days // 3):
            chance = self.span.chance("bulk", n)
            at = self.span.at(self.span.first + (3 * n + chance.randint(0, 2)) * DAY, time(5, chance.randint(0, 59)))
            unknown = chance.random() < 0.02
            verdict, reason = ("unknown", "template email_new_thing") if unknown else ("ignored", "bulk: List-Id")
            yield at, verdict, reason, self.hashed(f"mail:bulk-{n}@lists.example"), []

    def _weekly(self, n: int) -> Iterator[tuple[datetime, str, str, str, list[Record]]]:
        """LinkedIn's mail of the week, which does not come every week."""
        chance = self.span.chance("weekly", n)
        monday = self.span.first - self.span.first.weekday() * DAY + n * WEEK
        at = self.span.at(monday + 3 * DAY, time(9, chance.randint(0, 59), 11))
        if chance.random() < 0.24:
            return
        share = self.span.share(monday + 3 * DAY)
        value = along(callers.WEEKLY, share) * chance.lognormvariate(0, 0.2)
        renamed = share >= callers.RENAMED
        metric = "profile_appearances" if renamed else "search_appearances"
        value *= 2.3 if renamed else 1
        count = Count("linkedin", metric, "week", monday, round(value), definition=DEFINITIONS[metric], overlap="max")
        yield at, "number", f"sentence of {metric}", self.hashed(f"mail:weekly-{n}@linkedin.com"), [count]

    def export(self, day: date, before: date) -> Reading:
        """An export made on a day: what LinkedIn's mails told already, and her connections since the one before."""
        records: list[Record] = [
            self._exported(contact)
            for contact in self.contacts
            if contact.kind in _TEMPLATES and day - timedelta(days=EXPORTED) < contact.day < day
        ]
        connections = round(along(callers.CONNECTIONS, self.span.share(day)))
        records.append(Count("linkedin", "connections", "now", day, connections, definition=_CONNECTIONS))
        for n in range((day - before).days):
            of_day = before + n * DAY
            shares = (self.span.share(of_day), self.span.share(of_day + DAY))
            came = round(along(callers.CONNECTIONS, shares[1])) - round(along(callers.CONNECTIONS, shares[0]))
            records.append(Count("linkedin", "new_connections", "day", of_day, came, definition=_NEW))
        at = self.span.at(day, time(20, 14, 3))
        name = f"Basic_LinkedInDataExport_{day:%m-%d-%Y}.zip"
        asked = [f"{name} sha256:{self.hashed(name)} {member}.csv" for member in ("Connections", "Invitations")]
        return Reading(
            slot=self.span.at(day, time(12)),
            day=day,
            trigger=Trigger.IMPORT,
            started_at=at,
            finished_at=at,
            outcome=Outcome.OK,
            parser=1,
            exchanges=tuple(Exchange(n, text, 0) for n, text in enumerate(asked, 1)),
            records=tuple(records),
            note="Connections.csv: read\nInvitations.csv: read",
        )

    def _exported(self, contact: Contact) -> Contact:
        return Contact(
            at=None,
            day=contact.day,
            kind=contact.kind,
            origin="linkedin",
            sender_key=contact.sender_key,
            message_key=self.hashed(f"export:{contact.message_key}"),
            trust="export",
            reason=f"export, {contact.kind}",
        )


def _when(contact: Contact) -> datetime:
    return contact.at or datetime.max.replace(tzinfo=UTC)


def _placed(record: Record, place: str) -> Record:
    if isinstance(record, MailSeen):
        return MailSeen(record.message_key, record.day, place, record.verdict, record.reason)
    return record


_CONNECTIONS = "connections at the time of the export"
_NEW = "of those connected at the time of the export, how many came on this day"
