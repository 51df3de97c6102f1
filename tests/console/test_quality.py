"""The pages about ratings, rectifications and lessons: what they show, who may do what, and bad input."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from bot.console.auth import COOKIE
from tests.console.office import Visitor, hire, visitor
from tests.platform import Clock
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
QUESTION = "单位拖欠工资怎么办"
LIST, RATINGS, LESSONS = "/console/rectifications", "/console/ratings", "/console/lessons"
REPLY = {"do": "reply", "version": "1", "measures": "核对了聊天记录", "reply": "对不起，现在补充如下。"}
QUIZ = {
    "day": "2026-11-23", "kind": "quiz", "entry": "labour.unpaid-wages", "question": "老板不给工钱，老王可以：",
    "options": "忍着\n打劳动监察投诉\n", "answer": "2", "explanation": "欠薪可以向劳动监察投诉。",
}  # fmt: skip


@asynccontextmanager
async def clerk(
    bot: Bot, engine: sa.Engine, clock: Clock, name: str, role: str
) -> AsyncIterator[aiohttp.ClientSession]:
    token = hire(engine, name, clock, role=role)
    headers = {"Origin": bot.url, "Accept": "text/html"}
    async with aiohttp.ClientSession(bot.url, cookies={COOKIE: token}, headers=headers) as session:
        yield session


@pytest.fixture
async def boss(bot: Bot, engine: sa.Engine, clock: Clock) -> AsyncIterator[aiohttp.ClientSession]:
    async with clerk(bot, engine, clock, "王主任", "supervisor") as session:
        yield session


async def unhappy(someone: Visitor, words: str = "答非所问，我电话13812345678", grade: str = "不满意") -> None:
    """A citizen asks, gets an answer, and is not content."""
    await someone.say(QUESTION)
    asked = await someone.say("谢谢")
    tap = next(tap for row in asked["rows"] for tap in row if tap["label"] == grade)
    await someone.say(grade, tap["id"])
    await someone.say(words)


async def get(session: aiohttp.ClientSession, path: str) -> tuple[int, str]:
    async with session.get(path) as answer:
        return answer.status, await answer.text()


async def post(session: aiohttp.ClientSession, path: str, form: dict[str, str]) -> tuple[int, str, str]:
    async with session.post(path, data=form, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def test_every_page_says_how_many_cases_wait_for_whom(
    bot: Bot, engine: sa.Engine, clock: Clock, boss: aiohttp.ClientSession, rows: Rows
) -> None:
    badge = '<a href="/console/rectifications?state=mine"'
    async with visitor(bot) as someone, clerk(bot, engine, clock, "李四", "lawyer") as li:
        for path in ("/console", "/account"):
            assert badge not in (await get(boss, path))[1]
        await unhappy(someone)
        for path in ("/console", "/account", "/workbench", "/console/figures"):
            assert f'{badge}>整改<span class="badge" title="1条等您办">1</span>' in (await get(boss, path))[1]
        assert badge not in (await get(li, "/workbench"))[1]
        row = rows(bot.settings, "SELECT id FROM rectifications")[0][0]
        await post(boss, f"{LIST}/{row}", {"do": "assign", "version": "1", "to": "staff-李四"})
        assert badge not in (await get(boss, "/console"))[1]
        assert badge in (await get(li, "/workbench"))[1]
        assert row in (await get(li, f"{LIST}?state=mine"))[1]
        assert row not in (await get(boss, f"{LIST}?state=mine"))[1]
        clock.advance(8 * 86400)
    async with clerk(bot, engine, clock, "赵六", "staff") as zhao:
        with engine.begin() as conn:
            conn.execute(sa.text("UPDATE rectifications SET staff_id = 'staff-赵六'"))
        assert 'class="badge bad" title="1条等您办，1条逾期">1<' in (await get(zhao, "/console"))[1]


async def test_a_case_is_read_masked_and_taken_step_by_step(
    bot: Bot, engine: sa.Engine, clock: Clock, boss: aiohttp.ClientSession, rows: Rows
) -> None:
    async with visitor(bot) as someone, clerk(bot, engine, clock, "李四", "lawyer") as li:
        await unhappy(someone)
        row = rows(bot.settings, "SELECT id FROM rectifications")[0][0]
        path = f"{LIST}/{row}"
        assert row not in (await get(li, LIST))[1]
        assert (await get(li, path))[0] == 403
        _, page = await get(boss, LIST)
        assert "还没指定" in page
        assert "还有7天" in page
        _, page = await get(boss, path)
        assert "138********" in page
        assert "13812345678" not in page
        assert QUESTION in page
        assert 'href="/console/knowledge/entries/labour.unpaid-wages">去修改</a>' in page
        (matter,) = rows(bot.settings, "SELECT consultation_id FROM rectifications")[0]
        assert (
            f'<a href="{path}">待处理，2026-11-30前办完</a>' in (await get(boss, f"/console/consultations/{matter}"))[1]
        )
        status, to, _ = await post(boss, path, {"do": "assign", "version": "1", "to": "staff-李四"})
        assert (status, to) == (303, f"{path}?done=assign")
        assert row in (await get(li, LIST))[1]
        # Lawyers do their own cases, and no more than that.
        assert (await post(li, path, {"do": "assign", "version": "2", "to": "staff-李四"}))[0] == 409
        status, _, page = await post(li, path, REPLY)
        assert status == 409
        assert "刚刚改过" in page
        assert REPLY["measures"] in page  # what was typed is not lost
        assert (await post(li, path, REPLY | {"version": "2"}))[0] == 303
        assert (await post(li, path, {"do": "visit", "version": "3", "grade": "", "words": ""}))[0] == 409
        assert (await post(li, path, {"do": "visit", "version": "3", "grade": "4", "words": "说清楚了"}))[0] == 303
        assert (await post(li, path, {"do": "close", "version": "4", "proof": " "}))[0] == 409
        assert (await post(li, path, {"do": "close", "version": "4", "proof": "电话回访有登记"}))[0] == 303
        _, page = await get(boss, path)
        assert "已办结" in page
        assert "电话回访有登记" in page
        _, page = await get(boss, f"{LIST}?state=closed")
        assert row in page
        assert row not in (await get(boss, LIST))[1]


async def test_who_is_rated_sees_it_and_cannot_touch_it(
    bot: Bot, engine: sa.Engine, clock: Clock, boss: aiohttp.ClientSession, rows: Rows
) -> None:
    async with visitor(bot) as someone:
        await unhappy(someone)
        with engine.begin() as conn:  # it was the head who served
            conn.execute(sa.text(
                "INSERT INTO handoffs SELECT 'h1', citizen_id, id, 'web', 'closed', 1, 0, 'asked', 'legal', 'labour', '', '', "
                "'staff-王主任', 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0, 'settled', 1 FROM consultations"
            ))  # fmt: skip
            conn.execute(sa.text("UPDATE ratings SET handoff_id = 'h1'"))
        path = f"{LIST}/{rows(bot.settings, 'SELECT id FROM rectifications')[0][0]}"
        _, page = await get(boss, path)
        assert "给您本人的" in page
        assert "<textarea" not in page
        for form in (REPLY, {"do": "assign", "version": "1", "to": "staff-王主任"}, {"do": "close", "version": "1"}):
            status, _, page = await post(boss, path, form)
            assert status == 409
            assert "本人" in page


@pytest.mark.parametrize(
    "form",
    [
        {}, {"do": "reply"}, {"do": "x", "version": "1"}, {"do": "close", "version": "x"}, {"do": "fail", "version": "1"},
        {"do": "withdraw", "version": "1"},
    ],
)  # fmt: skip
async def test_forms_nobody_made_are_refused(
    bot: Bot, boss: aiohttp.ClientSession, rows: Rows, form: dict[str, str]
) -> None:
    async with visitor(bot) as someone:
        await unhappy(someone)
    row = rows(bot.settings, "SELECT id FROM rectifications")[0][0]
    assert (await post(boss, f"{LIST}/{row}", form))[0] == 400
    assert (await post(boss, f"{LIST}/no-such", REPLY))[0] == 404
    assert rows(bot.settings, "SELECT state, version FROM rectifications") == [("open", 1)]


async def test_voices_by_entry_lead_to_their_rows(bot: Bot, boss: aiohttp.ClientSession, clock: Clock) -> None:
    _, page = await get(boss, RATINGS)
    assert "没有评价" in page
    async with visitor(bot) as someone:
        await unhappy(someone)
        await someone.say("没用", "bad:labour.unpaid-wages")
    _, page = await get(boss, RATINGS)
    assert "100%" in page
    assert "/console/rectifications?entry=labour.unpaid-wages" in page
    _, page = await get(boss, f"{LIST}?entry=labour.unpaid-wages")
    assert "工资工伤" in page
    assert "工资工伤" not in (await get(boss, f"{LIST}?entry=debt.no-iou"))[1]
    for query in ("from=2020-01-01&to=2020-12-31", "from=x&to=9999-12-31", "from=2026-12-01&to=2026-01-01", "to=x"):
        status, _ = await get(boss, f"{RATINGS}?{query}")
        assert status == 200, query


async def test_a_quiz_is_planned_looked_at_changed_and_kept_once_answered(
    bot: Bot, boss: aiohttp.ClientSession, rows: Rows
) -> None:
    _, page = await get(boss, f"{LESSONS}/edit?day=2026-11-23&kind=quiz&q=拖欠工资")
    assert "entry=labour.unpaid-wages" in page
    _, to, _ = await post(boss, f"{LESSONS}/edit", QUIZ)
    status, page = await get(boss, to)
    assert status == 200
    assert "B. 打劳动监察投诉" in page
    assert "依据：劳动合同法" in page
    _, again, _ = await post(boss, f"{LESSONS}/edit", QUIZ | {"explanation": "欠薪可以投诉，也可以仲裁。"})
    assert again == to
    async with visitor(bot) as someone:
        put = await someone.say("做道题")
        await someone.say("选B", put["rows"][0][1]["id"])
    _, page = await get(boss, LESSONS)
    assert "2026年11月" in page
    assert "100%" in page
    number = to.removeprefix(f"{LESSONS}/").partition("?")[0]
    _, to, _ = await post(boss, f"{LESSONS}/drop", {"id": number})
    assert "fault=kept" in to
    _, fresh, _ = await post(boss, f"{LESSONS}/edit", {"day": "2026-11-24", "kind": "entry", "entry": QUIZ["entry"]})
    number = fresh.removeprefix(f"{LESSONS}/").partition("?")[0]
    assert "done=dropped" in (await post(boss, f"{LESSONS}/drop", {"id": number}))[1]
    assert rows(bot.settings, "SELECT kind FROM lessons") == [("quiz",)]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"entry": ""}, 409),
        ({"entry": "no.such"}, 409),
        ({"question": " "}, 409),
        ({"question": "长" * 301}, 409),
        ({"options": "只有一个"}, 409),
        ({"options": "一\n二\n三\n四\n五"}, 409),
        ({"options": "一\n一"}, 409),
        ({"options": f"{'长' * 41}\n二"}, 409),
        ({"answer": "3"}, 409),
        ({"answer": "x"}, 409),
        ({"explanation": ""}, 409),
        ({"explanation": "长" * 401}, 409),
        ({"day": "2026-13-01"}, 400),
        ({"day": ""}, 400),
    ],
)
async def test_a_lesson_that_would_not_do_is_refused(
    bot: Bot, boss: aiohttp.ClientSession, rows: Rows, change: dict[str, str], status: int
) -> None:
    assert (await post(boss, f"{LESSONS}/edit", QUIZ | change))[0] == status
    assert rows(bot.settings, "SELECT count(*) FROM lessons") == [(0,)]


@pytest.mark.parametrize(
    "query", ["", "?month=2026-12", "?month=x", "?month=2027-02", "?month=0001-01", "?month=9999-12"]
)
async def test_every_month_has_a_calendar(boss: aiohttp.ClientSession, query: str) -> None:
    assert (await get(boss, LESSONS + query))[0] == 200
