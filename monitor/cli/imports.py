"""`monitor import`: pages saved from a browser, what LinkedIn gives its members as files, and a web server's logs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from monitor.config import Settings
    from monitor.importing import Imported, ImportedFile, Importer, ImportRefused
    from monitor.importing_logs import ImportedLog
    from monitor.store.connection import Store


@click.command("import")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE|FOLDER..."
)
@click.option("--query", default="", help="What was searched for, where the page does not say.")
@click.option("--at", "at", metavar="TIME", help="When it was, as 2026-11-23T09:30, in your time zone.")
@click.option("--source", "name", default="", help="The source that log files go to, where there are several.")
@click.option("--json", "as_json", is_flag=True, help="Say what became of each as JSON.")
@click.pass_obj
def import_(config_path: Path, paths: tuple[Path, ...], query: str, at: str | None, name: str, as_json: bool) -> int:
    """Take in results pages saved from the browser (Google, Bing and others), or whole folders of them.

    Each becomes a reading of its engine and query. The same page taken twice counts once. Your public LinkedIn profile
    page, saved the same way, gives its followers and connections.

    A web server's log files, gzipped or not, are known by their lines and counted into the access_log source. Every
    line counts once, also when the source meets the same file later.

    LinkedIn's "copy of your data" (the ZIP, its unpacked folder, or one CSV of it) gives who approached you and your
    connections per day, and its analytics workbook impressions and followers. A contact that a mail told of counts
    once; the same file twice adds nothing, and a newer one revises.

    \b
    Example: monitor import "Ada Example - Google Search.html"
    Example: monitor import Complete_LinkedInDataExport_11-20-2026.zip
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
        refused = _tell(store, _pages(importer, [path for path in paths if path not in logs], query, when), as_json)
        if logs:
            refused += _tell(store, _logs(settings, store, ids, logs, name), as_json)
    return 1 if refused else 0


def _pages(
    importer: Importer, paths: Iterable[Path], query: str, when: datetime | None
) -> Iterator[Imported | ImportRefused]:
    from monitor.importing import ImportRefused
    from monitor.importing_archives import is_export_folder, take_export

    for path in paths:
        try:
            if path.is_dir() and is_export_folder(path):
                yield take_export(importer, path, when)
            elif path.is_dir():
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


def _tell(store: Store, done: Iterable[Imported | ImportedLog | ImportRefused], as_json: bool) -> int:
    """Say what became of each; gives how many were not taken, or not whole."""
    from monitor.importing import ImportRefused
    from monitor.importing_logs import ImportedLog

    refused = 0
    for one in done:
        if as_json:
            click.echo(json.dumps(_as_json(one), ensure_ascii=False))
            refused += isinstance(one, ImportRefused) or _not_whole(one)
        elif isinstance(one, ImportedLog):
            click.echo(_said_of_log(one))
            if one.refused:
                click.echo(f"{one.name}: {one.refused}", err=True)
            refused += bool(one.refused)
        else:
            refused += isinstance(one, ImportRefused) or _not_whole(one)
            click.echo(_said(store, one), err=isinstance(one, ImportRefused))
    return refused


def _not_whole(done: Imported | ImportedLog) -> bool:
    """Whether a log, or a file of an export, was not understood to its end."""
    from monitor.importing_logs import ImportedLog

    if isinstance(done, ImportedLog):
        return bool(done.refused)
    return any(file.state not in ("found", "absent") for file in done.files)


def _as_json(done: Imported | ImportedLog | ImportRefused) -> dict[str, Any]:
    """One line: what was given, and what became of it."""
    from monitor.importing import ImportRefused
    from monitor.importing_logs import ImportedLog

    if isinstance(done, ImportRefused):
        return {"refused": str(done)}
    if isinstance(done, ImportedLog):
        days = {"first": str(done.first or ""), "last": str(done.last or "")}
        return {**asdict(done), **days, "new": bool(done.lines)}
    said: dict[str, Any] = {"name": done.name, "source": done.series, "new": done.reading is not None}
    if done.reading:
        said |= {"reading_id": done.reading_id, "day": str(done.reading.day), "outcome": str(done.reading.outcome)}
    return said | ({"files": [asdict(file) for file in done.files]} if done.files else {})


def _said_of_file(file: ImportedFile) -> str:
    """One file of an export: what it added, and what of it was left out."""
    if file.state != "found":
        return f"  {file.name}: {file.state}"
    became = [f"{getattr(file, word):,} {word}" for word in ("new", "changed", "same", "elsewhere")]
    left = [
        f"{file.older:,} older than what a newer export says" if file.older else "",
        f"{file.own:,} begun by you" if file.own else "",
        f"{file.sponsored:,} sponsored" if file.sponsored else "",
        f"{len(file.rejected):,} rejected" if file.rejected else "",
    ]
    out = ", ".join(filter(None, left))
    lines = [f"    line {line}: {why}" for line, why in file.rejected[:10]]
    more = [f"    and {len(file.rejected) - 10} more"] if len(file.rejected) > 10 else []
    said = f"  {file.name}: {file.rows:,} rows: {', '.join(became)}" + (f"; left out: {out}" if out else "")
    return "\n".join([said, *lines, *more])


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
    if done.files:
        said = f"{done.name}: {done.reading.day} ({done.series})"
        return "\n".join([said, *(_said_of_file(file) for file in done.files)])
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
