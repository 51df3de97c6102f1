"""The two-day digest from the record to the department's mailbox, against a real mail server; and its private link."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from openpyxl import load_workbook

from bot.bell import Bell
from bot.console.auth import COOKIE
from bot.conversation.turn import Library
from bot.digester import BACK_OFF, Digester
from bot.live import Live
from bot.mailing import Mailer
from bot.metrics import Metrics
from bot.settings import SettingsError, read_settings
from bot.store.database import Database
from knowledge.places import Office
from tests.conftest import StartBot
from tests.console.office import hire
from tests.mailbox import Mailbox, mailbox
from tests.platform import Clock
from tests.service.test_digests import put
from tests.support import Numbers

ASKED = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
HOTEL = "approval.packages.hotel"
Refused = Callable[[str, list[str]], Awaitable[tuple[Digester, str]]]


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    """A mail server."""
    async with mailbox() as running:
        yield running


def environ(box: Mailbox | None, **more: str) -> dict[str, str]:
    values = {"FAWEN_DIGEST__ENABLED": "true", "FAWEN_HTTP__PUBLIC_URL": "https://fawen.example"}
    if box is not None:
        values |= {"FAWEN_MAIL__HOST": "127.0.0.1", "FAWEN_MAIL__PORT": str(box.port), "FAWEN_MAIL__TLS": "none",
                   "FAWEN_MAIL__SENDER": "fawen@example.cn", "FAWEN_MAIL__USER": "fawen",
                   "FAWEN_MAIL__PASSWORD": "secret-word"}  # fmt: skip
    return values | more


def with_mail(library: Library, **emails: str) -> Library:
    offices = {place: Office(name=f"示例县{place}", email=email) for place, email in emails.items()}
    return dataclasses.replace(library, locality=replace(library.locality, county="示例县", offices=offices))


def digester(db: Database, clock: Clock, new_id: Numbers, library: Library, box: Mailbox | None) -> Digester:
    settings = read_settings(environ(box) | {"FAWEN_DATABASE_URL": "sqlite:///unused"})
    live = Live(settings, library, db, clock, Bell(), Metrics())
    return Digester(db, live, Mailer(settings.mail), clock, new_id)


async def states(db: Database) -> dict[str, tuple[str, int, str]]:
    query = sa.text("select department, state, attempts, error from digests")
    rows = await db.read(lambda conn: conn.execute(query).fetchall())
    return {row.department: (row.state, row.attempts, row.error) for row in rows}


async def test_a_department_gets_what_was_asked_about_its_items(
    db: Database, clock: Clock, new_id: Numbers, library: Library, box: Mailbox
) -> None:
    await put(db, HOTEL, "我叫李四，13812345678，想开酒店", ASKED)
    worker = digester(db, clock, new_id, with_mail(library, police="police@example.cn"), box)
    assert await worker.work()
    assert not await worker.work()
    (letter,) = box.letters
    assert letter["To"] == "police@example.cn"
    assert "1人次" in letter["Subject"]
    assert len(box.logins) == 1
    text = letter.get_body().get_content()  # type: ignore[union-attr]
    assert "https://fawen.example/digest/" in text
    (attached,) = letter.iter_attachments()
    name = attached.get_filename()
    assert name is not None
    assert name.startswith("示例县police群众咨询1119-1120")
    cells = load_workbook(BytesIO(attached.get_content()))["群众咨询"]
    assert "想开酒店" in str(cells["C3"].value)
    assert "13812345678" not in str(cells["C3"].value)
    found = await states(db)
    assert found["police"] == ("sent", 1, "")
    assert found["market_regulation"] == ("kept", 0, "")


@pytest.fixture
def refused(sqlite_db: Database, clock: Clock, new_id: Numbers, library: Library, box: Mailbox) -> Refused:
    """One digest is due, the mail server answers a command as told, and the digester has tried once: it, and why not."""

    async def tried(command: str, answers: list[str]) -> tuple[Digester, str]:
        await put(sqlite_db, HOTEL, "开酒店", ASKED)
        worker = digester(sqlite_db, clock, new_id, with_mail(library, police="police@example.cn"), box)
        box.refuse[command] = answers
        assert await worker.work()
        return worker, (await states(sqlite_db))["police"][2]

    return tried


@pytest.mark.parametrize(("command", "answer", "told"), [
    ("RCPT", "450 later", "不收这个收件人（450）"),
    ("MAIL", "451 busy", "没有收下（451）"),
])  # fmt: skip
async def test_what_may_pass_is_tried_again_later(
    sqlite_db: Database, clock: Clock, box: Mailbox, refused: Refused, command: str, answer: str, told: str
) -> None:
    worker, error = await refused(command, [answer, answer])
    assert (await states(sqlite_db))["police"][:2] == ("waiting", 1)
    assert told in error
    assert not await worker.work()
    clock.now += BACK_OFF[0]
    assert await worker.work()
    clock.now += BACK_OFF[1]
    assert await worker.work()
    assert (await states(sqlite_db))["police"] == ("sent", 3, "")
    assert len(box.letters) == 1


@pytest.mark.parametrize(("command", "answer", "told"), [
    ("RCPT", "550 no such user", "不收这个收件人（550）"),
    ("AUTH", "535 wrong", "不认账号或密码（535）"),
])  # fmt: skip
async def test_what_cannot_pass_fails_at_once_and_says_why(
    sqlite_db: Database, refused: Refused, command: str, answer: str, told: str
) -> None:
    _, error = await refused(command, [answer] * 3)
    assert (await states(sqlite_db))["police"][:2] == ("failed", 1)
    assert told in error
    assert "secret" not in error


async def test_a_server_that_is_never_there_is_given_up(
    sqlite_db: Database, clock: Clock, new_id: Numbers, library: Library
) -> None:
    await put(sqlite_db, HOTEL, "开酒店", ASKED)
    worker = digester(sqlite_db, clock, new_id, with_mail(library, police="p@example.cn"), Mailbox(port=1))
    for wait in (*BACK_OFF, timedelta()):
        await worker.work()
        clock.now += wait
    state, attempts, error = (await states(sqlite_db))["police"]
    assert (state, attempts) == ("failed", len(BACK_OFF) + 1)
    assert error.startswith("连不上邮件服务器")


async def test_without_a_mail_server_digests_are_kept(
    sqlite_db: Database, clock: Clock, new_id: Numbers, library: Library
) -> None:
    await put(sqlite_db, HOTEL, "开酒店", ASKED)
    worker = digester(sqlite_db, clock, new_id, with_mail(library, police="p@example.cn"), None)
    assert not await worker.work()
    assert {state for state, _, _ in (await states(sqlite_db)).values()} == {"kept"}


@asynccontextmanager
async def office(url: str, token: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(url, cookies={COOKIE: token}, headers={"Origin": url}) as session:
        yield session


async def test_the_office_makes_a_link_that_opens_without_a_login(
    start_bot: StartBot, clock: Clock, library: Library, tmp_path: Path
) -> None:
    async with start_bot(FAWEN_DIGEST__ENABLED="false") as bot:
        db = Database(bot.settings.database_url)
        await put(db, HOTEL, "开酒店", ASKED)
        await digester(db, clock, Numbers(), with_mail(library), None).work()
        engine = db.engine
        token = hire(engine, "boss", clock, role="supervisor")
        async with office(bot.url, token) as session:
            async with session.get("/console/reports/digests") as answer:
                page = await answer.text()
                assert answer.status == 200
                assert "没有邮箱，未发" in page
            row = await db.read(
                lambda conn: conn.execute(sa.text("select id from digests where department='police'")).scalar()
            )
            async with session.post(f"/console/reports/digests/{row}/link") as answer:
                page = await answer.text()
                assert answer.status == 200
            async with session.get(f"/console/reports/digests/{row}") as answer:
                assert (await answer.read()).startswith(b"PK")
        link = page.partition("<code>")[2].partition("</code>")[0]
        assert link.startswith(f"{bot.url}/digest/")
        await anyone(link)
        kept = await db.read(lambda conn: conn.execute(sa.text("select token from digests")).scalars().all())
        assert all(link.rpartition("/")[2] not in one for one in kept)
        async with aiohttp.ClientSession() as session, session.get(f"{bot.url}/digest/{'x' * 43}") as answer:
            assert answer.status == 404
        db.close()


async def anyone(link: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(link) as answer:
            page: Any = await answer.text()
            assert answer.status == 200
            assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
            assert "问到贵单位事项1人次" in page
        async with session.get(f"{link}/file") as answer:
            assert (await answer.read()).startswith(b"PK")


@pytest.mark.parametrize("wrong", [
    {"FAWEN_MAIL__HOST": "mail.example", "FAWEN_MAIL__SENDER": "nobody"},
    {"FAWEN_MAIL__HOST": "mail.example", "FAWEN_MAIL__SENDER": "a@b.cn", "FAWEN_MAIL__TLS": "none", "FAWEN_MAIL__PASSWORD": "x"},
    {"FAWEN_HTTP__PUBLIC_URL": "fawen.example"},
])  # fmt: skip
def test_settings_that_cannot_work_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        read_settings(wrong)
