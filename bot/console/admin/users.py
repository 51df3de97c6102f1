"""`/console/admin/users`: who may log in, and as what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, cast, get_args

from aiohttp import web
from sqlalchemy.engine import Connection

from bot.console import shell
from bot.console.admin.common import ROOT, Tools, moment
from bot.console.doors import ADMINS, Doors, Form, onward
from bot.conversation.handoff import subjects
from bot.service import accounts, sessions, staff
from bot.service.accounts import AccountError
from bot.service.audit import By
from bot.service.handoffs import Changed, ChangedError
from bot.service.staff import COUNSEL, ROLE_NAMES, Member, Role
from bot.store.times import to_ms

AT = f"{ROOT}/users"
CHOICES = [(one.slug, one.label) for one in (*subjects.SUBJECTS, subjects.OTHER)]
DONE = {
    "disabled": "账号已停用，所有设备都已退出；正在接待的群众已回到排队。",
    "enabled": "账号已启用，可以登录了。",
    "unlocked": "已解锁，可以再试密码了。",
    "sessions": "已让这个账号的所有设备退出。",
    "changed": "已保存。",
}
MEANWHILE = "刚才正好有人在操作同一位群众，什么都没有改，请再点一次。"
ROLE_HINTS: dict[Role, str] = {
    "lawyer": "接待群众",
    "supervisor": "接待群众，能接管任何一件，看记录和数字",
    "staff": "看记录和数字，维护知识库",
    "admin": "管账号和设置，看记录和数字",
}
Act = Callable[[Connection, str, datetime, By], object]


class Users:
    """The list, one account, and what can be done with it."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def add_to(self, doors: Doors) -> None:
        """Mount everything."""
        one = f"{AT}/{{id}}"
        doors.page(AT, ADMINS, self.list)
        doors.form(AT, ADMINS, self.add)
        doors.page(one, ADMINS, self.one)
        doors.form(one, ADMINS, self.change)
        doors.form(f"{one}/password", ADMINS, self.reset)
        new_id = self._tools.new_id
        acts: dict[str, tuple[str, Act]] = {
            "disable": ("disabled", lambda conn, login, now, by: accounts.disable(conn, new_id, login, now, by)),
            "enable": ("enabled", lambda conn, login, now, by: accounts.enable(conn, new_id, login, now, by)),
            "unlock": ("unlocked", lambda conn, login, now, by: accounts.unlock(conn, new_id, login, now, by)),
            "sessions": ("sessions", lambda conn, login, now, by: accounts.log_out(conn, new_id, login, now, by)),
        }
        for name, (done, act) in acts.items():
            doors.form(f"{one}/{name}", ADMINS, partial(self._act, done, act))

    async def list(self, request: web.Request, member: Member) -> web.Response:
        """All accounts."""
        return await self._list(request, member)

    async def _list(
        self, request: web.Request, member: Member, *, fault: str = "", typed: Form | None = None
    ) -> web.Response:
        now = self._tools.clock()
        found = await self._tools.db.read(accounts.everyone)
        rows = [{"one": one, "state": state_of(one, until, now), "role": ROLE_NAMES[one.role]} for one, until in found]
        rows.sort(key=lambda row: row["one"].disabled)  # type: ignore[attr-defined]
        return shell.render(
            request, "admin_users.html", member, status=400 if fault else 200, rows=rows, fault=fault, at=AT,
            typed=_typed(typed), **_choices(),
        )  # fmt: skip

    async def add(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """A new account with a starting password, which is shown once, here."""
        tools, by, now = self._tools, self._tools.by(request, member), self._tools.clock()
        login, values = accounts.clean_login(form.get("login", "")), _values(form)
        try:
            await tools.db.read(lambda conn: accounts.check_new(conn, login, **values))
            password = accounts.starting_password()
            kept = await asyncio.to_thread(accounts.hashed, password)
            made = await tools.db.write(
                lambda conn: accounts.add(
                    conn, tools.new_id, login=login, password=kept, now=now, lent=True, by=by, **values
                )
            )
        except AccountError as error:
            return await self._list(request, member, fault=str(error), typed=form)
        return await self._password(request, member, made, password, fresh=True)

    async def one(self, request: web.Request, member: Member) -> web.Response:
        """One account."""
        return await self._one(request, member)

    async def _one(self, request: web.Request, member: Member, *, fault: str = "") -> web.Response:
        tools, now = self._tools, self._tools.clock()
        staff_id, limits = request.match_info["id"], tools.guard.limits

        def look(conn: Connection) -> Any:
            who = _of(conn, staff_id)
            until = next((until for one, until in accounts.everyone(conn) if one.id == who.id), now)
            return who, until, sessions.of_member(conn, who.id, limits, now)

        who, until, devices = await tools.db.read(look)
        return shell.render(
            request, "admin_user.html", member, status=400 if fault else 200, who=who, fault=fault,
            state=state_of(who, until, now), locked=to_ms(until) > to_ms(now), devices=len(devices),
            last=moment(devices[0].seen_at) if devices else "", at=f"{AT}/{who.id}", back=AT,
            done=DONE.get(request.query.get("done", ""), ""), itself=who.id == member.id, **_choices(),
        )  # fmt: skip

    async def change(self, request: web.Request, member: Member, form: Form) -> web.Response:
        """Name, role, subjects, centre."""
        new_id, values = self._tools.new_id, _values(form)

        def save(conn: Connection, login: str, now: datetime, by: By) -> list[Changed]:
            return accounts.change(conn, new_id, login, now=now, by=by, **values)

        return await self._act("changed", save, request, member, form)

    async def reset(self, request: web.Request, member: Member, _form: Form) -> web.Response:
        """A new starting password, shown once, here."""
        tools, by, now = self._tools, self._tools.by(request, member), self._tools.clock()
        staff_id = request.match_info["id"]
        who = await tools.db.read(lambda conn: _of(conn, staff_id))
        password = accounts.starting_password()
        kept = await asyncio.to_thread(accounts.hashed, password)
        await tools.db.write(
            lambda conn: accounts.set_password(conn, tools.new_id, who.login, kept, now, lent=True, by=by)
        )
        return await self._password(request, member, who.id, password, fresh=False)

    async def _password(
        self, request: web.Request, member: Member, staff_id: str, password: str, *, fresh: bool
    ) -> web.Response:
        who = await self._tools.db.read(lambda conn: _of(conn, staff_id))
        return shell.render(
            request, "admin_password.html", member, who=who, password=password, fresh=fresh, at=AT,
            name_of_role=ROLE_NAMES[who.role],
        )  # fmt: skip

    async def _act(self, done: str, act: Act, request: web.Request, member: Member, _form: Form) -> web.Response:
        tools, by, now = self._tools, self._tools.by(request, member), self._tools.clock()
        staff_id = request.match_info["id"]
        try:
            await tools.db.write(lambda conn: act(conn, _of(conn, staff_id).login, now, by))
        except AccountError as error:
            return await self._one(request, member, fault=str(error))
        except ChangedError:
            return await self._one(request, member, fault=MEANWHILE)
        return onward(f"{AT}/{staff_id}?done={done}")


def _of(conn: Connection, staff_id: str) -> Member:
    who = staff.member(conn, staff_id.replace("\x00", ""))
    if who is None:
        raise web.HTTPNotFound(text="没有这个账号。")
    return who


def _values(form: Form) -> dict[str, Any]:
    return {
        "name": form.get("name", ""),
        "role": cast("Role", form.get("role", "")),
        "covers": form.getall("covers", []),
        "centre": form.get("centre", ""),
    }


def _typed(form: Form | None) -> dict[str, Any]:
    """What was typed, to be mended rather than typed again."""
    form = form if form is not None else Form()
    return {"login": form.get("login", "")[:64]} | _values(form)


def _choices() -> dict[str, Any]:
    roles = [(role, ROLE_NAMES[role], ROLE_HINTS[role]) for role in get_args(Role)]
    return {"roles": roles, "subjects": CHOICES}


def state_of(one: Member, locked_until: datetime, now: datetime) -> str:
    """How an account stands, in two or three words."""
    if one.disabled:
        return "已停用"
    if locked_until > now:
        return f"锁到 {moment(locked_until)[5:]}"
    if one.lent:
        return "还没改起始密码"
    return "在岗" if one.on_duty and one.role in COUNSEL else "可用"
