"""Where no entry fits, an article of law may be shown: never instead of an answer, in danger, or off topic."""

from __future__ import annotations

from datetime import date

import pytest

from bot.conversation.turn import Library
from knowledge.articles import Articles, Law, index
from knowledge.load import KnowledgeBase
from knowledge.places import Locality
from knowledge.search.rank import Candidate, Result
from tests.conversation.helpers import Talk

LAW = Law("养蜂条例", "某县养蜂条例", date(2021, 1, 1))
ROWS = [("第一条", "为了管理养蜂，制定本条例。"), ("第二条", "蜂箱距离村庄不足二百米的，应当设置警示标志。")]
MESSAGE = "蜂箱离村庄多远要设警示标志"
UNSURE = Result("none", (), 0.9, about_us=True)
CHOICES = Result(
    "choices", tuple(Candidate(e, 0.3, "", ()) for e in ("debt.no-iou", "debt.iou-write")), 1.0, about_us=True
)
ANSWER = Result("answer", (Candidate("debt.no-iou", 0.9, "", ()),), 1.0, about_us=True)
NOT_OURS = Result("none", (), 0.1, about_us=False)


class County(Talk):
    """A county that has the texts of laws."""

    found: Result = UNSURE

    def library(self) -> Library:
        def search(text: str, day: date, *, context: str = "") -> Result:
            return self.found

        return Library(self.base, search, Locality(self.base.places), articles=Articles(index([(LAW, ROWS)])))


@pytest.fixture
def talk(base: KnowledgeBase) -> County:
    return County(base, lambda text, day, *, context="": UNSURE)


def taps(talk: County, text: str, **changes: str) -> list[str]:
    said = talk.say(text, **changes).say
    assert said is not None
    return [tap.id for tap in said.taps]


@pytest.mark.parametrize("found", [UNSURE, CHOICES])
def test_it_is_offered_where_no_entry_is_sure(talk: County, found: Result) -> None:
    talk.found = found
    shown = taps(talk, MESSAGE)
    assert "statute:养蜂条例第二条" in shown
    assert shown[-1] == "human"


@pytest.mark.parametrize("found", [ANSWER, NOT_OURS])
def test_it_is_not_offered_beside_an_answer_or_off_topic(talk: County, found: Result) -> None:
    talk.found = found
    assert not [tap for tap in taps(talk, MESSAGE) if tap.startswith("statute:")]


@pytest.mark.parametrize("text", [f"我不想活了，{MESSAGE}", f"老公打我，{MESSAGE}"])
def test_it_is_not_offered_where_danger_is_spoken_of(talk: County, text: str) -> None:
    assert not [tap for tap in taps(talk, text) if tap.startswith("statute:")]


def test_its_text_is_shown_and_marked(talk: County) -> None:
    talk.say(MESSAGE)
    shown = talk.say("看条文", tap="statute:养蜂条例第二条")
    assert shown.say is not None
    assert "警示标志" in shown.say.text
    assert "这是法律条文，不是办事意见" in shown.say.text
    assert [tap.id for tap in shown.say.taps] == ["human:law"]
    assert shown.record.flow == "statute"
    assert shown.record.matter is not None
    assert (shown.record.matter.outcome, shown.record.matter.follows) == ("offered", True)


def test_a_forged_tap_does_no_harm(talk: County) -> None:
    shown = talk.say("看条文", tap="statute:没有这部法第一条")
    assert shown.say is not None
    assert "再发一遍" in shown.say.text


def test_without_the_texts_nothing_is_offered(base: KnowledgeBase) -> None:
    said = Talk(base, lambda text, day, *, context="": UNSURE).say(MESSAGE).say
    assert said is not None
    assert [tap.id for tap in said.taps] == ["human"]


def test_what_was_asked_before_does_not_count(talk: County) -> None:
    talk.found = CHOICES
    assert "statute:养蜂条例第二条" in taps(talk, MESSAGE)
    assert not [tap for tap in taps(talk, "没有借条呢") if tap.startswith("statute:")]
