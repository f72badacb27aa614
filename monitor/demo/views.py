"""The readings of the site's log: each night the day before, whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from monitor.config import Configured
from monitor.demo import sites, story
from monitor.demo.span import DAY, Span, along
from monitor.model import (
    Capture,
    Exchange,
    NotCounted,
    Outcome,
    PageViews,
    Reading,
    Record,
    Referrer,
    SiteViews,
    Trigger,
)

COUNTED = time(0, 20)  # when the log of the day before is read
LINE = 212  # bytes of a line of a log


@dataclass
class Site:
    """The site over the story."""

    span: Span
    configured: Configured

    def readings(self) -> Iterator[Reading]:
        """A reading for each day that the log tells of."""
        lost = self.span.day(story.LOG_GAP[0])
        for day in self.span.all():
            at = self.span.at(day + DAY, COUNTED)
            if at <= self.span.now and not timedelta() <= day - lost < story.LOG_GAP[1]:
                yield self._reading(day, at)

    def _reading(self, day: date, at: datetime) -> Reading:
        paths = self._paths(day)
        views = sum(paths.values())
        referrers = self._referrers(day, paths)
        chance = self.span.chance("log", day)
        left = {reason: round(views**0.9 * much * chance.uniform(1.3, 2.2)) for reason, much in _LEFT}
        visitors = max(1, round(views * chance.uniform(0.64, 0.72)))
        feed = round(22 + 70 * self.span.share(day) + chance.gauss(0, 4))
        records: list[Record] = [SiteViews(day, views, min(views, visitors), max(0, feed), complete=True)]
        records += [PageViews(day, path, n) for path, n in paths.items()]
        records += [Referrer(day, name, medium, n) for (name, medium), n in referrers.items() if n]
        records += [NotCounted(day, reason, lines) for reason, lines in left.items() if lines]
        read = self.span.awake(at)
        place = f"access.log 0-{(views + sum(left.values())) * LINE}"
        return Reading(
            slot=at,
            day=at.astimezone(self.span.zone).date(),
            trigger=Trigger.SCHEDULE,
            started_at=read + timedelta(seconds=2),
            finished_at=read + timedelta(seconds=3),
            outcome=Outcome.OK,
            parser=self.configured.source.parser,
            exchanges=(Exchange(n=1, asked=place, ms=0, capture=Capture(b"", place=place)),),
            records=tuple(records),
            rule=self.configured.source.rule,
        )

    def _paths(self, day: date) -> dict[str, int]:
        share = self.span.share(day)
        chance = self.span.chance("views", day)
        busy = sites.WEEKDAYS[day.weekday()] * chance.lognormvariate(0, 0.09)
        base = along(sites.BASE, share) * busy
        paths = {path: round(base * part * chance.uniform(0.8, 1.2)) for path, part in sites.PAGES.items()}
        for essay in sites.ESSAYS:
            old = (day - self.span.day(essay.since)).days
            if old < 0:
                continue
            fresh = essay.first * 0.5 ** (old / essay.days) * (0.55 if old == 0 else 1)
            kept = base * 0.035 * (1 + essay.first / 900)
            n = round((fresh * (0.5 + busy / 2) + kept) * chance.uniform(0.85, 1.15))
            if n:
                paths[essay.path] = n
        return {path: n for path, n in paths.items() if n}

    def _referrers(self, day: date, paths: dict[str, int]) -> dict[tuple[str, str], int]:
        """Who sent the views: the aggregator those of the essay that went around, the engines with the rank."""
        share = self.span.share(day)
        chance = self.span.chance("referrers", day)
        essay = max(sites.ESSAYS, key=lambda one: one.first)
        around = paths.get(essay.path, 0) if (day - self.span.day(essay.since)).days < 21 else 0
        rest = sum(paths.values()) - around
        engines = along(((0.0, 0.10), (story.REDESIGN, 0.13), (0.55, 0.30), (1.0, 0.36)), share)
        network = along(_NETWORK, share)
        parts = {
            ("google.com", "search"): engines * 0.52,
            ("duckduckgo.com", "search"): engines * 0.24,
            ("bing.com", "search"): engines * 0.16,
            ("search.brave.com", "search"): engines * 0.08,
            ("linkedin.com", "social"): network,
            ("talks.example", "other"): 0.05 if story.TALK < share < story.TALK + 0.08 else 0.004,
            ("almanac-society.example", "other"): 0.04,
            ("chatgpt.com", "ai"): 0.03 * share,
            ("newsletter", "mail"): 0.09 if day.weekday() == 1 else 0.02,
            ("ada-marlowe.example", "internal"): 0.14,
        }
        found = {key: round(rest * part * chance.uniform(0.75, 1.25)) for key, part in parts.items()}
        found[sites.AGGREGATOR, "social"] = round(around * 0.61)
        found["linkedin.com", "social"] += round(around * 0.07)
        found["bsky.app", "social"] = round(around * 0.05)
        found["-", "direct"] = max(0, sum(paths.values()) - sum(found.values()))
        return found


_LEFT = tuple(sites.NOT_COUNTED.items())
_NETWORK = (
    (0.0, 0.03),
    (story.TALK, 0.05),
    (story.TITLE - 0.01, 0.06),
    (story.TITLE + 0.005, 0.20),
    (story.TITLE + 0.06, 0.13),
    (1.0, 0.08),
)
