"""What staff change about a record: kind and category, remarks; and that they looked. All of it is audited."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service import audit
from bot.service.staff import Member
from bot.store.tables import consultations, remarks
from bot.store.times import to_ms

LONGEST_REMARK = 1000
_t, _r = consultations.c, remarks.c


def looked(
    conn: Connection, new_id: NewId, by: Member, consultation_id: str, now: datetime, *, reason: str | None = None
) -> None:
    """Somebody opened a record, or with a reason saw it unmasked."""
    citizen = conn.execute(sa.select(_t.citizen_id).where(_t.id == consultation_id)).scalar_one()
    action = "record.read" if reason is None else "record.unmask"
    audit.write(
        conn, new_id, action, now=now, staff=by.id, citizen=citizen, subject=consultation_id, detail=reason or ""
    )


def correct(
    conn: Connection, new_id: NewId, by: Member, consultation_id: str, kind: str, category: str, now: datetime
) -> bool:
    """Set kind and category right; False if they were so already, KeyError if there is no such record."""
    row = conn.execute(sa.select(_t.citizen_id, _t.kind, _t.category).where(_t.id == consultation_id)).first()
    if row is None:
        raise KeyError(consultation_id)
    if (row.kind, row.category) == (kind, category):
        return False
    conn.execute(sa.update(consultations).where(_t.id == consultation_id).values(kind=kind, category=category))
    detail = f"{row.kind}/{row.category} {kind}/{category}"
    audit.write(
        conn, new_id, "record.correct", now=now, staff=by.id, citizen=row.citizen_id, subject=consultation_id,
        detail=detail,
    )  # fmt: skip
    return True


def remark(conn: Connection, new_id: NewId, by: Member, consultation_id: str, text: str, now: datetime) -> None:
    """Note something for colleagues; KeyError if there is no such record."""
    citizen = conn.execute(sa.select(_t.citizen_id).where(_t.id == consultation_id)).scalar()
    if citizen is None:
        raise KeyError(consultation_id)
    row_id = new_id()
    conn.execute(
        sa.insert(remarks).values(
            id=row_id, consultation_id=consultation_id, staff_id=by.id, text=text[:LONGEST_REMARK], at=to_ms(now)
        )
    )
    audit.write(conn, new_id, "record.remark", now=now, staff=by.id, citizen=citizen, subject=consultation_id)


def drop_remark(conn: Connection, new_id: NewId, by: Member, remark_id: str, now: datetime) -> str:
    """Delete an own remark; returns whose consultation it was about, KeyError if it is not theirs or gone."""
    row = conn.execute(
        sa.select(_r.consultation_id, _t.citizen_id)
        .join(consultations, _t.id == _r.consultation_id)
        .where(_r.id == remark_id, _r.staff_id == by.id)
    ).first()
    if row is None:
        raise KeyError(remark_id)
    conn.execute(sa.delete(remarks).where(_r.id == remark_id))
    audit.write(
        conn, new_id, "record.remark_dropped", now=now, staff=by.id, citizen=row.citizen_id, subject=row.consultation_id
    )
    return str(row.consultation_id)
