"""An attempt at a folder of saved pages: what is new in it is taken in."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import cast

from monitor.collect import Clock
from monitor.config import Configured, Settings
from monitor.model import Outcome, Reading
from monitor.store.connection import Store


def take_in(
    settings: Settings, store: Store, clock: Clock, configured: Configured, blank: Reading
) -> Generator[tuple[int, Reading], None, tuple[Reading, bool] | None]:
    """Yields the stored reading of each new page with its id.

    Returns one of the folder, which is `blank` with how it ended and not stored yet, and whether any page came; None
    where there was no news and no trouble.
    """
    from monitor.importing import Importer, ImportRefused  # with the parsers of pages: 10 MB, 0.1 s
    from monitor.sources.search.saved_page import SavedPage

    source = cast(SavedPage, configured.source)
    taken, refused = 0, []
    folder = settings.base / source.folder
    try:
        for done in Importer(settings, store, clock).folder(folder):
            if isinstance(done, ImportRefused):
                refused.append(str(done))
            elif done.reading and done.reading_id:
                taken += 1
                yield done.reading_id, done.reading
    except OSError:
        refused.append(f"The folder {source.folder} cannot be read: make it, or set folder of {configured.name}.")
    if not taken and not refused:
        return None
    reading = replace(
        blank,
        finished_at=max(blank.started_at, clock()),
        outcome=Outcome.CHANGED if refused else Outcome.OK,
        reason="layout_unknown" if refused else "",
        advice=" ".join(refused)[:600],
        note=f"{taken} pages taken in",
    )
    return reading, bool(taken)
