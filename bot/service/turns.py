"""One turn as one transaction: de-duplicate, load the state, decide, put everything on record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from bot.conversation.router import handle
from bot.conversation.turn import Inbound, Library, Outcome, Turn
from bot.ids import NewId
from bot.service import citizens, consultations, feedback, inbox, outbox
from bot.service.inbox import Handled

Decide = Callable[[Turn], Outcome]


@dataclass(frozen=True, slots=True)
class Office:
    """What a turn works with."""

    library: Library
    new_id: NewId
    decide: Decide = handle


def take(conn: Connection, office: Office, inbound: Inbound, now: datetime) -> Handled:
    """Handle a message once; a message on record gets the reply it got then."""
    known = citizens.find(conn, inbound.channel, inbound.citizen)
    # After the citizen's lock: a second delivery in another process waits for the first and finds its row.
    before = inbox.find(conn, inbound.channel, inbound.key)
    if before is not None:
        return outbox.redelivered(conn, before, now)
    citizen = known or citizens.find_or_add(conn, inbound.channel, inbound.citizen, now, office.new_id())
    outcome = office.decide(Turn(inbound, citizen.state, now, office.library))
    said = outcome.record
    consultation = consultations.record(conn, citizen, inbound.channel, said, now, office.new_id())
    row = office.new_id()
    inbox.add(conn, row, inbound, citizen.id, consultation, said, outcome.say, now)
    if said.useful is not None:
        feedback.give(conn, office.new_id(), citizen.id, said.entry, now, useful=said.useful)
    if said.subscribed is not None:
        citizens.set_subscribed(conn, citizen.id, subscribed=said.subscribed)
    outbox.release(conn, citizen.id, now)
    citizens.save_state(conn, citizen.id, outcome.state, now)
    return Handled(row, outcome.say, fresh=True)
