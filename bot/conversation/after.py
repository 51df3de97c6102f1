"""What citizens do with an answer: say whether it helped, or ask for a person."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from bot.conversation import wording
from bot.conversation.turn import Matter, Outcome, Record, Turn
from knowledge.reply import Reply, human_tap


def feedback(turn: Turn, entry_id: str, *, useful: bool) -> Outcome:
    """有用 / 没用 for an entry."""
    entry = turn.library.base.entries.get(entry_id or turn.state.entry)
    if entry is None:
        return Outcome(Reply(wording.GOOD if useful else wording.BAD), Record("feedback"), turn.state)
    said = Reply(wording.GOOD) if useful else Reply(wording.BAD, ((human_tap(),),))
    record = Record("feedback", entry=entry.id, version=entry.version, useful=useful)
    return Outcome(said, record, turn.state)


def human(turn: Turn) -> Outcome:
    """A person was asked for: say how to reach one, and put it on record."""
    entry = turn.library.base.entries.get(turn.state.entry)
    about = Matter(entry.kind, entry.category) if entry else Matter()
    record = Record("human", replace(about, outcome="referred", follows=True))
    said = replace(Reply(wording.HUMAN), text=turn.say(wording.HUMAN))
    return Outcome(said, record, msgspec.structs.replace(turn.state, misses=0, options=()))
