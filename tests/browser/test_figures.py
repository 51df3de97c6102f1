"""Figures and reports in real Chromium, on a phone and at a desk: nothing runs off, charts are there, files come."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.async_api import Browser, Page, expect

from bot.conversation.handoff.duty import USUAL
from bot.conversation.turn import Library
from bot.service.demo import write
from bot.service.demo.write import Wish
from tests.browser.pages import sound_page
from tests.console.office import hire
from tests.platform import Clock
from tests.support import Bot


async def look(page: Page, name: str) -> None:
    """Nothing runs off the screen; the page as a picture where FAWENTEST_SHOTS says so."""
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, name
    folder = os.environ.get("FAWENTEST_SHOTS")
    if folder:
        await page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize("width", [375, 1280])
async def test_staff_read_the_year_and_take_its_report_away(
    browser: Browser, bot: Bot, library: Library, clock: Clock, width: int, tmp_path: Path
) -> None:
    engine = sa.create_engine(bot.settings.database_url)
    with engine.begin() as conn:
        for year in (2019, 2020):
            write.fill(conn, Wish(year, 150, 1), library, USUAL, clock())
    token = hire(engine, "boss", clock, role="supervisor")
    engine.dispose()
    async with sound_page(browser, bot, token, viewport={"width": width, "height": 800}, accept_downloads=True) as page:
        await page.goto(f"{bot.url}/console/figures")
        await page.get_by_label("年份").select_option("2020")
        await page.get_by_label("范围").select_option("")
        await page.get_by_role("button", name="看这段").click()
        await expect(page.get_by_role("heading", name="2020年咨询服务数字")).to_be_visible()
        await look(page, f"figures-{width}")
        for chart in await page.locator("svg.chart").all():
            box = await chart.bounding_box()
            assert box is not None
            assert box["width"] > 200
            # The chart's words stay inside it, whatever the numbers are.
            assert await chart.evaluate(
                "svg => [...svg.querySelectorAll('text')].every(t => t.getBoundingClientRect().right <= svg.getBoundingClientRect().right + 1)"
            )
        await page.get_by_role("link", name="改年度任务").click()
        await look(page, f"tasks-{width}")
        await page.get_by_label("全县").fill("100")
        await page.get_by_role("button", name="存").click()
        await expect(page.get_by_role("status")).to_have_text("已经存好。")
        await page.goto(f"{bot.url}/console/reports?year=2020")
        await look(page, f"reports-{width}")
        await expect(page.get_by_text("共接待群众咨询150人次")).to_be_visible()
        for name, suffix in (("下载 Word 报告", ".docx"), ("下载 Excel 附表", ".xlsx")):
            async with page.expect_download() as waiting:
                await page.get_by_role("link", name=name).click()
            assert (
                await waiting.value
            ).suggested_filename == f"{county(library)}2020年公共法律服务咨询工作情况{suffix}"
        await page.goto(f"{bot.url}/console/reports/digests")
        await look(page, f"digests-{width}")


def county(library: Library) -> str:
    """As the report calls it."""
    return library.locality.county or "本县"
