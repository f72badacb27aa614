"""A real browser for tests: Debian's Chromium driven by Playwright, and pages of ours for it to look at.

Playwright's plain interface keeps an event loop of its own running in the thread, so that no `async def` test can run
while it is open: browser tests have files of their own, and their fixtures end with the file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from monitor.web.serve import load_metadata, make_datasette, server
from tests.conftest import part

LOUD = {"error", "warning", "assert"}
PHONE, DESK = (390, 844), (1280, 900)
NOBODY = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that Debian ships: nothing is downloaded."""
    program = part("chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu", NOBODY])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """An open page, and whatever it said, opened or asked for since."""

    page: Page
    url: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def go(self, path: str) -> int:
        """Open a path of the address and give its status. A page that asks itself to be read again is not waited on."""
        answer = self.page.goto(self.url + path, wait_until="load")
        assert answer
        return answer.status

    def elsewhere(self) -> list[str]:
        """What was asked of any host but the one that serves the pages."""
        return [url for url in self.asked if not url.startswith((self.url + "/", "data:"))]


@contextmanager
def visit(browser: Browser, url: str, size: tuple[int, int] = DESK, **options: Any) -> Iterator[Visit]:
    """A fresh profile of this width and height; `options` are Playwright's (`color_scheme`, `java_script_enabled`)."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(20_000)
    page = context.new_page()
    seen = Visit(page, url)

    def dialog(found: Any) -> None:
        seen.said.append(f"dialog: {found.message}")
        found.dismiss()

    context.on("request", lambda request: seen.asked.append(request.url))
    context.on("dialog", dialog)
    context.on("console", lambda line: line.type in LOUD and seen.said.append(f"{line.type}: {line.text}"))
    context.on("weberror", lambda error: seen.said.append(f"error: {error.error}"))
    try:
        yield seen
    finally:
        context.close()


@contextmanager
def served(history: Path, metadata: Mapping[str, Any] | None = None, **options: Any) -> Iterator[str]:
    """The address at which the pages of a history are served while the block runs; `options` as `make_datasette`'s."""
    ds = make_datasette(history, load_metadata() if metadata is None else metadata, **options)
    web = server(ds.app(), "127.0.0.1", 0)
    thread = threading.Thread(target=web.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not web.started and time.monotonic() < until:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}"
    finally:
        web.should_exit = True
        thread.join(20)


def violations(
    page: Page, within: str = "", only: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    """What axe finds on an open page: the rule, and the element's markup. A kept page in a frame is not ours."""
    # Without selectors: in the frame of Datasette 1.0 there is an element for which axe can make none, and it gives up.
    options: dict[str, Any] = {"resultTypes": ["violations"], "iframes": False, "selectors": False}
    if only:
        options["runOnly"] = list(only)
    if without:
        options["rules"] = {rule: {"enabled": False} for rule in without}
    found = Axe().run(page, context=within or None, options=options).response["violations"]
    return [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]]


def too_wide(page: Page) -> list[str]:
    """What reaches beyond the right edge, when the page must be scrolled sideways for it."""
    return list(
        page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.body.querySelectorAll('*')]
            .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
            .map((e) => `${e.tagName} ${e.className.baseVal ?? e.className}`).slice(0, 9)"""
        )
    )


def cut(page: Page) -> list[str]:
    """The texts that their boxes hide a part of."""
    return list(
        page.evaluate(
            """() => [...document.body.querySelectorAll('*')].filter((e) => {
              const { overflowX, overflowY, display, clipPath } = getComputedStyle(e);
              if (display === 'inline' || display === 'none' || clipPath !== 'none' || !e.clientWidth) return false;
              return (overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1)
                || (overflowY !== 'visible' && e.scrollHeight > e.clientHeight + 1);
            }).map((e) => `${e.tagName}: ${e.innerText}`.slice(0, 90))"""
        )
    )
