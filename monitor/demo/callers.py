"""The story of who got in touch, as data: recruiters of agencies that do not exist, and how they say they found her."""

from __future__ import annotations

from typing import NamedTuple

from monitor.demo.story import MAIL_GAP, RESUME_FOUND, RESUME_GONE, TALK, TITLE, VIRAL


class Wave(NamedTuple):
    """So many contacts between two shares of the story; what may be true of one of them stands in HOW."""

    since: float
    until: float
    contacts: int
    how: str


WAVES = (
    Wave(0.01, MAIL_GAP[0] - 0.01, 6, "now and then"),
    Wave(MAIL_GAP[1] + 0.01, TALK, 11, "now and then"),
    Wave(RESUME_FOUND, RESUME_GONE, 7, "old resume"),
    Wave(TALK, VIRAL, 7, "now and then"),
    Wave(VIRAL + 0.003, VIRAL + 0.03, 11, "essay"),
    Wave(VIRAL + 0.03, TITLE, 9, "now and then"),
    Wave(TITLE + 0.002, TITLE + 0.03, 17, "title"),
    Wave(TITLE + 0.03, TITLE + 0.10, 13, "title"),
    Wave(TITLE + 0.10, 1.0, 12, "now and then"),
)
HOW = {
    "now and then": (("inmail", "linkedin"), ("request", "linkedin"), ("mail", "unknown"), ("mail", "search")),
    "old resume": (("mail", "old resume"), ("mail", "old resume"), ("mail", "unknown")),
    "essay": (("mail", "website"), ("mail", "website"), ("mail", "search"), ("request", "linkedin")),
    "title": (("inmail", "linkedin"), ("inmail", "linkedin"), ("request", "linkedin"), ("message", "linkedin")),
}
AGENCIES = ("harbourline-talent.example", "bluepeak-recruiting.example", "redfern-search.example", "oakmere.example")
FIRST = ("Robin", "Alex", "Sam", "Jo", "Chris", "Pat", "Lee", "Kim", "Max", "Nico", "Toni", "Dana", "Eli", "Noa", "Kai")
SECOND = ("Quill", "Thistlewood", "Amberley", "Fenwright", "Osterby", "Larkhill", "Pennow", "Greywater", "Hollin")

PERSISTENT = "Robin Thistlewood", "robin@harbourline-talent.example", (0.27, 0.38, 0.49, 0.60, 0.76, 0.93)
"""One recruiter who writes again and again."""
UNSURE = (0.33, 0.61, 0.78, 0.955, 0.98)
"""Mails that may be a recruiter's, and wait for the owner's word."""
NOT_A_CONTACT = "course-offers.example", (0.30, 0.44, 0.63)
"""A seller of courses, until the owner says what it is."""

CALLS = (
    (0.395, "old resume", "knew my title of 2019"),
    (0.52, "old resume", ""),
    (0.605, "search", "had read the essay"),
    (0.71, "old resume", "asked for a job I left long ago"),
    (0.765, "linkedin", ""),
    (0.805, "old resume", ""),
    (0.92, "referral", "from the talk"),
)
EXPORTS = (0.46, 0.68, 0.83, 0.97)
CONNECTIONS = ((0.3, 402), (TALK, 421), (VIRAL, 447), (TITLE, 489), (TITLE + 0.1, 612), (1.0, 664))
WEEKLY = (
    (0.0, 9),
    (TALK, 17),
    (VIRAL, 22),
    (VIRAL + 0.03, 41),
    (TITLE - 0.01, 26),
    (TITLE + 0.01, 96),
    (0.90, 58),
    (1.0, 49),
)
RENAMED = 0.64
"""LinkedIn's weekly mails count profile appearances from here on, which is more than searches."""
PROFILE_VIEWS = (0.08, 0.19, 0.30, 0.41, 0.53, 0.64, 0.755, 0.87, 0.985)
"""When she looked up how often her profile was seen in 90 days, and typed it."""
