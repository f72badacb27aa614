"""X (Twitter): followers and posts of a user, from the paid API v2.

Facts: docs.x.com/x-api, "User lookup", "Error codes"; answers recorded by python-twitter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from monitor.model import Capture, Context, Count, Http, LayoutChanged, Measure, Parsed, Secret, Series, Source
from monitor.sources.profiles.answer import REFUSALS, count, number, read_json, refused, said_in

_USER = re.compile(r"[A-Za-z0-9_]{1,15}")
_ASKED = re.compile(r"/2/users/(?:by/username/[A-Za-z0-9_]+|[0-9]+)$")
_METRICS = {
    "followers": ("followers_count", "accounts that follow this user"),
    "following": ("following_count", "accounts that this user follows"),
    "posts": ("tweet_count", "posts of this user, reposts and replies among them"),
    "listed": ("listed_count", "public lists that this user is on"),
}
_MISSING = "missing: X left out public_metrics though it was asked for them; the key or its plan may not see them"
_HIDDEN = "hidden: X has suspended this account, or does not show it to this key"
_GONE = "gone: X has no such user; if the name has changed, set user, or id, which never changes"


@dataclass(frozen=True)
class X(Source):
    """Followers and posts of a user of X (Twitter), from its paid API, daily.

        [[profiles]]
        kind = "x"
        user = "ada_example"
        key = { env = "X_BEARER_TOKEN" }
        # id = "2244994945"

    `user` gives `followers`, `following`, `posts` and `listed`, as they stand now. X keeps no history of them: it
    starts here. Profile visits are not in the API: see the source `x_analytics`, which reads X's own export.

    `key` names the bearer token of an app of yours. The API costs money per user read (about a cent, early in 2026);
    where the credits are used up the reading is `blocked` and says so. `id` is the account's number: with it the
    account is found under whatever name it has, and a name other than `user` is told in the reading's note.

    A suspended or protected account that the key may not see is `hidden`, one that there is not `gone`, an answer
    without numbers `missing`. Proven on recorded answers; the refusals are from the documentation, not proven live.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "x"
    every: ClassVar[str] = "1d"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = REFUSALS

    user: str
    key: Secret
    id: str = ""
    url: str = "https://api.x.com"

    def __post_init__(self) -> None:
        if not _USER.fullmatch(self.user):
            raise ValueError(f'user is a name on X without the @, not "{self.user}"')
        if self.id and not re.fullmatch(r"[0-9]{1,19}", self.id):
            raise ValueError(f'id is the number of the account in quotes, not "{self.id}"')

    def series(self) -> Series:
        """The user's series, in the owner's days."""
        return Series(engine="x", provider="x", subject=self.user)

    def requests(self, ctx: Context) -> Iterator[Http]:
        """The user, by number where it is known, with the numbers that are left out unless asked for."""
        who = self.id or f"by/username/{self.user}"
        headers = (("Authorization", replace(self.key, prefix="Bearer ")),)
        yield Http(f"{self.url.rstrip('/')}/2/users/{who}", (("user.fields", "public_metrics"),), headers)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the user. Raises Blocked and LayoutChanged."""
        if not _ASKED.search(urlsplit(capture.asked).path.rstrip("/")):
            raise LayoutChanged(detail=f"not an address of X's API: {capture.asked}")
        answer = read_json(capture.body)
        refused(capture, said_in(answer, "detail") or said_in(answer, "title"))
        if not isinstance(answer, dict):
            raise LayoutChanged(detail="no answer of X's API")
        if "data" not in answer:
            return self._none(answer.get("errors"), ctx.day)
        data = answer["data"]
        name, known = said_in(data, "username"), said_in(data, "id")
        if not name or not known or (self.id and known != self.id):
            raise LayoutChanged(detail="no user, or another one")
        renamed = name.casefold() != self.user.casefold()
        if renamed and not self.id:
            raise LayoutChanged(detail=f"{name} in place of {self.user}")
        note = f"x/{self.user} is now called {name}, number {known}" if renamed else ""
        return Parsed(tuple(self._about(data, ctx.day)), note=note)

    def _about(self, data: dict[str, Any], day: date) -> Iterator[Count]:
        metrics = data.get("public_metrics", {})
        if not isinstance(metrics, dict):
            raise LayoutChanged(detail="public_metrics is no object")
        for metric, (key, definition) in _METRICS.items():
            value = number(metrics, key)
            yield count(f"x/{self.user}", metric, "now", day, value, definition if value is not None else _MISSING)

    def _none(self, errors: object, day: date) -> Parsed:
        """No user in the answer (status 200): X says why in its list of errors, the last word of whose type tells."""
        error = errors[0] if isinstance(errors, list) and errors else None
        problem, detail = said_in(error, "type").rpartition("/")[2], said_in(error, "detail").casefold()
        state: Literal["hidden", "gone"]
        if "suspended" in detail or problem == "not-authorized-for-resource":
            state, why = "hidden", _HIDDEN
        elif problem == "resource-not-found" and detail.startswith("could not find user"):
            state, why = "gone", _GONE
        else:
            raise LayoutChanged(detail=f"no user, and no reason known: {detail[:100]}")
        return Parsed(tuple(Count(f"x/{self.user}", m, "now", day, None, state, definition=why) for m in _METRICS))
