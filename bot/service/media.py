"""Pictures and voice of citizens: noted with every message, fetched from the platform once a lawyer is concerned."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import Inbound
from bot.ids import NewId
from bot.store.tables import handoff_messages, media
from bot.store.times import from_ms, to_ms

# Platform rule: kept for three days.
KEPT = timedelta(days=3)
_t = media.c


class Wanted(msgspec.Struct, frozen=True):
    """A picture or voice to fetch."""

    id: str
    platform_id: str
    kind: str
    attempts: int
    noted_at: datetime


class Stored(msgspec.Struct, frozen=True):
    """What was fetched."""

    citizen: str
    content_type: str
    content: bytes


def note(
    conn: Connection, new_id: NewId, citizen_id: str, inbox_id: str, inbound: Inbound, now: datetime, *, wanted: bool
) -> str:
    """Remember a message's media; `wanted` ones are fetched at once. Returns the row's id, empty if there is none."""
    if not inbound.media:
        return ""
    row_id = new_id()
    conn.execute(
        sa.insert(media).values(
            id=row_id,
            citizen_id=citizen_id,
            inbox_id=inbox_id,
            platform_id=inbound.media[:128],
            kind=inbound.kind,
            state="waiting" if wanted else "noted",
            attempts=0,
            due_at=to_ms(now),
            content_type="",
            content=None,
            error="",
            created_at=to_ms(now),
        )
    )
    return row_id


def want(conn: Connection, citizen_id: str, now: datetime) -> None:
    """A lawyer will look: fetch what the citizen sent lately, too."""
    conn.execute(
        sa.update(media)
        .where(_t.citizen_id == citizen_id, _t.state == "noted", _t.created_at > to_ms(now - KEPT))
        .values(state="waiting", due_at=to_ms(now))
    )


def due(conn: Connection, now: datetime, limit: int = 20) -> list[Wanted]:
    """What should be fetched now, oldest first."""
    moment = to_ms(now)
    # What is from the future was noted before a clock was set back.
    ripe = sa.or_(_t.due_at <= moment, sa.and_(_t.created_at > moment, _t.attempts == 0))
    statement = (
        sa.select(_t.id, _t.platform_id, _t.kind, _t.attempts, _t.created_at)
        .where(_t.state == "waiting", ripe)
        .order_by(_t.created_at)
        .limit(limit)
    )
    return [Wanted(*row[:4], from_ms(row.created_at)) for row in conn.execute(statement)]


def store(conn: Connection, row_id: str, content_type: str, content: bytes) -> list[str]:
    """Keep what was fetched. Returns the handoffs concerned."""
    conn.execute(
        sa.update(media)
        .where(_t.id == row_id)
        .values(state="stored", content_type=content_type, content=content, error="")
    )
    return _handoffs(conn, row_id)


def failed(conn: Connection, row_id: str, error: str, *, again_at: datetime | None) -> list[str]:
    """It could not be fetched; try again then, or never. Returns the handoffs concerned."""
    values: dict[str, object] = {"error": error[:200], "attempts": _t.attempts + 1}
    values |= {"state": "failed"} if again_at is None else {"due_at": to_ms(again_at)}
    conn.execute(sa.update(media).where(_t.id == row_id).values(**values))
    return _handoffs(conn, row_id)


def _handoffs(conn: Connection, row_id: str) -> list[str]:
    t = handoff_messages.c
    return [row[0] for row in conn.execute(sa.select(t.handoff_id).where(t.media_id == row_id))]


def get(conn: Connection, row_id: str) -> Stored | None:
    """What was fetched, if it was."""
    row = conn.execute(
        sa.select(_t.citizen_id, _t.content_type, _t.content).where(_t.id == row_id, _t.state == "stored")
    ).first()
    return None if row is None else Stored(*row)
