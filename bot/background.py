"""What the application does beside answering: again and again while it runs, or when the bell rings."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from functools import partial

import structlog
from aiohttp import web

from bot.bell import CHANGED, Bell
from bot.channels.wechat.worker import Worker
from bot.digester import EVERY, Digester
from bot.ids import Clock, NewId
from bot.live import Live
from bot.service import consultations, erasure, handling, own_data
from bot.service.demo import write as demo
from bot.service.erasure import Keeping
from bot.store.database import Database, StoreClosedError, StoreError

log = structlog.get_logger("app")

SWEEP_EVERY = 600.0
LOOK_EVERY = 10.0
# What was published serves within a second. The bell brings it sooner, but the command line rings none.
LIVE_EVERY = 0.5
Context = Callable[[web.Application], AsyncIterator[None]]


def close_silent(db: Database, clock: Clock) -> Context:
    """Consultations of which nothing more is heard are closed."""

    async def sweep() -> None:
        closed = await db.write(lambda conn: consultations.close_silent(conn, clock()))
        log.debug("swept", closed=closed)

    return _repeated("close_silent", SWEEP_EVERY, sweep)


def watch_handoffs(db: Database, live: Live, bell: Bell, clock: Clock, new_id: NewId) -> Context:
    """Nobody waits unseen: vanished lawyers, citizens who left, and waits that became too long."""

    async def look() -> None:
        hours, rules = live.hours, live.settings.handoff.rules
        changed = await db.write(lambda conn: handling.sweep(conn, new_id, hours, rules, clock()))
        bell.ring_all(one.after.id for one in changed)

    return _repeated("handoffs", LOOK_EVERY, look)


def purge(db: Database, keeping: Keeping, clock: Clock, new_id: NewId) -> Context:
    """At night, what was kept long enough is erased."""

    async def night() -> None:
        if await db.read(demo.marked):
            return  # made-up words are nobody's, and the year they are of may be long past
        if await db.read(lambda conn: erasure.night(conn, clock())):
            rows = 0
            while piece := await db.read(lambda conn: erasure.due(conn, keeping, clock())):
                rows += await db.write(partial(erasure.purge, piece=piece))
            await db.write(lambda conn: own_data.forget_links(conn, clock()))
            await db.write(lambda conn: erasure.slept(conn, new_id, rows, clock()))
            log.info("purged", rows=rows)

    return _repeated("purge", SWEEP_EVERY, night)


def kept_live(live: Live, bell: Bell) -> Context:
    """Changes made in other processes are taken up when the bell rings, and soon without it."""
    worker = Worker("live", live.refresh, LIVE_EVERY)
    bell.listen(lambda what: worker.wake() if what == CHANGED else None)

    async def context(_app: web.Application) -> AsyncIterator[None]:
        # What the county has set and published holds from the start.
        await live.refresh()
        async with _background(worker.run()):
            yield

    return context


def digesting(digester: Digester) -> Context:
    """The departments' digests are made and sent."""

    async def context(_app: web.Application) -> AsyncIterator[None]:
        worker = Worker("digests", digester.work, EVERY)
        task = asyncio.create_task(worker.run())
        yield
        # A letter under way is finished first: cut off, nobody would know whether it was sent.
        worker.stop()
        await task

    return context


def _repeated(name: str, every: float, work: Callable[[], Awaitable[None]]) -> Context:
    """Do it again and again while the application runs; a fault is logged, and the next time may succeed."""

    async def repeat() -> None:
        while True:
            try:
                await work()
            except StoreClosedError:
                return
            except StoreError as error:
                log.error("sweep_failed", what=name, error=str(error))  # noqa: TRY400
            except Exception:
                log.exception("sweep_failed", what=name)
            await asyncio.sleep(every)

    async def context(_app: web.Application) -> AsyncIterator[None]:
        async with _background(repeat()):
            yield

    return context


@contextlib.asynccontextmanager
async def _background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
