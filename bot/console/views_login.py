"""Login, logout, and the member's own account."""

from __future__ import annotations

import asyncio
import math
from datetime import datetime

import structlog
from aiohttp import web
from sqlalchemy.engine import Connection

from bot.channels.web.limits import Limit
from bot.console import shell
from bot.console.auth import COOKIE, Guard, own_path
from bot.console.doors import read_form
from bot.conversation.handoff.duty import moment_in_words
from bot.service import accounts, audit, sessions
from bot.service.accounts import Verdict
from bot.service.sessions import Session
from bot.settings import Settings

log = structlog.get_logger("console")

# Each takes 19 MiB for a moment: a flood of logins waits in line instead of filling the server's memory.
HASHING_AT_ONCE = 2
WRONG = "账号或密码不对。"
DISABLED = "这个账号已经停用，请找管理员。"
LOCKED = "密码错的次数太多，这个账号锁到{until}，请到时再试，或请管理员解锁。"
TOO_FAST = "这个网络试得太频繁，请等{seconds}秒再登录。"
EMPTY = "请填写登录名和密码。"
WRONG_OLD = "现在的密码不对，没有改。"
UNEQUAL = "两次填的新密码不一样，没有改。"
SAME_AGAIN = "新密码和现在的一样，没有改。"
DONE = {
    "password": "密码已改好，其他设备都已退出。",
    "session": "已让那台设备退出。",
    "others": "已让其他设备都退出。",
}
_DEVICES = (
    ("MicroMessenger", "微信"),
    ("iPhone", "苹果手机"),
    ("iPad", "苹果平板"),
    ("Android", "安卓手机"),
    ("Windows", "Windows电脑"),
    ("Macintosh", "苹果电脑"),
    ("Linux", "Linux电脑"),
)


class LoginPages:
    """/login, /logout, /account."""

    def __init__(self, guard: Guard, settings: Settings) -> None:
        self._guard = guard
        self._db = guard.db
        self._limit = Limit()
        self._most = settings.console.logins_per_minute
        self._hashing = asyncio.Semaphore(HASHING_AT_ONCE)

    def add_to(self, app: web.Application) -> None:
        """Mount the pages."""
        app.add_routes(
            [
                web.get("/login", self.login_page),
                web.post("/login", self.login),
                web.post("/logout", self.logout),
                web.get("/account", self.account),
                web.post("/account/password", self.change_password),
                web.post("/account/sessions", self.revoke),
            ]
        )

    async def login_page(self, request: web.Request) -> web.Response:
        """The form; whoever is in already goes on."""
        member = await self._guard.member(request)
        onward = request.query.get("next", "")
        if member is not None:
            raise web.HTTPSeeOther(own_path(onward, shell.home(member)))
        return shell.render(request, "login.html", login="", onward=own_path(onward, ""), fault="")

    async def login(self, request: web.Request) -> web.Response:
        """Let a member in, or say in one sentence why not."""
        self._guard.check_origin(request, form=True)
        form = await read_form(request)
        login, password = form.get("login", ""), form.get("password", "")
        onward = own_path(form.get("next", ""), "")

        def again(status: int, fault: str) -> web.Response:
            return shell.render(request, "login.html", status=status, login=login, onward=onward, fault=fault)

        if not login.strip() or not password:
            return again(400, EMPTY)
        if seconds := self._limit.wait(self._guard.address(request), self._guard.clock().timestamp(), self._most):
            return again(429, TOO_FAST.format(seconds=math.ceil(seconds)))
        token = sessions.new_token()
        verdict = await self._try(request, login, password, token)
        log.info("login", result=verdict.result, staff=verdict.staff)
        if verdict.result != "ok":
            return again(403, _sentence(verdict, self._guard.clock()))
        member = await self._db.read(lambda conn: sessions.find(conn, token, self._guard.limits, self._guard.clock()))
        response = web.Response(status=303, headers={"Location": _first_page(member, onward)})
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(self._guard.limits.longest.total_seconds()),
            path="/",
            httponly=True,
            samesite="Strict",
            secure=self._guard.is_https(request),
        )
        return response

    async def _try(self, request: web.Request, login: str, password: str, token: str = "") -> Verdict:
        """Compare the password, then decide; with a token, whoever may come in comes in."""
        guard, login = self._guard, accounts.clean_login(login)
        kept = await self._db.read(lambda conn: accounts.kept_password(conn, login))
        async with self._hashing:
            right = await asyncio.to_thread(accounts.matches, kept, password)
        address, agent, now = guard.address(request), request.headers.get("User-Agent", ""), guard.clock()
        before = request.cookies.get(COOKIE, "")
        act = "login" if token else "password_check"

        def decide(conn: Connection) -> Verdict:
            verdict = accounts.judge(conn, guard.new_id, login, kept, address, now, right=right, act=act)
            if token and verdict.result == "ok":
                sessions.end(conn, before)
                sessions.start(conn, token, verdict.staff, agent, guard.limits, now)
            return verdict

        return await self._db.write(decide)

    async def logout(self, request: web.Request) -> web.Response:
        """End this session."""
        self._guard.check_origin(request, form=True)
        guard, session = self._guard, await self._guard.session(request)
        if session is not None:
            address, now, who = guard.address(request), guard.clock(), session.member.id

            def leave(conn: Connection) -> None:
                if sessions.revoke(conn, who, session.id):
                    audit.write(conn, guard.new_id, "logout", now=now, staff=who, subject=who, address=address)

            await self._db.write(leave)
        response = web.Response(status=303, headers={"Location": "/login"})
        response.del_cookie(COOKIE, path="/")
        return response

    async def account(self, request: web.Request) -> web.Response:
        """Own name, password, devices."""
        session = await self._guard.require_session(request)
        return await self._account(request, session, done=DONE.get(request.query.get("done", ""), ""))

    async def _account(
        self, request: web.Request, session: Session, *, status: int = 200, fault: str = "", done: str = ""
    ) -> web.Response:
        now, limits, member = self._guard.clock(), self._guard.limits, session.member
        found = await self._db.read(lambda conn: sessions.of_member(conn, member.id, limits, now))
        devices = [
            {
                "id": one.id,
                "name": _device(one.agent),
                "since": moment_in_words(one.created_at, now),
                "used": moment_in_words(one.seen_at, now),
                "this": one.id == session.id,
            }
            for one in found
        ]
        return shell.render(
            request, "account.html", member, status=status, devices=devices, fault=fault, done=done,
            shortest=accounts.SHORTEST,
        )  # fmt: skip

    async def change_password(self, request: web.Request) -> web.Response:
        """A new password, if the old one is right."""
        self._guard.check_origin(request, form=True)
        guard, session = self._guard, await self._guard.require_session(request)
        form, member = await read_form(request), session.member
        old, new = form.get("old", ""), form.get("new", "")
        fault = _new_password_fault(old, new, form.get("again", ""), member.login)
        if fault:
            return await self._account(request, session, status=400, fault=fault)
        verdict = await self._try(request, member.login, old)
        if verdict.result != "ok":
            fault = WRONG_OLD if verdict.result == "wrong" else _sentence(verdict, guard.clock())
            return await self._account(request, session, status=403, fault=fault)
        async with self._hashing:
            kept = await asyncio.to_thread(accounts.hashed, new)
        address, now = guard.address(request), guard.clock()
        await self._db.write(
            lambda conn: accounts.change_password(conn, guard.new_id, member, kept, session.id, address, now)
        )
        return web.Response(status=303, headers={"Location": "/account?done=password"})

    async def revoke(self, request: web.Request) -> web.Response:
        """Log another device out, or all others."""
        self._guard.check_origin(request, form=True)
        guard, session = self._guard, await self._guard.require_session(request)
        chosen = (await read_form(request)).get("id", "")
        member, address, now = session.member, guard.address(request), guard.clock()

        def end(conn: Connection) -> None:
            if chosen:
                ended = int(sessions.revoke(conn, member.id, chosen))
            else:
                ended = sessions.revoke_all(conn, member.id, but=session.id)
            if ended:
                audit.write(
                    conn, guard.new_id, "session_revoked", now=now, staff=member.id, subject=member.id,
                    detail=str(ended), address=address,
                )  # fmt: skip

        await self._db.write(end)
        return web.Response(status=303, headers={"Location": f"/account?done={'session' if chosen else 'others'}"})


def _first_page(session: Session | None, onward: str) -> str:
    if session is None:
        return "/login"
    return "/account" if session.member.lent else onward or shell.home(session.member)


def _sentence(verdict: Verdict, now: datetime) -> str:
    if verdict.until is not None:
        return LOCKED.format(until=moment_in_words(verdict.until, now))
    if verdict.result == "disabled":
        return DISABLED
    minutes = int(accounts.LOCK.total_seconds()) // 60
    return WRONG + (f"再错{verdict.left}次，账号至少要锁{minutes}分钟。" if verdict.left <= accounts.TRIES // 2 else "")


def _new_password_fault(old: str, new: str, again: str, login: str) -> str:
    if new != again:
        return UNEQUAL
    return SAME_AGAIN if new == old else accounts.password_fault(new, login)


def _device(agent: str) -> str:
    found = [name for mark, name in _DEVICES if mark in agent][:2]
    return "，".join(found) or "别的设备"
