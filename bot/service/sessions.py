"""Logged-in browsers of staff: a random token in a cookie, of which the store knows only the hash."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service.staff import Member, read_row
from bot.store.tables import sessions, staff
from bot.store.times import from_ms, to_ms

_t = sessions.c
_AGENT = 200
# Being seen is written down this often at most: looking at a page must not cost a write each time.
TOUCH_EVERY = timedelta(minutes=5)


class Limits(msgspec.Struct, frozen=True):
    """How long a session lives: unused, and at most."""

    idle: timedelta = timedelta(hours=12)
    longest: timedelta = timedelta(days=7)


class Session(msgspec.Struct, frozen=True):
    """A logged-in browser and whose it is. `id` is the hash of the token, safe to show its owner."""

    id: str
    member: Member
    agent: str
    created_at: datetime
    seen_at: datetime


def new_token() -> str:
    """What the cookie carries."""
    return secrets.token_urlsafe(32)


def id_of(token: str) -> str:
    """What the store keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def start(conn: Connection, token: str, staff_id: str, agent: str, limits: Limits, now: datetime) -> None:
    """Let a browser in. What has run out for this member is cleared away."""
    conn.execute(sa.delete(sessions).where(_t.staff_id == staff_id, ~_alive(limits, now)))
    conn.execute(
        sa.insert(sessions).values(
            id=id_of(token),
            staff_id=staff_id,
            agent=agent.replace("\x00", "")[:_AGENT],
            created_at=to_ms(now),
            seen_at=to_ms(now),
            expires_at=to_ms(now + limits.longest),
        )
    )


def find(conn: Connection, token: str, limits: Limits, now: datetime) -> Session | None:
    """The living session of this token, if its owner is still welcome."""
    statement = _with_owner().where(_t.id == id_of(token), _alive(limits, now), staff.c.disabled_at.is_(None))
    row = conn.execute(statement).first()
    return None if row is None else _read(row)


def of_member(conn: Connection, staff_id: str, limits: Limits, now: datetime) -> list[Session]:
    """A member's living sessions, the last used first."""
    statement = _with_owner().where(_t.staff_id == staff_id, _alive(limits, now)).order_by(_t.seen_at.desc(), _t.id)
    return [_read(row) for row in conn.execute(statement)]


def touch(conn: Connection, session_id: str, now: datetime) -> None:
    """It is in use."""
    conn.execute(sa.update(sessions).where(_t.id == session_id, _t.seen_at < to_ms(now)).values(seen_at=to_ms(now)))


def end(conn: Connection, token: str) -> None:
    """The browser that carries this token is let go."""
    conn.execute(sa.delete(sessions).where(_t.id == id_of(token)))


def revoke(conn: Connection, staff_id: str, session_id: str) -> bool:
    """End one session of this member; whether there was one."""
    return conn.execute(sa.delete(sessions).where(_t.id == session_id, _t.staff_id == staff_id)).rowcount > 0


def revoke_all(conn: Connection, staff_id: str, *, but: str = "") -> int:
    """End all sessions of this member, save one; how many there were."""
    return conn.execute(sa.delete(sessions).where(_t.staff_id == staff_id, _t.id != but)).rowcount


def _alive(limits: Limits, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_t.expires_at > to_ms(now), _t.seen_at > to_ms(now - limits.idle))


def _with_owner() -> sa.Select[tuple[object, ...]]:
    ours = (_t.id.label("session_id"), _t.agent, _t.created_at.label("began_at"), _t.seen_at.label("used_at"))
    return sa.select(staff, *ours).join_from(sessions, staff, _t.staff_id == staff.c.id)


def _read(row: sa.Row[tuple[object, ...]]) -> Session:
    found = row._mapping  # noqa: SLF001 - the public name of it
    return Session(
        found["session_id"], read_row(row), found["agent"], from_ms(found["began_at"]), from_ms(found["used_at"])
    )
