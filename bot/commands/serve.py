"""`serve` and `settings`."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
from pathlib import Path

import structlog
from aiohttp import web
from pydantic import SecretStr

from bot import logs
from bot.commands.common import DemoOption, SettingsOption, fail, out, settings_or_fail
from bot.settings import Section, Settings
from bot.store.database import StoreError
from knowledge.load import ContentError
from knowledge.places import LocalityError

log = structlog.get_logger("serve")
GRACE = 15.0


def serve(settings: SettingsOption = None, demo: DemoOption = False) -> None:
    """Start the assistant. Ctrl-C or SIGTERM stops it: requests under way are answered, nothing is lost."""
    chosen = settings_or_fail(settings, demo=demo)
    logs.set_up(chosen.log)
    try:
        _run(chosen)
    except (ContentError, LocalityError, StoreError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"http.port (FAWEN_HTTP__PORT): cannot listen on {chosen.http.host}:{chosen.http.port}: {error.strerror}")


def _run(settings: Settings) -> None:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    out.print("正在启动，第一次要十来秒……")
    # What is built now lives as long as the process: looking through it for garbage again and again is half the start.
    gc.disable()
    from bot.app import build_app  # noqa: PLC0415 - so that --help stays quick

    app = await build_app(settings)
    gc.freeze()
    gc.enable()
    _give_back()
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.http.host, settings.http.port)
        await site.start()
        stop = _stop_signal()
        _announce(settings, _port(runner))
        await stop.wait()
    finally:
        log.info("stopping")
        await runner.cleanup()


def _give_back() -> None:
    """Return to the system what building needed and serving does not: a third of the memory (glibc keeps it otherwise)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _port(runner: web.AppRunner) -> int:
    address = runner.addresses[0]
    return int(address[1])


def _announce(settings: Settings, port: int) -> None:
    host = "127.0.0.1" if settings.http.host in {"0.0.0.0", "::"} else settings.http.host  # noqa: S104 - compared, not bound
    out.print(f"法问已启动，请在浏览器打开： http://{host}:{port}/", markup=False)
    if settings.demo:
        out.print(
            "这是演示：数据在 var/demo.db，机构电话都是示例。另开一个终端运行  .venv/bin/python -m bot simulate --demo  可看到微信协议的往来。"
        )
    if settings.console.enabled:
        out.print(f"律师工作台： http://{host}:{port}/workbench", markup=False)
        if settings.demo:
            from bot.service.accounts import DEMO_PASSWORD  # noqa: PLC0415 - so that --help stays quick

            out.print(f"演示账号：zhang、li（律师），zhuren（负责人），密码都是 {DEMO_PASSWORD}", markup=False)
    if not settings.wechat.enabled:
        out.print("公众号没有设置（wechat.token 为空），只有网页可用。")
    log.info("started", pid=os.getpid(), host=settings.http.host, port=port, wechat=settings.wechat.enabled)


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def show_settings(settings: SettingsOption = None, demo: DemoOption = False) -> None:
    """Print the settings in force, with what each is for; secrets are masked."""
    chosen = settings_or_fail(settings, demo=demo)
    for line in _lines(chosen):
        out.print(line, markup=False)


def _lines(section: Section, prefix: str = "") -> list[str]:
    lines = []
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        dotted = f"{prefix}{name}"
        if isinstance(value, Section):
            lines += _lines(value, f"{dotted}.")
        else:
            lines.append(f"{dotted} = {_shown(dotted, value)}    # {field.description}")
    return lines


def _shown(name: str, value: object) -> str:
    if isinstance(value, SecretStr):
        return "********" if value.get_secret_value() else '""'
    if name == "database_url":
        return _without_password(str(value))
    return f'"{value}"' if isinstance(value, str | Path) else str(value)


def _without_password(url: str) -> str:
    import sqlalchemy as sa  # noqa: PLC0415 - so that --help stays quick

    return f'"{sa.make_url(url).render_as_string(hide_password=True)}"'
