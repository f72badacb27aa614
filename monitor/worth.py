"""Pure: what have my profiles done for me? Contacts by where they came from, in plain sentences with what they rest on.

Counts and no percentages under twenty; a week that nothing covers is left out and said; what came before a contact is
told as that, never as its cause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

FEW = 20  # below it a share is told as a count
ENOUGH = 3  # weeks on either side, below which nothing is compared
WEEK = timedelta(days=7)
COMPARED = {
    "search_appearances": "search appearances on LinkedIn",
    "profile_appearances": "profile appearances on LinkedIn",
    "profile_views": "profile views on LinkedIn",
    "blog_views_from_linkedin": "views of the blog that LinkedIn sent",
}
_KINDS = {"inmail": "InMail", "request": "connection request", "message": "message", "mail": "mail", "call": "call"}

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence, and the contacts that it counts (ids in `contacts`; none where it speaks of weeks)."""

    said: str
    contacts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Worth:
    """The answer: sentences, worst unknown last, and the weeks they were drawn from, oldest first."""

    since: date
    until: date
    said: tuple[Said, ...]
    weeks: tuple[Row, ...]


def worth(contacts: Sequence[Row], weeks: Sequence[Row], profiles: Iterable[str], since: date, until: date) -> Worth:
    """Answer from rows of `counted_contacts` and `contact_weeks` in this span, and the networks of known profiles."""
    span = tuple(_whole(weeks, since, until))
    read = [week for week in span if week["contacts"] is not None]
    said = [_total(contacts, span, read)]
    if contacts:
        said += [_by_origin(contacts), _by_kind(contacts), _firsts(contacts), *_persistent(contacts)]
    said += _silent(contacts, read, profiles)
    said += [found for metric in COMPARED if (found := _before(read, span, metric))]
    said += _unknown(span)
    return Worth(since, until, tuple(said), span)


def _whole(weeks: Sequence[Row], since: date, until: date) -> Iterable[Row]:
    """Every week from the first to the last of the span, Monday first; one of which no row speaks is unknown."""
    known = {week["week"]: week for week in weeks}
    empty = dict.fromkeys(("read", "contacts", "first_contacts", "from_linkedin", "first_from_linkedin", *COMPARED))
    week = since - timedelta(days=since.weekday())
    while week <= until:
        yield known.get(week.isoformat(), {"week": week.isoformat(), **empty})
        week += WEEK


def _total(contacts: Sequence[Row], span: Sequence[Row], read: Sequence[Row]) -> Said:
    covered = f"{_many(len(span), 'week')}, {len(read)} of them known"
    if not contacts and not read:
        unknown = f"Nothing is known of contacts in these {_many(len(span), 'week')}"
        return Said(f"{unknown}: name a mailbox in config.toml, or add what you know with `monitor add contact`.")
    came = "no contact" if not contacts else _many(len(contacts), "contact")
    return Said(f"{came[0].upper()}{came[1:]} came in {covered}.", _ids(contacts))


def _by_origin(contacts: Sequence[Row]) -> Said:
    return Said(f"Through: {_counted(Counter(c['origin'] for c in contacts), len(contacts))}.", _ids(contacts))


def _by_kind(contacts: Sequence[Row]) -> Said:
    kinds = Counter(c["kind"] for c in contacts).most_common()
    return Said(f"As: {', '.join(_many(n, _KINDS.get(kind, kind)) for kind, n in kinds)}.", _ids(contacts))


def _firsts(contacts: Sequence[Row]) -> Said:
    firsts = [c for c in contacts if c["first"]]
    again = len(contacts) - len(firsts)
    of = Counter(c["origin"] for c in firsts)
    said = f"{_many(len(firsts), 'first contact')}"
    if firsts:
        said += f" ({_counted(of, len(firsts))})"
    return Said(f"{said}; {again} from somebody who had been in touch before.", _ids(firsts))


def _persistent(contacts: Sequence[Row]) -> Iterable[Said]:
    """Who came three times or more, the most often first."""
    times: dict[str, list[Row]] = {}
    for contact in contacts:
        if contact["sender_key"]:
            times.setdefault(contact["sender_key"], []).append(contact)
    for key, of in sorted(times.items(), key=lambda item: (-len(item[1]), item[0]))[:3]:
        if len(of) >= ENOUGH:
            where = of[-1]["sender_domain"] or of[-1]["origin"]
            yield Said(f"One sender ({key[:8]}, {where}) came {len(of)} times.", _ids(of))


def _silent(contacts: Sequence[Row], read: Sequence[Row], profiles: Iterable[str]) -> Iterable[Said]:
    """The profiles that no contact named, of those that are watched."""
    named = {str(c["origin"]).casefold() for c in contacts}
    silent = sorted(profile for profile in set(profiles) if profile.casefold() not in named)
    if silent and read:
        yield Said(f"No contact named {_either(silent)} as where it came from, in {_many(len(read), 'known week')}.")


def _before(read: Sequence[Row], span: Sequence[Row], metric: str) -> Said | None:
    """What a number was in the week before a first contact through LinkedIn, and before the other known weeks."""
    by_week = {week["week"]: week for week in span}
    sides: dict[bool, list[float]] = {True: [], False: []}
    of = {True: 0, False: 0}
    for week in read:
        came = bool(week["first_from_linkedin"])
        of[came] += 1
        earlier = by_week.get((date.fromisoformat(week["week"]) - WEEK).isoformat())
        if earlier and earlier[metric] is not None:
            sides[came].append(earlier[metric])
    if min(map(len, sides.values())) < ENOUGH:
        return None
    told = [f"{_plain(median(sides[came]))} (known for {len(sides[came])} of {of[came]})" for came in (True, False)]
    return Said(
        f"In the week before a first contact through LinkedIn, the median of {COMPARED[metric]} was {told[0]};"
        f" before the other weeks {told[1]}. That is what came before, not why."
    )


def _unknown(span: Sequence[Row]) -> Iterable[Said]:
    """The weeks left out, as spans of days."""
    runs: list[list[date]] = []
    for week in span:
        if week["contacts"] is not None:
            continue
        monday = date.fromisoformat(week["week"])
        if runs and runs[-1][1] + timedelta(days=1) == monday:
            runs[-1][1] = monday + timedelta(days=6)
        else:
            runs.append([monday, monday + timedelta(days=6)])
    if runs:
        spans = ", ".join(f"{first} to {last}" for first, last in runs)
        weeks = sum(week["contacts"] is None for week in span)
        verb = "is" if weeks == 1 else "are"
        yield Said(f"{_many(weeks, 'week')} {verb} left out, for nothing was read that would tell: {spans}.")


def _counted(counts: Mapping[str, int], total: int) -> str:
    """Names with their counts, the most first; shares only of twenty and more."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {n}" + (f" ({100 * n / total:.0f} %)" if total >= FEW else "") for name, n in ordered)


def _many(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"


def _either(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _plain(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


def _ids(contacts: Iterable[Row]) -> tuple[int, ...]:
    return tuple(c["contact_id"] for c in contacts)
