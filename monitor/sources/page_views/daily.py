"""What counters share: which days to ask for, which days an answer covers, and numbers that are numbers. Pure.

A counter is asked for days that may still change, for those since it was last asked, and for one older piece of at
most 30 days until its beginning is reached. A day that an answer leaves out is a true 0 only where the site surely was
being counted: from its beginning, or the first day seen, to yesterday.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from monitor.model import Capture, Context, LayoutChanged, PageViews, Parsed, Record, Referrer, SiteViews
from monitor.sources.page_views.referrer import DIRECT, UNREADABLE, Origin, origin

DAY = timedelta(days=1)
CHUNK = 30 * DAY
AGAIN = 3 * DAY  # how long after its end a day is read again
LONGEST = 180 * DAY  # Umami turns days into months from eight calendar months on
TOP = 100  # paths kept of a day

Views = tuple[int, int | None]
"""Views and visitors of one day; visitors is None where the counter does not say."""

_LARGEST = 2**53
_NO_REFERRER = frozenset({"", "-", "direct", "(direct)", "(none)", "direct / none", "direct entry"})


@dataclass(frozen=True, slots=True)
class Window:
    """Days from the first to the last, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1


# --- days and their bounds -----------------------------------------------------------------------------------------


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name. Raises ValueError, for the owner, for a name that there is not."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'timezone is a name such as "Europe/Berlin", not "{name}"') from None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The UTC instant at which a local day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def after_end(window: Window, zone: ZoneInfo) -> datetime:
    """The UTC instant at which the day after the window begins: local days last 23 to 25 hours."""
    return midnight(window.last + DAY, zone)


def local_day(ctx: Context, zone: ZoneInfo) -> date:
    """The local day of the moment of asking."""
    return ctx.now.astimezone(zone).date()


def recent(ctx: Context, now: date, since: date | None) -> Window:
    """The days to read first: the last 30, or what is new since the last reading and the 3 days before that.

    After a long pause that is more than one answer can hold; then the oldest part comes first, so that no hole stays.
    """
    first = min(now, ctx.covered[1]) - AGAIN if ctx.covered else now - CHUNK + DAY
    first = max(first, since) if since else first
    first = min(first, now)
    return Window(first, min(now, first + LONGEST - DAY))


def older(ctx: Context, window: Window, since: date | None, start: date | None) -> Window | None:
    """The next piece of the past to ask for after the recent days; None once the beginning is reached.

    `start` is the site's first day by the counter's own word, None where it is not known.
    """
    if ctx.page > 1:  # one piece a reading: what is asked here is itself such a piece
        return None
    last = (min(window.first, ctx.covered[0]) if ctx.covered else window.first) - DAY
    first = max(filter(None, (last - CHUNK + DAY, since, start)))
    return Window(first, last) if first <= last else None


def whole(
    seen: Mapping[date, Views],
    window: Window,
    ctx: Context,
    now: date,
    start: date | None,
    *,
    zero: Views = (0, 0),
    late: int = 0,
) -> Iterator[SiteViews]:
    """The site's days, with those left out as true zeros where the site was being counted.

    Today is only what the answer says and never complete, nor are the `late` days before it. Raises LayoutChanged for
    a day that was not asked for: that answer is to another question.
    """
    if strange := [day for day in seen if day not in window]:
        raise LayoutChanged(detail=f"{min(strange)} was not asked for")
    known = [day for day in (start, min(seen, default=None), ctx.covered[0] if ctx.covered else None) if day]
    if not known:
        return
    for n in range(window.days):
        day = window.first + n * DAY
        if day in seen or min(known) <= day < now:
            yield SiteViews(day, *seen.get(day, zero), complete=day < now - late * DAY)


# --- answers --------------------------------------------------------------------------------------------------------


def asked(capture: Capture) -> tuple[str, dict[str, str]]:
    """The path that was asked, without a slash at its end, and the fields of its query."""
    parts = urlsplit(capture.asked)
    return parts.path.rstrip("/"), dict(parse_qsl(parts.query))


def asked_window(first: str, last: str, zone: ZoneInfo | None = None) -> Window:
    """The days between two days or instants as asked. Raises LayoutChanged for another kind of question."""
    return Window(day_of(first, zone), day_of(last, zone))


def day_of(text: object, zone: ZoneInfo | None = None) -> date:
    """The day that a text names: an ISO day, or with a zone the local day of an instant. Raises LayoutChanged."""
    try:
        if zone is None:
            return date.fromisoformat(str(text)[:10])
        if isinstance(text, str) and text.isdecimal():
            return datetime.fromtimestamp(int(text) / 1000, zone).date()
        at = datetime.fromisoformat(str(text))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone).date()
    except (ValueError, OverflowError, OSError):
        raise LayoutChanged(detail=f"{str(text)[:40]!r} is no day") from None


def read_json(capture: Capture) -> Any:
    """The answer. Raises LayoutChanged when it is no JSON."""
    try:
        return json.loads(capture.body)
    except (ValueError, RecursionError):
        raise LayoutChanged(detail="the answer is no whole JSON") from None


def number(row: Mapping[str, Any], name: str) -> int:
    """A count that must be there, also as text ("2", as Umami's expanded metrics are). Raises LayoutChanged."""
    value = row.get(name)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < len(str(_LARGEST)):
        return int(value)
    if type(value) is not int or not 0 <= value < _LARGEST:
        raise LayoutChanged(detail=f"{name} is {str(value)[:40]!r}, not a count")
    return value


def rows(value: object, name: str) -> list[dict[str, Any]]:
    """A list of objects that must be there. Raises LayoutChanged."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise LayoutChanged(detail=f"no list of {name}")
    return value


def text(row: Mapping[str, Any], name: str) -> str:
    """A text that must be there. Raises LayoutChanged."""
    value = row.get(name)
    if not isinstance(value, str):
        raise LayoutChanged(detail=f"{name} is {str(value)[:40]!r}, not a text")
    return clean(value)


def clean(value: str) -> str:
    """A text that can be stored: no zero bytes, no lone surrogates, at most 2,000 characters."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:2000]


def parsed(records: Iterable[Record], **more: Any) -> Parsed:
    """An answer that was understood, whether or not it names any number."""
    found = tuple(records)
    return Parsed(found, none=not found, **more)


# --- paths and referrers --------------------------------------------------------------------------------------------


def paths(found: Iterable[tuple[date, str, Views]]) -> Iterator[PageViews]:
    """The top paths of each day that have any views; a path named twice (with two titles) is one."""
    views: dict[date, Counter[str]] = {}
    visitors: dict[tuple[date, str], int | None] = {}
    for day, path, (count, people) in found:
        twice = path in views.setdefault(day, Counter())
        views[day][path] += count
        visitors[day, path] = None if twice else people
    for day in sorted(views):
        for path, count in sorted(views[day].items(), key=lambda item: (-item[1], item[0]))[:TOP]:
            if count:
                yield PageViews(day, path, count, visitors[day, path])


def referrers(found: Iterable[tuple[date, str, int]], own: Sequence[str] = ()) -> Iterator[Referrer]:
    """The referrers of each day by the host people know a service by; several addresses of one host are summed."""
    hosts = frozenset(host.lower().removeprefix("www.") for host in own)
    views: Counter[tuple[date, str]] = Counter()
    media: dict[str, Origin] = {}
    for day, name, count in found:
        came = came_from(name, hosts)
        media[came.referrer] = came
        views[day, came.referrer] += count
    for (day, referrer), count in sorted(views.items()):
        if count:
            yield Referrer(day, referrer, media[referrer].medium, count)


def came_from(name: str, own: frozenset[str] = frozenset()) -> Origin:
    """The origin behind a counter's own name for it: an address, a host, or a word such as "Hacker News".

    >>> came_from("https://t.co/xyz").referrer, came_from("Hacker News").referrer, came_from("Direct / None").medium
    ('x.com', 'news.ycombinator.com', 'direct')
    """
    said = name.strip()
    if said.casefold() in _NO_REFERRER:
        return DIRECT
    if said.casefold() == "search engines":  # WordPress names them together
        return Origin("search engines", "search")
    found = origin(said.encode(), "", own)
    if found == UNREADABLE:
        word = origin(b"", "".join(said.casefold().split()), own)
        return UNREADABLE if word == DIRECT else word
    return found
