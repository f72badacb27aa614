"""Profile numbers in files that the owner brings: saved pages and X's export, each once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from monitor.collect import Task, collect
from monitor.fetch import whole as whole_file
from monitor.importing import Imported, Importer, ImportRefused, no_files, whole
from monitor.importing_kinds import named
from monitor.model import Blocked, Capture, Count, Exchange, Http, LayoutChanged, Measure, Outcome, Reading, Trigger
from monitor.sources.profiles.linkedin_page import NAME, LinkedInPage, ProfilePage, read_profile
from monitor.sources.profiles.x_analytics import XAnalytics
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


def take_x_analytics(importer: Importer, path: Path, at: datetime | None = None) -> Imported:
    """Take an export of X Analytics into the source that watches that account; its days are those it names.

    Raises ImportRefused where no such source, or more than one, is configured, and for rows that cannot be read.
    """
    mine = [one for one in importer.settings.sources if isinstance(one.source, XAnalytics)]
    if len(mine) != 1:
        several = "its file has another name in config.toml: put it there and run monitor check" if mine else ""
        wanted = 'add [[profiles]] with kind = "x_analytics" and your user to config.toml, then import it again'
        raise ImportRefused(f"{path.name} is an export of X Analytics: {several or wanted}.")
    configured, now = mine[0], importer.clock()
    source = replace(cast(XAnalytics, configured.source), file=str(path.resolve()))
    when = min(at or now, now)
    task = Task(configured.name, source, when, when.astimezone(importer.zone).date(), Trigger.IMPORT)
    read = lambda request: whole_file.read(request, path.parent)  # noqa: E731
    readings_made = list(collect(task, _nobody_asks, read, importer.clock))
    bad = next((one for one in readings_made if one.outcome is not Outcome.OK), None)
    if bad:
        raise ImportRefused(f"{path.name} was not taken: {bad.advice}")
    (reading,) = readings_made
    row = importer.store.rows("select id from sources where name = ? and retired_at is null", (configured.name,))
    if not _news(importer, row[0]["id"], reading):
        return Imported(path.name, configured.name, None, None)
    return Imported(path.name, configured.name, readings.save(importer.store, row[0]["id"], reading), reading)


def _news(importer: Importer, source_id: int, reading: Reading) -> bool:
    """Whether any of the counts is not stored just so."""
    sql = "select profile, metric, window, day, value, state from counts where source_id = ?"
    known = {tuple(row.values()) for row in importer.store.rows(sql, (source_id,))}
    told = (record for record in reading.records if isinstance(record, Count))
    return any((c.profile, c.metric, c.window, c.day.isoformat(), c.value, c.state) not in known for c in told)


def _nobody_asks(request: Http, n: int) -> Exchange:
    raise AssertionError(f"nobody asks for {request}")
