"""`menu` and `simulate`: the platform, real or played."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import aiohttp
import msgspec
import typer
from yarl import URL

from bot.channels.wechat.client import Client, PlatformError
from bot.channels.wechat.menu import menu
from bot.commands.common import DemoOption, SettingsOption, fail, out, settings_or_fail
from bot.ids import utc_now
from bot.metrics import Metrics
from bot.settings import Settings

if TYPE_CHECKING:
    from tests.platform import Citizen, Platform, Seen

menus = typer.Typer(no_args_is_help=True, help="The official account's menu.")


@menus.command("show")
def show_menu() -> None:
    """Print the menu as it would be pushed."""
    out.print(msgspec.json.format(msgspec.json.encode(menu())).decode(), markup=False)


@menus.command("push")
def push_menu(settings: SettingsOption = None, demo: DemoOption = False) -> None:
    """Replace the account's menu on the platform."""
    chosen = settings_or_fail(settings, demo=demo)
    if not chosen.wechat.enabled:
        fail("wechat.token (FAWEN_WECHAT__TOKEN): set the official account first")
    try:
        asyncio.run(_push(chosen))
    except PlatformError as error:
        fail(f"the platform did not take the menu: {error} ({error.cause.value})")
    out.print("菜单已更新。手机上可能要等几分钟，或取消关注再关注后才看到。")


async def _push(settings: Settings) -> None:
    async with aiohttp.ClientSession() as session:
        await Client(session, settings.wechat, utc_now, Metrics()).create_menu(menu())


def simulate(
    bot: Annotated[str, typer.Option(help="address of the running bot's webhook")] = "",
    openid: Annotated[str, typer.Option(help="openid of the pretended citizen")] = "oSimulated0001",
    settings: SettingsOption = None,
    demo: DemoOption = False,
) -> None:
    """Play the WeChat platform to a running bot: type as a citizen, see the real protocol's replies.

    Start the bot with `wechat.api_base` at this simulator (the demo settings do), then type; a number taps a line.
    """
    chosen = settings_or_fail(settings, demo=demo)
    if not chosen.wechat.enabled:
        fail("wechat.token (FAWEN_WECHAT__TOKEN): the bot has no official account; try --demo")
    try:
        asyncio.run(_simulate(chosen, bot or f"http://127.0.0.1:{chosen.http.port}/wechat", openid))
    except (KeyboardInterrupt, EOFError):
        out.print("再见。")
    except OSError as error:
        fail(
            f"wechat.api_base (FAWEN_WECHAT__API_BASE): cannot play the platform at {chosen.wechat.api_base}: {error.strerror}"
        )


async def _simulate(settings: Settings, bot: str, openid: str) -> None:
    try:
        # The simulator is part of the test suite; a checkout has it, a bare installation may not.
        from tests.platform import Platform, real_clock  # noqa: PLC0415
    except ImportError:
        fail("the simulator is not installed here: run this command from a checkout of the project")
    base = URL(settings.wechat.api_base)
    platform = Platform(
        app_id=settings.wechat.app_id,
        secret=settings.wechat.secret.get_secret_value(),
        token=settings.wechat.token.get_secret_value(),
        encoding_aes_key=settings.wechat.encoding_aes_key.get_secret_value() or None,
        mode=settings.wechat.mode,
        bot_url=bot,
        port=base.port if base.host in {"127.0.0.1", "localhost"} and base.port else 0,
        clock=real_clock,
        strict=False,
    )
    async with platform:
        await _converse(platform, platform.citizen(openid))


async def _converse(platform: Platform, citizen: Citizen) -> None:
    shown = _Screen()
    platform.watchers.append(shown.receive)
    out.print("模拟微信已连上。直接打字；输入数字点对应的行；/关注 /图片 /语音 /菜单 试别的；Ctrl-D 结束。")
    await citizen.subscribe()
    while True:
        line = (await asyncio.to_thread(input, "你> ")).strip()
        if line:
            await _act(citizen, shown, line)
            await _seen_or_said(shown)


async def _seen_or_said(shown: _Screen) -> None:
    if not shown.fresh:
        out.print("（没有被动回复；晚到的回复会随后出现）")
    shown.fresh = False


async def _act(citizen: Citizen, shown: _Screen, line: str) -> None:
    actions: dict[str, Callable[[], Awaitable[Any]]] = {
        "/关注": citizen.subscribe,
        "/图片": citizen.image,
        "/语音": citizen.voice,
        "/菜单": lambda: citizen.click("legal"),
    }
    if line in actions:
        await actions[line]()
    elif line.isdigit() and 1 <= int(line) <= len(shown.taps):
        tap = shown.taps[int(line) - 1]
        await citizen.tap(tap.content, tap.menu_id)
    else:
        await citizen.say(line)


class _Screen:
    """What the citizen's phone shows, with numbers to tap by."""

    def __init__(self) -> None:
        self.taps: list[Any] = []
        self.fresh = False

    def receive(self, _openid: str, seen: Seen) -> None:
        """Print one message."""
        self.fresh = True
        self.taps = list(seen.taps)
        out.print(f"法问（{'客服消息' if seen.via == 'service' else '被动回复'}）>\n{seen.visible}", markup=False)
        for number, tap in enumerate(self.taps, 1):
            out.print(f"  {number}) {tap.label}", markup=False, style="cyan")
