"""A task that works off what is due: woken when there is something new, looking by itself now and then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from bot.store.database import StoreClosedError, StoreError

log = structlog.get_logger("worker")


class Worker:
    """Runs `work` again and again; `work` tells whether there may be more at once."""

    def __init__(self, name: str, work: Callable[[], Awaitable[bool]], every: float) -> None:
        self._name = name
        self._work = work
        self._every = every
        self._awake = asyncio.Event()
        self._stopped = False

    def wake(self) -> None:
        """There is something new."""
        self._awake.set()

    def stop(self) -> None:
        """End `run` after the piece of work under way."""
        self._stopped = True
        self._awake.set()

    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    async def run(self) -> None:
        """Until stopped; a fault is logged, and the next time may succeed."""
        while not self.stopping():
            self._awake.clear()
            try:
                while await self._work() and not self.stopping():
                    pass
            except StoreClosedError:
                return
            except StoreError as error:
                log.error("work_failed", what=self._name, error=str(error))  # noqa: TRY400
            except Exception:
                log.exception("work_failed", what=self._name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._awake.wait()
