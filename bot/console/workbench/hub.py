"""Live: every open workbench hears of what concerns it, in order, from the store. A slow or dead one harms nobody."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import structlog
from aiohttp import web
from sqlalchemy.engine import Connection

from bot.console.workbench import reading, shapes
from bot.conversation.handoff.machine import Handoff
from bot.ids import Clock
from bot.live import Live
from bot.service import handoffs, threads
from bot.service.staff import Member
from bot.store.database import Database, StoreError

log = structlog.get_logger("hub")

# A page that cannot take this many is gone or hopeless: it reconnects and reads the store.
QUEUE = 200
_ENCODER = msgspec.json.Encoder()


@dataclass(eq=False)
class Peer:
    """One open workbench. `cursors`: the last message it has of each conversation it follows; `hidden`: not in its list."""

    member: Member
    socket: web.WebSocketResponse
    cursors: dict[str, int] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    watching: str = ""
    out: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(QUEUE))
    dropped: bool = False

    def push(self, shown: dict[str, Any]) -> None:
        """Queue something for the page; a page that does not read is dropped."""
        if self.dropped:
            return
        try:
            self.out.put_nowait(_ENCODER.encode(shown))
        except asyncio.QueueFull:
            self.dropped = True
            log.warning("slow_page_dropped", staff=self.member.id)

    async def write(self) -> None:
        """Send what is queued until the page is gone or dropped."""
        while not self.dropped:
            await self.socket.send_str((await self.out.get()).decode())
        await self.socket.close(code=1013, message=b"slow")


class News(msgspec.Struct, frozen=True):
    """A handoff after a change, with what its readers may not have yet."""

    handoff: Handoff
    last: str
    names: dict[str, str]
    messages: list[threads.Message]
    deliveries: dict[str, threads.Delivery]
    quota: dict[str, Any] | None
    offered: set[str]


class Hub:
    """All workbenches open in this process."""

    def __init__(self, db: Database, clock: Clock, live: Live) -> None:
        self._db = db
        self._clock = clock
        self._live = live
        self._peers: set[Peer] = set()
        self._dirty: dict[str, None] = {}
        self._bell = asyncio.Event()

    def __len__(self) -> int:
        return len(self._peers)

    def join(self, peer: Peer) -> None:
        """A workbench opened."""
        self._peers.add(peer)

    def leave(self, peer: Peer) -> None:
        """A workbench closed."""
        self._peers.discard(peer)

    def changed(self, handoff_id: str) -> None:
        """A handoff changed: its readers will hear of it. Several changes at once are one look at the store."""
        if self._peers:
            self._dirty[handoff_id] = None
            self._bell.set()

    def everybody(self, shown: dict[str, Any]) -> None:
        """Tell every page."""
        for peer in list(self._peers):
            peer.push(shown)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            dirty, self._dirty = list(self._dirty), {}
            after = {one: self._oldest(one) for one in dirty}
            try:
                found = await self._db.read(lambda conn, after=after: self._look(conn, after, self._clock()))  # type: ignore[misc]
            except StoreError as error:
                log.error("news_unreadable", error=str(error))  # noqa: TRY400
                continue
            for news in found:
                self._spread(news)

    def _oldest(self, handoff_id: str) -> int | None:
        """From which message on some reader needs the conversation; None if nobody follows it."""
        cursors = [peer.cursors[handoff_id] for peer in self._peers if handoff_id in peer.cursors]
        return min(cursors, default=None)

    def _look(self, conn: Connection, after: dict[str, int | None], now: datetime) -> list[News]:
        called = reading.names(conn)
        found = []
        for handoff_id, number in after.items():
            with contextlib.suppress(KeyError):
                found.append(self._news(conn, handoff_id, number, called, now))
        return found

    def _news(
        self, conn: Connection, handoff_id: str, number: int | None, called: dict[str, str], now: datetime
    ) -> News:
        one = handoffs.get(conn, handoff_id)
        lines = threads.read(conn, handoff_id, number) if number is not None else []
        lately = threads.recent_sent(conn, handoff_id, reading.LATELY) if number is not None else []
        return News(
            one,
            reading.last_words(conn, handoff_id),
            called,
            lines,
            threads.deliveries(conn, lately) if lately else {},
            reading.quota(conn, one, now) if number is not None else None,
            reading.offered(conn, one, self._live.hours, now) if one.state == "waiting" else set(),
        )

    def _spread(self, news: News) -> None:
        line = shapes.handoff(news.handoff, news.names, last=news.last)
        for peer in list(self._peers):
            tell(peer, news, line)


def tell(peer: Peer, news: News, line: dict[str, Any]) -> None:
    """What one page must hear of a change."""
    one, member = news.handoff, peer.member
    if reading.listed(member, one):
        peer.hidden.discard(one.id)
        peer.push({"type": "handoff", "handoff": line, "offered": member.id in news.offered})
    elif one.id not in peer.hidden:
        # Said once: of what colleagues hold, every further word is none of this page's business.
        peer.hidden.add(one.id)
        peer.push({"type": "gone", "id": one.id, "lawyer": news.names.get(one.lawyer, ""), "ended": line["ended"]})
    if one.id not in peer.cursors or not (reading.may_read(member, one) or one.state == "closed"):
        return
    fresh = [line for line in news.messages if line.number > peer.cursors[one.id]]
    if fresh:
        peer.cursors[one.id] = fresh[-1].number
    peer.push(
        {
            "type": "messages",
            "id": one.id,
            "messages": [shapes.message(line, news.names, news.deliveries.get(line.id)) for line in fresh],
            "deliveries": {key: shapes.delivered(value) for key, value in news.deliveries.items()},
            "quota": news.quota,
        }
    )
