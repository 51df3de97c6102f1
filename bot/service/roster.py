"""The duty roster: which lawyer is down for which day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service.staff import Member, read_row
from bot.store.tables import shifts, staff

_t = shifts.c


def add(conn: Connection, new_id: NewId, staff_id: str, days: Sequence[date]) -> int:
    """Put a lawyer down for these days; how many of them are new."""
    known = set(conn.execute(sa.select(_t.day).where(_t.staff_id == staff_id)).scalars())
    fresh = [day for day in dict.fromkeys(map(date.isoformat, days)) if day not in known]
    if fresh:
        conn.execute(sa.insert(shifts), [{"id": new_id(), "staff_id": staff_id, "day": day} for day in fresh])
    return len(fresh)


def remove(conn: Connection, staff_id: str, days: Sequence[date]) -> int:
    """Take a lawyer off these days; how many they were down for."""
    chosen = [day.isoformat() for day in days]
    return conn.execute(sa.delete(shifts).where(_t.staff_id == staff_id, _t.day.in_(chosen))).rowcount


def between(conn: Connection, first: date, last: date) -> list[tuple[date, list[Member]]]:
    """Who is down from one day to another, both included; days without anybody are left out."""
    statement = (
        sa.select(staff, _t.day)
        .join_from(shifts, staff, _t.staff_id == staff.c.id)
        .where(_t.day.between(first.isoformat(), last.isoformat()))
        .order_by(_t.day, staff.c.login)
    )
    found: dict[date, list[Member]] = {}
    for row in conn.execute(statement):
        found.setdefault(date.fromisoformat(row.day), []).append(read_row(row))
    return list(found.items())
