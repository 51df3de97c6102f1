"""The workbench's server side: who sees and may do what, live, in order, whatever breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from bot.commands.cli import app
from tests.conftest import StartBot
from tests.console.office import Lawyer, Visitor, lawyer, visitor
from tests.platform import Clock
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]


@pytest.fixture
async def bot(start_bot: StartBot, database_url: str) -> AsyncIterator[Bot]:
    async with start_bot(FAWEN_DATABASE_URL=database_url) as running:
        yield running


@pytest.fixture
def engine(bot: Bot) -> Iterator[sa.Engine]:
    made = sa.create_engine(bot.settings.database_url)
    yield made
    made.dispose()


@pytest.fixture
async def zhang(bot: Bot, engine: sa.Engine, clock: Clock) -> AsyncIterator[Lawyer]:
    async with lawyer(bot, engine, clock, "zhang") as made:
        yield made


@pytest.fixture
async def li(bot: Bot, engine: sa.Engine, clock: Clock) -> AsyncIterator[Lawyer]:
    async with lawyer(bot, engine, clock, "li") as made:
        yield made


@pytest.fixture
async def boss(bot: Bot, engine: sa.Engine, clock: Clock) -> AsyncIterator[Lawyer]:
    async with lawyer(bot, engine, clock, "boss", role="supervisor") as made:
        yield made


@pytest.fixture
async def citizen(bot: Bot) -> AsyncIterator[Visitor]:
    async with visitor(bot) as made:
        yield made


async def waiting(citizen: Visitor, who: Lawyer) -> str:
    """Let the citizen ask for a lawyer; returns the handoff's id."""
    await citizen.say("单位拖欠工资怎么办")
    assert "排上队" in (await citizen.say("转人工"))["text"]
    status, shown = await who.call("/overview")
    assert status == 200
    return str(shown["handoffs"][-1]["id"])


async def test_a_story_from_question_to_rating(citizen: Visitor, zhang: Lawyer, rows: Rows, bot: Bot) -> None:
    handoff = await waiting(citizen, zhang)
    assert (await zhang.move(handoff, "claim"))[0] == 200
    await zhang.connect()
    await zhang.send("watch", id=handoff, after=0)
    await zhang.words("转人工")
    await zhang.send("say", id=handoff, key="key-lawyer-1", text="您好，欠了几个月？")
    assert (await zhang.until("kept", key="key-lawyer-1"))["number"]
    assert await citizen.say("欠了三个月") is None
    assert (await zhang.words("欠了三个月"))["author"] == "citizen"
    closing = {"service": "legal_aid", "category": "wages", "summary": "已指引申请法律援助", "minutes": 12}
    assert (await zhang.call(f"/handoffs/{handoff}/close", closing))[0] == 200
    record = rows(
        bot.settings.database_url,
        "SELECT service, category, handled_by, minutes, closed_at IS NOT NULL FROM consultations",
    )
    assert record == [("legal_aid", "wages", "zhang", 12, 1)]
    asked = rows(bot.settings.database_url, "SELECT content FROM outbox ORDER BY place")[-1][0]
    assert f"rate:{handoff}:5" in asked
    assert "谢谢" in (await citizen.say("非常满意", f"rate:{handoff}:5"))["text"]
    assert rows(bot.settings.database_url, "SELECT grade FROM ratings") == [(5,)]
    printed = CliRunner().invoke(
        app, ["stats", "--month", "2026-11"], env={"FAWEN_DATABASE_URL": bot.settings.database_url}
    )
    for figure in ("转人工 1 人次", "已办结 1", "转法律援助", "zhang", "满意率 100.0%"):
        assert figure in printed.stdout


async def test_two_lawyers_tap_at_once(citizen: Visitor, zhang: Lawyer, li: Lawyer) -> None:
    handoff = await waiting(citizen, zhang)
    assert (await zhang.move(handoff, "claim"))[0] == 200
    status, said = await li.move(handoff, "claim")
    assert (status, said) == (409, {"error": "zhang律师刚刚接了这位群众。"})
    assert (await li.call(f"/handoffs/{handoff}"))[0] == 403
    assert (await li.call("/overview"))[1]["handoffs"] == []


async def test_a_message_sent_again_after_the_line_broke_is_one_message(citizen: Visitor, zhang: Lawyer) -> None:
    handoff = await waiting(citizen, zhang)
    await zhang.move(handoff, "claim")
    await zhang.connect()
    await zhang.send("say", id=handoff, key="key-lawyer-1", text="第一句")
    assert zhang.socket is not None
    await zhang.socket.close()  # before the page heard that it was kept
    await citizen.say("断线时说的话")
    await zhang.connect()
    await zhang.send("say", id=handoff, key="key-lawyer-1", text="第一句")
    await zhang.send("say", id=handoff, key="key-lawyer-2", text="第二句")
    await zhang.until("kept", key="key-lawyer-2")
    await zhang.send("watch", id=handoff, after=0)
    shown = []
    while "第二句" not in shown:
        shown += [line["text"] for line in (await zhang.until("messages"))["messages"]]
    assert [text for text in shown if text in {"第一句", "断线时说的话", "第二句"}] == [
        "第一句",
        "断线时说的话",
        "第二句",
    ]


async def test_what_a_colleague_holds_is_not_shown_nor_sent(citizen: Visitor, zhang: Lawyer, li: Lawyer) -> None:
    handoff = await waiting(citizen, zhang)
    await li.connect()
    await li.send("watch", id=handoff, after=0)
    await li.until("messages", id=handoff)
    await zhang.move(handoff, "claim")
    assert (await li.until("gone", id=handoff))["lawyer"] == "zhang"
    await citizen.say("只对张律师说")
    await li.send("say", id=handoff, key="key-stranger", text="插一句")
    refused = await li.until("refused", key="key-stranger")
    assert "不由您接待" in refused["error"]
    assert "只对张律师说" not in str(li.heard)


async def test_transfer_and_take_over(citizen: Visitor, zhang: Lawyer, li: Lawyer, boss: Lawyer) -> None:
    handoff = await waiting(citizen, zhang)
    await zhang.move(handoff, "claim")
    assert (await zhang.move(handoff, "transfer", to="staff-li", note="劳动的事你熟"))[0] == 200
    shown = (await li.call(f"/handoffs/{handoff}"))[1]
    assert [line["text"] for line in shown["messages"] if line["author"] == "note"] == ["劳动的事你熟"]
    assert (await li.move(handoff, "take_over"))[0] == 409
    assert (await boss.move(handoff, "take_over"))[0] == 200
    assert (await li.call(f"/handoffs/{handoff}"))[0] == 403
    assert (await boss.move(handoff, "transfer", to="staff-nobody"))[1] == {"error": "请选一位在册的同事。"}


async def test_a_lawyer_who_vanishes_strands_nobody(
    citizen: Visitor, zhang: Lawyer, engine: sa.Engine, bot: Bot, clock: Clock, rows: Rows
) -> None:
    from bot.service import handling  # noqa: PLC0415 - the sweeper's own step, run here by hand
    from bot.store.database import Database  # noqa: PLC0415

    handoff = await waiting(citizen, zhang)
    await zhang.move(handoff, "claim")
    await citizen.say("在吗，我等着呢")
    clock.advance(16 * 60)
    db = Database(bot.settings.database_url)
    try:
        rules, hours = bot.settings.handoff.rules, bot.settings.handoff.office_hours
        await db.write(lambda conn: handling.sweep(conn, bot.parts.new_id, hours, rules, clock()))
    finally:
        db.close()
    assert rows(bot.settings.database_url, "SELECT state, returns FROM handoffs") == [("waiting", 1)]
    assert "走开" in rows(bot.settings.database_url, "SELECT content FROM outbox ORDER BY place")[-1][0]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/handoffs/x/move", {"name": "explode"}),
        ("/handoffs/x/move", {"name": "claim", "more": 1}),
        ("/handoffs/x/move", []),
        ("/handoffs/x/close", {"service": "answered", "minutes": -1}),
        ("/duty", {"on": "yes"}),
        ("/quick", {"text": ""}),
    ],
)
async def test_malformed_calls_change_nothing(zhang: Lawyer, path: str, body: Any) -> None:
    status, said = await zhang.call(path, body)
    assert status == 400
    assert said["error"].endswith("再试。")


async def test_unknown_handoffs_are_told_kindly(zhang: Lawyer) -> None:
    assert await zhang.move("nothing", "claim") == (409, {"error": "没有找到这个咨询，请刷新页面。"})
    assert (await zhang.call("/handoffs/nothing"))[0] == 404


async def test_words_that_are_too_long_or_empty_are_refused(citizen: Visitor, zhang: Lawyer) -> None:
    handoff = await waiting(citizen, zhang)
    await zhang.move(handoff, "claim")
    await zhang.connect()
    for key, text in (("key-empty-1", " \x00 "), ("key-long-01", "长" * 5001)):
        await zhang.send("say", id=handoff, key=key, text=text)
        assert await zhang.until("refused", key=key)
    await zhang.send("say", id=handoff, key="key-long-02", text="长" * 5000)
    assert await zhang.until("kept", key="key-long-02")


async def test_garbage_on_the_line_is_ignored(zhang: Lawyer, citizen: Visitor) -> None:
    handoff = await waiting(citizen, zhang)
    await zhang.connect()
    assert zhang.socket is not None
    for garbage in ("", "null", "{", '{"type": "say"}', "[]", '{"type": "explode"}'):
        await zhang.socket.send_str(garbage)
    await zhang.send("watch", id=handoff, after=0)
    assert await zhang.until("messages", id=handoff)


async def test_the_line_is_for_staff_and_for_our_own_pages(bot: Bot, zhang: Lawyer) -> None:
    async with aiohttp.ClientSession(bot.url) as stranger:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await stranger.ws_connect("/workbench/socket", headers={"Origin": bot.url})
        assert caught.value.status == 401
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await zhang.session.ws_connect("/workbench/socket", headers={"Origin": "https://evil.example"})
    assert caught.value.status == 403


async def test_a_foreign_page_cannot_claim(citizen: Visitor, zhang: Lawyer) -> None:
    handoff = await waiting(citizen, zhang)
    zhang.origin = "https://evil.example"
    assert (await zhang.move(handoff, "claim"))[0] == 403
    assert (await zhang.call("/overview"))[1]["handoffs"][0]["state"] == "waiting"


async def test_knowledge_beside_the_chat(zhang: Lawyer) -> None:
    _, found = await zhang.call("/search?q=公司拖欠工资")
    assert "劳动监察" in found["entries"][0]["answer"]
    assert found["entries"][0]["basis"]
    assert (await zhang.call("/search?q="))[1] == {"entries": []}


async def test_quick_replies_are_own_or_shared(zhang: Lawyer, li: Lawyer) -> None:
    await zhang.call("/quick", {"text": "带上身份证来一趟"})
    mine = (await zhang.call("/quick"))[1]["quick"]
    assert mine[0]["text"] == "带上身份证来一趟"
    assert "带上身份证来一趟" not in str((await li.call("/quick"))[1])
    await li.call(f"/quick/{mine[0]['id']}", method="DELETE")
    assert (await zhang.call("/quick"))[1]["quick"] == mine
    await zhang.call(f"/quick/{mine[0]['id']}", method="DELETE")
    assert mine[0] not in (await zhang.call("/quick"))[1]["quick"]


async def test_reading_a_strangers_words_is_on_record(
    citizen: Visitor, zhang: Lawyer, boss: Lawyer, rows: Rows, bot: Bot
) -> None:
    handoff = await waiting(citizen, zhang)
    await zhang.move(handoff, "claim")
    await boss.call(f"/handoffs/{handoff}")
    kept = rows(bot.settings.database_url, "SELECT staff_id, action FROM audit ORDER BY id")
    assert kept == [("staff-zhang", "handoff.claim"), ("staff-boss", "handoff.read")]


async def test_a_code_binds_ones_own_wechat(zhang: Lawyer, rows: Rows, bot: Bot) -> None:
    status, code = await zhang.call("/bind", {})
    assert status == 200
    assert code["words"].startswith("绑定 ")
    assert rows(bot.settings.database_url, "SELECT staff_id FROM bindings") == [("staff-zhang",)]
