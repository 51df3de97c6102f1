"""The citizen's side of a handoff, as a table: state and message in, words and events out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.conversation.handoff.machine import Event, Handoff
from bot.conversation.turn import Duty, Outcome, Rated, Rating, State
from knowledge.load import KnowledgeBase
from knowledge.places import Locality
from knowledge.search.rank import Search
from tests.conversation.helpers import NOW, Talk

TOWNS = ("城关镇", "东关镇")
ON_DUTY = Duty(staffed=True, lawyers=1, place=1, recent=(), opens_at=NOW)
OFF_DUTY = Duty(staffed=True, lawyers=0, place=1, recent=(), opens_at=NOW + timedelta(hours=22))
ASKING = Handoff("h1", "c1", NOW, NOW)
WAITING = replace(ASKING, state="waiting", category="labour", queued_at=NOW)
HELD = replace(WAITING, state="held", lawyer="zhang", claimed_at=NOW)


class Office(Talk):
    """A county with two townships."""

    def places(self) -> Locality:
        return replace(self.base.nowhere, townships=TOWNS)


@pytest.fixture
def talk(base: KnowledgeBase, search: Search) -> Office:
    return Office(base, search, duty=ON_DUTY)


def text(outcome: Outcome) -> str:
    return "" if outcome.say is None else outcome.say.visible


def names(events: Sequence[Event]) -> list[str]:
    return [event.name for event in events]


def test_nothing_is_known_so_two_things_are_asked(talk: Office) -> None:
    first = talk.say("转人工")
    assert "哪方面" in text(first)
    assert first.record.request is not None
    assert not first.record.request.queue
    talk.handoff = ASKING
    second = talk.say("工资工伤", tap="hand:subject:labour")
    assert "哪个乡镇" in text(second)
    assert second.record.events == (Event("detail", kind="legal", category="labour"),)
    talk.handoff = replace(ASKING, category="labour")
    third = talk.say("城关镇", tap="hand:township")
    assert third.record.events == (Event("detail", township="城关镇"), Event("queue"))
    assert "您是下一位" in text(third)
    assert "大约5分钟" in text(third)


def test_what_is_known_is_not_asked(talk: Office) -> None:
    talk.state = State(entry="labour.unpaid-wages", question="老板不给工钱", touched=NOW.timestamp())
    talk.township = "城关镇"
    asked = talk.say("转人工律师", tap="human")
    assert asked.record.request is not None
    assert asked.record.request.queue
    assert asked.record.request.question == "老板不给工钱"
    assert asked.record.request.category == "labour"
    assert "排上队" in text(asked)


@pytest.mark.parametrize("answer", ["跳过", "不想说", "我家在山那边，事情是这样的"])
def test_whatever_is_answered_the_wait_begins(talk: Office, answer: str) -> None:
    talk.handoff = replace(ASKING, category="labour")
    assert names(talk.say(answer).record.events)[-1] == "queue"


def test_a_story_instead_of_a_subject_queues_at_once(talk: Office) -> None:
    talk.handoff = ASKING
    assert names(talk.say("我在工地摔断了腿老板不管").record.events) == ["queue"]


def test_danger_is_queued_first_and_unasked(talk: Office) -> None:
    asked = talk.say("转人工律师", tap="human:urgent")
    assert asked.record.request is not None
    assert (asked.record.request.urgent, asked.record.request.reason, asked.record.request.queue) == (
        True,
        "danger",
        True,
    )
    assert "110" in text(asked)


def test_off_duty_a_promise_is_made_and_kept_on_record(talk: Office) -> None:
    talk.duty = OFF_DUTY
    talk.township = "城关镇"
    talk.state = State(entry="labour.unpaid-wages", touched=NOW.timestamp())
    asked = talk.say("转人工")
    assert "明天" in text(asked)
    assert asked.record.request is not None
    assert asked.record.request.promised_at == OFF_DUTY.opens_at


def test_where_no_lawyer_serves_the_hotline_is_said(talk: Office) -> None:
    talk.duty = replace(OFF_DUTY, staffed=False)
    asked = talk.say("转人工")
    assert asked.record.request is None
    assert "12348" in text(asked)


def test_while_waiting_simple_questions_are_answered(talk: Office) -> None:
    talk.handoff = WAITING
    answer = talk.say("单位拖欠工资怎么办")
    assert answer.record.flow == "ask"
    assert "劳动监察" in text(answer)
    assert "已经在排队" in text(talk.say("转人工"))
    assert "律师来了就能看到" in text(talk.say("", kind="image", media="m1"))


@pytest.mark.parametrize("words", ["取消", "取消排队", "不找了", "算了"])
def test_waiting_can_be_ended(talk: Office, words: str) -> None:
    talk.handoff = WAITING
    assert names(talk.say(words).record.events) == ["cancel"]
    assert names(talk.say("取消", tap="hand:cancel").record.events) == ["cancel"]


def test_while_a_lawyer_is_there_the_bot_is_silent(talk: Office) -> None:
    talk.handoff = HELD
    for words in ("欠了三个月", "谢谢", "2", "单位拖欠工资怎么办", "更多", "🙂"):
        outcome = talk.say(words)
        assert outcome.say is None
        assert outcome.record.flow == "relay"
    assert talk.say("", kind="image", media="m1").say is None
    assert "张律师正在接待您" in text(talk.say("转人工"))
    assert names(talk.say("结束咨询").record.events) == ["cancel"]


def test_danger_breaks_the_silence_and_marks_the_case(talk: Office) -> None:
    talk.handoff = HELD
    outcome = talk.say("我不想活了")
    assert "12356" in text(outcome)
    assert outcome.record.events == (Event("detail", urgent=True),)


def test_leaving_ends_it(talk: Office) -> None:
    talk.handoff = HELD
    assert names(talk.say("", kind="event", event="unsubscribe").record.events) == ["leave"]


@pytest.mark.parametrize(("tap", "grade"), [("rate:h1:5", 5), ("rate:h1:1", 1)])
def test_a_grade_is_taken(talk: Office, tap: str, grade: int) -> None:
    assert talk.say("满意", tap=tap).record.rating == Rating(Rated("h1"), grade)


@pytest.mark.parametrize(
    "tap", ["rate:h1:6", "rate:h1:x", "rate:h1", "rate", "hand:subject:nothing", "hand:", "human:x:y"]
)
def test_forged_taps_do_no_harm(talk: Office, tap: str) -> None:
    assert talk.say("在吗", tap=tap).record.rating is None
    talk.handoff = ASKING
    talk.say("在吗", tap=tap)


def test_every_question_fits_a_message(talk: Office) -> None:
    for outcome in (talk.say("转人工"), talk.say("转人工律师", tap="human:urgent")):
        assert outcome.say is not None
        assert outcome.say.size <= 2048
