"""The county's own content in the store: what is laid over the shipped files, and as of when."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from bot.conversation.turn import LOCAL
from bot.ids import NewId
from bot.service import audit
from bot.service.staff import Member, read_row
from bot.store.tables import confirmations, entry_versions, staff, wordings
from bot.store.times import from_ms, to_ms
from knowledge.entry import Confirmation, Entry
from knowledge.overlay import Overlay, Reading, decoded
from knowledge.search.normalise import normalise

log = structlog.get_logger("county")
_v, _w, _c = entry_versions.c, wordings.c, confirmations.c
WORDING_LIMIT = 200


class RefusedError(Exception):
    """It cannot be done; the message is a sentence for the person."""


class Wording(msgspec.Struct, frozen=True):
    """A real question that somebody attached to an entry; without an entry it is not ours."""

    id: str
    text: str
    entry: str
    by: str
    at: datetime


def stamp(conn: Connection, now: datetime) -> tuple[Any, ...]:
    """Changes whenever what is to be served changes."""
    due = (_v.state == "published") & (_v.publish_at <= to_ms(now))
    texts = sa.select(sa.func.count(), sa.func.max(_v.published_at), sa.func.max(_v.publish_at)).where(due)
    asked = sa.select(sa.func.count(), sa.func.max(_w.at)).select_from(wordings)
    read = sa.select(sa.func.count(), sa.func.max(_c.at)).select_from(confirmations)
    return tuple(value for one in (texts, asked, read) for value in conn.execute(one).one())


def overlay(conn: Connection, now: datetime) -> Overlay:
    """All of it, as it is to be served at a moment. A text this version of the program cannot read is left out, and said."""
    asked: dict[str, list[str]] = defaultdict(list)
    for row in conn.execute(sa.select(wordings).order_by(_w.id)):
        asked[row.entry_id].append(row.text)
    strangers = frozenset(asked.pop("", ()))
    return Overlay(_texts(conn, now), {key: tuple(texts) for key, texts in asked.items()}, _readings(conn), strangers)


def _texts(conn: Connection, now: datetime) -> dict[str, Entry | None]:
    due = (
        sa.select(_v.entry_id, _v.body).where(_v.state == "published", _v.publish_at <= to_ms(now)).order_by(_v.number)
    )
    found: dict[str, Entry | None] = {}
    for row in conn.execute(due):
        try:
            found[row.entry_id] = decoded(row.body) if row.body else None
        except ValueError as error:
            log.error("unreadable_entry", entry=row.entry_id, error=str(error))  # noqa: TRY400
    return found


def _readings(conn: Connection) -> dict[str, Reading]:
    rows = conn.execute(
        sa.select(_c.entry_id, _c.version, _c.verdict, _c.at, staff).join(staff, staff.c.id == _c.staff_id)
    )
    return {row.entry_id: _reading(row) for row in rows}


def _reading(row: Any) -> Reading:
    if row.verdict == "retired":
        return Reading(row.version, None)
    day = from_ms(row.at).astimezone(LOCAL).date()
    return Reading(row.version, Confirmation(by=read_row(row).title, on=day))


def attach(conn: Connection, new_id: NewId, text: str, entry_id: str, by: Member, now: datetime) -> None:
    """Let a real question find an entry; with no entry, say that it is not ours. The last word on a question counts."""
    text = " ".join(text.split())[:WORDING_LIMIT]
    if not normalise(text):
        raise RefusedError("问法是空的，请写上群众的原话。")
    # By its text: two people may settle the same question at once.
    conn.execute(sa.delete(wordings).where(_w.text == text))
    conn.execute(sa.insert(wordings).values(id=new_id(), text=text, entry_id=entry_id, staff_id=by.id, at=to_ms(now)))
    audit.write(conn, new_id, "knowledge.attach", now=now, staff=by.id, subject=entry_id, detail=text)


def detach(conn: Connection, new_id: NewId, wording_id: str, by: Member, now: datetime) -> None:
    """Take an attached question away again."""
    row = conn.execute(sa.delete(wordings).where(_w.id == wording_id).returning(_w.entry_id, _w.text)).first()
    if row is not None:
        audit.write(conn, new_id, "knowledge.detach", now=now, staff=by.id, subject=row.entry_id, detail=row.text)


def attached(conn: Connection, entry_id: str | None = None) -> list[Wording]:
    """What was attached, newest first: to one entry, or everything."""
    chosen = sa.select(wordings, staff.c.name).join(staff, staff.c.id == _w.staff_id).order_by(_w.id.desc())
    if entry_id is not None:
        chosen = chosen.where(_w.entry_id == entry_id)
    return [Wording(row.id, row.text, row.entry_id, row.name, from_ms(row.at)) for row in conn.execute(chosen)]


def read(
    conn: Connection, new_id: NewId, entry: Entry, by: Member, now: datetime, *, version: str, retire: bool = False
) -> None:
    """A lawyer confirms the text they read, or takes it out of service; RefusedError if it reads differently now."""
    if entry.version != version:
        raise RefusedError("这一条刚刚被改过，请看过新的文字再决定。")
    verdict = "retired" if retire else "confirmed"
    settle(conn, entry.id, version, verdict, by.id, now)
    audit.write(conn, new_id, f"knowledge.{verdict}", now=now, staff=by.id, subject=entry.id, detail=version)


def settle(conn: Connection, entry_id: str, version: str, verdict: str, staff_id: str, now: datetime) -> None:
    """Keep what a lawyer made of a text."""
    conn.execute(sa.delete(confirmations).where(_c.entry_id == entry_id))
    values = {"entry_id": entry_id, "version": version, "verdict": verdict, "staff_id": staff_id, "at": to_ms(now)}
    conn.execute(sa.insert(confirmations).values(values))


def unread(conn: Connection, new_id: NewId, entry_id: str, by: Member, now: datetime) -> None:
    """Take a confirmation or retirement back."""
    if conn.execute(sa.delete(confirmations).where(_c.entry_id == entry_id)).rowcount:
        audit.write(conn, new_id, "knowledge.unread", now=now, staff=by.id, subject=entry_id)
