"""`monitor add` and `monitor undo`: what only the owner knows, typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.config import Settings
    from monitor.store.connection import Store

KINDS = ("inmail", "request", "message", "mail", "call")
F = TypeVar("F", bound=Callable[..., Any])


def _on(command: F) -> F:
    option = click.option("--on", "on", metavar="DAY", help="The day, as 2026-11-23; today when left out.")
    decorated: F = option(command)
    return decorated


@click.group()
def add() -> None:
    """Add by hand what no machine may or can read: equals of all other numbers, marked as typed."""


@add.command()
@click.argument("profile")
@click.argument("metric")
@click.argument("value", type=click.IntRange(min=0))
@click.option("--window", default="now", show_default=True, help="now, total, day, 7d, 14d, 90d ...")
@click.option("--precision", type=click.Choice(["exact", "rounded", "at_least"]), default="exact", show_default=True)
@_on
@click.pass_obj
def count(
    config_path: Path, profile: str, metric: str, value: int, window: str, precision: Any, on: str | None
) -> None:
    """Add a number about a profile.

    \b
    Example: monitor add count linkedin profile_views 42 --window 90d
    """  # noqa: D301
    from monitor.model import Count
    from monitor.store import typed

    day, now, settings = _when(config_path, on)
    typed_count = Count(profile, metric, window, day, value, precision=precision, definition="typed by hand")
    with _store(settings) as store:
        typed.add_count(store, typed_count, now, settings.owner.timezone)
    click.echo(f"Added: {profile} {metric} ({window}) on {day}: {value}. Take it back with: monitor undo")


@add.command()
@click.option("--kind", type=click.Choice(KINDS), required=True, help="How they came.")
@click.option("--origin", default="unknown", show_default=True, help='"linkedin", "search", "old resume", "referral".')
@click.option("--note", default="", help="A remark of your own.")
@_on
@click.pass_obj
def contact(config_path: Path, kind: str, origin: str, note: str, on: str | None) -> None:
    """Add an inbound contact: a call is worth as much as a mail.

    \b
    Example: monitor add contact --kind call --origin "old resume"
    """  # noqa: D301
    from monitor.cli.exposure import shown_today
    from monitor.model import Contact
    from monitor.store import typed

    day, now, settings = _when(config_path, on)
    with _store(settings) as store:
        typed.add_contact(store, Contact(None, day, kind, origin, note), now, settings.owner.timezone)
        pages = list(shown_today(store, kind))
    click.echo(f"Added: {kind} from {origin} on {day}. Take it back with: monitor undo")
    for line in pages:
        click.echo(line)


@add.command()
@click.argument("title")
@click.option("--url", default="", help="A page about it.")
@click.option("--note", default="", help="A remark of your own.")
@_on
@click.pass_obj
def event(config_path: Path, title: str, url: str, note: str, on: str | None) -> None:
    """Add a dated remark, to be seen beside the numbers.

    \b
    Example: monitor add event "new job" --on 2026-11-02
    """  # noqa: D301
    from monitor.store import typed
    from monitor.urls import is_link

    if url and not is_link(url):
        raise click.BadParameter("a page's address begins with http:// or https://", param_hint="--url")
    day, now, settings = _when(config_path, on)
    with _store(settings) as store:
        typed.add_event(store, day, title, url, note, now, settings.owner.timezone)
    click.echo(f"Added: {title} on {day}. Take it back with: monitor undo")


@click.command()
@click.pass_obj
def undo(config_path: Path) -> int:
    """Take back the last thing typed with add; a number it changed stands again.

    \b
    Example: monitor undo
    """  # noqa: D301
    from monitor import config
    from monitor.store import typed

    with _store(config.read(config_path)) as store:
        said = typed.undo(store)
    click.echo(f"Taken back: {said}." if said else "Nothing typed is left to take back.")
    return 0 if said else 1


def _store(settings: Settings) -> Store:
    from monitor.store.connection import Store

    return Store(settings.database)


def _when(config_path: Path, on: str | None) -> tuple[date, datetime, Settings]:
    """The day meant, now, and the settings. Raises BadParameter for a day that is none or has not come yet."""
    from zoneinfo import ZoneInfo

    from monitor import config
    from monitor.times import utc_now

    settings = config.read(config_path)
    now = utc_now()
    today = now.astimezone(ZoneInfo(settings.owner.timezone)).date()
    try:
        day = date.fromisoformat(on) if on else today
    except ValueError:
        raise click.BadParameter(f'"{on}" is no day; write it as {today}', param_hint="--on") from None
    if day > today:
        raise click.BadParameter(f"{day} has not come yet; today is {today}", param_hint="--on")
    return day, now, settings
