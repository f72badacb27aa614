"""Reading a body within limits: bytes on the wire, and bytes after unpacking.

Unpacked here by hand, in small steps: a compressed megabyte can hold a thousand of them, and a library that unpacks
first and asks later takes the memory for all.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from monitor.model import FetchFailed

_STEP = 65_536
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


def capped(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """The chunks, as long as they are at most `most` bytes together. Raises `FetchFailed("too_large")`."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise FetchFailed("too_large", f"over {most} bytes")
        yield chunk


def unpacked(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks with their Content-Encoding undone, in pieces of at most 64 KiB.

    Knows gzip (with several members, RFC 1952) and deflate (zlib's format as RFC 9110 8.4.1.2 says, and the bare one
    that some servers send for it): what `Accept-Encoding` asks for. Raises `FetchFailed`: bad_encoding, truncated.
    """
    names = [name for part in encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if not names:
        return iter(chunks)
    if len(names) > 1 or names[0] not in ("gzip", "x-gzip", "deflate"):
        raise FetchFailed("bad_encoding", f"Content-Encoding {', '.join(names)[:40]} was not asked for")
    return _inflated(chunks, gzip=names[0] != "deflate")


def _inflated(chunks: Iterable[bytes], *, gzip: bool) -> Iterator[bytes]:
    engine, members = None, 0
    for chunk in chunks:
        data = chunk
        while data:
            if engine is None:
                if members and (not gzip or data[0] != 0x1F):
                    break  # bytes after the end mean nothing, as with gzip(1), but the wire's limit counts them
                engine = zlib.decompressobj(_GZIP if gzip else _ZLIB if data[0] & 0x0F == zlib.DEFLATED else _RAW)
            yield from _inflate(engine, data)
            data = engine.unused_data
            if engine.eof:
                engine, members = None, members + 1
    if engine is not None:
        raise FetchFailed("truncated", "the compressed answer broke off")


def _inflate(engine: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    more = True
    while more:
        try:
            piece = engine.decompress(data, _STEP)
        except zlib.error:
            raise FetchFailed("bad_encoding", "the compressed answer is damaged") from None
        data = engine.unconsumed_tail
        more = not engine.eof and (bool(data) or len(piece) == _STEP)
        if piece:
            yield piece
