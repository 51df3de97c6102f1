"""The bot's calls to the platform's API."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.platform import Clock, Platform
from tests.platform.api import keep_escapes
from tests.platform.tinybot import client, online, running

SEND = "/cgi-bin/message/custom/send"
HOUR = 3600


@pytest.mark.parametrize(
    ("openid", "content", "errcode"),
    [
        ("o1", "好", 0),
        ("o1", "好" * 682 + "!!", 0),
        ("o1", "好" * 683, 45002),
        ("o1", "", 44004),
        ("nobody", "好", 40003),
        ("left", "好", 43004),
    ],
)
async def test_a_text_message(openid: str, content: str, errcode: int) -> None:
    async with online() as (platform, api, _):
        platform.citizen("left", subscribed=False)
        await platform.citizen("o1").say("你好")
        assert await api.send(openid, content) == errcode
        assert [seen.text for seen in platform.citizen("o1").seen] == ([] if errcode else [content])
        assert platform.calls[-1].errcode == errcode


async def test_every_type_of_customer_service_message() -> None:
    async with online() as (platform, api, _):
        citizen = platform.citizen("o1")
        await citizen.say("你好")
        media_id = platform.store_media(b"x", "image/png")
        items = [{"id": "101", "content": "满意"}, {"id": "102", "content": "不满意"}]
        menu = {"head_content": "满意吗？", "list": items, "tail_content": "谢谢"}
        card = {"title": "指南", "description": "材料", "url": "https://a.test", "picurl": ""}
        for kind, content, errcode in [
            ("msgmenu", menu, 0),
            ("image", {"media_id": media_id}, 0),
            ("image", {"media_id": "other"}, 40007),
            ("news", {"articles": [card]}, 0),
            ("news", {"articles": [card, card]}, 45008),
        ]:
            body = json.dumps({"touser": "o1", "msgtype": kind, kind: content}, ensure_ascii=False)
            assert (await api.post(SEND, data=body.encode()))["errcode"] == errcode
        assert [seen.kind for seen in citizen.seen] == ["msgmenu", "image", "news"]
        assert citizen.seen[0].visible == "满意吗？\n满意\n不满意\n谢谢"
        assert citizen.find_tap("不满意").menu_id == "102"
        assert citizen.messages_left == 2


async def test_escapes_are_shown_as_they_stand() -> None:
    async with online() as (platform, api, _):
        await platform.citizen("o1").say("你好")
        message = {"touser": "o1", "msgtype": "text", "text": {"content": "好\n"}}
        await api.post(SEND, json=message)
        await api.post(SEND, data=json.dumps(message, ensure_ascii=False).encode())
        assert [seen.text for seen in platform.citizen("o1").seen] == ["\\u597d\n", "好\n"]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_only_u_escapes_are_kept(text: str) -> None:
    raw = json.dumps(text)
    assert json.loads(keep_escapes(raw)).count("\\u") >= raw.count("\\u") - raw.count("\\\\u")
    printable = "".join(char for char in text if char >= " " and char != "\x7f")
    assert json.loads(keep_escapes(json.dumps(printable, ensure_ascii=False))) == printable


async def test_typing_shows_until_something_arrives() -> None:
    async with online() as (platform, api, _):
        citizen = platform.citizen("o1")
        await citizen.say("你好")
        await api.post("/cgi-bin/message/custom/typing", json={"touser": "o1", "command": "Typing"})
        assert citizen.typing
        await api.send("o1", "好")
        assert not citizen.typing


def click(name: str, key: str = "k") -> dict[str, Any]:
    return {"type": "click", "name": name, "key": key}


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([click("问法律")], 0),
        ([click("四个汉字")] * 3, 0),
        ([], 40016),
        ([click("问")] * 4, 40016),
        ([click("五个汉字了")], 40018),
        ([click("")], 40018),
        ([{"name": "问"}], 40017),
        ([click("问", "k" * 128)], 0),
        ([click("问", "k" * 129)], 40019),
        ([click("问", "")], 40019),
        ([{"type": "view", "name": "看", "url": "https://a.test"}], 0),
        ([{"type": "view", "name": "看"}], 40020),
        ([{"name": "更多", "sub_button": [click("八个汉字八个汉字")] * 5}], 0),
        ([{"name": "更多", "sub_button": [click("九个汉字九个汉字九")]}], 40025),
        ([{"name": "更多", "sub_button": [click("子")] * 6}], 40023),
        ([{"name": "更多", "sub_button": [{"name": "子", "sub_button": [click("孙")]}]}], 40023),
    ],
)
async def test_the_menus_limits(buttons: list[dict[str, Any]], errcode: int) -> None:
    async with online() as (platform, api, _):
        body = json.dumps({"button": buttons}, ensure_ascii=False).encode()
        assert (await api.post("/cgi-bin/menu/create", data=body))["errcode"] == errcode
        answer = await api.call("GET", "/cgi-bin/menu/get", {"access_token": api.token})
        assert answer == {"menu": {"button": buttons}} if errcode == 0 else answer["errcode"] == 46003
        assert (platform.menu is None) == (errcode != 0)


async def test_a_menu_button_can_be_chosen_by_name() -> None:
    async with running(platform := Platform()) as bot, client(platform) as api:
        page = {"type": "view", "name": "看", "url": "https://a.test"}
        menu = {"button": [{"name": "更多", "sub_button": [click("问", "ask")]}, page]}
        await api.post("/cgi-bin/menu/create", data=json.dumps(menu, ensure_ascii=False).encode())
        await platform.citizen("o1").choose("问")
        await platform.citizen("o1").choose("看")
        with pytest.raises(LookupError):
            await platform.citizen("o1").choose("更多")
    assert (bot.inbox[0].key, bot.inbox[1].url) == ("ask", "https://a.test")


def code(name: str, scene: str, **more: int) -> dict[str, Any]:
    return {"action_name": name, "action_info": {"scene": {"scene_str": scene}}, **more}


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        (code("QR_LIMIT_STR_SCENE", "t" * 64), None),
        (code("QR_LIMIT_STR_SCENE", "t" * 65), 40053),
        (code("QR_LIMIT_STR_SCENE", ""), 40053),
        (code("QR_STR_SCENE", "t", expire_seconds=2_592_000), None),
        (code("QR_STR_SCENE", "t", expire_seconds=2_592_001), 40053),
    ],
)
async def test_qr_codes(body: dict[str, Any], errcode: int | None) -> None:
    async with online() as (platform, api, _):
        answer = await api.post("/cgi-bin/qrcode/create", json=body)
        assert answer.get("errcode") == errcode
        if errcode is None:
            assert answer["ticket"] == platform.scenes[body["action_info"]["scene"]["scene_str"]].ticket
            assert answer["url"].endswith(answer["ticket"])


async def test_a_permanent_code_stays_the_same() -> None:
    async with online() as (_, api, __):
        body = code("QR_LIMIT_STR_SCENE", "town-1")
        first = await api.post("/cgi-bin/qrcode/create", json=body)
        assert await api.post("/cgi-bin/qrcode/create", json=body) == first


async def test_a_permanent_code_replaces_a_temporary_one() -> None:
    async with online() as (platform, api, _):
        await api.post("/cgi-bin/qrcode/create", json=code("QR_STR_SCENE", "town-1"))
        answer = await api.post("/cgi-bin/qrcode/create", json=code("QR_LIMIT_STR_SCENE", "town-1"))
        assert set(answer) == {"ticket", "url"}
        assert platform.scenes["town-1"].expires is None


async def test_template_notices_need_no_window() -> None:
    async with online(template_ids=frozenset({"t1"})) as (platform, api, _):
        lawyer = platform.citizen("lawyer")
        values = {"first": {"value": "New case"}, "time": {"value": "09:00", "color": "#173177"}}
        body = {"touser": "lawyer", "template_id": "t1", "url": "https://a.test/desk", "data": values}
        assert (await api.post("/cgi-bin/message/template/send", json=body))["errcode"] == 0
        assert lawyer.last.visible == "New case\n09:00"
        assert lawyer.last.links[0].url == "https://a.test/desk"
        answer = await api.post("/cgi-bin/message/template/send", json={**body, "template_id": "t2"})
        assert answer["errcode"] == 40037


async def test_media_is_kept_three_days() -> None:
    async with running(platform := Platform(clock=(clock := Clock()))) as bot, client(platform) as api:
        await platform.citizen("o1").voice(b"sound")
        url = f"{platform.api_base}/cgi-bin/media/get"
        query = {"access_token": api.token, "media_id": bot.inbox[0].media_id}
        async with api.session.get(url, params=query) as response:
            assert (await response.read(), response.content_type) == (b"sound", "audio/amr")
        clock.advance(3 * 24 * HOUR)
        query["access_token"] = (await api.login())["access_token"]
        async with api.session.get(url, params=query) as response:
            assert response.content_type == "text/plain"
            assert (await response.json(content_type=None))["errcode"] == 40007


async def test_a_page_learns_who_opened_it() -> None:
    async with online() as (platform, api, clock):
        login = f"{platform.api_base}/connect/oauth2/authorize?appid={platform.app_id}&response_type=code"
        login += "&redirect_uri=https%3A%2F%2Fa.test%2Fpage%3Fx%3D1&scope=snsapi_base&state=s1#wechat_redirect"
        citizen = platform.citizen("o1")
        platform.hold_phone(citizen)
        async with api.session.get(login, allow_redirects=False) as response:
            target = response.headers["Location"]
        assert target.startswith("https://a.test/page?x=1&code=")
        assert target.endswith("&state=s1")
        grant = {"appid": platform.app_id, "secret": platform.secret, "grant_type": "authorization_code"}
        grant["code"] = target.split("code=")[1].split("&")[0]
        assert (await api.call("GET", "/sns/oauth2/access_token", grant))["openid"] == "o1"
        assert (await api.call("GET", "/sns/oauth2/access_token", grant))["errcode"] == 40029
        grant["code"] = citizen.open_login(login).split("code=")[1].split("&")[0]
        clock.advance(300)
        assert (await api.call("GET", "/sns/oauth2/access_token", grant))["errcode"] == 40029


TEXT = {"touser": "o1", "msgtype": "text", "text": {"content": "x"}}


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "why"),
    [
        ("GET", "/cgi-bin/user/info", {}, None, "no such path"),
        ("GET", SEND, {}, None, "wants POST"),
        ("POST", SEND, {}, TEXT, "lacks"),
        ("POST", SEND, {"access_token": "t", "lang": "zh"}, TEXT, "unknown"),
        ("POST", SEND, {"access_token": "t"}, {"touser": "o1", "msgtype": "text"}, "missing required field"),
        ("POST", SEND, {"access_token": "t"}, {**TEXT, "extra": 1}, "unknown field"),
        ("POST", SEND, {"access_token": "t"}, {**TEXT, "msgtype": "music"}, "Invalid value"),
        ("POST", SEND, {"access_token": "t"}, None, "bad body"),
        ("GET", "/cgi-bin/menu/get", {"access_token": "t"}, {"a": 1}, "no body"),
    ],
)
async def test_a_call_nobody_expected_fails_the_test(
    method: str, path: str, query: dict[str, str], body: Any, why: str
) -> None:
    async with online(strict=False) as (platform, api, _):
        options = {} if body is None else {"json": body}
        assert (await api.call(method, path, query, **options))["errcode"]
        with pytest.raises(AssertionError, match=why):
            platform.assert_clean()


async def test_leaving_the_platform_is_the_reckoning() -> None:
    async def careless(error: Exception | None) -> None:
        async with online() as (_, api, __):
            await api.call("GET", "/nowhere")
            if error:
                raise error

    with pytest.raises(AssertionError, match="GET /nowhere: no such path"):
        await careless(None)
    with pytest.raises(LookupError, match="the test's own"):
        await careless(LookupError("the test's own"))


@pytest.mark.parametrize("effect", [False, True])
async def test_scripted_failures_spoil_the_next_answers_only(*, effect: bool) -> None:
    async with online() as (platform, api, _):
        citizen = platform.citizen("o1")
        await citizen.say("你好")
        platform.fail_next(SEND, errcode=-1, effect=effect)
        assert await api.send("o1", "一") == -1
        platform.fail_next(SEND, status=502, effect=effect)
        with pytest.raises(json.JSONDecodeError):
            await api.send("o1", "二")
        platform.fail_next(SEND, malformed=True, effect=effect)
        with pytest.raises(json.JSONDecodeError):
            await api.send("o1", "三")
        platform.fail_next(SEND, drop=True, effect=effect)
        with pytest.raises(aiohttp.ClientConnectionError):
            await api.send("o1", "四")
        assert await api.send("o1", "五") == 0
        assert [call.status for call in platform.calls_to(SEND)] == [200, 502, 200, None, 200]
        assert [seen.text for seen in citizen.seen] == (["一", "二", "三", "四", "五"] if effect else ["五"])
        with pytest.raises(ValueError, match="no such path"):
            platform.fail_next("/cgi-bin/typo", status=500)


async def test_a_hanging_call_hangs_until_the_platform_closes() -> None:
    async with online() as (platform, api, _):
        await platform.citizen("o1").say("你好")
        platform.fail_next(SEND, hang=True)
        sending = asyncio.create_task(api.send("o1", "好"))
        call = await platform.called(SEND)
        assert call.status is None
        assert not sending.done()
        sending.cancel()


async def test_waiting_ends_when_the_phone_shows_it_or_says_what_is_missing() -> None:
    async with online() as (platform, api, _):
        citizen = platform.citizen("o1")
        await citizen.say("你好")
        seen, errcode = await asyncio.gather(citizen.sees(1), api.send("o1", "好"))
        assert (seen.text, errcode) == ("好", 0)
        with pytest.raises(AssertionError, match="o1 to see 2 things"):
            await citizen.sees(2, within=0.01)
