"""How each source answered, and how fresh the proof of its parser is, into findings. Pure; instants are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from monitor.doctor.finding import Finding, fine, look, many, span
from monitor.model import Outcome, Reading

LOG_QUIET = timedelta(days=3)
PROVEN = timedelta(days=7)
_NOTHING_KEPT = frozenset({"layout_unknown", "parser_error"})


def dry(name: str, reading: Reading) -> Finding:
    """How a dry fetch ended: what a reading would have said, but nothing was stored."""
    what = f"source {name}"
    match reading.outcome:
        case Outcome.OK if reading.depth is not None:
            return fine(what, f"ok, {reading.depth} results on the first page")
        case Outcome.OK:
            return fine(what, f"ok, {len(reading.records)} numbers seen")
        case Outcome.EMPTY:
            return fine(what, "empty: it says that there is nothing")
    if reading.reason == "key_missing":
        return look(what, "key missing", reading.advice)
    said = f"{reading.outcome} ({reading.reason})"
    if reading.reason in _NOTHING_KEPT:
        fact = "an answer that is not understood" if reading.reason == "layout_unknown" else "a fault of Monitor's"
        return look(what, f"{said}, {fact}", f"update Monitor; `monitor check {name}` keeps the page for a report")
    return look(what, said, reading.advice)


def robots(host: str, status: int | None, allowed: bool, rule: str) -> Finding:
    """What the robots.txt of a search engine says of us; `status` is None where it could not be had."""
    what = f"robots.txt {host}"
    obeyed = rule == "obey"
    if status is None or not (status == 200 or 400 <= status < 500):
        if obeyed:
            return look(what, "could not be read, so nothing is asked this time", "run monitor doctor again later")
        return fine(what, 'could not be read; it is asked all the same, for [fetch] robots is "tell"')
    if allowed:
        return fine(what, "allows our question" + ("" if status == 200 else f" (there is none, status {status})"))
    if obeyed:
        step = 'set [fetch] robots = "tell" to ask all the same, or take the source out'
        return look(what, "disallows our question, so it is never asked", step)
    return fine(what, 'disallows our question; you are told and it is asked. [fetch] robots = "obey" keeps to it')


@dataclass(frozen=True, slots=True)
class Proof:
    """The newest `ok` reading of a kind of source: the parser's number then, its number today, and when it was.

    `name` is a source of that kind, `keeps` whether its pages are kept. One with `history` writes no reading without
    news, so that an old one says nothing against it.
    """

    kind: str
    today: int
    name: str
    keeps: bool = True
    history: bool = False
    parser: int | None = None
    at: datetime | None = None


def proof(facts: Proof, period: timedelta, now: datetime) -> Finding:
    """How long ago the parser of a kind of source was last proven by a real answer."""
    what = f"parser {facts.kind}"
    check = f"try it now: monitor check {facts.name}"
    if facts.at is None or facts.parser is None:
        return look(what, f"number {facts.today} has never read an answer here", check)
    said = f"number {facts.parser} read its last good answer {span(now - facts.at)} ago"
    if facts.parser > facts.today:
        return look(what, f"{said}, and this Monitor has only number {facts.today}", "update Monitor")
    if facts.parser < facts.today:
        again = f"try it on the kept pages: monitor reread {facts.name}" if facts.keeps else check
        return look(what, f"{said}; today's number {facts.today} has not read one yet", again)
    if not facts.history and now - facts.at > max(PROVEN, 3 * period):
        return look(what, said, check)
    return fine(what, said)


def log_day(name: str, files: int, newest: date | None, today: date) -> Finding:
    """Whether a site's log is still written; `newest` is the day of its newest line."""
    what = f"source {name}"
    found = f"{many(files, 'file')} matched and readable"
    if newest is None:
        return look(what, f"{found}, but no line in them yet", "look whether your web server writes there")
    said = f"{found}, the format is known, newest line of {newest}"
    if newest > today + timedelta(days=1):
        return look(what, f"{said}, a day that has not come yet", "look at the clock of the web server")
    if today - newest > LOG_QUIET:
        return look(what, said, f"look whether your web server still writes there, or set files of {name}")
    return fine(what, said)
