"""What an operator types: log, stats, menu, simulate, help."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import main
from bot.commands.cli import app
from bot.conversation.turn import Inbound, Library
from bot.desk import Desk
from bot.metrics import Metrics
from bot.service.turns import Office
from bot.store.database import Database
from tests.conftest import StartBot
from tests.platform import Clock, Platform
from tests.support import Numbers

HERE = Path(__file__).parent


@pytest.fixture
def recorded(
    tmp_path: Path,
    clock: Clock,
    new_id: Numbers,
    library: Library,
    sqlite_db: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A database with a few turns of November and one of December."""
    desk = Desk(sqlite_db, lambda: Office(library, new_id), clock, Metrics())
    monkeypatch.setenv("FAWEN_DATABASE_URL", f"sqlite:///{tmp_path}/fawen.db")

    async def talk() -> None:
        said = [
            ("o-first-citizen", "你好"),
            ("o-first-citizen", "单位拖欠工资怎么办"),
            ("o-other-citizen", "怎么信访？可以通过哪些渠道"),
        ]
        for number, (citizen, text) in enumerate([*said, ("o-other-citizen", "我的号140100199001011234")]):
            await desk.handle(Inbound("wechat", citizen, f"m{number}", "text", clock(), text=text))
        # 1 December in the county is still November in UTC.
        clock.now = clock.now.replace(day=30, hour=16) + timedelta(minutes=1)
        await desk.handle(Inbound("web", "visitor-0001", "m9", "text", clock(), text="身份证丢了怎么补、急用怎么办"))

    asyncio.run(talk())
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout + result.stderr


def test_the_log_shows_who_asked_what_and_what_was_said(recorded: Path) -> None:
    code, printed = run("log", "--last", "3")
    assert code == 0
    lines = printed.strip().splitlines()
    assert len(lines) == 3
    assert "petition.basics.channels" in lines[0]
    assert "o-…izen" in lines[0]
    assert "o-other-citizen" not in printed
    assert "2026-12-01 00:01:00 网页" in lines[2]


def test_the_log_masks_numbers(recorded: Path) -> None:
    _, printed = run("log")
    assert "140***************" in printed
    assert "19900101" not in printed


def test_figures_of_a_month_are_those_of_the_county_and_add_up(recorded: Path) -> None:
    code, printed = run("stats", "--month", "2026-11")
    assert code == 0
    total = int(re.search(r"2026年11月：咨询 (\d+) 人次，2 人", printed).group(1))  # type: ignore[union-attr]
    assert total in {2, 3}
    # By kind, category, township, channel, outcome, handler, month and weekday.
    assert len(re.findall(rf"合计\s+│\s+{total}\b", printed)) == 8
    assert "2026年12月：咨询 1 人次，1 人" in run("stats", "--month", "2026-12")[1]
    assert "2025年1月：咨询 0 人次" in run("stats", "--month", "2025-01")[1]
    assert f"2026年：咨询 {total + 1} 人次" in run("stats", "--year", "2026")[1]
    assert f"2026年第四季度：咨询 {total + 1} 人次" in run("stats", "--quarter", "2026-4")[1]
    assert "：咨询 1 人次" in run("stats", "--from", "2026-12-01", "--until", "2026-12-01")[1]


@pytest.mark.parametrize("month", ["2026-13", "november", "2026", "2026-0"])
def test_a_bad_month_is_one_line(recorded: Path, month: str) -> None:
    code, printed = run("stats", "--month", month)
    assert code == 2
    assert "月份写成 2026-11" in printed
    assert len(printed.strip().splitlines()) == 1


def test_help_lists_every_command() -> None:
    _, printed = run("--help")
    for command in ("serve", "settings", "log", "stats", "simulate", "menu", "backup", "restore"):
        assert re.search(rf"\b{command}\b", printed)


def test_the_menu_can_be_looked_at_and_is_not_pushed_without_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    code, printed = run("menu", "show")
    assert code == 0
    assert "转人工律师" in printed
    code, printed = run("menu", "push")
    assert code == 2
    assert "FAWEN_WECHAT__TOKEN" in printed


async def command(platform: Platform, *arguments: str, lines: str = "", api_base: str = "") -> tuple[int, str]:
    """Run `python -m bot …` as its own process against the simulated platform."""
    environ = {
        "PATH": "/usr/bin:/bin",
        "FAWEN_WECHAT__TOKEN": platform.token,
        "FAWEN_WECHAT__ENCODING_AES_KEY": platform.encoding_aes_key or "",
        "FAWEN_WECHAT__APP_ID": platform.app_id,
        "FAWEN_WECHAT__SECRET": platform.secret,
        "FAWEN_WECHAT__API_BASE": api_base or platform.api_base,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        env=environ,
        cwd=HERE.parent,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate(lines.encode())
    return process.returncode or 0, printed.decode()


async def test_the_menu_is_pushed_to_the_platform(platform: Platform) -> None:
    code, printed = await command(platform, "menu", "push")
    assert code == 0, printed
    assert "菜单已更新" in printed
    assert platform.menu is not None


async def test_a_refused_menu_is_one_line(platform: Platform) -> None:
    platform.fail_next("/cgi-bin/menu/create", errcode=48001)
    code, printed = await command(platform, "menu", "push")
    assert code == 2
    assert "48001" in printed
    assert len(printed.strip().splitlines()) == 1


async def test_simulate_talks_to_a_running_bot(start_bot: StartBot, clock: Clock) -> None:
    clock.now = datetime.now(UTC)
    async with Platform(clock=clock) as platform, start_bot(platform) as bot:
        webhook = f"{bot.url}/wechat"
        words = "单位拖欠工资怎么办\n1\n/图片\n"
        taken = await command(platform, "simulate", "--bot", webhook, lines=words)
        code, printed = await command(
            platform, "simulate", "--bot", webhook, lines=words, api_base="http://127.0.0.1:0"
        )
    assert taken[0] == 2
    assert "cannot play the platform at" in taken[1]
    assert code == 0, printed
    assert "法问（被动回复）" in printed
    assert "劳动监察" in printed
    assert "1) " in printed
    assert "图片我还看不懂" in printed


def test_what_was_typed_runs_with_one_thread_of_mathematics_and_garbage_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    seen: list[tuple[str | None, bool]] = []
    monkeypatch.setattr(
        "bot.commands.cli.app", lambda **_: seen.append((os.environ.get("OPENBLAS_NUM_THREADS"), gc.isenabled()))
    )
    main()
    assert seen == [("1", True)]
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")  # whoever set it knows better
    main()
    assert seen[1] == ("4", True)
