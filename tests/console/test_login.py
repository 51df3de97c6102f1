"""Login, logout, own account: who gets in, who does not, what is on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.console.auth import COOKIE, own_path
from bot.service import accounts
from tests.conftest import StartBot
from tests.console.helpers import PAGE, PASSWORD, act, add_staff, browsing, log_in
from tests.platform import Clock
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
WRONG = "完全不是这个密码"


@pytest.fixture
async def bot(start_bot: StartBot) -> AsyncIterator[Bot]:
    async with start_bot() as running:
        add_staff(running)
        yield running


@pytest.fixture
async def browser(bot: Bot) -> AsyncIterator[aiohttp.ClientSession]:
    async with browsing(bot) as session:
        yield session


@pytest.fixture
async def inside(browser: aiohttp.ClientSession) -> aiohttp.ClientSession:
    """Zhang's browser, logged in."""
    assert (await log_in(browser))[:2] == (303, "/workbench")
    return browser


async def page(browser: aiohttp.ClientSession, path: str = "/account") -> tuple[int, str]:
    async with browser.get(path, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", "") or await response.text()


async def post(browser: aiohttp.ClientSession, path: str, **form: str) -> tuple[int, str]:
    async with browser.post(path, data=form, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", "") or await response.text()


async def fail_five_times(browser: aiohttp.ClientSession, login: str = "zhang") -> list[tuple[int, str, str]]:
    return [await log_in(browser, login, WRONG) for _ in range(5)]


async def test_the_right_password_opens_the_door(inside: aiohttp.ClientSession, bot: Bot, rows: Rows) -> None:
    status, text = await page(inside)
    assert status == 200
    assert all(word in text for word in ("张三", "值班律师", "工作台", "退出"))
    assert rows(bot.settings, "SELECT action, address FROM audit ORDER BY id")[-1] == ("login", "127.0.0.1")
    assert (await page(inside, "/login?next=/account"))[:2] == (303, "/account")


async def test_a_login_may_be_typed_carelessly(browser: aiohttp.ClientSession) -> None:
    assert (await log_in(browser, " Zhang "))[0] == 303


async def test_the_cookie_is_for_us_alone_and_the_store_knows_only_its_hash(
    browser: aiohttp.ClientSession, bot: Bot, rows: Rows
) -> None:
    form = {"login": "zhang", "password": PASSWORD}
    async with browser.post("/login", data=form, allow_redirects=False) as response:
        cookie = response.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "Strict", "/", "")
    assert len(cookie.value) >= 43
    assert cookie.value not in str(rows(bot.settings, "SELECT * FROM sessions"))


async def test_behind_https_the_cookie_is_secure(start_bot: StartBot) -> None:
    async with start_bot(FAWEN_HTTP__TRUSTED_PROXIES="1") as bot:
        add_staff(bot)
        async with browsing(bot) as browser:
            headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "6.6.6.6, 10.0.0.7"}
            headers["Origin"] = bot.url.replace("http:", "https:")
            form = {"login": "zhang", "password": PASSWORD}
            async with browser.post("/login", data=form, allow_redirects=False, headers=headers) as response:
                assert response.cookies[COOKIE]["secure"] is True
            assert act(bot, lambda conn: conn.exec_driver_sql("SELECT max(address) FROM audit").scalar()) == "10.0.0.7"


@pytest.mark.parametrize("login", ["zhang", "nobody"])
async def test_wrong_password_and_unknown_login_get_the_same_answers(
    login: str, browser: aiohttp.ClientSession
) -> None:
    answers = await fail_five_times(browser, login)
    assert [status for status, _, _ in answers] == [403] * 5
    assert "账号或密码不对。</p>" in answers[0][2]
    assert "再错1次" in answers[3][2]
    assert "锁到今天9:15" in answers[4][2]
    assert f'value="{login}"' in answers[0][2]
    assert "锁到今天9:15" in (await log_in(browser, login))[2]


async def test_the_lock_ends_and_doubles(browser: aiohttp.ClientSession, clock: Clock) -> None:
    await fail_five_times(browser)
    clock.advance(14 * 60)
    assert (await log_in(browser))[0] == 403
    clock.advance(2 * 60)
    assert "锁到今天9:46" in (await fail_five_times(browser))[4][2]
    clock.advance(31 * 60)
    assert (await log_in(browser))[0] == 303


def test_locks_double_up_to_a_day() -> None:
    minutes = [accounts.lock_of(count) / timedelta(minutes=1) for count in (0, 4, 5, 6, 10, 15, 35, 40, 5000)]
    assert minutes == [0, 0, 15, 0, 30, 60, 960, 1440, 1440]


async def test_many_guesses_at_once_get_no_more_tries(start_bot: StartBot, rows: Rows) -> None:
    async with start_bot() as bot:
        add_staff(bot)
        async with browsing(bot) as browser:
            await asyncio.gather(*(log_in(browser, "zhang", WRONG) for _ in range(12)))
            assert (await log_in(browser))[0] == 403
        assert rows(bot.settings, "SELECT failures FROM staff") == [(5,)]


async def test_the_operator_opens_a_lock(browser: aiohttp.ClientSession, bot: Bot) -> None:
    await fail_five_times(browser)
    act(bot, lambda conn: accounts.enable(conn, bot.parts.new_id, "zhang", bot.parts.clock()))
    assert (await log_in(browser))[0] == 303


async def test_one_network_cannot_try_without_end(browser: aiohttp.ClientSession) -> None:
    answers = [await log_in(browser, f"guess{number}", WRONG) for number in range(21)]
    assert [status for status, _, _ in answers] == [403] * 20 + [429]
    assert "太频繁，请等60秒" in answers[-1][2]


async def test_a_disabled_member_is_out_at_the_next_request(inside: aiohttp.ClientSession, bot: Bot) -> None:
    act(bot, lambda conn: accounts.disable(conn, bot.parts.new_id, "zhang", bot.parts.clock()))
    assert await page(inside) == (303, "/login?next=/account")
    assert "已经停用" in (await log_in(inside))[2]
    assert "账号或密码不对" in (await log_in(inside, "zhang", WRONG))[2]


async def test_a_session_ends_unused_and_at_the_latest(inside: aiohttp.ClientSession, clock: Clock) -> None:
    for _ in range(16):
        clock.advance(36_000)
        assert (await page(inside))[0] == 200
    clock.advance(36_000)
    assert (await page(inside))[0] == 303
    assert (await log_in(inside))[0] == 303
    clock.advance(12 * 3600 + 1)
    assert (await page(inside))[0] == 303


async def test_looking_at_pages_writes_seldom(
    inside: aiohttp.ClientSession, bot: Bot, clock: Clock, rows: Rows
) -> None:
    clock.advance(4 * 60)
    await page(inside)
    seen = "SELECT seen_at - created_at FROM sessions"
    assert rows(bot.settings, seen) == [(0,)]
    clock.advance(1 * 60)
    await page(inside)
    assert rows(bot.settings, seen) == [(300_000,)]


async def test_logging_out_ends_the_session(inside: aiohttp.ClientSession, bot: Bot, rows: Rows) -> None:
    cookie = next(one.value for one in inside.cookie_jar)
    assert await post(inside, "/logout") == (303, "/login")
    inside.cookie_jar.update_cookies({COOKIE: cookie})
    assert (await page(inside))[0] == 303
    assert rows(bot.settings, "SELECT action FROM audit ORDER BY id")[-1] == ("logout",)
    assert await post(inside, "/logout") == (303, "/login")


async def test_another_device_can_be_logged_out(inside: aiohttp.ClientSession, bot: Bot) -> None:
    async with browsing(bot, "Mozilla/5.0 (iPhone) MicroMessenger/8.0") as phone:
        await log_in(phone)
        text = (await page(inside))[1]
        assert "微信，苹果手机" in text
        other = text.partition('name="id" value="')[2].partition('"')[0]
        assert await post(inside, "/account/sessions", id=other) == (303, "/account?done=session")
        assert (await page(phone))[0] == 303
        await log_in(phone)
        assert await post(inside, "/account/sessions") == (303, "/account?done=others")
        assert (await page(phone))[0] == 303
        assert (await page(inside))[0] == 200


async def test_nobody_logs_out_somebody_else(inside: aiohttp.ClientSession, bot: Bot, rows: Rows) -> None:
    add_staff(bot, "li", "李四")
    async with browsing(bot) as other:
        await log_in(other, "li")
        for (session_id,) in rows(bot.settings, "SELECT id FROM sessions"):
            if await post(inside, "/account/sessions", id=session_id) == (303, "/account?done=session"):
                break
        assert (await page(other))[0] == 200


async def test_a_new_password_logs_other_devices_out(inside: aiohttp.ClientSession, bot: Bot, rows: Rows) -> None:
    async with browsing(bot) as phone:
        await log_in(phone)
        done = await post(inside, "/account/password", old=PASSWORD, new="another-password", again="another-password")
        assert done == (303, "/account?done=password")
        assert "密码已改好" in (await page(inside, "/account?done=password"))[1]
        assert (await page(phone))[0] == 303
        assert (await log_in(phone))[0] == 403
        assert (await log_in(phone, password="another-password"))[0] == 303
    actions = [row[0] for row in rows(bot.settings, "SELECT action FROM audit ORDER BY id")]
    assert actions == ["account_added", "login", "login", "password_check", "password_changed", "login_failed", "login"]


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        (PASSWORD, "too short", "too short", "至少要10个字符"),
        (PASSWORD, "one-password-1", "one-password-2", "不一样"),
        (PASSWORD, PASSWORD, PASSWORD, "和现在的一样"),
        (PASSWORD, "aaaaaaaaaaaa", "aaaaaaaaaaaa", "太简单"),
        (PASSWORD, "x1y2z" * 30, "x1y2z" * 30, "最多128个字符"),
        (WRONG, "another-password", "another-password", "现在的密码不对"),
        ("", "", "", "和现在的一样"),
    ],
)
async def test_a_password_that_will_not_do_changes_nothing(
    inside: aiohttp.ClientSession, old: str, new: str, again: str, said: str
) -> None:
    status, text = await post(inside, "/account/password", old=old, new=new, again=again)
    assert status in {400, 403}
    assert said in text
    assert (await log_in(inside))[0] == 303


def test_the_login_is_no_password() -> None:
    assert "登录名" in accounts.password_fault("Zhang.Sanfeng", "zhang.sanfeng")


async def test_guessing_the_old_password_locks_the_account(inside: aiohttp.ClientSession) -> None:
    for _ in range(4):
        await post(inside, "/account/password", old=WRONG, new="another-password", again="another-password")
    status, text = await post(inside, "/account/password", old=WRONG, new="another-password", again="another-password")
    assert (status, "锁到" in text) == (403, True)


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/login", "/logout", "/account/password", "/account/sessions"])
async def test_another_site_changes_nothing(
    inside: aiohttp.ClientSession, bot: Bot, rows: Rows, path: str, headers: dict[str, str]
) -> None:
    tables = ("staff", "sessions", "audit")
    before = [rows(bot.settings, f"SELECT * FROM {table}") for table in tables]
    form = {"login": "zhang", "password": PASSWORD, "old": PASSWORD, "new": "another-one-1", "again": "another-one-1"}
    async with inside.post(path, data=form, headers=headers, allow_redirects=False) as response:
        assert response.status == 403
        assert "Set-Cookie" not in response.headers
        assert "已经拒绝" in await response.text()
    assert [rows(bot.settings, f"SELECT * FROM {table}") for table in tables] == before


async def test_a_request_that_tells_no_origin_is_refused(bot: Bot) -> None:
    async with (
        aiohttp.ClientSession(bot.url) as bare,
        bare.post("/login", data={"login": "zhang", "password": PASSWORD}) as response,
    ):
        assert response.status == 403


async def test_a_body_that_is_no_form_is_refused(browser: aiohttp.ClientSession) -> None:
    async with browser.post("/login", json={"login": "zhang", "password": PASSWORD}) as response:
        assert response.status == 415


@pytest.mark.parametrize(
    "body", [b"", b"login=zhang", b"login=%00&password=%00", b"login=%ff%fe&password=%ff", b"\xff\xfe=%", b"=&=&" * 50]
)
async def test_strange_forms_are_answered(browser: aiohttp.ClientSession, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with browser.post("/login", data=body, headers=headers) as response:
        assert response.status in {400, 403}
        assert "编号" not in await response.text()


async def test_what_is_typed_is_shown_as_text(browser: aiohttp.ClientSession) -> None:
    text = (await log_in(browser, '"><script>alert(1)</script>', WRONG))[2]
    assert "<script>alert" not in text


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "/\t/evil.example", "evil", "", "/login", "/logout?x=1", "/a\r\nSet-Cookie: x=y", "http://[", "///evil",
    ],
)  # fmt: skip
async def test_the_login_leads_nowhere_else(path: str, browser: aiohttp.ClientSession) -> None:
    assert own_path(path, "/home") == "/home"
    assert (await log_in(browser, next=path))[:2] == (303, "/workbench")


async def test_the_login_leads_back_to_where_one_was_going(browser: aiohttp.ClientSession) -> None:
    status, where = await page(browser, "/account?done=others")
    assert (status, URL(where).path, dict(URL(where).query)) == (303, "/login", {"next": "/account?done=others"})
    text = (await page(browser, where))[1]
    assert 'name="next" value="/account?done=others"' in text
    assert (await log_in(browser, next="/account?done=others"))[:2] == (303, "/account?done=others")


async def test_scripts_are_told_and_people_are_led(browser: aiohttp.ClientSession) -> None:
    async with browser.get("/account", headers={"Accept": "*/*"}, allow_redirects=False) as response:
        assert (response.status, await response.json()) == (401, {"error": "请先登录。"})
    assert await post(browser, "/account/sessions") == (303, "/login")


async def test_staff_without_citizens_begin_at_the_records(browser: aiohttp.ClientSession, bot: Bot) -> None:
    add_staff(bot, "wang", "王五", "staff")
    assert (await log_in(browser, "wang"))[:2] == (303, "/console")
    assert "工作台</a>" not in (await page(browser))[1]


async def test_pages_carry_their_protection(browser: aiohttp.ClientSession) -> None:
    async with browser.get("/login") as response:
        policy = response.headers["Content-Security-Policy"]
        text = await response.text()
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "style=" not in text
    assert "<script" not in text
    for name, status in (("console.css", 200), ("icon.svg", 200), ("auth.py", 404), ("..%2Fauth.py", 404)):
        async with browser.get(f"/static/console/{name}") as response:
            assert response.status == status, name


async def test_no_password_token_or_login_is_logged(
    browser: aiohttp.ClientSession, capfd: pytest.CaptureFixture[str], bot: Bot, rows: Rows
) -> None:
    await log_in(browser, "zhang", WRONG)
    await log_in(browser, PASSWORD, "typed-into-the-wrong-field")
    await log_in(browser)
    token = next(one.value for one in browser.cookie_jar)
    await post(browser, "/account/password", old=PASSWORD, new="another-password", again="another-password")
    logged = "".join(capfd.readouterr()) + str(rows(bot.settings, "SELECT * FROM audit"))
    assert "result=ok" in logged or "login" in logged
    for secret in (WRONG, PASSWORD, token, "another-password", "wrong-field", "argon2"):
        assert secret not in logged


async def test_without_the_console_there_is_no_login(start_bot: StartBot) -> None:
    async with start_bot(FAWEN_CONSOLE__ENABLED="false") as bot, browsing(bot) as browser:
        assert (await page(browser, "/login"))[0] == 404


async def test_the_demonstration_has_its_accounts_once(start_bot: StartBot, rows: Rows) -> None:
    for _ in range(2):
        async with start_bot(FAWEN_DEMO="true") as bot, browsing(bot) as browser:
            assert (await log_in(browser, "zhuren", accounts.DEMO_PASSWORD))[0] == 303
            assert "演示" in (await page(browser))[1]
            assert len(rows(bot.settings, "SELECT id FROM staff")) == 3


async def test_without_a_demonstration_there_are_no_accounts(start_bot: StartBot, rows: Rows) -> None:
    async with start_bot() as bot:
        assert rows(bot.settings, "SELECT id FROM staff") == []


def test_page_headers_accept_only_a_plain_host() -> None:
    from aiohttp.test_utils import make_mocked_request  # noqa: PLC0415

    from bot.console.shell import headers  # noqa: PLC0415

    request: web.Request = make_mocked_request("GET", "/", headers=PAGE | {"Host": "x; script-src *"})
    assert "script-src *" not in headers(request)["Content-Security-Policy"]
