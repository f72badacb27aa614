"""What a batch of a log adds up to: lines are counted as they are written, and what is counted alike is judged once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import compress
from operator import attrgetter
from typing import TypeVar

from monitor.model import NotCounted, PageViews, Record, Referrer, SiteViews, Visitors
from monitor.sources.page_views.combined import Run
from monitor.sources.page_views.formats import Line, Lines, plain_host
from monitor.sources.page_views.referrer import DIRECT, Origin, origin
from monitor.sources.page_views.rule import LONGEST, MEMORY, SEEN, Asked, Rule, agent_is, asker, by_media, own_addresses
from monitor.sources.page_views.visitor import hashes

K = TypeVar("K")
V = TypeVar("V")

_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_GET = (b"GET ", b"GET")


@lru_cache(maxsize=64)
def day_of(text: bytes) -> date | None:
    """The day `22/Nov/2026`, None for one that no calendar has."""
    try:
        return date(int(text[7:]), _MONTHS.index(text[3:6]) + 1, int(text[:2]))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What a request is: a page, a feed, or the reason why it is neither. Compared as the object that it is."""

    reason: str
    path: str = ""
    named: Origin | None = None  # where its campaign says that it came from
    is_shown: bool = False  # a page or a feed


_shown = attrgetter("is_shown")


class _Memo(dict[K, V]):
    """Remembers what a function says of each value, up to `MEMORY` of them: a hit costs no call."""

    def __init__(self, judge: Callable[[K], V]) -> None:
        super().__init__()
        self._judge = judge

    def __missing__(self, key: K) -> V:
        value = self._judge(key)
        if len(self) >= MEMORY:
            self.clear()
        self[key] = value
        return value


class _Answers(dict[bytes, Verdict]):
    """Remembers what was judged of a request and its status; an answer that shows nothing is judged at a glance."""

    def __init__(self, judge: Callable[[bytes], Verdict], unseen: Callable[[bytes], Verdict]) -> None:
        super().__init__()
        self._judge, self._unseen = judge, unseen

    def __missing__(self, answer: bytes) -> Verdict:
        request, _, status = answer.rpartition(b'" ')
        if status not in SEEN:
            return self._unseen(request)
        verdict = self._judge(request)
        if len(self) >= MEMORY:
            self.clear()
        if len(answer) <= LONGEST:
            self[answer] = verdict
        return verdict


class _Judges:
    """The judges of one site, with what they remember from batch to batch."""

    def __init__(self, rule: Rule, own: frozenset[str]) -> None:
        self._ask, self._own = asker(rule), own
        self.others: dict[str, Verdict] = _Memo(Verdict)  # one verdict for each reason
        self.answers = _Answers(self._judge, self.unseen)
        self.lines: dict[tuple[bytes, bytes, bool], Verdict] = _Memo(lambda said: self._judge(*said))
        self.kinds: dict[bytes, str] = _Memo(agent_is)
        self.came: dict[bytes, Origin] = _Memo(lambda referer: origin(referer, "", own))

    def unseen(self, request: bytes) -> Verdict:
        """The verdict where the answer was none that a person sees."""
        return self.others["status" if request[:4] in _GET else "method"]

    def _judge(self, request: bytes, media: bytes = b"", ahead: bool = False) -> Verdict:
        """The verdict where the answer was seen."""
        if request[:4] not in _GET:
            return self.others["method"]
        page = self._ask(request)
        if page.host and page.host.removeprefix("www.") not in self._own:
            return self.others["noise"]
        if media:
            page = page._replace(reason=by_media(page.reason, page.path, media))
        if ahead and not page.reason:
            return self.others["prefetch"]
        return self._shown(page) if page.reason in ("", "feed") else self.others[page.reason]

    def _shown(self, page: Asked) -> Verdict:
        named = origin(b"", page.campaign, self._own)
        return Verdict(page.reason, page.path, None if named is DIRECT else named, is_shown=True)


_judges = lru_cache(maxsize=8)(_Judges)


class _Day:
    """What the lines of one day add up to."""

    def __init__(self) -> None:
        self.judged: Counter[Verdict] = Counter()
        self.shown: Counter[tuple[Verdict, str]] = Counter()
        self.origins: Counter[Origin] = Counter()
        self.left_out: Counter[str] = Counter()
        self.people: set[tuple[bytes, bytes]] = set()  # address and agent: held for the length of a batch
        self.is_read = False  # whether a line of it was understood


class Tally:
    """What one batch adds up to. A line without a day is put to the day of the line before it, or to the `first`."""

    def __init__(self, rule: Rule, own: frozenset[str], first: date, others: Lines) -> None:
        self.day, self.others, self.lines = first, others, 0
        self.mine = own_addresses(rule) if rule.leave_out_ips else None
        self.hosts = frozenset(plain_host(host.encode()) for host in rule.vhosts)
        self.judges = _judges(rule, own)
        self.days: defaultdict[date, _Day] = defaultdict(_Day)

    @property
    def is_unknown(self) -> bool:
        """Whether there are lines, and none of them fits a format."""
        return not self.lines and bool(self.days)

    def add(self, run: Run) -> None:
        """Count a run of lines of the combined format, or of lines that do not fit it."""
        day = day_of(run.day)
        if day is None:
            self._add_unfit(run.day, run.addresses)
            return
        self.day = day
        pages = list(map(self.judges.answers.__getitem__, run.answers))
        self._add(day, pages, run.addresses, run.referers, run.agents)

    def _add_unfit(self, day: bytes, texts: Sequence[bytes]) -> None:
        """Count lines of other formats than combined, those that fit none, and those of a day that never was."""
        found: defaultdict[date, list[Line]] = defaultdict(list)
        for text in texts:
            if text.startswith(b"#"):
                self.others.header(text)
            elif not day and (line := self.others.read(text)):
                self.day = line.day
                found[line.day].append(line)
            else:
                self.days[self.day].left_out["unparsed"] += 1
        for seen_on, lines in found.items():
            self._add_lines(seen_on, lines)

    def _add_lines(self, day: date, lines: list[Line]) -> None:
        """Count lines of another format than combined."""
        mine = lines if not self.hosts else [one for one in lines if not one.host or self._is_ours(one.host)]
        if len(mine) < len(lines):
            self._reached(day, len(lines) - len(mine)).left_out["other_host"] += len(lines) - len(mine)
        if not mine:
            return
        judged, unseen = self.judges.lines, self.judges.unseen
        pages = [
            judged[one.request, one.media, one.ahead] if one.status in SEEN else unseen(one.request) for one in mine
        ]
        _, _, _, referers, agents, addresses, *_ = zip(*mine, strict=True)
        self._add(day, pages, addresses, referers, agents)

    def _is_ours(self, host: bytes) -> bool:
        return plain_host(host) in self.hosts

    def _reached(self, day: date, lines: int) -> _Day:
        self.lines += lines
        at = self.days[day]
        at.is_read = True
        return at

    def _add(
        self,
        day: date,
        pages: Sequence[Verdict],
        addresses: Sequence[bytes],
        referers: Sequence[bytes],
        agents: Sequence[bytes],
    ) -> None:
        at = self._reached(day, len(pages))
        if self.mine and any(own := list(map(self.mine, addresses))):
            at.left_out["own_address"] += sum(own)
            others = [not one for one in own]
            pages, addresses = list(compress(pages, others)), list(compress(addresses, others))
            referers, agents = list(compress(referers, others)), list(compress(agents, others))
        at.judged.update(pages)
        shown = list(map(_shown, pages))
        if not any(shown):
            return
        pages, agents = list(compress(pages, shown)), list(compress(agents, shown))
        kinds = list(map(self.judges.kinds.__getitem__, agents))
        at.shown.update(zip(pages, kinds, strict=True))
        viewed = [kind == "person" and not page.reason for page, kind in zip(pages, kinds, strict=True)]
        at.people.update(zip(compress(compress(addresses, shown), viewed), compress(agents, viewed), strict=True))
        came = map(self.judges.came.__getitem__, compress(compress(referers, shown), viewed))
        at.origins.update([page.named or host for page, host in zip(compress(pages, viewed), came, strict=True)])

    def records(self, key_of: Callable[[date], bytes]) -> Iterator[Record]:
        """The records, in the order of days and names. A day with lines but no views says 0; it was read."""
        days = sorted(self.days.items())
        sums = [(day, _Sums(at)) for day, at in days]
        yield from (SiteViews(day, said.views.total(), feed_views=said.feeds) for day, said in sums if said.is_read)
        for day, said in sums:
            yield from (PageViews(day, path, number) for path, number in sorted(said.views.items()))
        for day, at in days:
            yield from (Referrer(day, *came, number) for came, number in sorted(at.origins.items()))
        for day, said in sums:
            yield from (NotCounted(day, reason, lines) for reason, lines in sorted(said.left_out.items()))
        for day, at in days:
            if at.people and (key := key_of(day)):
                yield Visitors(day, key, hashes(key, day, at.people))


class _Sums:
    """The numbers of a day."""

    def __init__(self, at: _Day) -> None:
        self.is_read, self.feeds, self.left_out = at.is_read, 0, at.left_out.copy()
        self.views: Counter[str] = Counter()
        for page, lines in at.judged.items():
            if not page.is_shown:
                self.left_out[page.reason] += lines
        for (page, kind), lines in at.shown.items():
            if page.reason:
                self.left_out[page.reason] += lines
                self.feeds += lines if kind != "bot" else 0
            elif kind != "person":
                self.left_out["bot"] += lines
            else:
                self.views[page.path] += lines
