"""A lawyer's own WeChat: bound by a code that the workbench shows, for ten minutes, to whoever is logged in there."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service import audit, staff
from bot.store.tables import bindings
from bot.store.tables import staff as people
from bot.store.times import to_ms

VALID = timedelta(minutes=10)
# Long enough that nobody guesses one within its ten minutes, at the pace the account answers.
DIGITS = 8
SCENE = "bind_"
BOUND = "已绑定，{title}。以后有群众等候会在这里通知您。回复“上班”开始接待，“律师帮助”看能做什么，“解除绑定”解绑。"
UNKNOWN = "这个绑定码不对或已过期（10分钟内有效）。请在工作台重新打开绑定页面，再试一次。"
TAKEN = "这个微信已经绑定了{title}。要换人，请先回复“解除绑定”。"
UNBOUND = "已解除绑定。以后不再在这里通知您，您在这里和群众一样咨询。"
NOT_BOUND = "这个微信没有绑定律师账号。"


def make(conn: Connection, staff_id: str, code: str, now: datetime) -> None:
    """Let this code bind this account for ten minutes; earlier codes end."""
    old = sa.or_(bindings.c.staff_id == staff_id, bindings.c.expires_at <= to_ms(now))
    conn.execute(sa.delete(bindings).where(old))
    conn.execute(sa.insert(bindings).values(code=code, staff_id=staff_id, expires_at=to_ms(now + VALID)))


def bind(conn: Connection, new_id: NewId, citizen_id: str, code: str, now: datetime) -> str:
    """Use a code up: this WeChat is the account's from now on. Returns what to say."""
    found = sa.and_(bindings.c.code == code, bindings.c.expires_at > to_ms(now))
    owner = conn.execute(sa.delete(bindings).where(found).returning(bindings.c.staff_id)).scalar()
    member = staff.member(conn, owner) if owner else None
    if member is None or member.disabled:
        return UNKNOWN
    already = staff.bound_to(conn, citizen_id)
    if already is not None and already.id != member.id:
        return TAKEN.format(title=already.title)
    # Of an account that was disabled the WeChat is free again.
    conn.execute(sa.update(people).where(people.c.citizen_id == citizen_id).values(citizen_id=None, attending=""))
    conn.execute(sa.update(people).where(people.c.id == member.id).values(citizen_id=citizen_id, attending=""))
    audit.write(conn, new_id, "bind_wechat", now=now, staff=member.id, citizen=citizen_id)
    return BOUND.format(title=member.title)


def unbind(conn: Connection, new_id: NewId, citizen_id: str, now: datetime) -> str:
    """From now on this WeChat is nobody's. Returns what to say."""
    member = staff.bound_to(conn, citizen_id)
    if member is None:
        return NOT_BOUND
    conn.execute(sa.update(people).where(people.c.id == member.id).values(citizen_id=None, attending=""))
    audit.write(conn, new_id, "unbind_wechat", now=now, staff=member.id, citizen=citizen_id)
    return UNBOUND
