"""The people behind the counter: who they are, what they cover, who is on duty."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.handoff.duty import Hours
from bot.store.tables import staff
from bot.store.times import from_ms, to_ms

Role = Literal["lawyer", "supervisor", "staff", "admin"]
ROLE_NAMES: dict[Role, str] = {
    "lawyer": "值班律师",
    "supervisor": "负责人",
    "staff": "工作人员",
    "admin": "管理员",
}
# Who takes handoffs; a supervisor may step in anywhere.
COUNSEL: tuple[Role, ...] = ("lawyer", "supervisor")
# Who decides about the others' work.
HEADS: tuple[Role, ...] = ("supervisor", "admin")
# Out of hours somebody who forgot to go off duty is not on duty, unless the workbench was open just now.
ALIVE = timedelta(minutes=10)
_t = staff.c
_DECODE = msgspec.json.Decoder(tuple[str, ...])


class Member(msgspec.Struct, frozen=True):
    """A member of staff. `covers` are slugs of subjects, empty for all; `wechat` is their own row among citizens.

    `lent`: somebody else knows the password, so it has to be changed first.
    """

    id: str
    login: str
    name: str
    role: Role
    covers: tuple[str, ...]
    on_duty: bool
    seen_at: datetime
    wechat: str
    attending: str
    disabled: bool
    centre: str = ""
    lent: bool = False

    @property
    def title(self) -> str:
        """As citizens read it."""
        return f"{self.name}律师" if self.role in COUNSEL and not self.name.endswith("律师") else self.name


def member(conn: Connection, staff_id: str) -> Member | None:
    """A member of staff by id."""
    row = conn.execute(sa.select(staff).where(_t.id == staff_id)).first()
    return None if row is None else read_row(row)


def bound_to(conn: Connection, citizen_id: str) -> Member | None:
    """Whose own WeChat this citizen is."""
    row = conn.execute(sa.select(staff).where(_t.citizen_id == citizen_id, _t.disabled_at.is_(None))).first()
    return None if row is None else read_row(row)


def counsel(conn: Connection) -> list[Member]:
    """Everyone who may take handoffs."""
    statement = sa.select(staff).where(_t.role.in_(COUNSEL), _t.disabled_at.is_(None)).order_by(_t.id)
    return [read_row(row) for row in conn.execute(statement)]


def on_duty(members: list[Member], now: datetime, hours: Hours) -> list[Member]:
    """Those of them who are there now."""
    running = hours.open_at(now)
    return [one for one in members if one.on_duty and (running or now - one.seen_at < ALIVE)]


def set_duty(conn: Connection, staff_id: str, now: datetime, *, on: bool) -> None:
    """Go on or off duty."""
    conn.execute(sa.update(staff).where(_t.id == staff_id).values(on_duty=on, seen_at=to_ms(now)))


def saw(conn: Connection, staff_id: str, now: datetime) -> None:
    """A sign of life on the workbench."""
    conn.execute(sa.update(staff).where(_t.id == staff_id).values(seen_at=to_ms(now)))


def attend(conn: Connection, staff_id: str, handoff_id: str) -> None:
    """Which handoff the messages from their own WeChat go to; empty for none."""
    conn.execute(sa.update(staff).where(_t.id == staff_id).values(attending=handoff_id))


def read_row(row: Any) -> Member:
    """A row of `staff` as a value."""
    return Member(
        row.id,
        row.login,
        row.name,
        row.role,
        _DECODE.decode(row.covers),
        row.on_duty,
        from_ms(row.seen_at),
        row.citizen_id or "",
        row.attending,
        row.disabled_at is not None,
        row.centre,
        row.lent_at is not None,
    )


def logins(conn: Connection) -> dict[str, str]:
    """Everybody's name by login, also of those who left: records name them."""
    return {row.login: row.name for row in conn.execute(sa.select(_t.login, _t.name).order_by(_t.login))}
