"""The system page: each fault is named with what helps, and nothing else is called a fault."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from bot import VERSION
from bot.app import Parts
from bot.console.admin.faults import GB, System, age, faults, size
from bot.metrics import Metrics
from bot.service import backups, outbox, system
from bot.service.backups import Backup
from bot.service.outbox import CLOSED
from bot.service.system import Records
from bot.store.database import Database
from bot.store.tables import citizens
from bot.store.tables import outbox as letters
from bot.store.times import to_ms
from knowledge.reply import Reply
from tests.conftest import StartBot
from tests.console.admin import clerk
from tests.console.office import hire
from tests.platform import Clock, Platform
from tests.support import Numbers

Rows = Callable[[Any, str], list[Any]]
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
WELL = System(
    now=NOW,
    started=NOW,
    records=Records(
        "0004", 1000, 0, backup=Backup(NOW - timedelta(hours=35), "/b", 1), oldest_due=NOW - timedelta(minutes=9)
    ),
    head="0004",
    disk_free=20 * GB,
    disk_total=100 * GB,
    writes=200,
)


def having(**changed: Any) -> System:
    return replace(WELL, records=replace(WELL.records, **changed))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (replace(WELL, disk_free=9 * GB), "磁盘快满了，只剩9.0 GB"),
        (replace(WELL, disk_free=GB // 2, disk_total=GB), "磁盘快满了，只剩512 MB"),
        (having(backup=None), "还没有做过备份"),
        (having(backup=Backup(NOW - timedelta(hours=37), "/b", 1)), "最近一次备份已经过了37小时"),
        (having(backup=Backup(NOW - timedelta(days=9), "/b", 1)), "最近一次备份已经过了9天"),
        (having(schema="0002"), "数据库的版本是0002，程序要的是0004"),
        (replace(WELL, useless=("handoff.hours",)), "有1项改过的设置"),
        (having(unsent={"微信没收": 2, CLOSED: 1}), "近7天有3条消息没有送到"),
        (having(oldest_due=NOW - timedelta(minutes=11)), "有消息等了11分钟还没有发出去，多半是连不上微信"),
        (replace(having(oldest_due=NOW - timedelta(hours=3)), wechat=False), "没有设置公众号"),
        (having(untold={"refused": 4}), "近7天有4次没能通知到律师"),
        (having(late_notices=2), "有2条给律师的通知"),
        (replace(WELL, writes=201), "有201件事排队"),
        (replace(WELL, failed_turns=1), "有1次没能记下群众的话"),
    ],
)
def test_each_fault_is_one_sentence_with_what_helps(found: System, said: str) -> None:
    (fault,) = faults(found)
    assert said in fault.what
    assert fault.what.endswith("。")
    assert fault.help.endswith("。")


def test_nothing_is_wrong_where_nothing_is_wrong() -> None:
    assert faults(WELL) == []
    everything = replace(having(backup=None, unsent={"x": 1}, oldest_due=None), disk_free=0)
    assert [one.what[:4] for one in faults(everything)] == ["磁盘快满", "还没有做", "近7天有"]


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-5), "0分钟"),
        (timedelta(minutes=59), "59分钟"),
        (timedelta(hours=47), "47小时"),
        (timedelta(hours=48), "2天"),
    ],
)
def test_spans_in_words(span: timedelta, words: str) -> None:
    assert age(span) == words


def test_sizes_in_words() -> None:
    assert [size(count) for count in (20_480, 300 * 1024**2, GB + GB // 2)] == ["20 KB", "300 MB", "1.5 GB"]


def test_counters_are_summed_by_what_was_not_asked_for() -> None:
    metrics = Metrics()
    metrics.turns.labels("web", "failed").inc()
    metrics.turns.labels("wechat", "failed").inc(2)
    metrics.turns.labels("web", "fresh").inc()
    assert metrics.counted("fawen_turns", result="failed") == {"web": 1, "wechat": 2}
    assert metrics.counted("fawen_api_calls") == {}


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION


async def test_the_last_backup_is_remembered(db: Database) -> None:
    assert await db.read(backups.last) is None
    for hours in (2, 1):
        made = Backup(NOW - timedelta(hours=hours), "/var/备份.db", 5)
        await db.write(lambda conn, made=made: backups.remember(conn, made))  # type: ignore[misc]
        assert await db.read(backups.last) == made


def failed(conn: sa.Connection, new_id: Numbers, why: str, at: datetime) -> str:
    """A letter that did not go through."""
    citizen = new_id()
    conn.execute(
        sa.insert(citizens).values(
            id=citizen, channel="wechat", address=citizen, subscribed=True, township="", state="{}", allowance=5,
            window_until=to_ms(at + timedelta(days=2)), created_at=to_ms(at), seen_at=to_ms(at),
        )
    )  # fmt: skip
    outbox.write(conn, new_id, citizen, [Reply("您好")], at)
    conn.execute(
        sa.update(letters).where(letters.c.citizen_id == citizen).values(state="failed", error=why, attempts=3)
    )
    return citizen


async def test_what_failed_lately_goes_back_in_line_by_cause(db: Database, new_id: Numbers, clock: Clock) -> None:
    now = clock()
    for why, days in (("太长", 1), ("太长", 8), ("不认识", 1)):
        await db.write(lambda conn, why=why, days=days: failed(conn, new_id, why, now - timedelta(days=days)))  # type: ignore[misc]
    found = await db.read(lambda conn: system.records(conn, now))
    assert (found.unsent, found.outbox, found.oldest_due) == ({"太长": 1, "不认识": 1}, {"failed": 3}, None)
    assert found.size > 10_000
    since = now - system.RECENT
    assert (await db.write(lambda conn: outbox.retry(conn, "太长", since, now)))[0] == 1
    assert (await db.write(lambda conn: outbox.retry(conn, "太长", since, now)))[0] == 0
    after = await db.read(lambda conn: system.records(conn, now))
    assert (after.unsent, after.outbox, after.oldest_due) == (
        {"不认识": 1}, {"failed": 2, "waiting": 1}, now - timedelta(days=1),
    )  # fmt: skip
    assert [row for _, row in await db.read(lambda conn: outbox.due(conn, "wechat", now))]


class Full(NamedTuple):
    """A disk with nothing left."""

    total: int = 40 * GB
    used: int = 40 * GB
    free: int = 0


async def test_a_bad_day_is_shown_and_the_letter_goes_out_again(
    start_bot: StartBot, platform: Platform, clock: Clock, rows: Rows
) -> None:
    async with start_bot(platform, parts=Parts(disk=lambda _: Full())) as bot:
        engine = sa.create_engine(bot.settings.database_url)
        citizen = platform.citizen("old-friend")
        await citizen.say("你好")
        why = "<b>微信没有收下</b>"
        with engine.begin() as conn:
            number = conn.execute(sa.select(citizens.c.id)).scalar_one()
            outbox.write(conn, Numbers(), number, [Reply("您要的材料到了。")], clock())
            conn.execute(sa.update(letters).values(state="failed", error=why))
            backups.remember(conn, Backup(clock() - timedelta(days=3), "/var/b.db", 1))
        hire(engine, "gone", clock, role="admin")
        async with clerk(bot, engine, clock, "head", role="supervisor") as head:
            page = await head.see("/system")
            assert "再发一次</button>" not in page
            assert (await head.do("/system/retry", {"why": why}))[0] == 403
        async with clerk(bot, engine, clock) as boss:
            page = await boss.see("/system")
            for said in (
                "磁盘快满了，只剩0 KB",
                "最近一次备份已经过了3天",
                "近7天有1条消息没有送到",
                "&lt;b&gt;微信没有收下",
                "再发一次</button>",
            ):
                assert said in page, said
            assert "一切正常" not in page
            assert (await boss.do("/system/retry", {"why": "别的原因\x00"}))[1].endswith("done=nothing")
            assert (await boss.do("/system/retry", {"why": why}))[1].endswith("done=retried")
            await citizen.sees(2)
            assert citizen.last.text == "您要的材料到了。"
            assert "没有送到" not in await boss.words("/system")
        engine.dispose()
        done = rows(bot.settings, "SELECT staff_id, detail FROM audit WHERE action = 'outbox_retried'")
        assert done == [("staff-boss", f"1条：{why}")]


async def test_the_page_on_postgresql(start_bot: StartBot, postgres_url: str, clock: Clock) -> None:
    async with start_bot(FAWEN_DATABASE_URL=postgres_url) as bot:
        engine = sa.create_engine(postgres_url)
        async with clerk(bot, engine, clock) as boss:
            page = await boss.words("/system")
            assert "还没有做过备份" in page
            assert f"版本{VERSION}" in page
            assert "没有设置，只有网页可用" in page
            for path in (
                "",
                "/users",
                "/roster",
                "/settings",
                "/announcements",
                "/audit",
                "/roster/2026-11-23",
                "/users/staff-boss",
            ):
                await boss.see(path)
            assert (await boss.do("/settings", {"name": "handoff.ask_minutes", "value": "7"}))[0] == 303
            assert "5→7" in await boss.words("/audit", action="setting_changed")
        engine.dispose()
