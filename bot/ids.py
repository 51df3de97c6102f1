"""Sortable ids: UUIDs of version 7, and how they are made."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
NewId = Callable[[], str]
_LOW = (1 << 62) - 1


def utc_now() -> datetime:
    """The real clock, aware."""
    return datetime.now(UTC)


def uuid7(clock: Clock = utc_now) -> str:
    """48 bits of milliseconds, then random bits (RFC 9562)."""
    milliseconds = int(clock().timestamp() * 1000)
    value = milliseconds << 80 | 0x7 << 76 | 0b10 << 62
    noise = int.from_bytes(os.urandom(10))
    text = f"{value | (noise >> 68) << 64 | noise & _LOW:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
