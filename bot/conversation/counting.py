"""The counting rules: one consultation is one citizen and one matter, continued by follow-ups, closed by silence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from bot.conversation.turn import Matter

SILENCE = timedelta(hours=24)


class OpenConsultation(msgspec.Struct, frozen=True):
    """A consultation nobody has closed yet."""

    id: str
    category: str
    last_at: datetime


class Nothing(msgspec.Struct, frozen=True):
    """Greetings, menus and noise."""


class Begin(msgspec.Struct, frozen=True):
    """A matter not talked about before."""

    matter: Matter


class Continue(msgspec.Struct, frozen=True):
    """More about a matter that is open."""

    id: str
    matter: Matter


Count = Nothing | Begin | Continue


def expired(consultation: OpenConsultation, now: datetime) -> bool:
    """Whether silence has closed it: 24 hours after its last message."""
    return now - consultation.last_at >= SILENCE


def count(running: Sequence[OpenConsultation], matter: Matter | None, now: datetime) -> Count:
    """Decide where a message counts. `running` are the citizen's consultations that nobody closed."""
    if matter is None:
        return Nothing()
    alive = sorted((one for one in running if not expired(one, now)), key=lambda one: one.last_at, reverse=True)
    if not alive:
        return Begin(matter)
    if matter.follows:
        return Continue(alive[0].id, matter)
    same = [one for one in alive if one.category == matter.category]
    if same:
        return Continue(same[0].id, matter)
    # A second try at saying what it is about, or the answer after a choice, is still the first matter.
    if not alive[0].category or not matter.category:
        return Continue(alive[0].id, matter)
    return Begin(matter)
