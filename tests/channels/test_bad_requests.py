"""Forged, stale, oversized and malformed requests: the status says no, no row is written, no flow runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot.app import Parts
from bot.conversation.turn import Outcome, Turn
from tests.conftest import StartBot
from tests.platform import Clock, Platform
from tests.platform.codec import Codec, signature
from tests.platform.values import Envelope

Rows = Callable[[Any, str], list[Any]]
XML = (
    "<xml><ToUserName><![CDATA[gh]]></ToUserName><FromUserName><![CDATA[o1]]></FromUserName>"
    "<CreateTime>1772413200</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[你好]]></Content>"
    "<MsgId>1</MsgId></xml>"
)
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<xml><FromUserName>o1</FromUserName><MsgType>text</MsgType><Content>&b;</Content></xml>"
)
OUTSIDE = (
    '<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<xml><FromUserName>o1</FromUserName><MsgType>text</MsgType><Content>&x;</Content></xml>"
)


def never(_turn: Turn) -> Outcome:
    pytest.fail("a flow ran")


def sealed(
    platform: Platform, body: str, *, app_id: str | None = None, token: str | None = None, age: int = 0
) -> Envelope:
    """A signed envelope around any body."""
    codec = Codec(app_id or platform.app_id, token or platform.token, platform.encoding_aes_key, "safe")
    moment = int(platform.clock().timestamp()) - age
    encrypted = codec.encrypt(body)
    query = codec.sign_query(moment, "nonce-1") | {"encrypt_type": "aes"}
    query["msg_signature"] = signature(codec.token, str(moment), "nonce-1", encrypted)
    return Envelope(query, f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode())


def readable(platform: Platform, body: str) -> Envelope:
    """A signed request as plain mode has it: the signature covers no body."""
    codec = Codec(platform.app_id, platform.token, None, "plain")
    return Envelope(codec.sign_query(int(platform.clock().timestamp()), "nonce-1"), body.encode())


async def expect(
    platform: Platform, start_bot: StartBot, rows: Rows, body: bytes, query: dict[str, str], status: int
) -> None:
    async with start_bot(platform, parts=Parts(decide=never)) as bot:
        answer = await platform.raw_post(body, query)
        assert answer.status == status
        assert answer.body in {b"", b"413: Request Entity Too Large"}
        assert rows(bot.settings, "SELECT count(*) FROM inbox") == [(0,)]
        assert rows(bot.settings, "SELECT count(*) FROM citizens") == [(0,)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (XML[:-20], 400),
        ("", 400),
        ("not xml", 400),
        ("<html/>", 400),
        ("<xml/>", 400),
        ("<xml><FromUserName>o1</FromUserName></xml>", 400),
        ("<xml><FromUserName>o 1'; --</FromUserName><MsgType>text</MsgType></xml>", 400),
        ("<x><FromUserName>o1</FromUserName><MsgType>text</MsgType></x>", 400),
        ("<xml><FromUserName>o1</FromUserName><FromUserName>o2</FromUserName><MsgType>text</MsgType></xml>", 400),
        ("<!DOCTYPE xml><xml><FromUserName>o1</FromUserName><MsgType>text</MsgType></xml>", 400),
        ("<xml><FromUserName><a>o1</a></FromUserName><MsgType>text</MsgType></xml>", 400),
        (BOMB, 400),
        (OUTSIDE, 400),
        ("<xml>" + "<a>" * 5000 + "</a>" * 5000 + "</xml>", 400),
    ],
)
async def test_signed_but_malformed(
    platform: Platform, start_bot: StartBot, rows: Rows, body: str, status: int
) -> None:
    envelope = sealed(platform, body)
    await expect(platform, start_bot, rows, envelope.body, envelope.query, status)


async def test_forged_signature(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    envelope = sealed(platform, XML, token="somebody else's")
    await expect(platform, start_bot, rows, envelope.body, envelope.query, 403)


async def test_unsigned(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    await expect(platform, start_bot, rows, XML.encode(), {}, 403)


async def test_stale(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    envelope = sealed(platform, XML, age=601)
    await expect(platform, start_bot, rows, envelope.body, envelope.query, 403)


async def test_meant_for_another_account(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    envelope = sealed(platform, XML, app_id="wx0000000000other0")
    await expect(platform, start_bot, rows, envelope.body, envelope.query, 403)


async def test_truncated_on_the_way(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    envelope = sealed(platform, XML)
    await expect(platform, start_bot, rows, envelope.body[: len(envelope.body) // 2], envelope.query, 403)


async def test_tampered_on_the_way(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    envelope = sealed(platform, XML)
    middle = len(envelope.body) // 2
    swapped = envelope.body[:middle] + bytes([envelope.body[middle] ^ 1]) + envelope.body[middle + 1 :]
    await expect(platform, start_bot, rows, swapped, envelope.query, 403)


async def test_oversized(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    envelope = sealed(platform, XML)
    await expect(platform, start_bot, rows, b"x" * 70_000, envelope.query, 413)


async def test_oversized_without_saying_so(platform: Platform, start_bot: StartBot, rows: Rows) -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 1024

    query = sealed(platform, XML).query
    async with start_bot(platform, parts=Parts(decide=never)) as bot, aiohttp.ClientSession() as session:
        async with session.post(f"{bot.url}/wechat", params=query, data=endless()) as response:
            assert response.status == 413
        assert rows(bot.settings, "SELECT count(*) FROM inbox") == [(0,)]


async def test_readable_messages_are_refused_in_safe_mode(clock: Clock, start_bot: StartBot, rows: Rows) -> None:
    async with Platform(clock=clock) as platform:
        plain = readable(platform, XML)
        await expect(platform, start_bot, rows, plain.body, plain.query, 403)


async def test_a_signature_seen_carries_no_other_body(clock: Clock, start_bot: StartBot, rows: Rows) -> None:
    async with Platform(mode="plain", clock=clock) as platform, start_bot(platform) as bot:
        envelope = readable(platform, XML)
        assert (await platform.raw_post(envelope.body, envelope.query)).status == 200
        assert (await platform.raw_post(envelope.body, envelope.query)).status == 200
        other = envelope.body.replace(b"<MsgId>1<", b"<MsgId>2<")
        assert (await platform.raw_post(other, envelope.query)).status == 403
        assert rows(bot.settings, "SELECT count(*) FROM inbox") == [(1,)]


async def test_the_address_check_is_signed_too(platform: Platform, start_bot: StartBot) -> None:
    async with start_bot(platform):
        answer = await platform.verify_url("secret", signature="0" * 40)
        assert (answer.status, answer.body) == (403, b"")


async def test_a_citizen_may_type_our_own_tags(clock: Clock, start_bot: StartBot) -> None:
    async with Platform(mode="compatible", clock=clock) as platform, start_bot(platform):
        citizen = platform.citizen("o1")
        for text in (
            "<Encrypt>abc</Encrypt> 单位拖欠工资怎么办",
            "]]></Content><MsgType>event</MsgType>",
            "<xml>你好</xml>",
        ):
            delivery = await citizen.say(text)
            assert delivery.statuses == [200]
            assert citizen.last.via == "passive"


async def test_refusals_are_counted(platform: Platform, start_bot: StartBot) -> None:
    async with start_bot(platform) as bot, aiohttp.ClientSession() as session:
        await platform.raw_post(b"x", {})
        async with session.get(f"{bot.url}/metrics") as response:
            assert 'fawen_refused_requests_total{channel="wechat",why="no_timestamp"} 1.0' in await response.text()
