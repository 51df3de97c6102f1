"""The workbench in real Chromium: a citizen on the chat page, two lawyers in two browsers, on phone and desk."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import PHONE
from tests.browser.pages import sound_page
from tests.console.office import hire
from tests.platform import Clock
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
ON_PHONE: dict[str, Any] = {"viewport": PHONE, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


@pytest.fixture
def engine(bot: Bot) -> Iterator[sa.Engine]:
    made = sa.create_engine(bot.settings.database_url)
    yield made
    made.dispose()


@asynccontextmanager
async def desk_of(
    browser: Browser, bot: Bot, engine: sa.Engine, clock: Clock, name: str, view: dict[str, Any], **more: Any
) -> AsyncIterator[Page]:
    """A lawyer's browser with the workbench open; a fault on the page fails the test."""
    token = hire(engine, name, clock, **more)
    async with sound_page(browser, bot, token, **view) as page:
        await page.goto(f"{bot.url}/workbench")
        await expect(page.locator("#line")).to_contain_text("连接")
        await expect(page.locator("#line")).not_to_contain_text("正在")
        yield page


async def look(page: Page, name: str) -> None:
    """Keep a screenshot where the one who runs the tests asked for it."""
    folder = os.environ.get("FAWENTEST_SHOTS")
    if folder:
        await page.screenshot(path=str(Path(folder) / f"{name}.png"))


async def ask(page: Page, text: str, shown: str) -> None:
    await page.fill("#words", text)
    await page.click("#send")
    await expect(page.locator(".theirs").last).to_contain_text(shown)


async def test_a_whole_story_on_two_phones(
    page: Page, browser: Browser, bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    async with desk_of(browser, bot, engine, clock, "张三", ON_PHONE) as lawyer:
        await ask(page, "单位拖欠工资怎么办", "劳动监察")
        await ask(page, "转人工", "排上队")
        await look(page, "citizen-queued")
        waiting = lawyer.locator("#queue .row")
        await expect(waiting).to_have_count(1)
        await expect(lawyer).to_have_title("（1）工作台 · 法问")
        await look(lawyer, "lawyer-queue")
        await lawyer.get_by_role("button", name="绑定微信").tap()
        await expect(lawyer.locator("#binding-words")).to_contain_text("绑定 ")
        await lawyer.locator("#binding").get_by_role("button", name="关闭").tap()
        await waiting.get_by_role("button", name="接单").tap()
        await expect(lawyer.locator(".message.citizen")).to_contain_text("转人工")
        await lawyer.get_by_role("button", name="之前的话").tap()
        await expect(lawyer.locator("#past")).to_contain_text("单位拖欠工资怎么办")
        await look(lawyer, "lawyer-past")
        await lawyer.get_by_role("button", name="查资料").tap()
        await lawyer.fill("#words", "拖欠工资")
        await lawyer.locator("#find button").tap()
        await expect(lawyer.locator(".card").first).to_contain_text("依据")
        await look(lawyer, "lawyer-knowledge")
        await lawyer.get_by_role("button", name="对话").tap()
        await lawyer.fill("#text", "您好，欠了几个月？有欠条吗？")
        await lawyer.get_by_role("button", name="发送").tap()
        await expect(lawyer.locator(".message.lawyer").last).to_contain_text("欠了几个月")
        await expect(lawyer.locator(".message.pending")).to_have_count(0)
        await expect(page.locator(".theirs").last).to_contain_text("欠了几个月？有欠条吗？")
        await look(page, "citizen-served")
        await page.fill("#words", "欠了三个月，没有欠条")
        await page.click("#send")
        await expect(lawyer.locator(".message.citizen").last).to_contain_text("没有欠条")
        await look(lawyer, "lawyer-talk")
        await lawyer.locator("#acts").get_by_role("button", name="结束").tap()
        await expect(lawyer.locator("#closing")).to_be_visible()
        await look(lawyer, "lawyer-closing")
        await lawyer.get_by_role("button", name="确认结束").tap()
        await expect(lawyer.locator("#closing")).not_to_be_visible()
        await expect(lawyer.locator("#mine")).to_contain_text("没有")
        await page.get_by_role("button", name="▸ 非常满意").tap()
        await expect(page.locator(".theirs").last).to_contain_text("谢谢您的评价")
        await look(page, "citizen-rated")
    assert rows(bot.settings, "SELECT grade FROM ratings") == [(5,)]
    assert rows(bot.settings, "SELECT service, handled_by FROM consultations") == [("answered", "张三")]


async def test_two_lawyers_see_the_same_queue_and_one_gets_it(
    page: Page, browser: Browser, bot: Bot, engine: sa.Engine, clock: Clock
) -> None:
    async with (
        desk_of(browser, bot, engine, clock, "张三", DESK) as first,
        desk_of(browser, bot, engine, clock, "李四", DESK) as second,
        desk_of(browser, bot, engine, clock, "王主任", DESK, role="supervisor") as boss,
    ):
        await ask(page, "离婚孩子归谁", "")
        await ask(page, "转人工", "排上队")
        for lawyer in (first, second):
            await expect(lawyer.locator("#queue .row")).to_have_count(1)
        await first.get_by_role("button", name="接单").click()
        await expect(first.locator("#mine .row")).to_have_count(1)
        await expect(second.locator("#queue .row")).to_have_count(0)
        await expect(boss.locator("#others .row")).to_contain_text("张三")
        await look(first, "desk-talk")
        await look(boss, "desk-supervisor")
        await first.get_by_role("button", name="转交").click()
        await first.select_option("#to", label="李四（在值班）")
        await first.fill("#hint", "婚姻的事你熟")
        await first.locator("#pass-now").click()
        await expect(second.locator("#mine .row")).to_have_count(1)
        await second.locator("#mine .pick").click()
        await expect(second.locator(".message.note")).to_contain_text("婚姻的事你熟")
        await second.fill("#text", "我接着说")
        await second.keyboard.press("Enter")
        await expect(second.locator(".message.lawyer").last).to_contain_text("我接着说")


async def test_words_written_while_the_line_is_down_arrive_once(
    page: Page, browser: Browser, bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    async with desk_of(browser, bot, engine, clock, "张三", ON_PHONE) as lawyer:
        await ask(page, "转人工", "哪方面")
        await page.get_by_role("button", name="▸ 工资工伤").click()
        await expect(page.locator(".theirs").last).to_contain_text("排上队")
        await lawyer.get_by_role("button", name="接单").tap()
        await lawyer.context.set_offline(True)
        await lawyer.evaluate("dispatchEvent(new Event('offline'))")
        await lawyer.fill("#text", "断网时写的")
        await lawyer.get_by_role("button", name="发送").tap()
        await expect(lawyer.locator(".message.pending")).to_contain_text("断网时写的")
        await lawyer.context.set_offline(False)
        await expect(lawyer.locator(".message.pending")).to_have_count(0, timeout=40_000)
        await lawyer.reload()
        await lawyer.locator("#mine .pick").tap()
        await expect(lawyer.locator(".message.lawyer")).to_have_count(1)
    assert rows(bot.settings, "SELECT text FROM handoff_messages WHERE author = 'lawyer'") == [("断网时写的",)]


async def test_nothing_runs_off_a_small_screen_and_keys_are_enough(
    page: Page, browser: Browser, bot: Bot, engine: sa.Engine, clock: Clock
) -> None:
    # 320 px is a phone of 640 px at 200 %.
    small: dict[str, Any] = {"viewport": {"width": 320, "height": 640}}
    async with desk_of(browser, bot, engine, clock, "张三", small, role="supervisor") as lawyer:
        await ask(page, "单位拖欠工资怎么办", "劳动监察")
        await ask(page, "转人工", "排上队")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        await expect(lawyer.locator("#queue .row")).to_have_count(1)
        assert await lawyer.evaluate(overflow) <= 0
        await lawyer.get_by_role("button", name="接单").focus()
        await lawyer.keyboard.press("Enter")
        await expect(lawyer.locator("#text")).to_be_enabled()
        await lawyer.focus("#text")
        await lawyer.keyboard.type("您好，请说")
        await lawyer.keyboard.press("Tab")
        await lawyer.keyboard.press("Enter")
        await expect(lawyer.locator(".message.lawyer").last).to_contain_text("您好，请说")
        assert await lawyer.evaluate(overflow) <= 0
        for name in ("之前的话", "查资料"):
            await lawyer.get_by_role("button", name=name).press("Enter")
            assert await lawyer.evaluate(overflow) <= 0
        await lawyer.locator("#acts").get_by_role("button", name="结束").press("Enter")
        await look(lawyer, "small-closing")
        await lawyer.keyboard.press("Escape")
        await expect(lawyer.locator("#closing")).not_to_be_visible()
