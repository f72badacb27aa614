"""A mail as bytes to what is looked at: its headers, who it says it is from, its text. Garbage gives less, no error.

Read by hand and not by the standard library's parser, which follows nested parts without end and raises on some broken
headers. Facts: RFC 5322, RFC 2045-2047.
"""

from __future__ import annotations

import binascii
import html
import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import islice

from monitor.model import Capture
from monitor.sources.charset import text_of

_MOST = 1 << 20  # bytes of a mail that are looked at
_MOST_HEADERS = 1 << 18
_MOST_VALUE = 1 << 14
_DEPTH = 8  # of parts within parts
_PARTS = 60
_TEXT = 1 << 18  # characters
_NO_SPACE = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\ufeff\uffa0"
_INVISIBLE = re.compile(f"[{_NO_SPACE}\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f]")
_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bqBQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t]+(?==\?[^?\s]{1,40}\?[bqBQ]\?)")
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')
_QUOTED_OR_ADDRESS = re.compile(r'"((?:\\.|[^"\\])*)"|<[^<>]*>')
_ADDRESS = re.compile(r"""[^\s<>,;:"'()\[\]\\]{1,128}@[^\s<>,;:"'()\[\]\\]{1,255}""")
_BOUNDARY = re.compile(r"""boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))""", re.I)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.I)
_HIDDEN = re.compile(r"<(/?)(?:style|script|head)\b[^<>]*>?", re.I)
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?t[rdh]|/?h\d|/?li|/?table)\b[^<>]*>", re.I)
_TAG = re.compile(r"<[^<>]*>")
_BAD_DATE = (TypeError, ValueError, IndexError, OverflowError, AttributeError)


@dataclass(frozen=True, slots=True)
class Letter:
    """What of a mail is looked at. `plain` is its text/plain, `html` its HTML as it came.

    `address` is empty where the mail does not say one sender and no other, `name` is the display name.
    """

    headers: Mapping[str, tuple[str, ...]]
    subject: str
    name: str
    address: str
    plain: str = ""
    html: str = ""

    @property
    def domain(self) -> str:
        """The domain of the sender's address, or of whatever the From header names last."""
        return self.address.rpartition("@")[2]

    @property
    def local(self) -> str:
        """What stands before the @."""
        return self.address.rpartition("@")[0]

    @property
    def text(self) -> str:
        """The text to look for words in: the plain one, else the HTML without its tags."""
        return self.plain or without_tags(self.html)

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a header, topmost first, decoded and on one line."""
        return self.headers.get(name, ())

    def first(self, name: str) -> str:
        """The topmost value of a header; empty where there is none."""
        return next(iter(self.all(name)), "")


def read(raw: bytes) -> Letter:
    """Read a mail, or its headers alone. Never raises."""
    head, body = _split(raw[:_MOST])
    headers = _headers(head)
    name, address = _sender([plain_value(value) for value in headers.get("from", ())])
    found = {"plain": "", "html": ""}
    for kind, text in _parts(headers, body):
        if len(found[kind]) < _TEXT:
            found[kind] = f"{found[kind]}\n{text[:_TEXT]}".strip()
    decoded = {key: tuple(clean(decode_words(value)) for value in values) for key, values in headers.items()}
    subject = next(iter(decoded.get("subject", ())), "")
    return Letter(decoded, subject, name, address, clean_lines(found["plain"]), found["html"])


def instant(letter: Letter, capture: Capture, now: datetime) -> datetime | None:
    """When a mail was sent (UTC): its Date; else when the mailbox took it; else its topmost Received.

    A date more than a day ahead of `now`, or before 1990, is not believed. None where none is left.
    """
    received = letter.first("received").rpartition(";")[2]
    for said in (letter.first("date"), capture.headers.get("received", ""), received):
        at = _instant(said)
        if at and datetime(1990, 1, 1, tzinfo=UTC) <= at <= now + timedelta(days=1):
            return at
    return None


def clean(text: str) -> str:
    """One line without invisible characters and with single blanks."""
    return " ".join(_INVISIBLE.sub("", text).split())


def clean_lines(text: str) -> str:
    """Each line cleaned; empty ones gone."""
    lines = (clean(line) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def plain_value(value: str) -> str:
    """A header's value on one line, not decoded."""
    return " ".join(value.split())


def decode_words(value: str) -> str:
    """Decode RFC 2047 words; what is broken stays as it stands."""
    if "=?" not in value:
        return value
    pieces: list[str] = []
    held: tuple[str, bytes] = ("", b"")
    end = 0
    value = _BETWEEN_WORDS.sub(r"\1", value)
    for match in _WORD.finditer(value):
        data = _word_bytes(match[2], match[3])
        charset = match[1].partition("*")[0].lower()
        if match.start() > end or charset != held[0]:
            pieces += [_decode(held[1], held[0]), value[end : match.start()]]
            held = ("", b"")
        if data is None:
            pieces += [_decode(held[1], held[0]), match[0]]
            held = ("", b"")
        else:
            held = (charset, held[1] + data)
        end = match.end()
    return "".join([*pieces, _decode(held[1], held[0]), value[end:]])


def without_tags(text: str) -> str:
    """The words of HTML, one block a line."""
    shown, at, hidden = [], 0, False
    for match in _HIDDEN.finditer(text):
        if not hidden:
            shown.append(text[at : match.start()])
        at, hidden = match.end(), not match[1]
    if not hidden:
        shown.append(text[at:])
    return clean_lines(html.unescape(_TAG.sub(" ", _BREAK.sub("\n", " ".join(shown)))))


def _word_bytes(way: str, text: str) -> bytes | None:
    try:
        if way in "bB":
            return binascii.a2b_base64(text + "=" * (-len(text) % 4))
        return quopri.decodestring(text.encode("utf-8", "replace"), header=True)
    except ValueError:
        return None


def _decode(data: bytes, charset: str) -> str:
    """Bytes as text, as those of a page: the charset said, where it is one of the web's and fits, else what fits."""
    return text_of(Capture(data, charset=charset))


def _split(raw: bytes) -> tuple[bytes, bytes]:
    """Headers and body: apart by the first empty line."""
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    match = re.search(rb"\r?\n\r?\n|\A\r?\n", raw)
    return (raw[: match.start()], raw[match.end() :]) if match else (raw, b"")


def _headers(head: bytes) -> dict[str, tuple[str, ...]]:
    """Header names in lower case to their values as they stand, unfolded."""
    found: dict[str, list[str]] = {}
    text = _decode(head[:_MOST_HEADERS], "")
    for line in re.sub(r"\r?\n(?=[ \t])", "", text).splitlines():
        name, colon, value = line.partition(":")
        if colon and re.fullmatch(r"[!-9;-~]{1,80}[ \t]*", name):
            found.setdefault(name.strip().lower(), []).append(value[:_MOST_VALUE].strip())
    return {name: tuple(values) for name, values in found.items()}


def _sender(values: list[str]) -> tuple[str, str]:
    """Display name and address of the From headers; two addresses are no one's."""
    text = " ".join(values)
    bare = _QUOTED.sub(" ", text)
    within = re.findall(r"<([^<>]*)>", bare)
    addresses = {a.casefold() for part in (within or [bare]) for a in _ADDRESS.findall(part)}
    name = _QUOTED_OR_ADDRESS.sub(lambda m: re.sub(r"\\(.)", r"\1", m[1] or " "), text)
    name = name if within else _ADDRESS.sub(" ", name)
    address = addresses.pop().rstrip(".") if len(addresses) == 1 and len(values) == 1 else ""
    return clean(decode_words(name)), address


def _parts(headers: Mapping[str, tuple[str, ...]], body: bytes) -> Iterator[tuple[str, str]]:
    """The text parts, outermost first; attachments are passed over."""
    todo = [(headers, body, 0)]
    left = _PARTS
    while todo and left:
        left -= 1
        about, data, depth = todo.pop(0)
        said = next(iter(about.get("content-type", ())), "text/plain")
        kind = said.partition(";")[0].strip().lower()
        if kind.startswith("multipart/"):
            boundary = _BOUNDARY.search(said)
            if boundary and depth < _DEPTH:
                pieces = _pieces(data, (boundary[1] or boundary[2]).encode("utf-8", "replace"))
                todo = [(_headers(head), rest, depth + 1) for head, rest in pieces] + todo
        elif kind in ("text/plain", "text/html", "text", "") and not _attached(about):
            charset = _CHARSET.search(said)
            text = _decode(_transferred(about, data), charset[1] if charset else "")
            yield ("html" if kind == "text/html" else "plain"), text


def _pieces(data: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes]]:
    pattern = re.compile(rb"(?:\A|\n)--" + re.escape(boundary) + rb"(--)?[ \t]*\r?(?=\n|\Z)")
    marks = list(islice(pattern.finditer(data), _PARTS + 1))
    for n, mark in enumerate(marks):
        if mark[1]:
            return
        end = marks[n + 1].start() if n + 1 < len(marks) else len(data)
        piece = data[mark.end() + 1 : end]
        yield _split(piece) if not piece.startswith((b"\n", b"\r\n")) else (b"", piece)


def _attached(headers: Mapping[str, tuple[str, ...]]) -> bool:
    return next(iter(headers.get("content-disposition", ())), "").lower().startswith("attachment")


def _transferred(headers: Mapping[str, tuple[str, ...]], data: bytes) -> bytes:
    way = next(iter(headers.get("content-transfer-encoding", ())), "").strip().lower()
    if way == "quoted-printable":
        return quopri.decodestring(data)
    if way == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        return binascii.a2b_base64(letters[: len(letters) // 4 * 4] + _tail(letters))
    return data


def _tail(letters: bytes) -> bytes:
    """The last base64 group filled up; of a cut mail it may be too short to mean anything."""
    rest = letters[len(letters) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _instant(said: str) -> datetime | None:
    said = said.strip()
    for read_date in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = read_date(said)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except _BAD_DATE:
            continue
    return None
