"""What we hold of a citizen, for themselves: a summary, and everything behind a private link that opens once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.handoff import subjects
from bot.conversation.handoff.wording import GRADES
from bot.conversation.my_data import LINK_LIVES
from bot.conversation.turn import LOCAL, Held, Past
from bot.ids import NewId
from bot.service import audit
from bot.service.erasure import Keeping
from bot.service.handling import ENDS, SERVICES
from bot.service.inbox import decode
from bot.service.outbox import FETCHED
from bot.service.staff import read_row
from bot.store.tables import (
    citizens,
    consultations,
    data_links,
    handoff_messages,
    handoffs,
    inbox,
    media,
    outbox,
    ratings,
    staff,
)
from bot.store.times import from_ms, to_ms
from knowledge.entry import KIND_NAMES

PATH = "/my/"
RECENT = 5
RESULTS = {"answered": "已解答", "offered": "给了几个选择", "unanswered": "没答上", "referred": "转给了人工"}
MEDIA = {"image": "图片", "voice": "语音", "video": "视频"}


class Own(msgspec.Struct, frozen=True):
    """How citizens get at their own data: how long it is kept, our address, and where link secrets come from."""

    keep: Keeping = msgspec.field(default_factory=Keeping)
    public_url: str = ""
    token: Callable[[], str] = secrets.token_urlsafe

    def link(self, channel: str) -> str:
        """A new link; empty where the citizen could not open it. The chat page is on our own address already."""
        root = "" if channel == FETCHED else self.public_url
        return f"{root}{PATH}{self.token()}" if root or channel == FETCHED else ""


class Said(msgspec.Struct, frozen=True):
    """One message: when, who said it, what."""

    at: str
    who: str
    text: str


class Matter(msgspec.Struct, frozen=True):
    """One consultation."""

    at: str
    kind: str
    subject: str
    result: str
    grade: str


class Grade(msgspec.Struct, frozen=True):
    """One rating."""

    at: str
    grade: str
    words: str


class Everything(msgspec.Struct, frozen=True):
    """All that is held of one citizen."""

    made_at: str
    channel: str
    since: str
    township: str
    consultations: tuple[Matter, ...]
    handoffs: tuple[str, ...]
    ratings: tuple[Grade, ...]
    media: tuple[str, ...]
    messages: tuple[Said, ...]


def held(conn: Connection, citizen_id: str, own: Own, channel: str) -> Held | None:
    """The summary; None for somebody who has said nothing yet."""
    said = sa.and_(inbox.c.citizen_id == citizen_id, inbox.c.kind.not_like("event%"))
    count, first = conn.execute(sa.select(sa.func.count(), sa.func.min(inbox.c.received_at)).where(said)).one()
    if not count:
        return None
    c = consultations.c
    last = conn.execute(_matters(citizen_id).limit(RECENT)).fetchall()
    return Held(
        since=_local(first).date(),
        messages=count,
        consultations=_count(conn, c.citizen_id == citizen_id),
        handoffs=_count(conn, handoffs.c.citizen_id == citizen_id),
        media=_count(conn, sa.and_(media.c.citizen_id == citizen_id, media.c.state != "erased")),
        township=conn.execute(sa.select(citizens.c.township).where(citizens.c.id == citizen_id)).scalar_one(),
        last=tuple(Past(_local(row.opened_at).date(), _subject(row), _result(row)) for row in last),
        keep_days=own.keep.words.days,
        media_days=own.keep.media.days,
        link=own.link(channel),
    )


def offer(conn: Connection, new_id: NewId, citizen_id: str, link: str, now: datetime) -> None:
    """The citizen was given this link: it opens for a day."""
    token = link.rpartition("/")[2]
    values = {"token": _kept(token), "citizen_id": citizen_id, "created_at": to_ms(now), "used_at": None}
    conn.execute(sa.insert(data_links).values(**values, expires_at=to_ms(now + LINK_LIVES)))
    audit.write(conn, new_id, "data.link", now=now, citizen=citizen_id)


def good(conn: Connection, token: str, now: datetime) -> bool:
    """Whether a link would open."""
    return conn.execute(sa.select(data_links.c.token).where(_open(token, now))).first() is not None


def take(conn: Connection, new_id: NewId, token: str, address: str, now: datetime) -> Everything | None:
    """Use a link up: everything, once; None if it was used, is too old, or never was."""
    used = sa.update(data_links).where(_open(token, now)).values(used_at=to_ms(now))
    citizen_id = conn.execute(used.returning(data_links.c.citizen_id)).scalar()
    if citizen_id is None:
        return None
    audit.write(conn, new_id, "data.exported", now=now, citizen=citizen_id, address=address)
    return everything(conn, citizen_id, now)


def forget_links(conn: Connection, now: datetime) -> int:
    """Remove links that open nothing any more."""
    return conn.execute(sa.delete(data_links).where(data_links.c.expires_at < to_ms(now - timedelta(days=1)))).rowcount


def everything(conn: Connection, citizen_id: str, now: datetime) -> Everything:
    """All that is held of a citizen, in plain words."""
    who = conn.execute(sa.select(citizens).where(citizens.c.id == citizen_id)).one()
    h, r, m = handoffs.c, ratings.c, media.c
    asked = conn.execute(sa.select(h.asked_at, h.category, h.ended).where(h.citizen_id == citizen_id).order_by(h.id))
    graded = conn.execute(
        sa.select(r.given_at, r.grade, r.words).where(r.citizen_id == citizen_id).order_by(r.given_at)
    )
    sent = conn.execute(sa.select(m.created_at, m.kind).where(m.citizen_id == citizen_id).order_by(m.created_at))
    return Everything(
        made_at=_clock(to_ms(now)),
        channel="网页" if who.channel == FETCHED else "公众号",
        since=_clock(who.created_at),
        township=who.township,
        consultations=tuple(_matter(row) for row in conn.execute(_matters(citizen_id))),
        handoffs=tuple(
            f"{_clock(row.asked_at)} {subjects.of_category(row.category).label}，{ENDS.get(row.ended, '还没结束')}"
            for row in asked
        ),
        ratings=tuple(Grade(_clock(row.given_at), GRADES[row.grade], row.words) for row in graded),
        media=tuple(f"{_clock(row.created_at)} {MEDIA.get(row.kind, '文件')}" for row in sent),
        messages=_messages(conn, citizen_id),
    )


def _messages(conn: Connection, citizen_id: str) -> tuple[Said, ...]:
    """What the citizen said, what the bot answered, what lawyers and the office wrote, in the order of time."""
    found: list[tuple[int, str, Said]] = []
    t = inbox.c
    rows = sa.select(t.id, t.received_at, t.kind, t.text, t.reply).where(t.citizen_id == citizen_id)
    for row in conn.execute(rows):
        if not row.kind.startswith("event"):
            text = row.text or f"［{MEDIA.get(row.kind, '消息')}］"
            found.append((row.received_at, f"{row.id}a", Said(_clock(row.received_at), "我", text)))
        if (reply := decode(row.reply)) is not None:
            found.append((row.received_at, f"{row.id}b", Said(_clock(row.received_at), "法问", reply.visible)))
    letters = (
        sa.select(outbox.c.id.label("letter"), outbox.c.created_at.label("written"), outbox.c.content, staff)
        .outerjoin(handoff_messages, handoff_messages.c.id == outbox.c.message_id)
        .outerjoin(staff, staff.c.id == handoff_messages.c.staff_id)
        .where(outbox.c.citizen_id == citizen_id, outbox.c.inbox_id.is_(None))
    )
    for row in conn.execute(letters):
        author = read_row(row).title if row.id else "法问"
        said = decode(row.content)
        found.append((row.written, row.letter, Said(_clock(row.written), author, said.visible if said else "")))
    return tuple(said for *_, said in sorted(found, key=lambda one: one[:2]))


def _matters(citizen_id: str) -> sa.Select[Any]:
    c = consultations.c
    statement = sa.select(c.opened_at, c.kind, c.category, c.outcome, c.service, c.grade)
    return statement.where(c.citizen_id == citizen_id).order_by(c.opened_at.desc(), c.id.desc())


def _matter(row: Any) -> Matter:
    kind = KIND_NAMES.get(row.kind, "")
    return Matter(_clock(row.opened_at), kind, _subject(row), _result(row), GRADES.get(row.grade, ""))


def _subject(row: Any) -> str:
    return subjects.of_category(row.category).label


def _result(row: Any) -> str:
    return SERVICES.get(row.service, RESULTS.get(row.outcome, ""))


def _count(conn: Connection, where: sa.ColumnElement[bool]) -> int:
    return conn.execute(sa.select(sa.func.count()).where(where)).scalar_one()


def _open(token: str, now: datetime) -> sa.ColumnElement[bool]:
    t = data_links.c
    return sa.and_(t.token == _kept(token), t.used_at.is_(None), t.expires_at > to_ms(now))


def _kept(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _local(stored: int) -> datetime:
    return from_ms(stored).astimezone(LOCAL)


def _clock(stored: int) -> str:
    return f"{_local(stored):%Y-%m-%d %H:%M}"
