"""The story of the site and the profiles, as data: essays and how they are read, numbers and how they grow."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

from monitor.demo.story import LATER, REDESIGN, TALK, TITLE, VIRAL

WEEKDAYS = (1.06, 1.16, 1.12, 1.09, 0.93, 0.58, 0.66)
"""How busy a Monday is, and so on to Sunday: it is read at work."""
PAGES = MappingProxyType({"/": 0.30, "/notes/": 0.11, "/about": 0.07, "/tides/dover": 0.05, "/contact": 0.02})
BASE = ((0.0, 34), (REDESIGN, 52), (REDESIGN + 0.12, 88), (VIRAL, 120), (VIRAL + 0.05, 165), (TITLE, 172), (1.0, 214))


class Essay(NamedTuple):
    """A page that is read most in its first days: where, from when, how often at first, and how long it lasts."""

    path: str
    since: float
    first: int
    days: float = 6.0


ESSAYS = (
    Essay("/notes/leap-seconds", 0.04, 60),
    Essay("/notes/a-clock-for-one-harbour", 0.12, 85),
    Essay("/notes/parsing-almanacs", 0.21, 70),
    Essay("/notes/new-site", REDESIGN, 130),
    Essay("/notes/why-tables-still-matter", 0.39, 150),
    Essay("/notes/talk-how-a-tide-table-is-made", TALK, 310),
    Essay("/notes/tides-without-a-moon", VIRAL, 5_900, 1.9),
    Essay("/notes/what-a-crowd-reads", VIRAL + 0.03, 260),
    Essay("/notes/leading-a-small-team", TITLE + 0.01, 240),
    Essay("/notes/a-year-of-readings", 0.84, 190),
    Essay("/notes/springs-and-neaps", 0.93, 210),
    Essay("/notes/the-lunar-clock", 0.985, 280),
)
AGGREGATOR = "linkboard.example"
NOT_COUNTED = MappingProxyType(
    {"bot": 2.1, "not_a_page": 4.4, "status": 0.5, "noise": 0.6, "feed": 1.3, "method": 0.2, "prefetch": 0.04}
)
"""Lines left out of the count, for each page view counted on a plain day."""

GITHUB_USER, REPOSITORY = "ada--marlowe", "ada--marlowe/tide-tables"  # no account may be called so: two hyphens
FOLLOWERS = ((0.0, 61), (REDESIGN, 74), (VIRAL, 103), (VIRAL + 0.02, 171), (TITLE, 188), (1.0, 236))
STARS = ((0.0, 118), (TALK, 204), (VIRAL, 262), (VIRAL + 0.03, 905), (1.0, 1_118))
REPOSITORY_VIEWS = ((0.0, 14), (TALK, 26), (VIRAL, 30), (VIRAL + 0.004, 420), (VIRAL + 0.03, 60), (1.0, 48))
STACK_USER = 999_999_999  # far above the accounts that there are
REPUTATION = ((0.0, 2_318), (1.0, 3_874))
STACK_VIEWS = ((0.0, 411), (VIRAL, 540), (1.0, 791))
CHANNEL = "UCAdaMarloweTideTables00"  # no channel may be called so: an id ends in A, Q, g or w
SUBSCRIBERS = ((LATER, 870), (TALK, 990), (VIRAL, 1_180), (0.8, 1_640))
HIDDEN = 0.88
"""From here on the channel hides its subscribers."""
CHANNEL_VIEWS = ((LATER, 21_400), (TALK, 26_900), (1.0, 61_300))
SOCIAL = "@ada@social.example"
SOCIAL_FOLLOWERS = ((LATER, 48), (0.69, 132))
SOCIAL_GONE = 0.69
