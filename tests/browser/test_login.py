"""The login in real Chromium: on a phone, at double size, with keys alone."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.pages import sound_page
from tests.console.helpers import PASSWORD, add_staff
from tests.support import Bot


@pytest.mark.parametrize(("width", "zoom"), [(375, 1.0), (375, 2.0), (1280, 1.0)])
async def test_keys_alone_log_in_change_nothing_and_log_out(
    browser: Browser, bot: Bot, width: int, zoom: float
) -> None:
    add_staff(bot)
    # Zooming in is the same page on a smaller screen.
    viewport = {"width": int(width / zoom), "height": int(720 / zoom)}
    async with sound_page(browser, bot, viewport=viewport, device_scale_factor=zoom) as page:

        async def fits() -> None:
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            heights = await page.evaluate(
                "[...document.querySelectorAll('button, .card input:not([hidden]):not([type=hidden])')].map(b => b.offsetHeight)"
            )
            assert min(heights) >= 43

        await page.goto(f"{bot.url}/login?next=/account")
        await fits()
        assert await page.evaluate("document.activeElement.id") == "login"
        await page.keyboard.type("zhang")
        await page.keyboard.press("Tab")
        await page.keyboard.type("wrong-password")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("账号或密码不对。")
        await fits()
        assert await page.input_value("#login") == "zhang"
        assert await page.input_value("#password") == ""
        assert await page.evaluate("document.activeElement.id") == "password"
        await page.keyboard.insert_text(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="我的账号")).to_be_visible()
        assert page.url == f"{bot.url}/account"
        await fits()
        await expect(page.get_by_text("（就是这台）")).to_be_visible()
        passed: list[str] = []
        while "退出" not in passed and len(passed) < 12:
            await page.keyboard.press("Tab")
            passed.append(await page.evaluate("document.activeElement.textContent"))
        assert passed == ["跳到正文", "工作台", "整改", "知识", "账号", "退出"]
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="登录工作台")).to_be_visible()
