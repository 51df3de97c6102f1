"""Citizens: who writes to us, and where their conversation stands."""

from __future__ import annotations

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

_NEW = Prepared(sa.insert(citizens))
_SAVE = Prepared(
    sa.update(citizens)
    .where(citizens.c.id == sa.bindparam("citizen_id"))
    .values(
        state=sa.bindparam("new_state"),
        seen_at=sa.bindparam("now"),
        allowance=sa.bindparam("left"),
        window_until=sa.bindparam("until"),
        subscribed=sa.func.coalesce(sa.bindparam("now_subscribed", type_=sa.Boolean), citizens.c.subscribed),
    )
)


class Citizen(msgspec.Struct, frozen=True):
    """A row of `citizens`, as far as a turn needs it."""

    id: str
    state: State
    township: str
    allowance: Allowance = NOTHING_LEFT


def add(conn: Connection, citizen: Citizen, channel: str, address: str, now: datetime, *, subscribed: bool) -> None:
    """Put a new citizen on record."""
    moment = to_ms(now)
    _NEW(
        conn,
        id=citizen.id,
        channel=channel,
        address=address,
        subscribed=subscribed,
        township="",
        erased_at=None,
        state=written_state(citizen.state),
        allowance=citizen.allowance.left,
        window_until=citizen.allowance.until,
        created_at=moment,
        seen_at=moment,
    )


def save(conn: Connection, citizen: Citizen, now: datetime, *, subscribed: bool | None) -> None:
    """Where the conversation and the platform's window stand now; and whether the citizen follows us, if that changed."""
    _SAVE(
        conn,
        citizen_id=citizen.id,
        new_state=written_state(citizen.state),
        left=citizen.allowance.left,
        until=citizen.allowance.until,
        now=to_ms(now),
        now_subscribed=subscribed,
    )


def written_state(state: State) -> str:
    """A state as stored."""
    return _ENCODER.encode(state).decode()


def read_state(stored: str) -> State:
    """A stored state."""
    try:
        return _DECODER.decode(stored)
    except msgspec.MsgspecError:
        # Written by a newer or broken version: a conversation may start afresh, a citizen must not be locked out.
        return State()
