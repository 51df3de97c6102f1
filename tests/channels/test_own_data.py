"""我的记录, 导出, 删除 and 今日普法, from the phone to the store: on the chat page and through WeChat."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from bot.console.auth import COOKIE
from tests.channels.test_wechat import until
from tests.conftest import StartBot
from tests.console import office
from tests.console.office import Visitor
from tests.platform import Clock, Platform
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
QUESTION = "单位拖欠工资怎么办"
SITE = "https://fawen.example"


@pytest.fixture
async def bot(platform: Platform, start_bot: StartBot) -> AsyncIterator[Bot]:
    async with start_bot(platform, FAWEN_HTTP__PUBLIC_URL=SITE) as running:
        yield running


@pytest.fixture
async def visitor(bot: Bot) -> AsyncIterator[Visitor]:
    async with office.visitor(bot) as someone:
        yield someone


async def linked(visitor: Visitor) -> str:
    """The link of a fresh export, as the page gets it."""
    text = (await visitor.say("导出我的记录"))["text"]
    found = re.search(r"^(/my/[\w-]{20,})$", text, re.MULTILINE)
    assert found, text
    return found[1]


async def test_on_the_chat_page_everything_is_seen_taken_along_and_deleted(
    visitor: Visitor, bot: Bot, clock: Clock, rows: Rows
) -> None:
    await visitor.say(f"{QUESTION}，我是<b>老王</b>")
    shown = await visitor.say("我的记录")
    assert "您发来1条消息" in shown["text"]
    assert [tap["label"] for row in shown["rows"] for tap in row] == ["导出我的记录", "删除我的记录"]
    link = await linked(visitor)
    async with aiohttp.ClientSession(bot.url) as elsewhere:
        for _ in range(2):  # looking uses nothing up
            async with elsewhere.get(link) as answer:
                assert answer.status == 200
                assert "只能打开一次" in await answer.text()
        async with elsewhere.post(link, data={"form": "page"}) as answer:
            page = await answer.text()
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "我是&lt;b&gt;老王&lt;/b&gt;" in page
        assert "劳动监察" in page
        for method in ("GET", "POST"):
            async with elsewhere.request(method, link) as answer:
                assert answer.status == 410
                assert "打不开了" in await answer.text()
    await visitor.say("删除我的记录")
    assert "已经删除" in (await visitor.say("确认删除", "data:sure"))["text"]
    async with visitor.session.get("/chat/history") as answer:
        past = (await answer.json())["exchanges"]
    assert [one["mine"] for one in past] == ["确认删除"]
    assert rows(bot.settings, "SELECT count(*) FROM inbox WHERE text LIKE '%老王%' OR reply LIKE '%老王%'") == [(0,)]
    assert rows(bot.settings, "SELECT count(*) FROM consultations") == [(1,)]
    steps = "SELECT action FROM audit WHERE citizen_id IS NOT NULL ORDER BY id"
    assert [row[0] for row in rows(bot.settings, steps)] == ["data.shown", "data.link", "data.exported", "data.erased"]


async def test_the_files_are_for_people_and_programs(visitor: Visitor, bot: Bot) -> None:
    await visitor.say(QUESTION)
    async with visitor.session.post(await linked(visitor), data={"form": "text"}) as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="my-records.txt"'
        text = await answer.text()
    assert f"我：{QUESTION}" in text
    assert "【咨询】" in text
    async with visitor.session.post(await linked(visitor), data={"form": "json"}) as answer:
        data = json.loads(await answer.text())
    assert data["channel"] == "网页"
    assert data["messages"][0]["text"] == QUESTION
    assert data["consultations"][0]["subject"] == "工资工伤"


@pytest.mark.parametrize("token", ["x", "no-such-token-at-all", "%00", "a" * 3000, "..%2f..%2fetc"])
async def test_made_up_links_open_nothing(bot: Bot, token: str) -> None:
    async with aiohttp.ClientSession(bot.url) as session:
        for method in ("GET", "POST"):
            async with session.request(method, f"/my/{token}") as answer:
                assert answer.status in {404, 410}


async def test_in_wechat_the_same_by_words_and_taps(platform: Platform, bot: Bot, rows: Rows) -> None:
    phone = platform.citizen("o1")
    await phone.say(f"{QUESTION}，我是老王")
    await phone.say("我的记录")
    assert "您发来1条消息" in phone.last.text
    await phone.press("导出我的记录")
    link = re.search(rf"{SITE}(/my/[\w-]{{20,}})\n", phone.last.text)
    assert link is not None
    async with aiohttp.ClientSession(bot.url) as browser, browser.post(link[1], data={"form": "text"}) as answer:
        assert "我是老王" in await answer.text()
    await phone.say("删除我的记录")
    await phone.press("不删了")
    assert "没有删" in phone.last.text
    await phone.press("确认删除")  # of before: it asks again
    assert "找不回来" in phone.last.text
    await phone.press("确认删除")
    assert "已经删除" in phone.last.text
    assert rows(bot.settings, "SELECT count(*) FROM inbox WHERE text LIKE '%老王%'") == [(0,)]
    assert rows(bot.settings, "SELECT address, subscribed FROM citizens WHERE erased_at IS NULL") == [("o1", 0)]
    await phone.say(QUESTION)
    assert "劳动监察" in phone.last.text


async def test_while_a_lawyer_is_asked_for_nothing_is_deleted(
    platform: Platform, bot: Bot, clock: Clock, rows: Rows
) -> None:
    engine = sa.create_engine(bot.settings.database_url)
    office.hire(engine, "王", clock)
    engine.dispose()
    phone = platform.citizen("o1")
    await phone.say(QUESTION)
    await phone.say("转人工")
    await phone.say("删除我的记录")
    assert "还不能删" in phone.last.text
    await phone.say("取消")
    await phone.say("删除我的记录")
    await phone.press("确认删除")
    assert rows(bot.settings, "SELECT question FROM handoffs") == [("",)]


async def test_a_quiz_in_wechat(platform: Platform, bot: Bot, rows: Rows) -> None:
    engine = sa.create_engine(bot.settings.database_url)
    office.hire(engine, "li", Clock(), role="staff")
    with engine.begin() as conn:
        conn.execute(
            sa.text(
                "INSERT INTO lessons VALUES ('q1', '2026-11-20', 'quiz', 'labour.unpaid-wages', '老板不给工钱，可以：', "
                """'["忍着","打劳动监察投诉"]', 2, '欠薪可以投诉。', 'staff-li', 0)"""
            )
        )
    engine.dispose()
    phone = platform.citizen("o1")
    await phone.say("今日普法")
    assert "【今日普法】" in phone.last.text
    await phone.press("做道题")
    assert "B. 打劳动监察投诉" in phone.last.text
    await phone.press("选A")
    assert "正确的是B" in phone.last.text
    await phone.say("B")  # thought better of it: the first answer counts
    await phone.press("选B")
    assert "答对了" in phone.last.text
    assert "依据：劳动合同法" in phone.last.text
    assert rows(bot.settings, "SELECT lesson_id, choice FROM lesson_answers") == [("q1", 1)]
    assert rows(bot.settings, "SELECT count(*) FROM consultations WHERE entry_id = 'labour.unpaid-wages'") == [(0,)]


async def test_the_reply_to_a_bad_rating_rides_on_the_next_message_in_wechat(
    platform: Platform, bot: Bot, clock: Clock, rows: Rows
) -> None:
    phone = platform.citizen("o1")
    await phone.say(QUESTION)
    await phone.say("谢谢")
    await phone.press("不满意")
    await phone.press("跳过")
    row = rows(bot.settings, "SELECT id FROM rectifications")[0][0]
    clock.advance(3 * 86400)  # long outside the platform's window
    engine = sa.create_engine(bot.settings.database_url)
    token = office.hire(engine, "wang", clock, role="supervisor")
    engine.dispose()
    form = {"do": "reply", "version": "1", "measures": "查过了聊天记录", "reply": "补充：可以打12333投诉。"}
    async with (
        aiohttp.ClientSession(bot.url, cookies={COOKIE: token}, headers={"Origin": bot.url}) as session,
        session.post(f"/console/rectifications/{row}", data=form, allow_redirects=False) as answer,
    ):
        assert answer.headers["Location"].endswith("done=reply")
    await until(lambda: rows(bot.settings, "SELECT state FROM outbox") == [("held",)])
    await phone.say("你好")
    assert "可以打12333投诉" in phone.last.text
    assert "现在觉得怎么样" not in phone.last.text
    clock.advance(60)
    await phone.say("谢谢")
    assert "现在觉得怎么样" in phone.last.text
    await phone.press("满意")
    assert rows(bot.settings, "SELECT state, visit_grade FROM rectifications") == [("visited", 4)]


async def test_the_night_purges_by_the_settings(start_bot: StartBot, clock: Clock, rows: Rows) -> None:
    async with start_bot() as bot, office.visitor(bot) as visitor:
        await visitor.say(QUESTION)
    clock.advance(40 * 86400)
    kept = "SELECT count(*) FROM inbox WHERE text <> ''"
    async with start_bot(FAWEN_PRIVACY__KEEP_DAYS="41") as bot:
        await until(lambda: rows(bot.settings, "SELECT 1 FROM meta WHERE name = 'privacy.purged_on'") != [])
        assert rows(bot.settings, kept) == [(1,)]
    clock.advance(2 * 86400)
    async with start_bot(FAWEN_PRIVACY__KEEP_DAYS="41") as bot:
        await until(lambda: rows(bot.settings, kept) == [(0,)])
        assert rows(bot.settings, "SELECT count(*) FROM consultations") == [(1,)]
