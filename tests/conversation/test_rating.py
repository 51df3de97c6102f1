"""Asking for a grade: when, how often, and what the next words mean."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.conversation.handoff.machine import Handoff
from bot.conversation.rating import ASK_EVERY, REMEMBERED, moment
from bot.conversation.turn import Inbound, Outcome, Rated, Rating, State, Visit
from knowledge.load import KnowledgeBase
from knowledge.search.rank import Search
from tests.conversation.helpers import NOW, Talk

QUESTION = "单位拖欠工资怎么办"
MATTER = Rated(consultation="k1")
WAITING = Handoff("h1", "c1", NOW, NOW, state="waiting", category="labour", queued_at=NOW)


@pytest.fixture
def talk(base: KnowledgeBase, search: Search) -> Talk:
    return Talk(base, search, rateable=MATTER)


def text(outcome: Outcome) -> str:
    return "" if outcome.say is None else outcome.say.visible


def taps(outcome: Outcome) -> list[str]:
    return [] if outcome.say is None else [tap.id for tap in outcome.say.taps]


@pytest.mark.parametrize(
    ("gone", "asked", "words", "wanted"),
    [
        (timedelta(minutes=1), None, {"text": "谢谢"}, "thanks"),
        (timedelta(minutes=1), None, {"text": "好的，谢谢您！"}, "thanks"),
        (timedelta(minutes=1), None, {"text": "有用", "tap": "good:labour.unpaid-wages"}, "thanks"),
        (timedelta(minutes=1), None, {"text": "没用", "tap": "bad:labour.unpaid-wages"}, ""),
        (timedelta(minutes=1), None, {"text": QUESTION}, ""),
        (timedelta(hours=24), None, {"text": QUESTION}, "later"),
        (REMEMBERED, None, {"text": QUESTION}, ""),
        (timedelta(hours=24), ASK_EVERY - timedelta(seconds=1), {"text": QUESTION}, ""),
        (timedelta(hours=24), ASK_EVERY, {"text": QUESTION}, "later"),
        (timedelta(minutes=1), timedelta(), {"text": "不满意"}, "typed"),
        (timedelta(hours=24), None, {"kind": "image", "text": ""}, ""),
        (timedelta(hours=24), None, {"kind": "event", "event": "click", "text": ""}, ""),
    ],
)
def test_when_a_grade_may_be_asked_for(
    gone: timedelta, asked: timedelta | None, words: dict[str, Any], wanted: str
) -> None:
    state = State(touched=(NOW - gone).timestamp(), asked=(NOW - asked).timestamp() if asked is not None else 0.0)
    inbound = Inbound("wechat", "o1", "m1", sent_at=NOW, **({"kind": "text"} | words))
    assert moment(inbound, state, NOW) == wanted


def test_nobody_is_asked_who_was_never_answered() -> None:
    assert moment(Inbound("wechat", "o1", "m1", "text", NOW, text="谢谢"), State(), NOW) == ""


def test_thanks_bring_the_five_grades_once(talk: Talk) -> None:
    talk.say(QUESTION)
    first = talk.say("谢谢")
    assert "打个分" in text(first)
    assert taps(first) == [f"rate:c:k1:{grade}" for grade in (5, 4, 3, 2, 1)]
    assert taps(talk.say("谢谢")) == []
    talk.now += ASK_EVERY
    talk.say(QUESTION)
    assert taps(talk.say("谢谢"))


def test_on_the_next_reply_it_is_one_line(talk: Talk) -> None:
    talk.say(QUESTION)
    talk.now += timedelta(days=2)
    answer = talk.say("身份证丢了怎么补、急用怎么办")
    assert taps(answer)[-1] == "rate:c:k1"
    assert "依据" in text(answer)
    grades = talk.say("打个分", tap="rate:c:k1")
    assert taps(grades) == [f"rate:c:k1:{grade}" for grade in (5, 4, 3, 2, 1)]


def test_no_question_rides_on_danger_on_choices_or_beside_a_lawyer(talk: Talk) -> None:
    talk.say(QUESTION)
    talk.now += timedelta(days=2)
    start = talk.state
    assert not any(tap.startswith("rate") for tap in taps(talk.say("我不想活了")))
    talk.state, talk.handoff = start, WAITING
    assert not any(tap.startswith("rate") for tap in taps(talk.say("你好")))


def test_a_bad_grade_is_followed_by_one_question_and_the_words_are_kept(talk: Talk) -> None:
    graded = talk.say("不满意", tap="rate:c:k1:2")
    assert graded.record.rating == Rating(MATTER, 2)
    assert "why:skip" in taps(graded)
    why = talk.say("律师一直没有回我")
    assert why.record.rating == Rating(MATTER, words="律师一直没有回我")
    assert why.record.matter is None
    # It was a question after all: one tap asks it.
    assert why.say is not None
    assert why.say.taps[0].send == "律师一直没有回我"
    assert talk.say(QUESTION).record.flow == "ask"


@pytest.mark.parametrize("after", ["跳过", "不想说"])
def test_the_reason_may_be_skipped(talk: Talk, after: str) -> None:
    talk.say("非常不满意", tap="rate:h1:1")
    outcome = talk.say(after)
    assert (outcome.record.flow, outcome.record.rating) == ("rating", None)
    assert talk.say(QUESTION).record.flow == "ask"


@pytest.mark.parametrize(
    ("words", "flow"),
    [
        ({"text": "我不想活了"}, "safety"),
        ({"text": "转人工"}, "human"),
        ({"text": "谢谢"}, "thanks"),
        ({"text": "我的记录"}, "my_data"),
        ({"text": "今日普法"}, "lesson"),
        ({"text": "有用", "tap": "good:labour.unpaid-wages"}, "feedback"),
    ],
)
def test_other_wishes_win_over_the_reason(talk: Talk, words: dict[str, Any], flow: str) -> None:
    talk.say("不满意", tap="rate:h1:2")
    assert talk.say(**words).record.flow.startswith(flow)
    # Only the very next message was meant.
    assert talk.say(QUESTION).record.flow == "ask"


def test_the_reason_is_awaited_for_half_an_hour(talk: Talk) -> None:
    talk.say("不满意", tap="rate:h1:2")
    talk.now += timedelta(minutes=31)
    assert talk.say(QUESTION).record.flow == "ask"


def test_a_grade_typed_is_for_what_a_lawyer_closed(talk: Talk) -> None:
    talk.say(QUESTION)
    assert talk.say("满意").record.flow == "feedback"
    talk.rateable = Rated("h7")
    assert talk.say("不满意").record.rating == Rating(Rated("h7"), 2)


def test_the_second_visit_is_asked_once_and_not_before_the_letter_arrived(talk: Talk) -> None:
    talk.state, talk.rateable, talk.letters = State(visit="r1"), None, True
    assert taps(talk.say("谢谢")) == []
    talk.letters = False
    asked = talk.say("谢谢")
    assert asked.record.visit == Visit("r1", asked=True)
    assert taps(asked) == [f"visit:r1:{grade}" for grade in (5, 4, 3, 2, 1)]
    assert taps(talk.say("谢谢")) == []
    good = talk.say("满意", tap="visit:r1:4")
    assert good.record.visit == Visit("r1", 4)
    bad = talk.say("不满意", tap="visit:r1:2")
    assert bad.record.visit == Visit("r1", 2)
    assert talk.say("还是没人管").record.visit == Visit("r1", words="还是没人管")


@given(
    st.lists(
        st.sampled_from(["谢谢", "你好", QUESTION, "不满意", "跳过", "离婚怎么分财产", "更多", "我的记录", "做道题"])
        | st.integers(min_value=1, max_value=400),
        max_size=12,
    )
)
def test_however_a_talk_goes_grades_are_asked_for_seldom(
    base: KnowledgeBase, search: Search, steps: list[str | int]
) -> None:
    talk = Talk(base, search, rateable=MATTER)
    asked = []
    for step in steps:
        if isinstance(step, int):
            talk.now += timedelta(hours=step)
            continue
        outcome = talk.say(step)
        assert outcome.say is not None
        assert outcome.say.size <= 2048
        if any(tap.startswith("rate:c:k1") for tap in taps(outcome)):
            asked.append(talk.now)
    assert all(later - earlier >= ASK_EVERY for earlier, later in pairwise(asked))


@pytest.mark.parametrize("tap", ["rate:c", "rate:c:k1:9", "rate:c:k1:x", "visit:r1", "visit:r1:0", "visit", "rate::"])
def test_forged_taps_record_nothing(talk: Talk, tap: str) -> None:
    record = replace(talk.say("在吗", tap=tap).record, flow="")
    assert (record.rating, record.visit) == (None, None)
