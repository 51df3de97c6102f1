"""When the last backup was made: noted by the command that makes them, shown to those who answer for them."""

from __future__ import annotations

import json
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store.tables import meta
from bot.store.times import from_ms, to_ms

_NAME = "backup"


class Backup(msgspec.Struct, frozen=True):
    """A backup that was made and verified: when, where, how many bytes."""

    at: datetime
    place: str
    size: int


def remember(conn: Connection, made: Backup) -> None:
    """In place of the one before."""
    conn.execute(sa.delete(meta).where(meta.c.name == _NAME))
    value = json.dumps({"at": to_ms(made.at), "place": made.place, "size": made.size})
    conn.execute(sa.insert(meta).values(name=_NAME, value=value))


def last(conn: Connection) -> Backup | None:
    """The newest, if there was any."""
    found = conn.execute(sa.select(meta.c.value).where(meta.c.name == _NAME)).scalar()
    if found is None:
        return None
    value = json.loads(found)
    return Backup(from_ms(value["at"]), value["place"], value["size"])
