"""Who did what to whose data, when, from where. Rows are only ever added."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.store.tables import audit
from bot.store.times import from_ms, to_ms

_SUBJECT, _ADDRESS, _DETAIL = 64, 64, 2000


class By(msgspec.Struct, frozen=True):
    """Who does something, and from which network address. Nobody: the command line."""

    staff: str = ""
    address: str = ""

    def write(
        self, conn: Connection, new_id: NewId, action: str, now: datetime, *, subject: str = "", detail: str = ""
    ) -> None:
        """Put their act on record."""
        write(conn, new_id, action, now=now, staff=self.staff, subject=subject, detail=detail, address=self.address)


COMMAND_LINE = By()


def write(
    conn: Connection,
    new_id: NewId,
    action: str,
    *,
    now: datetime,
    staff: str = "",
    citizen: str = "",
    subject: str = "",
    detail: str = "",
    address: str = "",
) -> None:
    """Put an act on record, in the same transaction as the act itself."""
    conn.execute(
        sa.insert(audit).values(
            id=new_id(),
            staff_id=staff or None,
            action=action,
            citizen_id=citizen or None,
            subject=subject[:_SUBJECT],
            detail=detail[:_DETAIL],
            address=address[:_ADDRESS],
            at=to_ms(now),
        )
    )


class Wanted(msgspec.Struct, frozen=True):
    """Which lines: of one member of staff, of one action, from one moment (ms) until before another; empty: all."""

    staff: str = ""
    action: str = ""
    since: int | None = None
    until: int | None = None


class Line(msgspec.Struct, frozen=True):
    """One act on record."""

    staff: str
    action: str
    subject: str
    detail: str
    address: str
    at: datetime


def find(conn: Connection, wanted: Wanted, *, skip: int, limit: int) -> list[Line]:
    """Lines, the newest first."""
    t = audit.c
    conditions = [column == value for column, value in ((t.staff_id, wanted.staff), (t.action, wanted.action)) if value]
    if wanted.since is not None:
        conditions.append(t.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(t.at < wanted.until)
    statement = sa.select(audit).where(*conditions).order_by(t.at.desc(), t.id.desc()).offset(skip).limit(limit)
    return [
        Line(row.staff_id or "", row.action, row.subject, row.detail, row.address, from_ms(row.at))
        for row in conn.execute(statement)
    ]
