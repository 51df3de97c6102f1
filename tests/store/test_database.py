"""The store: one transaction for all that waits, one failure alone, nothing half-written, both engines."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.store.database import Ahead, Database, StoreClosedError, StoreError
from bot.store.tables import meta


def put(name: str) -> Any:
    def write(conn: Connection) -> str:
        conn.execute(sa.insert(meta).values(name=name, value="x"))
        return name

    return write


def names(conn: Connection) -> set[str]:
    return set(conn.execute(sa.select(meta.c.name)).scalars())


async def test_a_write_is_committed_when_it_returns(db: Database) -> None:
    assert await db.write(put("a")) == "a"
    other = Database(db.url.render_as_string(hide_password=False))
    try:
        assert await other.read(names) == {"a"}
    finally:
        other.close()


async def test_one_failure_takes_only_itself(db: Database) -> None:
    def fails(conn: Connection) -> None:
        put("half")(conn)
        raise ValueError("mine alone")

    results = await asyncio.gather(
        db.write(put("a")), db.write(fails), db.write(put("b")), db.write(put("a")), return_exceptions=True
    )
    assert isinstance(results[1], ValueError)
    assert results[2] == "b"
    # PostgreSQL's writers work side by side, so either of the two may be first.
    twins = [results[0], results[3]]
    assert twins.count("a") == 1
    assert sum(isinstance(one, sa.exc.IntegrityError) for one in twins) == 1
    assert await db.read(names) == {"a", "b"}


async def test_waiting_jobs_share_one_commit(sqlite_db: Database) -> None:
    commits = []
    gate = threading.Event()

    def hold(conn: Connection) -> None:
        conn.connection.driver_connection.set_trace_callback(  # type: ignore[union-attr]
            lambda sql: commits.append(sql) if sql == "COMMIT" else None
        )
        gate.wait(5)

    first = asyncio.ensure_future(sqlite_db.write(hold))
    rest = [asyncio.ensure_future(sqlite_db.write(put(f"n{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, *rest)
    assert len(await sqlite_db.read(names)) == 20
    # The first may have been taken alone; all that waited behind it went together.
    assert len(commits) <= 2


async def test_what_waits_is_looked_ahead_for_in_one_go(sqlite_db: Database) -> None:
    gate = threading.Event()
    seen: list[list[object]] = []

    def look(of: Any) -> None:
        seen.append(list(of))
        raise ValueError("none of the jobs is hurt")

    first = asyncio.ensure_future(sqlite_db.write(lambda _: gate.wait(5)))
    # The first is being worked at, or it waits with the others; neither asks for anything.
    await asyncio.sleep(0)
    rest = [asyncio.ensure_future(sqlite_db.write(put(f"n{n}"), Ahead(look, n))) for n in range(20)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, *rest)
    assert seen == [list(range(20))]
    assert len(await sqlite_db.read(names)) == 20


async def test_nothing_is_looked_ahead_for_one_alone(sqlite_db: Database) -> None:
    seen: list[object] = []
    await sqlite_db.write(put("a"), Ahead(seen.append, "a"))
    assert seen == []


async def test_readers_cannot_write(db: Database) -> None:
    with pytest.raises(StoreError):
        await db.read(put("a"))
    assert await db.read(names) == set()


async def test_close_finishes_what_waits_and_may_be_called_again(db: Database) -> None:
    waiting = [asyncio.ensure_future(db.write(put(f"n{number}"))) for number in range(50)]
    await asyncio.sleep(0)
    await asyncio.to_thread(db.close)
    assert len(await asyncio.gather(*waiting)) == 50
    db.close()
    with pytest.raises(StoreClosedError):
        await db.write(put("late"))
    with pytest.raises(StoreClosedError):
        await db.read(names)


async def test_a_full_disk_is_told_and_nothing_is_kept(sqlite_db: Database) -> None:
    def fill(conn: Connection) -> None:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    await sqlite_db.write(fill)

    def big(conn: Connection) -> None:
        put("small")(conn)
        conn.execute(sa.insert(meta).values(name="big", value="x" * 500_000))

    with pytest.raises(Exception, match="full"):
        await sqlite_db.write(big)
    assert await sqlite_db.read(names) == set()

    def free(conn: Connection) -> None:
        conn.exec_driver_sql("PRAGMA max_page_count = 1000000")

    await sqlite_db.write(free)
    assert await sqlite_db.write(put("again")) == "again"


async def test_a_locked_database_is_told_and_the_writer_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.store.database.BUSY_MS", 50)
    db = Database(f"sqlite:///{tmp_path}/locked.db")
    try:
        await db.write(meta.create)
        locker = sqlite3.connect(tmp_path / "locked.db", isolation_level=None)
        locker.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked"):
            await db.write(put("a"))
        locker.execute("ROLLBACK")
        locker.close()
        assert await db.write(put("b")) == "b"
        assert await db.read(names) == {"b"}
    finally:
        db.close()


async def test_a_lost_server_is_told_and_found_again(postgres_url: str) -> None:
    db = Database(postgres_url)
    try:
        await db.write(meta.create)
        end_all = sa.text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        admin = sa.create_engine(postgres_url)
        with admin.connect() as conn:
            conn.execute(end_all)
        admin.dispose()
        told = 0
        for number in range(10):
            try:
                await db.write(put(f"n{number}"))
            except StoreError:
                told += 1
        # Every writer thread notices once that its connection is gone, then works again.
        assert told <= 4
        assert len(await db.read(names)) == 10 - told
    finally:
        db.close()
