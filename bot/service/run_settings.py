"""Settings changed while the service runs: what is kept of them, and who changed what."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service.audit import By
from bot.store.tables import run_settings, staff
from bot.store.times import from_ms, to_ms

_t = run_settings.c


class Kept(msgspec.Struct, frozen=True):
    """A changed setting: its value as text, who set it, and when."""

    value: str
    who: str
    at: datetime


def kept(conn: Connection) -> dict[str, Kept]:
    """Everything changed, by name."""
    statement = sa.select(run_settings, staff.c.name.label("who")).join_from(run_settings, staff)
    return {row.name: Kept(row.value, row.who, from_ms(row.at)) for row in conn.execute(statement)}


def put(conn: Connection, new_id: NewId, name: str, value: str, before: str, by: By, now: datetime) -> None:
    """Keep a value in place of what was there (`before`, for the record); None of it if nothing changes."""
    if value == before:
        return
    conn.execute(sa.delete(run_settings).where(_t.name == name))
    conn.execute(sa.insert(run_settings).values(name=name, value=value, staff_id=by.staff, at=to_ms(now)))
    by.write(conn, new_id, "setting_changed", now, subject=name, detail=f"{before} → {value}")


def reset(conn: Connection, new_id: NewId, name: str, by: By, now: datetime) -> bool:
    """Back to what the settings file says; whether anything else was there."""
    value = conn.execute(sa.select(_t.value).where(_t.name == name)).scalar()
    if value is None:
        return False
    conn.execute(sa.delete(run_settings).where(_t.name == name))
    by.write(conn, new_id, "setting_reset", now, subject=name, detail=str(value))
    return True
