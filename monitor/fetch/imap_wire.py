"""A connection to an IMAP server within limits of time and size, that changes nothing there.

imaplib speaks, imap-tools knows folders' names; what both leave to the caller is done here. A timeout of a socket
limits each wait and not the whole; a server says itself how long a literal is, and imaplib reads it all; their errors
hold the server's own words. So each step has a deadline and a number of bytes, and no error of theirs gets out.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from imap_tools.errors import ImapToolsError
from imap_tools.folder import FolderInfo
from imap_tools.mailbox import BaseMailBox
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from monitor.fetch import http
from monitor.fetch.guard import Clock, Dialer, Resolver, Watchdog, plain_host
from monitor.model import Blocked, FetchFailed, Mail

STEP_BYTES = 48_000_000  # what a server may send in one step
_NOT_NOW = {"UNAVAILABLE": "server_error", "SERVERBUG": "server_error", "INUSE": "server_error"}
_NOT_NOW |= {"LIMIT": "rate_limited", "OVERQUOTA": "rate_limited"}  # RFC 5530, and Gmail's
_CODE = re.compile(r"\s*\[([A-Z]+)\]")
_AT = re.compile(rb'INTERNALDATE "( ?\d{1,2}-\w{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4})"')
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_QUOTED = re.compile(rb'BODY\[[A-Z]*\](?:<\d+>)? (?:"((?:[^"\\]|\\.)*)"|NIL)')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TROUBLE = (imaplib.IMAP4.error, ImapToolsError, OSError, ValueError)  # ValueError: what cannot be taken apart
_CUT = frozenset({"connection", "truncated", "tls", "no_imap", "server_error"})

T = TypeVar("T")


class Piece(NamedTuple):
    """What the server gave of one mail: its UID, when it came in (None if that was not asked), and bytes of it."""

    uid: int
    at: datetime | None
    body: bytes


class _Client(imaplib.IMAP4):
    """imaplib's client, connected by our dialer, with a number of bytes that it may still read."""

    def __init__(self, request: Mail, dialer: Dialer, context: ssl.SSLContext, wait: float) -> None:
        self.request, self.dialer, self.context, self.wait = request, dialer, context, wait
        self.left = STEP_BYTES
        self.raw: socket.socket | None = None
        super().__init__(request.host, request.port)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        sock = self.dialer(self.request.host, self.request.port)
        try:
            if self.request.tls == "none" and not ip_address(sock.getpeername()[0]).is_loopback:
                raise FetchFailed("no_tls")
            sock.settimeout(self.wait)
            self.raw = sock.dup()  # wrapping in TLS detaches the other
            if self.request.tls == "tls":
                return self.context.wrap_socket(sock, server_hostname=self.request.host)
        except (OSError, FetchFailed):
            sock.close()
            raise
        return sock

    def read(self, size: int) -> bytes:
        self._count(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._count(len(line))
        return line

    def _count(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise FetchFailed("too_large", "more than was asked for")


class _Box(BaseMailBox):
    """imap-tools' mailbox over our client."""

    def __init__(self, client: _Client) -> None:
        self._made = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self._made


class Session:
    """A connection that has logged in. All that it asks changes nothing: EXAMINE, UID SEARCH, UID FETCH of PEEKs.

    `deadline` is the most seconds of each step, `wait` of each wait for the server within one.
    """

    def __init__(self, request: Mail, deadline: float, wait: float, clock: Clock) -> None:
        self.request, self.deadline, self.wait, self.clock = request, deadline, wait, clock
        self._client: _Client | None = None
        self._box: _Box | None = None
        self._spoken = False

    def begin(self, key: str, ca_file: Path | None, connect: float, resolver: Resolver) -> None:
        """Connect and log in. Raises FetchFailed, and Blocked (`login_refused`, `rate_limited`) when it is not let in.

        `key` is the password, or with `oauth` the access token.
        """

        def work(watchdog: Watchdog) -> None:
            home = frozenset({plain_host(self.request.host)})
            dialer = Dialer(watchdog, connect, home, resolver)
            client = self._client = _Client(self.request, dialer, _trusting(ca_file), self.wait)
            self._spoken = True
            if self.request.tls == "starttls":
                if "STARTTLS" not in client.capabilities:
                    raise FetchFailed("tls", "it offers no STARTTLS")
                client.starttls(client.context)
            self._box = _Box(client)
            self._log_in(client, self._box, key)

        self._step(work)

    def _log_in(self, client: _Client, box: _Box, key: str) -> None:
        user, said = self.request.user, ""
        if client.state == "AUTH":  # PREAUTH: it knows us already
            return
        try:
            if self.request.oauth:
                answers = iter([f"user={user}\1auth=Bearer {key}\1\1".encode()])
                client.authenticate("XOAUTH2", lambda _: next(answers, b""))
            elif "AUTH=PLAIN" in client.capabilities:
                box.login_utf8(user, key, initial_folder=None)
            elif (user + key).isascii():
                box.login(user, key, initial_folder=None)
            else:
                raise Blocked("login_refused", "it takes passwords of plain ASCII only")
        except imaplib.IMAP4.abort:
            raise
        except (imaplib.IMAP4.error, ImapToolsError) as error:
            said = _refusal_of(error)
        if said in _NOT_NOW.values():
            raise Blocked(said) if said == "rate_limited" else FetchFailed(said, "it lets nobody in just now")
        if said:
            raise Blocked("login_refused", said)

    def folders(self) -> list[FolderInfo]:
        """All folders, their names decoded from modified UTF-7."""
        return self._step(lambda _: list(self._opened.folder.list()))

    def examine(self, folder: str) -> tuple[str, int] | None:
        """Open a folder for reading only: its UIDVALIDITY and UIDNEXT (2**32 if not said); None if it cannot be."""

        def work(_: Watchdog) -> tuple[str, int] | None:
            try:
                self._opened.folder.set(folder, readonly=True)
            except imaplib.IMAP4.abort:
                raise
            except (ImapToolsError, imaplib.IMAP4.error):
                return None
            said = self._opened.client.untagged_responses
            validity, following = _number(said.get("UIDVALIDITY")), _number(said.get("UIDNEXT"))
            return str(validity or 0), following or 2**32

        return self._step(work)

    def search(self, low: int, high: int, criteria: str) -> list[int]:
        """The UIDs from `low` to `high` that meet the criteria, ascending.

        They are filtered here too: `UID n:*` gives the last mail even when it is older (RFC 3501, 6.4.8).
        """

        def work(_: Watchdog) -> list[int]:
            typ, data = self._opened.client.uid("SEARCH", f"UID {low}:{high}{criteria}")
            if typ != "OK":
                raise FetchFailed("server_error", "it refused a search")
            found = {int(uid) for line in data if isinstance(line, bytes) for uid in line.split()}
            return sorted(uid for uid in found if low <= uid <= high)

        return self._step(work)

    def fetch(self, uids: list[int], what: str) -> list[Piece] | None:
        """Pieces of mails by UID, in that order; None when the server refuses, as some do for one broken mail."""

        def work(_: Watchdog) -> list[Piece] | None:
            typ, data = self._opened.client.uid("FETCH", ",".join(map(str, uids)), what)
            wanted = set(uids)
            found = {one.uid: one for one in _pieces(data) if one.uid in wanted}
            return [found[uid] for uid in uids if uid in found] if typ == "OK" else None

        return self._step(work)

    def close(self) -> None:
        """Say goodbye if that is quickly done, and hang up."""
        if self._client is None or self._client.raw is None:
            return
        with contextlib.suppress(*_TROUBLE, FetchFailed), Watchdog(min(2.0, self.deadline), self.clock) as watchdog:
            watchdog.hold(self._client.raw)
            self._client.logout()
        with contextlib.suppress(*_TROUBLE):
            self._client.shutdown()
        self._client.raw.close()

    @property
    def _opened(self) -> _Box:
        if self._box is None:
            raise FetchFailed("connection", "not connected")
        return self._box

    def _step(self, work: Callable[[Watchdog], T]) -> T:
        """Do one thing within the deadline. An error is raised from here, without the library's own behind it."""
        failure: FetchFailed | Blocked
        with Watchdog(self.deadline, self.clock) as watchdog:
            if self._client is not None and self._client.raw is not None:
                watchdog.hold(self._client.raw)
                self._client.left = STEP_BYTES
            try:
                return work(watchdog)
            except (FetchFailed, Blocked) as error:
                failure = error
            except _TROUBLE as error:
                failure = self._classify(error)
            late = watchdog.expired
        if late and failure.reason in _CUT:
            failure = FetchFailed("timeout", f"over {self.deadline:g} s in one step")
        failure.__context__ = None
        raise failure

    def _classify(self, error: Exception) -> FetchFailed:
        if isinstance(error, OSError):
            return http.classify(error, answered=self._spoken)
        bye = bool(self._client and self._client.untagged_responses.get("BYE"))
        if "got more than" in str(error):  # imaplib's words for a line without end
            return FetchFailed("too_large", "a line without end")
        if isinstance(error, imaplib.IMAP4.abort) and "socket error" in str(error):
            return FetchFailed("truncated" if self._spoken else "connection", "the connection broke off")
        if bye or (isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort)):
            return FetchFailed("server_error", "it said goodbye" if bye else "it did not accept a command")
        return FetchFailed("no_imap")


def _refusal_of(error: Exception) -> str:
    """Why a login was refused: our reason for a passing one, else the code of RFC 5530, or "no reason given"."""
    result = getattr(error, "command_result", None)
    words = result[1][-1] if result and result[1] else (error.args[0] if error.args else "")
    found = _CODE.match(words.decode("ascii", "replace") if isinstance(words, bytes) else str(words))
    code = found[1] if found else ""
    known = ("AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED", "CONTACTADMIN", "ALERT")
    return _NOT_NOW.get(code) or (code.lower() if code in known else "no reason given")


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are checked, against the authorities that HTTP trusts and those of `ca_file`."""
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError:
            raise FetchFailed("tls", f"no certificate can be read from the ca_file {ca_file.name}") from None
    return context


def _number(values: list[Any] | None) -> int:
    last = values[-1] if values else b""
    return int(last) if isinstance(last, bytes) and last.isdigit() else 0


def _pieces(data: list[Any]) -> Iterator[Piece]:
    """The mails in imaplib's answer to a FETCH: pairs of words and a literal, and the words after it."""
    for n, item in enumerate(data):
        if isinstance(item, tuple):
            after = data[n + 1] if n + 1 < len(data) and isinstance(data[n + 1], bytes) else b""
            words, body = item[0] + b" " + after, item[1]
        elif isinstance(item, bytes) and (quoted := _QUOTED.search(item)):
            words, body = item, re.sub(rb"\\(.)", rb"\1", quoted[1] or b"")
        else:
            continue
        if uid := _UID.search(words):
            yield Piece(int(uid[1]), _instant(words), body)


def _instant(words: bytes) -> datetime | None:
    """The INTERNALDATE; None for none or nonsense. Month names are English whatever this machine's language is."""
    if not (found := _AT.search(words)):
        return None
    day, month, rest = found[1].decode().strip().split("-", 2)
    with contextlib.suppress(ValueError):
        return datetime.strptime(f"{day}-{_MONTHS.index(month) + 1}-{rest}", "%d-%m-%Y %H:%M:%S %z")
    return None
