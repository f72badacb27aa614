"""Mastodon: followers, following and posts of an account, asked of its home server.

Facts: docs.joinmastodon.org, "accounts API methods: Lookup account ID from Webfinger address", "Account"; for
`pleroma`, docs.pleroma.social, "Differences in Mastodon API responses".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from monitor.model import Capture, Context, Http, LayoutChanged, Measure, Parsed, Series, Source, slug
from monitor.sources.profiles.answer import absent, count, number, read_json

_ACCOUNT = re.compile(r"@?([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)@((?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+)")
_ABOUT = {
    "followers": ("followers_count", "hide_followers_count", "accounts that follow this account"),
    "following": ("following_count", "hide_follows_count", "accounts that this account follows"),
    "posts": ("statuses_count", "", "posts of this account, as its own server counts them"),
}
_WINDOWS = dict.fromkeys(_ABOUT, "now")


@dataclass(frozen=True)
class Mastodon(Source):
    """Followers, following and posts of a Mastodon account, daily.

        [[profiles]]
        kind = "mastodon"
        account = "@ada@social.example.org"

    `account` is the full address. It gives `followers`, `following` and `posts`, asked of the account's home server:
    other servers know only a part of the followers. Servers of Pleroma and Akkoma answer the same question; where
    they say that an account hides a number, it is stored as hidden.

    No key is needed: a Mastodon server allows 300 questions in five minutes. One that answers nobody without a login
    is a refusal. Only the numbers of now can be asked, so history begins with the first reading. An account that was
    deleted or suspended is stored as gone. One that moved keeps its old numbers at its old address, and the reading's
    note says where it moved to.

    `url` is the server's address where it is not https:// and the part of `account` after the second @.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "mastodon"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = frozenset({404, 410})

    account: str
    url: str = ""

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.account):
            raise ValueError(f'account is written "@name@server", not "{self.account}"')

    @property
    def _parts(self) -> tuple[str, str]:
        name, _, server = self.account.removeprefix("@").partition("@")
        return name, server.casefold()

    def split(self) -> Iterator[tuple[str, Self]]:
        """One source, named by its account."""
        yield slug(self.account), self

    def series(self) -> Series:
        """The account's numbers, by the owner's days."""
        return Series(engine="mastodon", provider="mastodon", subject="@".join(self._parts))

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The account, looked up by its name on its own server."""
        name, server = self._parts
        home = self.url.rstrip("/") or f"https://{server}"
        yield Http(f"{home}/api/v1/accounts/lookup", (("acct", name),))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the account. Raises LayoutChanged for an answer of another shape."""
        name, server = self._parts
        profile = f"mastodon/{name}@{server}"
        data = read_json(capture.body)
        if not isinstance(data, dict):
            raise LayoutChanged(detail=f"status {capture.status} and not the JSON of Mastodon")
        if capture.status != 200:
            if capture.status == 404 and data.get("error") != "Record not found":
                raise LayoutChanged(detail="a 404 that does not say: Record not found")
            return Parsed(absent(profile, _WINDOWS, ctx.day, "gone", f"gone: {server} has no such account"))
        if str(data.get("acct")).casefold() not in (name.casefold(), f"{name}@{server}".casefold()):
            raise LayoutChanged(detail=f"not the account {name}")
        if data.get("suspended") is True:
            return Parsed(absent(profile, _WINDOWS, ctx.day, "gone", f"gone: suspended by {server}"))
        return Parsed(
            tuple(_numbers(profile, data, ctx)),
            note=f"{profile} has moved to {data['moved'].get('acct')}" if isinstance(data.get("moved"), dict) else "",
        )


def _numbers(profile: str, data: Mapping[str, Any], ctx: Context) -> Iterator[Any]:
    extra = data.get("pleroma")
    for metric, (key, hiding, definition) in _ABOUT.items():
        hidden = isinstance(extra, dict) and extra.get(hiding) is True
        value = None if hidden else number(data, key)
        yield count(profile, metric, "now", ctx.day, value, definition, absent="hidden" if hidden else "missing")
