"""Who looked at whose records, unmasked, exported or corrected them, and when: the audit, as heads read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service.records.filters import Filter
from bot.store.tables import audit, consultations, handoffs, staff
from bot.store.times import from_ms, to_ms

# What counts as having to do with a citizen's data, with its name.
ACTIONS: dict[str, str] = {
    "record.read": "看了记录（已遮盖）",
    "record.unmask": "看了原文",
    "record.export": "导出（已遮盖）",
    "record.export_unmasked": "导出原文",
    "record.export_again": "重新导出",
    "record.export_fetched": "下载了导出的文件",
    "record.correct": "改了类型或事项",
    "record.remark": "写了备注",
    "record.remark_dropped": "删了备注",
    "case.read": "看了整改",
    "handoff.read": "看了转人工的对话",
    "handoff.claim": "接单",
    "handoff.take_over": "接管",
}
Place = tuple[int, str]
_t = audit.c


class Access(msgspec.Struct, frozen=True):
    """One act. `consultation` is what it was about, where one can be opened; `citizen` empty when it was many."""

    id: str
    at: datetime
    staff: str
    action: str
    citizen: str
    consultation: str
    detail: str

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return to_ms(self.at), self.id


def page(
    conn: Connection,
    limit: int,
    *,
    by: str = "",
    about: str = "",
    action: str = "",
    days: Filter | None = None,
    before: Place | None = None,
) -> list[Access]:
    """The newest acts: of one member of staff, about a citizen or a consultation (ids), of one kind, on some days."""
    statement = (
        sa.select(audit, staff.c.name, consultations.c.id.label("opened"), handoffs.c.consultation_id.label("handed"))
        .outerjoin(staff, staff.c.id == _t.staff_id)
        .outerjoin(consultations, consultations.c.id == _t.subject)
        .outerjoin(handoffs, handoffs.c.id == _t.subject)
        .where(_t.action.in_([action] if action else list(ACTIONS)))
        .order_by(_t.at.desc(), _t.id.desc())
        .limit(limit)
    )
    if by:
        statement = statement.where(_t.staff_id == by)
    if about:
        held = sa.select(handoffs.c.id).where(handoffs.c.consultation_id == about)
        statement = statement.where(sa.or_(_t.subject == about, _t.citizen_id == about, _t.subject.in_(held)))
    if days is not None and days.start is not None:
        statement = statement.where(_t.at >= to_ms(days.start))
    if days is not None and days.end is not None:
        statement = statement.where(_t.at < to_ms(days.end))
    if before is not None:
        statement = statement.where(sa.tuple_(_t.at, _t.id) < sa.tuple_(sa.literal(before[0]), sa.literal(before[1])))
    return [_read(row) for row in conn.execute(statement)]


def _read(row: Any) -> Access:
    return Access(
        row.id,
        from_ms(row.at),
        row.name or "",
        row.action,
        row.citizen_id or "",
        row.opened or row.handed or "",
        row.detail,
    )
