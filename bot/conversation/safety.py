"""Danger beats everything: the hotline first, and the case flagged for a person."""

from __future__ import annotations

from bot.conversation.handoff.machine import Event
from bot.conversation.turn import Matter, Outcome, Record, Turn
from knowledge.danger import Danger
from knowledge.reply import Reply, human_tap

# A matter of its own in the counts, whatever was talked about before.
CATEGORY = "safety"


def respond(turn: Turn, found: Danger) -> Outcome:
    """Hotline first; counted, flagged urgent, a person one tap away."""
    reply = Reply(turn.say(found.reply), ((human_tap("urgent"),),))
    # Whoever waits or talks already is seen first from now on.
    events = (Event("detail", urgent=True),) if turn.handoff else ()
    record = Record(f"safety.{found.name}", Matter("legal", CATEGORY, "referred", urgent=True), events=events)
    return Outcome(reply, record, turn.state)
