"""`/console/admin/roster`: who is down for which day, and which days the county works."""

from __future__ import annotations

import re
from datetime import date, timedelta

from aiohttp import web
from sqlalchemy.engine import Connection

from bot.console import shell
from bot.console.admin import calendar
from bot.console.admin.common import ROOT, WEEKDAYS, Tools, asked, day_of, in_chinese
from bot.console.doors import HEADS, Doors, Form, onward
from bot.run_settings import BY_NAME, SettingError, with_day
from bot.service import roster, run_settings, staff
from bot.service.accounts import AccountError
from bot.service.audit import By
from bot.service.staff import Member

AT = f"{ROOT}/roster"
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
NOT_DAYS = "请选开始和结束的日期，开始不能晚于结束，一次最多一年。"
NOBODY = "请选一位律师。"
DONE = {
    "added": "已排上。",
    "removed": "已取消。",
    "nothing": "没有要改的：早已是这样。",
    "day": "已改好，马上按它算值班时间。",
}


class Roster:
    """A month, and a day of it."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def add_to(self, doors: Doors) -> None:
        """Mount everything."""
        doors.page(AT, HEADS, self.month)
        doors.form(AT, HEADS, self.span)
        doors.page(f"{AT}/{{day}}", HEADS, self.day)
        doors.form(f"{AT}/{{day}}", HEADS, self.change)
        doors.form(f"{AT}/{{day}}/kind", HEADS, self.kind)

    async def month(self, request: web.Request, member: Member) -> web.Response:
        """Calendar of a month."""
        return await self._month(request, member, asked(request, "month"))

    async def _month(
        self, request: web.Request, member: Member, month: str, fault: str = "", form: Form | None = None
    ) -> web.Response:
        today = self._tools.today()
        first = date.fromisoformat(f"{month}-01") if _MONTH.fullmatch(month) else today.replace(day=1)
        last = calendar.last_of(first)

        def look(conn: Connection) -> tuple[dict[date, list[Member]], list[Member]]:
            return dict(roster.between(conn, first, last)), staff.counsel(conn)

        found, counsel = await self._tools.db.read(look)
        return shell.render(
            request, "admin_roster.html", member, status=400 if fault else 200, fault=fault, at=AT, first=first,
            weeks=calendar.month(first, self._tools.live.hours, found), today=today, counsel=counsel,
            before=f"{first - timedelta(days=1):%Y-%m}", after=f"{last + timedelta(days=1):%Y-%m}",
            published=calendar.published(first.year), weekdays=WEEKDAYS, last=last, form=form or {},
            done=DONE.get(request.query.get("done", ""), ""),
        )  # fmt: skip

    async def span(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Put somebody down for many days, or take them off."""
        first, last, month = day_of(form.get("from", "")), day_of(form.get("until", "")), form.get("month", "")
        if first is None or last is None or not 0 <= (last - first).days < roster.LONGEST:
            return await self._month(request, member, month, NOT_DAYS, form)
        days = calendar.between(first, last, self._tools.live.hours, working_only=form.get("working") == "yes")
        try:
            done = await self._put(form, days, self._tools.by(request, member))
        except AccountError as error:
            return await self._month(request, member, month, str(error), form)
        return onward(f"{AT}?month={first:%Y-%m}&done={done}")

    async def _put(self, form: Form, days: list[date], by: By) -> str:
        tools, now, staff_id, removes = (
            self._tools,
            self._tools.clock(),
            form.get("staff", ""),
            form.get("do") == "remove",
        )

        def put(conn: Connection) -> int:
            who = staff.member(conn, staff_id)
            if who is None:
                raise AccountError(NOBODY)
            work = roster.withdraw if removes else roster.assign
            return work(conn, tools.new_id, who, days, now, by)

        count = await tools.db.write(put) if days else 0
        return ("removed" if removes else "added") if count else "nothing"

    async def day(self, request: web.Request, member: Member) -> web.Response:
        """One day: who is down, and whether the county works."""
        return await self._day(request, member)

    async def _day(self, request: web.Request, member: Member, fault: str = "") -> web.Response:
        on = _day(request)

        def look(conn: Connection) -> tuple[list[Member], list[Member]]:
            return dict(roster.between(conn, on, on)).get(on, []), staff.counsel(conn)

        people, counsel = await self._tools.db.read(look)
        return shell.render(
            request, "admin_day.html", member, status=400 if fault else 200, fault=fault, at=f"{AT}/{on}",
            one=calendar.day(on, self._tools.live.hours, people), name=in_chinese(on), back=f"{AT}?month={on:%Y-%m}",
            others=[one for one in counsel if one not in people], published=calendar.published(on.year),
            done=DONE.get(request.query.get("done", ""), ""),
        )  # fmt: skip

    async def change(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Put one person down for a day, or take them off."""
        on = _day(request)
        try:
            done = await self._put(form, [on], self._tools.by(request, member))
        except AccountError as error:
            return await self._day(request, member, str(error))
        return onward(f"{AT}/{on}?done={done}")

    async def kind(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """The county works on this day, or does not, or does as the nation."""
        on, tools, now = _day(request), self._tools, self._tools.clock()
        by, wanted = tools.by(request, member), form.get("kind", "")
        try:
            changed = with_day(tools.live.settings, on, wanted)
        except SettingError as error:
            return await self._day(request, member, str(error))
        before = {name: BY_NAME[name].value_in(tools.live.settings) for name in changed}

        def save(conn: Connection) -> None:
            for name, value in changed.items():
                run_settings.put(conn, tools.new_id, name, value, before[name], by, now)

        await tools.db.write(save)
        await tools.live.changed()
        return onward(f"{AT}/{on}?done=day")


def _day(request: web.Request) -> date:
    day = day_of(request.match_info["day"])
    if day is None:
        raise web.HTTPNotFound(text="没有这一天。")
    return day
