"""普法 in conversation: today's entry, a quiz and its answers; for those who ask, and counted as nothing else."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from bot.conversation.handoff.machine import Handoff
from bot.conversation.lessons import by_number, case, solved, wants
from bot.conversation.turn import Answered, Inbound, Lesson, Library, Outcome
from knowledge.entry import Confirmation
from knowledge.load import KnowledgeBase
from knowledge.search.rank import Search
from tests.conversation.helpers import NOW, Talk

ENTRY = "labour.unpaid-wages"
TODAY = Lesson("l1", "entry", ENTRY)
QUIZ = Lesson(
    "q1", "quiz", ENTRY, "老王干了三个月，老板一直不给工钱。老王可以：", ("忍着", "打劳动监察投诉", "去老板家搬东西"), 2,
    "欠薪可以向劳动监察投诉，也可以申请仲裁。",
)  # fmt: skip


@pytest.fixture
def talk(base: KnowledgeBase, search: Search) -> Talk:
    return Talk(base, search, lesson=QUIZ)


def text(outcome: Outcome) -> str:
    return "" if outcome.say is None else outcome.say.visible


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("今日普法", "entry"),
        ("普法", "entry"),
        ("每日普法。", "entry"),
        ("做道题", "quiz"),
        ("来一道题", "quiz"),
        ("考考我", "quiz"),
        ("以案释法", "quiz"),
        ("普法宣传车撞了人怎么办", ""),
        ("驾照考题在哪做", ""),
        ("法律", ""),
        ("B", ""),
    ],
)
def test_what_is_wanted(words: str, wanted: str) -> None:
    assert wants(Inbound("wechat", "o1", "m1", "text", NOW, text=words), "") == wanted


def test_letters_answer_only_where_a_quiz_was_put() -> None:
    inbound = Inbound("wechat", "o1", "m1", "text", NOW, text="B")
    assert wants(inbound, "quiz:q1") == "id:q1"
    assert wants(replace(inbound, text="x", tap="quiz:q9:1"), "quiz:q1") == "id:q9"


def test_todays_entry_is_told_with_its_basis_and_counts_nothing(talk: Talk) -> None:
    talk.lesson = TODAY
    told = talk.say("今日普法")
    assert text(told).startswith("【今日普法】")
    assert "依据：劳动合同法" in text(told)
    assert (told.record.flow, told.record.matter, told.record.entry) == ("lesson", None, ENTRY)
    assert told.say is not None
    assert told.say.taps[0].id == "lesson:quiz"
    assert told.say.size <= 2048
    assert talk.say("更多").record.flow == "more"


@pytest.mark.parametrize("answer", [{"text": "B", "tap": "quiz:q1:2"}, {"text": "B"}, {"text": "选b。"}, {"text": "2"}])
def test_a_right_answer(talk: Talk, answer: dict[str, str]) -> None:
    put = talk.say("做道题")
    assert "A. 忍着\nB. 打劳动监察投诉\nC. 去老板家搬东西" in text(put)
    solution = talk.say(**answer)
    assert "答对了" in text(solution)
    assert "依据：劳动合同法" in text(solution)
    assert solution.record.answered == Answered("q1", 2)
    assert solution.record.matter is None
    more = talk.say(solution.say.taps[0].send, tap=solution.say.taps[0].id) if solution.say else solution
    assert (more.record.flow, more.record.matter) == ("lesson", None)


def test_a_wrong_answer_is_told_which_is_right(talk: Talk) -> None:
    talk.say("做道题")
    solution = talk.say("C")
    assert "正确的是B：打劳动监察投诉" in text(solution)
    assert solution.record.answered == Answered("q1", 3)


def test_a_letter_long_after_is_no_answer(talk: Talk) -> None:
    talk.say("做道题")
    talk.now += timedelta(hours=13)
    assert talk.say("B").record.answered is None


def test_danger_and_the_queue_win(talk: Talk) -> None:
    talk.say("做道题")
    assert talk.say("我不想活了").record.flow.startswith("safety")
    talk.handoff = Handoff("h1", "c1", NOW, NOW, state="held", category="labour", queued_at=NOW, lawyer="zhang")
    assert talk.say("做道题").record.flow == "relay"


def test_a_day_nobody_planned_has_an_entry_all_the_same(talk: Talk) -> None:
    talk.lesson = None
    told = talk.say("今日普法")
    assert "【今日普法】" in text(told)
    assert "依据：" in text(told)
    assert talk.say("今日普法").say == told.say
    assert "今天还没有题" in text(talk.say("做道题"))


def test_entries_take_turns_and_confirmed_ones_come_first(base: KnowledgeBase, search: Search) -> None:
    library = Library(base, search, base.nowhere)
    start = date(2026, 11, 23)
    chosen = [by_number(library, start + timedelta(days=n)) for n in range(30)]
    assert len({one.id for one in chosen if one}) == 30
    assert all(one and one.kind == "legal" for one in chosen)
    sworn = replace(base.entries[ENTRY], confirmed=Confirmation(by="王律师", on=start))
    confirmed = Library(dataclasses.replace(base, entries=base.entries | {ENTRY: sworn}), search, base.nowhere)
    assert by_number(confirmed, start) == sworn
    nothing = Library(base, search, base.nowhere, confirmed_only=True)
    assert by_number(nothing, start) is None


def test_what_rests_on_a_law_no_longer_in_force_is_not_put(talk: Talk, base: KnowledgeBase) -> None:
    talk.lesson = replace(QUIZ, entry="no.such-entry")
    assert "今天还没有题" in text(talk.say("做道题"))
    assert "停用" in text(talk.say("A", tap="quiz:q1:1"))
    assert "停用" in text(talk.say("x", tap="learn:no.such-entry"))


@pytest.mark.parametrize("tap", ["quiz:q1:0", "quiz:q1:9", "quiz:q1:4", "quiz:q1:x", "quiz:q1", "quiz", "lesson:x"])
def test_forged_taps_count_nothing(talk: Talk, tap: str) -> None:
    assert talk.say("在吗", tap=tap).record.answered is None


def test_every_text_fits_a_message(base: KnowledgeBase, search: Search) -> None:
    library = Library(base, search, base.nowhere)
    wide = replace(QUIZ, question="长" * 300, options=("选" * 40,) * 4, explanation="解" * 600)
    assert case(wide).size <= 2048
    assert solved(wide, 1, base.entries[ENTRY], library).size <= 2048
