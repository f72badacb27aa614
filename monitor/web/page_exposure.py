"""Where the owner's telephone numbers, mails and addresses stand: what `monitor exposure` says, with its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor import labels
from monitor.exposed import WHY, exposed
from monitor.web import words
from monitor.web.links import Links
from monitor.web.pages import Asked

KINDS = {"phone": "telephone number", "mail": "mail address", "address": "postal address"}
GONE = {"not_found": "no longer on the page", "page_gone": "the page is gone"}
IDENTIFIERS = """
select i.id, i.kind, i.masked from identifiers i join sources s on s.id = i.source_id
where i.retired_at is null and s.retired_at is null order by i.kind desc, i.id
"""
EXPOSURES = "select * from exposures order by identifier_id, last_seen desc, url"
GAPS = "select * from exposure_gaps order by reason, url"


@dataclass(frozen=True, slots=True)
class Stands:
    """A page that shows an identifier, or once did. `since` says what is not certain of it any more."""

    url: str
    href: str | None
    whose: str
    place: str
    first_seen: str
    last_seen: str
    evidence: str
    gone: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One of the owner's identifiers, masked, and where it stands: where it is not meant to first."""

    name: str
    kind: str
    unwanted: tuple[Stands, ...]
    meant: tuple[Stands, ...]
    gone: tuple[Stands, ...]
    clear: int  # pages that were read and do not show it
    clear_href: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A page of which nothing can be said now: never clear."""

    url: str
    href: str | None
    why: str
    last_read: str
    evidence: str


async def page(asked: Asked) -> dict[str, Any]:
    """Each identifier, the pages that could not be read, and what to do next. Raises sqlite3.DatabaseError."""
    identifiers = await asked.rows(IDENTIFIERS)
    rows = await asked.rows(EXPOSURES)
    gaps = await asked.rows(GAPS)
    meant = {row["url"] for row in rows if row["allowed"]}
    answer = exposed(identifiers, rows, gaps, lambda url: url in meant)
    shown = [identifier(one, rows, asked.links) for one in identifiers]
    return {
        "here": "exposure",
        "title": "Exposure",
        "unwanted": words.many(answer.unwanted, "page") if answer.unwanted else "",
        "identifiers": shown,
        "looked": bool(rows),
        "unread": [unread(gap, asked.links) for gap in gaps],
        "absent": [absent(row, asked.links) for row in rows if row["state"] == "page_gone" and row["watched"]],
        "steps": [one.said for one in answer.steps],
    }


def identifier(one: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], links: Links) -> Identifier:
    """One identifier from the rows of `exposures`."""
    own = [row for row in rows if row["identifier_id"] == one["id"]]
    found = [row for row in own if row["state"] == "found"]
    return Identifier(
        name=one["masked"],
        kind=KINDS[one["kind"]],
        unwanted=tuple(_stands(row, links) for row in found if not row["allowed"]),
        meant=tuple(_stands(row, links) for row in found if row["allowed"]),
        gone=tuple(_stands(row, links) for row in own if row["state"] == "gone"),
        clear=sum(row["state"] == "not_found" and bool(row["watched"]) for row in own),
        clear_href=links.rows("exposures", identifier_id=one["id"], state="not_found", watched__gte=1),
    )


def _stands(row: Mapping[str, Any], links: Links) -> Stands:
    late = row["state"] == "found" and row["verdict"] == "could_not_read"
    return Stands(
        url=row["url"],
        href=labels.web_url(row["url"]),
        whose=row["whose"].replace("_", " "),
        place="" if row["place"] in ("", "text", None) else row["place"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        evidence=links.reading(row["found_reading_id"]),
        gone=f"since {row['gone_day']}: {GONE[row['gone_how']]}" if row["state"] == "gone" else "",
        since=f"not readable since then: {_why(row['reason'])}" if late else "",
    )


def unread(gap: Mapping[str, Any], links: Links) -> Unread:
    """A row of `exposure_gaps` in words."""
    evidence = links.reading(gap["reading_id"]) if gap["reading_id"] else ""
    return Unread(gap["url"], labels.web_url(gap["url"]), _why(gap["reason"]), gap["last_read"] or "", evidence)


def absent(row: Mapping[str, Any], links: Links) -> Unread:
    """A page that never was there when it was asked: an address with a slip in it, or a stale result."""
    said = f"there is no such page ({row['reason']})"
    return Unread(row["url"], labels.web_url(row["url"]), said, "", links.reading(row["reading_id"]))


def _why(reason: str) -> str:
    return WHY.get(reason, reason.replace("_", " "))
