"""The knowledge desk's pages: from a question that failed to an answer that serves, by two people."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa

from bot.app import Parts
from bot.console.auth import COOKIE
from bot.console.knowledge.form import fields
from bot.conversation.turn import Library
from knowledge.articles import read_articles
from knowledge.load import KnowledgeBase
from tests.conftest import StartBot
from tests.console.office import hire, visitor
from tests.platform import Clock
from tests.support import Bot

WAGES, DEPOSIT = "labour.unpaid-wages", "lease.deposit"
DISABILITY = "approval.people.disability-certificate"
STRANGE = "窑上的骡子摔断了腿谁管"
AT = "/console/knowledge"


@dataclass
class Staff:
    """Somebody at the desk."""

    session: aiohttp.ClientSession
    origin: str

    async def get(self, path: str, **headers: str) -> str:
        async with self.session.get(path, headers=headers) as answer:
            assert answer.status == 200, (path, answer.status, await answer.text())
            return html.unescape(await answer.text())

    async def post(self, path: str, **form: str) -> tuple[int, str]:
        """Status, and where it leads or the page."""
        headers = {"Origin": self.origin}
        async with self.session.post(path, data=form, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", "") or html.unescape(await answer.text())


@asynccontextmanager
async def staff(bot: Bot, engine: sa.Engine, clock: Clock, login: str, role: str) -> AsyncIterator[Staff]:
    token = hire(engine, login, clock, role=role)
    async with aiohttp.ClientSession(bot.url, cookies={COOKIE: token}) as session:
        yield Staff(session, bot.url)


@pytest.fixture
async def wang(bot: Bot, engine: sa.Engine, clock: Clock) -> AsyncIterator[Staff]:
    async with staff(bot, engine, clock, "wang", "staff") as made:
        yield made


@pytest.fixture
async def li(bot: Bot, engine: sa.Engine, clock: Clock) -> AsyncIterator[Staff]:
    async with staff(bot, engine, clock, "li", "lawyer") as made:
        yield made


def filled(base: KnowledgeBase, entry: str = WAGES, **changed: str) -> dict[str, str]:
    """The form as the page shows it, with changes; `seen` is the text it began with."""
    return {**fields(base.entries[entry]), "seen": base.entries[entry].version, "do": "review", **changed}


def edition_of(path: str) -> str:
    found = re.search(r"/editions/([^?]+)", path)
    assert found is not None, path
    return found[1]


def seen_in(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', page)
    assert found is not None
    return found[1]


async def test_a_question_that_failed_is_settled_with_one_click(bot: Bot, wang: Staff) -> None:
    async with visitor(bot) as citizen:
        assert "依据" not in (await citizen.say(STRANGE))["text"]
        shown = await wang.get(AT)
        assert STRANGE in shown
        assert await wang.post(f"{AT}/wordings", text=STRANGE, entry=WAGES) == (303, f"{AT}?done=attached")
    async with visitor(bot) as another:
        assert "依据" in (await another.say(f"{STRANGE}啊"))["text"]
    assert STRANGE not in await wang.get(AT)
    editor = await wang.get(f"{AT}/entries/{WAGES}")
    assert STRANGE in editor
    assert "分类<small>劳动用工</small>" in editor
    number = re.search(r"/wordings/([^/]+)/drop", editor)
    assert number is not None
    assert (await wang.post(f"{AT}/wordings/{number[1]}/drop", entry=WAGES))[0] == 303
    assert STRANGE in await wang.get(AT)
    assert await wang.post(f"{AT}/wordings", text=STRANGE, entry="") == (303, f"{AT}?done=foreign")
    assert STRANGE not in await wang.get(AT)
    assert (await wang.post(f"{AT}/wordings", text=STRANGE, entry="no.such"))[0] == 400


async def test_a_change_is_drafted_reviewed_and_published(
    bot: Bot, wang: Staff, li: Staff, base: KnowledgeBase
) -> None:
    answer = base.entries[WAGES].answer.replace("仲裁不收费", "仲裁一分钱不收")
    assert answer != base.entries[WAGES].answer
    status, where = await wang.post(f"{AT}/entries/{WAGES}", **filled(base, answer=answer, why="说得更白"))
    assert status == 303
    assert "审稿" in await li.get(where)
    for one, told in ((li, True), (wang, False)):
        page = await one.get("/console/rectifications", Accept="text/html")
        assert ('href="/console/knowledge/pending">知识<span class="badge" title="1份稿子等您审">1<' in page) is told
    own = await wang.get(where)
    assert "自己写的要请另一位同事审" in own
    review = await li.get(where)
    assert "<ins>一分钱" in review
    assert "说得更白" in review
    assert "0句会换一条回答；群众最近问的有0句还是这一条回答" in review
    assert "同意发布，并作为律师确认" in review
    edition, seen = edition_of(where), seen_in(review)
    assert (await wang.post(f"{AT}/editions/{edition}", do="approve", seen=seen))[0] == 409
    status, where = await li.post(f"{AT}/editions/{edition}", do="approve", seen=seen)
    assert (status, where) == (303, f"{AT}/editions/{edition}?done=published")
    async with visitor(bot) as citizen:
        said = (await citizen.say("单位拖欠工资怎么办"))["text"]
    assert "仲裁一分钱不收" in said
    assert "li律师确认" in said
    versions = await li.get(f"{AT}/entries/{WAGES}/versions")
    assert "恢复成自带的版本" in versions
    assert (await li.post(f"{AT}/entries/{WAGES}/restore"))[0] == 303
    async with visitor(bot) as citizen:
        assert "仲裁一分钱不收" not in (await citizen.say("单位拖欠工资怎么办"))["text"]


async def test_two_editors_at_once_the_second_sees_both(bot: Bot, wang: Staff, li: Staff, base: KnowledgeBase) -> None:
    first = base.entries[WAGES].answer.replace("仲裁不收费", "仲裁不要钱")
    second = base.entries[WAGES].answer.replace("仲裁不收费", "仲裁免费")
    assert (await wang.post(f"{AT}/entries/{WAGES}", **filled(base, answer=first, do="draft")))[0] == 303
    status, shown = await li.post(f"{AT}/entries/{WAGES}", **filled(base, answer=second, do="draft"))
    assert status == 409
    assert "同事刚改过这一条" in shown
    assert "同事现在的文字" in shown
    assert "仲裁免费" in shown
    again = filled(base, answer=second, do="draft", seen=seen_in(shown))
    assert (await li.post(f"{AT}/entries/{WAGES}", **again))[0] == 303
    assert "仲裁免费" in await wang.get(f"{AT}/entries/{WAGES}")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"basis": "环境保护法第一条"}, "《环境保护法》2026-08-15起已经失效"),
        ({"basis": "商标法（2027年1月1日起）第一条"}, "要到2027-01-01才施行"),
        ({"answer": "太短。"}, "回答有3个字"),
        ({"basis": "劳动合同法"}, "没写清是第几条"),
        ({"reviewed": "昨天"}, "要写成2026-11-23这样"),
        ({"deadlines": "申请仲裁｜一年"}, "要写3部分"),
        ({"publish_on": "2020-01-01"}, "不能是过去的日子"),
        ({"question": ""}, "“标准问题”还没有填"),
    ],
)
async def test_what_may_not_be_published_is_refused_in_plain_words(
    bot: Bot, wang: Staff, base: KnowledgeBase, changed: dict[str, str], says: str
) -> None:
    if "环境保护法" in changed.get("basis", ""):
        says = f"《环境保护法》{base.statutes.laws['环境保护法'].until}起已经失效"
    status, shown = await wang.post(f"{AT}/entries/{WAGES}", **filled(base, **changed))
    assert status in {400, 409}
    assert says in shown
    assert "没有等着处理的稿子" in await wang.get(f"{AT}/pending")


async def test_a_law_that_ended_between_writing_and_approving_stops_the_publication(
    bot: Bot, wang: Staff, li: Staff, base: KnowledgeBase, engine: sa.Engine
) -> None:
    _, where = await wang.post(f"{AT}/entries/{WAGES}", **filled(base, why="改"))
    edition = edition_of(where)
    with engine.begin() as conn:
        conn.execute(
            sa.text("UPDATE entry_versions SET body = replace(body, '劳动合同法第三十条', '环境保护法第一条')")
        )
    review = await li.get(f"{AT}/editions/{edition}")
    status, shown = await li.post(f"{AT}/editions/{edition}", do="approve", seen=seen_in(review))
    assert status == 409
    assert "不能发布：" in shown
    assert "《环境保护法》" in shown


async def test_a_new_entry_begins_with_the_question_and_its_id_is_its_own(
    bot: Bot, wang: Staff, base: KnowledgeBase
) -> None:
    page = await wang.get(f"{AT}/new?question=窑上欠钱&text={STRANGE}")
    assert STRANGE in page
    status, shown = await wang.post(f"{AT}/new", **filled(base, seen="", id=WAGES))
    assert (status, "这个编号已经有了" in shown) == (409, True)
    status, shown = await wang.post(f"{AT}/new", **filled(base, seen="", id="坏 编号"))
    assert (status, "小写英文和点" in shown) == (400, True)
    made = filled(base, seen="", id="labour.kiln", question="砖窑欠工钱怎么要", do="draft")
    assert await wang.post(f"{AT}/new", **made) == (303, f"{AT}/entries/labour.kiln?done=draft")
    assert "砖窑欠工钱怎么要" in await wang.get(f"{AT}/entries/labour.kiln")


async def test_the_preview_reads_like_the_phone_and_names_faults(wang: Staff, base: KnowledgeBase) -> None:
    status, shown = await wang.post(f"{AT}/preview", **filled(base), entry=WAGES)
    assert status == 200
    assert "▸ 有用" in shown
    assert "没有发现问题" in shown
    assert "{place" not in shown
    _, shown = await wang.post(f"{AT}/preview", **filled(base, answer="到{place.moon}去。"), entry=WAGES)
    assert "不认识的地点{place.moon}" in shown
    assert "▸ 有用" not in shown
    headers = {"Origin": wang.origin}
    form = filled(base, answer="<script>alert(1)</script>") | {"entry": WAGES}
    async with wang.session.post(f"{AT}/preview", data=form, headers=headers) as raw:
        assert "<script>alert" not in await raw.text()


async def test_a_lawyer_confirms_retires_and_undoes(bot: Bot, li: Staff, base: KnowledgeBase, clock: Clock) -> None:
    async with visitor(bot) as citizen:
        await citizen.say("单位拖欠工资怎么办")
        first = await li.get(f"{AT}/confirm")
        assert base.entries[WAGES].question in first
        assert "近一年问过1次" in first
        form = {"entry": WAGES, "version": base.entries[WAGES].version, "subject": ""}
        _, where = await li.post(f"{AT}/confirm", **{**form, "version": "old"})
        assert "刚刚被改过" in await li.get(where)
        assert (await li.post(f"{AT}/confirm", **form, do="confirm"))[1].endswith("done=confirmed")
        assert base.entries[WAGES].question not in await li.get(f"{AT}/confirm")
        assert f"{clock().date()} li律师确认" in (await citizen.say("单位拖欠工资怎么办？"))["text"]
        assert (await li.post(f"{AT}/confirm", **form, do="retire"))[1].endswith("done=retired")
        assert "仲裁不收费" not in (await citizen.say("单位拖欠工资怎么办呀"))["text"]
        assert "已停用" in await li.get(f"{AT}/entries/{WAGES}")
        assert (await li.post(f"{AT}/confirm/undo", entry=WAGES))[0] == 303
        assert "仲裁不收费" in (await citizen.say("单位拖欠工资，怎么办"))["text"]
    paper = await li.get(f"{AT}/confirm/print?subject=labour")
    assert "□ 确认" in paper
    assert base.entries[WAGES].question in paper
    assert base.entries[DEPOSIT].question not in paper


async def test_bad_voices_ask_for_a_review_until_there_is_a_new_text(
    bot: Bot, engine: sa.Engine, base: KnowledgeBase, clock: Clock
) -> None:
    question = base.entries[WAGES].question
    answer = base.entries[WAGES].answer.replace("仲裁不收费", "仲裁一分钱不收")
    clock.advance(86400)
    for _ in range(3):
        async with visitor(bot) as citizen:
            said = await citizen.say(question)
            tap = next(tap for row in said["rows"] for tap in row if tap["label"] == "没用")
            await citizen.say("没用", tap["id"])
    async with staff(bot, engine, clock, "wang", "staff") as wang, staff(bot, engine, clock, "li", "lawyer") as li:
        assert "核对以后3人评过，3人不满意或点了“没用”" in await wang.get(f"{AT}/due")
        clock.advance(60)
        _, where = await wang.post(f"{AT}/entries/{WAGES}", **filled(base, answer=answer))
        seen = seen_in(await li.get(where))
        assert (await li.post(f"{AT}/editions/{edition_of(where)}", do="approve", seen=seen))[0] == 303
        assert "核对以后" not in (await wang.get(f"{AT}/due")).partition("<table>")[2]


async def test_lists_reminders_and_the_test_panel(wang: Staff, base: KnowledgeBase) -> None:
    listed = await wang.get(f"{AT}/entries?q=押金&kind=legal")
    assert base.entries[DEPOSIT].question in listed
    assert "没有找到" in await wang.get(f"{AT}/entries?state=own")
    due = await wang.get(f"{AT}/due")
    ended = [entry for entry in base.entries.values() if any(_over(base, entry.basis))]
    assert all(entry.question in due for entry in ended)
    panel = await wang.get(f"{AT}/try?q=单位拖欠工资怎么办")
    for words in ("直接回答", "最近的问法", "各项加了多少分", "群众看到的"):
        assert words in panel
    assert "一条消息里问了几件事" not in panel
    panel = await wang.get(f"{AT}/try?q=低保怎么申请？残疾证怎么办")
    for words in (
        "一条消息里问了几件事",
        "低保怎么申请?：",
        f"{base.entries[DISABILITY].question}</a>，把握",
        "您还问到",
    ):
        assert words in panel


def _over(base: KnowledgeBase, cites: tuple[str, ...]) -> list[bool]:
    names = [cite.split("第")[0] for cite in cites]
    laws = [base.statutes.laws[name] for name in names if name in base.statutes.laws]
    return [law.until is not None and str(law.until) < "2026-11-23" for law in laws]


async def test_articles_stand_beside_the_text_where_the_county_has_them(
    start_bot: StartBot, tmp_path: Path, clock: Clock, library: Library
) -> None:
    folder = tmp_path / "statutes"
    folder.mkdir()
    (folder / "劳动合同法.txt").write_text(
        "劳动合同法\neffective: 2013-07-01  status: in force\n第三十条\t用人单位应当按约定支付。\n", encoding="utf-8"
    )
    parts = Parts(library=dataclasses.replace(library, articles=read_articles(folder)))
    async with start_bot(parts=parts) as bot:
        engine = sa.create_engine(bot.settings.database_url)
        async with staff(bot, engine, clock, "li", "lawyer") as li:
            page = await li.get(f"{AT}/confirm?entry={WAGES}")
        engine.dispose()
    assert "用人单位应当按约定支付。" in page
    assert "这里没有这一条的原文" in page
