"""Words are erased, counts stay: after the time set, and at a citizen's wish. Both engines."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from bot.conversation.handoff.machine import Event
from bot.conversation.rectification import Act, Actor
from bot.conversation.turn import Inbound, Library
from bot.desk import SORRY
from bot.service import erasure, handling, handoffs, own_data, ratings, rectifications
from bot.service.demo import write as demo
from bot.service.erasure import WORDS, Keeping
from bot.service.figures.findings import find
from bot.service.figures.period import year_of
from bot.service.handling import Closing
from bot.service.own_data import Own
from bot.service.turns import Office
from bot.store.database import Database
from bot.store.migrate import migrate
from bot.store.tables import metadata
from tests.platform import Clock
from tests.service.county import QUESTION, County
from tests.support import Numbers

Rows = Callable[[Any, str], list[Any]]
Snapshot = dict[str, dict[Any, dict[str, Any]]]
START, END = datetime(2019, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)

# Text that is kept, and why that is no citizen's words.
KEPT = {
    "audit.detail": "what staff did; the record of access outlives what was accessed",
    "entry_versions.body": "the knowledge base",
    "entry_versions.note": "the knowledge base",
    "exports.content": "removed a day after it was made",
    "exports.query": "a filter",
    "lessons.explanation": "written by staff for all",
    "lessons.options": "written by staff for all",
    "lessons.question": "written by staff for all",
    "meta.value": "our own keys and marks",
    "notices.text": "nothing of the citizen's words",
    "quick_replies.text": "written by staff for all",
    "run_settings.value": "settings",
    "staff.covers": "subjects",
    "views.query": "a filter",
}


def test_every_column_that_can_hold_words_is_erased_or_kept_for_a_reason() -> None:
    wide = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.Text | sa.LargeBinary)
    }
    erased = {f"{one.table.name}.{name}" for one in WORDS for name in one.values}
    assert wide - erased - set(KEPT) == set()


@pytest.fixture
def office(library: Library, new_id: Numbers) -> Office:
    return Office(library, new_id, own=Own(token=lambda: "secret-" + new_id()))


@pytest.fixture
def county(db: Database, office: Office, clock: Clock) -> County:
    return County(db, office, clock)


def snapshot(conn: Connection) -> Snapshot:
    """Everything in the store, by table and key."""
    found: Snapshot = {}
    for table in metadata.tables.values():
        keys = [column.name for column in table.primary_key]
        found[table.name] = {
            tuple(row[key] for key in keys): dict(row) for row in conn.execute(sa.select(table)).mappings()
        }
    return found


def counted(conn: Connection) -> list[Any]:
    """Every figure there is."""
    return [
        *(find(conn, year_of(year), "") for year in (2024, 2026)),
        ratings.by_entry(conn, START, END),
        ratings.grades(conn, START, END),
        rectifications.counts(conn, END.date()),
    ]


def written(conn: Connection) -> dict[str, dict[Any, int]]:
    """When each row with words was written."""
    return {
        one.table.name: {(row[0],): row[1] for row in conn.execute(sa.select(one.table.c[one.key], one.written))}
        for one in WORDS
    }


async def lived_in(county: County, library: Library) -> None:
    """A made-up year, and a few days in which everything happened that leaves words."""

    def fill(conn: Connection) -> None:
        demo.fill(conn, demo.Wish(2024, 150, 7), library, county.office.hours, county.clock())

    await county.do(fill)
    zhang, li = await county.hire("zhang"), await county.hire("li", "supervisor")
    handoff = await county.served_by(zhang)
    await county.say("不满意", f"rate:{handoff}:2")
    await county.say("一直没说清楚")
    row = (await county.do(lambda conn: rectifications.find(conn, END.date())))[0].case.id
    reply = Act("reply", measures="核对了聊天记录", reply="对不起，现在补充如下。")
    await county.act(row, reply, Actor(li, head=True))
    await county.desk.handle(
        Inbound("wechat", "o9", "m9", "image", county.clock(), media="media-9"),
    )


@pytest.mark.parametrize("days", [30, 200, 600, 1500])
async def test_the_purge_erases_what_is_old_and_nothing_else_and_every_figure_stays(
    county: County, library: Library, days: int
) -> None:
    await lived_in(county, library)
    keep = Keeping(timedelta(days=days), timedelta(days=90))
    now = county.clock() + timedelta(days=100)
    before, figured = await county.db.read(snapshot), await county.db.read(counted)
    moments = await county.db.read(written)
    erased = 0
    for _ in range(200):
        piece = await county.db.read(lambda conn: erasure.due(conn, keep, now))
        if piece is None:
            break
        done = await county.db.write(partial(erasure.purge, piece=piece))
        assert 0 < done <= erasure.PIECE
        erased += done
    assert erased
    assert await county.db.read(counted) == figured
    after = await county.db.read(snapshot)
    words = {one.table.name: one for one in WORDS}
    for name, rows in before.items():
        assert after[name].keys() == rows.keys()
        for key, row in rows.items():
            one = words.get(name)
            limit = int((now - (keep.media if one and one.media else keep.words)).timestamp() * 1000)
            old = one is not None and moments[name][key] < limit and not held_back(name, row)
            expected = row | dict(one.values) if one and old else row
            assert after[name][key] == expected, (name, key)


def held_back(table: str, row: dict[str, Any]) -> bool:
    """What is still worked on keeps its words, however old."""
    if table == "outbox":
        return row["state"] in {"waiting", "sending", "held"}
    return table in {"handoffs", "rectifications"} and row["closed_at"] is None


async def test_a_conversation_purged_shows_nothing_and_goes_on(county: County) -> None:
    await county.say(QUESTION)
    county.clock.advance(731 * 86400)
    keep = Keeping()
    while piece := await county.db.read(lambda conn: erasure.due(conn, keep, county.clock())):
        await county.db.write(partial(erasure.purge, piece=piece))
    assert "劳动监察" in (await county.say(QUESTION)).text


def test_the_night_comes_once_a_day(sqlite_db: Database, new_id: Numbers) -> None:
    def at(hour: int, day: int = 23) -> datetime:
        return datetime(2026, 11, day, hour - 8 if hour >= 8 else hour + 16, tzinfo=UTC) - timedelta(days=hour < 8)

    with sqlite_db.engine.begin() as conn:
        assert not erasure.night(conn, at(1))
        assert erasure.night(conn, at(2))
        erasure.slept(conn, new_id, 5, at(2))
        assert not erasure.night(conn, at(3))
        assert not erasure.night(conn, at(23))
        assert not erasure.night(conn, at(1, 24))
        # Switched off at night: it is made up for.
        assert erasure.night(conn, at(14, 24))
        erasure.slept(conn, new_id, 0, at(14, 24))
        assert conn.execute(sa.text("SELECT detail FROM audit")).fetchall() == [("5",)]


async def everything_said_by(county: County, citizen: str, words: str) -> str:
    """A citizen leaves words wherever they can; returns the lawyer who served them."""
    lawyer = await county.hire(f"law-{citizen}")
    await county.say(f"{QUESTION}，{words}", citizen=citizen)
    await county.say("转人工", citizen=citizen)
    await county.say("工资工伤", "hand:subject:labour", citizen=citizen)
    await county.say(f"我叫{words}", citizen=citizen)

    def serve(conn: Connection) -> str:
        new_id, now = county.office.new_id, county.clock()
        handoff = handoffs.open_ones(conn)[0].id
        handling.happen(conn, new_id, handoff, Event("claim", by=lawyer), now)
        handling.lawyer_says(conn, new_id, handoff, lawyer, f"{words}您好", "key-1", now)
        handling.note(conn, new_id, handoff, lawyer, f"{words}情绪激动", "key-2", now)
        handling.close(conn, new_id, handoff, lawyer, Closing("answered", "legal", "labour", f"{words}来电"), now)
        return handoff

    handoff = await county.do(serve)
    await county.say("不满意", f"rate:{handoff}:1", citizen=citizen)
    await county.say(f"{words}不满意", citizen=citizen)
    return lawyer


async def found(county: County, words: str) -> list[str]:
    """Where in the whole store these words stand."""
    rows = await county.db.read(snapshot)
    return sorted(
        {
            f"{table}.{name}"
            for table, found in rows.items()
            for row in found.values()
            for name, value in row.items()
            if words in str(value)
        }
    )


async def test_at_a_citizens_wish_everything_said_is_gone_and_every_count_stays(county: County, rows: Rows) -> None:
    await everything_said_by(county, "o1", "赵铁柱")
    await everything_said_by(county, "o2", "钱多多")
    others = await found(county, "钱多多")
    assert len(await found(county, "赵铁柱")) >= 9
    await county.say("导出我的记录", citizen="o1")
    figured = await county.db.read(counted)
    assert "找不回来" in (await county.say("删除我的记录", citizen="o1")).text
    said = await county.say("确认删除", "data:sure", citizen="o1")
    assert "已经删除" in said.text
    assert await found(county, "赵铁柱") == []
    assert await found(county, "钱多多") == others
    # The open rectification has nobody to be told any more; no other figure moved.
    after = await county.db.read(counted)
    assert [one.rectified for one in after[:2]] == [(0, 0), (2, 1)]
    assert [dataclasses.replace(one, rectified=(2, 0)) if one.rectified[0] else one for one in after[:2]] == figured[:2]
    assert after[2:-1] == figured[2:-1]
    assert (figured[-1]["open"], after[-1]["open"], after[-1]["closed"]) == (2, 1, 1)
    assert rows(county.db, "SELECT count(*) FROM data_links") == [(0,)]
    erased = rows(county.db, "SELECT id, address FROM citizens WHERE erased_at IS NOT NULL")
    assert len(erased) == 1
    assert erased[0][1] == f"erased:{erased[0][0]}"
    assert rows(county.db, "SELECT citizen_id, staff_id FROM audit WHERE action = 'data.erased'") == [
        (erased[0][0], None)
    ]
    # The address stands with the new row and its one message only.
    assert rows(county.db, "SELECT count(*) FROM inbox WHERE key LIKE 'o1:%'") == [(1,)]
    assert "还没有您的记录" not in (await county.say("我的记录", citizen="o1")).text
    assert "劳动监察" in (await county.say(QUESTION, citizen="o1")).text


async def test_delivered_again_the_wish_is_the_same_turn(county: County, rows: Rows) -> None:
    await county.say(QUESTION)
    await county.say("删除我的记录")
    county.clock.advance(60)
    sure = Inbound("web", "o1", "o1:sure", "text", county.clock(), text="确认删除", tap="data:sure")
    first = await county.desk.handle(sure)
    again = await county.desk.handle(sure)
    assert first.reply is not None
    assert (first.fresh, again.fresh, again.reply) == (True, False, first.reply)
    assert rows(county.db, "SELECT count(*) FROM citizens") == [(2,)]


async def test_a_lawyers_letter_that_waited_is_not_delivered_after_all(county: County, rows: Rows) -> None:
    await everything_said_by(county, "o1", "赵铁柱")
    await county.say("删除我的记录")
    await county.say("确认删除")
    assert {row[0] for row in rows(county.db, "SELECT state FROM outbox")} == {"failed"}


async def test_a_lawyers_own_wechat_stays_theirs(county: County, rows: Rows) -> None:
    lawyer = await county.hire("zhang")
    await county.say(QUESTION)
    await county.do(lambda conn: conn.execute(sa.text("UPDATE staff SET citizen_id = (SELECT id FROM citizens)")))
    await county.say("删除我的记录")
    await county.say("确认删除")
    assert rows(
        county.db, "SELECT s.id FROM staff s JOIN citizens c ON c.id = s.citizen_id WHERE c.address = 'o1'"
    ) == [(lawyer,)]


async def test_a_link_opens_once_and_for_a_day(county: County, rows: Rows) -> None:
    await everything_said_by(county, "o1", "赵铁柱")
    new_id = county.office.new_id

    async def link() -> str:
        return (await county.say("导出我的记录")).text.partition("/my/")[2].partition("\n")[0]

    def take(token: str) -> Any:
        now = county.clock()
        return county.do(lambda conn: own_data.take(conn, new_id, token, "1.2.3.4", now))

    token = await link()
    assert rows(county.db, f"SELECT count(*) FROM data_links WHERE token = '{token}'") == [(0,)]
    whole = await take(token)
    assert any("赵铁柱您好" in one.text and one.who == "law-o1律师" for one in whole.messages)
    assert not any("情绪激动" in one.text for one in whole.messages)
    assert [(one.grade, one.words) for one in whole.ratings] == [("非常不满意", "赵铁柱不满意")]
    assert [one.subject for one in whole.consultations] == ["工资工伤"]
    assert [one.at for one in whole.messages] == sorted(one.at for one in whole.messages)
    assert await take(token) is None
    late = await link()
    county.clock.advance(86401)
    assert await take(late) is None
    assert await take("no-such") is None
    assert len(rows(county.db, "SELECT 1 FROM audit WHERE action = 'data.exported'")) == 1
    county.clock.advance(86400)
    assert await county.do(lambda conn: own_data.forget_links(conn, county.clock())) == 2


def test_where_the_server_has_no_address_wechat_gets_no_link() -> None:
    own = Own(token=lambda: "t")
    assert (own.link("web"), own.link("wechat")) == ("/my/t", "")
    own = replace(own, public_url="https://fawen.example")
    assert (own.link("web"), own.link("wechat")) == ("/my/t", "https://fawen.example/my/t")


async def test_a_message_that_waited_while_all_was_deleted_meets_the_new_row(
    postgres_url: str, office: Office, clock: Clock, rows: Rows
) -> None:
    stores = [Database(postgres_url), Database(postgres_url)]
    migrate(stores[0].engine)
    counties = [County(store, office, clock) for store in stores]
    try:
        for number in range(8):
            who = f"o{number}"
            await counties[0].say(QUESTION, citizen=who)
            await counties[0].say("删除我的记录", citizen=who)
            sure = Inbound("web", who, f"{who}:sure", "text", clock(), text="确认删除", tap="data:sure")
            message = Inbound("web", who, f"{who}:other", "text", clock(), text=QUESTION)
            handled = await asyncio.gather(
                counties[0].desk.handle(sure), counties[1].desk.handle(message), counties[1].desk.handle(sure)
            )
            assert SORRY not in handled
        deliveries = "SELECT count(*) FROM inbox WHERE key LIKE '%_sure'"
        assert rows(postgres_url, deliveries) == [(8,)]
        assert rows(postgres_url, "SELECT count(*) FROM citizens WHERE erased_at IS NULL") == [(8,)]
        # Whose other message came first was asked again instead: that is one of the two ways it may go.
        erased = rows(postgres_url, "SELECT count(*) FROM audit WHERE action = 'data.erased'")[0][0]
        asked = rows(postgres_url, f"{deliveries} AND reply LIKE '%找不回来%'")[0][0]
        assert erased + asked == 8
    finally:
        for store in stores:
            store.close()
