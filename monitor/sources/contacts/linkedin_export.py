"""LinkedIn's own export of a member's data: who approached the owner, and how many connected, day by day.

The rules were found on real archives of five years and checked on 434 conversations: one that a member began is a
contact, one without the sender's address is an advertisement (half of them are), one that the owner began is none.
Names, texts and addresses stay here: a contact leaves as keyed hashes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from monitor.model import Contact, Count
from monitor.sources.contacts.linkedin_table import Row, Table, When, read_when
from monitor.sources.contacts.person import person_key

PROFILE = "linkedin"
NOBODY = frozenset({"", "linkedin:linkedin member"})  # what stands for a closed account
_NEW_CONNECTIONS = "of those connected at the time of the export, how many were made on this day"
_CONNECTIONS = "rows of Connections.csv, closed accounts included"
_ENDORSEMENTS = "endorsements received on this day that the export lists"
_NO_DATE = "no date that is understood"
_NOT_YET = "a day that has not come yet"


@dataclass(frozen=True, slots=True)
class Given:
    """What must be known to read an export: its day, today, the owner's zone and names, and the keyed hash."""

    day: date
    today: date
    zone: ZoneInfo
    names: tuple[str, ...]
    hashed: Callable[[str], str]

    def is_owner(self, name: str) -> bool:
        """Whether a name is the owner's."""
        return person_key(PROFILE, name) in {person_key(PROFILE, mine) for mine in self.names} - NOBODY

    def local(self, when: When) -> date:
        """The owner's day of a moment; where no zone is written, the day as written."""
        return when.at.astimezone(self.zone).date() if when.at else when.day


@dataclass(slots=True)
class Said:
    """What one file says: its records, and what was left out of it and why."""

    rows: int = 0
    records: list[Contact | Count] = field(default_factory=list)
    own: int = 0
    sponsored: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)


def read(tables: Mapping[str, Sequence[Table]], given: Given) -> Said:
    """What the tables of one file say, read in the light of the others of the same export.

    `tables` has the file's own under "", and under "invitations" those that tell who the owner is.
    Raises OtherOrder when the dates are not as LinkedIn writes them.
    """
    said = Said()
    for table in tables[""]:
        said.rows += len(table.rows) + len(table.broken)
        said.rejected += [(line, "more cells than the header has") for line in table.broken]
        rule = _RULES[table.kind]
        rule(table, given, said, _owner_votes(tables.get("invitations", ())))
    said.rejected.sort()
    return said


def _when(row: Row, column: str, given: Given, said: Said) -> When | None:
    when = read_when(row[column], row.line)
    if when and given.local(when) <= given.today + timedelta(days=1):
        return when
    said.rejected.append((row.line, _NOT_YET if when else _NO_DATE))
    return None


def _connections(table: Table, given: Given, said: Said, votes: Counter[str]) -> None:
    days = Counter(given.local(when) for row in table.rows if (when := _when(row, "connected on", given, said)))
    whole = not said.rejected
    precision: Literal["exact", "at_least"] = "exact" if whole else "at_least"
    day = max([given.day, *days])
    now = Count(PROFILE, "connections", "now", day, len(table.rows), "read", precision, _CONNECTIONS)
    said.records += [now, *_daily("new_connections", days, day, whole, _NEW_CONNECTIONS)]


def _endorsements(table: Table, given: Given, said: Said, votes: Counter[str]) -> None:
    days = Counter(given.local(when) for row in table.rows if (when := _when(row, "endorsement date", given, said)))
    whole = not said.rejected
    said.records += _daily("endorsements", days, max([given.day, *days]), whole, _ENDORSEMENTS)


def _daily(metric: str, days: Counter[date], until: date, whole: bool, definition: str) -> Iterator[Count]:
    """One count per day from the first on: a day without rows is 0, where every row could be read.

    The day of the export is not over: it has a count only where there are rows.
    """
    spanned = range((until - min(days)).days) if days and whole else range(0)
    for day in sorted({*days, *(min(days) + timedelta(days=n) for n in spanned)}):
        precision: Literal["exact", "at_least"] = "exact" if whole and day < until else "at_least"
        yield Count(PROFILE, metric, "day", day, days[day], "read", precision, definition)


def _invitations(table: Table, given: Given, said: Said, votes: Counter[str]) -> None:
    for row in table.rows:
        direction = row["direction"].upper()
        if direction == "OUTGOING":
            said.own += 1
        elif direction != "INCOMING":
            said.rejected.append((row.line, "neither INCOMING nor OUTGOING"))
        elif when := _when(row, "sent at", given, said):
            said.records.append(
                _contact("request", row["from"], row["inviterprofileurl"], when, given, "a request to connect")
            )


def _messages(table: Table, given: Given, said: Said, votes: Counter[str]) -> None:
    conversations, dates = _conversations(table.rows, given, said)
    votes = votes.copy()
    for rows in conversations.values():
        votes.update({url for row in rows for url in _participants(row)})
    owners = _owners(votes, conversations.values(), given)
    for rows in conversations.values():
        first = min(rows, key=lambda row: (dates[row.line].text, -row.line))  # the file is newest first
        when, sender = dates[first.line], _address(first["sender profile url"])
        if not sender and not given.is_owner(first["from"]):
            said.sponsored += 1
        elif not owners:
            said.rejected.append((first.line, "it cannot be told which of the two is you: see [owner] name"))
        elif not sender or sender in owners:
            said.own += 1
        elif first["subject"] and first["conversation title"]:
            said.records.append(_contact("inmail", first["from"], sender, when, given, "begun with subject and title"))
        else:
            said.records.append(_contact("message", first["from"], sender, when, given, "begun without subject"))


def _conversations(rows: Iterable[Row], given: Given, said: Said) -> tuple[Mapping[str, list[Row]], Mapping[int, When]]:
    """The rows of each conversation whose dates could all be read, and the dates by line. Drafts are none."""
    found: dict[str, list[Row]] = defaultdict(list)
    dates: dict[int, When] = {}
    unsure: set[str] = set()
    for row in rows:
        if row["is message draft"].casefold() in ("yes", "true"):
            continue
        name = row["conversation id"]
        when = _when(row, "date", given, said)
        if when and name:
            dates[row.line] = when
            found[name].append(row)
            continue
        unsure.add(name)  # its first message cannot be told
        if when:
            said.rejected.append((row.line, "no conversation"))
    said.rejected += [
        (rows[0].line, "the beginning of its conversation cannot be told")
        for name, rows in found.items()
        if name in unsure
    ]
    return {name: rows for name, rows in found.items() if name not in unsure}, dates


def _messages_2018(table: Table, given: Given, said: Said, votes: Counter[str]) -> None:
    """Rows say their direction, and no conversation: with each person there is one, begun by the oldest row."""
    found: dict[str, list[tuple[When, Row]]] = defaultdict(list)
    for row in table.rows:
        incoming = row["direction"].upper() == "INCOMING"
        if not incoming and row["direction"].upper() != "OUTGOING":
            said.rejected.append((row.line, "neither INCOMING nor OUTGOING"))
        elif when := _when(row, "date", given, said):
            who = person_key(PROFILE, row["from" if incoming else "to"])
            found[who].append((when, row))
    for rows in found.values():
        when, first = min(rows, key=lambda pair: (pair[0].text, -pair[1].line))
        if first["direction"].upper() == "OUTGOING":
            said.own += 1
        else:
            said.records.append(_contact("message", first["from"], "", when, given, "the first of this sender"))


_RULES: Mapping[str, Callable[[Table, Given, Said, Counter[str]], None]] = MappingProxyType(
    {
        "connections": _connections,
        "invitations": _invitations,
        "messages": _messages,
        "messages_2018": _messages_2018,
        "endorsements": _endorsements,
    }
)


def _contact(kind: str, name: str, address: str, when: When, given: Given, reason: str) -> Contact:
    person = person_key(PROFILE, name)
    known = person not in NOBODY
    family = "request" if kind == "request" else "message"
    mark = "\t".join(("linkedin export", family, person if known else _address(address), when.minute))
    return Contact(
        at=when.at,
        day=given.local(when),
        kind=kind,
        origin="linkedin",
        sender_key=given.hashed(person) if known else None,
        message_key=given.hashed(mark),
        trust="export",
        reason=f"LinkedIn's export: {reason}",
    )


def _address(url: str) -> str:
    """A member's address in one form: the years differ in percent-encoding, case and what stands around the name."""
    text = unquote(url.strip()).casefold().partition("?")[0].rstrip("/")
    return text.removeprefix("https://").removeprefix("http://").removeprefix("www.")


def _participants(row: Row) -> set[str]:
    urls = [row["sender profile url"], *row["recipient profile urls"].split(",")]
    return {_address(url) for url in urls} - {""}


def _owner_votes(invitations: Sequence[Table]) -> Counter[str]:
    """The owner's address as the invitations have it: who invites in OUTGOING, who is invited in INCOMING."""
    columns = {"OUTGOING": "inviterprofileurl", "INCOMING": "inviteeprofileurl"}
    rows = [row for table in invitations for row in table.rows if row["direction"].upper() in columns]
    return Counter(address for row in rows if (address := _address(row[columns[row["direction"].upper()]])))


def _owners(votes: Counter[str], conversations: Collection[list[Row]], given: Given) -> frozenset[str]:
    """The owner's address: the one in most conversations, for the owner is in each; where two tie, by the name."""
    most = votes.most_common(2)
    if most and (len(most) == 1 or most[0][1] > most[1][1]):
        return frozenset({most[0][0]})
    rows = (row for rows in conversations for row in rows)
    named = {_address(row["sender profile url"]) for row in rows if given.is_owner(row["from"])}
    named |= {
        _address(row["recipient profile urls"]) for rows in conversations for row in rows if given.is_owner(row["to"])
    }
    return frozenset(named - {""})
