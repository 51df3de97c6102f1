"""The outbox: everything said outside a passive reply. A row first, so that nothing said is lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service.allowance import Allowance
from bot.service.inbox import Handled, decode, encode
from bot.store.tables import citizens, handoff_messages, inbox, outbox
from bot.store.times import from_ms, to_ms
from knowledge.reply import TEXT_LIMIT, Reply

OutboxState = Literal["waiting", "sending", "sent", "held", "uncertain", "failed"]
# The channel whose visitors fetch their letters; on every other somebody sends them.
FETCHED = "web"
_t = outbox.c

# What a lawyer reads about a message that went another way than usual.
RODE = "随对方的下一条消息一起送到了。"
SPENT = "可发条数用完了，等对方下次说话时一起送到。"
CLOSED = "对方超过48小时没有说话，微信不让发。等对方下次说话时一起送到。"
LEFT = "对方已取消关注公众号，收不到消息；重新关注后会送到。急事请打电话。"
BROKEN_OFF = "发送时系统中断，可能已经送到；为免重复没有再发。"
# With so few calls left, several short messages share one.
LOW = 2
# What is left behind a passive reply leaves after it, not beside it.
BEHIND = timedelta(seconds=1)

_PENDING = (
    sa.select(_t.id, _t.content)
    .where(_t.citizen_id == sa.bindparam("citizen"), _t.state.in_(["held", "waiting"]))
    .order_by(_t.place)
)


class Letter(msgspec.Struct, frozen=True):
    """One call to the platform: the rows it carries, to whom, and the handoffs they belong to.

    `until` is the window it was judged by; a letter that may not leave now is `held` and carries nothing.
    """

    rows: tuple[str, ...]
    citizen: str
    address: str
    reply: Reply
    attempts: int
    until: int
    handoffs: tuple[str, ...]
    held: bool = False


def queue_late(conn: Connection, new_id: NewId, handled: Handled, now: datetime) -> None:
    """Queue the reply of a turn whose HTTP answer had to leave without it; once per message."""
    if handled.reply is None:
        return
    if conn.execute(sa.select(_t.id).where(_t.inbox_id == handled.id)).first():
        return
    citizen = conn.execute(sa.select(inbox.c.citizen_id).where(inbox.c.id == handled.id)).scalar_one()
    write(conn, new_id, citizen, [handled.reply], now, inbox_id=handled.id)


def write(
    conn: Connection,
    new_id: NewId,
    citizen_id: str,
    replies: Sequence[Reply],
    now: datetime,
    *,
    inbox_id: str | None = None,
    message_id: str | None = None,
) -> None:
    """Put replies in line behind everything else for this citizen. Locks the citizen, so that places are given once."""
    conn.execute(sa.select(citizens.c.id).where(citizens.c.id == citizen_id).with_for_update())
    last = conn.execute(sa.select(sa.func.max(_t.place)).where(_t.citizen_id == citizen_id)).scalar() or 0
    why = conn.execute(sa.select(_t.error).where(_t.citizen_id == citizen_id, _t.state == "held").limit(1)).scalar()
    for place, reply in enumerate(replies, last + 1):
        conn.execute(
            sa.insert(outbox).values(
                id=new_id(),
                citizen_id=citizen_id,
                place=place,
                inbox_id=inbox_id,
                message_id=message_id,
                content=encode(reply),
                state="waiting" if why is None else "held",
                attempts=0,
                error=why or "",
                due_at=to_ms(now),
                created_at=to_ms(now),
            )
        )


def redelivered(conn: Connection, handled: Handled, now: datetime) -> Handled:
    """The platform asks again: if the reply still waits here it rides on this answer; if it left, stay silent."""
    row = conn.execute(sa.select(_t.id, _t.state).where(_t.inbox_id == handled.id)).first()
    if row is None:
        return handled
    if row.state in {"waiting", "held", "failed"}:
        _mark(conn, [row.id], "sent", now, error=RODE)
        return handled
    return replace(handled, reply=None)


def ride(conn: Connection, new_id: NewId, citizen_id: str, own: Reply | None, now: datetime) -> Reply | None:
    """The reply to say now: what still waits for the citizen goes first, in order, as far as one message holds it.

    What does not fit stays in line; a reply of our own that does not fit joins the end of it.
    """
    pending = conn.execute(_PENDING, {"citizen": citizen_id}).fetchall()
    if conn.execute(sa.select(_t.id).where(_t.citizen_id == citizen_id, _t.state == "sending").limit(1)).first():
        _release(conn, [row[0] for row in pending], now)  # they follow the one that is on its way
        return own
    said, fitted = joined([*(decode(row[1]) or Reply("") for row in pending), *([own] if own else [])])
    _mark(conn, [row[0] for row in pending[:fitted]], "sent", now, error=RODE)
    _release(conn, [row[0] for row in pending[fitted:]], now)
    if own is not None and fitted <= len(pending):
        write(conn, new_id, citizen_id, [own], now)
    return said


def _release(conn: Connection, rows: Sequence[str], now: datetime) -> None:
    """The citizen is there again: what was held may leave, right behind the reply that leaves now."""
    due_at = to_ms(now + BEHIND)
    conn.execute(
        sa.update(outbox).where(_t.id.in_(rows), _t.state == "held").values(state="waiting", error="", due_at=due_at)
    )
    conn.execute(sa.update(outbox).where(_t.id.in_(rows), _t.due_at < due_at).values(due_at=due_at))


def hold(conn: Connection, citizen_id: str, why: str) -> None:
    """Nothing more may be sent to this citizen until they act again."""
    waits = sa.and_(_t.citizen_id == citizen_id, _t.state == "waiting")
    conn.execute(sa.update(outbox).where(waits).values(state="held", error=why))


def joined(replies: Sequence[Reply]) -> tuple[Reply | None, int]:
    """As many of the replies as one message holds, from the first on, and how many these are."""
    said: Reply | None = None
    for number, reply in enumerate(replies):
        both = reply if said is None else Reply(f"{said.text}\n\n{reply.text}", (*said.rows, *reply.rows), reply.rest)
        if both.size > TEXT_LIMIT and said is not None:
            return said, number
        said = both
    return said, len(replies)


def due(conn: Connection, channel: str, now: datetime, limit: int = 50) -> list[tuple[str, str]]:
    """Citizen and row of what should be sent now, oldest first; of each citizen only the first, so that order is kept."""
    ahead = outbox.alias("ahead")
    blocked = sa.exists().where(
        ahead.c.citizen_id == _t.citizen_id,
        ahead.c.place < _t.place,
        ahead.c.state.in_(["waiting", "sending", "held"]),
    )
    statement = (
        sa.select(_t.citizen_id, _t.id)
        .join(citizens, citizens.c.id == _t.citizen_id)
        .where(citizens.c.channel == channel, _t.state == "waiting", _is_due(now), ~blocked)
        .order_by(_t.due_at, _t.id)
        .limit(limit)
    )
    return [(row.citizen_id, row.id) for row in conn.execute(statement)]


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    """Its time has come; or it is from the future, because a clock was set back."""
    moment = to_ms(now)
    return sa.or_(_t.due_at <= moment, sa.and_(_t.created_at > moment, _t.attempts == 0))


def begin(conn: Connection, row_id: str, now: datetime, lease_ms: int) -> Letter | None:
    """Claim a row for one attempt; when few calls are left, those behind it that fit travel with it.

    None if another sender has it. The lease outlives a call to the platform.
    """
    owner = sa.select(_t.citizen_id).where(_t.id == row_id).scalar_subquery()
    columns = (citizens.c.id, citizens.c.address, citizens.c.allowance, citizens.c.window_until)
    to = conn.execute(sa.select(*columns).where(citizens.c.id == owner).with_for_update()).one()
    statement = sa.select(_t.id, _t.content, _t.attempts, _t.message_id).where(_t.citizen_id == to.id)
    rows = conn.execute(statement.where(_t.state == "waiting", _is_due(now)).order_by(_t.place)).fetchall()
    if not rows or rows[0].id != row_id:
        return None
    allowance = Allowance(to.allowance, to.window_until)
    left = allowance.at(now).left
    replies = [decode(row.content) or Reply("") for row in rows]
    said, count = joined(replies) if left <= LOW else (replies[0], 1)
    taken = rows if not left else rows[:count]
    ids, concerned = tuple(row.id for row in taken), handoffs_of(conn, [row.message_id for row in taken])
    letter = Letter(ids, to.id, to.address, said or Reply(""), rows[0].attempts, to.window_until, concerned)
    if not left:
        hold(conn, to.id, SPENT if to.window_until > to_ms(now) else CLOSED)
        return replace(letter, rows=(), held=True)
    claimed = sa.update(outbox).where(_t.id.in_(ids), _t.state == "waiting")
    conn.execute(claimed.values(state="sending", attempts=_t.attempts + 1, due_at=to_ms(now) + lease_ms))
    return letter


def handoffs_of(conn: Connection, message_ids: Iterable[str | None]) -> tuple[str, ...]:
    """The handoffs these messages belong to."""
    wanted = [one for one in message_ids if one]
    if not wanted:
        return ()
    t = handoff_messages.c
    return tuple(row[0] for row in conn.execute(sa.select(t.handoff_id).where(t.id.in_(wanted)).distinct()))


def strand(conn: Connection, now: datetime) -> list[str]:
    """Attempts whose process died: they may have been delivered, so they are not made again. Returns their handoffs."""
    statement = (
        sa.update(outbox)
        .where(_t.state == "sending", _t.due_at <= to_ms(now))
        .values(state="uncertain", error=BROKEN_OFF)
        .returning(_t.message_id)
    )
    return list(handoffs_of(conn, [row[0] for row in conn.execute(statement).fetchall()]))


def settle(
    conn: Connection,
    letter: Letter,
    state: OutboxState,
    now: datetime,
    *,
    error: str = "",
    due_at: datetime | None = None,
) -> None:
    """Record how an attempt ended, and what it left of the citizen's allowance."""
    lock = sa.select(citizens.c.window_until).where(citizens.c.id == letter.citizen).with_for_update()
    until = conn.execute(lock).scalar_one()
    if state == "held" and until > letter.until:
        state, error, due_at = "waiting", "", now  # the citizen acted meanwhile: the refusal is out of date
    _mark(conn, letter.rows, state, now, error=error, due_at=due_at)
    owner = sa.update(citizens).where(citizens.c.id == letter.citizen)
    if state == "held":
        hold(conn, letter.citizen, error)
        conn.execute(owner.values(allowance=0))
    elif state in {"sent", "uncertain"}:
        conn.execute(owner.where(citizens.c.allowance > 0).values(allowance=citizens.c.allowance - 1))


def _mark(
    conn: Connection,
    rows: Sequence[str],
    state: OutboxState,
    now: datetime,
    *,
    error: str = "",
    due_at: datetime | None = None,
) -> None:
    values: dict[str, object] = {"state": state, "error": error[:200]}
    if state == "sent":
        values["sent_at"] = to_ms(now)
    if due_at is not None:
        values["due_at"] = to_ms(due_at)
    conn.execute(sa.update(outbox).where(_t.id.in_(rows)).values(**values))


def failures(conn: Connection, since: datetime) -> dict[str, int]:
    """Why what was written since then failed, and how often."""
    statement = sa.select(_t.error, sa.func.count()).where(_t.state == "failed", _t.created_at >= to_ms(since))
    return {row[0]: row[1] for row in conn.execute(statement.group_by(_t.error).order_by(sa.func.count().desc()))}


def retry(conn: Connection, why: str, since: datetime, now: datetime) -> tuple[int, tuple[str, ...]]:
    """Put what failed for this reason back in line; how many, and the handoffs they belong to."""
    which = sa.and_(_t.state == "failed", _t.error == why, _t.created_at >= to_ms(since))
    values = {"state": "waiting", "error": "", "attempts": 0, "due_at": to_ms(now)}
    rows = conn.execute(sa.update(outbox).where(which).values(**values).returning(_t.message_id)).fetchall()
    return len(rows), handoffs_of(conn, [row[0] for row in rows])


def oldest_due(conn: Connection, now: datetime) -> datetime | None:
    """Since when the longest of what should have left by now waits; None if nothing does."""
    statement = sa.select(sa.func.min(_t.created_at)).where(_t.state == "waiting", _t.due_at <= to_ms(now))
    found = conn.execute(statement).scalar()
    return None if found is None else from_ms(found)


def waiting(conn: Connection) -> dict[str, int]:
    """How many rows stand in each state."""
    rows = conn.execute(sa.select(_t.state, sa.func.count()).group_by(_t.state))
    return {row[0]: row[1] for row in rows}
