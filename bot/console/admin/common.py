"""What all pages of administration share."""

from __future__ import annotations

import re
from datetime import date, datetime

import msgspec
from aiohttp import web

from bot.console.auth import Guard
from bot.conversation.turn import LOCAL
from bot.ids import Clock, NewId
from bot.live import Live
from bot.service.audit import By
from bot.service.staff import Member
from bot.store.database import Database

ROOT = "/console/admin"
WEEKDAYS = "一二三四五六日"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST_YEAR, LAST_YEAR = 2000, 2099


class Tools(msgspec.Struct, frozen=True):
    """What the pages work with."""

    guard: Guard
    db: Database
    clock: Clock
    new_id: NewId
    live: Live

    def by(self, request: web.Request, member: Member) -> By:
        """Who does it, for the record."""
        return By(member.id, self.guard.address(request))

    def today(self) -> date:
        """The day in the county."""
        return self.clock().astimezone(LOCAL).date()


def asked(request: web.Request, name: str) -> str:
    """A parameter of the address, without what a database cannot compare with."""
    return request.query.get(name, "").replace("\x00", "").strip()[:200]


def day_of(text: str) -> date | None:
    """A day written YYYY-MM-DD; None for anything else."""
    if not _DAY.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def moment(at: datetime) -> str:
    """2026-11-23 09:00, in the county."""
    return f"{at.astimezone(LOCAL):%Y-%m-%d %H:%M}"


def in_chinese(day: date) -> str:
    """2026年11月23日（星期一）."""
    return f"{day.year}年{day.month}月{day.day}日（星期{WEEKDAYS[day.weekday()]}）"
