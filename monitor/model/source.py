"""The source contract: what a kind of source is, what it is given and what it gives; and the reading made of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from typing import ClassVar, Protocol, Self, TypeVar

from monitor.model.answers import Batch, Capture, Exchange, MailBatch
from monitor.model.asked import Http, LogCursor, MailCursor, Request
from monitor.model.records import Record
from monitor.model.words import Measure, Outcome, Trigger


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one capture says.

    `none` is the page's own word that there is nothing; a parse with neither records nor `none` is a page we do not
    know. `next` is a further page to ask for. `altered` is the query the engine answered instead of ours.
    `increments` marks records that add to what stands (a log read in pieces) instead of replacing it.

    `doubt` is a reason (reasons.py) for which this is not to be taken for an answer, `note` its detail: nothing was
    given and nothing said (`empty_unverified`), or whom we asked passes on a fault behind it (`server_error`).
    """

    records: tuple[Record, ...] = ()
    none: bool = False
    next: Http | None = None
    altered: str = ""
    increments: bool = False
    doubt: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One attempt at one (source, slot), whole, as it will be stored."""

    slot: datetime
    day: date
    trigger: Trigger
    started_at: datetime
    finished_at: datetime
    outcome: Outcome
    reason: str = ""
    advice: str = ""
    parser: int = 0
    depth: int | None = None
    exchanges: tuple[Exchange, ...] = ()
    records: tuple[Record, ...] = ()
    increments: bool = False
    rule: str = ""
    batch: Batch | None = None
    mail: MailBatch | None = None
    reread_of: int | None = None
    note: str = ""


def no_key(day: date) -> bytes:
    """Where no key is given, no visitor is counted."""
    return b""


def no_hash(text: str) -> str:
    """Where no key is given, nobody is hashed: what needs it must be given it."""
    raise RuntimeError("no local key was given to hash by")


def no_mail_of_ours(message_key: str) -> bool:
    """Where no mailbox is read, no mail is known to be the owner's."""
    return False


@dataclass(frozen=True, slots=True)
class Series:
    """What defines a source's series. A change of any of it retires the old source and begins a new one."""

    engine: str = ""
    provider: str = ""
    query: str = ""
    locale: str = ""
    device: str = ""
    day_zone: str = "owner"  # "owner", "log", or an IANA name
    subject: str = ""  # a site, a user, a repository


@dataclass(frozen=True, slots=True)
class Context:
    """What a source may know of the world when it asks and parses: given, never looked up.

    `covered` are the first and the last day whose page views are already stored for this source; `earlier` are the
    answers that this very reading already has, in the order asked. `visitor_key` gives the random key by which the
    visitors of a day are hashed; an empty one where they are not to be counted.

    `hashed` turns who someone is into a hash by this machine's own key. `corrections` is what the owner said of
    senders: their `sender_key`, or "domain:example.org", to a kind of contact or "none". `own_mail` tells whether a
    `message_key` is that of a mail the owner wrote. `zone` is the zone that the source's days are counted in.
    """

    now: datetime
    day: date
    page: int = 1
    cursors: tuple[LogCursor, ...] = ()
    covered: tuple[date, date] | None = None
    earlier: tuple[Capture, ...] = ()
    visitor_key: Callable[[date], bytes] = no_key
    mail_cursors: tuple[MailCursor, ...] = ()
    hashed: Callable[[str], str] = no_hash
    corrections: Mapping[str, str] = field(default_factory=dict)
    own_mail: Callable[[str], bool] = no_mail_of_ours
    zone: tzinfo = UTC


class Source(Protocol):
    """A kind of source: a frozen dataclass whose fields are its config keys and whose docstring is its page in docs.

    `requests` says what to ask, `parse` reads one answer. Both are pure. `parse` raises only `Blocked` or
    `LayoutChanged`; anything else is a bug, recorded as `changed/parser_error` with its traceback.
    """

    measure: ClassVar[Measure]
    kind: ClassVar[str]
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    keep: ClassVar[bool] = True
    history: ClassVar[bool] = False
    reads_status: ClassVar[frozenset[int]] = frozenset()
    kept: ClassVar[str] = ""  # who keeps what for a while only ("GitHub keeps traffic"), where a lapse loses days
    kept_days: ClassVar[int] = 0  # for how many days

    def split(self) -> Iterable[tuple[str, Self]]:
        """The sources this config block makes, each with the slug that ends its name."""
        yield "", self

    @property
    def rule(self) -> str:
        """The version of the rule by which views are counted, as set; empty where none are."""
        return ""

    def series(self) -> Series:
        """What defines the series of numbers."""
        ...

    def requests(self, ctx: Context) -> Iterable[Request]:
        """What to ask, in order."""
        ...

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer."""
        ...


S = TypeVar("S", bound=Source)


def slug(text: str) -> str:
    """A short name for a query, user or site: lower case, words joined by hyphens.

    >>> slug("David Klemke"), slug("simonw/sqlite-utils")
    ('david-klemke', 'simonw-sqlite-utils')
    """
    return re.sub(r"[^\w.]+", "-", text.casefold()).strip("-.") or "x"


def each(source: S, name: str) -> Iterable[tuple[str, S]]:
    """One source per value of a list field: `queries = ["a", "b"]` makes two, each with a list of one."""
    for value in getattr(source, name):
        yield slug(value), replace(source, **{name: (value,)})  # type: ignore[type-var]
