"""What is wrong in a config file, said so that it can be mended: file, line, key, and the nearest right one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError


class Problem(NamedTuple):
    """One mistake: the dotted key ("search.0.every") and what is wrong, with the fix."""

    key: str
    said: str


class ConfigError(Exception):
    """A config file that cannot be used; its text lists every problem, one a line."""

    exit_code = 78

    def __init__(self, path: Path, problems: Sequence[Problem], text: str = "") -> None:
        self.path, self.problems = path, tuple(problems)
        lines = []
        for problem in problems:
            line = line_of(problem.key, text)
            where = f"{path}:{line}" if line else str(path)
            lines.append(f"{where}: {problem.key + ': ' if problem.key else ''}{problem.said}")
        super().__init__("\n".join(lines))


def nearest(word: str, known: Iterable[str]) -> str:
    """' - did you mean "x"?', or nothing when no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f' - did you mean "{near[0]}"?' if near else ""


def from_pydantic(error: ValidationError, where: tuple[str, ...], known: list[str]) -> list[Problem]:
    """The problems of one table or block, in our words."""
    problems = []
    for item in error.errors():
        key = ".".join([*where, *(str(part) for part in item["loc"] if part not in ("Secret", "str"))])
        if item["type"] == "extra_forbidden":
            said = f"unknown key{nearest(str(item['loc'][-1]), known)}"
        elif item["type"] == "missing":
            said = "is missing"
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
    found, seen, inside = None, -1, False
    for number, line in enumerate(text.splitlines(), 1):
        table = re.match(r"\s*(\[\[?)\s*([\w.\"-]+)\s*\]\]?", line)
        if table:
            name = table[2].strip('"')
            seen += table[1] == "[[" and name == section
            inside = name.split(".")[0] == section and (index is None or seen == index)
            if inside and found is None:
                found = number
        elif inside and leaf and re.match(rf"\s*\"?{re.escape(leaf)}\"?\s*[=.]", line):
            return number
    return found
