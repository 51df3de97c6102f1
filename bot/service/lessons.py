"""普法: what staff scheduled for which day, and how its quizzes were answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import Answered, Lesson
from bot.ids import NewId
from bot.service import audit
from bot.store.tables import lesson_answers, lessons
from bot.store.times import to_ms

_t, _a = lessons.c, lesson_answers.c
_ENCODE = msgspec.json.Encoder()
_DECODE = msgspec.json.Decoder(tuple[str, ...])


class Planned(msgspec.Struct, frozen=True):
    """A lesson on the calendar, with how many answered it and how many of them rightly."""

    day: date
    lesson: Lesson
    answers: int
    right: int


def wanted(conn: Connection, wish: str, day: date) -> Lesson | None:
    """What a citizen asked for: the quiz of this id, or the newest entry or quiz up to this day."""
    statement = sa.select(lessons)
    if wish.startswith("id:"):
        statement = statement.where(_t.id == wish.removeprefix("id:"))
    else:
        statement = statement.where(_t.kind == wish, _t.day <= day.isoformat()).order_by(_t.day.desc()).limit(1)
    row = conn.execute(statement).first()
    return None if row is None else _read(row)


def answer(conn: Connection, citizen_id: str, said: Answered, now: datetime) -> None:
    """Count an answer; only the first one of a citizen counts."""
    mine = sa.and_(_a.lesson_id == said.lesson, _a.citizen_id == citizen_id)
    if conn.execute(sa.select(_a.choice).where(mine)).first():
        return
    conn.execute(
        sa.insert(lesson_answers).values(
            lesson_id=said.lesson, citizen_id=citizen_id, choice=said.choice, at=to_ms(now)
        )
    )


def between(conn: Connection, first: date, last: date) -> list[Planned]:
    """What is planned from one day to another, both included."""
    chosen = _planned().where(_t.day.between(first.isoformat(), last.isoformat())).order_by(_t.day, _t.kind)
    return [_read_planned(row) for row in conn.execute(chosen)]


def get(conn: Connection, row_id: str) -> Planned | None:
    """One lesson."""
    row = conn.execute(_planned().where(_t.id == row_id)).first()
    return None if row is None else _read_planned(row)


def _planned() -> sa.Select[Any]:
    """Lessons with the number of their answers, and of the right ones."""
    answers = sa.select(sa.func.count()).where(_a.lesson_id == _t.id).scalar_subquery()
    right = sa.select(sa.func.count()).where(_a.lesson_id == _t.id, _a.choice == _t.answer).scalar_subquery()
    return sa.select(lessons, answers.label("answers"), right.label("rightly"))


def _read_planned(row: Any) -> Planned:
    return Planned(date.fromisoformat(row.day), _read(row), row.answers, row.rightly)


def on(conn: Connection, day: date, kind: str) -> Lesson | None:
    """What is planned for a day."""
    row = conn.execute(sa.select(lessons).where(_t.day == day.isoformat(), _t.kind == kind)).first()
    return None if row is None else _read(row)


def plan(conn: Connection, new_id: NewId, day: date, lesson: Lesson, staff_id: str, now: datetime) -> str:
    """Put a lesson on the calendar, or change what stands there for that day and kind. Returns its id."""
    values = {
        "entry_id": lesson.entry,
        "question": lesson.question,
        "options": _ENCODE.encode(lesson.options).decode(),
        "answer": lesson.answer,
        "explanation": lesson.explanation,
        "staff_id": staff_id,
    }
    found = on(conn, day, lesson.kind)
    row_id = found.id if found else new_id()
    if found is not None:
        conn.execute(sa.update(lessons).where(_t.id == row_id).values(**values))
    else:
        fixed = {"id": row_id, "day": day.isoformat(), "kind": lesson.kind, "created_at": to_ms(now)}
        conn.execute(sa.insert(lessons).values(**fixed, **values))
    audit.write(conn, new_id, "lesson.plan", now=now, staff=staff_id, subject=row_id, detail=f"{day} {lesson.kind}")
    return row_id


def drop(conn: Connection, new_id: NewId, row_id: str, staff_id: str, now: datetime) -> bool:
    """Take a lesson off the calendar; False if it is gone, or was answered already and stays for the count."""
    if conn.execute(sa.select(_a.choice).where(_a.lesson_id == row_id).limit(1)).first():
        return False
    if not conn.execute(sa.delete(lessons).where(_t.id == row_id)).rowcount:
        return False
    audit.write(conn, new_id, "lesson.drop", now=now, staff=staff_id, subject=row_id)
    return True


def _read(row: Any) -> Lesson:
    return Lesson(
        row.id, row.kind, row.entry_id, row.question, _DECODE.decode(row.options), row.answer, row.explanation
    )
