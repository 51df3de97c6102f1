"""Pictures and voice of citizens: noted with every message, fetched from the platform once a lawyer is concerned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import Inbound
from bot.ids import NewId
from bot.store.tables import media
from bot.store.times import to_ms

# Platform rule: kept for three days.
KEPT = timedelta(days=3)
_t = media.c


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture or voice to fetch."""

    id: str
    platform_id: str
    kind: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Stored:
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
    statement = (
        sa.select(_t.id, _t.platform_id, _t.kind, _t.attempts)
        .where(_t.state == "waiting", _t.due_at <= to_ms(now))
        .order_by(_t.created_at)
        .limit(limit)
    )
    return [Wanted(*row) for row in conn.execute(statement)]


def store(conn: Connection, row_id: str, content_type: str, content: bytes) -> None:
    """Keep what was fetched."""
    conn.execute(
        sa.update(media).where(_t.id == row_id).values(state="stored", content_type=content_type, content=content)
    )


def failed(conn: Connection, row_id: str, error: str, *, again_at: datetime | None) -> None:
    """It could not be fetched; try again then, or never."""
    values: dict[str, object] = {"error": error[:200], "attempts": _t.attempts + 1}
    values |= {"state": "failed"} if again_at is None else {"due_at": to_ms(again_at)}
    conn.execute(sa.update(media).where(_t.id == row_id).values(**values))


def get(conn: Connection, row_id: str) -> Stored | None:
    """What was fetched, if it was."""
    row = conn.execute(
        sa.select(_t.citizen_id, _t.content_type, _t.content).where(_t.id == row_id, _t.state == "stored")
    ).first()
    return None if row is None else Stored(*row)
