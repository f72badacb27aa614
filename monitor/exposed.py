"""Pure: do my telephone numbers, mails and old addresses stand on pages where I do not want them? In plain sentences.

A page that could not be read is told as that beside what was last known of it, and nothing is called clear for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from monitor.plain import inert

Row = Mapping[str, Any]

WHY = MappingProxyType(
    {
        "linkedin": "LinkedIn is never asked: look there yourself",
        "opaque_link": "the engine hides its address: look there yourself",
        "not_looked_at": "not looked at yet: it is due",
        "robots": "its robots.txt asks not to be read",
        "denied": "it refused",
        "rate_limited": "it said: too many requests",
        "captcha": "it asked for a captcha",
        "challenge": "it answered with a challenge for robots",
        "consent": "it asked for consent first",
        "login_wall": "it wants a login",
        "js_required": "its scripts make the page",
        "scanned": "a PDF of pictures without text",
        "encrypted": "a PDF with a password",
        "damaged_file": "a PDF that cannot be read to its end",
        "not_text": "no HTML, text or PDF",
        "too_large": "it is too large",
        "timeout": "it took too long",
        "dns": "its name is not known",
        "connection": "it could not be reached",
        "forbidden_address": "it leads to a private address, which is not asked",
        "server_error": "it reported a fault of its own",
        "empty_answer": "it showed nothing at all",
        "layout_unknown": "it is no page that can be read",
    }
)
_GONE = MappingProxyType({"not_found": "no longer on the page", "page_gone": "the page is gone"})
_KINDS = MappingProxyType({"phone": "telephone number", "mail": "mail address", "address": "postal address"})


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence, and the readings that it rests on."""

    said: str
    readings: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposed:
    """The answer: for each identifier what is known of it, then the pages that could not be read, then what to do.

    `unwanted` counts the pages that show one now and are not meant to.
    """

    unwanted: int
    identifiers: tuple[Said, ...]
    unread: tuple[Said, ...]
    steps: tuple[Said, ...]


def exposed(
    identifiers: Sequence[Row], rows: Sequence[Row], gaps: Sequence[Row], allowed: Callable[[str], bool]
) -> Exposed:
    """Answer from the current `identifiers` and rows of `exposures` and `exposure_gaps`; `allowed` is the config's."""
    said: list[Said] = []
    for one in identifiers:
        mine = [row for row in rows if row["identifier_id"] == one["id"]]
        said += _of_identifier(one, mine, allowed)
    unwanted = {row["url"] for row in rows if row["state"] == "found" and not allowed(row["url"])}
    return Exposed(
        len(unwanted), tuple(said), (*_unread(gaps), *_no_page(rows)), tuple(_steps(identifiers, rows, unwanted))
    )


def _of_identifier(one: Row, rows: Sequence[Row], allowed: Callable[[str], bool]) -> Iterable[Said]:
    found = [row for row in rows if row["state"] == "found"]
    unwanted = [row for row in found if not allowed(row["url"])]
    meant = [row for row in found if allowed(row["url"])]
    gone = [row for row in rows if row["state"] == "gone"]
    clear = [row for row in rows if row["state"] == "not_found" and row["watched"]]
    name = f"{one['masked']} ({_KINDS[one['kind']]})"
    if unwanted:
        yield Said(f"{name}: found on {_pages(unwanted)} where you did not mean it:", _readings(unwanted))
        yield from (Said(f"  {_seen(row)}", _readings([row])) for row in unwanted)
    elif clear:
        yield Said(f"{name}: not found on {_pages(clear)} that could be read.", _readings(clear))
    elif meant:
        yield Said(f"{name}: found only where you mean it.", _readings(meant))
    else:
        yield Said(f"{name}: nothing is known, for no page could be read for it yet.", _readings(rows))
    yield from (Said(f"  meant: {_seen(row)}", _readings([row])) for row in meant)
    yield from (
        Said(f"  gone since {row['gone_day']} ({_GONE[row['gone_how']]}): {_seen(row)}", _readings([row]))
        for row in gone
    )


def _seen(row: Row) -> str:
    where = f", {row['place']}" if row["place"] not in ("", "text") else ""
    said = f"{inert(row['url'])} (first seen {row['first_seen']}, last seen {row['last_seen']}{where})"
    if row["state"] == "found" and row["verdict"] == "could_not_read":
        said += f"; since then it could not be read: {_why(row['reason'])}"
    return said


def _unread(gaps: Sequence[Row]) -> Iterable[Said]:
    if not gaps:
        return
    yield Said(f"{_pages(gaps)} could not be read, so nothing is clear there:")
    for row in gaps:
        last = f", last read {row['last_read']}" if row["last_read"] else ""
        evidence = (row["reading_id"],) if row["reading_id"] else ()
        yield Said(f"  {inert(row['url'])}: {_why(row['reason'])}{last}", evidence)


def _no_page(rows: Sequence[Row]) -> Iterable[Said]:
    """The pages that never were there when they were asked: an address with a slip in it, or a stale result."""
    found = {row["url"]: row for row in rows if row["state"] == "page_gone" and row["watched"]}
    for url, row in found.items():
        yield Said(f"{inert(url)}: there is no such page ({row['reason']})", _readings([row]))


def _steps(identifiers: Sequence[Row], rows: Sequence[Row], unwanted: set[str]) -> Iterable[Said]:
    if not identifiers:
        yield Said(
            'Nothing is looked for yet: add [[contacts]] with kind = "exposure" to config.toml, then monitor check.'
        )
    elif not rows:
        yield Said("No page has been looked at yet: monitor check exposure")
    elif unwanted:
        yield Said(
            "Next: take it off the page, or ask its owner or the engine to remove it; where it is meant to stand, name "
            "the page in allow. Then: monitor check exposure"
        )


def _why(reason: str) -> str:
    return WHY.get(reason, reason.replace("_", " "))


def _pages(rows: Sequence[Row]) -> str:
    n = len({row["url"] for row in rows})
    return f"{n} page{'' if n == 1 else 's'}"


def _readings(rows: Iterable[Row]) -> tuple[int, ...]:
    return tuple(row["found_reading_id"] or row["reading_id"] for row in rows)
