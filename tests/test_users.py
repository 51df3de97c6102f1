"""Accounts and the duty roster from the command line, and their rules on both engines."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from typer.testing import CliRunner

from bot.commands.cli import app
from bot.conversation.handoff.machine import Event
from bot.conversation.turn import Inbound, Library
from bot.service import accounts, handling, handoffs, roster, sessions
from bot.service.sessions import Limits
from bot.service.turns import Office, take
from bot.store.database import Database
from tests.platform import Clock
from tests.support import Numbers

Rows = Callable[[Any, str], list[Any]]
PASSWORD = "a-long-enough-one"
ADD = ("user", "add", "zhang", "--name", "张三", "--password-stdin")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database that the commands use."""
    monkeypatch.setenv("FAWEN_DATABASE_URL", found := f"sqlite:///{tmp_path}/fawen.db")
    return found


def run(*arguments: str, typed: str = f"{PASSWORD}\n") -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout + result.stderr


def test_an_account_is_made_listed_disabled_enabled(url: str, rows: Rows) -> None:
    assert "还没有账号" in run("user", "list")[1]
    code, said = run(*ADD, "--role", "lawyer", "--covers", "labour, family")
    assert (code, "账号 zhang 已建好：张三，值班律师" in said) == (0, True)
    listed = run("user", "list")[1]
    assert all(word in listed for word in ("zhang", "张三", "值班律师", "工资工伤、婚姻家庭", "可用"))
    assert run("user", "disable", "Zhang")[0] == 0
    assert "已停用" in run("user", "list")[1]
    assert "已经是停用的" in run("user", "disable", "zhang")[1]
    assert run("user", "enable", "zhang")[0] == 0
    assert "可用" in run("user", "list")[1]
    actions = rows(url, "SELECT action, staff_id FROM audit ORDER BY id")
    assert actions == [("account_added", None), ("account_disabled", None), ("account_enabled", None)]
    assert PASSWORD not in str(rows(url, "SELECT * FROM staff"))


def test_the_password_is_asked_for_twice(url: str) -> None:
    code, said = run("user", "add", "zhang", "--name", "张三", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert code == 0
    assert PASSWORD not in said
    code, said = run("user", "passwd", "zhang", typed=f"{PASSWORD}\nanother-one\n")
    assert (code, "两次输的密码不一样" in said) == (2, True)


def test_a_new_password_counts_and_logs_out(url: str, rows: Rows) -> None:
    run(*ADD)
    before = rows(url, "SELECT password FROM staff")[0][0]
    assert run("user", "passwd", "zhang", "--password-stdin", typed="another-long-one\n")[0] == 0
    after = rows(url, "SELECT password FROM staff")[0][0]
    assert accounts.matches(before, PASSWORD)
    assert accounts.matches(after, "another-long-one")
    assert not accounts.matches(after, PASSWORD)
    assert after.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("arguments", "typed", "said"),
    [
        (ADD, "short\n", "至少要10个字符"),
        (ADD, "", "至少要10个字符"),
        (("user", "add", "zhangsanfeng", "--name", "张", "--password-stdin"), "zhangsanfeng\n", "和登录名一样"),
        ((*ADD, "--role", "boss"), PASSWORD, "没有这种角色：boss"),
        ((*ADD, "--covers", "labour,magic"), PASSWORD, "没有这类事项：magic。可以是 labour（工资工伤）"),
        (("user", "add", "张三", "--name", "张三", "--password-stdin"), PASSWORD, "登录名要用小写字母开头"),
        (("user", "add", "zhang", "--name", " ", "--password-stdin"), PASSWORD, "姓名要填"),
        (("user", "disable", "nobody"), "", "没有登录名是 nobody 的账号"),
        (("user", "enable", "nobody"), "", "没有登录名是 nobody 的账号"),
        (("user", "passwd", "nobody"), "", "没有登录名是 nobody 的账号"),
        (("roster", "add", "nobody", "2026-11-23"), "", "没有登录名是 nobody 的账号"),
        (("roster", "add", "zhang", "2026-13-01"), "", "2026-13-01 不是日期"),
        (("roster", "add", "zhang", "明天"), "", "明天 不是日期"),
        (("roster", "add", "zhang", "2026-11-27..2026-11-23"), "", "开始不能晚于结束"),
        (("roster", "add", "zhang", "2026-01-01..2036-01-01"), "", "一次最多排一年"),
        (("roster", "list", "--month", "2026-13"), "", "2026-13 不是月份"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    url: str, arguments: tuple[str, ...], typed: str, said: str, rows: Rows
) -> None:
    code, text = run(*arguments, typed=typed)
    assert code == 2
    assert said in text
    assert len(text.strip().splitlines()) == 1
    assert "Traceback" not in text
    assert sa.inspect(sa.create_engine(url)).get_table_names() == [] or rows(url, "SELECT id FROM staff") == []


def test_two_accounts_cannot_share_a_login(url: str) -> None:
    run(*ADD)
    assert "登录名 zhang 已经有人用了" in run(*ADD)[1]


def test_the_roster_is_made_and_shown(url: str) -> None:
    run(*ADD)
    run("user", "add", "li", "--name", "李四", "--password-stdin")
    assert "新排上 5 天。" in run("roster", "add", "zhang", "2026-11-23..2026-11-27")[1]
    assert "新排上 1 天（另有 1 天早已排上）" in run("roster", "add", "zhang", "2026-11-27", "2026-11-30")[1]
    run("roster", "add", "li", "2026-11-23", "2026-12-01")
    listed = run("roster", "list", "--month", "2026-11")[1].splitlines()
    assert listed[0] == "2026-11-23 星期一  李四、张三"
    assert len(listed) == 6
    assert "取消了 2 天" in run("roster", "remove", "zhang", "2026-11-23..2026-11-24")[1]
    assert "本来就没有" in run("roster", "remove", "zhang", "2026-11-24")[1]
    assert run("roster", "list", "--month", "2027-01")[1] == "2027-01 还没有排班。\n"


def test_only_those_who_see_citizens_are_put_down(url: str) -> None:
    run("user", "add", "wang", "--name", "王五", "--role", "staff", "--password-stdin")
    assert "不接待群众" in run("roster", "add", "wang", "2026-11-23")[1]
    run(*ADD)
    run("user", "disable", "zhang")
    assert "已停用，不能排班" in run("roster", "add", "zhang", "2026-11-23")[1]


# Both engines


async def _made(db: Database, new_id: Numbers, clock: Clock, login: str = "zhang") -> str:
    kept = accounts.hashed(PASSWORD)
    return await db.write(
        lambda conn: accounts.add(
            conn, new_id, login=login, name="张三", role="lawyer", covers=["labour"], password=kept, now=clock()
        )
    )


async def test_failures_lock_known_and_unknown_alike(db: Database, new_id: Numbers, clock: Clock) -> None:
    await _made(db, new_id, clock)

    async def wrong(login: str) -> accounts.Verdict:
        return await db.write(lambda conn: accounts.judge(conn, new_id, login, "", "", clock(), right=False))

    for _ in range(11):
        known, unknown = await wrong("zhang"), await wrong("nobody")
        assert known == unknown
        clock.advance(301)


async def test_a_password_changed_meanwhile_does_not_let_in(db: Database, new_id: Numbers, clock: Clock) -> None:
    await _made(db, new_id, clock)
    old = await db.read(lambda conn: accounts.kept_password(conn, "zhang"))
    await db.write(lambda conn: accounts.set_password(conn, new_id, "zhang", accounts.hashed("another-one"), clock()))
    verdict = await db.write(lambda conn: accounts.judge(conn, new_id, "zhang", old, "", clock(), right=True))
    assert verdict.result == "wrong"


def _start(token: str, who: str, now: datetime, conn: Connection) -> None:
    sessions.start(conn, token, who, "a\x00" * 500, Limits(), now)


async def test_sessions_live_and_end(db: Database, new_id: Numbers, clock: Clock) -> None:
    who, limits = await _made(db, new_id, clock), Limits()
    tokens = [sessions.new_token() for _ in range(3)]
    for token in tokens:
        await db.write(partial(_start, token, who, clock()))
    found = await db.read(lambda conn: sessions.find(conn, tokens[0], limits, clock()))
    assert found is not None
    assert (found.member.login, found.created_at) == ("zhang", clock())
    assert await db.read(lambda conn: sessions.find(conn, "no such", limits, clock())) is None
    assert not await db.write(lambda conn: sessions.revoke(conn, "somebody else", found.id))
    assert await db.write(lambda conn: sessions.revoke_all(conn, who, but=found.id)) == 2
    assert len(await db.read(lambda conn: sessions.of_member(conn, who, limits, clock()))) == 1
    clock.advance(12 * 3600)
    assert await db.read(lambda conn: sessions.find(conn, tokens[0], limits, clock())) is None


async def test_disabling_gives_citizens_back_to_the_queue(
    db: Database, new_id: Numbers, clock: Clock, library: Library
) -> None:
    who, office = await _made(db, new_id, clock), Office(library, new_id)
    for number, text in enumerate(("转人工", "跳过", "跳过")):
        inbound = Inbound("wechat", "o1", f"m{number}", "text", clock(), text=text)
        await db.write(partial(take, office=office, inbound=inbound, now=clock()))
    handoff = (await db.read(handoffs.open_ones))[0]
    await db.write(lambda conn: handling.happen(conn, new_id, handoff.id, Event("claim", by=who), clock()))
    token = sessions.new_token()
    await db.write(lambda conn: sessions.start(conn, token, who, "", Limits(), clock()))
    changed = await db.write(lambda conn: accounts.disable(conn, new_id, "zhang", clock()))
    assert [(one.after.state, one.after.lawyer) for one in changed] == [("waiting", "")]
    assert await db.read(lambda conn: sessions.find(conn, token, Limits(), clock())) is None


async def test_the_roster_on_both_engines(db: Database, new_id: Numbers, clock: Clock) -> None:
    who, days = await _made(db, new_id, clock), [date(2026, 11, 23), date(2026, 11, 24)]
    assert await db.write(lambda conn: roster.add(conn, new_id, who, days)) == 2
    assert await db.write(lambda conn: roster.add(conn, new_id, who, days)) == 0
    assert await db.write(lambda conn: roster.remove(conn, who, days[:1])) == 1
    found = await db.read(lambda conn: roster.between(conn, *days))
    assert [(day, [one.login for one in members]) for day, members in found] == [(days[1], ["zhang"])]


def test_an_unknown_login_takes_as_much_work_as_a_wrong_password() -> None:
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(lambda kept: accounts.matches(kept, "x"), ["", "", "no hash at all"])) == [False] * 3
    assert not accounts.matches("", "nobody's password")
