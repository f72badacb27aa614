"""Small made things for tests: settings, sources, results pages of invented people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import ClassVar

from monitor import config
from monitor.model import (
    Blocked,
    Capture,
    Context,
    Count,
    Exchange,
    Http,
    Kind,
    LayoutChanged,
    Measure,
    Outcome,
    Parsed,
    Reading,
    Result,
    Series,
    Source,
    Trigger,
)

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAY = date(2026, 11, 23)


@dataclass(frozen=True)
class Toy(Source):
    """A results page of one URL a line; `none`, `captcha`, `?` and `bug` are its other faces."""

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "toy"
    query: str = "Ada Example"
    pages: int = 1
    url: str = "http://127.0.0.1:1/search"

    def series(self) -> Series:
        return Series(engine="toy", provider="toy", query=self.query)

    def requests(self, ctx: Context) -> Iterable[Http]:
        yield Http(self.url)

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        text = capture.body.decode()
        if text.startswith("none"):
            return Parsed(tuple(results(text.split()[1:])), none=True)
        if text == "captcha":
            raise Blocked("captcha")
        if text == "?":
            raise LayoutChanged
        if text == "bug":
            raise ZeroDivisionError("a fault")
        following = Http(f"{self.url}?page={ctx.page + 1}") if ctx.page < self.pages else None
        return Parsed(tuple(results(text.split())), next=following)


def results(urls: Iterable[str], title: str = "Ada Example") -> Iterable[Result]:
    for n, url in enumerate(urls):
        if url.startswith("ad:"):
            yield Result(url[3:], title, kind=Kind.AD, position_absolute=n + 1, block=n)
        else:
            place = 1 + sum(not u.startswith("ad:") for u in list(urls)[:n])
            yield Result(url, title, position=place, position_absolute=n + 1, block=n)


def exchange(body: str | bytes, status: int = 200, n: int = 1, url: str = "http://toy.example/search") -> Exchange:
    raw = body.encode() if isinstance(body, str) else body
    capture = Capture(raw, "text/html", "utf-8", status, asked=url, url=url)
    return Exchange(n=n, asked=url, ms=5, status=status, url=url, capture=capture)


def answering(*answers: Exchange | Exception) -> Callable[[Http, int], Exchange]:
    left = iter(answers)

    def ask(request: Http, n: int) -> Exchange:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def reading(
    *urls: str,
    at: datetime = NOW,
    outcome: Outcome = Outcome.OK,
    reason: str = "",
    counts: Iterable[Count] = (),
    body: str = "page",
) -> Reading:
    found = tuple(results(urls))
    return Reading(
        slot=at,
        day=at.date(),
        trigger=Trigger.SCHEDULE,
        started_at=at,
        finished_at=at,
        outcome=outcome,
        reason=reason,
        parser=1,
        depth=sum(r.position is not None for r in found) if outcome in (Outcome.OK, Outcome.EMPTY) else None,
        exchanges=(exchange(body),) if body else (),
        records=(*found, *counts),
    )


def settings(folder: Path, body: str = "") -> config.Settings:
    path = folder / "config.toml"
    text = f'[owner]\nname = "Ada Example"\ntimezone = "Australia/Sydney"\n{body}'
    path.write_text(text)
    return config.read(path)


DUCK = '[[search]]\nkind = "duckduckgo"\n'
GITHUB = '[[profiles]]\nkind = "github"\nuser = "ada"\n'
