"""Pure: what the reads gave, as the pages get it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

Row = Mapping[str, Any]
SPAN = 90  # days that the home page looks back
TRUSTED = ("ok", "empty")


@dataclass(frozen=True, slots=True)
class Rows:
    """What was read from the file at one moment. `trouble` names the reads that did not succeed, and why."""

    now: datetime  # in the owner's zone
    owner: str
    tables: Mapping[str, tuple[Row, ...]]
    trouble: Mapping[str, str] = field(default_factory=dict)
    next_tries: Mapping[str, str] = field(
        default_factory=dict
    )  # source name -> instant, told by whoever runs the schedule

    @property
    def today(self) -> date:
        """The owner's calendar day."""
        return self.now.date()

    def __getitem__(self, name: str) -> tuple[Row, ...]:
        return self.tables.get(name, ())


def of(rows: Sequence[Row], source_id: int) -> list[Row]:
    """The rows of one source."""
    return [r for r in rows if r["source_id"] == source_id]
