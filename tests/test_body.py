from __future__ import annotations

import gzip
import zlib

import pytest

from monitor.fetch.body import capped, unpacked
from monitor.model import FetchFailed


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


PAGE = b"<p>" + bytes(range(256)) * 1000
PACKED = [
    ("gzip", gzip.compress(PAGE)),
    ("X-GZIP", gzip.compress(PAGE)),
    ("gzip", gzip.compress(PAGE[:1000]) + gzip.compress(PAGE[1000:])),
    ("gzip", gzip.compress(PAGE) + b"\0\0 padding"),
    ("deflate", zlib.compress(PAGE)),
    ("deflate", raw_deflate(PAGE)),
    ("identity", PAGE),
]


@pytest.mark.parametrize(("encoding", "packed"), PACKED)
def test_it_does_not_matter_where_the_chunks_are_cut(encoding: str, packed: bytes) -> None:
    bytewise = (packed[i : i + 1] for i in range(len(packed)))
    assert b"".join(unpacked(bytewise, encoding)) == PAGE
    assert all(len(piece) <= max(65_536, len(packed)) for piece in unpacked([packed], encoding))


@pytest.mark.parametrize("size", [65_536, 65_537, 65_544, 131_073])
def test_a_body_that_just_exceeds_a_step_is_whole(size: int) -> None:
    assert b"".join(unpacked([raw_deflate(bytes(size))], "deflate")) == bytes(size)


def test_the_limit_itself_is_allowed() -> None:
    assert list(capped([b"ab", b"c"], 3)) == [b"ab", b"c"]
    with pytest.raises(FetchFailed, match="too_large"):
        list(capped([b"ab", b"cd"], 3))
