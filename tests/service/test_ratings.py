"""Ratings and what follows a bad one, on record. Both engines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from bot.conversation.rectification import Act, Actor, RefusedError, visit_of
from bot.conversation.turn import Library
from bot.service import consultations, ratings, rectifications
from bot.service.rectifications import Terms
from bot.service.turns import Office
from bot.store.database import Database
from tests.platform import Clock
from tests.service.county import QUESTION, County
from tests.support import Numbers

Rows = Callable[[Any, str], list[Any]]
FRIDAY = date(2026, 11, 30)  # five working days after the clock's Monday


@pytest.fixture
def county(db: Database, library: Library, new_id: Numbers, clock: Clock) -> County:
    return County(db, Office(library, new_id), clock)


async def test_a_matter_the_bot_answered_is_rated_and_closed(county: County, rows: Rows) -> None:
    await county.say(QUESTION)
    asked = await county.say("谢谢")
    tap = next(one for one in asked.taps if one.label == "满意")
    assert "谢谢您的评价" in (await county.say("满意", tap.id)).text
    assert rows(county.db, "SELECT grade, handoff_id, words FROM ratings") == [(4, None, "")]
    assert rows(county.db, "SELECT grade, closed_at IS NOT NULL FROM consultations") == [(4, True)]
    assert rows(county.db, "SELECT count(*) FROM rectifications") == [(0,)]
    # A second tap is a change of mind, not a second rating.
    await county.say("基本满意", tap.id[:-1] + "3")
    assert rows(county.db, "SELECT grade FROM ratings") == [(3,)]


async def test_nobody_is_asked_about_what_was_not_answered_or_a_lawyer_took(county: County) -> None:
    await county.say("今天天气真好")
    assert (await county.say("谢谢")).rows == ()
    await county.hire("zhang")
    await county.say(QUESTION, citizen="o2")
    await county.say("转人工", citizen="o2")
    await county.say("取消", citizen="o2")
    assert (await county.say("谢谢", citizen="o2")).rows == ()


async def test_the_next_reply_after_a_day_asks_in_one_line(county: County) -> None:
    await county.say(QUESTION)
    county.clock.advance(26 * 3600)
    await county.do(partial(consultations.close_silent, now=county.clock()))
    assert (await county.say("你好")).taps[-1].label == "给上次的答复打个分"
    county.clock.advance(26 * 3600)
    assert not any("打个分" in tap.label for tap in (await county.say("你好")).taps)


async def test_a_bad_grade_opens_one_rectification_with_the_reason(county: County, rows: Rows) -> None:
    await county.say(QUESTION)
    tap = (await county.say("谢谢")).taps[-1]
    assert tap.label == "非常不满意"
    await county.say("非常不满意", tap.id)
    await county.say("答非所问，我问的是工伤")
    await county.say("不满意", tap.id[:-1] + "2")
    assert rows(county.db, "SELECT grade, words FROM ratings") == [(2, "答非所问，我问的是工伤")]
    assert rows(county.db, "SELECT state, due_on, staff_id FROM rectifications") == [("open", str(FRIDAY), None)]
    assert rows(county.db, "SELECT action FROM audit WHERE action LIKE 'rectify%'") == [("rectify.open",)]


async def test_others_matters_cannot_be_rated(county: County, rows: Rows) -> None:
    await county.say(QUESTION)
    matter = rows(county.db, "SELECT id FROM consultations")[0][0]
    await county.say("非常不满意", f"rate:c:{matter}:1", citizen="o2")
    await county.say("我来捣乱", citizen="o2")
    await county.say("非常不满意", "rate:c:no-such:1", citizen="o2")
    assert rows(county.db, "SELECT count(*) FROM ratings") == [(0,)]
    assert rows(county.db, "SELECT grade FROM consultations WHERE citizen_id = (SELECT citizen_id FROM consultations ORDER BY id LIMIT 1)") == [(0,)]  # fmt: skip


async def test_the_whole_way(county: County, rows: Rows) -> None:
    zhang, li = await county.hire("zhang"), await county.hire("li", "staff")
    boss = Actor(await county.hire("wang", "supervisor"), head=True)
    handoff = await county.served_by(zhang)
    await county.say("不满意", f"rate:{handoff}:2")
    row = rows(county.db, "SELECT id FROM rectifications")[0][0]
    for bad in (Act("assign", to=zhang), Act("assign", to="nobody")):
        with pytest.raises(RefusedError):
            await county.act(row, bad, boss)
    await county.act(row, Act("assign", to=li), boss)
    reply = Act("reply", measures="核对了记录，确实没答全", reply="对不起，工伤认定要在一年内申请。")
    with pytest.raises(RefusedError, match="本人"):
        await county.act(row, reply, Actor(zhang))
    await county.act(row, reply, Actor(li))
    letter = rows(county.db, "SELECT state, content FROM outbox ORDER BY place DESC LIMIT 1")[0]
    assert letter[0] == "waiting"
    assert "您上次打分“不满意”的事" in letter[1]
    assert "工伤认定要在一年内申请" in letter[1]
    # Not fetched yet: nobody is asked about a letter they have not read.
    assert (await county.say("谢谢")).rows == ()
    await county.do(lambda conn: conn.execute(sa.text("UPDATE outbox SET state = 'sent'")))
    visit = await county.say("你好")
    assert "现在觉得怎么样" in visit.text
    assert rows(county.db, "SELECT visit_asked_at IS NOT NULL FROM rectifications") == [(True,)]
    await county.say("不满意", f"visit:{row}:2")
    await county.say("还是没人教我怎么申请")
    found = "SELECT state, rounds, visit_grade, visit, due_on FROM rectifications"
    assert rows(county.db, found) == [("open", 1, 2, "还是没人教我怎么申请", str(FRIDAY))]
    county.clock.advance(86400)
    await county.act(row, replace(reply, reply="已经约您周三下午到所里，帮您填申请表。"), Actor(li))
    await county.do(lambda conn: conn.execute(sa.text("UPDATE outbox SET state = 'sent'")))
    assert "现在觉得怎么样" in (await county.say("在吗")).text
    await county.say("满意", f"visit:{row}:4")
    with pytest.raises(RefusedError, match="依据"):
        await county.act(row, Act("close", proof=""), Actor(li))
    await county.act(row, Act("close", proof="周三已来所填表，有登记"), Actor(li))
    assert rows(county.db, "SELECT state, visit_grade, proof FROM rectifications") == [
        ("closed", 4, "周三已来所填表，有登记")
    ]
    steps = [row[0] for row in rows(county.db, "SELECT action FROM audit WHERE action LIKE 'rectify%' ORDER BY id")]
    assert steps == [f"rectify.{one}" for one in ("open", "assign", "reply", "fail", "reply", "visit", "close")]


async def test_somebody_elses_second_visit_changes_nothing(county: County, rows: Rows) -> None:
    await county.say(QUESTION)
    await county.say("不满意", (await county.say("谢谢")).taps[-2].id)
    row = rows(county.db, "SELECT id FROM rectifications")[0][0]
    for tap in (f"visit:{row}:5", f"visit:{row}:1", "visit:no-such:1"):
        await county.say("满意", tap, citizen="o2")
        await county.say("捣乱", citizen="o2")
    assert rows(county.db, "SELECT state, visit_grade, visit FROM rectifications") == [("open", 0, "")]
    # Before there is a reply there is nothing to visit about, for the citizen either.
    await county.say("满意", f"visit:{row}:5")
    assert rows(county.db, "SELECT state, visit_grade FROM rectifications") == [("open", 0)]


async def test_two_who_act_on_the_same_page_do_not_overwrite_each_other(county: County, rows: Rows) -> None:
    boss = Actor(await county.hire("wang", "supervisor"), head=True)
    li = await county.hire("li", "staff")
    await county.say(QUESTION)
    await county.say("不满意", (await county.say("谢谢")).taps[-2].id)
    row = rows(county.db, "SELECT id FROM rectifications")[0][0]
    await county.act(row, Act("assign", to=li), boss, version=1)
    with pytest.raises(RefusedError, match="刚刚改过"):
        await county.act(row, Act("assign", to=boss.id), boss, version=1)
    with pytest.raises(KeyError):
        await county.act("no-such", Act("assign", to=li), boss)


async def test_lists_and_counts(county: County, rows: Rows) -> None:
    boss = Actor(await county.hire("wang", "supervisor"), head=True)
    li = await county.hire("li", "staff")
    for number in range(3):
        who = f"o{number}"
        await county.say(QUESTION, citizen=who)
        await county.say("不满意", (await county.say("谢谢", citizen=who)).taps[-2].id, citizen=who)
        county.clock.advance(3 * 86400)
    ids = [row[0] for row in rows(county.db, "SELECT id FROM rectifications ORDER BY id")]
    reply = Act("reply", measures="核对了聊天记录", reply="对不起，现在补充如下。")
    await county.act(ids[1], Act("assign", to=li), boss)
    await county.act(ids[1], reply, Actor(li))
    await county.act(ids[1], visit_of(5, "这回说清楚了"), Actor(li))
    await county.act(ids[1], Act("close", proof="电话回访登记"), Actor(li))
    today = FRIDAY + timedelta(days=1)

    def look(conn: Connection) -> Any:
        lines = {
            name: [line.case.id for line in rectifications.find(conn, today, state=name)]
            for name in ("", "overdue", "unassigned", "open", "closed")
        }
        return (
            lines,
            rectifications.counts(conn, today),
            rectifications.find(conn, today, responsible=li, state="closed"),
        )

    lines, counts, own = await county.db.read(look)
    assert lines == {
        "": [ids[0], ids[2]], "overdue": [ids[0]], "unassigned": [ids[0], ids[2]], "open": [ids[0], ids[2]],
        "closed": [ids[1]],
    }  # fmt: skip
    assert counts == {"open": 2, "replied": 0, "visited": 0, "closed": 1, "overdue": 1, "unassigned": 2}
    assert [(line.responsible, line.entry, line.rated, line.grade) for line in own] == [
        ("li", "labour.unpaid-wages", "", 2)
    ]


async def test_voices_by_entry(county: County) -> None:
    start = county.clock()
    await county.say(QUESTION)
    await county.say("没用", "bad:labour.unpaid-wages")
    await county.say("有用", "good:labour.unpaid-wages")
    await county.say("没用", "bad:labour.unpaid-wages")
    await county.say(QUESTION, citizen="o2")
    await county.say("非常满意", (await county.say("谢谢", citizen="o2")).taps[0].id, citizen="o2")
    end = county.clock() + timedelta(seconds=1)

    def look(conn: Connection, first: Any, last: Any) -> Any:
        return ratings.by_entry(conn, first, last), ratings.grades(conn, first, last)

    (one,), grades = await county.db.read(lambda conn: look(conn, start, end))
    assert (one.entry, one.useful, one.useless, one.grades) == ("labour.unpaid-wages", 1, 2, {5: 1})
    assert (one.voices, one.bad, one.rate) == (4, 2, 0.5)
    assert grades == {5: 1}
    assert await county.db.read(lambda conn: look(conn, end, end + timedelta(days=1))) == ([], {})


async def test_who_is_to_act_is_told_how_many_wait(county: County, rows: Rows) -> None:
    li = Actor(await county.hire("li", "staff"))
    boss = Actor(await county.hire("wang", "supervisor"), head=True)

    async def owed(by: Actor, day: date = FRIDAY) -> tuple[int, int]:
        found = await county.db.read(lambda conn: rectifications.owed(conn, by, day))
        listed = await county.db.read(lambda conn: rectifications.find(conn, day, state="mine", by=by))
        assert len(listed) == found.open
        return found.open, found.overdue

    for citizen in ("o1", "o2"):
        await county.say(QUESTION, citizen=citizen)
        tap = (await county.say("谢谢", citizen=citizen)).taps[-1]
        await county.say("非常不满意", tap.id, citizen=citizen)
    assert (await owed(boss), await owed(li)) == ((2, 0), (0, 0))
    first, _ = (row[0] for row in rows(county.db, "SELECT id FROM rectifications ORDER BY id"))
    await county.act(first, Act("assign", to=li.id), boss)
    assert (await owed(boss), await owed(li)) == ((1, 0), (1, 0))
    assert (await owed(boss, FRIDAY + timedelta(days=1)), await owed(li, FRIDAY + timedelta(days=1))) == (
        (1, 1),
        (1, 1),
    )
    await county.act(first, Act("reply", measures="核对了记录", reply="对不起，再给您说一遍。"), li)
    await county.act(first, visit_of(4, "现在清楚了"), li)
    assert await owed(li) == (1, 0)
    await county.act(first, Act("close", proof="电话回访，群众满意"), li)
    assert (await owed(boss), await owed(li)) == ((1, 0), (0, 0))


async def test_who_gets_a_case_reads_so_in_their_own_wechat(county: County, rows: Rows) -> None:
    li, zhou = await county.hire("li", "staff"), await county.hire("zhou", "staff")
    boss = Actor(await county.hire("wang", "supervisor"), head=True)
    await county.say("你好", citizen="li-wechat")
    await county.do(
        lambda conn: conn.execute(
            sa.text(
                "UPDATE staff SET citizen_id = (SELECT id FROM citizens WHERE address = 'li-wechat') WHERE id = :li"
            ),
            {"li": li},
        )
    )
    await county.say(QUESTION)
    await county.say("非常不满意", (await county.say("谢谢")).taps[-1].id)
    row = rows(county.db, "SELECT id FROM rectifications")[0][0]
    for to in (li, li, zhou):
        await county.act(row, Act("assign", to=to), boss)
    letters = rows(
        county.db, "SELECT address, content FROM outbox JOIN citizens ON citizens.id = citizen_id ORDER BY place"
    )
    assert [address for address, _ in letters] == ["li-wechat"]
    assert "有一条差评由您负责整改：工资工伤，11月30日前办完" in letters[0][1]


def test_the_days_of_grace_are_a_setting(clock: Clock, library: Library, new_id: Numbers) -> None:
    assert Office(library, new_id).terms.due(clock()) == FRIDAY
    assert Terms(Office(library, new_id).hours, 1).due(clock()) == date(2026, 11, 24)
