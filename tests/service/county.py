"""A county for tests: citizens on the chat page, an office behind them, over a store alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import Connection

from bot.conversation.handoff.machine import Event
from bot.conversation.rectification import Act, Actor
from bot.conversation.turn import Inbound
from bot.desk import SORRY, Desk
from bot.metrics import Metrics
from bot.service import accounts, handling, handoffs, rectifications
from bot.service.handling import Closing
from bot.service.turns import Office
from bot.store.database import Database
from knowledge.reply import Reply
from tests.platform import Clock

QUESTION = "单位拖欠工资怎么办"


class County:
    """A desk with the chat page's citizens, and an office behind it."""

    def __init__(self, db: Database, office: Office, clock: Clock) -> None:
        self.db = db
        self.office = office
        self.clock = clock
        self.desk = Desk(db, lambda: office, clock, Metrics())
        self.number = 0

    async def say(self, text: str, tap: str = "", citizen: str = "o1") -> Reply:
        """One message of a citizen, a minute after the last."""
        self.number += 1
        self.clock.advance(60)
        handled = await self.desk.handle(
            Inbound("web", citizen, f"{citizen}:m{self.number}", "text", self.clock(), text=text, tap=tap)
        )
        assert handled is not SORRY
        return handled.reply or Reply("")

    async def do(self, fn: Callable[[Connection], Any]) -> Any:
        """Something staff does."""
        return await self.db.write(fn)

    async def hire(self, login: str, role: str = "lawyer") -> str:
        """An account."""
        return str(
            await self.do(
                lambda conn: accounts.add(
                    conn, self.office.new_id, login=login, name=login, role=role, covers=(), password="",
                    now=self.clock(),
                )
            )
        )  # fmt: skip

    async def act(self, row_id: str, act: Act, by: Actor, version: int = 0) -> Any:
        """Do something about a rectification."""
        return await self.do(
            lambda conn: rectifications.act(
                conn, self.office.new_id, row_id, act, by, self.office.terms, self.clock(), version=version
            )
        )

    async def served_by(self, lawyer: str) -> str:
        """A citizen is served by a lawyer, who closes: the handoff."""
        new_id = self.office.new_id
        await self.say("转人工")
        await self.say("工资工伤", "hand:subject:labour")

        def serve(conn: Connection) -> str:
            handoff = handoffs.open_ones(conn)[0].id
            handling.happen(conn, new_id, handoff, Event("claim", by=lawyer), self.clock())
            closing = Closing("answered", "legal", "labour")
            handling.close(conn, new_id, handoff, lawyer, closing, self.clock())
            return handoff

        return str(await self.do(serve))
