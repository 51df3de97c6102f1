"""A new member of staff's first day, by clicks alone: who was unhappy, why, mended, published, and the month handed in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from docx import Document
from openpyxl import load_workbook
from playwright.async_api import Browser, Page, expect

from bot.conversation.handoff.duty import USUAL
from bot.conversation.turn import Library
from bot.service import accounts
from bot.service.demo import write
from bot.service.demo.write import Wish
from bot.service.figures.period import month_of
from bot.store.database import Database
from bot.store.migrate import migrate
from tests.browser.pages import sound_page
from tests.conftest import StartBot
from tests.console.office import hire, visitor
from tests.platform import Clock
from tests.support import Bot

QUESTION, OLD, NEW = "单位拖欠工资怎么办", "仲裁不收费", "仲裁一分钱不收"
GIVEN, OWN = "起始密码2026abc", "槐树底下喝茶的下午2026"


class Desk:
    """Somebody at their browser; `look` keeps a picture of a page, numbered in the order of the day."""

    def __init__(self, page: Page, who: str) -> None:
        self.page = page
        self.who = who
        self.number = 0

    async def look(self, name: str) -> None:
        """The page does not scroll sideways."""
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        assert await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        self.number += 1
        if folder := os.environ.get("FAWENTEST_SHOTS"):
            file = f"day-{width}-{self.who}-{self.number:02d}-{name}.png"
            await self.page.screenshot(path=Path(folder) / file, full_page=True)

    async def click(self, name: str, *, exact: bool = True) -> None:
        """Follow the link or press the button of this name."""
        link = self.page.get_by_role("link", name=name, exact=exact)
        button = self.page.get_by_role("button", name=name, exact=exact)
        await link.or_(button).first.click()


@asynccontextmanager
async def sitting(browser: Browser, bot: Bot, who: str, width: int, token: str = "") -> AsyncIterator[Desk]:
    """A browser of their own."""
    view = {"width": width, "height": 800}
    async with sound_page(browser, bot, token, viewport=view, accept_downloads=True) as page:
        yield Desk(page, who)


async def yesterday(bot: Bot, clock: Clock) -> None:
    """Somebody asked, and was not content with the answer; then a night goes by."""
    async with visitor(bot) as citizen:
        assert OLD in (await citizen.say(QUESTION))["text"]
        asked = await citizen.say("谢谢")
        tap = next(tap for row in asked["rows"] for tap in row if tap["label"] == "不满意")
        await citizen.say("不满意", tap["id"])
        await citizen.say("到底要不要钱，没看明白")
    clock.advance(86400)


async def first_login(new: Desk, bot: Bot) -> None:
    """With the password the administrator gave, which has to be changed first; then to the front page."""
    page = new.page
    await page.goto(bot.url + "/login")
    await new.look("login")
    await page.get_by_label("登录名").fill("xiaozhou")
    await page.get_by_label("密码").fill(GIVEN)
    await new.click("登录")
    await expect(page.get_by_role("heading", name="我的账号")).to_be_visible()
    await new.look("account")
    await page.get_by_label("现在的密码").fill(GIVEN)
    await page.get_by_label("新密码（至少", exact=False).fill(OWN)
    await page.get_by_label("再填一遍新密码").fill(OWN)
    await new.click("改密码")
    await expect(page.get_by_role("status")).to_be_visible()
    await new.click("咨询记录")
    await expect(page.get_by_role("heading", name="咨询记录")).to_be_visible()
    await new.look("front")


async def find_and_mend(new: Desk) -> None:
    """From the front page to yesterday's unhappy citizen, from there to the entry, and a better text of it for review."""
    page = new.page
    await new.click("昨天")
    await new.click("不满意的")
    await expect(page.locator(".records li")).to_have_count(1)
    await new.look("unhappy")
    await new.click(QUESTION, exact=False)
    await expect(page.get_by_text("到底要不要钱，没看明白").first).to_be_visible()
    await new.look("conversation")
    await new.click("待处理", exact=False)
    await expect(page.get_by_role("heading", name="不满意")).to_be_visible()
    await new.look("rectification")
    await new.click("去修改")
    await expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    answer = await page.input_value("#answer")
    assert OLD in answer
    await page.fill("#answer", answer.replace(OLD, NEW))
    await expect(page.locator("#preview .bubble").first).to_contain_text(NEW)
    await new.look("editor")
    await page.fill("#why", "群众没看明白要不要钱")
    await new.click("送审")
    await expect(page.get_by_role("heading", name="哪些真实问题的回答会变")).to_be_visible()
    await expect(page.get_by_text("自己写的要请另一位同事审")).to_be_visible()
    await expect(page.locator(".reworded li").filter(has_text=QUESTION)).to_be_visible()
    await new.look("edition")


async def approve(colleague: Desk, bot: Bot) -> None:
    """The second pair of eyes, from their own front page."""
    page = colleague.page
    await page.goto(bot.url + "/workbench")
    await colleague.look("workbench")
    await page.get_by_title("1份稿子等您审").click()
    await colleague.look("pending")
    await colleague.click(QUESTION)
    await expect(page.locator("ins").first).to_be_visible()
    await colleague.look("review")
    await colleague.click("同意发布，并作为律师确认")
    await expect(page.get_by_role("status")).to_contain_text("已经发布")
    await expect(page.locator(".bubble").first).to_contain_text("li律师确认")
    await expect(page.get_by_role("heading", name="哪些真实问题的回答会变")).to_have_count(0)
    await colleague.look("published")


async def ask_again(citizen: Desk, bot: Bot) -> None:
    """The same question on the chat page."""
    page = citizen.page
    await page.goto(bot.url)
    await page.wait_for_selector("#talk[data-ready]")
    await page.fill("#words", QUESTION)
    await page.click("#send")
    await expect(page.locator(".theirs").last).to_contain_text(NEW)
    await citizen.look("answer")


async def taken(new: Desk, name: str) -> bytes:
    """What a link downloads."""
    async with new.page.expect_download() as waiting:
        await new.click(name)
    return await asyncio.to_thread((await (await waiting.value).path()).read_bytes)


async def hand_in(new: Desk, total: int) -> None:
    """Last month's report, as both files, each with the month's total."""
    await new.click("报告")
    await new.click("上月")
    await expect(new.page.get_by_text(f"共接待群众咨询{total}人次")).to_be_visible()
    await new.look("report")
    document = Document(BytesIO(await taken(new, "下载 Word 报告")))
    assert any(f"共接待群众咨询{total}人次" in paragraph.text for paragraph in document.paragraphs)
    book = load_workbook(BytesIO(await taken(new, "下载 Excel 附表")), data_only=True)
    cells = {(row[0].value, cell.value) for sheet in book for row in sheet.iter_rows() for cell in row[1:]}
    assert ("咨询人次", total) in cells
    assert ("合计", total) in cells


@pytest.mark.parametrize("width", [375, 1280])
async def test_a_new_staff_members_first_day(
    browser: Browser, start_bot: StartBot, library: Library, clock: Clock, tmp_path: Path, width: int
) -> None:
    clock.now -= timedelta(days=1)
    store = Database(f"sqlite:///{tmp_path}/fawen.db")
    migrate(store.engine)
    with store.engine.begin() as conn:
        write.fill(conn, Wish(2026, 300, 1), library, USUAL, clock())
    async with start_bot() as bot:
        await yesterday(bot, clock)
        with store.engine.begin() as conn:
            accounts.add(
                conn, bot.parts.new_id, login="xiaozhou", name="小周", role="staff", covers=(),
                password=accounts.hashed(GIVEN), now=clock(), lent=True,
            )  # fmt: skip
            first, end = month_of(2026, 10).span
            counted = sa.text("SELECT count(*) FROM consultations WHERE opened_at >= :first AND opened_at < :end")
            total = conn.execute(counted, {"first": first, "end": end}).scalar_one()
        li = hire(store.engine, "li", clock)
        async with (
            sitting(browser, bot, "new", width) as new,
            sitting(browser, bot, "colleague", width, li) as colleague,
            sitting(browser, bot, "citizen", width) as citizen,
        ):
            await first_login(new, bot)
            await find_and_mend(new)
            await approve(colleague, bot)
            await ask_again(citizen, bot)
            await hand_in(new, total)
    store.close()
