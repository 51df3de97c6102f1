"""One turn as one transaction: de-duplicate, load the state, decide, put everything on record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.engine import Connection

from bot.conversation.handoff.duty import USUAL, Hours
from bot.conversation.handoff.flow import asks_for_person
from bot.conversation.router import handle
from bot.conversation.turn import Inbound, Library, Outcome, Turn
from bot.ids import NewId
from bot.service import citizens, consultations, feedback, handling, handoffs, inbox, outbox, staff
from bot.service.allowance import Act
from bot.service.citizens import Citizen
from bot.service.inbox import Handled

Decide = Callable[[Turn], Outcome]


@dataclass(frozen=True, slots=True)
class Office:
    """What a turn works with."""

    library: Library
    new_id: NewId
    decide: Decide = handle
    hours: Hours = USUAL


def take(conn: Connection, office: Office, inbound: Inbound, now: datetime) -> Handled:
    """Handle a message once; a message on record gets the reply it got then."""
    known = citizens.find(conn, inbound.channel, inbound.citizen)
    # After the citizen's lock: a second delivery in another process waits for the first and finds its row.
    before = inbox.find(conn, inbound.channel, inbound.key)
    if before is not None:
        return outbox.redelivered(conn, before, now)
    citizen = known or citizens.find_or_add(conn, inbound.channel, inbound.citizen, now, office.new_id())
    turn = _turn(conn, office, citizen, inbound, now)
    outcome = office.decide(turn)
    said = outcome.record
    consultation = consultations.record(conn, citizen, inbound.channel, said, now, office.new_id())
    row = office.new_id()
    reply = outbox.ride(conn, office.new_id, citizen.id, outcome.say, now)
    inbox.add(conn, row, inbound, citizen.id, consultation, said, reply, now)
    if said.useful is not None:
        feedback.give(conn, office.new_id(), citizen.id, said.entry, now, useful=said.useful)
    if said.subscribed is not None:
        citizens.set_subscribed(conn, citizen.id, subscribed=said.subscribed)
    handoff = handling.after_turn(conn, office.new_id, citizen, turn, row, outcome, consultation)
    allowance = citizen.allowance.after(_act(inbound), now)
    citizens.save_state(conn, citizen.id, outcome.state, allowance, now)
    return Handled(row, reply, fresh=True, handoff=handoff)


def _turn(conn: Connection, office: Office, citizen: Citizen, inbound: Inbound, now: datetime) -> Turn:
    handoff = handoffs.open_of(conn, citizen.id)
    turn = Turn(inbound, citizen.state, now, office.library, township=citizen.township, handoff=handoff)
    if handoff is None and not asks_for_person(inbound):
        return turn
    lawyer = staff.member(conn, handoff.lawyer) if handoff and handoff.lawyer else None
    duty = handling.duty_facts(conn, office.hours, handoff, now)
    return replace(turn, lawyer=lawyer.title if lawyer else "", duty=duty)


def _act(inbound: Inbound) -> Act | None:
    """What this does to the platform's window; leaving or a notification opens nothing."""
    if inbound.kind != "event":
        return "message"
    return "menu" if inbound.event in {"click", "subscribe", "scan"} else None
