"""A question that failed, mended by two people at the knowledge desk, answered to the citizen a moment later: in Chromium."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.async_api import Browser, Page, expect

from tests.browser.pages import sound_page
from tests.console.office import hire
from tests.platform import Clock
from tests.support import Bot

STRANGE = "窑上的骡子摔断了腿谁管"
AT = "/console/knowledge"


@asynccontextmanager
async def desk(browser: Browser, bot: Bot, clock: Clock, login: str, role: str, width: int) -> AsyncIterator[Page]:
    """A member of staff at their own browser."""
    engine = sa.create_engine(bot.settings.database_url)
    token = hire(engine, login, clock, role=role)
    engine.dispose()
    async with sound_page(browser, bot, token, viewport={"width": width, "height": 800}) as page:
        yield page


async def looked_at(page: Page, name: str) -> None:
    """The page does not scroll sideways; kept as a picture where somebody wants to look."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    wide = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.table')).map(e => e.outerHTML.slice(0, 80))"
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, await page.evaluate(wide))
    if folder := os.environ.get("FAWENTEST_SHOTS"):
        await page.screenshot(path=Path(folder) / f"knowledge-{name}-{width}.png", full_page=name != "print")


@pytest.mark.parametrize("width", [375, 1280])
async def test_from_a_failed_question_to_the_new_answer(
    browser: Browser, page: Page, bot: Bot, clock: Clock, width: int
) -> None:
    async def ask(text: str) -> str:
        before = await page.locator(".theirs").count()
        await page.fill("#words", text)
        await page.click("#send")
        await expect(page.locator(".theirs")).to_have_count(before + 1)
        await expect(page.locator(".dots")).to_have_count(0)
        return await page.locator(".theirs").last.inner_text()

    assert "依据" not in await ask(STRANGE)
    async with (
        desk(browser, bot, clock, "wang", "staff", width) as wang,
        desk(browser, bot, clock, "li", "lawyer", width) as li,
    ):
        await wang.goto(f"{bot.url}{AT}?days=7")
        await expect(wang.get_by_role("heading", name=STRANGE)).to_be_visible()
        await looked_at(wang, "gaps")
        await wang.goto(f"{bot.url}{AT}/entries?q=单位拖欠工资")
        await looked_at(wang, "entries")
        await wang.get_by_role("link", name="单位拖欠工资怎么办").click()
        answer = await wang.input_value("#answer")
        await wang.fill("#answer", answer.replace("仲裁不收费", "仲裁一分钱不收"))
        await expect(wang.locator("#preview .bubble").first).to_contain_text("一分钱不收", timeout=20_000)
        await looked_at(wang, "editor")
        await wang.get_by_label("群众的原话").fill(STRANGE)
        await wang.get_by_role("button", name="加上").click()
        await expect(wang.get_by_role("status")).to_contain_text("已经加上")
        assert "依据" in await ask(STRANGE)
        await wang.fill("#answer", answer.replace("仲裁不收费", "仲裁一分钱不收"))
        await wang.fill("#why", "说得更白")
        await wang.get_by_role("button", name="送审").click()
        await expect(wang.get_by_text("自己写的要请另一位同事审")).to_be_visible()
        await li.goto(f"{bot.url}{AT}/pending")
        await looked_at(li, "pending")
        await li.get_by_role("link", name="单位拖欠工资怎么办").click()
        await expect(li.locator("ins").first).to_be_visible()
        await looked_at(li, "review")
        await li.get_by_role("button", name="同意发布，并作为律师确认").click()
        await expect(li.get_by_role("status")).to_contain_text("已经发布")
        said = await ask("单位拖欠工资怎么办")
        assert "仲裁一分钱不收" in said
        assert "li律师确认" in said
        for path, name in (
            ("/entries/labour.unpaid-wages/versions", "versions"),
            ("/confirm", "confirm"),
            ("/confirm/print?subject=inheritance", "print"),
            ("/due", "due"),
            (f"/try?q={STRANGE}", "try"),
            ("/new?question=窑上欠钱", "new"),
        ):
            await li.goto(f"{bot.url}{AT}{path}")
            await looked_at(li, name)


async def test_the_second_of_two_editors_sees_both_without_scripts(browser: Browser, bot: Bot, clock: Clock) -> None:
    async with (
        desk(browser, bot, clock, "wang", "staff", 375) as wang,
        desk(browser, bot, clock, "li", "lawyer", 375) as li,
    ):
        for one in (wang, li):
            await one.route("**/knowledge.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
            await one.goto(f"{bot.url}{AT}/entries/lease.deposit")
        await wang.fill("#question", "房东不退押金怎么办")
        await wang.get_by_role("button", name="存草稿").click()
        await expect(wang.get_by_role("status")).to_contain_text("草稿存好了")
        await li.fill("#question", "租房押金要不回来怎么办")
        await li.get_by_role("button", name="预览和检查").click()
        await expect(li.locator(".handset")).to_be_visible()
        await li.get_by_role("button", name="存草稿").click()
        await expect(li.get_by_role("alert").first).to_contain_text("同事刚改过这一条")
        await expect(li.get_by_role("alert").first.locator("del").first).to_be_visible()
        await looked_at(li, "conflict")
        assert await li.input_value("#question") == "租房押金要不回来怎么办"
        await li.get_by_role("button", name="存草稿").click()
        await expect(li.get_by_role("status")).to_contain_text("草稿存好了")
