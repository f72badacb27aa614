"""What a file may be that the owner brings, by what stands in it: one literal table.

What is in no row of it is a log (importing_logs.py) or a page of results (importing.py).
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, NamedTuple

HEAD = 256 * 1024  # bytes of a file's beginning that are looked at


class FileKind(NamedTuple):
    """A kind of file: how it is known, taken in and read again, each as "module:name" and loaded only then.

    `knows(head: bytes, name: str) -> bool` is pure: the file's first HEAD bytes and its name.
    `take(importer, path, at) -> Imported` stores it, or raises ImportRefused.
    `series(subject: str) -> Source` makes the source again that its kept pages are read again with; empty where no
    bytes of it are kept.
    `way` is how its numbers came, as the view profile_counts says it: "saved page", "export", "mail".
    """

    name: str
    way: str
    knows: str
    take: str
    series: str = ""


KINDS = (
    FileKind(
        "linkedin-page",
        "saved page",
        knows="monitor.sources.profiles.linkedin_page:is_linkedin",
        take="monitor.importing_profiles:take_linkedin_page",
        series="monitor.sources.profiles.linkedin_page:LinkedInPage",
    ),
    FileKind(
        "linkedin-analytics",
        "export",
        knows="monitor.sources.contacts.linkedin_xlsx:is_workbook",
        take="monitor.importing_archives:take_analytics",
    ),
    FileKind(
        "x-analytics",
        "export",
        knows="monitor.sources.profiles.x_analytics:is_analytics",
        take="monitor.importing_profiles:take_x_analytics",
    ),
    FileKind(
        "linkedin-export",
        "export",
        knows="monitor.sources.contacts.linkedin_table:is_export",
        take="monitor.importing_archives:take_export",
    ),
)


def kind_of(path: Path) -> FileKind | None:
    """What a file is by the table; None for what is in no row, or cannot be read (taking it says why)."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return None
    return next((kind for kind in KINDS if loaded(kind.knows)(head, path.name)), None)


def named(name: str) -> FileKind | None:
    """The row of this name."""
    return next((kind for kind in KINDS if kind.name == name), None)


def loaded(dotted: str) -> Any:
    """What a "module:name" of the table stands for."""
    module, _, name = dotted.partition(":")
    return getattr(importlib.import_module(module), name)
