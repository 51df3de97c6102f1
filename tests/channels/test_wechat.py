"""The official account through the platform simulator: the real protocol, over real HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from bot.app import Parts
from bot.channels.wechat.client import Client
from bot.channels.wechat.menu import menu
from bot.conversation.router import handle
from bot.conversation.turn import Outcome, Turn
from bot.metrics import Metrics
from bot.settings import Settings, Wechat
from tests.conftest import StartBot
from tests.platform import Clock, Platform
from tests.platform.values import Mode

Rows = Callable[[Any, str], list[Any]]
QUESTION = "单位拖欠工资怎么办"


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
async def test_a_question_is_answered_in_every_mode(mode: Mode, clock: Clock, start_bot: StartBot, rows: Rows) -> None:
    async with Platform(mode=mode, clock=clock) as platform, start_bot(platform) as bot:
        assert (await platform.verify_url("echo me")).text == "echo me"
        citizen = platform.citizen("o1")
        delivery = await citizen.say(QUESTION)
        assert delivery.statuses == [200]
        assert citizen.last.via == "passive"
        assert "劳动监察" in citizen.last.text
        assert [tap.label for tap in citizen.last.taps][-3:] == ["有用", "没用", "转人工律师"]
        assert rows(bot.settings, "SELECT text, verdict, entry_id FROM inbox") == [
            (QUESTION, "answer", "labour.unpaid-wages")
        ]


async def test_the_whole_product_runs_on_either_database(
    platform: Platform, start_bot: StartBot, rows: Rows, database_url: str
) -> None:
    async with start_bot(platform, FAWEN_DATABASE_URL=database_url):
        citizens = [platform.citizen(f"o{number}") for number in range(6)]
        await asyncio.gather(*(citizen.say(QUESTION) for citizen in citizens))
        assert all("劳动监察" in citizen.last.text for citizen in citizens)
    found = rows(database_url, "SELECT count(*), count(DISTINCT citizen_id) FROM consultations")
    assert [tuple(row) for row in found] == [(6, 6)]


async def test_what_is_tapped_does_what_it_says(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    async with start_bot(platform) as bot:
        citizen = platform.citizen("o1")
        await citizen.say(QUESTION)
        await citizen.press("没用")
        assert "对不起" in citizen.last.text
        await citizen.press("转人工律师")
        assert "12348" in citizen.last.text
        await citizen.say(QUESTION)
        related = citizen.last.taps[0]
        await citizen.press(related.label)
        assert rows(bot.settings, "SELECT entry_id FROM inbox ORDER BY id DESC LIMIT 1") == [
            (related.menu_id.removeprefix("ask:"),)
        ]
        assert rows(bot.settings, "SELECT useful FROM feedback") == [(0,)]


async def test_every_kind_of_message_gets_a_kind_sentence(platform: Platform, start_bot: StartBot) -> None:
    async with start_bot(platform):
        citizen = platform.citizen("o1")
        for act, says in (
            (citizen.image(), "图片"),
            (citizen.voice(), "语音"),
            (citizen.video(), "视频"),
            (citizen.location(37.5, 112.5, "某村"), "位置"),
            (citizen.link("标题", "https://example.org/"), "链接"),
            (citizen.file("合同.docx"), "文件"),
        ):
            delivery = await act
            assert delivery.statuses == [200]
            assert says in citizen.last.text
        await citizen.voice(recognition=QUESTION)
        assert "劳动监察" in citizen.last.text


async def test_events(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    async with start_bot(platform) as bot:
        citizen = platform.citizen("o1", subscribed=False)
        await citizen.subscribe(scene="gov-hall-3")
        assert len(citizen.last.taps) == 9
        assert rows(bot.settings, "SELECT subscribed FROM citizens") == [(1,)]
        await citizen.click("legal")
        assert len(citizen.last.taps) == 3
        shown = len(citizen.seen)
        for name in ("LOCATION", "VIEW", "some_new_event"):
            assert (await citizen.event(name)).statuses == [200]
        await citizen.unsubscribe()
        assert len(citizen.seen) == shown
        assert rows(bot.settings, "SELECT subscribed FROM citizens") == [(0,)]
        assert rows(bot.settings, "SELECT id FROM consultations") == []


async def test_a_redelivery_gets_the_same_reply_also_after_a_restart(
    platform: Platform, start_bot: StartBot, rows: Rows
) -> None:
    async with start_bot(platform):
        citizen = platform.citizen("o1")
        first = await citizen.say(QUESTION)
        assert (await platform.redeliver(first)).text == first.text
    async with start_bot(platform) as bot:
        again = await platform.redeliver(first)
        assert again.text == first.text
        assert len(rows(bot.settings, "SELECT id FROM inbox")) == 1
        assert rows(bot.settings, "SELECT messages FROM consultations") == [(1,)]


def held(gate: threading.Event) -> Callable[[Turn], Outcome]:
    """A decision that takes as long as the test wants."""

    def decide(turn: Turn) -> Outcome:
        gate.wait(10)
        return handle(turn)

    return decide


async def test_a_late_reply_follows_through_the_api(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    gate = threading.Event()
    async with start_bot(platform, parts=Parts(decide=held(gate)), FAWEN_WECHAT__REPLY_DEADLINE="0.05") as bot:
        citizen = platform.citizen("o1")
        delivery = await citizen.say(QUESTION)
        assert delivery.statuses == [200]
        assert citizen.seen == []
        gate.set()
        seen = await citizen.sees(1)
        assert seen.via == "service"
        assert "劳动监察" in seen.text
        assert "\\u" not in seen.text
        await platform.called("/cgi-bin/message/custom/send")
        # The platform asks once more: the reply has left already, it is not shown twice.
        await platform.redeliver(delivery)
        assert len(citizen.seen) == 1
        assert rows(bot.settings, "SELECT count(*) FROM inbox") == [(1,)]


async def test_stopping_waits_for_late_replies(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    gate = threading.Event()
    settings: Settings
    async with start_bot(platform, parts=Parts(decide=held(gate)), FAWEN_WECHAT__REPLY_DEADLINE="0.05") as bot:
        settings = bot.settings
        citizen = platform.citizen("o1")
        await citizen.say(QUESTION)
        asyncio.get_running_loop().call_later(0.1, gate.set)
    assert rows(settings, "SELECT count(*) FROM inbox") == [(1,)]
    assert rows(settings, "SELECT count(*) FROM outbox") == [(1,)]
    # What was queued leaves after the next start, if it had not left before.
    async with start_bot(platform):
        assert "劳动监察" in (await citizen.sees(1)).text
    assert rows(settings, "SELECT state FROM outbox") == [("sent",)]


@pytest.mark.parametrize(
    ("failure", "state", "shown"),
    [
        ({"errcode": 45015}, "held", 0),
        ({"errcode": 45047}, "held", 0),
        ({"errcode": 40003}, "failed", 0),
        ({"errcode": 43004}, "failed", 0),
        ({"errcode": 48001}, "failed", 0),
        ({"errcode": -1}, "waiting", 0),
        ({"errcode": 45009}, "waiting", 0),
        ({"malformed": True, "effect": True}, "uncertain", 1),
        ({"errcode": 40001}, "sent", 1),
        ({"errcode": 42001}, "sent", 1),
    ],
)
async def test_each_cause_of_failure_has_its_policy(
    platform: Platform, start_bot: StartBot, rows: Rows, failure: dict[str, Any], state: str, shown: int
) -> None:
    gate = threading.Event()
    platform.fail_next("/cgi-bin/message/custom/send", **failure)
    async with start_bot(platform, parts=Parts(decide=held(gate)), FAWEN_WECHAT__REPLY_DEADLINE="0.05") as bot:
        citizen = platform.citizen("o1")
        await citizen.say(QUESTION)
        gate.set()
        await platform.called("/cgi-bin/message/custom/send")
        await until(lambda: rows(bot.settings, "SELECT state FROM outbox WHERE attempts > 0") == [(state,)])
        assert len(citizen.seen) == shown


async def until(done: Callable[[], bool]) -> None:
    """Let the bot go on until something is so, or fail."""
    for _ in range(500):
        if done():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not come to that")


async def test_what_was_held_leaves_with_the_citizens_next_message(
    platform: Platform, start_bot: StartBot, rows: Rows
) -> None:
    gate = threading.Event()
    platform.fail_next("/cgi-bin/message/custom/send", errcode=45015)
    async with start_bot(platform, parts=Parts(decide=held(gate)), FAWEN_WECHAT__REPLY_DEADLINE="0.05") as bot:
        citizen = platform.citizen("o1")
        await citizen.say(QUESTION)
        gate.set()
        await until(lambda: rows(bot.settings, "SELECT state FROM outbox") == [("held",)])
        await citizen.say("谢谢")
        await until(lambda: any("劳动监察" in seen.text for seen in citizen.seen))


async def test_the_menu_is_one_the_platform_takes(platform: Platform) -> None:
    settings = Wechat(
        token=platform.token, app_id=platform.app_id, secret=platform.secret, mode="plain", api_base=platform.api_base
    )
    async with aiohttp.ClientSession() as session:
        client = Client(session, settings, platform.clock, Metrics())
        await asyncio.gather(*(client.create_menu(menu()) for _ in range(5)))
    assert platform.menu is not None
    # Five calls at once fetch one token.
    assert len(platform.calls_to("/cgi-bin/stable_token")) == 1


async def test_a_send_cut_short_by_a_crash_is_not_made_again(
    platform: Platform, start_bot: StartBot, rows: Rows, clock: Clock
) -> None:
    gate = threading.Event()
    platform.fail_next("/cgi-bin/message/custom/send", errcode=-1)
    late = {"FAWEN_WECHAT__REPLY_DEADLINE": "0.05"}
    async with start_bot(platform, parts=Parts(decide=held(gate)), **late) as bot:
        citizen = platform.citizen("o1")
        await citizen.say(QUESTION)
        gate.set()
        await until(lambda: rows(bot.settings, "SELECT state, attempts FROM outbox") == [("waiting", 1)])
        settings = bot.settings
    # As a process leaves it that died between sending and hearing the answer.
    engine = sa.create_engine(settings.database_url)
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE outbox SET state = 'sending'"))
    engine.dispose()
    clock.advance(3600)
    async with start_bot(platform, **late) as bot:
        await until(lambda: rows(bot.settings, "SELECT state FROM outbox") == [("uncertain",)])
    assert citizen.seen == []
