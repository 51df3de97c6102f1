"""What is on record when a message arrives: its citizen, the reply it got before, what is open, what waits. One statement."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.counting import OpenConsultation
from bot.service.allowance import Allowance
from bot.service.citizens import Citizen, read_state
from bot.service.inbox import Handled, decode
from bot.store.prepared import Prepared
from bot.store.tables import citizens, consultations, handoffs, inbox, outbox, staff
from bot.store.times import from_ms

_THIS_CITIZEN = sa.and_(
    citizens.c.channel == sa.bindparam("channel"),
    citizens.c.address == sa.bindparam("address"),
)
_WAITS: list[sa.ColumnElement[str]] = [sa.literal_column("'held'"), sa.literal_column("'waiting'")]
# On PostgreSQL turns of one citizen follow each other across processes. A statement of its own: whoever waited for
# the lock must see what the turn before has written, and a statement sees what was there when it began.
_LOCK = Prepared(sa.select(citizens.c.id).where(_THIS_CITIZEN).with_for_update())
_MEET = Prepared(
    sa.select(
        citizens.c.id,
        citizens.c.state,
        citizens.c.township,
        inbox.c.id,
        inbox.c.reply,
        citizens.c.allowance,
        citizens.c.window_until,
        sa.exists().where(outbox.c.citizen_id == citizens.c.id, outbox.c.state.in_(_WAITS)),
        sa.select(handoffs.c.id)
        .where(handoffs.c.citizen_id == citizens.c.id, handoffs.c.closed_at.is_(None))
        .scalar_subquery(),
        sa.select(staff.c.id)
        .where(staff.c.citizen_id == citizens.c.id, staff.c.disabled_at.is_(None))
        .scalar_subquery(),
        consultations.c.id,
        consultations.c.category,
        consultations.c.last_at,
    )
    .select_from(
        citizens.outerjoin(
            inbox, sa.and_(inbox.c.channel == citizens.c.channel, inbox.c.key == sa.bindparam("key"))
        ).outerjoin(
            consultations, sa.and_(consultations.c.citizen_id == citizens.c.id, consultations.c.closed_at.is_(None))
        )
    )
    .where(_THIS_CITIZEN)
)


class Arrival(msgspec.Struct, frozen=True):
    """What a turn must know of the past. `before`: this very message was handled; `pending`: replies wait for it.

    `member` is the member of staff whose own WeChat this is.
    """

    citizen: Citizen
    before: Handled | None
    running: Sequence[OpenConsultation]
    pending: bool
    handoff: str | None
    member: str | None


def meet(conn: Connection, channel: str, address: str, key: str) -> Arrival | None:
    """The citizen with this address, locked for the rest of the transaction; None if nobody is on record."""
    if conn.dialect.name != "sqlite" and not _LOCK(conn, channel=channel, address=address).fetchone():
        return None
    rows = _MEET(conn, channel=channel, address=address, key=key).fetchall()
    if not rows:
        return None
    citizen, state, township, message, reply, left, until, pending, handoff, member = rows[0][:10]
    return Arrival(
        Citizen(citizen, read_state(state), township, Allowance(left, until)),
        Handled(message, decode(reply), fresh=False) if message else None,
        [OpenConsultation(row[10], row[11], from_ms(row[12])) for row in rows if row[10]],
        bool(pending),
        handoff,
        member,
    )
