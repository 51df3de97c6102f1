"""Fetches citizens' pictures and voice from the platform, which keeps them for three days only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.bell import Bell
from bot.channels.wechat.client import Cause, Client, PlatformError
from bot.channels.wechat.files import kind_of
from bot.ids import Clock
from bot.service import media
from bot.service.media import Wanted
from bot.store.database import Database

log = structlog.get_logger("media")

BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600))
EXPIRED = 40007
GONE = "微信那边已经过期或删除，取不到了。"
STRANGE = "不是能显示的图片或语音。"
LATER = "暂时取不到，稍后再试。"


@dataclass(frozen=True)
class Fetcher:
    """Works off what is wanted, one after the other."""

    db: Database
    client: Client
    clock: Clock
    bell: Bell

    async def work(self) -> bool:
        """Fetch what is due; whether anything was."""
        wanted = await self.db.read(lambda conn: media.due(conn, self.clock()))
        for one in wanted:
            await self._fetch(one)
        return bool(wanted)

    async def _fetch(self, one: Wanted) -> None:
        try:
            content = await self.client.get_media(one.platform_id)
        except PlatformError as error:
            log.warning("not_fetched", row=one.id, cause=error.cause.name, code=error.code, why=str(error))
            hopeless = error.code == EXPIRED or (error.cause is Cause.REFUSED and not error.code)
            again_at = None if hopeless else self._again(one)
            await self._failed(one, LATER if again_at else GONE, again_at)
            return
        kind = kind_of(content)
        if not kind:
            await self._failed(one, STRANGE, None)
            return
        self.bell.ring_all(await self.db.write(lambda conn: media.store(conn, one.id, kind, content)))

    async def _failed(self, one: Wanted, error: str, again_at: datetime | None) -> None:
        self.bell.ring_all(await self.db.write(lambda conn: media.failed(conn, one.id, error, again_at=again_at)))

    def _again(self, one: Wanted) -> datetime | None:
        """When to try again; None once the platform has deleted it."""
        at = self.clock() + BACK_OFF[min(one.attempts, len(BACK_OFF) - 1)]
        return at if at < one.noted_at + media.KEPT else None
