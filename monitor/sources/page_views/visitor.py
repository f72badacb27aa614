"""Visitors of a day, told apart without being known: keyed hashes of address and agent.

The key is random, one per source and day, and is forgotten with the hashes when the day is closed; after that nobody
can say whether an address was among them.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable
from datetime import date
from hashlib import blake2b


def hashes(key: bytes, day: date, people: Iterable[tuple[bytes, bytes]]) -> tuple[int, ...] | None:
    """A number of 64 bits, signed, for each address and agent; None where an address is missing."""
    begun = blake2b(day.isoformat().encode() + b"\0", digest_size=8, key=key)
    found: set[bytes] = set()
    for address, agent in people:
        if address in (b"", b"-"):
            return None
        one = begun.copy()
        one.update((household(address) if b":" in address else address) + b"\0" + agent)
        found.add(one.digest())
    return tuple(sorted(struct.unpack(f">{len(found)}q", b"".join(found))))


def household(address: bytes) -> bytes:
    """An IPv6 address without what changes by the hour: its /64, or the IPv4 address inside it.

    >>> household(b"2001:db8:1:2:3:4:5:6"), household(b"2001:db8::6"), household(b"::ffff:192.0.2.7"), household(b"a:b")
    (b'2001:db8:1:2', b'2001:db8:0:0', b'192.0.2.7', b'a:b')
    """
    groups = address.split(b":", 4)
    if len(groups) == 5 and all(groups[:4]) and b"." not in address:  # as servers write most of them
        return b":".join(groups[:4])
    try:
        one = ipaddress.IPv6Address(address.decode("latin-1").strip("[]"))
    except ValueError:
        return address
    if one.ipv4_mapped:
        return str(one.ipv4_mapped).encode()
    return b":".join(b"%x" % (int(one) >> shift & 0xFFFF) for shift in (112, 96, 80, 64))
