"""What a lawyer can do, once for both ways in: a click on the page, or a message over the socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec
from sqlalchemy.engine import Connection

from bot.bell import Bell
from bot.console.workbench import reading
from bot.conversation.handoff import subjects
from bot.conversation.handoff.machine import Event, Handoff, NotPossibleError
from bot.ids import Clock, NewId
from bot.service import audit, handling, handoffs, staff, threads
from bot.service.handling import SERVICES, Closing
from bot.service.handoffs import ChangedError
from bot.service.staff import Member
from bot.service.threads import Message
from bot.store.database import Database
from knowledge.entry import KIND_NAMES

T = TypeVar("T")
Name = Literal["claim", "release", "transfer", "take_over"]

GONE = "这个咨询已经结束了，列表会自动更新。"
UNKNOWN = "没有找到这个咨询，请刷新页面。"
TAKEN = "{name}刚刚接了这位群众。"
NOT_YOURS = "这位群众现在不由您接待，不能这样操作。"
NOT_NOW = "现在不能这样操作，请看一下这个咨询的状态。"
ONLY_SUPERVISOR = "只有负责人可以接管别人的咨询。"
NO_COLLEAGUE = "请选一位在册的同事。"
EMPTY = "先写点内容再发。"
TOO_LONG = "一次最多{most}个字，请分开发。"
NO_SUBJECT = "请选一个类别。"


class RefusedError(Exception):
    """It cannot be done; the text is for the lawyer."""


class Close(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the page closes a conversation."""

    service: str
    category: str = ""
    summary: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    minutes: Annotated[int, msgspec.Meta(ge=0, le=6000)] = 0


@dataclass(frozen=True)
class Acts:
    """Everything that changes something, with who did it on record."""

    db: Database
    clock: Clock
    new_id: NewId
    bell: Bell

    async def move(self, by: Member, handoff_id: str, name: Name, *, to: str = "", note: str = "") -> Handoff:
        """Claim, hand back, transfer or take over; RefusedError says who was faster, or what is wrong."""
        if name == "take_over" and by.role != "supervisor":
            raise RefusedError(ONLY_SUPERVISOR)

        def work(conn: Connection, now: datetime) -> Handoff:
            if name == "transfer":
                _colleague(conn, to)
            event = Event(name, by=by.id, to=to, note=note[:2000])
            changed = handling.happen(conn, self.new_id, handoff_id, event, now)
            self._audit(conn, by, name, changed.after, now)
            if note and name in {"transfer", "release"}:
                threads.add(conn, self.new_id, handoff_id, "note", note[:2000], now, staff=by.id)
            return changed.after

        return await self._do(handoff_id, work)

    async def say(self, by: Member, handoff_id: str, text: str, key: str, entry: str = "") -> Message:
        """Words to the citizen; the same key twice is one message."""
        words = _words(text)
        return await self._do(
            handoff_id,
            lambda conn, now: handling.lawyer_says(
                conn, self.new_id, handoff_id, by.id, words, key[:64], now, entry=entry[:64]
            ),
        )

    async def note(self, by: Member, handoff_id: str, text: str, key: str) -> Message:
        """Words for colleagues only."""
        words = _words(text)

        def work(conn: Connection, now: datetime) -> Message:
            if not reading.may_read(by, handoffs.get(conn, handoff_id)):
                raise RefusedError(NOT_YOURS)
            return handling.note(conn, self.new_id, handoff_id, by.id, words, key[:64], now)

        return await self._do(handoff_id, work)

    async def close(self, by: Member, handoff_id: str, how: Close) -> Handoff:
        """Close, and make the legal-service record."""
        if how.service not in SERVICES:
            raise RefusedError(NO_SUBJECT)

        def work(conn: Connection, now: datetime) -> Handoff:
            before = handoffs.get(conn, handoff_id)
            category = how.category or before.category
            kind = subjects.of_category(category).kind or before.kind or "legal"
            closing = Closing(how.service, kind if kind in KIND_NAMES else "legal", category, how.summary, how.minutes)
            changed = handling.close(conn, self.new_id, handoff_id, by.id, closing, now)
            self._audit(conn, by, "close", changed.after, now)
            return changed.after

        return await self._do(handoff_id, work)

    async def read(self, by: Member, handoff_id: str, number: int) -> None:
        """The lawyer in charge saw everything up to this message."""

        def work(conn: Connection) -> None:
            if handoffs.get(conn, handoff_id).lawyer == by.id:
                threads.mark_read(conn, handoff_id, number)

        try:
            await self.db.write(work)
        except KeyError as error:
            raise RefusedError(UNKNOWN) from error

    async def duty(self, by: Member, *, on: bool) -> None:
        """Go on or off duty."""

        def work(conn: Connection) -> None:
            staff.set_duty(conn, by.id, self.clock(), on=on)
            audit.write(conn, self.new_id, "duty_on" if on else "duty_off", now=self.clock(), staff=by.id)

        await self.db.write(work)

    async def _do(self, handoff_id: str, work: Callable[[Connection, datetime], T]) -> T:
        now = self.clock()
        try:
            try:
                done = await self.db.write(lambda conn: work(conn, now))
            except ChangedError:
                # Somebody was a moment faster: what is possible now decides.
                done = await self.db.write(lambda conn: work(conn, now))
        except NotPossibleError as refused:
            raise RefusedError(await self._why(refused)) from refused
        except (KeyError, ChangedError) as error:
            raise RefusedError(UNKNOWN) from error
        self.bell.ring(handoff_id)
        return done

    async def _why(self, refused: NotPossibleError) -> str:
        match refused.why:
            case "closed":
                return GONE
            case "taken":
                holder = await self.db.read(lambda conn: staff.member(conn, refused.holder))
                return TAKEN.format(name=holder.title if holder else "同事")
            case "not_yours":
                return NOT_YOURS
            case "not_now":
                return NOT_NOW

    def _audit(self, conn: Connection, by: Member, action: str, handoff: Handoff, now: datetime) -> None:
        audit.write(
            conn, self.new_id, f"handoff.{action}", now=now, staff=by.id, citizen=handoff.citizen, subject=handoff.id
        )


def _words(text: str) -> str:
    words = text.replace("\x00", "").strip()
    if not words:
        raise RefusedError(EMPTY)
    if len(words) > handling.LONGEST:
        raise RefusedError(TOO_LONG.format(most=handling.LONGEST))
    return words


def _colleague(conn: Connection, staff_id: str) -> None:
    if staff_id not in {one.id for one in staff.counsel(conn)}:
        raise RefusedError(NO_COLLEAGUE)
