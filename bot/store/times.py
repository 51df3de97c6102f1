"""Times in the store: UTC milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime

HOUR_MS = 3_600_000
# Hours by which the county's clock is ahead of UTC, summer and winter.
AHEAD = 8


def to_ms(moment: datetime) -> int:
    """An aware moment as stored."""
    return int(moment.timestamp() * 1000)


def from_ms(stored: int) -> datetime:
    """A stored moment, aware, UTC."""
    return datetime.fromtimestamp(stored / 1000, UTC)
