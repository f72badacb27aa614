"""A config file read again while Monitor runs: what it changes, and what only a restart can."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

from monitor import config
from monitor.attempt import Attempts
from monitor.config import Settings


def reread_config(old: Settings) -> tuple[Settings, list[str]]:
    """The settings as the file has them now, with those of `old` that only a restart can change, and a line for each.

    Raises ConfigError with the same text as at a start.
    """
    new, lines = config.read(old.path), []
    if new.database != old.database:
        lines.append(f"[store] path has changed: restart Monitor for that; until then the history is {old.database}.")
    if new.web != old.web:
        lines.append("[web] has changed: restart Monitor for that; until then the pages are served as before.")
    kept = new.store.model_copy(update={"path": old.store.path})
    return replace(new, store=kept, web=old.web), lines


def changed(settings: Settings, before: Mapping[str, int], now: Mapping[str, int]) -> str:
    """One line that says which sources begin and which retire, from the row of each by name."""
    begun = [name for name in now if now[name] != before.get(name)]
    retired = [name for name in before if before[name] != now.get(name)]
    parts = [f"{word} {', '.join(names)}" for word, names in (("new:", begun), ("retired:", retired)) if names]
    return "; ".join([f"{settings.path} read again: {len(now)} sources", *parts])


def with_settings(attempts: Attempts, settings: Settings) -> Attempts:
    """The same attempts by other settings: what waits in their spool goes on waiting, so they are not made anew."""
    made = copy.copy(attempts)
    object.__setattr__(made, "settings", settings)
    return made
