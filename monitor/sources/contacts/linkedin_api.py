"""LinkedIn's Member Data Portability API: what the export holds, asked weekly. For members in the EEA, Switzerland."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urljoin, urlsplit
from zoneinfo import ZoneInfo

from monitor.model import Blocked, Capture, Context, Http, LayoutChanged, Measure, Pairs, Parsed, Secret, Series, Source
from monitor.sources.contacts.linkedin_export import Given, Said, read
from monitor.sources.contacts.linkedin_table import OtherOrder, Table, kind_of, rows_of
from monitor.sources.profiles.answer import read_json

_DOMAINS = ("CONNECTIONS", "INVITATIONS", "INBOX")
_KINDS = {"CONNECTIONS": ("connections",), "INVITATIONS": ("invitations",), "INBOX": ("messages", "messages_2018")}
_TOKEN = "the token lives 60 days: make a new one in LinkedIn's token generator"  # noqa: S105


@dataclass(frozen=True)
class LinkedInApi(Source):
    """Who approached you on LinkedIn, and your connections per day, from LinkedIn's own interface. EEA and Switzerland.

        [[contacts]]
        kind = "linkedin_api"
        key = { env = "LINKEDIN_TOKEN" }

    The Digital Markets Act obliges LinkedIn to give its members there their data by an interface ("Member Data
    Portability API (Member)"). Elsewhere import the export instead: it holds the same.

    To have a token: on LinkedIn's developer portal create an app under the page "Member Data Portability (Member)
    Default Company", request the product of that name, and make a token with the scope `r_dma_portability_self_serve`
    in the portal's OAuth token generator. It lives 60 days: then readings end `blocked` (denied) until you put a new
    one in its place, so note the day in your calendar.

    It asks the domains CONNECTIONS, INVITATIONS and INBOX, page by page, and reads them by the rules of the export:
    requests, messages and InMails that others began are contacts, advertisements and your own are not, and a contact
    that a mail or an export told of counts once. A domain without data is empty. There is nothing on profile views.

    What comes holds other people's names and letters: none of it is kept. A reading's evidence is the address that was
    asked, when, and the SHA-256 of each answer. `owner` is your name as LinkedIn has it, needed only where it cannot
    be told from the messages which side is you. `version` is LinkedIn's version of the interface. Made from LinkedIn's
    documentation; not proven on a live account.
    """

    measure: ClassVar[Measure] = Measure.CONTACTS
    kind: ClassVar[str] = "linkedin_api"
    every: ClassVar[str] = "7d"
    parser: ClassVar[int] = 1
    keep: ClassVar[bool] = False
    reads_status: ClassVar[frozenset[int]] = frozenset({401, 404})

    key: Secret
    owner: str = ""
    version: str = "202312"
    url: str = "https://api.linkedin.com/rest/memberSnapshotData"

    def series(self) -> Series:
        """One series: the owner's own account."""
        return Series(engine="linkedin", provider="linkedin", subject="linkedin")

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The first page of each domain; the connections first, for every account has some."""
        for domain in _DOMAINS:
            yield self._http((("q", "criteria"), ("domain", domain)))

    def _http(self, params: Pairs) -> Http:
        headers: Pairs = (("LinkedIn-Version", self.version), ("Authorization", replace(self.key, prefix="Bearer ")))
        return Http(self.url, params, headers)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read one page; the last of a domain is read together with those before it, for conversations span pages.

        Raises Blocked when the token is not taken, and LayoutChanged for an answer of another shape.
        """
        if capture.status == 401:
            raise Blocked("denied", _TOKEN)
        domain = _asked(capture)
        if domain not in _DOMAINS:
            raise LayoutChanged(detail="not an answer to what was asked")
        data = read_json(capture.body)
        if not isinstance(data, dict):
            raise LayoutChanged(detail="not the JSON of LinkedIn")
        pages = [data]
        if capture.status == 404:
            if "no data found" not in str(data.get("message", "")).casefold():
                raise LayoutChanged(detail='a 404 that does not say "No data found"')
            pages = []
        elif following := self._next(data, domain):
            _rows(data, domain)  # a page of another shape is told at once
            return Parsed(next=following)
        before = [read_json(one.body) for one in ctx.earlier if _asked(one) == domain and one.status == 200]
        return self._read(domain, [*before, *pages], ctx)

    def _read(self, domain: str, pages: list[Mapping[str, Any]], ctx: Context) -> Parsed:
        rows = [row for page in pages for row in _rows(page, domain)]
        if not rows:
            return Parsed(none=True)
        zone = ctx.zone if isinstance(ctx.zone, ZoneInfo) else ZoneInfo("UTC")
        given = Given(ctx.day, ctx.day, zone, (self.owner,) if self.owner else (), ctx.hashed)
        try:
            said = read({"": [_table(domain, rows)], "invitations": _invitations(ctx)}, given)
        except OtherOrder as order:
            raise LayoutChanged(detail=f"{domain}: {order}") from order
        if said.rejected and len(said.rejected) >= len(rows):
            raise LayoutChanged(detail=f"{domain}: {said.rejected[0][1]}")
        return Parsed(tuple(said.records), none=not said.records, note=_note(domain, said))

    def _next(self, data: Mapping[str, Any], domain: str) -> Http | None:
        """The page that links with rel "next" lead to, of this very domain and place."""
        paging = data.get("paging")
        links = paging.get("links", []) if isinstance(paging, dict) else []
        for link in links if isinstance(links, list) else []:
            if isinstance(link, dict) and link.get("rel") == "next" and isinstance(link.get("href"), str):
                parts = urlsplit(urljoin(self.url, link["href"]))
                params = tuple(parse_qsl(parts.query))
                if ("domain", domain) not in params:
                    raise LayoutChanged(detail="a next page of another domain")
                return self._http(params)
        return None


def _asked(capture: Capture) -> str:
    return dict(parse_qsl(urlsplit(capture.asked).query)).get("domain", "")


def _rows(data: Any, domain: str) -> Iterator[Mapping[str, str]]:
    """The rows of a page. Raises LayoutChanged."""
    elements = data.get("elements") if isinstance(data, dict) else None
    if not isinstance(elements, list):
        raise LayoutChanged(detail="no list of elements")
    found = []
    for element in elements:
        rows = element.get("snapshotData") if isinstance(element, dict) else None
        if not isinstance(rows, list) or element.get("snapshotDomain") != domain:
            raise LayoutChanged(detail=f"an element that is no {domain}")
        found += rows
    if not all(isinstance(row, dict) for row in found):
        raise LayoutChanged(detail=f"a row of {domain} that is none")
    return ({str(key): str(cell if cell is not None else "") for key, cell in row.items()} for row in found)


def _table(domain: str, rows: list[Mapping[str, str]]) -> Table:
    columns = sorted({key.casefold() for row in rows for key in row})
    kind = kind_of(columns)
    if kind not in _KINDS[domain]:
        raise LayoutChanged(detail=f"{domain} with columns that are not known")
    return rows_of(kind, iter(rows))


def _invitations(ctx: Context) -> list[Table]:
    """What this reading has of the invitations: by them the owner's own address is known."""
    pages = [read_json(one.body) for one in ctx.earlier if _asked(one) == "INVITATIONS" and one.status == 200]
    rows = [row for page in pages for row in _rows(page, "INVITATIONS")]
    return [_table("INVITATIONS", rows)] if rows else []


def _note(domain: str, said: Said) -> str:
    left = f"{domain}: {said.rows} rows, {said.own} own, {said.sponsored} sponsored, {len(said.rejected)} rejected"
    return left + "".join(f"; row {line} {why}" for line, why in said.rejected[:20])
