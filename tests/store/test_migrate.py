"""The migrations build exactly the tables that the code declares, on both engines."""

from __future__ import annotations

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.store import migrate as migrating
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.tables import metadata


def test_migrations_and_tables_agree(db: Database) -> None:
    with db.engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_head_names_the_newest_revision() -> None:
    script = ScriptDirectory(str(migrating._FOLDER))
    assert script.get_current_head() == migrating.HEAD


def test_several_processes_may_migrate_at_once(postgres_url: str) -> None:
    opened = [Database(postgres_url) for _ in range(3)]
    faults: list[BaseException] = []

    def run(db: Database) -> None:
        try:
            migrate(db.engine)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            faults.append(error)

    threads = [threading.Thread(target=run, args=(db,)) for db in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for db in opened:
        db.close()
    assert faults == []


def test_migrating_again_changes_nothing(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alembic.command.upgrade", lambda *_: pytest.fail("it was up to date"))
    migrate(db.engine)
