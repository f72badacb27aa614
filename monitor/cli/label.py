"""`monitor label`: whose pages are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from monitor.store.connection import Store

WHOSE = ("mine", "about_me", "namesake", "unwanted", "other", "none")


@click.command()
@click.argument("pattern")
@click.argument("whose", type=click.Choice(WHOSE))
@click.pass_obj
def label(config_path: Path, pattern: str, whose: str) -> None:
    """Say whose the pages of a pattern are; `none` takes the label away. No page is fetched for it.

    A pattern is a host (example.org), a domain with all below it (*.example.org), a part of a host
    (github.com/jane) or one page (https://example.org/about). A number is a result of `monitor page-one`.

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
        if pattern.isdecimal():
            pattern = _numbered(store, int(pattern))
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


def _numbered(store: Store, n: int) -> str:
    """The pattern that covers result `n` of `monitor page-one`. Raises BadParameter where there is none."""
    from monitor.cli.page_one import numbered
    from monitor.labels import suggest, web_url

    row = next((row for row in numbered(store) if row["n"] == n), None)
    if row is None:
        raise click.BadParameter(f"page one has no result {n}: see monitor page-one", param_hint="PATTERN")
    found = suggest(row["url"]) or web_url(row["url"])
    if not found:
        raise click.BadParameter(f"result {n} has no address to label", param_hint="PATTERN")
    return found
