"""What may change while the service runs, in one place: the settings in force, the library, the announcements."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.engine import Connection

from bot.bell import CHANGED, Bell
from bot.conversation.handoff.duty import Hours
from bot.conversation.turn import Library
from bot.ids import Clock
from bot.run_settings import applied
from bot.service import announcements, run_settings
from bot.service.announcements import Announcement
from bot.settings import Settings
from bot.store.database import Database

log = structlog.get_logger("live")

# The library that serves all entries, or only those a lawyer confirmed.
LibraryOf = Callable[[bool], Library]


class Live:
    """Whoever needs one of these asks here each time, and never keeps it.

    `base`: the settings as file and environment have them; `useless`: names of changed values that cannot be used.
    """

    def __init__(self, base: Settings, library_of: LibraryOf, db: Database, clock: Clock, bell: Bell) -> None:
        self.base = base
        self.settings = base
        self.useless: tuple[str, ...] = ()
        self.library = library_of(base.answers.confirmed_only)
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
        if (only := self.settings.answers.confirmed_only) != self.library.confirmed_only:
            self.library = await asyncio.to_thread(self._library_of, only)
        return False

    async def changed(self) -> None:
        """Something was changed here: take it up, and let the other processes hear of it."""
        await self.refresh()
        self._bell.ring(CHANGED)
