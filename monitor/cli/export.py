"""`monitor export`: a small database that may be shown to others."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click


@click.command()
@click.option(
    "--public",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file to write; one that an earlier export wrote is replaced.",
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="The first day taken.  [default: all]")
@click.option("--paths", type=click.IntRange(0), default=0, help="Name so many of the most read paths, too.")
@click.pass_obj
def export(config_path: Path, target: Path, since: datetime | None, paths: int) -> None:
    """Write a small database for others to see: ranks, page views, profile numbers, events, gaps.

    In it are your own pages only: no contacts, nobody else's page, no referrers, no evidence, no settings, and no
    search but that for your name. Its table `manifest` says so. Show it with datasette -i FILE.

    \b
    Example: monitor export --public public.db --since 2026-01-01
    """  # noqa: D301
    from monitor import config
    from monitor.store.connection import Store, StoreError
    from monitor.store.extract import write_extract

    settings = config.read(config_path)
    if not settings.database.exists():
        raise StoreError(f"There is no history yet at {settings.database}: monitor run", 1)
    with Store(settings.database):  # brought up to date, and not made anew by a newer program meanwhile
        names = (settings.owner.name, *settings.owner.aliases)
        rows = write_extract(settings.database, target, names, since.date() if since else None, paths)
    for name, count in rows.items():
        click.echo(f"{count:>9,}  {name}")
    click.echo(f"Written: {target}. Look through it before you publish it, at manifest first.")
    click.echo(f"Show it with: datasette -i {target} --setting default_allow_sql off")
