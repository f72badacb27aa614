"""On which pages the owner's own telephone numbers, mail addresses and old addresses stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from phonenumbers import SUPPORTED_REGIONS

from monitor import labels, urls
from monitor.model import Capture, Context, Http, Measure, Parsed, Secret, Series, Source

LONGEST_DAYS = 366


@dataclass(frozen=True)
class Exposure(Source):
    """Whether your own telephone numbers, mail addresses and old postal addresses stand on pages about you.

    Looked at are only the pages of your own tracked results (the first `results` of each newest page) and those that
    you add with `pages`; a page that shows one of yours is looked at until it no longer does, wherever it ranks by
    then. A robots.txt is always obeyed here, and LinkedIn is never asked. Pages are due one by one, each every `days`;
    `every` says how often it is looked whether one is due. `monitor check exposure` looks at all of them now, and
    `monitor exposure` gives the answer: found, gone, or could not be read. A page that could not be read is never
    called clear.

    What you look for is never written down: it stands in an environment variable or a file that you alone can read
    (mode 0600), one a line or separated by `;`. The history holds a hash by a key of this machine and a mask
    ("+61 … 42"). No page is kept, for it would hold what is looked for: the evidence is the address, the status, the
    time, the SHA-256 of the bytes and where on the page it stood.

    Found are telephone numbers in any spelling that the numbering plan of one of `regions` (or of the number itself)
    reads as yours, mail addresses also as `mailto:`, "me [at] example.org" or hidden by Cloudflare, and addresses of
    three words or more by their words in order, whatever stands between them: write "St" and "Street" as two. HTML,
    plain text and PDF are read. What a page shows only by its scripts, in a picture, in a scanned PDF or in another
    kind of file is told as not read.

    Keys: `phones`, `mails`, `addresses` (each `{ env = "NAME" }` or `{ file = "path" }`, one of them at least);
    `regions` as ISO codes, such as `["AU", "DE"]`; `pages`; `results` (0: none); `allow`, the pages where it is meant
    to stand, as `example.org`, `*.example.org`, `example.org/cv` or a full address; `days`.
    """

    measure: ClassVar[Measure] = Measure.CONTACTS
    kind: ClassVar[str] = "exposure"
    every: ClassVar[str] = "1h"
    keep: ClassVar[bool] = False
    history: ClassVar[bool] = True

    phones: Secret | None = None
    mails: Secret | None = None
    addresses: Secret | None = None
    regions: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    results: int = 10
    allow: tuple[str, ...] = ()
    days: int = 7

    def __post_init__(self) -> None:
        if not (self.phones or self.mails or self.addresses):
            raise ValueError('name what to look for: phones, mails or addresses, as { env = "NAME" }')
        for region in self.regions:
            if region not in SUPPORTED_REGIONS:
                raise ValueError(f'regions: "{region}" is no region; write ISO codes, such as "AU", "DE", "GB"')
        for page in self.pages:
            if not urls.is_link(page) or urls.is_never_asked(page):
                raise ValueError("pages: each is an address that begins with http:// or https://, and not LinkedIn's")
        for pattern in self.allow:
            labels.read_pattern(pattern)
        if not 0 <= self.results <= 100:
            raise ValueError("results is a number from 0 to 100")
        if not 1 <= self.days <= LONGEST_DAYS:
            raise ValueError(f"days is a number from 1 to {LONGEST_DAYS}")

    @property
    def secrets(self) -> tuple[tuple[str, Secret], ...]:
        """What to look for, by its kind and the name under which it is found."""
        named = (("phone", self.phones), ("mail", self.mails), ("address", self.addresses))
        return tuple((kind, secret) for kind, secret in named if secret)

    def series(self) -> Series:
        """One series, whatever is looked for: each identifier is a row of its own."""
        return Series()

    def requests(self, ctx: Context) -> Iterable[Http]:
        """Which pages are asked follows from the history (monitor/exposing.py)."""
        return ()

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """A page is read beside what is looked for (exposure_page.py): nothing is read from it alone."""
        return Parsed()
