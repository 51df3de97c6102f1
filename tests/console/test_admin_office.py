"""Roster, announcements and audit log at /console/admin."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import bot as package
from bot.console.admin import calendar
from bot.console.admin.audit import NAMES
from bot.conversation.handoff.duty import Hours
from bot.service import audit
from tests.conftest import StartBot
from tests.console.admin import clerk, words_of
from tests.console.office import hire, visitor
from tests.platform import Clock, Platform
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
SOURCE = Path(package.__file__).parent
HOSTILE = "<script>=1+1</script>\x00"


def test_days_say_why_they_are_what_they_are() -> None:
    own = Hours(holidays=frozenset({date(2026, 11, 24)}), workdays=frozenset({date(2026, 11, 28), date(2026, 10, 1)}))
    expected = {
        date(2026, 11, 23): (True, ""),
        date(2026, 11, 22): (False, "周末"),
        date(2026, 10, 2): (False, "国庆节"),
        date(2026, 10, 10): (True, "调休上班"),  # a Saturday
        date(2026, 11, 24): (False, "本县放假"),
        date(2026, 11, 28): (True, "本县上班"),
        date(2026, 10, 1): (True, "本县上班"),
        date(2099, 10, 1): (True, ""),
        date(2099, 10, 3): (False, "周末"),
    }
    shown = {on: calendar.day(on, own) for on in expected}
    assert {on: (one.works, one.why) for on, one in shown.items()} == expected
    assert all(one.works == own.works(on) for on, one in shown.items())
    assert [calendar.published(year) for year in (2026, 2099)] == [True, False]


@pytest.mark.parametrize("first", [date(2026, 2, 1), date(2026, 11, 1), date(2024, 2, 1), date(2026, 12, 1)])
def test_a_month_has_each_of_its_days_once_in_whole_weeks(first: date) -> None:
    weeks = calendar.month(first, Hours(), {})
    assert {len(week) for week in weeks} == {7}
    inside = [one.day.day for week in weeks for one in week if one.inside]
    assert inside == list(range(1, calendar.last_of(first).day + 1))


async def test_a_make_up_day_is_rostered_and_shown(bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows) -> None:
    hire(engine, "li", clock)
    span = {
        "staff": "staff-li",
        "from": "2026-10-01",
        "until": "2026-10-11",
        "working": "yes",
        "do": "add",
        "month": "2026-10",
    }
    async with clerk(bot, engine, clock, "head", role="supervisor") as head:
        assert await head.do("/roster", span) == (303, "/console/admin/roster?month=2026-10&done=added")
        # The 8th and 9th after the holiday, and the Saturday that makes up for it.
        days = ["2026-10-08", "2026-10-09", "2026-10-10"]
        assert [one[0] for one in rows(bot.settings, "SELECT day FROM shifts ORDER BY day")] == days
        page = await head.words("/roster", month="2026-10")
        assert "10日星期六调休上班li" in page
        assert "2日星期五国庆节" in page
        assert "没有要改的" in await head.words("/roster", done="nothing")
        assert (await head.do("/roster", span))[1].endswith("done=nothing")
        assert (await head.do("/roster/2026-10-10", {"staff": "staff-li", "do": "remove"}))[0] == 303
        assert "还没有排人" in await head.words("/roster/2026-10-10")
        assert (await head.do("/roster/2026-10-10", {"staff": "staff-li", "do": "add"}))[0] == 303
    done = rows(bot.settings, "SELECT action, staff_id, detail FROM audit WHERE action LIKE 'shift%' ORDER BY id")
    assert done == [
        ("shift_added", "staff-head", "li：2026-10-08 至 2026-10-10，3天"),
        ("shift_removed", "staff-head", "li：2026-10-10"),
        ("shift_added", "staff-head", "li：2026-10-10"),
    ]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"from": "2026-11-30"}, "开始不能晚于结束"),
        ({"until": "2036-11-30"}, "一次最多一年"),
        ({"from": "明天"}, "请选开始和结束的日期"),
        ({"from": "2026-02-30"}, "请选开始和结束的日期"),
        ({"from": "0001-01-01", "until": "0001-01-02"}, "请选开始和结束的日期"),
        ({"staff": "nobody"}, "请选一位律师"),
        ({"staff": "staff-clerk"}, "不接待群众"),
        ({"staff": "staff-gone"}, "已停用，不能排班"),
        ({"staff": HOSTILE}, "请选一位律师"),
    ],
)
async def test_who_or_when_cannot_be_is_said(
    bot: Bot, engine: sa.Engine, clock: Clock, changed: dict[str, str], said: str, rows: Rows
) -> None:
    hire(engine, "li", clock)
    hire(engine, "clerk", clock, role="staff")
    hire(engine, "gone", clock)
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE staff SET disabled_at = 1 WHERE login = 'gone'"))
    form = {"staff": "staff-li", "from": "2026-11-23", "until": "2026-11-27", "do": "add", "month": HOSTILE}
    async with clerk(bot, engine, clock) as boss:
        status, page = await boss.do("/roster", form | changed)
        assert (status, said in words_of(page)) == (400, True)
    assert rows(bot.settings, "SELECT * FROM shifts") == []


async def test_the_countys_own_days_move_the_promise(bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows) -> None:
    hire(engine, "li", clock, on=False)
    clock.advance(11 * 3600)  # Monday evening
    async with clerk(bot, engine, clock, "head", role="supervisor") as head:
        await head.do("/roster/2026-11-24/kind", {"kind": "off"})
        assert "本县放假" in await head.words("/roster", month="2026-11")
        async with visitor(bot) as citizen:
            said = str([await citizen.say(text) for text in ("转人工", "跳过", "跳过")])
            assert "11月25日（星期三）8:30" in said
        await head.do("/roster/2026-11-24/kind", {"kind": ""})
        async with visitor(bot) as citizen:
            assert "明天8:30" in str([await citizen.say(text) for text in ("转人工", "跳过", "跳过")])
        for path in ("/roster/2026-02-30", "/roster/tomorrow", "/roster/9999-01-01"):
            assert (await head.do(f"{path}/kind", {"kind": "off"}))[0] == 404
    done = rows(bot.settings, "SELECT staff_id, detail FROM audit WHERE subject = 'handoff.holidays' ORDER BY id")
    assert done == [("staff-head", " → 2026-11-24"), ("staff-head", "2026-11-24 → ")]


def notice(text: str, **changed: str) -> dict[str, str]:
    times = {"from_day": "2026-11-23", "from_time": "10:00", "until_day": "2026-11-23", "until_time": "18:00"}
    return {"text": text} | times | changed


async def page_of(citizen: Any) -> str:
    async with citizen.session.get("/") as answer:
        return str(await answer.text())


async def test_an_announcement_comes_and_goes_on_the_chat_page(
    bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    async with clerk(bot, engine, clock, "head", role="supervisor") as head, visitor(bot) as citizen:
        assert (await head.do("/announcements", notice("周三停电，<b>{place.court}</b>\n请改日来。\x00")))[0] == 303
        assert "还没开始" in await head.words("/announcements")
        assert "announcement" not in await page_of(citizen)
        clock.advance(3600)
        assert "周三停电，〈b〉{place.court}〈/b〉 请改日来。" in await page_of(citizen)
        assert "停电" not in (await citizen.say("你好"))["text"], "the page shows it already"
        assert "同一时间只显示一条" in words_of((await head.do("/announcements", notice("另一条")))[1])
        clock.advance(4 * 3600)
        assert "正在显示" in await head.words("/announcements")
        clock.advance(4 * 3600)
        assert "停电" not in await page_of(citizen)
        assert (await head.do("/announcements", notice("新的", until_day="2026-11-30")))[0] == 303
        assert "新的" in await page_of(citizen)
        number = rows(bot.settings, "SELECT id FROM announcements ORDER BY created_at")[1][0]
        assert (await head.do(f"/announcements/{number}/withdraw"))[1].endswith("done=withdrawn")
        assert "新的" not in await page_of(citizen)
        assert (await head.do(f"/announcements/{number}/withdraw"))[1].endswith("done=late")
    done = rows(bot.settings, "SELECT action FROM audit WHERE staff_id = 'staff-head' ORDER BY id")
    assert [one[0] for one in done] == ["announcement_made", "announcement_made", "announcement_withdrawn"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (notice(" \n\x00"), "请写公告的内容"),
        (notice("长" * 201), "公告最多200个字，现在有201个"),
        (notice("x" * 10_000), "公告最多200个字"),
        (notice("好", until_day="2026-11-22"), "结束时间要晚于开始时间"),
        (notice("好", from_day="2026-11-01", until_day="2026-11-02"), "也要晚于现在"),
        (notice("好", from_time="25:00"), "请填好开始和结束"),
        (notice("好", until_day="=1+1"), "请填好开始和结束"),
        ({"text": "好"}, "请填好开始和结束"),
    ],
)
async def test_what_cannot_be_announced_is_said(
    bot: Bot, engine: sa.Engine, clock: Clock, form: dict[str, str], said: str, rows: Rows
) -> None:
    async with clerk(bot, engine, clock) as boss:
        status, page = await boss.do("/announcements", form)
        assert (status, said in words_of(page)) == (400, True)
    assert rows(bot.settings, "SELECT * FROM announcements") == []


async def test_an_announcement_leads_greeting_and_help_on_wechat_and_is_never_pushed(
    start_bot: StartBot, platform: Platform, clock: Clock, rows: Rows
) -> None:
    text = "公" * 200
    async with start_bot(platform) as bot:
        engine = sa.create_engine(bot.settings.database_url)
        citizen = platform.citizen("old-friend")
        async with clerk(bot, engine, clock) as boss:
            await citizen.say("你好")
            assert "公告" not in citizen.last.text
            assert (await boss.do("/announcements", notice(text, from_time="08:00")))[0] == 303
            for said, there in (("你好", True), ("帮助", True), ("单位拖欠工资怎么办", False), ("谢谢", False)):
                await citizen.say(said)
                assert citizen.last.text.startswith(f"【公告】{text}\n\n") is there, said
            newcomer = platform.citizen("newcomer", subscribed=False)
            await newcomer.subscribe()
            assert newcomer.last.text.startswith(f"【公告】{text}")
            assert "更多" not in newcomer.last.text, "it fits as a whole"
        engine.dispose()
        assert rows(bot.settings, "SELECT * FROM outbox") == []


async def fill(engine: sa.Engine, bot: Bot, clock: Clock, count: int) -> None:
    with engine.begin() as conn:
        for number in range(count):
            audit.write(
                conn,
                bot.parts.new_id,
                "login",
                now=clock(),
                staff="staff-boss",
                detail=f"行{number}。",
                address="10.0.0.1",
            )
            clock.advance(60)


async def test_the_audit_log_is_filtered_and_paged(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    hire(engine, "boss", clock, role="admin")
    await fill(engine, bot, clock, 120)
    with engine.begin() as conn:
        clock.advance(24 * 3600)
        audit.write(conn, bot.parts.new_id, "account_added", now=clock(), subject="staff-boss", detail=HOSTILE[:-1])
        audit.write(conn, bot.parts.new_id, "something.new", now=clock(), staff="staff-boss")
    async with clerk(bot, engine, clock, "head", role="supervisor") as boss:
        first = await boss.see("/audit")
        assert "&lt;script&gt;=1+1" in first
        assert "添加账号" in words_of(first).partition("操作记录，")[2]
        assert "命令行" in first
        assert "something.new" in first
        assert [number for number in range(120) if f"行{number}。" in first] == list(range(72, 120))
        third = await boss.words("/audit", page="3")
        assert [number for number in range(120) if f"行{number}。" in third] == list(range(22))
        assert "没有符合的记录" in await boss.words("/audit", page="4")
        lines = "操作记录，"
        found = (await boss.words("/audit", staff="staff-boss", action="something.new")).partition(lines)[2]
        assert found.count("something.new") == 1
        assert "行119。" not in found
        day = (await boss.words("/audit", **{"from": "2026-11-24", "until": "2026-11-24"})).partition(lines)[2]
        assert "添加账号" in day
        assert "行119。" not in day
        before = (await boss.words("/audit", until="2026-11-23")).partition(lines)[2]
        assert "行119。" in before
        assert "添加账号" not in before


def test_every_act_that_is_put_on_record_has_a_name() -> None:
    """Read from the code itself: a new act without a name would show as an English word."""
    written = re.compile(r"""\.write\(\s*(?:self\.)?_?conn,\s*[\w.]+,\s*"([^"]+)\"""")
    found = {name for file in SOURCE.rglob("*.py") for name in written.findall(file.read_text(encoding="utf-8"))}
    assert {"account_added", "bind_wechat"} <= found, "the pattern finds them"
    assert found - set(NAMES) == set()


async def test_hostile_questions_to_the_audit_log_find_nothing(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    async with clerk(bot, engine, clock) as boss:
        for query in (
            {"staff": HOSTILE, "action": HOSTILE, "from": HOSTILE, "until": "9999-99-99", "page": HOSTILE},
            {"page": "-1"}, {"page": "9" * 5000}, {"page": "²"}, {"page": "0"}, {"staff": "x" * 6000}, {"action": "' OR 1=1 --"},
        ):  # fmt: skip
            page = await boss.see("/audit", **query)
            assert "<script>=" not in page


async def test_the_overview_shows_each_role_its_own(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    async with clerk(bot, engine, clock) as boss, clerk(bot, engine, clock, "head", role="supervisor") as head:
        both = [await one.words("") for one in (boss, head)]
    for name, who in (("账号和角色", 1), ("值班表", 2), ("公告", 2), ("运行设置", 1), ("系统状态", 2), ("操作记录", 2)):
        assert [name in page for page in both].count(True) == who, name
