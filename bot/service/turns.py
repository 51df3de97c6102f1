"""One turn as one transaction: de-duplicate, load the state, decide, put everything on record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from bot.conversation import ahead, my_data, rating
from bot.conversation import lessons as learning
from bot.conversation.counsel import Command
from bot.conversation.handoff.duty import USUAL, Hours
from bot.conversation.handoff.flow import asks_for_person
from bot.conversation.router import handle
from bot.conversation.turn import Inbound, Library, Outcome, Record, State, Turn
from bot.ids import NewId
from bot.service import (
    arrivals,
    audit,
    bindings,
    citizens,
    consultations,
    counter,
    erasure,
    feedback,
    handling,
    handoffs,
    inbox,
    lessons,
    outbox,
    own_data,
    ratings,
    rectifications,
    staff,
)
from bot.service.allowance import Act
from bot.service.arrivals import Arrival
from bot.service.citizens import Citizen
from bot.service.counter import Counter
from bot.service.inbox import Handled
from bot.service.own_data import Own
from bot.service.rectifications import Terms
from bot.service.staff import Member
from knowledge.reply import Reply

WECHAT = "wechat"
Decide = Callable[[Turn], Outcome]


class Office(msgspec.Struct, frozen=True):
    """What a turn works with; `announcement` is what citizens are told at present."""

    library: Library
    new_id: NewId
    decide: Decide = handle
    hours: Hours = USUAL
    announcement: str = ""
    rectify_days: int = 5
    own: Own = msgspec.field(default_factory=Own)

    @property
    def terms(self) -> Terms:
        """How long there is to put a bad rating right."""
        return Terms(self.hours, self.rectify_days)


class Coming(msgspec.Struct, frozen=True):
    """A message about to be taken."""

    office: Office
    inbound: Inbound
    now: datetime


def foresee(coming: Sequence[Coming]) -> None:
    """Work out for many messages at once what their turns will ask for."""
    last = coming[-1]
    ahead.foresee([one.inbound for one in coming], last.office.library, last.now)


def take(conn: Connection, office: Office, inbound: Inbound, now: datetime) -> Handled:
    """Handle a message once; a message on record gets the reply it got then."""
    met = arrivals.meet(conn, inbound.channel, inbound.citizen, inbound.key)
    # After the citizen's lock: a second delivery in another process waits for the first and finds its row.
    if met is not None and met.before is not None:
        return outbox.redelivered(conn, met.before, now)
    citizen = met.citizen if met else Citizen(office.new_id(), State(), "")
    member = staff.member(conn, met.member) if met and met.member else None
    if inbound.channel == WECHAT and (wanted := counter.command(inbound, member)) is not None:
        return _serve(conn, office, citizen, inbound, now, wanted, member, met)
    turn = _turn(conn, office, citizen, inbound, now, met)
    outcome = office.decide(turn)
    said = outcome.record
    citizen = replace(citizen, state=outcome.state, allowance=citizen.allowance.after(_act(inbound), now))
    if met is None:
        citizens.add(conn, citizen, inbound.channel, inbound.citizen, now, subscribed=bool(said.subscribed))
    else:
        citizens.save(conn, citizen, now, subscribed=said.subscribed)
    consultation = consultations.record(
        conn, citizen, met.running if met else (), inbound.channel, said, inbound.text, now, office.new_id
    )
    row = office.new_id()
    reply, pending = outcome.say, met is not None and met.pending
    if said.data == "erased":
        terms, address = office.terms, inbound.citizen
        citizen = erasure.erase(conn, office.new_id, citizen, inbound.channel, address, terms, now)
    elif pending:
        reply = _with_what_waits(conn, office, citizen.id, inbound, reply, now)
    inbox.add(conn, row, inbound, citizen.id, consultation, said, reply, now)
    _keep(conn, office, citizen.id, turn, said, now)
    handoff = handling.after_turn(conn, office.new_id, citizen, turn, row, outcome, consultation)
    return Handled(row, reply, fresh=True, handoff=handoff, letters=pending)


def _keep(conn: Connection, office: Office, citizen_id: str, turn: Turn, said: Record, now: datetime) -> None:
    """What the citizen thinks of us, learnt from us, or did with their own data."""
    new_id = office.new_id
    if said.useful is not None:
        feedback.give(conn, new_id(), citizen_id, said.entry, now, useful=said.useful)
    if said.rating is not None:
        ratings.give(conn, new_id, citizen_id, said.rating, office.terms, now)
    if said.visit is not None:
        rectifications.visited(conn, new_id, citizen_id, said.visit, office.terms, now)
    if said.answered is not None:
        lessons.answer(conn, citizen_id, said.answered, now)
    if said.data == "exported" and turn.held is not None:
        own_data.offer(conn, new_id, citizen_id, turn.held.link, now)
    elif said.data == "shown":
        audit.write(conn, new_id, "data.shown", now=now, citizen=citizen_id)


def _serve(
    conn: Connection,
    office: Office,
    citizen: Citizen,
    inbound: Inbound,
    now: datetime,
    wanted: Command,
    member: Member | None,
    met: Arrival | None,
) -> Handled:
    """A lawyer at their own WeChat: on record like any message, but no consultation and no citizen's turn."""
    citizen = replace(citizen, allowance=citizen.allowance.after(_act(inbound), now))
    following = True if inbound.event == "subscribe" else None
    if met is None:
        citizens.add(conn, citizen, inbound.channel, inbound.citizen, now, subscribed=True)
    else:
        citizens.save(conn, citizen, now, subscribed=following)
    row = office.new_id()
    handoff = ""
    reply: Reply | None
    if wanted.act == "bind":
        reply = Reply(bindings.bind(conn, office.new_id, citizen.id, wanted.what, now))
    elif wanted.act == "unbind" or member is None:
        reply = Reply(bindings.unbind(conn, office.new_id, citizen.id, now))
    else:
        reply, handoff = Counter(conn, office.new_id, office.hours, member, now, row).serve(wanted)
    if met is not None and met.pending:
        reply = _with_what_waits(conn, office, citizen.id, inbound, reply, now)
    inbox.add(conn, row, inbound, citizen.id, None, Record("counsel"), reply, now)
    return Handled(row, reply, fresh=True, handoff=handoff)


def _with_what_waits(
    conn: Connection, office: Office, citizen_id: str, inbound: Inbound, reply: Reply | None, now: datetime
) -> Reply | None:
    """What waits rides on a reply that the platform shows. The chat page fetches its letters itself."""
    act = _act(inbound)
    if act == "leave":
        outbox.hold(conn, citizen_id, outbox.LEFT)
    if act in {None, "leave"} or inbound.channel == outbox.FETCHED:
        return reply
    return outbox.ride(conn, office.new_id, citizen_id, reply, now)


def _turn(
    conn: Connection, office: Office, citizen: Citizen, inbound: Inbound, now: datetime, met: Arrival | None
) -> Turn:
    # The chat page shows it above the conversation.
    announcement = office.announcement if inbound.channel == WECHAT else ""
    turn = Turn(inbound, citizen.state, now, office.library, township=citizen.township, announcement=announcement)
    turn = replace(_with_wishes(conn, office, citizen, turn), letters=met is not None and met.pending)
    handoff = met.handoff if met else None
    if handoff is None and not asks_for_person(inbound):
        return turn
    found = handoffs.get(conn, handoff) if handoff else None
    lawyer = staff.member(conn, found.lawyer) if found and found.lawyer else None
    turn = replace(turn, handoff=found, lawyer=lawyer.title if lawyer else "")
    if found is not None and found.state != "asking" and not asks_for_person(inbound):
        return turn
    return replace(turn, duty=handling.duty_facts(conn, office.hours, found, now))


def _with_wishes(conn: Connection, office: Office, citizen: Citizen, turn: Turn) -> Turn:
    """Facts that only some messages ask for, by what their flows say: most turns look up none of them."""
    inbound, state, now = turn.inbound, citizen.state, turn.now
    if moment := rating.moment(inbound, state, now):
        turn = replace(turn, rateable=ratings.rateable(conn, citizen.id, moment, now))
    if my_data.wants(inbound):
        turn = replace(turn, held=own_data.held(conn, citizen.id, office.own, inbound.channel))
    if wish := learning.wants(inbound, state.awaited(now)):
        turn = replace(turn, lesson=lessons.wanted(conn, wish, turn.day))
    return turn


def _act(inbound: Inbound) -> Act | None:
    """What this does to the platform's window; leaving or a notification opens nothing."""
    if inbound.kind != "event":
        return "message"
    if inbound.event == "unsubscribe":
        return "leave"
    return "menu" if inbound.event in {"click", "subscribe", "scan"} else None
