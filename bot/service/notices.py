"""Telling lawyers that somebody waits: who must be told follows from the queue, so nothing is lost and nothing told twice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.handoff import subjects
from bot.conversation.handoff.duty import Hours
from bot.conversation.handoff.machine import ESCALATION_LAST, Handoff
from bot.conversation.turn import LOCAL
from bot.service import handling, handoffs, roster, staff
from bot.service.staff import Member
from bot.store.tables import citizens, notices
from bot.store.times import to_ms

Way = Literal["template", "robot"]
_t = notices.c
TOO_LATE = "已有律师接待，不用再通知。"


class Notice(msgspec.Struct, frozen=True):
    """One notice to send. `address` is the lawyer's openid, empty for the group robot."""

    id: str
    handoff: str
    way: Way
    address: str
    subject: str
    township: str
    minutes: int
    urgent: bool
    attempts: int

    @property
    def text(self) -> str:
        """What is told: nothing of the citizen's words."""
        where = f"，{self.township}" if self.township else ""
        wait = f"已等{self.minutes}分钟" if self.minutes else "刚刚排队"
        return f"{'【急件】' if self.urgent else ''}有群众在等律师：{self.subject}{where}，{wait}。"


def plan(conn: Connection, ways: Sequence[Way], hours: Hours, now: datetime) -> int:
    """Write a notice for everybody who must be told of what waits now and was not yet. Returns how many."""
    waiting = [one for one in handoffs.open_ones(conn) if one.state == "waiting"]
    if not waiting or not ways:
        return 0
    counsel = staff.counsel(conn)
    there = staff.on_duty(counsel, now, hours) or _on_roster(conn, counsel, hours, now)
    wanted: dict[str, tuple[Handoff, str | None, Way]] = {}
    for handoff in waiting:
        for member in _told(handoff, counsel, there) if "template" in ways else ():
            wanted[_key(handoff, member.id)] = (handoff, member.id, "template")
        if "robot" in ways and (there or handoff.urgent):
            wanted[_key(handoff, "")] = (handoff, None, "robot")
    known = set(conn.execute(sa.select(_t.id).where(_t.id.in_(list(wanted)))).scalars())
    for key, (handoff, to, way) in wanted.items():
        if key not in known:
            _add(conn, key, handoff.id, to, way, now)
    return len(wanted) - len(known)


def _told(handoff: Handoff, counsel: Sequence[Member], there: Sequence[Member]) -> list[Member]:
    told = handling.offered_to(handoff, there)
    if handoff.escalation >= ESCALATION_LAST:
        told += [one for one in counsel if one.role == "supervisor" and one not in told]
    return [one for one in told if one.wechat]


def _on_roster(conn: Connection, counsel: Sequence[Member], hours: Hours, now: datetime) -> list[Member]:
    """Nobody is there: who should be, in duty hours, by the roster."""
    if not hours.open_at(now):
        return []
    day = now.astimezone(LOCAL).date()
    rostered = {member.id for _, members in roster.between(conn, day, day) for member in members}
    return [one for one in counsel if one.id in rostered]


def _key(handoff: Handoff, to: str) -> str:
    """The same person is told once for each wait and level: the row's id says so to every process."""
    told = f"{handoff.id}:{to}:{handoff.returns}:{handoff.escalation}"
    return hashlib.sha256(told.encode()).hexdigest()[:36]


def _add(conn: Connection, key: str, handoff_id: str, to: str | None, way: str, now: datetime) -> None:
    conn.execute(
        sa.insert(notices).values(
            id=key,
            handoff_id=handoff_id,
            staff_id=to,
            way=way,
            text="",
            state="waiting",
            attempts=0,
            error="",
            due_at=to_ms(now),
            created_at=to_ms(now),
        )
    )


def begin(conn: Connection, now: datetime, lease_ms: int) -> Notice | None:
    """Claim the next notice; those that came too late are laid aside."""
    statement = sa.select(notices).where(_t.state == "waiting", _t.due_at <= to_ms(now)).order_by(_t.due_at)
    for row in conn.execute(statement.limit(20).with_for_update(skip_locked=True)).fetchall():
        handoff = handoffs.get(conn, row.handoff_id)
        if handoff.state != "waiting":
            settle(conn, row.id, "failed", TOO_LATE)
            continue
        begun = handoff.queued_at or handoff.asked_at
        notice = Notice(
            row.id,
            handoff.id,
            row.way,
            _address(conn, row.staff_id),
            subjects.of_category(handoff.category).label,
            handoff.township,
            max(int((now - begun).total_seconds()) // 60, 0),
            handoff.urgent,
            row.attempts,
        )
        values = {"attempts": _t.attempts + 1, "due_at": to_ms(now) + lease_ms, "text": notice.text}
        conn.execute(sa.update(notices).where(_t.id == row.id).values(**values))
        return notice
    return None


def _address(conn: Connection, staff_id: str | None) -> str:
    who = staff.member(conn, staff_id) if staff_id else None
    return (
        conn.execute(sa.select(citizens.c.address).where(citizens.c.id == (who.wechat if who else ""))).scalar() or ""
    )


def failures(conn: Connection, since: datetime) -> dict[str, int]:
    """Why notices written since then did not reach anybody, and how often; those no longer needed are not among them."""
    failed = sa.and_(_t.state == "failed", _t.error != TOO_LATE, _t.created_at >= to_ms(since))
    statement = sa.select(_t.error, sa.func.count()).where(failed).group_by(_t.error)
    return {row[0]: row[1] for row in conn.execute(statement)}


def overdue(conn: Connection, before: datetime) -> int:
    """How many wait that should have gone out before then."""
    late = sa.and_(_t.state == "waiting", _t.due_at < to_ms(before))
    return int(conn.execute(sa.select(sa.func.count()).where(late)).scalar_one())


def settle(
    conn: Connection,
    row_id: str,
    state: Literal["waiting", "sent", "failed"],
    error: str = "",
    *,
    due_at: datetime | None = None,
) -> None:
    """Record how an attempt ended."""
    values: dict[str, object] = {"state": state, "error": error[:200]}
    if due_at is not None:
        values["due_at"] = to_ms(due_at)
    conn.execute(sa.update(notices).where(_t.id == row_id).values(**values))
