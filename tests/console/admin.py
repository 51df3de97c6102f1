"""Somebody at the pages of administration."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import sqlalchemy as sa

from bot.console.admin.common import ROOT
from bot.console.auth import COOKIE
from tests.console.office import hire
from tests.platform import Clock
from tests.support import Bot

_TAG = re.compile(r"<[^>]+>|\s+")


@dataclass(frozen=True)
class Clerk:
    """A browser at /console/admin."""

    session: aiohttp.ClientSession

    async def see(self, path: str, **query: str) -> str:
        """A page's HTML."""
        async with self.session.get(ROOT + path, params=query) as answer:
            assert (answer.status, answer.url.path) == (200, ROOT + path), (path, answer.status, await answer.text())
            return await answer.text()

    async def words(self, path: str, **query: str) -> str:
        """What a page says, without its markup."""
        return words_of(await self.see(path, **query))

    async def do(self, path: str, form: Mapping[str, str | list[str]] | None = None) -> tuple[int, str]:
        """Send a form: status, and where it leads, or else what the page says."""
        fields = [
            (name, one)
            for name, value in (form or {}).items()
            for one in ([value] if isinstance(value, str) else value)
        ]
        async with self.session.post(ROOT + path, data=fields, allow_redirects=False) as answer:
            body = await answer.text()
            assert not answer.headers.get("Location", "").startswith("/login"), "the session is over"
            return answer.status, answer.headers.get("Location", "") or body


def words_of(html: str) -> str:
    """Text without tags and white space."""
    return _TAG.sub("", html.partition("<main")[2])


@asynccontextmanager
async def clerk(
    bot: Bot, engine: sa.Engine, clock: Clock, name: str = "boss", role: str = "admin"
) -> AsyncIterator[Clerk]:
    """Somebody logged in."""
    token = hire(engine, name, clock, role=role)
    headers = {"Origin": bot.url, "Accept": "text/html"}
    async with aiohttp.ClientSession(bot.url, cookies={COOKIE: token}, headers=headers) as session:
        yield Clerk(session)
