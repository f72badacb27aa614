"""Pure: what a change means. Two results pages compared, in words that name their evidence.

A rank moves because pages came in above, because pages above left, because another page of the owner's took over, or
because the whole page was shaken. Where none of it can be told, it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

PERSISTENCE = 0.9  # weight of depth in rank-biased overlap: about 86 % of it lies on the first ten
CALM, STIRRED = 0.9, 0.7


class Place(NamedTuple):
    """One organic result of a page: its place, address (canonical), whose it is, and the title shown."""

    position: int
    url: str
    whose: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A trustworthy results page: the day, its organic results in order, and the reading it is from."""

    day: str
    places: tuple[Place, ...]
    reading_id: int

    @property
    def depth(self) -> int:
        """How many organic results were seen."""
        return len(self.places)

    @property
    def mine(self) -> Place | None:
        """The owner's best place, or None within the depth."""
        return next((place for place in self.places if place.whose == "mine"), None)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another engine over the same days: whether it shows the same index, and the owner's places before and after."""

    engine: str
    same_index: bool
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence and the readings it rests on."""

    said: str
    readings: tuple[int, ...]


def overlap(before: Sequence[str], after: Sequence[str], p: float = PERSISTENCE) -> float:
    """Rank-biased overlap of two rankings, extrapolated, cut to the shorter: 1 for equal, 0 for nothing shared.

    Webber, Moffat and Zobel, "A similarity measure for indefinite rankings", ACM TOIS 28(4), 2010, equation 30.

    >>> overlap(["a", "b", "c"], ["a", "b", "c"]), overlap(["a"], ["b"])
    (1.0, 0.0)
    """
    depth = min(len(before), len(after))
    if not depth:
        return 1.0 if len(before) == len(after) else 0.0
    shared, total = 0, 0.0
    seen_before: set[str] = set()
    seen_after: set[str] = set()
    for d in range(1, depth + 1):
        a, b = before[d - 1], after[d - 1]
        shared += (a == b) + (a in seen_after) + (b in seen_before)
        seen_before.add(a)
        seen_after.add(b)
        total += shared / d * p**d
    return min(1.0, round(shared / depth * p**depth + (1 - p) / p * total, 12))


def is_news(before: int | None, after: int | None, depth: int) -> bool:
    """Whether a move is more than noise: at least max(2, 20 %) places, or in or out of what was seen.

    Same query, minutes apart, one or two places move on real engines; that is no news.
    """
    if before is None or after is None:
        known = before or after or 0
        return (before is None) != (after is None) and known <= depth
    return abs(before - after) >= max(2, 0.2 * before)


def why(before: Page, after: Page, elsewhere: Sequence[Elsewhere] = ()) -> tuple[Finding, ...]:
    """What can be told of a move between two pages, the most telling first; never empty."""
    evidence = (before.reading_id, after.reading_id)
    found = [_moved(before, after)]
    told = [
        *_own_page(before, after),
        *_came_above(before, after),
        *_left_above(before, after),
        *_shaken(before, after),
        *_same_index(before, after, elsewhere),
    ]
    if _place(before) == _place(after):
        told = [said for said in told if "as a whole" in said]
    elif not told:
        told = ["Cannot tell why: no page came in above, none left, and the rest of the page is calm."]
    found += told
    if before.depth != after.depth:
        found.append(f"{before.depth} results were seen before and {after.depth} after: places below are not compared.")
    return tuple(Finding(said, evidence) for said in found)


def _place(page: Page) -> int | None:
    return page.mine.position if page.mine else None


def _words(page: Page) -> str:
    return f"at {page.mine.position}" if page.mine else f"not within the {page.depth} results seen"


def _moved(before: Page, after: Page) -> str:
    old, new = _place(before), _place(after)
    if old == new:
        return f"No move: {_words(after)} on {before.day} and on {after.day}."
    noise = "" if is_news(old, new, min(before.depth, after.depth)) else " So small a move is noise on most days."
    return f"It stood {_words(before)} on {before.day} and {_words(after)} on {after.day}.{noise}"


def _own_page(before: Page, after: Page) -> list[str]:
    old, new = before.mine, after.mine
    if old and new and old.url != new.url:
        return [f"Another page of yours stands there now: {new.url} in place of {old.url}."]
    return []


def _came_above(before: Page, after: Page) -> list[str]:
    known = {place.url for place in before.places}
    line = after.mine.position if after.mine else after.depth + 1
    came = [p for p in after.places if p.position < line and p.url not in known and p.whose != "mine"]
    if not came or (_place(before) or 99) >= line:
        return []
    return [f"{len(came)} came in above: {_listed(came)}."]


def _left_above(before: Page, after: Page) -> list[str]:
    known = {place.url for place in after.places}
    line = before.mine.position if before.mine else before.depth + 1
    left = [p for p in before.places if p.position < line and p.url not in known and p.whose != "mine"]
    if not left or (_place(after) or 99) >= line:
        return []
    return [f"{len(left)} above left: {_listed(left)}."]


def _shaken(before: Page, after: Page) -> list[str]:
    likeness = overlap([p.url for p in before.places], [p.url for p in after.places])
    if likeness >= CALM:
        return []
    word = "stirred" if likeness >= STIRRED else "shaken"
    return [f"The page as a whole was {word} (overlap {likeness:.2f} of 1), not your page alone."]


def _same_index(before: Page, after: Page, elsewhere: Sequence[Elsewhere]) -> list[str]:
    old, new = _place(before), _place(after)
    if old == new:
        return []
    down = (new or 99) > (old or 99)
    moved = [e for e in elsewhere if e.before != e.after and ((e.after or 99) > (e.before or 99)) == down]
    same = [e.engine for e in moved if e.same_index]
    other = [e.engine for e in moved if not e.same_index]
    still = [e.engine for e in elsewhere if e.same_index and e.before == e.after]
    said = []
    if same:
        said.append(f"{' and '.join(same)} shows the same index and moved the same way: one event, not two.")
    if still:
        said.append(f"{' and '.join(still)} shows the same index and did not move.")
    if other:
        said.append(f"{' and '.join(other)}, with an index of its own, moved the same way: your page may have changed.")
    return said


def _listed(places: Sequence[Place], most: int = 3) -> str:
    shown = ", ".join(f"{p.url} ({p.whose}, at {p.position})" for p in places[:most])
    return shown + (f" and {len(places) - most} more" if len(places) > most else "")
