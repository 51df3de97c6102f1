"""Empties the outbox: in order per citizen, each failure treated by its cause."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot.channels.wechat import render
from bot.channels.wechat.client import Cause, Client, PlatformError
from bot.channels.wechat.codec import CHANNEL
from bot.conversation.turn import LOCAL
from bot.ids import Clock
from bot.service import outbox
from bot.service.outbox import Letter
from bot.store.database import Database, StoreError

log = structlog.get_logger("outbox")

BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (2, 10, 30, 120, 600, 1800))
LEASE_MS = 30_000
LOOK_EVERY = 5.0


@dataclass
class Sender:
    """Sends what waits. `wake` makes it look at once, `stop` lets it finish what it is sending."""

    db: Database
    client: Client
    clock: Clock
    _bell: asyncio.Event = field(default_factory=asyncio.Event)
    _stopped: bool = False

    def wake(self) -> None:
        """There is something new."""
        self._bell.set()

    def stop(self) -> None:
        """End `run` after the attempt under way."""
        self._stopped = True
        self._bell.set()

    def _stopping(self) -> bool:
        return self._stopped

    async def run(self) -> None:
        """Until stopped."""
        while not self._stopping():
            self._bell.clear()
            try:
                while await self.send_due():
                    pass
            except StoreError as error:
                log.error("outbox_unreadable", error=str(error))  # noqa: TRY400
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0 if self._stopping() else LOOK_EVERY):
                    await self._bell.wait()

    async def send_due(self) -> int:
        """Try everything that is due now; returns how many rows were tried."""
        await self.db.write(lambda conn: outbox.strand(conn, self.clock()))
        letters = await self.db.read(lambda conn: outbox.due(conn, CHANNEL, self.clock()))
        tried = 0
        for letter in letters:
            if not self._stopping():
                tried += await self._try(letter)
        return tried

    async def _try(self, letter: Letter) -> int:
        if not await self.db.write(lambda conn: outbox.begin(conn, letter.id, self.clock(), LEASE_MS)):
            return 0
        try:
            await self.client.send_text(letter.address, render.text(letter.reply))
        except PlatformError as error:
            state, due_at = after(error.cause, letter.attempts, self.clock())
            log.warning("not_sent", row=letter.id, cause=error.cause.name, code=error.code, state=state)
            await self._settle(letter, state, str(error), due_at)
        else:
            await self._settle(letter, "sent", "", None)
        return 1

    async def _settle(self, letter: Letter, state: outbox.OutboxState, error: str, due_at: datetime | None) -> None:
        await self.db.write(
            lambda conn: outbox.settle(conn, letter.id, state, self.clock(), error=error, due_at=due_at)
        )


def after(cause: Cause, attempts: int, now: datetime) -> tuple[outbox.OutboxState, datetime | None]:
    """What becomes of a row after its attempt number `attempts` (from 0) failed for this cause.

    The platform knows no idempotency key, so a send without an answer is never repeated.
    """
    match cause:
        case Cause.HOLD:
            return "held", None
        case Cause.UNCERTAIN:
            return "uncertain", None
        case Cause.REFUSED:
            return "failed", None
        case Cause.TOMORROW:
            tomorrow = (now.astimezone(LOCAL) + timedelta(days=1)).replace(hour=0, minute=5, second=0, microsecond=0)
            return "waiting", tomorrow
        case Cause.BUSY | Cause.UNREACHABLE | Cause.TOKEN:
            if attempts >= len(BACK_OFF):
                return "failed", None
            return "waiting", now + BACK_OFF[attempts]
