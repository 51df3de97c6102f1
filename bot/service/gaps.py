"""What citizens asked and were not well answered: from the records, put together by likeness."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.masking import mask
from bot.store.tables import consultations, feedback, inbox, wordings
from bot.store.times import from_ms, to_ms
from knowledge.likeness import grouped
from knowledge.search.normalise import normalise

Why = Literal["none", "choices", "useless", "graded"]
WHY_NAMES: dict[Why, str] = {
    "none": "没答上",
    "choices": "给了选项没人点",
    "useless": "点了“没用”",
    "graded": "评价不满意",
}
BAD_GRADE = 2
# A group shows so many of its wordings; a wording is cut where no question goes on.
SHOWN, LONGEST = 8, 200
# A record page may hold a year: more than this is no question that staff go through one by one.
MOST = 50_000
_i, _c, _f = inbox.c, consultations.c, feedback.c


class Failed(msgspec.Struct, frozen=True):
    """A question as it was asked, and why it counts as badly answered; `entry` is what answered it, if anything did."""

    text: str
    why: Why
    entry: str
    at: int


class Gap(msgspec.Struct, frozen=True):
    """Questions that are alike. Wordings are masked; the first is the one most often used."""

    wordings: tuple[str, ...]
    count: int
    why: tuple[tuple[Why, int], ...]
    entries: tuple[str, ...]
    last: datetime


def failed(conn: Connection, since: datetime) -> list[Failed]:
    """Every badly answered question since then that nobody has settled, oldest first."""
    start = to_ms(since)
    settled = {normalise(text) for (text,) in conn.execute(sa.select(wordings.c.text))}
    rows = [*_unanswered(conn, start), *_useless(conn, start), *_graded(conn, start)]
    return [one for one in sorted(rows, key=lambda one: one.at) if normalise(one.text[:LONGEST]) not in settled]


def _unanswered(conn: Connection, start: int) -> list[Failed]:
    """No answer at all, or a choice of which the citizen took none."""
    given_up = sa.and_(_i.verdict == "choices", _c.outcome == "offered")
    statement = (
        sa.select(_i.text, _i.verdict, _i.received_at)
        .outerjoin(consultations, _c.id == _i.consultation_id)
        .where(_i.received_at >= start, _i.text != "", sa.or_(_i.verdict == "none", given_up))
        .order_by(_i.received_at.desc())
        .limit(MOST)
    )
    return [Failed(row.text, row.verdict, "", row.received_at) for row in conn.execute(statement)]


def _useless(conn: Connection, start: int) -> list[Failed]:
    before = (_i.citizen_id == _f.citizen_id) & (_i.entry_id == _f.entry_id) & (_i.received_at <= _f.given_at)
    asked = sa.select(sa.func.max(_i.id)).where(before, _i.verdict == "answer", _i.text != "").scalar_subquery()
    return _answered(conn, "useless", sa.select(asked).where(_f.useful.is_(False), _f.given_at >= start))


def _graded(conn: Connection, start: int) -> list[Failed]:
    # By citizen and time, which are indexed.
    within = (_i.citizen_id == _c.citizen_id) & (_i.received_at >= _c.opened_at) & (_i.consultation_id == _c.id)
    asked = sa.select(sa.func.min(_i.id)).where(within, _i.verdict == "answer", _i.text != "").scalar_subquery()
    bad = (_c.grade > 0) & (_c.grade <= BAD_GRADE) & (_c.opened_at >= start)
    return _answered(conn, "graded", sa.select(asked).where(bad))


def _answered(conn: Connection, why: Why, ids: sa.Select[tuple[str]]) -> list[Failed]:
    found = conn.execute(sa.select(_i.text, _i.entry_id, _i.received_at).where(_i.id.in_(ids)))
    return [Failed(row.text, why, row.entry_id, row.received_at) for row in found]


def asked_lately(conn: Connection, limit: int) -> list[str]:
    """The newest different questions that were searched for."""
    newest = (
        sa.select(_i.text, sa.func.max(_i.received_at).label("at"))
        .where(_i.verdict != "", _i.text != "")
        .group_by(_i.text)
        .order_by(sa.desc("at"))
        .limit(limit)
    )
    return [row.text for row in conn.execute(newest)]


def gaps(questions: Sequence[Failed]) -> list[Gap]:
    """Put together what is alike, biggest first. Pure; some seconds of computing for ten thousands of questions."""
    return [_gap([questions[one] for one in group]) for group in grouped([one.text for one in questions])]


def _gap(group: Sequence[Failed]) -> Gap:
    texts = list(dict.fromkeys(one.text for one in group))[:SHOWN]
    why = Counter(one.why for one in group)
    return Gap(
        wordings=tuple(dict.fromkeys(" ".join(mask(text).split())[:LONGEST] for text in texts)),
        count=len(group),
        why=tuple(why.most_common()),
        entries=tuple(dict.fromkeys(one.entry for one in group if one.entry)),
        last=from_ms(max(one.at for one in group)),
    )


def open_gaps(found: Sequence[Gap], answers: Callable[[str], bool], limit: int) -> tuple[list[Gap], int]:
    """The biggest that are still gaps, and how many of those looked at are answered by now.

    A question that found nothing and finds an answer today is settled; a bad answer stays until somebody attends to it.
    """
    kept: list[Gap] = []
    settled = 0
    for gap in found:
        if len(kept) >= limit:
            break
        if not gap.entries and answers(gap.wordings[0]):
            settled += 1
        else:
            kept.append(gap)
    return kept, settled
