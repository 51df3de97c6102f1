"""The pages of lawyers and staff, put together."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from bot.bell import Bell
from bot.console import shell
from bot.console.admin.mount import add_administration
from bot.console.auth import Guard
from bot.console.doors import Door, Doors
from bot.console.figures.digests import DigestPages
from bot.console.figures.reports import ReportPages
from bot.console.figures.views import FiguresPages
from bot.console.knowledge.mount import add_knowledge
from bot.console.quality.ratings import RatingPages
from bot.console.quality.rectifications import RectificationPages
from bot.console.records.access import AccessPages
from bot.console.records.exporting import ExportPages
from bot.console.records.listing import LogPages
from bot.console.records.runner import Runner
from bot.console.records.story import StoryPages
from bot.console.views_lessons import LessonPages
from bot.console.views_login import LoginPages
from bot.console.workbench.acts import Acts
from bot.console.workbench.hub import Hub
from bot.console.workbench.socket import Line, TellsTyping
from bot.console.workbench.views import BindingCode, Workbench
from bot.conversation.turn import Library
from bot.ids import Clock, NewId
from bot.live import Live
from bot.metrics import Metrics
from bot.service import accounts
from bot.service.system import DiskOf
from bot.settings import Settings
from bot.store.database import Database

# All pages and their rules, for checking them against a table.
DOORS = web.AppKey("console.doors", list[Door])


class Supplies(msgspec.Struct, frozen=True):
    """What the pages work with."""

    settings: Settings
    db: Database
    clock: Clock
    new_id: NewId
    live: Live
    bell: Bell
    metrics: Metrics
    disk: DiskOf

    @property
    def library(self) -> Library:
        """The library as it is now: to be asked anew, not to be kept."""
        return self.live.library


async def add_to(app: web.Application, supplies: Supplies, binding_code: BindingCode, tell_typing: TellsTyping) -> None:
    """Mount everything; in a demonstration with its accounts."""
    settings, db, clock, library = supplies.settings, supplies.db, supplies.clock, supplies.live.library
    if settings.demo:
        password = await asyncio.to_thread(accounts.hashed, accounts.DEMO_PASSWORD)
        await db.write(lambda conn: accounts.demonstration(conn, supplies.new_id, password, clock()))
    shell.add_to(app, county=library.locality.county, demo=settings.demo or library.locality.demo)
    guard = Guard(db, clock, settings, supplies.new_id)
    LoginPages(guard, settings).add_to(app)
    _add_workbench(app, supplies, guard, binding_code, tell_typing)
    doors = Doors(app, guard)
    FiguresPages(db, clock, supplies.new_id, library.locality).add_to(doors)
    ReportPages(db, clock, supplies.new_id, library.locality).add_to(doors)
    DigestPages(db, clock, supplies.new_id, supplies.live).add_to(app, doors)
    add_administration(doors, guard, supplies)
    _add_quality(doors, supplies)
    _add_records(app, doors, supplies)
    add_knowledge(doors, supplies)
    app[DOORS] = doors.all


def _add_quality(doors: Doors, supplies: Supplies) -> None:
    db, clock, new_id, live = supplies.db, supplies.clock, supplies.new_id, supplies.live
    RectificationPages(db, clock, new_id, live, supplies.settings.ratings.rectify_days).add_to(doors)
    RatingPages(db, clock, live).add_to(doors)
    LessonPages(db, clock, new_id, live).add_to(doors)


def _add_records(app: web.Application, doors: Doors, supplies: Supplies) -> None:
    db, clock, new_id, live = supplies.db, supplies.clock, supplies.new_id, supplies.live
    log = LogPages(db, clock, new_id, live)
    log.add_to(doors)
    StoryPages(db, clock, new_id, live, log.forget).add_to(doors)
    runner = Runner(db, clock, supplies.settings)
    app.cleanup_ctx.append(runner.running)
    ExportPages(db, clock, new_id, runner.wake).add_to(doors)
    AccessPages(db, clock).add_to(doors)


def _add_workbench(
    app: web.Application, supplies: Supplies, guard: Guard, binding_code: BindingCode, tell_typing: TellsTyping
) -> None:
    db, clock, live = supplies.db, supplies.clock, supplies.live
    hub = Hub(db, clock, live)
    supplies.bell.listen(hub.changed)
    acts = Acts(db, clock, supplies.new_id, supplies.bell)
    Workbench(guard, acts, hub, db, clock, live, binding_code).add_to(app)
    app.add_routes([web.get("/workbench/socket", Line(guard, hub, acts, db, clock, tell_typing).connect)])
