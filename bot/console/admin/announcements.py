"""`/console/admin/announcements`: what all citizens are told for a time."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from bot.console import shell
from bot.console.admin.common import ROOT, Tools, day_of, moment
from bot.console.doors import HEADS, Doors, Form, onward
from bot.conversation.turn import LOCAL
from bot.service import announcements
from bot.service.announcements import LONGEST, Announcement, AnnouncementError
from bot.service.staff import Member

AT = f"{ROOT}/announcements"
NOT_A_TIME = "请填好开始和结束的日期和时间。"
DONE = {
    "made": "公告已登记，到时间自动显示，过后自动撤下。",
    "withdrawn": "已撤回，群众看不到了。",
    "late": "这条公告早已结束或撤回。",
}


class Announcements:
    """The list, a new one, withdrawing one."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def add_to(self, doors: Doors) -> None:
        """Mount everything."""
        doors.page(AT, HEADS, self.list)
        doors.form(AT, HEADS, self.make)
        doors.form(f"{AT}/{{id}}/withdraw", HEADS, self.withdraw)

    async def list(self, request: web.Request, member: Member) -> web.Response:
        """What runs, will run, and ran."""
        return await self._list(request, member)

    async def _list(
        self, request: web.Request, member: Member, fault: str = "", form: Form | None = None
    ) -> web.Response:
        now = self._tools.clock()
        found = await self._tools.db.read(announcements.latest)
        rows = [
            {"one": one, "state": _state(one, now), "since": moment(one.since), "until": moment(one.until)}
            for one in found
        ]
        typed = form if form is not None else Form()
        day, clock = moment(now).split()
        return shell.render(
            request, "admin_announcements.html", member, status=400 if fault else 200, at=AT, rows=rows, fault=fault,
            longest=LONGEST, done=DONE.get(request.query.get("done", ""), ""),
            typed={
                "text": typed.get("text", ""), "from_day": typed.get("from_day", day), "from_time": typed.get("from_time", clock),
                "until_day": typed.get("until_day", ""), "until_time": typed.get("until_time", "18:00"),
            },
        )  # fmt: skip

    async def make(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Publish one."""
        tools, now, by = self._tools, self._tools.clock(), self._tools.by(request, member)
        since, until = (_moment(form, name) for name in ("from", "until"))
        if since is None or until is None:
            return await self._list(request, member, NOT_A_TIME, form)
        text = form.get("text", "")
        try:
            await tools.db.write(lambda conn: announcements.make(conn, tools.new_id, text, since, until, by, now))
        except AnnouncementError as error:
            return await self._list(request, member, str(error), form)
        await tools.live.changed()
        return onward(f"{AT}?done=made")

    async def withdraw(self, request: web.Request, member: Member, _form: Form) -> web.Response:
        """Take one down."""
        tools, now, by = self._tools, self._tools.clock(), self._tools.by(request, member)
        chosen = request.match_info["id"].replace("\x00", "")
        gone = await tools.db.write(lambda conn: announcements.withdraw(conn, tools.new_id, chosen, by, now))
        await tools.live.changed()
        return onward(f"{AT}?done={'withdrawn' if gone else 'late'}")


def _moment(form: Form, name: str) -> datetime | None:
    day = day_of(form.get(f"{name}_day", ""))
    try:
        clock = datetime.strptime(form.get(f"{name}_time", ""), "%H:%M").time()  # noqa: DTZ007 - the zone follows
    except ValueError:
        return None
    return datetime.combine(day, clock, tzinfo=LOCAL) if day else None


def _state(one: Announcement, now: datetime) -> str:
    if one.withdrawn:
        return "已撤回"
    if one.runs(now):
        return "正在显示"
    return "还没开始" if now < one.since else "已结束"
