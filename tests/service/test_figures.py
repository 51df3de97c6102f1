"""The figures are those of SQL, and every breakdown adds up; on both engines."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from bot.console.figures import shapes
from bot.conversation.handoff.duty import USUAL
from bot.conversation.turn import Library
from bot.service.demo import write
from bot.service.demo.write import Wish
from bot.service.figures import tables as layout
from bot.service.figures import tasks
from bot.service.figures.findings import Findings, find
from bot.service.figures.handed import quantile
from bot.service.figures.period import Period, month_of, read, year_of
from bot.service.handling import ENDS, STILL_OPEN
from bot.service.records import filters, listing
from bot.store.database import Database
from bot.store.tables import consultations
from bot.store.times import to_ms

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
YEAR = "opened_at >= 1577808000000 and opened_at < 1609430400000"
BEFORE = "opened_at >= 1546272000000 and opened_at < 1577808000000"


@pytest.fixture
async def filled(db: Database, library: Library) -> Database:
    """Two made-up years."""
    for year, count in ((2019, 150), (2020, 400)):
        wish = Wish(year, count, 3)
        await db.write(lambda conn, wish=wish: write.fill(conn, wish, library, USUAL, NOW))  # type: ignore[misc]
    return db


async def find_in(db: Database, period: Period) -> Findings:
    return await db.read(lambda conn: find(conn, period, "示例县"))


async def number(db: Database, query: str) -> Any:
    return await db.read(lambda conn: conn.execute(sa.text(query)).scalar())


def where(filters: layout.Filters) -> str:
    """A row's filters as the log understands them, written down as SQL."""
    parts = ["true"]
    for name, value in filters.items():
        values = (value,) if isinstance(value, str) else value
        if name == "handed":
            parts.append("handed")
        elif name == "grade":
            parts.append(f"grade in ({','.join(values)})")
        else:
            listed = ",".join("''" if one == "-" else f"'{one}'" for one in values)
            parts.append(f"{name} in ({listed})")
    return " and ".join(parts)


async def test_every_number_is_that_of_its_rows(filled: Database) -> None:
    found = await find_in(filled, year_of(2020))
    checked = 0
    for table in layout.tables(found):
        for row in (*table.rows, table.total):
            for column in table.columns:
                if column.filters is None or column.form == "share" or table.slug == "weekday":
                    continue
                narrowed = {**{k: v for k, v in column.filters if k not in row.filters}, **row.filters}
                days = row.days or found.period
                first, end = (days.before if column.before else days).span
                asked = f"opened_at >= {first} and opened_at < {end} and {where(narrowed)}"
                counted = await number(filled, f"select count(*) from consultations where {asked}")
                assert column.value(row) == counted, (table.slug, row.label, column.name)
                checked += 1
    assert checked > 100


async def rows_behind(db: Database, value: shapes.Value) -> int:
    """How many consultations the log shows to whoever follows a number."""
    address = urlsplit(value.href)
    assert address.path == "/console"
    wanted, faults = filters.read(parse_qsl(address.query))
    assert faults == (), value.href
    return await db.read(lambda conn: listing.look(conn, wanted, 1).facets.total)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_link_opens_exactly_the_rows_it_counts(db: Database, library: Library, seed: int) -> None:
    for year, count in ((2019, 60), (2020, 150)):
        wish = Wish(year, count, seed)
        await db.write(lambda conn, wish=wish: write.fill(conn, wish, library, USUAL, NOW))  # type: ignore[misc]
    found = await find_in(db, year_of(2020))
    shown = [section for section in (shapes.task_section(found), *shapes.sections(found)) if section]
    lines = [line for section in shown for line in (*section.lines, section.total)]
    linked = [value for line in lines for value in line.values if value.href and "%" not in value.text]
    linked += [value for line in shapes.ends(found) for value in line.values if value.href]
    linked += [value for line in shapes.load(found) for value in line.values if value.href]
    linked += [tile.value for tile in shapes.tiles(found) if tile.value.href and "%" not in tile.value.text]
    assert len(linked) > 100
    for value in linked:
        assert value.text == f"{await rows_behind(db, value):,}", value.href


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_rate_opens_what_it_counts_in(db: Database, library: Library, seed: int) -> None:
    await db.write(lambda conn: write.fill(conn, Wish(2020, 150, seed), library, USUAL, NOW))
    found = await find_in(db, year_of(2020))
    total, tiles = found.now.total, {tile.name: tile for tile in shapes.tiles(found)}
    for name, whole in (
        ("首问答复率", total.consultations),
        ("转人工率", total.consultations),
        ("满意率", total.rated),
    ):
        rows = await rows_behind(db, tiles[name].value)
        assert 0 < rows <= whole
        assert tiles[name].value.text == f"{rows / whole:.1%}"
    unhappy = tiles["满意率"].more
    assert (unhappy is None) == (total.satisfied == total.rated)
    assert unhappy is None or unhappy.text == f"不满意 {await rows_behind(db, unhappy)} 人次"
    (kinds,) = (table for table in layout.tables(found) if table.slug == "kind")
    for line, row in zip(
        next(one for one in shapes.sections(found) if one.slug == "kind").lines, kinds.rows, strict=True
    ):
        first = line.values[[column.name for column in kinds.columns].index("首问答复率")]
        assert first.text == layout.shown(
            layout.share(await rows_behind(db, first) if first.href else 0, row.now.consultations), "share"
        )


async def test_every_breakdown_adds_up(filled: Database) -> None:
    found = await find_in(filled, year_of(2020))
    people = await number(filled, f"select count(*) from consultations where {YEAR}")
    served = await number(filled, f"select count(*) from consultations where {YEAR} and service <> ''")
    for table in layout.tables(found):
        only_served = table.slug in {"service", "centre"}
        if table.slug == "grade":
            people_here = await number(filled, "select count(*) from ratings where given_at < 0 or true")
            assert table.total.now.rated == sum(row.now.rated for row in table.rows) <= people_here
            continue
        assert table.total.now.services == served, table.slug
        assert table.total.now.consultations == (served if only_served else people), table.slug
        assert sum(row.now.consultations for row in table.rows) == table.total.now.consultations
    assert found.now.total.consultations == people == 400
    assert found.before.total.consultations == await number(
        filled, f"select count(*) from consultations where {BEFORE}"
    )
    assert found.now.citizens == await number(
        filled, f"select count(distinct citizen_id) from consultations where {YEAR}"
    )
    assert sum(map(sum, layout.load_of(found))) == people


async def test_rates_and_waits(filled: Database) -> None:
    found = await find_in(filled, year_of(2020))
    total = found.now.total
    assert total.satisfied == await number(filled, f"select count(*) from consultations where {YEAR} and grade >= 3")
    assert total.first_answered == await number(
        filled, f"select count(*) from consultations where {YEAR} and first_outcome = 'answered'"
    )
    waits = await filled.read(
        lambda conn: conn.execute(
            sa.text(
                "select e.at - h.queued_at from handoffs h join handoff_events e on e.handoff_id = h.id and e.event = 'claim' "
                "where h.promised_at is null and h.asked_at >= 1577808000000 and h.asked_at < 1609430400000 order by 1"
            )
        ).scalars().all()
    )  # fmt: skip
    assert found.handed.waits == tuple(timedelta(milliseconds=wait) for wait in waits)
    assert len(waits) > 2
    assert len(layout.ends(found)) > 2
    for end in layout.ends(found):
        key = {**{name: key for key, name in ENDS.items()}, STILL_OPEN: ""}[end.label]
        assert end.now == await number(
            filled, f"select count(distinct consultation_id) from handoffs where ended = '{key}' and consultation_id in "
            f"(select id from consultations where {YEAR})",
        )  # fmt: skip


async def test_the_task_counts_the_year_so_far(filled: Database) -> None:
    await filled.write(lambda conn: tasks.set_targets(conn, 2020, {"": 10, "城关镇": 4, "城关镇公共法律服务工作站": 2}))
    found = await find_in(filled, month_of(2020, 6))
    so_far = "opened_at >= 1577808000000 and opened_at < 1593532800000 and service <> ''"
    done = {task.place: task.done for task in found.tasks}
    assert done[""] == await number(filled, f"select count(*) from consultations where {so_far}")
    assert done["城关镇"] == await number(
        filled, f"select count(*) from consultations where {so_far} and township = '城关镇'"
    )
    assert done["城关镇公共法律服务工作站"] == await number(
        filled, f"select count(*) from consultations where {so_far} and handled_by = 'demo-sun'"
    )
    assert found.tasks[0].share == done[""] / 10


async def test_an_empty_period_is_all_zeros(db: Database) -> None:
    found = await find_in(db, year_of(2024))
    assert found.now.total.consultations == 0
    assert found.handed.median is None
    assert not found.has_before
    for table in layout.tables(found):
        assert all(value in {0, None} for row in (*table.rows, table.total) for value in table.values(row))
    assert "咨询 0 人次，0 人" in layout.summary(found)[0]


async def test_the_new_year_begins_at_midnight_in_the_county(db: Database) -> None:
    """A consultation a moment before and one a moment after, on either side of UTC's New Year and the county's."""
    moments = [datetime(2019, 12, 31, 15, 59, 59, 999000, tzinfo=UTC), datetime(2019, 12, 31, 16, tzinfo=UTC),
               datetime(2020, 12, 31, 15, 59, 59, 999000, tzinfo=UTC), datetime(2020, 12, 31, 16, tzinfo=UTC)]  # fmt: skip
    await db.write(lambda conn: put(conn, moments))
    counted = {year: (await find_in(db, year_of(year))).now.total.consultations for year in (2019, 2020, 2021)}
    assert counted == {2019: 1, 2020: 2, 2021: 1}
    found = await find_in(db, year_of(2020))
    months = {row.label: row.now.consultations for row in layout.months(found).rows if row.now.consultations}
    assert months == {"2020年1月": 1, "2020年12月": 1}
    load = layout.load_of(found)
    assert (load[2][0], load[3][23]) == (1, 1)  # Wednesday 0:00 and Thursday 23:59


def put(conn: Connection, moments: list[datetime]) -> None:
    citizen = {"id": "c", "channel": "web", "address": "a", "subscribed": False, "township": "", "state": "{}",
               "allowance": 0, "window_until": 0, "created_at": 0, "seen_at": 0}  # fmt: skip
    conn.execute(
        sa.text(f"insert into citizens ({','.join(citizen)}) values ({','.join(':' + k for k in citizen)})"), citizen
    )
    for name, moment in enumerate(moments):
        conn.execute(
            sa.insert(consultations).values(
                id=f"k{name}", citizen_id="c", channel="web", kind="", category="", entry_id="", entry_version="", verdict="",
                confidence=0, outcome="unanswered", first_outcome="unanswered", handed=False, grade=0, handled_by="bot",
                service="", summary="", minutes=0, township="", urgent=False, messages=1, opened_at=to_ms(moment),
                last_at=to_ms(moment), closed_at=None,
            )
        )  # fmt: skip


@given(st.lists(st.integers(0, 10_000), min_size=1), st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_a_quantile_is_not_exceeded_by_its_part(numbers: list[int], part: float) -> None:
    ordered = [timedelta(seconds=one) for one in sorted(numbers)]
    found = quantile(ordered, part)
    assert found is not None
    assert sum(one <= found for one in ordered) >= part * len(ordered)
    assert sum(one < found for one in ordered) < part * len(ordered)


def test_values_read_as_people_write_them() -> None:
    assert layout.shown(1173, "count") == "1,173"
    assert layout.shown(1173 / 959, "share") == "122.3%"
    assert layout.shown(layout.change(90, 100), "change") == "-10.0%"
    assert layout.shown(layout.change(1, 0), "change") == "—"
    assert read({"year": "2020"}, date(2026, 1, 1)) == year_of(2020)
