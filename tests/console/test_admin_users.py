"""Accounts at /console/admin/users."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from bot.service import accounts
from bot.service.accounts import AccountError
from bot.service.audit import By
from bot.store.database import Database
from tests.console.admin import Clerk, clerk
from tests.console.helpers import browsing, log_in
from tests.console.office import hire, lawyer, visitor
from tests.platform import Clock
from tests.support import Bot, Numbers

Rows = Callable[[Any, str], list[Any]]
NEW: dict[str, Any] = {
    "login": "Zhang",
    "name": "张三",
    "role": "lawyer",
    "covers": ["labour", "family"],
    "centre": "城关镇站",
}
OWN = "我自己想的密码2026"


async def add(boss: Clerk, **changed: str) -> tuple[str, str]:
    """Id and starting password of a new account."""
    status, page = await boss.do("/users", NEW | changed)
    assert status == 200, page
    password = re.search(r'class="password">([^<]+)<', page)
    number = re.search(r"/console/admin/users/([\w-]+)", page.partition("抄好了")[0].rpartition("href")[2])
    assert password
    assert number
    return number[1], password[1]


async def test_a_starting_password_is_shown_once_and_must_be_changed(
    bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    async with clerk(bot, engine, clock) as boss:
        number, password = await add(boss)
        assert re.fullmatch(r"[2-9a-hjkmnp-z]{4}(-[2-9a-hjkmnp-z]{4}){2}", password)
        for path in ("/users", f"/users/{number}", "/audit"):
            assert password not in await boss.see(path)
        assert "还没改起始密码" in await boss.words("/users")
        async with browsing(bot) as phone:
            assert (await log_in(phone, "zhang", password))[:2] == (303, "/account")
            async with phone.get("/workbench", allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (303, "/account")
            async with phone.get("/workbench/api/overview", headers={"Accept": "*/*"}) as answer:
                assert answer.status == 403
            form = {"old": password, "new": OWN, "again": OWN}
            async with phone.post("/account/password", data=form, allow_redirects=False) as answer:
                assert answer.headers["Location"] == "/account?done=password"
            async with phone.get("/workbench", allow_redirects=False) as answer:
                assert answer.status == 200
    kept = rows(bot.settings, "SELECT login, name, role, covers, centre, lent_at FROM staff WHERE login = 'zhang'")
    assert kept == [("zhang", "张三", "lawyer", '["labour","family"]', "城关镇站", None)]
    assert rows(bot.settings, "SELECT staff_id, detail FROM audit WHERE action = 'account_added'") == [
        ("staff-boss", "zhang，值班律师")
    ]
    assert password not in str(rows(bot.settings, "SELECT * FROM audit"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"login": "张三"}, "登录名要用小写字母开头"),
        ({"login": "boss"}, "已经有人用了"),
        ({"name": " "}, "姓名要填"),
        ({"name": "长" * 6_000}, "姓名要填"),
        ({"name": "长" * 10_000}, "填的内容太长了"),
        ({"name": "行\n行"}, "姓名要填"),
        ({"role": "king"}, "没有这种角色"),
        ({"covers": "magic"}, "没有这类事项"),
        ({"centre": "站" * 65}, "最多64个字"),
    ],
)
async def test_what_cannot_be_an_account_is_said_and_what_was_typed_stays(
    bot: Bot, engine: sa.Engine, clock: Clock, changed: dict[str, str], said: str, rows: Rows
) -> None:
    async with clerk(bot, engine, clock) as boss:
        status, page = await boss.do("/users", NEW | changed)
        assert (status, said in page) == (400, True)
        assert ('value="城关镇站"' in page) is (said != "填的内容太长了" and "centre" not in changed)
    assert rows(bot.settings, "SELECT login FROM staff") == [("boss",)]


async def test_names_are_text_whatever_they_look_like(bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows) -> None:
    async with clerk(bot, engine, clock) as boss:
        await add(boss, name="<b>=1+1</b>\x00")
        shown = await boss.see("/users")
        assert "&lt;b&gt;=1+1&lt;/b&gt;" in shown
        assert "<b>=1+1" not in shown
    assert rows(bot.settings, "SELECT name FROM staff WHERE login = 'zhang'") == [("<b>=1+1</b>",)]


async def test_an_account_is_disabled_enabled_unlocked_reset_and_logged_out(
    bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    async with clerk(bot, engine, clock) as boss, browsing(bot) as phone:
        number, password = await add(boss)
        for _ in range(5):
            await log_in(phone, "zhang", "wrong-password")
        assert (await log_in(phone, "zhang", password))[0] == 403
        assert "锁到" in await boss.words("/users")
        assert (await boss.do(f"/users/{number}/unlock"))[0] == 303
        assert (await log_in(phone, "zhang", password))[0] == 303
        assert "1台" in await boss.words(f"/users/{number}")
        await boss.do(f"/users/{number}/sessions")
        async with phone.get("/account", allow_redirects=False) as answer:
            assert answer.headers["Location"].startswith("/login")
        _, page = await boss.do(f"/users/{number}/password")
        assert (await log_in(phone, "zhang", password))[0] == 403
        found = re.search(r'class="password">([^<]+)<', page)
        assert found
        assert (await log_in(phone, "zhang", found[1]))[0] == 303
        await boss.do(f"/users/{number}/disable")
        assert (await log_in(phone, "zhang", found[1]))[0] == 403
        assert "已经是停用的" in (await boss.do(f"/users/{number}/disable"))[1]
        await boss.do(f"/users/{number}/enable")
        assert (await log_in(phone, "zhang", found[1]))[0] == 303
    done = rows(bot.settings, "SELECT action FROM audit WHERE staff_id = 'staff-boss' ORDER BY id")
    assert [one[0] for one in done] == [
        "account_added", "account_unlocked", "session_revoked", "password_set", "account_disabled", "account_enabled",
    ]  # fmt: skip


async def test_who_serves_no_longer_gives_citizens_back(bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows) -> None:
    async with (
        clerk(bot, engine, clock) as boss,
        lawyer(bot, engine, clock, "li") as li,
        visitor(bot) as citizen,
    ):
        await citizen.say("单位拖欠工资怎么办")
        await citizen.say("转人工")
        handoff = (await li.call("/overview"))[1]["handoffs"][0]["id"]
        assert (await li.move(handoff, "claim"))[0] == 200
        form = {"name": "李四", "role": "staff", "centre": ""}
        assert (await boss.do("/users/staff-li", form))[0] == 303
        assert (await li.call("/overview"))[0] == 403
    assert rows(bot.settings, "SELECT state, lawyer_id FROM handoffs") == [("waiting", None)]
    assert rows(bot.settings, "SELECT name, role, on_duty FROM staff WHERE id = 'staff-li'") == [("李四", "staff", 0)]
    assert (
        "角色 值班律师 → 工作人员"
        in rows(bot.settings, "SELECT detail FROM audit WHERE action = 'account_changed'")[0][0]
    )


async def test_an_administrator_puts_out_neither_themselves_nor_the_last(
    bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    demoted = {"name": "boss", "role": "staff", "centre": ""}
    async with clerk(bot, engine, clock) as boss:
        hire(engine, "other", clock, role="admin")
        assert "不能停用自己" in (await boss.do("/users/staff-boss/disable"))[1]
        assert "不能改自己的角色" in (await boss.do("/users/staff-boss", demoted))[1]
        assert (await boss.do("/users/staff-boss", demoted | {"name": "王管理", "role": "admin"}))[0] == 303
        assert (await boss.do("/users/staff-other", demoted))[0] == 303
    assert rows(bot.settings, "SELECT login, name, role FROM staff ORDER BY login") == [
        ("boss", "王管理", "admin"),
        ("other", "boss", "staff"),
    ]


async def test_two_administrators_cannot_put_each_other_out(db: Database, new_id: Numbers, clock: Clock) -> None:
    def made(conn: sa.Connection, login: str) -> str:
        return accounts.add(conn, new_id, login=login, name=login, role="admin", covers=(), password="x", now=clock())

    first, second = [await db.write(partial(made, login=login)) for login in ("first", "second")]

    def put_out(conn: sa.Connection, login: str, by: str) -> None:
        accounts.disable(conn, new_id, login, clock(), By(by))

    tries = [db.write(partial(put_out, login="second", by=first)), db.write(partial(put_out, login="first", by=second))]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(one) for one in done].count(AccountError) == 1
    left = await db.read(accounts.everyone)
    assert [one.disabled for one, _ in left].count(False) == 1
    alone = next(one.login for one, _ in left if not one.disabled)
    with pytest.raises(AccountError, match="最后一位管理员"):
        await db.write(lambda conn: accounts.disable(conn, new_id, alone, clock()))
