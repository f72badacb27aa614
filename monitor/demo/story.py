"""The story as data: who Ada Marlowe is, where she stands, and what happened to her. Nobody in it exists.

Hosts end in .example, which belongs to nobody and never will (RFC 6761); telephone numbers are of the range that Ofcom
keeps for fiction. The engines and services are named as they are, for they are what is measured. A share is how much of
the story has passed, from 0 to 1.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

OWNER = "Ada Marlowe (invented)"
ZONE = "Europe/London"
NAME, SURNAME = "Ada Marlowe", "Marlowe"
SITE = "https://ada-marlowe.example"

REDESIGN, RESUME_FOUND, TALK, VIRAL, TITLE, RESUME_GONE = 0.30, 0.36, 0.47, 0.58, 0.74, 0.86
LATER = 0.22
"""When further sources were added: Mojeek and the channels of video and talk."""
MAIL_GAP = (0.16, 0.22)
"""The old mailbox was closed, the new one not named yet."""
LOG_GAP = (0.13, timedelta(days=4))
TOKEN_GAP = (0.40, timedelta(days=26))
LAYOUT_CHANGED = 0.90
REFUSED = 0.66
SILENT = 2
"""For so many days until today Mojeek has not answered."""
CREDIT_SPENT = 0.83
"""In this month the calls to Google were used up before its end."""

RESUME = "https://resume-bank.example/cv/marlowe-a-2019.pdf"
PEOPLE_SEARCH = "https://people-lookup.example/ada-marlowe/kent"
PHONE = "+441632960142"

EVENTS = (
    (REDESIGN, "Site redesigned: one page per subject", f"{SITE}/notes/new-site"),
    (TALK, "Talk: how a tide table is made", "https://talks.example/2026/tide-tables"),
    (VIRAL, "An essay went around", f"{SITE}/notes/tides-without-a-moon"),
    (0.70, "People-search page asked to take mine down", ""),
    (TITLE, "New job title: lead engineer, open to offers", ""),
    (RESUME_GONE, "Old resume taken off resume-bank.example", ""),
)

RANKS = MappingProxyType(
    {
        ("duckduckgo", NAME): ((0.0, 7), (0.30, 6), (0.37, 4), (0.44, 2), (0.50, 1), (1.0, 1)),
        ("bing", NAME): ((0.0, 8), (0.31, 7), (0.42, 3), (0.49, 2), (0.60, 1), (0.79, 1), (0.82, 2), (0.88, 1)),
        ("brave", NAME): ((0.0, 13), (0.32, 9), (0.45, 5), (0.63, 2), (0.76, 1), (1.0, 1)),
        ("google", NAME): ((0.0, 16), (0.33, 13), (0.39, 9), (0.55, 6), (0.68, 4), (0.85, 3), (0.93, 2), (1.0, 2)),
        ("google", SURNAME): ((0.0, 30), (0.50, 17), (0.75, 14), (1.0, 12)),
        ("mojeek", NAME): ((0.0, 40), (0.40, 14), (0.46, 9), (0.62, 7), (0.84, 5), (1.0, 4)),
    }
)
"""The owner's place by engine and query; beyond what an engine shows it is not among the results."""

DEPTHS = MappingProxyType({"duckduckgo": 10, "bing": 9, "brave": 16, "google": 10, "mojeek": 10})


class Page(NamedTuple):
    """A page of somebody's: where it stands without chance, and from when to when it is there."""

    url: str
    title: str
    snippet: str
    place: float
    since: float = 0.0
    until: float = 2.0


OTHERS = (
    Page("https://quarryside.example/artists/ada-marlowe", "Ada Marlowe, sculptor | Quarryside Gallery",
         "Ada Marlowe works in slate and bronze. Current pieces, past shows, and how to visit the studio.", 1.4),
    Page("https://wiki.example/Ada_Marlowe_(sculptor)", "Ada Marlowe (sculptor)",
         "Ada Marlowe (born 1951) is a sculptor known for her slate figures on harbour walls.", 2.6),
    Page("https://wiki.example/Marlowe_(surname)", "Marlowe (surname)",
         "Marlowe is a surname. Notable people with the surname include Ada Marlowe, sculptor.", 4.2),
    Page("https://names.example/first/ada", "Ada: meaning, origin and popularity of the name",
         "Ada is a short name of old German origin. People named Ada: Ada Marlowe and others.", 5.6),
    Page("https://gazette.example/2021/marlowe-wins-regatta", "Marlowe wins the harbour regatta",
         "In a light breeze Ada Marlowe brought the Kittiwake home ahead of eleven boats.", 5.2),
    Page("https://film-index.example/title/ada-marlowe", "Ada Marlowe Investigates (TV series)",
         "Three series, eighteen episodes. A retired clerk solves small crimes in a seaside town.", 6.1),
    Page("https://genealogy.example/marlowe/kent", "Marlowe family of Kent: births and marriages",
         "Entries for Ada Marlowe, 1874 and 1902, with parish and page.", 7.0),
    Page("https://books.example/authors/a-marlowe", "Books by A. Marlowe",
         "A. Marlowe wrote two novels and a book of walks. Ada Marlowe is sometimes named as the same author.", 7.4),
    Page("https://college.example/alumni/marlowe", "Alumni: Marlowe",
         "Ada Marlowe read geography here and rowed for the second boat.", 8.1),
    Page("https://choir.example/members", "Members of the Harbour Choir",
         "Altos: Ada Marlowe, June Pell, Ruth Amory. We sing on Thursdays.", 8.6),
    Page("https://runners.example/results/half-marathon", "Half marathon: results by name",
         "Marlowe, Ada: 1:58:07, place 412.", 9.3),
    Page("https://sculpture-review.example/slate-figures", "Slate figures: Ada Marlowe at eighty",
         "A long look at the work of the sculptor Ada Marlowe.", 9.0),
    Page("https://maps.example/marlowe-road", "Marlowe Road: map and directions",
         "Marlowe Road is a residential street near the station.", 10.2),
    Page("https://dictionary.example/marlowe", "Marlowe: definition", "Marlowe, a name of places and people.", 11.0),
    Page("https://archive.example/photographs/marlowe", "Photographs: Marlowe, A.",
         "Eleven prints by or of Ada Marlowe, undated.", 11.6),
    Page("https://school.example/governors", "Our governors",
         "Ada Marlowe joined the governors in the spring.", 12.3),
    Page("https://seeds.example/sweet-pea/ada-marlowe", "Sweet pea 'Ada Marlowe'",
         "A pale lilac climber, scented, bred by an amateur.", 13.0),
    Page("https://auction.example/lots/marlowe-bronze", "Lot 118: Ada Marlowe, Heron, bronze",
         "Estimate on request. Provenance: private collection.", 13.7),
    Page("https://chess.example/players/marlowe", "Player: Marlowe, A.",
         "Ada Marlowe has 214 rated games, mostly the London System.", 14.4),
    Page("https://village.example/newsletter/march", "Village newsletter, March",
         "Thanks to Ada Marlowe for the cakes.", 15.2),
    Page("https://recipes.example/users/adamarlowe", "Recipes by adamarlowe",
         "Plum tart, leek pie and nine more.", 16.0),
    Page("https://podcast.example/guests/ada-marlowe", "Ada Marlowe on tide tables",
         "An hour on predicting the sea, with the engineer behind the essay.", 5.8, VIRAL + 0.02),
    Page("https://talks.example/2026/tide-tables", "How a tide table is made: Ada Marlowe",
         "Recording and slides of Ada Marlowe's talk on tide tables.", 4.8, TALK + 0.01),
    Page("https://code.example/ada-marlowe", "ada-marlowe on Code",
         "Tide tables, small clocks and a parser. Ada Marlowe has 14 repositories.", 6.6, 0.05),
    Page(f"{SITE}/about", "About Ada Marlowe", "Engineer for tides and small clocks. How to reach me.", 4.4, 0.36),
    Page(RESUME, "Curriculum vitae: A. Marlowe (PDF)", "Ada Marlowe, software engineer until 2019.", 7.8, 0.05, 0.85),
)  # fmt: skip
"""The other pages that show for the name, as every engine would have them; each shuffles them a little."""

HERS = frozenset({f"{SITE}/about", "https://code.example/ada-marlowe"})
"""Further pages of the owner's: below her site, never above it."""

SCRAPED = Page("https://scraped-profiles.example/ada-marlowe", "Ada Marlowe | contact and salary",
               "See where Ada Marlowe works and what people there earn.", 6.2, 0.955)  # fmt: skip
SCRAPED_BY = frozenset({"bing", "google"})
"""A second unwanted page, which two engines show to this day."""

UNWANTED = ((0.40, 12), (0.48, 9), (0.56, 7), (0.66, 4), (0.74, 3), (0.80, 3))
"""The people-search page climbs, and leaves when it is asked to."""
UNWANTED_GONE = MappingProxyType({"duckduckgo": 0.81, "bing": 0.81, "google": 0.84, "brave": 0.78, "mojeek": 0.87})

LABELS = MappingProxyType(
    {
        "mine": ("ada-marlowe.example", "code.example/ada-marlowe"),
        "about_me": ("talks.example/2026/tide-tables", "podcast.example/guests/ada-marlowe"),
        "namesake": (
            *("quarryside.example", "sculpture-review.example", "https://wiki.example/Ada_Marlowe_(sculptor)"),
            *("auction.example", "film-index.example"),
        ),
        "unwanted": ("people-lookup.example", "resume-bank.example", "scraped-profiles.example"),
    }
)
