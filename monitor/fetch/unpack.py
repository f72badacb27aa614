"""Packed logs as the text they hold: gzip, bzip2, xz and zstd, known by their first bytes, bounded in memory."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

CHUNK = 64 * 1024
GZIP, BZIP2, XZ, ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"
PACKED = (GZIP, BZIP2, XZ, ZSTD)
ENDINGS = (".gz", ".bz2", ".xz", ".zst")
_SIP = 256  # bytes of zstd taken at once: they unpack to some megabytes at the very most


class Damaged(Exception):
    """A packed file is broken or cut: what came before that was given, and `rest` is the last of it."""

    def __init__(self, rest: bytes = b"") -> None:
        super().__init__("damaged")
        self.rest = rest


class PackageMissing(Exception):
    """The file is packed with zstd, and the package that unpacks it is not installed."""


class _Engine(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


def unpacked(start: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The text of a packed file that begins with `start`, from its pieces, in chunks.

    Raises Damaged after the last of what could be had, and PackageMissing.
    """
    if start.startswith(BZIP2):
        return _streams(bz2.BZ2Decompressor, pieces)
    if start.startswith(XZ):
        return _streams(lzma.LZMADecompressor, pieces)
    return _zstd(pieces) if start.startswith(ZSTD) else _gzip(pieces)


def _gzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    engine = None
    for packed in pieces:
        data = packed
        while data:
            if engine is None:
                data = data.lstrip(b"\0")  # padding between members, as gzip(1) takes it
                engine = zlib.decompressobj(wbits=31)
                continue
            saved = engine.copy()
            try:
                out = engine.decompress(data, CHUNK)
            except zlib.error as error:
                raise Damaged(b"".join(_bytewise(saved, data))) from error
            yield out
            data, engine = (engine.unused_data, None) if engine.eof else (engine.unconsumed_tail, engine)
    if engine is not None and (rest := engine.flush()) is not None and not engine.eof:
        raise Damaged(rest)


def _bytewise(engine: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """All that can be had before the broken byte."""
    for n in range(len(data)):
        try:
            yield engine.decompress(data[n : n + 1])
        except zlib.error:
            return


def _streams(make: Callable[[], _Engine], pieces: Iterator[bytes]) -> Iterator[bytes]:
    """bzip2 and xz: one stream after the other."""
    engine = None
    for packed in pieces:
        data = packed
        while True:
            if engine is None:
                data = data.lstrip(b"\0")  # padding between streams
                if not data:
                    break
                engine = make()
            try:
                yield engine.decompress(data, CHUNK)
            except (OSError, EOFError, lzma.LZMAError) as error:
                raise Damaged from error
            if engine.eof:
                data, engine = engine.unused_data, None
            elif engine.needs_input:
                break
            else:
                data = b""
    if engine is not None:
        raise Damaged


def _zstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        import zstandard  # an extra: seldom met, and no part of the standard library before Python 3.14
    except ImportError:
        raise PackageMissing from None
    made = zstandard.ZstdDecompressor(max_window_size=2**27)
    engine = None
    for packed in pieces:
        data, rest = packed[:_SIP], packed[_SIP:]
        while data:
            engine = engine or made.decompressobj()
            try:
                yield engine.decompress(data)
            except zstandard.ZstdError as error:
                raise Damaged from error
            if engine.eof:
                rest, engine = engine.unused_data + rest, None
            data, rest = rest[:_SIP], rest[_SIP:]
    if engine is not None:
        raise Damaged
