"""Flows as a table: what comes in, which flow takes it, what is said."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation.turn import State
from knowledge.entry import KIND_NAMES
from knowledge.load import KnowledgeBase
from knowledge.search.rank import Candidate, Result, Search
from knowledge.wording import EXAMPLES
from tests.conversation.helpers import Talk


@pytest.fixture
def talk(base: KnowledgeBase, search: Search) -> Talk:
    return Talk(base, search)


@pytest.mark.parametrize(
    ("inbound", "flow", "says"),
    [
        ({"text": "你好"}, "greeting", "法问"),
        ({"text": "在吗？？"}, "greeting", "法问"),
        ({"text": "谢谢您！"}, "thanks", "不用客气"),
        ({"text": "好的，谢谢"}, "thanks", "不用客气"),
        ({"text": "嗯嗯"}, "goodbye", "有事随时"),
        ({"text": "菜单"}, "help", "12348"),
        ({"text": "你是谁"}, "help", "12345"),
        ({"text": "更多"}, "more", "后面没有了"),
        ({"text": "转人工"}, "human", "12348"),
        ({"text": "我要找个律师"}, "human", "12348"),
        ({"text": "人工客服"}, "human", "12348"),
        ({"text": ""}, "empty", "文字"),
        ({"text": "😀😀"}, "empty", "文字"),
        ({"text": "？？？"}, "empty", "文字"),
        ({"kind": "image", "text": ""}, "unsupported", "图片"),
        ({"kind": "voice", "text": ""}, "unsupported", "话筒"),
        ({"kind": "video", "text": ""}, "unsupported", "视频"),
        ({"kind": "location", "text": ""}, "unsupported", "位置"),
        ({"kind": "link", "text": ""}, "unsupported", "链接"),
        ({"kind": "file", "text": ""}, "unsupported", "文件"),
        ({"kind": "other", "text": ""}, "unsupported", "文字"),
        ({"kind": "event", "event": "subscribe", "text": ""}, "welcome", "免费"),
        ({"kind": "event", "event": "unsubscribe", "text": ""}, "unsubscribe", None),
        ({"kind": "event", "event": "click", "scene": "petition", "text": ""}, "menu", "信访"),
        ({"kind": "event", "event": "click", "scene": "human", "text": ""}, "human", "12348"),
        ({"kind": "event", "event": "click", "scene": "help", "text": ""}, "help", "12348"),
        ({"kind": "event", "event": "templatesendjobfinish", "text": ""}, "event", None),
        ({"text": "单位拖欠工资怎么办"}, "ask", "劳动监察"),
        ({"text": "單位拖欠工資怎麼辦"}, "ask", "劳动监察"),
        ({"text": "单位拖欠工资怎么办", "tap": "ask:labour.unpaid-wages"}, "choose", "劳动监察"),
        ({"text": "x", "tap": "ask:no.such-entry"}, "choose", "再发一遍"),
        ({"text": "有用", "tap": "good:labour.unpaid-wages"}, "feedback", "谢谢"),
        ({"text": "没用", "tap": "bad:labour.unpaid-wages"}, "feedback", "对不起"),
        ({"text": "转人工律师", "tap": "human"}, "human", "12348"),
        ({"text": "今天天气真好"}, "not_ours", "我只懂"),
    ],
)
def test_which_flow_takes_a_message(talk: Talk, inbound: dict[str, Any], flow: str, says: str | None) -> None:
    outcome = talk.say(**inbound)
    assert outcome.record.flow == flow
    if says is None:
        assert outcome.say is None
    else:
        assert outcome.say is not None
        assert says in outcome.say.text


def test_a_subscriber_is_greeted_with_three_examples_of_each_kind(talk: Talk, base: KnowledgeBase) -> None:
    said = talk.say("", kind="event", event="subscribe").say
    assert said is not None
    tapped = [tap.id.removeprefix("ask:") for tap in said.taps]
    assert tapped == [entry for kind in KIND_NAMES for _, entry in EXAMPLES[kind]]
    assert {base.entries[entry].kind for entry in tapped} == set(KIND_NAMES)
    assert said.size <= 2048


def test_an_answer_holds_basis_review_day_and_taps(talk: Talk) -> None:
    said = talk.say("单位拖欠工资怎么办").say
    assert said is not None
    assert "依据：劳动合同法第30、85条" in said.text
    assert "2026-11-22 核对，待本县律师确认" in said.text
    assert [tap.label for tap in said.rows[-1]] == ["有用", "没用", "转人工律师"]
    assert any(tap.id.startswith("ask:") for tap in said.taps)


def test_candidates_are_chosen_by_number_or_tap(talk: Talk) -> None:
    talk.state = State(options=("debt.guarantor-duty", "labour.unpaid-wages"), touched=talk.now.timestamp())
    start = talk.state
    for text in ("2", "２", "第二个", "二", "第2个", "2。"):
        talk.state = start
        assert talk.say(text).record.entry == "labour.unpaid-wages"
    talk.state = start
    assert talk.say("3").record.entry != "labour.unpaid-wages"


def offers(text: str, day: date, *, context: str = "") -> Result:
    """A search that is never sure."""
    return Result(
        "choices",
        tuple(Candidate(entry, 0.4, "", ()) for entry in ("debt.no-iou", "debt.iou-write")),
        1.0,
        about_us=True,
    )


def test_candidates_are_numbered_as_they_are_chosen(base: KnowledgeBase) -> None:
    talk = Talk(base, offers)
    said = talk.say("没有借条").say
    assert said is not None
    assert [tap.label for tap in said.taps][:2] == [
        f"1. {base.entries['debt.no-iou'].question}",
        f"2. {base.entries['debt.iou-write'].question}",
    ]
    assert talk.say("2").record.entry == "debt.iou-write"


def test_more_shows_the_rest_page_by_page(talk: Talk, base: KnowledgeBase) -> None:
    entry = base.entries["labour.unpaid-wages"]
    assert entry.more
    first = talk.say("单位拖欠工资怎么办").say
    assert first is not None
    assert "更多" in first.text
    second = talk.say("更多").say
    assert second is not None
    assert second.text.startswith(base.nowhere.fill(entry.more).strip()[:20])
    assert "后面没有了" in str(talk.say("继续").say)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("那要多久？", "1年"),
        ("多长时间", "1年"),
        ("在哪办", "劳动监察"),
        ("去哪里？", "劳动监察"),
        ("依据是什么", "劳动合同法第三十条"),
        ("要钱吗", "不收费"),
    ],
)
def test_short_questions_lean_on_the_last_answer(talk: Talk, text: str, says: str) -> None:
    talk.say("单位拖欠工资怎么办")
    outcome = talk.say(text)
    assert outcome.record.flow == "follow_up"
    assert outcome.record.entry == "labour.unpaid-wages"
    assert outcome.record.matter is not None
    assert outcome.record.matter.follows
    assert outcome.say is not None
    assert says in outcome.say.text
    assert "依据：" in outcome.say.text


def test_the_context_fades_after_half_an_hour(talk: Talk) -> None:
    talk.say("单位拖欠工资怎么办")
    talk.now += timedelta(minutes=31)
    assert talk.say("那要多久？").record.flow != "follow_up"


def test_a_question_of_its_own_is_not_a_follow_up(talk: Talk) -> None:
    talk.say("单位拖欠工资怎么办")
    assert talk.say("离婚要多久").record.flow != "follow_up"


def test_after_two_misses_a_person_is_offered(talk: Talk) -> None:
    first = talk.say("我家那个二舅的三轮车承包经营权怎么做股权激励")
    second = talk.say("就是三轮车承包经营权的股权激励该咋整")
    if first.record.verdict == "none" and second.record.verdict == "none" and second.record.flow == "ask":
        assert second.say is not None
        assert "12348" in second.say.text
    assert talk.state.misses == [first.record.verdict, second.record.verdict].count("none")


def test_greetings_and_noise_count_nothing(talk: Talk) -> None:
    for text in ("你好", "谢谢", "菜单", "今天天气真好", "哈哈哈", "1", "。。。"):
        assert talk.say(text).record.matter is None


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.text(max_size=40) | st.sampled_from(["更多", "2", "那要多久", "没用", "离婚怎么分财产", "你好"]), max_size=6
    )
)
def test_any_conversation_gets_short_whole_replies(base: KnowledgeBase, search: Search, texts: list[str]) -> None:
    talk = Talk(base, search)
    for text in texts:
        said = talk.say(text).say
        assert said is not None
        assert said.text.strip()
        assert said.size <= 2048
