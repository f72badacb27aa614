"""Saying whose a page is, from the page: the one place of the web that writes, and it writes through the store.

It is the same short write as that of `monitor label`, under the same lock, in a thread. Who may: whoever sits at a
local page, and the owner behind a password (`modes.may_label`). A form on any other site is refused by what the
browser says of where it came from, and by Datasette's own token (0.65) or header check (1.0) besides.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from datasette.utils.asgi import Forbidden, Response
from markupsafe import Markup

from monitor import labels
from monitor.store.trouble import StoreError
from monitor.web import words
from monitor.web.modes import may_label
from monitor.web.pages import Asked
from monitor.web.rows import Row

LOCK_SECONDS = 5.0  # a reader waits for the page: far less than a command would
LONGEST = 2000
WHOSE = (
    ("mine", "mine"),
    ("about_me", "about me, on another's page"),
    ("namesake", "a namesake's"),
    ("unwanted", "unwanted"),
    ("other", "another's"),
    ("none", "no label: take back what was said of this pattern"),
)
"""The words of `monitor label`, and what each means."""
PLUGIN = "presence_monitor"
HOST_ONLY = "host:"  # how store writes a result of which only the host is known


@dataclass(frozen=True, slots=True)
class Choice:
    """A page on page one that can be labelled."""

    url_id: int
    said: str


def choices(page_one: Iterable[Row]) -> tuple[Choice, ...]:
    """The pages on page one of any engine, each once, in the order in which they stand."""
    found: dict[int, Choice] = {}
    for row in page_one:
        if row["url_id"] and row["url_id"] not in found:
            whose = "" if row["whose"] == "other" else f" ({row['whose'].replace('_', ' ')})"
            place = f"{words.name(row['engine'])} {row['position']}"
            text = f"{row['host']}: {row['title']}" if row["title"] else row["url"]
            found[row["url_id"]] = Choice(row["url_id"], f"{place}, {text[:90]}{whose}")
    return tuple(found.values())


def cell(datasette: Any, database: str, whose: str, href: str) -> Callable[[], Awaitable[Markup | None]]:
    """A page's `whose` on its row, with the way to the form."""
    from monitor.web.reads import is_ours

    async def link() -> Markup | None:
        if not await is_ours(datasette.get_database(database)):
            return None
        return Markup('{} <a href="{}">change</a>').format(whose, href)

    return link


async def page(asked: Asked) -> dict[str, Any] | Response | None:
    """The form (GET), or what it sends (POST). Raises Forbidden where this reader may not label."""
    if not may_label(asked.datasette.plugin_config(PLUGIN) or {}, asked.request.actor):
        raise Forbidden("Pages are labelled here on a page of `monitor run` only; elsewhere: monitor label")
    if asked.request.method != "POST":
        return await _form(asked, asked.args)
    if not same_origin(asked.request.headers):
        raise Forbidden(
            "This form was not sent from a page of Monitor, as far as the browser says. Open it at 127.0.0.1 or over"
            " https and try again, or use: monitor label"
        )
    sent = await asked.request.post_vars()
    said, wrong = await _label(asked, sent.get("pattern", "").strip(), sent.get("whose", ""))
    if wrong:
        again = {key: sent[key] for key in ("url", "pattern", "whose") if key in sent}
        return {**(await _form(asked, again) or _empty(again)), "wrong": wrong}
    asked.datasette.add_message(asked.request, said, asked.datasette.INFO)
    return Response.redirect(str(asked.datasette.urls.instance()), status=303)


def same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a form was sent from one of our own pages, by the headers that no page can set.

    `Sec-Fetch-Site` where the browser sends it (https and loopback), else `Origin` against `Host`. A browser that says
    neither is not believed. (`Referrer-Policy: no-referrer` makes Origin "null", so the first is what mostly speaks.)
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return origin.scheme in ("http", "https") and bool(origin.netloc) and origin.netloc == headers.get("host")


async def _form(asked: Asked, said: Mapping[str, str]) -> dict[str, Any] | None:
    """What the form shows: the page and the pattern that would speak for it; None for an unknown page."""
    row: Mapping[str, Any] | None = None
    if said.get("url"):
        number = said["url"]
        known = re.fullmatch(r"[0-9]{1,12}", number)
        found = await asked.rows(FOUND, id=int(number)) if known else []
        if not found:
            return None
        row = found[0]
    of_host = row["url"].removeprefix(HOST_ONLY) if row else ""
    suggested = labels.suggest(row["url"]) or labels.web_url(row["url"]) or _host(of_host) if row else ""
    return {
        **_empty(said),
        "row": row,
        "href": labels.web_url(row["url"]) if row else None,
        "pattern": said.get("pattern", suggested),
    }


def _host(known: str) -> str:
    """A host of which nothing else is known, as a pattern; "" where it is none."""
    return labels.suggest(f"https://{known}/") or ""


FOUND = """
select u.id, u.url, u.host, u.whose, l.pattern, l.origin
from urls u left join labels l on l.id = u.label_id where u.id = :id
"""


def _empty(said: Mapping[str, str]) -> dict[str, Any]:
    chosen = said.get("whose", "")
    return {
        "title": "Whose is this page?",
        "here": "label",
        "row": None,
        "href": None,
        "pattern": said.get("pattern", ""),
        "words": WHOSE,
        "chosen": chosen if chosen in dict(WHOSE) else "",
        "wrong": "",
    }


async def _label(asked: Asked, pattern: str, whose: str) -> tuple[str, str]:
    """What was changed, in a sentence, or why it was not."""
    if whose not in dict(WHOSE):
        return "", "Say whose it is: choose one of the words below."
    if len(pattern) > LONGEST:
        return "", "That pattern is too long to be an address."
    try:
        changed = await asyncio.to_thread(write, Path(asked.database.path), pattern, whose)
    except (ValueError, StoreError) as error:
        return "", str(error)
    done = "has no label of yours any more" if whose == "none" else f"is labelled {whose.replace('_', ' ')}"
    pages = "1 known page" if changed == 1 else f"{changed:,} known pages"
    return f"{pattern} {done}; {pages} changed hands, in all of the past.", ""


def write(database: Path, pattern: str, whose: str) -> int:
    """Store the label; returns how many known pages changed hands. Raises ValueError, StoreError."""
    from monitor.store import sources
    from monitor.store.connection import Store
    from monitor.times import utc_now

    labels.read_pattern(pattern)  # before the file is touched for nothing
    with Store(database, lock_seconds=LOCK_SECONDS) as store:
        return sources.relabel(store, pattern, whose, utc_now())
