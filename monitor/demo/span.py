"""The days of the story, and chance that depends on a seed and a name alone: no draw moves another."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
OFF = 0.52
"""A weekend near this share of the story on which the machine was off."""
Knots = Sequence[tuple[float, float]]
"""A line through points: a share of the story (0 its first day, 1 its last), and a value."""


@dataclass(frozen=True, slots=True)
class Span:
    """The story's time: `days` local days up to that of `now`, in the owner's zone."""

    now: datetime
    days: int
    zone: ZoneInfo
    seed: int

    @property
    def last(self) -> date:
        """The owner's today."""
        return self.now.astimezone(self.zone).date()

    @property
    def first(self) -> date:
        """The day on which Monitor was set up."""
        return self.last - (self.days - 1) * DAY

    @property
    def since(self) -> datetime:
        """The moment it was set up: before that day's first slot."""
        return self.at(self.first, time(0, 5))

    def all(self) -> Iterator[date]:
        """Every day, oldest first."""
        return (self.first + n * DAY for n in range(self.days))

    def day(self, share: float) -> date:
        """The day at a share of the story."""
        return self.first + round(share * (self.days - 1)) * DAY

    def share(self, day: date) -> float:
        """The share of the story that has passed on a day."""
        return (day - self.first).days / max(1, self.days - 1)

    def at(self, day: date, clock: time) -> datetime:
        """A local time of day as an instant."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)

    def awake(self, at: datetime) -> datetime:
        """The same instant, or the Monday morning on which the machine was on again after a weekend off."""
        saturday = self.day(OFF)
        saturday += (5 - saturday.weekday()) % 7 * DAY
        back = self.at(saturday + 2 * DAY, time(5, 47, 7))
        return back if self.at(saturday, time()) <= at < back else at

    def chance(self, *name: object) -> random.Random:
        """Chance by this seed and name."""
        return random.Random(f"{self.seed} {name}")  # noqa: S311 - a story, and the same one each time


def along(knots: Knots, share: float) -> float:
    """The value of a line through points, level before the first and after the last."""
    if share <= knots[0][0]:
        return knots[0][1]
    for (left, low), (right, high) in pairwise(knots):
        if share <= right:
            return low + (high - low) * (share - left) / (right - left)
    return knots[-1][1]
