"""`/console/admin/settings`: what may be changed while the service runs."""

from __future__ import annotations

from aiohttp import web

from bot.console import shell
from bot.console.admin.common import ROOT, Tools, moment
from bot.console.doors import ADMINS, Doors, Form, onward
from bot.run_settings import BY_NAME, KNOBS, SettingError
from bot.service import run_settings
from bot.service.staff import Member

AT = f"{ROOT}/settings"
UNKNOWN = "没有这项设置。"


class RunSettings:
    """The list of settings, each with its form."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def add_to(self, doors: Doors) -> None:
        """Mount everything."""
        doors.page(AT, ADMINS, self.list)
        doors.form(AT, ADMINS, self.change)
        doors.form(f"{AT}/reset", ADMINS, self.reset)

    async def list(self, request: web.Request, member: Member) -> web.Response:
        """All of them, with default and who changed what."""
        return await self._list(request, member)

    async def _list(
        self, request: web.Request, member: Member, name: str = "", typed: str = "", fault: str = ""
    ) -> web.Response:
        live = self._tools.live
        kept = await self._tools.db.read(run_settings.kept)
        rows = []
        for knob in KNOBS:
            value, usual, changed = knob.value_in(live.settings), knob.value_in(live.base), kept.get(knob.name)
            rows.append(
                {
                    "knob": knob,
                    "value": typed if knob.name == name else value,
                    "usual": knob.shown(usual),
                    "by": f"{changed.who}，{moment(changed.at)}" if changed else "",
                    "fault": fault if knob.name == name else "",
                    "useless": knob.name in live.useless,
                }
            )
        done = BY_NAME.get(request.query.get("done", ""))
        return shell.render(
            request, "admin_settings.html", member, status=400 if fault else 200, rows=rows, at=AT,
            done=f"“{done.label}”已改好，现在就按它办。" if done else "",
            fault=fault if name not in BY_NAME else "",
        )  # fmt: skip

    async def change(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Another value."""
        tools, now, by = self._tools, self._tools.clock(), self._tools.by(request, member)
        name, typed = form.get("name", ""), form.get("value", "")
        knob = BY_NAME.get(name)
        if knob is None:
            return await self._list(request, member, name, fault=UNKNOWN)
        try:
            value = knob.read(typed)
        except SettingError as error:
            return await self._list(request, member, name, typed[:2000], str(error))
        before = knob.value_in(tools.live.settings)
        await tools.db.write(lambda conn: run_settings.put(conn, tools.new_id, name, value, before, by, now))
        await tools.live.changed()
        return onward(f"{AT}?done={name}#{name}")

    async def reset(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Back to what the settings file says."""
        tools, now, by, name = self._tools, self._tools.clock(), self._tools.by(request, member), form.get("name", "")
        if name not in BY_NAME:
            return await self._list(request, member, name, fault=UNKNOWN)
        await tools.db.write(lambda conn: run_settings.reset(conn, tools.new_id, name, by, now))
        await tools.live.changed()
        return onward(f"{AT}?done={name}#{name}")
