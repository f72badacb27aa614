"""`monitor backup` and `monitor restore`: a whole copy of the history, and the way back."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    help="A folder that is there already, best on another disk.  [default: <history>-backups beside the history]",
)
@click.option("--without-captures", is_flag=True, help="Leave out the kept pages: numbers only.")
@click.pass_obj
def backup(config_path: Path, folder: Path | None, without_captures: bool) -> None:
    """Copy the history and its kept pages, checked, while a monitor may run; old backups go.

    Of older ones the newest of each of 7 days, 4 weeks and 12 months stay.

    \b
    Example: monitor backup --to /mnt/disk/monitor
    """  # noqa: D301
    from monitor import config
    from monitor.store.backup import keep_backups
    from monitor.times import utc_now

    settings = config.read(config_path)
    made = keep_backups(settings.database, utc_now(), folder, with_captures=not without_captures)
    pages = f" with its kept pages ({_size(made.captures)})" if made.captures else ", without its kept pages"
    click.echo(f"Backed up {_many(made.readings, 'reading')} ({_size(made.path)}){pages}: {made.path}")
    if made.missing:
        click.echo(f"{made.missing} kept pages were missing already and are not in it; their numbers are.")
    gone = sum("-captures-" not in name for name in made.removed)
    if gone:
        click.echo(f"{_many(gone, 'older backup')} let go.")
    click.echo(f"Put it back with: monitor restore {made.path}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--without-captures", is_flag=True, help="Leave the kept pages that are there in place.")
@click.pass_obj
def restore(config_path: Path, file: Path, without_captures: bool) -> None:
    """Put a backup in the place of the history, which is moved aside. Stop the monitor first.

    \b
    Example: monitor restore presence-backups/presence-2026-11-23T063000Z.db
    """  # noqa: D301
    from zoneinfo import ZoneInfo

    from monitor import config
    from monitor.store.restore import restore as put_back
    from monitor.times import from_text, utc_now

    settings = config.read(config_path)
    done = put_back(file, settings.database, utc_now(), with_captures=not without_captures)
    zone = ZoneInfo(settings.owner.timezone)
    newest = f", the newest of {from_text(done.newest).astimezone(zone):%Y-%m-%d %H:%M}" if done.newest else ""
    click.echo(
        f"Restored to {settings.database}: {_many(done.days, 'day')}, {_many(done.readings, 'reading')}{newest}."
    )
    if not done.captures:
        click.echo("The kept pages were left as they are.")
    if done.missing:
        click.echo(f"{done.missing} kept pages of it are not at hand; their numbers are.")
    if done.aside:
        click.echo(f"The history before it is kept: monitor restore {done.aside} brings it back.")
    click.echo("Next: monitor run")


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
