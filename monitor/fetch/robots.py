"""May this address be asked, by the host's robots.txt? Only where `[fetch] robots = "obey"` makes it binding.

After RFC 9309: an answer of the 4xx kind allows, one that cannot be had (5xx, no answer) forbids for this time.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urljoin
from urllib.robotparser import RobotFileParser

from monitor.model import Exchange, FetchFailed, Http

PRODUCT = "presence-monitor"


def allowed(url: str, fetch: Callable[[Http, int], Exchange]) -> bool:
    """Read the robots.txt of the URL's host and say whether it lets us ask for the URL."""
    try:
        exchange = fetch(Http(urljoin(url, "/robots.txt")), 0)
    except FetchFailed:
        return False
    status = exchange.status or 500
    if 400 <= status < 500:
        return True
    if exchange.capture is None or status != 200:
        return False
    rules = RobotFileParser()
    rules.parse(exchange.capture.body.decode("utf-8", "replace").splitlines())
    return rules.can_fetch(PRODUCT, url)
