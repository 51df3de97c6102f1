"""Settings that count at once: what may stand there, and that every part of the service follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.run_settings import BY_NAME, KNOBS, SettingError, applied, with_day
from bot.settings import Settings
from tests.conftest import StartBot
from tests.console.admin import Clerk, clerk
from tests.console.office import hire, visitor
from tests.platform import Clock
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
USUAL = Settings()


@pytest.mark.parametrize(
    ("name", "typed", "kept"),
    [
        ("handoff.hours", "8:30－12:00，14:30～18:00", "08:30-12:00,14:30-18:00"),
        ("handoff.hours", "14:30-18:00,8:30至12:00", "08:30-12:00,14:30-18:00"),
        ("handoff.holidays", "2027-02-06、2027-02-05\n2027-02-05", "2027-02-05,2027-02-06"),
        ("handoff.workdays", "  ", ""),
        ("handoff.silent_minutes", " 020 ", "20"),
        ("answers.confirmed_only", "true", "true"),
    ],
)
def test_values_are_kept_in_one_form(name: str, typed: str, kept: str) -> None:
    assert BY_NAME[name].read(typed) == kept
    changed, useless = applied(USUAL, {name: kept})
    assert (BY_NAME[name].value_in(changed), useless) == (kept, ())


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("handoff.hours", ""),
        ("handoff.hours", "12:00-08:30"),
        ("handoff.hours", "08:30-12:00,11:00-13:00"),
        ("handoff.hours", "25:00-26:00"),
        ("handoff.hours", ",".join(f"{hour:02}:00-{hour:02}:30" for hour in range(7))),
        ("handoff.holidays", "2027-02-30"),
        ("handoff.holidays", "20270205"),
        ("handoff.holidays", "春节"),
        ("handoff.holidays", ",".join(date.fromordinal(740_000 + n).isoformat() for n in range(201))),
        ("handoff.ask_minutes", "0"),
        ("handoff.ask_minutes", "1.5"),
        ("handoff.ask_minutes", "１"),
        ("handoff.ask_minutes", "=1+1"),
        ("handoff.ask_minutes", "9" * 10_000),
        ("web.messages_per_minute", "-1"),
        ("answers.confirmed_only", "maybe"),
    ],
)
def test_what_cannot_stand_there_is_refused_and_never_counts(name: str, typed: str) -> None:
    with pytest.raises(SettingError):
        BY_NAME[name].read(typed)
    assert applied(USUAL, {name: typed}) == (USUAL, (name,))


@given(st.sampled_from(KNOBS), st.text(max_size=60))
def test_whatever_is_kept_is_understood_again(knob: Any, typed: str) -> None:
    try:
        kept = knob.read(typed)
    except SettingError:
        return
    assert knob.read(kept) == kept
    changed, useless = applied(USUAL, {knob.name: kept})
    assert not useless
    assert knob.value_in(changed) == kept


def test_every_setting_shows_its_default_and_a_forgotten_one_is_named() -> None:
    assert all(knob.read(knob.value_in(USUAL)) == knob.value_in(USUAL) for knob in KNOBS)
    assert applied(USUAL, {"handoff.gone": "1"}) == (USUAL, ("handoff.gone",))


def test_a_days_kind_is_one_of_three() -> None:
    day, usual = date(2027, 2, 5), USUAL
    for kind, expected in (("off", ("2027-02-05", "")), ("on", ("", "2027-02-05")), ("", ("", ""))):
        usual = applied(usual, with_day(usual, day, kind))[0]
        assert (usual.handoff.holidays, usual.handoff.workdays) == expected


async def change(boss: Clerk, name: str, value: str) -> None:
    status, where = await boss.do("/settings", {"name": name, "value": value})
    assert status == 303, where


async def test_duty_hours_count_at_once(bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows) -> None:
    hire(engine, "li", clock, on=False)
    async with clerk(bot, engine, clock) as boss, visitor(bot) as citizen:
        assert "今天14:30" not in str(await citizen.say("转人工"))
        await citizen.say("取消")
        await change(boss, "handoff.hours", "10:15-11:00")  # it is nine
        page = await boss.words("/settings")
        assert "boss，2026-11-2309:00改过" in page
        assert "默认：08:30-12:00，14:30-18:00。" in page
    async with visitor(bot) as other:
        assert "今天10:15" in str([await other.say(text) for text in ("转人工", "跳过", "跳过")])
    assert rows(bot.settings, "SELECT staff_id, subject, detail FROM audit WHERE action = 'setting_changed'") == [
        ("staff-boss", "handoff.hours", "08:30-12:00,14:30-18:00 → 10:15-11:00")
    ]


async def test_limits_and_the_way_back(bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows) -> None:
    async with clerk(bot, engine, clock) as boss, visitor(bot) as citizen:
        await change(boss, "web.messages_per_minute", "1")
        await citizen.say("你好")
        body = {"key": "key-99999999", "text": "你好", "tap": ""}
        async with citizen.session.post("/chat/messages", json=body) as answer:
            assert answer.status == 429
        assert (await boss.do("/settings/reset", {"name": "web.messages_per_minute"}))[0] == 303
        async with citizen.session.post("/chat/messages", json=body) as answer:
            assert answer.status == 200
        assert (await boss.do("/settings/reset", {"name": "web.messages_per_minute"}))[0] == 303
    done = rows(bot.settings, "SELECT action, detail FROM audit WHERE subject = 'web.messages_per_minute' ORDER BY id")
    assert done == [("setting_changed", "20 → 1"), ("setting_reset", "1")]
    assert rows(bot.settings, "SELECT count(*) FROM run_settings") == [(0,)]


async def test_the_handoffs_clock_follows(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    async with clerk(bot, engine, clock) as boss:
        await change(boss, "handoff.give_up_hours", "1")
        page = (await boss.do("/settings", {"name": "handoff.give_up_hours", "value": "0"}))[1]
        assert "要填1到720之间的整数" in page
        assert 'value="0"' in page
        for name in ("", "http.port", "<b>", "x" * 10_000):
            assert (await boss.do("/settings", {"name": name, "value": "1"}))[0] == 400
            assert (await boss.do("/settings/reset", {"name": name}))[0] == 400
        page = (await boss.do("/settings", {"name": "handoff.hours", "value": '"><i>x</i>\x00'}))[1]
        assert "&#34;&gt;&lt;i&gt;x" in page


async def test_a_value_that_an_update_made_useless_is_named_and_the_default_counts(
    start_bot: StartBot, tmp_path: Any, engine: sa.Engine, bot: Bot, clock: Clock
) -> None:
    hire(engine, "boss", clock, role="admin")
    with engine.begin() as conn:
        conn.execute(sa.text("INSERT INTO run_settings VALUES ('handoff.ask_minutes', 'soon', 'staff-boss', 1)"))
    async with start_bot() as again, clerk(again, engine, clock, "chief") as boss:
        assert "现在用不了" in await boss.words("/settings")
        assert "有1项改过的设置现在用不了" in await boss.words("/system")


async def test_confirmed_entries_only_from_one_question_to_the_next(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    async with clerk(bot, engine, clock) as boss, visitor(bot) as citizen:
        assert "依据" in (await citizen.say("单位拖欠工资怎么办"))["text"]
        await change(boss, "answers.confirmed_only", "true")
        assert "现在只用确认过的" in await boss.words("/system")
        assert "依据" not in (await citizen.say("借条上没写还款日期怎么办"))["text"]
        async with citizen.session.get("/kb") as answer:
            assert "找到 0 条" in await answer.text()


async def test_another_process_follows_within_a_second(start_bot: StartBot, postgres_url: str, clock: Clock) -> None:
    async with (
        start_bot(FAWEN_DATABASE_URL=postgres_url) as here,
        start_bot(FAWEN_DATABASE_URL=postgres_url) as there,
        visitor(there) as citizen,
    ):
        engine = sa.create_engine(postgres_url)
        async with clerk(here, engine, clock) as boss:
            await change(boss, "web.messages_per_minute", "1")
            form = {
                "text": "今天停电",
                "from_day": "2026-11-23",
                "from_time": "08:00",
                "until_day": "2026-11-23",
                "until_time": "18:00",
            }
            assert (await boss.do("/announcements", form))[0] == 303
        async with asyncio.timeout(1.0):
            while "今天停电" not in await _page(citizen.session):
                pass
        await citizen.say("你好")
        async with citizen.session.post(
            "/chat/messages", json={"key": "key-99999999", "text": "你好", "tap": ""}
        ) as answer:
            assert answer.status == 429
        engine.dispose()


async def _page(session: aiohttp.ClientSession) -> str:
    async with session.get("/") as answer:
        return await answer.text()
