"""A reading as text and back: JSON with tagged values, bytes packed as base64. Reading it back runs no code of others.

Only the classes of the vocabulary are ever made, each by its own constructor, so that a text that was tampered with
makes at worst another reading, and mostly a ValueError.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, get_args

from monitor.model import Batch, Capture, Exchange, Kind, LogCursor, LogGap, Outcome, Reading, Record, Trigger

_PARTS = (Reading, Exchange, Capture, Batch, LogCursor, LogGap, *get_args(Record))
_CLASSES: Mapping[str, type[Any]] = MappingProxyType({part.__name__: part for part in _PARTS})
_MOST_BYTES = 200_000_000  # what one capture may unpack to: far above the cap on any answer


def to_json(reading: Reading) -> str:
    """The reading as JSON text in ASCII. Raises TypeError on a value that is none of the vocabulary."""
    return json.dumps(_packed(reading), separators=(",", ":"))


def from_json(text: str) -> Reading:
    """The reading that `to_json` wrote. Raises ValueError on anything else."""
    try:
        reading = _unpacked(json.loads(text))
    except (KeyError, TypeError, AttributeError, RecursionError, zlib.error) as error:
        raise ValueError(f"no reading: {error}") from error
    if not isinstance(reading, Reading):
        raise ValueError("no reading")
    return reading


def _packed(value: Any) -> Any:
    name = type(value).__name__
    if name in _PLAIN:
        return {"value": name, "is": _PLAIN[name][0](value)}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, tuple):
        return [_packed(item) for item in value]
    if isinstance(value, Mapping):
        return {"pairs": [[_packed(key), _packed(item)] for key, item in value.items()]}
    if name in _CLASSES:
        return {"made": name, "of": {f.name: _packed(getattr(value, f.name)) for f in fields(value)}}
    raise TypeError(f"{name} is no part of a reading")


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_unpacked(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "pairs" in value:
        return {_unpacked(key): _unpacked(item) for key, item in value["pairs"]}
    if "made" in value:
        return _CLASSES[value["made"]](**{key: _unpacked(part) for key, part in value["of"].items()})
    return _PLAIN[value["value"]][1](value["is"])


def _bytes_text(body: bytes) -> str:
    return base64.b64encode(zlib.compress(body, 6)).decode("ascii")


def _bytes(text: str) -> bytes:
    unpack = zlib.decompressobj()
    body = unpack.decompress(base64.b64decode(text, validate=True), _MOST_BYTES)
    if not unpack.eof:
        raise ValueError("bytes cut short, or too many")
    return body


_PLAIN: Mapping[str, tuple[Callable[[Any], str], Callable[[str], Any]]] = MappingProxyType(
    {
        **{word.__name__: (str, word) for word in (Kind, Outcome, Trigger)},
        "bytes": (_bytes_text, _bytes),
        "datetime": (datetime.isoformat, datetime.fromisoformat),
        "date": (date.isoformat, date.fromisoformat),
    }
)
