"""What is said in a handoff, in order: the citizen's words, the bot's, the lawyer's, notes, and what happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service import outbox
from bot.service.outbox import OutboxState
from bot.store.tables import handoff_messages, handoffs
from bot.store.tables import outbox as letters
from bot.store.times import from_ms, to_ms
from knowledge.reply import TEXT_LIMIT, Reply, cut

Author = Literal["citizen", "bot", "lawyer", "note", "system"]
_t = handoff_messages.c
PAGE = 200


class Message(msgspec.Struct, frozen=True):
    """One line of a conversation. `number` is its place, whatever clocks say."""

    id: str
    handoff: str
    number: int
    author: Author
    staff: str
    kind: str
    text: str
    entry: str
    media: str
    key: str
    at: datetime


class Delivery(msgspec.Struct, frozen=True):
    """How far a message got: parts accepted by the platform, all parts, and the state and fault that matter most."""

    state: OutboxState
    done: int
    parts: int
    error: str


def add(
    conn: Connection,
    new_id: NewId,
    handoff_id: str,
    author: Author,
    text: str,
    now: datetime,
    *,
    kind: str = "text",
    staff: str = "",
    entry: str = "",
    media: str = "",
    key: str = "",
) -> Message:
    """Append a message. The caller holds the citizen's lock, so numbers are given once."""
    number = conn.execute(
        sa.update(handoffs)
        .where(handoffs.c.id == handoff_id)
        .values(messages=handoffs.c.messages + 1)
        .returning(handoffs.c.messages)
    ).scalar_one()
    row_id = new_id()
    message = Message(row_id, handoff_id, number, author, staff, kind, text, entry, media, key or row_id, now)
    conn.execute(
        sa.insert(handoff_messages).values(
            id=row_id,
            handoff_id=handoff_id,
            number=number,
            author=author,
            staff_id=staff or None,
            kind=kind,
            text=text,
            entry_id=entry,
            media_id=media or None,
            key=message.key,
            at=to_ms(now),
        )
    )
    return message


def by_key(conn: Connection, handoff_id: str, key: str) -> Message | None:
    """The message that was sent with this key before, if any."""
    row = conn.execute(sa.select(handoff_messages).where(_t.handoff_id == handoff_id, _t.key == key)).first()
    return None if row is None else _read(row)


def say(conn: Connection, new_id: NewId, citizen_id: str, message: Message, reply: Reply, now: datetime) -> None:
    """Send a message's words to the citizen, in as many parts as the platform's limit asks for."""
    outbox.write(conn, new_id, citizen_id, parts(reply), now, message_id=message.id)


def parts(reply: Reply) -> list[Reply]:
    """A reply of any length as replies the platform takes, cut at sentences; taps below the last."""
    found, rest = [], reply.text
    while len(rest.encode()) > TEXT_LIMIT:
        head, rest = cut(rest, TEXT_LIMIT)
        found.append(Reply(head))
    last = Reply(rest, reply.rows)
    return [*found, last] if last.size <= TEXT_LIMIT else [*found, Reply(rest), Reply("请点：", reply.rows)]


def read(conn: Connection, handoff_id: str, after: int = 0) -> list[Message]:
    """Messages behind number `after`, in order."""
    statement = (
        sa.select(handoff_messages)
        .where(_t.handoff_id == handoff_id, _t.number > after)
        .order_by(_t.number)
        .limit(PAGE)
    )
    return [_read(row) for row in conn.execute(statement)]


def mark_read(conn: Connection, handoff_id: str, number: int) -> None:
    """The lawyer saw everything up to this number."""
    seen = sa.and_(handoffs.c.id == handoff_id, handoffs.c.read < number)
    conn.execute(sa.update(handoffs).where(seen).values(read=number))


# What a lawyer must know first, when parts of a message fared differently.
_WORST: Sequence[OutboxState] = ("failed", "uncertain", "held", "sending", "waiting", "sent")


def deliveries(conn: Connection, message_ids: Iterable[str]) -> dict[str, Delivery]:
    """How far each of these messages got; those never sent to the citizen are left out."""
    rows: dict[str, list[Any]] = {}
    statement = sa.select(letters).where(letters.c.message_id.in_(list(message_ids))).order_by(letters.c.place)
    for row in conn.execute(statement):
        rows.setdefault(row.message_id, []).append(row)
    return {message: _delivery(found) for message, found in rows.items()}


def _delivery(rows: list[Any]) -> Delivery:
    worst = min(rows, key=lambda row: _WORST.index(row.state))
    return Delivery(worst.state, sum(row.state == "sent" for row in rows), len(rows), worst.error)


def _read(row: Any) -> Message:
    return Message(
        row.id,
        row.handoff_id,
        row.number,
        row.author,
        row.staff_id or "",
        row.kind,
        row.text,
        row.entry_id,
        row.media_id or "",
        row.key,
        from_ms(row.at),
    )


def recent_sent(conn: Connection, handoff_id: str, limit: int) -> list[str]:
    """Ids of the last messages that went to the citizen."""
    statement = (
        sa.select(_t.id)
        .where(_t.handoff_id == handoff_id, _t.author.in_(["lawyer", "system"]))
        .order_by(_t.number.desc())
        .limit(limit)
    )
    return [row[0] for row in conn.execute(statement)]
