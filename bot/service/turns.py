"""One turn as one transaction: de-duplicate, load the state, decide, put everything on record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from bot.conversation.router import handle
from bot.conversation.turn import Inbound, Library, Outcome, State, Turn
from bot.ids import NewId
from bot.service import arrivals, citizens, consultations, feedback, inbox, outbox
from bot.service.citizens import Citizen
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
    met = arrivals.meet(conn, inbound.channel, inbound.citizen, inbound.key)
    # After the citizen's lock: a second delivery in another process waits for the first and finds its row.
    if met is not None and met.before is not None:
        return outbox.redelivered(conn, met.before, now)
    citizen = met.citizen if met else Citizen(office.new_id(), State(), "")
    outcome = office.decide(Turn(inbound, citizen.state, now, office.library))
    said = outcome.record
    if met is None:
        subscribed = bool(said.subscribed)
        citizens.add(conn, citizen.id, inbound.channel, inbound.citizen, outcome.state, now, subscribed=subscribed)
    else:
        citizens.save(conn, citizen.id, outcome.state, now, subscribed=said.subscribed)
    running = met.running if met else ()
    consultation = consultations.record(conn, citizen, running, inbound.channel, said, now, office.new_id)
    row = office.new_id()
    inbox.add(conn, row, inbound, citizen.id, consultation, said, outcome.say, now)
    if said.useful is not None:
        feedback.give(conn, office.new_id(), citizen.id, said.entry, now, useful=said.useful)
    if met is not None and met.held:
        outbox.release(conn, citizen.id, now)
    return Handled(row, outcome.say, fresh=True)
