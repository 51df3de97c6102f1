"""What the workbench shows, read from the store in one go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.console.workbench import shapes
from bot.conversation.handoff.duty import Hours
from bot.conversation.handoff.machine import Handoff
from bot.masking import mask
from bot.service import handling, handoffs, inbox, staff, threads
from bot.service.allowance import Allowance
from bot.service.staff import Member
from bot.store.tables import citizens, consultations, handoff_events, handoff_messages
from bot.store.tables import inbox as inbox_table
from bot.store.tables import staff as people
from bot.store.times import to_ms

EARLIER = 10
EXCHANGES = 40
# Deliveries of the last messages may still change; older ones are settled.
LATELY = 20


def names(conn: Connection) -> dict[str, str]:
    """Everybody's name by id."""
    return {row.id: row.name for row in conn.execute(sa.select(people.c.id, people.c.name))}


def may_read(member: Member, handoff: Handoff) -> bool:
    """Whether a member may read a conversation: the lawyer in charge, supervisors, anyone while it waits."""
    return handoff.state in {"asking", "waiting"} or handoff.lawyer == member.id or member.role == "supervisor"


def overview(conn: Connection, member: Member, hours: Hours, now: datetime) -> dict[str, Any]:
    """The whole of a member's workbench: who is there, the queue, their own conversations."""
    called, everyone = names(conn), staff.counsel(conn)
    there = staff.on_duty(everyone, now, hours)
    mine = next((one for one in everyone if one.id == member.id), member)
    lines = [
        shapes.handoff(one, called, last=last_words(conn, one.id))
        for one in handoffs.open_ones(conn)
        if listed(member, one)
    ]
    return {
        "me": shapes.member(mine),
        "open": hours.open_at(now),
        "colleagues": [shapes.member(one) for one in everyone if one.id != member.id],
        "there": len(there),
        "handoffs": lines,
    }


def listed(member: Member, handoff: Handoff) -> bool:
    """Whether a handoff stands in this member's list."""
    return handoff.state != "closed" and (handoff.lawyer in {"", member.id} or member.role == "supervisor")


def offered(conn: Connection, handoff: Handoff, hours: Hours, now: datetime) -> set[str]:
    """Ids of those on duty whom a waiting handoff is for."""
    there = staff.on_duty(staff.counsel(conn), now, hours)
    return {one.id for one in handling.offered_to(handoff, there)}


def last_words(conn: Connection, handoff_id: str) -> str:
    """The last thing said, masked, for the list."""
    t = handoff_messages.c
    statement = (
        sa.select(t.text, t.kind)
        .where(t.handoff_id == handoff_id, t.author.in_(["citizen", "lawyer"]))
        .order_by(t.number.desc())
        .limit(1)
    )
    row = conn.execute(statement).first()
    if row is None:
        return ""
    # Masked whole: half a number would no longer be known for one.
    return mask(row.text)[:60] or {"image": "［图片］", "voice": "［语音］"}.get(row.kind, "［消息］")


def conversation(conn: Connection, handoff: Handoff, now: datetime) -> dict[str, Any]:
    """Everything a lawyer needs to answer: the thread, what went before, quota, who handled it."""
    called = names(conn)
    lines = threads.read(conn, handoff.id)
    deliveries = threads.deliveries(conn, [one.id for one in lines if one.author in {"lawyer", "system"}])
    return {
        "handoff": shapes.handoff(handoff, called),
        "messages": [shapes.message(one, called, deliveries.get(one.id)) for one in lines],
        "quota": quota(conn, handoff, now),
        "before": before(conn, handoff),
        "earlier": earlier(conn, handoff),
        "events": events(conn, handoff.id, called),
        "subscribed": conn.execute(
            sa.select(citizens.c.subscribed).where(citizens.c.id == handoff.citizen)
        ).scalar_one(),
    }


def quota(conn: Connection, handoff: Handoff, now: datetime) -> dict[str, Any] | None:
    """The citizen's window and quota."""
    row = conn.execute(
        sa.select(citizens.c.allowance, citizens.c.window_until).where(citizens.c.id == handoff.citizen)
    ).one()
    return shapes.quota(handoff.channel, Allowance(row.allowance, row.window_until), now)


def before(conn: Connection, handoff: Handoff) -> list[dict[str, Any]]:
    """What the citizen and the bot said before the handoff began, oldest first."""
    t = inbox_table.c
    in_thread = sa.select(handoff_messages.c.key).where(handoff_messages.c.handoff_id == handoff.id)
    statement = (
        sa.select(t.text, t.kind, t.reply, t.received_at)
        .where(
            t.citizen_id == handoff.citizen,
            t.received_at <= to_ms(handoff.asked_at),
            t.id.not_in(in_thread),
            t.kind.not_like("event%"),
        )
        .order_by(t.received_at.desc(), t.id.desc())
        .limit(EXCHANGES)
    )
    rows = conn.execute(statement).fetchall()
    return [
        {"text": row.text, "kind": row.kind, "reply": _visible(row.reply), "at": row.received_at}
        for row in reversed(rows)
    ]


def earlier(conn: Connection, handoff: Handoff) -> list[dict[str, Any]]:
    """The citizen's other consultations, newest first."""
    t = consultations.c
    statement = (
        sa.select(t.id, t.kind, t.category, t.entry_id, t.outcome, t.handled_by, t.service, t.summary, t.opened_at)
        .where(t.citizen_id == handoff.citizen, t.id != (handoff.consultation or ""))
        .order_by(t.opened_at.desc())
        .limit(EARLIER)
    )
    return [dict(row) for row in conn.execute(statement).mappings()]


def events(conn: Connection, handoff_id: str, called: dict[str, str]) -> list[dict[str, Any]]:
    """What happened to the handoff, with the notes colleagues left."""
    t = handoff_events.c
    rows = conn.execute(sa.select(handoff_events).where(t.handoff_id == handoff_id).order_by(t.number))
    return [
        {
            "event": row.event,
            "who": called.get(row.staff_id or "", ""),
            "other": called.get(row.other_id or "", ""),
            "note": row.note,
            "at": row.at,
        }
        for row in rows
    ]


def _visible(reply: str) -> str:
    said = inbox.decode(reply)
    return "" if said is None else said.visible
