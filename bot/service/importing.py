"""Content from files into the store: published as it stands, for whoever answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import LOCAL
from bot.ids import NewId
from bot.service import audit, county, editions
from bot.service.county import RefusedError
from bot.service.staff import COUNSEL, Member, read_row
from bot.store.tables import staff
from knowledge.entry import Confirmation, Entry
from knowledge.exchange import Parcel
from knowledge.load import KnowledgeBase
from knowledge.overlay import Reading, overlaid


class Done(msgspec.Struct, frozen=True):
    """What was new; `unknown` are lawyers nobody here is called by: a reading is nobody's but the reader's."""

    texts: int
    wordings: int
    readings: int
    retired: int
    unknown: tuple[str, ...]


def take_in(conn: Connection, new_id: NewId, base: KnowledgeBase, content: Parcel, login: str, now: datetime) -> Done:
    """Publish what differs from what is served now. RefusedError if nobody has this login."""
    row = conn.execute(sa.select(staff).where(staff.c.login == login, staff.c.disabled_at.is_(None))).first()
    if row is None:
        raise RefusedError(f"--as：没有登录名是“{login}”的在册同事")
    by = read_row(row)
    before = overlaid(base, county.overlay(conn, now)).entries
    wanted = content.overlay()
    texts = retired = wordings = 0
    for key, entry in wanted.texts.items():
        old = before.get(key)
        if (entry.version if entry else "") == (old.version if old else ""):
            continue
        editions.publish(conn, new_id, key, entry, by, now, based_on=old.version if old else "")
        texts, retired = texts + (entry is not None), retired + (entry is None)
    known = {one.text for one in county.attached(conn)}
    foreign = [("", text) for text in sorted(wanted.strangers)]
    for key, text in [*((key, text) for key, some in wanted.asked.items() for text in some), *foreign]:
        if text not in known:
            county.attach(conn, new_id, text, key, by, now)
            wordings += 1
    readings, unknown = _read(conn, wanted.readings, before)
    audit.write(
        conn, new_id, "knowledge.import", now=now, staff=by.id, detail=f"{texts} {retired} {wordings} {readings}"
    )
    return Done(texts, wordings, readings, retired, unknown)


def _read(
    conn: Connection, readings: Mapping[str, Reading], before: Mapping[str, Entry]
) -> tuple[int, tuple[str, ...]]:
    """Keep each reading under the name of the lawyer who did it."""
    members = [read_row(row) for row in conn.execute(sa.select(staff).where(staff.c.role.in_(COUNSEL)))]
    lawyers: dict[str, Member] = {one.title: one for one in members}
    unknown: dict[str, None] = {}
    kept = 0
    for key, reading in readings.items():
        said = reading.confirmation
        if said is None or (key in before and before[key].confirmed == said):
            continue
        if said.by not in lawyers:
            unknown[said.by] = None
            continue
        county.settle(conn, key, reading.version, "confirmed", lawyers[said.by].id, _noon(said))
        kept += 1
    return kept, tuple(unknown)


def _noon(said: Confirmation) -> datetime:
    """A moment of that day in the county."""
    return datetime.combine(said.on, time(12), LOCAL)
