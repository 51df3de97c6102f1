"""Several processes on one PostgreSQL: whoever rings the bell in one is heard in all (LISTEN/NOTIFY, no other broker)."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import psycopg
import sqlalchemy as sa
import structlog
from aiohttp import web

from bot.bell import CHANGED, Bell
from bot.store.database import Database, StoreError
from bot.store.tables import handoffs

log = structlog.get_logger("bell")

Step = Callable[[psycopg.AsyncConnection], Awaitable[None]]
CHANNEL = "fawen_bell"
RETRY = 2.0
# More than this waiting to be told: the others will look at everything when they hear the next one.
MOST = 10_000


@dataclass
class Relay:
    """Carries rings to the other processes, and theirs to us. A lost connection is made again; then everything is looked at."""

    db: Database
    bell: Bell
    _own: str = field(default_factory=lambda: secrets.token_hex(8))
    _out: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(MOST))
    _echo: bool = False

    def tell(self, handoff_id: str) -> None:
        """Rung here: tell the others. What came from them is not sent back."""
        if not self._echo:
            with contextlib.suppress(asyncio.QueueFull):
                self._out.put_nowait(handoff_id)

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """While the application runs."""
        self.bell.listen(self.tell)
        tasks = [asyncio.create_task(self._for_ever(step)) for step in (self._hear, self._say)]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _for_ever(self, step: Step) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._dsn(), autocommit=True) as conn:
                    await step(conn)
            except (psycopg.Error, OSError) as error:
                log.warning("relay_lost", error=type(error).__name__)
            await asyncio.sleep(RETRY)

    def _dsn(self) -> str:
        return self.db.url.set(drivername="postgresql").render_as_string(hide_password=False)

    async def _hear(self, conn: psycopg.AsyncConnection) -> None:
        await conn.execute(f"LISTEN {CHANNEL}")
        await self._look_at_everything()
        async for notice in conn.notifies():
            sender, _, handoff_id = notice.payload.partition(":")
            if sender != self._own:
                self._ring([handoff_id])

    async def _say(self, conn: psycopg.AsyncConnection) -> None:
        while True:
            handoff_id = await self._out.get()
            await conn.execute("SELECT pg_notify(%s, %s)", (CHANNEL, f"{self._own}:{handoff_id}"))

    async def _look_at_everything(self) -> None:
        """What changed while nobody listened."""
        statement = sa.select(handoffs.c.id).where(handoffs.c.closed_at.is_(None))
        with contextlib.suppress(StoreError):
            self._ring([CHANGED, *await self.db.read(lambda conn: [row[0] for row in conn.execute(statement)])])

    def _ring(self, handoff_ids: list[str]) -> None:
        self._echo = True
        try:
            self.bell.ring_all(handoff_ids)
        finally:
            self._echo = False
