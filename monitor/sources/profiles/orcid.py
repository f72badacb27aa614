"""ORCID: the number of works on a record, from the public interface.

Facts: info.orcid.org, "API Tutorial: Read Data on a Record", "ORCID API error codes"; "Structure of the ORCID
Identifier" (its check digit is ISO 7064 MOD 11-2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeGuard

from monitor.model import Capture, Context, Http, LayoutChanged, Measure, Parsed, Series, Source
from monitor.sources.profiles.answer import absent, count, read_json

_ID = re.compile(r"(?:\d{4}-){3}\d{3}[\dX]", re.ASCII)
_PATH = re.compile(r"/((?:\d{4}-){3}\d{3}[\dX])/works", re.ASCII)
_WORKS = "works shown to everyone on this record; several sources' versions of one work count once"
_LOCKED, _DEACTIVATED = "9018", "9044"


@dataclass(frozen=True)
class Orcid(Source):
    """The number of works on an ORCID record, daily. From the documentation, not proven on a live server.

        [[profiles]]
        kind = "orcid"
        id = "0000-0002-1825-0097"

    `id` is the ORCID iD. It gives `works`: how many works the record shows to everyone, where the versions that
    several sources gave of one work count once, as on the record's page. ORCID counts no views and no followers.

    No key is needed. Only the number of now can be asked, so history begins with the first reading. A record that was
    deactivated or never existed is stored as gone, one that ORCID has locked as hidden. A record that was merged into
    another is read there, and the reading's note says so.

    `url` is the interface's address.
    """

    measure: ClassVar[Measure] = Measure.PROFILE
    kind: ClassVar[str] = "orcid"
    parser: ClassVar[int] = 1
    reads_status: ClassVar[frozenset[int]] = frozenset({404, 409})

    id: str
    url: str = "https://pub.orcid.org/v3.0"

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id) or not _checks(self.id):
            raise ValueError(f'id is an ORCID iD such as "0000-0002-1825-0097", not "{self.id}"')

    def split(self) -> Iterator[tuple[str, Self]]:
        """One source, named by its iD."""
        yield self.id.casefold(), self

    def series(self) -> Series:
        """The record's numbers, by the owner's days."""
        return Series(engine="orcid", provider="orcid", subject=self.id)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The record's works."""
        yield Http(f"{self.url.rstrip('/')}/{self.id}/works", headers=(("Accept", "application/json"),))

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the list of works. Raises LayoutChanged for an answer of another shape."""
        profile = f"orcid/{self.id}"
        data = read_json(capture.body)
        if not isinstance(data, dict):
            raise LayoutChanged(detail=f"status {capture.status} and not the JSON of ORCID")
        if capture.status != 200:
            state, said = _absence(capture.status, data)
            return Parsed(absent(profile, {"works": "now"}, ctx.day, state, f"{state}: {said}"))
        path = _PATH.fullmatch(str(data.get("path")))
        groups = data.get("group")
        if not path or not _is_list_of_works(groups):
            raise LayoutChanged(detail="no list of works")
        note = "" if path[1] == self.id else f"{profile} is now {path[1]}"
        return Parsed((count(profile, "works", "now", ctx.day, len(groups), _WORKS),), note=note)


def _checks(orcid: str) -> bool:
    """Whether the last character is the check digit of those before it.

    >>> _checks("0000-0002-1825-0097"), _checks("0000-0002-1825-0098")
    (True, False)
    """
    total = 0
    for digit in orcid[:-1].replace("-", ""):
        total = (total + int(digit)) * 2
    return orcid[-1] == "0123456789X"[(12 - total % 11) % 11]


def _absence(status: int, data: dict[str, Any]) -> tuple[Literal["hidden", "gone"], str]:
    """What a 404 or 409 of ORCID's own says of the record."""
    code = str(data.get("error-code") or "")
    if status == 404 and code:
        return "gone", "ORCID has no such record"
    if status == 409 and code == _DEACTIVATED:
        return "gone", "the record was deactivated"
    if status == 409 and code == _LOCKED:
        return "hidden", "ORCID has locked the record"
    raise LayoutChanged(detail=f"status {status} with the error {code or 'unknown'}")


def _is_list_of_works(groups: object) -> TypeGuard[list[Any]]:
    return isinstance(groups, list) and all(
        isinstance(group, dict) and isinstance(group.get("work-summary"), list) and group["work-summary"]
        for group in groups
    )
