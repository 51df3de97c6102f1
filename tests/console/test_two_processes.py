"""Two processes on one PostgreSQL: a claim is won once, and a lawyer hears what a citizen said to the other process."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa

from bot.conversation.handoff.machine import Event, NotPossibleError
from bot.service import handling, handoffs
from bot.service.handoffs import Changed, ChangedError
from bot.store.database import Database
from tests.conftest import StartBot
from tests.console.office import lawyer, visitor
from tests.platform import Clock


async def test_words_cross_processes(start_bot: StartBot, postgres_url: str, clock: Clock) -> None:
    async with (
        start_bot(FAWEN_DATABASE_URL=postgres_url) as here,
        start_bot(FAWEN_DATABASE_URL=postgres_url) as there,
        visitor(here) as citizen,
    ):
        engine = sa.create_engine(postgres_url)
        async with lawyer(there, engine, clock, "zhang") as zhang:
            await zhang.connect()
            await citizen.say("单位拖欠工资怎么办")
            await citizen.say("转人工")
            handoff = (await zhang.until("handoff"))["handoff"]["id"]
            assert (await zhang.move(handoff, "claim"))[0] == 200
            await zhang.send("watch", id=handoff, after=0)
            await citizen.say("在另一台机器上说的话")
            assert (await zhang.words("在另一台机器上说的话"))["author"] == "citizen"
        engine.dispose()


async def test_a_claim_is_won_once(start_bot: StartBot, postgres_url: str, clock: Clock) -> None:
    engine = sa.create_engine(postgres_url)
    stores = []
    async with start_bot(FAWEN_DATABASE_URL=postgres_url) as bot, visitor(bot) as citizen:
        async with lawyer(bot, engine, clock, "zhang") as zhang, lawyer(bot, engine, clock, "li"):
            await citizen.say("单位拖欠工资怎么办")
            await citizen.say("转人工")
            handoff = (await zhang.call("/overview"))[1]["handoffs"][0]["id"]
        stores = [Database(postgres_url), Database(postgres_url)]

        async def claim(number: int, name: str) -> Changed:
            event = Event("claim", by=f"staff-{name}")
            return await stores[number % 2].write(
                lambda conn: handling.happen(conn, bot.parts.new_id, handoff, event, clock())
            )

        tries = [claim(number, name) for number, name in enumerate(("zhang", "li") * 5)]
        won = await asyncio.gather(*tries, return_exceptions=True)
        faults = [one for one in won if isinstance(one, BaseException)]
        assert len(won) - len(faults) == 1
        assert all(isinstance(one, NotPossibleError | ChangedError) for one in faults)
        holder = await stores[0].read(lambda conn: handoffs.get(conn, handoff).lawyer)
        assert holder in {"staff-zhang", "staff-li"}
        for store in stores:
            store.close()
    engine.dispose()
