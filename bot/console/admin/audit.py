"""`/console/admin/audit`: who did what, when, from where."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy.engine import Connection

from bot.console import shell
from bot.console.admin.common import ROOT, Tools, asked, day_of, moment
from bot.console.doors import HEADS, Doors
from bot.conversation.turn import LOCAL
from bot.run_settings import BY_NAME
from bot.service import accounts, audit
from bot.service.audit import Line, Wanted
from bot.service.records.access import ACTIONS
from bot.service.staff import Member
from bot.store.times import to_ms

AT = f"{ROOT}/audit"
PAGE = 50
FURTHEST = 1000
NAMES = {
    "login": "登录",
    "login_failed": "登录：密码不对",
    "login_locked": "登录：账号锁着",
    "login_disabled": "登录：账号已停用",
    "logout": "退出",
    "password_check": "改密码：核对原密码",
    "password_check_failed": "改密码：原密码不对",
    "password_check_locked": "改密码：账号锁着",
    "password_check_disabled": "改密码：账号已停用",
    "password_changed": "改了自己的密码",
    "password_set": "重设密码",
    "session_revoked": "让设备退出",
    "account_added": "添加账号",
    "account_changed": "改账号资料",
    "account_disabled": "停用账号",
    "account_enabled": "启用账号",
    "account_unlocked": "解锁账号",
    "shift_added": "排班",
    "shift_removed": "取消排班",
    "setting_changed": "改设置",
    "setting_reset": "设置恢复默认",
    "announcement_made": "发公告",
    "announcement_withdrawn": "撤回公告",
    "outbox_retried": "重发失败的消息",
    "bind_wechat": "绑定微信",
    "unbind_wechat": "解除绑定微信",
    "duty_on": "上岗",
    "duty_off": "下岗",
    **ACTIONS,
    "handoff.release": "退回排队",
    "handoff.transfer": "转给同事",
    "handoff.close": "办结",
    "report_made": "生成报告",
    "tasks_set": "改年度任务",
    "digest_link_made": "生成推送的链接",
    "digest_sent_again": "重发推送",
    "rectify.open": "开始整改",
    "rectify.assign": "整改：指定负责人",
    "rectify.reply": "整改：答复群众",
    "rectify.visit": "整改：回访",
    "rectify.fail": "整改：回访不满意，重新办",
    "rectify.close": "整改：办结",
    "rectify.reopen": "整改：重新打开",
    "rectify.withdraw": "整改：群众已删除记录",
    "knowledge.draft": "写条目草稿",
    "knowledge.import": "收进条目文件",
    "knowledge.publish": "发布条目",
    "knowledge.send_back": "退回条目",
    "knowledge.drop": "放弃条目草稿",
    "knowledge.roll_back": "条目退回旧版",
    "knowledge.restore": "恢复随程序带的条目",
    "knowledge.attach": "给条目加说法",
    "knowledge.detach": "去掉条目的说法",
    "knowledge.confirmed": "确认条目",
    "knowledge.retired": "停用条目",
    "knowledge.unread": "撤销确认条目",
    "lesson.plan": "安排普法",
    "lesson.drop": "取消普法",
    "data.shown": "群众看自己的记录",
    "data.link": "给群众导出链接",
    "data.exported": "群众导出自己的记录",
    "data.erased": "群众删除自己的记录",
    "purged": "到期自动清理",
}


class AuditLog:
    """The log with its filters."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def add_to(self, doors: Doors) -> None:
        """Mount it."""
        doors.page(AT, HEADS, self.list)

    async def list(self, request: web.Request, member: Member) -> web.Response:
        """A page of lines, the newest first."""
        who, action, page = asked(request, "staff"), asked(request, "action"), _page(asked(request, "page"))
        first, last = day_of(asked(request, "from")), day_of(asked(request, "until"))
        wanted = Wanted(who, action, _start(first), _start(last + timedelta(days=1)) if last else None)

        def look(conn: Connection) -> tuple[list[Line], list[Member]]:
            found = audit.find(conn, wanted, skip=(page - 1) * PAGE, limit=PAGE + 1)
            return found, [one for one, _ in accounts.everyone(conn)]

        found, people = await self._tools.db.read(look)
        names = {one.id: one.name for one in people}
        filters = {"staff": who, "action": action, "from": first or "", "until": last or ""}
        return shell.render(
            request, "admin_audit.html", member, at=AT, rows=[_shown(line, names) for line in found[:PAGE]],
            people=people, actions=NAMES, filters=filters, page=page,
            newer=_address(filters, page - 1) if page > 1 else "",
            older=_address(filters, page + 1) if len(found) > PAGE and page < FURTHEST else "",
        )  # fmt: skip


def _start(day: date | None) -> int | None:
    return None if day is None else to_ms(datetime.combine(day, time.min, tzinfo=LOCAL))


def _shown(line: Line, names: dict[str, str]) -> dict[str, Any]:
    return {
        "at": moment(line.at),
        "who": names.get(line.staff, "") or ("（没有登录）" if line.action.startswith("login") else "命令行"),
        "action": NAMES.get(line.action, line.action),
        "subject": names.get(line.subject, "") or (BY_NAME[line.subject].label if line.subject in BY_NAME else ""),
        "detail": line.detail,
        "address": line.address,
    }


def _page(text: str) -> int:
    return (
        min(max(int(text), 1), FURTHEST)
        if text.isascii() and text.isdigit() and len(text) < len(str(FURTHEST)) + 1
        else 1
    )


def _address(filters: dict[str, Any], page: int) -> str:
    chosen = {name: value for name, value in filters.items() if value} | {"page": page}
    return f"{AT}?{urlencode(chosen)}"
