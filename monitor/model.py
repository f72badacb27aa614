"""The vocabulary: what is asked, what came back, what was read from it.

Every word here is one of the design's glossary (docs/design.md, section 2). This module imports nothing of ours and
does nothing: it is what all the others agree on. All instants are aware UTC datetimes; a `day` is a local calendar day.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Literal, Protocol, Self, TypeVar

NOTHING: Mapping[str, str] = MappingProxyType({})


class Measure(StrEnum):
    """What is measured: the config section, and for `typed` the owner's own hand."""

    SEARCH = "search"
    PAGE_VIEWS = "page_views"
    PROFILE = "profile"
    CONTACTS = "contacts"
    TYPED = "typed"


class Outcome(StrEnum):
    """How an attempt ended. Only `ok` and `empty` may draw a point; all else is a gap, never a fall."""

    OK = "ok"
    EMPTY = "empty"
    SUSPECT = "suspect"
    BLOCKED = "blocked"
    CHANGED = "changed"
    FAILED = "failed"
    MISSED = "missed"


class Trigger(StrEnum):
    """What made a reading happen."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    IMPORT = "import"
    TYPED = "typed"
    REREAD = "reread"


class Kind(StrEnum):
    """What a block of a results page is. Only `organic` takes a position."""

    ORGANIC = "organic"
    SITELINK = "sitelink"
    AD = "ad"
    NEWS = "news"
    VIDEO = "video"
    IMAGE = "image"
    ANSWER = "answer"
    PEOPLE_ALSO_ASK = "people_also_ask"
    KNOWLEDGE = "knowledge"
    LOCAL = "local"
    OTHER = "other"


# --- what is asked -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by name only: an environment variable, or a file (mode 0600) beside the config. Never its value."""

    env: str = ""
    file: str = ""
    prefix: str = ""  # put before the value when it is sent: "Bearer "
    exchange: str = ""  # "google": the file is a Google key, changed for a bearer token first

    def __post_init__(self) -> None:
        if bool(self.env) == bool(self.file):
            raise ValueError('a secret is { env = "NAME" } or { file = "path" }, one of the two')

    def __str__(self) -> str:
        return f"environment variable {self.env}" if self.env else f"file {self.file}"


Value = str | Secret
Pairs = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Http:
    """One page to ask for: GET, or POST when there is a form or the text of a JSON body (one of the two).

    Secrets in it are names, resolved only by the shell; a JSON body never holds one, for it is shown as it was sent.
    """

    url: str
    params: Pairs = ()
    headers: Pairs = ()
    form: Pairs | None = None
    json: str | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """Log files to read on from where each was left: a glob (relative to the config's folder) and the cursors.

    `whole` is for one small file that is written anew (an export): it is read from its beginning each time, and no
    cursor is kept.
    """

    pattern: str
    cursors: tuple[LogCursor, ...] = ()
    whole: bool = False


Request = Http | Files


@dataclass(frozen=True, slots=True)
class LogCursor:
    """How far one log file has been read, known by its content and not by its name.

    `head_hash` is over the first `head_len` consumed bytes (at most 1024), `tail_hash` over the last 256 bytes before
    `offset`; all three count decompressed bytes. `id` is the row in `log_files`, None before it is stored.
    """

    name: str
    dev: int
    ino: int
    size: int
    mtime_ns: int
    offset: int = 0
    head_len: int = 0
    head_hash: str = ""
    tail_hash: str = ""
    done: bool = False
    id: int | None = None


@dataclass(frozen=True, slots=True)
class LogGap:
    """A log that vanished before it was read to its end: said, never guessed."""

    name: str
    offset: int
    cursor_id: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A bounded piece of a log: whole lines, the cursor they were read from and the one to move to."""

    capture: Capture
    before: LogCursor | None
    after: LogCursor
    gaps: tuple[LogGap, ...] = ()


# --- what came back ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Capture:
    """The bytes that came back, and what is needed to read them again years later.

    `asked` is the URL as asked, secrets taken out; `url` where the answer came from after redirects; `place` says
    where the bytes stand when they are not kept ("access.log 0-5120"); `head` is the beginning of the file that a piece
    of a log was read from, where its header may stand.
    """

    body: bytes
    media_type: str = ""
    charset: str = ""
    status: int = 200
    asked: str = ""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    head: bytes = b""

    @property
    def id(self) -> str:
        """The SHA-256 of the bytes, in hex: equal bytes are one capture."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer inside a reading; `capture` is None when no usable answer came."""

    n: int
    asked: str
    ms: int
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    capture: Capture | None = None


class FetchFailed(Exception):
    """No usable answer (outcome `failed`): the reason code and what was seen."""

    def __init__(self, reason: str, detail: str = "", exchange: Exchange | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail, self.exchange = reason, detail, exchange


class NotAsked(Exception):
    """The question could not be put (outcome `missed`): the reason code, and when it may be put again."""

    def __init__(self, reason: str, detail: str = "", until: datetime | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail, self.until = reason, detail, until


class Blocked(Exception):
    """A parser saw a refusal (outcome `blocked`): captcha, challenge, consent, denied, login_wall, rate_limited."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


class LayoutChanged(Exception):
    """A parser met a page it does not know (outcome `changed`): layout_unknown or js_required."""

    def __init__(self, reason: str = "layout_unknown", detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


# --- what was read -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """A line of a results page. Positions are 1-based and relative to this page; only organic results have one."""

    url: str
    title: str = ""
    snippet: str = ""
    shown_host: str = ""
    kind: Kind = Kind.ORGANIC
    position: int | None = None
    position_absolute: int | None = None
    block: int = 0
    sub_index: int = 0
    match_precision: Literal["exact", "host"] = "exact"


@dataclass(frozen=True, slots=True)
class PageViews:
    """Views of one path on one day."""

    day: date
    path: str
    views: int
    visitors: int | None = None


@dataclass(frozen=True, slots=True)
class SiteViews:
    """Views of a whole site on one day, as counted (not a sum of rows that may be missing)."""

    day: date
    views: int
    visitors: int | None = None
    feed_views: int | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Visitors:
    """The visitors that a piece of a log shows on one day, as keyed hashes; `hashes` is None where none can be told.

    Whom a hash stands for is known to nobody once its key is forgotten. Never a person's address.
    """

    day: date
    key: bytes
    hashes: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Referrer:
    """Views that came from one host on one day; medium is search, social, ai, mail, direct, internal or other."""

    day: date
    referrer: str
    medium: str
    views: int


@dataclass(frozen=True, slots=True)
class NotCounted:
    """Log lines of one day that are no page views, and why."""

    day: date
    reason: str
    lines: int


@dataclass(frozen=True, slots=True)
class Count:
    """A number about a profile. `value` is None exactly when `state` is not `read`: unknown is not zero.

    `overlap` says which number stands when the same day is read again: the newest, or the largest (for windows whose
    edges shrink, as GitHub traffic's do).
    """

    profile: str
    metric: str
    window: str
    day: date
    value: int | None
    state: Literal["read", "missing", "hidden", "gone"] = "read"
    precision: Literal["exact", "rounded", "at_least"] = "exact"
    definition: str = ""
    overlap: Literal["newest", "max"] = "newest"

    def __post_init__(self) -> None:
        if (self.value is None) == (self.state == "read"):
            raise ValueError(f"{self.profile} {self.metric}: a value goes with state 'read' and only with it")


@dataclass(frozen=True, slots=True)
class Contact:
    """One inbound approach: when, what kind, where it came from."""

    at: datetime | None
    day: date
    kind: str
    origin: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What an engine's own console says it showed on one day: a series of its own, never merged with a measured rank.

    `position` is the console's mean over impressions; `final` is False while the engine may still change the row.
    """

    day: date
    query: str
    page: str
    clicks: int
    impressions: int
    position: float | None
    final: bool = True


Record = Result | PageViews | SiteViews | Visitors | Referrer | NotCounted | Count | Contact | Shown


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
    reread_of: int | None = None
    note: str = ""


# --- the source contract -------------------------------------------------------------------------------------------


def no_key(day: date) -> bytes:
    """Where no key is given, no visitor is counted."""
    return b""


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
    """

    now: datetime
    day: date
    page: int = 1
    cursors: tuple[LogCursor, ...] = ()
    covered: tuple[date, date] | None = None
    earlier: tuple[Capture, ...] = ()
    visitor_key: Callable[[date], bytes] = no_key


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
