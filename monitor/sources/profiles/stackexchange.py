"""Stack Exchange: profile views and reputation of a user on one site, or on all sites of an account.

Facts: api.stackexchange.com/docs, "/users/{ids}", "/users/{ids}/associated", "/filters/create", "Custom Filters",
"Error Handling", "Throttles"; types `user`, `network_user` and `error`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from monitor.model import (
    Blocked,
    Capture,
    Context,
    Count,
    Http,
    LayoutChanged,
    Measure,
    Pairs,
    Parsed,
    Secret,
    Series,
    Source,
)
from monitor.sources.profiles.answer import absent, count, number, read_json

_SITE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
_ASKED = re.compile(r"/(?:users/(?P<id>\d+)(?P<sites>/associated)?|(?P<filter>filters/create))$")
_VIEWS = "views of this user's profile page since the account began, as the site counts them"
_REPUTATION = "reputation of this user on this site; a recount can lower it"
_LEFT_OUT = "missing: the answer has no view_count though it was asked for; a filter must include user.view_count"
_NO_USER = "gone: the site has no such user"
_NO_ACCOUNT = "gone: no such account, or it hides its sites"
_THROTTLED, _DENIED, _AT_FAULT = 502, frozenset({401, 402, 403, 405, 406}), frozenset({500, 503})
_PER_PAGE = 100  # the most that the interface gives


class _At(NamedTuple):
    """A user on a site: the site's short name, the user's number there."""

    site: str
    user: int


@dataclass(frozen=True)
class StackExchange(Source):
    """Views of your profile page and reputation on Stack Overflow and other Stack Exchange sites, daily.

        [[profiles]]
        kind = "stackexchange"
        user = 22656
        site = "stackoverflow"

    `user` is the number in your profile's address on `site`, and `site` its short name ("stackoverflow", "math",
    "meta.stackoverflow") or its host. It gives `reputation` and `profile_views`, the total since the account began.

    In place of both, `account` is your number on the whole network (in the address of stackexchange.com/users/...):
    it gives `reputation` on each of your sites, and `profile_views` on `sites` of them (10), those of most reputation.

    Profile views are in no answer unless a filter asks for them. Monitor has one made in the same reading: three
    questions for a user, and two and one per site for an account. A filter never ends: one that you made yourself at
    api.stackexchange.com/docs/create-filter with user.view_count in it can be named with `filter`, and saves two. An
    answer that leaves the views out all the same gives none, not zero. That they come with such a filter is from the
    documentation, not proven on a live server.

    No key is needed: 300 questions a day are free to each address, and 10,000 with `key`, which names an API key from
    stackapps.com. The reading's note says how many are left. Where the interface asks for a pause (`backoff`), no more
    is asked until the next reading, and the note says so. Only the numbers of now can be asked, so history begins with
    the first reading. A user who is no more is stored as gone.

    `url` is the interface's address with its version.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "stackexchange"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = frozenset({400, 502})

    user: int = 0
    site: str = "stackoverflow"
    account: int = 0
    sites: int = 10
    filter: str = ""
    key: Secret | None = None
    url: str = "https://api.stackexchange.com/2.3"

    def __post_init__(self) -> None:
        if (self.user > 0) == (self.account > 0) or min(self.user, self.account) < 0:
            raise ValueError("stackexchange wants a user (the number, with its site) or an account, one of the two")
        if not _SITE.fullmatch(self.site):
            raise ValueError(f'site is a short name such as "stackoverflow", or a host, not "{self.site}"')
        if not 0 <= self.sites <= 50:
            raise ValueError("sites is 0 to 50: each is a question of its own, ten seconds apart")

    def split(self) -> Iterator[tuple[str, Self]]:
        """One source, named by its site and user, or by its account."""
        yield f"account-{self.account}" if self.account else f"{_short(self.site)}-{self.user}", self

    def series(self) -> Series:
        """The numbers of one user or of one account, by the owner's days."""
        subject = f"account/{self.account}" if self.account else f"{_short(self.site)}/{self.user}"
        return Series(engine="stackexchange", provider="stackexchange", subject=subject)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The user, or the account's sites; what else there is to ask follows from the answers."""
        if self.account:
            yield self._associated(1)
        else:
            yield self._user(_At(_short(self.site), self.user), self.filter)

    def _http(self, path: str, params: Pairs) -> Http:
        if self.key:
            params += (("key", self.key),)
        return Http(f"{self.url.rstrip('/')}/{path}", params)

    def _associated(self, page: int) -> Http:
        return self._http(f"users/{self.account}/associated", (("page", str(page)), ("pagesize", str(_PER_PAGE))))

    def _user(self, at: _At, filter_: str) -> Http:
        return self._http(f"users/{at.user}", (("site", at.site), *((("filter", filter_),) if filter_ else ())))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one answer, known by the path that was asked.

        Raises Blocked for a refusal and LayoutChanged for an answer of another shape.
        """
        asked = _ASKED.search(urlsplit(capture.asked).path)
        if not asked:
            raise LayoutChanged(detail=f"not an address of the Stack Exchange API: {capture.asked}")
        data = read_json(capture.body)
        if fault := _fault(capture.status, data):
            return fault
        if not isinstance(data, dict) or not isinstance(data.get("items"), list):
            raise LayoutChanged(detail=f"status {capture.status} and no items")
        if not all(isinstance(item, dict) for item in data["items"]):
            raise LayoutChanged(detail="an item that is none")
        records: tuple[Count, ...] = ()
        if asked["sites"]:
            records = self._of_account(data["items"], ctx)
        elif asked["id"]:
            records = self._of_user(capture, int(asked["id"]), data["items"], ctx)
        gone = any(record.state == "gone" for record in records) and not self.account
        following = None if gone else self._next((*ctx.earlier, capture), ctx.page)
        backoff, left = number(data, "backoff"), number(data, "quota_remaining")
        notes = []
        if following and (backoff or left == 0):
            following = None
            notes.append(f"Stack Exchange asks for a pause ({backoff or 0} s), so the rest was not asked")
        if following is None and left is not None:
            notes.append(f"{left} of {data.get('quota_max')} questions are left today")
        return Parsed(records, next=following, note="; ".join(notes))

    def _of_account(self, items: list[dict[str, Any]], ctx: Context) -> tuple[Count, ...]:
        """The reputation on each site of an account."""
        if not items and ctx.page == 1:
            return absent(f"stackexchange/account/{self.account}", {"reputation": "now"}, ctx.day, "gone", _NO_ACCOUNT)
        return tuple(
            count(_profile(_at(item)), "reputation", "now", ctx.day, number(item, "reputation"), _REPUTATION)
            for item in items
        )

    def _of_user(self, capture: Capture, user: int, items: list[dict[str, Any]], ctx: Context) -> tuple[Count, ...]:
        """What was asked of a user: the reputation without a filter, the views with one (with one's own, both)."""
        asked = parse_qs(urlsplit(capture.asked).query)
        profile = _profile(_At(asked.get("site", [""])[0], user))
        if not items or items[0].get("user_type") == "does_not_exist":
            windows = {"profile_views": "total"} if self.account else {"reputation": "now", "profile_views": "total"}
            return absent(profile, windows, ctx.day, "gone", _NO_USER)
        if len(items) != 1 or items[0].get("user_id") != user:
            raise LayoutChanged(detail=f"not the user {user}")
        found = []
        if not self.account and ("filter" not in asked or self.filter):
            found.append(count(profile, "reputation", "now", ctx.day, number(items[0], "reputation"), _REPUTATION))
        if "filter" in asked:
            views = number(items[0], "view_count")
            definition = _LEFT_OUT if views is None else _VIEWS
            found.append(count(profile, "profile_views", "total", ctx.day, views, definition))
        return tuple(found)

    def _next(self, seen: tuple[Capture, ...], page: int) -> Http | None:
        """What to ask after these answers: further sites of the account, a filter, then each user with that filter."""
        last = read_json(seen[-1].body)
        if _path(seen[-1]).endswith("/associated") and last.get("has_more") is True:
            return self._associated(page + 1)
        due = self._due(seen)
        filter_ = self.filter or _made(seen)
        asked = {(q["site"][0], int(_path(c).rpartition("/")[2])) for c in seen if "filter" in (q := _query(c))}
        left = [at for at in due if at not in asked]
        if not left:
            return None
        if not filter_:
            made = any(_path(capture).endswith("/filters/create") for capture in seen)
            include: Pairs = (("include", "user.view_count"), ("base", "default"), ("unsafe", "false"))
            return None if made else self._http("filters/create", include)
        return self._user(left[0], filter_)

    def _due(self, seen: tuple[Capture, ...]) -> list[_At]:
        """The users whose profile views are asked for."""
        if not self.account:
            return [_At(_short(self.site), self.user)]
        sites = [item for c in seen if _path(c).endswith("/associated") for item in read_json(c.body).get("items", [])]
        sites.sort(key=lambda item: -(number(item, "reputation") or 0))
        return [_at(item) for item in sites[: self.sites]]


def _path(capture: Capture) -> str:
    return urlsplit(capture.asked).path


def _query(capture: Capture) -> dict[str, list[str]]:
    return {} if _path(capture).endswith("/filters/create") else parse_qs(urlsplit(capture.asked).query)


def _made(seen: tuple[Capture, ...]) -> str:
    """The filter that an answer of /filters/create names; empty when none was asked for yet."""
    for capture in seen:
        if _path(capture).endswith("/filters/create"):
            items = read_json(capture.body)["items"]
            if len(items) != 1 or not isinstance(items[0].get("filter"), str) or not items[0]["filter"]:
                raise LayoutChanged(detail="no filter was made")
            return str(items[0]["filter"])
    return ""


def _short(site: str) -> str:
    """The short name of a site, as the interface calls it.

    >>> _short("math.stackexchange.com"), _short("stackoverflow.com"), _short("mathoverflow.net"), _short("meta")
    ('math', 'stackoverflow', 'mathoverflow.net', 'meta')
    """
    return site.removesuffix(".stackexchange.com").removesuffix(".com")


def _at(item: Mapping[str, Any]) -> _At:
    """The site and the user's number there, of one line in the list of an account's sites."""
    host = urlsplit(str(item.get("site_url"))).hostname or ""
    user = item.get("user_id")
    if not _SITE.fullmatch(host) or type(user) is not int:
        raise LayoutChanged(detail="a site without an address and a user")
    return _At(_short(host), user)


def _profile(at: _At) -> str:
    return f"stackexchange/{at.site}/{at.user}"


def _fault(status: int, data: Any) -> Parsed | None:
    """What an error of the interface says, whatever its status; None for none. Raises Blocked for a refusal."""
    code = data.get("error_id") if isinstance(data, dict) else None
    if code is None:
        if status == 502:
            return Parsed(doubt="server_error", note="status 502")
        return None
    if type(code) is not int:
        raise LayoutChanged(detail="an error without a number")
    said = f"{data.get('error_name')}: {data.get('error_message')}"[:200]
    if code == _THROTTLED:
        raise Blocked("rate_limited", said)
    if code in _DENIED:
        raise Blocked("denied", said)
    return Parsed(doubt="server_error" if code in _AT_FAULT else "bad_request", note=said)
