"""Charts in a real browser: what is drawn, what a pointer and the keys read from it, and what no stranger can do."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from monitor.web.serve import SETTINGS
from tests import browsing, web_data
from tests.browsing import DESK, PHONE
from tests.test_web_charts import CHARTS, hostile
from tests.web_data import Data

DRAWN = ".m-chart[data-drawn=yes]"


class Look:
    """A page with a chart: asked what it shows, and sent keys."""

    def __init__(self, seen: browsing.Visit) -> None:
        self.seen, self.page = seen, seen.page

    def open(self, url: str, ready: str = DRAWN) -> None:
        self.page.goto(url)
        self.page.wait_for_selector(ready)

    def js(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def count(self, selector: str) -> int:
        return self.page.locator(selector).count()

    def text(self, selector: str = ".m-chart") -> str:
        return self.page.locator(selector).first.inner_text()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture(scope="module")
def seen() -> Iterator[browsing.Visit]:
    with browsing.chromium() as browser, browsing.visit(browser, "") as found:
        yield found


@pytest.fixture
def look(seen: browsing.Visit, monkeypatch: pytest.MonkeyPatch) -> Look:
    monkeypatch.setattr("monitor.web.now", lambda: web_data.NOON)
    seen.page.set_viewport_size({"width": DESK[0], "height": 1000})
    seen.said.clear()
    return Look(seen)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Serve an invented database, by the function that makes it; the address of its tables."""
    with ExitStack() as stack:

        def serve(fill: Callable[[Path], object], **settings: Any) -> str:
            fill(tmp_path / "presence.db")
            serving = browsing.served(tmp_path / "presence.db", settings={**SETTINGS, **settings})
            return f"{stack.enter_context(serving)}/presence"

        yield serve


def test_ranks_are_drawn_with_their_three_absences(look: Look, served: Callable[..., str]) -> None:
    look.open(served(web_data.filled, default_allow_sql=False) + "/daily_ranks")
    names = look.js("[...document.querySelectorAll('.m-chart-name bdi')].map((n) => n.innerText)")
    assert names == [f"{engine}, Ada Example" for engine in ("bing", "brave", "duckduckgo", "mojeek")]
    drawn = {
        name: look.js(
            f"['.c-line path', '.c-unread rect', '.c-beyond circle', '.c-goal line', '.c-page-one line']"
            f".map((mark) => document.querySelectorAll('.m-chart-row')[{n}].querySelectorAll(mark).length)"
        )
        for n, name in enumerate(("bing", "brave", "duckduckgo", "mojeek"))
    }
    assert drawn["bing"] == [1, 0, 12, 1, 1]  # read, and not within the nine results, on twelve days
    assert drawn["brave"] == [2, 1, 0, 1, 1]  # six days not read: a band, and no line over it
    assert drawn["duckduckgo"] == [1, 0, 0, 1, 1]
    assert drawn["mojeek"] == [1, 1, 0, 1, 1]  # the last four days failed
    label = look.js("document.querySelectorAll('.m-chart svg[role=img]')[1].getAttribute('aria-label')")
    assert "from place 5 to place 7; last place 6" in label
    assert "Not read on 6 days" in label
    assert "A talk" in look.text(".m-chart-moments")
    assert look.seen.said == []


def test_arrow_keys_read_the_days_and_enter_opens_the_evidence(look: Look, served: Callable[..., str]) -> None:
    look.open(served(web_data.filled) + "/daily_ranks?engine=brave")
    look.js("document.querySelector('.m-chart-plots').focus()")
    look.press("End")
    assert "place 6" in look.text(".m-chart-tip")
    look.press("Home", *["ArrowRight"] * 54)
    assert "not read: failed, timeout" in look.text(".m-chart-tip")
    href = look.js("document.querySelector('.m-chart-tip a').getAttribute('href')")
    assert re.fullmatch(r"/-/presence/reading/\d+", href)
    look.press("Enter")
    look.page.wait_for_url(f"**{href}")


def test_a_pointer_reads_the_nearest_day(look: Look, served: Callable[..., str]) -> None:
    look.open(served(web_data.filled) + "/daily_ranks")
    row = "document.querySelectorAll('.m-chart-row')[2].getBoundingClientRect()"
    box = look.js(f"(({{x, y, width, height}}) => [x, y, width, height])({row})")
    look.page.mouse.move(box[0] + box[2] - 16, box[1] + box[3] / 2)
    assert "duckduckgo" in look.text(".m-chart-tip")
    assert "place 1" in look.text(".m-chart-tip")


def test_the_page_s_own_filters_drive_the_chart(look: Look, served: Callable[..., str]) -> None:
    address = served(web_data.filled)
    look.open(f"{address}/daily_ranks?engine=brave&day__gte={web_data.day(9)}")
    assert (look.count(".m-chart svg[role=img]"), look.count(".c-unread rect")) == (1, 0)
    assert look.count(".m-chart-note") == 0
    look.open(f"{address}/daily_ranks?engine=brave&position__gte=7")
    assert "Filtered by position" in look.text(".m-chart-note")
    assert look.count(".c-unread rect") == 1  # the six failed days, and none of those that the filter hides
    look.open(f"{address}/daily_ranks?engine=nobody")
    assert "No rows to draw" in look.text()
    look.open(f"{address}/daily_ranks?_next=100")
    assert look.count(".m-chart svg[role=img]") == 4
    assert look.seen.said == []


def test_days_without_a_row_are_unread_unless_a_filter_may_hide_them(look: Look, served: Callable[..., str]) -> None:
    address = served(web_data.filled)
    look.open(f"{address}/daily_page_views")  # three days that nothing was counted on, and no reading says why
    assert (look.count(".c-unread rect"), look.count(".c-line path")) == (1, 2)
    look.open(f"{address}/daily_page_views?views__gte=200")
    assert look.count(".c-unread rect") == 0
    assert "Filtered by views" in look.text(".m-chart-note")


def test_rows_that_were_cut_are_said(look: Look, served: Callable[..., str]) -> None:
    look.open(served(web_data.filled, max_returned_rows=50) + "/daily_ranks")
    assert "Only the newest 50 of 350 rows are drawn" in look.text(".m-chart-note")


def test_a_chart_that_cannot_be_read_says_why(look: Look, served: Callable[..., str], tmp_path: Path) -> None:
    address = served(web_data.filled)
    look.open(f"{address}/daily_ranks?_where=nonsense+is+wrong", "body")
    look.open(f"{address}/daily_page_views")
    with sqlite3.connect(tmp_path / "presence.db") as db:
        db.execute("drop view milestones")
    look.open(f"{address}/daily_page_views?site=blog")
    assert "could not be read: milestones" in look.text(".m-chart-note")
    assert look.count(".m-chart svg[role=img]") == 1


@pytest.mark.parametrize(
    ("view", "mark", "least"),
    [
        ("daily_page_views", ".c-area path", 2),
        ("weekly_page_views", ".c-bar rect", 12),
        ("monthly_page_views", ".c-bar rect", 3),
        ("profile_counts", ".c-dot circle", 4),
        ("profile_counts", ".c-absent path", 1),
        ("contacts_by_origin", ".c-bar rect", 3),
        ("page_one_share", ".c-second path", 4),
    ],
)
def test_every_view_is_drawn(look: Look, served: Callable[..., str], view: str, mark: str, least: int) -> None:
    look.open(f"{served(web_data.filled)}/{view}")
    assert look.count(f".m-chart {mark}") >= least
    assert "NaN" not in look.js("document.querySelector('.m-chart').outerHTML")
    for href in look.js("[...document.querySelectorAll('.m-chart a')].map((a) => a.href)"):
        assert look.js(f"fetch({href!r}).then((answer) => answer.status)") == 200, href
    assert look.seen.said == []


def test_a_changed_definition_breaks_the_line(look: Look, served: Callable[..., str]) -> None:
    def fill(path: Path) -> None:
        data = Data(path)
        github = data.source("github/ada", "profile")
        for ago in range(9):
            said = "followers" if ago > 4 else "followers and subscribers"
            data.count(
                github,
                "github/ada",
                "followers",
                10 + ago,
                ago,
                definition=said,
                precision="rounded" if ago == 2 else "exact",
            )
        data.close()

    look.open(served(fill) + "/profile_counts")
    assert [look.count(f".m-chart {m}") for m in (".c-line path", ".c-break line", ".c-open circle")] == [2, 1, 1]
    assert "counted differently" in look.text(".m-chart-legend")


@pytest.mark.parametrize("view", CHARTS)
def test_hostile_words_stay_text(look: Look, served: Callable[..., str], view: str) -> None:
    look.open(f"{served(hostile)}/{view}")
    if view != "shown_by_engine":
        assert "data-ran" in look.text()  # there, as the text it is
        look.js("document.querySelector('.m-chart-plots').focus()")
        look.press("ArrowLeft", "ArrowUp", "ArrowRight")
    assert look.js("document.documentElement.dataset.ran") is None
    assert look.count(".m-chart img, .m-chart script") == 0
    assert look.seen.said == []


def test_it_is_drawn_again_at_another_width(look: Look, served: Callable[..., str]) -> None:
    look.open(served(web_data.filled) + "/daily_ranks")
    wide = look.js("document.querySelector('.m-chart svg[role=img]').getBoundingClientRect().width")
    look.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    look.page.wait_for_selector(".m-chart svg[role=img][width^='3']")
    assert wide > 1000
    assert browsing.too_wide(look.page) == []
