"""What monitors ask, and what an operator sees when something is wrong."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bot import logs
from bot.app import Parts
from bot.conversation.turn import Library
from bot.settings import Log
from bot.store.database import Database, StoreError
from tests.conftest import StartBot


async def test_alive_ready_and_counting(start_bot: StartBot, library: Library) -> None:
    async with start_bot() as bot, aiohttp.ClientSession(bot.url) as session:
        for path, says in (("/healthz", "ok"), ("/readyz", "ready")):
            async with session.get(path) as response:
                assert response.status == 200
                assert says in await response.text()
        async with session.get("/metrics") as response:
            text = await response.text()
        assert f"fawen_entries {len(library.base.entries)}.0" in text
        assert "fawen_write_queue " in text


async def test_not_ready_while_the_store_is_away(start_bot: StartBot, monkeypatch: pytest.MonkeyPatch) -> None:
    async with start_bot() as bot, aiohttp.ClientSession(bot.url) as session:

        async def fails(_self: Database, _fn: Any) -> None:
            raise StoreError("away")

        monkeypatch.setattr(Database, "write", fails)
        async with session.get("/readyz") as response:
            assert response.status == 503
        async with session.get("/healthz") as response:
            assert response.status == 200


async def test_an_unexpected_error_shows_a_number_and_nothing_else(
    start_bot: StartBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr("bot.metrics.Metrics.render", fails)
    async with start_bot() as bot, aiohttp.ClientSession(bot.url) as session, session.get("/metrics") as response:
        text = await response.text()
        assert response.status == 500
        assert "编号" in text
        assert "secret" not in text
        assert "Traceback" not in text


async def test_logs_hold_no_words_of_a_citizen(
    sqlite_db: Database, capfd: pytest.CaptureFixture[str], start_bot: StartBot
) -> None:
    logs.set_up(Log(level="debug"))
    words = "张三的身份证号是私密的话"

    def fails(turn: Any) -> Any:
        raise RuntimeError("a defect")

    async with (
        start_bot(parts=Parts(decide=fails)) as bot,
        aiohttp.ClientSession(bot.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        await session.get("/")
        async with session.post("/chat/messages", json={"key": "k" * 8, "text": words}) as response:
            data = await response.json()
    assert not data["recorded"]
    assert "系统这会儿有点忙" in data["reply"]["text"]
    printed = capfd.readouterr()
    assert "turn_failed" in printed.err
    assert "a defect" in printed.err
    assert words not in printed.err + printed.out
