"""What lawyers say to visitors of the chat page: fetched in order, confirmed by the next look, never twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import StartBot
from tests.console import office
from tests.console.office import Lawyer, Visitor
from tests.platform import Clock
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]


@pytest.fixture
async def bot(start_bot: StartBot) -> AsyncIterator[Bot]:
    async with start_bot() as running:
        yield running


@pytest.fixture
async def lawyer(bot: Bot, clock: Clock) -> AsyncIterator[Lawyer]:
    engine = sa.create_engine(bot.settings.database_url)
    async with office.lawyer(bot, engine, clock, "王") as hired:
        yield hired
    engine.dispose()


@pytest.fixture
async def visitor(bot: Bot, lawyer: Lawyer) -> AsyncIterator[Visitor]:
    async with office.visitor(bot) as someone:
        yield someone


async def news(visitor: Visitor, after: int = 0) -> tuple[list[tuple[int, str, str]], bool]:
    async with visitor.session.get("/chat/news", params={"after": after}) as answer:
        assert answer.status == 200, await answer.text()
        data = await answer.json()
    return [(one["place"], one["author"], one["reply"]["text"]) for one in data["news"]], data["open"]


async def claimed(visitor: Visitor, lawyer: Lawyer) -> str:
    await visitor.say("转人工")
    await visitor.say("工资工伤", "hand:subject:labour")
    _, shown = await lawyer.call("/overview")
    handoff = str(shown["handoffs"][-1]["id"])
    assert (await lawyer.move(handoff, "claim"))[0] == 200
    return handoff


async def write(lawyer: Lawyer, handoff: str, text: str, key: str) -> None:
    if lawyer.socket is None:
        await lawyer.connect()
        await lawyer.send("watch", id=handoff, after=0)
    await lawyer.send("say", id=handoff, key=key, text=text)
    await lawyer.words(text)


async def test_a_lawyers_words_come_in_order_and_the_next_look_confirms(
    visitor: Visitor, lawyer: Lawyer, bot: Bot, rows: Rows
) -> None:
    handoff = await claimed(visitor, lawyer)
    await write(lawyer, handoff, "您好", "key-000001")
    await write(lawyer, handoff, "合同带上", "key-000002")
    found, still = await news(visitor)
    assert still
    assert [(place, author) for place, author, _ in found] == [(1, ""), (2, "王律师"), (3, "王律师")]
    assert [text for _, _, text in found[1:]] == ["您好", "合同带上"]
    states = "SELECT state FROM outbox ORDER BY place"
    assert rows(bot.settings, states) == [("waiting",)] * 3
    assert await news(visitor) == (found, still)  # the answer was lost on the way: the same again
    assert (await news(visitor, after=2))[0] == found[2:]
    assert rows(bot.settings, states) == [("sent",), ("sent",), ("waiting",)]


async def test_a_waiting_page_is_woken(visitor: Visitor, lawyer: Lawyer) -> None:
    handoff = await claimed(visitor, lawyer)
    tabs = [asyncio.create_task(news(visitor, after=1)) for _ in range(3)]
    await write(lawyer, handoff, "您好", "key-000001")
    async with asyncio.timeout(15):
        assert [await tab for tab in tabs] == [([(2, "王律师", "您好")], True)] * 3


async def test_letters_do_not_ride_on_the_bots_replies(visitor: Visitor, lawyer: Lawyer) -> None:
    handoff = await claimed(visitor, lawyer)
    await write(lawyer, handoff, "您好", "key-000001")
    assert await visitor.say("我是去年进的厂") is None
    assert [text for _, _, text in (await news(visitor, after=1))[0]] == ["您好"]


async def test_history_holds_them_where_they_were_said(visitor: Visitor, lawyer: Lawyer, clock: Clock) -> None:
    handoff = await claimed(visitor, lawyer)
    for number, turn in enumerate(("在吗", "在厂里")):
        clock.advance(5)
        await write(lawyer, handoff, f"话{number}", f"key-00000{number}")
        clock.advance(5)
        await visitor.say(turn)
    async with visitor.session.get("/chat/history") as answer:
        past = (await answer.json())["exchanges"]
    told = [one["mine"] or (one["author"], one["reply"]["text"]) for one in past[-4:]]
    assert told == [("王律师", "话0"), "在吗", ("王律师", "话1"), "在厂里"]


async def test_without_a_handoff_there_is_nothing_to_wait_for(visitor: Visitor) -> None:
    await visitor.say("你好")
    async with asyncio.timeout(15):
        assert await news(visitor) == ([], False)


async def test_when_the_lawyer_closes_the_page_stops_asking(visitor: Visitor, lawyer: Lawyer) -> None:
    handoff = await claimed(visitor, lawyer)
    waits = asyncio.create_task(news(visitor, after=1))
    closing = {"service": "answered", "category": "labour", "summary": "", "minutes": 5}
    status, answer = await lawyer.call(f"/handoffs/{handoff}/close", closing)
    assert status == 200, answer
    found, still = await waits
    assert not still
    assert "打个分" in found[0][2]


@pytest.mark.parametrize("after", ["", "x", "-1", "1" * 30, "1;"])
async def test_bad_places_are_refused(visitor: Visitor, after: str) -> None:
    async with visitor.session.get("/chat/news", params={"after": after}) as answer:
        assert answer.status == 400


async def test_strangers_get_nothing(bot: Bot, lawyer: Lawyer, visitor: Visitor) -> None:
    await claimed(visitor, lawyer)
    async with office.visitor(bot) as other:
        assert await news(other) == ([], False)
        other.session.cookie_jar.clear()
        async with other.session.get("/chat/news?after=0") as answer:
            assert answer.status == 403
