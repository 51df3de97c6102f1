"""Consultations: opened, continued and closed by the counting rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.counting import SILENCE, Begin, Continue, Nothing, OpenConsultation, count
from bot.conversation.turn import Matter, Record
from bot.ids import NewId
from bot.service.citizens import Citizen
from bot.store.prepared import Prepared
from bot.store.tables import consultation_words, consultations, handoffs
from bot.store.times import to_ms

_t = consultations.c
_BEGIN = Prepared(sa.insert(consultations))
_RANK = sa.case((_t.outcome == "referred", 3), (_t.outcome == "answered", 2), (_t.outcome == "offered", 1), else_=0)
_NEW_RANK = sa.bindparam("rank", type_=sa.Integer)


def _filled(name: str) -> sa.Case[str]:
    """The new value where it says something, the old one otherwise."""
    new = sa.bindparam(f"new_{name}", type_=_t[name].type)
    return sa.case((new != "", new), else_=_t[name])


_CONTINUE = Prepared(
    sa.update(consultations)
    .where(_t.id == sa.bindparam("consultation"))
    .values(
        kind=_filled("kind"),
        category=_filled("category"),
        entry_id=_filled("entry_id"),
        entry_version=_filled("entry_version"),
        verdict=_filled("verdict"),
        confidence=sa.case((_NEW_RANK >= _RANK, sa.bindparam("new_confidence", type_=sa.Float)), else_=_t.confidence),
        outcome=sa.case((_NEW_RANK >= _RANK, sa.bindparam("new_outcome", type_=sa.String)), else_=_t.outcome),
        urgent=sa.or_(_t.urgent, sa.bindparam("new_urgent", type_=sa.Boolean)),
        messages=_t.messages + 1,
        last_at=sa.bindparam("now", type_=sa.BigInteger),
    )
)
_w = consultation_words.c
# Enough to find a matter by what was said in it; the messages themselves are in the inbox.
MOST_WORDS = 2000
_WORDS = Prepared(sa.insert(consultation_words))
_MORE_WORDS = Prepared(
    sa.update(consultation_words)
    .where(_w.consultation_id == sa.bindparam("consultation"), sa.func.length(_w.words) < MOST_WORDS)
    .values(words=_w.words + "\n" + sa.bindparam("more", type_=sa.Text))
)
_RANKS = {"unanswered": 0, "offered": 1, "answered": 2, "referred": 3}


def record(
    conn: Connection,
    citizen: Citizen,
    running: Sequence[OpenConsultation],
    channel: str,
    said: Record,
    text: str,
    now: datetime,
    new_id: NewId,
) -> str | None:
    """Count a turn in which the citizen said `text`; returns the consultation it belongs to, None if it counts nothing."""
    decision = count(running, said.matter, now)
    match decision:
        case Begin(matter):
            consultation = new_id()
            _begin(conn, citizen, channel, said, matter, now, consultation)
            _WORDS(conn, consultation_id=consultation, words=_kept(text))
            return consultation
        case Continue(id=consultation, matter=matter):
            _continue(conn, consultation, said, matter, now)
            if text:
                _MORE_WORDS(conn, consultation=consultation, more=_kept(text))
            return consultation
        case Nothing():
            return None


def _kept(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())[:MOST_WORDS]


def _begin(
    conn: Connection, citizen: Citizen, channel: str, said: Record, matter: Matter, now: datetime, row_id: str
) -> None:
    moment = to_ms(now)
    _BEGIN(
        conn,
        id=row_id,
        citizen_id=citizen.id,
        channel=channel,
        kind=matter.kind,
        category=matter.category,
        entry_id=said.entry,
        entry_version=said.version,
        verdict=said.verdict,
        confidence=said.confidence,
        outcome=matter.outcome,
        first_outcome=matter.outcome,
        handed=False,
        grade=0,
        handled_by="bot",
        service="",
        summary="",
        minutes=0,
        township=citizen.township,
        urgent=matter.urgent,
        messages=1,
        opened_at=moment,
        last_at=moment,
        closed_at=None,
    )


def _continue(conn: Connection, consultation: str, said: Record, matter: Matter, now: datetime) -> None:
    _CONTINUE(
        conn,
        consultation=consultation,
        new_kind=matter.kind,
        new_category=matter.category,
        new_entry_id=said.entry,
        new_entry_version=said.version,
        new_verdict=said.verdict,
        new_confidence=said.confidence,
        new_outcome=matter.outcome,
        new_urgent=matter.urgent,
        rank=_RANKS[matter.outcome],
        now=to_ms(now),
    )


def close_silent(conn: Connection, now: datetime) -> int:
    """Close what has been silent for 24 hours, as of the moment the 24 hours were over; returns how many.

    A matter in a lawyer's hands, or waiting for them, stays open until the handoff ends.
    """
    silence = int(SILENCE.total_seconds() * 1000)
    in_hand = sa.select(handoffs.c.consultation_id).where(
        handoffs.c.closed_at.is_(None), handoffs.c.consultation_id.is_not(None)
    )
    statement = (
        sa.update(consultations)
        .where(_t.closed_at.is_(None), _t.last_at <= to_ms(now) - silence, _t.id.not_in(in_hand))
        .values(closed_at=_t.last_at + silence)
    )
    return conn.execute(statement).rowcount
