"""What search sources over an interface share: reading rows without trusting them, and numbering what was seen. Pure.

A place is counted by what stands in the answer, never taken from the answer's own numbers. A row whose address is no
web link keeps its place and has no address.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor import urls
from monitor.model import Blocked, Capture, Http, Kind, LayoutChanged, Parsed, Result

Json = dict[str, Any]
Block = Sequence[Result]

_MARKUP = re.compile(r"</?(?:strong|b|em|mark)>")
_OPAQUE = re.compile(r"https?://(?:www\.)?google\.[a-z.]{2,6}/goto\?", re.I)
# What a field is called in one interface or another; of several the first that is text.
_ADDRESS = ("link", "url", "website")
_TITLE = ("title", "question", "name")
_TEXT = ("snippet", "description", "content", "desc", "answer")
_SHOWN = ("domain", "displayed_link")
_BELOW = ("sitelinks", "links")
_INNER = ("images", "places", "results", "videos", "stories")
# The words of a refusal. Never repeated: some interfaces answer with the key that they refuse.
_TROUBLE = (
    (r"too many|rate.?limit|throttl|throughput|exceeded.{0,20}limit", "rate_limited", ""),
    (r"\bcredits?\b|run out|insufficient|balance|billing|payment|\bfunds\b|\bquota\b", "denied", "credit is used up"),
    (r"\bkey\b|\btoken\b|unauthori[sz]ed|authenti|forbidden|permission|denied", "denied", "key is not accepted"),
    (r"internal|server error|try again|temporar|unavailable|time(?:d|out)|went wrong", "server_error", "by its words"),
)


def check(queries: Iterable[str], longest: int, **numbers: tuple[int, int]) -> None:
    """Raise ValueError for a query longer than `longest`, and for a number (value, most) that is not 1 to most."""
    for name, (value, most) in numbers.items():
        if not 1 <= value <= most:
            raise ValueError(f"{name} is 1 to {most}")
    if any(not query.strip() or len(query) > longest for query in queries):
        raise ValueError(f"queries are 1 to {longest} characters each")


def choose(name: str, value: str, choices: Iterable[str]) -> None:
    """Raise ValueError for a value that is none of the choices."""
    if value not in choices:
        raise ValueError(f'{name} is one of {", ".join(choices)}, not "{value}"')


def body(**fields: object) -> str:
    """A JSON body of the fields that say something."""
    return compact({name: value for name, value in fields.items() if value != ""})


def compact(value: object) -> str:
    """JSON as it is sent: without blanks, letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read(capture: Capture) -> Json:
    """The answer as an object. Raises LayoutChanged for anything else."""
    try:
        answer = json.loads(capture.body)
    except (ValueError, RecursionError) as error:
        raise LayoutChanged(detail="the answer is no whole JSON") from error
    return within(answer, "the answer")


def said(capture: Capture, name: str) -> str:
    """A field of text in an answer that may be anything; empty where there is none."""
    try:
        return plain(read(capture).get(name))
    except LayoutChanged:
        return ""


def within(value: object, name: str) -> Json:
    """An object that must be there. Raises LayoutChanged."""
    if not isinstance(value, dict):
        raise LayoutChanged(detail=f"{name} is no object")
    return value


def rows(value: object, name: str) -> list[Json]:
    """A list of objects that must be there. Raises LayoutChanged."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise LayoutChanged(detail=f"{name} is no list of results")
    return value


def plain(value: object) -> str:
    """Plain text that can be stored: no marks around the query's words, no escapes, no zero bytes, single blanks."""
    if not isinstance(value, str):
        return ""
    text = html.unescape(_MARKUP.sub("", value)).replace("\0", "")
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def trouble(said: str, otherwise: str = "bad_request") -> Parsed:
    """What an interface's own words of trouble mean; without known words it is `otherwise`.

    Raises Blocked for a refusal; a fault or a question not understood comes back as a doubt. Never "nothing found".
    """
    for words, reason, detail in _TROUBLE:
        if re.search(words, said, re.I):
            return refused(reason, detail)
    return refused(otherwise, "its words are in the answer kept")


def refused(reason: str, detail: str) -> Parsed:
    """Raises Blocked for a reason of refusal; any other comes back as a doubt."""
    if reason in ("denied", "rate_limited"):
        raise Blocked(reason, detail)
    return Parsed(doubt=reason, note=detail)


def result(row: Json, kind: Kind = Kind.ORGANIC) -> Result:
    """One line, not yet numbered. Google's opaque `/goto` links stay as given: only their host is known, if shown."""
    url = urls.unwrap(_first(row, _ADDRESS))
    return Result(
        url=url if urls.is_link(url) else "",
        title=plain(_first(row, _TITLE)),
        snippet=plain(_first(row, _TEXT)),
        shown_host=_shown_host(row),
        kind=kind,
        match_precision="host" if _OPAQUE.match(url) else "exact",
    )


def organic(row: Json) -> Block:
    """An organic line, and the sitelinks under it."""
    below = next((row[name] for name in _BELOW if row.get(name)), ())
    lists = below.values() if isinstance(below, dict) else [below]
    links = [link for listed in lists if isinstance(listed, list) for link in listed if isinstance(link, dict)]
    return [result(row), *(result(link, Kind.SITELINK) for link in links)]


def sections(answer: Json, kinds: Mapping[str, Kind]) -> Iterator[Block]:
    """The blocks other than organic results, by name. What is odd in one costs its text, never the block."""
    for name, kind in kinds.items():
        value = answer.get(name)
        if isinstance(value, dict):
            value = next((value[inner] for inner in _INNER if isinstance(value.get(inner), list)), [value])
        if value:
            listed = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
            yield [result(row, kind) for row in listed or [{"title": name}]]


def parsed(
    blocks: Iterable[Block], *, whole_page: bool = False, following: Http | None = None, altered: str = ""
) -> Parsed:
    """A page of these blocks, numbered; without an organic one it says that there is none.

    `whole_page` says that they stand in the order of the page, so that each has an absolute place too. Raises
    LayoutChanged where no organic line has an address.
    """
    lines = tuple(_numbered(blocks, whole_page=whole_page))
    found = [line for line in lines if line.position]
    if found and not any(line.url for line in found):
        raise LayoutChanged(detail="no result has an address")
    return Parsed(lines, none=not found, next=following if found else None, altered=altered)


def otherwise(asked: str, answered: object) -> str:
    """The query answered instead of ours, empty where it is ours."""
    text = plain(answered)
    return "" if text.casefold() == " ".join(asked.split()).casefold() else text


def _numbered(blocks: Iterable[Block], *, whole_page: bool) -> Iterator[Result]:
    position = 0
    for n, block in enumerate(blocks, start=1):
        for sub_index, line in enumerate(block):
            takes_place = sub_index == 0 and line.kind is Kind.ORGANIC
            position += takes_place
            yield replace(
                line,
                block=n,
                sub_index=sub_index,
                position=position if takes_place else None,
                position_absolute=n if whole_page else None,
            )


def _first(row: Json, names: Iterable[str]) -> str:
    return next((value for name in names if isinstance(value := row.get(name), str) and value), "")


def _shown_host(row: Json) -> str:
    """The host in the address as displayed: "https://example.org > about" is example.org."""
    words = plain(_first(row, _SHOWN)).split()
    host = urls.host(words[0]) if words else ""
    return host if "." in host else ""
