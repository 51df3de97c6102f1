"""`user` and `roster`: who may log in to the workbench, and who is on duty when."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.table import Table

from bot.commands.common import DemoOption, SettingsOption, Write, fail, out, settings_or_fail, writing
from bot.conversation.handoff import subjects
from bot.conversation.turn import LOCAL
from bot.ids import utc_now, uuid7

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from bot.service.staff import Member

T = TypeVar("T")
users = typer.Typer(no_args_is_help=True, help="Accounts of lawyers and staff (律师和工作人员的账号).")
shifts = typer.Typer(no_args_is_help=True, help="The duty roster (值班表).")
ROLES = {"lawyer": "值班律师", "supervisor": "负责人", "staff": "工作人员", "admin": "管理员"}
_LONGEST_RANGE = 366
_WEEKDAYS = "一二三四五六日"
LoginArgument = Annotated[str, typer.Argument(metavar="LOGIN", help="the login name")]
StdinOption = Annotated[bool, typer.Option("--password-stdin", help="read the password from standard input")]
DaysArgument = Annotated[
    list[str], typer.Argument(metavar="DAY…", help="2026-11-23, or a range 2026-11-23..2026-11-27")
]


@users.command("add")
def add_user(
    login: LoginArgument,
    name: Annotated[str, typer.Option(help="as citizens read it, e.g. 张三")],
    role: Annotated[str, typer.Option(help="lawyer, supervisor, staff or admin")] = "lawyer",
    covers: Annotated[str, typer.Option(help="subjects taken first, e.g. labour,family; empty: all")] = "",
    password_stdin: StdinOption = False,
    settings: SettingsOption = None,
    demo: DemoOption = False,
) -> None:
    """Make an account. The password is asked for twice."""
    from bot.service import accounts  # noqa: PLC0415 - so that --help stays quick

    chosen, login = settings_or_fail(settings, demo=demo), accounts.clean_login(login)
    slugs = [slug.strip() for slug in covers.split(",") if slug.strip()]

    with writing(chosen) as write:
        # Before a password is asked for in vain.
        _try(write, lambda conn: accounts.check_new(conn, login, name, role, slugs))
        kept = accounts.hashed(_password(login, from_stdin=password_stdin))
        account = partial(accounts.add, new_id=uuid7, login=login, name=name, role=role, covers=slugs, password=kept)
        _try(write, lambda conn: account(conn, now=utc_now()))
    out.print(f"账号 {login} 已建好：{name.strip()}，{ROLES[role]}。请在 /login 登录。", markup=False)


@users.command("list")
def list_users(settings: SettingsOption = None, demo: DemoOption = False) -> None:
    """Show all accounts."""
    from bot.service import accounts  # noqa: PLC0415 - so that --help stays quick

    with writing(settings_or_fail(settings, demo=demo)) as write:
        found = write(accounts.everyone)
    if not found:
        out.print("还没有账号。建一个：python -m bot user add zhang --name 张三 --role lawyer")
        return
    table = Table("登录名", "姓名", "角色", "先接的事项", "状态")
    for member, locked_until in found:
        covers = "、".join(one.label for one in map(subjects.subject, member.covers) if one) or "全部"
        table.add_row(member.login, member.name, ROLES[member.role], covers, _state(member, locked_until))
    out.print(table)


def _state(member: Member, locked_until: datetime) -> str:
    if member.disabled:
        return "已停用"
    if locked_until > utc_now():
        return f"锁到 {locked_until.astimezone(LOCAL):%m-%d %H:%M}"
    return "在岗" if member.on_duty else "可用"


@users.command("disable")
def disable_user(login: LoginArgument, settings: SettingsOption = None, demo: DemoOption = False) -> None:
    """Shut an account at once: logged out everywhere; citizens it was serving go back to the queue."""
    from bot.service import accounts  # noqa: PLC0415 - so that --help stays quick

    with writing(settings_or_fail(settings, demo=demo)) as write:
        dropped = _try(write, lambda conn: accounts.disable(conn, uuid7, accounts.clean_login(login), utc_now()))
    back = f"正在接待的 {len(dropped)} 位群众已回到排队。" if dropped else ""
    out.print(f"账号 {login} 已停用，所有设备都已退出。{back}", markup=False)


@users.command("enable")
def enable_user(login: LoginArgument, settings: SettingsOption = None, demo: DemoOption = False) -> None:
    """Open a disabled or locked account again."""
    from bot.service import accounts  # noqa: PLC0415 - so that --help stays quick

    with writing(settings_or_fail(settings, demo=demo)) as write:
        _try(write, lambda conn: accounts.enable(conn, uuid7, accounts.clean_login(login), utc_now()))
    out.print(f"账号 {login} 可以登录了。", markup=False)


@users.command("passwd")
def change_password(
    login: LoginArgument, password_stdin: StdinOption = False, settings: SettingsOption = None, demo: DemoOption = False
) -> None:
    """Give an account a new password; it is logged out everywhere, and a lock is opened."""
    from bot.service import accounts  # noqa: PLC0415 - so that --help stays quick

    login = accounts.clean_login(login)
    with writing(settings_or_fail(settings, demo=demo)) as write:
        _try(write, lambda conn: accounts.by_login(conn, login))
        password = accounts.hashed(_password(login, from_stdin=password_stdin))
        _try(write, lambda conn: accounts.set_password(conn, uuid7, login, password, utc_now()))
    out.print(f"账号 {login} 的密码已改好，所有设备都要重新登录。", markup=False)


@shifts.command("add")
def add_shifts(
    login: LoginArgument, days: DaysArgument, settings: SettingsOption = None, demo: DemoOption = False
) -> None:
    """Put a lawyer down for days."""
    from bot.service import accounts, roster  # noqa: PLC0415 - so that --help stays quick

    chosen = _days(days)

    def put_down(conn: Connection) -> tuple[str, int]:
        member = accounts.by_login(conn, accounts.clean_login(login))
        return member.name, roster.assign(conn, uuid7, member, chosen, utc_now())

    with writing(settings_or_fail(settings, demo=demo)) as write:
        name, added = _try(write, put_down)
    old = f"（另有 {len(chosen) - added} 天早已排上）" if added < len(chosen) else ""
    out.print(f"{name}新排上 {added} 天{old}。", markup=False)


@shifts.command("remove")
def remove_shifts(
    login: LoginArgument, days: DaysArgument, settings: SettingsOption = None, demo: DemoOption = False
) -> None:
    """Take a lawyer off days."""
    from bot.service import accounts, roster  # noqa: PLC0415 - so that --help stays quick

    chosen = _days(days)

    def take_off(conn: Connection) -> tuple[str, int]:
        member = accounts.by_login(conn, accounts.clean_login(login))
        return member.name, roster.withdraw(conn, uuid7, member, chosen, utc_now())

    with writing(settings_or_fail(settings, demo=demo)) as write:
        name, removed = _try(write, take_off)
    out.print(f"{name}取消了 {removed} 天。" if removed else f"{name}这几天本来就没有排班。", markup=False)


@shifts.command("list")
def list_shifts(
    month: Annotated[str, typer.Option(help="month, like 2026-11; default: this month")] = "",
    settings: SettingsOption = None,
    demo: DemoOption = False,
) -> None:
    """Show who is down for which day of a month."""
    from bot.service import roster  # noqa: PLC0415 - so that --help stays quick

    month = month or f"{utc_now().astimezone(LOCAL):%Y-%m}"
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month):
        fail(f"--month：{month} 不是月份，请写成 2026-11 的样子。")
    first = date.fromisoformat(f"{month}-01")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    with writing(settings_or_fail(settings, demo=demo)) as write:
        found = write(lambda conn: roster.between(conn, first, last))
    if not found:
        out.print(f"{month} 还没有排班。", markup=False)
    for day, members in found:
        names = "、".join(one.name + ("（已停用）" if one.disabled else "") for one in members)
        out.print(f"{day} 星期{_WEEKDAYS[day.weekday()]}  {names}", markup=False)


def _days(texts: Sequence[str]) -> list[date]:
    found: list[date] = []
    for text in texts:
        start, dots, end = text.partition("..")
        try:
            first = date.fromisoformat(start)
            last = date.fromisoformat(end) if dots else first
        except ValueError:
            fail(f"{text} 不是日期，请写成 2026-11-23，或一段日子 2026-11-23..2026-11-27。")
        if not 0 <= (last - first).days < _LONGEST_RANGE:
            fail(f"{text}：开始不能晚于结束，一次最多排一年。")
        found += [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return sorted(set(found))


def _password(login: str, *, from_stdin: bool) -> str:
    from bot.service.accounts import SHORTEST, password_fault  # noqa: PLC0415 - so that --help stays quick

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt(f"密码（至少{SHORTEST}个字符，输入时不显示）", hide_input=True)
        if typer.prompt("再输一遍", hide_input=True) != password:
            fail("两次输的密码不一样，什么都没有改。")
    if fault := password_fault(password, login):
        fail(fault)
    return password


def _try(write: Write, fn: Callable[[Connection], T]) -> T:
    """Write; what cannot be done is said in one line."""
    from bot.service.accounts import AccountError  # noqa: PLC0415 - so that --help stays quick
    from bot.service.handoffs import ChangedError  # noqa: PLC0415

    try:
        return write(fn)
    except AccountError as error:
        fail(str(error))
    except ChangedError:
        fail("刚才正好有人在操作同一位群众，什么都没有改，请再执行一次。")
