"""Sortable ids: UUIDs of version 7, and how they are made."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
NewId = Callable[[], str]


def utc_now() -> datetime:
    """The real clock, aware."""
    return datetime.now(UTC)


def uuid7(clock: Clock = utc_now) -> str:
    """48 bits of milliseconds, then random bits (RFC 9562)."""
    milliseconds = int(clock().timestamp() * 1000)
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))
