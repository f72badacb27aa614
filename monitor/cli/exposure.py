"""`monitor exposure`: on which pages the owner's own numbers and addresses stand."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.config import Settings
    from monitor.exposed import Exposed
    from monitor.store.reader import HasRows

KINDS_OF = {"call": "phone", "mail": "mail"}  # by which of the owner's identifiers a contact came
_COLUMNS = frozenset({"identifier", "state", "gone_day"})


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, with the readings behind each sentence.")
@click.pass_obj
def exposure(config_path: Path, as_json: bool) -> int:
    """Say on which pages your own numbers, mails and addresses stand. Exit code 1: on one where you do not mean it.

    \b
    Example: monitor exposure
    """  # noqa: D301
    from monitor import config
    from monitor.store.reader import opened

    settings = config.read(config_path)
    with opened(settings.database, "exposures", _COLUMNS) as store:
        answer = answered(store, allowed(settings))
    if as_json:
        click.echo(json.dumps(asdict(answer), indent=2, ensure_ascii=False))
    else:
        for one in (*answer.identifiers, *answer.unread, *answer.steps):
            click.echo(one.said)
    return 1 if answer.unwanted else 0


def answered(store: HasRows, meant: Callable[[str], bool]) -> Exposed:
    """The answer from a history's named views."""
    from monitor.exposed import exposed

    identifiers = store.rows(
        "select i.id, i.kind, i.masked from identifiers i join sources s on s.id = i.source_id"
        " where i.retired_at is null and s.retired_at is null order by i.kind desc, i.id"
    )
    rows = store.rows("select * from exposures order by identifier_id, last_seen desc, url")
    return exposed(identifiers, rows, store.rows("select * from exposure_gaps order by reason, url"), meant)


def allowed(settings: Settings) -> Callable[[str], bool]:
    """Whether the config means an identifier to stand on a page: so a change of it holds at once."""
    from monitor.labels import Label, read_pattern, whose
    from monitor.times import utc_now

    now = utc_now()
    patterns = [
        Label(pattern, read_pattern(pattern), "mine", "config", now)
        for one in settings.sources
        for pattern in getattr(one.source, "allow", ())
    ]
    return lambda url: whose(url, patterns) is not None


def shown_today(store: HasRows, kind: str) -> Iterator[str]:
    """After a call or a mail: the pages by which it may have come, for they show such a thing of the owner's today."""
    from monitor.plain import inert

    rows = store.rows(
        "select identifier, url, last_seen from exposures where kind = ? and state = 'found' order by allowed, url",
        (KINDS_OF.get(kind, ""),),
    )
    if rows:
        yield f"Such a {kind} may have come by one of these pages:"
        yield from (f"  {inert(row['url'])} shows {row['identifier']} (last seen {row['last_seen']})" for row in rows)
