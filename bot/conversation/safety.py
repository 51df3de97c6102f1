"""Danger beats everything: the hotline first, and the case flagged for a person."""

from __future__ import annotations

from bot.conversation.turn import Matter, Outcome, Record, Turn
from knowledge.danger import Danger
from knowledge.reply import Reply, human_tap

# A matter of its own in the counts, whatever was talked about before.
CATEGORY = "safety"


def respond(turn: Turn, found: Danger) -> Outcome:
    """Hotline first; counted, flagged urgent, a person one tap away."""
    reply = Reply(turn.say(found.reply), ((human_tap(),),))
    return Outcome(
        reply, Record(f"safety.{found.name}", Matter("legal", CATEGORY, "referred", urgent=True)), turn.state
    )
