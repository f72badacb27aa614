"""`monitor doctor`: is all well, and if not, what to do."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@click.option("--offline", is_flag=True, help="Ask no host; look at this machine only.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def doctor(config_path: Path, names: tuple[str, ...], offline: bool, as_json: bool) -> int:
    """Look whether all is well: machine, history, keys, and each source by one question; nothing is stored.

    Each line says ok, attention or wrong, what was found, and the next step. A source read within the last hour is
    asked only when it is named. Exit code 1 when something needs attention.

    \b
    Example: monitor doctor
             monitor doctor github --json
    """  # noqa: D301
    import os

    from monitor import config
    from monitor.cli.check import choose
    from monitor.doctor import Level, examine

    settings = config.read(config_path)
    found = []
    for finding in examine(settings, choose(settings, names), environ=os.environ, named=bool(names), offline=offline):
        found.append(finding)
        if not as_json:
            click.echo(str(finding))
    if as_json:
        rows = [{"level": str(f.level), "what": f.what, "said": f.said, "next": f.step} for f in found]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    return 0 if all(finding.level is Level.OK for finding in found) else 1
