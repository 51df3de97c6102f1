"""Sends notices to lawyers: template messages to their own WeChat, and the group robot of WeCom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import msgspec
import structlog

from bot.channels.wechat.client import Cause, Client, PlatformError, cause_of
from bot.ids import Clock
from bot.live import Live
from bot.service import notices
from bot.service.notices import Notice, Way
from bot.store.database import ConflictError, Database

log = structlog.get_logger("notices")

BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600))
LEASE_MS = 120_000
ROBOT_TIME = 10.0


@dataclass(frozen=True)
class Notifier:
    """Plans who must be told, and tells them one after the other. Nobody waits for it."""

    db: Database
    client: Client
    session: aiohttp.ClientSession
    live: Live
    clock: Clock

    @property
    def ways(self) -> tuple[Way, ...]:
        """What the settings allow for."""
        robot = self.live.settings.handoff.robot_url.get_secret_value()
        chosen: list[tuple[Way, str]] = [("template", self.live.settings.handoff.template_id), ("robot", robot)]
        return tuple(way for way, setting in chosen if setting)

    async def work(self) -> bool:
        """Tell one; whether there may be more."""
        if not self.ways:
            return False
        hours = self.live.hours
        try:
            await self.db.write(lambda conn: notices.plan(conn, self.ways, hours, self.clock()))
        except ConflictError:
            log.debug("planned_elsewhere")  # another process was a moment faster
        notice = await self.db.write(lambda conn: notices.begin(conn, self.clock(), LEASE_MS))
        if notice is None:
            return False
        await self._tell(notice)
        return True

    async def _tell(self, notice: Notice) -> None:
        try:
            await (self._robot(notice) if notice.way == "robot" else self._template(notice))
        except PlatformError as error:
            again = error.cause in {Cause.BUSY, Cause.TOKEN, Cause.UNREACHABLE} and notice.attempts < len(BACK_OFF)
            log.warning("lawyer_not_told", row=notice.id, way=notice.way, code=error.code, again=again, why=str(error))
            due_at = self.clock() + BACK_OFF[notice.attempts] if again else None
            why = str(error)
            await self.db.write(
                lambda conn: notices.settle(conn, notice.id, "waiting" if again else "failed", why, due_at=due_at)
            )
        else:
            await self.db.write(lambda conn: notices.settle(conn, notice.id, "sent"))

    async def _template(self, notice: Notice) -> None:
        if not notice.address:
            raise PlatformError(Cause.REFUSED, text="no longer bound")
        values = {
            "first": "急件，请尽快接待。" if notice.urgent else "有群众在等律师。",
            "keyword1": notice.subject,
            "keyword2": notice.township or "没有说",
            "keyword3": f"{notice.minutes}分钟",
            "remark": "请打开工作台，或在公众号里回复“接单”。",
        }
        await self.client.send_template(notice.address, self.live.settings.handoff.template_id, values)

    async def _robot(self, notice: Notice) -> None:
        payload = {"msgtype": "text", "text": {"content": notice.text}}
        try:
            async with self.session.post(
                self.live.settings.handoff.robot_url.get_secret_value(),
                data=msgspec.json.encode(payload),
                headers={"Content-Type": "application/json"},
                timeout=aiohttp.ClientTimeout(total=ROBOT_TIME),
            ) as response:
                answer = msgspec.json.decode(await response.read(), type=dict[str, object])
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as error:
            # The address is a secret, and the error may name it.
            raise PlatformError(Cause.UNREACHABLE, text=type(error).__name__) from None
        code = answer.get("errcode", 0)
        if code:
            number = code if isinstance(code, int) else 0
            raise PlatformError(cause_of(number), number, "the robot refused")
