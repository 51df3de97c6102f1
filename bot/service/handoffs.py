"""Handoffs in the store: asked for, changed only through the state machine, found again by whoever must act."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.handoff import timing
from bot.conversation.handoff.machine import Event, EventName, Handoff, apply
from bot.conversation.handoff.timing import Rules
from bot.conversation.turn import Request
from bot.ids import NewId
from bot.store.tables import citizens, handoff_events, handoffs
from bot.store.times import from_ms, to_ms

_t = handoffs.c
RECENT = 20

# Messages are their own record; only what changes hands is logged beside them.
_PLAIN = frozenset({"said", "reply"})
# Fields of the value whose columns have other names.
_COLUMNS = {"citizen": "citizen_id", "consultation": "consultation_id", "lawyer": "lawyer_id"}
_NAMES = {_COLUMNS.get(field.name, field.name): field.name for field in msgspec.structs.fields(Handoff)}


class ChangedError(Exception):
    """Somebody else changed the handoff at the same moment; look again."""


class Changed(msgspec.Struct, frozen=True):
    """A handoff after an event, and how it stood before."""

    before: Handoff
    after: Handoff
    event: Event


def open_of(conn: Connection, citizen_id: str) -> Handoff | None:
    """The citizen's open handoff; there is at most one."""
    row = conn.execute(sa.select(handoffs).where(_t.citizen_id == citizen_id, _t.closed_at.is_(None))).first()
    return None if row is None else _read(row)


def get(conn: Connection, handoff_id: str) -> Handoff:
    """A handoff by id; KeyError if there is none."""
    row = conn.execute(sa.select(handoffs).where(_t.id == handoff_id)).first()
    if row is None:
        raise KeyError(handoff_id)
    return _read(row)


def open_ones(conn: Connection) -> list[Handoff]:
    """All that nobody closed: urgent first, then in the order of waiting."""
    statement = (
        sa.select(handoffs)
        .where(_t.closed_at.is_(None))
        .order_by(_t.urgent.desc(), sa.func.coalesce(_t.queued_at, _t.asked_at), _t.id)
    )
    return [_read(row) for row in conn.execute(statement)]


def waiting(conn: Connection) -> int:
    """How many wait for a lawyer."""
    return conn.execute(sa.select(sa.func.count()).where(_t.state == "waiting")).scalar_one()


def place_of(conn: Connection, handoff: Handoff) -> int:
    """The handoff's place in the queue, 1 is next; 0 if it does not wait."""
    waiting = [one.id for one in open_ones(conn) if one.state == "waiting"]
    return waiting.index(handoff.id) + 1 if handoff.id in waiting else 0


def recent_waits(conn: Connection) -> tuple[timedelta, ...]:
    """Time from queue to claim of the last handoffs that were claimed in duty hours."""
    statement = (
        sa.select(_t.claimed_at - _t.queued_at)
        .where(_t.claimed_at.is_not(None), _t.queued_at.is_not(None), _t.promised_at.is_(None), _t.returns == 0)
        .order_by(_t.claimed_at.desc())
        .limit(RECENT)
    )
    return tuple(timedelta(milliseconds=max(row[0], 0)) for row in conn.execute(statement))


def request(
    conn: Connection,
    new_id: NewId,
    asked: Request,
    citizen_id: str,
    channel: str,
    consultation: str | None,
    now: datetime,
) -> Handoff:
    """Open a handoff for a citizen who has none open."""
    handoff = Handoff(
        id=new_id(),
        citizen=citizen_id,
        asked_at=now,
        citizen_at=now,
        state="waiting" if asked.queue else "asking",
        channel=channel,
        consultation=consultation,
        urgent=asked.urgent,
        reason=asked.reason,
        kind=asked.kind,
        category=asked.category,
        township=asked.township,
        question=asked.question[:200],
        queued_at=now if asked.queue else None,
        promised_at=asked.promised_at,
    )
    conn.execute(sa.insert(handoffs).values(**_row(handoff)))
    _log(conn, new_id(), handoff, Event("queue" if asked.queue else "detail"), now)
    return handoff


def act(conn: Connection, new_id: NewId, handoff_id: str, event: Event, now: datetime) -> Changed:
    """Let an event happen: atomic, on record, or NotPossibleError. KeyError if there is no such handoff.

    The citizen's row is locked first, as in a turn, so that turns and lawyers cannot wait for each other in a ring.
    """
    lock_citizen(conn, handoff_id)
    before = get(conn, handoff_id)
    after = apply(before, event, now)
    save(conn, before, after)
    if event.name in _PLAIN:
        return Changed(before, after, event)
    other = event.to or (before.lawyer if event.name in {"take_over", "vanish", "release"} else "")
    _log(conn, new_id(), after, event, now, other=other)
    return Changed(before, after, event)


def lock_citizen(conn: Connection, handoff_id: str) -> None:
    """Lock the handoff's citizen for the rest of the transaction (PostgreSQL; SQLite has one writer)."""
    owner = sa.select(_t.citizen_id).where(_t.id == handoff_id).scalar_subquery()
    conn.execute(sa.select(citizens.c.id).where(citizens.c.id == owner).with_for_update())


def save(conn: Connection, before: Handoff, after: Handoff) -> None:
    """Write what changed, if nobody else did meanwhile; ChangedError otherwise."""
    old, new = _row(before), _row(after)
    values = {name: value for name, value in new.items() if old[name] != value}
    if not values:
        return
    found = conn.execute(sa.update(handoffs).where(_t.id == after.id, _t.version == before.version).values(**values))
    if found.rowcount != 1:
        raise ChangedError(after.id)


def overdue(conn: Connection, now: datetime, rules: Rules, *, someone_on_duty: bool) -> list[tuple[Handoff, EventName]]:
    """What time brings, for the sweeper to let happen."""
    found = []
    for handoff in open_ones(conn):
        event = timing.due(handoff, now, rules, someone_on_duty=someone_on_duty)
        if event is not None:
            found.append((handoff, event))
    return found


def history(conn: Connection, handoff_id: str) -> list[Any]:
    """Rows of what happened to a handoff, oldest first."""
    t = handoff_events.c
    return list(conn.execute(sa.select(handoff_events).where(t.handoff_id == handoff_id).order_by(t.number)))


def _log(conn: Connection, row_id: str, handoff: Handoff, event: Event, now: datetime, *, other: str = "") -> None:
    conn.execute(
        sa.insert(handoff_events).values(
            id=row_id,
            handoff_id=handoff.id,
            number=handoff.version,
            event=event.name,
            staff_id=event.by or None,
            other_id=other or None,
            note=event.note[:2000],
            at=to_ms(now),
        )
    )


def _row(handoff: Handoff) -> dict[str, Any]:
    row = {}
    for column, name in _NAMES.items():
        value = getattr(handoff, name)
        row[column] = to_ms(value) if isinstance(value, datetime) else value
    return row | {"lawyer_id": handoff.lawyer or None}


def _read(row: Any) -> Handoff:
    values = {name: getattr(row, column) for column, name in _NAMES.items()}
    for name, value in values.items():
        if name.endswith("_at") and value is not None:
            values[name] = from_ms(value)
    return Handoff(**(values | {"lawyer": row.lawyer_id or ""}))


def latest_of(conn: Connection, citizen_id: str) -> Handoff | None:
    """The citizen's open handoff, or the last one."""
    statement = (
        sa.select(handoffs)
        .where(_t.citizen_id == citizen_id)
        .order_by(_t.closed_at.is_not(None), _t.id.desc())
        .limit(1)
    )
    row = conn.execute(statement).first()
    return None if row is None else _read(row)


def reachable(conn: Connection, handoff_id: str, staff_id: str, now: datetime) -> str:
    """The openid of the citizen whom this lawyer attends, if the platform lets us reach them now; empty otherwise."""
    statement = (
        sa.select(citizens.c.address)
        .join(handoffs, _t.citizen_id == citizens.c.id)
        .where(_t.id == handoff_id, _t.state == "held", _t.lawyer_id == staff_id, citizens.c.channel == "wechat")
        .where(citizens.c.allowance > 0, citizens.c.window_until > to_ms(now))
    )
    return conn.execute(statement).scalar() or ""
