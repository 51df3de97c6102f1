"""The newest messages, for looking at from a terminal."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import LOCAL
from bot.store.tables import citizens, inbox
from bot.store.times import from_ms


class LogLine(msgspec.Struct, frozen=True):
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
