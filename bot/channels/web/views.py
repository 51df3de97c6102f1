"""The chat page at `/`: looks and feels like a WeChat conversation, without an account."""

from __future__ import annotations

import asyncio
import math
import re
from functools import partial
from importlib import resources
from typing import Annotated, Any

import jinja2
import msgspec
from aiohttp import web
from sqlalchemy.engine import Connection

from bot.bell import Bell
from bot.channels.web import identity
from bot.channels.web.limits import Limit, client_address
from bot.channels.web.watch import Watch
from bot.conversation.turn import Inbound
from bot.desk import Desk
from bot.ids import Clock
from bot.live import Live
from bot.metrics import Metrics
from bot.service import inbox, news
from bot.service.inbox import Exchange, Handled
from bot.service.news import News
from bot.service.outbox import FETCHED
from bot.store.database import Database
from knowledge.reply import TAP_MARK, Reply

CHANNEL = FETCHED
HISTORY = 40
# A poll is answered after this at the latest; proxies cut idle connections after a minute.
PATIENCE = 25.0
BODY_LIMIT = 64 * 1024
STATIC = resources.files("bot.channels.web") / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PLACE = re.compile(r"^[0-9]{1,9}$")
KINDS = {"chat.css": "text/css", "kb.css": "text/css", "chat.js": "text/javascript", "icon.svg": "image/svg+xml"}
_KEY = re.compile(r"^[0-9a-zA-Z-]{8,64}$")
TOO_FAST = "您发得有点快，请等{seconds}秒再发，刚才那句还在输入框里。"
TOO_LONG = "这段话太长了，请拣要紧的说，最多{limit}个字。"
BAD_REQUEST = "这条消息没能看懂，请刷新页面再试。"
TEXT_LIMIT = 10_000


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the page posts: a key of its own making, so that a repeated post is the same message."""

    key: str
    text: str
    tap: Annotated[str, msgspec.Meta(max_length=96)] = ""


class ChatPage:
    """Page, history, messages."""

    def __init__(
        self,
        live: Live,
        desk: Desk,
        db: Database,
        clock: Clock,
        metrics: Metrics,
        bell: Bell,
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._live = live
        self._settings = settings = live.base
        self._desk = desk
        self._db = db
        self._clock = clock
        self._metrics = metrics
        self._key = b""
        self._bell = bell
        self._watch = Watch()
        self._patience = patience
        bell.listen(self._watch.ring)
        self._visitors, self._addresses = Limit(), Limit()
        page = jinja2.Environment(autoescape=True).from_string((STATIC / "chat.html").read_text(encoding="utf-8"))
        place = live.library.locality
        self._page = partial(page.render, county=place.county, demo=settings.demo or place.demo)

    def add_to(self, app: web.Application) -> None:
        """Mount the page; the cookie key is read when the store is open."""
        app.on_startup.append(self._start)
        app.on_shutdown.append(self._stop)
        app.add_routes(
            [
                web.get("/", self.page),
                web.get("/chat/history", self.history),
                web.get("/chat/news", self.news),
                web.post("/chat/messages", self.message),
                web.get("/static/{name}", self.static),
            ]
        )

    async def _start(self, _app: web.Application) -> None:
        self._key = await self._db.write(identity.cookie_key)

    async def _stop(self, _app: web.Application) -> None:
        self._watch.end()

    async def page(self, request: web.Request) -> web.Response:
        """The page itself; a new visitor gets an id."""
        text = self._page(announcement=self._live.announcement(self._clock()))
        response = web.Response(text=text, content_type="text/html", headers=HEADERS)
        if self._visitor(request) is None:
            response.set_cookie(
                identity.COOKIE,
                identity.sign(identity.new_visitor(), self._key),
                max_age=identity.MAX_AGE,
                httponly=True,
                samesite="Strict",
                secure=self._is_https(request),
            )
        return response

    async def static(self, request: web.Request) -> web.Response:
        """The page's own files, by name."""
        name = request.match_info["name"]
        kind = KINDS.get(name)
        if kind is None:
            raise web.HTTPNotFound
        return web.Response(
            body=(STATIC / name).read_bytes(),
            content_type=kind,
            charset="utf-8",
            headers={"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"},
        )

    async def history(self, request: web.Request) -> web.Response:
        """The visitor's conversation so far; a first visit is greeted."""
        visitor = self._visitor(request)
        if visitor is None:
            raise web.HTTPForbidden
        past, letters = await self._db.read(lambda conn: _past(conn, visitor))
        if not past:
            handled = await self._desk.handle(self._inbound(visitor, f"open-{visitor}", event="open"))
            return web.json_response({"exchanges": [{"key": "open", "mine": None, "reply": _shown(handled)}]})
        found = [((one.received_at, one.id), _exchange(one)) for one in past]
        found += [((one.at, one.id), _letter(one)) for one in letters]
        return web.json_response({"exchanges": [shown for _, shown in sorted(found, key=lambda pair: pair[0])]})

    async def news(self, request: web.Request) -> web.Response:
        """What a lawyer or the office said behind `after`, as soon as there is something; `after` itself was shown.

        `open` tells whether more may come: while it is false there is nothing to wait for.
        """
        visitor, after = self._visitor(request), request.query.get("after", "")
        if visitor is None:
            raise web.HTTPForbidden
        if not _PLACE.match(after):
            return _fault(400, BAD_REQUEST)
        place = int(after)
        found, handoff = await self._db.read(lambda conn: news.behind(conn, visitor, place))
        if place:
            self._bell.ring_all(await self._db.write(lambda conn: news.confirm(conn, visitor, place, self._clock())))
        if not found and handoff:
            found, handoff = await self._news_later(visitor, place, handoff)
        return web.json_response({"news": [_letter(one) for one in found], "open": bool(handoff)})

    async def _news_later(self, visitor: str, place: int, handoff: str) -> tuple[list[News], str]:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience
        while True:
            with self._watch.on(handoff) as rung:
                found, still = await self._db.read(lambda conn: news.behind(conn, visitor, place))
                if found or still != handoff or self._watch.over:
                    return found, still
                try:
                    async with asyncio.timeout_at(until):
                        await rung.wait()
                except TimeoutError:
                    return [], still

    async def message(self, request: web.Request) -> web.Response:
        """One message of the visitor, answered once it is on record."""
        visitor = self._visitor(request)
        if visitor is None or request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            raise web.HTTPForbidden
        message = await self._read(request)
        if message is None:
            return _fault(400, BAD_REQUEST)
        if len(message.text) > TEXT_LIMIT:
            return _fault(413, TOO_LONG.format(limit=TEXT_LIMIT))
        if seconds := self._wait(request, visitor):
            self._metrics.refused.labels(CHANNEL, "too_fast").inc()
            return _fault(429, TOO_FAST.format(seconds=math.ceil(seconds)))
        key = f"{visitor}:{message.key}"
        handled = await self._desk.handle(self._inbound(visitor, key, text=message.text, tap=message.tap))
        listen = handled.handoff != "" or handled.letters
        if not handled.fresh:  # the answer that said so may have been lost
            listen = bool((await self._db.read(lambda conn: news.behind(conn, visitor, 0)))[1])
        return web.json_response({"reply": _shown(handled), "recorded": handled.id != "", "listen": listen})

    async def _read(self, request: web.Request) -> Message | None:
        if request.content_type != "application/json" or (request.content_length or 0) > BODY_LIMIT:
            return None
        try:
            message = msgspec.json.decode(await request.read(), type=Message)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return message if _KEY.match(message.key) else None

    def _wait(self, request: web.Request, visitor: str) -> float:
        now = self._clock().timestamp()
        address = client_address(
            request.remote or "", request.headers.get("X-Forwarded-For", ""), self._settings.http.trusted_proxies
        )
        most = self._live.settings.web
        return self._visitors.wait(visitor, now, most.messages_per_minute) or self._addresses.wait(
            address, now, most.address_messages_per_minute
        )

    def _visitor(self, request: web.Request) -> str | None:
        return identity.read(request.cookies.get(identity.COOKIE), self._key)

    def _is_https(self, request: web.Request) -> bool:
        proxied = self._settings.http.trusted_proxies and request.headers.get("X-Forwarded-Proto") == "https"
        return request.secure or bool(proxied)

    def _inbound(self, visitor: str, key: str, *, text: str = "", tap: str = "", event: str = "") -> Inbound:
        return Inbound(
            CHANNEL, visitor, key, "event" if event else "text", self._clock(), text=text, tap=tap, event=event
        )


def _shown(handled: Handled) -> dict[str, Any] | None:
    return None if handled.reply is None else _reply(handled.reply)


def _reply(reply: Reply) -> dict[str, Any]:
    rows = [[{"label": tap.label, "send": tap.send, "id": tap.id} for tap in row] for row in reply.rows]
    return {"text": reply.text, "rows": rows, "mark": TAP_MARK}


def _exchange(one: Exchange) -> dict[str, Any]:
    # Nothing is left of words that were kept long enough.
    mine = None if one.kind.startswith("event") or not one.text else one.text
    return {"key": one.key, "mine": mine, "place": 0, "reply": None if one.reply is None else _reply(one.reply)}


def _letter(one: News) -> dict[str, Any]:
    return {"key": one.id, "mine": None, "reply": _reply(one.reply), "place": one.place, "author": one.author}


def _past(conn: Connection, visitor: str) -> tuple[list[Exchange], list[News]]:
    past = inbox.history(conn, CHANNEL, visitor, HISTORY)
    return past, news.since(conn, visitor, past[0].received_at) if past else []


def _fault(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
