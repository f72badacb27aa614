"""Results pages that the owner saved from a browser: the lawful way to Google for somebody without a key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from monitor.model import Capture, Context, Http, Measure, Parsed, Series, Source
from monitor.sources.search.pages import Page, read_page


@dataclass(frozen=True)
class SavedPage(Source):
    """A folder where you put results pages saved from your browser ("Save page as", the page alone or complete).

    It costs nothing and asks nobody. Search for your name in any engine, save the page into the folder, and it is read
    within minutes: Google, Bing, DuckDuckGo, Yahoo, Yandex, Ecosia, Brave, Startpage, Baidu and Mojeek are known by
    what stands in the page. Query, language and time are read from it; where it holds no time, the file's own is taken.
    The same can be done with `monitor import page.html`. Each page becomes a reading of its engine and query; a page
    put there twice counts once.

    What it cannot say: what others see. A page from your own browser is coloured by where you are and, where you are
    signed in, by who you are: save it from a private window. Google's newest links are opaque: there only the shown
    host tells whose a result is.

    Keys: `folder`, beside the config file or a full path.
    """

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "saved_page"
    every: ClassVar[str] = "10m"
    history: ClassVar[bool] = True

    folder: str

    def series(self) -> Series:
        """The folder's own; each page in it belongs to a series of its engine and query."""
        return Series(subject=self.folder)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """Nobody is asked."""
        return ()

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read a saved page."""
        return read_page(capture.body).parsed


@dataclass(frozen=True)
class ImportedPage(Source):
    """One engine, query, language and device, as read from imported pages; made by the import, not by the config."""

    measure: ClassVar[Measure] = Measure.SEARCH
    kind: ClassVar[str] = "import"

    engine: str = ""
    provider: str = ""
    query: str = ""
    locale: str = ""
    device: str = ""

    @classmethod
    def of(cls, page: Page, query: str) -> ImportedPage:
        """The series that a page belongs to."""
        return cls(page.engine, page.provider, query, page.locale, page.device)

    def series(self) -> Series:
        """What the page said of itself."""
        return Series(self.engine, self.provider, self.query, self.locale, self.device)

    def requests(self, ctx: Context) -> Iterable[Http]:
        """The page is at hand: the address only stands for it."""
        yield Http("saved:")

    def parse(self, capture: Capture, ctx: Context) -> Parsed:
        """Read the page."""
        return read_page(capture.body).parsed
