"""Access tokens, and how many customer-service messages may be sent until when."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.platform import MENU_LINE, MESSAGE_LINE, Clock, Platform
from tests.platform.allowance import Allowance
from tests.platform.tinybot import ApiClient, online

HOUR = 3600


async def test_a_token_stays_the_same_until_it_nears_expiry() -> None:
    async with online() as (_, api, clock):
        first = api.token
        clock.advance(7200 - 301)
        assert await api.login() == {"access_token": first, "expires_in": 301}
        clock.advance(1)
        second = await api.login()
        assert second["expires_in"] == 7200
        assert second["access_token"] != first


async def test_the_old_token_works_until_it_expires() -> None:
    async with online() as (platform, api, clock):
        await platform.citizen("o1").say("你好")
        old = api.token
        clock.advance(7000)
        await api.login()
        api.token, new = old, api.token
        assert await api.send("o1", "好") == 0
        clock.advance(200)
        assert await api.send("o1", "好") == 42001
        api.token = new
        assert await api.send("o1", "好") == 0


async def test_a_forced_or_revoked_token_is_invalid_at_once() -> None:
    async with online() as (platform, api, _):
        await platform.citizen("o1").say("你好")
        old = api.token
        await api.login(force=True)
        api.token, new = old, api.token
        assert await api.send("o1", "好") == 40001
        api.token = new
        platform.revoke_token()
        assert await api.send("o1", "好") == 40001
        assert (await api.login())["access_token"] not in {old, new}
        assert await api.send("o1", "好") == 0
        api.token = uuid4().hex
        assert await api.send("o1", "好") == 40014


@pytest.mark.parametrize(("changes", "errcode"), [({"appid": "wx-other"}, 40013), ({"secret": "other"}, 40125)])
async def test_a_token_needs_the_right_credentials(changes: dict[str, str], errcode: int) -> None:
    async with online() as (platform, api, _):
        right = {"grant_type": "client_credential", "appid": platform.app_id, "secret": platform.secret}
        answer = await api.call("POST", "/cgi-bin/stable_token", json={**right, **changes})
        assert answer["errcode"] == errcode


# Steps: what the citizen does, how many seconds pass, or how a customer-service message fares.
STORIES: dict[str, list[str | int]] = {
    "never wrote": ["=45015"],
    "five after a message": ["say", "=0", "=0", "=0", "=0", "=0", "=45047"],
    "three after a click": ["click", "=0", "=0", "=0", "=45047"],
    "three after a scan": ["scan", "=0", "=0", "=0", "=45047"],
    "three after following": ["subscribe", "=0", "=0", "=0", "=45047"],
    "a page view opens nothing": ["view", "=45015"],
    "48 hours": ["say", 48 * HOUR - 1, "=0", 1, "=45015"],
    "one minute": ["click", 59, "=0", 1, "=45015"],
    "not cumulative": ["say", "say", "=0", "=0", "=0", "=0", "=0", "=45047"],
    "a new message resets": ["say", "=0", "=0", "=0", "=0", "=0", "=45047", "say", "=0"],
    "a click keeps the longer clock": ["say", "click", 61, "=0", "=0", "=0", "=0", "=0", "=45047"],
    "a click raises a used-up count": ["say", "=0", "=0", "=0", "=0", "click", "=0", "=0", "=0", "=45047"],
    "a click does not lower the count": ["say", "=0", "click", "=0", "=0", "=0", "=0", "=45047"],
    "an old window's rest is gone": ["say", 48 * HOUR, "click", "=0", "=0", "=0", "=45047"],
    "outside beats used up": ["click", "=0", "=0", "=0", 60, "=45015"],
    "leaving closes": ["say", "unsubscribe", "=43004", "subscribe", "=0", "=0", "=0", "=45047"],
    "a tap counts as a message": ["tap", "=0", "=0", "=0", "=0", "=0", "=45047"],
}


async def tell(story: list[str | int], platform: Platform, api: ApiClient, clock: Clock) -> None:
    citizen = platform.citizen("o1")
    actions = {
        "say": lambda: citizen.say("你好"),
        "tap": lambda: citizen.tap("有用", "1"),
        "click": lambda: citizen.click("k"),
        "scan": lambda: citizen.scan("s"),
        "view": lambda: citizen.view("https://a.test"),
        "subscribe": citizen.subscribe,
        "unsubscribe": citizen.unsubscribe,
    }
    for number, step in enumerate(story):
        if isinstance(step, int):
            clock.advance(step)
            await api.login()
        elif step.startswith("="):
            assert await api.send("o1", "好") == int(step[1:]), f"step {number}"
        else:
            await actions[step]()


@pytest.mark.parametrize("name", STORIES)
async def test_window_and_quota(name: str) -> None:
    async with online() as (platform, api, clock):
        await tell(STORIES[name], platform, api, clock)


async def test_a_tap_can_be_made_to_count_as_a_menu_action() -> None:
    async with online(tap_line=MENU_LINE) as (platform, api, clock):
        await tell(["tap", "=0", "=0", "=0", "=45047"], platform, api, clock)


@given(st.lists(st.sampled_from(["message", "menu", "send"]) | st.integers(1, 200_000), max_size=40))
def test_an_allowance_never_exceeds_its_last_actions(steps: list[str | int]) -> None:
    clock, allowance, run = Clock(), Allowance(), 0
    acted: dict[str, float] = {}
    for step in steps:
        if isinstance(step, int):
            clock.advance(step)
        elif step == "send":
            fresh = any(
                clock().timestamp() - at < (MENU_LINE if kind == "menu" else MESSAGE_LINE).life.total_seconds()
                for kind, at in acted.items()
            )
            errcode = allowance.spend(clock())
            run += errcode == 0
            assert (errcode == 45015) == (not fresh)
            assert run <= MESSAGE_LINE.count
        else:
            allowance.act(MESSAGE_LINE if step == "message" else MENU_LINE, clock())
            acted[step], run = clock().timestamp(), 0
