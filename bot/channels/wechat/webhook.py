"""`/wechat`: the one address the platform calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiohttp import web

from bot.channels.wechat import codec as codecs
from bot.channels.wechat import render
from bot.channels.wechat.codec import Codec, Refused
from bot.desk import Desk
from bot.ids import Clock
from bot.metrics import Metrics
from bot.service.inbox import Handled
from bot.settings import Wechat
from knowledge.reply import TEXT_LIMIT

log = structlog.get_logger("wechat")

SUCCESS = "success"
Late = Callable[[Handled], Awaitable[None]]


@dataclass(frozen=True)
class Webhook:
    """Verify, hand to the desk, answer within the platform's patience."""

    settings: Wechat
    codec: Codec
    desk: Desk
    clock: Clock
    metrics: Metrics
    late: Late
    tasks: set[asyncio.Task[None]]

    def routes(self) -> list[web.RouteDef]:
        """GET for verification, POST for messages."""
        return [web.get("/wechat", self.verify, allow_head=False), web.post("/wechat", self.receive)]

    async def verify(self, request: web.Request) -> web.Response:
        """Answer the platform's check of our address."""
        try:
            return web.Response(text=self.codec.verify_url(request.query, self.clock()))
        except Refused as refused:
            return self._refuse(refused)

    async def receive(self, request: web.Request) -> web.Response:
        """A message: the reply rides on the answer, or follows through the API if it is late."""
        loop = asyncio.get_running_loop()
        started, now = loop.time(), self.clock()
        try:
            opened = self.codec.open(request.query, await self._body(request), now)
        except Refused as refused:
            return self._refuse(refused)
        turn = loop.create_task(self.desk.handle(codecs.to_inbound(opened.fields, now)))
        await _done_or(turn, started + self.settings.reply_deadline)
        if not turn.done():
            self._follow_up(turn)
            return web.Response(text=SUCCESS)
        reply = turn.result().reply
        if reply is None:
            return web.Response(text=SUCCESS)
        return web.Response(body=self._sealed(opened, render.text(reply), now), content_type="application/xml")

    def _sealed(self, opened: codecs.Opened, text: str, now: datetime) -> bytes:
        if len(text.encode()) > TEXT_LIMIT:
            log.error("reply_too_long", bytes=len(text.encode()))
            text = text.encode()[:TEXT_LIMIT].decode(errors="ignore")
        return self.codec.seal(opened, text, now)

    async def _body(self, request: web.Request) -> bytes:
        if (request.content_length or 0) > self.settings.body_limit:
            raise Refused(413, "oversized")
        try:
            return await request.read()  # no more than the application's limit, which is ours
        except web.HTTPRequestEntityTooLarge as error:
            raise Refused(413, "oversized") from error

    def _refuse(self, refused: Refused) -> web.Response:
        self.metrics.refused.labels(codecs.CHANNEL, refused.why).inc()
        log.warning("refused", why=refused.why, status=refused.status)
        return web.Response(status=refused.status)

    def _follow_up(self, turn: asyncio.Future[Handled]) -> None:
        """Keep a late turn alive; shutdown waits for these tasks."""

        async def finish() -> None:
            await self.late(await turn)

        task = asyncio.create_task(finish())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


async def _done_or(turn: asyncio.Task[Handled], deadline: float) -> None:
    """Wait until a turn is done or the loop's clock says `deadline`; what `asyncio.wait` does, for one task."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake(*_: object) -> None:
        if not waiter.done():
            waiter.set_result(None)

    timer = loop.call_at(deadline, wake)
    turn.add_done_callback(wake)
    try:
        await waiter
    finally:
        timer.cancel()
