r"""The combined format of nginx and Apache, read in blocks: one regular expression goes over many lines at once.

nginx writes a quote as `\x22`, Apache as `\"`, also inside the request; a user name may hold blanks; whatever follows
the agent is left alone; a file cut by copytruncate may begin with NUL bytes. A second field with a dot or colon is the
address of `vhost_combined`: that log mixes several sites and does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import itemgetter

Hit = tuple[bytes, bytes, bytes, bytes, bytes, bytes]
"""A line's address, day as written, request, status, Referer and User-Agent."""


def unfit(text: bytes) -> Hit:
    """Stands for a line that does not fit the format: its text in the first place, and no day."""
    return text, b"", b"", b"", b"", b""


BLOCK = 32 * 1024  # bytes taken at a time: what is made of them stays in the processor's cache

_FIELD = rb'"([^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+)"'
_EXACT = re.compile(
    rb"\0*+([!-~]++) [^ .:\[\n]++ [^\[\n]*+\[(\d\d/[A-Z][a-z][a-z]/\d{4}):[^\]\n]{14}\] "
    rb"%b (\d{3}|-) (?:\d++|-) %b %b[^\n]*+\n?|[^\n]++\n?|\n" % (_FIELD, _FIELD, _FIELD)
)
_PLAIN = re.compile(  # most lines, at twice the speed: no user is named, no field holds `\"`; it may run into the next
    rb'([!-~]++) - [^\[\n]*+\[([^:]{11}):[^]]{14}\] "([^"]*+)(?<!\\)" (\d\d\d) \d++ "([^"]*+)(?<!\\)" "([^"]*+)(?<!\\)"'
    rb"[^\n]*+\n|[^\n]++\n?|\n"
)
_DAY = re.compile(rb"\d\d/[A-Z][a-z][a-z]/\d{4}")
_day = itemgetter(1)


def combined(body: bytes) -> Iterator[list[Hit]]:
    """Read the lines of a batch, block by block; a line that does not fit is `unfit`. No blank lines, no comments."""
    known: set[bytes] = set()
    for start, end in blocks(body):
        hits: list[Hit] = _PLAIN.findall(body, start, end)
        known.update(filter(_DAY.fullmatch, set(map(_day, hits)) - known))
        if len(hits) != body.count(b"\n", start, end) or not known.issuperset(map(_day, hits)):  # ran on, or odd
            lines = _EXACT.finditer(body, start, end)
            hits = [
                line.groups() if line[2] else unfit(line[0].rstrip(b"\r\n"))  # type: ignore[misc]
                for line in lines
                if line[2] or is_line(line[0])
            ]
        yield hits


def is_line(text: bytes) -> bool:
    """Whether a line says something: it is neither blank (nor a hole of NUL bytes) nor a comment, but for a header."""
    return (text[:1] != b"#" or text.startswith(b"#Fields:")) and bool(text.strip(b"\0\r\n\t "))


def blocks(body: bytes) -> Iterator[tuple[int, int]]:
    """Where blocks of whole lines begin and end; one of a single line if that is longer."""
    start = 0
    while start < len(body):
        end = body.rfind(b"\n", start, start + BLOCK) + 1 or body.find(b"\n", start) + 1 or len(body)
        yield start, end
        start = end
