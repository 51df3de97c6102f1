"""Pages in Chromium that must be sound: what every browser test holds a page to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page

from bot.console.auth import COOKIE
from tests.support import Bot


@asynccontextmanager
async def sound_page(browser: Browser, bot: Bot, token: str = "", **wishes: Any) -> AsyncIterator[Page]:
    """A page in a browser of its own, logged in by `token`; `wishes` are those of Playwright's `new_context`.

    Errors in it, what its own rules forbid, and calls to elsewhere fail the test.
    """
    context = await browser.new_context(**{"locale": "zh-CN", "timezone_id": "Asia/Shanghai", **wishes})
    if token:
        await context.add_cookies([{"name": COOKIE, "value": token, "url": bot.url}])
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
    own = (bot.url, bot.url.replace("http", "ws", 1), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(own) else faults.append(request.url))
    yield page
    await context.close()
    assert faults == []
