"""The outbox on both engines: order, allowance, merging, holding, riding, clocks that jump."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.conversation.turn import State
from bot.service import citizens, outbox
from bot.service.allowance import Allowance
from bot.service.citizens import Citizen
from bot.service.outbox import Letter
from bot.store import tables
from bot.store.database import Database
from bot.store.times import to_ms
from knowledge.reply import Reply
from tests.support import Numbers

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
OPEN = NOW + timedelta(hours=48)
T = TypeVar("T")


class Desk:
    """One citizen, and short words for what the tests do."""

    def __init__(self, db: Database, left: int = 5, until: datetime = OPEN) -> None:
        self.db, self.ids = db, Numbers()
        citizen = Citizen("c1", State(), "", Allowance(left, to_ms(until)))
        self.run(lambda conn: citizens.add(conn, citizen, "wechat", "o1", NOW, subscribed=True))

    def run(self, fn: Callable[[Connection], T]) -> T:
        with self.db.engine.begin() as conn:
            return fn(conn)

    def write(self, *texts: str, now: datetime = NOW) -> None:
        self.run(lambda conn: outbox.write(conn, self.ids, "c1", [Reply(text) for text in texts], now))

    def begin(self, now: datetime = NOW) -> Letter | None:
        def first(conn: Connection) -> Letter | None:
            found = outbox.due(conn, "wechat", now)
            return outbox.begin(conn, found[0][1], now, 30_000) if found else None

        return self.run(first)

    def settle(self, letter: Letter, state: outbox.OutboxState, now: datetime = NOW, **more: Any) -> None:
        self.run(lambda conn: outbox.settle(conn, letter, state, now, **more))

    def send(self, now: datetime = NOW) -> str:
        letter = self.begin(now)
        assert letter is not None
        if not letter.held:
            self.settle(letter, "sent", now)
        return "" if letter.held else letter.reply.text

    @property
    def states(self) -> list[str]:
        t = tables.outbox.c
        return [row[0] for row in self.run(lambda conn: conn.execute(sa.select(t.state).order_by(t.place)).fetchall())]

    @property
    def left(self) -> int:
        return int(self.run(lambda conn: conn.execute(sa.select(tables.citizens.c.allowance)).scalar_one()))


def test_one_after_the_other_and_each_takes_one_of_the_allowance(db: Database) -> None:
    desk = Desk(db)
    desk.write("一", "二", "三")
    letter = desk.begin()
    assert letter is not None
    assert letter.reply.text == "一"
    assert desk.begin() is None  # the second waits until it is known what became of the first
    desk.settle(letter, "sent")
    assert desk.send() == "二"
    assert (desk.left, desk.states) == (3, ["sent", "sent", "waiting"])


def test_short_ones_share_a_call_only_when_few_are_left(db: Database) -> None:
    desk = Desk(db, left=3)
    desk.write("一", "二", "三", "四")
    assert desk.send() == "一"
    assert desk.send() == "二\n\n三\n\n四"
    assert (desk.left, desk.states) == (1, ["sent"] * 4)


def test_a_shared_call_holds_no_more_than_the_platform_takes(db: Database) -> None:
    desk = Desk(db, left=2)
    desk.write("长" * 600, "短", "长" * 600, "短")
    assert len(desk.send().encode()) <= 2048
    assert desk.states == ["sent", "sent", "waiting", "waiting"]
    desk.send()
    assert (desk.left, desk.states) == (0, ["sent"] * 4)


@pytest.mark.parametrize(("left", "until", "why"), [(0, OPEN, outbox.SPENT), (5, NOW, outbox.CLOSED)])
def test_without_allowance_nothing_is_tried(db: Database, left: int, until: datetime, why: str) -> None:
    desk = Desk(db, left, until)
    desk.write("一", "二")
    letter = desk.begin()
    assert letter is not None
    assert letter.held
    assert desk.states == ["held", "held"]
    errors = desk.run(lambda conn: conn.execute(sa.select(tables.outbox.c.error).distinct()).scalars().all())
    assert errors == [why]
    desk.write("三")
    assert desk.states == ["held"] * 3  # it does not overtake
    assert desk.begin() is None


def test_a_refusal_holds_those_behind_and_empties_the_allowance(db: Database) -> None:
    desk = Desk(db)
    desk.write("一", "二")
    letter = desk.begin()
    assert letter is not None
    desk.settle(letter, "held", error=outbox.SPENT)
    assert (desk.left, desk.states) == (0, ["held", "held"])


def test_a_refusal_from_before_the_citizens_last_word_is_out_of_date(db: Database) -> None:
    desk = Desk(db)
    desk.write("一", "二")
    letter = desk.begin()
    assert letter is not None
    later = to_ms(OPEN + timedelta(minutes=1))
    desk.run(lambda conn: conn.execute(sa.update(tables.citizens).values(allowance=5, window_until=later)))
    desk.settle(letter, "held", error=outbox.SPENT)
    assert (desk.left, desk.states) == (5, ["waiting", "waiting"])


def test_what_was_held_rides_in_order_and_the_rest_follows(db: Database) -> None:
    desk = Desk(db, left=0)
    desk.write("甲" * 400, "乙" * 400, "丙")
    desk.begin()
    said = desk.run(lambda conn: outbox.ride(conn, desk.ids, "c1", None, NOW))
    assert said == Reply("甲" * 400)
    assert desk.states == ["sent", "waiting", "waiting"]
    assert desk.begin() is None  # not before the reply it stands behind
    desk.run(lambda conn: conn.execute(sa.update(tables.citizens).values(allowance=5)))
    later = NOW + timedelta(seconds=2)
    assert [desk.send(later)[:1], desk.send(later)] == ["乙", "丙"]


def test_nothing_overtakes_what_is_on_its_way(db: Database) -> None:
    desk = Desk(db)
    desk.write("一", "二")
    desk.begin()
    own = Reply("好的")
    assert desk.run(lambda conn: outbox.ride(conn, desk.ids, "c1", own, NOW)) == own
    assert desk.states == ["sending", "waiting"]


def test_a_dead_sender_leaves_uncertainty_never_a_second_copy(db: Database) -> None:
    desk = Desk(db)
    desk.write("一", "二")
    desk.begin()
    later = NOW + timedelta(minutes=1)
    desk.run(lambda conn: outbox.strand(conn, later))
    assert desk.states == ["uncertain", "waiting"]
    assert desk.send(later) == "二"


def test_a_clock_set_back_delays_nothing(db: Database) -> None:
    desk = Desk(db)
    desk.write("一")
    assert desk.send(NOW - timedelta(days=1)) == "一"


def test_back_off_holds_its_place(db: Database) -> None:
    desk = Desk(db)
    desk.write("一", "二")
    letter = desk.begin()
    assert letter is not None
    desk.settle(letter, "waiting", due_at=NOW + timedelta(minutes=10))
    assert desk.begin(NOW + timedelta(minutes=9)) is None
    assert desk.send(NOW + timedelta(minutes=10)) == "一"
