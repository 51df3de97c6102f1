"""The made-up year: the same for the same seed, plausible, whole, and never among real records."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.handoff.duty import USUAL
from bot.conversation.turn import LOCAL, Library
from bot.service.demo import write
from bot.service.demo.calendar import moments
from bot.service.demo.write import NotDemoError, Wish, Written
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.tables import citizens, consultations, handoffs, meta, metadata, ratings, rectifications, staff, tasks
from bot.store.times import from_ms
from tests.platform import Clock

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TABLES = ("citizens", "consultations", "consultation_words", "inbox", "handoffs", "handoff_events", "ratings", "tasks")


async def filled(db: Database, library: Library, count: int = 200, year: int = 2020, seed: int = 1) -> Written:
    wish = Wish(year, count, seed)
    return await db.write(lambda conn: write.fill(conn, wish, library, USUAL, NOW))


def every_row(conn: Connection) -> dict[str, list[Any]]:
    found = {}
    for name in TABLES:
        table = metadata.tables[name]
        found[name] = [tuple(row) for row in conn.execute(sa.select(table).order_by(*table.primary_key))]
    return found


async def test_the_same_seed_gives_the_same_rows(tmp_path: Any, library: Library) -> None:
    seen = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        db = Database(f"sqlite:///{tmp_path}/{name}.db")
        migrate(db.engine)
        await filled(db, library, seed=seed)
        seen.append(await db.read(every_row))
        db.close()
    assert seen[0] == seen[1]
    assert seen[0]["consultations"] != seen[2]["consultations"]


async def test_a_year_is_whole_and_adds_up(db: Database, library: Library) -> None:
    made = await filled(db, library, 400)

    def look(conn: Connection) -> None:
        c, h = consultations.c, handoffs.c
        rows = conn.execute(sa.select(consultations)).fetchall()
        assert len(rows) == made.consultations == 400
        start, end = datetime(2020, 1, 1, tzinfo=LOCAL), datetime(2021, 1, 1, tzinfo=LOCAL)
        assert all(start <= from_ms(row.opened_at) < end for row in rows)
        assert all(row.closed_at is not None and row.opened_at <= row.last_at <= row.closed_at for row in rows)
        told = conn.execute(sa.select(h.consultation_id, h.ended)).fetchall()
        assert {row.id for row in rows if row.handed} == {row.consultation_id for row in told}
        assert {row.id for row in rows if row.service} == {
            row.consultation_id for row in told if row.ended == "settled"
        }
        assert all((row.handled_by == "bot") is (row.service == "") for row in rows)
        assert made.services == sum(bool(row.service) for row in rows)
        graded = dict(conn.execute(sa.select(ratings.c.consultation_id, ratings.c.grade)).fetchall())
        assert {row.id: row.grade for row in rows if row.grade} == graded
        bad = set(conn.execute(sa.select(ratings.c.id).where(ratings.c.grade <= 2)).scalars())
        assert bad == set(conn.execute(sa.select(rectifications.c.rating_id)).scalars())
        assert {"answered", "offered", "unanswered"} <= {row.first_outcome for row in rows}
        assert conn.execute(sa.select(sa.func.count()).where(~citizens.c.address.like("demo-%"))).scalar() == 0
        assert conn.execute(sa.select(tasks.c.target).where(tasks.c.year == 2020, tasks.c.place == "")).scalar()
        assert conn.execute(sa.select(sa.func.count()).where(c.messages < 1)).scalar() == 0
        assert set(conn.execute(sa.select(staff.c.password)).scalars()) == {""}

    await db.read(look)


async def test_a_second_year_stands_beside_the_first(db: Database, library: Library) -> None:
    await filled(db, library, 40, year=2019)
    await filled(db, library, 40, year=2020)
    assert await db.read(write.marked)
    assert await db.read(lambda conn: conn.execute(sa.select(meta.c.value).where(meta.c.name == "demo")).scalar()) == (
        "2019-1 2020-1"
    )


@pytest.mark.parametrize(("marked", "demo", "year", "fits"), [
    (True, False, 2021, True),
    (True, False, 2020, False),
    (True, True, 2020, False),
    (False, True, 2020, True),
    (False, False, 2020, False),
])  # fmt: skip
async def test_made_up_records_never_go_among_real_ones(
    sqlite_db: Database, library: Library, marked: bool, demo: bool, year: int, fits: bool
) -> None:
    if marked:
        await filled(sqlite_db, library, 5)
    else:
        values = {
            "id": "x",
            "channel": "web",
            "address": "somebody",
            "subscribed": False,
            "township": "",
            "state": "{}",
        }
        values |= {"allowance": 0, "window_until": 0, "created_at": 0, "seen_at": 0}
        await sqlite_db.write(lambda conn: conn.execute(sa.insert(citizens).values(**values)))
    check = sqlite_db.read(lambda conn: write.check(conn, Wish(year, 5, 1), demo=demo))
    if fits:
        await check
    else:
        with pytest.raises(NotDemoError):
            await check


async def test_an_empty_store_may_be_filled(sqlite_db: Database) -> None:
    await sqlite_db.read(lambda conn: write.check(conn, Wish(2020, 5, 1), demo=False))


def test_people_ask_in_office_hours_of_working_days() -> None:
    found = [from_ms(moment).astimezone(LOCAL) for moment in moments(Random(1), 2020, 5000, USUAL, NOW)]
    morning = [one for one in found if one.hour in {9, 10}]
    night = [one for one in found if one.hour in {2, 3}]
    assert len(morning) > 20 * len(night)
    assert found == sorted(found)
    new_year = [one for one in found if one.month == 1 and 24 <= one.day <= 30]  # the Spring Festival of 2020
    assert len(new_year) < len([one for one in found if one.month == 1 and 6 <= one.day <= 12])


def test_nothing_is_asked_after_now(clock: Clock) -> None:
    found = moments(Random(1), 2026, 500, USUAL, NOW)
    assert len(found) == 500
    assert from_ms(found[-1]) < NOW
    assert moments(Random(1), 2027, 5, USUAL, NOW) == []
