"""The inbox: every message with the reply it got. One row per message, however often the platform delivers it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import Inbound, Record
from bot.store.prepared import Prepared
from bot.store.tables import citizens, inbox
from bot.store.times import to_ms
from knowledge.reply import Reply

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Reply)
# Longer than anything a citizen types, short enough that nobody fills the disk with one message.
TEXT_KEPT = 10_000

_ADD = Prepared(sa.insert(inbox))


class Handled(msgspec.Struct, frozen=True):
    """A message that is on record, the reply it got (None: silence), and the handoff it changed, if any.

    `letters`: something of ours was still on its way to the citizen.
    """

    id: str
    reply: Reply | None
    fresh: bool
    handoff: str = ""
    letters: bool = False


class Exchange(msgspec.Struct, frozen=True):
    """One message and its reply, for showing a conversation again."""

    key: str
    kind: str
    text: str
    reply: Reply | None
    received_at: int
    id: str


@lru_cache(1024)  # most replies are answers that many citizens get
def encode(reply: Reply | None) -> str:
    """A reply as stored."""
    return "" if reply is None else _ENCODER.encode(reply).decode()


def decode(stored: str) -> Reply | None:
    """A stored reply."""
    return _DECODER.decode(stored) if stored else None


def add(
    conn: Connection,
    row_id: str,
    inbound: Inbound,
    citizen_id: str,
    consultation_id: str | None,
    said: Record,
    reply: Reply | None,
    now: datetime,
) -> None:
    """Put a turn on record."""
    _ADD(
        conn,
        id=row_id,
        channel=inbound.channel,
        key=inbound.key,
        citizen_id=citizen_id,
        consultation_id=consultation_id,
        kind=inbound.kind if inbound.kind != "event" else f"event.{inbound.event}"[:16],
        # PostgreSQL cannot store a NUL in text.
        text=inbound.text[:TEXT_KEPT].replace("\x00", ""),
        tap=inbound.tap[:96].replace("\x00", ""),
        flow=said.flow,
        verdict=said.verdict,
        entry_id=said.entry,
        entry_version=said.version,
        confidence=said.confidence,
        reply=encode(reply),
        sent_at=to_ms(inbound.sent_at),
        received_at=to_ms(now),
    )


def history(conn: Connection, channel: str, address: str, limit: int) -> list[Exchange]:
    """The citizen's last exchanges, oldest first."""
    statement = (
        sa.select(inbox.c.id, inbox.c.key, inbox.c.kind, inbox.c.text, inbox.c.reply, inbox.c.received_at)
        .join(citizens, citizens.c.id == inbox.c.citizen_id)
        .where(citizens.c.channel == channel, citizens.c.address == address)
        .order_by(inbox.c.received_at.desc(), inbox.c.id.desc())
        .limit(limit)
    )
    rows = conn.execute(statement).fetchall()
    return [Exchange(r.key, r.kind, r.text, decode(r.reply), r.received_at, r.id) for r in reversed(rows)]
