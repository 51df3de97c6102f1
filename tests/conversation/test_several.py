"""Several questions in one message, turn by turn: answered one after the other, each on record."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from knowledge.load import KnowledgeBase
from knowledge.search.mixer import Verdict
from knowledge.search.rank import Candidate, Result
from knowledge.wording import ALSO, CHOOSE_FIRST
from tests.conversation.helpers import Talk

DIVORCE = "我想离婚，孩子归谁，房子怎么分，另外老板还欠我工资咋办"
CUSTODY, HOUSE, WAGES = "child.custody-general", "marriage.house-divide", "labour.unpaid-wages"
DIBAO, DISABILITY = "approval.people.dibao-apply", "approval.people.disability-certificate"
COOLING, SUPPORT = "marriage.cooling-off", "child.support-amount"


# What each text that is searched for is taken for, and how surely.
SURE = {
    "我想离婚,孩子归谁,房子怎么分,另外老板还欠我工资咋办": [(HOUSE, 0.4), (CUSTODY, 0.3)],
    "我想离婚,孩子归谁,": [(CUSTODY, 0.9)],
    "我想离婚,房子怎么分,": [(HOUSE, 0.95)],
    "老板还欠我工资咋办": [(WAGES, 0.85)],
    "低保怎么申请?残疾证怎么办": [(DIBAO, 0.6), (DISABILITY, 0.5)],
    "低保怎么申请?": [(DIBAO, 0.9)],
    "残疾证怎么办": [(DISABILITY, 0.9)],
    "冷静期多长?抚养费给多少?": [(CUSTODY, 0.3), (HOUSE, 0.3), (WAGES, 0.2), (DIBAO, 0.1), (SUPPORT, 0.1)],
    "冷静期多长?": [(COOLING, 0.75)],
    "抚养费给多少?": [(SUPPORT, 0.75)],
    "身份证丢了怎么补": [("approval.people.id-lost", 0.9)],
}


def look(text: str, day: date, *, context: str = "") -> Result:
    """A search that knows the texts above; sure from 0.8 on."""
    found = tuple(Candidate(entry, sure, "", ()) for entry, sure in SURE.get(text, ()))
    verdict: Verdict = "none" if not found else "answer" if found[0].confidence >= 0.8 else "choices"
    return Result(verdict, found, ours=0.9, about_us=True)


@pytest.fixture
def talk(base: KnowledgeBase) -> Talk:
    return Talk(base, look)


def test_the_others_are_chosen_by_number_one_after_the_other(talk: Talk) -> None:
    first = talk.say(DIVORCE)
    assert (first.record.flow, first.record.verdict, first.record.entry) == ("ask", "answer", CUSTODY)
    assert first.say is not None
    assert first.say.text.endswith(ALSO)
    second = talk.say("2")
    assert (second.record.flow, second.record.verdict, second.record.entry) == ("choose", "answer", WAGES)
    assert second.record.matter is not None
    assert second.say is not None
    assert second.say.taps[0].id == f"ask:{HOUSE}"
    third = talk.say("第一个")
    assert (third.record.flow, third.record.entry) == ("choose", HOUSE)
    assert third.say is not None
    assert ALSO not in third.say.text
    assert (talk.state.options, talk.state.others) == ((), ())


def test_the_others_are_chosen_by_tap(talk: Talk) -> None:
    said = talk.say(DIVORCE).say
    assert said is not None
    tap = said.taps[1]
    chosen = talk.say(tap.send, tap=tap.id)
    assert (chosen.record.flow, chosen.record.entry) == ("choose", WAGES)
    assert talk.state.options == (HOUSE,)


def test_a_follow_up_is_about_what_was_answered_and_leaves_the_others_open(talk: Talk) -> None:
    talk.say("低保怎么申请？残疾证怎么办")
    asked = talk.say("要什么材料")
    assert (asked.record.flow, asked.record.entry) == ("follow_up", DIBAO)
    chosen = talk.say("x", tap="ask:approval.people.dibao-change")
    assert chosen.say is not None
    assert chosen.say.taps[0].id == f"ask:{DISABILITY}"


def test_what_was_asked_long_ago_is_not_offered_again(talk: Talk) -> None:
    talk.say(DIVORCE)
    talk.now += timedelta(hours=2)
    chosen = talk.say("x", tap=f"ask:{WAGES}")
    assert chosen.say is not None
    assert ALSO not in chosen.say.text


def test_a_new_question_ends_the_offer(talk: Talk) -> None:
    talk.say(DIVORCE)
    talk.say("身份证丢了怎么补")
    assert (talk.state.options, talk.state.others) == ((), ())


def test_candidates_of_the_main_question_come_with_the_others(talk: Talk) -> None:
    said = talk.say("冷静期多长？抚养费给多少？")
    assert said.record.verdict == "choices"
    assert said.say is not None
    assert CHOOSE_FIRST in said.say.text
    assert talk.state.others == (COOLING, SUPPORT)
    assert talk.state.options[2:] == talk.state.others
    talk.say("3")
    assert talk.state.entry == COOLING
    assert list(talk.state.others) == [SUPPORT]


def test_the_topic_is_the_main_question_alone(talk: Talk) -> None:
    talk.say(DIVORCE)
    assert talk.state.question == "我想离婚,孩子归谁"


@pytest.mark.parametrize(
    "message", ["我想离婚，孩子归谁？另外我不想活了，药都买好了", "他拿着菜刀在砸门。离婚孩子归谁？房子怎么分？"]
)
def test_danger_in_any_part_comes_first(talk: Talk, message: str) -> None:
    said = talk.say(message)
    assert said.record.flow.startswith("safety.")
    assert said.record.matter is not None
    assert said.record.matter.urgent


def test_a_short_message_of_two_questions_stands_by_itself(talk: Talk) -> None:
    talk.say("身份证丢了怎么补")
    talk.say("冷静期多长？抚养费给多少？")
    assert talk.state.others == (COOLING, SUPPORT)
