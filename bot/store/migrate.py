"""Bring a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

HEAD = "0004"
_FOLDER = Path(__file__).parent / "migrations"
# Any number will do, as long as all our processes take the same lock.
_LOCK = 7_203_411


def migrate(engine: Engine) -> None:
    """Upgrade to HEAD; does nothing when already there. Several processes may call it at once."""
    with engine.connect() as conn:
        if _version(conn) == HEAD:
            return
    # Alembic takes a quarter of a second to import; only a changed schema pays for it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    with engine.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


def _version(conn: Connection) -> str | None:
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
