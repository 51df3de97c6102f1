"""Erasing words: after the time set, and at a citizen's wish. The rows stay, so that every count stays.

What is erased is data here, one line a table, and a test holds it against all columns that can hold words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import LOCAL, State
from bot.ids import NewId
from bot.service import audit, rectifications
from bot.service import citizens as people
from bot.service.citizens import Citizen, written_state
from bot.service.inbox import encode
from bot.service.rectifications import Terms
from bot.store.tables import (
    citizens,
    consultation_words,
    consultations,
    data_links,
    digests,
    handoff_events,
    handoff_messages,
    handoffs,
    inbox,
    media,
    meta,
    outbox,
    ratings,
    remarks,
    staff,
)
from bot.store.tables import rectifications as cases
from bot.store.times import to_ms
from knowledge.reply import Reply

# So many rows at a time: citizens are served in between.
PIECE = 500
EMPTY_LETTER = encode(Reply(""))
EMPTY_STATE = written_state(State())
GONE = "群众已删除自己的记录。"
_LAST = "privacy.purged_on"
_FROM = 2
_IN_HAND = ("waiting", "sending", "held")


class Words(msgspec.Struct, frozen=True):
    """Where one table keeps words: what to put in their place, when they were written, whose they are.

    `kept` holds rows back that are still worked on. Columns beside words that name a person or a platform's own ids go
    with them: `identity` is erased at a citizen's wish only, where time alone leaves the row in use.
    """

    table: sa.Table
    values: Mapping[str, Any]
    written: sa.ColumnElement[int]
    owner: sa.ColumnElement[str]
    kept: sa.ColumnElement[bool] = msgspec.field(default_factory=sa.false)
    key: str = "id"
    media: bool = False
    identity: Mapping[str, Any] = msgspec.field(default_factory=dict)

    @property
    def left(self) -> sa.ColumnElement[bool]:
        """Rows in which something is left to erase."""
        parts = [
            column.is_not(None) if value is None else column != value
            for column, value in ((self.table.c[name], value) for name, value in self.values.items())
        ]
        return sa.or_(*parts)


def _of_handoff(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    return sa.select(handoffs.c.citizen_id).where(handoffs.c.id == column).scalar_subquery()


def _of_consultation(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    return sa.select(consultations.c.citizen_id).where(consultations.c.id == column).scalar_subquery()


_last = sa.select(consultations.c.last_at).where(consultations.c.id == consultation_words.c.consultation_id)
_open_case = cases.c.closed_at.is_(None)

WORDS: tuple[Words, ...] = (
    Words(
        inbox,
        {"text": "", "reply": ""},
        inbox.c.received_at,
        inbox.c.citizen_id,
        # The key of the chat page holds the visitor's own id.
        identity={"key": "erased:" + inbox.c.id, "tap": ""},
    ),
    Words(
        consultation_words,
        {"words": ""},
        _last.scalar_subquery(),
        _of_consultation(consultation_words.c.consultation_id),
        key="consultation_id",
    ),
    Words(consultations, {"summary": ""}, consultations.c.last_at, consultations.c.citizen_id),
    Words(handoffs, {"question": ""}, handoffs.c.asked_at, handoffs.c.citizen_id, handoffs.c.closed_at.is_(None)),
    Words(handoff_events, {"note": ""}, handoff_events.c.at, _of_handoff(handoff_events.c.handoff_id)),
    Words(handoff_messages, {"text": ""}, handoff_messages.c.at, _of_handoff(handoff_messages.c.handoff_id)),
    Words(
        outbox, {"content": EMPTY_LETTER}, outbox.c.created_at, outbox.c.citizen_id, kept=outbox.c.state.in_(_IN_HAND)
    ),
    Words(
        media,
        {"state": "erased", "content": None, "platform_id": "", "content_type": ""},
        media.c.created_at,
        media.c.citizen_id,
        media=True,
    ),
    Words(ratings, {"words": ""}, ratings.c.given_at, ratings.c.citizen_id),
    Words(
        cases,
        {"measures": "", "reply": "", "visit": "", "proof": ""},
        cases.c.opened_at,
        cases.c.citizen_id,
        kept=_open_case,
    ),
    Words(remarks, {"text": ""}, remarks.c.at, _of_consultation(remarks.c.consultation_id)),
    # Where the conversation stands quotes the last question; whoever is silent so long begins afresh.
    Words(citizens, {"state": EMPTY_STATE}, citizens.c.seen_at, citizens.c.id),
    Words(digests, {"content": b""}, digests.c.created_at, sa.literal("")),
)


class Keeping(msgspec.Struct, frozen=True):
    """How long words, and pictures and voice, are kept."""

    words: timedelta = timedelta(days=730)
    media: timedelta = timedelta(days=180)


class Piece(msgspec.Struct, frozen=True):
    """Rows of one table whose time is over."""

    words: Words
    keys: tuple[str, ...]
    before: int


def due(conn: Connection, keep: Keeping, now: datetime) -> Piece | None:
    """The next rows whose words were kept long enough; None if there are none. Reads only."""
    for one in WORDS:
        before = to_ms(now - (keep.media if one.media else keep.words))
        key = one.table.c[one.key]
        chosen = sa.select(key).where(one.written < before, one.left, sa.not_(one.kept)).order_by(key).limit(PIECE)
        if keys := tuple(conn.execute(chosen).scalars()):
            return Piece(one, keys, before)
    return None


def purge(conn: Connection, piece: Piece) -> int:
    """Erase them, but for those that were used again meanwhile; returns how many rows."""
    one = piece.words
    chosen = sa.and_(one.table.c[one.key].in_(piece.keys), one.written < piece.before, sa.not_(one.kept))
    return conn.execute(sa.update(one.table).where(chosen).values(**one.values)).rowcount


def night(conn: Connection, now: datetime) -> bool:
    """Whether the night's purge is to be done still: once a day, from two in the morning or whenever we run next."""
    local = now.astimezone(LOCAL)
    last = conn.execute(sa.select(meta.c.value).where(meta.c.name == _LAST)).scalar()
    return local.hour >= _FROM and (last or "") < local.date().isoformat()


def slept(conn: Connection, new_id: NewId, rows: int, now: datetime) -> None:
    """The night's purge is done."""
    day = now.astimezone(LOCAL).date().isoformat()
    if not conn.execute(sa.update(meta).where(meta.c.name == _LAST).values(value=day)).rowcount:
        conn.execute(sa.insert(meta).values(name=_LAST, value=day))
    if rows:
        audit.write(conn, new_id, "purged", now=now, detail=f"{rows}")


def erase(
    conn: Connection, new_id: NewId, citizen: Citizen, channel: str, address: str, terms: Terms, now: datetime
) -> Citizen:
    """Erase a citizen's words and make the row nobody's; returns a new row under the same address, knowing nothing.

    The caller holds the citizen's lock, and has seen to it that no lawyer is with them.
    """
    rectifications.withdraw(conn, new_id, citizen.id, terms, now)
    pending = sa.and_(outbox.c.citizen_id == citizen.id, outbox.c.state.in_(["waiting", "held"]))
    conn.execute(sa.update(outbox).where(pending).values(state="failed", error=GONE))
    for one in WORDS:
        conn.execute(sa.update(one.table).where(one.owner == citizen.id).values(**one.values, **one.identity))
    conn.execute(sa.delete(data_links).where(data_links.c.citizen_id == citizen.id))
    this = citizens.c.id == citizen.id
    subscribed = conn.execute(sa.select(citizens.c.subscribed).where(this)).scalar_one()
    nobody = {"address": f"erased:{citizen.id}", "township": "", "subscribed": False, "allowance": 0, "window_until": 0}
    conn.execute(sa.update(citizens).where(this).values(**nobody, erased_at=to_ms(now)))
    fresh = Citizen(new_id(), State(), "", citizen.allowance)
    people.add(conn, fresh, channel, address, now, subscribed=subscribed)
    conn.execute(sa.update(staff).where(staff.c.citizen_id == citizen.id).values(citizen_id=fresh.id))
    audit.write(conn, new_id, "data.erased", now=now, citizen=citizen.id)
    return fresh
