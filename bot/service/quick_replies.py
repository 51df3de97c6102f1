"""Phrases a lawyer sends with one tap: their own, and those all share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store.tables import quick_replies
from bot.store.times import to_ms

_t = quick_replies.c
# What everybody can say from the first day on; the office adds its own.
FIRST = (
    "您好，我是今天的值班律师，您前面说的我看过了。",
    "请把合同、借条或判决书拍照发给我看看。",
    "这件事大概是什么时候发生的？",
    "您现在人在哪个乡镇？方便的话可以到法律援助中心当面说。",
    "您稍等几分钟，我查一下法条再回您。",
    "还有别的要问吗？没有的话我就先结束这次咨询了。",
)


def of(conn: Connection, staff_id: str) -> list[dict[str, Any]]:
    """A lawyer's own first, then the shared ones."""
    statement = (
        sa.select(_t.id, _t.text, _t.staff_id)
        .where(sa.or_(_t.staff_id == staff_id, _t.staff_id.is_(None)))
        .order_by(_t.staff_id.is_(None), _t.created_at)
    )
    kept = [{"id": row.id, "text": row.text, "shared": row.staff_id is None} for row in conn.execute(statement)]
    return [*kept, *({"id": "", "text": text, "shared": True} for text in FIRST)]


def add(conn: Connection, row_id: str, staff_id: str, text: str, now: datetime) -> None:
    """A new phrase; shared if it has no owner."""
    conn.execute(
        sa.insert(quick_replies).values(id=row_id, staff_id=staff_id or None, text=text, created_at=to_ms(now))
    )


def drop(conn: Connection, row_id: str, staff_id: str, *, shared: bool) -> None:
    """Remove an own phrase, and with `shared` one of everybody's."""
    owner = sa.or_(_t.staff_id == staff_id, _t.staff_id.is_(None)) if shared else _t.staff_id == staff_id
    conn.execute(sa.delete(quick_replies).where(_t.id == row_id, owner))
