"""Turns built in one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.conversation.router import handle
from bot.conversation.turn import Inbound, Library, Outcome, State, Turn
from knowledge.load import KnowledgeBase
from knowledge.search.rank import Search

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@dataclass
class Talk:
    """A conversation with the pure core alone: no server, no clock, no database."""

    base: KnowledgeBase
    search: Search
    state: State = field(default_factory=State)
    now: datetime = NOW

    def say(self, text: str, **changes: Any) -> Outcome:
        """One turn; the state is carried on."""
        known: dict[str, Any] = {"kind": "text", "text": text} | changes
        inbound = Inbound("wechat", "o1", "m1", sent_at=self.now, **known)
        library = Library(self.base, self.search, self.base.nowhere)
        outcome = handle(Turn(inbound, self.state, self.now, library))
        self.state = outcome.state
        return outcome
