"""Memory that is given back: what a process holds after a long log or a large page is what it held before."""

from __future__ import annotations

import contextlib
import ctypes

M_MMAP_THRESHOLD = -3  # malloc.h
LARGE = 1 << 20  # bytes


def give_back() -> None:
    """Have large pieces of memory returned to the system when they are freed.

    glibc raises the size that counts as large with each large piece that is freed (mallopt(3), "M_MMAP_THRESHOLD"), so
    that the batches of a log stay in the heap with holes between them: 8 MB of 65. Elsewhere nothing happens.
    """
    with contextlib.suppress(AttributeError, OSError):  # no glibc
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
