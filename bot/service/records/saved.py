"""Filters that staff keep under a name: their own, and those shared with all colleagues."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service.staff import Member
from bot.store.tables import staff, views
from bot.store.times import to_ms

LONGEST_NAME = 20
MOST = 50
_t = views.c


class View(msgspec.Struct, frozen=True):
    """A filter under a name. `owner` is the name of whose it is."""

    id: str
    name: str
    query: str
    shared: bool
    mine: bool
    owner: str


def of(conn: Connection, member: Member) -> list[View]:
    """Own views and shared ones, by name."""
    rows = conn.execute(
        sa.select(views, staff.c.name.label("owner"))
        .join(staff, staff.c.id == _t.staff_id)
        .where(sa.or_(_t.staff_id == member.id, _t.shared))
        .order_by(_t.name, _t.id)
        .limit(MOST * 2)
    )
    return [View(row.id, row.name, row.query, row.shared, row.staff_id == member.id, row.owner) for row in rows]


def keep(
    conn: Connection, new_id: NewId, member: Member, name: str, query: str, now: datetime, *, shared: bool
) -> bool:
    """Keep a filter; one of the same name is replaced. False if the member has too many already."""
    conn.execute(sa.delete(views).where(_t.staff_id == member.id, _t.name == name))
    if conn.execute(sa.select(sa.func.count()).where(_t.staff_id == member.id)).scalar_one() >= MOST:
        return False
    conn.execute(
        sa.insert(views).values(
            id=new_id(), staff_id=member.id, shared=shared, name=name, query=query, created_at=to_ms(now)
        )
    )
    return True


def drop(conn: Connection, member: Member, view_id: str) -> bool:
    """Delete an own view; whether there was one."""
    return conn.execute(sa.delete(views).where(_t.id == view_id, _t.staff_id == member.id)).rowcount > 0
