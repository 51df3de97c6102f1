"""Citizens: who writes to us, and where their conversation stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import State
from bot.service.allowance import NOTHING_LEFT, Allowance
from bot.store.prepared import Prepared
from bot.store.tables import citizens
from bot.store.times import to_ms

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(State)

_FIND = Prepared(
    sa.select(citizens.c.id, citizens.c.state, citizens.c.township, citizens.c.allowance, citizens.c.window_until)
    .where(citizens.c.channel == sa.bindparam("channel"), citizens.c.address == sa.bindparam("address"))
    # Locks the citizen on PostgreSQL, so that turns of one citizen follow each other across processes;
    # SQLite has one writer and ignores it.
    .with_for_update()
)
_NEW = Prepared(sa.insert(citizens))
_SAVE = Prepared(
    sa.update(citizens)
    .where(citizens.c.id == sa.bindparam("citizen_id"))
    .values(
        state=sa.bindparam("new_state"),
        seen_at=sa.bindparam("now"),
        allowance=sa.bindparam("left"),
        window_until=sa.bindparam("until"),
    )
)
_SUBSCRIBE = Prepared(
    sa.update(citizens)
    .where(citizens.c.id == sa.bindparam("citizen_id"))
    .values(subscribed=sa.bindparam("subscribed_now"))
)


@dataclass(frozen=True, slots=True)
class Citizen:
    """A row of `citizens`, as far as a turn needs it."""

    id: str
    state: State
    township: str
    allowance: Allowance = NOTHING_LEFT


def find(conn: Connection, channel: str, address: str) -> Citizen | None:
    """The citizen with this address, locked for the rest of the transaction."""
    row = _FIND(conn, channel=channel, address=address).fetchone()
    return Citizen(row[0], _state(row[1]), row[2], Allowance(row[3], row[4])) if row else None


def find_or_add(conn: Connection, channel: str, address: str, now: datetime, new_id: str) -> Citizen:
    """The citizen with this address, made if new; locked for the rest of the transaction."""
    found = find(conn, channel, address)
    if found is not None:
        return found
    moment = to_ms(now)
    _NEW(
        conn,
        id=new_id,
        channel=channel,
        address=address,
        subscribed=False,
        township="",
        state="{}",
        allowance=0,
        window_until=0,
        created_at=moment,
        seen_at=moment,
    )
    return Citizen(new_id, State(), "")


def save_state(conn: Connection, citizen_id: str, state: State, allowance: Allowance, now: datetime) -> None:
    """Where the conversation stands now, and what the platform takes from us until the next act."""
    stored = _ENCODER.encode(state).decode()
    _SAVE(conn, citizen_id=citizen_id, new_state=stored, left=allowance.left, until=allowance.until, now=to_ms(now))


def set_subscribed(conn: Connection, citizen_id: str, *, subscribed: bool) -> None:
    """The citizen follows the account, or no longer does."""
    _SUBSCRIBE(conn, citizen_id=citizen_id, subscribed_now=subscribed)


def _state(stored: str) -> State:
    try:
        return _DECODER.decode(stored)
    except msgspec.MsgspecError:
        # Written by a newer or broken version: a conversation may start afresh, a citizen must not be locked out.
        return State()
