"""Every page in a real browser, on a phone and on a desk, in light and dark: it says nothing, asks nobody else, fits,
is readable by all (axe), by keyboard, without JavaScript and on paper. With a control that shows each check can fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from datasette_auth_passwords.utils import hash_password
from playwright.sync_api import Browser

from monitor.store import readings, sources
from monitor.store.connection import Store
from monitor.web.pages import PAGES, PREFIX
from tests import browsing, web_data
from tests.browsing import DESK, PHONE
from tests.made import DUCK, NOW, reading, settings
from tests.replay import Answer, Replay

A4 = (718, 1000)  # what is left of the paper's width between usual margins, in CSS pixels
WORD = "correct horse"
LABELS = '[labels]\nmine = ["ada.example"]\n'
KEPT = '<!DOCTYPE html><html lang="en"><title>Results</title><p>Ada <script>alert("kept")</script><img src="{}/img">'


def kept(path: Path, trap: str) -> Path:
    """A history with a kept results page that reaches for the trap."""
    with Store(path) as store:
        ids = sources.sync(store, settings(path.parent, DUCK + LABELS), NOW)
        readings.save(store, ids["duckduckgo/ada-example"], reading("https://ada.example/", body=KEPT.format(trap)))
    return path


def capture_of(path: Path) -> str:
    with Store(path) as store:
        return str(store.rows("select capture_id from exchanges where capture_id is not null")[0]["capture_id"])


@dataclass(frozen=True)
class Sites:
    """Where each invented history is served, and what they must never reach."""

    url: dict[str, str]
    capture: str
    trap: Replay

    def __getitem__(self, kind: str) -> str:
        return self.url[kind]


@pytest.fixture(scope="module")
def trap() -> Iterator[Replay]:
    with Replay({}) as server:
        yield server


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory, trap: Replay) -> Iterator[Sites]:
    def path(kind: str) -> Path:
        return tmp_path_factory.mktemp(kind) / "presence.db"

    made = {name: getattr(web_data, name)(path(name)) for name in ("filled", "empty", "unlabelled", "hostile")}
    made["kept"] = kept(path("kept"), trap.url)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr("monitor.web.now", lambda: web_data.NOON)
        url = {name: stack.enter_context(browsing.served(history, mode="local")) for name, history in made.items()}
        known = str(hash_password(WORD, salt="0" * 32, iterations=1000))
        guarded = browsing.served(web_data.filled(path("password"), days=5), mode="password", password_hash=known)
        url["password"] = stack.enter_context(guarded)
        yield Sites(url, capture_of(made["kept"]), trap)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing.chromium() as found:
        yield found


# --- what is looked at ---------------------------------------------------------------------------------------------

# A page is looked at with arguments that a reader would give it; a new page has none yet, and a test says so.
EXAMPLES = {
    r"reading/(?P<id>[0-9]{1,12})": ["reading/1"],
    r"capture/(?P<id>[0-9a-f]{64})": [],  # a stranger's page: looked at below
    "map": ["map"],
    "timeline": ["timeline", "timeline?span=all"],
    "label": ["label?url=1"],
    r"changes\.atom": [],  # a feed is for a feed reader
    "why": ["why"],
    "worth": ["worth"],
    "exposure": ["exposure"],
}
BEHIND = [address for page in PAGES for address in EXAMPLES.get(page.path, [])]
OURS = [
    *((kind, "/") for kind in ("filled", "empty", "unlabelled", "hostile", "kept")),
    *(("filled", PREFIX + address) for address in BEHIND),
    *(("hostile", PREFIX + address) for address in BEHIND),
    ("kept", f"{PREFIX}reading/1"),
]
# Of Datasette's own pages what axe finds is Datasette's; these rules it breaks on 0.65.5, on 1.0, or on both: no
# language, no main landmark, unnamed fields, a heading left out, and white on light blue.
DATASETTES = {
    *("color-contrast", "heading-order", "html-has-lang", "label", "landmark-one-main", "page-has-heading-one"),
    *("region", "select-name", "scrollable-region-focusable", "aria-input-field-name"),
}
# The page asks again while the first readings are under way, when there is nothing on it to lose one's place in.
FIRST_MINUTES = {("empty", "/"): {"meta-refresh"}}


def test_every_page_has_an_example() -> None:
    assert [page.path for page in PAGES if page.path not in EXAMPLES] == []


@pytest.mark.parametrize(("kind", "path"), OURS)
def test_a_page_is_quiet_fits_and_is_readable_by_all(browser: Browser, sites: Sites, kind: str, path: str) -> None:
    url = sites[kind]
    for size in (PHONE, DESK):
        with browsing.visit(browser, url, size, color_scheme="light") as seen:
            assert seen.go(path) == 200
            found = [v for v in browsing.violations(seen.page) if v[0] not in FIRST_MINUTES.get((kind, path), ())]
            assert found == []
            seen.page.emulate_media(color_scheme="dark")
            assert browsing.violations(seen.page, only=("color-contrast",)) == []
            assert browsing.too_wide(seen.page) == []
            assert (seen.said, seen.elsewhere()) == ([], [])
            assert "data-ran" not in seen.page.evaluate("document.documentElement.outerHTML.slice(0, 200)")
    assert sites.trap.requests == []


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_a_table_with_a_chart_is_drawn_in_both_colours(browser: Browser, sites: Sites, size: tuple[int, int]) -> None:
    with browsing.visit(browser, sites["filled"], size, color_scheme="light") as seen:
        assert seen.go("/presence/daily_ranks") == 200
        seen.page.wait_for_selector(".m-chart[data-drawn=yes] svg[role=img]")
        assert browsing.violations(seen.page, ".m-chart", without=("region",)) == []  # the rest is not ours
        assert {rule for rule, *_ in browsing.violations(seen.page)} <= DATASETTES
        seen.page.emulate_media(color_scheme="dark")
        assert browsing.violations(seen.page, ".m-chart", only=("color-contrast",)) == []
        assert browsing.too_wide(seen.page) == []
        assert (seen.said, seen.elsewhere()) == ([], [])


@pytest.mark.parametrize("path", ["/presence/readings/1", "/presence/readings", "/presence", "/presence/page_one"])
@pytest.mark.parametrize("kind", ["filled", "hostile"])
def test_datasette_s_own_pages_break_nothing_but_what_is_known(
    browser: Browser, sites: Sites, kind: str, path: str
) -> None:
    with browsing.visit(browser, sites[kind], PHONE) as seen:
        assert seen.go(path) == 200
        assert {rule for rule, *_ in browsing.violations(seen.page)} <= DATASETTES
        assert (seen.said, seen.elsewhere()) == ([], [])


def test_a_kept_page_runs_nothing_and_reaches_nobody(browser: Browser, sites: Sites) -> None:
    with browsing.visit(browser, sites["kept"]) as seen:
        assert seen.go(f"{PREFIX}capture/{sites.capture}?reading=1") == 200
        assert "Ada" in seen.page.inner_text("body")
        assert seen.elsewhere() == []
        assert [said for said in seen.said if said.startswith("dialog")] == []
    assert sites.trap.requests == []


# --- signing in ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_the_owner_signs_in_and_is_home(browser: Browser, sites: Sites, size: tuple[int, int]) -> None:
    with browsing.visit(browser, sites["password"], size) as seen:
        assert seen.go("/") == 200
        assert seen.page.url.endswith("/-/login")
        assert "Ada" not in seen.page.content()
        assert {rule for rule, *_ in browsing.violations(seen.page)} <= DATASETTES
        assert browsing.too_wide(seen.page) == []
        seen.page.fill("input[name=username]", "owner")
        seen.page.fill("input[name=password]", WORD)
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_url(seen.url + "/")
        assert "Ada Example" in seen.page.inner_text("h1")
        assert (seen.said, seen.elsewhere()) == ([], [])


# --- by keyboard, without JavaScript, on paper ---------------------------------------------------------------------

FOCUSED = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  return {at: (at.getAttribute('class') ?? '').trim(), text: at.innerText,
    inside: at.closest('.m-verdict, .m-engine')?.className ?? '',
    seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 && at.getBoundingClientRect().left >= 0};
}"""


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_by_keyboard_one_skips_to_the_verdict_and_reaches_the_first_engine(
    browser: Browser, sites: Sites, size: tuple[int, int]
) -> None:
    with browsing.visit(browser, sites["filled"], size) as seen:
        seen.go("/")
        seen.page.keyboard.press("Tab")
        first = seen.page.evaluate(FOCUSED)
        assert (first["at"], first["text"], first["seen"]) == ("m-skip", "Skip to content", True)
        seen.page.keyboard.press("Enter")
        way = []
        for _ in range(8):
            seen.page.keyboard.press("Tab")
            way.append(seen.page.evaluate(FOCUSED))
        assert all(step["seen"] for step in way)
        links = seen.page.locator(".m-verdict a").count()
        assert 0 < links < 6
        insides = [step["inside"].partition(" ")[0] for step in way]
        assert insides[: links + 1] == ["m-verdict"] * links + ["m-engine"]
        assert way[links]["at"].partition(" ")[0] in ("m-rank", "m-none")
        seen.page.keyboard.press("Shift+Tab")
        assert seen.page.evaluate(FOCUSED)["inside"]


@pytest.mark.parametrize("address", BEHIND)
def test_every_page_begins_with_the_way_past_its_menu(browser: Browser, sites: Sites, address: str) -> None:
    with browsing.visit(browser, sites["filled"], PHONE) as seen:
        seen.go(PREFIX + address)
        seen.page.keyboard.press("Tab")
        assert seen.page.evaluate(FOCUSED)["at"] == "m-skip"
        for _ in range(12):
            seen.page.keyboard.press("Tab")
            step = seen.page.evaluate(FOCUSED)
            assert step["seen"] or step["at"] == "monitor", step  # after the last link it is the browser's own turn


@pytest.mark.parametrize("path", ["/", *(PREFIX + address for address in BEHIND)])
def test_without_javascript_the_same_is_said(browser: Browser, sites: Sites, path: str) -> None:
    said = []
    for on in (True, False):
        with browsing.visit(browser, sites["filled"], java_script_enabled=on) as seen:
            assert seen.go(path) == 200
            said.append(seen.page.inner_text("main"))
    assert said[0] == said[1]
    assert len(said[1]) > 100


@pytest.mark.parametrize("path", ["/", *(PREFIX + address for address in BEHIND)])
def test_on_paper_nothing_is_cut(browser: Browser, sites: Sites, path: str) -> None:
    with browsing.visit(browser, sites["filled"], A4, color_scheme="dark") as seen:
        seen.go(path)
        seen.page.emulate_media(media="print")
        assert browsing.too_wide(seen.page) == []
        assert browsing.cut(seen.page) == []
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


# --- what these tests would find -----------------------------------------------------------------------------------

CARELESS = """<!DOCTYPE html><html><head><title>Careless</title><style>p {{ color: #999 }} i {{ display: block;
width: 50px; overflow: hidden; white-space: nowrap }}</style></head><body><p>Hardly read <img src="{}/img"></p>
<div style="width: 2000px">wide</div><i>a line that is much longer than its box</i>
<script>alert("hello"); console.error("oh"); nowhere()</script></body></html>"""


def test_a_careless_page_is_caught_in_every_way(browser: Browser, trap: Replay) -> None:
    with Replay({}) as other, Replay({"/": Answer.html(CARELESS.format(other.url))}) as careless:
        with browsing.visit(browser, careless.url, PHONE) as seen:
            seen.go("/")
            assert {said.partition(":")[0] for said in seen.said} >= {"dialog", "error"}
            assert any("nowhere is not defined" in said for said in seen.said)
            assert seen.elsewhere() == [f"{other.url}/img"]
            assert {"color-contrast", "image-alt", "html-has-lang"} <= {v[0] for v in browsing.violations(seen.page)}
            assert browsing.violations(seen.page, only=("color-contrast",))
            assert browsing.too_wide(seen.page)
            assert browsing.cut(seen.page) == ["I: a line that is much longer than its box"]
        assert other.asked("/img")
