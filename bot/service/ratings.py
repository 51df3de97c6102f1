"""Ratings of a lawyer's service (好差评): one per handoff, by the citizen it was for."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import Rating
from bot.store.tables import consultations, handoffs, ratings
from bot.store.times import to_ms


def give(conn: Connection, row_id: str, citizen_id: str, rating: Rating, now: datetime) -> None:
    """Record a grade; a second one replaces the first, somebody else's handoff changes nothing."""
    owner = conn.execute(
        sa.select(handoffs.c.citizen_id, handoffs.c.consultation_id).where(handoffs.c.id == rating.handoff)
    ).first()
    if owner is None or owner.citizen_id != citizen_id:
        return
    conn.execute(sa.update(consultations).where(consultations.c.id == owner.consultation_id).values(grade=rating.grade))
    changed = conn.execute(
        sa.update(ratings).where(ratings.c.handoff_id == rating.handoff).values(grade=rating.grade, given_at=to_ms(now))
    )
    if not changed.rowcount:
        conn.execute(
            sa.insert(ratings).values(
                id=row_id,
                citizen_id=citizen_id,
                consultation_id=owner.consultation_id,
                handoff_id=rating.handoff,
                grade=rating.grade,
                words="",
                given_at=to_ms(now),
            )
        )
