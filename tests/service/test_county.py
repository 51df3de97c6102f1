"""The county's own content in the store: drafts, a second pair of eyes, two editors at once, what serves when."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from bot.service import county, editions
from bot.service.county import RefusedError
from bot.service.editions import EditedError, Edition
from bot.service.staff import Member, member
from bot.store.database import Database
from knowledge.entry import Confirmation, Entry
from knowledge.load import KnowledgeBase, fingerprint
from knowledge.overlay import overlaid
from tests.console.office import hire
from tests.platform import Clock
from tests.support import Numbers

WAGES = "labour.unpaid-wages"


class Desk:
    """Steps of editors and lawyers, each a transaction of its own."""

    def __init__(self, db: Database, base: KnowledgeBase, clock: Clock, new_id: Numbers) -> None:
        self.db, self.base, self.clock, self.new_id = db, base, clock, new_id
        for login, role in (("wang", "staff"), ("li", "lawyer"), ("zhao", "staff")):
            hire(db.engine, login, clock, role=role)

    async def who(self, login: str) -> Member:
        found = await self.db.read(lambda conn: member(conn, f"staff-{login}"))
        assert found is not None
        return found

    def text(self, answer: str) -> Entry:
        made = replace(self.base.entries[WAGES], answer=answer)
        return replace(made, version=fingerprint(made))

    async def serving(self) -> Entry | None:
        overlay = await self.db.read(lambda conn: county.overlay(conn, self.clock()))
        return overlaid(self.base, overlay).entries.get(WAGES)

    async def save(self, login: str, entry: Entry | None, seen: str, **more: object) -> str:
        now, by, serving = self.clock(), await self.who(login), await self.serving()
        named = {"seen": seen, "serving": serving.version if serving else "", "review": True} | more
        self.clock.advance(1)
        return await self.db.write(partial(_save, self.new_id, entry, by, now, named))

    async def approve(self, login: str, edition: str, seen: str, *, confirm: bool = False) -> Edition:
        now, by = self.clock(), await self.who(login)
        self.clock.advance(1)
        return await self.db.write(
            lambda conn: editions.approve(conn, self.new_id, edition, by, now, seen=seen, confirm=confirm)
        )

    async def publish(self, answer: str, **more: object) -> str:
        serving, text = await self.serving(), self.text(answer)
        edition = await self.save("wang", text, serving.version if serving else "", **more)
        await self.approve("li", edition, text.version)
        return edition


def _save(
    new_id: Numbers, entry: Entry | None, by: Member, now: datetime, named: dict[str, Any], conn: Connection
) -> str:
    return editions.save(conn, new_id, WAGES, entry, by, now, **named)


@pytest.fixture
def desk(db: Database, base: KnowledgeBase, clock: Clock, new_id: Numbers) -> Desk:
    return Desk(db, base, clock, new_id)


async def test_a_draft_serves_only_after_a_second_pair_of_eyes(desk: Desk, base: KnowledgeBase) -> None:
    shipped, text = base.entries[WAGES], desk.text("本县的写法。")
    edition = await desk.save("wang", text, shipped.version)
    assert (await desk.serving()) == shipped
    with pytest.raises(RefusedError, match="自己写的"):
        await desk.approve("wang", edition, text.version)
    await desk.approve("li", edition, text.version, confirm=True)
    served = await desk.serving()
    assert served is not None
    assert served.answer == "本县的写法。"
    assert served.confirmed == Confirmation(by="li律师", on=desk.clock().date())
    with pytest.raises(RefusedError, match="已经有人处理过"):
        await desk.approve("li", edition, text.version)


async def test_whoever_wrote_at_it_is_no_second_pair_of_eyes(desk: Desk, base: KnowledgeBase) -> None:
    first, second = desk.text("一。"), desk.text("二。")
    await desk.save("wang", first, base.entries[WAGES].version)
    edition = await desk.save("zhao", second, first.version)
    with pytest.raises(RefusedError, match="自己写的"):
        await desk.approve("wang", edition, second.version)
    await desk.approve("li", edition, second.version)


async def test_two_people_at_one_entry_the_second_is_told(desk: Desk, base: KnowledgeBase) -> None:
    shipped = base.entries[WAGES].version
    await desk.save("wang", desk.text("一。"), shipped)
    with pytest.raises(EditedError):
        await desk.save("zhao", desk.text("二。"), shipped)
    assert await desk.save("zhao", desk.text("二。"), desk.text("一。").version)


async def test_what_changed_after_it_was_looked_at_is_not_approved(desk: Desk, base: KnowledgeBase) -> None:
    edition = await desk.save("wang", desk.text("一。"), base.entries[WAGES].version)
    await desk.save("wang", desk.text("二。"), desk.text("一。").version)
    with pytest.raises(RefusedError, match="又被改过"):
        await desk.approve("li", edition, desk.text("一。").version)


async def test_a_text_waits_for_its_day(desk: Desk, base: KnowledgeBase) -> None:
    await desk.publish("现在的。")
    day = desk.clock() + timedelta(hours=10)
    await desk.publish("以后的。", publish_at=day)
    before = await desk.db.read(lambda conn: county.stamp(conn, desk.clock()))
    assert (served := await desk.serving())
    assert served.answer == "现在的。"
    desk.clock.advance(10 * 3600)
    assert (served := await desk.serving())
    assert served.answer == "以后的。"
    assert before != await desk.db.read(lambda conn: county.stamp(conn, desk.clock()))


async def test_retiring_rolling_back_and_going_back_to_what_was_shipped(desk: Desk, base: KnowledgeBase) -> None:
    shipped, wang = base.entries[WAGES], await desk.who("wang")
    first = await desk.publish("第一版。")
    served = await desk.serving()
    assert served is not None
    gone = await desk.save("wang", None, served.version)
    await desk.approve("li", gone, "retired")
    assert await desk.serving() is None
    await desk.db.write(lambda conn: editions.roll_back(conn, desk.new_id, first, wang, desk.clock()))
    again = await desk.serving()
    assert again is not None
    assert again.answer == "第一版。"
    await desk.db.write(lambda conn: editions.restore_shipped(conn, desk.new_id, WAGES, wang, desk.clock()))
    assert await desk.serving() == shipped
    found = await desk.db.read(lambda conn: editions.of(conn, WAGES))
    assert [(one.number, one.state) for one in found] == [(3, "replaced"), (2, "replaced"), (1, "replaced")]


async def test_sent_back_dropped_and_taken_from_the_schedule(desk: Desk, base: KnowledgeBase) -> None:
    li = await desk.who("li")
    edition = await desk.save("wang", desk.text("一。"), base.entries[WAGES].version)
    await desk.db.write(lambda conn: editions.send_back(conn, desk.new_id, edition, li, desk.clock(), "第二步不对"))
    back = await desk.db.read(lambda conn: editions.opened(conn, WAGES))
    assert back is not None
    assert (back.state, back.note) == ("draft", "li退回：第二步不对")
    await desk.db.write(lambda conn: editions.drop(conn, desk.new_id, edition, li, desk.clock()))
    assert await desk.db.read(lambda conn: editions.opened(conn, WAGES)) is None
    later = await desk.publish("以后的。", publish_at=desk.clock() + timedelta(days=1))
    await desk.db.write(lambda conn: editions.drop(conn, desk.new_id, later, li, desk.clock()))
    desk.clock.advance(2 * 86400)
    assert await desk.serving() == base.entries[WAGES]


async def test_questions_attached_and_taken_away(desk: Desk, base: KnowledgeBase) -> None:
    wang, shipped = await desk.who("wang"), base.entries[WAGES]
    for entry in ("lease.deposit", WAGES):
        await desk.db.write(
            lambda conn, entry=entry: county.attach(conn, desk.new_id, " 窑上 没给钱 ", entry, wang, desk.clock())  # type: ignore[misc]
        )
    found = await desk.db.read(county.attached)
    assert [(one.text, one.entry, one.by) for one in found] == [("窑上 没给钱", WAGES, "wang")]
    assert (served := await desk.serving())
    assert served.asked == ("窑上 没给钱",)
    await desk.db.write(lambda conn: county.attach(conn, desk.new_id, "今天吃什么", "", wang, desk.clock()))
    assert (await desk.db.read(lambda conn: county.overlay(conn, desk.clock()))).strangers == {"今天吃什么"}
    await desk.db.write(lambda conn: county.detach(conn, desk.new_id, found[0].id, wang, desk.clock()))
    assert await desk.serving() == shipped
    with pytest.raises(RefusedError):
        await desk.db.write(lambda conn: county.attach(conn, desk.new_id, " ？", WAGES, wang, desk.clock()))


async def test_a_lawyers_reading_and_taking_it_back(desk: Desk, base: KnowledgeBase) -> None:
    li, shipped = await desk.who("li"), base.entries[WAGES]
    look = partial(county.read, new_id=desk.new_id, entry=shipped, by=li, now=desk.clock())
    await desk.db.write(lambda conn: look(conn, version=shipped.version))
    assert (served := await desk.serving())
    assert served.confirmed is not None
    await desk.db.write(lambda conn: look(conn, version=shipped.version, retire=True))
    assert await desk.serving() is None
    await desk.db.write(lambda conn: county.unread(conn, desk.new_id, WAGES, li, desk.clock()))
    assert await desk.serving() == shipped
    with pytest.raises(RefusedError, match="刚刚被改过"):
        await desk.db.write(lambda conn: look(conn, version="another"))


async def test_a_text_nobody_can_read_any_more_falls_back_to_what_was_shipped(
    desk: Desk, base: KnowledgeBase, capfd: pytest.CaptureFixture[str]
) -> None:
    await desk.publish("本县的写法。")
    with desk.db.engine.begin() as conn:
        conn.execute(sa.text("UPDATE entry_versions SET body = '{}'"))
    assert await desk.serving() == base.entries[WAGES]


def test_an_edition_without_a_text_has_a_name(desk: Desk, base: KnowledgeBase, clock: Clock) -> None:
    one = Edition("1", WAGES, 1, "draft", base.entries[WAGES], "", "", "a", "a", "", None, clock(), None)
    assert one.version == base.entries[WAGES].version
    assert replace(one, entry=None).version == "retired"
