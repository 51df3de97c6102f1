"""What one process publishes, another one serves: real processes, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import sqlalchemy as sa
from msgspec.structs import replace

from bot.console.auth import COOKIE
from bot.ids import utc_now, uuid7
from bot.service import editions
from bot.service.staff import member
from bot.store.database import Database
from bot.store.migrate import migrate
from knowledge.load import KnowledgeBase, fingerprint
from tests.console.office import Visitor, hire
from tests.console.test_knowledge import AT, WAGES, Staff, edition_of, filled, seen_in
from tests.processes import Served, command, serving

QUESTION = "单位拖欠工资怎么办"
LIMITS = {"FAWEN_WEB__ADDRESS_MESSAGES_PER_MINUTE": "10000"}
PATIENCE = 30.0


@asynccontextmanager
async def at_desk(server: Served, token: str) -> AsyncIterator[Staff]:
    async with aiohttp.ClientSession(server.url, cookies={COOKIE: token}) as session:
        yield Staff(session, server.url)


async def asked(server: Served) -> str:
    """What a citizen who has never written before is answered: one who asks again and again is told to wait."""
    async with aiohttp.ClientSession(server.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get("/"):
            pass
        return str((await Visitor(session).say(QUESTION))["text"])


async def told(server: Served, words: str) -> None:
    """Ask until the answer has the words."""
    async with asyncio.timeout(PATIENCE):
        while words not in await asked(server):  # noqa: ASYNC110 - another process works
            await asyncio.sleep(0.1)


def staffed(url: str) -> tuple[str, str]:
    """A store with a clerk and a lawyer: their sessions."""
    store = Database(url)
    migrate(store.engine)
    tokens = [hire(store.engine, login, utc_now, role=role) for login, role in (("wang", "staff"), ("li", "lawyer"))]  # type: ignore[arg-type]
    store.close()
    return tokens[0], tokens[1]


async def test_what_one_servers_console_publishes_another_server_says(
    database_url: str, base: KnowledgeBase, tmp_path: Path
) -> None:
    clerk, lawyer = staffed(database_url)
    answer = base.entries[WAGES].answer.replace("仲裁不收费", "仲裁一分钱不收")
    settings = {"FAWEN_DATABASE_URL": database_url, **LIMITS}
    async with (
        serving(tmp_path, **settings) as here,
        serving(tmp_path, **settings) as there,
        at_desk(here, clerk) as wang,
        at_desk(here, lawyer) as li,
    ):
        assert "仲裁一分钱不收" not in await asked(there)
        _, where = await wang.post(f"{AT}/entries/{WAGES}", **filled(base, answer=answer, why="说得更白"))
        seen = seen_in(await li.get(where))
        status, _ = await li.post(f"{AT}/editions/{edition_of(where)}", do="approve", seen=seen)
        assert status == 303
        await told(there, "仲裁一分钱不收")
        assert (await li.post(f"{AT}/entries/{WAGES}/restore"))[0] == 303
        await told(there, "仲裁不收费")


async def test_what_the_command_line_takes_in_a_running_server_says(
    database_url: str, base: KnowledgeBase, tmp_path: Path
) -> None:
    staffed(database_url)
    files = tmp_path / "files"
    await parcel(f"sqlite:///{tmp_path}/elsewhere.db", base, files)
    settings = {"FAWEN_DATABASE_URL": database_url, **LIMITS}
    async with serving(tmp_path, **settings) as server:
        assert "仲裁一分钱不收" not in await asked(server)
        await command(tmp_path, "knowledge", "import", str(files), "--as", "wang", **settings)
        await told(server, "仲裁一分钱不收")


async def parcel(url: str, base: KnowledgeBase, files: Path) -> None:
    """What another county changed, as files."""
    staffed(url)
    entry = base.entries[WAGES]
    own = replace(entry, answer=entry.answer.replace("仲裁不收费", "仲裁一分钱不收"))
    own = replace(own, version=fingerprint(own))
    engine = sa.create_engine(url)
    with engine.begin() as conn:
        wang = member(conn, "staff-wang")
        assert wang is not None
        editions.publish(conn, uuid7, WAGES, own, wang, utc_now(), based_on=entry.version)
    engine.dispose()
    await command(files.parent, "knowledge", "export", "--to", str(files), FAWEN_DATABASE_URL=url)
