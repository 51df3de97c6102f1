"""The outbox: replies that go through the platform's API. A row first, so that nothing said is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service.inbox import Handled, decode, encode
from bot.store.tables import citizens, inbox, outbox
from bot.store.times import to_ms
from knowledge.reply import Reply

OutboxState = Literal["waiting", "sending", "sent", "held", "uncertain", "failed"]
_t = outbox.c


@dataclass(frozen=True, slots=True)
class Letter:
    """A reply to be sent to an address on the platform."""

    id: str
    address: str
    reply: Reply
    attempts: int


def queue_late(conn: Connection, row_id: str, handled: Handled, now: datetime) -> None:
    """Queue the reply of a turn whose HTTP answer had to leave without it; once per message."""
    if handled.reply is None:
        return
    if conn.execute(sa.select(_t.id).where(_t.inbox_id == handled.id)).first():
        return
    citizen = conn.execute(sa.select(inbox.c.citizen_id).where(inbox.c.id == handled.id)).scalar_one()
    conn.execute(
        sa.insert(outbox).values(
            id=row_id,
            citizen_id=citizen,
            inbox_id=handled.id,
            content=encode(handled.reply),
            state="waiting",
            attempts=0,
            error="",
            due_at=to_ms(now),
            created_at=to_ms(now),
        )
    )


def redelivered(conn: Connection, handled: Handled, now: datetime) -> Handled:
    """The platform asks again: if the reply still waits here it rides on this answer; if it left, stay silent."""
    row = conn.execute(sa.select(_t.id, _t.state).where(_t.inbox_id == handled.id)).first()
    if row is None:
        return handled
    if row.state in {"waiting", "held", "failed"}:
        settle(conn, row.id, "sent", now, error="rode on a redelivery")
        return handled
    return replace(handled, reply=None)


def release(conn: Connection, citizen_id: str, now: datetime) -> None:
    """The citizen did something: window and quota are open again."""
    conn.execute(
        sa.update(outbox)
        .where(_t.citizen_id == citizen_id, _t.state == "held")
        .values(state="waiting", due_at=to_ms(now))
    )


def due(conn: Connection, now: datetime, limit: int = 50) -> list[Letter]:
    """What should be sent now, oldest first; of each citizen only the oldest, so that order is kept."""
    first = (
        sa.select(sa.func.min(_t.id).label("id"))
        .where(_t.state.in_(["waiting", "sending"]))
        .group_by(_t.citizen_id)
        .subquery()
    )
    statement = (
        sa.select(_t.id, citizens.c.address, _t.content, _t.attempts)
        .join(first, first.c.id == _t.id)
        .join(citizens, citizens.c.id == _t.citizen_id)
        .where(_t.state == "waiting", _t.due_at <= to_ms(now))
        .order_by(_t.id)
        .limit(limit)
    )
    letters = []
    for row in conn.execute(statement):
        reply = decode(row.content)
        if reply is not None:
            letters.append(Letter(row.id, row.address, reply, row.attempts))
    return letters


def begin(conn: Connection, row_id: str, now: datetime, lease_ms: int) -> bool:
    """Claim a row for one attempt; False if another sender has it. The lease outlives a call to the platform."""
    statement = (
        sa.update(outbox)
        .where(_t.id == row_id, _t.state == "waiting", _t.due_at <= to_ms(now))
        .values(state="sending", attempts=_t.attempts + 1, due_at=to_ms(now) + lease_ms)
    )
    return conn.execute(statement).rowcount == 1


def strand(conn: Connection, now: datetime) -> int:
    """Attempts whose process died: they may have been delivered, so they are not made again. Returns how many."""
    statement = (
        sa.update(outbox)
        .where(_t.state == "sending", _t.due_at <= to_ms(now))
        .values(state="uncertain", error="stopped in the middle of sending")
    )
    return conn.execute(statement).rowcount


def settle(
    conn: Connection, row_id: str, state: OutboxState, now: datetime, *, error: str = "", due_at: datetime | None = None
) -> None:
    """Record how an attempt ended."""
    values: dict[str, object] = {"state": state, "error": error[:200]}
    if state == "sent":
        values["sent_at"] = to_ms(now)
    if due_at is not None:
        values["due_at"] = to_ms(due_at)
    conn.execute(sa.update(outbox).where(_t.id == row_id).values(**values))


def waiting(conn: Connection) -> dict[str, int]:
    """How many rows stand in each state."""
    rows = conn.execute(sa.select(_t.state, sa.func.count()).group_by(_t.state))
    return {row[0]: row[1] for row in rows}
