"""`/workbench`: the page and its API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Protocol, TypeVar

import msgspec
from aiohttp import web

from bot.console import shell
from bot.console.auth import Guard
from bot.console.workbench import reading
from bot.console.workbench.acts import Acts, Close, Name, RefusedError
from bot.console.workbench.hub import Hub
from bot.conversation.handoff import subjects
from bot.conversation.turn import LOCAL
from bot.ids import Clock
from bot.live import Live
from bot.service import audit, handoffs, media, quick_replies
from bot.service.handling import SERVICES
from bot.service.staff import COUNSEL, Member
from bot.store.database import Database, StoreError

T = TypeVar("T")
FOUND = 6
BODY_LIMIT = 64 * 1024
BAD_REQUEST = "这个请求没能看懂，请刷新页面再试。"
NOT_KEPT = "没有存上，请再试一次。"
NOT_YOURS = "这个咨询不由您接待，看不了。"
# Pictures a browser may show as they are; everything else is offered for saving.
_SHOWN = {"image/jpeg", "image/png", "image/gif", "image/webp", "audio/mpeg", "audio/amr", "audio/speex", "video/mp4"}


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Claim, hand back, transfer, take over."""

    name: Name
    to: str = ""
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class OnDuty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Going on or off duty."""

    on: bool


class Phrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A quick reply."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    shared: bool = False


class Code(Protocol):
    """What binds a lawyer's own WeChat: words to send to the account, and a QR code as SVG, if there is one."""

    @property
    def words(self) -> str: ...  # noqa: D102
    @property
    def svg(self) -> str: ...  # noqa: D102


BindingCode = Callable[[Member], Awaitable[Code]]


class Workbench:
    """Page, lists, conversations, acts."""

    def __init__(
        self,
        guard: Guard,
        acts: Acts,
        hub: Hub,
        db: Database,
        clock: Clock,
        live: Live,
        code: BindingCode,
    ) -> None:
        self._code = code
        self._guard = guard
        self._acts = acts
        self._hub = hub
        self._db = db
        self._clock = clock
        self._live = live

    def add_to(self, app: web.Application) -> None:
        """Mount page and API."""
        at = "/workbench/api"
        app.add_routes(
            [
                web.get("/workbench", self.page),
                web.get(f"{at}/overview", self.overview),
                web.get(f"{at}/handoffs/{{id}}", self.conversation),
                web.post(f"{at}/handoffs/{{id}}/move", self.move),
                web.post(f"{at}/handoffs/{{id}}/close", self.close),
                web.post(f"{at}/duty", self.duty),
                web.post(f"{at}/bind", self.bind),
                web.get(f"{at}/search", self.search),
                web.get(f"{at}/quick", self.quick),
                web.post(f"{at}/quick", self.add_quick),
                web.delete(f"{at}/quick/{{id}}", self.drop_quick),
                web.get("/workbench/media/{id}", self.media),
            ]
        )
        app.cleanup_ctx.append(self._news)

    async def _news(self, _app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self._hub.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def page(self, request: web.Request) -> web.Response:
        """The workbench itself."""
        member = await self._guard.require(request, *COUNSEL)
        choices = [(one.category, one.label) for one in (*subjects.SUBJECTS, subjects.OTHER)]
        return shell.render(request, "workbench.html", member, services=SERVICES, subjects=choices)

    async def overview(self, request: web.Request) -> web.Response:
        """Queue, own conversations, colleagues."""
        member = await self._guard.require(request, *COUNSEL)
        now = self._clock()
        return _json(await self._db.read(lambda conn: reading.overview(conn, member, self._live.hours, now)))

    async def conversation(self, request: web.Request) -> web.Response:
        """One conversation, whole. Reading somebody's words is on record."""
        member = await self._guard.require(request, *COUNSEL)
        handoff_id, now = request.match_info["id"], self._clock()
        try:
            one = await self._db.read(lambda conn: handoffs.get(conn, handoff_id))
        except KeyError:
            raise web.HTTPNotFound from None
        if not reading.may_read(member, one):
            return _fault(403, NOT_YOURS)
        shown = await self._db.read(lambda conn: reading.conversation(conn, one, now))
        if one.lawyer != member.id:
            await self._db.write(
                lambda conn: audit.write(
                    conn,
                    self._acts.new_id,
                    "handoff.read",
                    now=now,
                    staff=member.id,
                    citizen=one.citizen,
                    subject=one.id,
                )
            )
        return _json(shown)

    async def move(self, request: web.Request) -> web.Response:
        """Claim, hand back, transfer, take over."""
        member = await self._guard.require(request, *COUNSEL)
        asked = await self._read(request, Move)
        if asked is None:
            return _fault(400, BAD_REQUEST)
        return await self._done(
            self._acts.move(member, request.match_info["id"], asked.name, to=asked.to, note=asked.note)
        )

    async def close(self, request: web.Request) -> web.Response:
        """Close with the legal-service record."""
        member = await self._guard.require(request, *COUNSEL)
        asked = await self._read(request, Close)
        if asked is None:
            return _fault(400, BAD_REQUEST)
        return await self._done(self._acts.close(member, request.match_info["id"], asked))

    async def duty(self, request: web.Request) -> web.Response:
        """On or off duty."""
        member = await self._guard.require(request, *COUNSEL)
        asked = await self._read(request, OnDuty)
        if asked is None:
            return _fault(400, BAD_REQUEST)
        return await self._done(self._acts.duty(member, on=asked.on))

    async def bind(self, request: web.Request) -> web.Response:
        """A code that binds the lawyer's own WeChat, good for ten minutes."""
        member = await self._guard.require(request, *COUNSEL)
        self._guard.check_origin(request)
        code = await self._code(member)
        return _json({"words": code.words, "svg": code.svg, "bound": bool(member.wechat)})

    async def search(self, request: web.Request) -> web.Response:
        """Entries for the lawyer to look at, and to send with one tap."""
        await self._guard.require(request, *COUNSEL)
        words = request.query.get("q", "")[:500].strip()
        day = self._clock().astimezone(LOCAL).date()
        library = self._live.library
        base, place = library.base, library.locality
        found = library.search(words, day).candidates[:FOUND] if words else ()
        entries = [base.entries[one.entry] for one in found]
        return _json(
            {
                "entries": [
                    {
                        "id": entry.id,
                        "question": entry.question,
                        "answer": place.fill(entry.answer.strip()),
                        "basis": base.basis_line(entry),
                    }
                    for entry in entries
                ]
            }
        )

    async def quick(self, request: web.Request) -> web.Response:
        """Own and shared quick replies."""
        member = await self._guard.require(request, *COUNSEL)
        return _json({"quick": await self._db.read(lambda conn: quick_replies.of(conn, member.id))})

    async def add_quick(self, request: web.Request) -> web.Response:
        """A new quick reply; shared ones are the supervisors' to make."""
        member = await self._guard.require(request, *COUNSEL)
        asked = await self._read(request, Phrase)
        if asked is None:
            return _fault(400, BAD_REQUEST)
        owner = "" if asked.shared and member.role == "supervisor" else member.id
        now, new_id = self._clock(), self._acts.new_id
        return await self._done(self._db.write(lambda conn: quick_replies.add(conn, new_id(), owner, asked.text, now)))

    async def drop_quick(self, request: web.Request) -> web.Response:
        """Remove an own quick reply, or as supervisor a shared one."""
        member = await self._guard.require(request, *COUNSEL)
        self._guard.check_origin(request)
        number, shared = request.match_info["id"], member.role == "supervisor"
        return await self._done(self._db.write(lambda conn: quick_replies.drop(conn, number, member.id, shared=shared)))

    async def media(self, request: web.Request) -> web.Response:
        """A picture or voice of a citizen, for whoever may read the conversation."""
        member = await self._guard.require(request, *COUNSEL)
        number = request.match_info["id"]
        found = await self._db.read(lambda conn: media.get(conn, number))
        if found is None:
            raise web.HTTPNotFound
        latest = await self._db.read(lambda conn: handoffs.latest_of(conn, found.citizen))
        if latest is None or not reading.may_read(member, latest):
            return _fault(403, NOT_YOURS)
        shown = found.content_type in _SHOWN
        return web.Response(
            body=found.content,
            content_type=found.content_type if shown else "application/octet-stream",
            headers={
                "X-Content-Type-Options": "nosniff",
                "Content-Disposition": "inline" if shown else "attachment",
                "Cache-Control": "private, max-age=3600",
                "Content-Security-Policy": "default-src 'none'; sandbox",
            },
        )

    async def _read(self, request: web.Request, shape: type[T]) -> T | None:
        self._guard.check_origin(request)
        if (request.content_length or 0) > BODY_LIMIT:
            return None
        try:
            return msgspec.json.decode(await request.read(), type=shape)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None

    async def _done(self, work: Any) -> web.Response:
        try:
            await work
        except RefusedError as refused:
            return _fault(409, str(refused))
        except StoreError:
            return _fault(503, NOT_KEPT)
        return _json({"ok": True})


def _json(shown: Any) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(shown), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _fault(status: int, sentence: str) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode({"error": sentence}), content_type="application/json")
