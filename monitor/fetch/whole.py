"""A small file read whole, each time from its beginning: an export that is written anew, not a log that grows."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

from monitor.fetch.rotation import listing, opened
from monitor.model import Batch, Capture, FetchFailed, Files, LogCursor

MOST_BYTES = 8 * 2**20  # an export of years of days is far smaller


def read(request: Files, base: Path, *, most: int = MOST_BYTES) -> Iterator[Batch]:
    """Read the one file, named as it is (no pattern), gzipped or not, with its last line whether or not it ends.

    The cursor of the batch only names the file; it is never stored. Raises FetchFailed: `no_file`, `no_permission`,
    `too_large`, `damaged_file` (a broken gzip file), `truncated` (the disk failed, or the file was replaced meanwhile).
    """
    (file,) = listing(glob.escape(request.pattern), base)
    with opened(file) as content:
        if content is None:
            raise FetchFailed("truncated", f"{file.name} was replaced while it was read")
        content.begin(0)
        body = b""
        for chunk in content.rest():
            body += chunk
            if len(body) > most:
                raise FetchFailed("too_large", f"{file.name} is larger than {most // 2**20} MB")
        if content.packed and not content.whole:
            raise FetchFailed("damaged_file", file.name)
    place = f"{file.name} 0-{len(body)}"
    after = LogCursor(file.name, file.dev, file.ino, file.size, file.mtime_ns)
    yield Batch(Capture(body, asked=file.name, place=place), None, after)
