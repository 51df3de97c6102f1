"""The migrations build exactly the tables that the code declares, on both engines."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
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


def test_what_is_on_record_gets_the_new_columns(database_url: str) -> None:
    db = Database(database_url)
    config = Config()
    config.set_main_option("script_location", str(migrating._FOLDER))
    with db.engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0002")
        conn.execute(sa.text("INSERT INTO citizens (id, channel, address, subscribed, township, state, allowance, "
            "window_until, created_at, seen_at) VALUES ('c', 'web', 'a', true, '', '{}', 0, 0, 1, 1)"))  # fmt: skip
        conn.execute(sa.text("INSERT INTO consultations (id, citizen_id, channel, kind, category, entry_id, "
            "entry_version, verdict, confidence, outcome, handled_by, service, summary, minutes, township, urgent, messages, "
            "opened_at, last_at) VALUES ('m', 'c', 'web', 'legal', 'wages', 'e', '1', 'answer', 1, 'answered', 'bot', '', '', "
            "0, '', false, 2, 1, 2)"))  # fmt: skip
        for number, words in enumerate(("老板不给工资", "那要多久")):
            conn.execute(
                sa.text(
                    "INSERT INTO inbox (id, channel, key, citizen_id, consultation_id, kind, text, tap, flow, verdict, "
                    "entry_id, entry_version, confidence, reply, sent_at, received_at) VALUES (:id, 'web', :id, 'c', 'm', "
                    "'text', :words, '', 'ask', '', '', '', 0, '', 1, 1)"
                ),
                {"id": f"i{number}", "words": words},
            )
        conn.execute(sa.text("INSERT INTO ratings (id, citizen_id, consultation_id, grade, words, given_at) "
            "VALUES ('r', 'c', 'm', 4, '', 1)"))  # fmt: skip
    migrate(db.engine)
    with db.engine.connect() as conn:
        row = conn.execute(sa.text("SELECT first_outcome, handed, grade FROM consultations")).one()
        assert (row.first_outcome, bool(row.handed), row.grade) == ("answered", False, 4)
        words = conn.execute(sa.text("SELECT words FROM consultation_words")).scalar_one()
        assert words == "老板不给工资\n那要多久"
    db.close()
