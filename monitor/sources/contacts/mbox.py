"""Mail kept in mbox files: Thunderbird, mutt, an export of Gmail (Google Takeout)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from monitor.model import Capture, Context, Mail, Measure, Parsed, Series, Source
from monitor.sources.contacts import classify


@dataclass(frozen=True)
class Mbox(Source):
    """Who writes to you, from mbox files: those of Thunderbird or mutt, or what Google Takeout gives for Gmail.

        [[contacts]]
        kind = "mbox"
        files = ["mail/*.mbox"]
        own = ["ada@example.org"]
        # since = "365d", authserv = "mx.example.org", agencies = ["agency.example"], words = ["compiler"]

    `files` are patterns, relative to the config file's folder. A file is read on from where it was left, and from its
    beginning when it is another; a mail that lies in two files is counted once. Files are only read.

    `own` are your addresses: with them, and the file of sent mails among `files`, an answer to a mail of yours is no
    contact. A mail of LinkedIn's is `verified` only where `authserv` is set, the name in the topmost
    Authentication-Results header of your mails; else it is taken, and `unverified`.

    What is kept of a mail, how it is judged, and what else the keys mean is as for kind `imap`.
    """

    measure: ClassVar[Measure] = Measure.CONTACTS
    kind: ClassVar[str] = "mbox"
    every: ClassVar[str] = "6h"
    parser: ClassVar[int] = 1
    keep: ClassVar[bool] = False
    history: ClassVar[bool] = True

    files: tuple[str, ...]
    since: str = "365d"
    own: tuple[str, ...] = ()
    authserv: str = ""
    agencies: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        classify.check_since(self.since)
        if not self.files:
            raise ValueError("files are needed: patterns of mbox files")

    def series(self) -> Series:
        """The mailbox's series."""
        return Series(subject=" ".join(self.files))

    def requests(self, ctx: Context) -> Iterator[Mail]:
        """The files, read on from where each was left."""
        yield Mail(
            "mbox",
            self.files,
            since=classify.since(self.since, ctx.day),
            wants=partial(classify.wants, rules=self._rules()),
            cursors=ctx.mail_cursors,
        )

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """What one mail is."""
        return classify.parse(capture, ctx, self._rules())

    def _rules(self) -> classify.Rules:
        return classify.Rules(self.own, self.authserv, "", self.agencies, self.words)
