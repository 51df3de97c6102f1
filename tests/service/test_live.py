"""What staff publish serves at once: in this process, in the others, on its day, and after a restart."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import sqlalchemy as sa
from msgspec.structs import replace

from bot.live import LIVE
from bot.service import county, editions
from bot.service.staff import Member, member
from knowledge.load import KnowledgeBase, fingerprint
from tests.conftest import StartBot
from tests.console.office import hire, visitor
from tests.platform import Clock
from tests.support import Bot

WAGES, QUESTION = "labour.unpaid-wages", "窑上干了一冬天，工头一毛没给"
PATIENCE = 20.0


def beside(bot: Bot, fn: Any) -> None:
    """A transaction of somebody beside the running bot; `fn(conn, new_id, li)`."""
    engine = sa.create_engine(bot.settings.database_url)
    with engine.begin() as conn:
        li = member(conn, "staff-li")
        assert isinstance(li, Member)
        fn(conn, bot.parts.new_id, li)
    engine.dispose()


def staffed(bot: Bot, clock: Clock) -> None:
    engine = sa.create_engine(bot.settings.database_url)
    hire(engine, "li", clock)
    hire(engine, "wang", clock, role="staff")
    engine.dispose()


def publish(bot: Bot, base: KnowledgeBase, clock: Clock, answer: str, at: datetime | None = None) -> None:
    text = replace(base.entries[WAGES], answer=answer)

    def write(conn: Any, new_id: Any, li: Member) -> None:
        wang, serving = member(conn, "staff-wang"), base.entries[WAGES].version
        assert wang is not None
        edition = editions.save(
            conn, new_id, WAGES, text, wang, clock(), seen=serving, serving=serving, review=True, publish_at=at
        )
        editions.approve(conn, new_id, edition, li, clock(), seen=fingerprint(text), confirm=True)

    beside(bot, write)


async def until(bot: Bot, path: str, words: str) -> None:
    """Look at a page again and again until the words are there."""
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession(bot.url) as session:
        shown = ""
        while words not in shown:
            async with session.get(path) as answer:
                shown = await answer.text()


async def test_a_published_text_and_a_question_serve_at_once(
    start_bot: StartBot, clock: Clock, base: KnowledgeBase
) -> None:
    async with start_bot() as bot, visitor(bot) as citizen:
        staffed(bot, clock)
        assert "依据" not in (await citizen.say(QUESTION))["text"]
        publish(bot, base, clock, "本县的写法：打{place.labour_inspection}。")
        beside(bot, lambda conn, new_id, li: county.attach(conn, new_id, QUESTION, WAGES, li, clock()))
        await bot.app[LIVE].changed()
        said = (await citizen.say(QUESTION))["text"]
        assert "本县的写法：打" in said
        assert "{place" not in said
        assert f"{clock().date()} li律师确认" in said
    async with start_bot() as again, visitor(again) as citizen:
        assert "本县的写法" in (await citizen.say(QUESTION))["text"]


async def test_the_other_process_hears_of_it(
    start_bot: StartBot, postgres_url: str, clock: Clock, base: KnowledgeBase
) -> None:
    environ = {"FAWEN_DATABASE_URL": postgres_url}
    async with start_bot(**environ) as here, start_bot(**environ) as there:
        staffed(here, clock)
        publish(here, base, clock, "隔壁机器上刚发布的。")
        await here.app[LIVE].changed()
        await until(there, f"/kb/{WAGES}", "隔壁机器上刚发布的")


async def test_a_text_serves_from_its_day_on(start_bot: StartBot, clock: Clock, base: KnowledgeBase) -> None:
    async with start_bot() as bot, visitor(bot) as citizen:
        staffed(bot, clock)
        publish(bot, base, clock, "明天起这样办。", clock() + timedelta(days=1))
        await bot.app[LIVE].refresh()
        assert "明天起这样办" not in (await citizen.say("单位拖欠工资怎么办"))["text"]
        clock.advance(86400)
        await bot.app[LIVE].refresh()
        assert "明天起这样办" in (await citizen.say("单位拖欠工资怎么办"))["text"]


async def test_confirmed_only_serves_what_lawyers_confirmed(
    start_bot: StartBot, clock: Clock, base: KnowledgeBase
) -> None:
    async with start_bot(FAWEN_ANSWERS__CONFIRMED_ONLY="true") as bot, visitor(bot) as citizen:
        staffed(bot, clock)
        assert "依据" not in (await citizen.say("单位拖欠工资怎么办"))["text"]
        entry = base.entries[WAGES]
        beside(bot, lambda conn, new_id, li: county.read(conn, new_id, entry, li, clock(), version=entry.version))
        await bot.app[LIVE].changed()
        assert "li律师确认" in (await citizen.say("单位拖欠工资怎么办"))["text"]
