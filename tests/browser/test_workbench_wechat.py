"""The workbench in real Chromium, the citizen on the simulated WeChat platform: quota, holding, pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from playwright.async_api import Browser, expect

from tests.browser.test_workbench import ON_PHONE, desk_of, look
from tests.channels.test_wechat import until
from tests.conftest import StartBot
from tests.platform import Clock, Platform
from tests.support import Bot


@pytest.fixture
async def bot(platform: Platform, start_bot: StartBot) -> AsyncIterator[Bot]:
    """The product, wired to the simulated platform."""
    async with start_bot(platform) as running:
        yield running


async def test_a_citizen_on_wechat_and_a_lawyer_on_the_phone(
    browser: Browser, bot: Bot, platform: Platform, clock: Clock
) -> None:
    engine = sa.create_engine(bot.settings.database_url)
    citizen = platform.citizen("o1")
    async with desk_of(browser, bot, engine, clock, "张三", ON_PHONE) as lawyer:
        await citizen.say("单位拖欠工资怎么办")
        await citizen.say("转人工")
        await expect(lawyer.locator("#queue .row")).to_contain_text("微信")
        await lawyer.get_by_role("button", name="接单").tap()
        await expect(lawyer.locator("#quota")).to_contain_text("还可发")
        for number in range(4):
            await lawyer.fill("#text", f"第{number + 1}句")
            await lawyer.get_by_role("button", name="发送").tap()
            await expect(lawyer.locator(".message.lawyer").last).to_contain_text("已发出")
        await until(lambda: "第4句" in citizen.last.text)
        await expect(lawyer.locator("#quota")).to_contain_text("发不出去")
        await lawyer.fill("#text", "这一句要等")
        await lawyer.get_by_role("button", name="发送").tap()
        await expect(lawyer.locator(".message.lawyer").last).to_contain_text("等对方再说话时送达")
        await look(lawyer, "lawyer-held")
        await citizen.say("我在")
        assert "这一句要等" in citizen.last.text
        await expect(lawyer.locator(".message.citizen").last).to_contain_text("我在")
        await expect(lawyer.locator(".message.lawyer").last).to_contain_text("已发出")
    engine.dispose()
