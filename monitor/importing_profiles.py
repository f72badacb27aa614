"""Profile pages that the owner saved into the history: counts with their evidence, each page once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from monitor.collect import Task, collect
from monitor.importing import Imported, Importer, ImportRefused, no_files, whole
from monitor.importing_kinds import named
from monitor.model import Blocked, Capture, Exchange, Http, LayoutChanged, Measure, Outcome, Trigger
from monitor.sources.profiles.linkedin_page import NAME, LinkedInPage, ProfilePage, read_profile
from monitor.store import readings
from monitor.store.sources import row_id


def take_linkedin_page(importer: Importer, path: Path, at: datetime | None = None) -> Imported:
    """Take a saved profile page; its day is when it was saved, by `at`, by the page or by the file.

    Raises ImportRefused for LinkedIn's login page and for one that is no public profile.
    """
    body = whole(path)
    capture = Capture(body, "text/html", asked=path.name, url=path.name)
    if known := importer.known(capture.id):
        return Imported(path.name, known, None, None)
    now = importer.clock()
    page = _page(path, body, now)
    when = min(at or page.saved_at or datetime.fromtimestamp(path.stat().st_mtime, UTC), now)
    name = f"import/{NAME}/{page.public_id}"
    exchange = Exchange(n=1, asked=path.name, ms=0, status=200, url=path.name, capture=capture)

    def answer(request: Http, n: int) -> Exchange:
        return exchange

    day = when.astimezone(importer.zone).date()
    task = Task(name, LinkedInPage(page.public_id), when, day, Trigger.IMPORT)
    times = iter((when,))
    (reading,) = collect(task, answer, no_files, lambda: next(times, now))
    if reading.outcome is not Outcome.OK:
        raise ImportRefused(f"{path.name} was not taken: {reading.advice}")
    source_id = _source(importer, name, page.public_id)
    return Imported(path.name, name, readings.save(importer.store, source_id, reading), reading)


def _page(path: Path, body: bytes, now: datetime) -> ProfilePage:
    try:
        return read_profile(body, now.date())
    except Blocked as refused:
        raise ImportRefused(
            f"{path.name} is a refusal of LinkedIn (blocked, {refused.reason}), no profile: open your public profile in"
            " the browser, and save it once it shows."
        ) from refused
    except LayoutChanged as changed:
        raise ImportRefused(
            f"{path.name} is a page of LinkedIn, but no public profile that is understood ({changed.reason}): open your"
            " public profile in a private window and save that page; or type the number: monitor add count."
        ) from changed


def _source(importer: Importer, name: str, public_id: str) -> int:
    kind = named(NAME)
    settings = {"subject": public_id, "file": NAME, "way": kind.way if kind else ""}
    row = {
        "name": name,
        "measure": str(Measure.PROFILE),
        "kind": LinkedInPage.kind,
        "engine": "linkedin",
        "provider": "linkedin",
        "query": "",
        "locale": "",
        "device": "",
        "day_zone": importer.settings.owner.timezone,
        "settings": json.dumps(settings),
    }
    with importer.store.write() as db:
        return row_id(db, row, importer.clock())
