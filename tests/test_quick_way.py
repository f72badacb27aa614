"""The quick way through a log counts exactly what the plain way, line by line, counts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Record
from monitor.sources.page_views import combined as reader
from monitor.sources.page_views.combined import Run, blocks, combined, exact, quick
from monitor.sources.page_views.formats import Lines
from monitor.sources.page_views.rule import Rule
from monitor.sources.page_views.tally import Tally

AGENT = b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PLAIN = b'192.0.2.%d - - [02/Mar/2026:10:00:%02d +0100] "GET /%d/ HTTP/1.1" 200 5 "-" "' + AGENT + b'"\n'
ODD = (
    rb'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET /say-\"hi\"/ HTTP/1.1" 200 5 "-" "a \"b\""',
    rb'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET /end\\" 200 5 "-" "ends in \\"',
    rb'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET /x HTTP/1.1" 200 5 "-" "open \"',
    rb'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET /x HTTP/1.1" 200 5 "-" "never closed',
    rb'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "\x16\x03\x01" 400 150 "-" "-"',
    b'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET /caf\xe9/ HTTP/1.1" 200 - "-" "Mozilla/5.0 \xfc\x00"',
    b'192.0.2.7 - John Begood [02/Mar/2026:10:00:00 +0100] "GET /user/ HTTP/1.1" 304 - "-" "M"\r',
    b'192.0.2.7 id J [02/Mar/2026:10:00:00 +0100] "GET /ident/ HTTP/1.1" 200 5 "-" "M" "192.0.2.9" 0.003',
    b'192.0.2.7 - a"b [02/Mar/2026:10:00:00 +0100] "GET /quote-in-user/ HTTP/1.1" 200 5 "-" "M"',
    b'192.0.2.7 - - [03/Mar/2026:00:00:00 +0100] "GET /next/ HTTP/1.1" 200 5 "-" "M"',
    b'192.0.2.7 - - [31/Feb/2026:00:00:00 +0100] "GET /never/ HTTP/1.1" 200 5 "-" "M"',
    b'192.0.2.7 - - [02/Mar/2026:10:00:00]+0100] "GET /bracket/ HTTP/1.1" 200 5 "-" "M"',
    b'example.org:443 192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET /vhost/ HTTP/1.1" 200 5 "-" "M"',
    b'#192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET /hash/ HTTP/1.1" 200 5 "-" "M"',
    b'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET / HTTP/1.1" - - "-" "M"',
    b'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "" 400 0 "-" "-"',
    b'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET /[02/Mar/2026: HTTP/1.1" 200 5 "[03/Mar/2026:" "M"',
    b'{"time_iso8601":"2026-03-02T10:00:00Z","request":"GET /j/ HTTP/1.1","status":200,"http_user_agent":"M"}',
    b'\0\0\0192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET /hole/ HTTP/1.1" 200 5 "-" "M"',
    b"# a comment",
    b"\0\0 \r",
    b"",
    b"garbage",
    b'"' * 6,
)


def line_by_line(body: bytes) -> Iterator[Run]:
    for start in range(len(body)):
        if start == 0 or body[start - 1] == 10:
            end = body.find(b"\n", start) + 1 or len(body)
            yield from exact(body, start, end)


def counted(runs: Iterator[Run]) -> list[Record]:
    tally = Tally(Rule(), frozenset({"example.org"}), date(2026, 3, 1), Lines())
    for run in runs:
        tally.add(run)
    return list(tally.records(lambda day: b"k" * 32))


def plain(rng: random.Random) -> bytes:
    return PLAIN % (rng.randrange(250), rng.randrange(60), rng.randrange(9))


def mixed(rng: random.Random, lines: int, odd: float) -> bytes:
    body = b"".join(rng.choice(ODD) + b"\n" if rng.random() < odd else plain(rng) for _ in range(lines))
    return body[:-1] if rng.random() < 0.2 else body


@pytest.mark.parametrize("odd", [0, 0.001, 0.02, 0.5])
def test_both_ways_count_the_same(odd: float) -> None:
    for seed in range(6):
        body = mixed(random.Random(seed), 2500, odd)
        assert counted(combined(body)) == counted(line_by_line(body))


@given(st.integers(), st.integers(0, 8))
def test_both_ways_count_the_same_of_a_damaged_log(seed: int, hits: int) -> None:
    rng = random.Random(seed)
    body = bytearray(mixed(rng, rng.randrange(30), 0.1))
    for _ in range(hits):
        at = rng.randrange(len(body) + 1)
        body[at : at + rng.randrange(9)] = bytes(rng.choices(b'"\\ []:-\n\r\0a1', k=rng.randrange(6)))
    assert counted(combined(bytes(body))) == counted(line_by_line(bytes(body)))


@pytest.mark.parametrize("text", ODD)
def test_the_quick_way_gives_up_or_is_right(text: bytes) -> None:
    for around in ((b"", b""), (PLAIN % (1, 1, 1), b""), (b"", PLAIN % (1, 1, 1)), (PLAIN % (1, 1, 1),) * 2):
        body = around[0] + text + b"\n" + around[1]
        run = quick(body)
        assert run is None or counted(iter([run])) == counted(line_by_line(body))


def test_a_plain_log_goes_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)
    days = [b"".join(plain(rng) for _ in range(700)).replace(b"02/Mar", b"%02d/Mar" % day) for day in range(1, 5)]
    apache = b"".join(days).replace(b" 200 5 ", b" 304 - ").replace(b" - - ", b" - john ")
    odd = 0

    def seen(body: bytes, start: int, end: int) -> Iterator[Run]:
        nonlocal odd
        odd += end - start
        return exact(body, start, end)

    monkeypatch.setattr(reader, "exact", seen)
    for body in (*days, b"".join(days), b"".join(days).replace(b"\n", b"\r\n"), apache):
        assert sum(len(run.addresses) for run in combined(body)) == body.count(b"\n")
    assert not odd
    body = b"".join(days) + ODD[0] + b"\n" + b"".join(days)
    assert sum(len(run.addresses) for run in combined(body)) == body.count(b"\n")
    assert 0 < odd <= reader.PART, "an odd line makes its neighbours slow, and no others"


@given(st.binary(max_size=300), st.integers(1, 50))
def test_blocks_are_whole_lines_and_all_of_them(body: bytes, size: int) -> None:
    found = list(blocks(body, 0, len(body), size))
    assert b"".join(body[start:end] for start, end in found) == body
    assert all(body[end - 1 : end] == b"\n" or end == len(body) for _, end in found)
