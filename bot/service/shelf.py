"""Where everyone finds the library that serves now."""

from __future__ import annotations

from dataclasses import dataclass

from bot.conversation.turn import Library


@dataclass(slots=True)
class Shelf:
    """Holds the library. Ask it anew for every question: what staff publish puts another one there."""

    current: Library
