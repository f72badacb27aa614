"""What was read: the typed union of records that a source may give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from monitor.model.words import Kind


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
    value: int | float | None
    state: Literal["read", "missing", "hidden", "gone"] = "read"
    precision: Literal["exact", "rounded", "at_least", "at_most"] = "exact"
    definition: str = ""
    overlap: Literal["newest", "max"] = "newest"

    def __post_init__(self) -> None:
        if (self.value is None) == (self.state == "read"):
            raise ValueError(f"{self.profile} {self.metric}: a value goes with state 'read' and only with it")


@dataclass(frozen=True, slots=True)
class Contact:
    """One inbound approach: when, what kind, where it came from, and why it is taken for one.

    Who it was is told by keyed hashes alone (`Context.hashed`): `sender_key` of the address, or of the name on a
    network, so that a mail of LinkedIn and a line of its export meet; `message_key` of what tells this message from all
    others, by which nothing counts twice. Never a name, a subject, a text or a link.

    `verdict` is `contact`, or `unsure` where the signs are too few: stored, and not counted until the owner says so.
    """

    at: datetime | None
    day: date
    kind: str
    origin: str
    note: str = ""
    sender_domain: str = ""
    sender_key: str | None = None
    message_key: str | None = None
    verdict: Literal["contact", "unsure"] = "contact"
    trust: Literal["verified", "unverified", "export", "typed"] = "typed"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MailSeen:
    """One mail that was looked at, and what became of it: never who sent it, never what it says.

    `own` mails are the owner's: an answer to one is no contact that came by itself. `unknown` claims to be of a network
    and is of a kind not known: told with its count, never dropped.
    """

    message_key: str
    day: date
    place: str
    verdict: Literal["contact", "unsure", "number", "ignored", "own", "unknown", "untrusted"]
    reason: str


@dataclass(frozen=True, slots=True)
class ExposureCheck:
    """One look at a page for one of the owner's identifiers, which is told by its keyed hash alone.

    `place` is where it stood (text, link, source, a page of a PDF); `reason` why the page could not be read, or how it
    is gone. `sha256` is of the bytes, which are not kept; None where none came. `not_found` is said only of a page
    that was truly read.
    """

    identifier: str
    url: str
    verdict: Literal["found", "not_found", "page_gone", "could_not_read"]
    reason: str = ""
    place: str = ""
    sha256: str | None = None


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


Record = (
    Result
    | PageViews
    | SiteViews
    | Visitors
    | Referrer
    | NotCounted
    | Count
    | Contact
    | MailSeen
    | Shown
    | ExposureCheck
)
