"""Records for tests of the log: consultations put straight into the store, ids and times growing together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service import inbox as boxes
from bot.store.tables import citizens, consultation_words, consultations, handoffs, inbox
from bot.store.times import to_ms
from knowledge.reply import Reply

REPLY = Reply("先去劳动监察大队投诉。")


def citizen(conn: Connection, name: str = "citizen-1", channel: str = "web") -> str:
    """A citizen, once; returns the id."""
    if conn.execute(sa.select(citizens.c.id).where(citizens.c.id == name)).first() is None:
        conn.execute(
            sa.insert(citizens).values(
                id=name, channel=channel, address=f"address-of-{name}", subscribed=True, township="", state="{}",
                allowance=0, window_until=0, created_at=0, seen_at=0,
            )
        )  # fmt: skip
    return name


def consultation(conn: Connection, number: int, at: datetime, words: str = "单位拖欠工资怎么办", **more: Any) -> str:
    """A consultation with one message and its answer; returns the id. `more` are columns of its own."""
    row_id, moment = f"c-{number:06d}", to_ms(at)
    row: dict[str, Any] = {
        "id": row_id, "citizen_id": "citizen-1", "channel": "web", "kind": "legal", "category": "wages",
        "entry_id": "wages.migrant-how", "entry_version": "", "verdict": "answer", "confidence": 0.9, "outcome": "answered",
        "first_outcome": "answered", "handed": False, "grade": 0, "handled_by": "bot", "service": "", "summary": "",
        "minutes": 0, "township": "", "urgent": False, "messages": 1, "opened_at": moment, "last_at": moment,
        "closed_at": moment,
    } | more  # fmt: skip
    citizen(conn, row["citizen_id"], row["channel"])
    conn.execute(sa.insert(consultations).values(**row))
    conn.execute(sa.insert(consultation_words).values(consultation_id=row_id, words=words))
    conn.execute(
        sa.insert(inbox).values(
            id=f"m-{number:06d}", channel=row["channel"], key=f"key-{number}", citizen_id=row["citizen_id"],
            consultation_id=row_id, kind="text", text=words, tap="", flow="ask", verdict=row["verdict"],
            entry_id=row["entry_id"], entry_version="", confidence=0.9, reply=boxes.encode(REPLY), sent_at=moment,
            received_at=moment,
        )
    )  # fmt: skip
    return row_id


def handoff(conn: Connection, consultation_id: str, at: datetime, ended: str) -> None:
    """A person was asked for in a consultation, and it ended so; empty: it has not ended."""
    moment = to_ms(at)
    conn.execute(
        sa.insert(handoffs).values(
            id=f"h-{consultation_id}", citizen_id="citizen-1", consultation_id=consultation_id, channel="web",
            state="closed" if ended else "waiting", version=1, urgent=False, reason="asked", kind="legal", category="wages",
            township="", question="", lawyer_id=None, asked_at=moment, queued_at=moment, claimed_at=None,
            first_reply_at=None, citizen_at=moment, lawyer_at=None, escalation=0, returns=0, promised_at=None, messages=0,
            read=0, ended=ended, closed_at=moment if ended else None,
        )
    )  # fmt: skip
