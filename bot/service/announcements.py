"""Announcements to citizens: shown while they run, never pushed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service.audit import By
from bot.store.tables import announcements, staff
from bot.store.times import from_ms, to_ms

LONGEST = 200
SHOWN = 50
_t = announcements.c
# WeChat would make links of them.
_NO_LINKS = str.maketrans({"<": "〈", ">": "〉"})


class AnnouncementError(Exception):
    """It cannot be made; the message is a sentence for the person."""


class Announcement(msgspec.Struct, frozen=True):
    """One announcement, from one moment until (not including) another."""

    id: str
    text: str
    since: datetime
    until: datetime
    who: str
    withdrawn: bool

    def runs(self, now: datetime) -> bool:
        """Whether citizens see it."""
        return not self.withdrawn and self.since <= now < self.until


def running(known: Iterable[Announcement], now: datetime) -> str:
    """What citizens read now; empty for nothing."""
    return next((one.text for one in known if one.runs(now)), "")


def tidied(text: str) -> str:
    """The text as one line; AnnouncementError if it cannot be shown."""
    line = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split()).translate(_NO_LINKS)
    if not line:
        raise AnnouncementError("请写公告的内容。")
    if len(line) > LONGEST:
        raise AnnouncementError(f"公告最多{LONGEST}个字，现在有{len(line)}个。")
    return line


def make(
    conn: Connection, new_id: NewId, text: str, since: datetime, until: datetime, by: By, now: datetime
) -> Announcement:
    """Publish. AnnouncementError where the time is wrong, or another one runs then: citizens read one at a time."""
    line = tidied(text)
    if until <= max(since, now):
        raise AnnouncementError("结束时间要晚于开始时间，也要晚于现在。")
    for other in coming(conn, now):
        if other.since < until and since < other.until:
            raise AnnouncementError("这段时间已经有一条公告了。同一时间只显示一条，请先撤回那一条，或换个时间。")
    made = Announcement(new_id(), line, since, until, "", withdrawn=False)
    conn.execute(
        sa.insert(announcements).values(
            id=made.id,
            text=line,
            from_at=to_ms(since),
            until_at=to_ms(until),
            staff_id=by.staff,
            created_at=to_ms(now),
            withdrawn_at=None,
        )
    )
    by.write(conn, new_id, "announcement_made", now, subject=made.id, detail=line)
    return made


def withdraw(conn: Connection, new_id: NewId, announcement_id: str, by: By, now: datetime) -> bool:
    """Take it down; whether it was still to be seen."""
    there = sa.and_(_t.id == announcement_id, _t.withdrawn_at.is_(None), _t.until_at > to_ms(now))
    if not conn.execute(sa.update(announcements).where(there).values(withdrawn_at=to_ms(now))).rowcount:
        return False
    by.write(conn, new_id, "announcement_withdrawn", now, subject=announcement_id)
    return True


def coming(conn: Connection, now: datetime) -> list[Announcement]:
    """What runs now or will, the newest first."""
    return _read(conn, sa.and_(_t.until_at > to_ms(now), _t.withdrawn_at.is_(None)))


def latest(conn: Connection) -> list[Announcement]:
    """The last ones made, whatever became of them."""
    return _read(conn, sa.true())


def _read(conn: Connection, which: sa.ColumnElement[bool]) -> list[Announcement]:
    statement = (
        sa.select(announcements, staff.c.name.label("who"))
        .join_from(announcements, staff)
        .where(which)
        .order_by(_t.created_at.desc(), _t.id.desc())
        .limit(SHOWN)
    )
    return [
        Announcement(
            row.id,
            row.text,
            from_ms(row.from_at),
            from_ms(row.until_at),
            row.who,
            withdrawn=row.withdrawn_at is not None,
        )
        for row in conn.execute(statement)
    ]
