"""One consultation, whole: everything said and done in it, in order, and what belongs to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service import inbox as boxes
from bot.service import threads
from bot.service.records import listing
from bot.service.records.listing import Line
from bot.service.threads import Delivery
from bot.store.tables import (
    citizens,
    consultations,
    feedback,
    handoff_events,
    handoff_messages,
    handoffs,
    inbox,
    ratings,
    rectifications,
    remarks,
    staff,
)
from bot.store.times import from_ms

RELATED = 20
Author = Literal["citizen", "bot", "lawyer", "note", "system", "event", "useful"]


class Said(msgspec.Struct, frozen=True):
    """One thing said or done. `by` is a colleague's name; `entry` what an answer came from; `what` kind or event."""

    at: datetime
    author: Author
    text: str
    what: str = ""
    by: str = ""
    other: str = ""
    entry: str = ""
    delivery: Delivery | None = None


class Grade(msgspec.Struct, frozen=True):
    """What the citizen said of the service, and the rectification it led to, if any: id, state, last day."""

    at: datetime
    grade: int
    words: str
    case: str = ""
    state: str = ""
    due: str = ""


class Remark(msgspec.Struct, frozen=True):
    """What colleagues note about a consultation, for themselves."""

    id: str
    staff: str
    name: str
    text: str
    at: datetime


class Story(msgspec.Struct, frozen=True):
    """A consultation with all that belongs to it. `erased`: the citizen had their words deleted."""

    line: Line
    closed_at: datetime | None
    erased: bool
    said: list[Said]
    grades: list[Grade]
    remarks: list[Remark]
    related: list[Line]


def tell(conn: Connection, consultation_id: str) -> Story | None:
    """The whole of a consultation; None if there is none."""
    c = consultations.c
    row = conn.execute(
        sa.select(c.citizen_id, c.closed_at, citizens.c.erased_at)
        .join(citizens, citizens.c.id == c.citizen_id)
        .where(c.id == consultation_id)
    ).first()
    if row is None:
        return None
    line = listing.one(conn, consultation_id)
    r = ratings.c
    x = rectifications.c
    graded = sa.select(r.given_at, r.grade, r.words, x.id, x.state, x.due_on).outerjoin_from(
        ratings, rectifications, x.rating_id == r.id
    )
    grades = conn.execute(graded.where(r.consultation_id == consultation_id).order_by(r.given_at))
    return Story(
        line,
        None if row.closed_at is None else from_ms(row.closed_at),
        row.erased_at is not None,
        _said(conn, consultation_id, row.citizen_id),
        [
            Grade(from_ms(one.given_at), one.grade, one.words, one.id or "", one.state or "", one.due_on or "")
            for one in grades
        ],
        _remarks(conn, consultation_id),
        [one for one in listing.of_citizen(conn, row.citizen_id, RELATED + 1) if one.id != consultation_id][:RELATED],
    )


def _said(conn: Connection, consultation_id: str, citizen_id: str) -> list[Said]:
    """In order of time; what came at the same moment in the order it was put on record."""
    names = {row.id: row.name for row in conn.execute(sa.select(staff.c.id, staff.c.name))}
    h, m = handoffs.c, handoff_messages.c
    held = list(conn.execute(sa.select(h.id).where(h.consultation_id == consultation_id)).scalars())
    messages = conn.execute(
        sa.select(handoff_messages).where(m.handoff_id.in_(held)).order_by(m.at, m.number)
    ).fetchall()
    # A citizen's message in a handoff is the inbox's message under that key, and there stands what the bot replied.
    keys = [row.key for row in messages if row.author == "citizen"]
    found = [
        *_exchanges(conn, consultation_id, citizen_id, keys),
        *_lawyers(conn, [row for row in messages if row.author not in {"citizen", "bot"}], names),
        *_events(conn, held, names),
        *_useful(conn, consultation_id),
    ]
    return sorted(found, key=lambda said: said.at)


def _exchanges(conn: Connection, consultation_id: str, citizen_id: str, keys: list[str]) -> Iterable[Said]:
    t = inbox.c
    rows = conn.execute(
        sa.select(inbox)
        .where(t.citizen_id == citizen_id, sa.or_(t.consultation_id == consultation_id, t.id.in_(keys)))
        .order_by(t.received_at, t.id)
    )
    for row in rows:
        at = from_ms(row.received_at)
        yield Said(at, "citizen", row.text, what=row.kind)
        if (reply := boxes.decode(row.reply)) is not None:
            yield Said(at, "bot", reply.visible, what=row.verdict, entry=row.entry_id)


def _lawyers(conn: Connection, rows: list[Any], names: dict[str, str]) -> Iterable[Said]:
    deliveries = threads.deliveries(conn, [row.id for row in rows])
    for row in rows:
        yield Said(
            from_ms(row.at),
            row.author,
            row.text,
            what=row.kind,
            by=names.get(row.staff_id or "", ""),
            entry=row.entry_id,
            delivery=deliveries.get(row.id),
        )


def _events(conn: Connection, held: list[str], names: dict[str, str]) -> Iterable[Said]:
    t = handoff_events.c
    # What is said shows by itself.
    shown = t.event.not_in(["said", "reply", "detail"])
    for row in conn.execute(sa.select(handoff_events).where(t.handoff_id.in_(held), shown).order_by(t.at, t.number)):
        by, other = names.get(row.staff_id or "", ""), names.get(row.other_id or "", "")
        yield Said(from_ms(row.at), "event", row.note, what=row.event, by=by, other=other)


def _useful(conn: Connection, consultation_id: str) -> Iterable[Said]:
    t = feedback.c
    for row in conn.execute(sa.select(feedback).where(t.consultation_id == consultation_id)):
        yield Said(from_ms(row.given_at), "useful", "", what="useful" if row.useful else "useless", entry=row.entry_id)


def _remarks(conn: Connection, consultation_id: str) -> list[Remark]:
    t = remarks.c
    rows = conn.execute(
        sa.select(remarks, staff.c.name)
        .join(staff, staff.c.id == t.staff_id)
        .where(t.consultation_id == consultation_id)
        .order_by(t.at, t.id)
    )
    return [Remark(row.id, row.staff_id, row.name, row.text, from_ms(row.at)) for row in rows]
