"""The kept bytes of an answer, shown so that they can do nothing: no script, no request, no form, no way out.

They stand in `<stem>-captures.db` beside the history, which is opened for reading anew at each request.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

from datasette.utils.asgi import Response
from lxml import etree  # type: ignore[import-untyped]

from monitor import urls
from monitor.model import Capture
from monitor.sources.charset import text_of
from monitor.web.inert import Mark, inert
from monitor.web.pages import Asked

POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
# A browser refuses a sandboxed page that also asks for a context of its own (HTML standard, 7.1.3): hence the opener.
HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-security-policy": POLICY,
        "x-frame-options": "SAMEORIGIN",
        "cross-origin-opener-policy": "unsafe-none",
        "x-dns-prefetch-control": "off",
    }
)
HTML = ("text/html", "application/xhtml+xml")
SECONDS = 2.0  # that a writer may hold the file
_TEXT = re.compile(r"text/|application/(?:.*\+)?(?:json|xml|javascript|yaml|csv|x-ndjson)$|image/svg\+xml$")
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([\w.:-]+)", re.I)
_ENDINGS = {"application/pdf": "pdf", "application/zip": "zip", "application/gzip": "gz"}


class Lost(Exception):
    """The kept bytes cannot be shown; the sentence says why."""


def captures_of(database: Any) -> Path:
    """The file of the kept pages beside a database that is served. Raises Lost when that has no file."""
    if not database.path:
        raise Lost("This history is not served from a file, so no kept page can be found beside it.")
    path = Path(database.path)
    return path.with_name(f"{path.stem}-captures.db")


def _opened(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise Lost(f"The kept pages are not there: {path.name} is missing beside the history.")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=SECONDS)


def present(path: Path, ids: list[str]) -> set[str]:
    """Which of these captures are there. Raises Lost when the file cannot be read."""
    try:
        with closing(_opened(path)) as db:
            rows = db.execute("select id from bodies where id in (select value from json_each(?))", (json.dumps(ids),))
            return {row[0] for row in rows}
    except sqlite3.Error as error:
        raise Lost(f"{path.name} could not be read: {error}.") from error


def body_of(path: Path, capture: Mapping[str, Any]) -> bytes:
    """The bytes of a capture, as they came. Raises Lost when they are gone, damaged or cannot be read."""
    try:
        with closing(_opened(path)) as db:
            row = db.execute("select body from bodies where id = ?", (capture["id"],)).fetchone()
    except sqlite3.Error as error:
        raise Lost(f"{path.name} could not be read: {error}.") from error
    if row is None:
        raise Lost(gone(capture["pruned_at"]))
    try:
        unpacker = zlib.decompressobj()
        body = unpacker.decompress(row[0], capture["size"] + 1)
    except (zlib.error, TypeError) as error:
        raise Lost(f"The kept bytes are damaged: {error}. The numbers read from them stand.") from error
    if hashlib.sha256(body).hexdigest() != capture["id"]:
        raise Lost("The kept bytes are damaged: they are not the ones that came. The numbers read from them stand.")
    return body


def gone(pruned_at: str | None) -> str:
    """Why there are no bytes for a capture that is known."""
    if pruned_at:
        return f"This page was let go on {pruned_at[:10]}, as keep_captures says. The numbers read from it stand."
    return "These bytes are not among the kept pages. The numbers read from them stand."


async def page(asked: Asked) -> Response | None:
    """A kept capture: HTML as an inert copy, with `?reading=ID` its results marked; `?raw` the bytes as plain text."""
    found = await asked.rows("select * from captures where id = :id", id=asked.args["id"])
    if not found:
        return None
    capture = found[0]
    try:
        body = await asyncio.to_thread(body_of, captures_of(asked.database), capture)
    except Lost as lost:
        return _plain(str(lost).encode(), "utf-8", 410 if capture["pruned_at"] else 404)
    reading = asked.args.get("reading", "")
    where = await asked.rows(
        "select * from exchanges where capture_id = :id and (:reading is null or reading_id = :reading)"
        " order by reading_id, n limit 1",
        id=capture["id"],
        reading=int(reading) if reading.isdecimal() and len(reading) < 13 else None,
    )
    kept = _as_capture(body, capture["media_type"], where[0] if where else {})
    if "raw" in asked.args or kept.media_type not in HTML:
        return await asyncio.to_thread(_source, kept)
    marks = await _marks(asked, where[0]["reading_id"]) if reading and where else {}
    return await asyncio.to_thread(_shown, kept, marks)


def _as_capture(body: bytes, media_type: str, exchange: Mapping[str, Any]) -> Capture:
    headers = {str(k).lower(): str(v) for k, v in json.loads(exchange.get("headers") or "{}").items()}
    charset = _CHARSET.search(headers.get("content-type", ""))
    said = media_type.partition(";")[0].strip().lower()
    return Capture(body, said, charset[1] if charset else "", url=exchange.get("final_url") or "")


async def _marks(asked: Asked, reading_id: int) -> dict[str, Mark]:
    rows = await asked.rows(
        "select r.position, r.kind, coalesce(u.whose, 'other') as whose, u.url from results r"
        " join urls u on u.id = r.url_id where r.reading_id = :id order by r.position is null, r.position, r.block",
        id=reading_id,
    )
    marks: dict[str, Mark] = {}
    for row in rows:
        place = row["position"] or row["kind"].replace("_", " ")
        whose = "" if row["whose"] == "other" else f" {row['whose'].replace('_', ' ')}"
        marks.setdefault(urls.canonical(row["url"]), Mark(f"{place}{whose}", row["whose"]))
    return marks


def _shown(kept: Capture, marks: Mapping[str, Mark]) -> Response:
    try:
        shown = inert(text_of(kept), kept.url, marks)
    except (ValueError, etree.LxmlError):  # a page that no tree can be made of: its source, then
        return _source(kept)
    return Response(shown, headers=dict(HEADERS), content_type="text/html; charset=utf-8")


def _source(kept: Capture) -> Response:
    """The bytes as they came: text as plain text, anything else only to be saved."""
    if kept.media_type in HTML or _TEXT.match(kept.media_type) or not kept.media_type:
        return _plain(kept.body, _charset(kept))
    name = f"capture-{kept.id[:12]}.{_ENDINGS.get(kept.media_type, 'bin')}"
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}"'}
    return Response(kept.body, headers=headers, content_type="application/octet-stream")


def _charset(kept: Capture) -> str:
    """The charset in which the bytes give the text that the parsers saw."""
    text = text_of(kept)
    for name in ("utf-8", "cp1252", kept.charset):
        try:
            if kept.body.decode(name, "replace") in (text, f"\ufeff{text}"):
                return "windows-1252" if name == "cp1252" else name
        except LookupError:
            continue
    return "utf-8"


def _plain(body: bytes, charset: str, status: int = 200) -> Response:
    return Response(body, status=status, headers=dict(HEADERS), content_type=f"text/plain; charset={charset}")
