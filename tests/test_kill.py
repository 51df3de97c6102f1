"""`kill -9` under load, against the real process: what was said is on record, and what was not said is said when asked again."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.channels.wechat import render
from bot.service.inbox import decode
from knowledge.load import KnowledgeBase
from knowledge.search.rank import Search
from tests.platform import Citizen, Delivery, Platform, real_clock
from tests.processes import serving

CITIZENS = 24
EACH = 3  # messages of one citizen; not enough to be told to slow down
KILLS = 2  # the second one while the first one's messages are delivered again
Replies = dict[str, str]  # by the platform's number of the message


@dataclass
class Person:
    """A citizen with three things to say about one matter, each once the one before is answered."""

    citizen: Citizen
    texts: Sequence[str]
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        """Whether the last message got no reply."""
        return bool(self.deliveries) and self.deliveries[-1].reply is None

    async def talk(self, platform: Platform, on_reply: Callable[[], None]) -> None:
        """What got no reply is delivered again, then the rest is said, until a reply fails to come."""
        if self.waits:
            self.deliveries[-1] = await platform.redeliver(self.deliveries[-1])
            self._heard(on_reply)
        while not self.waits and len(self.deliveries) < len(self.texts):
            self.deliveries.append(await self.citizen.say(self.texts[len(self.deliveries)]))
            self._heard(on_reply)

    def _heard(self, on_reply: Callable[[], None]) -> None:
        if not self.waits:
            on_reply()


async def _talk(people: Sequence[Person], platform: Platform, on_reply: Callable[[], None] = lambda: None) -> None:
    async with asyncio.TaskGroup() as talks:
        for person in people:
            talks.create_task(person.talk(platform, on_reply))


@asynccontextmanager
async def _serving(platform: Platform, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The product as operators start it, beside the simulator."""
    settings = {
        "FAWEN_DATABASE_URL": f"sqlite:///{folder}/fawen.db",
        "FAWEN_WECHAT__TOKEN": platform.token,
        "FAWEN_WECHAT__ENCODING_AES_KEY": platform.encoding_aes_key or "",
        "FAWEN_WECHAT__APP_ID": platform.app_id,
        "FAWEN_WECHAT__SECRET": platform.secret,
        "FAWEN_WECHAT__API_BASE": platform.api_base,
        # However busy the machine is with other tests, replies must come in the HTTP answer here.
        "FAWEN_WECHAT__REPLY_DEADLINE": "4.9",
    }
    async with serving(folder, **settings) as server:
        platform.bot_url = f"{server.url}/wechat"
        yield server.process


async def _talk_until_killed(people: Sequence[Person], platform: Platform, folder: Path, replies: int) -> Replies:
    """Everybody talks at once, and with so many replies heard the process is killed: what it left on record."""
    async with _serving(platform, folder) as process:

        def count() -> None:
            nonlocal replies
            replies -= 1
            if replies == 0:
                process.kill()

        await _talk(people, platform, count)
        assert replies <= 0, "it stopped answering before it was killed"
        await process.wait()
    assert process.returncode == -signal.SIGKILL
    assert any(person.waits for person in people), "killed when nothing was under way"
    # Looked at in a copy: opening a database does the repair that is the next start's to do.
    with closing(_copy(folder)) as conn:
        return _on_record(conn)


def _copy(folder: Path) -> sqlite3.Connection:
    copy = shutil.copytree(folder, folder.parent / "copy", dirs_exist_ok=True)
    return sqlite3.connect(copy / "fawen.db")


def _on_record(conn: sqlite3.Connection) -> Replies:
    """Every message on record, with its reply as it goes over the wire."""
    rows = conn.execute("SELECT key, reply FROM inbox").fetchall()
    replies = {key: render.text(reply) for key, stored in rows if (reply := decode(stored))}
    assert len(replies) == len(rows), "a message is there twice, or without a reply"
    return replies


def _heard(people: Sequence[Person]) -> Replies:
    """Every message that got its reply, with that reply."""
    deliveries = (one for person in people for one in person.deliveries if one.reply)
    return {str(one.message["MsgId"]): one.text for one in deliveries}


@pytest.fixture
def texts(base: KnowledgeBase, search: Search) -> list[str]:
    """Several wordings of one matter, each answered from its category."""
    today = datetime.now(UTC).date()
    for entry in base.entries.values():
        results = {text: search(text, today) for text in entry.wordings}
        sure = [text for text, found in results.items() if found.verdict == "answer" and found.best
                and base.entries[found.best.entry].category == entry.category]  # fmt: skip
        if len(sure) >= EACH:
            return sure[:EACH]
    pytest.fail("no entry is answered in several wordings")


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_killed_process_loses_nothing_it_said(seed: int, tmp_path: Path, texts: list[str]) -> None:
    chance, folder = random.Random(seed), tmp_path / "data"
    folder.mkdir()
    left: Replies = {}
    async with Platform(clock=real_clock, tries=1, timeout=30) as platform:
        people = [Person(platform.citizen(f"oKill{number:022d}"), texts) for number in range(CITIZENS)]
        for _ in range(KILLS):
            moment = chance.randint(1, CITIZENS * EACH // (KILLS + 1))
            survived = await _talk_until_killed(people, platform, folder, moment)
            assert _heard(people).items() <= survived.items(), "said, but not on record"
            assert left.items() <= survived.items(), "a record changed"
            left = survived
        async with _serving(platform, folder):
            await _talk(people, platform)
            heard = _heard(people)
            assert len(heard) == CITIZENS * EACH
            again = [await platform.redeliver(one) for person in people for one in person.deliveries]
    assert left.items() <= heard.items(), "what stood on record unsaid is what was said later"
    assert {str(one.message["MsgId"]): one.text for one in again} == heard
    with closing(sqlite3.connect(folder / "fawen.db")) as conn:
        assert _on_record(conn) == heard
        consultations = conn.execute(
            "SELECT address, messages FROM consultations JOIN citizens ON citizens.id = citizen_id ORDER BY address"
        ).fetchall()
    assert consultations == [(person.citizen.openid, EACH) for person in people], "one matter, one consultation"
