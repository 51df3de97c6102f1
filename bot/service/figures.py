"""Legal-service figures from the records: every number can be opened to the rows behind it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import LOCAL
from bot.store.tables import citizens, consultations, handoffs, inbox, ratings, staff
from bot.store.times import from_ms, to_ms


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month in the county."""

    year: int
    month: int

    @property
    def span(self) -> tuple[datetime, datetime]:
        """First moment, and first moment after."""
        following = (self.year + 1, 1) if self.month == 12 else (self.year, self.month + 1)  # noqa: PLR2004 - December
        return datetime(self.year, self.month, 1, tzinfo=LOCAL), datetime(*following, 1, tzinfo=LOCAL)


@dataclass(frozen=True, slots=True)
class Figures:
    """Consultations opened in a period, counted in several ways; each adds up to `total`."""

    total: int
    citizens: int
    urgent: int
    by_kind: dict[str, int]
    by_category: dict[tuple[str, str], int]
    by_outcome: dict[str, int]
    by_channel: dict[str, int]


def figures(conn: Connection, start: datetime, end: datetime) -> Figures:
    """Count the consultations opened from `start` until before `end`."""
    c = consultations.c
    rows = conn.execute(
        sa.select(c.kind, c.category, c.outcome, c.channel, c.citizen_id, c.urgent).where(
            c.opened_at >= to_ms(start), c.opened_at < to_ms(end)
        )
    ).fetchall()
    return Figures(
        total=len(rows),
        citizens=len({row.citizen_id for row in rows}),
        urgent=sum(bool(row.urgent) for row in rows),
        by_kind=dict(Counter(row.kind for row in rows).most_common()),
        by_category=dict(Counter((row.kind, row.category) for row in rows).most_common()),
        by_outcome=dict(Counter(row.outcome for row in rows).most_common()),
        by_channel=dict(Counter(row.channel for row in rows).most_common()),
    )


@dataclass(frozen=True, slots=True)
class Handed:
    """Handoffs asked for in a period: how each ended, what lawyers made of them, waits and grades."""

    total: int
    by_end: dict[str, int]
    by_service: dict[str, int]
    by_lawyer: dict[str, int]
    median_wait: timedelta | None
    grades: dict[int, int]


def handed(conn: Connection, start: datetime, end: datetime) -> Handed:
    """Count the handoffs asked for from `start` until before `end`. Open ones have the end ""."""
    h, c = handoffs.c, consultations.c
    rows = conn.execute(
        sa.select(h.ended, h.queued_at, h.claimed_at, staff.c.name, c.service, ratings.c.grade)
        .select_from(
            handoffs.outerjoin(staff, staff.c.id == h.lawyer_id)
            .outerjoin(consultations, c.id == h.consultation_id)
            .outerjoin(ratings, ratings.c.handoff_id == h.id)
        )
        .where(h.asked_at >= to_ms(start), h.asked_at < to_ms(end))
    ).fetchall()
    waits = [row.claimed_at - row.queued_at for row in rows if row.claimed_at and row.queued_at]
    return Handed(
        total=len(rows),
        by_end=dict(Counter(row.ended for row in rows).most_common()),
        by_service=dict(Counter(row.service for row in rows if row.ended == "settled").most_common()),
        by_lawyer=dict(Counter(row.name for row in rows if row.name).most_common()),
        median_wait=timedelta(milliseconds=median(waits)) if waits else None,
        grades=dict(sorted(Counter(row.grade for row in rows if row.grade).items(), reverse=True)),
    )


@dataclass(frozen=True, slots=True)
class LogLine:
    """One handled message, for looking at from a terminal."""

    id: str
    at: datetime
    channel: str
    citizen: str
    flow: str
    verdict: str
    entry: str
    confidence: float
    text: str
    consultation: str | None


def last(conn: Connection, limit: int, after: str = "") -> list[LogLine]:
    """The newest messages, oldest first; with `after`, only those that came after this row."""
    c = inbox.c
    statement = sa.select(inbox, citizens.c.address).join(citizens, citizens.c.id == c.citizen_id)
    if after:
        statement = statement.where(c.id > after)
    rows = conn.execute(statement.order_by(c.id.desc()).limit(limit)).fetchall()
    return [
        LogLine(
            row.id,
            from_ms(row.received_at).astimezone(LOCAL),
            row.channel,
            masked(row.address),
            row.flow,
            row.verdict,
            row.entry_id,
            row.confidence,
            row.text,
            row.consultation_id,
        )
        for row in reversed(rows)
    ]


def masked(address: str) -> str:
    """An openid that can be told apart but not used."""
    return f"{address[:2]}…{address[-4:]}" if len(address) > 8 else "…"  # noqa: PLR2004 - shorter ones hide nothing
