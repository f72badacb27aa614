"""`monitor reread` and `monitor prune`: what is done with the kept pages."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@click.option("--dry", is_flag=True, help="Say what would differ and store nothing.")
@click.pass_obj
def reread(config_path: Path, names: tuple[str, ...], dry: bool) -> None:
    """Read the kept pages again with today's parsers, beside the old readings; prints what differs.

    \b
    Example: monitor reread duckduckgo
    """  # noqa: D301
    from monitor import config
    from monitor.cli.check import choose
    from monitor.importing import imported
    from monitor.reread import reread_source
    from monitor.store import sources
    from monitor.store.connection import Store
    from monitor.times import utc_now

    settings = config.read(config_path)
    with Store(settings.database) as store:
        ids = sources.sync(store, settings, utc_now())
        read = differ = gone = 0
        chosen = [(s, ids[s.name]) for s in choose(settings, names) if s.source.keep]
        for source, source_id in [*chosen, *([] if names else imported(store))]:
            for again in reread_source(store, source, source_id, utc_now, dry=dry):
                read += again.read
                gone += not again.read
                differ += bool(again.differs)
                if again.differs:
                    click.echo(f"{source.name} {again.day} (reading {again.reading_id}): {again.differs}")
    click.echo(f"{read} readings read again, {differ} differ; of {gone} the pages are no longer kept.")


@click.command()
@click.pass_obj
def prune(config_path: Path) -> None:
    """Let kept pages go that are older than [store] keep_captures; readings and numbers stay.

    \b
    Example: monitor prune
    """  # noqa: D301
    from monitor import config
    from monitor.store import captures
    from monitor.store.connection import Store
    from monitor.times import utc_now

    settings = config.read(config_path)
    with Store(settings.database) as store:
        gone = captures.prune(store, utc_now(), config.read_span(settings.store.keep_captures))
    click.echo(f"{gone.captures} kept pages let go ({gone.size / 1e6:.1f} MB before compression).")
