"""What is asked: pages, logs and mailboxes. A pure description; secrets stand in it by name only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by name only: an environment variable, or a file (mode 0600) beside the config. Never its value."""

    env: str = ""
    file: str = ""
    prefix: str = ""  # put before the value when it is sent: "Bearer "
    exchange: str = ""  # "google": the file is a Google key, changed for a bearer token first

    def __post_init__(self) -> None:
        if bool(self.env) == bool(self.file):
            raise ValueError('a secret is { env = "NAME" } or { file = "path" }, one of the two')

    def __str__(self) -> str:
        return f"environment variable {self.env}" if self.env else f"file {self.file}"


Value = str | Secret
Pairs = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Http:
    """One page to ask for: GET, or POST when there is a form or the text of a JSON body (one of the two).

    Secrets in it are names, resolved only by the shell; a JSON body never holds one, for it is shown as it was sent.
    `stranger` marks an address that the owner did not choose (a result of an engine): it may not be private.
    """

    url: str
    params: Pairs = ()
    headers: Pairs = ()
    form: Pairs | None = None
    json: str | None = None
    stranger: bool = False


@dataclass(frozen=True, slots=True)
class Files:
    """Log files to read on from where each was left: a glob (relative to the config's folder) and the cursors.

    `whole` is for one small file that is written anew (an export): it is read from its beginning each time, and no
    cursor is kept.
    """

    pattern: str
    cursors: tuple[LogCursor, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class MailCursor:
    """How far one folder of mail has been read: all up to `position` is, while `validity` is what it was.

    IMAP: the folder, its UIDVALIDITY and the last UID. An mbox: the file, a hash of its first bytes and the offset. A
    Maildir: the folder, nothing, and the newest change seen in nanoseconds. `id` is the row in `mail_folders`, None
    before it is stored.
    """

    folder: str
    validity: str
    position: int
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """A mailbox to read on from where each folder was left; nothing in it is ever changed.

    `folders` are IMAP folders (none: all but drafts, junk and trash), or a pattern of files relative to the config's
    folder. Mails older than `since` are left alone. Only headers are fetched first; `wants` says of them whether the
    text is needed too. `tls` "none" is
    for a server on this machine only.
    """

    way: Literal["imap", "mbox", "maildir"]
    folders: tuple[str, ...]
    host: str = ""
    port: int = 993
    tls: Literal["tls", "starttls", "none"] = "tls"
    user: str = ""
    key: Secret | None = None
    oauth: bool = False
    since: date | None = None
    wants: Callable[[bytes], bool] = field(default=lambda headers: False, compare=False)
    cursors: tuple[MailCursor, ...] = ()


Request = Http | Files | Mail


@dataclass(frozen=True, slots=True)
class LogCursor:
    """How far one log file has been read, known by its content and not by its name.

    `head_hash` is over the first `head_len` consumed bytes (at most 1024), `tail_hash` over the last 256 bytes before
    `offset`; all three count decompressed bytes. `id` is the row in `log_files`, None before it is stored.
    """

    name: str
    dev: int
    ino: int
    size: int
    mtime_ns: int
    offset: int = 0
    head_len: int = 0
    head_hash: str = ""
    tail_hash: str = ""
    done: bool = False
    id: int | None = None


@dataclass(frozen=True, slots=True)
class LogGap:
    """A log that vanished before it was read to its end: said, never guessed."""

    name: str
    offset: int
    cursor_id: int
