"""有用 / 没用: whether an answer helped."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store.tables import consultations, feedback
from bot.store.times import to_ms


def give(conn: Connection, row_id: str, citizen_id: str, entry_id: str, now: datetime, *, useful: bool) -> None:
    """Record what the citizen said of an answer, on the consultation it was given in."""
    consultation = conn.execute(
        sa.select(consultations.c.id)
        .where(consultations.c.citizen_id == citizen_id, consultations.c.entry_id == entry_id)
        .order_by(consultations.c.last_at.desc())
        .limit(1)
    ).scalar()
    conn.execute(
        sa.insert(feedback).values(
            id=row_id,
            citizen_id=citizen_id,
            consultation_id=consultation,
            entry_id=entry_id,
            useful=useful,
            given_at=to_ms(now),
        )
    )
