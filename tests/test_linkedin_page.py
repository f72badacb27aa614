"""A LinkedIn profile page that the owner saved: exact numbers where it has them, a refusal where it is one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from monitor.importing import Importer, ImportRefused, imported
from monitor.importing_kinds import kind_of
from monitor.model import Blocked, LayoutChanged
from monitor.reread import reread_source
from monitor.sources.profiles.linkedin_page import read_profile
from monitor.store import captures, sources
from monitor.store.connection import Store
from tests.conftest import PAGES
from tests.made import NOW, settings

DAY = date(2026, 11, 20)
SAVED = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
STATISTIC = {"@type": "InteractionCounter", "interactionType": "https://schema.org/FollowAction"}


def page(
    *,
    key: str = "public_profile_v3_desktop",
    followers: object = 5740,
    texts: tuple[str, ...] = ("6K followers", "500+ connections"),
    locale: str = "en_US",
    data: bool = True,
    address: str = "https://sg.linkedin.com/in/jane-example",
    before: str = "",
) -> bytes:
    person: dict[str, object] = {"@type": "Person", "name": "Jane Example", "url": address}
    if followers is not None:
        person["interactionStatistic"] = {**STATISTIC, "userInteractionCount": followers}
    other = {
        "@type": "Person",
        "url": "https://www.linkedin.com/in/someone-else",
        "interactionStatistic": {**STATISTIC, "userInteractionCount": 1},
    }
    graph = json.dumps(
        {"@context": "http://schema.org", "@graph": [{"@type": "Article", "author": other}, other, person]}
    )
    script = f'<script type="application/ld+json">{graph}</script>' if data else ""
    items = "".join(f'<span class="top-card__subline-item">\n  {text}\n</span>' for text in texts)
    meta = f'<meta name="pageKey" content="{key}">' if key else ""
    return (
        f'{before}<!DOCTYPE html><html><head>{meta}<meta name="locale" content="{locale}">'
        f'<link rel="canonical" href="{address}">{script}</head><body><h1>Jane Example</h1>{items}'
        "<p>See 12 followers of others</p></body></html>"
    ).encode()


def counts(body: bytes) -> dict[str, tuple[object, str, str]]:
    return {c.metric: (c.value, c.precision, c.state) for c in read_profile(body, DAY).counts}


def test_the_captured_page_gives_the_exact_followers(cases: Callable[[str], Path]) -> None:
    folder = cases("profiles/linkedin-page")
    expected = json.loads((folder / "expected.json").read_text())["public-profile.html"]
    read = read_profile((folder / "public-profile.html").read_bytes(), DAY)
    assert read.public_id == "owner-example"
    assert counts((folder / "public-profile.html").read_bytes()) == {
        "followers": (expected["followers_exact"], "exact", "read"),
        "connections": (500, "at_least", "read"),
    }
    with pytest.raises(Blocked):
        read_profile((folder / "blocked-999.html").read_bytes(), DAY)


def test_exact_data_stands_over_rounded_text_and_is_the_profile_s_own() -> None:
    assert counts(page()) == {"followers": (5740, "exact", "read"), "connections": (500, "at_least", "read")}


@pytest.mark.parametrize(
    ("given", "followers", "connections"),
    [
        ({"followers": None}, (6000, "rounded", "read"), (500, "at_least", "read")),
        (
            {"data": False, "texts": ("1,234 followers", "42 connections")},
            (1234, "exact", "read"),
            (42, "exact", "read"),
        ),
        (
            {"followers": None, "locale": "de_DE", "texts": ("1.234 Follower:innen", "Mehr als 500 Kontakte")},
            (1234, "exact", "read"),
            (None, "exact", "missing"),  # a bound in words is not taken for a number
        ),
        ({"followers": None, "texts": ()}, (None, "exact", "missing"), (None, "exact", "missing")),
        ({"followers": 0, "texts": ("0 connections",)}, (0, "exact", "read"), (0, "exact", "read")),
        ({"key": "", "texts": ()}, (5740, "exact", "read"), (None, "exact", "missing")),
        (
            {"followers": None, "locale": "", "texts": ("1,234 followers",)},
            (None, "exact", "missing"),  # of a language not said
            (None, "exact", "missing"),
        ),
    ],
)
def test_what_the_page_does_not_say_is_missing_and_no_zero(
    given: dict[str, object], followers: object, connections: object
) -> None:
    assert counts(page(**given)) == {"followers": followers, "connections": connections}  # type: ignore[arg-type]


@pytest.mark.parametrize("count", ["5740", -1, 1.5, True, 2**60, {"a": 1}])
def test_statistics_that_are_no_count_are_a_changed_layout(count: object) -> None:
    with pytest.raises(LayoutChanged):
        read_profile(page(followers=count), DAY)


@pytest.mark.parametrize(
    "body",
    [
        page(key="", data=False),
        page(key="d_flagship3_feed", data=False),
        page(address="https://www.linkedin.com/company/example", data=False),
        page(address="https://example.org/in/jane-example"),
        b"<html></html>",
    ],
)
def test_a_page_that_is_no_public_profile_is_not_read(body: bytes) -> None:
    with pytest.raises(LayoutChanged):
        read_profile(body, DAY)


WALL = (
    b"<html><head><script>window.onload = function() { var d = location.host;"
    b'window.location.href = "https://" + d + "/authwall?trk=bf&original_referer=" }</script></head></html>'
)


# --- through the import --------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "presence.db") as store:
        yield store


@pytest.fixture
def importer(store: Store, tmp_path: Path) -> Importer:
    made = settings(tmp_path)
    sources.sync(store, made, NOW)
    return Importer(made, store, lambda: NOW)


def saved(folder: Path, body: bytes, name: str = "Jane Example _ LinkedIn.html") -> Path:
    path = folder / name
    path.write_bytes(body)
    os.utime(path, (SAVED.timestamp(), SAVED.timestamp()))
    return path


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in store.rows(sql)]


def test_the_page_becomes_counts_with_their_evidence_and_their_way(
    importer: Importer, store: Store, tmp_path: Path
) -> None:
    done = importer.file(saved(tmp_path, page()))
    assert done.series == "import/linkedin-page/jane-example"
    assert rows(store, "select day, profile, metric, value, precision, way, typed, source from profile_counts") == [
        (
            "2026-11-20",
            "linkedin/jane-example",
            metric,
            value,
            precision,
            "saved page",
            0,
            "import/linkedin-page/jane-example",
        )
        for metric, value, precision in (("connections", 500, "at_least"), ("followers", 5740, "exact"))
    ]
    assert done.reading_id is not None
    (exchange,) = captures.exchanges_of(store, done.reading_id)
    assert exchange.capture is not None
    assert exchange.capture.body == page()
    assert rows(store, 'select "trigger", outcome from readings') == [("import", "ok")]


def test_importing_twice_adds_nothing(importer: Importer, store: Store, tmp_path: Path) -> None:
    importer.file(saved(tmp_path, page()))
    again = importer.file(saved(tmp_path, page(), "copy.html"))
    assert (again.reading_id, again.series) == (None, "import/linkedin-page/jane-example")
    assert rows(store, "select count(*) from readings") == [(1,)]
    assert rows(store, "select count(*) from revisions") == [(0,)]


def test_a_later_page_goes_on_the_same_series(importer: Importer, store: Store, tmp_path: Path) -> None:
    importer.file(saved(tmp_path, page()))
    importer.file(saved(tmp_path, page(followers=5800)), at=NOW)
    assert rows(store, "select day, value from counts where metric = 'followers' order by day") == [
        ("2026-11-20", 5740),
        ("2026-11-23", 5800),
    ]
    assert rows(store, "select count(*) from sources where kind = 'import'") == [(1,)]


def test_the_day_is_the_one_that_the_browser_wrote(importer: Importer, store: Store, tmp_path: Path) -> None:
    head = (
        "<!--\n Page saved with SingleFile \n url: https://www.linkedin.com/in/jane-example/ \n"
        " saved date: Mon Nov 16 2026 20:30:00 GMT+0000 (Coordinated Universal Time)\n-->"
    )
    importer.file(saved(tmp_path, page(before=head)))
    assert rows(store, "select distinct day from counts") == [("2026-11-17",)]  # in Sydney


@pytest.mark.parametrize(
    ("body", "said"),
    [(WALL, "blocked, login_wall"), (page(key="", data=False), "layout_unknown")],
)
def test_a_refusal_and_a_strange_page_leave_no_trace(
    importer: Importer, store: Store, tmp_path: Path, body: bytes, said: str
) -> None:
    with pytest.raises(ImportRefused) as refused:
        importer.file(saved(tmp_path, body))
    assert said in str(refused.value)
    assert rows(store, "select (select count(*) from readings) + (select count(*) from counts)") == [(0,)]


def test_a_kept_page_is_read_again(importer: Importer, store: Store, tmp_path: Path) -> None:
    importer.file(saved(tmp_path, page()))
    ((configured, source_id),) = imported(store)
    (again,) = reread_source(store, configured, source_id, lambda: NOW)
    assert (again.read, again.differs) == (True, "")


def test_results_pages_and_pages_that_speak_of_linkedin_are_none_of_its_own(tmp_path: Path) -> None:
    for path in (PAGES / "saved").glob("*.html"):
        assert kind_of(path) is None, path.name
    blog = b'<html><head><link rel="canonical" href="https://example.org/"></head><a href="https://linkedin.com/in/x">me</a>'
    assert kind_of(saved(tmp_path, blog)) is None
    copied = b"<!-- saved from url=(0020)https://example.org/ -->" + page()
    assert kind_of(saved(tmp_path, copied)) is None  # where it came from says more than what it says of itself
    assert kind_of(tmp_path / "none.html") is None
    taken = kind_of(saved(tmp_path, page()))
    assert taken is not None
    assert taken.name == "linkedin-page"
