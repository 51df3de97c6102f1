"""Export jobs: asked for by staff, written by a process of their own, kept for a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.ids import NewId
from bot.service import audit
from bot.service.staff import Member
from bot.store.tables import exports
from bot.store.times import from_ms, to_ms

Format = Literal["xlsx", "csv"]
State = Literal["waiting", "running", "ready", "failed"]
FORMATS: tuple[Format, ...] = ("xlsx", "csv")
# Whoever writes says so again and again, on a busy machine seldom; after this long they are taken for dead.
SILENT = timedelta(minutes=10)
KEPT = timedelta(days=1)
LISTED = 30
# Of one member at once; a click too many must not fill the line.
MOST_WAITING = 5
CRASHED = "写到一半中断了，请再试一次。"
_t = exports.c


class Export(msgspec.Struct, frozen=True):
    """A job. `size` is that of the file in bytes, 0 when there is none (yet, or any more)."""

    id: str
    staff: str
    query: str
    format: Format
    masked: bool
    state: State
    done: int
    total: int
    error: str
    size: int
    created_at: datetime
    finished_at: datetime | None


def ask(
    conn: Connection, new_id: NewId, by: Member, query: str, format_: Format, now: datetime, *, reason: str = ""
) -> str:
    """Ask for an export, with a reason an unmasked one; returns its id, empty if too many wait already."""
    waiting = sa.select(sa.func.count()).where(_t.staff_id == by.id, _t.state.in_(["waiting", "running"]))
    if conn.execute(waiting).scalar_one() >= MOST_WAITING:
        return ""
    row_id, moment = new_id(), to_ms(now)
    conn.execute(
        sa.insert(exports).values(
            id=row_id, staff_id=by.id, query=query, format=format_, masked=not reason, state="waiting", done=0, total=0,
            error="", content=None, created_at=moment, touched_at=moment, finished_at=None,
        )
    )  # fmt: skip
    action = "record.export_unmasked" if reason else "record.export"
    detail = f"{format_} {query}" + (f" {reason}" if reason else "")
    audit.write(conn, new_id, action, now=now, staff=by.id, subject=row_id, detail=detail)
    return row_id


def claim(conn: Connection, export_id: str, now: datetime) -> Export | None:
    """Take a waiting job; None if somebody else has it, or it is not there."""
    moment = to_ms(now)
    taken = conn.execute(
        sa.update(exports)
        .where(_t.id == export_id, _t.state == "waiting")
        .values(state="running", done=0, error="", touched_at=moment)
    )
    return get(conn, export_id) if taken.rowcount else None


def progress(conn: Connection, export_id: str, done: int, total: int, now: datetime) -> None:
    """A sign of life."""
    conn.execute(
        sa.update(exports)
        .where(_t.id == export_id, _t.state == "running")
        .values(done=done, total=total, touched_at=to_ms(now))
    )


def finish(conn: Connection, export_id: str, content: bytes, rows: int, now: datetime) -> None:
    """It is written."""
    moment = to_ms(now)
    conn.execute(
        sa.update(exports)
        .where(_t.id == export_id, _t.state == "running")
        .values(state="ready", content=content, done=rows, total=rows, touched_at=moment, finished_at=moment)
    )


def fail(conn: Connection, export_id: str, why: str, now: datetime) -> None:
    """It cannot be written, or whoever wrote it is gone."""
    conn.execute(
        sa.update(exports)
        .where(_t.id == export_id, _t.state.in_(["waiting", "running"]))
        .values(state="failed", error=why[:200], finished_at=to_ms(now))
    )


def retry(conn: Connection, new_id: NewId, by: Member, export_id: str, now: datetime) -> bool:
    """Let a failed job of theirs, or one whose file is gone, wait again; False if there is none."""
    again = sa.or_(_t.state == "failed", sa.and_(_t.state == "ready", _t.content.is_(None)))
    changed = conn.execute(
        sa.update(exports)
        .where(_t.id == export_id, _t.staff_id == by.id, again)
        .values(state="waiting", done=0, total=0, error="", touched_at=to_ms(now), finished_at=None)
    )
    if changed.rowcount:
        audit.write(conn, new_id, "record.export_again", now=now, staff=by.id, subject=export_id)
    return bool(changed.rowcount)


def sweep(conn: Connection, now: datetime) -> None:
    """Mark as failed what nobody writes any more; remove the files of yesterday."""
    conn.execute(
        sa.update(exports)
        .where(_t.state == "running", _t.touched_at <= to_ms(now - SILENT))
        .values(state="failed", error=CRASHED, finished_at=to_ms(now))
    )
    old = sa.and_(_t.content.is_not(None), _t.finished_at <= to_ms(now - KEPT))
    conn.execute(sa.update(exports).where(old).values(content=None))


def next_waiting(conn: Connection) -> str:
    """The job that has waited longest; empty if none does."""
    return (
        conn.execute(sa.select(_t.id).where(_t.state == "waiting").order_by(_t.touched_at, _t.id).limit(1)).scalar()
        or ""
    )


def get(conn: Connection, export_id: str) -> Export | None:
    """A job."""
    row = conn.execute(_listed().where(_t.id == export_id)).first()
    return None if row is None else _read(row)


def of(conn: Connection, member: Member) -> list[Export]:
    """The member's last jobs, newest first."""
    return [
        _read(row)
        for row in conn.execute(_listed().where(_t.staff_id == member.id).order_by(_t.id.desc()).limit(LISTED))
    ]


def fetch(conn: Connection, new_id: NewId, by: Member, export_id: str, now: datetime) -> tuple[Export, bytes] | None:
    """An own file; None if there is none. Taking it away is on record."""
    found = get(conn, export_id)
    if found is None or found.staff != by.id or not found.size:
        return None
    content = conn.execute(sa.select(_t.content).where(_t.id == export_id)).scalar_one()
    audit.write(conn, new_id, "record.export_fetched", now=now, staff=by.id, subject=export_id)
    return found, bytes(content)


def _listed() -> sa.Select[Any]:
    columns = [column for column in exports.columns if column.name != "content"]
    return sa.select(*columns, sa.func.coalesce(sa.func.length(_t.content), 0).label("size"))


def _read(row: Any) -> Export:
    ended = None if row.finished_at is None else from_ms(row.finished_at)
    return Export(
        row.id, row.staff_id, row.query, cast(Format, row.format), row.masked, cast(State, row.state), row.done,
        row.total, row.error, row.size, from_ms(row.created_at), ended,
    )  # fmt: skip
