"""`/console/knowledge`: what citizens asked and were not well answered, biggest first, and what to do about it."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta

import msgspec
from aiohttp import web
from sqlalchemy.engine import Connection

from bot.console.doors import EDITORS, Doors, Form, onward
from bot.console.knowledge.desk import AT, Tools, back, page
from bot.conversation.turn import Library
from bot.service import county, gaps
from bot.service.county import RefusedError
from bot.service.gaps import WHY_NAMES, Gap
from bot.service.staff import Member

SPANS = (7, 30, 90, 365)
SHOWN = 50
CHOICES = 4
# Long lists are worked out anew at most so often; what is settled disappears at once.
KEPT = timedelta(minutes=2)


class _Kept(msgspec.Struct, frozen=True):
    at: datetime
    days: int
    found: list[Gap]


class Gaps:
    """The list, and the three ways to settle a question."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._kept: _Kept | None = None
        self._lock = asyncio.Lock()

    def add_to(self, doors: Doors) -> None:
        """Mount list and acts."""
        doors.page(AT, EDITORS, self.index)
        doors.form(f"{AT}/wordings", EDITORS, self.attach)
        doors.form(f"{AT}/wordings/{{id}}/drop", EDITORS, self.detach)

    async def index(self, request: web.Request, member: Member) -> web.Response:
        """Groups of questions of the last days."""
        days = int(days) if (days := request.query.get("days", "")) in map(str, SPANS) else 30
        found = await self._gaps(days)
        library, today = self._tools.library, self._tools.today()
        shown, settled = await asyncio.to_thread(_candidates, library, found, today)
        return page(
            request, "gaps", member, days=days, spans=SPANS, gaps=shown, total=len(found), settled=settled,
            asked=sum(gap.count for gap in found), why=WHY_NAMES, titles=library.base.entries,
        )  # fmt: skip

    async def _gaps(self, days: int) -> list[Gap]:
        async with self._lock:
            now, kept = self._tools.clock(), self._kept
            if kept and kept.days == days and now - kept.at < KEPT:
                return kept.found
            since = now - timedelta(days=days)
            failed = await self._tools.db.read(lambda conn: gaps.failed(conn, since))
            found = await asyncio.to_thread(gaps.gaps, failed)
            self._kept = _Kept(now, days, found)
            return found

    async def attach(self, _request: web.Request, member: Member, form: Form) -> web.StreamResponse:
        """Let these words find an entry, or say that they are not ours."""
        tools, now = self._tools, self._tools.clock()
        entry, texts = form.get("entry", ""), [text for text in form.getall("text", []) if text.strip()]
        if entry and entry not in tools.library.base.entries:
            raise web.HTTPBadRequest(text="没有这一条，请退回去重新选。")

        def attach(conn: Connection) -> None:
            for text in texts:
                county.attach(conn, tools.new_id, text, entry, member, now)

        try:
            await tools.db.write(attach)
        except RefusedError as refused:
            raise web.HTTPBadRequest(text=str(refused)) from refused
        self._kept = None
        await tools.live.changed()
        where = f"{AT}/entries/{entry}" if form.get("back") == "entry" and entry else AT
        return back(where, "attached" if entry else "foreign", **_days(form))

    async def detach(self, request: web.Request, member: Member, form: Form) -> web.StreamResponse:
        """Take a question away from its entry."""
        tools, now, wording = self._tools, self._tools.clock(), request.match_info["id"]
        await tools.db.write(lambda conn: county.detach(conn, tools.new_id, wording, member, now))
        self._kept = None
        await tools.live.changed()
        entry = form.get("entry", "")
        known = entry in tools.library.base.entries
        return back(f"{AT}/entries/{entry}", "detached") if known else onward(AT)


def _days(form: Form) -> dict[str, str]:
    days = form.get("days", "")
    return {"days": days} if days in map(str, SPANS) else {}


def _candidates(library: Library, found: list[Gap], day: date) -> tuple[list[tuple[Gap, list[tuple[str, str]]]], int]:
    """The biggest open gaps, each with the entries that might take it: id and question."""
    shown, settled = gaps.open_gaps(found, lambda text: library.search(text, day).verdict == "answer", SHOWN)
    entries = library.base.entries
    with_choices = []
    for gap in shown:
        ids = [one.entry for one in library.search(gap.wordings[0], day).candidates][:CHOICES]
        with_choices.append((gap, [(one, entries[one].question) for one in ids]))
    return with_choices, settled
