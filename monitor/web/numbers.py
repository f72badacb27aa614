"""Pure: page views, profile numbers and contacts to what the home page says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from markupsafe import Markup

from monitor.web import words
from monitor.web.links import Links
from monitor.web.rows import SPAN, Row, Rows, of
from monitor.web.search import last_days
from monitor.web.svg import Bar, bars

OLD = 7  # days after which a profile number's age is told


@dataclass(frozen=True, slots=True)
class Line:
    """A name, its number as text, and the place that proves it."""

    name: str
    number: str
    href: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """Page views of one site: the last seven counted days, against the seven before."""

    name: str
    views: str
    span: str  # "17 to 23 Nov", "5 of 7 days counted"
    change: str
    rising: bool | None
    href: str
    top: int
    chart: Markup
    first: str
    last: str
    pages: tuple[Line, ...]
    referrers: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """One number about a profile. `value` is words where the site did not give a number."""

    metric: str
    value: str
    read: bool
    typed: bool
    note: str
    href: str


@dataclass(frozen=True, slots=True)
class Profile:
    """The newest numbers about one profile."""

    name: str
    numbers: tuple[Number, ...]
    href: str


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contacts of the last 90 days by origin, and the newest ones."""

    total: int
    href: str
    origins: tuple[Line, ...]
    newest: tuple[Line, ...]


def sites(rows: Rows, links: Links) -> tuple[Site, ...]:
    """A panel for each site whose page views were counted in the last 90 days."""
    ids = list(dict.fromkeys(r["source_id"] for r in rows["views"]))
    return tuple(_site(rows, links, of(rows["views"], i)) for i in ids)


def older_sites(rows: Rows, links: Links) -> tuple[Line, ...]:
    """The newest counted day of each site that has none in the last 90 days: an old log, or one that has stopped."""
    return tuple(
        Line(
            str(r["site"] or r["source"]),
            f"{r['views']:,}",
            links.rows("daily_page_views", source_id=r["source_id"], _sort_desc="day"),
            words.on(date.fromisoformat(r["day"]), rows.today),
        )
        for r in rows["older"]
    )


def _site(rows: Rows, links: Links, days: Sequence[Row]) -> Site:
    source_id = days[0]["source_id"]
    complete = [r["day"] for r in days if r["complete"]]
    last = date.fromisoformat(complete[-1] if complete else days[-1]["day"])
    counted = {date.fromisoformat(r["day"]): r for r in days}
    week = [counted[d] for n in range(7) if (d := last - timedelta(days=n)) in counted]
    before = [counted[d] for n in range(7, 14) if (d := last - timedelta(days=n)) in counted]
    views = sum(r["views"] for r in week)
    change, rising = _change(views, sum(r["views"] for r in before), len(week) == len(before) == 7)
    first_day = (last - timedelta(days=6)).isoformat()
    span = f"{words.on(last - timedelta(days=6), rows.today)} to {words.on(last, rows.today)}"
    if len(week) < 7:
        span += f", {len(week)} of 7 days counted"
    axis = last_days(rows, SPAN)
    drawn = [
        Bar(counted[d]["views"], bool(counted[d]["complete"]))
        if d in counted
        else Bar(None, watched=min(counted) < d < rows.today)
        for d in axis
    ]
    where = {"source_id": source_id, "day__gte": first_day, "day__lte": last.isoformat()}
    top = max(r["views"] for r in days)
    return Site(
        name=str(days[0]["site"] or days[0]["source"]),
        views=f"{views:,}",
        span=span,
        change=change,
        rising=rising,
        href=links.rows("daily_page_views", **where, _sort_desc="day"),
        top=top,
        chart=bars(drawn, f"Page views per day, {SPAN} days, at most {top:,} a day"),
        first=words.on(axis[0], rows.today),
        last=words.on(axis[-1], rows.today),
        pages=tuple(
            Line(r["path"], f"{r['views']:,}", links.rows("page_views", path_id=r["path_id"], **where))
            for r in of(rows["paths"], source_id)
        ),
        referrers=tuple(
            Line(
                "no referrer" if r["medium"] == "direct" else r["referrer"] or r["medium"],
                f"{r['views']:,}",
                links.rows("referrers", referrer=r["referrer"], **where),
                r["medium"],
            )
            for r in of(rows["referrers"], source_id)
        ),
    )


def _change(now: int, before: int, whole: bool) -> tuple[str, bool | None]:
    """The change in words; none where either week has days that were not counted."""
    if not whole:
        return "", None
    if not before:
        return "none the week before", None
    percent = round(100 * (now - before) / before)
    if not percent:
        return "as the week before", None
    return f"{'▲' if percent > 0 else '▼'} {abs(percent):,}% on the week before", percent > 0


WINDOWS = MappingProxyType({"now": "", "total": "in all", "day": "that day", "week": "that week"})


def profiles(rows: Rows, links: Links) -> tuple[Profile, ...]:
    """A block for each profile with its newest number of every metric, whichever way that came."""
    newest: dict[tuple[str, str, str], Row] = {}
    for row in rows["counts"]:
        key = row["profile"], row["metric"], row["window"]
        if key not in newest or row["day"] > newest[key]["day"]:
            newest[key] = row
    found: dict[str, list[Row]] = {}
    for row in newest.values():
        found.setdefault(row["profile"], []).append(row)
    return tuple(
        Profile(
            name=name,
            numbers=tuple(_number(r, rows, links) for r in counts),
            href=links.rows("profile_counts", profile=name, _sort_desc="day"),
        )
        for name, counts in found.items()
    )


def _number(row: Row, rows: Rows, links: Links) -> Number:
    day = date.fromisoformat(row["day"])
    days = (rows.today - day).days
    absent = {"missing": "not shown", "hidden": "hidden", "gone": "profile gone"}
    sign = {"rounded": "about ", "at_least": "at least "}.get(row["precision"], "")
    window = WINDOWS.get(row["window"], f"in {row['window'].removesuffix('d')} days")
    notes = ["typed" if row["typed"] else "", words.on(day, rows.today) if row["typed"] or days > OLD else ""]
    read = row["state"] == "read"
    if read and row["before"] is not None and row["window"] != "day":
        moved = row["value"] - row["before"]
        then = words.on(date.fromisoformat(row["before_day"]), rows.today)
        notes.append(f"{'▲' if moved > 0 else '▼'} {abs(moved):,} since {then}" if moved else f"the same as {then}")
    return Number(
        metric=" ".join(filter(None, [row["metric"].replace("_", " "), window])),
        value=f"{sign}{row['value']:,}" if read else absent[row["state"]],
        read=read,
        typed=bool(row["typed"]),
        note=", ".join(filter(None, notes)),
        href=links.reading(row["reading_id"]),
    )


def contacts(rows: Rows, links: Links) -> Contacts:
    """Contacts of the last 90 days; `total` 0 with no `newest` means that none was ever noted."""
    since = (rows.today - timedelta(days=SPAN - 1)).isoformat()
    return Contacts(
        total=sum(r["contacts"] for r in rows["origins"]),
        href=links.rows("counted_contacts", day__gte=since, _sort_desc="day"),
        origins=tuple(
            Line(
                r["origin"],
                f"{r['contacts']:,}",
                links.rows("counted_contacts", day__gte=since, origin=r["origin"]),
                f"last {words.on(date.fromisoformat(r['last_day']), rows.today)}",
            )
            for r in rows["origins"]
        ),
        newest=tuple(
            Line(
                f"{r['kind']}, {r['origin']}",
                words.on(date.fromisoformat(r["day"]), rows.today),
                links.row("contacts", r["id"]),
            )
            for r in rows["contacts"]
        ),
    )
