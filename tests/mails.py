"""A small source of contacts by mail, mails of invented people, and mailboxes of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from monitor.model import (
    Capture,
    Contact,
    Context,
    Mail,
    MailBatch,
    MailSeen,
    Measure,
    Parsed,
    Secret,
    Series,
    Source,
)

BODY = "a-word-of-the-body"
SUBJECT = "a-word-of-the-subject"


@dataclass(frozen=True)
class Post(Source):
    """Every mail not of ada@example.org is a contact; text is wanted of those with a header X-Text."""

    measure: ClassVar[Measure] = Measure.CONTACTS
    kind: ClassVar[str] = "post"
    every: ClassVar[str] = "6h"
    keep: ClassVar[bool] = False
    history: ClassVar[bool] = True
    way: Literal["imap", "mbox", "maildir"] = "imap"
    folders: tuple[str, ...] = ()
    host: str = ""
    port: int = 993
    tls: Literal["tls", "starttls", "none"] = "tls"
    user: str = "ada"
    key: Secret | None = None
    oauth: bool = False
    since: date | None = None

    def series(self) -> Series:
        return Series(subject=f"{self.user}@{self.host}")

    def requests(self, ctx: Context) -> Iterable[Mail]:
        yield Mail(
            way=self.way,
            folders=self.folders,
            host=self.host,
            port=self.port,
            tls=self.tls,
            user=self.user,
            key=self.key,
            oauth=self.oauth,
            since=self.since,
            wants=lambda headers: b"\nX-Text:" in headers,
            cursors=ctx.mail_cursors,
        )

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        text = capture.body.decode("utf-8", "replace")
        if "X-Bug:" in text:
            raise ValueError(text)
        key = ctx.hashed(_header(text, "Message-ID"))
        sender = _header(text, "From")
        if "ada@example.org" in sender:
            return Parsed((MailSeen(key, ctx.day, capture.place, "own", "own"),))
        if ctx.own_mail(ctx.hashed(_header(text, "In-Reply-To"))):
            return Parsed((MailSeen(key, ctx.day, capture.place, "ignored", "answer"),))
        reason = "text" if BODY in text else "headers"
        return Parsed(
            (
                MailSeen(key, ctx.day, capture.place, "contact", reason),
                Contact(
                    None, ctx.day, "mail", "unknown", sender_key=ctx.hashed(sender), message_key=key, reason=reason
                ),
            )
        )


def _header(text: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*?)\r?$", text, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def mail(n: int | str, sender: str = "grace@example.net", extra: str = "", body: str = BODY) -> str:
    """A mail as it stands in a file, with line feeds."""
    return (
        f"From: Grace Example <{sender}>\nTo: ada@example.org\nDate: Mon, 02 Nov 2026 10:00:00 +0000\n"
        f"Subject: {SUBJECT} {n}\nMessage-ID: <{n}@example.net>\n{extra}\n{body} {n}\n"
    )


def places(batches: Iterable[MailBatch]) -> list[str]:
    return [one.place for batch in batches for one in batch.mails]
