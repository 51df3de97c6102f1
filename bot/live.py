"""What may change while the service runs, in one place: the settings in force, the library, the announcements."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.engine import Connection

from bot.bell import CHANGED, Bell
from bot.conversation.handoff.duty import Hours
from bot.conversation.turn import LOCAL, Library
from bot.ids import Clock
from bot.run_settings import applied
from bot.service import announcements, county, run_settings
from bot.service.announcements import Announcement
from bot.service.library import with_overlay
from bot.settings import Settings
from bot.store.database import Database
from knowledge.overlay import Overlay

log = structlog.get_logger("live")

# The library that serves all entries, or only those a lawyer confirmed.
LibraryOf = Callable[[bool], Library]
# Amending leaves dead places in the tables; after so many times it starts again from what was shipped.
AMENDMENTS = 50


class Live:
    """Whoever needs one of these asks here each time, and never keeps it.

    `base`: the settings as file and environment have them; `shipped`: the library without the county's own content; `useless`: names of changed values that cannot be used.
    """

    def __init__(self, base: Settings, library_of: LibraryOf, db: Database, clock: Clock, bell: Bell) -> None:
        self.base = base
        self.settings = base
        self.useless: tuple[str, ...] = ()
        self.library = library_of(base.answers.confirmed_only)
        self.shipped = self.library
        self._stamp: tuple[Any, ...] = ()
        self._amended = 0
        self._lock = asyncio.Lock()
        self._library_of = library_of
        self._announcements: tuple[Announcement, ...] = ()
        self._db = db
        self._clock = clock
        self._bell = bell

    @property
    def hours(self) -> Hours:
        """Duty hours in force."""
        return self.settings.handoff.office_hours

    def announcement(self, now: datetime) -> str:
        """What citizens are told now; empty for nothing."""
        return announcements.running(self._announcements, now)

    async def refresh(self) -> bool:
        """Look at the store. Returns whether there is more to do: never."""
        now = self._clock()

        def look(conn: Connection) -> tuple[dict[str, str], list[Announcement]]:
            kept = run_settings.kept(conn)
            return {name: one.value for name, one in kept.items()}, announcements.coming(conn, now)

        changed, coming = await self._db.read(look)
        self.settings, useless = applied(self.base, changed)
        self._announcements = tuple(coming)
        if useless != self.useless:
            log.warning("settings_not_usable", names=useless)
            self.useless = useless
        async with self._lock:
            await self._renew_library(now)
        return False

    async def _renew_library(self, now: datetime) -> None:
        """What the county publishes serves at once, without a restart."""
        only = self.settings.answers.confirmed_only
        stamp = (only, *await self._db.read(lambda conn: county.stamp(conn, now)))
        if stamp == self._stamp:
            return
        if only != self.shipped.confirmed_only:
            self.library = self.shipped = await asyncio.to_thread(self._library_of, only)
        overlay = await self._db.read(lambda conn: county.overlay(conn, now))
        # Not on the event loop, nor on the threads of the store: it takes some tenths of a second.
        self.library = await asyncio.to_thread(self._overlaid, overlay, now)
        self._stamp = stamp

    def _overlaid(self, overlay: Overlay, now: datetime) -> Library:
        self._amended = (self._amended + 1) % AMENDMENTS
        made = with_overlay(self.shipped, overlay, self.shipped if self._amended == 0 else self.library)
        # What is worked out at the first question of a day is worked out here, not while a citizen waits.
        made.search("怎么办", now.astimezone(LOCAL).date())
        return made

    async def changed(self) -> None:
        """Something was changed here: take it up, and let the other processes hear of it."""
        self._stamp = ()  # two changes may fall into one millisecond
        await self.refresh()
        self._bell.ring(CHANGED)
