"""The workbench under load: many open conversations, many lawyers, how long a word takes to the screen."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from bot.console.auth import COOKIE
from bot.service import sessions
from bot.service.sessions import Limits
from bot.store.tables import staff
from tests.bench.load import percentile
from tests.bench.servers import FAWEN, Server, running

LAWYERS, CONVERSATIONS = 20, 200
# A word every few seconds in each conversation is more than people type.
MESSAGES, PER_SECOND = 1200, 60.0


@dataclass
class Watched:
    """When words were sent, and how long they took to the lawyer's screen or to the record."""

    sent: dict[str, float] = field(default_factory=dict)
    to_screen: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)
    busy: float = 0.0
    memory: int = 0


@dataclass
class Seat:
    """A lawyer's open workbench."""

    session: aiohttp.ClientSession
    socket: aiohttp.ClientWebSocketResponse
    handoffs: list[str] = field(default_factory=list)

    async def listen(self, watched: Watched) -> None:
        """Take down when each word arrives."""
        async for message in self.socket:
            heard, now = json.loads(message.data), time.perf_counter()
            if heard["type"] == "kept" and (began := watched.sent.pop(heard["key"], None)) is not None:
                watched.kept.append(now - began)
            for line in heard.get("messages", ()) if heard["type"] == "messages" else ():
                if (began := watched.sent.pop(line["text"], None)) is not None:
                    watched.to_screen.append(now - began)


async def measure(folder: Path) -> Watched:
    """One run against a real server on its core."""
    watched = Watched()
    extra = {"WEB__MESSAGES_PER_MINUTE": "100000", "WEB__ADDRESS_MESSAGES_PER_MINUTE": "1000000"}
    async with running(FAWEN, folder, extra) as server, AsyncExitStack() as stack:
        base = f"http://127.0.0.1:{server.port}"
        seats = [
            await stack.enter_async_context(_seat(base, token))
            for token in hire(folder, [f"bench-{number}" for number in range(LAWYERS)])
        ]
        citizens = [await stack.enter_async_context(_citizen(base)) for _ in range(CONVERSATIONS)]
        for number, citizen in enumerate(citizens):
            await _say(citizen, "公司拖欠工资怎么办")
            await _say(citizen, "转人工")
            await _claim(base, seats[number % LAWYERS], folder)
        listening = [asyncio.create_task(seat.listen(watched)) for seat in seats]
        await _talk(server, seats, citizens, watched)
        for task in listening:
            task.cancel()
        watched.memory = server.memory()
    return watched


async def _talk(server: Server, seats: list[Seat], citizens: list[aiohttp.ClientSession], watched: Watched) -> None:
    before, chosen = server.busy(), random.Random(7)
    tasks = []
    for number in range(MESSAGES):
        if number % 2:
            tasks.append(asyncio.create_task(_citizen_speaks(chosen.choice(citizens), f"citizen-{number}", watched)))
        else:
            seat = chosen.choice(seats)
            tasks.append(
                asyncio.create_task(_lawyer_speaks(seat, chosen.choice(seat.handoffs), f"lawyer-{number}", watched))
            )
        await asyncio.sleep(1 / PER_SECOND)
    await asyncio.gather(*tasks)
    for _ in range(100):
        if not watched.sent:
            break
        await asyncio.sleep(0.05)
    watched.busy = server.busy() - before


async def _citizen_speaks(citizen: aiohttp.ClientSession, words: str, watched: Watched) -> None:
    watched.sent[words] = time.perf_counter()
    await _say(citizen, words)


async def _lawyer_speaks(seat: Seat, handoff: str, words: str, watched: Watched) -> None:
    watched.sent[words] = time.perf_counter()
    await seat.socket.send_json({"type": "say", "id": handoff, "key": words, "text": f"答复 {words}"})


async def _say(citizen: aiohttp.ClientSession, words: str) -> None:
    body = {"key": secrets.token_hex(8), "text": words, "tap": ""}
    async with citizen.post("/chat/messages", json=body) as answer:
        answer.raise_for_status()


async def _claim(base: str, seat: Seat, folder: Path) -> None:
    with sqlite3.connect(f"file:{folder}/fawen.db?mode=ro", uri=True) as conn:
        (handoff,) = conn.execute("SELECT id FROM handoffs WHERE state = 'waiting'").fetchone()
    path = f"/workbench/api/handoffs/{handoff}/move"
    async with seat.session.post(path, json={"name": "claim"}, headers={"Origin": base}) as answer:
        answer.raise_for_status()
    seat.handoffs.append(handoff)
    await seat.socket.send_json({"type": "watch", "id": handoff, "after": 0})


def hire(folder: Path, tokens: Sequence[str], *, role: str = "lawyer") -> Sequence[str]:
    """Put staff on record, each logged in under their token; returns the tokens."""
    engine, now = sa.create_engine(f"sqlite:///{folder}/fawen.db"), datetime.now(UTC)
    with engine.begin() as conn:
        for token in tokens:
            conn.execute(
                sa.insert(staff).values(
                    id=token, login=token, name=token, role=role, password="", covers="[]", on_duty=True,
                    seen_at=int(now.timestamp() * 1000), citizen_id=None, attending="", centre="", failures=0, locked_until=0,
                    disabled_at=None, created_at=0,
                )
            )  # fmt: skip
            sessions.start(conn, token, token, "bench", Limits(), now)
    engine.dispose()
    return tokens


@asynccontextmanager
async def _seat(base: str, token: str) -> AsyncIterator[Seat]:
    headers = {"Origin": base}
    async with (
        aiohttp.ClientSession(base, cookies={COOKIE: token}) as session,
        session.ws_connect("/workbench/socket", headers=headers, max_msg_size=0) as socket,
    ):
        yield Seat(session, socket)


@asynccontextmanager
async def _citizen(base: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(base, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get("/"):
            pass
        yield session


def lines(watched: Watched) -> list[str]:
    """The result, to print."""
    count = len(watched.to_screen) + len(watched.kept)

    def late(times: list[float]) -> str:
        return f"p50 {percentile(times, 0.5) * 1000:.0f} ms, p99 {percentile(times, 0.99) * 1000:.0f} ms"

    return [
        f"Workbench: {CONVERSATIONS} open conversations over {LAWYERS} sockets, {PER_SECOND:.0f} messages a second, one core",
        f"  citizen's word to the lawyer's screen  {late(watched.to_screen)}  ({len(watched.to_screen)} words)",
        f"  lawyer's word to the record            {late(watched.kept)}  ({len(watched.kept)} words)",
        f"  processor {watched.busy / max(count, 1) * 1000:.1f} ms a word, {watched.memory / 2**20:.0f} MiB, lost {MESSAGES - count}",
    ]
