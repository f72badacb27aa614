"""Pure: page one over days as a picture. A row per place, a column per day, and each day leads to its reading.

SVG without scripts or style attributes. Whose a place is shows in colour and in shape: mine a full block, about me
three quarters, a namesake's half, an unwanted one slit below, another's a faint block. A day not read is hatched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from markupsafe import Markup, escape

from monitor.web import words

ROW, GAP, AXIS, GUTTER, END = 21, 3, 18, 16, 15
LETTERS = {"mine": "m", "about_me": "a", "namesake": "n", "unwanted": "×"}


@dataclass(frozen=True, slots=True)
class Place:
    """Who stood at a place on a day."""

    whose: str
    title: str
    host: str


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one engine: its places if it was read, else why it was not (`said`); `href` leads to the reading.

    `watched` is False before the first reading and after today.
    """

    day: date
    places: Mapping[int, Place]
    read: bool = False
    said: str = ""
    href: str = ""
    watched: bool = True


def picture(
    days: Sequence[Day], label: str, step: float = 3, rows: int = 10, key: str = "", full: bool = True
) -> Markup:
    """The map. With `full` each day is a link that says who stood where; without, it is a small picture of the same.

    `key` tells apart the hatchings of several maps on one page.
    """
    width, height = GUTTER + len(days) * step + END, rows * ROW + AXIS
    head = Markup('<svg class="p-map" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="{2}" aria-label="{3}">')
    out = [_hatch(key)]
    for n in range(1, rows + 1):  # on both sides: where the map is wider than the screen, one is out of sight
        out.append(f'<text class="axis" x="{GUTTER - 3}" y="{n * ROW - 6}">{n}</text>')
        out.append(f'<text class="axis m" x="{_n(width - END + 2)}" y="{n * ROW - 6}">{n}</text>')
    out += _months(days, step, rows * ROW)
    out += _unread(days, step, rows * ROW - GAP, key)
    out += _blocks(days, step, rows)
    if full:
        out += [_link(n, day, step, rows * ROW - GAP) for n, day in enumerate(days) if day.watched]
    body = Markup("").join(map(Markup, out))  # each piece is markup of ours: what strangers wrote is escaped in `_link`
    return head.format(_n(width), _n(height), "group" if full else "img", label) + body + Markup("</svg>")


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _x(n: int, step: float) -> float:
    return GUTTER + n * step


def _hatch(key: str) -> str:
    return (
        f'<defs><pattern id="hatch{escape(key)}" width="5" height="5" patternUnits="userSpaceOnUse">'
        '<path class="hatch" d="M0 5L5 0"/></pattern></defs>'
    )


def _months(days: Sequence[Day], step: float, floor: float) -> Iterator[str]:
    for n, day in enumerate(days):
        if day.day.day == 1:
            name = words.MONTHS[day.day.month - 1] + (f" {day.day.year}" if day.day.month == 1 else "")
            x = _n(_x(n, step))
            yield f'<path class="month" d="M{x} 0V{floor}"/>'
            if len(days) - n > 10:
                yield f'<text class="axis m" x="{x}" y="{floor + 13}">{name}</text>'


def _runs(flags: Iterable[str]) -> Iterator[tuple[str, int, int]]:
    """Equal neighbours that say something, as (what, first, how many)."""
    for value, group in groupby(enumerate(flags), key=lambda item: item[1]):
        numbers = [n for n, _ in group]
        if value:
            yield value, numbers[0], len(numbers)


def _unread(days: Sequence[Day], step: float, height: float, key: str) -> Iterator[str]:
    for _, first, count in _runs("unread" if day.watched and not day.read else "" for day in days):
        box = f'x="{_n(_x(first, step))}" y="0" width="{_n(count * step)}" height="{_n(height)}"'
        yield f'<rect class="unread" {box}/><rect fill="url(#hatch{escape(key)})" {box}/>'


def _blocks(days: Sequence[Day], step: float, rows: int) -> Iterator[str]:
    """One path for each kind of owner, and a letter at the beginning of each run with room for it."""
    paths: dict[str, list[str]] = {}
    letters = []
    for place in range(1, rows + 1):
        top = (place - 1) * ROW
        for whose, first, count in _runs(d.places[place].whose if place in d.places else "" for d in days):
            x, width = _x(first, step), count * step
            paths.setdefault(whose, []).extend(_shape(whose, x, top, width))
            if whose in LETTERS and width >= 14:
                letters.append(_letter(whose, x + 3, top + (15.5 if whose == "namesake" else 11.5)))
    yield from (f'<path class="{whose}" d="{"".join(parts)}"/>' for whose, parts in sorted(paths.items()))
    yield from letters


def _letter(whose: str, x: float, y: float) -> str:
    return f'<text class="letter {whose}" x="{_n(x)}" y="{_n(y)}">{LETTERS[whose]}</text>'


def _shape(whose: str, x: float, top: float, width: float) -> list[str]:
    full = ROW - GAP
    if whose == "unwanted":
        return [_box(x, top, width, full - 5), _box(x, top + full - 3, width, 3)]
    height = {"about_me": full * 0.75, "namesake": full * 0.5}.get(whose, full)
    return [_box(x, top + full - height, width, height)]


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{_n(x)} {_n(y)}h{_n(width)}v{_n(height)}h-{_n(width)}z"


def _link(n: int, day: Day, step: float, height: float) -> str:
    """The column of a day: where it leads, and in words what stood there."""
    lines = [words.long_day(day.day) + (f": {day.said}" if day.said else "")]
    for place, at in sorted(day.places.items()):
        whose = f" ({at.whose.replace('_', ' ')})" if at.whose != "other" else ""
        lines.append(f"{place}{whose} {at.host}: {_cut(at.title)}")
    box = f'<rect class="day" x="{_n(_x(n, step))}" width="{_n(step)}" height="{_n(height)}"/>'
    inside = f"<title>{escape(chr(10).join(lines))}</title>{box}"
    return f'<a href="{escape(day.href)}">{inside}</a>' if day.href else f"<g>{inside}</g>"


def _cut(title: str, most: int = 40) -> str:
    folded = " ".join(title.split())
    return folded if len(folded) <= most else folded[: most - 1] + "…"
