"""What citizens say to lawyers who work from their own WeChat: copied into the lawyer's outbox, each message once.

Found from the store, not written in the citizen's turn: a turn that locked its citizen and then the lawyer would meet
the lawyer's own turn, which locks them the other way round.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.handoff.machine import Handoff
from bot.conversation.turn import LOCAL
from bot.ids import NewId
from bot.service import handoffs, outbox, staff, threads
from bot.service.staff import Member
from bot.service.threads import Message
from bot.store.tables import citizens, handoff_events
from bot.store.tables import handoffs as rows
from bot.store.tables import staff as people
from bot.store.times import to_ms
from knowledge.reply import Reply

RECENT = timedelta(hours=1)
NUMBERED = timedelta(days=3)
_KINDS = {
    "image": "［图片，请到工作台看］",
    "voice": "［语音，请到工作台听］",
    "video": "［视频］",
    "location": "［位置］",
}
_ENDS = {"cancelled": "（对方结束了咨询）", "left": "（对方取消了关注，咨询已结束）"}


def relay(conn: Connection, new_id: NewId, now: datetime) -> int:
    """Pass on what lawyers in their own WeChat have not seen. Returns how many letters were written."""
    working = sa.and_(people.c.attending != "", people.c.citizen_id.is_not(None), people.c.disabled_at.is_(None))
    written = 0
    for row in conn.execute(sa.select(people).where(working).order_by(people.c.id)).fetchall():
        written += _to(conn, new_id, staff.read_row(row), now)
    return written


def _to(conn: Connection, new_id: NewId, member: Member, now: datetime) -> int:
    t = rows.c
    recent = sa.or_(t.state == "held", t.closed_at > to_ms(now - RECENT))
    unseen = sa.select(rows).where(t.lawyer_id == member.id, t.messages > t.read, recent).order_by(t.claimed_at, t.id)
    if not conn.execute(unseen.limit(1)).first():
        return 0
    conn.execute(sa.select(citizens.c.id).where(citizens.c.id == member.wechat).with_for_update())
    known, letters = numbers(conn, member.id, now), []
    for row in conn.execute(unseen).fetchall():
        found = [line for one in threads.read(conn, row.id, row.read) if (line := _line(one))]
        found += [_ENDS[row.ended]] if row.ended in _ENDS else []
        if found:
            words = f"【群众{known.get(row.id, 0)}】" + "\n".join(found)
            letters += threads.parts(Reply(words))
        threads.mark_read(conn, row.id, row.messages)
    outbox.write(conn, new_id, member.wechat, letters, now)
    return len(letters)


def _line(message: Message) -> str:
    if message.author not in {"citizen", "note", "system"}:
        return ""
    words = message.text or _KINDS.get(message.kind, "［其他消息］")
    return words if message.author == "citizen" else f"（{'内部备注：' if message.author == 'note' else ''}{words}）"


def numbers(conn: Connection, staff_id: str, now: datetime) -> dict[str, int]:
    """The lawyer's short numbers for the handoffs of these days, in the order they got them: they do not shift."""
    day = now.astimezone(LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
    t = handoff_events.c
    got = sa.or_(
        sa.and_(t.staff_id == staff_id, t.event.in_(["claim", "take_over"])),
        sa.and_(t.other_id == staff_id, t.event == "transfer"),
    )
    statement = sa.select(t.handoff_id).where(got, t.at >= to_ms(day - NUMBERED)).order_by(t.at, t.id)
    order: dict[str, Any] = dict.fromkeys(conn.execute(statement).scalars())
    return {handoff: number for number, handoff in enumerate(order, 1)}


def mine(conn: Connection, staff_id: str) -> list[Handoff]:
    """What the lawyer holds, longest first."""
    held = [one for one in handoffs.open_ones(conn) if one.lawyer == staff_id]
    return sorted(held, key=lambda one: (one.claimed_at or one.asked_at, one.id))
