r"""The combined format of nginx and Apache, read in blocks: a block is split at its quotes, and its shape is proven.

nginx writes a quote as `\x22`, Apache as `\"`, also inside the request; a user name may hold blanks; whatever follows
the agent is left alone; a file cut by copytruncate may begin with NUL bytes. A second field with a dot or colon is the
address of `vhost_combined`: that log mixes several sites and does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple


class Run(NamedTuple):
    """Lines that follow one another and name the same day, by column.

    Of lines that do not fit the format the day is empty, and `addresses` holds their whole texts.
    """

    day: bytes  # as written: 22/Nov/2026
    addresses: Sequence[bytes]
    answers: Sequence[bytes] = ()  # request and status as they stand side by side: GET / HTTP/1.1" 200
    referers: Sequence[bytes] = ()
    agents: Sequence[bytes] = ()


BLOCK, PART = 128 * 1024, 8 * 1024  # bytes taken at a time; of a block that is not plain, the part that is not

_FIELD = rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+'
_EXACT = re.compile(
    rb"\0*+([!-~]++) [^ .:\[\n]++ [^\[\n]*+\[(\d\d/[A-Z][a-z][a-z]/\d{4}):[^\]\n]{14}\] "
    rb'"(%b" (?:\d{3}|-)) (?:\d++|-) "(%b)" "(%b)"[^\n]*+\n?|[^\n]++\n?|\n' % (_FIELD, _FIELD, _FIELD)
)
_DAY = re.compile(rb"\d\d/[A-Z][a-z][a-z]/\d{4}")
_day = itemgetter(1)


def combined(body: bytes) -> Iterator[Run]:
    """Read the lines of a batch, run by run, in their order. No blank lines, no comments."""
    for start, end in blocks(body, 0, len(body), BLOCK):
        if run := quick(body[start:end]):
            yield run
            continue
        if b'] "' not in body[start:end]:  # no line of it fits: JSON, say
            yield Run(b"", [line.rstrip(b"\r") for line in body[start:end].split(b"\n") if is_line(line)])
            continue
        for first, last in blocks(body, start, end, PART):
            if run := quick(body[first:last]):
                yield run
            else:
                yield from exact(body, first, last)


def exact(body: bytes, start: int, end: int) -> Iterator[Run]:
    """Read lines one by one."""
    fits = (
        line.groups() if line[2] else (line[0].rstrip(b"\r\n"), b"", b"", b"", b"")
        for line in _EXACT.finditer(body, start, end)
        if line[2] or is_line(line[0])
    )
    for day, lines in groupby(fits, _day):
        addresses, _, *others = zip(*lines, strict=True)
        yield Run(day, addresses, *others) if day else Run(day, addresses)


def quick(block: bytes) -> Run | None:
    r"""Read a block whose lines are all of one day and written plainly, at twice the speed; None for any other.

    A field is taken to end at the next quote, which `\"` is not: that may run into the next line. So nothing may be
    left between two fits, and no field may hold an end of line: then each fit is one line, with the fields that
    `exact` gives it.
    """
    opened = block.find(b"[") + 1
    day = block[opened : opened + 11]
    if not _DAY.fullmatch(day):
        return None
    plain = _plain(day)
    if not plain.match(block):
        return None
    pieces = plain.split(block)
    if any(pieces[::5]) or b"\n" in b"".join(pieces):
        return None
    return Run(day, pieces[1::5], pieces[2::5], pieces[3::5], pieces[4::5])


@lru_cache(maxsize=8)
def _plain(day: bytes) -> re.Pattern[bytes]:
    field = rb'[^"]*+(?<!\\)'
    return re.compile(
        rb'([!-~]++) - [^\[\n]*+\[%b:[^]\n]{14}\] "(%b" \d\d\d) (?:\d++|-) "(%b)" "(%b)"[^\n]*+\n'
        % (day, field, field, field)
    )


def is_line(text: bytes) -> bool:
    """Whether a line says something: it is neither blank (nor a hole of NUL bytes) nor a comment, but for a header."""
    return (text[:1] != b"#" or text.startswith(b"#Fields:")) and bool(text.strip(b"\0\r\n\t "))


def blocks(body: bytes, start: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
    """Where blocks of whole lines begin and end; one of a single line if that is longer. A new day begins a block."""
    while start < stop:
        end = stop if start + size >= stop else body.rfind(b"\n", start, start + size) + 1
        end = end or body.find(b"\n", start, stop) + 1 or stop
        opened = body.find(b"[", start, end)
        if opened >= 0 and _DAY.match(body, opened + 1):
            last = body.rfind(body[opened : opened + 12], start, end)
            end = body.find(b"\n", last, end) + 1 or end
        yield start, end
        start = end
