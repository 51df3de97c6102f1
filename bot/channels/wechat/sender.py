"""Empties the outbox: in order per citizen, each failure treated by its cause."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from bot.bell import Bell
from bot.channels.wechat import render
from bot.channels.wechat.client import Cause, Client, PlatformError
from bot.channels.wechat.codec import CHANNEL
from bot.channels.wechat.worker import Worker
from bot.conversation.turn import LOCAL
from bot.ids import Clock
from bot.service import outbox
from bot.service.outbox import Letter, OutboxState
from bot.store.database import Database, StoreError

log = structlog.get_logger("outbox")

# The last one is repeated: an outage ends some day, and with the citizen's window the letter is held instead.
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (2, 10, 30, 60, 120, 300, 600))
LEASE_MS = 150_000
LOOK_EVERY = 1.0
AT_ONCE = 16

# What a lawyer reads; the platform's own code and words go to the log.
_BY_CODE = {
    40003: "微信不认识这个账号，消息发不过去。请打电话联系。",
    43004: "对方已取消关注公众号，收不到消息。请打电话联系。",
    45002: "这条消息太长，微信没有收。请分成几条短的再发。",
    45015: outbox.CLOSED,
    45047: outbox.SPENT,
    48001: "公众号没有发送客服消息的权限，请告诉管理员。对方可打12348。",
}
_BY_CAUSE = {
    Cause.BUSY: "微信正忙，过一会儿自动再发。",
    Cause.TOKEN: "暂时连不上微信，恢复后自动再发。",
    Cause.UNREACHABLE: "暂时连不上微信，恢复后自动再发。",
    Cause.HOLD: outbox.SPENT,
    Cause.TOMORROW: "今天给微信的调用次数用完了，明天一早自动再发。",
    Cause.REFUSED: "微信没有收下这条消息，请告诉管理员查看日志。",
    Cause.UNCERTAIN: "微信没有回音，可能已经送到；为免重复没有再发。",
}


class Sender(Worker):
    """Sends what waits."""

    def __init__(self, db: Database, client: Client, clock: Clock, bell: Bell) -> None:
        super().__init__("outbox", self._start_due, LOOK_EVERY)
        self.db = db
        self.client = client
        self.clock = clock
        self.bell = bell
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until stopped; what is being sent then is finished."""
        await super().run()
        await asyncio.gather(*self._under_way.values())

    async def _start_due(self) -> bool:
        """Begin an attempt for every citizen something is due for: a slow call to one delays no other."""
        self.bell.ring_all(await self.db.write(lambda conn: outbox.strand(conn, self.clock())))
        for citizen, row in await self.db.read(lambda conn: outbox.due(conn, CHANNEL, self.clock())):
            if citizen not in self._under_way and len(self._under_way) < AT_ONCE and not self.stopping():
                self._under_way[citizen] = asyncio.create_task(self._attempt(citizen, row))
        return False  # each attempt wakes us when it is over

    async def _attempt(self, citizen: str, row: str) -> None:
        try:
            letter = await self.db.write(lambda conn: outbox.begin(conn, row, self.clock(), LEASE_MS))
            if letter is not None:
                await self._send(letter)
        except StoreError as error:
            log.error("outbox_unwritable", row=row, error=str(error))  # noqa: TRY400
        except Exception:
            log.exception("sending_failed", row=row)
        else:
            self.wake()  # the citizen's next one may leave
        finally:
            del self._under_way[citizen]

    async def _send(self, letter: Letter) -> None:
        if letter.held:
            self.bell.ring_all(letter.handoffs)
            return
        try:
            await self.client.send_text(letter.address, render.text(letter.reply))
        except PlatformError as error:
            state, due_at = after(error.cause, letter.attempts, self.clock())
            log.warning(
                "not_sent", rows=letter.rows, cause=error.cause.name, code=error.code, state=state, why=str(error)
            )
            await self._settle(letter, state, in_words(error), due_at)
        else:
            await self._settle(letter, "sent", "", None)

    async def _settle(self, letter: Letter, state: OutboxState, error: str, due_at: datetime | None) -> None:
        await self.db.write(lambda conn: outbox.settle(conn, letter, state, self.clock(), error=error, due_at=due_at))
        self.bell.ring_all(letter.handoffs)


def in_words(error: PlatformError) -> str:
    """Why it did not go through, as a lawyer understands it."""
    return _BY_CODE.get(error.code) or _BY_CAUSE[error.cause]


def after(cause: Cause, attempts: int, now: datetime) -> tuple[OutboxState, datetime | None]:
    """What becomes of a letter after its attempt number `attempts` (from 0) failed for this cause.

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
            return "waiting", now + BACK_OFF[min(attempts, len(BACK_OFF) - 1)]
