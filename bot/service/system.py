"""How the system stands, as one value: looked up in the store and on the disk, judged elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.service import backups, handoffs, notices, outbox
from bot.service.backups import Backup
from bot.store.database import Database

# What failed longer ago is history: nobody waits for it any more.
RECENT = timedelta(days=7)
LATE_NOTICE = timedelta(minutes=10)


class Disk(Protocol):
    """Bytes of a file system."""

    @property
    def total(self) -> int: ...  # noqa: D102
    @property
    def free(self) -> int: ...  # noqa: D102


DiskOf = Callable[[Path], Disk]


class Records(msgspec.Struct, frozen=True):
    """What the store tells. Counts are rows; `unsent` and `untold` are causes of failures with how often."""

    schema: str
    size: int
    queued: int
    outbox: dict[str, int] = msgspec.field(default_factory=dict)
    oldest_due: datetime | None = None
    unsent: dict[str, int] = msgspec.field(default_factory=dict)
    untold: dict[str, int] = msgspec.field(default_factory=dict)
    late_notices: int = 0
    backup: Backup | None = None


def records(conn: Connection, now: datetime) -> Records:
    """Look at the store."""
    since = now - RECENT
    return Records(
        schema=str(conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()),
        size=_size(conn),
        queued=handoffs.waiting(conn),
        outbox=outbox.waiting(conn),
        oldest_due=outbox.oldest_due(conn, now),
        unsent=outbox.failures(conn, since),
        untold=notices.failures(conn, since),
        late_notices=notices.overdue(conn, now - LATE_NOTICE),
        backup=backups.last(conn),
    )


def _size(conn: Connection) -> int:
    if conn.dialect.name == "postgresql":
        return int(conn.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())
    pages = int(conn.execute(sa.text("PRAGMA page_count")).scalar_one())
    return pages * int(conn.execute(sa.text("PRAGMA page_size")).scalar_one())


def place_of(db: Database) -> Path:
    """Where the data lies on this machine; with a database server, where we run."""
    return Path(db.url.database).resolve().parent if db.embedded and db.url.database else Path.cwd()
