"""Keeps the shelf up to date: what staff publish serves at once, in every process, without a restart."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import web

from bot.bell import KNOWLEDGE, Bell
from bot.conversation.turn import LOCAL, Library
from bot.ids import Clock
from bot.metrics import Metrics
from bot.service import county
from bot.service.shelf import Shelf, with_overlay
from bot.store.database import Database, StoreClosedError, StoreError
from knowledge.overlay import Overlay

log = structlog.get_logger("keeper")

# What no bell tells of: commands beside a running bot, and texts whose day has come.
LOOK_EVERY = 5.0
# Amending leaves dead places in the tables; after so many times it starts again from what was shipped.
AMENDMENTS = 50


@dataclass
class Keeper:
    """Puts another library on the shelf when the county's content has changed."""

    db: Database
    shelf: Shelf
    clock: Clock
    bell: Bell
    metrics: Metrics
    shipped: Library = field(init=False)
    _stamp: tuple[Any, ...] | None = None
    _amended: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.shipped = self.shelf.current
        self.bell.listen(self._hear)

    async def published(self) -> None:
        """Something was published here: it serves when this returns, and the other processes hear of it."""
        await self.renew()
        self.bell.ring(KNOWLEDGE)

    async def renew(self) -> None:
        """Look whether anything changed, and serve it."""
        async with self._lock:
            now = self.clock()
            stamp = await self.db.read(lambda conn: county.stamp(conn, now))
            if stamp == self._stamp:
                return
            overlay = await self.db.read(lambda conn: county.overlay(conn, now))
            # Not on the event loop, nor on the threads of the store: it takes some tenths of a second.
            self.shelf.current = await asyncio.to_thread(self._build, overlay)
            self._stamp = stamp
            self.metrics.entries.set(len(self.shelf.current.base.entries))

    def _build(self, overlay: Overlay) -> Library:
        self._amended = (self._amended + 1) % AMENDMENTS
        library = with_overlay(self.shipped, overlay, self.shipped if self._amended == 0 else self.shelf.current)
        # What is worked out at the first question of a day is worked out here, not while a citizen waits.
        library.search("怎么办", self.clock().astimezone(LOCAL).date())
        return library

    def _hear(self, what: str) -> None:
        if what == KNOWLEDGE:
            self._rung.set()

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """While the application runs; what the county has published serves from the start."""
        await self.renew()
        task = asyncio.create_task(self._look())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _look(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), LOOK_EVERY)
            self._rung.clear()
            try:
                await self.renew()
            except StoreClosedError:
                return
            except StoreError as error:
                log.error("not_renewed", error=str(error))  # noqa: TRY400
            except Exception:
                log.exception("not_renewed")


# For whoever holds the application.
KEEPER = web.AppKey("keeper", Keeper)
