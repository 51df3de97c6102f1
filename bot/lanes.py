"""One lane per citizen: messages of one citizen follow each other, others never wait. Idle lanes vanish."""

from __future__ import annotations

import asyncio
from collections import deque

Key = tuple[str, str]


class Lanes:
    """Who waits, by key. A key stands here only while somebody is in its lane."""

    def __init__(self) -> None:
        self._waiting: dict[Key, deque[asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    async def enter(self, key: Key) -> None:
        """Wait for this key's turn, in the order of arrival. Whoever entered must leave."""
        queue = self._waiting.get(key)
        if queue is None:
            self._waiting[key] = deque()
            return
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the turn had come at the same moment: it goes to the next one
                self.leave(key)
            raise

    def leave(self, key: Key) -> None:
        """Let the next one in."""
        queue = self._waiting[key]
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._waiting[key]
