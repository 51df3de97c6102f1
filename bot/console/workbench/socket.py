"""`/workbench/socket`: the page's live line. It may break at any moment; the page comes back and says what it has."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
import structlog
from aiohttp import WSMsgType, web
from sqlalchemy.engine import Connection

from bot.console.auth import Guard
from bot.console.workbench import reading
from bot.console.workbench.acts import Acts, RefusedError
from bot.console.workbench.hub import Hub, Peer
from bot.conversation.handoff.machine import Handoff
from bot.ids import Clock
from bot.service import handoffs, staff
from bot.service.staff import COUNSEL, Member
from bot.store.database import Database, StoreError

log = structlog.get_logger("socket")

HEARTBEAT = 20.0
LARGEST = 64 * 1024
SIGN_OF_LIFE = 60.0
AGAIN = "没有存上，请再试一次。"
LOST = "没有权限看这个咨询了。"


class Watch(msgspec.Struct, tag="watch", frozen=True):
    """The page shows this conversation and has everything up to `after`."""

    id: str
    after: int = 0


class Say(msgspec.Struct, tag="say", frozen=True):
    """Words for the citizen."""

    id: str
    key: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    text: str
    entry: str = ""


class Note(msgspec.Struct, tag="note", frozen=True):
    """Words for colleagues."""

    id: str
    key: Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
    text: str


class Read(msgspec.Struct, tag="read", frozen=True):
    """Everything up to this number was on screen."""

    id: str
    number: int


class Typing(msgspec.Struct, tag="typing", frozen=True):
    """The lawyer is writing."""

    id: str


TellsTyping = Callable[[Member, str], Awaitable[None]]
Asked = Watch | Say | Note | Read | Typing
_DECODER = msgspec.json.Decoder(Asked)


class Line:
    """The endpoint, one task per page."""

    def __init__(self, guard: Guard, hub: Hub, acts: Acts, db: Database, clock: Clock, typing: TellsTyping) -> None:
        self._guard = guard
        self._hub = hub
        self._acts = acts
        self._db = db
        self._clock = clock
        self._typing = typing

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Hold the line until either side ends it."""
        member = await self._guard.require(request, *COUNSEL)
        self._guard.check_origin(request)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=LARGEST)
        await socket.prepare(request)
        peer = Peer(member, socket)
        self._hub.join(peer)
        tasks = [asyncio.create_task(peer.write()), asyncio.create_task(self._check(request, peer))]
        try:
            await self._listen(peer)
        finally:
            self._hub.leave(peer)
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError, ConnectionError, RuntimeError):
                    await task
        return socket

    async def _check(self, request: web.Request, peer: Peer) -> None:
        """A lawyer disabled, or logged out elsewhere, is out here, too; whoever stays gives a sign of life."""
        while await self._guard.member(request) is not None:
            with contextlib.suppress(StoreError):
                await self._db.write(lambda conn: staff.saw(conn, peer.member.id, self._clock()))
            await asyncio.sleep(SIGN_OF_LIFE)
        await peer.socket.close(code=4401, message=b"login")

    async def _listen(self, peer: Peer) -> None:
        async for message in peer.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                asked = _DECODER.decode(message.data)
            except (msgspec.MsgspecError, UnicodeError):
                log.warning("unreadable", staff=peer.member.id)
                continue
            await self._answer(peer, asked)

    async def _answer(self, peer: Peer, asked: Asked) -> None:
        try:
            match asked:
                case Watch(id=handoff, after=after):
                    await self._watch(peer, handoff, after)
                case Say(id=handoff, key=key, text=text, entry=entry):
                    said = await self._acts.say(peer.member, handoff, text, key, entry)
                    peer.push({"type": "kept", "key": key, "number": said.number, "id": handoff})
                case Note(id=handoff, key=key, text=text):
                    kept = await self._acts.note(peer.member, handoff, text, key)
                    peer.push({"type": "kept", "key": key, "number": kept.number, "id": handoff})
                case Read(id=handoff, number=number):
                    await self._acts.read(peer.member, handoff, number)
                case Typing(id=handoff):
                    await self._typing(peer.member, handoff)
        except RefusedError as refused:
            peer.push({"type": "refused", "key": getattr(asked, "key", ""), "id": asked.id, "error": str(refused)})
        except StoreError as error:
            log.error("not_kept", error=str(error))  # noqa: TRY400
            peer.push(
                {"type": "refused", "key": getattr(asked, "key", ""), "id": asked.id, "error": AGAIN, "again": True}
            )

    async def _watch(self, peer: Peer, handoff_id: str, after: int) -> None:
        """Follow a conversation from message `after` on; what is newer comes with the next news, asked for at once."""
        found = await self._db.read(lambda conn: _find(conn, handoff_id))
        if found is None or not reading.may_read(peer.member, found):
            raise RefusedError(LOST)
        if found.lawyer != peer.member.id:
            # What one only looks at is followed while it is on screen.
            peer.cursors.pop(peer.watching, None)
            peer.watching = handoff_id
        peer.cursors[handoff_id] = after
        self._hub.changed(handoff_id)


def _find(conn: Connection, handoff_id: str) -> Handoff | None:
    try:
        return handoffs.get(conn, handoff_id)
    except KeyError:
        return None
