"""`/console/consultations/{id}`: one consultation, masked unless somebody says why not; remarks; corrections."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.console import shell
from bot.console.doors import HEADS, OFFICE, Doors, Form, onward
from bot.console.records import names
from bot.console.records.listing import line_shown
from bot.console.workbench.shapes import delivered
from bot.conversation.handoff.machine import EventName
from bot.conversation.rectification import STATE_NAMES
from bot.ids import Clock, NewId
from bot.live import Live
from bot.masking import mask
from bot.service.records import corrections, filters, story
from bot.service.records.corrections import LONGEST_REMARK
from bot.service.records.story import Said, Story
from bot.service.staff import Member, logins
from bot.store.database import Database

PATH = "/console/consultations"
SHORTEST_REASON = 2
LONGEST_REASON = 200
GONE = "没有这条咨询记录。"
NO_REASON = "请先写明为什么要看原文，再点“看原文”。"
UNKNOWN_CATEGORY = "请从列表里选一个事项。"
DONE = {
    "corrected": "已改好，各处的数字都按新的算。",
    "same": "和原来一样，没有改。",
    "remarked": "备注已记下。",
    "empty": "备注是空的，没有记。",
    "dropped": "备注已删除。",
}
AUTHORS = {"citizen": "群众", "bot": "机器人", "lawyer": "律师", "note": "内部备注", "system": "系统通知"}
_KINDS = {
    "image": "［图片］",
    "voice": "［语音］",
    "video": "［视频］",
    "location": "［位置］",
    "link": "［链接］",
    "file": "［文件］",
}
_EVENTS: dict[EventName, str] = {
    "detail": "补充了情况",
    "queue": "开始排队等律师",
    "claim": "接单",
    "transfer": "转交",
    "release": "退回排队",
    "take_over": "接管",
    "vanish": "久未回复，退回排队",
    "escalate": "没人接，提醒了更多人",
    "close": "办结",
    "cancel": "群众取消了",
    "leave": "群众取消关注",
    "idle": "群众久未回话，结束",
    "give_up": "无人接待，结束",
}
_USEFUL = {"useful": "群众点了“有用”", "useless": "群众点了“没用”"}


class StoryPages:
    """One consultation and what staff do with it."""

    def __init__(self, db: Database, clock: Clock, new_id: NewId, live: Live, changed: Callable[[], None]) -> None:
        self._db = db
        self._clock = clock
        self._new_id = new_id
        self._live = live
        self._changed = changed

    def add_to(self, doors: Doors) -> None:
        """Mount them."""
        one = f"{PATH}/{{id}}"
        doors.page(one, OFFICE, self.show)
        doors.form(f"{one}/unmask", OFFICE, self.unmask)
        doors.form(f"{one}/correct", OFFICE, self.correct)
        doors.form(f"{one}/remarks", OFFICE, self.remark)
        doors.form("/console/remarks/{id}/drop", OFFICE, self.drop_remark)

    async def show(self, request: web.Request, member: Member) -> web.Response:
        """The whole of it, masked. Opening it is on record."""
        return await self._page(request, member)

    async def unmask(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """The whole of it as it was said, for this view only. The reason is on record."""
        reason = " ".join(form.get("reason", "").split())[:LONGEST_REASON]
        if len(reason) < SHORTEST_REASON:
            return await self._page(request, member, fault=NO_REASON, status=400)
        return await self._page(request, member, reason=reason)

    async def _page(
        self, request: web.Request, member: Member, *, reason: str | None = None, fault: str = "", status: int = 200
    ) -> web.Response:
        number, now = request.match_info["id"], self._clock()
        told, people = await self._db.read(lambda conn: (story.tell(conn, number), logins(conn)))
        if told is None:
            raise web.HTTPNotFound(text=GONE)
        await self._db.write(lambda conn: corrections.looked(conn, self._new_id, member, number, now, reason=reason))
        wanted, _ = filters.read(request.query.items())
        plain = reason is not None
        return shell.render(
            request,
            "record.html",
            member,
            status=status,
            one=line_shown(told.line, people, now),
            about=self._about(told, people, now, plain=plain),
            talk=[self._said(said, now, plain=plain) for said in told.said],
            told=told,
            cases=[(one, STATE_NAMES[one.state]) for one in told.grades if one.case],
            remarks=[
                {"id": one.id, "name": one.name, "at": names.stamp(one.at, now), "mine": one.staff == member.id,
                 "text": one.text if plain else mask(one.text)}
                for one in told.remarks
            ],
            related=[line_shown(line, people, now) for line in told.related],
            categories=names.categories(self._live.library.base.entries),
            longest=LONGEST_REMARK,
            reason=reason,
            fault=fault,
            back=f"?{wanted.query}" if wanted.query else "",
            head=member.role in HEADS,
            done=DONE.get(request.query.get("done", ""), ""),
        )  # fmt: skip

    def _about(self, told: Story, people: dict[str, str], now: datetime, *, plain: bool) -> list[tuple[str, str]]:
        line = told.line
        found = [
            ("时间", names.stamp(line.opened_at, now) + (f"，{names.stamp(told.closed_at, now)}结束" if told.closed_at else "，还没结束")),
            ("类型", names.name("kind", line.kind, people)),
            ("事项", names.name("category", line.category, people)),
            ("乡镇", names.name("township", line.township, people)),
            ("渠道", names.name("channel", line.channel, people)),
            ("办理人", names.name("handled_by", line.handled_by, people)),
            ("结果", names.name("outcome", line.outcome, people)),
        ]  # fmt: skip
        if line.service:
            found.append(("服务结果", names.name("service", line.service, people)))
        if line.minutes:
            found.append(("用时", f"{line.minutes}分钟"))
        if line.summary:
            found.append(("律师小结", line.summary if plain else mask(line.summary)))
        for one in told.grades:
            words = f"：{one.words if plain else mask(one.words)}" if one.words else ""
            found.append(
                ("评价", f"{names.name('grade', str(one.grade), people)}（{names.stamp(one.at, now)}）{words}")
            )
        return found

    def _said(self, said: Said, now: datetime, *, plain: bool) -> dict[str, Any]:
        text = said.text if plain else mask(said.text)
        if said.author == "event":
            other = f"给{said.other}" if said.other and said.what == "transfer" else ""
            text = f"{said.by}{_EVENTS.get(said.what, said.what)}{other}" + (f"：{text}" if text else "")  # type: ignore[call-overload]
        elif said.author == "useful":
            text = _USEFUL[said.what]
        elif not text:
            text = _KINDS.get(said.what, "［点了菜单］" if said.what.startswith("event") else "［消息］")
        entry = self._live.library.base.entries.get(said.entry)
        return {
            "author": said.author,
            "name": said.by or AUTHORS.get(said.author, ""),
            "at": names.stamp(said.at, now),
            "text": text,
            "entry": said.entry if entry else "",
            "question": entry.question if entry else said.entry,
            "unsure": said.author == "bot" and said.what == "none",
            "delivery": delivered(said.delivery) if said.delivery else None,
        }

    async def correct(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Set kind and category right."""
        number, now = request.match_info["id"], self._clock()
        kind, _, category = form.get("category", "").partition("/")
        known = {
            (kind, one.value) for kind, _, some in names.categories(self._live.library.base.entries) for one in some
        }
        if (kind, category) not in known:
            return await self._page(request, member, fault=UNKNOWN_CATEGORY, status=400)
        try:
            changed = await self._db.write(
                lambda conn: corrections.correct(conn, self._new_id, member, number, kind, category, now)
            )
        except KeyError:
            raise web.HTTPNotFound(text=GONE) from None
        self._changed()
        return onward(f"{PATH}/{number}?done={'corrected' if changed else 'same'}")

    async def remark(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Note something for colleagues."""
        number, now, text = request.match_info["id"], self._clock(), form.get("text", "").strip()
        if not text:
            return onward(f"{PATH}/{number}?done=empty")
        try:
            await self._db.write(lambda conn: corrections.remark(conn, self._new_id, member, number, text, now))
        except KeyError:
            raise web.HTTPNotFound(text=GONE) from None
        return onward(f"{PATH}/{number}?done=remarked#remarks")

    async def drop_remark(self, request: web.Request, member: Member, _form: Form) -> web.Response:
        """Delete an own remark."""
        number, now = request.match_info["id"], self._clock()
        try:
            about = await self._db.write(lambda conn: corrections.drop_remark(conn, self._new_id, member, number, now))
        except KeyError:
            raise web.HTTPNotFound(text="没有这条备注，或者不是您写的。") from None
        return onward(f"{PATH}/{about}?done=dropped#remarks")
