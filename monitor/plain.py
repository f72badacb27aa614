"""Pure: a stranger's text as it may be printed: a title or a name must not steer the terminal."""

from __future__ import annotations


def inert(text: str) -> str:
    """The text with a space for each control or invisible character."""
    return "".join(c if c.isprintable() else " " for c in text)
