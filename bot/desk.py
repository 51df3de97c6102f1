"""The one place where a turn happens: in order per citizen, on record before it is said."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import structlog

from bot.bell import Bell
from bot.conversation import wording
from bot.conversation.turn import Inbound
from bot.ids import Clock
from bot.lanes import Lanes
from bot.metrics import Metrics
from bot.service.inbox import Handled
from bot.service.turns import Coming, Office, foresee, take
from bot.store.database import Ahead, ConflictError, Database, StoreError
from knowledge.reply import Reply

log = structlog.get_logger("desk")

SORRY = Handled("", Reply(wording.BUSY), fresh=False)


class Desk:
    """Takes messages from all channels. `office` is asked for anew at each: what it holds may change meanwhile."""

    def __init__(
        self, db: Database, office: Callable[[], Office], clock: Clock, metrics: Metrics, bell: Bell | None = None
    ) -> None:
        self._bell = bell or Bell()
        self._db = db
        self._office = office
        self._clock = clock
        self._metrics = metrics
        self._lanes = Lanes()

    async def handle(self, inbound: Inbound) -> Handled:
        """The reply for a message, committed before it is returned; an honest sentence if it could not be recorded."""
        channel, lane, began = inbound.channel, (inbound.channel, inbound.citizen), perf_counter()
        await self._lanes.enter(lane)
        try:
            handled = await self._take(inbound)
        finally:
            self._lanes.leave(lane)
        self._metrics.seconds_on(channel).observe(perf_counter() - began)
        self._metrics.turns_of(channel, _result(handled)).inc()
        if handled.handoff:
            self._bell.ring(handled.handoff)
        return handled

    async def _take(self, inbound: Inbound) -> Handled:
        office, now = self._office(), self._clock()
        coming = Ahead(foresee, Coming(office, inbound, now))
        try:
            try:
                return await self._db.write(lambda conn: take(conn, office, inbound, now), coming)
            except ConflictError:
                # Another process took the same message, or met the same new citizen, a moment before us.
                return await self._db.write(lambda conn: take(conn, office, inbound, now))
        except StoreError as error:
            log.error("store_failed", key=inbound.key, channel=inbound.channel, error=str(error))  # noqa: TRY400
        except Exception:
            log.exception("turn_failed", key=inbound.key, channel=inbound.channel)
        return SORRY


def _result(handled: Handled) -> str:
    if handled is SORRY:
        return "failed"
    return "fresh" if handled.fresh else "repeated"
