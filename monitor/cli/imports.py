"""`monitor import`: results pages saved from a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.importing import Imported, ImportRefused
    from monitor.store.connection import Store


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE...")
@click.option("--query", default="", help="What was searched for, where the page does not say.")
@click.option("--at", "at", metavar="TIME", help="When it was, as 2026-11-23T09:30, in your time zone.")
@click.pass_obj
def import_(config_path: Path, paths: tuple[Path, ...], query: str, at: str | None) -> int:
    """Take in results pages saved from the browser (Google, Bing and others), or whole folders of them.

    Each becomes a reading of its engine and query. The same page taken twice counts once.

    \b
    Example: monitor import "Ada Example - Google Search.html"
    """  # noqa: D301
    from monitor import config
    from monitor.importing import Importer, ImportRefused
    from monitor.store import sources
    from monitor.store.connection import Store
    from monitor.times import utc_now

    settings = config.read(config_path)
    when = _when(at, settings.owner.timezone)
    refused = 0
    with Store(settings.database) as store:
        sources.sync(store, settings, utc_now())
        importer = Importer(settings, store, utc_now)
        for path in paths:
            done: list[Imported | ImportRefused]
            try:
                done = list(importer.folder(path)) if path.is_dir() else [importer.file(path, query, when)]
            except ImportRefused as error:
                done = [error]
            for one in done:
                refused += isinstance(one, ImportRefused)
                click.echo(_said(store, one), err=isinstance(one, ImportRefused))
    return 1 if refused else 0


def _said(store: Store, done: Imported | ImportRefused) -> str:
    from monitor.importing import ImportRefused
    from monitor.outage import told

    if isinstance(done, ImportRefused):
        return str(done)
    if done.reading is None:
        return f"{done.name}: was taken in before ({done.series})"
    rank = store.rows("select position, depth from daily_ranks where reading_id = ?", (done.reading_id,))
    place = ""
    if rank:
        found = rank[0]["position"]
        place = f"; you are at {found}" if found else f"; you are not within the {rank[0]['depth']} results seen"
    return f"{done.name}: {done.reading.day}, {told(done.series, done.reading)}{place}"


def _when(at: str | None, timezone: str) -> datetime | None:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    if at is None:
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise click.BadParameter(f'"{at}" is no time; write it as 2026-11-23T09:30', param_hint="--at") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))
