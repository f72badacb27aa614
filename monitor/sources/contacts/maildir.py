"""Mail kept in Maildir folders: Dovecot, mbsync, offlineimap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from monitor.model import Capture, Context, Mail, Measure, Parsed, Series, Source
from monitor.sources.contacts import classify


@dataclass(frozen=True)
class Maildir(Source):
    """Who writes to you, from Maildir folders, as Dovecot, mbsync or offlineimap keep them on this machine.

        [[contacts]]
        kind = "maildir"
        folders = ["Mail/INBOX", "Mail/Sent"]
        own = ["ada@example.org"]
        # since = "365d", authserv = "mx.example.org", agencies = ["agency.example"], words = ["compiler"]

    `folders` are patterns of folders that have `cur` and `new` in them, relative to the config file's folder. They are
    only read: no mail moves from `new` to `cur`.

    `own` are your addresses: with them, and the folder of sent mails among `folders`, an answer to a mail of yours is
    no contact. A mail of LinkedIn's is `verified` only where `authserv` is set, the name in the topmost
    Authentication-Results header of your mails; else it is taken, and `unverified`.

    What is kept of a mail, how it is judged, and what else the keys mean is as for kind `imap`.
    """

    measure: ClassVar[Measure] = Measure.CONTACTS
    kind: ClassVar[str] = "maildir"
    every: ClassVar[str] = "6h"
    parser: ClassVar[int] = 1
    keep: ClassVar[bool] = False
    history: ClassVar[bool] = True

    folders: tuple[str, ...]
    since: str = "365d"
    own: tuple[str, ...] = ()
    authserv: str = ""
    agencies: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        classify.check_since(self.since)
        if not self.folders:
            raise ValueError("folders are needed: patterns of Maildir folders")

    def series(self) -> Series:
        """The mailbox's series."""
        return Series(subject=" ".join(self.folders))

    def requests(self, ctx: Context) -> Iterator[Mail]:
        """The folders, read on from where each was left."""
        yield Mail(
            "maildir",
            self.folders,
            since=classify.since(self.since, ctx.day),
            wants=partial(classify.wants, rules=self._rules()),
            cursors=ctx.mail_cursors,
        )

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """What one mail is."""
        return classify.parse(capture, ctx, self._rules())

    def _rules(self) -> classify.Rules:
        return classify.Rules(self.own, self.authserv, "", self.agencies, self.words)
