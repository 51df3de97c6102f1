"""The duty roster: which lawyer is down for which day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service.accounts import AccountError
from bot.service.audit import COMMAND_LINE, By
from bot.service.staff import COUNSEL, Member, read_row
from bot.store.tables import shifts, staff

_t = shifts.c
LONGEST = 366


def assign(
    conn: Connection, new_id: NewId, member: Member, days: Sequence[date], now: datetime, by: By = COMMAND_LINE
) -> int:
    """Put somebody down for these days if they can be; how many of them are new."""
    if member.disabled:
        raise AccountError(f"账号 {member.login} 已停用，不能排班。")
    if member.role not in COUNSEL:
        raise AccountError(f"{member.name}不是值班律师或负责人，不接待群众，不能排班。")
    count = add(conn, new_id, member.id, days)
    if count:
        by.write(conn, new_id, "shift_added", now, subject=member.id, detail=_told(member, days, count))
    return count


def withdraw(
    conn: Connection, new_id: NewId, member: Member, days: Sequence[date], now: datetime, by: By = COMMAND_LINE
) -> int:
    """Take somebody off these days; how many they were down for."""
    count = remove(conn, member.id, days)
    if count:
        by.write(conn, new_id, "shift_removed", now, subject=member.id, detail=_told(member, days, count))
    return count


def _told(member: Member, days: Sequence[date], count: int) -> str:
    span = f"{min(days)}" if len(days) == 1 else f"{min(days)} 至 {max(days)}，{count}天"
    return f"{member.name}：{span}"


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
