"""The outbox: everything said outside a passive reply. A row first, so that nothing said is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service.inbox import Handled, decode, encode
from bot.store.tables import citizens, inbox, outbox
from bot.store.times import to_ms
from knowledge.reply import TEXT_LIMIT, Reply

OutboxState = Literal["waiting", "sending", "sent", "held", "uncertain", "failed"]
_t = outbox.c
RODE = "rode on a reply"

_PENDING = (
    sa.select(_t.id, _t.content)
    .where(_t.citizen_id == sa.bindparam("citizen"), _t.state.in_(["held", "waiting"]))
    .order_by(_t.place)
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A reply to be sent to an address on the platform."""

    id: str
    address: str
    reply: Reply
    attempts: int


def queue_late(conn: Connection, new_id: NewId, handled: Handled, now: datetime) -> None:
    """Queue the reply of a turn whose HTTP answer had to leave without it; once per message."""
    if handled.reply is None:
        return
    if conn.execute(sa.select(_t.id).where(_t.inbox_id == handled.id)).first():
        return
    citizen = conn.execute(sa.select(inbox.c.citizen_id).where(inbox.c.id == handled.id)).scalar_one()
    write(conn, new_id, citizen, [handled.reply], now, inbox_id=handled.id)


def write(
    conn: Connection,
    new_id: NewId,
    citizen_id: str,
    replies: Sequence[Reply],
    now: datetime,
    *,
    inbox_id: str | None = None,
    message_id: str | None = None,
) -> None:
    """Put replies in line behind everything else for this citizen. Locks the citizen, so that places are given once."""
    conn.execute(sa.select(citizens.c.id).where(citizens.c.id == citizen_id).with_for_update())
    last = conn.execute(sa.select(sa.func.max(_t.place)).where(_t.citizen_id == citizen_id)).scalar() or 0
    for place, reply in enumerate(replies, last + 1):
        conn.execute(
            sa.insert(outbox).values(
                id=new_id(),
                citizen_id=citizen_id,
                place=place,
                inbox_id=inbox_id,
                message_id=message_id,
                content=encode(reply),
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


def ride(conn: Connection, new_id: NewId, citizen_id: str, own: Reply | None, now: datetime) -> Reply | None:
    """The reply to say now: what still waits for the citizen goes first, in order, as far as one message holds it.

    What does not fit stays in line; a reply of our own that does not fit joins the end of it.
    """
    pending = conn.execute(_PENDING, {"citizen": citizen_id}).fetchall()
    said, fitted = joined([*(decode(row[1]) or Reply("") for row in pending), *([own] if own else [])])
    for row in pending[:fitted]:
        settle(conn, row[0], "sent", now, error=RODE)
    left = [row[0] for row in pending[fitted:]]
    conn.execute(
        sa.update(outbox).where(_t.id.in_(left), _t.state == "held").values(state="waiting", due_at=to_ms(now))
    )
    if own is not None and fitted <= len(pending):
        write(conn, new_id, citizen_id, [own], now)
    return said


def joined(replies: Sequence[Reply]) -> tuple[Reply | None, int]:
    """As many of the replies as one message holds, from the first on, and how many these are."""
    said: Reply | None = None
    for number, reply in enumerate(replies):
        both = reply if said is None else Reply(f"{said.text}\n\n{reply.text}", (*said.rows, *reply.rows), reply.rest)
        if both.size > TEXT_LIMIT and said is not None:
            return said, number
        said = both
    return said, len(replies)


def due(conn: Connection, channel: str, now: datetime, limit: int = 50) -> list[Letter]:
    """What should be sent now, oldest first; of each citizen only the oldest, so that order is kept."""
    first = (
        sa.select(_t.citizen_id, sa.func.min(_t.place).label("place"))
        .where(_t.state.in_(["waiting", "sending"]))
        .group_by(_t.citizen_id)
        .subquery()
    )
    statement = (
        sa.select(_t.id, citizens.c.address, _t.content, _t.attempts)
        .join(first, sa.and_(first.c.citizen_id == _t.citizen_id, first.c.place == _t.place))
        .join(citizens, citizens.c.id == _t.citizen_id)
        .where(citizens.c.channel == channel, _t.state == "waiting", _t.due_at <= to_ms(now))
        .order_by(_t.due_at, _t.id)
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
