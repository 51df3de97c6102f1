"""The composition root: everything is built here from Settings and passed down."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog
from aiohttp import web
from msgspec.structs import replace

from bot import background, health
from bot.bell import Bell
from bot.channels.web.kb import Browse
from bot.channels.web.own import OwnPages
from bot.channels.web.views import ChatPage
from bot.channels.wechat.codec import Codec
from bot.channels.wechat.outgoing import Outgoing
from bot.channels.wechat.webhook import Webhook
from bot.console import mount as console
from bot.console.mount import Supplies
from bot.conversation.router import handle
from bot.conversation.turn import Library
from bot.desk import Desk
from bot.digester import Digester
from bot.ids import Clock, NewId, utc_now, uuid7
from bot.live import LIVE, Live
from bot.mailing import Mailer
from bot.metrics import Metrics
from bot.service.demo import write as demo
from bot.service.own_data import Own
from bot.service.system import DiskOf
from bot.service.turns import Decide, Office
from bot.settings import Settings
from bot.store.database import Database
from bot.store.migrate import migrate
from knowledge.articles import read_articles
from knowledge.cache import cached
from knowledge.places import Locality, read_locality
from knowledge.search.meaning import no_vectors
from knowledge.search.mixer import WEIGHTS, WORDS_WEIGHTS, load_mixer
from knowledge.search.rank import searcher

log = structlog.get_logger("app")

DRAIN = timedelta(seconds=20)


@dataclass(frozen=True)
class Parts:
    """What tests replace: the clock, ids, the library, the decision itself, the disk."""

    clock: Clock = utc_now
    new_id: NewId = uuid7
    library: Library | None = None
    decide: Decide = handle
    metrics: Metrics = field(default_factory=Metrics)
    disk: DiskOf = shutil.disk_usage


def read_library(settings: Settings) -> Library:
    """Knowledge, search and locality as the settings ask for; ContentError or LocalityError on bad files."""
    cache = Path(settings.cache) if settings.cache else None
    vectors, weights = (None, WEIGHTS) if settings.answers.meaning else (no_vectors(), WORDS_WEIGHTS)
    known, tables = cached(folder=cache, vectors=vectors)
    locality = read_locality(settings.locality, known.places) if settings.locality else Locality(known.places)
    answers = settings.answers
    search = searcher(
        known,
        load_mixer(weights),
        confirmed_only=answers.confirmed_only,
        wrong_costs=answers.wrong_costs,
        tables=tables,
        vectors=vectors,
    )
    articles = read_articles(Path(settings.statutes), cache) if settings.statutes else None
    return Library(known, search, locality, answers.confirmed_only, articles)


async def build_app(settings: Settings, parts: Parts | None = None) -> web.Application:
    """The whole product as one aiohttp application, not yet listening."""
    parts = parts or Parts()
    library = parts.library or read_library(settings)
    db = Database(settings.database_url)
    try:
        await asyncio.to_thread(migrate, db.engine)
        if await db.read(demo.marked):
            library = dataclasses.replace(library, locality=replace(library.locality, demo=True))
    except BaseException:
        db.close()
        raise
    bell = Bell()
    live = Live(settings, library, db, parts.clock, bell, parts.metrics)
    desk = Desk(db, _office(live, parts), parts.clock, parts.metrics, bell)
    app = web.Application(middlewares=[health.errors], client_max_size=settings.wechat.body_limit)
    tasks: set[asyncio.Task[None]] = set()
    app.on_shutdown.append(_drain(tasks))
    app.add_routes(health.routes(db, parts.metrics))
    app.cleanup_ctx.append(_store(db))
    if not db.embedded:
        from bot.bell_relay import Relay  # noqa: PLC0415 - brings the driver of PostgreSQL with it

        app.cleanup_ctx.append(Relay(db, bell).running)
    app[LIVE] = live
    app.cleanup_ctx.append(background.kept_live(live, bell))
    app.cleanup_ctx.append(background.close_silent(db, parts.clock))
    app.cleanup_ctx.append(background.watch_handoffs(db, live, bell, parts.clock, parts.new_id))
    outgoing = Outgoing(live, parts.clock, parts.new_id, parts.metrics, db, bell)
    app.cleanup_ctx.append(background.purge(db, settings.privacy.keeping, parts.clock, parts.new_id))
    OwnPages(db, parts.clock, parts.new_id, settings).add_to(app)
    if settings.wechat.enabled:
        _add_wechat(app, settings, parts, desk, outgoing, tasks)
    if settings.web.enabled:
        page = ChatPage(live, desk, db, parts.clock, parts.metrics, bell)
        page.add_to(app)
        Browse(live, parts.clock).add_to(app)
    if settings.digest.enabled:
        digester = Digester(db, live, Mailer(settings.mail), parts.clock, parts.new_id)
        app.cleanup_ctx.append(background.digesting(digester))
    if settings.console.enabled:
        supplies = Supplies(settings, db, parts.clock, parts.new_id, live, bell, parts.metrics, parts.disk)
        await console.add_to(app, supplies, outgoing.binding_code, outgoing.tell_typing)
    return app


def _add_wechat(
    app: web.Application,
    settings: Settings,
    parts: Parts,
    desk: Desk,
    outgoing: Outgoing,
    tasks: set[asyncio.Task[None]],
) -> None:
    app.cleanup_ctx.append(outgoing.running)
    codec = Codec(settings.wechat)
    hook = Webhook(settings.wechat, codec, desk, parts.clock, parts.metrics, outgoing.late, tasks)
    app.add_routes(hook.routes())


def _store(db: Database) -> background.Context:
    async def context(_app: web.Application) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(db.close)

    return context


def _office(live: Live, parts: Parts) -> Callable[[], Office]:
    own = Own(live.base.privacy.keeping, live.base.http.public_url)
    days = live.base.ratings.rectify_days

    def office() -> Office:
        return Office(live.library, parts.new_id, parts.decide, live.hours, live.announcement(parts.clock()), days, own)

    return office


def _drain(tasks: set[asyncio.Task[None]]) -> Callable[[web.Application], Awaitable[None]]:
    async def drain(_app: web.Application) -> None:
        """Late turns finish before the store closes."""
        if tasks:
            await asyncio.wait(set(tasks), timeout=DRAIN.total_seconds())

    return drain
