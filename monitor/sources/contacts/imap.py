"""A mailbox at a mail provider, read over IMAP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from monitor.model import Capture, Context, Mail, Measure, Parsed, Secret, Series, Source
from monitor.sources.contacts import classify

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Imap(Source):
    """Who writes to you, from your own mailbox at a mail provider.

    Read are the InMails, requests and messages that LinkedIn mails you of, its weekly numbers, and recruiters who write
    directly.

        [[contacts]]
        kind = "imap"
        host = "imap.example.org"
        user = "ada@example.org"
        key = { env = "IMAP_PASSWORD" }
        # own = ["ada@example.org"], folders = ["INBOX"], since = "365d", agencies = ["agency.example"]

    The mailbox is only looked at: nothing is marked, moved or changed. Kept of a mail are its day, what it is and why,
    the sender's domain, and keyed hashes of sender and Message-ID; never a name, a subject, a text or a link.

    `key` is the password (an app password where the provider has them) or, with `oauth = true`, an access token. `tls`
    is `tls`, `starttls`, or `none` for a server on this machine; `port` goes with it where left out. `folders` are all
    but drafts, junk and trash where left out; with the folder of sent mails among them, an answer to a mail of yours is
    no contact. `since` is how far back the first look goes. `own` are your addresses, `user` where left out.

    LinkedIn's mails are told by its headers, then by links, sender and subject. One that only claims to be LinkedIn's
    is `untrusted` and never counted. One that your provider vouches for is `verified`, where its word is known by the
    name in its Authentication-Results header: that of the domain of `host`, or set `authserv`. Without its word a mail
    is taken, and `unverified`. A kind of mail not known is told as `unknown`, with its template, never dropped.

    Other mails are judged by signs with a score, told in the reason: words, a job title, a domain of `agencies`, any of
    your further `words`. Three points make a contact, two are `unsure` and not counted until you say so; what you say
    of a sender holds for all that comes. Newsletters and machines' mails are left out first.

    A weekly number is that of the week in which the mail came; the largest of a week stands. A week without a mail is
    not known, and not 0: LinkedIn sends these mails as it likes. A mail without a date that can be read, in itself or
    from the mailbox, has no day and is no contact. A request or an InMail is proven on mails of 2016 to 2026, in
    English, German, Italian and Portuguese; many subjects in other languages are not.
    """

    measure: ClassVar[Measure] = Measure.CONTACTS
    kind: ClassVar[str] = "imap"
    every: ClassVar[str] = "6h"
    parser: ClassVar[int] = 1
    keep: ClassVar[bool] = False
    history: ClassVar[bool] = True

    host: str
    user: str
    key: Secret
    port: int = 0
    tls: Literal["tls", "starttls", "none"] = "tls"
    oauth: bool = False
    folders: tuple[str, ...] = ()
    since: str = "365d"
    own: tuple[str, ...] = ()
    authserv: str = ""
    agencies: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        classify.check_since(self.since)
        if not self.host or not self.user:
            raise ValueError("host and user are needed: the IMAP server, and the name you log in by")
        if not 0 <= self.port <= 65535:
            raise ValueError("port is 1 to 65535, or left out")
        if self.tls == "none" and self.host not in _HERE:
            raise ValueError('tls = "none" is for a server on this machine: use "tls" or "starttls"')

    def series(self) -> Series:
        """The mailbox's series."""
        return Series(provider=self.host, subject=self.user)

    def requests(self, ctx: Context) -> Iterator[Mail]:
        """The mailbox, read on from where each folder was left."""
        yield Mail(
            "imap",
            self.folders,
            host=self.host,
            port=self.port or (993 if self.tls == "tls" else 143),
            tls=self.tls,
            user=self.user,
            key=self.key,
            oauth=self.oauth,
            since=classify.since(self.since, ctx.day),
            wants=partial(classify.wants, rules=self._rules()),
            cursors=ctx.mail_cursors,
        )

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """What one mail is."""
        return classify.parse(capture, ctx, self._rules())

    def _rules(self) -> classify.Rules:
        own = self.own or ((self.user,) if "@" in self.user else ())
        return classify.Rules(own, self.authserv, self.host, self.agencies, self.words)
