"""Secrets: from the name in the config to the value at the last moment, and out of everything that is kept.

A value never enters an exception, a log line, an exchange's URL or headers. The body of an answer is evidence and is
kept as it came, but for a key that a host repeats in it: that becomes `***` before anything reads or keeps the body.
"""

from __future__ import annotations

import base64
import html
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from monitor.model import NotAsked, Secret

HIDDEN = "***"
_LONGEST = 65_536
_SHORTEST_BASE64 = 8  # characters: less of it may stand in any page by chance


def resolve(secret: Secret, base: Path, environ: Mapping[str, str]) -> str:
    """The value of a secret, its prefix put before it.

    An environment name is looked up as `$CREDENTIALS_DIRECTORY/NAME` (systemd `LoadCredential=`), then in the file
    that NAME_FILE names (the habit of container images), then as NAME itself. A file is relative to `base`, the
    config's folder, and must be a regular file that only its owner can read; the other two are set up by systemd or
    the container, whose modes are their own. Raises `NotAsked("key_missing")` whose detail says what to set.
    """
    value = resolve_lines(secret, base, environ)
    if secret.exchange:
        return value  # a key file of several lines, changed for a token before anything is sent
    if not value.isprintable():
        raise NotAsked("key_missing", f"{_what(secret)}: one line of plain text")
    return secret.prefix + value


def resolve_lines(secret: Secret, base: Path, environ: Mapping[str, str]) -> str:
    """The text of a secret of several lines, by the same rules. Raises `NotAsked("key_missing")`."""
    value = _of_environment(secret.env, environ) if secret.env else _of_file(secret.file, base)
    if not value:
        raise NotAsked("key_missing", _what(secret) if secret.env else f"{_what(secret)}: it is empty")
    return value


def _what(secret: Secret) -> str:
    return f"the environment variable {secret.env}" if secret.env else f"file {secret.file}"


def _of_environment(name: str, environ: Mapping[str, str]) -> str:
    folder, named = environ.get("CREDENTIALS_DIRECTORY", ""), environ.get(f"{name}_FILE", "")
    if folder and (path := Path(folder, name)).exists():
        return _read(path, f"the systemd credential {name}", private=False)
    if named:
        return _read(Path(named), f"the file that {name}_FILE names", private=False)
    return environ.get(name, "").strip()


def _of_file(name: str, base: Path) -> str:
    return _read(base / name, f"file {name}", private=True)


def _read(path: Path, what: str, *, private: bool) -> str:
    """The stripped text of a small regular file. The checks are made on the opened file, so it cannot be swapped."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a named pipe must not hang us
        try:
            mode = os.fstat(handle).st_mode
            if not stat.S_ISREG(mode):
                trouble = "it is not a regular file"
            elif private and mode & 0o077:
                trouble = "chmod 600 it"
            else:
                return os.read(handle, _LONGEST).decode().strip()
        finally:
            os.close(handle)
    except FileNotFoundError:
        trouble = "it does not exist"
    except UnicodeDecodeError:
        trouble = "one line of plain text"
    except OSError:
        trouble = "it cannot be read"
    raise NotAsked("key_missing", f"{what}: {trouble}")


class Redactor:
    """Takes secret values out of what will be kept, however a server has quoted them when it sent them back."""

    def __init__(self, values: Iterable[str]) -> None:
        longest_first = sorted({value for value in values if value}, key=len, reverse=True)
        ways = [*map(_however_quoted, longest_first), *(way for value in longest_first for way in _in_base64(value))]
        self._pattern = re.compile("|".join(ways)) if ways else None
        self._bytes = re.compile("|".join(ways).encode("utf-8", "surrogatepass")) if ways else None

    def __call__(self, text: str) -> str:
        """The text with every secret value replaced by `***`."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text

    def body(self, body: bytes) -> bytes:
        """The same for the body of an answer, in UTF-8 or any encoding that writes ASCII as such."""
        return self._bytes.sub(HIDDEN.encode(), body) if self._bytes else body

    def finds(self, text: str) -> bool:
        """Whether a secret value stands in the text."""
        return bool(self._pattern and self._pattern.search(text))


def _however_quoted(value: str) -> str:
    """A pattern for a value as it is, percent-encoded in either case, encoded again, or escaped for JSON or HTML."""
    return "".join(_character(character) for character in value)


def _character(character: str) -> str:
    encoded = "".join(f"%(?:25)*(?i:{byte:02x})" for byte in character.encode("utf-8", "surrogatepass"))
    if character.isascii() and character.isalnum():
        return f"(?:{encoded}|{character})"
    ways = [encoded, rf"\\{{0,3}}{re.escape(character)}", rf"\\{{1,4}}u(?i:{ord(character):04x})"]
    ways.append(f"&#(?:0*{ord(character)}|(?i:x0*{ord(character):x}));")
    if (named := html.escape(character)) != character:
        ways.append(named)
    if character == " ":
        ways.append(r"\+")
    return f"(?:{'|'.join(ways)})"


def _in_base64(value: str) -> Iterator[str]:
    """Patterns for a value inside base64 of either alphabet, whatever stands before and after it there."""
    raw = value.encode("utf-8", "surrogatepass")
    for before in range(3):
        text = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        certain = text[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        if len(certain) >= _SHORTEST_BASE64:
            yield "".join({"+": "[+-]", "/": "[/_]"}.get(character, character) for character in certain)
