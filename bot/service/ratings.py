"""Ratings (好差评): one for each handoff and one for each matter the bot answered, by the citizen it was for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.counting import SILENCE
from bot.conversation.rating import BAD, REMEMBERED, Moment
from bot.conversation.turn import Rated, Rating
from bot.ids import NewId
from bot.service import rectifications
from bot.service.rectifications import Terms
from bot.store.tables import consultations, feedback, handoffs, ratings
from bot.store.times import from_ms, to_ms

_c = consultations.c
# A grade typed, not tapped, is for what a lawyer closed so lately.
TYPED = timedelta(hours=48)


def give(conn: Connection, new_id: NewId, citizen_id: str, rating: Rating, terms: Terms, now: datetime) -> None:
    """Record a grade, or words to one; a second grade replaces the first, of others' matters nothing is changed.

    A bad grade opens a rectification. A grade closes what the bot answered.
    """
    consultation = _owned(conn, citizen_id, rating.of)
    if consultation is None:
        return
    this = _this(rating.of)
    if not rating.grade:
        conn.execute(sa.update(ratings).where(this).values(words=rating.words))
        return
    close = {} if rating.of.handoff else {"closed_at": sa.func.coalesce(_c.closed_at, to_ms(now))}
    conn.execute(sa.update(consultations).where(_c.id == consultation).values(grade=rating.grade, **close))
    row_id = conn.execute(sa.select(ratings.c.id).where(this)).scalar()
    if row_id is not None:
        conn.execute(sa.update(ratings).where(this).values(grade=rating.grade, given_at=to_ms(now)))
    else:
        row_id = _insert(conn, new_id(), citizen_id, consultation, rating, now)
    if rating.grade <= BAD:
        due = terms.due(now)
        rectifications.open_for(conn, new_id, row_id, citizen_id, consultation or None, due, now)


def _insert(conn: Connection, row_id: str, citizen_id: str, consultation: str, rating: Rating, now: datetime) -> str:
    conn.execute(
        sa.insert(ratings).values(
            id=row_id,
            citizen_id=citizen_id,
            consultation_id=consultation or None,
            handoff_id=rating.of.handoff or None,
            grade=rating.grade,
            words=rating.words,
            given_at=to_ms(now),
        )
    )
    return row_id


def _owned(conn: Connection, citizen_id: str, of: Rated) -> str | None:
    """The consultation rated (empty: a handoff without one); None if it is not this citizen's to rate."""
    if not of.handoff:
        mine = sa.select(_c.id).where(_c.id == of.consultation, _c.citizen_id == citizen_id)
        return conn.execute(mine).scalar()
    row = conn.execute(
        sa.select(handoffs.c.citizen_id, handoffs.c.consultation_id).where(handoffs.c.id == of.handoff)
    ).first()
    return None if row is None or row.citizen_id != citizen_id else row.consultation_id or ""


def _this(of: Rated) -> sa.ColumnElement[bool]:
    if of.handoff:
        return ratings.c.handoff_id == of.handoff
    return sa.and_(ratings.c.consultation_id == of.consultation, ratings.c.handoff_id.is_(None))


def rateable(conn: Connection, citizen_id: str, moment: Moment, now: datetime) -> Rated | None:
    """What a grade could be asked for at such a moment: the citizen's last matter, if it ended well and has none yet."""
    if not moment:
        return None
    if moment == "typed":
        return _closed_lately(conn, citizen_id, now)
    last = conn.execute(
        sa.select(_c.id, _c.outcome, _c.handed, _c.grade, _c.handled_by, _c.last_at)
        .where(_c.citizen_id == citizen_id)
        .order_by(_c.last_at.desc(), _c.id.desc())
        .limit(1)
    ).first()
    if last is None or last.outcome != "answered" or last.handed or last.grade or last.handled_by != "bot":
        return None
    silent = SILENCE if moment == "later" else timedelta()
    fits = to_ms(now - REMEMBERED) < last.last_at <= to_ms(now - silent)
    return Rated(consultation=last.id) if fits else None


def _closed_lately(conn: Connection, citizen_id: str, now: datetime) -> Rated | None:
    h = handoffs.c
    row = conn.execute(
        sa.select(h.id, ratings.c.id.label("rating"))
        .outerjoin_from(handoffs, ratings, ratings.c.handoff_id == h.id)
        .where(h.citizen_id == citizen_id, h.ended == "settled", h.closed_at > to_ms(now - TYPED))
        .order_by(h.closed_at.desc())
        .limit(1)
    ).first()
    return None if row is None or row.rating else Rated(row.id)


@dataclass(slots=True)
class Verdicts:
    """What citizens said of one entry: 有用 / 没用 below the answer, and grades of the consultations it was given in."""

    entry: str
    useful: int = 0
    useless: int = 0
    grades: dict[int, int] = field(default_factory=dict)

    @property
    def rated(self) -> int:
        """Grades in all."""
        return sum(self.grades.values())

    @property
    def bad(self) -> int:
        """Voices that were not content."""
        return self.useless + sum(count for grade, count in self.grades.items() if grade <= BAD)

    @property
    def voices(self) -> int:
        """Voices in all."""
        return self.useful + self.useless + self.rated

    @property
    def rate(self) -> float:
        """Share of bad voices, 0 to 1."""
        return self.bad / self.voices if self.voices else 0.0


class Voice(msgspec.Struct, frozen=True):
    """One word on an answer: of which entry, when, and whether whoever said it was not content."""

    entry: str
    at: datetime
    bad: bool


def voices(conn: Connection, since: datetime) -> list[Voice]:
    """Everything said of answers since then: 有用 / 没用, and grades."""
    f, r = feedback.c, ratings.c
    taps = sa.select(f.entry_id, f.given_at, f.useful).where(f.given_at >= to_ms(since))
    graded = (
        sa.select(_c.entry_id, r.given_at, r.grade)
        .join_from(ratings, consultations, _c.id == r.consultation_id)
        .where(r.given_at >= to_ms(since), _c.entry_id != "")
    )
    found = [Voice(row.entry_id, from_ms(row.given_at), not row.useful) for row in conn.execute(taps)]
    return found + [Voice(row.entry_id, from_ms(row.given_at), row.grade <= BAD) for row in conn.execute(graded)]


def by_entry(conn: Connection, start: datetime, end: datetime) -> list[Verdicts]:
    """What was said of each entry from `start` until before `end`, those with most bad voices first."""
    found: dict[str, Verdicts] = {}

    def of(entry: str) -> Verdicts:
        return found.setdefault(entry, Verdicts(entry))

    f = feedback.c
    said = sa.select(f.entry_id, f.useful, sa.func.count().label("n")).where(_within(f.given_at, start, end))
    for row in conn.execute(said.group_by(f.entry_id, f.useful)):
        if row.useful:
            of(row.entry_id).useful += row.n
        else:
            of(row.entry_id).useless += row.n
    graded = (
        sa.select(_c.entry_id, ratings.c.grade, sa.func.count().label("n"))
        .join_from(ratings, consultations, _c.id == ratings.c.consultation_id)
        .where(_within(ratings.c.given_at, start, end), _c.entry_id != "")
    )
    for row in conn.execute(graded.group_by(_c.entry_id, ratings.c.grade)):
        of(row.entry_id).grades[row.grade] = row.n
    return sorted(found.values(), key=lambda one: (-one.bad, -one.rate, -one.voices, one.entry))


def grades(conn: Connection, start: datetime, end: datetime) -> dict[int, int]:
    """How often each grade was given from `start` until before `end`."""
    statement = sa.select(ratings.c.grade, sa.func.count()).where(_within(ratings.c.given_at, start, end))
    return {row[0]: row[1] for row in conn.execute(statement.group_by(ratings.c.grade))}


def _within(column: sa.ColumnElement[Any], start: datetime, end: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(column >= to_ms(start), column < to_ms(end))
