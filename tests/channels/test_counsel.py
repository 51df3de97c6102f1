"""Lawyers in their own WeChat: told that someone waits, bound by a code, at work without a browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web

from bot.bell import Bell
from bot.channels.wechat.outgoing import BindingCode, Outgoing
from bot.live import Live
from bot.service import staff
from bot.store.database import Database
from tests.channels.test_wechat import until
from tests.conftest import StartBot
from tests.console import office
from tests.platform import Citizen, Clock, Platform
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
TEMPLATE = "/cgi-bin/message/template/send"
SETTINGS = {"FAWEN_HANDOFF__TEMPLATE_ID": "tpl-1"}


@pytest.fixture
async def bot(platform: Platform, start_bot: StartBot) -> AsyncIterator[Bot]:
    async with start_bot(platform, **SETTINGS) as running:
        yield running


@pytest.fixture
def engine(bot: Bot) -> sa.Engine:
    return sa.create_engine(bot.settings.database_url)


async def hired(platform: Platform, engine: sa.Engine, clock: Clock, name: str, **more: Any) -> Citizen:
    """A lawyer with their own WeChat bound."""
    office.hire(engine, name, clock, **more)
    openid = f"o-{name.encode().hex()}"
    phone = platform.citizen(openid)
    await phone.say("你好")
    with engine.begin() as conn:
        conn.execute(
            sa.text("UPDATE staff SET citizen_id = (SELECT id FROM citizens WHERE address = :a) WHERE login = :l"),
            {"a": openid, "l": name},
        )
    return phone


async def asks(platform: Platform, openid: str = "o1", subject: str = "工资工伤") -> Citizen:
    citizen = platform.citizen(openid)
    await citizen.say("转人工")
    await citizen.press(subject)
    return citizen


async def test_a_whole_consultation_without_a_browser_on_either_database(
    platform: Platform, start_bot: StartBot, database_url: str, clock: Clock, rows: Rows
) -> None:
    async with start_bot(platform, **SETTINGS, FAWEN_DATABASE_URL=database_url) as bot:
        engine = sa.create_engine(database_url)
        await whole_consultation(platform, bot, engine, clock, rows)
        engine.dispose()


async def whole_consultation(platform: Platform, bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows) -> None:
    wang = await hired(platform, engine, clock, "王", on=False)
    await wang.say("上班")
    assert "没有人在等" in wang.last.text
    citizen = platform.citizen("o1")
    await citizen.say("转人工")
    await citizen.press("工资工伤")
    await citizen.say("老板跑了")
    await wang.say("排队")
    assert "工资工伤" in wang.last.text
    await wang.press("接单 1")
    assert "【群众1】工资工伤" in wang.last.text
    assert "群众：老板跑了" in wang.last.text
    await until(lambda: "王律师来了" in citizen.last.text)
    clock.advance(5)
    shown = len(wang.seen)
    await wang.say("有工资条吗？")
    assert len(wang.seen) == shown  # nothing between the lawyer and the citizen
    await until(lambda: citizen.last.text == "有工资条吗？")
    clock.advance(5)
    await citizen.say("有的")
    await until(lambda: wang.last.text == "【群众1】有的")
    assert wang.last.via == "service"
    clock.advance(5)
    await wang.say("结束 转法律援助")
    assert "转法律援助" in wang.last.text
    await until(lambda: "打个分" in citizen.last.text)
    await wang.say("下班")
    assert "已下班" in wang.last.text
    assert rows(bot.settings, "SELECT state, ended FROM handoffs") == [("closed", "settled")]
    assert rows(bot.settings, "SELECT service, handled_by FROM consultations") == [("legal_aid", "王")]
    assert rows(bot.settings, "SELECT count(*) FROM inbox WHERE flow = 'counsel' AND consultation_id IS NOT NULL") == [
        (0,)
    ]


async def test_two_citizens_are_kept_apart(platform: Platform, bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    wang = await hired(platform, engine, clock, "王")
    first = await asks(platform)
    clock.advance(60)
    second = await asks(platform, "o2", "婚姻家庭")
    await wang.say("接单")
    clock.advance(1)
    await wang.say("接单")
    assert "【群众2】婚姻家庭" in wang.last.text
    await wang.say("给第二位")
    await until(lambda: second.last.text == "给第二位")
    clock.advance(5)
    await first.say("我是第一位")
    await until(lambda: wang.last.text == "【群众1】我是第一位")
    await wang.say("切换 1")
    await wang.say("给第一位")
    await until(lambda: first.last.text == "给第一位")
    assert "给第一位" not in [seen.text for seen in second.seen]
    await wang.say("下班")
    assert "还有2位" in wang.last.text
    await wang.say("退回")
    assert "放回队里" in wang.last.text
    assert "【群众2】" in wang.last.text


async def test_a_lawyer_is_a_citizen_like_all_unless_at_work(
    platform: Platform, bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    wang = await hired(platform, engine, clock, "王")
    await wang.say("单位拖欠工资怎么办")
    assert "劳动监察" in wang.last.text
    await wang.say("上班")
    await wang.say("单位拖欠工资怎么办")
    assert "没有发出去" in wang.last.text
    await wang.image()
    assert "只能发文字" in wang.last.text
    await wang.say("我要咨询")
    await wang.say("单位拖欠工资怎么办")
    assert "劳动监察" in wang.last.text
    assert rows(bot.settings, "SELECT count(*) FROM consultations") == [(1,)]


async def test_what_is_for_lawyers_only_means_nothing_to_citizens(platform: Platform, bot: Bot, rows: Rows) -> None:
    citizen = platform.citizen("o1")
    for words in ("接单", "上班", "排队", "解除绑定", "结束 已解答"):
        await citizen.say(words)
        assert "律师身份" not in citizen.last.text
    assert rows(bot.settings, "SELECT count(*) FROM inbox WHERE flow = 'counsel'") == [(0,)]


async def test_two_claim_at_once_one_is_told(platform: Platform, bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    wang, li = await hired(platform, engine, clock, "王"), await hired(platform, engine, clock, "李")
    await asks(platform)
    await wang.say("排队")
    await li.say("排队")
    await wang.press("接单 1")
    await li.press("接单 1")
    assert "王律师刚刚接了" in li.last.text


async def test_transfer_reaches_the_colleague(platform: Platform, bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    wang, li = await hired(platform, engine, clock, "王"), await hired(platform, engine, clock, "李")
    await asks(platform)
    await li.say("上班")
    clock.advance(60)
    await wang.say("接单")
    await wang.say("转交 赵律师")
    assert "李律师" in wang.last.text
    await wang.say("转交 李律师")
    assert "转给李律师" in wang.last.text
    await until(lambda: "【群众1】" in li.last.text)


async def test_a_citizen_who_ends_it_is_no_riddle(
    platform: Platform, bot: Bot, engine: sa.Engine, clock: Clock
) -> None:
    wang = await hired(platform, engine, clock, "王")
    citizen = await asks(platform)
    await wang.say("接单")
    clock.advance(5)
    await citizen.say("结束咨询")
    await until(lambda: "对方结束了咨询" in wang.last.text)
    await wang.say("您还在吗")
    assert "没有发出去" in wang.last.text


@pytest.fixture
async def outgoing(platform: Platform, bot: Bot, clock: Clock) -> AsyncIterator[Outgoing]:
    """A second hand on the same store, for what the workbench calls."""
    db = Database(bot.settings.database_url)
    assert bot.parts.library is not None
    live = Live(bot.settings, bot.parts.library, db, clock, Bell(), bot.parts.metrics)
    made = Outgoing(live, clock, bot.parts.new_id, bot.parts.metrics, db, Bell())
    alive = made.running(web.Application())
    await anext(alive)
    yield made
    with pytest.raises(StopAsyncIteration):
        await anext(alive)
    db.close()


async def code(outgoing: Outgoing, engine: sa.Engine, clock: Clock, name: str = "王") -> BindingCode:
    office.hire(engine, name, clock)
    with engine.connect() as conn:
        member = staff.member(conn, f"staff-{name}")
    assert member is not None
    return await outgoing.binding_code(member)


BOUND = "SELECT login FROM staff WHERE citizen_id IS NOT NULL"


@pytest.mark.parametrize("subscribed", [True, False])
async def test_a_scanned_code_binds(
    platform: Platform, outgoing: Outgoing, bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows, subscribed: bool
) -> None:
    made = await code(outgoing, engine, clock)
    assert made.svg.startswith("<svg")
    phone = platform.citizen("o-wang", subscribed=subscribed)
    await phone.scan(next(iter(platform.scenes)))
    assert "已绑定，王律师" in phone.last.text
    assert rows(bot.settings, BOUND) == [("王",)]
    assert rows(bot.settings, "SELECT action FROM audit") == [("bind_wechat",)]
    other = platform.citizen("o-other")
    await other.scan(next(iter(platform.scenes)))
    assert "不对或已过期" in other.last.text
    await phone.say("解除绑定")
    assert rows(bot.settings, BOUND) == []


async def test_without_the_permission_words_bind(
    platform: Platform, outgoing: Outgoing, bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    platform.fail_next("/cgi-bin/qrcode/create", errcode=48001)
    made = await code(outgoing, engine, clock)
    assert made.svg == ""
    phone = platform.citizen("o-wang")
    await phone.say("绑定 00000000")
    assert "不对或已过期" in phone.last.text
    clock.advance(601)
    await phone.say(made.words)
    assert "不对或已过期" in phone.last.text
    clock.advance(-601)
    assert re.fullmatch(r"绑定 \d{8}", made.words)
    assert rows(bot.settings, BOUND) == []
    await phone.say(made.words)
    assert rows(bot.settings, BOUND) == [("王",)]


async def test_lawyers_are_told_once_for_each_level(
    platform: Platform, bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    wang = await hired(platform, engine, clock, "王", covers='["labour"]')
    li = await hired(platform, engine, clock, "李", covers='["family"]')
    boss = await hired(platform, engine, clock, "赵", role="supervisor", on=False)
    await asks(platform)
    await platform.called(TEMPLATE)
    assert "工资工伤" in wang.last.text
    assert all(seen.via != "template" for seen in li.seen)
    assert (await platform.citizen("o1").say("老板的电话是13800000000")).statuses == [200]
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE handoffs SET escalation = 1"))
    await platform.citizen("o1").say("在吗")
    await platform.called(TEMPLATE, 3)
    assert li.last.via == "template"
    assert all(seen.via != "template" for seen in boss.seen)
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE handoffs SET escalation = 2"))
    await platform.citizen("o1").say("在吗")
    await platform.called(TEMPLATE, 6)
    assert boss.last.via == "template"
    await platform.citizen("o1").say("在吗")
    await until(lambda: rows(bot.settings, "SELECT DISTINCT state FROM notices") == [("sent",)])
    assert len(platform.calls_to(TEMPLATE)) == 6
    assert "13800000000" not in str([call.body for call in platform.calls_to(TEMPLATE)])


async def test_a_busy_platform_is_asked_again_and_a_refusal_is_not(
    platform: Platform, bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    await hired(platform, engine, clock, "王")
    platform.fail_next(TEMPLATE, errcode=-1)
    platform.fail_next(TEMPLATE, errcode=40037)
    citizen = await asks(platform)
    await until(lambda: rows(bot.settings, "SELECT state FROM notices WHERE error != ''") == [("waiting",)])
    clock.advance(10)
    await citizen.say("在吗")
    await until(lambda: rows(bot.settings, "SELECT state, attempts FROM notices") == [("failed", 2)])


async def test_the_group_robot_is_told(platform: Platform, start_bot: StartBot, clock: Clock) -> None:
    heard: list[Any] = []

    async def robot(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.json_response({"errcode": 0})

    app = web.Application()
    app.router.add_post("/robot", robot)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/robot"
    async with start_bot(platform, FAWEN_HANDOFF__ROBOT_URL=url) as bot:
        office.hire(sa.create_engine(bot.settings.database_url), "王", clock)
        await asks(platform)
        await until(lambda: len(heard) == 1)
    await runner.cleanup()
    assert "工资工伤" in heard[0]["text"]["content"]
