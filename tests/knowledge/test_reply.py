"""What a citizen reads: whole, cited, within the platform's limit, never cut inside a character or a citation."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.channels.wechat import render
from knowledge.citation import ARTICLE
from knowledge.entry import Confirmation, Entry
from knowledge.load import KnowledgeBase
from knowledge.places import Locality, Office
from knowledge.reply import TEXT_LIMIT, Reply, Tap, answer, cut, fit, for_result
from knowledge.search.rank import NOTHING

DAY = date(2026, 11, 22)
SENTENCES = st.lists(
    st.sampled_from(
        [
            "先留证据。",
            "依据《民法典》第一百八十八条处理；",
            "打12333投诉！\n",
            "按劳动合同法第八十五条加付赔偿金",
            "😀👍",
            "您可以申请仲裁。",
            "abc 123 ",
        ]
    ),
    max_size=120,
).map("".join)
TAPS = st.builds(
    Tap, label=st.text("工资怎么办", max_size=20), send=st.text("离婚", max_size=20), id=st.just("ask:a.b")
)
ROWS = st.lists(st.lists(TAPS, min_size=1, max_size=3).map(tuple), max_size=5).map(tuple)


def test_every_shipped_answer_is_whole_in_one_message(base: KnowledgeBase) -> None:
    for entry in base.entries.values():
        said = answer(entry, base, base.nowhere, max(DAY, entry.valid.starts or DAY))
        assert len(render.text(said).encode()) == said.size <= TEXT_LIMIT, entry.id
        assert "依据：" in said.text, entry.id
        assert str(entry.reviewed) in said.text, entry.id
        assert base.nowhere.fill(entry.answer.strip()) in said.text, entry.id
        assert "{" not in said.text, entry.id


def test_long_local_addresses_never_break_the_limit(base: KnowledgeBase) -> None:
    office = Office(name="示例县" * 10, address="很长的地址" * 20, phone="0350-0000000", hours="工作日")
    crowded = Locality(base.places, "示例县", offices=dict.fromkeys(base.places, office))
    for entry in base.entries.values():
        said = answer(entry, base, crowded, DAY)
        assert said.size <= TEXT_LIMIT, entry.id
        if len(base.nowhere.fill(entry.answer)) < len(crowded.fill(entry.answer)) and "依据：" not in said.text:
            assert "更多" in said.text
            assert "依据：" in said.rest


@given(SENTENCES, ROWS, SENTENCES, st.integers(min_value=300, max_value=2048))
def test_fitting_keeps_every_word_and_the_limit(
    text: str, rows: tuple[tuple[Tap, ...], ...], rest: str, limit: int
) -> None:
    said = fit(Reply(text, rows, rest), limit)
    assert said.size <= limit
    assert len(render.text(said).encode()) == said.size
    shown = said.text.removesuffix("（回复“更多”看后面的内容）")
    squeeze = "".join
    assert squeeze((shown + said.rest).split()) == squeeze((text + rest).split())
    if said.rest:
        assert "更多" in said.text


@given(SENTENCES, st.integers(min_value=40, max_value=600))
def test_a_cut_never_falls_inside_a_citation(text: str, room: int) -> None:
    head, tail = cut(text, room)
    assert len(head.encode()) <= room
    for match in ARTICLE.finditer(text):
        assert match[0] in head or match[0] in tail or len(text.encode()) <= room
    assert "".join((head + tail).split()) == "".join(text.split())


def test_related_questions_appear_while_there_is_room(base: KnowledgeBase) -> None:
    entry = base.entries["labour.unpaid-wages"]
    short = replace(entry, answer="可以投诉。", more="")
    labels = [row[0].label for row in answer(short, base, base.nowhere, DAY).rows[:-1]]
    known = [base.entries[other].question for other in entry.see_also if other in base.entries]
    assert labels == known[:3]
    assert labels


def test_a_confirmed_entry_names_who_confirmed_it(base: KnowledgeBase) -> None:
    entry = base.entries["labour.unpaid-wages"]
    signed = replace(entry, confirmed=Confirmation(by="张律师", on=date(2026, 12, 1)))
    text = answer(signed, base, base.nowhere, DAY).text
    assert "2026-12-01 张律师确认" in text
    assert "待本县律师确认" not in text


def test_unverified_citations_are_marked(base: KnowledgeBase) -> None:
    some: Entry = next(entry for entry in base.entries.values() if entry.unverified and entry.basis)
    assert "（待核）" in base.basis_line(some)


@pytest.mark.parametrize(
    ("message", "says"), [("我不想活了", "12356"), ("asdf qwer", "我只懂法律"), ("", "我只懂法律")]
)
def test_a_message_without_an_entry_still_gets_a_reply(base: KnowledgeBase, message: str, says: str) -> None:
    assert says in for_result(message, NOTHING, base, base.nowhere, DAY).text
