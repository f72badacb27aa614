"""Results pages saved from a browser: the same readings as any source's, once each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.attempt import Attempts
from monitor.importing import Imported, Importer, ImportRefused, imported
from monitor.model import Trigger
from monitor.reread import reread_source
from monitor.store import captures, sources
from monitor.store.connection import Store
from tests.conftest import PAGES
from tests.made import NOW, settings

SAVED = PAGES / "saved"
MINE = '[labels]\nmine = ["example.org"]\n'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "presence.db") as store:
        yield store


@pytest.fixture
def importer(store: Store, tmp_path: Path) -> Importer:
    made = settings(tmp_path, MINE)
    sources.sync(store, made, NOW)
    return Importer(made, store, lambda: NOW)


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in store.rows(sql)]


def test_a_google_page_becomes_a_rank_with_its_evidence(importer: Importer, store: Store) -> None:
    done = importer.file(SAVED / "google.html")
    assert done.series == "import/google/jane-example/en/desktop"
    ((day, engine, query, position, depth, reading_id),) = rows(
        store, "select day, engine, query, position, depth, reading_id from daily_ranks"
    )
    assert (day, engine, query) == ("2026-02-06", "google", "Jane Example")  # the time that stands in the page
    assert position is None or 1 <= int(str(position)) <= int(str(depth))
    (exchange,) = captures.exchanges_of(store, int(str(reading_id)))
    assert exchange.capture is not None
    assert exchange.capture.body == (SAVED / "google.html").read_bytes()
    assert rows(store, 'select "trigger", outcome from readings') == [("import", "ok")]
    assert rows(store, "select source from current_ranks") == [("import/google/jane-example/en/desktop",)]


def test_the_same_page_twice_counts_once(importer: Importer, store: Store, tmp_path: Path) -> None:
    importer.file(SAVED / "google.html")
    again = importer.file(shutil.copy(SAVED / "google.html", tmp_path / "other name.html"))
    assert again.reading_id is None
    assert again.series == "import/google/jane-example/en/desktop"
    assert rows(store, "select count(*) from readings") == [(1,)]


def test_what_the_page_does_not_say_is_given_or_asked_for(importer: Importer, store: Store, tmp_path: Path) -> None:
    at = datetime(2026, 11, 20, 10, 2, tzinfo=UTC)
    importer.file(SAVED / "ecosia.html", at=at)
    importer.file(SAVED / "bing.html", query="Ada EXAMPLE", at=at)
    assert rows(
        store, "select engine, query, started_at from readings join sources s on s.id = source_id order by 1"
    ) == [
        ("bing", "Ada Example", "2026-11-20T10:02:00Z"),  # as the owner spells the name
        ("ecosia", "Jane Example", "2026-11-20T10:02:00Z"),
    ]
    page = tmp_path / "old.html"
    shutil.copy(SAVED / "brave.html", page)
    os.utime(page, (1_790_000_000, 1_790_000_000))
    done = importer.file(page)
    assert done.reading is not None
    assert done.reading.started_at == datetime.fromtimestamp(1_790_000_000, UTC)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("google_sorry.html", "is a refusal of google (captcha)"),
        ("google_consent.html", "(consent)"),
        ("google_changed.html", "no results page of google that is understood (layout_unknown)"),
        ("google_script.html", "(js_required)"),
        ("cloudflare.html", "a refusal of the engine"),
    ],
)
def test_what_is_no_results_page_is_refused_in_a_sentence_and_leaves_no_trace(
    importer: Importer, store: Store, name: str, said: str
) -> None:
    with pytest.raises(ImportRefused) as refused:
        importer.file(SAVED / name)
    assert said in str(refused.value)
    assert rows(store, "select count(*) from readings") == [(0,)]


def test_a_second_page_of_results_gives_no_rank(importer: Importer, store: Store, tmp_path: Path) -> None:
    page = tmp_path / "page2.html"
    page.write_bytes((SAVED / "google.html").read_bytes().replace(b"(0059)", b"(0066)").replace(b"&x=", b"&start=10"))
    with pytest.raises(ImportRefused, match="save page 1"):
        importer.file(page)
    page.write_bytes(page.read_bytes().replace(b"start=10", b"start=0"))
    importer.file(page)
    assert rows(store, "select count(*) from readings") == [(1,)]


def test_an_engine_s_word_that_there_is_nothing_is_empty(importer: Importer, store: Store) -> None:
    importer.file(SAVED / "bing_none.html")
    assert rows(store, "select outcome, depth from readings") == [("empty", 0)]


def test_a_query_answered_otherwise_is_told(importer: Importer, store: Store) -> None:
    importer.file(SAVED / "bing.html")
    assert rows(store, "select note from readings") == [("query_altered: answered for jane example",)]


def test_a_folder_is_taken_whole_and_what_cannot_be_is_told(importer: Importer, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for name in ("google.html", "google_sorry.html", "yahoo.html"):
        shutil.copy(SAVED / name, folder)
    (folder / "notes.txt").write_text("not a page")
    (folder / "empty.html").touch()
    done = list(importer.folder(folder))
    assert sum(isinstance(one, Imported) for one in done) == 2
    assert sum(isinstance(one, ImportRefused) for one in done) == 2


def test_imported_pages_are_read_again_with_todays_parser(importer: Importer, store: Store) -> None:
    importer.file(SAVED / "google.html")
    ((configured, source_id),) = imported(store)
    (again,) = reread_source(store, configured, source_id, lambda: NOW)
    assert (again.read, again.differs) == (True, "")


def test_imported_series_outlive_a_change_of_the_config(importer: Importer, store: Store, tmp_path: Path) -> None:
    importer.file(SAVED / "google.html")
    sources.sync(store, settings(tmp_path, ""), NOW + timedelta(days=1))
    assert rows(store, "select retired_at from sources where kind = 'import'") == [(None,)]


def test_a_watched_folder_takes_new_pages_once_and_tells_of_trouble_once(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    made = settings(tmp_path, '[[search]]\nkind = "saved_page"\nfolder = "saved"\n' + MINE)
    ids = sources.sync(store, made, NOW)
    (watched,) = made.sources
    attempts = Attempts(made, store, clock=lambda: NOW)

    def look() -> list[str]:
        readings = attempts.make(watched, ids[watched.name], NOW, NOW.date(), Trigger.SCHEDULE)
        return [f"{reading.outcome} {reading.note}" for _, reading in readings]

    assert look() == ["changed 0 pages taken in"]  # no such folder
    assert look() == []
    folder.mkdir()
    assert look() == []
    shutil.copy(SAVED / "google.html", folder)
    assert look() == ["ok ", "ok 1 pages taken in"]
    assert look() == []
    shutil.copy(SAVED / "google_sorry.html", folder)
    assert look() == ["changed 0 pages taken in"]
    assert look() == []
    assert rows(store, "select count(*) from daily_ranks") == [(1,)]


def test_the_command_says_what_it_took(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[owner]\nname = "Jane Example"\ntimezone = "UTC"\n' + MINE)

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "monitor", *args]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    done = run("import", str(SAVED / "google.html"))
    assert done.returncode == 0, done.stderr
    assert "google.html: 2026-02-06, import/google/jane-example/en/desktop: ok" in done.stdout
    assert "you are " in done.stdout
    assert "was taken in before" in run("import", str(SAVED / "google.html")).stdout
    refused = run("import", str(SAVED / "google_sorry.html"))
    assert (refused.returncode, "search again in the browser" in refused.stderr) == (1, True)
    assert run("import", str(SAVED / "yahoo.html"), "--at", "someday").returncode == 2
    page_one = json.loads(run("page-one", "--json").stdout)
    assert page_one[0]["n"] == 1
    assert run("label", "1", "namesake").returncode == 0
    assert json.loads(run("page-one", "--json").stdout)[0]["whose"] == "namesake"
    assert "nothing to compare" in run("why", "google").stdout
    (brought,) = json.loads(run("status", "--json").stdout)["sources"]
    assert (brought["outcome"], brought["next_at"], brought["too_long"]) == ("ok", None, False)
    assert run("label", "99", "mine").returncode == 2
    assert run("why", "altavista").returncode == 2
