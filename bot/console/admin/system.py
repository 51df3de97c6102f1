"""`/console/admin/system`: is everything all right, and what to do if it is not."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web
from sqlalchemy.engine import Connection

from bot import VERSION
from bot.bell import Bell
from bot.console import shell
from bot.console.admin.common import ROOT, Tools, moment
from bot.console.admin.faults import System, age, faults, size
from bot.console.doors import ADMINS, HEADS, Doors, Form, onward
from bot.metrics import Metrics
from bot.service import outbox, system
from bot.service.staff import Member
from bot.service.system import RECENT, DiskOf
from bot.store.migrate import HEAD
from knowledge.stats import counts

AT = f"{ROOT}/system"
STATES = {
    "waiting": "等着发",
    "sending": "正在发",
    "held": "等对方下次说话时一起送",
    "uncertain": "可能已送到",
    "failed": "没送到",
    "sent": "已送到",
}
DONE = {"retried": "已放回去再发，过一会儿刷新本页看结果。", "nothing": "没有要再发的。"}


class SystemPage:
    """The state of the system, and sending again what failed."""

    def __init__(self, tools: Tools, metrics: Metrics, bell: Bell, disk: DiskOf) -> None:
        self._tools = tools
        self._metrics = metrics
        self._bell = bell
        self._disk = disk
        self._started = tools.clock()

    def add_to(self, doors: Doors) -> None:
        """Mount everything."""
        doors.page(AT, HEADS, self.show)
        doors.form(f"{AT}/retry", ADMINS, self.retry)

    async def show(self, request: web.Request, member: Member) -> web.Response:
        """Everything on one page."""
        now = self._tools.clock()
        found = await self._look(now)
        backup, library = found.records.backup, self._tools.live.library
        return shell.render(
            request, "admin_system.html", member, at=AT, faults=faults(found), system=found, states=STATES,
            may_retry=member.role in ADMINS, done=DONE.get(request.query.get("done", ""), ""), now=moment(now),
            database=size(found.records.size), free=size(found.disk_free), total=size(found.disk_total),
            backup=f"{moment(backup.at)}（{age(now - backup.at)}前，{size(backup.size)}，{backup.place}）" if backup else "还没有做过",
            version=VERSION, running=age(now - self._started), started=moment(self._started),
            knowledge=counts(library.base), confirmed_only=library.confirmed_only,
        )  # fmt: skip

    async def _look(self, now: datetime) -> System:
        db, live, metrics = self._tools.db, self._tools.live, self._metrics
        disk = self._disk(system.place_of(db))
        calls = metrics.counted("fawen_api_calls")
        return System(
            now=now,
            started=self._started,
            records=await db.read(lambda conn: system.records(conn, now)),
            head=HEAD,
            disk_free=disk.free,
            disk_total=disk.total,
            writes=db.waiting,
            failed_turns=sum(metrics.counted("fawen_turns", result="failed").values()),
            late=sum(metrics.counted("fawen_late_replies").values()),
            calls={name: number for name, number in calls.items() if not name.endswith(" ok")},
            refused=metrics.counted("fawen_refused_requests"),
            useless=live.useless,
            wechat=live.base.wechat.enabled,
        )

    async def retry(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Send again what failed for one reason."""
        tools, now, by, why = self._tools, self._tools.clock(), self._tools.by(request, member), form.get("why", "")

        def again(conn: Connection) -> tuple[int, tuple[str, ...]]:
            count, concerned = outbox.retry(conn, why, now - RECENT, now)
            if count:
                by.write(conn, tools.new_id, "outbox_retried", now, detail=f"{count}条：{why}")
            return count, concerned

        count, concerned = await tools.db.write(again)
        self._bell.ring_all(concerned)
        return onward(f"{AT}?done={'retried' if count else 'nothing'}")
