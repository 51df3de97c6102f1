"""Time for the simulator: a clock that stands still until told, or the real one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Now = Callable[[], datetime]

# A Monday, 09:00 in Shanghai: office hours, no holiday.
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class Clock:
    """A manual clock; calling it tells the time."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    def __call__(self) -> datetime:
        """Tell the time, aware and in UTC."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let this much time pass."""
        self.now += timedelta(seconds=seconds)


def real_clock() -> datetime:
    """Tell the machine's time, for interactive use."""
    return datetime.now(UTC)
