"""What came back: bytes, the exchange they came in, and the ways in which nothing usable came."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.model.asked import LogCursor, LogGap, MailCursor


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


@dataclass(frozen=True, slots=True)
class Batch:
    """A bounded piece of a log: whole lines, the cursor they were read from and the one to move to."""

    capture: Capture
    before: LogCursor | None
    after: LogCursor
    gaps: tuple[LogGap, ...] = ()


@dataclass(frozen=True, slots=True)
class MailBatch:
    """A bounded number of mails of one folder, the cursor they were read from and the one to move to.

    Of each mail `place` says where it stands ("INBOX 1699/117": folder, UIDVALIDITY, UID); the body is its headers, and
    its text where that was wanted. It is never kept. Where the mailbox says when a mail came (IMAP's INTERNALDATE),
    `headers["received"]` holds it in ISO 8601, for mails without a date of their own. `skipped` counts what is in the
    folder and is no mail.
    """

    mails: tuple[Capture, ...]
    before: MailCursor | None
    after: MailCursor
    place: str = ""
    skipped: int = 0
