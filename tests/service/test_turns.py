"""A turn on record: handled once, counted once, in order, in one transaction. Both engines."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from bot.conversation.turn import Inbound, Library, Outcome, Record, Turn
from bot.desk import SORRY, Desk
from bot.metrics import Metrics
from bot.service import consultations, inbox
from bot.service.library import serving
from bot.service.turns import Office
from bot.store.database import Database
from bot.store.migrate import migrate
from knowledge.load import KnowledgeBase
from knowledge.reply import Reply
from knowledge.search.pool import Index, Pool
from knowledge.search.rank import Search
from tests.platform import Clock
from tests.support import Numbers

Rows = Callable[[Any, str], list[Any]]


@pytest.fixture
def office(base: KnowledgeBase, search: Search, new_id: Numbers) -> Office:
    return Office(Library(base, search, base.nowhere), new_id)


@pytest.fixture
def desk(db: Database, office: Office, clock: Clock) -> Desk:
    return Desk(db, lambda: office, clock, Metrics())


@pytest.fixture
def say(clock: Clock) -> Callable[..., Inbound]:
    number = 0

    def build(text: str, citizen: str = "o1", **changes: Any) -> Inbound:
        nonlocal number
        number += 1
        known = Inbound("wechat", citizen, f"m{number}", "text", clock(), text=text)
        return replace(known, **changes)

    return build


async def test_a_repeated_message_is_one_turn_with_the_same_reply(
    desk: Desk, say: Callable[..., Inbound], db: Database, rows: Rows
) -> None:
    message = say("单位拖欠工资怎么办")
    first = await desk.handle(message)
    again = await desk.handle(message)
    assert first.fresh
    assert not again.fresh
    assert again.reply == first.reply
    assert again.reply is not None
    assert len(rows(db, "SELECT id FROM inbox")) == 1
    assert rows(db, "SELECT messages FROM consultations") == [(1,)]


async def test_deliveries_at_the_same_moment_are_one_turn(
    desk: Desk, say: Callable[..., Inbound], db: Database, rows: Rows
) -> None:
    message = say("单位拖欠工资怎么办")
    replies = await asyncio.gather(*(desk.handle(message) for _ in range(8)))
    assert len({str(one.reply) for one in replies}) == 1
    assert sum(one.fresh for one in replies) == 1
    assert len(rows(db, "SELECT id FROM inbox")) == 1


async def test_two_processes_take_a_message_once(
    postgres_url: str, office: Office, clock: Clock, say: Callable[..., Inbound], rows: Rows
) -> None:
    stores = [Database(postgres_url), Database(postgres_url)]
    migrate(stores[0].engine)
    desks = [Desk(store, lambda: office, clock, Metrics()) for store in stores]
    try:
        for number in range(10):
            message = say("单位拖欠工资怎么办", citizen=f"o{number}")
            replies = await asyncio.gather(*(desk.handle(message) for desk in desks for _ in range(3)))
            assert SORRY not in replies
            assert len({str(one.reply) for one in replies}) == 1
        assert len(rows(postgres_url, "SELECT id FROM inbox")) == 10
        assert len(rows(postgres_url, "SELECT id FROM citizens")) == 10
        assert rows(postgres_url, "SELECT DISTINCT messages FROM consultations") == [(1,)]
    finally:
        for store in stores:
            store.close()


async def test_messages_of_one_citizen_walk_in_order(
    db: Database, office: Office, clock: Clock, say: Callable[..., Inbound]
) -> None:
    seen: dict[str, list[str]] = {}

    def remember(turn: Turn) -> Outcome:
        seen.setdefault(turn.inbound.citizen, []).append(turn.state.question)
        return Outcome(Reply("好"), Record("test"), replace(turn.state, question=turn.inbound.text))

    desk = Desk(db, lambda: replace(office, decide=remember), clock, Metrics())
    messages = [say(str(number), citizen=f"o{number % 3}") for number in range(30)]
    await asyncio.gather(*map(desk.handle, messages))
    for citizen, states in seen.items():
        own = [one.text for one in messages if one.citizen == citizen]
        assert states == ["", *own[:-1]]


async def test_a_failing_flow_leaves_nothing_and_says_sorry(
    db: Database, office: Office, clock: Clock, say: Callable[..., Inbound], rows: Rows
) -> None:
    def fails(turn: Turn) -> Outcome:
        if turn.inbound.text == "坏":
            raise RuntimeError("a defect")
        return Outcome(Reply("好"), Record("test"), turn.state)

    desk = Desk(db, lambda: replace(office, decide=fails), clock, Metrics())
    bad, good = await asyncio.gather(desk.handle(say("坏", citizen="o1")), desk.handle(say("好", citizen="o2")))
    assert bad == SORRY
    assert good.reply == Reply("好")
    assert len(rows(db, "SELECT id FROM inbox")) == 1
    assert len(rows(db, "SELECT id FROM citizens")) == 1


async def test_the_counting_rules_on_record(
    desk: Desk, say: Callable[..., Inbound], clock: Clock, db: Database, rows: Rows
) -> None:
    async def said(text: str, **more: Any) -> None:
        clock.advance(60)
        assert await desk.handle(say(text, **more)) is not SORRY

    await said("你好")
    assert rows(db, "SELECT id FROM consultations") == []
    await said("单位拖欠工资怎么办")
    await said("那要多久")
    await said("谢谢")
    assert rows(db, "SELECT kind, category, messages, outcome FROM consultations") == [
        ("legal", "labour", 2, "answered")
    ]
    await said("身份证丢了怎么补、急用怎么办")
    assert rows(db, "SELECT kind FROM consultations ORDER BY opened_at") == [("legal",), ("approval",)]
    await said("单位拖欠工资怎么办")
    assert rows(db, "SELECT messages FROM consultations ORDER BY opened_at") == [(3,), (1,)]
    clock.advance(25 * 3600)
    await said("单位拖欠工资怎么办")
    assert len(rows(db, "SELECT id FROM consultations")) == 3


async def test_silence_closes_a_consultation_at_the_right_moment(
    desk: Desk, say: Callable[..., Inbound], clock: Clock, db: Database, rows: Rows
) -> None:
    await desk.handle(say("单位拖欠工资怎么办"))
    spoken = clock()
    clock.advance(24 * 3600 - 1)
    assert await db.write(partial(consultations.close_silent, now=clock())) == 0
    clock.advance(1)
    assert await db.write(partial(consultations.close_silent, now=clock())) == 1
    closed = rows(db, "SELECT closed_at FROM consultations")[0][0]
    assert closed == int((spoken + timedelta(hours=24)).timestamp() * 1000)


async def test_feedback_is_kept_with_its_consultation(
    desk: Desk, say: Callable[..., Inbound], db: Database, rows: Rows
) -> None:
    await desk.handle(say("单位拖欠工资怎么办"))
    await desk.handle(say("没用", tap="bad:labour.unpaid-wages"))
    found = rows(
        db,
        "SELECT f.entry_id, f.useful, c.category FROM feedback f JOIN consultations c ON c.id = f.consultation_id",
    )
    assert [(row[0], bool(row[1]), row[2]) for row in found] == [("labour.unpaid-wages", False, "labour")]


async def test_every_row_holds_what_reports_need(
    desk: Desk, say: Callable[..., Inbound], db: Database, rows: Rows, base: KnowledgeBase
) -> None:
    await desk.handle(say("单位拖欠工资怎么办"))
    version = base.entries["labour.unpaid-wages"].version
    for table in ("inbox", "consultations"):
        found = rows(db, f"SELECT channel, verdict, entry_id, entry_version, confidence FROM {table}")
        assert [tuple(row)[:4] for row in found] == [("wechat", "answer", "labour.unpaid-wages", version)]
        assert found[0][4] > 0.5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "😀😀😀",
        "]]>",
        "\x00\x01\x02控制字符\x1f",
        "how do I get my salary",
        "公司欠薪怎麼辦",
        "'; DROP TABLE inbox; --",
        "<script>alert(1)</script>",
        "工" * 10_000,
        "\ud800".encode("utf-8", "replace").decode(),
        "👨‍👩‍👧‍👦" * 500,
        "ABC" * 3000,
    ],
)
async def test_whatever_a_citizen_sends_is_answered_and_kept(
    text: str, desk: Desk, say: Callable[..., Inbound], db: Database, rows: Rows
) -> None:
    handled = await desk.handle(say(text))
    assert handled.fresh
    assert handled.reply is not None
    assert handled.reply.size <= 2048
    assert [row[0] for row in rows(db, "SELECT text FROM inbox")] == [text.replace("\x00", "")]


async def test_fifty_messages_in_a_second_are_all_kept_and_slowed_kindly(
    desk: Desk, say: Callable[..., Inbound], db: Database, rows: Rows
) -> None:
    replies = await asyncio.gather(*(desk.handle(say(f"单位拖欠工资怎么办{number}")) for number in range(50)))
    assert len(rows(db, "SELECT id FROM inbox")) == 50
    slowed = [one for one in replies if one.reply and "有点快" in one.reply.text]
    assert 35 <= len(slowed) < 50
    # The first ones were answered, and the flood is one consultation.
    assert not any("有点快" in one.reply.text for one in replies[:8] if one.reply)
    assert len(rows(db, "SELECT id FROM consultations")) == 1


async def test_history_is_what_was_said(desk: Desk, say: Callable[..., Inbound], db: Database, clock: Clock) -> None:
    for text in ("你好", "单位拖欠工资怎么办"):
        clock.advance(1)
        await desk.handle(say(text))
    past = await db.read(lambda conn: inbox.history(conn, "wechat", "o1", 10))
    assert [one.text for one in past] == ["你好", "单位拖欠工资怎么办"]
    assert past[1].reply is not None
    assert "依据：" in past[1].reply.text


async def test_a_locked_database_gets_an_honest_sentence_and_leaves_nothing(
    tmp_path: Path,
    office: Office,
    clock: Clock,
    say: Callable[..., Inbound],
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.store.database.BUSY_MS", 50)
    db = Database(f"sqlite:///{tmp_path}/locked.db")
    migrate(db.engine)
    desk = Desk(db, lambda: office, clock, Metrics())
    locker = sqlite3.connect(tmp_path / "locked.db", isolation_level=None)
    try:
        locker.execute("BEGIN EXCLUSIVE")
        handled = await desk.handle(say("单位拖欠工资怎么办"))
        assert handled is SORRY
        assert "没能记下来" in str(handled.reply)
        locker.execute("ROLLBACK")
        assert (await desk.handle(say("单位拖欠工资怎么办"))).fresh
        assert len(rows(db, "SELECT id FROM inbox")) == 1
    finally:
        locker.close()
        db.close()


async def test_a_full_disk_gets_an_honest_sentence_and_leaves_nothing(
    sqlite_db: Database, office: Office, clock: Clock, say: Callable[..., Inbound], rows: Rows
) -> None:
    def fill(conn: Connection) -> None:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    await sqlite_db.write(fill)
    desk = Desk(sqlite_db, lambda: office, clock, Metrics())
    handled = [await desk.handle(say("工资" * 2000, citizen=f"o{number}")) for number in range(20)]
    assert SORRY in handled
    recorded = sum(one is not SORRY for one in handled)
    assert len(rows(sqlite_db, "SELECT id FROM inbox")) == recorded
    assert len(rows(sqlite_db, "SELECT id FROM citizens")) == recorded


async def test_a_crowd_is_answered_as_one_by_one_and_weighed_up_together(
    sqlite_db: Database, office: Office, clock: Clock, say: Callable[..., Inbound], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [
        "公司拖欠工资三个月怎么要",
        "邻居占了我家宅基地咋办",
        "办营业执照要带啥",
        "转人工",
        "😀",
        "我不想活了，药都买好了",
    ]
    counts: list[int] = []
    whole = Index.pools

    def pools(index: Index, texts: Sequence[str], *rest: Any, **named: Any) -> list[Pool | None]:
        counts.append(len(texts))
        return whole(index, texts, *rest, **named)

    monkeypatch.setattr(Index, "pools", pools)
    desk = Desk(sqlite_db, lambda: office, clock, Metrics())
    slow = [(await desk.handle(say(text, f"slow{n}"))).reply for n, text in enumerate(asked)]
    counts.clear()
    # A search that remembers nothing of it.
    office = replace(
        office, library=serving(dataclasses.replace(office.library, confirmed_only=True), confirmed_only=False)
    )
    gate = threading.Event()
    held = asyncio.ensure_future(sqlite_db.write(lambda _: gate.wait(5)))
    await asyncio.sleep(0)
    crowd = [asyncio.ensure_future(desk.handle(say(text, f"fast{n}"))) for n, text in enumerate(asked)]
    await asyncio.sleep(0)
    gate.set()
    await held
    assert [one.reply for one in await asyncio.gather(*crowd)] == slow
    assert counts[0] >= 3
