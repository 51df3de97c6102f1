"""A lawyer talks to a visitor of the chat page, in real Chromium."""

from __future__ import annotations

import sqlalchemy as sa
from playwright.async_api import Page, Route, expect

from tests.console import office
from tests.platform import Clock
from tests.support import Bot


async def test_a_lawyers_words_appear_and_stay_after_a_reload(page: Page, bot: Bot, clock: Clock) -> None:
    engine = sa.create_engine(bot.settings.database_url)
    async with office.lawyer(bot, engine, clock, "王") as lawyer:
        await page.fill("#words", "转人工")
        await page.click("#send")
        await page.get_by_role("button", name="▸ 工资工伤").tap()
        await expect(page.locator(".theirs").last).to_contain_text("排上队")
        _, shown = await lawyer.call("/overview")
        handoff = shown["handoffs"][0]["id"]
        clock.advance(1)
        await lawyer.move(handoff, "claim")
        await expect(page.locator(".theirs").last).to_contain_text("王律师来了")
        await lawyer.connect()
        await lawyer.send("watch", id=handoff, after=0)
        clock.advance(1)
        await lawyer.send("say", id=handoff, key="key-lawyer-1", text="欠了几个月？")
        await expect(page.locator(".theirs").last).to_contain_text("欠了几个月？")
        await expect(page.locator(".author").last).to_have_text("王律师")
        # The bot keeps quiet, and so does the page.
        told = await page.locator(".theirs").count()
        clock.advance(1)
        await page.fill("#words", "三个月")
        await page.click("#send")
        await expect(page.locator(".mine")).to_have_count(3)
        await expect(page.locator(".dots")).to_have_count(0)
        await expect(page.locator(".theirs")).to_have_count(told)

        async def lost(route: Route) -> None:
            await route.abort()

        await page.route("**/chat/news*", lost)
        clock.advance(1)
        await lawyer.send("say", id=handoff, key="key-lawyer-2", text="有合同吗？")
        await lawyer.words("有合同吗？")
        await page.unroute("**/chat/news*")
        await expect(page.locator(".theirs").last).to_contain_text("有合同吗？")
        before = await page.locator(".bubble").all_inner_texts()
        await page.reload()
        await page.wait_for_selector("#talk[data-ready]")
        assert await page.locator(".bubble").all_inner_texts() == before
    engine.dispose()
