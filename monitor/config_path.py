"""Where the history is, read from a config file without checking the rest of it: for commands that only look."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import NamedTuple


class Found(NamedTuple):
    """The history's file, and the digest by which a config file is known again."""

    database: Path
    digest: str


def digest(raw: bytes) -> str:
    """The SHA-256 of a config file's bytes, in hex."""
    return hashlib.sha256(raw).hexdigest()


def find(path: Path) -> Found | None:
    """The history's file as the config file names it; None where only the full check can say what is wrong."""
    try:
        raw = path.read_bytes()
        store = tomllib.loads(raw.decode("utf-8-sig")).get("store", {})
    except (OSError, ValueError):
        return None
    name = store.get("path", "presence.db") if isinstance(store, dict) else None
    return Found(path.parent / name, digest(raw)) if isinstance(name, str) and name.isprintable() and name else None
