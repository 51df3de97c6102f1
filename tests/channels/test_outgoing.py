"""A lawyer talks to a citizen on WeChat, while the platform misbehaves in every way it knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.service import outbox
from tests.channels.test_wechat import until
from tests.conftest import StartBot
from tests.console import office
from tests.console.office import Lawyer
from tests.platform import Citizen, Clock, Platform
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
SEND = "/cgi-bin/message/custom/send"
MEDIA = "/cgi-bin/media/get"
STATES = "SELECT state FROM outbox ORDER BY place"


@pytest.fixture
async def bot(platform: Platform, start_bot: StartBot) -> AsyncIterator[Bot]:
    async with start_bot(platform, FAWEN_WECHAT__API_TIMEOUT="0.5") as running:
        yield running


@pytest.fixture
async def lawyer(bot: Bot, clock: Clock) -> AsyncIterator[Lawyer]:
    engine = sa.create_engine(bot.settings.database_url)
    async with office.lawyer(bot, engine, clock, "王") as hired:
        yield hired
    engine.dispose()


async def claimed(citizen: Citizen, lawyer: Lawyer) -> str:
    await citizen.say("转人工")
    await citizen.press("工资工伤")
    _, shown = await lawyer.call("/overview")
    handoff = str(shown["handoffs"][-1]["id"])
    assert (await lawyer.move(handoff, "claim"))[0] == 200
    if lawyer.socket is None:
        await lawyer.connect()
    await lawyer.send("watch", id=handoff, after=0)
    return handoff


async def write(lawyer: Lawyer, handoff: str, text: str, key: str = "key-000001") -> None:
    await lawyer.send("say", id=handoff, key=key, text=text)
    await lawyer.words(text)


async def settled(bot: Bot, rows: Rows, *states: str) -> None:
    try:
        await until(lambda: [row[0] for row in rows(bot.settings, STATES)] == list(states))
    except pytest.fail.Exception:
        assert [row[0] for row in rows(bot.settings, STATES)] == list(states)


@pytest.fixture
async def talk(platform: Platform, bot: Bot, lawyer: Lawyer, rows: Rows) -> tuple[Citizen, str]:
    """A citizen and the handoff a lawyer holds; the lawyer's arrival was told."""
    citizen = platform.citizen("o1")
    handoff = await claimed(citizen, lawyer)
    await settled(bot, rows, "sent")
    return citizen, handoff


Talk = tuple[Citizen, str]


async def test_words_reach_the_citizen_and_lower_the_allowance(
    talk: Talk, lawyer: Lawyer, bot: Bot, rows: Rows
) -> None:
    citizen, handoff = talk
    await write(lawyer, handoff, "您好")
    await settled(bot, rows, "sent", "sent")
    assert citizen.last.text == "您好"
    assert rows(bot.settings, "SELECT allowance FROM citizens") == [(citizen.messages_left,)]


@pytest.mark.parametrize(
    ("failure", "state", "why"),
    [
        ({"errcode": 45015}, "held", outbox.CLOSED),
        ({"errcode": 45047}, "held", outbox.SPENT),
        ({"errcode": 48001}, "failed", "权限"),
        ({"errcode": 43004}, "failed", "取消关注"),
        ({"errcode": 40003}, "failed", "不认识"),
        ({"malformed": True}, "uncertain", "可能已经送到"),
        ({"hang": True}, "uncertain", "可能已经送到"),
        ({"errcode": -1}, "waiting", "自动再发"),
    ],
)
async def test_the_lawyer_reads_what_became_of_it(
    talk: Talk, lawyer: Lawyer, platform: Platform, bot: Bot, rows: Rows, failure: dict[str, Any], state: str, why: str
) -> None:
    _, handoff = talk
    platform.fail_next(SEND, **failure)
    await write(lawyer, handoff, "您好")
    await settled_after_one_try(bot, rows, state)
    error = rows(bot.settings, "SELECT error FROM outbox ORDER BY place DESC LIMIT 1")[0][0]
    assert why in error
    assert not any(sign in error for sign in ("errcode", "45", "48001", "HTTP"))


async def settled_after_one_try(bot: Bot, rows: Rows, state: str) -> None:
    last = "SELECT state, attempts FROM outbox ORDER BY place DESC LIMIT 1"
    await until(lambda: rows(bot.settings, last) == [(state, 1)])


async def test_the_api_is_down_for_an_hour(
    talk: Talk, lawyer: Lawyer, platform: Platform, bot: Bot, rows: Rows, clock: Clock
) -> None:
    citizen, handoff = talk
    platform.fail_next(SEND, times=12, errcode=-1)
    await write(lawyer, handoff, "第一句")
    await write(lawyer, handoff, "第二句", "key-000002")
    for attempt in range(1, 13):
        await platform.called(SEND, 1 + attempt)
        await until(lambda: rows(bot.settings, "SELECT count(*) FROM outbox WHERE state = 'waiting'") == [(2,)])
        clock.advance(600)
    await settled(bot, rows, "sent", "sent", "sent")
    assert [seen.text for seen in citizen.seen[-2:]] == ["第一句", "第二句"]


async def test_a_revoked_token_is_renewed(talk: Talk, lawyer: Lawyer, platform: Platform, bot: Bot, rows: Rows) -> None:
    citizen, handoff = talk
    platform.revoke_token()
    await write(lawyer, handoff, "您好")
    await settled(bot, rows, "sent", "sent")
    assert [seen.text for seen in citizen.seen if seen.text == "您好"] == ["您好"]


async def test_a_slow_citizen_delays_nobody_else(
    talk: Talk, lawyer: Lawyer, platform: Platform, bot: Bot, rows: Rows
) -> None:
    _, handoff = talk
    other = platform.citizen("o2")
    second = await claimed(other, lawyer)
    platform.fail_next(SEND, hang=True)
    await write(lawyer, handoff, "慢")
    await write(lawyer, second, "快", "key-000002")
    await until(lambda: other.last.text == "快")
    await until(lambda: ("uncertain",) in rows(bot.settings, STATES))


async def test_five_thousand_characters_arrive_whole_and_in_order(
    talk: Talk, lawyer: Lawyer, bot: Bot, rows: Rows, clock: Clock
) -> None:
    citizen, handoff = talk
    text = "".join(f"第{number}条，请把材料准备好，带到窗口来。" for number in range(300))[:5000]
    await write(lawyer, handoff, text)
    parts = len(rows(bot.settings, STATES)) - 1
    assert parts > 4
    await until(lambda: not rows(bot.settings, "SELECT id FROM outbox WHERE state IN ('waiting', 'sending')"))
    assert ("held",) in rows(bot.settings, STATES)
    clock.advance(60)
    await citizen.say("好的，我在看")
    assert citizen.last.via == "passive"
    clock.advance(2)
    await settled(bot, rows, *["sent"] * (parts + 1))
    assert "".join(seen.text for seen in citizen.seen[-parts:]) == text


async def test_a_citizen_who_leaves_loses_nothing(
    talk: Talk, lawyer: Lawyer, bot: Bot, rows: Rows, clock: Clock, platform: Platform
) -> None:
    citizen, handoff = talk
    platform.fail_next(SEND, errcode=-1)
    await write(lawyer, handoff, "您好")
    await settled_after_one_try(bot, rows, "waiting")
    shown = len(citizen.seen)
    await citizen.unsubscribe()
    await settled(bot, rows, "sent", "held")
    assert rows(bot.settings, "SELECT ended FROM handoffs") == [("left",)]
    assert len(citizen.seen) == shown
    clock.advance(3600)
    await citizen.subscribe()
    clock.advance(5)
    await until(lambda: rows(bot.settings, STATES)[1] == ("sent",))
    assert sum("您好" in seen.text for seen in citizen.seen) == 1


async def test_a_restart_with_fifty_open_handoffs(
    platform: Platform, start_bot: StartBot, clock: Clock, rows: Rows
) -> None:
    citizens = [platform.citizen(f"o{number:02}") for number in range(50)]
    async with start_bot(platform) as bot:
        engine = sa.create_engine(bot.settings.database_url)
        async with office.lawyer(bot, engine, clock, "王") as lawyer:
            handoffs = [await claimed(citizen, lawyer) for citizen in citizens]
            await until(lambda: not rows(bot.settings, "SELECT id FROM outbox WHERE state != 'sent'"))
            platform.fail_next(SEND, times=50, errcode=-1)
            for number, handoff in enumerate(handoffs):
                await lawyer.send("say", id=handoff, key=f"key-{number:06}", text=f"话{number}")
            await platform.called(SEND, 100, within=30)
            await until(lambda: not rows(bot.settings, "SELECT id FROM outbox WHERE state = 'sending'"))
        engine.dispose()
    clock.advance(-3600)  # the machine's clock was wrong, and is put right meanwhile
    async with start_bot(platform) as bot:
        clock.advance(3700)
        await until(lambda: not rows(bot.settings, "SELECT id FROM outbox WHERE state != 'sent'"))
        assert rows(bot.settings, "SELECT count(*) FROM handoffs WHERE state = 'held'") == [(50,)]
    for number, citizen in enumerate(citizens):
        assert [seen.text for seen in citizen.seen if seen.text.startswith("话")] == [f"话{number}"]


async def test_a_picture_is_fetched_and_kept(talk: Talk, platform: Platform, bot: Bot, rows: Rows) -> None:
    citizen, _ = talk
    await citizen.image()
    await platform.called(MEDIA)
    await until(lambda: rows(bot.settings, "SELECT state, content_type FROM media") == [("stored", "image/png")])


async def test_what_was_sent_before_asking_is_fetched_too(
    platform: Platform, bot: Bot, lawyer: Lawyer, rows: Rows
) -> None:
    citizen = platform.citizen("o1")
    await citizen.voice()
    assert platform.calls_to(MEDIA) == []
    await claimed(citizen, lawyer)
    await until(lambda: rows(bot.settings, "SELECT state, content_type FROM media") == [("stored", "audio/amr")])


async def test_a_picture_is_tried_again_until_the_platform_forgets_it(
    talk: Talk, platform: Platform, bot: Bot, rows: Rows, clock: Clock
) -> None:
    citizen, _ = talk
    platform.fail_next(MEDIA, malformed=True)
    platform.fail_next(MEDIA, errcode=-1)
    await citizen.image()
    for attempt in (1, 2):
        await until(lambda: rows(bot.settings, "SELECT state, attempts FROM media") == [("waiting", attempt)])  # noqa: B023
        clock.advance(60)
        await citizen.click("nothing")  # wakes the fetcher
        await citizen.say("在吗")
    await until(lambda: rows(bot.settings, "SELECT state FROM media") == [("stored",)])


@pytest.mark.parametrize("data", [b"MZ\x90\x00 a program", b"<html><script>", b"\x89PNG\r\n\x1a\n" + b"x" * 13_000_000])
async def test_what_is_no_picture_is_not_kept(
    talk: Talk, platform: Platform, bot: Bot, rows: Rows, data: bytes
) -> None:
    citizen, _ = talk
    await citizen.image(data)
    await until(lambda: rows(bot.settings, "SELECT state, content FROM media") == [("failed", None)])


async def test_typing_is_shown_now_and_then(talk: Talk, lawyer: Lawyer, platform: Platform) -> None:
    citizen, handoff = talk
    for _ in range(5):
        await lawyer.send("typing", id=handoff)
    await platform.called("/cgi-bin/message/custom/typing")
    assert citizen.typing
    await asyncio.sleep(0)
    assert len(platform.calls_to("/cgi-bin/message/custom/typing")) == 1
