"""After a commit that others must hear of: tell whoever watches (workbenches, the outbox) that it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

log = structlog.get_logger("bell")

Listener = Callable[[str], None]
# Rung in place of a handoff's id when settings, announcements or the county's own content changed.
CHANGED = "changed"


class Bell:
    """Rung with a handoff's id (or CHANGED) once its change is committed. It carries no content: listeners look in the store."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` at every ring; it must return at once."""
        self._listeners.append(listener)

    def ring(self, handoff_id: str) -> None:
        """Something changed. A listener that fails takes nobody else with it."""
        for listener in self._listeners:
            try:
                listener(handoff_id)
            except Exception:
                log.exception("listener_failed", handoff=handoff_id)

    def ring_all(self, handoff_ids: Iterable[str]) -> None:
        """Several at once."""
        for handoff_id in handoff_ids:
            self.ring(handoff_id)
