"""Danger beats everything; talk about danger that is past or somebody else's question still gets its answer."""

from __future__ import annotations

import pytest

from knowledge.danger import danger, mention
from knowledge.load import KnowledgeBase
from knowledge.search.rank import Search
from tests.conversation.helpers import Talk

NOW_IN_DANGER = [
    ("我不想活了", "self_harm"),
    ("欠了三十万，我真的不想活了", "self_harm"),
    ("活着没意思", "self_harm"),
    ("我想自杀", "self_harm"),
    ("死了算了", "self_harm"),
    ("活著沒意思，不如死了", "self_harm"),
    ("我喝了农药", "rescue"),
    ("老公正在打我，怎么办", "violence"),
    ("他拿着刀要砍我", "violence"),
    ("有人在砸门，现在砸门呢，救命", "violence"),
    ("他说要杀了我，不敢回家，回去就打", "violence"),
    ("被关在屋里出不去", "violence"),
    ("昨晚被人强奸了", "assault"),
    ("我女儿被邻居猥亵了", "child"),
    ("孩子被继父虐待", "child"),
    ("我家孩子丢了两个小时了", "child"),
    ("俺娘糊涂了走丢了", "missing"),
    ("煤气漏了 屋里好大味", "disaster"),
    ("人生没有希望了，只想长眠", "alarm"),
    ("老师摸我下面", "child"),
]
ONLY_TALKED_ABOUT = [
    "工人自杀了保险赔不赔",
    "我爸三年前自杀去世，遗产怎么分",
    "丈夫打我能不能离婚",
    "家暴离婚怎么分财产",
    "打死人判几年",
    "邻居的狗咬了孩子",
    "孩子丢了学籍怎么办",
    "公司快要倒闭了活不下去怎么申请破产",
    "强奸罪怎么判",
    "单位拖欠工资怎么办",
    "农药假的赔偿",
    "怎么给孩子上户口",
    "拿刀砍人判多少年",
    "手机丢了找不到了",
]


@pytest.mark.parametrize(("text", "name"), NOW_IN_DANGER)
def test_danger_is_heard(text: str, name: str) -> None:
    found = danger(text)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("text", ONLY_TALKED_ABOUT)
def test_questions_about_danger_are_answered(text: str) -> None:
    assert danger(text) is None


@pytest.mark.parametrize(("text", "name"), NOW_IN_DANGER)
def test_the_hotline_stands_in_the_first_lines(text: str, name: str, base: KnowledgeBase, search: Search) -> None:
    outcome = Talk(base, search).say(text)
    assert outcome.record.flow == f"safety.{name}"
    assert outcome.record.matter is not None
    assert outcome.record.matter.urgent
    assert outcome.say is not None
    first = "\n".join(outcome.say.text.split("\n")[:2])
    assert any(number in first for number in ("110", "120", "12356"))
    assert "human:urgent" in [tap.id for tap in outcome.say.taps]


def test_danger_comes_before_the_brake_and_before_choices(base: KnowledgeBase, search: Search) -> None:
    talk = Talk(base, search)
    for _ in range(20):
        outcome = talk.say("在吗")
    assert outcome.record.flow == "slow_down"
    assert talk.say("我不想活了").record.flow == "safety.self_harm"


def test_a_tapped_question_about_danger_is_answered(base: KnowledgeBase, search: Search) -> None:
    entry = base.entries["violence.emergency"]
    assert danger(entry.question)
    outcome = Talk(base, search).say(entry.question, tap="ask:violence.emergency")
    assert outcome.record.entry == "violence.emergency"
    assert outcome.say is not None
    assert "110" in outcome.say.text.split("\n")[0]


def test_an_answer_that_touches_danger_begins_with_the_hotlines(base: KnowledgeBase, search: Search) -> None:
    outcome = Talk(base, search).say("丈夫打我能不能离婚")
    assert mention("丈夫打我能不能离婚")
    assert outcome.say is not None
    assert outcome.say.text.startswith("（您或身边的人眼下有危险，先打110")
