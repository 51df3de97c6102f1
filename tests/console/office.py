"""A staffed office for tests: lawyers with open sessions, citizens on the chat page, the live line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import sqlalchemy as sa

from bot.console.auth import COOKIE
from bot.service import sessions
from bot.service.sessions import Limits
from bot.store.tables import staff
from tests.platform import Clock
from tests.support import Bot

PATIENCE = 30.0


def hire(
    engine: sa.Engine, login: str, clock: Clock, *, role: str = "lawyer", covers: str = "[]", on: bool = True
) -> str:
    """Put a member of staff into the store, logged in; returns the token of the session."""
    token = f"token-{login}"
    with engine.begin() as conn:
        conn.execute(
            sa.insert(staff).values(
                id=f"staff-{login}", login=login, name=login, role=role, password="", covers=covers, on_duty=on,
                seen_at=0, citizen_id=None, attending="", centre="", failures=0, locked_until=0, disabled_at=None, created_at=0,
            )
        )  # fmt: skip
        sessions.start(conn, token, f"staff-{login}", "test", Limits(), clock())
    return token


@dataclass
class Lawyer:
    """A lawyer's browser: API calls, and the live line."""

    session: aiohttp.ClientSession
    origin: str
    name: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    socket: aiohttp.ClientWebSocketResponse | None = None

    async def call(self, path: str, body: Any = None, method: str = "") -> tuple[int, Any]:
        """An API call, as the page makes it."""
        way = method or ("GET" if body is None else "POST")
        async with self.session.request(
            way, f"/workbench/api{path}", json=body, headers={"Origin": self.origin}
        ) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith("{") else text

    async def move(self, handoff: str, name: str, **more: Any) -> tuple[int, Any]:
        """Claim, release, transfer, take over."""
        return await self.call(f"/handoffs/{handoff}/move", {"name": name, **more})

    async def connect(self) -> None:
        """Open the live line."""
        self.socket = await self.session.ws_connect("/workbench/socket", headers={"Origin": self.origin})

    async def send(self, kind: str, **more: Any) -> None:
        """Say something over the line."""
        assert self.socket is not None
        await self.socket.send_json({"type": kind, **more})

    async def until(self, kind: str, **wanted: Any) -> dict[str, Any]:
        """Listen until a message of this kind with these values comes."""
        assert self.socket is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                message = dict(json.loads(await self.socket.receive_str()))
                self.heard.append(message)
                if message["type"] == kind and all(message.get(key) == value for key, value in wanted.items()):
                    return message

    async def words(self, text: str) -> dict[str, Any]:
        """Listen until a message with this text is shown."""
        while True:
            shown = await self.until("messages")
            for line in shown["messages"]:
                if line["text"] == text:
                    return dict(line)


@dataclass
class Visitor:
    """A citizen on the chat page."""

    session: aiohttp.ClientSession
    number: int = 0

    async def say(self, text: str, tap: str = "") -> Any:
        """Send a message and return the bot's reply."""
        self.number += 1
        body = {"key": f"key-{self.number:08d}", "text": text, "tap": tap}
        async with self.session.post("/chat/messages", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return (await answer.json())["reply"]


@asynccontextmanager
async def lawyer(bot: Bot, engine: sa.Engine, clock: Clock, name: str, **more: Any) -> AsyncIterator[Lawyer]:
    """A lawyer with an open session."""
    token = hire(engine, name, clock, **more)
    async with aiohttp.ClientSession(bot.url, cookies={COOKIE: token}) as session:
        yield Lawyer(session, bot.url, name)


@asynccontextmanager
async def visitor(bot: Bot) -> AsyncIterator[Visitor]:
    """A citizen who has opened the chat page."""
    async with aiohttp.ClientSession(bot.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get("/"):
            pass
        yield Visitor(session)
