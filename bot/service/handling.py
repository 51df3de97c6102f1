"""What a handoff does beyond its own row: the thread grows, the citizen is told, the consultation is kept in step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.handoff import subjects, wording
from bot.conversation.handoff.duty import Hours
from bot.conversation.handoff.machine import Event, Handoff, NotPossibleError
from bot.conversation.handoff.timing import Rules
from bot.conversation.turn import Duty, Outcome, Turn
from bot.ids import NewId
from bot.service import handoffs, media, staff, threads
from bot.service.citizens import Citizen
from bot.service.handoffs import Changed, ChangedError
from bot.service.staff import Member
from bot.service.threads import Message
from bot.store.tables import citizens, consultations
from bot.store.times import to_ms
from knowledge.reply import Reply

# What the office calls the ways a consultation can end, as its forms have them.
SERVICES = {
    "answered": "已解答",
    "legal_aid": "转法律援助",
    "mediation": "转人民调解",
    "notary": "建议公证",
    "arbitration": "建议仲裁",
    "litigation": "建议诉讼",
    "reconsideration": "建议复议",
    "petition": "转信访",
    "drafting": "代书",
    "other": "其他",
}
# How a handoff can end, for lawyers and in the figures.
ENDS = {
    "settled": "已办结",
    "cancelled": "群众取消",
    "idle": "群众未再回话",
    "abandoned": "群众一直没回话",
    "timed_out": "无人接待",
    "left": "群众已取消关注",
}
STILL_OPEN = "还没结束"
LONGEST = 5000


class Closing(msgspec.Struct, frozen=True):
    """How a lawyer closes: what it came to (a key of SERVICES), corrected kind and category, own words, minutes."""

    service: str
    kind: str
    category: str
    summary: str = ""
    minutes: int = 0


def duty_facts(conn: Connection, hours: Hours, handoff: Handoff | None, now: datetime) -> Duty:
    """What a citizen who wants a person must be told."""
    everyone = staff.counsel(conn)
    there = staff.on_duty(everyone, now, hours)
    place = handoffs.place_of(conn, handoff) if handoff else 0
    opens_at = now if there else hours.next_open(now)
    place = place or handoffs.waiting(conn) + 1
    return Duty(bool(everyone), len(there), place, handoffs.recent_waits(conn), opens_at)


def after_turn(
    conn: Connection,
    new_id: NewId,
    citizen: Citizen,
    turn: Turn,
    inbox_id: str,
    outcome: Outcome,
    consultation: str | None,
) -> str:
    """Let a turn's consequences for handoffs happen; returns the handoff concerned, or nothing."""
    said, handoff, inbound, now = outcome.record, turn.handoff, turn.inbound, turn.now
    kept = media.note(conn, new_id, citizen.id, inbox_id, inbound, now, wanted=handoff is not None)
    if said.request is not None and handoff is None:
        handoff = handoffs.request(conn, new_id, said.request, citizen.id, inbound.channel, consultation, now)
        media.want(conn, citizen.id, now)
        if consultation is not None:
            conn.execute(sa.update(consultations).where(consultations.c.id == consultation).values(handed=True))
    elif handoff is not None and inbound.kind != "event":
        handoffs.act(conn, new_id, handoff.id, Event("said"), now)
    if handoff is None:
        return ""
    if inbound.kind != "event":
        words = inbound.text[:LONGEST].replace("\x00", "")
        threads.add(conn, new_id, handoff.id, "citizen", words, now, kind=inbound.kind, media=kept, key=inbox_id)
        if outcome.say is not None:
            threads.add(conn, new_id, handoff.id, "bot", outcome.say.visible, now)
    for event in said.events:
        changed = handoffs.act(conn, new_id, handoff.id, event, now)
        _remember(conn, citizen.id, event)
        if changed.after.state == "closed":
            _close_consultation(conn, changed.after, now)
    return handoff.id


def _remember(conn: Connection, citizen_id: str, event: Event) -> None:
    if event.township:
        conn.execute(sa.update(citizens).where(citizens.c.id == citizen_id).values(township=event.township))


def happen(conn: Connection, new_id: NewId, handoff_id: str, event: Event, now: datetime) -> Changed:
    """Let staff or the clock act: on record, in the thread, and told to the citizen, all or nothing.

    NotPossibleError if it cannot happen now; ChangedError if somebody was a moment faster; KeyError if there is none.
    """
    changed = handoffs.act(conn, new_id, handoff_id, event, now)
    who = staff.member(conn, changed.after.lawyer or changed.before.lawyer)
    text = wording.told(event, changed.before, who.title if who else "律师")
    if text:
        rows = wording.rating_rows(handoff_id) if event.name == "close" else ()
        tell(conn, new_id, changed.after, Reply(text, rows), now)
    if changed.after.state == "closed":
        _close_consultation(conn, changed.after, now)
    return changed


def tell(conn: Connection, new_id: NewId, handoff: Handoff, reply: Reply, now: datetime) -> None:
    """Say something to the citizen in the office's name: in the thread and in the outbox."""
    message = threads.add(conn, new_id, handoff.id, "system", reply.visible, now)
    threads.say(conn, new_id, handoff.citizen, message, reply, now)


def lawyer_says(
    conn: Connection, new_id: NewId, handoff_id: str, by: str, text: str, key: str, now: datetime, *, entry: str = ""
) -> Message:
    """A lawyer's words to the citizen; sent again with the same key it is the same message."""
    handoffs.lock_citizen(conn, handoff_id)
    before = threads.by_key(conn, handoff_id, key)
    if before is not None:
        return before
    changed = handoffs.act(conn, new_id, handoff_id, Event("reply", by=by), now)
    message = threads.add(conn, new_id, handoff_id, "lawyer", text, now, staff=by, entry=entry, key=key)
    threads.say(conn, new_id, changed.after.citizen, message, Reply(text), now)
    return message


def note(conn: Connection, new_id: NewId, handoff_id: str, by: str, text: str, key: str, now: datetime) -> Message:
    """An internal note: the citizen never sees it."""
    handoffs.lock_citizen(conn, handoff_id)
    before = threads.by_key(conn, handoff_id, key)
    return before or threads.add(conn, new_id, handoff_id, "note", text, now, staff=by, key=key)


def close(conn: Connection, new_id: NewId, handoff_id: str, by: str, closing: Closing, now: datetime) -> Changed:
    """A lawyer closes: the legal-service record is made, and the citizen is asked for a rating."""
    changed = happen(conn, new_id, handoff_id, Event("close", by=by, note=closing.summary), now)
    who = staff.member(conn, by)
    if changed.after.consultation is not None:
        conn.execute(
            sa.update(consultations)
            .where(consultations.c.id == changed.after.consultation)
            .values(
                kind=closing.kind,
                category=closing.category,
                outcome="answered",
                handled_by=who.login if who else by,
                service=closing.service,
                summary=closing.summary[:2000],
                minutes=closing.minutes,
                township=changed.after.township,
            )
        )
    return changed


def sweep(conn: Connection, new_id: NewId, hours: Hours, rules: Rules, now: datetime) -> list[Changed]:
    """Let everything happen that time brings."""
    someone = bool(staff.on_duty(staff.counsel(conn), now, hours))
    happened = []
    for handoff, event in handoffs.overdue(conn, now, rules, someone_on_duty=someone):
        try:
            happened.append(happen(conn, new_id, handoff.id, Event(event), now))
        except (NotPossibleError, ChangedError):
            continue  # somebody acted in this very moment: nothing is overdue any more
    return happened


def drop_lawyer(conn: Connection, new_id: NewId, staff_id: str, now: datetime) -> list[Changed]:
    """A lawyer was disabled or is gone for good: everything they hold goes back to the queue."""
    held = [one for one in handoffs.open_ones(conn) if one.lawyer == staff_id]
    return [happen(conn, new_id, one.id, Event("vanish"), now) for one in held]


def offered_to(handoff: Handoff, there: Sequence[Member]) -> list[Member]:
    """Of those on duty, whom a waiting handoff is for: who covers its subject; everyone if none does, or it waited."""
    slug = subjects.of_category(handoff.category).slug
    covering = [one for one in there if not one.covers or slug in one.covers]
    return list(there) if handoff.escalation or not covering else covering


def _close_consultation(conn: Connection, handoff: Handoff, now: datetime) -> None:
    if handoff.consultation is not None:
        conn.execute(
            sa.update(consultations)
            .where(consultations.c.id == handoff.consultation, consultations.c.closed_at.is_(None))
            .values(closed_at=to_ms(now), last_at=to_ms(now), township=handoff.township)
        )
