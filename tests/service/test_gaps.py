"""Badly answered questions, as they come out of the records of real turns."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from bot.conversation.turn import Inbound, Library
from bot.service import county, gaps
from bot.service.gaps import Failed, Gap
from bot.service.staff import member
from bot.service.turns import Office, take
from bot.store.database import Database
from bot.store.tables import consultations
from tests.console.office import hire
from tests.platform import Clock
from tests.support import Numbers

YAK, WAGES = "量子纠缠和黑洞哪个更重", "单位拖欠工资怎么办"


class Town:
    """Citizens, each a number, who say things."""

    def __init__(self, db: Database, office: Office, clock: Clock) -> None:
        self.db, self.office, self.clock, self.said = db, office, clock, 0

    async def say(self, citizen: int, text: str, tap: str = "") -> None:
        self.said += 1
        now = self.clock()
        inbound = Inbound("web", f"c{citizen}", f"k{self.said}", "text", now, text=text, tap=tap)
        await self.db.write(lambda conn: take(conn, self.office, inbound, now))
        self.clock.advance(1)

    async def failed(self, since: datetime | None = None) -> list[Failed]:
        when = since or self.clock() - timedelta(days=30)
        return await self.db.read(lambda conn: gaps.failed(conn, when))


@pytest.fixture
def town(db: Database, library: Library, clock: Clock, new_id: Numbers) -> Town:
    return Town(db, Office(library, new_id), clock)


async def test_unanswered_useless_and_badly_graded_questions_are_found(town: Town, library: Library) -> None:
    deposit = library.base.entries["lease.deposit"].question
    await town.say(1, YAK)
    await town.say(2, WAGES)
    await town.say(2, "没用", "bad:labour.unpaid-wages")
    await town.say(3, deposit)
    with town.db.engine.begin() as conn:
        conn.execute(sa.update(consultations).where(consultations.c.entry_id != "").values(grade=0))
        newest = sa.select(sa.func.max(consultations.c.id)).scalar_subquery()
        conn.execute(sa.update(consultations).where(consultations.c.id == newest).values(grade=1))
    found = await town.failed()
    assert [(one.text, one.why) for one in found] == [
        (YAK, library.search(YAK, town.clock().date()).verdict),
        (WAGES, "useless"),
        (deposit, "graded"),
    ]
    assert {one.entry for one in found if one.why in {"useless", "graded"}} == {"labour.unpaid-wages", "lease.deposit"}


async def test_a_choice_that_was_taken_is_no_gap(town: Town, library: Library) -> None:
    day = town.clock().date()
    texts = [f"{one.question[:4]}{other.question[:4]}" for one, other in pairwise(library.base.entries.values())]
    vague = next(text for text in texts if library.search(text, day).verdict == "choices")
    await town.say(1, vague)
    await town.say(2, vague)
    await town.say(2, "1")
    assert [(one.text, one.why) for one in await town.failed()] == [(vague, "choices")]


async def test_what_was_settled_or_is_long_past_is_no_gap(town: Town, new_id: Numbers) -> None:
    await town.say(1, YAK)
    await town.say(2, "骆驼能不能当驾照考试用")
    hire(town.db.engine, "wang", town.clock)
    wang = await town.db.read(lambda conn: member(conn, "staff-wang"))
    assert wang is not None
    await town.db.write(lambda conn: county.attach(conn, new_id, f"请问{YAK}？", "", wang, town.clock()))
    assert YAK not in [one.text for one in await town.failed()]
    assert await town.failed(town.clock() + timedelta(days=1)) == []


async def test_the_newest_different_questions(town: Town) -> None:
    for text in (WAGES, YAK, WAGES, "你好"):
        await town.say(1, text)
    assert await town.db.read(lambda conn: gaps.asked_lately(conn, 10)) == [WAGES, YAK]


def test_gaps_are_masked_counted_and_biggest_first() -> None:
    asked = [
        Failed("我叫王小明，电话13812345678，牦牛打架怎么判", "none", "", 1_000),
        Failed("牦牛打架怎么判", "choices", "", 3_000),
        Failed("牦牛打架怎么判", "none", "", 2_000),
        Failed("骆驼驾照", "useless", "traffic.licence", 4_000),
    ]
    biggest, other = gaps.gaps(asked[1:])[0], gaps.gaps(asked[1:])[1]
    assert (biggest.wordings, biggest.count, biggest.why) == (("牦牛打架怎么判",), 2, (("choices", 1), ("none", 1)))
    assert biggest.last.timestamp() == 3
    assert other.entries == ("traffic.licence",)
    shown = str(gaps.gaps(asked))
    assert "13812345678" not in shown
    assert "小明" not in shown


def test_what_finds_an_answer_today_is_settled_but_a_bad_answer_is_not() -> None:
    moment = datetime(2026, 11, 23).astimezone()
    new, bad, still = (
        Gap((text,), 3, (("none", 3),), entries, moment) for text, entries in (("a", ()), ("b", ("e",)), ("c", ()))
    )
    assert gaps.open_gaps([new, bad, still], lambda text: text != "c", 10) == ([bad, still], 1)
    assert gaps.open_gaps([new, bad, still], lambda _: False, 1) == ([new], 0)
