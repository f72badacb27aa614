"""The story into a history of its own, in the order in which it came, through the store's own functions."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor import config
from monitor.config import Configured
from monitor.demo import callers, setup, story
from monitor.demo.exposing import Looks
from monitor.demo.people import People
from monitor.demo.profiles import Profiles
from monitor.demo.searches import Engine
from monitor.demo.span import Span, along
from monitor.demo.views import Site
from monitor.model import Contact, Count, Measure, Reading
from monitor.store import contacts, exposures, readings, sources, typed
from monitor.store.connection import Store
from monitor.store.local_key import hasher, path_of
from monitor.store.sources import row_id

MARK = 0x44454D4F
"""What `pragma user_version` says of an invented history ("DEMO"). A backup of one says it too."""
AT_ONCE = 400  # steps in one transaction


class NotADemo(Exception):
    """There is a history at this place that is nobody's invention."""

    exit_code = 65


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: the history and the config that goes with it."""

    database: Path
    config: Path
    readings: int


@dataclass
class _Story:
    """The story being written down: steps by instant, each a call that writes."""

    store: Store
    span: Span
    config: Path
    hashed: Callable[[str], str]
    ids: dict[str, int] = field(default_factory=dict)
    steps: list[tuple[datetime, Callable[[], object]]] = field(default_factory=list)
    known: dict[str, Configured] = field(default_factory=dict)

    def then(self, at: datetime, do: Callable[[], object]) -> None:
        """Have something written at its time, if that has come."""
        if at <= self.span.now:
            self.steps.append((at, do))

    def read(self, name: str, reading: Reading) -> None:
        """Have a reading of a source stored when it ended."""
        self.then(reading.finished_at, lambda: readings.save(self.store, self.ids[name], reading))

    def sync(self, stage: int, at: datetime) -> list[Configured]:
        """Have the config changed to that of a stage; returns the sources that it adds."""
        text = setup.config(stage, self.store.path.name)
        settings = config.parse(text, self.config)
        new = [one for one in settings.sources if one.name not in self.known]
        self.known |= {one.name: one for one in settings.sources}
        self.then(at, lambda: self.ids.update(sources.sync(self.store, settings, at)))
        return new


def make(database: Path, now: datetime, *, days: int = 548, seed: int = 7, port: int = 8010) -> Made:
    """Write the story into a new history, with its config beside it; an older demo there is replaced.

    The same seed, moment and number of days give the same history. Raises NotADemo where the place is taken by anything
    else, and StoreError.
    """
    path = database.with_suffix(".toml")
    _make_room(database, path)
    span = Span(now, days, ZoneInfo(story.ZONE), seed)
    with Store(database, clock=lambda: now) as store:
        with store.write() as db:
            db.execute(f"pragma user_version = {MARK}")
        hashed = hasher(store, lambda n: hashlib.sha256(f"demo {seed}".encode()).digest()[:n])
        told = _Story(store, span, path, hashed)
        _tell(told)
        _write(told)
        path.write_text(setup.config(-1, database.name, port), encoding="utf-8")
        sources.sync(store, config.read(path), now)
        (row,) = store.rows("select count(*) as n from readings")
    return Made(database, path, int(row["n"]))


def is_demo(database: Path) -> bool:
    """Whether a file is an invented history."""
    with contextlib.closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as conn:
        try:
            return bool(conn.execute("pragma user_version").fetchone()[0] == MARK)
        except sqlite3.DatabaseError:
            return False


def _make_room(database: Path, path: Path) -> None:
    """Take an older demo away, and nothing else."""
    if database.suffix != ".db":
        raise NotADemo(f"{database.name} is no name for a demo: let it end in .db.")
    if database.exists() and not is_demo(database):
        raise NotADemo(f"{database} is no demo, so it is left alone: name another file with --file.")
    if path.exists() and setup.SIGN not in path.read_text(encoding="utf-8", errors="replace"):
        raise NotADemo(f"{path} is no demo's config, so it is left alone: name another file with --file.")
    kept = database.with_name(f"{database.stem}-captures.db")
    for file in (kept, path_of(database)):
        if file.exists() and not database.exists():
            raise NotADemo(f"{file} belongs to another history: name another file with --file.")
    for file in (kept, path_of(database), path, database):  # the history last: it says that the rest may go
        for ending in ("", "-wal", "-shm"):
            file.with_name(file.name + ending).unlink(missing_ok=True)


def _write(told: _Story) -> None:
    """Write all steps in the order of time, many in one transaction."""
    steps = sorted(told.steps, key=lambda step: step[0])
    for n in range(0, len(steps), AT_ONCE):
        with told.store.write_bodies(), told.store.write():
            for _, do in steps[n : n + AT_ONCE]:
                do()


def _tell(told: _Story) -> None:
    span = told.span
    people = People(span, told.hashed)
    closed, opened = (span.at(span.day(share), time(19, 40)) for share in story.MAIL_GAP)
    later, found = (span.at(span.day(share), time(21, 5)) for share in (story.LATER, story.RESUME_FOUND))
    begins = ((0, span.since), (1, closed), (2, max(opened, later)), (3, found))
    for stage, at in begins:
        for one in told.sync(stage, at):
            until = closed if stage == 0 else span.now
            for reading in _of(told, one, people, at, until):
                told.read(one.name, reading)
    _looked(told)
    _exports(told, people)
    _typed(told)


def _of(told: _Story, one: Configured, people: People, since: datetime, until: datetime) -> Iterator[Reading]:
    """What a source gave since it was added."""
    match one.source.measure:
        case Measure.SEARCH:
            return Engine(told.span, one).readings(since)
        case Measure.PAGE_VIEWS:
            return Site(told.span, one).readings()
        case Measure.PROFILE:
            return Profiles(told.span).readings(one, since)
    if one.source.kind == "exposure":
        looks = Looks(told.span, one, told.hashed)
        told.then(since + timedelta(seconds=1), lambda: _begin_looking(told, looks))
        return looks.readings(since)
    return people.mails(one, since, until)


def _begin_looking(told: _Story, looks: Looks) -> None:
    source_id = told.ids[looks.configured.name]
    exposures.keep_identifiers(told.store, source_id, [looks.known()], told.span.now)
    exposures.keep_pages(told.store, source_id, (f"{story.SITE}/", story.RESUME), 0, lambda url: False)


def _looked(told: _Story) -> None:
    """The mailbox of today was looked at until now; and what the owner said of a sender."""
    span = told.span
    told.then(span.now, lambda: contacts.looked(told.store, told.ids[setup.MAILBOX], span.now))
    about = f"domain:{callers.NOT_A_CONTACT[0]}"
    said_at = span.at(span.day(0.64), time(18, 20))
    told.then(said_at, lambda: contacts.correct(told.store, about, "none", None, said_at))


def _exports(told: _Story, people: People) -> None:
    span = told.span
    empty = dict.fromkeys(("engine", "query", "locale", "device"), "")
    settings = {"subject": "linkedin", "file": "linkedin-export", "way": "export"}
    row = {"name": "import/linkedin-export", "measure": "contacts", "kind": "import", "provider": "linkedin", **empty}
    row |= {"day_zone": story.ZONE, "settings": json.dumps(settings)}

    def take(reading: Reading) -> None:
        with told.store.write() as db:
            source_id = row_id(db, row, reading.started_at)
        readings.save(told.store, source_id, reading)

    before = span.day(callers.EXPORTS[0] - 0.12)
    for share in callers.EXPORTS:
        day = span.day(share)
        reading = people.export(day, before)
        told.then(reading.finished_at, lambda reading=reading: take(reading))  # type: ignore[misc]
        before = day


def _typed(told: _Story) -> None:
    """What the owner typed: events, calls and the numbers that only she can see."""
    span, store = told.span, told.store

    def at(day: date, hour: int) -> datetime:
        return span.at(day, time(hour, 12, day.day))

    def event(day: date, title: str, url: str) -> None:
        told.then(at(day, 20), lambda: typed.add_event(store, day, title, url, "", at(day, 20), story.ZONE))

    def contact(day: date, origin: str, note: str) -> None:
        call = Contact(None, day, "call", origin, note)
        told.then(at(day, 18), lambda: typed.add_contact(store, call, at(day, 18), story.ZONE))

    def count(one: Count) -> None:
        told.then(at(one.day, 21), lambda: typed.add_count(store, one, at(one.day, 21), story.ZONE))

    for share, title, url in story.EVENTS:
        event(span.day(share), title, url)
    for share, origin, note in callers.CALLS:
        contact(span.day(share), origin, note)
    for n, share in enumerate(callers.PROFILE_VIEWS):
        day = span.day(share)
        views = round(4.1 * along(callers.WEEKLY, share) * span.chance("profile views", n).lognormvariate(0, 0.06))
        count(Count("linkedin", "profile_views", "90d", day, views, definition="typed by hand"))
    followers = Count("linkedin", "followers", "now", span.day(0.87), 500, precision="at_least")
    count(followers)
