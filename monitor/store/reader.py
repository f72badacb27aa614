"""Looking at the history without writing to it, on the standard library alone, so that a look is quick.

What only an unusable file needs is imported then. A reader makes no history and brings no old one up to date.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, Self

from monitor.store.trouble import StoreError, explain

APPLICATION_ID = 0x4D4F4E49  # "MONI"; connection.py writes it
BUSY_SECONDS = 5.0


class HasRows(Protocol):
    """Whatever answers a query: the Store, or a Reader."""

    def rows(self, sql: str, args: tuple[object, ...] | dict[str, object] = ()) -> list[dict[str, Any]]:
        """The rows of a query, as dicts."""
        ...


class Reader:
    """A read-only connection to the history; a context manager. Every trouble is a StoreError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        uri = f"{path.resolve().as_uri()}?mode=ro"
        try:
            self.conn = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        except sqlite3.Error as error:
            raise _trouble(error, path) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Closing twice is fine."""
        self.conn.close()

    def rows(self, sql: str, args: tuple[object, ...] | dict[str, object] = ()) -> list[dict[str, Any]]:
        """The rows of a query, as dicts. Raises StoreError."""
        try:
            cursor = self.conn.execute(sql, args)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except sqlite3.Error as error:
            raise _trouble(error, self.path) from error


@contextlib.contextmanager
def opened(path: Path, view: str, columns: frozenset[str]) -> Iterator[Reader]:
    """A reader of a history of ours whose view has these columns: what an older Monitor wrote is brought up to date.

    Raises StoreError where the file is no history or may not be read.
    """
    for newest in (False, True):
        with Reader(path) as reader:
            if reader.rows("pragma application_id") != [{"application_id": APPLICATION_ID}]:
                _refuse(path)
            have = {row["name"] for row in reader.rows("select name from pragma_table_info(?)", (view,))}
            if newest or columns <= have:
                yield reader
                return
        _bring_up_to_date(path)


def _bring_up_to_date(path: Path) -> None:
    from monitor.store.connection import Store

    with Store(path):
        pass


def _refuse(path: Path) -> None:
    """Say why a file is no history of ours."""
    from monitor.store.connection import _check_file

    _check_file(path)
    raise StoreError(f"{path} holds no history yet: start with `monitor run`.", 65)


def _trouble(error: sqlite3.Error, path: Path) -> StoreError:
    """The sentence for an error of SQLite when all that was wanted was to look."""
    if path.is_dir():
        return StoreError(f"{path} is a folder: set [store] path to a file.", 77)
    if "unable to open" not in str(error) and "readonly" not in str(error):
        return explain(error, path)
    try:
        path.open("rb").close()
    except OSError:
        return StoreError(f"{path} may not be read by this user: run this as the user who runs Monitor.", 77)
    return StoreError(
        f"{path} cannot be read here: SQLite must be able to write in its folder even to look at a history;"
        " run this as the user who runs Monitor.",
        77,
    )
