"""Administration in real Chromium: a new lawyer from the account to the workbench, on a phone and at a desk."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import PHONE
from tests.browser.pages import sound_page
from tests.console.helpers import PASSWORD, add_staff
from tests.support import Bot

DESK = {"width": 1280, "height": 800}
OWN = "我自己想的密码2026"


async def log_in(page: Page, bot: Bot, login: str, password: str) -> None:
    await page.goto(f"{bot.url}/login")
    await page.fill("#login", login)
    await page.fill("#password", password)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: "/login" not in url)


async def look(page: Page, name: str) -> None:
    """It fits the screen; keep a screenshot where the one who runs the tests asked for it."""
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    folder = os.environ.get("FAWENTEST_SHOTS")
    if folder:
        assert page.viewport_size is not None
        await page.screenshot(
            path=str(Path(folder) / f"admin-{name}-{page.viewport_size['width']}.png"), full_page=True
        )


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_new_lawyer_gets_in(browser: Browser, bot: Bot, viewport: object) -> None:
    add_staff(bot, "boss", "赵主管", "admin")
    async with sound_page(browser, bot, viewport=viewport) as boss, sound_page(browser, bot, viewport=PHONE) as phone:
        await log_in(boss, bot, "boss", PASSWORD)
        await boss.get_by_role("link", name="管理", exact=True).click()
        await expect(boss.get_by_role("heading", name="管理", exact=True)).to_be_visible()
        await look(boss, "overview")
        await boss.get_by_role("link", name="账号和角色").click()
        await boss.get_by_text("添加账号").click()
        await boss.get_by_label("登录名").fill("zhang")
        await boss.get_by_label("姓名").fill("张三")
        await boss.get_by_label("工资工伤").check()
        await boss.get_by_label("服务站点").fill("城关镇公共法律服务站")
        await look(boss, "add")
        await boss.get_by_role("button", name="添加").click()
        password = await boss.locator("output.password").inner_text()
        await look(boss, "password")
        await boss.get_by_role("link", name="抄好了").click()
        await expect(boss.get_by_text("还没改起始密码")).to_be_visible()
        await look(boss, "user")

        await log_in(phone, bot, "zhang", password)
        await expect(phone.get_by_role("alert")).to_contain_text("起始密码")
        await look(phone, "must-change")
        await phone.goto(f"{bot.url}/workbench")
        assert phone.url == f"{bot.url}/account"
        await phone.fill("#old", password)
        await phone.fill("#new", OWN)
        await phone.fill("#again", OWN)
        await phone.get_by_role("button", name="改密码").click()
        await expect(phone.get_by_role("status")).to_contain_text("密码已改好")
        await expect(phone.get_by_role("alert")).to_have_count(0)
        await phone.get_by_role("link", name="工作台").click()
        await phone.wait_for_url(f"{bot.url}/workbench")

        await boss.goto(f"{bot.url}/console/admin/users")
        await expect(boss.get_by_role("row", name=re.compile("张三"))).to_contain_text("可用")
        await look(boss, "users")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_clerk_goes_through_the_rest(browser: Browser, bot: Bot, viewport: object) -> None:
    for login, name in (("zhang", "张三"), ("li", "李四"), ("ouyang", "欧阳建国")):
        add_staff(bot, login, name)
    add_staff(bot, "boss", "赵主管", "admin")
    async with sound_page(browser, bot, viewport=viewport) as page, sound_page(browser, bot, viewport=PHONE) as citizen:
        await log_in(page, bot, "boss", PASSWORD)
        await page.goto(f"{bot.url}/console/admin/roster?month=2026-10")
        for name in ("张三", "欧阳建国"):
            await page.get_by_text("排一段日子").click()
            await page.get_by_label("谁").select_option(label=name)
            await page.get_by_role("button", name="排上").click()
            await expect(page.get_by_role("status")).to_have_text("已排上。")
        await expect(page.locator(".day", has_text="调休上班").first).to_contain_text("欧阳建国、张三")
        await look(page, "roster")
        await page.locator(".day a", has_text="12日").click()
        await page.get_by_role("button", name="取消张三").click()
        await page.get_by_role("button", name="改成本县放假").click()
        await expect(page.get_by_role("heading", name="这天休息")).to_be_visible()
        await look(page, "day")

        await page.goto(f"{bot.url}/console/admin/settings")
        setting = page.locator("section", has_text="律师多久不回话就重新排队")
        await setting.get_by_role("textbox").fill("很久")
        await setting.get_by_role("button", name="保存").click()
        await expect(page.get_by_role("alert")).to_have_text("要填2到240之间的整数。")
        await setting.get_by_role("textbox").fill("20")
        await setting.get_by_role("button", name="保存").click()
        await expect(page.get_by_role("status")).to_contain_text("已改好")
        await expect(setting.get_by_text("赵主管")).to_be_visible()
        await look(page, "settings")

        await page.goto(f"{bot.url}/console/admin/announcements")
        await page.get_by_label("内容").fill("因搬迁，本周三、周四窗口暂停接待，请打12348或在这里留言。")
        await page.locator("#until_day").fill("2026-11-26")
        await page.get_by_role("button", name="发布").click()
        await expect(page.get_by_text("正在显示")).to_be_visible()
        await look(page, "announcements")
        await citizen.goto(bot.url)
        await expect(citizen.get_by_role("note")).to_contain_text("暂停接待")
        await citizen.wait_for_selector("#talk[data-ready]")
        await look(citizen, "citizen")
        await page.get_by_text("撤回", exact=True).click()
        await page.get_by_role("button", name="撤回这条公告").click()
        await expect(page.get_by_text("已撤回", exact=True)).to_be_visible()

        await page.get_by_role("link", name="管理", exact=True).first.click()
        await page.get_by_role("link", name="系统状态").click()
        await expect(page.get_by_text("还没有做过备份。")).to_be_visible()
        await look(page, "system")
        await page.goto(f"{bot.url}/console/admin/audit")
        await expect(page.get_by_role("row", name=re.compile("撤回公告"))).to_contain_text("赵主管")
        await look(page, "audit")
