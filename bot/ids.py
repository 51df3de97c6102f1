"""Sortable ids: UUIDs of version 7, and how they are made."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
NewId = Callable[[], str]

PIECE, PIECES = 16, 256
_noise: deque[bytes] = deque()


def utc_now() -> datetime:
    """The real clock, aware."""
    return datetime.now(UTC)


def noise() -> bytes:
    """16 bytes from the system's generator, each handed out once. Threads may call it.

    Taken in large pieces: asking the system means giving up the interpreter to whichever thread waits for it.
    """
    try:
        return _noise.pop()
    except IndexError:
        fresh = os.urandom(PIECE * PIECES)
        _noise.extend(fresh[start : start + PIECE] for start in range(PIECE, len(fresh), PIECE))
        return fresh[:PIECE]


def uuid7(clock: Clock = utc_now) -> str:
    """48 bits of milliseconds, then random bits (RFC 9562)."""
    moment, random = f"{int(clock().timestamp() * 1000):012x}", noise().hex()
    variant = "89ab"[int(random[3], 16) & 3]
    return f"{moment[:8]}-{moment[8:]}-7{random[:3]}-{variant}{random[4:7]}-{random[7:19]}"
