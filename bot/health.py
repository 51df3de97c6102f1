"""`/healthz`, `/readyz`, `/metrics`, and the one place where an unexpected error becomes a page."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable

import sqlalchemy as sa
import structlog
from aiohttp import web

from bot.metrics import Metrics
from bot.store.database import Database, StoreError

log = structlog.get_logger("http")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# More than this waiting means the store cannot keep up.
QUEUE_LIMIT = 2000


def routes(db: Database, metrics: Metrics) -> list[web.RouteDef]:
    """Routes for monitors; nginx keeps them from the public."""

    async def alive(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(_request: web.Request) -> web.Response:
        try:
            await db.write(lambda conn: conn.execute(sa.text("SELECT 1")).scalar())
        except StoreError:
            return web.json_response({"status": "store unavailable"}, status=503)
        if db.waiting > QUEUE_LIMIT:
            return web.json_response({"status": "overloaded"}, status=503)
        return web.json_response({"status": "ready"})

    async def numbers(_request: web.Request) -> web.Response:
        metrics.queue.set(db.waiting)
        return web.Response(body=metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", numbers)]


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A constant sentence for whoever asked; what happened goes to the log under a number."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception:
        number = uuid.uuid4().hex[:8]
        log.exception("request_failed", number=number, path=request.path)
        return web.Response(status=500, text=f"系统出了点问题，请稍后再试（编号 {number}）。")
