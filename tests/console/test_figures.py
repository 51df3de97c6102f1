"""The pages of figures at a running bot."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa

from bot.console.auth import COOKIE
from bot.conversation.handoff.duty import USUAL
from bot.conversation.turn import Library
from bot.service.demo import write
from bot.service.demo.write import Wish
from bot.store.database import Database
from bot.store.migrate import migrate
from tests.conftest import StartBot
from tests.console.office import hire
from tests.platform import Clock
from tests.support import Bot


@pytest.fixture
def filled(engine: sa.Engine, library: Library, clock: Clock) -> sa.Engine:
    """A made-up year behind the running bot."""
    with engine.begin() as conn:
        write.fill(conn, Wish(2020, 120, 1), library, USUAL, clock())
    return engine


async def opened(bot: Bot, token: str, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession(bot.url, cookies={COOKIE: token}) as session,
        session.get(path, headers={"Accept": "text/html"}) as answer,
    ):
        return answer.status, await answer.text()


async def test_the_page_shows_a_year_and_leads_to_its_rows(bot: Bot, filled: sa.Engine, clock: Clock) -> None:
    token = hire(filled, "boss", clock, role="supervisor")
    status, page = await opened(bot, token, "/console/figures?year=2020")
    assert status == 200
    assert "2020年咨询服务数字" in page
    assert "演示数据，不是真实记录" in page
    assert 'style="' not in page
    links = [unescape(link) for link in re.findall(r'href="(/console\?[^"]+)"', page)]
    assert "/console?from=2020-01-01&until=2020-12-31&kind=legal" in links
    assert "/console?from=2020-03-01&until=2020-03-31" in links
    assert page.count("<svg") == len(re.findall(r"<section id=\"(?!handed)", page))


@pytest.mark.parametrize("query", ["?month=x", "?from=2020-02-02&until=2020-01-01", "?year=2020&part=zz"])
async def test_a_bad_period_is_told_and_shows_this_month(bot: Bot, engine: sa.Engine, clock: Clock, query: str) -> None:
    token = hire(engine, "one", clock, role="staff")
    status, page = await opened(bot, token, f"/console/figures{query}")
    assert status == 400
    assert 'role="alert"' in page
    assert "2026年11月咨询服务数字" in page


async def test_a_period_without_records_is_a_page_of_zeros(bot: Bot, engine: sa.Engine, clock: Clock) -> None:
    token = hire(engine, "one", clock, role="staff")
    status, page = await opened(bot, token, "/console/figures?year=2031")
    assert status == 200
    assert "上年同期没有记录" in page
    assert "改年度任务" not in page


async def test_a_head_sets_the_tasks_of_a_year(bot: Bot, filled: sa.Engine, clock: Clock) -> None:
    token = hire(filled, "boss", clock, role="admin")
    form = {
        "year": "2020",
        "place:": "1,000",
        "place:城关镇": "",
        "place:城关镇公共法律服务工作站": "7",
        "place:nowhere": "5",
    }
    async with aiohttp.ClientSession(bot.url, cookies={COOKIE: token}) as session:
        async with session.post("/console/figures/tasks", data=form, headers={"Origin": bot.url}) as answer:
            page = await answer.text()
            assert answer.status == 200
            assert "已经存好" in page
        bad = form | {"place:": "many"}
        async with session.post("/console/figures/tasks", data=bad, headers={"Origin": bot.url}) as answer:
            assert answer.status == 400
            page = await answer.text()
            assert "全县：任务数要填" in page
            assert 'value="many"' in page
    with filled.connect() as conn:
        kept = {
            row.place: row.target for row in conn.execute(sa.text("select place, target from tasks where year = 2020"))
        }
        assert kept == {"": 1000, "城关镇公共法律服务工作站": 7}
        assert conn.execute(sa.text("select count(*) from audit where action = 'tasks_set'")).scalar() == 1
    _, page = await opened(bot, token, "/console/figures?year=2020")
    assert "年度任务" in page


async def test_a_report_is_read_and_taken_away(bot: Bot, filled: sa.Engine, clock: Clock) -> None:
    token = hire(filled, "clerk", clock, role="staff")
    status, page = await opened(bot, token, "/console/reports?year=2020")
    assert status == 200
    assert "共接待群众咨询120人次" in page
    assert "<mark>＿＿＿（请填写）</mark>" in page
    async with aiohttp.ClientSession(bot.url, cookies={COOKIE: token}) as session:
        for kind in ("word", "excel"):
            async with session.get(f"/console/reports/{kind}?year=2020") as answer:
                assert answer.status == 200
                assert (await answer.read()).startswith(b"PK")
                assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
            async with session.get(f"/console/reports/{kind}?year=20") as answer:
                assert answer.status == 400
    with filled.connect() as conn:
        kept = conn.execute(sa.text("select subject, detail from audit where action = 'report_made'")).fetchall()
    assert [tuple(row) for row in kept] == [("2020", "docx"), ("2020", "xlsx")]


async def test_a_store_of_made_up_records_says_so_on_every_page_and_is_not_purged(
    start_bot: StartBot, library: Library, clock: Clock, tmp_path: Path
) -> None:
    db = Database(f"sqlite:///{tmp_path}/fawen.db")
    migrate(db.engine)
    with db.engine.begin() as conn:
        write.fill(conn, Wish(2020, 20, 1), library, USUAL, clock())
    async with start_bot() as bot:
        token = hire(db.engine, "boss", clock, role="admin")
        for path in ("/", "/login", "/kb", "/console/figures", "/account"):
            _, page = await opened(bot, token, path)
            assert 'class="demo"' in page, path
    words = await db.read(lambda conn: conn.execute(sa.text("select words from consultation_words")).scalars().all())
    assert len(words) == 20
    assert all(words)
    db.close()
