"""`monitor check`: a reading now, by the owner's own hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.attempt import Attempts
    from monitor.config import Configured, Settings
    from monitor.model import Batch


@click.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@click.option("--force", is_flag=True, help="Ask even though it was refused today.")
@click.option("--json", "as_json", is_flag=True, help="Print the readings as JSON.")
@click.pass_obj
def check(config_path: Path, names: tuple[str, ...], force: bool, as_json: bool) -> int:
    """Take a reading now of the named sources, or of all. Exit code 1 when one could not be read.

    \b
    Example: monitor check duckduckgo
    """  # noqa: D301
    import math

    from monitor import config
    from monitor.attempt import Attempts
    from monitor.memory import give_back
    from monitor.store import sources
    from monitor.store.connection import Store

    give_back()
    settings = config.read(config_path)
    chosen = choose(settings, names)
    with Store(settings.database) as store:
        attempts = Attempts(settings, store, most_seconds=math.inf)
        ids = sources.sync(store, settings, attempts.clock())
        rows = [row for source in chosen for row in _check(attempts, source, ids[source.name], force, not as_json)]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    return 0 if all(row["outcome"] in ("ok", "empty") for row in rows) else 1


def choose(settings: Settings, names: tuple[str, ...]) -> tuple[Configured, ...]:
    """The sources meant by the names, all for none. Raises UsageError for a name that is no source's."""
    from monitor.config_errors import nearest

    if not names:
        return settings.sources
    chosen: dict[str, Configured] = {}
    for name in names:
        found = settings.named(name)
        if not found:
            known = [name for s in settings.sources for name in (s.name, s.block)]
            hint = nearest(name, known) or f"; there are: {', '.join(dict.fromkeys(known))}"
            raise click.UsageError(f'no source is called "{name}"{hint}')
        chosen.update({source.name: source for source in found})
    return tuple(chosen.values())


def _check(attempts: Attempts, source: Configured, source_id: int, force: bool, talk: bool) -> list[dict[str, Any]]:
    from monitor.model import Trigger
    from monitor.outage import told
    from monitor.store import state

    now = attempts.clock()
    day = now.astimezone(source.zone).date()
    refused = state.refused_today(attempts.store, source_id, day)
    if refused and not force:
        said = f"{refused['reason']} today; ask again all the same with --force"
        if talk:
            click.echo(f"{source.name}: not asked, it was refused ({said}).")
        return [{"source": source.name, "outcome": "missed", "reason": "not_before", "advice": said}]
    if force:
        attempts.forget_refusals(source)
    rows = []
    bar = _Bar(source.name, attempts.read_so_far(source, source_id)) if talk and sys.stdout.isatty() else None
    for reading_id, reading in attempts.make(source, source_id, now, day, Trigger.MANUAL):
        if bar and reading.batch and reading.outcome in ("ok", "empty"):
            bar.show(reading.batch)
        elif talk:
            click.echo(told(source.name, reading))
        rows.append(
            {
                "source": source.name,
                "reading_id": reading_id,
                "outcome": str(reading.outcome),
                "reason": reading.reason,
                "advice": reading.advice,
                "depth": reading.depth,
            }
        )
    if bar:
        bar.end()
    if not rows:
        rows = _unchanged(attempts, source, source_id, talk)
    return rows


class _Bar:
    """A line on the terminal that grows while logs are read, from where they were left; nothing new shows nothing."""

    def __init__(self, name: str, files: Mapping[str, tuple[int, int]]) -> None:
        self.name, self.total = name, sum(size for _, size in files.values())
        self.seen = {file: read for file, (read, _) in files.items()}
        self.read: dict[str, None] = {}

    def show(self, batch: Batch) -> None:
        """A batch was stored. Of a packed file only the end is known for sure: its bytes count as they are unpacked."""
        from monitor.attempt import so_far

        name = batch.after.name
        self.seen[name], self.read[name] = so_far(batch.after, batch.after.size), None
        share = min(1.0, sum(self.seen.values()) / self.total) if self.total else 1.0
        width = int(30 * share)
        click.echo(f"\r\x1b[K{self.name}: {'#' * width}{'.' * (30 - width)} {share:4.0%} {name}", nl=False)

    def end(self) -> None:
        """All is read, or it was interrupted: what was stored stays."""
        if self.read:
            click.echo(f"\r\x1b[K{self.name}: ok, read {', '.join(self.read)}")


def _unchanged(attempts: Attempts, source: Configured, source_id: int, talk: bool) -> list[dict[str, Any]]:
    """A source with history that had nothing new: as its newest reading says."""
    from monitor.store import state

    last = state.newest(attempts.store, source_id)
    row = {"source": source.name, "outcome": "ok", "reason": "", "advice": ""} if last is None else {
        "source": source.name, "outcome": last["outcome"], "reason": last["reason"], "advice": last["advice"]
    }  # fmt: skip
    if talk:
        trouble = f"still {row['outcome']} ({row['reason']}). {row['advice']}"
        click.echo(f"{source.name}: {'nothing new' if row['outcome'] in ('ok', 'empty') else trouble}")
    return [row]
