"""The looks at pages for the owner's telephone number: it stood in an old resume, until that was taken down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from monitor import plan
from monitor.config import Configured
from monitor.demo import story
from monitor.demo.span import Span
from monitor.model import Exchange, ExposureCheck, Outcome, Reading, Trigger
from monitor.sources.contacts.exposure_terms import Identifier
from monitor.store.exposures import Known

WEEK = 7
Verdict = Literal["found", "not_found", "page_gone", "could_not_read"]


@dataclass
class Looks:
    """The looks over the story; `hashed` is the history's keyed hash."""

    span: Span
    configured: Configured
    hashed: Callable[[str], str]

    def known(self) -> Known:
        """The number that is looked for, as it is stored."""
        identifier = Identifier("phone", story.PHONE)
        return Known(identifier.kind, self.hashed(identifier.hashed_as), identifier.masked)

    def readings(self, since: datetime) -> Iterator[Reading]:
        """Each page once a week, each look a reading."""
        slots = plan.slots(self.configured.schedule, self.configured.name, self.configured.zone, since, self.span.now)
        for n, slot in enumerate(slot for slot in slots if self.span.awake(slot.at) == slot.at):
            if n % WEEK == 0:
                for second, url in enumerate((f"{story.SITE}/", story.RESUME)):
                    yield self._look(url, slot.at + timedelta(seconds=second), slot.day)

    def _look(self, url: str, at: datetime, day: date) -> Reading:
        verdict, reason, status = self._verdict(url, day)
        sha256 = self.hashed(f"{url} {verdict}") * 2 if status == 200 else None
        place = "page 1 of the PDF" if verdict == "found" else ""
        check = ExposureCheck(self.known().key, url, verdict, reason, place, sha256)
        return Reading(
            slot=at.replace(second=0),
            day=day,
            trigger=Trigger.SCHEDULE,
            started_at=at,
            finished_at=at + timedelta(seconds=1),
            outcome=Outcome.OK,
            parser=self.configured.source.parser,
            exchanges=(Exchange(n=1, asked=url, ms=420, status=status, url=url),),
            records=(check,),
        )

    def _verdict(self, url: str, day: date) -> tuple[Verdict, str, int | None]:
        if url != story.RESUME:
            return "not_found", "", 200
        gone = (day - self.span.day(story.RESUME_GONE)).days
        if gone >= 0:
            return "page_gone", "status 404", 404
        if -35 < gone < -24:
            return "could_not_read", "timeout", None
        return "found", "", 200
