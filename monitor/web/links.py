"""Pure: where a number's evidence is found. Every link on the home page is made here."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses inside one database, as Datasette writes them, base_url included.

    `root` is the database's own path, `ours` the beginning of those of the pages that are not tables.
    """

    root: str
    ours: str = "/-/presence/"

    def reading(self, reading_id: int | None) -> str:
        """The page of the reading that a number came from."""
        return self.page(f"reading/{reading_id}") if reading_id else f"{self.root}/readings"

    def page(self, path: str, **args: object) -> str:
        """One of the pages that are not tables: `page("map", source=3)`."""
        said = {key: value for key, value in args.items() if value is not None}
        return f"{self.ours}{path}" + (f"?{urlencode(said)}" if said else "")

    def row(self, table: str, key: int | str) -> str:
        """The page of one row."""
        return f"{self.root}/{table}/{key}"

    def rows(self, table: str, **where: object) -> str:
        """A table or view, filtered: `day__gte="2026-01-01"`; keys with an underscore first are Datasette's own."""
        asked = {(k if k.startswith("_") or "__" in k else f"{k}__exact"): v for k, v in where.items() if v is not None}
        return f"{self.root}/{table}" + (f"?{urlencode(asked)}" if asked else "")
