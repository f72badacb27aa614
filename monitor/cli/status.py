"""`monitor status`: how each source is doing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.config import Settings
    from monitor.store.connection import Store


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def status(config_path: Path, as_json: bool) -> int:
    """Say how each source is doing and when it is asked next. Exit code 1 when one needs attention.

    \b
    Example: monitor status
    """  # noqa: D301
    from monitor import config
    from monitor.store.connection import Store
    from monitor.times import utc_now

    settings = config.read(config_path)
    if not settings.database.exists():
        click.echo(f"Nothing has been read yet: start with `monitor run` (history will be in {settings.database}).")
        return 1
    with Store(settings.database) as store:
        rows = _rows(settings, store, utc_now())
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for row in rows:
            _print(row, settings)
    return 0 if all(row["outcome"] in ("ok", "empty") for row in rows) else 1


def _rows(settings: Settings, store: Store, now: datetime) -> list[dict[str, Any]]:
    from monitor.plan import plan
    from monitor.store import state
    from monitor.times import to_text

    health = {row["source"]: row for row in store.rows("select * from source_health")}
    known = [source for source in settings.sources if source.name in health]
    watched = [state.watched(store, source, health[source.name]["source_id"], now) for source in known]
    next_at = plan(watched, now, state.last_beat(store)).next_at
    rows = []
    for source in settings.sources:
        row = dict(health.get(source.name) or {"source": source.name, "outcome": None, "reason": "", "advice": ""})
        at = next_at.get(source.name)
        if source.name in health:
            at = state.next_asked(store, health[source.name]["source_id"], source.name, at)
        row["next_at"] = to_text(at) if at else None
        rows.append(row)
    return sorted(rows, key=lambda row: row["outcome"] in ("ok", "empty"))


def _print(row: dict[str, Any], settings: Settings) -> None:
    outcome = row["outcome"] or "not read yet"
    reason = f" ({row['reason']})" if row["reason"] else ""
    good = row.get("last_good_at")
    parts = [f"{row['source']}: {outcome}{reason}"]
    if outcome not in ("ok", "empty"):
        parts.append(f"last good {_local(good, settings)}" if good else "never read")
    else:
        parts.append(f"read {_local(good, settings)}")
    if row["next_at"]:
        parts.append(f"next {_local(row['next_at'], settings)}")
    click.echo(", ".join(parts))
    if row["advice"]:
        click.echo(f"    {row['advice']}")


def _local(text: str | None, settings: Settings) -> str:
    from zoneinfo import ZoneInfo

    from monitor.times import from_text

    if not text:
        return "never"
    return from_text(text).astimezone(ZoneInfo(settings.owner.timezone)).strftime("%Y-%m-%d %H:%M")
