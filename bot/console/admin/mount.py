"""`/console/admin` and everything under it, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.console import shell
from bot.console.admin import announcements, audit, roster, settings, system, users
from bot.console.admin.common import ROOT, Tools
from bot.console.auth import Guard
from bot.console.doors import ADMINS, HEADS, Doors
from bot.service.staff import Member, Role

if TYPE_CHECKING:
    from bot.console.mount import Supplies

PARTS: tuple[tuple[str, str, str, tuple[Role, ...]], ...] = (
    (users.AT, "账号和角色", "添加同事，停用、解锁、重设密码，改角色和事项", ADMINS),
    (roster.AT, "值班表", "谁哪天值班，节假日和调休，本县另外放假、上班的日子", HEADS),
    (announcements.AT, "公告", "停诊、搬家、系统维护……告诉所有来问的群众", HEADS),
    (settings.AT, "运行设置", "值班时间、等待时间、只用确认过的条目……改了马上生效", ADMINS),
    (system.AT, "系统状态", "备份、磁盘、没送到的消息、出错次数，有问题怎么办", HEADS),
    (audit.AT, "操作记录", "谁在什么时候做了什么", HEADS),
)


def add_administration(doors: Doors, guard: Guard, supplies: Supplies) -> None:
    """Mount all pages of administration."""
    tools = Tools(guard, supplies.db, supplies.clock, supplies.new_id, supplies.live)
    doors.page(ROOT, HEADS, overview)
    users.Users(tools).add_to(doors)
    roster.Roster(tools).add_to(doors)
    settings.RunSettings(tools).add_to(doors)
    announcements.Announcements(tools).add_to(doors)
    audit.AuditLog(tools).add_to(doors)
    system.SystemPage(tools, supplies.metrics, supplies.bell, supplies.disk).add_to(doors)


async def overview(request: web.Request, member: Member) -> web.Response:
    """What there is to administer, for this member."""
    parts = [(path, name, hint) for path, name, hint, roles in PARTS if member.role in roles]
    return shell.render(request, "admin.html", member, parts=parts)
