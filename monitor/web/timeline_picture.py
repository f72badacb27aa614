"""Pure: the pictures of the timeline that home has no use for. SVG without scripts or style attributes.

Places along the axis are given in percent, so that words and dots keep their size while the picture stretches.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

from monitor.web.words import MONTHS

LABEL = 0.15  # the part of a wide page's axis that an event's words take
WORDS = 24
NOTHING = Markup("")


class Moment(NamedTuple):
    """An event: where on the axis (0 to 1), its words, its day and its own page."""

    at: float
    title: str
    day: str
    href: str


def _percent(part: float) -> str:
    return f"{100 * part:.2f}%"


def _frame(kind: str, height: int, label: str, body: Markup, role: str = "img") -> Markup:
    head = Markup('<svg class="{}" width="100%" height="{}" role="{}" aria-label="{}">').format(
        kind, height, role, label
    )
    return head + body + Markup("</svg>")


def axis(first: date, last: date) -> Markup:
    """The months or years along the axis; those of class `t-minor` are left out where there is little room."""
    days = (last - first).days + 1
    months = [(y, m) for y in range(first.year, last.year + 1) for m in range(1, 13)]
    starts = [date(y, m, 1) for y, m in months if first <= date(y, m, 1) <= last]
    if days > 3 * 366:
        starts = [day for day in starts if day.month == 1]
    step = 1 if len(starts) <= 6 else 3
    body = Markup("")
    for n, day in enumerate(starts):
        year = day.month == 1
        text = str(day.year) if year else MONTHS[day.month - 1]
        minor = n % 2 if days > 3 * 366 else (day.month - 1) % step
        x = _percent((day - first).days / days)
        kind = "t-minor" if minor else "t-major"
        body += Markup('<line class="t-tick" x1="{0}" x2="{0}" y1="0" y2="5"/>').format(x)
        body += Markup('<text class="{}" x="{}" y="16">{}</text>').format(kind, x, text)
    return _frame("t-axis", 20, f"{first} to {last}", body)


def marks(moments: Sequence[Moment]) -> Markup:
    """The events by number, and by their words where these have room, each a link to its own row."""
    if not moments:
        return Markup("")
    body = Markup("")
    free = [0.0, 0.0]  # up to where each of two lines is taken
    for n, moment in enumerate(moments, 1):
        lane = next((i for i, taken in enumerate(free) if moment.at >= taken), None)
        cut = moment.title if len(moment.title) <= WORDS else moment.title[: WORDS - 1] + "…"
        left = moment.at > 1 - LABEL
        told = Markup("")
        if lane is not None and not (left and free[lane] > moment.at - LABEL):
            free[lane] = moment.at + (0.01 if left else LABEL)
            end = "t-words t-left" if left else "t-words"
            told = Markup('<text class="{}" x="{}" y="{}">{} {}</text>').format(
                end, _percent(moment.at), 12 + 15 * lane, n, cut
            )
        number = Markup('<text class="t-number" x="{}" y="{}">{}</text>').format(
            _percent(moment.at), 12 if n % 2 else 27, n
        )
        title = Markup("<title>{}: {}</title>").format(moment.day, moment.title)
        body += Markup('<a href="{}">{}{}{}</a>').format(moment.href, title, told, number)
    return _frame("t-marks", 32, "Events", body, "group")


def overlay(moments: Sequence[Moment]) -> Markup:
    """The events as lines, laid over each row."""
    lines = Markup("").join(
        Markup('<line x1="{0}" x2="{0}" y1="0" y2="100%"/>').format(_percent(m.at)) for m in moments
    )
    return Markup('<svg class="t-over" aria-hidden="true" width="100%" height="100%">{}</svg>').format(lines)


def dots(
    points: Sequence[tuple[int, int | None, bool, str]],
    bins: int,
    label: str,
    height: int = 44,
    *,
    below: Markup = NOTHING,
) -> Markup:
    """Numbers as dots: (bin, value, exact, definition). A line only between neighbours that count the same thing.

    A number that is not exact is an open dot, one that was not on the page a cross at the foot, and a change of what
    is counted a dashed line.
    """
    known = [value for _, value, _, _ in points if value is not None]
    low, high = (min(known), max(known)) if known else (0, 1)

    def y(value: int) -> float:
        return height / 2 if low == high else 6 + (height - 14) * (high - value) / (high - low)

    def x(n: int) -> str:
        return _percent((n + 0.5) / bins)

    body = below
    for (n, a, _, was), (m, b, _, now) in pairwise(points):
        if was != now:
            body += Markup('<line class="t-break" x1="{0}" x2="{0}" y1="0" y2="100%"/>').format(_percent(m / bins))
        elif a is not None and b is not None and m - n == 1:
            body += Markup('<line class="t-line" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>').format(
                x(n), y(a), x(m), y(b)
            )
    for n, value, exact, _ in points:
        if value is None:
            body += Markup('<text class="t-cross" x="{}" y="{}">×</text>').format(x(n), height - 2)
        else:
            kind = "t-dot" if exact else "t-dot t-open"
            body += Markup('<circle class="{}" cx="{}" cy="{:.1f}" r="2.5"/>').format(kind, x(n), y(value))
    return _frame("t-dots", height, label, body)


def hatched(unread: Sequence[int], bins: int, key: str) -> Markup:
    """The bins that were not read, hatched; to be drawn before what stands in them. `key` is unique on a page."""
    body = Markup(
        '<defs><pattern id="{0}" width="5" height="5" patternUnits="userSpaceOnUse">'
        '<path class="t-hatch" d="M0 5L5 0"/></pattern></defs>'
    ).format(key)
    for n in unread:
        body += Markup('<rect class="t-unread" fill="url(#{})" x="{}" y="0" width="{}" height="100%"/>').format(
            key, _percent(n / bins), _percent(1 / bins)
        )
    return body if unread else Markup("")


def columns(
    bars: Sequence[tuple[int, int, str, str]],
    bins: int,
    label: str,
    height: int = 44,
    *,
    top: int | None = None,
    below: Markup = NOTHING,
) -> Markup:
    """Counts as bars: (bin, count, link, words); a bin without any is empty. Each leads to its own rows.

    `top` is what the whole height stands for, the largest count when left out; `below` is drawn first.
    """
    top = top or max((count for _, count, _, _ in bars), default=1)
    body = below
    for n, count, href, told in bars:
        tall = (height - 4) * count / top
        box = Markup('<rect x="{}" y="{:.1f}" width="{}" height="{:.1f}"/>').format(
            _percent((n + 0.1) / bins), height - tall, _percent(0.8 / bins), tall
        )
        body += Markup('<a href="{}"><title>{}</title>{}</a>').format(href, told, box)
    return _frame("t-columns", height, label, body, "group")
