"""Instants and days as the database writes them: UTC text ending in Z, and ISO days."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(at: datetime, *, fine: bool = False) -> str:
    """An aware instant as UTC text, `2026-11-23T06:30:00Z`; with milliseconds when `fine`."""
    text = at.astimezone(UTC).isoformat(timespec="milliseconds" if fine else "seconds")
    return text.replace("+00:00", "Z")


def from_text(text: str) -> datetime:
    """The aware instant that `to_text` wrote. Raises ValueError on anything else."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return at.astimezone(UTC)


def utc_now() -> datetime:
    """The wall clock, UTC. Only the shells call it; the pure rooms are given the time."""
    return datetime.now(UTC)
