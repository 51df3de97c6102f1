"""Pages that wait for news of a handoff: woken by the bell, all at once when the application stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator


class Watch:
    """Who waits for which handoff."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self.over = False

    def ring(self, handoff_id: str) -> None:
        """Something changed: whoever waits for it looks again."""
        for waiting in self._waiting.get(handoff_id, ()):
            waiting.set()

    def end(self) -> None:
        """Nobody waits any longer."""
        self.over = True
        for handoff_id in self._waiting:
            self.ring(handoff_id)

    @contextlib.contextmanager
    def on(self, handoff_id: str) -> Iterator[asyncio.Event]:
        """An event that is set at the next ring; entered before looking, so that no ring falls between."""
        event = asyncio.Event()
        if self.over:
            event.set()
        self._waiting.setdefault(handoff_id, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[handoff_id].discard(event)
            if not self._waiting[handoff_id]:
                del self._waiting[handoff_id]
