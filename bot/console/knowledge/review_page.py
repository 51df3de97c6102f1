"""The second pair of eyes: what changed, how it reads, what the checks say, whose answers would change; and back again."""

from __future__ import annotations

import asyncio
from datetime import date

from aiohttp import web

from bot.console.doors import EDITORS, JURISTS, Doors, Form
from bot.console.knowledge import diff, judging
from bot.console.knowledge.desk import AT, Tools, back, page, phone
from bot.conversation.turn import LOCAL
from bot.masking import mask
from bot.service import editions, gaps
from bot.service.county import RefusedError
from bot.service.editions import Edition
from bot.service.staff import Member

# So many of the newest questions are asked of the old and the new text.
TRIED = 1500
NOT_IN_FORCE = "不能发布："


class Review:
    """An edition, the versions of an entry, and what may be done with them."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def add_to(self, doors: Doors) -> None:
        """Mount it."""
        doors.page(f"{AT}/editions/{{id}}", EDITORS, self.edition)
        doors.form(f"{AT}/editions/{{id}}", EDITORS, self.decide)
        doors.page(f"{AT}/entries/{{id}}/versions", EDITORS, self.versions)
        doors.form(f"{AT}/entries/{{id}}/restore", EDITORS, self.restore)

    async def edition(self, request: web.Request, member: Member) -> web.Response:
        """One edition, for whoever reviews it."""
        return await self._show(request, member, await self._find(request))

    async def _find(self, request: web.Request) -> Edition:
        try:
            return await self._tools.db.read(lambda conn: editions.one(conn, request.match_info["id"]))
        except RefusedError as refused:
            raise web.HTTPNotFound(text=str(refused)) from refused

    async def _show(self, request: web.Request, member: Member, one: Edition, fault: str = "") -> web.Response:
        tools, library = self._tools, self._tools.library
        serving, day = library.base.entries.get(one.entry_id), self._day(one)
        questions = await tools.db.read(lambda conn: gaps.asked_lately(conn, TRIED))
        verdicts = await asyncio.to_thread(judging.judge, library, one.entry, day) if one.entry else []
        effect = await asyncio.to_thread(judging.effect, library, one.entry_id, one.entry, questions, day)
        # What serves says who confirmed it.
        text = serving if serving and one.entry and serving.version == one.entry.version else one.entry
        return page(
            request, "edition", member, one=one, changes=diff.changes(serving, one.entry), serving=serving,
            reply=phone(library, text, day) if text else None, verdicts=verdicts, tried=effect.tried,
            moved=[judging.Moved(mask(each.question), each.before, each.after) for each in effect.moved],
            reworded=[mask(each) for each in effect.reworded],
            own=one.author_id == member.id, jurist=member.role in JURISTS, fault=fault, status=409 if fault else 200,
        )  # fmt: skip

    def _day(self, one: Edition) -> date:
        """The first day on which it would serve."""
        today = self._tools.today()
        return max(today, one.publish_at.astimezone(LOCAL).date()) if one.publish_at else today

    async def decide(self, request: web.Request, member: Member, form: Form) -> web.StreamResponse:
        """Approve, send back, give up, or serve an earlier version again."""
        one, do = await self._find(request), form.get("do", "")
        try:
            if do == "approve":
                return await self._approve(one, member, form.get("seen", ""))
            if do == "roll_back":
                return await self._roll_back(one, member)
            return await self._put_away(one, member, do, form.get("why", "").strip())
        except RefusedError as refused:
            return await self._show(request, member, one, str(refused))

    async def _approve(self, one: Edition, member: Member, seen: str) -> web.Response:
        tools, now, confirm = self._tools, self._tools.clock(), member.role in JURISTS
        await self._must_hold(one)
        await tools.db.write(
            lambda conn: editions.approve(conn, tools.new_id, one.id, member, now, seen=seen, confirm=confirm)
        )
        await tools.live.changed()
        later = one.publish_at is not None and one.publish_at > now
        return back(f"{AT}/editions/{one.id}", "scheduled" if later else "published")

    async def _roll_back(self, one: Edition, member: Member) -> web.Response:
        tools, now = self._tools, self._tools.clock()
        await self._must_hold(one)
        await tools.db.write(lambda conn: editions.roll_back(conn, tools.new_id, one.id, member, now))
        await tools.live.changed()
        return back(f"{AT}/entries/{one.entry_id}/versions", "rolled_back")

    async def _must_hold(self, one: Edition) -> None:
        """What the checks refuse is not published: a law that is repealed or not yet in force above all."""
        if one.entry is None:
            return
        found = await asyncio.to_thread(judging.judge, self._tools.library, one.entry, self._day(one))
        if faults := [verdict.text for verdict in found if verdict.fatal]:
            raise RefusedError(NOT_IN_FORCE + "；".join(faults) + "。")

    async def _put_away(self, one: Edition, member: Member, do: str, why: str) -> web.Response:
        tools, now = self._tools, self._tools.clock()
        if do == "send_back":
            if not why:
                raise RefusedError("退回要写原因，作者才知道改哪里。")
            await tools.db.write(lambda conn: editions.send_back(conn, tools.new_id, one.id, member, now, why))
            return back(f"{AT}/pending", "sent_back")
        if do == "drop":
            await tools.db.write(lambda conn: editions.drop(conn, tools.new_id, one.id, member, now))
            return back(f"{AT}/pending", "dropped")
        raise web.HTTPBadRequest(text="不知道要做什么，请回到页面再点一次。")

    async def versions(self, request: web.Request, member: Member) -> web.Response:
        """All versions of an entry, each with what it changed."""
        entry_id = request.match_info["id"]
        found = await self._tools.db.read(lambda conn: editions.of(conn, entry_id))
        shipped = self._tools.live.shipped.base.entries.get(entry_id)
        if not found and shipped is None:
            raise web.HTTPNotFound(text="没有这一条。")
        before = [*(one.entry for one in found[1:]), shipped]
        listed = [(one, diff.changes(old, one.entry)) for one, old in zip(found, before, strict=False)]
        return page(
            request, "versions", member, entry_id=entry_id, listed=listed, shipped=shipped, now=self._tools.clock(),
            own=any(one.state == "published" for one in found), serving=self._tools.library.base.entries.get(entry_id),
        )  # fmt: skip

    async def restore(self, request: web.Request, member: Member, _form: Form) -> web.StreamResponse:
        """Serve what came with the program again."""
        tools, now, entry_id = self._tools, self._tools.clock(), request.match_info["id"]
        await tools.db.write(lambda conn: editions.restore_shipped(conn, tools.new_id, entry_id, member, now))
        await tools.live.changed()
        return back(f"{AT}/entries/{entry_id}/versions", "rolled_back")
