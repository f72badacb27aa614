"""The readings of the engines: what they showed each day, and what came of the days on which they could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from monitor import plan
from monitor.config import Configured
from monitor.demo import pages, story
from monitor.demo.pages import Answer
from monitor.demo.span import DAY, Span, along
from monitor.demo.story import Page
from monitor.model import Capture, Context, Exchange, Outcome, Parsed, Reading, Result, Trigger
from monitor.plan import Slot
from monitor.reasons import REASONS, advice

ON_A_PAGE = 10
TRIED_AGAIN = timedelta(minutes=5, seconds=20)
SHUFFLED = 34  # days after which a page's place is drawn anew


@dataclass
class Engine:
    """One engine and query over the story."""

    span: Span
    configured: Configured
    _parsed: dict[bytes, Parsed] = field(default_factory=dict)

    def readings(self, since: datetime) -> Iterator[Reading]:
        """A counting reading for every slot since then, with the attempts before it that failed."""
        slots = plan.slots(self.configured.schedule, self.configured.name, self.configured.zone, since, self.span.now)
        for slot in slots:
            yield from self._of_slot(slot)

    @property
    def _engine(self) -> str:
        return self.configured.source.series().engine

    @property
    def _query(self) -> str:
        return self.configured.source.series().query

    def _of_slot(self, slot: Slot) -> Iterator[Reading]:
        match self._trouble(slot):
            case "off":
                yield self._failed(slot, "off", self.span.awake(slot.at), asked=False)
            case "breaker":
                until = self.span.day(story.REFUSED) + 9 * DAY
                yield self._failed(slot, "breaker", slot.at, asked=False, detail=f"{until}T07:40:12Z")
            case "budget":
                until = _next_month(slot.day)
                said = f"60 calls, more from {until}T00:00:00Z"
                yield self._failed(slot, "budget", slot.at, asked=False, detail=said)
            case "challenge":
                yield self._failed(slot, "challenge", slot.at, answer=pages.challenge(), status=202)
            case "layout_unknown":
                answer = pages.unknown(self._query, self._shown(slot.day))
                yield self._failed(slot, "layout_unknown", slot.at, answer=answer, status=200)
            case "silent":
                for at in (slot.at, *(slot.at + n * TRIED_AGAIN for n in (1, 6, 24))):
                    if at < self.span.now - TRIED_AGAIN:
                        yield self._failed(slot, "timeout", at)
            case "":
                yield self._read(slot, slot.at)
            case reason:
                status = 503 if reason == "server_error" else None
                yield self._failed(slot, reason, slot.at, status=status)
                yield self._read(slot, slot.at + TRIED_AGAIN)

    def _trouble(self, slot: Slot) -> str:
        """What kept this slot from being read at once, or empty."""
        day, engine = slot.day, self._engine
        if self.span.awake(slot.at) != slot.at:
            return "off"
        since = (day - self.span.day(story.REFUSED)).days
        if engine == "duckduckgo" and 0 <= since < 9:
            return "challenge" if since in (0, 1, 2, 3, 5) else "breaker"
        if engine == "mojeek" and 0 <= (day - self.span.day(story.LAYOUT_CHANGED)).days < 7:
            return "layout_unknown"
        if engine == "mojeek" and (self.span.last - day).days < story.SILENT:
            return "silent"
        spent = _next_month(self.span.day(story.CREDIT_SPENT))
        if engine == "google" and timedelta() < spent - day <= 3 * DAY:
            return "budget"
        chance = self.span.chance("attempt", self.configured.name, day)
        slipped = day < self.span.last and chance.random() < 0.014
        return chance.choice(("timeout", "connection", "server_error")) if slipped else ""

    def _shown(self, day: date) -> Sequence[Page]:
        """The pages in the order in which this engine shows them on a day."""
        share, engine = self.span.share(day), self._engine
        place = self._place(day)
        found = [(self._drawn(page, day), page) for page in story.OTHERS if page.since <= share < page.until]
        found = [(max(at, place + 0.8) if page.url in story.HERS else at, page) for at, page in found]
        if share < story.UNWANTED_GONE[engine] and share >= story.UNWANTED[0][0]:
            climbed = along(story.UNWANTED, share) + self._wobble("unwanted", day)
            title, said = "Ada Marlowe in Kent: phone, age, relatives", "Ada Marlowe. Possible numbers and addresses."
            found.append((climbed, Page(story.PEOPLE_SEARCH, title, said, 0)))
        if self._engine in story.SCRAPED_BY and share >= story.SCRAPED.since:
            found.append((self._drawn(story.SCRAPED, day), story.SCRAPED))
        shown = [page for _, page in sorted(found, key=lambda one: (one[0], one[1].url))]
        title = "Ada Marlowe: tide tables and other clocks" if share >= story.REDESIGN else "ada marlowe's home page"
        shown.insert(place - 1, Page(f"{story.SITE}/", title, "Notes on tides, almanacs and small clocks.", 0))
        return shown

    def _drawn(self, page: Page, day: date) -> float:
        moved = sum(page.url.encode()) % SHUFFLED  # each page moves on days of its own
        turn = (day.toordinal() + moved) // SHUFFLED
        return page.place + self.span.chance("place", self._engine, self._query, page.url, turn).gauss(0, 1.1)

    def _place(self, day: date) -> int:
        place = along(story.RANKS[self._engine, self._query], self.span.share(day))
        chance = self.span.chance("blip", self.configured.name, day).random()
        if place < 1.4:
            return 2 if chance < 0.03 else 1
        blip = (chance < 0.05) - (chance > 0.96)
        return max(1, round(place + self._wobble("mine", day)) + blip)

    def _wobble(self, what: str, day: date) -> float:
        moved = day.toordinal() + len(self.configured.name)
        return self.span.chance(what, self.configured.name, moved // 8).gauss(0, 0.45)

    def _read(self, slot: Slot, at: datetime) -> Reading:
        depth = story.DEPTHS[self._engine]
        shown = self._shown(slot.day)
        mine = next(n for n, page in enumerate(shown) if page.url.startswith(story.SITE))
        further = self._engine == "google" and mine >= ON_A_PAGE and slot.day.weekday() == 0
        chance = self.span.chance("time", self.configured.name, slot.day)
        at += timedelta(seconds=chance.randint(1, 40))
        exchanges: list[Exchange] = []
        results: list[Result] = []
        for n in range(2 if further else 1):
            answer = pages.ENGINES[self._engine](self._query, shown[n * ON_A_PAGE : n * ON_A_PAGE + depth])
            exchange = self._exchange(n + 1, answer, 200, chance.randint(240, 1900))
            exchanges.append(exchange)
            results += [_below(one, n * ON_A_PAGE) for one in self._parse(exchange, slot.day)]
        return Reading(
            slot=slot.at,
            day=slot.day,
            trigger=Trigger.SCHEDULE,
            started_at=at,
            finished_at=at + timedelta(seconds=1 + 11 * further),
            outcome=Outcome.OK,
            parser=self.configured.source.parser,
            depth=sum(result.position is not None for result in results),
            exchanges=tuple(exchanges),
            records=tuple(results),
        )

    def _parse(self, exchange: Exchange, day: date) -> list[Result]:
        if exchange.capture is None:
            return []
        body = exchange.capture.body
        if body not in self._parsed:  # most days show what the day before did
            self._parsed[body] = self.configured.source.parse(exchange.capture, Context(self.span.now, day))
        return [record for record in self._parsed[body].records if isinstance(record, Result)]

    def _exchange(self, n: int, answer: Answer | None, status: int | None, ms: int) -> Exchange:
        url = getattr(self.configured.source, "url", "")
        if answer is None:
            return Exchange(n=n, asked=url, ms=ms, status=status, url=url)
        capture = Capture(answer.body, answer.media_type, "utf-8", status or 200, asked=url, url=url)
        return Exchange(n=n, asked=url, ms=ms, status=status, url=url, capture=capture)

    def _failed(
        self,
        slot: Slot,
        reason: str,
        at: datetime,
        *,
        asked: bool = True,
        answer: Answer | None = None,
        status: int | None = None,
        detail: str = "",
    ) -> Reading:
        exchange = self._exchange(1, answer, status, 30_000 if reason == "timeout" else 610)
        host = exchange.asked.split("/")[2]
        detail = detail or (f"status {status}" if status else "")
        at += timedelta(seconds=4 if asked else 0)
        return Reading(
            slot=slot.at,
            day=slot.day,
            trigger=Trigger.SCHEDULE,
            started_at=at,
            finished_at=at + timedelta(milliseconds=exchange.ms if asked else 0),
            outcome=REASONS[reason].outcome,
            reason=reason,
            advice=advice(reason, host=host, detail=detail, name=self.configured.name),
            parser=self.configured.source.parser,
            exchanges=(exchange,) if asked else (),
        )


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _below(result: Result, above: int) -> Result:
    if not above or result.position is None:
        return result
    absolute = None if result.position_absolute is None else result.position_absolute + above
    return replace(result, position=result.position + above, block=result.block + above, position_absolute=absolute)
