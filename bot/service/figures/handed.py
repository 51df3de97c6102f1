"""What became of asking for a person in a period: how it ended, how long people waited."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service.figures.period import Period
from bot.store.tables import consultations, handoff_events, handoffs

_TAKEN = ("claim", "take_over")


@dataclass(frozen=True)
class Handed:
    """Consultations by how asking for a person ended ("": still open), and the waits in duty hours, shortest first."""

    ends: dict[str, int]
    waits: tuple[timedelta, ...]
    off_duty: int

    @property
    def median(self) -> timedelta | None:
        """Half waited no longer; None if nobody waited."""
        return quantile(self.waits, 0.5)

    @property
    def longest_of_nine(self) -> timedelta | None:
        """Nine in ten waited no longer; None if nobody waited."""
        return quantile(self.waits, 0.9)


def quantile(ordered: Sequence[timedelta], part: float) -> timedelta | None:
    """The value that this part of them does not exceed (nearest rank); None of nothing."""
    if not ordered:
        return None
    return ordered[math.ceil(len(ordered) * part) - 1]


def handed(conn: Connection, period: Period) -> Handed:
    """Count the consultations opened, and the waits of handoffs asked for, in a period.

    A wait ends when the first lawyer takes it. A consultation that was handed over twice may have ended in two ways.
    """
    h, e, c = handoffs.c, handoff_events.c, consultations.c
    start, end = period.span
    taken = (
        sa.select(sa.func.min(e.at))
        .where(e.handoff_id == h.id, e.event.in_(_TAKEN))
        .correlate(handoffs)
        .scalar_subquery()
    )
    rows = conn.execute(
        sa.select(h.queued_at, h.promised_at, taken.label("taken")).where(h.asked_at >= start, h.asked_at < end)
    ).fetchall()
    waited = [row.taken - row.queued_at for row in rows if row.taken and row.queued_at and row.promised_at is None]
    ends = (
        sa.select(h.ended, sa.func.count(c.id.distinct()))
        .join_from(handoffs, consultations, c.id == h.consultation_id)
        .where(c.opened_at >= start, c.opened_at < end)
        .group_by(h.ended)
    )
    return Handed(
        {row[0]: row[1] for row in conn.execute(ends)},
        tuple(timedelta(milliseconds=max(wait, 0)) for wait in sorted(waited)),
        sum(row.promised_at is not None for row in rows),
    )
