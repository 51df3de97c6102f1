"""Staff at a running bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import sqlalchemy as sa

from bot.service import accounts
from tests.support import Bot

PASSWORD = "好记又够长的密码2026"
PAGE = {"Accept": "text/html"}


def add_staff(bot: Bot, login: str = "zhang", name: str = "张三", role: str = "lawyer") -> str:
    """An account with PASSWORD; returns its id."""
    engine = sa.create_engine(bot.settings.database_url)
    kept = accounts.hashed(PASSWORD)
    with engine.begin() as conn:
        now, new_id = bot.parts.clock(), bot.parts.new_id
        made = accounts.add(conn, new_id, login=login, name=name, role=role, covers=(), password=kept, now=now)
    engine.dispose()
    return made


def act(bot: Bot, fn: Any) -> Any:
    """Run `fn(conn)` beside the running bot, as the command line does."""
    engine = sa.create_engine(bot.settings.database_url)
    try:
        with engine.begin() as conn:
            return fn(conn)
    finally:
        engine.dispose()


@asynccontextmanager
async def browsing(bot: Bot, agent: str = "tests") -> AsyncIterator[aiohttp.ClientSession]:
    """A browser of its own, on our pages."""
    headers = PAGE | {"Origin": bot.url, "User-Agent": agent}
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(bot.url, cookie_jar=jar, headers=headers) as session:
        yield session


async def log_in(
    browser: aiohttp.ClientSession, login: str = "zhang", password: str = PASSWORD, **more: str
) -> tuple[int, str, str]:
    """Status, where it leads, and the page."""
    form = {"login": login, "password": password} | more
    async with browser.post("/login", data=form, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", ""), await response.text()
