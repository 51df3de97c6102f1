"""What citizens do with an answer: say whether it helped."""

from __future__ import annotations

from bot.conversation import wording
from bot.conversation.turn import Outcome, Record, Turn
from knowledge.reply import Reply, human_tap


def feedback(turn: Turn, entry_id: str, *, useful: bool) -> Outcome:
    """有用 / 没用 for an entry."""
    entry = turn.library.base.entries.get(entry_id or turn.state.entry)
    if entry is None:
        return Outcome(Reply(wording.GOOD if useful else wording.BAD), Record("feedback"), turn.state)
    said = Reply(wording.GOOD) if useful else Reply(wording.BAD, ((human_tap("bad"),),))
    record = Record("feedback", entry=entry.id, version=entry.version, useful=useful)
    return Outcome(said, record, turn.state)
