"""Sees to it that exports are written: one process at a time beside the server, and none forgotten after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import structlog
from aiohttp import web

from bot.ids import Clock
from bot.service.records import exports
from bot.settings import PREFIX, Settings
from bot.store.database import Database, StoreClosedError, StoreError

log = structlog.get_logger("exports")
LOOK_EVERY = 30.0
_ROOT = str(Path(__file__).parents[3])


class Runner:
    """Starts `python -m bot export` for what waits."""

    def __init__(self, db: Database, clock: Clock, settings: Settings) -> None:
        self._db = db
        self._clock = clock
        self._awake = asyncio.Event()
        # The process finds its database and itself as this one did, whatever file the settings came from.
        self._environ = os.environ | {
            f"{PREFIX}DATABASE_URL": settings.database_url,
            f"{PREFIX}DEMO": str(settings.demo).lower(),
            "PYTHONPATH": os.pathsep.join(filter(None, [_ROOT, os.environ.get("PYTHONPATH", "")])),
        }

    def wake(self) -> None:
        """Something waits."""
        self._awake.set()

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Work while the application runs."""
        task = asyncio.create_task(self._work())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _work(self) -> None:
        while True:
            try:
                await self._round()
            except StoreClosedError:
                return
            except (StoreError, OSError) as error:
                log.error("exports_failed", error=str(error))  # noqa: TRY400 - no trace is needed to see that the store is away
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), LOOK_EVERY)
            self._awake.clear()

    async def _round(self) -> None:
        await self._db.write(lambda conn: exports.sweep(conn, self._clock()))
        while waiting := await self._db.read(exports.next_waiting):
            await self._write(waiting)

    async def _write(self, export_id: str) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "export", "--id", export_id,
            env=self._environ, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
            raise
        job = await self._db.read(lambda conn: exports.get(conn, export_id))
        if status or (job is not None and job.state == "waiting"):
            log.error("export_ended", export=export_id, status=status)
            await self._db.write(lambda conn: exports.fail(conn, export_id, exports.CRASHED, self._clock()))
