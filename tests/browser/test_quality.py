"""A bad rating put right, lessons planned, one's own records taken along: in real Chromium, on phone and desk."""

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
QUESTION = "单位拖欠工资怎么办"
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
ON_PHONE: dict[str, Any] = {"viewport": PHONE, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


@pytest.fixture
def engine(bot: Bot) -> Iterator[sa.Engine]:
    made = sa.create_engine(bot.settings.database_url)
    yield made
    made.dispose()


@asynccontextmanager
async def at_work(
    browser: Browser, bot: Bot, engine: sa.Engine, clock: Clock, name: str, view: dict[str, Any], role: str
) -> AsyncIterator[Page]:
    """A colleague's browser, logged in; a fault on a page fails the test."""
    token = hire(engine, name, clock, role=role)
    async with sound_page(browser, bot, token, **view) as page:
        yield page


async def look(page: Page, name: str) -> None:
    """Nothing sticks out of the page; a screenshot where the one who runs the tests asked for it."""
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    folder = os.environ.get("FAWENTEST_SHOTS")
    if folder:
        await page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


async def ask(page: Page, text: str, shown: str) -> None:
    await page.fill("#words", text)
    await page.click("#send")
    await expect(page.locator(".theirs").last).to_contain_text(shown)


async def test_a_bad_rating_is_put_right(
    page: Page, browser: Browser, bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    await ask(page, QUESTION, "劳动监察")
    await ask(page, "谢谢", "打个分")
    await look(page, "rate-asked")
    await page.get_by_role("button", name="▸ 不满意").tap()
    await expect(page.locator(".theirs").last).to_contain_text("哪里没做好")
    await ask(page, "说得太多，没告诉我电话", "都记下来了")
    await look(page, "rate-reason")
    async with (
        at_work(browser, bot, engine, clock, "王主任", DESK, "supervisor") as boss,
        at_work(browser, bot, engine, clock, "李四", ON_PHONE, "lawyer") as lawyer,
    ):
        await boss.goto(f"{bot.url}/console/rectifications")
        await expect(boss.locator("tbody tr")).to_have_count(1)
        await look(boss, "rectifications-1280")
        await boss.get_by_role("link", name="工资工伤").click()
        await expect(boss.get_by_text("没告诉我电话")).to_be_visible()
        await boss.select_option("#to", label="李四")
        await boss.get_by_role("button", name="定下来").click()
        await expect(boss.get_by_role("status")).to_have_text("负责人已经定了。")
        await look(boss, "rectification-1280")
        await lawyer.goto(f"{bot.url}/console/rectifications")
        await look(lawyer, "rectifications-375")
        await lawyer.get_by_role("link", name="工资工伤").tap()
        await expect(lawyer.get_by_role("heading", name="工资工伤")).to_be_visible()
        await look(lawyer, "rectification-375")
        await lawyer.fill("#measures", "答复太长，电话在最后一行")
        await lawyer.fill("#reply", "对不起，没说清楚。拖欠工资打12333投诉，免费。")
        clock.advance(60)
        await lawyer.get_by_role("button", name="发给群众").tap()
        await expect(lawyer.get_by_role("status")).to_contain_text("已经发给群众")
        await page.reload()
        await page.wait_for_selector("#talk[data-ready]")
        await expect(page.locator(".theirs").last).to_contain_text("拖欠工资打12333投诉")
        await look(page, "rectified-chat")
        clock.advance(60)
        await ask(page, "你好", "现在觉得怎么样")
        await page.get_by_role("button", name="▸ 满意", exact=True).last.tap()
        await expect(page.locator(".theirs").last).to_contain_text("转告工作人员")
        await look(page, "visit-chat")
        await lawyer.reload()
        await expect(lawyer.get_by_text("群众 回访：满意")).to_be_visible()
        await lawyer.fill("#proof", "群众在聊天里评价满意")
        await lawyer.get_by_role("button", name="办结", exact=True).tap()
        await expect(lawyer.get_by_role("status")).to_have_text("已办结。")
        await look(lawyer, "rectification-closed-375")
        await boss.goto(f"{bot.url}/console/ratings")
        await look(boss, "ratings-1280")
        await boss.set_viewport_size(PHONE)
        await look(boss, "ratings-375")
    assert rows(bot.settings, "SELECT state, visit_grade FROM rectifications") == [("closed", 4)]


async def test_a_quiz_is_planned_with_keys_alone(browser: Browser, bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    async with at_work(browser, bot, engine, clock, "小周", DESK, "staff") as page:
        await page.goto(f"{bot.url}/console/lessons")
        await look(page, "lessons-1280")
        await page.get_by_role("link", name="2026-11-23加题").focus()
        await page.keyboard.press("Enter")
        await page.focus("#q")
        await page.keyboard.insert_text("拖欠工资")
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="单位拖欠工资怎么办").first.focus()
        await page.keyboard.press("Enter")
        await page.fill("#question", "老王给人盖房，干完活老板说没钱，拖了半年。老王可以怎么办？")
        await page.fill("#options", "算了，自认倒霉\n打12333，向劳动监察投诉\n带人去老板家搬东西")
        await page.select_option("#answer", "2")
        await page.fill("#explanation", "工资必须按约定付清。投诉、仲裁都不收钱；搬东西反而可能违法。")
        await look(page, "lesson-edit-1280")
        await page.focus("#explanation")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_have_text("排好了。")
        await expect(page.locator(".phone").first).to_contain_text("B. 打12333，向劳动监察投诉")
        await look(page, "lesson-1280")
        for path, name in (("/console/lessons", "lessons-375"), (page.url.removeprefix(bot.url), "lesson-375")):
            await page.set_viewport_size(PHONE)
            await page.goto(bot.url + path)
            await look(page, name)


async def test_own_records_open_once(page: Page, browser: Browser, bot: Bot) -> None:
    await ask(page, QUESTION, "劳动监察")
    await ask(page, "我的记录", "我们存着")
    await look(page, "my-records")
    await page.get_by_role("button", name="▸ 导出我的记录").tap()
    link = page.get_by_role("link", name="打开我的记录")
    await expect(link).to_be_visible()
    await look(page, "my-link")
    async with page.context.expect_page() as opening:
        await link.tap()
    opened = await opening.value
    await expect(opened.get_by_role("button", name="直接在这里看")).to_be_visible()
    await look(opened, "my-ask-375")
    await opened.get_by_role("button", name="直接在这里看").tap()
    await expect(opened.get_by_text(QUESTION).first).to_be_visible()
    await look(opened, "my-page-375")
    await opened.close()
    await page.get_by_role("button", name="▸ 删除我的记录").first.tap()
    await expect(page.locator(".theirs").last).to_contain_text("找不回来")
    await look(page, "my-erase")
    await page.get_by_role("button", name="▸ 确认删除").tap()
    await expect(page.locator(".theirs").last).to_contain_text("已经删除")
    await page.reload()
    await page.wait_for_selector("#talk[data-ready]")
    await expect(page.locator(".mine")).to_have_count(1)
