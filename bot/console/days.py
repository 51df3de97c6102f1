"""Days and months as addresses and forms have them."""

from __future__ import annotations

from datetime import date

# Beyond these nothing of an office's work lies, and calendars begin to fail.
_FIRST, _LAST = 2000, 2100


def read_day(text: str) -> date | None:
    """A day written 2026-11-23; None if it is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _FIRST <= day.year <= _LAST else None


def read_month(text: str) -> date | None:
    """The first day of a month written 2026-11; None if it is none."""
    return read_day(f"{text}-01")
