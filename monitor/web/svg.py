"""Pure: points to pictures. SVG without scripts or style attributes; colours come from the style sheet by class.

The pictures stretch to their box (`preserveAspectRatio="none"`), so lines use `vector-effect` (in the style sheet) and
no text is drawn inside: the words stand beside them in HTML, and in the label for those who do not see the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from math import log
from typing import Literal, NamedTuple

from markupsafe import Markup

WIDTH = 360.0


class Place(NamedTuple):
    """One day of one engine: a rank, `beyond` the depth seen, `unread`, or not yet (no longer) `unwatched`."""

    state: Literal["rank", "beyond", "unread", "unwatched"]
    position: int | None = None


class Bar(NamedTuple):
    """One day of page views: None where nothing was counted, `complete` unless the day is still being counted.

    `watched` is False for days on which nothing could have been counted yet.
    """

    views: int | None
    complete: bool = True
    watched: bool = True


def _svg(kind: str, height: float, label: str, body: Iterable[str], width: float = WIDTH) -> Markup:
    head = Markup('<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">')
    return head.format(kind, _n(width), _n(height), label) + Markup("").join(map(Markup, body)) + Markup("</svg>")


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{kind}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"/>'


def _line(kind: str, x: float, y: float, to: float) -> str:
    return f'<path class="{kind}" d="M{_n(x)} {_n(y)}H{_n(to)}"/>'


def _bands(unread: Sequence[bool], step: float, height: float) -> list[str]:
    """A grey band over each run of days that were not read."""
    runs = [(flag, [n for n, _ in days]) for flag, days in groupby(enumerate(unread), key=lambda day: day[1])]
    return [_rect("unread", days[0] * step, 0, len(days) * step, height) for flag, days in runs if flag]


def rank_line(days: Sequence[Place], label: str, height: float = 64) -> Markup:
    """Ranks over days, 1 on top, on a logarithmic axis: a step per day, and nothing drawn where nothing was read.

    A dashed line at 1 is the goal, a faint one at 10 the end of page one. An unread day is a grey band; a day that was
    read without finding the owner is a mark below the axis, never a point on it.
    """
    step = WIDTH / max(len(days), 1)
    lowest = max([20, *(p.position for p in days if p.position)])
    floor = height - 12

    def y(position: int) -> float:
        return 5 + (floor - 10) * log(position) / log(lowest)

    body = _bands([p.state == "unread" for p in days], step, height)
    body += [_line("page-one", 0, y(10), WIDTH), _line("goal", 0, y(1), WIDTH)]
    body += [_rect("beyond", n * step, height - 6, step, 4) for n, p in enumerate(days) if p.state == "beyond"]
    path, before = "", None
    for n, p in enumerate(days):
        if p.position is not None:
            path += f"{'V' if before else f'M{_n(n * step)} '}{_n(y(p.position))}H{_n((n + 1) * step)}"
        before = p.position
    body.append(f'<path class="rank" d="{path}"/>' if path else "")
    return _svg("spark", height, label, body)


def bars(days: Sequence[Bar], label: str, height: float = 96) -> Markup:
    """Page views per day as bars, with the mean of seven days as a line where all seven were counted."""
    step = WIDTH / max(len(days), 1)
    top = max([1, *(d.views for d in days if d.views is not None)])

    def y(views: float) -> float:
        return height - 1 - (height - 4) * views / top

    body = _bands([d.views is None and d.watched for d in days], step, height)
    for n, d in enumerate(days):
        if d.views is not None:
            kind = "bar" if d.complete else "bar open"
            body.append(_rect(kind, n * step + step * 0.12, y(d.views), step * 0.76, height - y(d.views)))
    weeks = [days[n - 6 : n + 1] if n >= 6 else () for n in range(len(days))]
    whole = [[d.views for d in w if d.views is not None and d.complete] for w in weeks]
    means = [sum(w) / 7 if len(w) == 7 else None for w in whole]
    path = ""
    for (_, a), (n, b) in pairwise(enumerate(means)):
        if b is not None:
            path += f"{'M' if a is None else 'L'}{_n((n + 0.5) * step)} {_n(y(b))}"
    body.append(f'<path class="mean" d="{path}"/>' if path else "")
    return _svg("bars", height, label, body)


def strip(outcomes: Sequence[str], label: str, height: float = 14) -> Markup:
    """One cell per day: read, trouble of some kind, or nothing asked."""
    step = WIDTH / max(len(outcomes), 1)
    kinds = {"": "none", "ok": "good", "empty": "good", "missed": "missed"}
    cells = (
        _rect(kinds.get(o, "bad"), n * step + 1, 0 if o else height / 2 - 1, step - 2, height if o else 2)
        for n, o in enumerate(outcomes)
    )
    return _svg("strip", height, label, cells)
