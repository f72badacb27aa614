"""The fixed words: what is measured, how an attempt ended, what made it, what a block of a page is."""

from __future__ import annotations

from enum import StrEnum


class Measure(StrEnum):
    """What is measured: the config section, and for `typed` the owner's own hand."""

    SEARCH = "search"
    PAGE_VIEWS = "page_views"
    PROFILE = "profile"
    CONTACTS = "contacts"
    TYPED = "typed"


class Outcome(StrEnum):
    """How an attempt ended. Only `ok` and `empty` may draw a point; all else is a gap, never a fall."""

    OK = "ok"
    EMPTY = "empty"
    SUSPECT = "suspect"
    BLOCKED = "blocked"
    CHANGED = "changed"
    FAILED = "failed"
    MISSED = "missed"


class Trigger(StrEnum):
    """What made a reading happen."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    IMPORT = "import"
    TYPED = "typed"
    REREAD = "reread"


class Kind(StrEnum):
    """What a block of a results page is. Only `organic` takes a position."""

    ORGANIC = "organic"
    SITELINK = "sitelink"
    AD = "ad"
    NEWS = "news"
    VIDEO = "video"
    IMAGE = "image"
    ANSWER = "answer"
    PEOPLE_ALSO_ASK = "people_also_ask"
    KNOWLEDGE = "knowledge"
    LOCAL = "local"
    OTHER = "other"
