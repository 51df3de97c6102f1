"""Turns built in one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from bot.conversation.handoff.machine import Handoff
from bot.conversation.router import handle
from bot.conversation.turn import Duty, Held, Inbound, Lesson, Library, Outcome, Rated, State, Turn
from knowledge.load import KnowledgeBase
from knowledge.places import Locality
from knowledge.search.rank import Search

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
NOBODY = Duty(staffed=False, lawyers=0, place=1, recent=(), opens_at=NOW)


@dataclass
class Talk:
    """A conversation with the pure core alone: no server, no clock, no database."""

    base: KnowledgeBase
    search: Search
    state: State = field(default_factory=State)
    now: datetime = NOW
    # No lawyer serves here, unless a test says otherwise.
    duty: Duty = NOBODY
    handoff: Handoff | None = None
    township: str = ""
    rateable: Rated | None = None
    held: Held | None = None
    lesson: Lesson | None = None
    letters: bool = False

    def say(self, text: str, **changes: Any) -> Outcome:
        """One turn; the state is carried on."""
        known: dict[str, Any] = {"kind": "text", "text": text} | changes
        inbound = Inbound("wechat", "o1", "m1", sent_at=self.now, **known)
        turn = Turn(
            inbound, self.state, self.now, self.library(), township=self.township, handoff=self.handoff, duty=self.duty
        )
        turn = replace(turn, rateable=self.rateable, held=self.held, lesson=self.lesson, letters=self.letters)
        outcome = handle(replace(turn, lawyer="张律师"))
        self.state = outcome.state
        return outcome

    def library(self) -> Library:
        """What may be looked things up in."""
        return Library(self.base, self.search, self.places())

    def places(self) -> Locality:
        """The county's local facts; none unless a test says otherwise."""
        return self.base.nowhere
