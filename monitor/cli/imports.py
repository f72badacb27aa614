"""`monitor import`: results pages saved from a browser, and log files of a web server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from monitor.config import Settings
    from monitor.importing import Imported, Importer, ImportRefused
    from monitor.importing_logs import ImportedLog
    from monitor.store.connection import Store


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE...")
@click.option("--query", default="", help="What was searched for, where the page does not say.")
@click.option("--at", "at", metavar="TIME", help="When it was, as 2026-11-23T09:30, in your time zone.")
@click.option("--source", "name", default="", help="The source that log files go to, where there are several.")
@click.pass_obj
def import_(config_path: Path, paths: tuple[Path, ...], query: str, at: str | None, name: str) -> int:
    """Take in results pages saved from the browser (Google, Bing and others), or whole folders of them.

    Each becomes a reading of its engine and query. The same page taken twice counts once.

    A web server's log files, gzipped or not, are known by their lines and counted into the access_log source. Every
    line counts once, also when the source meets the same file later.

    \b
    Example: monitor import "Ada Example - Google Search.html"
    Example: monitor import old/access.log.*.gz
    """  # noqa: D301
    from monitor import config
    from monitor.importing import Importer
    from monitor.importing_logs import is_log
    from monitor.store import sources
    from monitor.store.connection import Store
    from monitor.times import utc_now

    settings = config.read(config_path)
    when = _when(at, settings.owner.timezone)
    logs = [path for path in paths if path.is_file() and is_log(path, settings)]
    with Store(settings.database) as store:
        ids = sources.sync(store, settings, utc_now())
        importer = Importer(settings, store, utc_now)
        refused = _tell(store, _pages(importer, [path for path in paths if path not in logs], query, when))
        if logs:
            refused += _tell(store, _logs(settings, store, ids, logs, name))
    return 1 if refused else 0


def _pages(
    importer: Importer, paths: Iterable[Path], query: str, when: datetime | None
) -> Iterator[Imported | ImportRefused]:
    from monitor.importing import ImportRefused

    for path in paths:
        try:
            if path.is_dir():
                yield from importer.folder(path)
            else:
                yield importer.file(path, query, when)
        except ImportRefused as error:
            yield error


def _logs(
    settings: Settings, store: Store, ids: dict[str, int], paths: list[Path], name: str
) -> Iterator[ImportedLog | ImportRefused]:
    from monitor.importing import ImportRefused
    from monitor.importing_logs import LogImporter, source_for_logs
    from monitor.times import utc_now

    try:
        configured = source_for_logs(settings, name)
    except ImportRefused as error:
        yield error
        return
    yield from LogImporter(settings, store, utc_now, configured, ids[configured.name]).files(paths)


def _tell(store: Store, done: Iterable[Imported | ImportedLog | ImportRefused]) -> int:
    """Say what became of each; gives how many were not taken, or not whole."""
    from monitor.importing import ImportRefused
    from monitor.importing_logs import ImportedLog

    refused = 0
    for one in done:
        if isinstance(one, ImportedLog):
            click.echo(_said_of_log(one))
            if one.refused:
                click.echo(f"{one.name}: {one.refused}", err=True)
            refused += bool(one.refused)
        else:
            refused += isinstance(one, ImportRefused)
            click.echo(_said(store, one), err=isinstance(one, ImportRefused))
    return refused


def _said_of_log(done: ImportedLog) -> str:
    if not done.lines:
        return f"{done.name}: was taken in before ({done.source})"
    days = f", {done.first} to {done.last}" if done.first != done.last else f", {done.first}" if done.first else ""
    return f"{done.name}: {done.lines:,} lines, {done.views:,} page views{days} ({done.source})"


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
