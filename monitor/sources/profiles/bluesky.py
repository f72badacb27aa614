"""Bluesky: followers, following and posts of an account, from its public interface.

Facts: the lexicons app.bsky.actor.getProfile and app.bsky.actor.defs#profileViewDetailed of bluesky-social/atproto.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from monitor.model import Capture, Context, Http, LayoutChanged, Measure, Parsed, Series, Source, slug
from monitor.sources.profiles.answer import absent, count, number, read_json

_ACCOUNT = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]+|(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+")
_ABOUT = {
    "followers": ("followersCount", "accounts that follow this account"),
    "following": ("followsCount", "accounts that this account follows"),
    "posts": ("postsCount", "posts of this account, replies among them"),
}
_WINDOWS = dict.fromkeys(_ABOUT, "now")
_GONE = {
    "AccountTakedown": "gone: Bluesky has suspended this account",
    "AccountDeactivated": "gone: the account was deactivated",
}
_UNKNOWN = "gone: Bluesky has no such account; a new handle is found again by the account's DID"


@dataclass(frozen=True)
class Bluesky(Source):
    """Followers, following and posts of a Bluesky account, daily.

        [[profiles]]
        kind = "bluesky"
        account = "ada.example.org"

    `account` is a handle, or better the account's DID ("did:plc:..."): handles can change, a DID cannot. It gives
    `followers`, `following` and `posts`. They are stored under the DID, so that a new handle goes on with the same
    numbers; where the answer has another handle than the one asked for, the reading's note says so.

    No key is needed. Only the numbers of now can be asked, so history begins with the first reading. The interface may
    leave any of the counts out: such a number is missing, not zero. An account that is unknown, suspended or
    deactivated is stored as gone.

    `url` is the address of the interface: any AppView will do.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "bluesky"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = frozenset({400})

    account: str
    url: str = "https://public.api.bsky.app"

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.account):
            raise ValueError(f'account is a handle such as "ada.example.org" or a DID, not "{self.account}"')

    def split(self) -> Iterator[tuple[str, Self]]:
        """One source, named by its account."""
        yield slug(self.account), self

    def series(self) -> Series:
        """The account's numbers, by the owner's days."""
        return Series(engine="bluesky", provider="bluesky", subject=self.account)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The account's profile."""
        yield Http(f"{self.url.rstrip('/')}/xrpc/app.bsky.actor.getProfile", (("actor", self.account),))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the profile. Raises LayoutChanged for an answer of another shape."""
        data = read_json(capture.body)
        if not isinstance(data, dict):
            raise LayoutChanged(detail=f"status {capture.status} and not the JSON of Bluesky")
        if capture.status != 200:
            error, said = str(data.get("error") or ""), str(data.get("message") or "")
            if why := _GONE.get(error) or (_UNKNOWN if said == "Profile not found" else ""):
                return Parsed(absent(f"bluesky/{self.account}", _WINDOWS, ctx.day, "gone", why))
            if not error:
                raise LayoutChanged(detail=f"status {capture.status} and no error")
            return Parsed(doubt="bad_request", note=f"{error}: {said}"[:200])
        did, handle = data.get("did"), data.get("handle")
        if not (isinstance(did, str) and did and isinstance(handle, str)):
            raise LayoutChanged(detail="no DID and handle")
        by_did = self.account.startswith("did:")
        if by_did and did != self.account:
            raise LayoutChanged(detail=f"the profile of {did}")
        renamed = not by_did and handle.casefold() != self.account.casefold()
        return Parsed(
            tuple(
                count(f"bluesky/{did}", metric, "now", ctx.day, number(data, key), definition)
                for metric, (key, definition) in _ABOUT.items()
            ),
            note=f"bluesky/{self.account} is now called {handle}" if renamed else "",
        )
