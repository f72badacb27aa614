"""What is wrong in a config file, said so that it can be mended: file, line, key, and the nearest right one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pydantic import ValidationError


class Problem(NamedTuple):
    """One mistake: the dotted key ("search.0.every") and what is wrong, with the fix; a place where there is no key."""

    key: str
    said: str
    line: int | None = None
    column: int | None = None


_PLAIN = MappingProxyType(
    {
        "string_type": 'text: "..."',
        "list_type": 'a list: ["..."]',
        "tuple_type": 'a list: ["..."]',
        "int_type": "a whole number",
        "float_type": "a number",
        "bool_type": "true or false",
    }
)


class ConfigError(Exception):
    """A config file that cannot be used; its text lists every problem, one a line."""

    exit_code = 78

    def __init__(self, path: Path, problems: Sequence[Problem], text: str = "") -> None:
        self.path, self.problems = path, tuple(problems)
        lines = []
        for problem in problems:
            place = (problem.line or line_of(problem.key, text), problem.column)
            where = ":".join([str(path), *(str(number) for number in place if number)])
            lines.append(f"{where}: {problem.key + ': ' if problem.key else ''}{problem.said}")
        super().__init__("\n".join(lines))


def nearest(word: str, known: Iterable[str]) -> str:
    """' - did you mean "x"?', or nothing when no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f' - did you mean "{near[0]}"?' if near else ""


def not_toml(error: ValueError) -> Problem:
    """A syntax error, with tomllib's line and column as ours."""
    said = str(error)
    if found := re.fullmatch(r"(.+) \(at line (\d+), column (\d+)\)", said, re.DOTALL):
        return Problem("", f"is not valid TOML: {found[1]}", int(found[2]), int(found[3]))
    return Problem("", f"is not valid TOML: {said}")


def not_utf8(error: UnicodeDecodeError) -> Problem:
    """A file in another encoding, with the line of the first byte that is wrong."""
    said = "is not UTF-8 text; save it as UTF-8"
    if error.object.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem("", f"{said} (it is UTF-16)")
    return Problem("", said, error.object.count(b"\n", 0, error.start) + 1)


def from_pydantic(error: ValidationError, where: tuple[str, ...], known: list[str]) -> list[Problem]:
    """The problems of one table or block, in our words."""
    problems = []
    for item in error.errors():
        key = ".".join([*where, *(str(part) for part in item["loc"] if part not in ("Secret", "str"))])
        if item["type"] == "extra_forbidden":
            said = f"unknown key{nearest(str(item['loc'][-1]), known)}"
        elif item["type"] == "missing":
            said = "is missing"
        elif not item["loc"]:
            said = f"is a table: write [{key}]"
        elif item["type"] in _PLAIN:
            said = f"should be {_PLAIN[item['type']]}"
        else:
            said = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
        problems.append(Problem(key, said))
    return problems


def line_of(key: str, text: str) -> int | None:
    """The line of a dotted key in a TOML text, or of the nearest table around it; None when neither is found."""
    parts = key.split(".")
    if not key or not text:
        return None
    section, index = parts[0], int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None
    leaf = next((part for part in parts[(2 if index is not None else 1) :] if not part.isdigit()), "")
    found, seen, inside, above = None, -1, False, True
    for number, line in enumerate(text.splitlines(), 1):
        table = re.match(r"\s*(\[\[?)\s*([\w.\"-]+)\s*\]\]?", line)
        if table:
            name, above = table[2].replace('"', ""), False
            seen += table[1] == "[[" and name == section
            inside = name.split(".")[0] == section and (index is None or seen == index)
            if inside and found is None:
                found = number
        elif (above and _sets(section, line)) or (inside and leaf and _sets(leaf, line)):
            return number
    return found


def _sets(key: str, line: str) -> bool:
    """Whether a line of a TOML text sets this key."""
    return bool(re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line))
