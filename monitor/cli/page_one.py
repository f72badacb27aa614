"""`monitor page-one` and `monitor why`: who stands on page one, and why a rank moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.plain import inert

if TYPE_CHECKING:
    from monitor.config import Settings
    from monitor.store.connection import Store

ORDER = "select * from page_one where kind = 'organic' order by source, position"


@click.command("page-one")
@click.argument("engine", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def page_one(config_path: Path, engine: str | None, as_json: bool) -> int:
    """Print the newest results pages with a number for each result, to be used with label.

    \b
    Example: monitor page-one
             monitor label 4 namesake
    """  # noqa: D301
    with _open(config_path) as store:
        rows = numbered(store)
    rows = [row for row in rows if engine in (None, row["engine"], row["source"])]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not rows:
        click.echo("No results page has been read yet: monitor check")
    else:
        _print(rows)
    return 0 if rows else 1


def numbered(store: Store) -> list[dict[str, Any]]:
    """The results of the newest pages, each with its number `n`: the same until a new page is read."""
    return [{"n": n, **row} for n, row in enumerate(store.rows(ORDER), 1)]


def _print(rows: list[dict[str, Any]]) -> None:
    source = ""
    for row in rows:
        if row["source"] != source:
            source = row["source"]
            click.echo(f"\n{source}, {row['day']}, {row['depth']} results seen")
        whose = row["whose"] if row["labelled"] else "-"
        click.echo(f"  {row['n']:>3}  at {row['position']:<3} {whose:<9} {inert(row['url'] or '(no address)')}")
        click.echo(f"       {inert(row['title'])[:100]}")


@click.command()
@click.argument("engine")
@click.option("--day", help="The day of the move, as 2026-11-23; the newest when left out.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def why(config_path: Path, engine: str, day: str | None, as_json: bool) -> int:
    """Say why a rank moved, with the evidence, or that it cannot be told.

    \b
    Example: monitor why duckduckgo --day 2026-11-23
    """  # noqa: D301
    from monitor.insight import why as explain
    from monitor.store import pages

    told: list[dict[str, Any]] = []
    with _open(config_path) as store:
        for source in _sources(store, engine):
            two = pages.last_two(store, source["id"], day or "9999-12-31")
            if two is None:
                told.append(
                    {"source": source["name"], "said": "Fewer than two days were read: nothing to compare yet."}
                )
                continue
            others = pages.elsewhere(store, source["id"], two[0].day, two[1].day)
            found = explain(*two, others)
            told += [{"source": source["name"], "said": f.said, "readings": f.readings} for f in found]
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    _tell(told)
    return 0


def _tell(told: list[dict[str, Any]]) -> None:
    source = ""
    for row in told:
        if row["source"] != source:
            source = row["source"]
            evidence = row.get("readings")
            click.echo(f"{source}{' (readings ' + ' and '.join(map(str, evidence)) + ')' if evidence else ''}")
        click.echo(f"  {inert(row['said'])}")


def _sources(store: Store, engine: str) -> list[dict[str, Any]]:
    found = store.rows(
        "select id, name from searches where retired_at is null and (engine = ? or name = ?) order by name",
        (engine, engine),
    )
    if not found:
        known = [row["engine"] for row in store.rows("select distinct engine from searches where retired_at is null")]
        raise click.BadParameter(f'no search of "{engine}"; there are: {", ".join(known) or "none yet"}')
    return found


def _open(config_path: Path) -> Store:
    from monitor import config
    from monitor.store import sources
    from monitor.store.connection import Store
    from monitor.times import utc_now

    settings: Settings = config.read(config_path)
    store = Store(settings.database)
    sources.sync(store, settings, utc_now())
    return store
