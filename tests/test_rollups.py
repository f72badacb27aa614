"""What triggers keep equals what the plain queries work out of the whole history, whatever happened in it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.model import Contact, Outcome, Reading, Result, Trigger
from monitor.store import migrations, readings, sources, typed
from monitor.store.connection import Store
from monitor.store.migrations import MIGRATIONS
from tests.made import DAY, NOW, reading, settings

SEARCHES = """
[[search]]
kind = "duckduckgo"
queries = ["Ada Example", "Ada E. Example"]
control = "known.example"

[[search]]
kind = "mojeek"
"""
HOSTS = ("ada.example", "bad.example", "c.example", "known.example", "opaque.example")
URLS = [f"http://{host}/{n}" for host in HOSTS for n in range(3)]
LABELS = (
    "ada.example", "bad.example", "http://ada.example/1", "http://c.example/2", "opaque.example", "opaque.example/1",
    "http://opaque.example/2", "c.example/1",
)  # fmt: skip
OUTCOMES = (*[Outcome.OK] * 6, Outcome.EMPTY, Outcome.SUSPECT, Outcome.FAILED, Outcome.BLOCKED)

# The views as they were before anything was kept beside what they follow.
PLAIN = (Path(__file__).parent / "plain_views.sql").read_text(encoding="utf-8")


def plain_name(sql: str, names: list[str]) -> str:
    return re.sub(rf"\b({'|'.join(names)})\b", r"plain_\1", sql)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "presence.db") as store:
        yield store


def some_reading(rng: random.Random, control: bool) -> Reading:
    """A reading of any outcome on one of a few days, of any trigger, at a slot that others may have too."""
    at = NOW + timedelta(days=rng.randrange(12), minutes=rng.randrange(3))
    outcome = rng.choice(OUTCOMES)
    pool = [*URLS, *(["http://known.example/0"] * 4 if control else [])]
    seen = dict.fromkeys(rng.choices(pool, k=rng.randrange(14))) if outcome in OUTCOMES[:8] else {}
    made = reading(*seen, at=at, outcome=outcome, reason="" if outcome is Outcome.OK else "timeout")
    records = tuple(
        replace(r, match_precision="host", shown_host="opaque.example")
        if isinstance(r, Result) and "opaque" in r.url and rng.random() < 0.7
        else r
        for r in made.records
    )
    if rng.random() < 0.1:  # results in the page's order whose places could not be told
        records = tuple(replace(r, position=None) if isinstance(r, Result) else r for r in records)
    started = at + timedelta(seconds=rng.randrange(5))
    trigger = rng.choice((Trigger.SCHEDULE, Trigger.MANUAL, Trigger.IMPORT))
    return replace(made, records=records, started_at=started, finished_at=started, trigger=trigger)


def live(store: Store, folder: Path, seed: int, steps: int) -> Iterator[int]:
    """A history in which everything happens that the store can do, in any order."""
    rng = random.Random(seed)
    ids = sources.sync(store, settings(folder, SEARCHES), NOW)
    for step in range(steps):
        kind, (name, source_id) = rng.random(), rng.choice(list(ids.items()))
        if kind < 0.75:
            readings.save(store, source_id, some_reading(rng, "control" in name))
        elif kind < 0.92:
            whose = rng.choice(("mine", "mine", "unwanted", "about_me", "none"))
            sources.relabel(store, rng.choice(LABELS), whose, NOW)
        elif kind < 0.96:
            text = SEARCHES if rng.random() < 0.5 else SEARCHES.partition("\n\n")[0]
            mine = rng.sample(LABELS, 2)
            ids |= sources.sync(store, settings(folder, f"{text}\n[labels]\nmine = {mine}\n"), NOW)
        elif kind < 0.98:
            typed.add_event(store, DAY, "an event", "", "", NOW + timedelta(seconds=step), "UTC")
            typed.add_contact(store, Contact(None, DAY, "call", "search"), NOW + timedelta(seconds=step), "UTC")
        else:
            last = store.rows("select max(id) as id from readings where \"trigger\" = 'schedule'")[0]["id"]
            if last:
                again = replace(some_reading(rng, False), trigger=Trigger.REREAD, reread_of=last)
                row = store.rows("select source_id from readings where id = ?", (last,))[0]
                readings.save(store, row["source_id"], again)
        yield step


def differing(store: Store) -> dict[str, object]:
    """The views whose rows are not those of the plain query, with what differs."""
    names = re.findall(r"(?m)^create view (\w+)", PLAIN)
    found: dict[str, object] = {}
    for name in names:
        new = [tuple(row.items()) for row in store.rows(f"select * from {name}")]
        old = [tuple(row.items()) for row in store.rows(f"select * from plain_{name}")]
        if sorted(new, key=repr) != sorted(old, key=repr):
            found[name] = (set(new) - set(old), set(old) - set(new))
    return found


def put_plain_views(store: Store) -> None:
    names = re.findall(r"(?m)^create view (\w+)", PLAIN)
    with store.write() as db:
        migrations._run(db, plain_name(PLAIN, names))


@pytest.mark.parametrize("seed", range(6))
def test_every_view_says_what_the_plain_query_says(store: Store, tmp_path: Path, seed: int) -> None:
    put_plain_views(store)
    for step in live(store, tmp_path, seed, 120):
        if step % 20 == 19:
            assert differing(store) == {}, f"after step {step}"
    filled = {name for name in ("daily_ranks", "gaps", "page_one_changes") if store.rows(f"select * from {name}")}
    assert filled == {"daily_ranks", "gaps", "page_one_changes"}


def test_a_typed_reading_taken_back_leaves_nothing_behind(store: Store) -> None:
    put_plain_views(store)
    typed.add_event(store, DAY, "one", "", "", NOW, "UTC")
    typed.add_event(store, DAY, "two", "", "", NOW, "UTC")
    assert len(store.rows("select * from outdone_readings")) == 1
    for left in (1, 0):
        typed.undo(store)
        assert len(store.rows("select * from counted_days")) == left
        assert store.rows("select * from outdone_readings") == []
        assert differing(store) == {}


def test_doubt_about_opaque_links_comes_and_goes_with_the_labels(store: Store, tmp_path: Path) -> None:
    put_plain_views(store)
    source_id = sources.sync(store, settings(tmp_path, SEARCHES), NOW)["mojeek/ada-example"]
    made = reading("http://opaque.example/r?1", "http://c.example/1", at=NOW)
    opaque = [replace(r, match_precision="host", shown_host="opaque.example") for r in made.records[:1]]
    readings.save(store, source_id, replace(made, records=(*opaque, *made.records[1:])))
    sources.relabel(store, "ada.example", "mine", NOW)
    seen = []
    for pattern, whose in (
        ("http://opaque.example/me", "mine"),
        ("http://opaque.example/me", "about_me"),
        ("http://opaque.example/me", "mine"),
        ("http://opaque.example/me", "none"),
        ("opaque.example/me", "mine"),
        ("opaque.example/me", "none"),
    ):
        sources.relabel(store, pattern, whose, NOW)
        seen.append(len(store.rows("select * from daily_ranks")))
        assert differing(store) == {}, (pattern, whose)
    assert seen == [0, 1, 0, 1, 0, 1]


def test_a_history_brought_up_to_date_is_one_that_was_kept(tmp_path: Path) -> None:
    """The step that makes the roll-ups gives what the triggers would have."""
    with Store(tmp_path / "presence.db") as store:
        for _ in live(store, tmp_path, 11, 150):
            pass
        kept = {name: store.rows(f"select * from {name} order by 1, 2") for name in ("counted_days", "rank_days")}
        kept["outdone_readings"] = store.rows("select * from outdone_readings order by 1")
        assert all(kept.values())
        script = migrations._text("009_ranks.sql")
        with store.write() as db:
            made = re.findall(r"(?m)^create (table|index|trigger) (\w+)", script)
            for kind, name in sorted(made, key=lambda m: ("trigger", "index", "table").index(m[0])):
                if kind == "table":
                    for (view,) in db.execute("select name from sqlite_master where type = 'view'").fetchall():
                        db.execute(f"drop view {view}")
                db.execute(f"drop {kind} {name}")
            db.execute("delete from _monitor_views")
            db.execute("delete from _sqlite_migrations where name = '009_ranks'")
    with Store(tmp_path / "presence.db") as store:
        assert {name: store.rows(f"select * from {name} order by 1, 2") for name in ("counted_days", "rank_days")} == {
            name: kept[name] for name in ("counted_days", "rank_days")
        }
        assert store.rows("select * from outdone_readings order by 1") == kept["outdone_readings"]
        assert MIGRATIONS.name == "monitor"
