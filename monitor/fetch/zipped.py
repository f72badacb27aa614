"""Chosen members of a ZIP archive, read into memory under caps: nothing is ever unpacked to the disk.

An archive is refused whole where it is no archive, cut short, damaged or encrypted, and where it is built to harm:
names that lead out of its folder, a name twice, more members or bytes than any real one has, a ratio that only a bomb
has.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

MOST_BYTES = 250_000_000  # of all members read
MOST_DIRECTORY = 8_000_000  # bytes: the list of some 80,000 members
MOST_MEMBERS = 50_000
MOST_RATIO = 200  # tables of text pack to a tenth or a thirtieth
SMALL = 1_000_000  # bytes: below it no ratio harms
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


class ZipRefused(Exception):
    """An archive that is not read: the rest of a sentence that begins with its name."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its name, the time that the archive notes (no zone; None where it is none), its bytes."""

    name: str
    written: datetime | None
    body: bytes


def is_zip(path: Path) -> bool:
    """Whether a file begins as an archive does. Raises OSError."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def members(archive: Path | bytes, wanted: Callable[[str], bool], most: int = MOST_BYTES) -> list[Member]:
    """The wanted members of an archive, by name. Raises ZipRefused, and OSError when the file cannot be read."""
    with io.BytesIO(archive) if isinstance(archive, bytes) else archive.open("rb") as file:
        if file.read(2) != b"PK":
            raise ZipRefused("is no ZIP archive")
        _check_directory(file)
        try:
            with zipfile.ZipFile(file) as opened:
                chosen = _chosen(opened.infolist(), wanted, most)
                return [Member(info.filename, _written(info), opened.read(info)) for info in chosen]
        except zipfile.BadZipFile as error:
            cut = "not a zip file" in str(error)
            raise ZipRefused("is cut short: fetch it again" if cut else "is damaged: fetch it again") from error
        except (zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError) as error:
            raise ZipRefused("is damaged: fetch it again") from error


def _check_directory(file: IO[bytes]) -> None:
    """Refuse a list of members that is itself a bomb, before it is read: it stands in the archive's last bytes."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 22 - 65_535))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end >= 0 and int.from_bytes(tail[end + 12 : end + 16], "little") > MOST_DIRECTORY:
        raise ZipRefused("lists more members than any export has")
    file.seek(0)


def _chosen(infos: list[zipfile.ZipInfo], wanted: Callable[[str], bool], most: int) -> list[zipfile.ZipInfo]:
    if len(infos) > MOST_MEMBERS:
        raise ZipRefused("lists more members than any export has")
    names = [info.filename for info in infos]
    if any(_leads_out(name) for name in names):
        raise ZipRefused("has a member whose name leads out of the archive: it was not made by LinkedIn")
    if len(set(names)) < len(names):
        raise ZipRefused("has two members of one name: it was not made by LinkedIn")
    chosen = [info for info in infos if not info.is_dir() and wanted(info.filename)]
    if any(info.flag_bits & 1 for info in chosen):
        raise ZipRefused("is encrypted: unpack it with its password, and import the folder")
    if any(info.compress_type not in _METHODS for info in chosen):
        raise ZipRefused("is packed in a way that is not known here: unpack it, and import the folder")
    if sum(info.file_size for info in chosen) > most:
        raise ZipRefused(f"would unpack to more than {most // 1_000_000} MB: nothing was taken")
    if any(info.file_size > SMALL and info.file_size > MOST_RATIO * info.compress_size for info in chosen):
        raise ZipRefused("unpacks to far more than a real one does: nothing was taken")
    return chosen


def _leads_out(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ".." in name.split("/") or "\0" in name or name[1:2] == ":"


def _written(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time)  # noqa: DTZ001 - an archive notes no zone
    except ValueError:
        return None
