"""The text of a PDF, in a process of its own: `python pdf_text.py < file.pdf`, a line of JSON for each page and way.

A PDF of a stranger can keep a reader busy for ever or fill the memory; this process is given so much of both and no
more, and whoever started it ends it. It knows nothing but the file. Every error ends it: what was written stands.

Both of pypdf's ways are taken, for text that is set letter by letter is a number only in the layout ("0 4 1 2"), and
running text only in the plain one.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject

MOST_SECONDS = 20
MOST_MEMORY = 1_500_000_000
MOST_PAGES = 200


def main() -> None:
    """Read the file from the standard input; the last line says whether this was all of it."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    reader = PdfReader(io.BytesIO(sys.stdin.buffer.read()))
    if reader.is_encrypted and not reader.decrypt(""):
        _say({"end": "encrypted"})
        return
    count = len(reader.pages)
    pages = [reader.pages[n] for n in range(min(count, MOST_PAGES))]
    scanned = False
    for n, page in enumerate(pages, 1):
        text = page.extract_text()
        _say({"page": n, "text": text})
        scanned = scanned or (not text.strip() and _has_picture(page))
    for n, page in enumerate(pages, 1):
        _say({"page": n, "text": page.extract_text(extraction_mode="layout"), "layout": True})
    _say({"end": "scanned" if scanned else "too_large" if count > MOST_PAGES else ""})


def _has_picture(page: PageObject) -> bool:
    """Whether a page shows a picture or a form, in which text may be drawn."""
    resources = page.get("/Resources")
    found = resources.get_object().get("/XObject") if resources is not None else None
    return isinstance(found, DictionaryObject) or (found is not None and bool(found.get_object()))


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
