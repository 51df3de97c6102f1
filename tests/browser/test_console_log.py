"""The log in real Chromium: yesterday's unhappy citizen is found, read, put right and taken away, on phone and desk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.async_api import Browser, Page, expect

from bot.store.tables import ratings
from bot.store.times import to_ms
from tests.browser.pages import sound_page
from tests.console.office import hire
from tests.platform import Clock
from tests.service.records import consultation
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
UNHAPPY = "我叫王小二，电话13812345678，包工头跑了，工钱八个月没给，去劳动局三次都说等消息"
# A process of its own must start, on a machine that may be busy with other tests.
PATIENCE = 60_000


@pytest.fixture
def engine(bot: Bot) -> Iterator[sa.Engine]:
    made = sa.create_engine(bot.settings.database_url)
    yield made
    made.dispose()


def seed(engine: sa.Engine, clock: Clock) -> None:
    """A week of consultations, and one of yesterday that went wrong."""
    asked = ("邻居盖房占了我家宅基地", "离婚孩子归谁", "低保怎么申请", "网上买到假货怎么退", "单位拖欠工资怎么办")
    sorts = (
        ("land", "legal"),
        ("marriage", "legal"),
        ("approval.people", "approval"),
        ("consumer", "legal"),
        ("wages", "legal"),
    )
    with engine.begin() as conn:
        for number in range(40):
            category, kind = sorts[number % 5]
            more = {
                "category": category,
                "kind": kind,
                "township": ("", "河口乡", "东镇")[number % 3],
                "entry_id": "wages.migrant-how",
            }
            outcome = ("answered", "answered", "offered", "unanswered")[number % 4]
            grade = 5 if number % 6 == 0 else 0
            at = clock() - timedelta(hours=4 * (40 - number))
            consultation(
                conn,
                number,
                at,
                asked[number % 5],
                outcome=outcome,
                grade=grade,
                citizen_id=f"citizen-{number % 9}",
                **more,
            )
        yesterday = clock() - timedelta(hours=20)
        consultation(
            conn, 90, yesterday, UNHAPPY, category="contract", grade=1, handed=True, handled_by="clerk",
            service="answered", summary="已电话告知找劳动监察", minutes=12, township="河口乡", citizen_id="citizen-3",
        )  # fmt: skip
        conn.execute(
            sa.insert(ratings).values(
                id="r-1", citizen_id="citizen-3", consultation_id="c-000090", handoff_id=None, grade=1, words="推来推去",
                given_at=to_ms(yesterday),
            )
        )  # fmt: skip


async def look(page: Page, name: str) -> None:
    """Nothing runs off the screen; the page as a picture where FAWENTEST_SHOTS says so."""
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, name
    folder = os.environ.get("FAWENTEST_SHOTS")
    if folder:
        await page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


async def take_away(page: Page, bot: Bot, width: int, folder: Path) -> str:
    """Export what is found as CSV, wait for it, download it; returns what is in it."""
    await page.goto(f"{bot.url}/console?category=wages&grade=1&from=2026-11-22&until=2026-11-22")
    await page.get_by_text("导出这 1 次咨询").click()
    await page.get_by_label("CSV 文件").check()
    await look(page, f"log-export-{width}")
    await page.get_by_role("button", name="导出").click()
    await look(page, f"exports-busy-{width}")
    await expect(page.get_by_role("link", name="下载")).to_be_visible(timeout=PATIENCE)
    await look(page, f"exports-{width}")
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="下载").click()
    file = folder / "out.csv"
    await (await waiting.value).save_as(file)
    return file.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("width", [375, 1280])
async def test_a_clerk_finds_yesterdays_unhappy_citizen_and_puts_it_right(
    browser: Browser, bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows, width: int, tmp_path: Path
) -> None:
    seed(engine, clock)
    token = hire(engine, "clerk", clock, role="supervisor")
    async with sound_page(browser, bot, token, viewport={"width": width, "height": 800}) as page:
        await page.goto(f"{bot.url}/console")
        await look(page, f"log-{width}")
        await page.get_by_role("link", name="昨天", exact=True).click()
        await page.get_by_role("link", name="不满意的", exact=True).click()
        await expect(page.locator(".records li")).to_have_count(1)
        await expect(page.locator(".records li")).to_contain_text("王**，电话138********")
        await look(page, f"log-unhappy-{width}")
        await page.locator(".records a").click()
        await expect(page.locator("dl")).to_contain_text("推来推去")
        await expect(page.locator(".talk")).not_to_contain_text("王小二")
        await look(page, f"record-{width}")
        await page.get_by_text("要看原文？").click()
        await page.fill("#reason", "回访不满意的群众")
        await page.get_by_role("button", name="看原文").click()
        await expect(page.locator(".talk")).to_contain_text("我叫王小二，电话13812345678")
        await look(page, f"record-plain-{width}")
        await page.select_option("#category", label="拖欠工资")
        await page.get_by_role("button", name="改正").click()
        await expect(page.get_by_role("status")).to_contain_text("已改好")
        await expect(page.locator(".talk")).not_to_contain_text("王小二")
        await page.fill("#text", "已约明天上午回访")
        await page.get_by_role("button", name="记下").click()
        await expect(page.locator("#remarks")).to_contain_text("已约明天上午回访")
        await look(page, f"record-done-{width}")
        text = await take_away(page, bot, width, tmp_path)
        assert "我叫王**，电话138********" in text
        assert "王小二" not in text
        assert "拖欠工资" in text
        await page.goto(f"{bot.url}/console/access")
        await expect(page.locator("tbody")).to_contain_text("回访不满意的群众")
        await look(page, f"access-{width}")
    done = [
        row[0]
        for row in rows(bot.settings, "SELECT DISTINCT action FROM audit WHERE action LIKE 'record.%' ORDER BY action")
    ]
    assert done == [
        "record.correct",
        "record.export",
        "record.export_fetched",
        "record.read",
        "record.remark",
        "record.unmask",
    ]
