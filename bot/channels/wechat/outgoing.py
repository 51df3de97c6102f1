"""Everything that goes from us to the platform of its own accord, alive while the application runs."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable

import aiohttp
import msgspec
import segno
import structlog
from aiohttp import web

from bot.bell import Bell
from bot.channels.wechat.client import Client, PlatformError
from bot.channels.wechat.fetcher import Fetcher
from bot.channels.wechat.notifier import Notifier
from bot.channels.wechat.sender import Sender
from bot.channels.wechat.worker import Worker
from bot.ids import Clock, NewId
from bot.live import Live
from bot.metrics import Metrics
from bot.service import bindings, handoffs, outbox, relay
from bot.service.inbox import Handled
from bot.service.staff import Member
from bot.store.database import Database, StoreError

log = structlog.get_logger("outgoing")

TYPING_EVERY = 5.0
REMEMBERED = 1000
LOOK_EVERY = 10.0


class BindingCode(msgspec.Struct, frozen=True):
    """What binds a WeChat: words to send to the account, and a QR code to scan (empty where the account has none)."""

    words: str
    svg: str


class Outgoing:
    """The outbox and its sender, the fetcher of media, and what is shown while a lawyer writes."""

    def __init__(self, live: Live, clock: Clock, new_id: NewId, metrics: Metrics, db: Database, bell: Bell) -> None:
        self._live = live
        self._clock = clock
        self._new_id = new_id
        self._metrics = metrics
        self._db = db
        self._bell = bell
        self._client: Client | None = None
        self._wakes: list[Callable[[], None]] = []
        self._typed: dict[str, float] = {}
        bell.listen(self.wake)

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Send and fetch what waits, until the application stops."""
        async with aiohttp.ClientSession() as session:
            client = self._client = Client(session, self._live.base.wechat, self._clock, self._metrics)
            workers: list[Worker] = [
                Sender(self._db, client, self._clock, self._bell),
                Worker("notices", Notifier(self._db, client, session, self._live, self._clock).work, LOOK_EVERY),
                Worker("relay", self._relay, LOOK_EVERY),
                Worker("media", Fetcher(self._db, client, self._clock, self._bell).work, LOOK_EVERY),
            ]
            self._wakes = [worker.wake for worker in workers]
            tasks = [asyncio.create_task(worker.run()) for worker in workers]
            yield
            for worker in workers:
                worker.stop()
            await asyncio.gather(*tasks)
            self._client = None

    async def _relay(self) -> bool:
        if await self._db.write(lambda conn: relay.relay(conn, self._new_id, self._clock())):
            self._wakes[0]()
        return False

    async def late(self, handled: Handled) -> None:
        """Queue a reply that missed its HTTP answer."""
        self._metrics.late.inc()
        await self._db.write(lambda conn: outbox.queue_late(conn, self._new_id, handled, self._clock()))
        self.wake()

    def wake(self, _handoff_id: str = "") -> None:
        """There may be something to do."""
        for wake in self._wakes:
            wake()

    async def binding_code(self, member: Member) -> BindingCode:
        """A code that binds the member's own WeChat: to scan, or to send to the account as words."""
        code = f"{secrets.randbelow(10**bindings.DIGITS):0{bindings.DIGITS}}"
        await self._db.write(lambda conn: bindings.make(conn, member.id, code, self._clock()))
        try:
            seconds = int(bindings.VALID.total_seconds())
            url = await self._client.create_code(bindings.SCENE + code, seconds) if self._client else ""
        except PlatformError as error:
            log.warning("no_binding_qr", code=error.code, why=str(error))  # the account may lack the permission
            url = ""
        svg = segno.make(url).svg_inline(scale=6, border=2) if url else ""
        return BindingCode(f"绑定 {code}", svg)

    async def tell_typing(self, member: Member, handoff_id: str) -> None:
        """Show the citizen that their lawyer is writing: now and then, if it can be done."""
        now = asyncio.get_running_loop().time()
        if self._client is None or now - self._typed.get(handoff_id, now - TYPING_EVERY) < TYPING_EVERY:
            return
        if len(self._typed) >= REMEMBERED:
            self._typed.clear()
        self._typed[handoff_id] = now
        try:
            openid = await self._db.read(lambda conn: handoffs.reachable(conn, handoff_id, member.id, self._clock()))
            if openid:
                await self._client.typing(openid)
        except (PlatformError, StoreError) as error:
            log.debug("typing_not_shown", handoff=handoff_id, error=str(error))
