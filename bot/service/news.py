"""What the office says to visitors of the chat page outside a turn: fetched by the page, and confirmed by its next look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service import handoffs, outbox
from bot.service.inbox import decode
from bot.service.staff import read_row
from bot.store.tables import citizens, handoff_messages, staff
from bot.store.tables import outbox as letters
from bot.store.times import to_ms
from knowledge.reply import Reply

_t = letters.c
PAGE = 100


class News(msgspec.Struct, frozen=True):
    """One letter: its place in the visitor's line, who says it (empty: the office), when it was written."""

    place: int
    reply: Reply
    author: str
    at: int
    id: str


def behind(conn: Connection, visitor: str, after: int) -> tuple[list[News], str]:
    """The visitor's letters behind a place, in order; and the open handoff more may come from."""
    citizen = _citizen(conn, visitor)
    if citizen is None:
        return [], ""
    handoff = handoffs.open_of(conn, citizen)
    statement = _written(citizen).where(_t.place > after).order_by(_t.place).limit(PAGE)
    return _read(conn.execute(statement).fetchall()), handoff.id if handoff else ""


def since(conn: Connection, visitor: str, moment: int) -> list[News]:
    """The visitor's letters from a moment on, in order; every one that was not yet fetched is among them."""
    citizen = _citizen(conn, visitor)
    if citizen is None:
        return []
    recent = sa.or_(_t.created_at >= moment, _t.state == "waiting")
    return _read(conn.execute(_written(citizen).where(recent).order_by(_t.place)).fetchall())


def confirm(conn: Connection, visitor: str, place: int, now: datetime) -> tuple[str, ...]:
    """The page has shown everything up to this place. Returns the handoffs concerned."""
    citizen = _citizen(conn, visitor)
    if citizen is None:
        return ()
    statement = (
        sa.update(letters)
        .where(_t.citizen_id == citizen, _t.place <= place, _t.state.in_(["waiting", "held"]))
        .values(state="sent", sent_at=to_ms(now), error="")
        .returning(_t.message_id)
    )
    return outbox.handoffs_of(conn, [row[0] for row in conn.execute(statement).fetchall()])


def _citizen(conn: Connection, visitor: str) -> str | None:
    who = sa.and_(citizens.c.channel == outbox.FETCHED, citizens.c.address == visitor)
    return conn.execute(sa.select(citizens.c.id).where(who)).scalar()


def _written(citizen: str) -> sa.Select[Any]:
    columns = (
        _t.place,
        _t.content,
        _t.created_at.label("written"),
        _t.id.label("letter"),
        handoff_messages.c.author,
        staff,
    )
    return (
        sa.select(*columns)
        .outerjoin(handoff_messages, handoff_messages.c.id == _t.message_id)
        .outerjoin(staff, staff.c.id == handoff_messages.c.staff_id)
        .where(_t.citizen_id == citizen)
    )


def _read(rows: Sequence[Any]) -> list[News]:
    return [News(row.place, decode(row.content) or Reply(""), _author(row), row.written, row.letter) for row in rows]


def _author(row: Any) -> str:
    return read_row(row).title if row.author == "lawyer" and row.id else ""
