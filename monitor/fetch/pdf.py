"""The text of a PDF, read by another process within limits of time, memory and size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

SECONDS = 30.0
MOST_TEXT = 20_000_000  # bytes
_PROGRAM = Path(__file__).with_name("pdf_text.py")


class PdfRead(NamedTuple):
    """What stands on the pages ("PDF page 2", its text), and why that is not all, or empty."""

    texts: tuple[tuple[str, str], ...]
    unread: str


def read(body: bytes, seconds: float = SECONDS) -> PdfRead:
    """The text of a PDF in both of pypdf's ways.

    `unread` is damaged_file, timeout, encrypted, scanned (a page without text that shows a picture), too_large or
    empty_answer; the text that was read by then is given all the same.
    """
    said, unread = _run(body, seconds)
    texts = []
    for line in said[:MOST_TEXT].decode("utf-8", "replace").splitlines():
        try:
            part = json.loads(line)
        except ValueError:  # cut off where the process was ended
            break
        if "end" in part:
            unread = part["end"]
        else:
            texts.append((f"PDF page {part['page']}{', layout' if part.get('layout') else ''}", part["text"]))
    if len(said) > MOST_TEXT:
        unread = "too_large"
    if not unread and not any(text.strip() for _, text in texts):
        unread = "scanned"
    return PdfRead(tuple(texts), unread)


def _run(body: bytes, seconds: float) -> tuple[bytes, str]:
    """What the process wrote, and what it is called if it did not come to its end."""
    command = [sys.executable, "-I", str(_PROGRAM)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program; the file is its input
            command, input=body, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as late:
        return late.stdout or b"", "timeout"
    except OSError:
        return b"", "damaged_file"
    return done.stdout, "timeout" if done.returncode < 0 else "damaged_file"
