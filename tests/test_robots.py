"""robots.txt, where the owner made it binding."""

from __future__ import annotations

import pytest

from monitor.fetch.robots import allowed
from monitor.model import Exchange, FetchFailed, Http
from tests.made import exchange

URL = "https://engine.example/html/?q=x"


@pytest.mark.parametrize(
    ("answer", "may"),
    [
        (exchange("User-agent: *\nDisallow: /html\n"), False),
        (exchange("User-agent: *\nDisallow: /private\n"), True),
        (exchange("User-agent: presence-monitor\nDisallow: /\n\nUser-agent: *\nAllow: /\n"), False),
        (exchange("User-agent: otherbot\nDisallow: /\n"), True),
        (exchange("", 404), True),
        (exchange("", 403), True),
        (exchange("", 500), False),
        (FetchFailed("timeout"), False),
        (exchange(b"\xff\xfe\x00junk"), True),
    ],
)
def test_what_a_robots_txt_allows(answer: Exchange | Exception, may: bool) -> None:
    asked = []

    def fetch(request: Http, n: int) -> Exchange:
        asked.append(request.url)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert allowed(URL, fetch) is may
    assert asked == ["https://engine.example/robots.txt"]
