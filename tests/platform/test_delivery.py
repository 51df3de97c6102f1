"""Messages from citizens to the bot, and what the citizens then see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.platform import FAULT, Citizen, Clock, Delivery, Message, Mode, Platform, Seen, Tap
from tests.platform.screen import show_text
from tests.platform.tinybot import answers, hangs, running, says, silent

MODES: list[Mode] = ["plain", "compatible", "safe"]
LINE = '<a href="weixin://bizmsgmenu?msgmenucontent=转人工&msgmenuid=h.1">转人工律师</a>'
AT = Clock()()


@pytest.mark.parametrize("mode", MODES)
async def test_a_question_and_its_answer_in_each_mode(mode: Mode) -> None:
    async with running(platform := Platform(mode=mode), says("您好]]>，" + LINE)) as bot:
        citizen = platform.citizen("o1")
        delivery = await citizen.say("老板不给钱]]>咋办")
    assert bot.inbox[0].content == "老板不给钱]]>咋办"
    assert (bot.inbox[0].source, bot.inbox[0].target) == ("o1", platform.account_id)
    assert bot.inbox[0].time == int(platform.clock().timestamp())
    assert delivery.statuses == [200]
    assert delivery.reply is citizen.last
    assert citizen.last.visible == "您好]]>，转人工律师"
    assert citizen.last.taps == (Tap("转人工律师", "转人工", "h.1"),)
    assert citizen.last.via == "passive"


Action = Callable[[Citizen], Awaitable[Delivery]]
ACTIONS: list[tuple[str, Action, dict[str, Any]]] = [
    ("text", lambda c: c.tap("有用", "f.1"), {"content": "有用", "_data.bizmsgmenuid": "f.1"}),
    ("image", lambda c: c.image(), {"type": "image"}),
    ("voice", lambda c: c.voice(recognition="你好"), {"format": "amr", "recognition": "你好"}),
    ("voice without words", lambda c: c.voice(), {"type": "voice", "recognition": None}),
    ("video", lambda c: c.video(), {"type": "video"}),
    ("shortvideo", lambda c: c.video(short=True), {"type": "shortvideo"}),
    ("location", lambda c: c.location(23.1, 113.3, "县政府"), {"location": ("23.1", "113.3"), "label": "县政府"}),
    ("link", lambda c: c.link("题", "https://example.test/a?b=1&c=2"), {"url": "https://example.test/a?b=1&c=2"}),
    ("file", lambda c: c.file("合同.pdf"), {"type": "unknown"}),
    ("subscribe", lambda c: c.subscribe(), {"event": "subscribe"}),
    ("subscribe by code", lambda c: c.subscribe("town-1"), {"event": "subscribe_scan", "scene_id": "town-1"}),
    ("unsubscribe", lambda c: c.unsubscribe(), {"event": "unsubscribe"}),
    ("scan", lambda c: c.scan("town-1"), {"event": "scan", "scene_id": "town-1"}),
    ("click", lambda c: c.click("ask"), {"event": "click", "key": "ask"}),
    ("view", lambda c: c.view("https://example.test"), {"event": "view", "url": "https://example.test"}),
    ("other", lambda c: c.event("LOCATION", Latitude=1.5, Longitude=2.5, Precision=3.0), {"latitude": 1.5}),
]


@pytest.mark.parametrize(("_name", "action", "expected"), ACTIONS, ids=[name for name, *_ in ACTIONS])
async def test_every_kind_reaches_the_bot(_name: str, action: Action, expected: dict[str, Any]) -> None:
    async with running(platform := Platform()) as bot:
        delivery = await action(platform.citizen("o1"))
    message = bot.inbox[0]
    for path, value in expected.items():
        found = message._data["bizmsgmenuid"] if path.startswith("_data") else getattr(message, path)
        assert found == value
    assert delivery.reply is None
    assert not platform.citizen("o1").seen


async def test_pictures_can_be_fetched_where_the_message_says() -> None:
    async with running(platform := Platform()) as bot, aiohttp.ClientSession() as session:
        await platform.citizen("o1").image(b"picture")
        async with session.get(bot.inbox[0].image) as response:
            assert await response.read() == b"picture"


@pytest.mark.parametrize("body", [b"", b"success"])
async def test_no_passive_reply_means_silence(body: bytes) -> None:
    async with running(platform := Platform(), answers(body)):
        delivery = await platform.citizen("o1").say("你好")
    assert (delivery.statuses, delivery.reply, delivery.seen, delivery.fault) == ([200], None, None, "")


REPLY = {"ToUserName": "o1", "CreateTime": 1, "MsgType": "text", "Content": "好"}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ToUserName": "o2"}, "addressed"),
        ({"FromUserName": "gh_other"}, "sent by"),
        ({"CreateTime": "now"}, "CreateTime"),
        ({"CreateTime": 1.5}, "CreateTime"),
        ({"MsgType": "transfer_customer_service"}, "unknown MsgType"),
        ({"MsgType": "image"}, "Image/MediaId"),
        ({"MsgType": "news", "ArticleCount": 1}, "one article"),
        ({"Content": ""}, "empty"),
        ({"Content": "好" * 683}, "2049 bytes"),
    ],
)
async def test_a_malformed_reply_shows_the_fault_at_once(changes: dict[str, Any], why: str) -> None:
    async with running(platform := Platform(), says("好", **changes)):
        delivery = await platform.citizen("o1").say("你好")
        assert delivery.statuses == [200]
        assert why in delivery.fault
        assert platform.citizen("o1").last.text == FAULT


@pytest.mark.parametrize("body", [b"success\n", b"ok", b"\xff", b"<xml>", b"<xml></xml>", "好".encode()])
@pytest.mark.parametrize("mode", MODES)
async def test_a_body_that_is_no_reply_shows_the_fault(mode: Mode, body: bytes) -> None:
    async with running(platform := Platform(mode=mode), answers(body)):
        delivery = await platform.citizen("o1").say("你好")
    assert delivery.fault
    assert platform.citizen("o1").last.via == "fault"


async def test_an_error_status_shows_the_fault() -> None:
    async def broken(_message: Any) -> bytes:
        raise aiohttp.web.HTTPInternalServerError

    async with running(platform := Platform(), broken):
        assert (await platform.citizen("o1").say("你好")).fault == "HTTP status 500"


async def test_text_of_exactly_2048_bytes_passes() -> None:
    async with running(platform := Platform(), says("好" * 682 + "!!")):
        assert len((await platform.citizen("o1").say("你好")).text.encode()) == 2048


@pytest.mark.parametrize(("silences", "statuses"), [(1, [None, 200]), (2, [None, None, 200]), (3, [None, None, None])])
async def test_silence_is_retried_three_times_in_all(silences: int, statuses: list[int | None]) -> None:
    async with running(platform := Platform(timeout=0.05), hangs(silences, says("好"))) as bot:
        delivery = await platform.citizen("o1").say("你好")
    assert delivery.statuses == statuses
    assert len({message.id for message in bot.inbox}) == 1
    assert len({query["nonce"] for query in bot.queries}) == len(statuses)
    assert platform.citizen("o1").last.text == ("好" if statuses[-1] else FAULT)


async def test_a_bot_that_is_down_may_come_back_between_tries() -> None:
    retries: list[int] = []

    async def come_back(delivery: Delivery) -> None:
        retries.append(len(delivery.attempts))
        if len(retries) == 2:
            platform.bot_url = address

    async with running(platform := Platform(before_retry=come_back), says("好")):
        address, platform.bot_url = platform.bot_url, "http://127.0.0.1:9/wechat"
        delivery = await platform.citizen("o1").say("你好")
    assert (retries, delivery.statuses, delivery.text) == ([1, 2], [None, None, 200], "好")


async def test_a_message_delivered_again_is_the_same_and_shown_once() -> None:
    async with running(platform := Platform(), says("好")) as bot:
        first = await platform.citizen("o1").say("你好")
        second = await platform.redeliver(first)
    assert bot.inbox[0].id == bot.inbox[1].id
    assert bot.queries[0]["nonce"] != bot.queries[1]["nonce"]
    assert second.text == first.text == "好"
    assert (len(platform.citizen("o1").seen), second.seen) == (1, None)


async def test_messages_have_ids_of_their_own_and_events_seconds_of_their_own() -> None:
    async with running(platform := Platform()) as bot:
        citizen = platform.citizen("o1")
        for _ in range(2):
            await citizen.say("你好")
            await citizen.click("ask")
    assert bot.inbox[0].id != bot.inbox[2].id
    assert bot.inbox[1].time != bot.inbox[3].time


async def test_who_has_left_sees_nothing_and_cannot_write() -> None:
    async with running(platform := Platform(), says("再见")):
        citizen = platform.citizen("o1")
        delivery = await citizen.unsubscribe()
        assert delivery.reply is not None
        assert delivery.seen is None
        assert not citizen.seen
        with pytest.raises(RuntimeError, match="does not follow"):
            await citizen.say("你好")
        await citizen.scan("town-1")
        assert citizen.subscribed
        assert citizen.last.text == "再见"


async def test_a_label_on_the_screen_can_be_pressed() -> None:
    async with running(platform := Platform(), says(LINE)) as bot:
        citizen = platform.citizen("o1")
        await citizen.say("你好")
        await citizen.press("转人工律师")
        with pytest.raises(LookupError):
            await citizen.press("没有这行")
    assert bot.inbox[1].content == "转人工"


async def test_watchers_hear_of_everything_seen() -> None:
    heard: list[tuple[str, str]] = []

    def watch(openid: str, seen: Seen) -> None:
        heard.append((openid, seen.visible))

    async with running(platform := Platform(), says("好")):
        platform.watchers.append(watch)
        await platform.citizen("o1").say("你好")
    assert heard == [("o1", "好")]


async def test_media_replies_name_stored_media() -> None:
    async with running(platform := Platform(mode="plain"), silent) as bot:
        media_id = platform.store_media(b"x", "image/png")

        async def show(message: Any) -> bytes:
            image = f"<MsgType>image</MsgType><Image><MediaId>{message.content}</MediaId></Image>"
            head = f"<ToUserName>o1</ToUserName><FromUserName>{message.target}</FromUserName>"
            return f"<xml>{head}<CreateTime>1</CreateTime>{image}</xml>".encode()

        bot.behave = show
        assert (seen := (await platform.citizen("o1").say(media_id)).reply)
        assert (seen.kind, seen.detail) == ("image", {"media_id": media_id})
        assert "no media" in (await platform.citizen("o1").say("other")).fault


@pytest.mark.parametrize("count", [1, 2])
async def test_a_news_reply_holds_one_article(count: int) -> None:
    async with running(platform := Platform(mode="plain"), silent) as bot:
        item = "<item><Title>指南</Title><Description>要带什么</Description><Url>https://a.test</Url></item>"

        async def show(message: Any) -> bytes:
            head = f"<ToUserName>o1</ToUserName><FromUserName>{message.target}</FromUserName><CreateTime>1</CreateTime>"
            cards = f"<ArticleCount>{count}</ArticleCount><Articles>{item * count}</Articles>"
            return f"<xml>{head}<MsgType>news</MsgType>{cards}</xml>".encode()

        bot.behave = show
        delivery = await platform.citizen("o1").say("指南")
    assert bool(delivery.fault) == (count != 1)
    assert platform.citizen("o1").last.visible == ("指南\n要带什么" if count == 1 else FAULT)


async def test_the_url_is_verified_and_forged_traffic_can_be_sent() -> None:
    async with running(platform := Platform(), says("好")) as bot:
        assert (await platform.verify_url("e-1")).text == "e-1"
        assert (await platform.verify_url("e-2", signature="forged")).status == 200  # the tiny bot trusts anyone
        forged = platform.seal(Message("o9", platform.citizen("o1").write("你好").fields))
        assert (await platform.raw_post(forged.body, forged.query)).status == 200
        assert (await platform.raw_post(forged.body, {**forged.query, "msg_signature": "0"})).status == 500
    assert len(bot.inbox) == 1


async def test_reusing_the_requests_nonce_is_noticed() -> None:
    async with running(platform := Platform(strict=False), says("好")) as bot:
        bot.nonce_prefix = ""
        assert (await platform.citizen("o1").say("你好")).text == "好"
    with pytest.raises(AssertionError, match="reuses the nonce"):
        platform.assert_clean()


@pytest.mark.parametrize(
    ("text", "visible", "taps", "links"),
    [
        ("没有链接 <a", "没有链接 <a", 0, 0),
        (f"一\n{LINE}\n{LINE}", "一\n转人工律师\n转人工律师", 2, 0),
        ('看<a href="https://a.test/?x=1&y=2">这里</a>', "看这里", 0, 1),
        ('<a href="javascript:x">坏</a>', '<a href="javascript:x">坏</a>', 0, 0),
        ('<a href="weixin://bizmsgmenu?msgmenucontent=&msgmenuid=1">空</a>', None, 0, 0),
        ('<a href="weixin://bizmsgmenu?msgmenucontent=a&b&msgmenuid=1">断</a>', None, 0, 0),
    ],
)
def test_how_a_text_looks_on_the_phone(text: str, visible: str | None, taps: int, links: int) -> None:
    seen = show_text("passive", text, AT)
    assert seen.visible == (text if visible is None else visible)
    assert (len(seen.taps), len(seen.links)) == (taps, links)


SAFE_TEXT = st.text(st.characters(categories=["L", "N", "Po"], exclude_characters='&"%<>#'), min_size=1)


@given(SAFE_TEXT, SAFE_TEXT, SAFE_TEXT)
def test_a_tap_line_gives_back_its_parts(label: str, content: str, menu_id: str) -> None:
    text = f'<a href="weixin://bizmsgmenu?msgmenucontent={content}&msgmenuid={menu_id}">{label}</a>'
    assert show_text("passive", text, AT).taps == (Tap(label, content, menu_id),)


async def test_a_broken_tap_line_is_noticed() -> None:
    async with running(platform := Platform(strict=False), says(LINE.replace('">', ">"))):
        await platform.citizen("o1").say("你好")
    with pytest.raises(AssertionError, match="broken tap line"):
        platform.assert_clean()
