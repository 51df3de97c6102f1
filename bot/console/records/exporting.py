"""`/console/exports`: ask for a file, see how far it is, take it away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from bot.console import shell
from bot.console.auth import refuse
from bot.console.doors import HEADS, OFFICE, Doors, Form, onward
from bot.console.records import names
from bot.console.records.story import LONGEST_REASON, SHORTEST_REASON
from bot.conversation.turn import LOCAL
from bot.ids import Clock, NewId
from bot.service.records import exports, filters
from bot.service.records.exports import FORMATS, KEPT, Export
from bot.service.staff import Member, logins
from bot.store.database import Database

PATH = "/console/exports"
NO_FORMAT = "请选 Excel 或 CSV 再导出。"
NOT_UNMASKED = "您的账号只能导出遮盖过的，需要原文请找负责人。"
NO_REASON = "导出原文要写明理由，请返回写上再试。"
NO_FILE = "没有这个文件：可能还没写好，或过了一天已经清掉。请回到导出页看看。"
DONE = {"asked": "已经在写了，写好可以下载。", "full": "排着的导出太多了，等几个写完再来。"}
_STATES = {"waiting": "在排队", "running": "正在写", "ready": "写好了", "failed": "没写成"}
_TYPES = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv"}
_MEGA = 2**20


class ExportPages:
    """The list of own exports and what is done with them."""

    def __init__(self, db: Database, clock: Clock, new_id: NewId, wake: Callable[[], None]) -> None:
        self._db = db
        self._clock = clock
        self._new_id = new_id
        self._wake = wake

    def add_to(self, doors: Doors) -> None:
        """Mount them."""
        doors.page(PATH, OFFICE, self.show)
        doors.form(PATH, OFFICE, self.ask)
        doors.page(f"{PATH}/{{id}}/file", OFFICE, self.file)
        doors.form(f"{PATH}/{{id}}/retry", OFFICE, self.retry)

    async def show(self, request: web.Request, member: Member) -> web.Response:
        """Own exports, newest first; the page looks again by itself while one is being written."""
        now = self._clock()
        found, people = await self._db.read(lambda conn: (exports.of(conn, member), logins(conn)))
        return shell.render(
            request,
            "exports.html",
            member,
            exports=[_shown(one, people, now) for one in found],
            busy=any(one.state in {"waiting", "running"} for one in found),
            done=DONE.get(request.query.get("done", ""), ""),
        )

    async def ask(self, _request: web.Request, member: Member, form: Form) -> web.Response:
        """Ask for a file of what a filter finds; unmasked only by heads, with a reason."""
        wanted, _ = filters.read(parse_qsl(form.get("query", "")[:2000]))
        chosen, reason = form.get("format", ""), " ".join(form.get("reason", "").split())[:LONGEST_REASON]
        if chosen not in FORMATS:
            refuse(web.HTTPBadRequest, NO_FORMAT, as_text=True)
        if form.get("unmasked", "") != "1":
            reason = ""
        elif member.role not in HEADS:
            refuse(web.HTTPForbidden, NOT_UNMASKED, as_text=True)
        elif len(reason) < SHORTEST_REASON:
            refuse(web.HTTPBadRequest, NO_REASON, as_text=True)
        now = self._clock()
        asked = await self._db.write(
            lambda conn: exports.ask(conn, self._new_id, member, wanted.query, chosen, now, reason=reason)
        )
        self._wake()
        return onward(f"{PATH}?done={'asked' if asked else 'full'}")

    async def file(self, request: web.Request, member: Member) -> web.Response:
        """The file itself, for whoever asked for it; one that is not masked only while they may have it."""
        number, now = request.match_info["id"], self._clock()
        one = await self._db.read(lambda conn: exports.get(conn, number))
        if one is not None and not one.masked and member.role not in HEADS:
            refuse(web.HTTPForbidden, NOT_UNMASKED, as_text=True)
        found = await self._db.write(lambda conn: exports.fetch(conn, self._new_id, member, number, now))
        if found is None:
            raise web.HTTPNotFound(text=NO_FILE)
        job, content = found
        name = f"fawen-{job.created_at.astimezone(LOCAL):%Y%m%d-%H%M}{'' if job.masked else '-unmasked'}.{job.format}"
        return web.Response(
            body=content,
            content_type=_TYPES[job.format],
            charset="utf-8" if job.format == "csv" else None,
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            },
        )

    async def retry(self, request: web.Request, member: Member, _form: Form) -> web.Response:
        """Write it again."""
        number, now = request.match_info["id"], self._clock()
        one = await self._db.read(lambda conn: exports.get(conn, number))
        if one is not None and not one.masked and member.role not in HEADS:
            refuse(web.HTTPForbidden, NOT_UNMASKED, as_text=True)
        if not await self._db.write(lambda conn: exports.retry(conn, self._new_id, member, number, now)):
            raise web.HTTPNotFound(text=NO_FILE)
        self._wake()
        return onward(f"{PATH}?done=asked")


def _shown(one: Export, people: Mapping[str, str], now: datetime) -> dict[str, Any]:
    return {
        "id": one.id,
        "at": names.stamp(one.created_at, now),
        "about": names.described(one.query, people),
        "format": "Excel" if one.format == "xlsx" else "CSV",
        "masked": one.masked,
        "state": one.state,
        "words": _STATES[one.state],
        "done": one.done,
        "total": one.total,
        "error": one.error,
        "size": f"{one.size / _MEGA:.1f} MB" if one.size >= _MEGA / 10 else f"{max(1, one.size // 1024)} KB",
        "gone": one.state == "ready" and not one.size,
        "until": names.stamp(one.finished_at + KEPT, now) if one.finished_at else "",
    }
