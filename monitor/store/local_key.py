"""The key of one machine, by which people are hashed: a file beside the history, for its owner alone to read.

A plain hash of a telephone number or a name is found by trying them all; one by a key that stands nowhere else is not.
The key is never in the database. The history holds a mark of it, so that a key lost or exchanged is told, and never
makes old acquaintances new.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import stat
import threading
from collections.abc import Callable
from pathlib import Path

from monitor.store import copies
from monitor.store.connection import Store, StoreError

_MARK = "monitor"


def path_of(database: Path) -> Path:
    """Where the key of a history stands."""
    return database.with_name(f"{database.stem}.key")


def hasher(store: Store, random: Callable[[int], bytes] = secrets.token_bytes) -> Callable[[str], str]:
    """The keyed hash of this history: text to 32 hex digits. The key is made at the first use.

    Raises StoreError (77) where the key is lost, is damaged, is not the one that this history was written with, or may
    be read by others.
    """
    path = path_of(store.path)
    key = _read(path)
    known = store.rows("select mark from local_key")
    if not known:
        key = key or _make(path, random)
        with store.write() as db:
            db.execute("insert or ignore into local_key values (1, ?)", [_hash(key, _MARK)])
        known = store.rows("select mark from local_key")
    if not key:
        raise StoreError(f"{path.name} is gone, by which people are told apart: bring it back from a backup.", 77)
    if known[0]["mark"] != _hash(key, _MARK):
        raise StoreError(f"{path.name} is not the key of this history: bring the right one back from a backup.", 77)
    return lambda text: _hash(key, text)


def _hash(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def _read(path: Path) -> bytes:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise StoreError(f"{path.name} may be read by others: close it with `chmod 600 {path}`.", 77)
        key = path.read_bytes().strip()
        if not re.fullmatch(rb"[0-9a-f]{64}", key):
            raise StoreError(f"{path.name} is damaged: bring it back from a backup.", 77)
        return key
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}.", 77) from error


def _make(path: Path, random: Callable[[int], bytes]) -> bytes:
    """Make the key, whole or not at all, and onto the disk; when another one was first, its key is taken.

    It is there for good before the history holds its mark: a mark without its key could never be met again.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        fresh.unlink(missing_ok=True)  # of a process that was killed and had the same number
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(random(32).hex().encode())
            file.flush()
            os.fsync(file.fileno())
        _put(fresh, path)
        copies.sync(path.parent)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.", 77) from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
    return _read(path)


def _put(fresh: Path, path: Path) -> None:
    try:
        os.link(fresh, path)
    except FileExistsError:
        return
    except OSError:  # a disk without second names
        if not path.exists():
            fresh.replace(path)
