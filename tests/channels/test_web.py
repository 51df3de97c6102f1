"""The chat page's server side: identity, limits, bad input, one message one turn."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.web import identity
from bot.channels.web.limits import Limit, client_address
from tests.conftest import StartBot
from tests.platform import Clock
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
QUESTION = "单位拖欠工资怎么办"


@pytest.fixture
async def bot(start_bot: StartBot) -> AsyncIterator[Bot]:
    async with start_bot() as running:
        yield running


@pytest.fixture
async def visitor(bot: Bot) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody who has opened the page."""
    async with aiohttp.ClientSession(bot.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get("/") as response:
            assert response.status == 200
            assert "法问" in await response.text()
        yield session


async def send(session: aiohttp.ClientSession, text: str, key: str = "key-00000001", **more: Any) -> tuple[int, Any]:
    async with session.post("/chat/messages", json={"key": key, "text": text} | more) as response:
        return response.status, await response.json(content_type=None)


async def test_a_question_is_answered_and_on_record(visitor: aiohttp.ClientSession, bot: Bot, rows: Rows) -> None:
    status, data = await send(visitor, QUESTION)
    assert status == 200
    assert data["recorded"]
    assert "劳动监察" in data["reply"]["text"]
    assert [tap["label"] for tap in data["reply"]["rows"][-1]] == ["有用", "没用", "转人工律师"]
    assert rows(bot.settings, "SELECT channel, text, entry_id FROM inbox") == [("web", QUESTION, "labour.unpaid-wages")]


async def test_the_same_key_is_the_same_message(visitor: aiohttp.ClientSession, bot: Bot, rows: Rows) -> None:
    assert await send(visitor, QUESTION) == await send(visitor, QUESTION)
    assert rows(bot.settings, "SELECT count(*) FROM inbox") == [(1,)]


async def test_keys_of_two_visitors_do_not_meet(visitor: aiohttp.ClientSession, bot: Bot, rows: Rows) -> None:
    await send(visitor, QUESTION)
    async with aiohttp.ClientSession(bot.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as other:
        await other.get("/")
        _, data = await send(other, "你好")
        assert "法问" in data["reply"]["text"]
    assert rows(bot.settings, "SELECT count(*) FROM citizens") == [(2,)]


async def test_history_resumes_the_conversation(visitor: aiohttp.ClientSession) -> None:
    async with visitor.get("/chat/history") as response:
        first = (await response.json())["exchanges"]
    assert len(first) == 1
    assert first[0]["mine"] is None
    assert len(first[0]["reply"]["rows"]) == 9
    await send(visitor, QUESTION)
    async with visitor.get("/chat/history") as response:
        later = (await response.json())["exchanges"]
    assert [one["mine"] for one in later] == [None, QUESTION]


async def test_without_our_cookie_nothing_is_taken(bot: Bot, rows: Rows) -> None:
    async with aiohttp.ClientSession(bot.url) as stranger:
        async with stranger.post("/chat/messages", json={"key": "k" * 8, "text": "x"}) as response:
            assert response.status == 403
        async with stranger.get("/chat/history") as response:
            assert response.status == 403
        forged = {identity.COOKIE: f"{'a' * 32}.{'b' * 64}"}
        async with stranger.post("/chat/messages", json={"key": "k" * 8, "text": "x"}, cookies=forged) as response:
            assert response.status == 403
    assert rows(bot.settings, "SELECT count(*) FROM inbox") == [(0,)]


async def test_other_sites_cannot_post_for_a_visitor(visitor: aiohttp.ClientSession) -> None:
    for site in ("cross-site", "same-site"):
        async with visitor.post(
            "/chat/messages", json={"key": "k" * 8, "text": "x"}, headers={"Sec-Fetch-Site": site}
        ) as response:
            assert response.status == 403


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"key": "short", "text": "x"}', "application/json", 400),
        (b'{"key": "abcdefgh", "text": 5}', "application/json", 400),
        (b'{"key": "abcdefgh", "text": "x", "extra": 1}', "application/json", 400),
        (b'{"key": "abcdefgh", "text": "\xff"}', "application/json", 400),
        (json.dumps({"key": "abcdefgh", "text": "x", "tap": "y" * 97}).encode(), "application/json", 400),
        (b'{"key": "abcdefgh", "text": "x"}', "text/plain", 400),
        (json.dumps({"key": "abcdefgh", "text": "长" * 10_001}, ensure_ascii=False).encode(), "application/json", 413),
        (json.dumps({"key": "abcdefgh", "text": "长" * 30_000}).encode(), "application/json", 400),
    ],
)
async def test_bad_posts_are_refused_with_a_sentence(
    visitor: aiohttp.ClientSession, bot: Bot, rows: Rows, body: bytes, kind: str, status: int
) -> None:
    async with visitor.post("/chat/messages", data=body, headers={"Content-Type": kind}) as response:
        assert response.status == status
        assert (await response.json())["error"]
    assert rows(bot.settings, "SELECT count(*) FROM inbox") == [(0,)]


async def test_too_many_messages_are_slowed_per_visitor(
    visitor: aiohttp.ClientSession, clock: Clock, bot: Bot, rows: Rows
) -> None:
    answers = [await send(visitor, "你好", key=f"key-{number:08d}") for number in range(25)]
    assert [status for status, _ in answers] == [200] * 20 + [429] * 5
    assert "秒" in answers[-1][1]["error"]
    assert rows(bot.settings, "SELECT count(*) FROM inbox") == [(20,)]
    clock.advance(60)
    assert (await send(visitor, "你好", key="key-later-00"))[0] == 200


async def test_html_and_sql_come_back_as_text(visitor: aiohttp.ClientSession, bot: Bot, rows: Rows) -> None:
    text = "<img src=x onerror=alert(1)>'; DROP TABLE inbox; --"
    await send(visitor, text)
    async with visitor.get("/chat/history") as response:
        assert [one["mine"] for one in (await response.json())["exchanges"]] == [text]
    assert rows(bot.settings, "SELECT text FROM inbox") == [(text,)]


async def test_the_page_is_sealed_against_scripts(visitor: aiohttp.ClientSession) -> None:
    async with visitor.get("/") as response:
        policy = response.headers["Content-Security-Policy"]
        page = await response.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http://" not in page
    assert "https://" not in page
    for name in ("chat.css", "chat.js", "icon.svg"):
        async with visitor.get(f"/static/{name}") as response:
            assert response.status == 200
    for name in ("chat.html", "..%2fviews.py", "nothing"):
        async with visitor.get(f"/static/{name}") as response:
            assert response.status == 404


async def test_the_page_can_be_switched_off(start_bot: StartBot) -> None:
    async with (
        start_bot(FAWEN_WEB__ENABLED="false") as bot,
        aiohttp.ClientSession(bot.url) as session,
        session.get("/") as response,
    ):
        assert response.status == 404


async def test_a_cookie_outlives_a_restart(start_bot: StartBot) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with start_bot() as bot, aiohttp.ClientSession(bot.url, cookie_jar=jar) as session:
        await session.get("/")
        await send(session, QUESTION)
        cookie = next(iter(jar)).value
    async with (
        start_bot() as bot,
        aiohttp.ClientSession(bot.url, cookies={identity.COOKIE: cookie}) as session,
        session.get("/chat/history") as response,
    ):
        assert [one["mine"] for one in (await response.json())["exchanges"]] == [QUESTION]


def test_a_cookie_is_good_only_with_its_key() -> None:
    value = identity.sign("visitor", b"key")
    assert identity.read(value, b"key") == "visitor"
    assert identity.read(value, b"other") is None
    assert identity.read(None, b"key") is None
    assert identity.read("visitor.", b"key") is None
    assert identity.read(".", b"key") is None


@given(st.lists(st.integers(min_value=0, max_value=600), max_size=80), st.integers(min_value=1, max_value=10))
def test_no_window_lets_through_more_than_its_limit(moments: list[int], most: int) -> None:
    limit = Limit()
    passed = [moment for moment in sorted(moments) if limit.wait("key", moment, most) == 0]
    for moment in passed:
        assert sum(moment - 60 < other <= moment for other in passed) <= most


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ("", 0, "peer"),
        ("1.1.1.1", 0, "peer"),
        ("1.1.1.1", 1, "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1", 1, "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1, 10.0.0.1", 2, "1.1.1.1"),
        ("", 1, "peer"),
        ("1.1.1.1", 2, "peer"),
    ],
)
def test_a_visitors_address_is_what_our_own_proxy_saw(forwarded: str, proxies: int, address: str) -> None:
    assert client_address("peer", forwarded, proxies) == address
