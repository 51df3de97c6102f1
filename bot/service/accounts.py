"""Accounts of staff: made, disabled, logged in to. Passwords are kept as argon2id, wrong ones lock the account."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, cast, get_args

import msgspec
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.engine import Connection

from bot.conversation.handoff import subjects
from bot.ids import NewId
from bot.service import audit, handling, sessions
from bot.service.audit import COMMAND_LINE, By
from bot.service.handoffs import Changed
from bot.service.staff import COUNSEL, ROLE_NAMES, Member, Role, read_row
from bot.store.tables import audit as log
from bot.store.tables import staff
from bot.store.times import from_ms, to_ms

# 19 MiB and two passes, some 30 ms: what OWASP asks at least, and what a server with 2 GB bears several times at once.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
TRIES = 5
LOCK, LONGEST_LOCK = timedelta(minutes=15), timedelta(days=1)
SHORTEST, LONGEST, FEWEST_KINDS = 10, 128, 4
DEMO_PASSWORD = "fawen-demo-2026"  # noqa: S105 - public, and only used where settings.demo keeps the door shut
_DEMO: tuple[tuple[str, str, Role], ...] = (
    ("zhang", "张律师", "lawyer"),
    ("li", "李律师", "lawyer"),
    ("zhuren", "王主任", "supervisor"),
)
_LOGIN = re.compile(r"[a-z][a-z0-9._-]{1,31}")
_NAME, _CENTRE = 32, 64
# Without what looks alike on paper: 0 o, 1 l i.
_READABLE = "23456789abcdefghjkmnpqrstuvwxyz"
_t = staff.c


class AccountError(Exception):
    """It cannot be done; the message is a sentence for the person."""


class Verdict(msgspec.Struct, frozen=True):
    """What a try to log in came to. `left`: tries until the lock; `until`: when it opens again."""

    result: Literal["ok", "wrong", "locked", "disabled"]
    staff: str = ""
    left: int = 0
    until: datetime | None = None


def hashed(password: str) -> str:
    """The password's hash. Slow on purpose: never on the event loop, never in a transaction."""
    return _HASHER.hash(password)


def matches(kept: str, password: str) -> bool:
    """Whether this is the password. As slow where there is none to compare with (`kept` empty), and as unsuccessful."""
    try:
        _HASHER.verify(kept or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept != ""


@cache
def _nobody() -> str:
    return hashed("nobody's password")


def password_fault(password: str, login: str) -> str:
    """What is wrong with a new password, as a sentence; empty if nothing is."""
    if len(password) < SHORTEST:
        return f"密码太短，至少要{SHORTEST}个字符。"
    if len(password) > LONGEST:
        return f"密码太长，最多{LONGEST}个字符。"
    if password.strip().casefold() == login.casefold():
        return "密码不能和登录名一样。"
    if len(set(password)) < FEWEST_KINDS:
        return "密码太简单，请不要总是重复同样的几个字符。"
    return ""


def starting_password(choose: Callable[[str], str] = secrets.choice) -> str:
    """A password to hand over once, on paper or by telephone: abcd-efgh-jkmn, some 59 bits."""
    return "-".join("".join(choose(_READABLE) for _ in range(4)) for _ in range(3))


def clean_login(login: str) -> str:
    """A login as it is kept, however it was typed."""
    return login.strip().lower().replace("\x00", "")


def check_new(conn: Connection, login: str, name: str, role: str, covers: Sequence[str], centre: str = "") -> None:
    """AccountError if there cannot be such a new account."""
    if not _LOGIN.fullmatch(login):
        raise AccountError("登录名要用小写字母开头，2到32个小写字母、数字、点、横线。")
    _check(name, role, covers, centre)
    if _row(conn, login) is not None:
        raise AccountError(f"登录名 {login} 已经有人用了。")


def _check(name: str, role: str, covers: Sequence[str], centre: str) -> None:
    if not name.strip() or len(name) > _NAME or not name.isprintable():
        raise AccountError(f"姓名要填，最多{_NAME}个字。")
    if role not in get_args(Role):
        raise AccountError(f"没有这种角色：{role}。可以是 {'、'.join(get_args(Role))}。")
    unknown = [slug for slug in covers if subjects.subject(slug) is None]
    if unknown:
        known = "、".join(f"{one.slug}（{one.label}）" for one in (*subjects.SUBJECTS, subjects.OTHER))
        raise AccountError(f"没有这类事项：{'、'.join(unknown)}。可以是 {known}。")
    if len(centre) > _CENTRE or not centre.isprintable():
        raise AccountError(f"服务站点的名称最多{_CENTRE}个字。")


def add(
    conn: Connection,
    new_id: NewId,
    *,
    login: str,
    name: str,
    role: str,
    covers: Sequence[str],
    password: str,
    now: datetime,
    centre: str = "",
    lent: bool = False,
    by: By = COMMAND_LINE,
) -> str:
    """Make an account; `password` is the hash, `lent` says that they must change it. AccountError names what is wrong."""
    check_new(conn, login, name, role, covers, centre)
    staff_id = new_id()
    conn.execute(
        sa.insert(staff).values(
            id=staff_id,
            login=login,
            name=name.strip(),
            role=role,
            password=password,
            covers=_listed(covers),
            centre=centre.strip(),
            lent_at=to_ms(now) if lent else None,
            on_duty=False,
            seen_at=0,
            citizen_id=None,
            attending="",
            failures=0,
            locked_until=0,
            disabled_at=None,
            created_at=to_ms(now),
        )
    )
    by.write(conn, new_id, "account_added", now, subject=staff_id, detail=f"{login}，{ROLE_NAMES[cast('Role', role)]}")
    return staff_id


def everyone(conn: Connection) -> list[tuple[Member, datetime]]:
    """All accounts by login, each with the time until which it is locked."""
    rows = conn.execute(sa.select(staff).order_by(_t.login))
    return [(read_row(row), from_ms(row.locked_until)) for row in rows]


def by_login(conn: Connection, login: str) -> Member:
    """The account of this login; AccountError if there is none."""
    row = _row(conn, login)
    if row is None:
        raise AccountError(f"没有登录名是 {login} 的账号。")
    return read_row(row)


def change(
    conn: Connection,
    new_id: NewId,
    login: str,
    *,
    name: str,
    role: Role,
    covers: Sequence[str],
    centre: str,
    now: datetime,
    by: By = COMMAND_LINE,
) -> list[Changed]:
    """Change who somebody is. Who serves citizens no longer gives them back to the queue."""
    member = by_login(conn, login)
    _check(name, role, covers, centre)
    leaves = member.role in COUNSEL and role not in COUNSEL
    if role != member.role and member.role == "admin":
        _must_not_be_the_last(conn, member, by, "不能改自己的角色")
    values = {"name": name.strip(), "role": role, "covers": _listed(covers), "centre": centre.strip()}
    before = _in_words(member.name, member.role, member.covers, member.centre)
    after = _in_words(name.strip(), role, covers, centre.strip())
    told = "；".join(f"{key} {before[key]} → {value}" for key, value in after.items() if value != before[key])
    if not told:
        return []
    gone = {"on_duty": False, "attending": "", "citizen_id": None} if leaves else {}
    conn.execute(sa.update(staff).where(_t.id == member.id).values(**values, **gone))
    by.write(conn, new_id, "account_changed", now, subject=member.id, detail=f"{login}：{told}")
    return handling.drop_lawyer(conn, new_id, member.id, now) if leaves else []


def _in_words(name: str, role: Role, covers: Sequence[str], centre: str) -> dict[str, str]:
    labels = "、".join(one.label for one in map(subjects.subject, covers) if one)
    return {"姓名": name, "角色": ROLE_NAMES[role], "先接": labels or "全部", "站点": centre or "县里"}


def _must_not_be_the_last(conn: Connection, member: Member, by: By, not_oneself: str) -> None:
    """AccountError if nobody could administer after this administrator is gone, or if it is oneself."""
    if by.staff == member.id:
        raise AccountError(f"{not_oneself}，请另一位管理员来操作。")
    # Locked: two administrators who put each other out at the same moment must not both succeed.
    statement = sa.select(_t.id).where(_t.role == "admin", _t.disabled_at.is_(None)).order_by(_t.id)
    if set(conn.execute(statement.with_for_update()).scalars()) == {member.id}:
        raise AccountError("这是最后一位管理员，请先另设一位管理员。")


def disable(conn: Connection, new_id: NewId, login: str, now: datetime, by: By = COMMAND_LINE) -> list[Changed]:
    """Shut an account: logged out everywhere, and who they were serving goes back to the queue."""
    member = by_login(conn, login)
    if member.disabled:
        raise AccountError(f"账号 {login} 已经是停用的。")
    if member.role == "admin":
        _must_not_be_the_last(conn, member, by, "不能停用自己")
    conn.execute(sa.update(staff).where(_t.id == member.id).values(disabled_at=to_ms(now), on_duty=False, attending=""))
    sessions.revoke_all(conn, member.id)
    by.write(conn, new_id, "account_disabled", now, subject=member.id, detail=login)
    return handling.drop_lawyer(conn, new_id, member.id, now)


def enable(conn: Connection, new_id: NewId, login: str, now: datetime, by: By = COMMAND_LINE) -> None:
    """Open an account again: disabled or locked, it is neither any more."""
    member = by_login(conn, login)
    conn.execute(sa.update(staff).where(_t.id == member.id).values(disabled_at=None, failures=0, locked_until=0))
    by.write(conn, new_id, "account_enabled", now, subject=member.id, detail=login)


def unlock(conn: Connection, new_id: NewId, login: str, now: datetime, by: By = COMMAND_LINE) -> None:
    """Let somebody try again who mistyped the password too often; a disabled account stays so."""
    member = by_login(conn, login)
    conn.execute(sa.update(staff).where(_t.id == member.id).values(failures=0, locked_until=0))
    by.write(conn, new_id, "account_unlocked", now, subject=member.id, detail=login)


def log_out(conn: Connection, new_id: NewId, login: str, now: datetime, by: By = COMMAND_LINE) -> int:
    """End all sessions of an account; how many there were."""
    member = by_login(conn, login)
    ended = sessions.revoke_all(conn, member.id)
    by.write(conn, new_id, "session_revoked", now, subject=member.id, detail=str(ended))
    return ended


def set_password(
    conn: Connection,
    new_id: NewId,
    login: str,
    password: str,
    now: datetime,
    *,
    lent: bool = False,
    by: By = COMMAND_LINE,
) -> None:
    """Give an account a new password (its hash): logged out everywhere, the lock is open; `lent`: to be changed first."""
    member = by_login(conn, login)
    values = {"password": password, "failures": 0, "locked_until": 0, "lent_at": to_ms(now) if lent else None}
    conn.execute(sa.update(staff).where(_t.id == member.id).values(**values))
    sessions.revoke_all(conn, member.id)
    by.write(conn, new_id, "password_set", now, subject=member.id, detail=login)


def change_password(
    conn: Connection, new_id: NewId, member: Member, password: str, session: str, address: str, now: datetime
) -> None:
    """Their own new password (its hash), after the old one was checked: logged out everywhere but here."""
    conn.execute(sa.update(staff).where(_t.id == member.id).values(password=password, lent_at=None))
    sessions.revoke_all(conn, member.id, but=session)
    audit.write(conn, new_id, "password_changed", now=now, staff=member.id, subject=member.id, address=address)


def kept_password(conn: Connection, login: str) -> str:
    """The hash to compare with; empty for an unknown login."""
    row = _row(conn, login)
    return "" if row is None else str(row.password)


def judge(
    conn: Connection,
    new_id: NewId,
    login: str,
    compared: str,
    address: str,
    now: datetime,
    *,
    right: bool,
    act: str = "login",
) -> Verdict:
    """Decide a try to log in, or to prove it is oneself (`act`), and put it on record.

    `right` says whether the password fitted the hash `compared`. An unknown login fares like a wrong password, lock
    included, so that nobody can find out which logins there are.
    """
    row = _row(conn, login, lock=True)
    staff_id, subject = ("", _stranger(login)) if row is None else (row.id, row.id)

    def record(action: str) -> None:
        audit.write(conn, new_id, action, now=now, staff=staff_id, subject=subject, address=address)

    failures, until = _stranger_failures(conn, subject) if row is None else (row.failures, from_ms(row.locked_until))
    if until > now:
        record(f"{act}_locked")
        return Verdict("locked", until=until)
    if row is not None and right and compared == row.password:
        if row.disabled_at is not None:
            record(f"{act}_disabled")
            return Verdict("disabled")
        conn.execute(sa.update(staff).where(_t.id == row.id).values(failures=0, locked_until=0))
        record(act)
        return Verdict("ok", staff=row.id)
    record(f"{act}_failed")
    failures += 1
    until = now + lock_of(failures)
    if row is not None:
        conn.execute(sa.update(staff).where(_t.id == row.id).values(failures=failures, locked_until=to_ms(until)))
    return Verdict("locked", until=until) if until > now else Verdict("wrong", left=TRIES - failures % TRIES)


def lock_of(failures: int) -> timedelta:
    """How long so many wrong passwords in a row lock an account: at every fifth, and each time twice as long."""
    if not failures or failures % TRIES:
        return timedelta()
    doubled: int = 2 ** min(failures // TRIES - 1, 10)
    return min(LOCK * doubled, LONGEST_LOCK)


def demonstration(conn: Connection, new_id: NewId, password: str, now: datetime) -> None:
    """The accounts of the demonstration, where there is none at all."""
    if conn.execute(sa.select(sa.func.count()).select_from(staff)).scalar_one() == 0:
        for login, name, role in _DEMO:
            add(conn, new_id, login=login, name=name, role=role, covers=(), password=password, now=now)


def _listed(covers: Sequence[str]) -> str:
    return msgspec.json.encode(list(dict.fromkeys(covers))).decode()


def _row(conn: Connection, login: str, *, lock: bool = False) -> Any:
    statement = sa.select(staff).where(_t.login == login)
    return conn.execute(statement.with_for_update() if lock else statement).first()


def _stranger(login: str) -> str:
    # Not the words themselves: people type their password into the wrong field.
    return f"?{hashlib.sha256(login.encode()).hexdigest()[:12]}"


def _stranger_failures(conn: Connection, subject: str) -> tuple[int, datetime]:
    """Wrong tries under a login that nobody has, and until when they lock it."""
    statement = sa.select(sa.func.count(), sa.func.max(log.c.at)).where(
        log.c.subject == subject, log.c.action == "login_failed"
    )
    count, last = conn.execute(statement).one()
    return count, from_ms(last or 0) + lock_of(count)
