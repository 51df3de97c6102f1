"""The consultation log as staff use it: find, read masked, say why and read plain, correct, note, keep a filter."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import sqlalchemy as sa

from bot.console.auth import COOKIE
from bot.service import staff
from bot.service.records import exports
from tests.console.office import hire, lawyer, visitor
from tests.platform import Clock
from tests.service.records import consultation
from tests.support import Bot

Rows = Callable[[Any, str], list[Any]]
SECRET = "我叫王小二，电话13812345678，单位拖欠工资怎么办"


@asynccontextmanager
async def clerk(
    bot: Bot, engine: sa.Engine, clock: Clock, name: str = "clerk", role: str = "staff"
) -> AsyncIterator[aiohttp.ClientSession]:
    """A member of staff at the pages."""
    token = hire(engine, name, clock, role=role)
    headers = {"Accept": "text/html", "Origin": bot.url}
    async with aiohttp.ClientSession(bot.url, cookies={COOKIE: token}, headers=headers) as session:
        yield session


async def get(session: aiohttp.ClientSession, path: str, status: int = 200) -> str:
    async with session.get(path) as answer:
        assert answer.status == status, path
        return await answer.text()


async def post(session: aiohttp.ClientSession, path: str, **form: str) -> tuple[int, str, str]:
    async with session.post(path, data=form or {"x": "y"}, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


def audited(rows: Rows, bot: Bot) -> list[Any]:
    return [
        tuple(row)
        for row in rows(bot.settings, "SELECT action, staff_id, citizen_id, subject, detail FROM audit ORDER BY id")
    ]


async def test_staff_find_what_fits_and_read_it_masked(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    yesterday = clock() - timedelta(days=1)
    with engine.begin() as conn:
        consultation(
            conn, 1, yesterday, SECRET, grade=1, township="河口乡", outcome="unanswered", verdict="none", entry_id=""
        )
        consultation(conn, 2, clock(), "离婚孩子归谁", category="marriage", handled_by="clerk")
    async with clerk(bot, engine, clock) as session:
        everything = await get(session, "/console")
        assert everything.index("离婚孩子归谁") < everything.index("王**")
        assert "13812345678" not in everything
        assert "<strong>2</strong> 次咨询。" in everything
        unhappy = await get(session, "/console?grade=2&grade=1&from=2026-11-22&until=2026-11-22")
        assert "离婚" not in unhappy
        assert "我叫王**，电话138********，单位拖欠工资怎么办" in unhappy
        assert 'href="/console?from=2026-11-22&amp;until=2026-11-22"' in unhappy or "全部去掉" in unhappy
        words = await get(session, "/console?words=工资+电话")
        assert "<strong>1</strong> 次咨询符合条件" in words
        assert "没有符合条件的咨询" in await get(session, "/console?words=工资+离婚")
        many = await get(session, "/console?service=-&service=answered&service=legal_aid&service=mediation")
        assert 'href="/console">服务结果：4种' in many
        assert "<strong>2</strong> 次咨询符合条件" in many
        assert "日期、评价没看懂" in await get(session, "/console?from=abc&grade=9")


async def test_every_facet_leads_to_as_many_as_it_says(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    with engine.begin() as conn:
        for number in range(7):
            more: dict[str, Any] = {
                "kind": "petition" if number < 3 else "legal",
                "township": "" if number % 2 else "东镇",
                "grade": number % 3,
            }
            consultation(conn, number, clock() + timedelta(minutes=number), **more)
    async with clerk(bot, engine, clock) as session:
        page = await get(session, "/console?words=工资")
        links = re.findall(r'<a href="(/console\?[^"]+)"><span>[^<]+</span><span class="count">(\d+)</span>', page)
        assert len(links) == 7
        for href, count in links:
            found = await get(session, href.replace("&amp;", "&"))
            assert f"<strong>{count}</strong> 次咨询符合条件" in found, href


async def test_what_a_figure_counts_is_named_kept_in_the_form_and_taken_off(
    bot: Bot, engine: sa.Engine, clock: Clock
) -> None:
    with engine.begin() as conn:
        for number, first in enumerate(("answered", "unanswered", "answered")):
            consultation(conn, number, clock() + timedelta(hours=number), first_outcome=first)
    async with clerk(bot, engine, clock) as session:
        page = await get(session, "/console?first=answered&weekday=1&hour=9")
        assert "<strong>1</strong> 次咨询符合条件" in page
        for chip, rest in (
            ("头一句：已解答", "weekday=1&amp;hour=9"),
            ("星期几：星期一", "first=answered&amp;hour=9"),
            ("几点：9点到10点", "first=answered&amp;weekday=1"),
        ):
            assert f'<a class="chip off" href="/console?{rest}">{chip}' in page
        for name, value in (("first", "answered"), ("weekday", "1"), ("hour", "9")):
            assert re.search(f'<select id="f-{name}"[^§]*?<option value="{value}" selected', page)
        assert "<strong>2</strong> 次咨询符合条件" in await get(session, "/console?first=answered")
        assert "<strong>0</strong> 次咨询符合条件" in await get(session, "/console?weekday=7")
        assert "几点没看懂" in await get(session, "/console?hour=24")


async def test_older_ones_are_a_page_further(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    with engine.begin() as conn:
        for number in range(60):
            consultation(conn, number, clock() + timedelta(minutes=number))
    async with clerk(bot, engine, clock) as session:
        first = await get(session, "/console?kind=legal")
        older = re.search(r'href="([^"]+)">更早的', first)
        assert older is not None
        second = await get(session, older[1].replace("&amp;", "&"))
        for page, there, missing in ((first, "c-000010", "c-000009"), (second, "c-000009", "c-000010")):
            assert f"/console/consultations/{there}?kind=legal" in page
            assert f"/console/consultations/{missing}?" not in page
        assert "更早的" not in second
        assert 'href="/console?kind=legal">回到最新' in second
        assert "<strong>60</strong>" in await get(session, "/console?before=9.x&kind=legal".replace("9.x", "nonsense"))


async def test_a_consultation_is_told_whole_and_in_order(bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows) -> None:
    async with lawyer(bot, engine, clock, "张三") as counsel, visitor(bot) as citizen:
        await citizen.say(SECRET)
        clock.advance(seconds=10)
        await citizen.say("转人工")
        clock.advance(seconds=10)
        (handoff,) = rows(bot.settings, "SELECT id FROM handoffs")[0]
        await counsel.move(handoff, "claim")
        await counsel.connect()
        await counsel.send("watch", id=handoff, after=0)
        clock.advance(seconds=10)
        await counsel.send("say", id=handoff, key="key-lawyer-1", text="您打13987654321找我")
        await counsel.words("您打13987654321找我")
        clock.advance(seconds=10)
        await citizen.say("老板叫李大强，欠了三个月")
        await counsel.words("老板叫李大强，欠了三个月")
    ((number,),) = rows(bot.settings, "SELECT id FROM consultations")
    async with clerk(bot, engine, clock) as session:
        page = await get(session, f"/console/consultations/{number}")
    order = ["我叫王**", "劳动监察", "转人工", "排上队", "张三接单", "您打139********找我", "老板叫李**，欠了三个月"]
    places = [page.index(words, page.index("说了什么")) for words in order]
    assert places == sorted(places)
    assert page.count("欠了三个月") == 1
    assert "/kb/" in page
    for secret in ("13812345678", "13987654321", "王小二", "李大强"):
        assert secret not in page


async def test_who_says_why_sees_it_plain_once_and_it_is_on_record(
    bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    with engine.begin() as conn:
        consultation(conn, 1, clock(), SECRET, summary="回电13812345678")
    path = "/console/consultations/c-000001"
    async with clerk(bot, engine, clock) as session:
        for reason in ("", " x "):
            status, _, page = await post(session, f"{path}/unmask", reason=reason)
            assert status == 400
            assert "13812345678" not in page
        status, _, page = await post(session, f"{path}/unmask", reason="回访不满意的群众")
        assert status == 200
        assert SECRET in page
        assert "回电13812345678" in page
        assert "13812345678" not in await get(session, path)
        assert (await post(session, "/console/consultations/none/unmask", reason="看看"))[0] == 404
    found = audited(rows, bot)
    assert [row[0] for row in found] == ["record.read"] * 2 + ["record.unmask", "record.read"]
    assert found[2] == ("record.unmask", "staff-clerk", "citizen-1", "c-000001", "回访不满意的群众")


async def test_kind_and_category_are_corrected_and_counted_so_at_once(
    bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    with engine.begin() as conn:
        consultation(conn, 1, clock(), kind="", category="")
    path = "/console/consultations/c-000001"
    async with clerk(bot, engine, clock) as session:
        assert "<strong>0</strong>" in await get(session, "/console?category=wages")
        for wrong in ("", "legal/nonsense", "petition/wages", "wages"):
            assert (await post(session, f"{path}/correct", category=wrong))[0] == 400
        assert await post(session, f"{path}/correct", category="legal/wages") == (303, f"{path}?done=corrected", "")
        assert "已改好" in await get(session, f"{path}?done=corrected")
        assert (await post(session, f"{path}/correct", category="legal/wages"))[1] == f"{path}?done=same"
        assert "<strong>1</strong>" in await get(session, "/console?category=wages")
        assert (await post(session, "/console/consultations/none/correct", category="legal/wages"))[0] == 404
    assert rows(bot.settings, "SELECT kind, category FROM consultations") == [("legal", "wages")]
    changes = [row for row in audited(rows, bot) if row[0] == "record.correct"]
    assert changes == [("record.correct", "staff-clerk", "citizen-1", "c-000001", "/ legal/wages")]


async def test_remarks_are_for_colleagues_and_deleted_by_who_wrote_them(
    bot: Bot, engine: sa.Engine, clock: Clock, rows: Rows
) -> None:
    with engine.begin() as conn:
        consultation(conn, 1, clock())
    path = "/console/consultations/c-000001"
    async with clerk(bot, engine, clock) as one, clerk(bot, engine, clock, "other") as other:
        assert (await post(one, f"{path}/remarks", text="  "))[1] == f"{path}?done=empty"
        assert (await post(one, f"{path}/remarks", text="<b>要回访</b> 13812345678"))[0] == 303
        page = await get(other, path)
        assert "&lt;b&gt;要回访&lt;/b&gt; 138********" in page
        assert "删除这条备注" not in page
        ((remark,),) = rows(bot.settings, "SELECT id FROM remarks")
        assert (await post(other, f"/console/remarks/{remark}/drop"))[0] == 404
        assert (await post(one, f"/console/remarks/{remark}/drop"))[0] == 303
        assert "要回访" not in await get(one, path)
        assert (await post(one, "/console/consultations/none/remarks", text="x"))[0] == 404
    assert [row[0] for row in audited(rows, bot) if "remark" in row[0]] == ["record.remark", "record.remark_dropped"]


async def test_other_consultations_of_the_same_citizen_are_named(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    with engine.begin() as conn:
        consultation(conn, 1, clock(), "以前问过宅基地")
        consultation(conn, 2, clock() + timedelta(hours=1))
        consultation(conn, 3, clock(), "别人问的事", citizen_id="citizen-2")
    async with clerk(bot, engine, clock) as session:
        page = await get(session, "/console/consultations/c-000002")
    assert "以前问过宅基地" in page
    assert "别人问的事" not in page


async def test_a_filter_is_kept_shared_replaced_and_dropped(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    async with clerk(bot, engine, clock) as one, clerk(bot, engine, clock, "other", "admin") as other:
        assert (await post(one, "/console/views", query="kind=legal", name=" "))[1] == "/console?kind=legal&done=noname"
        for query in ("kind=petition&bad=1", "kind=legal"):
            status, onward, _ = await post(one, "/console/views", query=query, name="我的", shared="1")
            assert (status, onward) == (303, f"/console?{query.removesuffix('&bad=1')}&done=kept")
        await post(one, "/console/views", query="grade=1", name="自己看")
        mine, theirs = await get(one, "/console"), await get(other, "/console")
        assert 'href="/console?kind=legal">我的（同事可见）' in mine
        assert 'href="/console?kind=legal">我的（clerk）' in theirs
        assert "自己看" in mine
        assert "自己看" not in theirs
        assert "kind=petition" not in mine.split('aria-label="存好的查法"')[1].split("</section>")[0]
        drop = re.search(r'action="(/console/views/[^"]+/drop)"', mine)
        assert drop is not None
        assert (await post(other, drop[1]))[0] == 404
        assert (await post(one, drop[1]))[0] == 303
        assert (await post(one, drop[1]))[0] == 404


async def test_heads_read_who_looked_at_whom(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    with engine.begin() as conn:
        consultation(conn, 1, clock())
        consultation(conn, 2, clock(), citizen_id="citizen-2")
    async with clerk(bot, engine, clock) as one, clerk(bot, engine, clock, "boss", "supervisor") as boss:
        await get(one, "/console/consultations/c-000001")
        await post(one, "/console/consultations/c-000002/unmask", reason="投诉电话13812345678")
        await get(boss, "/console/consultations/c-000001")
        for query, readers in {
            "": ["boss", "clerk", "clerk"], "?by=staff-clerk": ["clerk", "clerk"], "?about=c-000001": ["boss", "clerk"],
            "?about=citizen-2": ["clerk"], "?action=record.unmask": ["clerk"], "?from=2026-11-24": [], "?until=2026-11-23": ["boss", "clerk", "clerk"],
            "?about=citizen-2&by=staff-boss": [], "?action=login": ["boss", "clerk", "clerk"],
        }.items():  # fmt: skip
            page = await get(boss, f"/console/access{query}")
            assert re.findall(r'class="when">[^<]+</td><td class="who-did">(\w+)</td>', page) == readers, query
        assert "投诉电话138********" in page
        await get(one, "/console/access", status=403)
        await post(one, "/console/consultations/c-000001/correct", category="legal/marriage")
        assert "法律·拖欠工资 改为 法律·婚姻" in await get(boss, "/console/access?action=record.correct")
        with engine.begin() as conn:
            head = staff.member(conn, "staff-boss")
            assert head is not None
            exports.ask(conn, bot.parts.new_id, head, "kind=legal&words=工资", "xlsx", clock(), reason="给 领导看")
        assert "XLSX：类型：法律；说过 工资。理由：给 领导看" in await get(boss, "/console/access?by=staff-boss")


async def test_the_workbenchs_lists_are_masked_and_the_conversation_in_charge_is_not(
    bot: Bot, engine: sa.Engine, clock: Clock
) -> None:
    async with lawyer(bot, engine, clock, "张三") as counsel, visitor(bot) as citizen:
        await citizen.say(SECRET)
        await citizen.say("转人工")
        _, overview = await counsel.call("/overview")
        (one,) = overview["handoffs"]
        await counsel.move(one["id"], "claim")
        await citizen.say("再说一遍13812345678")
        _, overview = await counsel.call("/overview")
        assert overview["handoffs"][0]["last"] == "再说一遍138********"
        _, shown = await counsel.call(f"/handoffs/{one['id']}")
    assert "13812345678" not in str(overview)
    assert "再说一遍13812345678" in str(shown["messages"])


async def test_staff_begin_at_the_log(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    async with clerk(bot, engine, clock) as one:
        page = await get(one, "/console")
        assert '<a href="/console" aria-current="page">咨询记录</a>' in page
        assert "工作台</a>" not in page
