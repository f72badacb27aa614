"""Log formats, recognised by their content, line by line: what is not the combined format of the fast path.

A line is tried in the format of the line before it first. What fits none is no line of zero views: it is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from monitor.sources.page_views.formats import structured, w3c
from monitor.sources.page_views.formats.line import Line, day_in, plain_host, readable
from monitor.sources.page_views.formats.template import Template, compiled, well_known

__all__ = ["Line", "Lines", "Template", "compiled", "day_in", "plain_host"]

_NAMELESS = (  # formats without the agent: no program could be told from a person
    ("HAProxy", re.compile(rb".{0,200}?haproxy\[\d+\]: ")),
    (
        "common",
        re.compile(rb"[!-~]++ [^\[]{3,512}\[\d\d/[A-Z][a-z][a-z]/\d{4}:[^\]]{14}\] \".*\" (?:\d{3}|-) (?:\d+|-)\s*\Z"),
    ),
)


@dataclass(slots=True)
class Lines:
    """Reads the lines of one batch. `own` is the owner's template, `head` the file's first bytes (a W3C header)."""

    own: Template | None = None
    head: bytes = b""
    why: str = ""  # what the newest line that could not be counted lacks
    _last: Template | None = field(default=None, init=False)
    _fields: tuple[str, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        self._fields = w3c.fields_in(self.head) if self.head.startswith(b"#") else ()

    def header(self, line: bytes) -> None:
        """Take notice of a line that begins with `#`."""
        self._fields = w3c.fields_of(line) or self._fields

    def read(self, line: bytes) -> Line | None:
        """A line's fields, in the first format that it fits; None for one that fits none, or names no agent."""
        got = self._read(line)
        return readable(got) if got else None

    def _read(self, line: bytes) -> Line | None:
        if self.own and (got := self.own.read(line)):
            return got
        try:
            if line.lstrip(b"\0 ")[:1] == b"{":
                return structured.read(line)
            if self._fields and (got := w3c.read(line, self._fields)):
                return got
        except structured.NoAgent:
            self.why = "no user agent in them, so no program could be told from a person"
            return None
        return self._by_template(line)

    def _by_template(self, line: bytes) -> Line | None:
        if self._last and (got := self._last.read(line)):
            return got
        for known in well_known(line):
            if known is not self._last and (got := known.read(line)):
                self._last = known
                return got
        for name, shape in _NAMELESS:
            if shape.match(line):
                self.why = f"the {name} format: no user agent in it, so no program could be told from a person"
        return None
