"""What may change while the service runs, in one place: the settings in force, the library, the announcements."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
import structlog
from aiohttp import web
from sqlalchemy.engine import Connection

from bot.bell import CHANGED, Bell
from bot.conversation.handoff.duty import Hours
from bot.conversation.turn import LOCAL, Library
from bot.ids import Clock
from bot.metrics import Metrics
from bot.run_settings import applied
from bot.service import announcements, county, run_settings
from bot.service.announcements import Announcement
from bot.service.library import serving, with_overlay
from bot.settings import Settings
from bot.store.database import Database
from knowledge.overlay import Overlay

log = structlog.get_logger("live")

# Amending leaves dead places in the index; after so many times it starts again from what was shipped.
AMENDMENTS = 50


class _Seen(msgspec.Struct, frozen=True):
    """What the store held at the last look: changed settings, announcements, the mark of the county's content."""

    changed: dict[str, str]
    announcements: tuple[Announcement, ...]
    stamp: tuple[Any, ...]


class Live:
    """Whoever needs one of these asks here each time, and never keeps it.

    `base`: the settings as file and environment have them; `useless`: names of changed values that cannot be used;
    `shipped`: the library without the county's own content.
    """

    def __init__(
        self, base: Settings, shipped: Library, db: Database, clock: Clock, bell: Bell, metrics: Metrics
    ) -> None:
        self.base = base
        self.settings = base
        self.useless: tuple[str, ...] = ()
        self.shipped = self.library = shipped
        self._announcements: tuple[Announcement, ...] = ()
        self._stamp: tuple[Any, ...] | None = None
        self._amended = 0
        self._lock = asyncio.Lock()
        self._db = db
        self._clock = clock
        self._bell = bell
        self._metrics = metrics

    @property
    def hours(self) -> Hours:
        """Duty hours in force."""
        return self.settings.handoff.office_hours

    def announcement(self, now: datetime) -> str:
        """What citizens are told now; empty for nothing."""
        return announcements.running(self._announcements, now)

    async def refresh(self) -> bool:
        """Look at the store. Returns whether there is more to do: never."""
        async with self._lock:
            now = self._clock()
            seen = await self._db.read(lambda conn: _look(conn, now))
            self.settings, useless = applied(self.base, seen.changed)
            self._announcements = seen.announcements
            if useless != self.useless:
                log.warning("settings_not_usable", names=useless)
                self.useless = useless
            if seen.stamp != self._stamp:
                overlay = await self._db.read(lambda conn: county.overlay(conn, now))
                # Not on the event loop, nor on the threads of the store: it takes some tenths of a second.
                self.library = await asyncio.to_thread(self._build, overlay)
                self._stamp = seen.stamp
            self.library = serving(self.library, confirmed_only=self.settings.answers.confirmed_only)
            self._metrics.entries.set(len(self.library.base.entries))
        return False

    async def changed(self) -> None:
        """Something was changed here: it holds when this returns, and the other processes hear of it."""
        self._stamp = None  # two changes may fall into one millisecond
        await self.refresh()
        self._bell.ring(CHANGED)

    def _build(self, overlay: Overlay) -> Library:
        self._amended = (self._amended + 1) % AMENDMENTS
        near = self.library if self._amended else self.shipped
        library = with_overlay(self.shipped, overlay, near)
        # What is worked out at the first question of a day is worked out here, not while a citizen waits.
        library.search("怎么办", self._clock().astimezone(LOCAL).date())
        return library


def _look(conn: Connection, now: datetime) -> _Seen:
    changed = {name: one.value for name, one in run_settings.kept(conn).items()}
    return _Seen(changed, tuple(announcements.coming(conn, now)), county.stamp(conn, now))


# For whoever holds the application.
LIVE = web.AppKey("live", Live)
