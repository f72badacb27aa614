"""What the profiles have brought: what `monitor worth` says, each sentence with the rows it counts, and by the week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from monitor.web import words
from monitor.web.links import Links
from monitor.web.pages import Asked
from monitor.web.span import number
from monitor.web.timeline_picture import axis, columns, dots, hatched
from monitor.worth import COMPARED, Said, Worth, worth

MONTHS, USUAL, LONGEST = (3, 6, 12, 24), 6, 240
DAYS_OF_A_MONTH = 30.4375
ORIGINS = 6  # drawn each for itself; the rest together
BY_NUMBER = 60  # contacts that an address names one by one

CONTACTS = "select * from counted_contacts where day between :since and :today order by day, contact_id"
WEEKS = "select * from contact_weeks where week between :monday and :today"
NETWORKS = "select distinct substr(profile, 1, instr(profile || '/', '/') - 1) as network from counts"
PERSISTENT = "select * from persistent_senders order by contacts desc, last_day desc limit 50"
UNSURE = """
select contact_id, day, kind, sender_domain, reason, reading_id from unsure_contacts order by day desc, contact_id desc
limit 50
"""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and the rows it counts or speaks of."""

    said: str
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """One series by the week: what it says in words, where its rows are, and its picture."""

    name: str
    summary: str
    href: str
    picture: Markup


async def page(asked: Asked) -> dict[str, Any]:
    """The answer for the last `months` (1 to 240; 6 when left out). Raises sqlite3.DatabaseError, QueryInterrupted."""
    months = number(asked.args.get("months", ""))
    months = months if 1 <= months <= LONGEST else USUAL
    today = asked.now.date()
    since = today - timedelta(days=round(months * DAYS_OF_A_MONTH))
    span = {"since": since.isoformat(), "today": today.isoformat()}
    monday = (since - timedelta(days=since.weekday())).isoformat()
    contacts = await asked.rows(CONTACTS, **span)
    weeks = await asked.rows(WEEKS, monday=monday, today=span["today"])
    networks = [row["network"] for row in await asked.rows(NETWORKS)]
    answer = worth(contacts, weeks, networks, since, today)
    there = asked.links
    return {
        "here": "worth",
        "title": "What my profiles have brought",
        "spans": [(there.page("worth", months=n), f"{n} months", n == months) for n in MONTHS],
        "said_span": f"{words.on(since, today)} to {words.on(today, today)}",
        "said": [sentence(one, contacts, answer, there) for one in answer.said],
        "lines": lines(contacts, answer, there, today),
        "axis": axis(*_drawn(answer)),
        "persistent": [
            {**row, "href": there.rows("counted_contacts", sender_key__startswith=row["sender"], _sort_desc="day")}
            for row in await asked.rows(PERSISTENT)
        ],
        "unsure": [{**row, "href": there.row("contacts", row["contact_id"])} for row in await asked.rows(UNSURE)],
    }


def sentence(one: Said, contacts: Sequence[Mapping[str, Any]], answer: Worth, links: Links) -> Sentence:
    """A sentence with the way to exactly the contacts that it counts, or to the weeks where it counts none."""
    days = {"day__gte": answer.since.isoformat(), "day__lte": answer.until.isoformat()}
    ids = set(one.contacts)
    if not ids:
        weeks = {"week__gte": answer.weeks[0]["week"], "week__lte": answer.weeks[-1]["week"]} if answer.weeks else {}
        return Sentence(one.said, links.rows("contact_weeks", **weeks, _sort_desc="week"))
    own = [c for c in contacts if c["contact_id"] in ids]
    senders = {c["sender_key"] for c in own}
    which: dict[str, object]
    if len(own) == len(contacts):
        which = dict(days)
    elif ids == {c["contact_id"] for c in contacts if c["first"]}:
        which = {**days, "first__gte": 1}  # a column of no type: only a number filter finds it
    elif len(senders) == 1 and None not in senders:
        which = {**days, "sender_key": senders.pop()}
    elif len(ids) <= BY_NUMBER:
        which = {"contact_id__in": ",".join(map(str, sorted(ids)))}
    else:
        which = dict(days)
    return Sentence(one.said, links.rows("counted_contacts", **which, _sort_desc="day"))


# --- by the week ---------------------------------------------------------------------------------------------------


def _drawn(answer: Worth) -> tuple[date, date]:
    """The first and last day drawn: whole weeks, so that every line has the same axis."""
    return date.fromisoformat(answer.weeks[0]["week"]), date.fromisoformat(answer.weeks[-1]["week"]) + timedelta(6)


def lines(contacts: Sequence[Mapping[str, Any]], answer: Worth, links: Links, today: date) -> list[Line]:
    """Contacts per week, an origin a line on the same scale, above what is known of LinkedIn in the same weeks."""
    counts = Counter(c["origin"] for c in contacts)
    kept = [origin for origin, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    named = kept if len(kept) <= ORIGINS else kept[: ORIGINS - 1]
    per_week = Counter((c["origin"] if c["origin"] in named else "", _monday(c["day"])) for c in contacts)
    top = max(per_week.values(), default=1)
    shown = [_origin(o, contacts, named, answer, links, today, top) for o in [*named, *([""] if named != kept else [])]]
    return [*shown, *(found for metric in COMPARED if (found := _metric(metric, answer, links, today)))]


def _monday(day: str) -> str:
    found = date.fromisoformat(day)
    return (found - timedelta(days=found.weekday())).isoformat()


def _origin(
    origin: str,
    contacts: Sequence[Mapping[str, Any]],
    named: Sequence[str],
    answer: Worth,
    links: Links,
    today: date,
    top: int,
) -> Line:
    """One origin's contacts ("" stands for all that are not named)."""
    own = [c for c in contacts if (c["origin"] == origin if origin else c["origin"] not in named)]
    weeks = [week["week"] for week in answer.weeks]
    came = Counter(_monday(c["day"]) for c in own)
    which = {"origin": origin} if origin else {}
    bars = []
    for week, n in sorted(came.items()):
        begin = date.fromisoformat(week)
        between = {"day__gte": week, "day__lte": (begin + timedelta(6)).isoformat()}
        told = f"week of {words.on(begin, today)}: {words.many(n, 'contact')} through {origin or 'others'}"
        bars.append((weeks.index(week), n, links.rows("counted_contacts", **which, **between), told))
    unread = [n for n, week in enumerate(answer.weeks) if week["contacts"] is None]
    name = origin or "all others"
    said = f"{words.many(len(own), 'contact')}, the last on {words.on(date.fromisoformat(own[-1]['day']), today)}"
    key = f"w-hatch-{named.index(origin) if origin else 'rest'}"
    picture = columns(bars, len(weeks), f"Through {name}: {said}", 40, top=top, below=hatched(unread, len(weeks), key))
    days = {"day__gte": answer.since.isoformat(), "day__lte": answer.until.isoformat()}
    return Line(name, said, links.rows("counted_contacts", **which, **days, _sort_desc="day"), picture)


def _metric(metric: str, answer: Worth, links: Links, today: date) -> Line | None:
    """What was seen of the owner on LinkedIn, or sent from there; None where it never was read."""
    points = [(n, week[metric], True, "") for n, week in enumerate(answer.weeks) if week[metric] is not None]
    if not points:
        return None
    low, high = min(p[1] for p in points), max(p[1] for p in points)
    newest = answer.weeks[points[-1][0]]
    between = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    last = f"{newest[metric]:,} in the week of {words.on(date.fromisoformat(newest['week']), today)}"
    unread = [n for n, week in enumerate(answer.weeks) if week[metric] is None]
    said = f"{between} a week, {last}" + (f"; {words.many(len(unread), 'week')} not known" if unread else "")
    name = COMPARED[metric]
    picture = dots(
        points, len(answer.weeks), f"{name}: {said}", below=hatched(unread, len(answer.weeks), f"w-hatch-{metric}")
    )
    span = {"week__gte": answer.weeks[0]["week"], "week__lte": answer.weeks[-1]["week"]}
    href = links.rows("contact_weeks", **span, **{f"{metric}__notnull": 1}, _sort_desc="week")
    return Line(name[:1].upper() + name[1:], said, href, picture)
