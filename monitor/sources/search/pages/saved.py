"""What a browser, an archiver or a capture wrote around a page: where it came from and when it was saved.

Chrome and its kin write `<!-- saved from url=(0034)https://… -->`, or one MHTML archive with the address and the date
in its head; SingleFile and WebScrapBook write both into the HTML; a capture of an answer may begin with its headers.
Firefox writes nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from monitor import urls

_SAVED_FROM = re.compile(r"<!--\s*saved from url=\((\d{4})\)(\S{1,4000})", re.I)
_SINGLE_FILE = re.compile(r"Page saved with SingleFile\s+url:\s*(\S{1,4000})\s+saved date:\s*([^\n(]{10,60})")
_SCRAPBOOK = re.compile(r'data-scrapbook-source="([^"]{1,4000})"[^>]{0,4000}?data-scrapbook-create="(\d{14})\d{3}"')
_HEADERS = re.compile(rb"HTTP/[\d.]+ \d{3}[^\n]{0,200}\n((?:[\w-]{1,100}:[^\n]{0,8000}\n){1,200})\r?\n", re.I)
_ARCHIVE = re.compile(rb"(?:From|Snapshot-Content-Location|MIME-Version):", re.I)
_HEAD = 10_000


class Origin(NamedTuple):
    """Where the page came from and when it was saved (UTC), as far as the file says so."""

    url: str = ""
    at: datetime | None = None


def opened(body: bytes) -> tuple[bytes, Origin]:
    """The page itself, taken out of what it was saved in."""
    if found := _HEADERS.match(body):
        return body[found.end() :], Origin("", _date(message_from_bytes(found[1])))
    if _ARCHIVE.match(body) and b"multipart/related" in body[:_HEAD].lower():
        archive = message_from_bytes(body)
        url = str(archive.get("Snapshot-Content-Location", "")).strip()
        for part in archive.walk():
            page = part.get_payload(decode=True) if part.get_content_type() == "text/html" else None
            if isinstance(page, bytes):
                return page, Origin(url if urls.is_link(url) else "", _date(archive))
    return body, Origin()


def told(text: str) -> Origin:
    """What the program that saved the page wrote into its beginning."""
    head = text[:_HEAD]
    if found := _SINGLE_FILE.search(head):
        return Origin(_link(found[1]), _written(found[2].strip(), "%a %b %d %Y %H:%M:%S GMT%z"))
    if found := _SCRAPBOOK.search(head):
        return Origin(_link(found[1]), _written(f"{found[2]}+0000", "%Y%m%d%H%M%S%z"))
    if found := _SAVED_FROM.search(head):
        return Origin(_link(found[2][: int(found[1])]))
    return Origin()


def instant(seconds: float) -> datetime | None:
    """An instant from Unix seconds; None for what is no time of a results page (before 2000, after 2099)."""
    return datetime.fromtimestamp(seconds, UTC) if 946_684_800 <= seconds < 4_102_444_800 else None


def _link(url: str) -> str:
    plain = url.replace("&amp;", "&")
    return plain if urls.is_link(plain) else ""


def _written(text: str, form: str) -> datetime | None:
    """A time as an archiver wrote it; every form ends with its distance from UTC (%z)."""
    try:
        return instant(datetime.strptime(text, form).timestamp())  # noqa: DTZ007
    except (ValueError, OverflowError):
        return None


def _date(headers: Message) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(headers.get("Date", "")))
        return instant((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
