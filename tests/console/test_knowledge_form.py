"""The editor's form: what comes back is what went in, and what is wrong is said; differences read well."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.console.knowledge import form, judging
from bot.console.knowledge.diff import changes, pieces
from bot.conversation.turn import LOCAL
from bot.service.ratings import Voice
from knowledge.entry import Entry
from knowledge.load import KnowledgeBase
from tests.knowledge.test_check import DAY

WAGES = "labour.unpaid-wages"


def test_every_shipped_entry_comes_back_unchanged(base: KnowledgeBase) -> None:
    for entry in base.entries.values():
        back = form.entry(form.fields(entry), entry)
        assert back.faults == ()
        assert back.entry is not None
        assert back.entry.version == entry.version, entry.id
        again = form.entry(form.fields(entry) | {"id": entry.id})
        assert again.entry is not None
        assert form.fields(again.entry) == form.fields(entry)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("answer", " \n ", "“回答”还没有填"),
        ("basis", "民法典", "没写清是第几条"),
        ("unverified", "民法典第一条", "要写2部分"),
        ("deadlines", "申请｜很久｜今天", "要写成30日"),
        ("deadlines", "申请｜1年｜今天｜随便", "只能写“工作日”"),
        ("deadlines", "申请｜1年｜今天｜｜民法典第一条｜多余", "写得太多了"),
        ("valid_to", "明年", "要写成2026-11-23这样"),
        ("reviewed", "", "“核对日期”还没有填"),
        ("see_also", "不是编号", "有一项写得不对"),
    ],
)
def test_what_is_wrong_is_said(base: KnowledgeBase, name: str, text: str, says: str) -> None:
    entry = base.entries[WAGES]
    made = form.entry(form.fields(entry) | {name: text}, entry)
    assert made.entry is None
    assert any(says in fault for fault in made.faults)


def test_an_approval_needs_its_notice(base: KnowledgeBase) -> None:
    entry = next(one for one in base.entries.values() if one.approval)
    made = form.entry(form.fields(entry) | {"fee": "", "papers": "身份证｜原件｜别的"}, entry)
    assert any("“收费”还没有填" in fault for fault in made.faults)
    assert any("只能写“告知承诺”" in fault for fault in made.faults)


@given(st.text("甲乙丙，。\n", max_size=30), st.text("甲乙丙，。\n", max_size=30))
def test_both_texts_can_be_read_off_their_difference(before: str, after: str) -> None:
    found = pieces(before, after)
    assert "".join(one.text for one in found if one.how != "in") == before
    assert "".join(one.text for one in found if one.how != "out") == after


def test_only_fields_that_differ_are_shown(base: KnowledgeBase) -> None:
    entry = base.entries[WAGES]
    assert changes(entry, entry) == []
    other = replace(entry, question="工资要不回来怎么办")
    assert [one.label for one in changes(entry, other)] == ["标准问题"]
    assert changes(None, entry)
    assert changes(entry, None)


def test_what_many_were_not_content_with_is_to_be_looked_at_again(base: KnowledgeBase) -> None:
    entry = base.entries[WAGES]
    noon = datetime(entry.reviewed.year, entry.reviewed.month, entry.reviewed.day, 12, tzinfo=LOCAL)

    def why(bad: int, good: int, days: int = 1, since: datetime | None = None) -> list[str]:
        at = noon + timedelta(days=days)
        said = [Voice(WAGES, at, bad=True)] * bad + [Voice(WAGES, at, bad=False)] * good + [Voice("gone", at, bad=True)]
        return [one.why for one in judging.disliked(base, said, {WAGES: since} if since else {})]

    assert why(3, 6) == ["核对以后9人评过，3人不满意或点了“没用”"]
    assert why(3, 7) == why(2, 0) == []
    # Of the text before it was checked, and of the one before that now serves.
    assert why(9, 0, days=0) == why(9, 0, days=5, since=noon + timedelta(days=5)) == []
    assert why(9, 0, days=5, since=noon + timedelta(days=4))


def test_reminders_name_the_law_and_the_day(base: KnowledgeBase) -> None:
    entry, law = base.entries[WAGES], base.statutes.laws["劳动合同法"]

    def why(day_shift: int = 0, reviewed: str = "", **of_law: object) -> str:
        changed = replace(law, **of_law)
        statutes = type(base.statutes)(base.statutes.laws | {law.name: changed}, base.statutes.short)
        one: Entry = replace(entry, reviewed=DAY.fromisoformat(reviewed)) if reviewed else entry
        small = KnowledgeBase({one.id: one}, statutes, base.places, base.lexicon)
        day = DAY.fromordinal(DAY.toordinal() + day_shift)
        return next((each.why for each in judging.reminders(small, day)), "")

    assert why() == ""
    assert "已经失效" in why(until=DAY.fromisoformat("2026-11-01"))
    assert "到期" in why(until=DAY.fromisoformat("2026-12-01"))
    assert "才施行" in why(effective=DAY.fromisoformat("2027-01-01"))
    assert "有了新文本" in why(reviewed="2026-11-01", version=DAY.fromisoformat("2026-11-10"))
    assert "满一年" in why(day_shift=400)
