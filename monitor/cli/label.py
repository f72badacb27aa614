"""`monitor label`: whose pages are."""

from __future__ import annotations

from pathlib import Path

import click

WHOSE = ("mine", "about_me", "namesake", "unwanted", "other", "none")


@click.command()
@click.argument("pattern")
@click.argument("whose", type=click.Choice(WHOSE))
@click.pass_obj
def label(config_path: Path, pattern: str, whose: str) -> None:
    """Say whose the pages of a pattern are; `none` takes the label away. No page is fetched for it.

    A pattern is a host (example.org), a domain with all below it (*.example.org), a part of a host
    (github.com/jane) or one page (https://example.org/about).

    \b
    Example: monitor label example.org mine
    """  # noqa: D301
    from monitor import config
    from monitor.store import sources
    from monitor.store.connection import Store
    from monitor.times import utc_now

    settings = config.read(config_path)
    with Store(settings.database) as store:
        sources.sync(store, settings, utc_now())
        try:
            changed = sources.relabel(store, pattern, whose, utc_now())
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="PATTERN") from None
        ranks = store.rows("select engine, query, position, depth from current_ranks order by engine")
    done = "has no label of yours any more" if whose == "none" else f"is labelled {whose}"
    click.echo(f"{pattern} {done}; {changed} known pages changed hands, in all of the past.")
    if whose == "none" and any(pattern == known for known, _ in settings.labels):
        click.echo(f"{settings.path} still labels it: take it out there too.")
    for rank in ranks:
        place = f"at {rank['position']}" if rank["position"] else f"not within the {rank['depth']} results seen"
        click.echo(f"  {rank['engine']}, {rank['query']}: {place}")
