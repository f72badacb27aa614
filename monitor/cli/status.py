"""`monitor status`: how each source is doing, and for a service manager whether all is well.

A look at the history alone, on the standard library: the config is checked in full only where it is not the one that
the history was last written by.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from monitor.store.reader import HasRows, Reader

ALIVE = timedelta(minutes=3)
"""How old the newest sign of life of a running monitor may be; it gives one every 15 s."""

GOOD = ("ok", "empty")
_LOOKS_FRESH = timedelta(days=2)
_NEEDS = frozenset({"schedule", "gap_days_of_30"})  # columns of source_health


@click.command()
@click.option("--check", is_flag=True, help="Print one line; exit code 1 unless monitor runs and every source is read.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def status(config_path: Path, check: bool, as_json: bool) -> int:
    """Say how each source is doing and when it is asked next. Exit code 1 when one needs attention.

    \b
    Example: monitor status
             monitor status --check      (for a service manager)
    """  # noqa: D301
    if not check:
        seen = _look(config_path, full=True)
        click.echo(json.dumps(seen, indent=2, ensure_ascii=False) if as_json else "\n".join(_told(seen)))
        well = all(row["outcome"] in GOOD and not row["losing"] for row in seen["sources"])
        return 0 if seen["begun"] and well else 1
    fine, said = _in_one_line(config_path)
    click.echo(json.dumps({"fine": fine, "said": said}, ensure_ascii=False) if as_json else said)
    return 0 if fine else 1


def _in_one_line(config_path: Path) -> tuple[bool, str]:
    """Whether all is well, and the one line that says so or why not; what cannot be used is told so too."""
    from monitor import config_path as light
    from monitor.store.trouble import StoreError

    if light.find(config_path) is None:
        from monitor.config_errors import ConfigError

        try:
            _checked(config_path)
        except ConfigError as error:
            return False, str(error).splitlines()[0]
    try:
        return _verdict(_look(config_path, full=False))
    except StoreError as error:
        return False, str(error)


# --- what there is to see ------------------------------------------------------------------------------------------


def _look(config_path: Path, *, full: bool) -> dict[str, Any]:
    """All that `--json` prints. `full` checks a config file that has changed. Raises ConfigError and StoreError."""
    from monitor import config_path as light
    from monitor.store.reader import opened
    from monitor.times import utc_now

    found = light.find(config_path)
    database = found.database if found else _checked(config_path)
    if not database.exists():
        if full:
            _checked(config_path)
        return {"begun": False, "database": str(database), "sources": [], "hosts": [], "heartbeat": None}
    with opened(database, "source_health", _NEEDS) as reader:
        owner = (reader.rows("select timezone, config from owner") or [{"timezone": "UTC", "config": None}])[0]
        changed = bool(found and owner["config"] not in (None, "", found.digest))
        if changed and full:
            _checked(config_path)
        return {
            "begun": True,
            "database": str(database),
            "timezone": owner["timezone"],
            "config_changed": changed,
            **_seen(reader, utc_now()),
        }


def _checked(config_path: Path) -> Path:
    """The history's file by the whole config. Raises ConfigError with all that is wrong in it."""
    from monitor import config

    return config.read(config_path).database


def _seen(reader: Reader, now: datetime) -> dict[str, Any]:
    from monitor.plan import plan
    from monitor.store import state

    watched, last_beat = state.all_watched(reader, now), state.last_beat(reader)
    next_at = plan(list(watched.values()), now, last_beat).next_at
    hosts = state.hosts(reader, now)
    rows = []
    for row in reader.rows("select * from source_health order by source"):
        source, source_id = watched[row["source_id"]], row["source_id"]
        brought = row["kind"] == "import"  # by the owner's hand: never due, and so never late
        at = None if brought else state.next_asked(reader, source_id, source.name, next_at.get(source.name))
        since = None if brought else _without_since(reader, row, history=source.history)
        rows.append(
            {
                **row,
                "next_at": _text(at),
                "good_seconds_ago": _seconds(row["last_good_at"], now),
                "too_long": since is not None and now - since > _patience(source.schedule.period),
                "without_since": _text(since),
                "losing": _losing(reader, row, now),
                "host": hosts.get(state.host_of(reader, source_id)),
            }
        )
    rows.sort(key=lambda row: row["outcome"] in GOOD)
    return {"sources": rows, "hosts": list(hosts.values()), "heartbeat": _heartbeat(reader, now)}


def _without_since(reader: HasRows, row: dict[str, Any], *, history: bool) -> datetime | None:
    """Since when a source has been without a good reading; None while it has just what it should.

    A source with history writes no reading when there is no news: it is well as long as its newest one is.
    """
    from monitor.store import state
    from monitor.times import from_text

    if history and row["outcome"] in GOOD:
        return None
    trouble = state.trouble_since(reader, row["source_id"], row["good_reading_id"]) if history else None
    return trouble or from_text(row["last_good_at"] or row["added_at"])


def _losing(reader: HasRows, row: dict[str, Any], now: datetime) -> str:
    """What is about to be lost of a source whose numbers are kept for some days only; empty while there is time."""
    from monitor.times import from_text

    if not row["last_good_at"] or now - from_text(row["last_good_at"]) < _LOOKS_FRESH:
        return ""  # nothing is lost so soon: the source's class, which says for how long, need not be loaded
    from monitor.keeping import losing
    from monitor.sources import SOURCES, load

    section = "profiles" if row["measure"] == "profile" else row["measure"]
    by_day = "select 1 from counts where source_id = ? and window = 'day' limit 1"
    if (section, row["kind"]) not in SOURCES or not reader.rows(by_day, (row["source_id"],)):
        return ""
    source = load(section, row["kind"])
    return losing(source.kept, source.kept_days, from_text(row["last_good_at"]), now)


def _patience(period: timedelta) -> timedelta:
    """How long a source may go without a good reading: three of its periods, two days at least for daily ones."""
    return max(3 * period, timedelta(hours=48) if period >= timedelta(days=1) else timedelta())


def _heartbeat(reader: Reader, now: datetime) -> dict[str, Any] | None:
    from monitor.store.lock import is_at_work
    from monitor.store.state import STOPPED

    rows = reader.rows("select pid, started_at, beat_at, note from heartbeat where id = 1")
    if not rows:
        return None
    age = _seconds(rows[0]["beat_at"], now) or 0
    near = abs(age) < ALIVE.total_seconds()  # ahead: the clock was set back
    alive = near and rows[0]["note"] != STOPPED and is_at_work(reader.path)
    return {**rows[0], "seconds_ago": age, "alive": alive}


def _seconds(text: str | None, now: datetime) -> int | None:
    from monitor.times import from_text

    return int((now - from_text(text)).total_seconds()) if text else None


def _text(at: datetime | None) -> str | None:
    from monitor.times import to_text

    return to_text(at) if at else None


# --- in words ------------------------------------------------------------------------------------------------------


def _verdict(seen: dict[str, Any]) -> tuple[bool, str]:
    """Whether all is well, and the one sentence that says so or says why not."""
    if not seen["begun"]:
        return False, _not_begun(seen)
    beat = seen["heartbeat"]
    lost = "".join(f" {row['source']}: {row['losing']}" for row in seen["sources"] if row["losing"])
    if not (beat and beat["alive"]):
        return False, _running(seen) + lost
    late = [row for row in seen["sources"] if row["too_long"]]
    if not late:
        return (
            True,
            f"Fine: monitor run gave a sign of life {_ago(beat['seconds_ago'])}, sources: {len(seen['sources'])}.",
        )
    worst = min(late, key=lambda row: str(row["without_since"]))
    more = f" (and {len(late) - 1} more: monitor status names them)" if len(late) > 1 else ""
    since = _local(worst["without_since"], seen)
    return (
        False,
        f"{worst['source']} has had no good reading since {since}{more}. {worst['advice'] or ''}".rstrip() + lost,
    )


def _told(seen: dict[str, Any]) -> list[str]:
    if not seen["begun"]:
        return [_not_begun(seen)]
    lines = [line for row in seen["sources"] for line in _of_source(row, seen)]
    asked = [_calls(host) for host in seen["hosts"] if host["calls_this_month"]]
    if asked:
        lines.append(f"Asked this month: {', '.join(asked)}.")
    lines.append(_running(seen))
    if seen["config_changed"]:
        lines.append("The config file has changed since it was last read: reload monitor run (SIGHUP), or restart it.")
    return lines


def _of_source(row: dict[str, Any], seen: dict[str, Any]) -> list[str]:
    good = row["last_good_at"] and f"{_local(row['last_good_at'], seen)} ({_ago(row['good_seconds_ago'])})"
    reason = f" ({row['reason']})" if row["reason"] else ""
    parts = [f"{row['source']}: {row['outcome'] or 'not read yet'}{reason}"]
    if row["outcome"] in GOOD:
        parts.append(f"read {good}")
    elif row["outcome"]:
        parts.append(f"last good {good}" if good else "never read")
    if row["next_at"]:
        parts.append(f"next {_local(row['next_at'], seen)}")
    lines = [", ".join(parts)]
    if row["advice"]:
        lines.append(f"    {row['advice']}")
    if row["losing"]:
        lines.append(f"    {row['losing']}")
    if row["gap_days_of_30"]:
        lines.append(f"    {_many(row['gap_days_of_30'], 'day')} of the last 30 without a good reading")
    if row["host"] and row["host"]["reason"]:
        lines.append(f"    {_left_alone(row['host'], seen)}")
    return lines


def _left_alone(host: dict[str, Any], seen: dict[str, Any]) -> str:
    until = _local(host["left_alone_until"], seen)
    if host["reason"] == "breaker":
        return f"{host['host']} refused {host['blocked_in_row']} times in a row and is left alone until {until}"
    return f"{host['host']} asked to be left alone until {until}"


def _not_begun(seen: dict[str, Any]) -> str:
    return f"Nothing has been read yet: start with `monitor run` (history will be in {seen['database']})."


def _running(seen: dict[str, Any]) -> str:
    beat = seen["heartbeat"]
    if not beat:
        return "monitor run is not running: start it with `monitor run`."
    if beat["alive"]:
        return f"monitor run is running (last sign of life {_ago(beat['seconds_ago'])})."
    last = _local(beat["beat_at"], seen)
    return f"monitor run is not running (last sign of life {last}): start it with `monitor run`."


def _ago(seconds: int) -> str:
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{_many(seconds // size, unit)} ago"
    return f"{_many(seconds, 'second')} ago" if seconds > 1 else "just now"


def _many(count: int, one: str) -> str:
    return f"{count} {one if count == 1 else one + 's'}"


def _local(text: str, seen: dict[str, Any]) -> str:
    """An instant as the owner's clock shows it."""
    from zoneinfo import ZoneInfo

    from monitor.times import from_text

    return from_text(text).astimezone(ZoneInfo(seen["timezone"])).strftime("%Y-%m-%d %H:%M")


def _calls(host: dict[str, Any]) -> str:
    cost = f" (about {host['cost_this_month']:.2f} dollars)" if host["cost_this_month"] else ""
    return f"{host['host']} {host['calls_this_month']} times{cost}"
