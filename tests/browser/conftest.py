"""Real Chromium on a phone-sized screen."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.browser.pages import sound_page
from tests.conftest import StartBot
from tests.support import Bot, missing

PHONE: ViewportSize = {"width": 375, "height": 720}
# A busy machine is slow, not wrong.
expect.set_options(timeout=20_000)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, headless."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing("Chromium is not installed")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield running
        await running.close()


@pytest.fixture
async def bot(start_bot: StartBot) -> AsyncIterator[Bot]:
    """The product, with the chat page."""
    async with start_bot() as running:
        yield running


@pytest.fixture
async def page(browser: Browser, bot: Bot) -> AsyncIterator[Page]:
    """The chat page on a phone."""
    async with sound_page(
        browser, bot, viewport=PHONE, device_scale_factor=2, has_touch=True, is_mobile=True
    ) as opened:
        await opened.goto(bot.url)
        await opened.wait_for_selector("#talk[data-ready]")
        yield opened
