"""The configured sources and labels as rows: kept in step with the config file, history left standing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from monitor import labels as rules
from monitor import urls
from monitor.config import Configured, Settings
from monitor.labels import Label
from monitor.store.connection import Store
from monitor.store.state import schedule_text
from monitor.times import from_text, to_text

HOST_ONLY = "host:"
AT_ONCE = 500  # URLs asked for in one statement: SQLite before 3.32 takes 999 arguments at the most
_NEW_URL = "insert into urls (url, canonical, host, whose, label_id) values (?, ?, ?, ?, ?)"
IDENTITY = ("name", "measure", "kind", "engine", "provider", "query", "locale", "device", "day_zone", "settings")


def sync(store: Store, settings: Settings, now: datetime) -> dict[str, int]:
    """Make the rows say what the config says; returns the row id of each source by name.

    A source whose series changed is retired and a new one begins; one that comes back as it was goes on.
    """
    with store.write() as db:
        owner = (settings.owner.name, settings.owner.timezone, settings.digest)
        if db.execute("select name, timezone, config from owner").fetchall() != [owner]:
            db.execute("delete from owner")
            db.execute("insert into owner (name, timezone, config) values (?, ?, ?)", list(owner))
        ids = {source.name: _row_of(db, source, now) for source in settings.sources}
        for source in settings.sources:
            _keep_schedule(db, ids[source.name], source)
        marks = ",".join("?" * len(ids))
        db.execute(
            "update sources set retired_at = ? where retired_at is null"  # noqa: S608
            " and measure <> 'typed' and kind <> 'import'"
            f" and id not in ({marks})",
            [to_text(now), *ids.values()],
        )
        _sync_labels(db, set(settings.labels), now)
    return ids


def _row_of(db: Database, configured: Configured, now: datetime) -> int:
    series = configured.source.series()
    control = {"control": configured.control} if configured.control else {}
    row = {
        "name": configured.name,
        "measure": str(configured.source.measure),
        "kind": configured.source.kind,
        "engine": series.engine,
        "provider": series.provider,
        "query": series.query,
        "locale": series.locale,
        "device": series.device,
        "day_zone": "log" if series.day_zone == "log" else configured.day_zone,
        "settings": json.dumps({"subject": series.subject, **control}),
    }
    return row_id(db, row, now)


def _keep_schedule(db: Database, source_id: int, configured: Configured) -> None:
    """When a source is asked is no part of what it is: it changes in place."""
    said = (schedule_text(configured.schedule), int(configured.source.history))
    if db.execute("select schedule, history from sources where id = ?", [source_id]).fetchone() != said:
        db.execute("update sources set schedule = ?, history = ? where id = ?", [*said, source_id])


def row_id(db: Database, row: dict[str, str], now: datetime) -> int:
    """The id of the source with this identity, made or brought back as needed; its namesake of before is retired."""
    where = " and ".join(f"{name} = ?" for name in IDENTITY)
    found = db.execute(
        f"select id, retired_at from sources where {where} order by retired_at is null desc, id desc limit 1",  # noqa: S608
        [row[name] for name in IDENTITY],
    ).fetchone()
    if found and found[1] is None:
        return int(found[0])
    db.execute("update sources set retired_at = ? where name = ? and retired_at is null", [to_text(now), row["name"]])
    if found:
        db.execute("update sources set retired_at = null where id = ?", [found[0]])
        return int(found[0])
    return inserted(db, "sources", {**row, "added_at": to_text(now)})


def inserted(db: Database, table: str, row: dict[str, Any]) -> int:
    """Insert a row and return its id."""
    return int(str(db.table(table).insert(row).last_pk))


def _sync_labels(db: Database, want: set[tuple[str, str]], now: datetime) -> None:
    have = set(db.execute("select pattern, whose from labels where origin = 'config'").fetchall())
    if want == have:
        return
    for pattern, whose in have - want:
        db.execute("delete from labels where origin = 'config' and pattern = ? and whose = ?", [pattern, whose])
    for pattern, whose in sorted(want - have):
        _add_label(db, pattern, whose, "config", now)
    _relabel(db)


def _add_label(db: Database, pattern: str, whose: str, origin: str, now: datetime) -> None:
    db.execute(
        "insert into labels (pattern, match, whose, origin, added_at, host) values (?, ?, ?, ?, ?, ?)"
        " on conflict (pattern, origin) do update set whose = excluded.whose, added_at = excluded.added_at",
        [pattern, rules.read_pattern(pattern), whose, origin, to_text(now), rules.host_of(pattern)],
    )


def relabel(store: Store, pattern: str, whose: str, now: datetime) -> int:
    """Label a pattern by command (`none` takes a command's label away); the whole past follows at once.

    Returns how many stored URLs now belong to someone else than before. Raises ValueError on a pattern that is none.
    """
    rules.read_pattern(pattern)
    with store.write() as db:
        if whose == "none":
            db.execute("delete from labels where pattern = ? and origin = 'command'", [pattern])
        else:
            _add_label(db, pattern, whose, "command", now)
        return _relabel(db)


def all_labels(db: Database) -> list[Label]:
    """The labels in force."""
    rows = db.execute("select pattern, match, whose, origin, added_at, id from labels").fetchall()
    return [
        Label(pattern, match, whose, origin, from_text(added_at), label_id)
        for pattern, match, whose, origin, added_at, label_id in rows
    ]


def whose(url: str, labels: list[Label]) -> Label | None:
    """The label that speaks for a stored URL; `host:example.org` is a result of which only the host is known."""
    known = url.removeprefix(HOST_ONLY)
    return rules.whose(url, labels) if known == url else rules.whose_host(known, labels)


def url_id(db: Database, url: str, labels: list[Label]) -> int:
    """The row of a URL, made and labelled when it is new."""
    found = db.execute("select id from urls where url = ?", [url]).fetchone()
    return int(found[0]) if found else int(db.execute(_NEW_URL, _url_row(url, labels)).lastrowid or 0)


def url_ids(db: Database, wanted: Iterable[str]) -> dict[str, int]:
    """The rows of many URLs, those that are new made and labelled."""
    wanted = list(wanted)
    found = _known_urls(db, wanted)
    if new := [url for url in wanted if url not in found]:
        labels = all_labels(db)
        db.conn.executemany(_NEW_URL, [_url_row(url, labels) for url in new])
        found |= _known_urls(db, new)
    return found


def _known_urls(db: Database, wanted: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        marks = ",".join("?" * len(some))
        found.update(db.execute(f"select url, id from urls where url in ({marks})", some).fetchall())  # noqa: S608
    return found


def _url_row(url: str, labels: list[Label]) -> tuple[str, str, str, str, int | None]:
    label = whose(url, labels)
    shown = url.removeprefix(HOST_ONLY)
    canonical = urls.canonical(url) if shown == url else url
    return url, canonical, urls.host(shown), label.whose if label else "other", label.id if label else None


def _relabel(db: Database) -> int:
    labels = all_labels(db)
    changed, weigh = [], []
    for url_id, url, was, label_id in db.execute("select id, url, whose, label_id from urls").fetchall():
        label = whose(url, labels)
        new = (label.whose, label.id) if label else ("other", None)
        if new != (was, label_id):
            changed.append((*new, url_id))
        if new[0] != was and {new[0], was} & {"mine", "unwanted"}:
            weigh.append((url_id, was, new[0]))
    db.conn.executemany("update urls set whose = ?, label_id = ? where id = ?", changed)
    if weigh:
        db.execute("insert into whose_todo (changed) values (?)", [json.dumps(weigh)])
    return len(changed)
