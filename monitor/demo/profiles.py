"""The readings of the profiles: followers and the like, with days that were lost and states that are no number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from monitor import plan
from monitor.config import Configured
from monitor.demo import sites, story
from monitor.demo.span import DAY, Knots, Span, along
from monitor.model import Count, Exchange, Outcome, Reading, Record, Trigger
from monitor.plan import Slot
from monitor.reasons import REASONS, advice

WINDOW = 14  # days for which GitHub keeps traffic
Said = Callable[[date], Sequence[Count]]


@dataclass
class Profiles:
    """All profiles over the story."""

    span: Span

    def readings(self, configured: Configured, since: datetime) -> Iterator[Reading]:
        """A reading for every slot of one source."""
        said = self._said(configured)
        slots = plan.slots(configured.schedule, configured.name, configured.zone, since, self.span.now)
        for slot in slots:
            if (back := self.span.awake(slot.at)) != slot.at:
                yield _reading(configured, slot, (), "off", at=back)
            elif configured.source.kind == "github" and self._refused(slot.day):
                yield _reading(configured, slot, (), "denied", "status 401")
            else:
                yield _reading(configured, slot, said(slot.day))

    def _said(self, configured: Configured) -> Said:
        source = configured.source
        if source.kind == "github":
            return self._repository if getattr(source, "repositories", ()) else self._user
        return {"stackexchange": self._stack, "youtube": self._channel, "mastodon": self._social}[source.kind]

    def _refused(self, day: date) -> bool:
        first, length = story.TOKEN_GAP
        return timedelta() <= day - self.span.day(first) < length

    def _grown(self, knots: Knots, day: date, *name: object) -> int:
        """A number that never falls: its line, and chance that only holds it back."""
        value = along(knots, self.span.share(day))
        return round(value - self.span.chance("held", *name, day.toordinal() // 5).random() * 0.004 * value)

    def _user(self, day: date) -> Sequence[Count]:
        profile = f"github/{sites.GITHUB_USER}"
        return (
            Count(profile, "followers", "now", day, self._grown(sites.FOLLOWERS, day, "f"), definition=_FOLLOWERS),
            Count(profile, "following", "now", day, 31, definition="accounts that this user follows"),
            Count(profile, "public_repos", "now", day, 12 + round(3 * self.span.share(day)), definition=_REPOSITORIES),
        )

    def _repository(self, day: date) -> Sequence[Count]:
        profile = f"github/{sites.REPOSITORY}"
        stars = self._grown(sites.STARS, day, "s")
        counts = [
            Count(profile, "stars", "now", day, stars, definition="accounts that starred this repository"),
            Count(profile, "forks", "now", day, stars // 19, definition="forks of this repository"),
        ]
        listed = WINDOW if self._refused(day - DAY) else 2
        for old in range(listed):
            of_day = day - old * DAY
            views = self._views(of_day) if old else self._views(of_day) // 3  # the running day still grows
            counts.append(Count(profile, "views", "day", of_day, views, definition=_OF_DAY, overlap="max"))
            unique = round(views * 0.55)
            counts.append(Count(profile, "views_uniques", "day", of_day, unique, definition=_OF_DAY, overlap="max"))
        total = sum(self._views(day - old * DAY) for old in range(1, WINDOW))
        counts.append(Count(profile, "views", "14d", day, total, definition=_OF_WINDOW))
        return counts

    def _views(self, day: date) -> int:
        line = along(sites.REPOSITORY_VIEWS, self.span.share(day)) * sites.WEEKDAYS[day.weekday()]
        return round(line * self.span.chance("repository", day).lognormvariate(0, 0.25))

    def _stack(self, day: date) -> Sequence[Count]:
        profile = f"stackexchange/stackoverflow/{sites.STACK_USER}"
        points = self._grown(sites.REPUTATION, day, "r") // 10 * 10 + 8
        views = self._grown(sites.STACK_VIEWS, day, "v")
        return (
            Count(profile, "reputation", "now", day, points, definition="points on this site"),
            Count(profile, "profile_views", "total", day, views, definition="views of the profile page, ever"),
        )

    def _channel(self, day: date) -> Sequence[Count]:
        profile = f"youtube/{sites.CHANNEL}"
        said = "subscribers, three figures only from 1,000 on"
        if self.span.share(day) >= sites.HIDDEN:
            subscribers = Count(profile, "subscribers", "now", day, None, "hidden", definition=said)
        else:
            n = self._grown(sites.SUBSCRIBERS, day, "c")
            rounded, precise = (n // 10 * 10, "rounded") if n >= 1000 else (n, "exact")
            subscribers = Count(profile, "subscribers", "now", day, rounded, "read", precise, said)  # type: ignore[arg-type]
        views = self._grown(sites.CHANNEL_VIEWS, day, "w")
        return (subscribers, Count(profile, "views", "total", day, views, definition="views of all videos"))

    def _social(self, day: date) -> Sequence[Count]:
        profile = f"mastodon/{sites.SOCIAL.lstrip('@')}"
        if self.span.share(day) >= sites.SOCIAL_GONE:
            gone = "gone: social.example has no such account"
            return (Count(profile, "followers", "now", day, None, "gone", definition=gone),)
        followers = self._grown(sites.SOCIAL_FOLLOWERS, day, "m")
        return (Count(profile, "followers", "now", day, followers, definition="accounts that follow this one"),)


def _reading(
    configured: Configured,
    slot: Slot,
    records: Sequence[Record],
    reason: str = "",
    detail: str = "",
    at: datetime | None = None,
) -> Reading:
    url = getattr(configured.source, "url", "") or "https://social.example"
    host = url.split("/")[2]
    asked = Exchange(n=1, asked=url, ms=310, status=401 if reason else 200, url=url)
    unasked = at is not None
    at = at or slot.at + timedelta(seconds=9)
    return Reading(
        slot=slot.at,
        day=slot.day,
        trigger=Trigger.SCHEDULE,
        started_at=at,
        finished_at=at + timedelta(seconds=1),
        outcome=REASONS[reason].outcome if reason else Outcome.OK,
        reason=reason,
        advice=advice(reason, host=host, detail=detail, name=configured.name),
        parser=configured.source.parser,
        exchanges=() if unasked else (asked,),
        records=tuple(records),
    )


_FOLLOWERS = "accounts that follow this user"
_REPOSITORIES = "public repositories of this user, forks among them"
_OF_DAY = "views on this UTC day, as GitHub counts them; a running day still grows, so the largest seen stands"
_OF_WINDOW = "views in the 14 days up to this UTC day, as GitHub totals them"
