"""Rotated logs packed with bzip2, xz or zstd are read on from where the plain file was left."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.fetch import files
from monitor.model import Batch, FetchFailed, Files, LogCursor
from monitor.reasons import advice

LINES = b"".join(b"line %06d of a log that is long enough\n" % n for n in range(20_000))
Pack = Callable[[bytes], bytes]


def zstd(data: bytes) -> bytes:
    zstandard = pytest.importorskip("zstandard", reason="the extra zstd is not installed: pip install zstandard")
    return bytes(zstandard.ZstdCompressor(write_checksum=True).compress(data))


PACKS: dict[str, Pack] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}


def read(folder: Path, *cursors: LogCursor) -> tuple[bytes, list[Batch]]:
    batches = list(files.read(Files("access.log*", cursors), folder, max_bytes=64 * 1024))
    return b"".join(batch.capture.body for batch in batches), batches


@pytest.mark.parametrize("ending", PACKS)
def test_it_is_read_whole_whatever_its_name(ending: str, tmp_path: Path) -> None:
    (tmp_path / "access.log.2").write_bytes(PACKS[ending](LINES[:400_000]) + PACKS[ending](LINES[400_000:]))
    body, batches = read(tmp_path)
    assert body == LINES
    assert batches[-1].after.done
    assert max(len(batch.capture.body) for batch in batches) <= 64 * 1024


@pytest.mark.parametrize("ending", PACKS)
def test_it_is_read_on_from_where_the_plain_file_was_left(ending: str, tmp_path: Path) -> None:
    (tmp_path / "access.log").write_bytes(LINES[:500_000])
    seen, batches = read(tmp_path)
    (tmp_path / "access.log").unlink()
    (tmp_path / f"access.log.1.{ending}").write_bytes(PACKS[ending](LINES))
    rest, _ = read(tmp_path, batches[-1].after)
    assert seen + rest == LINES


@pytest.mark.parametrize("ending", PACKS)
def test_a_plain_file_goes_before_its_packed_copy(ending: str, tmp_path: Path) -> None:
    (tmp_path / "access.log.1").write_bytes(LINES)
    (tmp_path / f"access.log.1.{ending}").write_bytes(PACKS[ending](LINES))
    assert read(tmp_path)[0] == LINES


@pytest.mark.parametrize("ending", PACKS)
@pytest.mark.parametrize("harm", ["cut", "broken"])
def test_damage_is_told_and_what_came_before_is_no_more_than_was_there(ending: str, harm: str, tmp_path: Path) -> None:
    packed = PACKS[ending](LINES)
    half = len(packed) // 2
    path = tmp_path / f"access.log.1.{ending}"
    path.write_bytes(packed[:half] if harm == "cut" else packed[:half] + b"\xff" * 64 + packed[half + 64 :])
    body, batches = read(tmp_path)
    with pytest.raises(FetchFailed, match="damaged_file"):
        list(files.read(Files("access.log*", tuple(batch.after for batch in batches[-1:])), tmp_path))
    if harm == "cut":
        assert LINES.startswith(body)


def test_without_the_package_zstd_is_told_and_read_when_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "access.log.2.zst").write_bytes(b"\x28\xb5\x2f\xfd" + b"any bytes at all")
    (tmp_path / "access.log").write_bytes(LINES[:1000])
    monkeypatch.setitem(sys.modules, "zstandard", None)
    found = files.read(Files("access.log*"), tmp_path)
    body = next(found).capture.body
    assert body == LINES[: LINES[:1000].rfind(b"\n") + 1], "the other files are read meanwhile"
    with pytest.raises(FetchFailed) as caught:
        list(found)
    assert (caught.value.reason, caught.value.detail) == ("package_missing", "access.log.2.zst")
    assert "presence-monitor[zstd]" in advice("package_missing", detail="access.log.2.zst")
